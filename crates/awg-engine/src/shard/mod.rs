//! The loop: one thread that owns its sockets, a tunnel, a network stack and the flows between stack and descriptors.
//!
//! ```text
//!            receive ─▶ tunnel.handle_datagram ─▶ stack.handle_packet ─┐
//!   socket                       (in place)                          flows ⇄ relays ⇄ descriptors
//!            send ◀─ tunnel.seal (in place) ◀─ stack.poll_transmit ────┘
//! ```
//!
//! Every turn runs each of these once, so that none starves the others: commands, receive, timers, events of stack and
//! tunnel, relays (round robin), send. Those that somebody else can make long have a budget: commands, receive, relays and
//! send; what it left over is done in the next turn, which then does not wait. Timers and events have none: a flow has one
//! timer and few events, the tunnel's queue of events is bounded.
//! A shard shares nothing with other shards but queues; [`crew`] is the face that they have for each other.
//!
//! Files: [`wire`] the way of packets, [`exit`] the end of that for datagrams, [`sockets`] whose turn it is · [`flows`] the table · [`outgoing`], [`associations`] what applications open, [`carrier`] what of that rides on carriers · [`incoming`] what peers
//! open · [`ending`] how flows end · [`stack_events`], [`tunnel_events`], [`commands`] who says what · [`peers`] who they
//! are · [`usage`] what each uses, [`limits`] what follows from that · [`report`] what is told · [`watch`], [`liveness`] whether
//! they are still there.

mod associations;
mod carrier;
mod commands;
mod crew;
mod ending;
mod exit;
mod flows;
mod glance;
mod incoming;
mod limits;
mod liveness;
mod outgoing;
mod passing_on;
mod peers;
mod prepared;
mod report;
mod sockets;
mod stack_counters;
mod stack_events;
#[cfg(test)]
mod tests;
mod tunnel_events;
mod usage;
mod watch;
mod wire;

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use awg_netstack::{Accept, Stack};
use awg_tunnel::{Now, PeerId, Tunnel};
use mio::event::Event as Readiness;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::clock::Clock;
use crate::command::Command;
use crate::event::Event;
use crate::flow::Outcome;
use crate::flow_bounds::FlowBounds;
use crate::policy::EgressPolicy;
use crate::relay::Pumped;
use crate::settings::{Limits, Recovery};
use crate::shared::Shared;
use crate::trimming::{Process, Trimming};
use crate::waking;
use carrier::Carriers;
pub(crate) use crew::Crew;
use ending::Far;
use flows::{Flows, Place, State};
use peers::{Peers, in_tunnel};
pub(crate) use prepared::{Binding, Prepared};
use report::Reporter;
#[cfg(test)]
use sockets::Socket;
use watch::Watch;
use wire::Wire;

/// The token of the waker.
const WAKER: Token = Token(usize::MAX);
/// That of the descriptor that speaks when the machine wakes.
const WAKING: Token = Token(usize::MAX - 1);
/// The tokens of the sockets begin here; those of flows, which are few, at 0.
const SOCKETS: usize = usize::MAX - 2 - u16::MAX as usize;
/// The tokens of the connections of associations begin here; the association's own place is added.
const CONTROLS: usize = usize::MAX / 2;

/// What the clocks may differ by without the machine having slept.
const SLEEP: Duration = Duration::from_secs(1);

/// Reports of readiness taken at once.
const REPORTS: usize = 1024;
/// Bytes that one relay may move each way before the next one has its turn.
const BYTES_PER_RELAY: usize = 64 * 1024;
/// Datagrams that one relay may move before the next one has its turn.
const DATAGRAMS_PER_RELAY: usize = 32;
/// Relays that have their turn before packets are received and sent again.
const RELAYS_PER_TURN: usize = 32;
/// Room for any datagram of a socket: the length of UDP's has 16 bits.
const DATAGRAM_ROOM: usize = 1 << 16;

/// The token of the socket at a place.
fn socket_token(place: usize) -> Token {
    Token(SOCKETS + place)
}

