//! Watching over the peers that a client keeps sessions with: [`liveness`](super::liveness) says what to do, this does it; and
//! what a session that stands again has to send at once.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use awg_tunnel::PeerId;

use super::Shard;
use super::glance::Glance;
use super::liveness::{Action, Circumstances, Liveness};
use super::peers::{in_stack, in_tunnel};
use crate::event::{Event, Level, LogRecord};

/// Questions to name servers that are asked again when a session stands, and their bytes each. Nobody else's datagrams are sent
/// twice.
const QUESTIONS: usize = 16;
const LONGEST_QUESTION: usize = 600;

/// What is heard so long after a flow's segments were sent is no answer to what came before them.
const SURE: Duration = Duration::from_millis(400);

/// The least time between two warnings of that kind.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(10);

/// A packet that expects an answer; the packet itself if it is a question to a name server.
#[derive(Debug)]
pub(super) struct Expecting {
    question: Option<Box<[u8]>>,
}

/// The peers that are watched over.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Few: a client has one server, as a rule.
    peers: Vec<Watched>,
    /// Where a server is known to answer pings.
    addresses: Vec<IpAddr>,
    /// Questions to ask again, and whom.
    again: VecDeque<(PeerId, Box<[u8]>)>,
    /// Of whom it was told when that large packets do not pass.
    told_clogged: HashMap<PeerId, Instant>,
}

#[derive(Debug)]
struct Watched {
    peer: PeerId,
    /// The port of its carrier.
    carrier: Option<u16>,
    liveness: Liveness,
    /// Questions to name servers without an answer, and those of them that the last session may have swallowed.
    questions: VecDeque<Box<[u8]>>,
    stashed: VecDeque<Box<[u8]>>,
    session_at: Option<Instant>,
    /// The embedder, or the machine's sleep, had us ask for the session that comes next.
    asked_for: bool,
}

impl Watch {
    /// `addresses`: where a server is known to answer pings.
    pub(super) fn new(addresses: Vec<IpAddr>) -> Self {
        Self {
            addresses,
            ..Self::default()
        }
    }

    /// Watches over a peer from now on; `carrier`: the port of the carrier to it.
    pub(super) fn insert(&mut self, peer: PeerId, carrier: Option<u16>) {
        if let Some(watched) = self.get_mut(peer) {
            watched.carrier = carrier;
        } else {
            self.peers.push(Watched {
                peer,
                carrier,
                liveness: Liveness::default(),
                questions: VecDeque::new(),
                stashed: VecDeque::new(),
                session_at: None,
                asked_for: false,
            });
        }
    }

    pub(super) fn remove(&mut self, peer: PeerId) {
        self.peers.retain(|watched| watched.peer != peer);
        self.again.retain(|(whom, _)| *whom != peer);
        self.told_clogged.remove(&peer);
    }

    fn get_mut(&mut self, peer: PeerId) -> Option<&mut Watched> {
        self.peers.iter_mut().find(|watched| watched.peer == peer)
    }

    /// Sees whether a packet expects an answer that would be missed, for [`handle_sent`](Self::handle_sent).
    #[inline]
    pub(super) fn look_at(&self, peer: PeerId, packet: &[u8]) -> Option<Expecting> {
        let watched = self.peers.iter().find(|watched| watched.peer == peer)?;
        match Glance::at(packet, watched.carrier) {
            Glance::Nothing => None,
            Glance::Question if packet.len() <= LONGEST_QUESTION => Some(Expecting {
                question: Some(packet.into()),
            }),
            _ => Some(Expecting { question: None }),
        }
    }

    /// What was [looked at](Self::look_at) leaves.
    pub(super) fn handle_sent(
        &mut self,
        now: Instant,
        peer: PeerId,
        expecting: Expecting,
        received_bytes: u64,
    ) {
        let Some(watched) = self.get_mut(peer) else {
            return;
        };
        if watched.liveness.handle_sent(now, received_bytes) {
            watched.questions.clear();
        }
        if let Some(question) = expecting.question {
            if watched.questions.len() >= QUESTIONS {
                watched.questions.pop_front();
            }
            watched.questions.push_back(question);
        }
    }

    /// Content came in from somebody.
    pub(super) fn handle_received(&mut self, now: Instant) {
        for watched in &mut self.peers {
            watched.liveness.handle_received(now);
        }
    }

