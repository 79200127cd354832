//! A glance at a QUIC packet of a carrier, which is not encrypted inside the tunnel: whether it asks for an acknowledgement (RFC
//! 9000, section 13.2.1). What makes no sense asks for none.

/// Bytes of a connection ID of a carrier, and of what a packet has in place of an authentication tag at its end.
const ID: usize = 4;
const TAG: usize = 2;

const PADDING: u64 = 0x00;
const ACK: u64 = 0x02;
const ACK_ECN: u64 = 0x03;
const CONNECTION_CLOSE: u64 = 0x1c;
const CONNECTION_CLOSE_BY_APPLICATION: u64 = 0x1d;

/// Whether whoever gets the packet acknowledges it. Those of a handshake are none: there may be no carrier at the other end, and its
/// silence says nothing of the peer.
pub(super) fn asks(packet: &[u8]) -> bool {
    frames_ask(packet).unwrap_or(false)
}

fn frames_ask(packet: &[u8]) -> Option<bool> {
    const LONG_HEADER: u8 = 0x80;
    let first = *packet.first()?;
    if first & LONG_HEADER != 0 {
        return Some(false);
    }
    let number = usize::from(first & 0b11) + 1;
    let frames = packet.get(1 + ID + number..)?;
    let (mut frames, _tag) = frames.split_last_chunk::<TAG>()?;
    while !frames.is_empty() {
        match varint(&mut frames)? {
            PADDING => {}
            kind @ (ACK | ACK_ECN) => skip_acknowledgement(&mut frames, kind == ACK_ECN)?,
            CONNECTION_CLOSE | CONNECTION_CLOSE_BY_APPLICATION => return Some(false),
            _ => return Some(true),
        }
    }
    Some(false)
}

/// Skips what follows the type of an ACK frame (RFC 9000, section 19.3).
fn skip_acknowledgement(frames: &mut &[u8], counts_ecn: bool) -> Option<()> {
    let (_largest, _delay) = (varint(frames)?, varint(frames)?);
    let gaps = varint(frames)?;
    let _first = varint(frames)?;
    for _ in 0..gaps {
        let (_gap, _length) = (varint(frames)?, varint(frames)?);
    }
    if counts_ecn {
        for _ in 0..3 {
            varint(frames)?;
        }
    }
    Some(())
}

/// A number of variable length (RFC 9000, section 16).
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let length = 1_usize << (bytes.first()? >> 6);
    let (number, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    let number = number
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte));
    Some(number & (u64::MAX >> (66 - 8 * length)))
}
