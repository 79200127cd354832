//! A connection whose destinations belong to peers of several shards: they try them in turn, since none has all the sessions. So each
//! shard's destinations begin when those of the shard before have failed, and each has its part of the time that a dial may take.

use super::Shard;
use super::flows::Dialling;
use crate::command::Command;
use crate::flow::FlowId;
use crate::refusal::Refusal;

impl Shard {
    /// Passes an application on to the shard that has its next destinations; gives it back where there are none, or where that
    /// shard takes no commands.
    pub(super) fn pass_on(
        &mut self,
        flow: FlowId,
        mut dialling: Dialling,
        refusal: Refusal,
    ) -> Option<Dialling> {
        let Some(mut elsewhere) = dialling.elsewhere.take() else {
            return Some(dialling);
        };
        let Some((shard, destinations)) = elsewhere.groups.pop_front() else {
            return Some(dialling);
        };
        elsewhere.refusal = refusal;
        let Some(desk) = self.shared.desks.get(shard) else {
            return Some(dialling);
        };
        let pushed = desk.commands.push(dialling, |dialling| Command::Open {
            flow,
            destinations,
            application: dialling.application.into(),
            early: dialling.early,
            replies: dialling.replies,
            elsewhere: Some(elsewhere),
        });
        match pushed {
            Ok(is_first) => {
                if is_first {
                    desk.wake();
                }
                self.crew.note_passed_on();
                None
            }
            Err((_, dialling)) => Some(dialling),
        }
    }

    /// A flow to be closed is not here (any more): whoever may have been given it is told.
    pub(super) fn pass_close_on(&mut self, flow: FlowId) {
        // Only the shard that gave the flow its number, which is asked first, tells others.
        let number = self.number();
        if !self.crew.has_passed_on() || self.shared.shard_of(flow) != number {
            return;
        }
        for (_, desk) in self
            .shared
            .desks
            .iter()
            .enumerate()
            .filter(|(shard, _)| *shard != number)
        {
            // A full queue is what a close meets at the engine's face too; the flow ends by its own time then.
            if let Ok(true) = desk.commands.push((), |()| Command::Close { flow }) {
                desk.wake();
            }
        }
    }
}
