//! A peer that is heard again after it was gone for a while: what was sent to it meanwhile is lost, and the flows' timers have
//! backed off for as long as it was gone. Nobody has to wait for them.

use std::time::Instant;

use super::Tcp;
use super::flow::Stage;
use super::machine::Phase;
use crate::event::Clogged;
use crate::flow::Peer;

/// Flows that are asked at once whether their other end is there: each costs a packet.
const MOST_QUESTIONS: usize = 256;

impl Tcp {
    /// Sends what a peer has left unacknowledged for too long again, now, and counts its flows' timeouts anew. Where the
    /// other end's window is shut, it is asked for, and with `is_lost`, where all that was sent is known to be, so are the other
    /// ends of flows that have nothing on its way.
    pub(crate) fn resume(&mut self, now: Instant, peer: Peer, is_lost: bool) {
        let mut questions = 0;
        for number in self.peers.flows(peer) {
            let Some(flow) = self.slots.get(number) else {
                continue;
            };
            let established = flow.told.established;
            let Stage::Open(machine) = &mut flow.stage else {
                continue;
            };
            if machine.resume(&mut self.link, now, is_lost) {
                self.counters.resumed += 1;
                self.mark(number);
                continue;
            }
            // That a window opened is told once, and may have been swallowed too.
            let asks = machine.shut_out_since().is_some() || (is_lost && !machine.is_waiting());
            let open = established && machine.phase() == Phase::Open;
            if open && asks && questions < MOST_QUESTIONS {
                questions += 1;
                self.question(number);
            }
        }
    }

    /// Asks the flow of a peer that was heard of last whether its other end is there. Whether there is one.
    pub(crate) fn ask_latest(&mut self, peer: Peer) -> bool {
        let mut latest: Option<(Instant, u32)> = None;
        for number in self.peers.flows(peer) {
            if let Some(flow) = self.slots.get(number)
                && flow.told.established
                && matches!(&flow.stage, Stage::Open(machine) if machine.phase() == Phase::Open)
            {
                latest = latest.max(Some((flow.active, number)));
            }
        }
        latest.is_some_and(|(_, number)| self.question(number))
    }

    /// A flow that can send nothing large although it tries, once each time.
    pub(crate) fn take_clogged(&mut self) -> Option<Clogged> {
        self.clogged.take()
    }
}
