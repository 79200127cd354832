//! The emulator on Linux: two [`Link`]s between two ends, in one thread.
//!
//! It works in rounds: take what came, give what is due, all in batches. After a round in which something moved it
//! sleeps for a grain of time whatever comes; after one without it sleeps until something comes or is due. So the cost
//! under load is that of some thousand rounds a second, and an idle link costs nothing. What came within a grain counts
//! as having come at its beginning, so that a round that is late (the machine is busy) takes nothing from the rate.

pub mod namespace;
pub mod segments;
pub mod tun;
pub mod udp;

use std::io;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use crate::{Conditions, Link, Moment, Output, Packet, Packets, Statistics, Way};

/// Packets that one direction holds at most. 64 Ki of full size are 350 ms at 2 Gbit/s.
const PLACES: u32 = 1 << 16;
/// The largest packet: ordinary ones of Ethernet, and what an inner MTU of up to 1,900 makes of them.
pub const LARGEST_PACKET: u16 = 2048;
/// Packets that are given at once.
const BATCH: usize = 1024;

/// The two ends of the emulated link.
pub trait Ends {
    /// Takes what waits to go this way, up to some bound; what finds no place or is too large is dropped and counted.
    ///
    /// # Errors
    /// The end is broken for good.
    fn receive(
        &mut self,
        way: Way,
        packets: &mut Packets,
        received: &mut Vec<Packet>,
    ) -> io::Result<()>;

    /// Gives packets to the end where this way leads; what it refuses is dropped and counted.
    fn send(&mut self, way: Way, packets: &Packets, due: &[Packet]);

    /// What becomes readable when something waits.
    fn descriptors(&self) -> &[RawFd];

    /// Bytes that each packet has on the link beside what [`receive`](Self::receive) sees of it.
    fn overhead(&self) -> usize;

    /// What the ends dropped in this direction, since the start.
    fn drops(&self, way: Way) -> Drops;
}

/// Packets that an end could not take or give: defects of the measurement, not of the link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// The memory was full, or they were too large.
    pub unplaced: u64,
    /// The system refused them.
    pub unsendable: u64,
}

impl std::ops::Sub for Drops {
    type Output = Self;

    /// What was dropped after `before`.
    fn sub(self, before: Self) -> Self {
        Self {
            unplaced: self.unplaced - before.unplaced,
            unsendable: self.unsendable - before.unsendable,
        }
    }
}

struct Direction {
    way: Way,
    link: Link<Packet>,
    packets: Packets,
    total: Statistics,
    /// What its end had dropped when the window began.
    drops_before: Drops,
}

/// The loop; see the module.
pub struct Emulator<E> {
    ends: E,
    directions: [Direction; 2],
    begun: Instant,
    grain: Moment,
    looked: Moment,
    received: Vec<Packet>,
    due: Vec<Packet>,
    done: Vec<Packet>,
}

impl<E: Ends> Emulator<E> {
    /// An emulator at rest. `conditions` are up and down.
    pub fn new(ends: E, conditions: [Conditions; 2], seed: u64, grain: Duration) -> Self {
        let direction = |way: Way, salt: u64| Direction {
            way,
            link: Link::new(
                conditions[way as usize],
                seed.wrapping_mul(2).wrapping_add(salt),
            ),
            packets: Packets::new(PLACES, LARGEST_PACKET),
            total: Statistics::default(),
            drops_before: Drops::default(),
        };
        Self {
            ends,
            directions: [direction(Way::Up, 0), direction(Way::Down, 1)],
            begun: Instant::now(),
            grain: grain.as_nanos() as Moment,
            looked: 0,
            received: Vec::with_capacity(BATCH),
            due: Vec::with_capacity(BATCH),
            done: Vec::with_capacity(BATCH),
        }
    }

    /// What holds now, up and down.
    pub fn conditions(&self) -> [Conditions; 2] {
        [0, 1].map(|way: usize| self.directions[way].link.conditions())
    }

    /// Other conditions from now on.
    pub fn set_conditions(&mut self, conditions: [Conditions; 2]) {
        // What comes now may yet count as having come when the last round looked.
        let now = self.looked.min(self.now());
        for (direction, conditions) in self.directions.iter_mut().zip(conditions) {
            direction.link.set_conditions(now, conditions);
        }
    }

    /// What happened since the last [`take_window`](Self::take_window), up and down.
    pub fn window(&self) -> [(Statistics, Drops); 2] {
        self.directions.each_ref().map(|direction| {
            let drops = self.ends.drops(direction.way) - direction.drops_before;
            (direction.link.statistics().clone(), drops)
        })
    }

