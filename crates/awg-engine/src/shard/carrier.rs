//! The carriers to peers: which ones are kept, what waits for one, and the attempts that ride on them.
//!
//! What a carrier is, and when it is up, the stack knows; here it is decided what is opened on it. An attempt whose carrier is not
//! up is held until it is, or begins by packets where the settings allow that: to the addresses of its name, for which the embedder is
//! asked. One whose carrier is lost is made again, unless bytes of the application went with it: those may have arrived.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use awg_netstack::{CarrierLoss, Closure, ConnectError, EARLY, FlowId as StackFlow, Target};
use awg_tunnel::PeerId;

use super::Shard;
use super::flows::{Dialling, Place};
use super::peers::in_stack;
use crate::command::Elsewhere;
use crate::event::{Event, Level, LogRecord};
use crate::flow::FlowId;
use crate::refusal::Refusal;
use crate::settings::Carrier;

/// What the key by which a carrier's other end learns of a restart is derived from the private key for.
pub(super) const RESET_KEY: &str = "awgproxy carrier: stateless reset";

/// A request that was acknowledged is not sent again, as a SYN is: so often it is asked instead whether anybody is there.
pub(super) const ASK_AFTER: Duration = Duration::from_secs(1);

/// The other end has as long for a target as a dial may take, and what it then says is the truth: so much later it is here.
pub(super) const ANSWER_LATER: Duration = Duration::from_secs(5);

/// What a peer's connections do is told again after so long, to those who look at what happens.
const TELL_AGAIN: Duration = Duration::from_mins(1);

/// What became of an attempt to connect.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attempt {
    /// It is under way.
    Begun(StackFlow),
    /// It is over.
    Failed(Refusal),
    /// It cannot begin before its peer's carrier is up; that it never is amounts to this.
    Held(Refusal),
}

/// What a shard knows of carriers beside what the stack does.
#[derive(Debug)]
pub(super) struct Carriers {
    pub(super) mode: Carrier,
    /// Connections with attempts that are held.
    held: Vec<FlowId>,
    /// Peers whose carrier was lost, or did not come to stand.
    down: HashSet<PeerId>,
    /// Those whose carrier is full, so that connections go by packets.
    full: HashSet<PeerId>,
    /// When it was told last that connections of a peer ended which nobody read.
    told_unread: HashMap<PeerId, Instant>,
}

impl Carriers {
    pub(super) fn new(mode: Carrier) -> Self {
        Self {
            mode,
            held: Vec::new(),
            down: HashSet::new(),
            full: HashSet::new(),
            told_unread: HashMap::new(),
        }
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// A connection waits, beside others out of so many flows. Those that are over, of which nobody is told, go when they are
    /// more than these.
    fn hold(&mut self, number: Option<FlowId>, flows: usize, stands: impl Fn(FlowId) -> bool) {
        self.held.extend(number);
        if self.held.len() > 2 * flows + 64 {
            self.held.retain(|number| stands(*number));
        }
    }

    pub(super) fn forget(&mut self, peer: PeerId) {
        self.down.remove(&peer);
        self.full.remove(&peer);
        self.told_unread.remove(&peer);
    }
}

impl Dialling {
    /// How many of the early bytes travel with the request of `flow`: more destinations than one must not all get them.
    pub(super) fn ahead(&self, flow: StackFlow) -> usize {
        if flow.is_carried() {
            self.with_request().len()
        } else {
            0
        }
    }

    fn with_request(&self) -> &[u8] {
        if self.alone {
            self.early.get(..EARLY).unwrap_or(&self.early)
        } else {
            &[]
        }
    }
}

impl Shard {
    /// Keeps the carriers to all peers that have one.
    pub(super) fn carry_all_peers(&mut self) {
        let peers: Vec<PeerId> = self.peers.iter().map(|(peer, _)| peer).collect();
        for peer in peers {
            self.carry_peer(peer);
        }
    }

    /// Keeps the carrier to a peer, or none, as the peer's settings are now.
    pub(super) fn carry_peer(&mut self, peer: PeerId) {
        let at = self.carrier_address(peer);
        self.stack.carry(self.now.instant, in_stack(peer), at);
    }

    /// Where the carrier to a peer is to lead.
    pub(super) fn carrier_address(&self, peer: PeerId) -> Option<SocketAddr> {
        let at = self.peers.carrier_address(peer);
        at.filter(|_| self.carriers.mode != Carrier::Ip)
    }

    /// Whether the peer's carrier is up and not known to be lost.
    pub(super) fn is_carried(&self, peer: PeerId) -> bool {
        self.stack.is_carried(in_stack(peer))
    }

    /// The peer that a name is asked of: one whose carrier is up, if there is any.
    fn peer_for_names(&self) -> Option<PeerId> {
        let peers = self.peers.iter().map(|(peer, _)| peer);
        let carried = peers.filter(|peer| self.carrier_address(*peer).is_some());
        carried.min_by_key(|peer| !self.is_carried(*peer))
    }

