//! The extension headers of IPv6 (RFC 8200 section 4): where the one ends that matters.

/// The next header value of a fragment header.
pub(crate) const FRAGMENT: u8 = 44;
/// Bytes of a fragment header.
pub(crate) const FRAGMENT_HEADER: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const DESTINATION_OPTIONS: u8 = 60;
/// The fixed header, and where it names what follows.
const FIXED: usize = 40;
const NEXT_HEADER: usize = 6;
/// More extension headers than any sender has a use for.
const MOST: usize = 8;

/// The first header behind the options and routes of an IPv6 packet: a transport's, a fragment header, or one that
/// nobody here knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Behind {
    /// What it is.
    pub(crate) protocol: u8,
    /// Where it begins. That may be past the end of what there is of the packet.
    pub(crate) start: usize,
    /// Where the byte stands that names it.
    pub(crate) named_at: usize,
}

impl Behind {
    /// Looks through the headers of `packet`, as much of it as there is; `None` if it ends among them.
    pub(crate) fn find(packet: &[u8]) -> Option<Self> {
        let mut behind = Self {
            protocol: *packet.get(NEXT_HEADER)?,
            start: FIXED,
            named_at: NEXT_HEADER,
        };
        for _ in 0..MOST {
            if !matches!(behind.protocol, HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS) {
                break;
            }
            let &[protocol, units] = packet.get(behind.start..)?.first_chunk()?;
            behind = Self {
                protocol,
                start: behind.start + (usize::from(units) + 1) * 8,
                named_at: behind.start,
            };
        }
        Some(behind)
    }
}