    /// The same, and another window begins.
    pub fn take_window(&mut self) -> [(Statistics, Drops); 2] {
        let window = self.window();
        for (direction, (statistics, _)) in self.directions.iter_mut().zip(&window) {
            direction.link.take_statistics();
            direction.total.merge(statistics);
            direction.drops_before = self.ends.drops(direction.way);
        }
        window
    }

    /// What happened since the start.
    pub fn total(&mut self) -> [(Statistics, Drops); 2] {
        self.take_window();
        self.directions
            .each_ref()
            .map(|direction| (direction.total.clone(), direction.drops_before))
    }

    /// One round, and the sleep behind it, which ends also when `watched` becomes readable: then this is true.
    ///
    /// # Errors
    /// An end is broken for good.
    pub fn turn(&mut self, watched: RawFd) -> io::Result<bool> {
        let moved = self.round()?;
        if moved {
            sleep(self.grain);
            return Ok(false);
        }
        let next = self
            .directions
            .iter()
            .filter_map(|direction| direction.link.next_timeout())
            .min();
        let now = self.now();
        let readable = wait(
            self.ends.descriptors(),
            watched,
            next.map(|next| next.saturating_sub(now)),
        )?;
        // What comes now comes now.
        self.looked = Moment::MAX;
        Ok(readable)
    }

    fn now(&self) -> Moment {
        self.begun.elapsed().as_nanos() as Moment
    }

    fn round(&mut self) -> io::Result<bool> {
        let now = self.now();
        let came = self.looked.min(now);
        self.looked = now;
        let mut moved = false;
        for direction in &mut self.directions {
            self.received.clear();
            self.ends
                .receive(direction.way, &mut direction.packets, &mut self.received)?;
            moved |= !self.received.is_empty();
            for packet in self.received.drain(..) {
                let size = packet.len() + self.ends.overhead();
                if let Err(refused) = direction.link.handle_packet(came, packet, size) {
                    direction.packets.free(refused);
                }
            }
        }
        for direction in &mut self.directions {
            loop {
                while self.due.len() < BATCH
                    && let Some(output) = direction.link.poll_output(now)
                {
                    match output {
                        Output::Lost(packet) => direction.packets.free(packet),
                        Output::ArrivedFirst(packet) => self.due.push(packet),
                        Output::Arrived(packet) => {
                            self.due.push(packet);
                            self.done.push(packet);
                        }
                    }
                }
                if self.due.is_empty() {
                    break;
                }
                moved = true;
                self.ends.send(direction.way, &direction.packets, &self.due);
                self.due.clear();
                self.done
                    .drain(..)
                    .for_each(|packet| direction.packets.free(packet));
            }
        }
        Ok(moved)
    }
}

impl<E> std::fmt::Debug for Emulator<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [up, down] = &self.directions;
        f.debug_struct("Emulator")
            .field("up", &up.link)
            .field("down", &down.link)
            .finish_non_exhaustive()
    }
}

/// Makes sleeps precise and lets this thread run when it is due, before programs that only calculate: a link's time is
/// not theirs to take. True if the system allows the latter.
pub fn become_punctual() -> bool {
    let priority = libc::sched_param { sched_priority: 1 };
    // SAFETY: no pointers but to `priority`, which outlives the call.
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, 1);
        libc::sched_setscheduler(0, libc::SCHED_RR, &raw const priority) == 0
    }
}

fn timespec(time: Moment) -> libc::timespec {
    let signed = i64::try_from(time).unwrap_or(i64::MAX);
    libc::timespec {
        tv_sec: signed / 1_000_000_000,
        tv_nsec: signed % 1_000_000_000,
    }
}

/// A signal ends it early, which does no harm.
fn sleep(time: Moment) {
    let time = timespec(time);
    // SAFETY: the pointer outlives the call; none is asked for in return.
    unsafe {
        libc::clock_nanosleep(
            libc::CLOCK_MONOTONIC,
            0,
            &raw const time,
            std::ptr::null_mut(),
        )
    };
}

/// Waits until a descriptor is readable or the time is over; whether `watched` is readable, or at its end.
fn wait(descriptors: &[RawFd], watched: RawFd, time: Option<Moment>) -> io::Result<bool> {
    let mut polled: Vec<libc::pollfd> = descriptors
        .iter()
        .chain([&watched])
        .map(|&fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let time = time.map(timespec);
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the pointers describe `polled` and `time`, which outlive the call.
    let status = unsafe {
        libc::ppoll(
            polled.as_mut_ptr(),
            polled.len() as libc::nfds_t,
            time,
            std::ptr::null(),
        )
    };
    if status < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted {
            Ok(false)
        } else {
            Err(error)
        };
    }
    Ok(polled.last().is_some_and(|last| last.revents != 0))
}
