//! Recordings played to whole tunnels: the recorded ephemeral keys, indices and times make our end the recorded one.

use std::net::SocketAddr;
use std::time::Duration;

use awg_obfuscation::{Obfuscation, TrailerWindow};
use ipnet::IpNet;

use crate::recording::{self, Recording};
use crate::{Inbound, PeerConfig, Tunnel, TunnelConfig};

/// One of the recorded devices, as a tunnel of ours.
pub(super) struct Player<'r> {
    recording: &'r Recording,
    device: &'static str,
    pub(super) tunnel: Tunnel,
    pub(super) delivered: Vec<Vec<u8>>,
}

impl<'r> Player<'r> {
    pub(super) fn new(recording: &'r Recording, device: &'static str, peer: &'static str) -> Self {
        let now = recording.now(Duration::ZERO);
        let config = TunnelConfig::new(
            recording.private_key(device),
            recording.parameters(device),
            recording.mtu(device),
        );
        let mut tunnel = Tunnel::new(config, [7; 32], now).unwrap();
        let allowed: Vec<IpNet> = recording
            .of(device, "allowed_ip")
            .map(|line| line.text("value").parse().unwrap())
            .collect();
        tunnel
            .add_peer(
                now,
                PeerConfig {
                    preshared_key: Some(recording.preshared_key()),
                    endpoint: Some(recording.address(peer).into()),
                    allowed_ips: allowed,
                    ..PeerConfig::new(recording.public_key(peer))
                },
            )
            .unwrap();
        let scripted = &mut tunnel.entropy.scripted;
        for line in recording
            .lines
            .iter()
            .filter(|line| line.optional("device") == Some(device))
        {
            if matches!(line.word, "initiation_created" | "response_created") {
                scripted
                    .indices
                    .push_back(line.number("sender_index") as u32);
            }
        }
        Self {
            recording,
            device,
            tunnel,
            delivered: Vec::new(),
        }
    }

    /// The ephemeral key that the device used at this time, if it made a message then.
    fn script_ephemeral(&mut self, at: Duration) {
        let made = self.recording.lines.iter().find(|line| {
            line.optional("device") == Some(self.device)
                && matches!(line.word, "initiation_created" | "response_created")
                && line.at() == at
        });
        self.tunnel.entropy.scripted.ephemerals.clear();
        if let Some(line) = made {
            self.tunnel
                .entropy
                .scripted
                .ephemerals
                .push_back(line.array("ephemeral_private"));
        }
    }

    fn drain(&mut self, at: Duration) -> usize {
        let mut datagram = Vec::new();
        let now = self.recording.now(at);
        let mut count = 0;
        while self.tunnel.poll_transmit(now, &mut datagram).is_some() {
            count += 1;
        }
        count
    }

    pub(super) fn send(&mut self, at: Duration, packet: &[u8]) {
        self.script_ephemeral(at);
        let now = self.recording.now(at);
        let peer = *self.tunnel.by_key.values().next().unwrap();
        let headroom = self.tunnel.headroom(peer);
        let mut datagram = vec![0; self.tunnel.sealed_len(peer, packet.len())];
        datagram[headroom..headroom + packet.len()].copy_from_slice(packet);
        self.tunnel.seal(now, peer, &mut datagram, packet.len());
        self.drain(at);
    }

    /// Makes an initiation now, unless one was made just now.
    pub(super) fn initiate(&mut self, at: Duration) {
        self.script_ephemeral(at);
        let now = self.recording.now(at);
        let peer = *self.tunnel.by_key.values().next().unwrap();
        self.tunnel.send_initiation(now, peer);
        self.drain(at);
    }

    /// Gives it a datagram; says how many datagrams it sent for it.
    pub(super) fn receive(&mut self, at: Duration, from: SocketAddr, datagram: &[u8]) -> usize {
        self.script_ephemeral(at);
        let now = self.recording.now(at);
        let mut datagram = datagram.to_vec();
        if let Some(Inbound { packet, .. }) = self.tunnel.handle_datagram(now, from, &mut datagram)
        {
            self.delivered.push(packet.to_vec());
        }
        self.drain(at)
    }

    pub(super) fn dropped(&self) -> u64 {
        super::link::drops(&self.tunnel)
            .iter()
            .map(|(_, count)| count)
            .sum()
    }
}

/// What the reference drops we drop, without an answer and under one reason; what it takes we take.
#[test]
fn injected_datagrams_end_as_recorded() {
    let (injections, delivered) = end_as_recorded(&recording::j_drops());
    assert!(injections > 50);
    assert!(delivered >= 5);
}