    /// Begins an attempt to reach `target` on a carrier, or by packets where it may.
    pub(super) fn begin_attempt(&mut self, place: Place, target: &Target) -> Attempt {
        let peer = match target {
            Target::Address(address) => self.tunnel.route(address.ip()),
            Target::Name { .. } => self.peer_for_names(),
        };
        let carried = peer.filter(|peer| self.carrier_address(*peer).is_some());
        let attempt = match carried {
            Some(peer) if self.goes_past(peer) => Attempt::Held(Refusal::Failed),
            Some(peer) => self.request(place, peer, target),
            None => Attempt::Failed(Refusal::NetworkUnreachable),
        };
        let waits = self.carriers.mode == Carrier::Quic;
        match (attempt, target) {
            (Attempt::Held(_), _) if waits => {
                let number = self.flows.get_mut(place).map(|entry| entry.number);
                let flows = &self.flows;
                self.carriers.hold(number, flows.len(), |number| {
                    flows.place_of(number).is_some()
                });
                attempt
            }
            (Attempt::Failed(_), _) if waits || carried.is_some() => attempt,
            (Attempt::Begun(_), _) => attempt,
            (_, Target::Address(address)) => self.begin_by_packets(*address),
            (_, Target::Name { .. }) => self.want_addresses(place, target),
        }
    }

    /// Asks the embedder for the addresses of a name that no carrier takes, where the connection is to nothing else.
    fn want_addresses(&mut self, place: Place, name: &Target) -> Attempt {
        let Some(number) = self.flows.get_mut(place).map(|entry| entry.number) else {
            return Attempt::Failed(Refusal::Failed);
        };
        match self.flows.dialling_mut(place) {
            // Elsewhere others were tried before, and there the answer would go.
            Some(dialling) if dialling.alone && dialling.elsewhere.is_none() => {
                dialling.wanted = Some(name.clone());
            }
            _ => return Attempt::Failed(Refusal::NetworkUnreachable),
        }
        self.shared.events.push(Event::AddressesWanted {
            flow: number,
            destination: name.clone(),
        });
        Attempt::Held(Refusal::TimedOut)
    }

    /// Dials the addresses that the embedder was asked for, here or where their peers live, in the time that is left.
    pub(super) fn dial_addresses(&mut self, place: Place, name: &str, addresses: &[IpAddr]) {
        let (now, number) = (self.now.instant, self.number());
        let Some(dialling) = self.flows.dialling_mut(place) else {
            return;
        };
        let wanted = dialling.wanted.take_if(
            |wanted| matches!(wanted, Target::Name { name: asked, .. } if **asked == *name),
        );
        let Some(port) = wanted.map(|wanted| wanted.port()) else {
            return;
        };
        let destinations: Vec<Target> = addresses
            .iter()
            .map(|address| SocketAddr::new(*address, port).into())
            .collect();
        if destinations.is_empty() {
            return self.refuse_application(place, Refusal::HostUnreachable);
        }
        dialling.alone = destinations.len() == 1;
        let left = dialling.dial.left(now);
        let (shard, destinations, elsewhere) = self.shared.part(destinations, left);
        let patience = elsewhere.as_ref().map_or(left, |rest| rest.patience);
        dialling.elsewhere = elsewhere;
        if shard == number {
            dialling.dial.turn_to(now, destinations, patience);
            return self.proceed_dialling(place);
        }
        // As where all that are to be tried here have failed.
        let elsewhere = dialling.elsewhere.get_or_insert_with(|| {
            Box::new(Elsewhere {
                groups: VecDeque::new(),
                patience,
                refusal: Refusal::Failed,
            })
        });
        elsewhere.groups.push_front((shard, destinations));
        self.refuse_application(place, Refusal::Failed);
    }

    /// Whether a connection had better go by packets where it may: the peer's carrier is full of what is not read.
    fn goes_past(&mut self, peer: PeerId) -> bool {
        let waits = self.carriers.mode == Carrier::Quic;
        if waits || !self.stack.is_carrier_full(in_stack(peer)) {
            return false;
        }
        if self.carriers.full.insert(peer) {
            let message = "new connections go by ip, past a full carrier";
            self.tell_of_carrier(peer, Level::Info, message, []);
        }
        true
    }

    /// A peer's carrier has no room for connections.
    pub(super) fn carrier_full(&mut self, peer: PeerId, held: u64) {
        let fields = [("unread_here", held.to_string())];
        let message = "carrier full of bytes that are not read";
        self.tell_of_carrier(peer, Level::Debug, message, fields);
    }

    /// It has room again.
    pub(super) fn carrier_has_room(&mut self, peer: PeerId) {
        self.carriers.full.remove(&peer);
        self.tell_of_carrier(peer, Level::Debug, "carrier has room again", []);
    }

