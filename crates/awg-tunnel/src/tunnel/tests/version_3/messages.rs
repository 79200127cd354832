//! Every recorded message is read, and made again of what was read to the same bytes; sizes are within what the parameters allow.

use std::collections::HashMap;
use std::time::Duration;

use awg_obfuscation::{
    Classified, MessageType, Obfuscation, PreambleDatagram, SignatureCounter, Timing, TrailerWindow,
};
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use rand::SeedableRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use super::other;
use crate::keys::PublicKey;
use crate::limits::COOKIE_LIFETIME;
use crate::mac;
use crate::message::{CookieReply, Initiation, MAC_SIZE, Response, TAG_SIZE, transport};
use crate::noise::{Initiator, Responder, SessionKeys};
use crate::recording::{Line, Recording, VERSION_3};
use crate::session::{Keypair, Role};
use crate::tai64n::Timestamp;
use crate::times::Times;

/// What was read so far.
struct Reader<'r> {
    recording: &'r Recording,
    /// The cookie that each device has, and since when.
    cookies: HashMap<&'static str, ([u8; MAC_SIZE], Duration)>,
    /// mac1 of the last handshake message of each.
    last_mac1: HashMap<&'static str, [u8; MAC_SIZE]>,
    messages: usize,
}

impl Reader<'_> {
    fn read(&mut self, line: &Line) {
        let device = line.text("device");
        let kind = line.text("kind");
        let message = match kind {
            "initiation" => MessageType::Initiation,
            "response" => MessageType::Response,
            "cookie_reply" => MessageType::CookieReply,
            "transport" | "keepalive" => MessageType::Transport,
            _ => return,
        };
        let obfuscation = Obfuscation::new(self.recording.parameters(device)).unwrap();
        let data = line.bytes("data");
        let found = found(&obfuscation, message, kind, &data);
        let offset = found.offset;
        let mut clear = data.clone();
        obfuscation.toggle_protection(message, offset, &mut clear);
        let end = match message {
            MessageType::Transport => data.len(),
            _ => offset + message.bare_size(),
        };
        let bare = &clear[offset..end];
        let again = match message {
            MessageType::Initiation => self.initiation(line, device),
            MessageType::Response => self.response(line, device),
            MessageType::CookieReply => self.cookie_reply(line, device, bare),
            MessageType::Transport => self.transport(line, device, bare),
        };
        let name = format!("{kind} of {device} at {:?}", line.at());
        assert_eq!(bare, again, "{name}");
        let mut datagram = data[..offset].to_vec();
        datagram.extend(again);
        obfuscation.toggle_protection(message, offset, &mut datagram);
        datagram.extend_from_slice(&data[end..]);
        assert_eq!(datagram, data, "{name}");

        let window = window(&obfuscation, line);
        if message == MessageType::Transport {
            let inner = line.number("inner_length") as usize;
            let zeros = &bare[transport::HEADER_SIZE..][inner..];
            let zeros = zeros.len() - TAG_SIZE;
            let mtu = usize::from(self.recording.mtu(device));
            let most = obfuscation.most_content_padding(inner, mtu, window);
            assert!(zeros <= most, "{name}: {zeros} of {most}");
            let parameters = obfuscation.parameters();
            match parameters.content_padding_addition {
                Some(range) if most == range.last() as usize => {
                    assert!(range.contains(zeros as u32), "{name}");
                }
                None if !parameters.random_trailers => assert_eq!(zeros, most, "{name}"),
                _ => {}
            }
        } else {
            let room = obfuscation.window(window).saturating_sub(end);
            assert!(data.len() - end < room.max(1), "{name}");
            assert!(obfuscation.parameters().random_trailers || data.len() == end);
        }
        self.messages += 1;
    }

    fn created(&self, device: &'static str, word: &'static str, at: Duration) -> &Line {
        let mut created = self.recording.of(device, word);
        created
            .find(|line| line.at() == at)
            .expect("made by itself")
    }

    fn initiation_noise(&self, device: &str, created: &Line) -> [u8; crate::noise::FIRST_SIZE] {
        let begun = Initiator::begin(
            &self.recording.identity(device),
            &self.recording.public_key(other(device)),
            &self.recording.preshared_key(),
            Zeroizing::new(created.array("ephemeral_private")),
            Timestamp(created.array("timestamp")),
        );
        begun.unwrap().1
    }

    fn initiation(&mut self, line: &Line, device: &'static str) -> Vec<u8> {
        let created = self.created(device, "initiation_created", line.at());
        let noise = self.initiation_noise(device, created);
        let (word, sender) = (created.number("type_word"), created.number("sender_index"));
        let mut message = Initiation::new(word as u32, sender as u32, &noise);
        self.authenticate(line.at(), device, &mut message.0);
        message.0.to_vec()
    }

    fn response(&mut self, line: &Line, device: &'static str) -> Vec<u8> {
        let created = self.created(device, "response_created", line.at());
        let answered = created.number("receiver_index");
        let initiation = self
            .recording
            .of(other(device), "initiation_created")
            .find(|line| line.number("sender_index") == answered)
            .unwrap();
        let noise = self.initiation_noise(other(device), initiation);
        let ephemeral = Zeroizing::new(created.array("ephemeral_private"));
        let identity = self.recording.identity(device);
        let (responder, ..) = Responder::read(&identity, ephemeral, &noise).unwrap();
        let (noise, _) = responder.respond(&self.recording.preshared_key()).unwrap();
        let (word, sender) = (created.number("type_word"), created.number("sender_index"));
        let mut message = Response::new(word as u32, sender as u32, answered as u32, &noise);
        self.authenticate(line.at(), device, &mut message.0);
        message.0.to_vec()
    }

    fn authenticate<const SIZE: usize>(
        &mut self,
        now: Duration,
        device: &'static str,
        message: &mut [u8; SIZE],
    ) {
        let to: PublicKey = self.recording.public_key(other(device));
        let (mac1_at, mac2_at) = (SIZE - 2 * MAC_SIZE, SIZE - MAC_SIZE);
        let mac1 = mac::mac(&mac::mac1_key(&to), &message[..mac1_at]);
        message[mac1_at..mac2_at].copy_from_slice(&mac1);
        self.last_mac1.insert(device, mac1);
        if let Some((cookie, since)) = self.cookies.get(device)
            && now - *since <= COOKIE_LIFETIME
        {
            let mac2 = mac::mac(cookie, &message[..mac2_at]);
            message[mac2_at..].copy_from_slice(&mac2);
        }
    }

    /// The type word is drawn, and the receiver is whoever sent the message that is answered: both are taken as they are.
    fn cookie_reply(&self, line: &Line, device: &'static str, bare: &[u8]) -> Vec<u8> {
        let made = self.created(device, "cookie_made", line.at());
        let word = |at: usize| u32::from_le_bytes(*bare[at..].first_chunk().unwrap());
        let nonce = made.array("nonce");
        let key = mac::cookie_key(&self.recording.public_key(device));
        let mut sealed = made.bytes("cookie");
        let answered = self.last_mac1[other(device)];
        XChaCha20Poly1305::new(&key.into())
            .encrypt_in_place(&nonce.into(), &answered, &mut sealed)
            .unwrap();
        let sealed = sealed.try_into().unwrap();
        let reply = CookieReply::new(word(0), word(4), &nonce, &sealed);
        reply.0.to_vec()
    }

    fn transport(&self, line: &Line, device: &'static str, bare: &[u8]) -> Vec<u8> {
        let mut opened = bare.to_vec();
        let (receiver, counter, sealed) = transport::split(&mut opened).unwrap();
        let sessions = self.recording.of(device, "session");
        let session = sessions
            .filter(|session| session.number("remote_index") == u64::from(receiver))
            .last()
            .unwrap();
        let keys = SessionKeys {
            initiator_to_responder: Zeroizing::new(session.array("send_key")),
            responder_to_initiator: Zeroizing::new(session.array("receive_key")),
        };
        let now = self.recording.now(line.at()).instant;
        let times = Times::new(&Timing::default());
        let mut at_receiver = Keypair::new(&keys, Role::Responder, now, &times, 0, 0);
        let content = at_receiver.open(now, counter, sealed).unwrap();
        let inner = line.number("inner_length") as usize;
        assert!(content[inner..].iter().all(|byte| *byte == 0));
        assert_eq!(counter, line.number("counter"));
        let mut at_sender = Keypair::new(&keys, Role::Initiator, now, &times, 0, receiver);
        at_sender.set_counter(counter);
        let mut again = vec![0; transport::HEADER_SIZE];
        again.extend_from_slice(content);
        again.resize(bare.len(), 0);
        let word = u32::from_le_bytes(*bare.first_chunk().unwrap());
        at_sender.seal(word, &mut again);
        again
    }
}