/// Says how many datagrams were injected, and how many packets B delivered.
pub(super) fn end_as_recorded(recording: &Recording) -> (usize, usize) {
    let mut a = Player::new(recording, "A", "B");
    let mut b = Player::new(recording, "B", "A");
    let mut injections = 0;
    let mut moment = Duration::ZERO;
    for line in &recording.lines {
        match line.word {
            "tun_in" if line.text("device") == "A" => a.send(line.at(), &line.bytes("packet")),
            "send" if line.optional("lost") != Some("yes") => {
                let arrives = line.at() + Duration::from_millis(15);
                moment = moment.max(arrives);
                let from = recording.address(line.text("device"));
                let to = if line.text("device") == "A" {
                    &mut b
                } else {
                    &mut a
                };
                if line.text("to").parse() == Ok(recording.address(to.device)) {
                    to.receive(arrives, from, &line.bytes("data"));
                }
            }
            "inject" => {
                injections += 1;
                let name = line.text("name");
                let to = if line.text("device") == "A" {
                    &mut a
                } else {
                    &mut b
                };
                let (dropped, delivered) = (to.dropped(), to.delivered.len());
                let keepalives = to.tunnel.counters().keepalives_received;
                let sessions = to.tunnel.counters().initiations_received
                    + to.tunnel.counters().responses_received;
                let from = line.text("from").parse().unwrap();
                let answers = to.receive(line.at(), from, &line.bytes("data"));
                let sessions_after = to.tunnel.counters().initiations_received
                    + to.tunnel.counters().responses_received;
                let answered = line
                    .text("answered")
                    .split(',')
                    .filter(|kind| !kind.is_empty())
                    .count();
                assert_eq!(answers, answered, "{name}: {:?}", to.tunnel.counters());
                assert_eq!(
                    to.delivered.len() - delivered,
                    line.number("delivered") as usize,
                    "{name}"
                );
                if line.text("expect") == "dropped" {
                    let keepalives = to.tunnel.counters().keepalives_received - keepalives;
                    assert_eq!(to.dropped() + keepalives, dropped + 1, "{name}");
                    assert_eq!(sessions_after, sessions, "{name}");
                } else {
                    assert_eq!(
                        to.dropped(),
                        dropped,
                        "{name}: {:?}",
                        super::link::drops(&to.tunnel)
                    );
                }
            }
            "tun_out" => {
                let at = if line.text("device") == "A" { &a } else { &b };
                let packet = line.bytes("packet");
                assert!(
                    at.delivered.contains(&packet),
                    "{} has not delivered it",
                    at.device
                );
            }
            _ => {}
        }
    }
    (injections, b.delivered.len())
}

/// Every reason that the recording provokes has a counter of its own.
#[test]
fn each_drop_is_counted_under_its_reason() {
    let recording = recording::j_drops();
    let mut a = Player::new(&recording, "A", "B");
    let mut b = Player::new(&recording, "B", "A");
    for line in &recording.lines {
        match line.word {
            "tun_in" if line.text("device") == "A" => a.send(line.at(), &line.bytes("packet")),
            "inject" => {
                let to = if line.text("device") == "A" {
                    &mut a
                } else {
                    &mut b
                };
                let from = line.text("from").parse().unwrap();
                to.receive(line.at(), from, &line.bytes("data"));
            }
            _ => {}
        }
    }
    let reasons = |player: &Player| super::link::drops(&player.tunnel);
    assert_eq!(
        reasons(&a),
        [
            ("dropped_unclassified", 2),
            ("dropped_mac1", 1),
            ("dropped_response_unexpected", 2),
            ("dropped_response_forged", 1),
        ]
    );
    let names: Vec<_> = reasons(&b).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "dropped_unclassified",
            "dropped_mac1",
            "dropped_initiation_replayed",
            "dropped_initiation_forged",
            "dropped_unknown_peer",
            "dropped_initiation_flood",
            "dropped_cookie_unexpected",
            "dropped_cookie_forged",
            "dropped_unknown_session",
            "dropped_session_expired",
            "dropped_forged",
            "dropped_replayed",
            "dropped_not_ip",
            "dropped_packet_length",
            "dropped_source_not_allowed",
        ]
    );
}

/// Under load: which initiations with a cookie pass the token bucket, and which ones get a cookie reply.
#[test]
fn the_rate_of_a_source_is_limited_as_recorded() {
    let recording = recording::e_rate_limit();
    let mut b = Player::new(&recording, "B", "A");
    let secret = recording.all("cookie_made").next().unwrap().array("secret");
    let start = recording.now(Duration::ZERO).instant;
    b.tunnel.checker.set_secret(secret, start);
    b.tunnel.gauge.force_until(start + Duration::from_secs(20));
    let mut limited = 0;
    for line in recording.of("B", "inject") {
        let answer = recording
            .of("B", "send")
            .find(|sent| sent.at() == line.at());
        let kind = answer.map_or("", |sent| sent.text("kind"));
        let before = *b.tunnel.counters();
        b.receive(
            line.at(),
            line.text("from").parse().unwrap(),
            &line.bytes("data"),
        );
        let after = *b.tunnel.counters();
        let name = line.text("name");
        assert_eq!(
            after.responses_sent - before.responses_sent,
            u64::from(kind == "response"),
            "{name}"
        );
        assert_eq!(
            after.cookie_replies_sent - before.cookie_replies_sent,
            u64::from(kind == "cookie_reply"),
            "{name}"
        );
        limited += after.dropped_rate_limited - before.dropped_rate_limited;
        assert_eq!(
            after.dropped_rate_limited - before.dropped_rate_limited,
            u64::from(kind.is_empty()),
            "{name}"
        );
    }
    assert_eq!(limited, 2);
}

