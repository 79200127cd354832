//! Poly1305 (RFC 8439 section 2.5), eight blocks at a time, one in each lane, as numbers in three limbs of 44, 44 and 42 bits.
//!
//! Blocks are taken in groups of eight, two groups at a time, so that one multiplication need not wait for the last:
//! the sums of either are multiplied by `r^16` between two groups of theirs. A first group that is not full is filled up with
//! zeros in front, which add nothing. At the end each lane is multiplied by its own power of `r`, and they are added up.
//!
//! Why nothing overflows: a product leaves limbs of 44, 45 and 43 bits at most, and of a factor the wrapped ones have 50, so all
//! that is multiplied fits the 52 bits that the processor looks at; three lower halves and an addend have 54 bits, three upper
//! halves and what is carried into them 55, of 64.

#[cfg(test)]
mod tests;

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_broadcastq_epi64, _mm512_castsi512_si128,
    _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64,
    _mm512_maskz_mov_epi64, _mm512_or_si512, _mm512_reduce_add_epi64, _mm512_set1_epi64,
    _mm512_setzero_si512, _mm512_slli_epi64, _mm512_srli_epi64, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi64,
};

use crate::message::TAG_SIZE;

/// Bytes of a block, and of eight.
const BLOCK: usize = 16;
const GROUP: usize = 8 * BLOCK;

const LOW_44: u64 = (1 << 44) - 1;
const LOW_42: u64 = (1 << 42) - 1;
/// What every block has above its bytes, 2^128, in the upper limb.
const TOP: i64 = 1 << 40;

/// Which block of a group is in which lane: as they come out of taking two vectors apart.
const ORDER: [usize; 8] = [0, 4, 1, 5, 2, 6, 3, 7];

/// Eight numbers below 2^131 or so, that stand for themselves modulo 2^130 - 5.
#[derive(Clone, Copy)]
struct Limbs([__m512i; 3]);

/// Eight numbers to multiply by: their limbs, and the upper two times 20, which is 2^132 modulo 2^130 - 5.
#[derive(Clone, Copy)]
struct Factor {
    limbs: [__m512i; 3],
    wrapped: [__m512i; 2],
}

/// A key's powers as they are needed, and what is added at the end.
pub(super) struct Powers {
    /// Each lane's own: block 7 is multiplied by `r`, block 0 by `r^8`.
    own: Factor,
    eighth: Factor,
    sixteenth: Factor,
    pad: u128,
}

impl Powers {
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let (half, pad) = (u128_at(key, 0), u128_at(key, 16));
        let r = half & 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff;
        let first = Limbs([
            _mm512_set1_epi64((r as u64 & LOW_44).cast_signed()),
            _mm512_set1_epi64(((r >> 44) as u64 & LOW_44).cast_signed()),
            _mm512_set1_epi64(((r >> 88) as u64).cast_signed()),
        ]);
        let second = multiply(first, &first.as_factor());
        // The exponents of the lanes are 8 4 7 3 6 2 5 1, made bit by bit of one less.
        let own = Limbs::select(0b0011_0011, first, second);
        let product = multiply(own, &second.as_factor());
        let own = Limbs::select(0b0000_1111, own, product);
        let fourth = product.first_lane();
        let product = multiply(own, &fourth.as_factor());
        let own = Limbs::select(0b0101_0101, own, product);
        let eighth = product.first_lane();
        let factor = eighth.as_factor();
        Self {
            own: own.as_factor(),
            sixteenth: multiply(eighth, &factor).as_factor(),
            eighth: factor,
            pad,
        }
    }

    /// The tag of `content`: its blocks, zeros to the end of the last, and a block that ends in its length (RFC 8439 section 2.8).
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
    pub(super) fn tag(&self, content: &[u8]) -> [u8; TAG_SIZE] {
        let blocks = content.len().div_ceil(BLOCK) + 1;
        // The last group holds seven blocks of the content and the one of the length, or all there is.
        let in_last = blocks.min(8) - 1;
        let before = blocks - 1 - in_last;
        let (content_before, rest) = content.split_at(before * BLOCK);
        let mut last = [0; GROUP];
        let start = (7 - in_last) * BLOCK;
        last[start..start + rest.len()].copy_from_slice(rest);
        last[GROUP - 8..].copy_from_slice(&(content.len() as u64).to_le_bytes());
        let last = Limbs::of(&last, top_of_last(in_last + 1));

        let (head, middle) = content_before.split_at(before % 8 * BLOCK);
        let (mut middle, _) = middle.as_chunks::<GROUP>();
        // `odd` holds groups whose distance from the last is odd, `even` the others and the last.
        let mut odd = Limbs::zero();
        let mut even = Limbs::zero();
        if !head.is_empty() {
            let mut padded = [0; GROUP];
            padded[GROUP - head.len()..].copy_from_slice(head);
            let group = Limbs::of(&padded, top_of_last(before % 8));
            if middle.len() % 2 == 0 {
                odd = group;
            } else {
                even = group;
            }
        }
        let top = _mm512_set1_epi64(TOP);
        if middle.len() % 2 == 0
            && let Some((group, others)) = middle.split_first()
        {
            // The first pair: what was in front is the other of it.
            even = Limbs::of(group, top);
            middle = others;
        }
        let (pairs, single) = middle.as_chunks::<2>();
        for [left, right] in pairs {
            odd = multiply_and_add(odd, &self.sixteenth, Limbs::of(left, top));
            even = multiply_and_add(even, &self.sixteenth, Limbs::of(right, top));
        }
        let sum = match single.first() {
            Some(left) => {
                odd = multiply_and_add(odd, &self.sixteenth, Limbs::of(left, top));
                even = multiply_and_add(even, &self.sixteenth, last);
                multiply_and_add(odd, &self.eighth, even)
            }
            None => multiply_and_add(odd, &self.eighth, last),
        };
        finish(multiply(sum, &self.own).sum(), self.pad)
    }
}

