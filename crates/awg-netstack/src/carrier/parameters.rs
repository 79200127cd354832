//! Transport parameters as they go over the wire (RFC 9000 section 18), where what is said there is to be other than what QUIC's
//! settings amount to, or QUIC keeps it to itself.

use noq_proto::VarInt;
use noq_proto::coding::{Decodable, Encodable};

/// `initial_max_stream_data_bidi_local` and `_remote`.
const STREAM_DATA: [u64; 2] = [0x05, 0x06];

/// `initial_max_data`.
const DATA: u64 = 0x04;

/// How many bytes whoever said this takes at first.
pub(super) fn max_data(encoded: &[u8]) -> u64 {
    let mut rest = encoded;
    while let Some((id, value, behind)) = next(rest) {
        if id.into_inner() == DATA {
            return VarInt::decode(&mut &*value).map_or(0, VarInt::into_inner);
        }
        rest = behind;
    }
    0
}

/// The same parameters, in which streams may bring no more than `first` bytes before anything of them was read.
///
/// What the library checks is its own larger number, and that is what it tells as soon as an eighth of it was read: `first` must be
/// more than that.
pub(super) fn with_first(encoded: &[u8], first: VarInt) -> Vec<u8> {
    let mut changed = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((id, value, behind)) = next(rest) {
        let mut short = Vec::new();
        let value = match VarInt::decode(&mut &*value) {
            Ok(said) if STREAM_DATA.contains(&id.into_inner()) && first < said => {
                first.encode(&mut short);
                &short
            }
            _ => value,
        };
        id.encode(&mut changed);
        VarInt::from(value.len() as u32).encode(&mut changed);
        changed.extend_from_slice(value);
        rest = behind;
    }
    changed.extend_from_slice(rest);
    changed
}

/// The first parameter, its value, and what is behind it.
fn next(encoded: &[u8]) -> Option<(VarInt, &[u8], &[u8])> {
    let mut rest = encoded;
    let id = VarInt::decode(&mut rest).ok()?;
    let length = VarInt::decode(&mut rest).ok()?.into_inner();
    let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((id, value, rest))
}

#[cfg(test)]
mod tests;