/// What we send with the recorded keys is what was recorded, up to padding and type words.
#[test]
fn datagrams_are_made_as_recorded() {
    for recording in [recording::a_plain(), recording::b_everything()] {
        let parameters = recording.parameters("A");
        let mut a = Player::new(&recording, "A", "B");
        let mut b = Player::new(&recording, "B", "A");
        let mut compared = 0;
        // Whatever leaves one end is what comes to the other, so the session goes on as it did.
        for (at, device) in recording
            .lines
            .iter()
            .filter_map(|line| {
                Some((
                    line.optional("t_ns").map(|_| line.at())?,
                    line.optional("device")?,
                ))
            })
            .collect::<std::collections::BTreeSet<_>>()
        {
            let player = if device == "A" { &mut a } else { &mut b };
            player.script_ephemeral(at);
            let now = recording.now(at);
            let peer = *player.tunnel.by_key.values().next().unwrap();
            let mut made = Vec::new();
            let mut datagram = Vec::new();
            // What came 15 ms ago.
            for sent in recording.all("send").filter(|sent| {
                sent.text("device") != device && sent.at() + Duration::from_millis(15) == at
            }) {
                let mut data = sent.bytes("data");
                let from = recording.address(sent.text("device"));
                player.tunnel.handle_datagram(now, from, &mut data);
            }
            for packet in recording
                .all("tun_in")
                .filter(|line| line.text("device") == device && line.at() == at)
            {
                let packet = packet.bytes("packet");
                let headroom = player.tunnel.headroom(peer);
                let mut sealed = vec![0; player.tunnel.sealed_len(peer, packet.len())];
                sealed[headroom..headroom + packet.len()].copy_from_slice(&packet);
                if let crate::Seal::Sealed { len, .. } =
                    player.tunnel.seal(now, peer, &mut sealed, packet.len())
                {
                    sealed.truncate(len);
                    made.push(sealed);
                }
            }
            player.tunnel.handle_timeout(now);
            while player.tunnel.poll_transmit(now, &mut datagram).is_some() {
                made.push(datagram.clone());
            }
            let recorded: Vec<_> = recording
                .all("send")
                .filter(|sent| sent.text("device") == device && sent.at() == at)
                .collect();
            assert_eq!(made.len(), recorded.len(), "{device} at {at:?}");
            for (ours, theirs) in made.iter().zip(recorded) {
                let kind = theirs.text("kind");
                let theirs = theirs.bytes("data");
                match kind {
                    "junk" => assert!((40..=90).contains(&ours.len())),
                    "signature" => assert_eq!(ours.len(), theirs.len()),
                    _ => {
                        assert_eq!(ours.len(), theirs.len(), "{kind}");
                        let (padding, macs) = match kind {
                            "initiation" => (parameters.padding_initiation, 32),
                            "response" => (parameters.padding_response, 32),
                            // A keepalive goes out with padding here and without it there; there is none in these.
                            _ => (parameters.padding_transport, 0),
                        };
                        // The MACs cover the type word, which is drawn.
                        let from = usize::from(padding) + 4;
                        let to = ours.len() - macs;
                        assert_eq!(
                            ours[from..to],
                            theirs[from..to],
                            "{kind} of {device} at {at:?}"
                        );
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared >= 8, "{compared}");
    }
}

/// Reference: `g_padding_mtu1280`, also for content above the MTU, which no tunnel sends.
#[test]
fn content_is_padded_as_recorded() {
    let recording = recording::g_padding();
    let obfuscation = Obfuscation::new(recording.parameters("A")).unwrap();
    let mtu = usize::from(recording.mtu("A"));
    let mut compared = 0;
    for line in recording
        .of("A", "send")
        .filter(|line| line.text("kind") == "transport")
    {
        let content = line.number("inner_length") as usize;
        let zeros = obfuscation.most_content_padding(content, mtu, TrailerWindow::default());
        let size = line.number("size") as usize;
        assert_eq!(content + zeros + 32, size, "{content}");
        compared += 1;
    }
    assert!(compared > 10);
}