impl Limbs {
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
    fn zero() -> Self {
        Self([_mm512_setzero_si512(); 3])
    }

    /// Eight blocks, with `top` in the upper limbs.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
    fn of(blocks: &[u8; GROUP], top: __m512i) -> Self {
        let (front, back) = blocks.split_at(GROUP / 2);
        // SAFETY: 64 bytes each are read of 64 each.
        let (front, back) = unsafe {
            (
                _mm512_loadu_si512(front.as_ptr().cast()),
                _mm512_loadu_si512(back.as_ptr().cast()),
            )
        };
        let low = _mm512_unpacklo_epi64(front, back);
        let high = _mm512_unpackhi_epi64(front, back);
        let mask = _mm512_set1_epi64(LOW_44.cast_signed());
        let middle = _mm512_or_si512(_mm512_srli_epi64::<44>(low), _mm512_slli_epi64::<20>(high));
        Self([
            _mm512_and_si512(low, mask),
            _mm512_and_si512(middle, mask),
            _mm512_or_si512(_mm512_srli_epi64::<24>(high), top),
        ])
    }

    /// `ones` where the mask has ones, `zeros` elsewhere.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
    fn select(mask: u8, zeros: Self, ones: Self) -> Self {
        Self([
            _mm512_mask_blend_epi64(mask, zeros.0[0], ones.0[0]),
            _mm512_mask_blend_epi64(mask, zeros.0[1], ones.0[1]),
            _mm512_mask_blend_epi64(mask, zeros.0[2], ones.0[2]),
        ])
    }

