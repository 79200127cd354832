//! Keys for other purposes, made of a private key: keyed BLAKE2s-256 (RFC 7693, section 2.9) over a label. Whoever knows one learns
//! nothing of the private key or of the others. The protocol itself uses none of them.

use blake2::Blake2sMac;
use blake2::digest::consts::U32;
use blake2::digest::{FixedOutput, Mac, Update};
use zeroize::Zeroizing;

use super::{KEY_SIZE, PrivateKey};

impl PrivateKey {
    /// The key for the purpose that `label` names, and no other purpose has: the same for the same private key, always.
    #[expect(clippy::missing_panics_doc, reason = "BLAKE2s takes keys of 32 bytes")]
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; KEY_SIZE]> {
        let mut mac = <Blake2sMac<U32> as Mac>::new_from_slice(self.as_bytes())
            .expect("BLAKE2s takes keys of 32 bytes");
        Update::update(&mut mac, label.as_bytes());
        Zeroizing::new(mac.finalize_fixed().into())
    }
}
