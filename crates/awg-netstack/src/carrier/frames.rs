//! The STREAM and `RESET_STREAM` frames of a datagram, and how much its sender takes ([`find`]; RFC 9000 sections 17 and 19), read
//! where they lie: the carrier has no packet protection. Only as much is read as it takes to find them; what is wrong otherwise
//! QUIC itself finds.

use super::keys::ID;
use super::null::Tag;
use super::request::VERSION;

/// One STREAM frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Frame {
    /// The stream's ID.
    pub(super) stream: u64,
    /// Where its bytes end in the stream.
    pub(super) end: u64,
    /// How many these are.
    pub(super) length: u64,
    /// How long the payload of its packet is.
    pub(super) packet: u64,
    /// Whether the stream ends with them.
    pub(super) is_last: bool,
}

/// One `RESET_STREAM` frame, and where it is in its datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reset {
    /// The stream's ID.
    pub(super) stream: u64,
    /// The last byte of its type.
    kind: usize,
    /// The first byte of its code, and how many these are; the final size is behind them.
    code: usize,
    length: usize,
    /// The first byte behind it.
    end: usize,
}

impl Reset {
    /// Makes an empty STREAM frame with FIN of it, which says the same final size: the offset takes the code's place, and a
    /// length of 0, as long as the code was, that of the final size.
    pub(super) fn finish(&self, datagram: &mut [u8]) {
        if let Some(kind) = datagram.get_mut(self.kind) {
            *kind = 0x0f;
        }
        let Some(fields) = datagram.get_mut(self.code..self.end) else {
            return;
        };
        fields.rotate_left(self.length);
        let zero = fields.len() - self.length;
        if let Some((first, rest)) = fields.get_mut(zero..).and_then(<[u8]>::split_first_mut) {
            // How many bytes it has.
            *first &= 0xc0;
            rest.fill(0);
        }
    }
}

/// A frame that has no place in a carrier, or one that is cut off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Foreign;

/// Whether all frames could be read.
pub(super) type Found = Result<(), Foreign>;

/// Of a `MAX_DATA` frame: bytes that the other end takes in all.
pub(super) type Granted = Option<u64>;

/// Puts the STREAM frames of a datagram into `frames`, its `RESET_STREAM` frames into `resets`, and into `granted` what a `MAX_DATA` frame
/// says. Only the packet with a short header has any.
pub(super) fn find(
    datagram: &[u8],
    frames: &mut Vec<Frame>,
    resets: &mut Vec<Reset>,
    granted: &mut Granted,
) -> Found {
    frames.clear();
    resets.clear();
    let rest = payload(datagram).unwrap_or_default();
    let packet = rest.len() as u64;
    let end = datagram.len().saturating_sub(Tag::LENGTH);
    let mut reader = Reader { rest, packet, end };
    while !reader.rest.is_empty() {
        match reader.varint().ok_or(Foreign)? {
            0x04 => resets.push(reader.reset().ok_or(Foreign)?),
            kind @ 0x08..=0x0f => frames.push(reader.stream(kind).ok_or(Foreign)?),
            0x10 => *granted = (*granted).max(Some(reader.varint().ok_or(Foreign)?)),
            kind => reader.skip(kind).ok_or(Foreign)?,
        }
    }
    Ok(())
}

/// What is left of a payload.
struct Reader<'a> {
    rest: &'a [u8],
    packet: u64,
    /// Where it ends in the datagram.
    end: usize,
}