    /// The first lane in all lanes.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
    fn first_lane(self) -> Self {
        Self([
            _mm512_broadcastq_epi64(_mm512_castsi512_si128(self.0[0])),
            _mm512_broadcastq_epi64(_mm512_castsi512_si128(self.0[1])),
            _mm512_broadcastq_epi64(_mm512_castsi512_si128(self.0[2])),
        ])
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
    fn as_factor(self) -> Factor {
        Factor {
            limbs: self.0,
            wrapped: [twenty_times(self.0[1]), twenty_times(self.0[2])],
        }
    }

    /// The limbs of all lanes together.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
    fn sum(self) -> [u64; 3] {
        [
            _mm512_reduce_add_epi64(self.0[0]).cast_unsigned(),
            _mm512_reduce_add_epi64(self.0[1]).cast_unsigned(),
            _mm512_reduce_add_epi64(self.0[2]).cast_unsigned(),
        ]
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn twenty_times(limb: __m512i) -> __m512i {
    _mm512_add_epi64(_mm512_slli_epi64::<4>(limb), _mm512_slli_epi64::<2>(limb))
}

/// What the last `count` blocks of a group have above their bytes; the others are not there.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn top_of_last(count: usize) -> __m512i {
    let mut mask = 0;
    for (lane, block) in ORDER.into_iter().enumerate() {
        mask |= u8::from(block + count >= 8) << lane;
    }
    _mm512_maskz_mov_epi64(mask, _mm512_set1_epi64(TOP))
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn multiply(number: Limbs, factor: &Factor) -> Limbs {
    multiply_and_add(number, factor, Limbs::zero())
}

/// `number * factor + addend`. Limbs may have 46 bits, those of the factor 45.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn multiply_and_add(number: Limbs, factor: &Factor, addend: Limbs) -> Limbs {
    let [h0, h1, h2] = number.0;
    let [r0, r1, r2] = factor.limbs;
    let [s1, s2] = factor.wrapped;
    let [a0, a1, a2] = addend.0;
    let (low0, high0) = three_products(a0, [h0, h1, h2], [r0, s2, s1]);
    let (low1, high1) = three_products(a1, [h1, h2, h0], [r0, s2, r1]);
    let (low2, high2) = three_products(a2, [h2, h1, h0], [r0, r1, r2]);
    // High halves weigh 2^52: 2^8 of the next limb, or 2^10 beyond the last.
    let l1 = _mm512_add_epi64(low1, _mm512_slli_epi64::<8>(high0));
    let l2 = _mm512_add_epi64(low2, _mm512_slli_epi64::<8>(high1));
    let beyond = _mm512_slli_epi64::<10>(high2);

    let low_44 = _mm512_set1_epi64(LOW_44.cast_signed());
    let low_42 = _mm512_set1_epi64(LOW_42.cast_signed());
    let beyond = _mm512_add_epi64(beyond, _mm512_srli_epi64::<42>(l2));
    let l2 = _mm512_add_epi64(_mm512_and_si512(l2, low_42), _mm512_srli_epi64::<44>(l1));
    // 2^130 is 5.
    let l0 = _mm512_add_epi64(
        _mm512_add_epi64(low0, beyond),
        _mm512_slli_epi64::<2>(beyond),
    );
    let l1 = _mm512_add_epi64(_mm512_and_si512(l1, low_44), _mm512_srli_epi64::<44>(l0));
    Limbs([_mm512_and_si512(l0, low_44), l1, l2])
}

/// The sums of the lower 52 bits of three products and `addend`, and of the bits above them.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn three_products(addend: __m512i, left: [__m512i; 3], right: [__m512i; 3]) -> (__m512i, __m512i) {
    let mut low = addend;
    let mut high = _mm512_setzero_si512();
    for (left, right) in left.into_iter().zip(right) {
        low = _mm512_madd52lo_epu64(low, left, right);
        high = _mm512_madd52hi_epu64(high, left, right);
    }
    (low, high)
}

/// Reduces a sum of lanes for good, and adds the pad.
fn finish([mut l0, mut l1, mut l2]: [u64; 3], pad: u128) -> [u8; TAG_SIZE] {
    for _ in 0..2 {
        l1 += l0 >> 44;
        l2 += l1 >> 44;
        (l0, l1) = (l0 & LOW_44, l1 & LOW_44);
        l0 += (l2 >> 42) * 5;
        l2 &= LOW_42;
    }
    l1 += l0 >> 44;
    l2 += l1 >> 44;
    (l0, l1) = (l0 & LOW_44, l1 & LOW_44);
    // Less 2^130 - 5, if it is not below that.
    let m0 = l0 + 5;
    let m1 = l1 + (m0 >> 44);
    let m2 = l2 + (m1 >> 44);
    let is_above = 0_u64.wrapping_sub(m2 >> 42);
    let choose = |less: u64, limb: u64| (less & is_above) | (limb & !is_above);
    let number = u128::from(choose(m0 & LOW_44, l0))
        | u128::from(choose(m1 & LOW_44, l1)) << 44
        | u128::from(choose(m2 & LOW_42, l2)) << 88;
    number.wrapping_add(pad).to_le_bytes()
}

fn u128_at(key: &[u8; 32], start: usize) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&key[start..start + 16]);
    u128::from_le_bytes(bytes)
}
