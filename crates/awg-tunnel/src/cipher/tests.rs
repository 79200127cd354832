//! Both ways give RFC 8439's results, and each other's, at every length and wherever a bit was turned.

use super::Cipher;

/// Every number of bytes that a packet may have below these, and some beyond.
const LENGTHS: [usize; 5] = [4_000, 8_191, 8_993, 40_000, 65_519];

fn key(seed: u8) -> [u8; 32] {
    std::array::from_fn(|place| (place as u8).wrapping_mul(29) ^ seed)
}

fn content(length: usize) -> Vec<u8> {
    (0..length)
        .map(|place| (place * 31 + length) as u8)
        .collect()
}

fn both(key: &[u8; 32]) -> [Cipher; 2] {
    [Cipher::new(key), Cipher::portable(key)]
}

#[test]
fn sealed_alike_and_opened_by_the_other_at_every_length() {
    for length in (0..2_100).chain(LENGTHS) {
        let [ours, portable] = both(&key(length as u8));
        let counter = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(length as u64 + 1);
        let plain = content(length);
        let mut message = plain.clone();
        let tag = ours.seal(counter, &mut message);
        let mut other = plain.clone();
        assert_eq!(portable.seal(counter, &mut other), tag, "{length} bytes");
        assert_eq!(message, other, "{length} bytes");
        message.extend(tag);
        other.extend(tag);
        assert_eq!(
            ours.open(counter, &mut message),
            Some(&mut plain.clone()[..])
        );
        assert_eq!(
            portable.open(counter, &mut other),
            Some(&mut plain.clone()[..])
        );
    }
}

/// Sums that carry through every limb.
#[test]
fn bytes_that_are_all_ones_or_all_zeros_are_sealed_alike() {
    for byte in [0, 0xff] {
        for seed in 0..=255 {
            let [ours, portable] = both(&key(seed));
            for length in [256, 447, 448, 449, 1_420, 1_424, 1_472] {
                // Decrypting is encrypting: this makes the text that is authenticated the byte itself.
                let mut stream = vec![byte; length];
                portable.seal(7, &mut stream);
                for byte_of_stream in &mut stream {
                    *byte_of_stream ^= byte;
                }
                let mut left: Vec<u8> = stream.iter().map(|each| each ^ byte).collect();
                let mut right = left.clone();
                assert_eq!(ours.seal(7, &mut left), portable.seal(7, &mut right));
                assert_eq!(left, right);
                assert!(left.iter().all(|each| *each == byte));
            }
        }
    }
}

#[test]
fn a_turned_bit_anywhere_is_noticed() {
    let [ours, _] = both(&key(1));
    for length in [256, 448, 449, 960, 1_420, 1_500, 3_000] {
        let mut sealed = content(length);
        let tag = ours.seal(1, &mut sealed);
        sealed.extend(tag);
        for place in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[place] ^= 1 << (place % 8);
            assert_eq!(ours.open(1, &mut forged), None, "{place} of {length}");
        }
        assert_eq!(ours.open(2, &mut sealed.clone()), None);
        assert!(ours.open(1, &mut sealed).is_some());
    }
}

#[test]
fn what_is_shorter_than_a_tag_is_not_authentic() {
    for cipher in both(&key(2)) {
        for length in 0..16 {
            assert_eq!(cipher.open(0, &mut vec![0; length]), None);
        }
    }
}

/// RFC 8439 appendix A.1, vector 2. (Whole messages are held to the reference by the recordings.)
#[test]
fn the_stream_is_that_of_the_standard() {
    const BLOCK_1: [u8; 64] = [
        0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08,
        0x0d, 0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee,
        0x7a, 0xed, 0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e, 0x43, 0xd5, 0x71, 0x33, 0xb0, 0x74,
        0xd8, 0x39, 0xd5, 0x31, 0xed, 0x1f, 0x28, 0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f,
        0x4b, 0x79, 0x4d, 0x6f,
    ];
    for cipher in both(&[0; 32]) {
        for length in [64, 448, 1_420] {
            let mut stream = vec![0; length];
            cipher.seal(0, &mut stream);
            assert_eq!(stream[..64], BLOCK_1);
        }
    }
}