impl Reader<'_> {
    /// Where `rest` begins in the datagram.
    fn place(&self) -> usize {
        self.end - self.rest.len()
    }

    fn reset(&mut self) -> Option<Reset> {
        let kind = self.place() - 1;
        let stream = self.varint()?;
        let code = self.place();
        self.varint()?;
        let length = self.place() - code;
        self.varint()?;
        let end = self.place();
        Some(Reset {
            stream,
            kind,
            code,
            length,
            end,
        })
    }

    fn stream(&mut self, kind: u64) -> Option<Frame> {
        let stream = self.varint()?;
        let offset = if kind & 4 == 0 { 0 } else { self.varint()? };
        let length = if kind & 2 == 0 {
            self.rest.len() as u64
        } else {
            self.varint()?
        };
        self.bytes(length)?;
        Some(Frame {
            stream,
            end: offset.saturating_add(length),
            length,
            packet: self.packet,
            is_last: kind & 1 != 0,
        })
    }

    /// Passes over a frame whose type was read.
    fn skip(&mut self, kind: u64) -> Option<()> {
        match kind {
            // PADDING, PING, HANDSHAKE_DONE, IMMEDIATE_ACK
            0x00 | 0x01 | 0x1e | 0x1f => Some(()),
            // ACK
            0x02 | 0x03 => {
                self.varints(2)?;
                let ranges = self.varint()?;
                self.varint()?;
                self.varints(ranges.checked_mul(2)?)?;
                self.varints(if kind == 0x03 { 3 } else { 0 })
            }
            // MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED, RETIRE_CONNECTION_ID
            0x12..=0x14 | 0x16 | 0x17 | 0x19 => self.varints(1),
            // STOP_SENDING, MAX_STREAM_DATA, STREAM_DATA_BLOCKED
            0x05 | 0x11 | 0x15 => self.varints(2),
            // NEW_CONNECTION_ID
            0x18 => {
                self.varints(2)?;
                let (length, rest) = self.rest.split_first()?;
                self.rest = rest;
                self.bytes(u64::from(*length) + 16)
            }
            // PATH_CHALLENGE, PATH_RESPONSE
            0x1a | 0x1b => self.bytes(8),
            // CONNECTION_CLOSE: nothing behind it counts.
            0x1c | 0x1d => {
                self.rest = &[];
                Some(())
            }
            // DATAGRAM
            0x30 => self.bytes(self.rest.len() as u64),
            // NEW_TOKEN, and DATAGRAM with its length
            0x07 | 0x31 => {
                let length = self.varint()?;
                self.bytes(length)
            }
            // ACK_FREQUENCY
            0xaf => self.varints(4),
            // CRYPTO among them: after the handshake nothing is said there.
            _ => None,
        }
    }

    fn bytes(&mut self, count: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn varints(&mut self, count: u64) -> Option<()> {
        for _ in 0..count {
            self.varint()?;
        }
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let (value, rest) = varint(self.rest)?;
        self.rest = rest;
        Some(value)
    }
}

/// The payload of the packet with a short header, which is the last in its datagram.
fn payload(datagram: &[u8]) -> Option<&[u8]> {
    let mut rest = datagram;
    loop {
        let (first, behind) = rest.split_first()?;
        if first & 0x80 == 0 {
            let number = usize::from(first & 3) + 1;
            let end = behind.len().checked_sub(Tag::LENGTH)?;
            return behind.get(ID + number..end);
        }
        let (version, mut behind) = behind.split_first_chunk()?;
        if u32::from_be_bytes(*version) != VERSION {
            return None;
        }
        // The IDs, the token of an Initial packet, and all behind the length.
        for _ in 0..2 {
            let (length, id) = behind.split_first()?;
            behind = id.get(usize::from(*length)..)?;
        }
        if first & 0x30 == 0 {
            let (length, token) = varint(behind)?;
            behind = token.get(usize::try_from(length).ok()?..)?;
        }
        let (length, packet) = varint(behind)?;
        rest = packet.get(usize::try_from(length).ok()?..)?;
    }
}

/// A variable-length integer (RFC 9000 section 16), and what is behind it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (more, rest) = rest.split_at_checked((1 << (first >> 6)) - 1)?;
    let value = more.iter().fold(u64::from(first & 0x3f), |value, byte| {
        value << 8 | u64::from(*byte)
    });
    Some((value, rest))
}

#[cfg(test)]
mod tests;
