//! What the handle and the loop's thread both hold: the two queues, the waker, and the flags that no full queue may hold up.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::command::CommandQueue;
use crate::event::{Bounds, EventQueue};
use crate::flow::FlowId;
use crate::settings::Limits;
use crate::snapshot::Snapshot;

/// What the handle and the thread share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) commands: CommandQueue,
    pub(crate) events: EventQueue,
    /// Whether the loop shall end. Not a command, so that a full queue cannot hold it up.
    pub(crate) stopping: AtomicBool,
    /// Whether new flows are refused.
    pub(crate) draining: AtomicBool,
    /// Set when the engine starts, and where it is bound.
    pub(crate) waker: OnceLock<mio::Waker>,
    pub(crate) local_addresses: OnceLock<Vec<SocketAddr>>,
    next_flow: AtomicU64,
    last_snapshot: Mutex<Snapshot>,
}

impl Shared {
    /// # Errors
    /// No descriptor is left for the events' pipe.
    pub(crate) fn new(limits: &Limits) -> io::Result<Self> {
        let events = EventQueue::new(Bounds {
            flows: limits.flows,
            others: limits.events,
        })?;
        Ok(Self {
            commands: CommandQueue::new(limits.commands),
            events,
            stopping: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            waker: OnceLock::new(),
            local_addresses: OnceLock::new(),
            next_flow: AtomicU64::new(1),
            last_snapshot: Mutex::default(),
        })
    }

    /// A flow's number, never given out before.
    pub(crate) fn next_flow(&self) -> FlowId {
        FlowId(self.next_flow.fetch_add(1, Ordering::Relaxed))
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
}