/// See the module.
pub(crate) struct Shard {
    shared: Arc<Shared>,
    clock: Clock,
    now: Now,
    poll: Poll,
    wire: Wire,
    tunnel: Tunnel,
    peers: Peers,
    stack: Stack,
    carriers: Carriers,
    flows: Flows,
    policy: EgressPolicy,
    limits: Limits,
    own_addresses: Vec<std::net::IpAddr>,
    stay_connected: bool,
    /// Whether this end takes flows of its peers.
    accepts: bool,
    /// Whether what fell silent is noticed by what its flows tell, and comes back at once.
    is_fast: bool,
    watch: Watch,
    trimming: Trimming,
    /// Speaks when the machine wakes.
    waking: Option<OwnedFd>,
    /// How long the machine had slept when it was last looked at.
    slept: Duration,
    /// Events of the tunnel that found no room, as far as they were reacted to.
    missed_events: u64,
    flow_bounds: FlowBounds,
    /// Peers that have spent their quota in this turn.
    spent: Vec<PeerId>,
    /// The commands of one turn; empty between turns.
    commands: VecDeque<Command>,
    /// There are more commands than the last turn's budget allowed.
    commands_wait: bool,
    /// Where a datagram lies between a socket and the stack.
    datagram: Box<[u8]>,
    reporter: Reporter,
    crew: Crew,
}

impl Shard {
    pub(crate) fn new(prepared: Prepared, binding: Binding, shared: Arc<Shared>) -> Self {
        let Prepared {
            settings,
            clock,
            now,
            tunnel,
            peers,
            stack,
            rng,
            crew,
            ..
        } = prepared;
        let Binding {
            poll,
            sockets,
            flow_bounds,
            notices,
            waking,
        } = binding;
        for notice in notices {
            shared.events.push(Event::Log(notice));
        }
        let reporter = Reporter::new(rng, now.instant);
        Self {
            shared,
            clock,
            now,
            poll,
            wire: Wire::new(sockets, &tunnel),
            tunnel,
            peers,
            stack,
            carriers: Carriers::new(settings.carrier),
            flows: Flows::default(),
            policy: settings.egress,
            limits: settings.limits,
            own_addresses: settings.addresses,
            stay_connected: settings.stay_connected,
            accepts: settings.accept_flows == Accept::Everything,
            is_fast: settings.recovery == Recovery::Fast,
            watch: Watch::new(settings.server_addresses),
            trimming: Trimming::default(),
            waking,
            slept: Duration::ZERO,
            missed_events: 0,
            flow_bounds,
            spent: Vec::new(),
            commands: VecDeque::new(),
            commands_wait: false,
            datagram: vec![0; DATAGRAM_ROOM].into_boxed_slice(),
            reporter,
            crew,
        }
    }