    /// Whether it was not told just now that a peer gets no large packets; it will have been then.
    fn is_clogged_news(&mut self, now: Instant, peer: PeerId) -> bool {
        let told = self.told_clogged.get(&peer);
        let news = told.is_none_or(|at| now.saturating_duration_since(*at) >= BETWEEN_WARNINGS);
        if news {
            self.told_clogged.insert(peer, now);
        }
        news
    }

    /// Has the questions without an answer asked again.
    fn ask_again(&mut self, peer: PeerId) {
        if let Some(watched) = self.get_mut(peer) {
            let questions = std::mem::take(&mut watched.questions);
            let again = questions.into_iter().take(QUESTIONS);
            self.again.extend(again.map(|question| (peer, question)));
        }
    }

    /// A question that is to be asked again.
    pub(super) fn pop_question(&mut self) -> Option<(PeerId, Box<[u8]>)> {
        self.again.pop_front()
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let peers = self.peers.iter();
        peers
            .filter_map(|watched| watched.liveness.next_timeout())
            .min()
    }
}

impl Shard {
    /// Lets the tunnel go on asking those peers for a session that flows wait for.
    pub(super) fn persist(&mut self) {
        let persistent = self.flows.len() > 0;
        for watched in &self.watch.peers {
            self.tunnel.persist(watched.peer, persistent);
        }
    }

    /// Does what is due for the peers that are watched over.
    pub(super) fn watch_over_peers(&mut self) {
        let now = self.now.instant;
        for place in 0..self.watch.peers.len() {
            while let Some((peer, action)) = self.next_action(now, place) {
                self.act(peer, action);
            }
        }
    }

    fn next_action(&mut self, now: Instant, place: usize) -> Option<(PeerId, Action)> {
        let watched = self.watch.peers.get(place)?;
        if watched.liveness.next_timeout().is_none_or(|at| at > now) {
            return None;
        }
        let peer = watched.peer;
        let circumstances = Circumstances {
            contact: self.tunnel.contact(peer)?,
            answers_pings: self.address_of(peer).is_some(),
            flows_open: self.flows.len() > 0,
        };
        let watched = self.watch.peers.get_mut(place)?;
        let action = watched.liveness.handle_timeout(now, &circumstances)?;
        Some((peer, action))
    }

    /// Where a peer answers pings, if that is known: whoever has a carrier does there.
    fn address_of(&self, peer: PeerId) -> Option<IpAddr> {
        let carrier = self.peers.carrier_address(peer);
        let carrier = carrier.filter(|_| self.is_carried(peer));
        let addresses = self.watch.addresses.iter().copied();
        let mut addresses = addresses.chain(carrier.map(|at| at.ip()));
        addresses.find(|address| {
            self.tunnel.route(*address) == Some(peer)
                && self
                    .own_addresses
                    .iter()
                    .any(|own| own.is_ipv4() == address.is_ipv4())
        })
    }

    fn act(&mut self, peer: PeerId, action: Action) {
        match action {
            Action::Ping => self.ping(peer),
            Action::Probe => {
                if self.address_of(peer).is_some() {
                    self.ping(peer);
                } else {
                    self.stack.ask(in_stack(peer));
                }
                self.reporter.counters.streams_asked_about += 1;
            }
            Action::Show => self.tunnel.show(self.now, peer),
            Action::Handshake => {
                self.reporter.counters.handshakes_for_silence += 1;
                self.tunnel.renew(self.now, peer);
            }
            Action::Resume => {
                // Where something came by the new session, the other end lives, and most of the old one's arrived.
                let content = self.tunnel.contact(peer).and_then(|contact| contact.content);
                let lost = self.watch.get_mut(peer).is_some_and(|watched| {
                    watched.questions.append(&mut watched.stashed);
                    content < watched.session_at
                });
                if lost {
                    self.watch.ask_again(peer);
                }
                self.resume(peer, lost);
            }
            Action::Warn => self.warn(
                peer,
                if self.address_of(peer).is_some() {
                    "handshakes pass and nothing else does: compare S4 and H4 (and the other obfuscation parameters) and the \
                     addresses and AllowedIPs of both ends, and see that nothing on the way drops what is not a handshake"
                } else {
                    "handshakes pass and nothing else does, unless it is the target alone that is silent: compare S4 and H4 (and the \
                     other obfuscation parameters) and the addresses and AllowedIPs of both ends, and see that nothing on the way \
                     drops what is not a handshake"
                },
            ),
        }
    }

