//! What the obfuscation of a transport message costs: seals, or opens, full packets with and without it.
//!
//! `seal_packets seal|open plain|obfuscated COUNT` runs under an instruction counter; `bench/obfuscation-cost` at the
//! root of the repository does that and prints the ratios. It prints the bytes it made, so that nothing is optimised away.

use std::error::Error;
use std::hint::black_box;

use awg_obfuscation::{MessageType, Obfuscation, Parameters};
use rand::SeedableRng;
use rand::rngs::StdRng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// The inner packet: what fits an Ethernet path.
const CONTENT: usize = 1420;
/// Type word, receiver and counter of a transport message.
const HEADER: usize = 16;
/// The authentication tag behind the content.
const TAG: usize = 16;

/// One end of a session, as far as transport messages go.
struct Session {
    obfuscation: Obfuscation,
    key: LessSafeKey,
    rng: StdRng,
    datagram: Vec<u8>,
}

impl Session {
    fn new(settings: &[(&str, &str)]) -> Result<Self, Box<dyn Error>> {
        let parameters = Parameters::from_settings(settings.iter().copied())
            .map_err(|errors| format!("{errors:?}"))?;
        let obfuscation = Obfuscation::new(parameters).map_err(|errors| format!("{errors:?}"))?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).map_err(|_| "no key")?;
        let size = obfuscation.padding(MessageType::Transport) + HEADER + CONTENT + TAG;
        Ok(Self {
            obfuscation,
            key: LessSafeKey::new(key),
            rng: StdRng::from_seed([9; 32]),
            datagram: vec![0; size],
        })
    }

    /// Makes the transport message of this counter in place.
    fn seal(&mut self, counter: u64) -> Result<(), Box<dyn Error>> {
        let padding = self.obfuscation.padding(MessageType::Transport);
        let word = self
            .obfuscation
            .type_word(MessageType::Transport, &mut self.rng);
        let (before, message) = self.datagram.split_at_mut(padding);
        self.obfuscation.fill_padding(before, &mut self.rng);
        let (header, body) = message.split_at_mut(HEADER);
        header[..4].copy_from_slice(&word.to_le_bytes());
        header[4..8].copy_from_slice(&1_u32.to_le_bytes());
        header[8..].copy_from_slice(&counter.to_le_bytes());
        let (content, tag) = body.split_at_mut(CONTENT);
        let sealed = self
            .key
            .seal_in_place_separate_tag(nonce(counter), Aad::empty(), content)
            .map_err(|_| "not sealed")?;
        tag.copy_from_slice(sealed.as_ref());
        Ok(())
    }

    /// Recognises the datagram and opens it in place.
    fn open(&self, datagram: &mut [u8]) -> Result<usize, Box<dyn Error>> {
        let found = self
            .obfuscation
            .classify(datagram)
            .next()
            .ok_or("not recognised")?;
        let message = datagram.get_mut(found.offset..).ok_or("too short")?;
        let (header, body) = message.split_at_mut_checked(HEADER).ok_or("too short")?;
        let counter = u64::from_le_bytes(*header.last_chunk().ok_or("too short")?);
        let content = self
            .key
            .open_in_place(nonce(counter), Aad::empty(), body)
            .map_err(|_| "does not authenticate")?;
        Ok(content.len())
    }
}

fn nonce(counter: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[4..].copy_from_slice(&counter.to_le_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, direction, settings, count] = arguments.as_slice() else {
        return Err("usage: seal_packets seal|open plain|obfuscated COUNT".into());
    };
    let mut session = Session::new(match settings.as_str() {
        "plain" => &[],
        _ => &[
            ("S4", "16"),
            ("H1", "100000-199999"),
            ("H2", "1000000000-1000000999"),
            ("H3", "2147483648-2147500000"),
            ("H4", "3000000000-4294967295"),
        ],
    })?;
    let count: u64 = count.parse()?;
    let mut bytes = 0;
    if direction == "open" {
        session.seal(1)?;
        let mut datagram = session.datagram.clone();
        for _ in 0..count {
            datagram.copy_from_slice(&session.datagram);
            bytes += session.open(black_box(&mut datagram))?;
        }
    } else {
        for counter in 0..count {
            session.seal(counter)?;
            bytes += black_box(&session.datagram).len();
        }
    }
    println!("{bytes}");
    Ok(())
}
