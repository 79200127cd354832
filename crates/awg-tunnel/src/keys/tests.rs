use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{KeyError, PresharedKey, PrivateKey, PublicKey};

/// RFC 7748, section 6.1.
#[test]
fn the_public_key_is_that_of_the_rfc() {
    let private = PrivateKey::from_bytes([
        0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66,
        0x45, 0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9,
        0x2c, 0x2a,
    ]);
    assert_eq!(
        private.public_key().to_string(),
        "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
    );
}

#[test]
fn a_key_survives_text() {
    let private = PrivateKey::generate(&mut StdRng::from_seed([1; 32]));
    let text = private.to_base64();
    assert_eq!(
        text.parse::<PrivateKey>().unwrap().as_bytes(),
        private.as_bytes()
    );
    let public = private.public_key();
    assert_eq!(public.to_string().parse::<PublicKey>().unwrap(), public);
}

#[test]
fn what_is_not_a_key_is_named() {
    let parse = |text: &str| text.parse::<PublicKey>().unwrap_err();
    assert_eq!(parse(""), KeyError::Length { found: 0 });
    assert_eq!(parse("abc"), KeyError::Length { found: 3 });
    assert_eq!(parse(&"*".repeat(44)), KeyError::Base64);
    assert_eq!(parse(&"A".repeat(44)), KeyError::Base64);
    // The last character before `=` carries two bits that no byte holds: they must be zero.
    assert_eq!(
        parse("hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmp="),
        KeyError::Base64
    );
    assert_eq!(
        parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        KeyError::Zero
    );
    assert_eq!(
        parse("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        KeyError::LowOrder
    );
}

#[test]
fn secrets_do_not_print() {
    let private = PrivateKey::from_bytes([7; 32]);
    assert_eq!(format!("{private:?}"), "PrivateKey(secret)");
    assert_eq!(
        format!("{:?}", PresharedKey::from_bytes([7; 32])),
        "PresharedKey(secret)"
    );
}

#[test]
fn keys_for_other_purposes_differ_by_key_and_purpose_and_by_nothing_else() {
    let (one, other) = (
        PrivateKey::from_bytes([1; 32]),
        PrivateKey::from_bytes([2; 32]),
    );
    assert_eq!(*one.derive("a"), *one.clone().derive("a"));
    assert_ne!(*one.derive("a"), *one.derive("b"));
    assert_ne!(*one.derive("a"), *other.derive("a"));
    assert_ne!(*one.derive("a"), *one.as_bytes());
}
