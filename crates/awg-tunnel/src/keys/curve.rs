//! X25519 (RFC 7748) on bytes. Refuses the all-zero result that low-order points give, as the reference does
//! (`device/noise-helpers.go`).

use curve25519_dalek::montgomery::MontgomeryPoint;
use zeroize::{Zeroize, Zeroizing};

/// The public key of a private key.
pub(crate) fn public(private: &[u8; 32]) -> [u8; 32] {
    MontgomeryPoint::mul_base_clamped(*private).to_bytes()
}

/// The shared secret, or nothing where the other key is a low-order point.
pub(crate) fn shared(private: &[u8; 32], public: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
    let mut point = MontgomeryPoint(*public).mul_clamped(*private);
    let secret = Zeroizing::new(point.to_bytes());
    point.zeroize();
    (secret.iter().fold(0, |sum, byte| sum | byte) != 0).then_some(secret)
}

/// Whether every shared secret with this public key is zero.
pub(crate) fn is_low_order(public: &[u8; 32]) -> bool {
    // A clamped scalar is a multiple of the cofactor, so any of them sends a low-order point to zero.
    shared(&[1; 32], public).is_none()
}