/// The candidate that is right. A 2.0 device sends bare keepalives.
fn found(obfuscation: &Obfuscation, message: MessageType, kind: &str, data: &[u8]) -> Classified {
    let bare = kind == "keepalive" && data.len() == MessageType::Transport.bare_size();
    let offset = if bare {
        0
    } else {
        obfuscation.padding(message)
    };
    obfuscation
        .classify(data)
        .find(|found| found.message == message && found.offset == offset)
        .expect("it is recognised")
}

/// The sender's window as it was recorded.
fn window(obfuscation: &Obfuscation, line: &Line) -> TrailerWindow {
    let mut window = TrailerWindow::default();
    if let Some(size) = line.optional("window") {
        let size: usize = size.parse().unwrap();
        let around = obfuscation.padding(MessageType::Transport) + 32;
        if size > 500 {
            window.sent(size - around);
        }
        assert_eq!(obfuscation.window(window), size);
    }
    window
}

#[test]
fn every_recorded_message_is_made_again_to_the_same_bytes() {
    let mut messages = 0;
    for (name, text) in VERSION_3 {
        let recording = Recording::parse(text);
        let reference = recording.all("recording").next().unwrap();
        assert_eq!(reference.text("reference"), "amneziawg-go v3.1.20260814");
        let mut reader = Reader {
            recording: &recording,
            cookies: HashMap::new(),
            last_mac1: HashMap::new(),
            messages: 0,
        };
        for line in &recording.lines {
            match line.word {
                "send" => reader.read(line),
                "cookie_accepted" => {
                    let cookie = line.array("cookie");
                    reader
                        .cookies
                        .insert(line.text("device"), (cookie, line.at()));
                }
                _ => {}
            }
        }
        assert!(reader.messages >= 2, "{name}");
        messages += reader.messages;
    }
    assert_eq!(messages, 673);
}

