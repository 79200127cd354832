//! A shard's thread: runs the loop to its end, however it ends, and then settles what is open.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crate::command::Command;
use crate::event::Event;
use crate::flow::{Outcome, Traffic};
use crate::shard::Shard;
use crate::shared::Shared;
use crate::slices::ask_for_short_slices;

/// Starts the thread of a shard.
///
/// # Errors
/// The system has no thread to give.
pub(crate) fn spawn(shard: Shard, handle: Arc<Shared>) -> io::Result<JoinHandle<()>> {
    Builder::new()
        .name(format!("awg-shard-{}", shard.number()))
        .spawn(move || run(shard, &handle))
}

fn run(mut shard: Shard, handle: &Shared) {
    ask_for_short_slices();
    let ended = catch_unwind(AssertUnwindSafe(|| shard.run()));
    if let Err(panic) = ended {
        handle.fail(describe(&*panic));
    }
    let desk = &handle.desks[shard.number()];
    let unserved = desk.commands.close();
    // After a panic whatever is asked of the shard may panic again.
    let settled = catch_unwind(AssertUnwindSafe(|| {
        shard.end_all_flows();
        shard.snapshot()
    }));
    if let Ok(snapshot) = settled {
        *desk.last_snapshot() = snapshot;
    }
    for flow in unserved.iter().filter_map(Command::opens) {
        handle.events.push(Event::FlowClosed {
            flow,
            outcome: Outcome::Stopped,
            traffic: Traffic::default(),
            reason: "the engine stopped before it began",
        });
    }
    handle.leave();
}

/// What a panic said; its text is ours, never the network's.
fn describe(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "an unknown panic".to_owned())
}
