//! ChaCha20-Poly1305 with AVX-512: sixteen blocks of key stream at a time, eight blocks of the tag.
//!
//! A packet of 1,420 bytes is 23 blocks of key stream behind the one that the tag's key comes from: sixteen and eight. The
//! powers of the tag's key are made between the two, since the processor has nothing else to do while it waits for each.
//! What is received is decrypted after its tag was found right.
//!
//! Nothing branches on, or is looked up by, anything but lengths.

mod chacha20;
mod poly1305;

use std::arch::x86_64::{
    __m512i, _mm256_storeu_si256, _mm512_castsi512_si256, _mm512_loadu_si512,
    _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_storeu_si512, _mm512_xor_si512,
};

use chacha20::{BLOCK, eight, sixteen};
use poly1305::Powers;

use zeroize::Zeroizing;

use crate::message::TAG_SIZE;

/// A key, for processors that have all that this needs. It is wiped when it is dropped.
pub(super) struct Wide {
    key: Zeroizing<[u32; 8]>,
}

impl Wide {
    /// `None` where the processor lacks something.
    pub(super) fn new(key: &[u8; 32]) -> Option<Self> {
        let is_able = Self::is_able();
        let mut words = Zeroizing::new([0; 8]);
        for (word, bytes) in words.iter_mut().zip(key.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
        is_able.then_some(Self { key: words })
    }

    /// Whether the processor has what this is compiled for.
    fn is_able() -> bool {
        is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512ifma")
    }

    pub(super) fn seal(&self, counter: u64, content: &mut [u8]) -> [u8; TAG_SIZE] {
        // SAFETY: `new` saw that the processor has what this is compiled for.
        unsafe { seal(&self.key, counter, content) }
    }

    /// Whether the tag is that of `content`, which is decrypted then and left alone otherwise.
    pub(super) fn open(&self, counter: u64, content: &mut [u8], tag: &[u8; TAG_SIZE]) -> bool {
        // SAFETY: as in `seal`.
        unsafe { open(&self.key, counter, content, tag) }
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn seal(key: &[u32; 8], counter: u64, content: &mut [u8]) -> [u8; TAG_SIZE] {
    let powers = if content.len() <= 7 * BLOCK {
        let stream = eight(key, counter, 0);
        let powers = Powers::new(&first_half(stream[0]));
        apply(&stream[1..], content);
        powers
    } else {
        let stream = sixteen(key, counter, 0);
        let powers = Powers::new(&first_half(stream[0]));
        let rest = apply(&stream[1..], content);
        apply_from(key, counter, 16, rest);
        powers
    };
    powers.tag(content)
}

#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn open(key: &[u32; 8], counter: u64, content: &mut [u8], tag: &[u8; TAG_SIZE]) -> bool {
    let tag = u128::from_le_bytes(*tag);
    if content.len() <= 7 * BLOCK {
        let stream = eight(key, counter, 0);
        let made = Powers::new(&first_half(stream[0])).tag(content);
        if u128::from_le_bytes(made) != tag {
            return false;
        }
        apply(&stream[1..], content);
        return true;
    }
    let stream = sixteen(key, counter, 0);
    let powers = Powers::new(&first_half(stream[0]));
    let next = eight(key, counter, 16);
    if u128::from_le_bytes(powers.tag(content)) != tag {
        return false;
    }
    let rest = apply(&stream[1..], content);
    let rest = apply(&next, rest);
    apply_from(key, counter, 24, rest);
    true
}

/// Where the key of a tag comes from (RFC 8439 section 2.6).
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn first_half(block: __m512i) -> [u8; 32] {
    let mut half = [0; 32];
    // SAFETY: 32 bytes are written to 32 bytes.
    unsafe { _mm256_storeu_si256(half.as_mut_ptr().cast(), _mm512_castsi512_si256(block)) };
    half
}

/// Adds the key stream from block `number` on to `content`.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn apply_from(key: &[u32; 8], counter: u64, mut number: u32, mut content: &mut [u8]) {
    while !content.is_empty() {
        if content.len() <= 8 * BLOCK {
            content = apply(&eight(key, counter, number), content);
            number += 8;
        } else {
            content = apply(&sixteen(key, counter, number), content);
            number += 16;
        }
    }
}

/// Adds blocks of key stream to the front of `content`; gives what they did not reach.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn apply<'c>(stream: &[__m512i], content: &'c mut [u8]) -> &'c mut [u8] {
    let reached = content.len().min(BLOCK * stream.len());
    let (reached, rest) = content.split_at_mut(reached);
    let mut blocks = stream.iter();
    let (whole, part) = reached.as_chunks_mut::<BLOCK>();
    for (bytes, block) in whole.iter_mut().zip(&mut blocks) {
        let bytes = bytes.as_mut_ptr().cast();
        // SAFETY: 64 bytes are read and written, and there are 64.
        unsafe { _mm512_storeu_si512(bytes, _mm512_xor_si512(_mm512_loadu_si512(bytes), *block)) };
    }
    if let Some(block) = blocks.next()
        && !part.is_empty()
    {
        let mask = (1 << part.len()) - 1;
        let bytes = part.as_mut_ptr().cast();
        // SAFETY: as many bytes are read and written as the mask has ones, fewer than 64, and there are as many.
        unsafe {
            let text = _mm512_maskz_loadu_epi8(mask, bytes);
            _mm512_mask_storeu_epi8(bytes, mask, _mm512_xor_si512(text, *block));
        }
    }
    rest
}