    /// Runs until the engine is stopped.
    pub(crate) fn run(&mut self) {
        let mut reports = Events::with_capacity(REPORTS);
        self.tick();
        self.carry_all_peers();
        self.connect_all_peers();
        self.turn();
        while !self.shared.stopping.load(Ordering::Acquire) {
            let mut patience = self.patience();
            if patience != Some(Duration::ZERO) && !self.fall_asleep() {
                patience = Some(Duration::ZERO);
            }
            match self.poll.poll(&mut reports, patience) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // The descriptor of the poll is ours alone: nothing but a defect of ours spoils it.
                Err(error) => panic!("waiting for readiness failed: {error}"),
            }
            self.wake_up();
            self.tick();
            self.notice_sleep();
            for report in &reports {
                self.handle_readiness(report);
            }
            self.turn();
        }
    }

    fn tick(&mut self) {
        self.now = Now {
            instant: self.clock.instant(),
            unix: self.clock.unix(),
        };
    }

    /// Sees whether the machine has slept.
    fn notice_sleep(&mut self) {
        let slept = self.clock.slept();
        let longer = slept.saturating_sub(self.slept);
        if longer >= SLEEP {
            self.handle_sleep(longer);
        }
        self.slept = self.slept.max(slept);
    }

    fn turn(&mut self) {
        self.handle_commands();
        self.receive();
        self.receive_handed_over();
        self.crew.rouse(&self.shared);
        self.handle_timeouts();
        self.handle_stack_events();
        self.run_relays();
        self.end_all_spent();
        self.handle_tunnel_events();
        self.transmit();
        if self.handle_stack_events() {
            // What was decided on them may have to be sent.
            self.wire.expect_output();
        }
        self.report();
    }

    /// How long the next turn may wait; `None` = until something is ready.
    fn patience(&self) -> Option<Duration> {
        // Packets that were staged make the tunnel ask for a session after its own datagrams had their turn.
        let asks = self.tunnel.has_output() && self.wire.may_send();
        if asks || self.commands_wait || self.wire.has_work() || self.flows.ready() > 0 {
            return Some(Duration::ZERO);
        }
        [
            self.tunnel.next_timeout(),
            self.stack.next_timeout(),
            self.flows.next_deadline(),
            self.peers.next_timeout(),
            self.wire.next_timeout(),
            self.watch.next_timeout(),
            self.trimming.next_timeout(),
            self.reporter.next_timeout(self.tunnel.counters()),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|at| at.saturating_duration_since(self.now.instant))
    }

    fn handle_readiness(&mut self, report: &Readiness) {
        match report.token() {
            WAKER => {}
            WAKING => self.waking = self.waking.take().map(waking::take),
            Token(token @ SOCKETS..) => {
                self.handle_socket_readiness((token - SOCKETS) as u16, report);
            }
            Token(token @ CONTROLS..) => self.handle_control_readiness(token - CONTROLS),
            Token(place) => self.handle_flow_readiness(place, report),
        }
    }

    fn handle_flow_readiness(&mut self, place: Place, report: &Readiness) {
        let Some(entry) = self.flows.get_mut(place) else {
            return;
        };
        match &mut entry.state {
            State::Connection(relay) => {
                relay.handle_readiness(report);
                self.flows.make_ready(place);
            }
            State::Datagrams(relay) => {
                relay.handle_readiness(report);
                self.flows.make_ready(place);
            }
            State::Association(association) => {
                association.handle_socket();
                self.flows.make_ready(place);
            }
            State::Dialling(_) => self.check_application(place, report.is_write_closed()),
            State::Connecting { .. } => self.check_target(place),
            State::Leaving { .. } => self.discard_last_words(place),
            State::Announced { .. } => {}
        }
    }

    fn handle_timeouts(&mut self) {
        let now = self.now.instant;
        if self.tunnel.next_timeout().is_some_and(|at| at <= now) {
            self.persist();
            self.tunnel.handle_timeout(self.now);
        }
        if self.stack.next_timeout().is_some_and(|at| at <= now) {
            let tunnel = &self.tunnel;
            self.stack
                .handle_timeout(now, |peer| tunnel.last_received(in_tunnel(peer)));
            self.tell_clogged();
        }
        self.watch_over_peers();
        self.trimming.handle_timeout(now, &mut Process);
        self.wake_throttled();
        while let Some(place) = self.flows.pop_due(now) {
            match self.flows.get_mut(place).map(|entry| &entry.state) {
                Some(State::Dialling(_)) => self.proceed_dialling(place),
                Some(State::Announced { .. } | State::Connecting { .. }) => {
                    self.expire_incoming(place);
                }
                Some(State::Leaving { .. }) => self.forget(place),
                Some(State::Association(_)) => self.expire_association(place),
                Some(State::Connection(relay)) => {
                    if let Some(reason) = relay.failed() {
                        self.fail(place, reason);
                    }
                }
                _ => {}
            }
        }
    }

    /// Gives every relay that was ready at the start of this turn one share, up to the turn's budget.
    fn run_relays(&mut self) {
        for _ in 0..self.flows.ready().min(RELAYS_PER_TURN) {
            let Some(place) = self.flows.pop_ready() else {
                break;
            };
            let Some(entry) = self.flows.get_mut(place) else {
                continue;
            };
            let pumped = match &entry.state {
                State::Connection(_) => self.run_connection(place),
                State::Datagrams(_) => self.run_datagrams(place),
                State::Association(_) => self.run_association(place),
                State::Leaving { .. } => {
                    self.discard_last_words(place);
                    continue;
                }
                _ => Pumped::Waiting,
            };
            match pumped {
                Pumped::Waiting => {}
                Pumped::Unfinished => self.flows.make_ready(place),
                Pumped::Ended(reason) => self.end(place, Outcome::Orderly, reason),
                Pumped::Failing => self.fail_soon(place),
                Pumped::Failed(reason) => self.fail(place, reason),
            }
        }
    }

    /// Has the loop told when `descriptor` becomes readable or writable, from now on and once per change.
    fn watch(&self, descriptor: RawFd, place: Place) -> std::io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.watch_for(descriptor, Token(place), interest)
    }

    fn watch_for(
        &self,
        descriptor: RawFd,
        token: Token,
        interest: Interest,
    ) -> std::io::Result<()> {
        self.poll
            .registry()
            .register(&mut SourceFd(&descriptor), token, interest)
    }

    fn unwatch(&self, descriptor: RawFd) {
        // It fails where it was never watched; closing it has the same effect.
        let _ = self.poll.registry().deregister(&mut SourceFd(&descriptor));
    }
}
