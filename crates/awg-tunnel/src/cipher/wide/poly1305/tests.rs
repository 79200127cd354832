//! The tag of contents, held to another implementation where carries are rare: extreme keys and blocks, sums around 2^130 - 5.

use poly1305::universal_hash::{KeyInit, UniversalHash};
use poly1305::{Block, Poly1305};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::Wide;
use super::Powers;

/// RFC 8439 section 2.8 with nothing beside the content.
fn expected(key: &[u8; 32], content: &[u8]) -> [u8; 16] {
    let mut poly = Poly1305::new(key.into());
    poly.update_padded(content);
    let mut lengths = Block::default();
    lengths[8..].copy_from_slice(&(content.len() as u64).to_le_bytes());
    poly.update(&[lengths]);
    poly.finalize().into()
}

fn made(key: &[u8; 32], content: &[u8]) -> [u8; 16] {
    // SAFETY: the tests below begin with a look at the processor.
    unsafe { Powers::new(key).tag(content) }
}

fn key(r: u128, pad: u128) -> [u8; 32] {
    let mut key = [0; 32];
    key[..16].copy_from_slice(&r.to_le_bytes());
    key[16..].copy_from_slice(&pad.to_le_bytes());
    key
}

/// Numbers whose sums and products carry far.
const EXTREMES: [u128; 9] = [
    0,
    1,
    4,
    u128::MAX,
    u128::MAX - 4,
    u128::MAX << 64,
    u128::MAX >> 64,
    0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff,
    1 << 127,
];

#[test]
fn extreme_keys_and_blocks_are_tagged_as_elsewhere() {
    if !Wide::is_able() {
        return;
    }
    for r in EXTREMES {
        for pad in [0, 1, u128::MAX] {
            let key = key(r, pad);
            for block in EXTREMES {
                for blocks in (0..40).chain([63, 88, 89, 90, 128]) {
                    let mut content = block.to_le_bytes().repeat(blocks);
                    assert_eq!(made(&key, &content), expected(&key, &content));
                    content.extend([0xff; 7]);
                    assert_eq!(made(&key, &content), expected(&key, &content));
                }
            }
        }
    }
}

/// With r = 1 the number is the sum of the blocks, each with 2^128 on top: here 2^130 - 5 and what is around it.
#[test]
fn sums_around_the_prime_are_reduced() {
    if !Wide::is_able() {
        return;
    }
    for more in 0..12_u128 {
        for behind in 0..60 {
            // Two blocks and the one of the length, each with its 2^128; what is behind them in between is made up for.
            let first = 0_u128.wrapping_sub(5 + (32 << 64));
            let mut content = first.to_le_bytes().to_vec();
            content.extend(more.to_le_bytes());
            let key = key(1, 0);
            assert_eq!(made(&key, &content), expected(&key, &content), "{more}");
            // The same with r^n in the lanes, where sums of eight come together.
            content.extend(vec![0xff; 16 * behind]);
            for r in [1, 4, 1 << 64, u128::MAX] {
                let key = self::key(r, u128::MAX);
                assert_eq!(made(&key, &content), expected(&key, &content), "{more}");
            }
        }
    }
}

#[test]
fn drawn_keys_and_contents_are_tagged_as_elsewhere() {
    if !Wide::is_able() {
        return;
    }
    let mut rng = StdRng::seed_from_u64(8439);
    for round in 0..4_000 {
        let mut key: [u8; 32] = rng.random();
        let length = if round % 20 == 0 {
            rng.random_range(0..2_100)
        } else {
            rng.random_range(0..600)
        };
        let mut content: Vec<u8> = (0..length).map(|_| rng.random()).collect();
        // Runs of ones are what carries.
        if round % 3 == 0 {
            key[..16].iter_mut().for_each(|byte| *byte |= 0xf0);
            let (from, to) = (rng.random_range(0..=length), rng.random_range(0..=length));
            content[from.min(to)..from.max(to)].fill(0xff);
        }
        assert_eq!(made(&key, &content), expected(&key, &content), "{round}");
    }
}
