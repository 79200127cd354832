//! Obfuscation settings that are valid more often than not, small ones, so that sizes collide.

use arbitrary::Arbitrary;
use awg_obfuscation::MessageType;

/// Settings of a device.
#[derive(Debug, Arbitrary)]
pub(crate) struct Settings {
    paddings: [u8; 4],
    /// The first type word of each range and how many more there are; `None` is the default.
    headers: Option<[(u32, u32); 4]>,
    /// Junk packets, 3 at most, and their size.
    junk: (u8, u8),
    signature: bool,
    bare_keepalive: bool,
    version_3: Option<Version3>,
}

/// What 3.x adds.
#[derive(Debug, Arbitrary)]
struct Version3 {
    protected: bool,
    trailers: bool,
    no_cookies: bool,
    /// The first of what is added to content, and how many more.
    addition: Option<(u8, u16)>,
    /// The low end of each time in seconds, and how many more: short enough that a session rests within the hour.
    times: Option<[(u8, u8); 5]>,
}

/// Their names, in the order of `Version3::times`.
const TIMES: [&str; 5] = [
    "RekeyAfterTime",
    "RekeyTimeout",
    "RejectAfterTime",
    "KeepaliveTimeout",
    "MaxHandshakeAttempts",
];
/// The least padding with which headers are protected.
const NONCE: u8 = 12;

impl Settings {
    /// The most datagrams that come with one initiation, itself included.
    pub(crate) const INITIATION_DATAGRAMS: usize = 1 + 3 + 1;

    /// As a configuration has them.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let mut set = |name: String, value: String| pairs.push((name, value));
        let protected = self.version_3.as_ref().is_some_and(|more| more.protected);
        let floor = if protected { NONCE } else { 0 };
        for (message, padding) in MessageType::ALL.into_iter().zip(self.paddings) {
            let number = message.number();
            let padding = padding.max(floor);
            set(format!("S{number}"), padding.to_string());
            if let Some(headers) = self.headers {
                let (first, more) = headers[number as usize - 1];
                let last = first.saturating_add(more);
                set(format!("H{number}"), format!("{first}-{last}"));
            }
        }
        let (count, size) = self.junk;
        if size > 0 {
            set("Jc".into(), (count % 4).to_string());
            set("Jmin".into(), (size / 2 + 1).to_string());
            set("Jmax".into(), (u16::from(size) + 1).to_string());
        }
        if self.signature {
            set("I1".into(), "<b 0xc0ff><r 9><rc 3><rd 2><t><c>".into());
        }
        if self.bare_keepalive {
            set("KeepalivePadding".into(), "reference".into());
        }
        if let Some(more) = &self.version_3 {
            more.pairs(&mut set);
        }
        pairs
    }
}

impl Version3 {
    fn pairs(&self, set: &mut impl FnMut(String, String)) {
        if self.protected {
            set("header_protection_key".into(), "5a".repeat(32));
        }
        set("RandomTrailers".into(), self.trailers.to_string());
        set("DisableCookies".into(), self.no_cookies.to_string());
        let range = |(first, more): (u8, u16)| {
            let last = u32::from(first) + u32::from(more);
            format!("{first}-{last}")
        };
        if let Some(addition) = self.addition {
            set("ContentPaddingAddition".into(), range(addition));
        }
        for (name, (first, more)) in TIMES.into_iter().zip(self.times.into_iter().flatten()) {
            let most = if name == TIMES[4] { 4 } else { 60 };
            set(name.into(), range((1 + first % most, u16::from(more) % 16)));
        }
    }
}
