//! Specifications of signature packets: refused in short printable words, or a packet of the size that they say.

use std::time::Duration;

use awg_obfuscation::{
    LARGEST_DATAGRAM, Obfuscation, Parameters, PreambleDatagram, Signature, SignatureCounter,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::memory;

/// The longest that one error or remark may be, in characters: forty that were given, each perhaps spelt as an escape.
pub(crate) const LONGEST_WORDS: usize = 700;

/// Reads `data` as the specification of a signature packet, and makes the packet.
///
/// # Panics
/// Where the size is not the one that was told, or what is told of an error is long or not printable.
pub fn tag_specs(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let allowed = (1 << 14) + text.len() * 256;
    match memory::within(allowed, || Signature::parse(&text)) {
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors {
                printable(&error.to_string());
            }
        }
        Ok(None) => {}
        Ok(Some(signature)) => written(&text, &signature),
    }
}

/// Holds a text that somebody will read to its bounds.
pub(crate) fn printable(words: &str) {
    assert!(words.chars().count() <= LONGEST_WORDS, "{words}");
    assert!(!words.chars().any(char::is_control), "{words:?}");
}

fn written(text: &str, signature: &Signature) {
    assert!(signature.size() <= usize::from(LARGEST_DATAGRAM));
    assert_eq!(signature.to_string(), text);
    for remark in signature.remarks() {
        printable(&remark.to_string());
    }
    let parameters = Parameters {
        signatures: [Some(signature.clone()), None, None, None, None],
        ..Parameters::default()
    };
    let obfuscation = Obfuscation::new(parameters).expect("a signature packet alone is valid");
    let mut preamble = obfuscation.preamble();
    let mut datagram = Vec::new();
    let mut poll = || {
        let made = preamble.poll_datagram(
            &obfuscation,
            &mut SignatureCounter::default(),
            Duration::from_secs(1),
            &mut StdRng::from_seed([1; 32]),
            &mut datagram,
        );
        (made, datagram.len())
    };
    let first = (Some(PreambleDatagram::Signature(1)), signature.size());
    assert_eq!(poll(), first);
    assert_eq!(poll().0, None);
}
