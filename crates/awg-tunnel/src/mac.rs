//! Keyed BLAKE2s-128, for mac1, mac2 and cookies (whitepaper section 5.4.4). The keys' labels are here, too.

use blake2::digest::consts::U16;
use blake2::digest::{FixedOutput, Mac, Update};
use blake2::{Blake2s256, Blake2sMac, Digest};

use crate::keys::PublicKey;
use crate::message::MAC_SIZE;

/// The key of mac1 for messages to the owner of `public`.
pub(crate) fn mac1_key(public: &PublicKey) -> [u8; 32] {
    labelled(*b"mac1----", public)
}

/// The key that seals cookies from the owner of `public`.
pub(crate) fn cookie_key(public: &PublicKey) -> [u8; 32] {
    labelled(*b"cookie--", public)
}

fn labelled(label: [u8; 8], public: &PublicKey) -> [u8; 32] {
    let mut hash = Blake2s256::new();
    Digest::update(&mut hash, label);
    Digest::update(&mut hash, public.as_bytes());
    hash.finalize().into()
}

/// The MAC of `data`; `key` is 16 or 32 bytes.
pub(crate) fn mac(key: &[u8], data: &[u8]) -> [u8; MAC_SIZE] {
    started(key, data).finalize_fixed().into()
}

/// Whether `tag` is the MAC of `data`, in constant time.
pub(crate) fn verify(key: &[u8], data: &[u8], tag: &[u8; MAC_SIZE]) -> bool {
    started(key, data).verify(tag.into()).is_ok()
}

fn started(key: &[u8], data: &[u8]) -> Blake2sMac<U16> {
    let mut mac = <Blake2sMac<U16> as Mac>::new_from_slice(key)
        .expect("the key is not longer than BLAKE2s takes");
    Update::update(&mut mac, data);
    mac
}
