//! What the handle and the loops' threads hold together: the queues, the wakers, the flags that no full queue may hold up, and the
//! counts that hold for all loops in sum.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use awg_netstack::Target;

use crate::command::{CommandQueue, Elsewhere};
use crate::event::{Bounds, Event, EventQueue};
use crate::flow::FlowId;
use crate::refusal::Refusal;
use crate::routes::Routes;
use crate::settings::Limits;
use crate::snapshot::Snapshot;

/// What the handle and the threads share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// What is one shard's; at least one.
    pub(crate) desks: Box<[Desk]>,
    pub(crate) events: EventQueue,
    /// Whether the loops shall end. Not a command, so that a full queue cannot hold it up.
    pub(crate) stopping: AtomicBool,
    /// Whether new flows are refused.
    pub(crate) draining: AtomicBool,
    /// Set when the engine starts: where it is bound.
    pub(crate) local_addresses: OnceLock<Vec<SocketAddr>>,
    routes: Mutex<Routes>,
    next_flow: AtomicU64,
    associations: AtomicUsize,
    /// Loops that have not ended, and what the first one said that failed.
    running: AtomicUsize,
    failure: Mutex<Option<String>>,
}

/// What the handle and one shard's thread share.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) commands: CommandQueue,
    /// Set when the engine starts.
    pub(crate) waker: OnceLock<mio::Waker>,
    /// Whether the loop waits, or is about to, and is to be woken for what other loops hand over.
    asleep: AtomicBool,
    last_snapshot: Mutex<Snapshot>,
}

impl Shared {
    /// For the shards that `routes` know.
    ///
    /// # Errors
    /// No descriptor is left for the events' pipe.
    pub(crate) fn new(limits: &Limits, routes: Routes) -> io::Result<Self> {
        let shards = routes.shards();
        let events = EventQueue::new(Bounds {
            flows: limits.flows,
            others: limits.events,
        })?;
        let commands = limits.commands.div_ceil(shards);
        Ok(Self {
            desks: (0..shards).map(|_| Desk::new(commands)).collect(),
            events,
            stopping: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            local_addresses: OnceLock::new(),
            routes: Mutex::new(routes),
            next_flow: AtomicU64::new(1),
            associations: AtomicUsize::new(0),
            running: AtomicUsize::new(shards),
            failure: Mutex::default(),
        })
    }

    /// Which shard reaches what. Held while something is said to all shards, so that they hear it in one order.
    pub(crate) fn routes(&self) -> MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Destinations of one connection, which has so much time: the shard that begins and with which of them, and what others are to
    /// try after that, each in its part of the time.
    pub(crate) fn part(
        &self,
        destinations: Vec<Target>,
        time: Duration,
    ) -> (usize, Vec<Target>, Option<Box<Elsewhere>>) {
        if self.desks.len() == 1 {
            return (0, destinations, None);
        }
        let mut groups = self.routes().part(destinations);
        let parts = groups.len().max(1) as u32;
        let (shard, first) = groups.pop_front().unwrap_or_default();
        let elsewhere = (!groups.is_empty()).then(|| {
            Box::new(Elsewhere {
                groups,
                patience: time / parts,
                refusal: Refusal::Failed,
            })
        });
        (shard, first, elsewhere)
    }

    /// The number of a flow of a shard, never given out before. It tells the shard.
    pub(crate) fn next_flow(&self, shard: usize) -> FlowId {
        let number = self.next_flow.fetch_add(1, Ordering::Relaxed);
        let shards = self.desks.len() as u64;
        // 1, 2, 3 and so on where there is one.
        FlowId(number * shards + shard as u64)
    }

    /// The shard that gave a flow its number; of a number that nobody gave out, any.
    pub(crate) fn shard_of(&self, flow: FlowId) -> usize {
        (flow.0 % self.desks.len() as u64) as usize
    }

    /// Ends the loops' waits, if they wait.
    pub(crate) fn wake_all(&self) {
        for desk in &self.desks {
            desk.wake();
        }
    }

    /// Books the place of an association; `false` = there are as many as there may be.
    pub(crate) fn admit_association(&self, most: usize) -> bool {
        self.associations
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count < most).then_some(count + 1)
            })
            .is_ok()
    }

    /// Gives that place back.
    pub(crate) fn release_association(&self) {
        self.associations.fetch_sub(1, Ordering::Relaxed);
    }

    /// A loop met a defect: the others end too.
    pub(crate) fn fail(&self, message: String) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(message);
        drop(failure);
        self.stopping.store(true, Ordering::Release);
        self.wake_all();
    }

    /// A loop has ended, and all its flows have. The last one tells if one of them failed.
    pub(crate) fn leave(&self) {
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(message) = failure.take() {
                self.events.push(Event::EngineFailed { message });
            }
        }
    }
}

impl Desk {
    fn new(commands: usize) -> Self {
        Self {
            commands: CommandQueue::new(commands),
            waker: OnceLock::new(),
            asleep: AtomicBool::new(false),
            last_snapshot: Mutex::default(),
        }
    }

    /// How everything stood when the thread ended.
    pub(crate) fn last_snapshot(&self) -> MutexGuard<'_, Snapshot> {
        self.last_snapshot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the loop's wait, if it waits.
    pub(crate) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            // It fails only where the kernel is out of memory; the next command or timer wakes the loop then.
            let _ = waker.wake();
        }
    }

    /// The loop is about to wait; it must look once more at what is handed over before it does.
    pub(crate) fn fall_asleep(&self) {
        self.asleep.store(true, Ordering::Relaxed);
        // Either the loop sees what was handed over, or whoever did that sees that the loop sleeps.
        fence(Ordering::SeqCst);
    }

    /// The loop runs.
    pub(crate) fn wake_up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// Something was handed over to the loop: it is woken if it sleeps.
    pub(crate) fn rouse(&self) {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed) {
            self.wake();
        }
    }
}
