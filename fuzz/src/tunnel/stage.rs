//! The tunnel among its peers, and what must hold after each step.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use awg_obfuscation::{LARGEST_DATAGRAM, MessageType};
use awg_parity::end::{Held, START};
use awg_parity::probe::Session;
use awg_tunnel::limits::REJECT_AFTER_MESSAGES;
use awg_tunnel::{
    Interval, Limits, Now, Parameters, PeerConfig, PeerId, PresharedKey, PrivateKey, Tunnel,
    TunnelConfig, inspection,
};

use super::liar::{Liar, address, inner};
use super::moves::{Content, Counter, Lie, Move, Origin, Scenario, Span};
use crate::input::choose;
use crate::settings::Settings;
use crate::wire::octets;

const MTU: u16 = 1280;
/// Peers that the tunnel knows; one more liar is a stranger.
const PEERS: u8 = 2;
const LIMITS: Limits = Limits {
    peers: PEERS as usize,
    staged_packets: 4,
    staged_bytes: 4096,
    outbox: 8,
    events: 16,
    sources: 4,
    remembered_initiations: 8,
};
/// The most datagrams that wait after one step: the outbox's, each perhaps an initiation, and for each peer a keepalive and what was
/// staged, after which the session may be renewed.
const OUTPUT: usize = (LIMITS.outbox + PEERS as usize) * Settings::INITIATION_DATAGRAMS
    + PEERS as usize * (1 + LIMITS.staged_packets);
/// Datagrams that liars remember.
const REMEMBERED: usize = 8;
/// Deadlines in one hour with a keepalive every second.
const WAKES: usize = 10_000;

/// A datagram on its way to the tunnel.
#[derive(Clone)]
struct Datagram {
    bytes: Vec<u8>,
    kind: MessageType,
    sealed: Option<Sealed>,
}

/// What a liar sealed into it.
#[derive(Clone)]
struct Sealed {
    who: u8,
    key: [u8; 32],
    counter: u64,
    content: Vec<u8>,
}

/// A tunnel, its clock, and those who talk to it.
pub(super) struct Stage {
    tunnel: Tunnel,
    start: Instant,
    elapsed: Duration,
    preshared: Option<PresharedKey>,
    peers: [Option<PeerId>; PEERS as usize],
    liars: Vec<Liar>,
    remembered: VecDeque<Datagram>,
    delivered: HashSet<([u8; 32], u64)>,
}

impl Stage {
    /// `None` where the settings are not valid.
    pub(super) fn new(scenario: &Scenario) -> Option<Self> {
        let pairs = scenario.settings.pairs();
        let settings = pairs.iter().map(|(name, value)| (&**name, &**value));
        let parameters = Parameters::from_settings(settings).ok()?;
        let preshared = scenario
            .preshared
            .then(|| PresharedKey::from_bytes([0x77; 32]));
        let key = PrivateKey::from_bytes([0x42; 32]);
        let public = key.public_key();
        let start = Instant::now();
        let config = TunnelConfig {
            initiation_rate: 3,
            limits: LIMITS,
            ..TunnelConfig::new(key, parameters, MTU)
        };
        let now = Now {
            instant: start,
            unix: START,
        };
        let tunnel = Tunnel::new(config, [9; 32], now).expect("small settings leave room");
        let liars = (0..=PEERS)
            .map(|number| Liar::new(number, public, preshared.clone(), &pairs))
            .collect();
        let mut stage = Self {
            tunnel,
            start,
            elapsed: Duration::ZERO,
            preshared,
            peers: [None; PEERS as usize],
            liars,
            remembered: VecDeque::new(),
            delivered: HashSet::new(),
        };
        for number in 0..PEERS {
            stage.toggle(number);
            if scenario.endpoints {
                stage.update(number, Some(number), None, scenario.preshared);
            }
        }
        stage.drain();
        Some(stage)
    }

    fn now(&self) -> Now {
        Now {
            instant: self.start + self.elapsed,
            unix: START + self.elapsed,
        }
    }

