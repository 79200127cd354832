//! The four messages as bytes, without padding: where each field is (whitepaper section 5.4, `device/noise-protocol.go`).
//!
//! Integers are little-endian. Building one never fails; reading takes arrays whose size was already decided by classification.

mod cookie_reply;
mod initiation;
mod response;
pub(crate) mod transport;

pub(crate) use cookie_reply::CookieReply;
pub(crate) use initiation::Initiation;
pub(crate) use response::Response;

/// Bytes of mac1, mac2 and a cookie.
pub(crate) const MAC_SIZE: usize = 16;
/// Bytes of an AEAD tag.
pub(crate) const TAG_SIZE: usize = 16;

/// The field of `LEN` bytes at `at`. The positions are this module's own constants, never the network's.
fn field<const SIZE: usize, const LEN: usize>(message: &[u8; SIZE], at: usize) -> &[u8; LEN] {
    message[at..]
        .first_chunk()
        .expect("a field lies inside its message")
}

fn word<const SIZE: usize>(message: &[u8; SIZE], at: usize) -> u32 {
    u32::from_le_bytes(*field(message, at))
}
