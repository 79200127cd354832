use std::time::{Duration, Instant};

use super::{Memory, Trimming};

const SECOND: Duration = Duration::from_secs(1);
const MEGABYTE: u64 = 1 << 20;

/// A process that holds so much for good, and so much that is free.
#[derive(Default)]
struct Held {
    kept: u64,
    free: u64,
    trims: usize,
}

impl Memory for Held {
    fn spare(&self) -> Option<u64> {
        Some(self.kept + self.free)
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
    held.kept = 40 * MEGABYTE;
    trimming.handle_end(now);
    run(&mut trimming, &mut now, SECOND, &mut held);
    assert_eq!(held.trims, 0, "it is not free yet");
    held.free = 100 * MEGABYTE;
    run(&mut trimming, &mut now, 2 * SECOND, &mut held);
    assert_eq!((held.trims, held.free), (1, 0));
    held.free = 150 * MEGABYTE;
    run(&mut trimming, &mut now, 100 * SECOND, &mut held);
    assert_eq!(held.free, 0);
    assert_eq!(trimming.next_timeout(), None, "nothing is left to wake for");
}

#[test]
fn where_little_is_to_be_had_it_is_left_and_nobody_asks_more_than_once_in_ten_seconds() {
    let (mut now, mut trimming, mut held) = (Instant::now(), Trimming::default(), Held::default());
    held.kept = 50 * MEGABYTE;
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
    // What is kept is no reason to ask twice.
    run(&mut trimming, &mut now, 100 * SECOND, &mut held);
    (held.kept, held.free, held.trims) = (1000 * MEGABYTE, 0, 0);
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
    let before = Process.spare().unwrap();
    let mut pieces: Vec<Vec<u8>> = (0..20_000).map(|_| vec![1; 16 << 10]).collect();
    let used = Process.spare().unwrap();
    assert!(used < before + 32 * MEGABYTE, "{before} {used}");
    let mut place = 0;
    pieces.retain(|_| {
        place += 1;
        place % 2 == 0
    });
    let free = Process.spare().unwrap();
    assert!(free > used + 100 * MEGABYTE, "{used} {free}");
    Process.trim();
    let left = Process.spare().unwrap();
    assert!(left + 100 * MEGABYTE < free, "{free} {left}");
    drop(pieces);
}