    /// Connections of a peer's carrier ended since nobody read them.
    pub(super) fn unread_ended(&mut self, peer: PeerId, flows: u64, bytes: u64) {
        let fields = [("connections", flows), ("bytes", bytes)];
        let fields = fields.map(|(name, value)| (name, value.to_string()));
        let now = self.now.instant;
        let told = self.carriers.told_unread.get(&peer);
        // A peer may have it happen again and again.
        let level = if told.is_none_or(|told| now >= *told + TELL_AGAIN) {
            self.carriers.told_unread.insert(peer, now);
            Level::Info
        } else {
            Level::Debug
        };
        let message = "ended connections that nobody reads, since others need their room";
        self.tell_of_carrier(peer, level, message, fields);
    }

    fn tell_of_carrier<const N: usize>(
        &mut self,
        peer: PeerId,
        level: Level,
        message: &'static str,
        fields: [(&'static str, String); N],
    ) {
        let Some(key) = self.peers.key(peer) else {
            return;
        };
        let peer = ("peer", key.to_string());
        self.shared.events.push(Event::Log(LogRecord {
            level,
            message,
            fields: std::iter::once(peer).chain(fields).collect(),
        }));
    }

    /// Asks a peer for a connection to `target`.
    fn request(&mut self, place: Place, peer: PeerId, target: &Target) -> Attempt {
        let never = if self.carriers.down.contains(&peer) {
            Refusal::NetworkUnreachable
        } else {
            Refusal::TimedOut
        };
        let Some(dialling) = self.flows.dialling(place) else {
            return Attempt::Failed(Refusal::Failed);
        };
        let (now, early) = (self.now.instant, dialling.with_request());
        match self.stack.open_stream(now, in_stack(peer), target, early) {
            Ok(flow) => Attempt::Begun(flow),
            Err(ConnectError::NotCarried) => Attempt::Held(never),
            Err(error) => Attempt::Failed(error.into()),
        }
    }

    /// Sees to it that the end of whoever is to answer the requests of the connection at `place` is noticed; when to look again,
    /// if there are any.
    pub(super) fn ask_for_answer(&mut self, place: Place) -> Option<Instant> {
        let now = self.now.instant;
        let dial = self.dial_mut(place)?;
        if !dial.running().any(StackFlow::is_carried) {
            return None;
        }
        let dialling = self.flows.dialling_mut(place)?;
        if dialling.ask_at <= now {
            dialling.ask_at = now + ASK_AFTER;
            self.expect_answers_of_carriers();
        }
        self.flows.dialling(place).map(|dialling| dialling.ask_at)
    }

    /// An attempt of the connection at `place` ended without being refused. On a carrier that was lost it is made again,
    /// unless bytes of the application went with it.
    pub(super) fn attempt_ended(&mut self, place: Place, flow: StackFlow, how: Closure) {
        let now = self.now.instant;
        let lost = matches!(how, Closure::Reset | Closure::TimedOut | Closure::PeerGone);
        if !lost || !flow.is_carried() {
            return self.attempt_refused(place, flow, how.into());
        }
        let dialling = self.flows.dialling(place);
        let again = dialling.is_some_and(|dialling| dialling.ahead(flow) == 0);
        if again && let Some(dial) = self.dial_mut(place) {
            dial.lost(now, flow);
            self.flows.unbind(flow);
            self.proceed_dialling(place);
        } else {
            self.attempt_refused(place, flow, Refusal::Failed);
        }
    }

    /// A peer's carrier is up: what waits for one goes on.
    pub(super) fn carrier_up(&mut self, peer: PeerId) {
        self.carriers.down.remove(&peer);
        if let Some(key) = self.peers.key(peer) {
            self.shared.events.push(Event::CarrierUp { peer: key });
        }
        self.try_held();
    }

    /// A peer's carrier is lost, or did not come to stand.
    pub(super) fn carrier_down(&mut self, peer: PeerId, why: CarrierLoss) {
        let Some(key) = self.peers.key(peer) else {
            return;
        };
        self.carriers.down.insert(peer);
        self.carriers.full.remove(&peer);
        self.shared.events.push(Event::CarrierDown {
            peer: key,
            reason: reason(why),
        });
        // What waits knows better now what its wait amounts to, and what may go by packets does.
        self.try_held();
    }

    fn try_held(&mut self) {
        let now = self.now.instant;
        for number in std::mem::take(&mut self.carriers.held) {
            let Some(place) = self.flows.place_of(number) else {
                continue;
            };
            if let Some(dial) = self.dial_mut(place) {
                dial.go_on(now);
                self.proceed_dialling(place);
            }
        }
    }
}

/// What a loss means, for people.
fn reason(why: CarrierLoss) -> &'static str {
    match why {
        CarrierLoss::Unreachable => "nothing listens at the carrier's address",
        CarrierLoss::TimedOut => "nothing answers at the carrier's address",
        CarrierLoss::Reset => "the other end was restarted",
        CarrierLoss::Version => "the other end speaks another version of the carrier",
        CarrierLoss::Failed => "the other end closed the carrier, or broke its rules",
    }
}
