//! The transport message's header: type word, receiver, counter. The content is sealed and opened where it lies.

/// Bytes before the content.
pub(crate) const HEADER_SIZE: usize = 16;
/// Bytes of a keepalive: a header and the tag of nothing.
pub(crate) const KEEPALIVE_SIZE: usize = HEADER_SIZE + super::TAG_SIZE;

/// The header's bytes.
pub(crate) fn header(type_word: u32, receiver: u32, counter: u64) -> [u8; HEADER_SIZE] {
    let mut header = [0; HEADER_SIZE];
    header[..4].copy_from_slice(&type_word.to_le_bytes());
    header[4..8].copy_from_slice(&receiver.to_le_bytes());
    header[8..].copy_from_slice(&counter.to_le_bytes());
    header
}

/// The receiver's index and the counter, and what follows the header; nothing if the message is shorter than a keepalive.
pub(crate) fn split(message: &mut [u8]) -> Option<(u32, u64, &mut [u8])> {
    if message.len() < KEEPALIVE_SIZE {
        return None;
    }
    let (header, sealed) = message.split_first_chunk_mut::<HEADER_SIZE>()?;
    let [_, _, _, _, a, b, c, d, counter @ ..] = *header;
    Some((
        u32::from_le_bytes([a, b, c, d]),
        u64::from_le_bytes(counter),
        sealed,
    ))
}