    /// Does one step, and looks at what came of it.
    pub(super) fn play(&mut self, step: &Move) {
        match *step {
            Move::Bytes { from, form, bytes } => {
                let datagram = self.shaped(form, bytes);
                self.arrive(from, datagram);
            }
            Move::Initiate {
                from,
                ahead,
                with_cookie,
                ref lie,
            } => self.initiate(from, ahead, with_cookie, lie),
            Move::Answer {
                from,
                wrong_preshared,
                with_cookie,
                ref lie,
            } => self.answer(from, wrong_preshared, with_cookie, lie),
            Move::ReplyWithCookie {
                from,
                cookie,
                ref lie,
            } => self.reply_with_cookie(from, cookie, lie),
            Move::Seal {
                from,
                session,
                counter,
                ref content,
                ref lie,
            } => self.seal(from, session, counter, content, lie),
            Move::Again {
                from,
                which,
                ref lie,
            } => {
                if !self.remembered.is_empty() {
                    let which = usize::from(which) % self.remembered.len();
                    let datagram = self.remembered[which].clone();
                    self.lie_and_arrive(from, lie, datagram);
                }
            }
            Move::Send { to, length } => self.send(to, length),
            Move::Connect { to } => {
                if let Some(peer) = self.peer(to) {
                    self.tunnel.connect(self.now(), peer);
                }
            }
            Move::Update {
                peer,
                endpoint,
                keepalive,
                preshared,
            } => self.update(peer, endpoint, keepalive, preshared),
            Move::Toggle { peer } => self.toggle(peer),
            Move::Count { peer, counter } => {
                if let Some(peer) = self.peer(peer) {
                    self.tunnel.set_counter(peer, at(counter, 0));
                }
            }
            Move::Wait(span) => self.wait(span),
        }
        self.drain();
    }

    /// Lets an hour pass in silence; gives how many packets came out in all.
    pub(super) fn end(mut self) -> usize {
        for number in 0..PEERS {
            self.update(number, None, None, false);
        }
        self.advance(Duration::from_hours(1));
        assert_eq!(self.tunnel.next_timeout(), None, "it does not rest");
        for peer in self.peers.into_iter().flatten() {
            assert_eq!(self.tunnel.held(peer), Held::default(), "keys were kept");
        }
        self.delivered.len()
    }

    fn who(&mut self, from: Origin) -> (u8, &mut Liar) {
        let number = from.who % (PEERS + 1);
        (number, &mut self.liars[usize::from(number)])
    }

    fn peer(&self, number: u8) -> Option<PeerId> {
        self.peers[usize::from(number % PEERS)]
    }

    fn shaped(&mut self, form: Option<u8>, bytes: &[u8]) -> Datagram {
        let kind = form.and_then(|form| choose(&MessageType::ALL, form).copied());
        let Some(kind) = kind else {
            return Datagram {
                bytes: bytes.to_vec(),
                kind: MessageType::Transport,
                sealed: None,
            };
        };
        let probe = &mut self.liars[0].probe;
        let mut message = bytes.to_vec();
        if kind != MessageType::Transport || message.len() < kind.bare_size() {
            message.resize(kind.bare_size(), 0);
        }
        let word = probe.type_word(kind);
        message[..4].copy_from_slice(&word.to_le_bytes());
        Datagram {
            bytes: probe.padded(kind, &message),
            kind,
            sealed: None,
        }
    }

    fn initiate(&mut self, from: Origin, ahead: i16, with_cookie: bool, lie: &Lie) {
        let ahead = Duration::from_millis(u64::from(ahead.unsigned_abs())) * 8;
        let unix = if lie.authenticate && lie.change.is_some() {
            START.saturating_sub(ahead)
        } else {
            self.now().unix + ahead
        };
        let (_, liar) = self.who(from);
        let cookie = liar.cookie.filter(|_| with_cookie);
        let offer = liar
            .probe
            .initiation_with(&inspection::timestamp(unix), cookie.as_ref());
        let datagram = Datagram {
            bytes: offer.datagram.clone(),
            kind: MessageType::Initiation,
            sealed: None,
        };
        liar.wait_for(offer);
        self.lie_and_arrive(from, lie, datagram);
    }

