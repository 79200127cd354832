//! A device of one implementation, the probe beside it, and a scene's first steps.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use awg_obfuscation::MessageType;
use awg_tunnel::inspection::authenticate_message;

use crate::end::{End, Happening, Setup};
use crate::ours::Ours;
use crate::packets::{is_whole, outgoing};
use crate::probe::{Offer, Probe, Session};
use crate::reference::Reference;
use crate::wish::{PROBE_ADDRESS, Wish, probe_key, subject_key};

/// One second.
pub const SECOND: Duration = Duration::from_secs(1);
/// One millisecond.
pub const MILLISECOND: Duration = Duration::from_millis(1);

/// Which implementation a scene is played to.
pub enum Implementation {
    /// awgproxy's.
    Ours,
    /// The reference's, by its program.
    Reference(PathBuf),
}

/// A datagram that the device sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When, by the stage's clock.
    pub at: Duration,
    /// Where to.
    pub to: SocketAddr,
    /// Its content.
    pub datagram: Vec<u8>,
}

/// Everything that the device did in a step.
#[derive(Debug, Default)]
pub struct Deeds {
    /// The datagrams, in order.
    pub sent: Vec<Sent>,
    /// The packets that it delivered, in order.
    pub delivered: Vec<Vec<u8>>,
    /// The 32-byte secrets that it drew; only the reference tells.
    pub secrets: Vec<[u8; 32]>,
}

/// A scene under way.
pub struct Stage {
    /// The device.
    pub end: Box<dyn End>,
    /// The other peer.
    pub probe: Probe,
    /// The time since the clock's start.
    pub clock: Duration,
    setup: Setup,
}

impl Implementation {
    /// A device without anything open.
    pub fn end(&self) -> Box<dyn End> {
        match self {
            Self::Ours => Box::<Ours>::default(),
            Self::Reference(program) => Box::new(Reference::start(program)),
        }
    }

    /// Opens a device without any parameter.
    pub fn plain(&self) -> Stage {
        self.stage(&Wish::default())
    }

    /// Opens a device as wished.
    ///
    /// # Panics
    /// Where the implementation refuses it.
    pub fn stage(&self, wish: &Wish) -> Stage {
        self.try_stage(wish)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Opens a device as wished.
    ///
    /// # Errors
    /// Why the implementation refuses it.
    pub fn try_stage(&self, wish: &Wish) -> Result<Stage, String> {
        let setup = wish.setup();
        let mut end = self.end();
        end.open(&setup)?;
        let mut stage = Stage {
            end,
            probe: Probe::new(probe_key(), subject_key().public_key(), PROBE_ADDRESS, wish),
            clock: Duration::ZERO,
            setup,
        };
        // Past any moment that the start itself may have used.
        stage.advance(SECOND);
        Ok(stage)
    }

    /// Whether the implementation takes these parameters.
    pub fn takes(&self, wish: &Wish) -> bool {
        self.end().open(&wish.setup()).is_ok()
    }

    /// The sizes that a first initiation brings with these parameters; nothing where they are refused, nothing inside where the
    /// device does not survive it.
    pub fn first_initiation(&self, wish: &Wish) -> Option<Option<Vec<usize>>> {
        let mut end = self.end();
        end.open(&wish.setup()).ok()?;
        if end.send(&[outgoing(20)]).is_err() {
            return Some(None);
        }
        let sizes = end
            .take()
            .into_iter()
            .filter_map(|happening| match happening {
                Happening::Sent { datagram, .. } => Some(datagram.len()),
                _ => None,
            });
        Some(Some(sizes.collect()))
    }
}

impl Stage {
    /// Opens the device again, as after a restart. The clock goes on.
    ///
    /// # Panics
    /// Where the implementation refuses what it took before.
    pub fn restart(&mut self) {
        self.setup.seed += 1000;
        self.end.open(&self.setup).expect("it was taken before");
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: Duration) {
        self.end.advance(by);
        self.clock += by;
    }

    /// A datagram of the probe comes; what the device does.
    pub fn receive(&mut self, datagram: &[u8]) -> Deeds {
        self.receive_from(self.probe.address, datagram)
    }

    /// A datagram comes from an address of choice.
    pub fn receive_from(&mut self, from: SocketAddr, datagram: &[u8]) -> Deeds {
        self.end.receive(from, &[datagram.to_vec()]);
        self.take()
    }

    /// The device reads a packet of so many bytes for the probe.
    ///
    /// # Panics
    /// Where it does not survive that.
    pub fn send(&mut self, length: usize) -> Deeds {
        self.send_all(&[outgoing(length)])
    }

    /// The device reads these packets in one go.
    ///
    /// # Panics
    /// Where it does not survive that.
    pub fn send_all(&mut self, packets: &[Vec<u8>]) -> Deeds {
        self.end.send(packets).expect("the device goes on");
        self.take()
    }

    /// What the device has done since this was last asked.
    pub fn take(&mut self) -> Deeds {
        let mut deeds = Deeds::default();
        for happening in self.end.take() {
            match happening {
                Happening::Sent { at, to, datagram } => deeds.sent.push(Sent { at, to, datagram }),
                Happening::Delivered { packet, .. } => deeds.delivered.push(packet),
                Happening::Secret(secret) => deeds.secrets.push(secret),
            }
        }
        deeds
    }

