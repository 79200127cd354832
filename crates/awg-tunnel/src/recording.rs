//! The recordings in `tests/vectors`, read. Their format is in the README there.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use awg_obfuscation::Parameters;

use crate::keys::{PresharedKey, PrivateKey, PublicKey};
use crate::noise::Identity;
use crate::time::Now;

/// One line.
pub(crate) struct Line {
    pub(crate) word: &'static str,
    fields: HashMap<&'static str, &'static str>,
}

impl Line {
    pub(crate) fn text(&self, name: &str) -> &'static str {
        self.fields
            .get(name)
            .unwrap_or_else(|| panic!("{} has no {name}", self.word))
    }

    pub(crate) fn optional(&self, name: &str) -> Option<&'static str> {
        self.fields.get(name).copied()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.text(name))
    }

    pub(crate) fn array<const N: usize>(&self, name: &str) -> [u8; N] {
        self.bytes(name).try_into().expect("another size")
    }

    pub(crate) fn number(&self, name: &str) -> u64 {
        self.text(name).parse().expect("no number")
    }

    pub(crate) fn at(&self) -> Duration {
        Duration::from_nanos(self.number("t_ns"))
    }
}

fn hex(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0);
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// A recording.
pub(crate) struct Recording {
    pub(crate) lines: Vec<Line>,
    start: Instant,
}

impl Recording {
    pub(crate) fn parse(text: &'static str) -> Self {
        let lines = text
            .lines()
            .map(|line| {
                let mut parts = line.split('\t');
                let word = parts.next().unwrap();
                let fields = parts
                    .map(|part| part.split_once('=').expect("name=value"))
                    .collect();
                Line { word, fields }
            })
            .collect();
        Self {
            lines,
            start: Instant::now(),
        }
    }

    pub(crate) fn all(&self, word: &'static str) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.word == word)
    }

    /// The lines of one device.
    pub(crate) fn of(
        &self,
        device: &'static str,
        word: &'static str,
    ) -> impl Iterator<Item = &Line> {
        self.all(word)
            .filter(move |line| line.optional("device") == Some(device))
    }

    fn device(&self, name: &str) -> &Line {
        self.all("device")
            .find(|line| line.text("name") == name)
            .expect("no such device")
    }

    pub(crate) fn private_key(&self, device: &str) -> PrivateKey {
        PrivateKey::from_bytes(self.device(device).array("private_key"))
    }

    pub(crate) fn public_key(&self, device: &str) -> PublicKey {
        PublicKey::from_bytes(self.device(device).array("public_key"))
    }

    pub(crate) fn identity(&self, device: &str) -> Identity {
        Identity {
            private: self.private_key(device),
            public: self.public_key(device),
        }
    }

    pub(crate) fn address(&self, device: &str) -> SocketAddr {
        self.device(device).text("address").parse().unwrap()
    }

    pub(crate) fn mtu(&self, device: &str) -> u16 {
        self.device(device).number("mtu") as u16
    }

    pub(crate) fn preshared_key(&self) -> PresharedKey {
        PresharedKey::from_bytes(self.all("recording").next().unwrap().array("preshared_key"))
    }

    pub(crate) fn parameters(&self, device: &'static str) -> Parameters {
        let settings = self
            .of(device, "setting")
            .map(|line| (line.text("name"), line.text("value")));
        Parameters::from_settings(settings).expect("the reference took them")
    }

    pub(crate) fn now(&self, at: Duration) -> Now {
        let start = self
            .all("recording")
            .next()
            .unwrap()
            .number("start_unix_ns");
        Now {
            instant: self.start + at,
            unix: Duration::from_nanos(start) + at,
        }
    }
}

macro_rules! version_3 {
    ($($name:literal)*) => {
        /// The recordings of v3.1.20260814, each with its name.
        pub(crate) const VERSION_3: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../tests/vectors/awg3/", $name, ".txt")))),*
        ];
    };
}

version_3! {
    "a_header_protection" "a_header_protection_min" "a_padding_mtu1280" "a_plain"
    "b_content_padding" "b_content_padding_sides"
    "c_random_trailers" "c_random_trailers_only" "c_trailers_and_content_padding"
    "d_disable_cookies" "e_cookie" "e_cookie_trailers"
    "f_keepalive_timeout" "f_reject_after_time" "f_rekey_after_time" "f_rekey_timeout_attempts"
    "g_keepalive_s4" "g_keepalives" "g_keepalives_content_padding"
    "h_everything" "i_drops" "i_drops_trailers" "j_mixed_awg2_to_awg3" "j_mixed_awg3_to_awg2"
    "k_junk_and_empty_signature" "k_junk_sizes" "l_trailers_wide_headers" "l_trailers_wide_headers_response" "t_timers"
}

/// The recording of v3.1.20260814 of this name.
pub(crate) fn version_3(name: &str) -> Recording {
    let named = VERSION_3.iter().find(|(known, _)| *known == name);
    Recording::parse(named.expect("no such recording").1)
}

pub(crate) fn a_plain() -> Recording {
    Recording::parse(include_str!("../tests/vectors/a_plain.txt"))
}

pub(crate) fn b_everything() -> Recording {
    Recording::parse(include_str!("../tests/vectors/b_everything.txt"))
}

pub(crate) fn e_cookie_initiation() -> Recording {
    Recording::parse(include_str!("../tests/vectors/e_cookie_initiation.txt"))
}

pub(crate) fn e_cookie_response() -> Recording {
    Recording::parse(include_str!("../tests/vectors/e_cookie_response.txt"))
}

pub(crate) fn e_rate_limit() -> Recording {
    Recording::parse(include_str!("../tests/vectors/e_rate_limit.txt"))
}

pub(crate) fn g_padding() -> Recording {
    Recording::parse(include_str!("../tests/vectors/g_padding_mtu1280.txt"))
}

pub(crate) fn j_drops() -> Recording {
    Recording::parse(include_str!("../tests/vectors/j_drops.txt"))
}
