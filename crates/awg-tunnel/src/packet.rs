//! The IP packet inside: where it comes from and how long it is. Nothing else of it is looked at here
//! (RFC 791, section 3.1; RFC 8200, section 3).

use std::net::IpAddr;

const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;

/// Why content is not an IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotIp {
    /// Neither version 4 nor 6.
    Version,
    /// Shorter than its header, or its length field says more than there is.
    Length,
}

/// The source address, and the packet's length without the padding after it.
pub(crate) fn source_and_length(content: &[u8]) -> Result<(IpAddr, usize), NotIp> {
    let first = content.first().ok_or(NotIp::Length)?;
    let (source, length) = match first >> 4 {
        4 => {
            let header: &[u8; IPV4_HEADER] = content.first_chunk().ok_or(NotIp::Length)?;
            let [_, _, high, low, _, _, _, _, _, _, _, _, a, b, c, d, ..] = *header;
            let length = usize::from(u16::from_be_bytes([high, low]));
            if length < IPV4_HEADER {
                return Err(NotIp::Length);
            }
            (IpAddr::from([a, b, c, d]), length)
        }
        6 => {
            let header: &[u8; IPV6_HEADER] = content.first_chunk().ok_or(NotIp::Length)?;
            let [_, _, _, _, high, low, _, _, rest @ ..] = header;
            let source: [u8; 16] = *rest.first_chunk().ok_or(NotIp::Length)?;
            let payload = usize::from(u16::from_be_bytes([*high, *low]));
            (IpAddr::from(source), IPV6_HEADER + payload)
        }
        _ => return Err(NotIp::Version),
    };
    if length > content.len() {
        return Err(NotIp::Length);
    }
    Ok((source, length))
}