    fn answer(&mut self, from: Origin, wrong_preshared: bool, with_cookie: bool, lie: &Lie) {
        let (_, liar) = self.who(from);
        let Some(asked) = liar.asked.clone() else {
            return;
        };
        let preshared = if wrong_preshared {
            PresharedKey::from_bytes([0x99; 32])
        } else {
            liar.probe.preshared.clone()
        };
        let cookie = liar.cookie.filter(|_| with_cookie);
        let answer = liar.probe.answer_with(&asked, &preshared, cookie.as_ref());
        let Some((bytes, session)) = answer else {
            return;
        };
        liar.remember(session);
        let datagram = Datagram {
            bytes,
            kind: MessageType::Response,
            sealed: None,
        };
        self.lie_and_arrive(from, lie, datagram);
    }

    fn reply_with_cookie(&mut self, from: Origin, cookie: [u8; 16], lie: &Lie) {
        let (_, liar) = self.who(from);
        let message = liar
            .asked
            .as_ref()
            .and_then(|asked| liar.probe.message(MessageType::Initiation, asked));
        if let Some(message) = message {
            let datagram = Datagram {
                bytes: liar.probe.cookie_reply(&message, cookie),
                kind: MessageType::CookieReply,
                sealed: None,
            };
            self.lie_and_arrive(from, lie, datagram);
        }
    }

    fn seal(&mut self, from: Origin, session: u8, counter: Counter, content: &Content, lie: &Lie) {
        let (who, liar) = self.who(from);
        if liar.sessions.is_empty() {
            return;
        }
        let session = usize::from(session) % liar.sessions.len();
        let session: &mut Session = &mut liar.sessions[session];
        let counter = at(counter, session.counter);
        session.counter = counter.wrapping_add(1);
        let session = session.clone();
        let content = filled(content);
        let datagram = Datagram {
            bytes: liar.probe.seal_at(&session, counter, &content),
            kind: MessageType::Transport,
            sealed: Some(Sealed {
                who,
                key: session.send,
                counter,
                content,
            }),
        };
        self.lie_and_arrive(from, lie, datagram);
    }

    fn lie_and_arrive(&mut self, from: Origin, lie: &Lie, mut datagram: Datagram) {
        let (_, liar) = self.who(from);
        liar.lie(lie, datagram.kind, &mut datagram.bytes);
        self.arrive(from, datagram);
    }

    /// Hands a datagram in; a packet that comes out must be one that was sealed into it.
    fn arrive(&mut self, from: Origin, mut datagram: Datagram) {
        let now = self.now();
        let address = address(from.address);
        if self.remembered.len() == REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back(datagram.clone());
        let inbound = self
            .tunnel
            .handle_datagram(now, address, &mut datagram.bytes);
        if let Some(inbound) = inbound {
            let sealed = datagram.sealed.expect("nobody sealed this packet");
            assert!(sealed.content.starts_with(inbound.packet));
            assert!(inbound.packet.len() <= usize::from(MTU));
            let ipv6 = inbound.packet[0] >> 4 == 6;
            let source = if ipv6 { 8..24 } else { 12..16 };
            let own = octets(inner(sealed.who, ipv6));
            assert_eq!(inbound.packet[source], own, "another one's address");
            assert_eq!(Some(inbound.peer), self.peer(sealed.who));
            let fresh = self.delivered.insert((sealed.key, sealed.counter));
            assert!(fresh, "a replay was delivered");
        }
        let counters = self.tunnel.counters();
        let reasons: u64 = counters
            .iter()
            .skip_while(|(name, _)| *name != "dropped_port_zero")
            .take_while(|(name, _)| *name != "dropped_sent_above_mtu")
            .map(|(_, count)| count)
            .sum();
        assert_eq!(counters.datagrams_dropped(), reasons, "{counters:?}");
    }

    fn send(&mut self, to: u8, length: u16) {
        let now = self.now();
        let length = usize::from(length % (MTU + 8));
        if let Some(peer) = self.peer(to) {
            let mut datagram = vec![0; self.tunnel.sealed_len(peer, length)];
            self.tunnel.seal(now, peer, &mut datagram, length);
        }
    }