    /// Peers whose carriers are up owe an answer from now on, if they do not yet.
    pub(super) fn expect_answers_of_carriers(&mut self) {
        let now = self.now.instant;
        for watched in &mut self.watch.peers {
            if self.stack.is_carried(in_stack(watched.peer)) {
                let received = self.tunnel.received_bytes(watched.peer);
                watched.liveness.handle_sent(now, received);
            }
        }
    }

    fn ping(&mut self, peer: PeerId) {
        if let Some(address) = self.address_of(peer) {
            self.stack.ping(in_stack(peer), address);
        }
    }

    /// A session stands: what waited for it, or was swallowed by the one before, is sent at once.
    pub(super) fn resume_after_handshake(&mut self, peer: PeerId) {
        let mut lost = false;
        if let Some(contact) = self.tunnel.contact(peer)
            && let Some(watched) = self.watch.get_mut(peer)
        {
            let waited = watched.liveness.handle_session(self.now.instant, &contact);
            lost = waited | std::mem::take(&mut watched.asked_for);
            watched.session_at = Some(self.now.instant);
            if waited {
                self.watch.ask_again(peer);
            } else {
                watched.stashed = std::mem::take(&mut watched.questions);
            }
        }
        self.resume(peer, lost);
        // Whoever was restarted tells by this that it knows nothing of the carrier.
        self.stack.ask_carrier(self.now.instant, in_stack(peer));
    }

    /// The peer is back: what it has left unacknowledged for too long is sent at once. `is_lost` where all of it is.
    pub(super) fn resume(&mut self, peer: PeerId, is_lost: bool) {
        if self.is_fast {
            self.stack.resume(self.now.instant, in_stack(peer), is_lost);
        }
    }

    /// The way to all peers may have changed, or they have forgotten us: they are asked for new sessions at once.
    pub(super) fn handshake_all_peers(&mut self) {
        let peers: Vec<PeerId> = self.peers.iter().map(|(peer, _)| peer).collect();
        for peer in peers {
            if let Some(watched) = self.watch.get_mut(peer) {
                watched.asked_for = true;
            }
            self.tunnel.handshake(self.now, peer);
        }
    }

    /// The machine has slept: the other ends may have forgotten this one, and the network may be another one.
    pub(super) fn handle_sleep(&mut self, slept: Duration) {
        if self.is_fast && self.stay_connected {
            // One shard tells it for all.
            if self.number() == 0 {
                self.shared.events.push(Event::Log(LogRecord {
                    level: Level::Info,
                    message: "the machine was asleep; new sessions are asked for",
                    fields: vec![("seconds", slept.as_secs().to_string())],
                }));
            }
            self.handshake_all_peers();
        }
    }

    /// Tells of a flow that can send nothing large although its peer is there.
    pub(super) fn tell_clogged(&mut self) {
        let Some(clogged) = self.stack.take_clogged().filter(|_| self.is_fast) else {
            return;
        };
        let peer = in_tunnel(clogged.peer);
        // The flow's own end is the peer at a server; a client knows it of a server that answers pings.
        let there = if self.accepts {
            Some(clogged.remote)
        } else {
            self.address_of(peer)
        };
        let Some(there) = there else {
            return;
        };
        let Some(contact) = self.tunnel.contact(peer) else {
            return;
        };
        // A handshake says nothing of the time before it, in which the peer may have been away.
        let since = contact.handshake_heard.max(Some(clogged.since));
        if contact.received <= since.map(|at| at + SURE) {
            self.stack.ping(clogged.peer, there);
        } else if self.watch.is_clogged_news(self.now.instant, peer) {
            self.warn(
                peer,
                "small packets pass and large ones do not: try a smaller MTU at both ends, such as 1280",
            );
        }
    }

    fn warn(&self, peer: PeerId, message: &'static str) {
        let key = self.peers.key(peer).map(|key| key.to_string());
        self.shared.events.push(Event::Log(LogRecord {
            level: Level::Warning,
            message,
            fields: key.map(|key| ("peer", key)).into_iter().collect(),
        }));
    }
}
