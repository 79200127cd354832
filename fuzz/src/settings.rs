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
}

impl Settings {
    /// The most datagrams that come with one initiation, itself included.
    pub(crate) const INITIATION_DATAGRAMS: usize = 1 + 3 + 1;

    /// As a configuration has them.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let mut set = |name: String, value: String| pairs.push((name, value));
        for (message, padding) in MessageType::ALL.into_iter().zip(self.paddings) {
            let number = message.number();
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
        pairs
    }
}