    fn update(&mut self, number: u8, endpoint: Option<u8>, keepalive: Option<u8>, preshared: bool) {
        let now = self.now();
        let Some(peer) = self.peer(number) else {
            return;
        };
        let config = PeerConfig {
            endpoint: endpoint.map(|number| address(number % 14).into()),
            persistent_keepalive: keepalive.and_then(|seconds| Interval::every(seconds.into())),
            preshared_key: self.preshared.clone().filter(|_| preshared),
            ..config(number % PEERS)
        };
        // An interval of no seconds is refused.
        let _ = self.tunnel.update_peer(now, peer, config);
    }

    fn toggle(&mut self, number: u8) {
        let now = self.now();
        let place = usize::from(number % PEERS);
        self.peers[place] = if let Some(peer) = self.peers[place] {
            assert!(self.tunnel.remove_peer(peer));
            None
        } else {
            let config = PeerConfig {
                preshared_key: self.preshared.clone(),
                ..config(number % PEERS)
            };
            Some(self.tunnel.add_peer(now, config).expect("there is room"))
        };
    }

    fn wait(&mut self, span: Span) {
        match span {
            Span::Milliseconds(time) => self.advance(Duration::from_millis(time.into())),
            Span::Seconds(time) => self.advance(Duration::from_secs(time.into())),
            Span::Wake => {
                if let Some(at) = self.tunnel.next_timeout() {
                    self.advance(at.saturating_duration_since(self.now().instant));
                }
            }
        }
    }

    /// Lets time pass, from deadline to deadline.
    fn advance(&mut self, time: Duration) {
        let end = self.elapsed + time;
        for _ in 0..WAKES {
            let next = self.tunnel.next_timeout();
            let Some(at) = next.filter(|at| *at <= self.start + end) else {
                self.elapsed = end;
                return;
            };
            self.elapsed = self.elapsed.max(at.saturating_duration_since(self.start));
            self.tunnel.handle_timeout(self.now());
            self.drain();
        }
        panic!("it wakes too often");
    }

    /// Takes what the tunnel has to say.
    fn drain(&mut self) {
        let now = self.now();
        let mut datagram = Vec::new();
        let mut sent = 0;
        while let Some(to) = self.tunnel.poll_transmit(now, &mut datagram) {
            sent += 1;
            assert!(sent <= OUTPUT, "it never stops sending");
            assert!(datagram.len() <= usize::from(LARGEST_DATAGRAM));
            assert_ne!(to.remote.port(), 0);
            for liar in &mut self.liars {
                liar.hear(&datagram);
            }
        }
        assert!(!self.tunnel.has_output());
        let mut events = 0;
        while self.tunnel.poll_event().is_some() {
            events += 1;
        }
        assert!(events <= LIMITS.events);
    }
}

/// A peer with its inner addresses.
fn config(number: u8) -> PeerConfig {
    PeerConfig {
        allowed_ips: vec![inner(number, false).into(), inner(number, true).into()],
        ..PeerConfig::new(Liar::public(number))
    }
}

fn at(counter: Counter, next: u64) -> u64 {
    match counter {
        Counter::Next => next,
        Counter::Back(by) => next.saturating_sub(by.into()),
        Counter::Ahead(by) => next.saturating_add(by.into()),
        Counter::Limit(by) => REJECT_AFTER_MESSAGES.saturating_add_signed(by.into()),
        Counter::Any(counter) => counter,
    }
}

fn filled(content: &Content) -> Vec<u8> {
    match *content {
        Content::Nothing => Vec::new(),
        Content::Bytes(bytes) => bytes.to_vec(),
        Content::Packet {
            source,
            ipv6,
            claimed,
            length,
        } => {
            let source = octets(inner(source % (PEERS + 1), ipv6));
            let mut packet = vec![0; usize::from(length % (MTU + 64)).max(40)];
            if ipv6 {
                packet[0] = 0x60;
                packet[4..6].copy_from_slice(&claimed.to_be_bytes());
                packet[8..24].copy_from_slice(&source);
            } else {
                packet[0] = 0x45;
                packet[2..4].copy_from_slice(&claimed.to_be_bytes());
                packet[12..16].copy_from_slice(&source);
            }
            packet
        }
    }
}
