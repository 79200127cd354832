//! The embedder's commands, in their order.

use awg_netstack::Kind;

use super::Shard;
use super::carrier::ASK_AFTER;
use super::flows::{Dialling, State};
use crate::command::Command;
use crate::flow::{FlowId, Outcome};
use crate::refusal::Refusal;

/// Commands carried out before packets have their turn.
const COMMANDS_PER_TURN: usize = 256;

impl Shard {
    pub(super) fn handle_commands(&mut self) {
        self.commands_wait = self.shared.desks[self.crew.number()]
            .commands
            .take(&mut self.commands, COMMANDS_PER_TURN);
        while let Some(command) = self.commands.pop_front() {
            self.handle_command(command);
        }
    }

    pub(super) fn handle_command(&mut self, command: Command) {
        match command {
            Command::Open {
                flow,
                destinations,
                application,
                early,
                replies,
                elsewhere,
            } => {
                let last = elsewhere.as_ref().is_none_or(|rest| rest.groups.is_empty());
                let alone = destinations.len() == 1 && last;
                let dial = self.dial(destinations, elsewhere.as_deref());
                let dialling = Dialling {
                    application: application.into(),
                    early,
                    replies,
                    dial,
                    alone,
                    elsewhere,
                    wanted: None,
                    ask_at: self.now.instant + ASK_AFTER,
                };
                self.open(flow, dialling);
            }
            Command::OpenDatagrams {
                flow,
                destination,
                application,
            } => self.open_datagrams(flow, destination, application),
            Command::OpenAssociation {
                flow,
                control,
                datagrams,
                client,
            } => self.open_association(flow, control, datagrams, client),
            Command::NameFound {
                flow,
                name,
                addresses,
            } => match self.flows.place_of(flow) {
                Some(place) if self.flows.dialling(place).is_some() => {
                    self.dial_addresses(place, &name, &addresses);
                }
                _ => self.name_found(flow, &name, &addresses),
            },
            Command::Attach { flow, socket } => self.attach(flow, socket),
            Command::Reject { flow, reason } => self.reject(flow, reason),
            Command::Close { flow } => self.close(flow),
            Command::SetPeers { peers } => self.set_peers(peers),
            Command::Handshake => self.handshake_all_peers(),
            Command::Snapshot { answer } => {
                // Whoever asked may have given up.
                let _ = answer.try_send(self.snapshot());
            }
            #[cfg(test)]
            Command::Panic => panic!("a defect"),
        }
    }

    fn reject(&mut self, number: FlowId, reason: Refusal) {
        let Some(place) = self.flows.place_of(number) else {
            return;
        };
        let Some(entry) = self.flows.get_mut(place) else {
            return;
        };
        match &entry.state {
            State::Announced { .. } => self.refuse(place, reason),
            State::Datagrams(relay) if relay.descriptor().is_none() => {
                debug_assert_eq!(relay.flow().kind(), Kind::Udp);
                self.refuse(place, reason);
            }
            State::Dialling(dialling) if dialling.wanted.is_some() => {
                self.refuse_application(place, reason);
            }
            _ => {}
        }
    }

    fn close(&mut self, number: FlowId) {
        if let Some(place) = self.flows.place_of(number) {
            self.end(place, Outcome::Closed, "closed by the embedder");
        } else {
            self.pass_close_on(number);
        }
    }
}
