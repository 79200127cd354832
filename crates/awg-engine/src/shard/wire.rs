//! The way of packets: datagrams in, opened in place, into the stack; packets out of the stack, sealed in place, out.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use awg_netstack::{FlowId as StackFlow, PacketSink, Peer, Rejection};
use awg_tunnel::{Endpoint, Local, Now, Seal, Tunnel};
use mio::Interest;
use mio::event::Event as Readiness;

use super::exit::{Exit, Kept};
use super::peers::{in_stack, in_tunnel};
use super::sockets::{Socket, Sockets};
use super::watch::Watch;
use super::{Shard, socket_token};
use crate::transport::{ReceiveBatch, SendBatch};

/// Batches sent before receiving and relays have their turn.
const SENDS_PER_TURN: usize = 16;

/// The sockets and their batches.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) sockets: Sockets,
    pub(super) incoming: ReceiveBatch,
    outgoing: SendBatch,
    /// A datagram of the tunnel's own, and where it goes if it still waits for room in the batch.
    control: Vec<u8>,
    held: Option<Endpoint>,
    /// There is more to send than the last turn's budget allowed.
    unfinished: bool,
    /// The largest sealed packet.
    largest: usize,
    /// The first datagrams of flows that are not known yet.
    early: Vec<Kept>,
    /// Flows that some of these began, and that are not to be.
    turned_away: HashMap<StackFlow, Rejection>,
    /// Datagrams that their peers are to be told of that they went nowhere.
    refused: Vec<(Kept, Rejection)>,
}

impl Wire {
    pub(super) fn new(sockets: Vec<Socket>, tunnel: &Tunnel) -> Self {
        let largest = tunnel.largest_sealed_len();
        Self {
            sockets: Sockets::new(sockets),
            incoming: ReceiveBatch::new(ReceiveBatch::DEFAULT_MESSAGES),
            outgoing: SendBatch::new(
                SendBatch::DEFAULT_DATAGRAMS,
                SendBatch::DEFAULT_BYTES.max(largest),
            ),
            control: Vec::new(),
            held: None,
            unfinished: false,
            largest,
            early: Vec::new(),
            turned_away: HashMap::new(),
            refused: Vec::new(),
        }
    }

    /// Whether the next turn has something to do without anything new happening.
    pub(super) fn has_work(&self) -> bool {
        self.sockets.readable() > 0 || self.has_more_to_send()
    }

    /// Whether the last [`transmit`](Shard::transmit) stopped at its budget and not at the end.
    pub(super) fn has_more_to_send(&self) -> bool {
        self.unfinished && self.may_send()
    }

    /// When to try a congested interface, or a failed receive, again.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.sockets.next_timeout()
    }

    /// There may be something to send that the last [`transmit`](Shard::transmit) did not see.
    pub(super) fn expect_output(&mut self) {
        self.unfinished = true;
    }

    /// The datagrams that begin `flow` are to be refused.
    pub(super) fn turn_away(&mut self, flow: StackFlow, why: Rejection) {
        // Where none is at hand nobody would ever ask.
        if !self.early.is_empty() {
            self.turned_away.insert(flow, why);
        }
    }

    /// Whether anything can be sent at this moment.
    pub(super) fn may_send(&self) -> bool {
        self.sockets.may_send()
    }
}

impl Shard {
    /// Receives a batch, or what is there of several sockets, and feeds it through the tunnel into the stack and the flows.
    pub(super) fn receive(&mut self) {
        self.wire.sockets.handle_timeout(self.now.instant);
        let mut messages = 0;
        for _ in 0..self.wire.sockets.readable() {
            let Wire {
                sockets, incoming, ..
            } = &mut self.wire;
            match sockets.receive(self.now.instant, incoming) {
                Ok(None) => {}
                Ok(Some(local)) => {
                    messages += incoming.messages();
                    self.take_in(local, false);
                }
                Err(error) => self.reporter.transport_failed(error),
            }
            if messages >= ReceiveBatch::DEFAULT_MESSAGES {
                return;
            }
        }
    }

    /// Takes in the datagrams at hand, which came by `local`, here or to another shard, and those that carriers then have.
    pub(super) fn take_in(&mut self, local: Local, handed_over: bool) {
        let mut content = false;
        let wire = &mut self.wire;
        let mut exit = Exit {
            now: self.now.instant,
            flows: &mut self.flows,
            policy: &self.policy,
            peers: &mut self.peers,
            reporter: &mut self.reporter,
            spent: &mut self.spent,
        };
        for (remote, datagram) in wire.incoming.datagrams() {
            let from = Endpoint { remote, local };
            let inbound = if handed_over {
                self.tunnel
                    .handle_handed_over(self.now, from, &mut *datagram)
            } else {
                self.tunnel.handle_datagram(self.now, from, &mut *datagram)
            };
            let Some(inbound) = inbound else {
                if let Some(shard) = self.tunnel.take_misplaced() {
                    self.crew.hand_over(shard, from, datagram);
                }
                continue;
            };
            content = true;
            let peer = inbound.peer;
            let Some(datagram) =
                self.stack
                    .handle_packet(self.now.instant, in_stack(peer), inbound.packet)
            else {
                continue;
            };
            if !exit.knows(datagram.flow) {
                wire.early.push(Kept::new(Some(peer), &datagram));
            } else if let Some(why) = exit.deliver(&datagram) {
                let kept = Kept::new(Some(peer), &datagram);
                wire.refused.push((kept, why.into()));
            }
        }
        // Nobody is told of those that go nowhere: a carrier has no word for it.
        while let Some(datagram) = self.stack.poll_datagram() {
            if exit.knows(datagram.flow) {
                exit.deliver(&datagram);
            } else {
                wire.early.push(Kept::new(None, &datagram));
            }
        }
        if content {
            self.watch.handle_received(self.now.instant);
        }
        self.deliver_early();
        for (kept, why) in std::mem::take(&mut self.wire.refused) {
            if let Some(peer) = kept.peer {
                let (now, peer) = (self.now.instant, in_stack(peer));
                self.stack.refuse_datagram(now, peer, &kept.datagram(), why);
            }
        }
    }