    /// The datagrams of a kind among what was sent.
    pub fn of(&self, kind: MessageType, deeds: &Deeds) -> Vec<Vec<u8>> {
        deeds
            .sent
            .iter()
            .filter(|sent| self.probe.kind(&sent.datagram) == Some(kind))
            .map(|sent| sent.datagram.clone())
            .collect()
    }

    /// The initiation that the device sends for a packet of 20 bytes.
    ///
    /// # Panics
    /// Where it sends none.
    pub fn asked(&mut self) -> Vec<u8> {
        let deeds = self.send(20);
        self.initiation(&deeds)
    }

    /// The probe's response to the initiation that the device sends for a packet of 20 bytes, and the session that it makes.
    ///
    /// # Panics
    /// Where it sends none.
    pub fn answer(&mut self) -> (Vec<u8>, Session) {
        let initiation = self.asked();
        self.probe.answer(&initiation).expect("for this probe")
    }

    /// An initiation of the probe comes; what the device does.
    pub fn offered(&mut self) -> (Offer, Deeds) {
        let offer = self.probe.initiation(self.clock);
        let deeds = self.receive(&offer.datagram);
        (offer, deeds)
    }

    /// The device's initiation among what it did.
    ///
    /// # Panics
    /// Where there is none.
    pub fn initiation(&self, deeds: &Deeds) -> Vec<u8> {
        let found = self.of(MessageType::Initiation, deeds);
        found.last().expect("no initiation was sent").clone()
    }

    /// A session that the device began, with a packet of 20 bytes. What it sent at once is given, too.
    ///
    /// # Panics
    /// Where there is none.
    pub fn begun_by_the_device(&mut self) -> (Session, Deeds) {
        let (response, session) = self.answer();
        let deeds = self.receive(&response);
        (session, deeds)
    }

    /// A session that the probe began and confirmed with a keepalive.
    ///
    /// # Panics
    /// Where there is none.
    pub fn begun_by_the_probe(&mut self) -> Session {
        let (offer, deeds) = self.offered();
        let response = self.of(MessageType::Response, &deeds);
        let mut session = self
            .probe
            .finish(offer, response.last().expect("no response"))
            .expect("a response to this");
        let confirmation = self.probe.seal(&mut session, &[]);
        self.receive(&confirmation);
        session
    }

    /// A session in either role of the device, quiet: nothing waits to be sent.
    pub fn session(&mut self, device_initiates: bool) -> Session {
        if device_initiates {
            self.begun_by_the_device().0
        } else {
            self.begun_by_the_probe()
        }
    }

    /// Puts the device under load: more handshake messages with a good mac1 than either implementation takes for calm. Their
    /// answers are dropped; what secrets were drawn meanwhile is given.
    ///
    /// # Panics
    /// Never: the messages have the size of initiations.
    pub fn flood(&mut self) -> Vec<[u8; 32]> {
        let subject = subject_key().public_key();
        let messages: Vec<_> = (0..1000)
            .map(|_| {
                let mut message = vec![0; MessageType::Initiation.bare_size()];
                for chunk in message.chunks_mut(32) {
                    let bytes = self.probe.secret();
                    chunk.copy_from_slice(&bytes[..chunk.len()]);
                }
                let word = self.probe.type_word(MessageType::Initiation);
                message[..4].copy_from_slice(&word.to_le_bytes());
                authenticate_message(&mut message, &subject, None).expect("an initiation");
                self.probe.padded(MessageType::Initiation, &message)
            })
            .collect();
        let from = SocketAddr::from(([203, 0, 113, 1], 1));
        self.end.receive(from, &messages);
        self.take().secrets
    }

    /// What was done, in words; messages that the session opens are named by their content.
    pub fn words(&self, deeds: &Deeds, session: Option<&Session>) -> String {
        let mut words: Vec<String> = Vec::new();
        for sent in &deeds.sent {
            let opened = session.and_then(|session| self.probe.open(session, &sent.datagram));
            words.push(match (opened, self.probe.kind(&sent.datagram)) {
                (Some(message), _) if message.content.is_empty() => "keepalive".to_owned(),
                (Some(_), _) => "data".to_owned(),
                (None, Some(MessageType::Initiation)) => "initiation".to_owned(),
                (None, Some(MessageType::Response)) => "response".to_owned(),
                (None, Some(MessageType::CookieReply)) => "cookie reply".to_owned(),
                (None, Some(MessageType::Transport)) => "unknown transport".to_owned(),
                (None, None) => format!("{} other bytes", sent.datagram.len()),
            });
        }
        let sent = if words.is_empty() {
            None
        } else {
            Some(format!("sends {}", words.join(", ")))
        };
        let delivered = match deeds.delivered.len() {
            0 => None,
            _ if !deeds.delivered.iter().all(|packet| is_whole(packet)) => {
                Some("delivers something else".to_owned())
            }
            1 => Some("delivers it".to_owned()),
            count => Some(format!("delivers {count}")),
        };
        let all: Vec<_> = [delivered, sent].into_iter().flatten().collect();
        if all.is_empty() {
            "nothing".to_owned()
        } else {
            all.join(" and ")
        }
    }
}
