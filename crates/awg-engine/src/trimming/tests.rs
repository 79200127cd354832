use std::time::{Duration, Instant};

use super::{Memory, Trimming};

const SECOND: Duration = Duration::from_secs(1);
const MEGABYTE: u64 = 1 << 20;

/// A process in which so much is used, and so much more is held.
#[derive(Default)]
struct Held {
    used: u64,
    free: u64,
    trims: usize,
}

impl Memory for Held {
    fn resident(&self) -> Option<u64> {
        Some(self.used + self.free)
    }

    fn trim(&mut self) {
        self.free = 0;
        self.trims += 1;
    }
}

/// Lets time pass; what is due is done.
fn run(trimming: &mut Trimming, now: &mut Instant, time: Duration, held: &mut Held) {
    let end = *now + time;
    while let Some(at) = trimming.next_timeout().filter(|at| *at <= end) {
        *now = at;
        trimming.handle_timeout(at, held);
    }
    *now = end;
}

#[test]
fn what_flows_let_go_of_is_given_back_soon_after_they_ended_also_what_comes_late() {
    let (mut now, mut trimming, mut held) = (Instant::now(), Trimming::default(), Held::default());
    held.used = 300 * MEGABYTE;
    trimming.handle_end(now);
    run(&mut trimming, &mut now, SECOND, &mut held);
    assert_eq!(held.trims, 0, "it is not free yet");
    (held.used, held.free) = (200 * MEGABYTE, 100 * MEGABYTE);
    run(&mut trimming, &mut now, 2 * SECOND, &mut held);
    assert_eq!((held.trims, held.free), (1, 0));
    (held.used, held.free) = (50 * MEGABYTE, 150 * MEGABYTE);
    run(&mut trimming, &mut now, 100 * SECOND, &mut held);
    assert_eq!(held.free, 0);
    assert_eq!(trimming.next_timeout(), None, "nothing is left to wake for");
}

#[test]
fn where_little_is_to_be_had_it_is_left_and_nobody_asks_more_than_once_in_ten_seconds() {
    let (mut now, mut trimming, mut held) = (Instant::now(), Trimming::default(), Held::default());
    held.used = 50 * MEGABYTE;
    trimming.handle_end(now);
    run(&mut trimming, &mut now, 100 * SECOND, &mut held);
    held.trims = 0;
    for _ in 0..1000 {
        held.free = 31 * MEGABYTE;
        trimming.handle_end(now);
        run(&mut trimming, &mut now, SECOND / 10, &mut held);
    }
    assert_eq!(held.trims, 0);
    for _ in 0..1000 {
        held.free = 40 * MEGABYTE;
        trimming.handle_end(now);
        run(&mut trimming, &mut now, SECOND / 10, &mut held);
    }
    assert!((9..=11).contains(&held.trims), "{}", held.trims);
    // What is in use is no reason to ask twice.
    run(&mut trimming, &mut now, 100 * SECOND, &mut held);
    (held.used, held.free, held.trims) = (1000 * MEGABYTE, 0, 0);
    for _ in 0..1000 {
        trimming.handle_end(now);
        run(&mut trimming, &mut now, SECOND / 10, &mut held);
    }
    assert_eq!(held.trims, 1);
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn the_process_gives_back_what_is_free_in_the_midst_of_its_heap() {
    use super::Process;

    // Too small to be memory of their own, and each second one stays.
    let mut pieces: Vec<Vec<u8>> = (0..20_000).map(|_| vec![1; 16 << 10]).collect();
    let held = Process.resident().unwrap();
    assert!(held >= 300 * MEGABYTE);
    let mut place = 0;
    pieces.retain(|_| {
        place += 1;
        place % 2 == 0
    });
    Process.trim();
    let left = Process.resident().unwrap();
    assert!(left + 100 * MEGABYTE < held, "{held} {left}");
    drop(pieces);
}
