//! The Internet checksum (RFC 1071): over buffers, over the pseudo headers of IPv4 (RFC 768, RFC 9293 section 3.1) and
//! IPv6 (RFC 8200 section 8.1).
//!
//! The sum is kept in the machine's byte order, eight bytes at a time in four lanes: ones' complement addition does not
//! care (RFC 1071 section 2), and only [`Sum::finish`] has to.

use std::net::IpAddr;

#[cfg(test)]
mod tests;

/// Sums that go side by side, so that one carry need not wait for the other.
const LANES: usize = 4;
/// Bytes of one addition.
const WORD: usize = size_of::<u64>();

/// A ones' complement sum under way: add the parts, then [`finish`](Self::finish).
#[derive(Clone, Copy, Default)]
pub(crate) struct Sum(u64);

impl Sum {
    /// The sum over the pseudo header of a transport message of `length` bytes.
    ///
    /// Addresses of two families never meet in a packet; if they do here, the sum is merely wrong.
    pub(crate) fn pseudo(source: IpAddr, destination: IpAddr, protocol: u8, length: usize) -> Self {
        // The length field is 16 bits wide in IPv4 and 32 in IPv6: the sum is the same.
        let length = (length as u32).to_be_bytes();
        Self::default()
            .address(source)
            .address(destination)
            .bytes(&length)
            .bytes(&[0, protocol])
    }

    /// Adds `data`, which begins at an even offset of what is summed; if it is of odd length, it is the last.
    #[must_use]
    pub(crate) fn bytes(self, data: &[u8]) -> Self {
        let mut lanes = [self.0, 0, 0, 0];
        let mut blocks = data.chunks_exact(LANES * WORD);
        for block in &mut blocks {
            for (lane, word) in lanes.iter_mut().zip(block.chunks_exact(WORD)) {
                *lane = add(*lane, load(word));
            }
        }
        let sum = lanes.into_iter().fold(0, add);
        Self(
            blocks
                .remainder()
                .chunks(WORD)
                .fold(sum, |sum, tail| add(sum, load(tail))),
        )
    }

    fn address(self, address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => self.bytes(&address.octets()),
            IpAddr::V6(address) => self.bytes(&address.octets()),
        }
    }

    /// The checksum as it stands in a header, in network byte order.
    pub(crate) fn finish(self) -> [u8; 2] {
        let mut sum = self.0;
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        (!(sum as u16)).to_ne_bytes()
    }

    /// Whether this is the sum of something that held its own right checksum.
    pub(crate) fn is_valid(self) -> bool {
        self.finish() == [0, 0]
    }
}

/// Up to eight bytes as they lie in memory, zeros after them.
fn load(bytes: &[u8]) -> u64 {
    if let Ok(word) = bytes.try_into() {
        return u64::from_ne_bytes(word);
    }
    let mut word = [0; WORD];
    for (to, from) in word.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_ne_bytes(word)
}

/// Ones' complement addition: the carry comes back in at the bottom.
fn add(left: u64, right: u64) -> u64 {
    let (sum, carry) = left.overflowing_add(right);
    sum + u64::from(carry)
}

/// The checksum of `data` alone, as an IPv4 header or an `ICMPv4` message carries it. Its own field must be zero.
pub(crate) fn internet(data: &[u8]) -> [u8; 2] {
    Sum::default().bytes(data).finish()
}

/// The checksum of a TCP, UDP or `ICMPv6` message whose own field is zero. (UDP writes 0 as ffff: that is the
/// caller's.)
pub(crate) fn transport(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    message: &[u8],
) -> [u8; 2] {
    Sum::pseudo(source, destination, protocol, message.len())
        .bytes(message)
        .finish()
}

/// Whether a received TCP, UDP or `ICMPv6` message fits its checksum. (UDP without one, field 0, is the caller's.)
pub(crate) fn verify_transport(
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    message: &[u8],
) -> bool {
    Sum::pseudo(source, destination, protocol, message.len())
        .bytes(message)
        .is_valid()
}