    /// Delivers what had to wait for its flow to be heard of.
    fn deliver_early(&mut self) {
        if self.wire.early.is_empty() {
            return;
        }
        self.handle_stack_events();
        for kept in std::mem::take(&mut self.wire.early) {
            let why = match self.wire.turned_away.get(&kept.flow) {
                Some(why) => Some(*why),
                None => Exit {
                    now: self.now.instant,
                    flows: &mut self.flows,
                    policy: &self.policy,
                    peers: &mut self.peers,
                    reporter: &mut self.reporter,
                    spent: &mut self.spent,
                }
                .deliver(&kept.datagram())
                .map(Rejection::from),
            };
            if let Some(why) = why {
                self.wire.refused.push((kept, why));
            }
        }
        self.wire.turned_away.clear();
    }

    /// Collects what tunnel and stack have to send, and sends it.
    pub(super) fn transmit(&mut self) {
        self.wire.unfinished = false;
        for _ in 0..SENDS_PER_TURN {
            if !self.wire.may_send() {
                self.wire.unfinished = true;
                return;
            }
            self.fill_batch();
            if self.wire.outgoing.is_empty() {
                return;
            }
            let Wire {
                sockets, outgoing, ..
            } = &mut self.wire;
            if let Some(full) = sockets.send(self.now.instant, outgoing) {
                self.watch_full(full);
            }
        }
        self.wire.unfinished = true;
    }

    /// A socket takes no more: the loop is to hear when it does.
    fn watch_full(&mut self, place: u16) {
        let interest = Interest::READABLE | Interest::WRITABLE;
        if self.watch_socket(place, interest).is_err() {
            self.wire.sockets.leave_alone(self.now.instant);
        }
    }

    pub(super) fn handle_socket_readiness(&mut self, place: u16, readiness: &Readiness) {
        if self.wire.sockets.handle_readiness(place, readiness) {
            // Where that fails the loop wakes more often than it needs to.
            let _ = self.watch_socket(place, Interest::READABLE);
        }
    }

    fn watch_socket(&self, place: u16, interest: Interest) -> io::Result<()> {
        let token = socket_token(usize::from(place));
        let registry = self.poll.registry();
        self.wire.sockets.watch(registry, place, token, interest)
    }

    fn fill_batch(&mut self) {
        let wire = &mut self.wire;
        // The tunnel's own datagrams first: without a handshake nothing else moves.
        loop {
            if wire.held.is_none() {
                wire.held = self.tunnel.poll_transmit(self.now, &mut wire.control);
            }
            let Some(to) = wire.held else {
                break;
            };
            if !wire.outgoing.push(&wire.control, to) {
                return;
            }
            wire.held = None;
        }
        let mut sink = Sink {
            tunnel: &mut self.tunnel,
            watch: &mut self.watch,
            batch: &mut wire.outgoing,
            now: self.now,
            largest: wire.largest,
        };
        while sink.has_room()
            && let Some((peer, question)) = sink.watch.pop_question()
        {
            sink.packet(in_stack(peer), question.len(), &mut |content| {
                content.copy_from_slice(&question);
            });
        }
        self.stack.poll_transmit(self.now.instant, &mut sink);
    }
}

/// Writes packets where they will be sealed, and seals them there.
struct Sink<'a> {
    tunnel: &'a mut Tunnel,
    watch: &'a mut Watch,
    batch: &'a mut SendBatch,
    now: Now,
    largest: usize,
}

impl PacketSink for Sink<'_> {
    fn has_room(&self) -> bool {
        self.batch.has_room(self.largest)
    }

    fn packet(&mut self, peer: Peer, length: usize, emit: &mut dyn FnMut(&mut [u8])) {
        let id = in_tunnel(peer);
        let headroom = self.tunnel.headroom(id);
        let Some(datagram) = self.batch.reserve(self.tunnel.sealed_len(id, length)) else {
            debug_assert!(false, "a packet without room");
            return;
        };
        let Some(content) = datagram.get_mut(headroom..headroom + length) else {
            return;
        };
        emit(content);
        let expecting = self.watch.look_at(id, content);
        // What is staged or dropped the tunnel has copied or counted.
        if let Seal::Sealed { to, len } = self.tunnel.seal(self.now, id, datagram, length) {
            self.batch.commit(len, to);
            if let Some(expecting) = expecting {
                let received = self.tunnel.received_bytes(id);
                let now = self.now.instant;
                self.watch.handle_sent(now, id, expecting, received);
            }
        }
    }
}