/// What ours puts before an initiation, and how long each is; of junk, whose lengths are drawn, only that they may be drawn.
fn preamble(obfuscation: &Obfuscation) -> Vec<(PreambleDatagram, usize)> {
    let parameters = obfuscation.parameters();
    let sizes = usize::from(parameters.junk_min)..=usize::from(parameters.junk_max);
    let mut preamble = obfuscation.preamble();
    let (mut counter, mut datagram) = (SignatureCounter::default(), Vec::new());
    let mut rng = StdRng::from_seed([5; 32]);
    let mut made = Vec::new();
    while let Some(kind) = preamble.poll_datagram(
        obfuscation,
        &mut counter,
        Duration::ZERO,
        &mut rng,
        &mut datagram,
    ) {
        let is_junk = kind == PreambleDatagram::Junk;
        assert!(!is_junk || sizes.contains(&datagram.len()));
        made.push((kind, if is_junk { 0 } else { datagram.len() }));
    }
    made
}

/// As many packets of the same kinds and sizes. 3.1 never draws Jmax bytes unless Jmin is as many; 2.0, which is in `j_mixed_*`, does.
#[test]
fn what_precedes_an_initiation_is_as_recorded() {
    let mut junk = 0;
    for (name, text) in VERSION_3 {
        let recording = Recording::parse(text);
        for device in ["A", "B"] {
            let obfuscation = Obfuscation::new(recording.parameters(device)).unwrap();
            let parameters = obfuscation.parameters();
            let least = usize::from(parameters.junk_min);
            let most = usize::from(parameters.junk_max);
            let end = if name.starts_with("j_") {
                most + 1
            } else {
                most
            };
            let mut before = Vec::new();
            for line in recording.of(device, "send") {
                let size = line.bytes("data").len();
                match line.text("kind") {
                    "signature" => {
                        let number = line.number("n") as u8;
                        before.push((PreambleDatagram::Signature(number), size));
                    }
                    "junk" => {
                        assert!(
                            (least..end.max(least + 1)).contains(&size),
                            "{name}: {size}"
                        );
                        before.push((PreambleDatagram::Junk, 0));
                        junk += 1;
                    }
                    "initiation" => {
                        assert_eq!(before, preamble(&obfuscation), "{name}");
                        before.clear();
                    }
                    _ => {}
                }
            }
        }
    }
    assert!(junk > 200, "{junk}");
}

/// The window of every datagram follows from what was sent and what came before.
#[test]
fn windows_are_those_that_were_recorded() {
    let mut compared = 0;
    for (name, text) in VERSION_3 {
        let recording = Recording::parse(text);
        // There the reference drops what comes, or nobody has a window.
        if name.starts_with("l_") || name.starts_with("j_") || name.starts_with("i_") {
            continue;
        }
        let mut windows: HashMap<&str, TrailerWindow> = HashMap::new();
        let mut arriving: Vec<(Duration, &str)> = Vec::new();
        for line in recording.all("send") {
            let device = line.text("device");
            arriving.retain(|(at, to)| {
                let arrived = *at <= line.at();
                if arrived {
                    windows.entry(to).or_default().received();
                }
                !arrived
            });
            let kind = line.text("kind");
            let Some(size) = line.optional("window") else {
                continue;
            };
            let window = windows.entry(device).or_default();
            if kind == "transport" {
                window.sent(line.number("inner_length") as usize);
            }
            let obfuscation = Obfuscation::new(recording.parameters(device)).unwrap();
            if kind == "cookie_reply" {
                assert_eq!(size, "500");
            } else {
                let ours = obfuscation.window(*window);
                assert_eq!(
                    ours.to_string(),
                    size,
                    "{name}: {kind} of {device} at {:?}",
                    line.at()
                );
            }
            compared += 1;
            let accepted = kind != "cookie_reply" && line.optional("lost").is_none();
            if accepted {
                arriving.push((line.at() + Duration::from_millis(15), other(device)));
            }
        }
    }
    assert!(compared > 500, "{compared}");
}
