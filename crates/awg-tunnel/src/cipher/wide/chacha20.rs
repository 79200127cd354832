//! The key stream of `ChaCha20` (RFC 8439 section 2.3): word `w` of many blocks side by side in vector `w`, then turned so that each
//! block is one vector.

use std::arch::x86_64::{
    __m256i, __m512i, _mm256_add_epi32, _mm256_permute2x128_si256, _mm256_rol_epi32,
    _mm256_set1_epi32, _mm256_setr_epi32, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256, _mm512_add_epi32,
    _mm512_castsi256_si512, _mm512_inserti64x4, _mm512_rol_epi32, _mm512_set1_epi32,
    _mm512_setr_epi32, _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

/// Bytes of a block.
pub(super) const BLOCK: usize = 64;

/// "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Four quarter rounds, step by step side by side: none waits for its own last step.
macro_rules! quarter_rounds {
    ($x:ident, $add:ident, $xor:ident, $rotate:ident; $([$a:literal, $b:literal, $c:literal, $d:literal])*) => {
        $($x[$a] = $add($x[$a], $x[$b]);)*
        $($x[$d] = $rotate::<16>($xor($x[$d], $x[$a]));)*
        $($x[$c] = $add($x[$c], $x[$d]);)*
        $($x[$b] = $rotate::<12>($xor($x[$b], $x[$c]));)*
        $($x[$a] = $add($x[$a], $x[$b]);)*
        $($x[$d] = $rotate::<8>($xor($x[$d], $x[$a]));)*
        $($x[$c] = $add($x[$c], $x[$d]);)*
        $($x[$b] = $rotate::<7>($xor($x[$b], $x[$c]));)*
    };
}

/// The block function for as many blocks as a vector has words, and four words of each turned into one piece.
macro_rules! blocks {
    ($words:ident, $quads:ident, $vector:ty; $fill:ident, $add:ident, $xor:ident, $rotate:ident;
     $low32:ident, $high32:ident, $low64:ident, $high64:ident) => {
        /// Word `w` of every block is in vector `w`.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
        fn $words(key: &[u32; 8], counter: u64, numbers: $vector) -> [$vector; 16] {
            let [c0, c1, c2, c3] = CONSTANTS.map(u32::cast_signed);
            let [k0, k1, k2, k3, k4, k5, k6, k7] = key.map(u32::cast_signed);
            let [n1, n2] = [counter as i32, (counter >> 32) as i32];
            let start = [
                $fill(c0), $fill(c1), $fill(c2), $fill(c3),
                $fill(k0), $fill(k1), $fill(k2), $fill(k3),
                $fill(k4), $fill(k5), $fill(k6), $fill(k7),
                numbers, $fill(0), $fill(n1), $fill(n2),
            ];
            let mut x = start;
            for _ in 0..10 {
                quarter_rounds!(x, $add, $xor, $rotate; [0, 4, 8, 12] [1, 5, 9, 13] [2, 6, 10, 14] [3, 7, 11, 15]);
                quarter_rounds!(x, $add, $xor, $rotate; [0, 5, 10, 15] [1, 6, 11, 12] [2, 7, 8, 13] [3, 4, 9, 14]);
            }
            for (word, start) in x.iter_mut().zip(start) {
                *word = $add(*word, start);
            }
            x
        }

        /// Of four vectors of words four vectors whose pieces of 128 bits hold these words of one block: piece `p` of vector
        /// `j` is of block `4p + j`.
        #[inline]
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
        fn $quads(a: $vector, b: $vector, c: $vector, d: $vector) -> [$vector; 4] {
            let (ab, cd) = ($low32(a, b), $low32(c, d));
            let (ef, gh) = ($high32(a, b), $high32(c, d));
            [$low64(ab, cd), $high64(ab, cd), $low64(ef, gh), $high64(ef, gh)]
        }
    };
}

blocks!(words_of_sixteen, quads_of_sixteen, __m512i;
    _mm512_set1_epi32, _mm512_add_epi32, _mm512_xor_si512, _mm512_rol_epi32;
    _mm512_unpacklo_epi32, _mm512_unpackhi_epi32, _mm512_unpacklo_epi64, _mm512_unpackhi_epi64);
blocks!(words_of_eight, quads_of_eight, __m256i;
    _mm256_set1_epi32, _mm256_add_epi32, _mm256_xor_si256, _mm256_rol_epi32;
    _mm256_unpacklo_epi32, _mm256_unpackhi_epi32, _mm256_unpacklo_epi64, _mm256_unpackhi_epi64);

/// Sixteen blocks of key stream, from block `first` on.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
pub(super) fn sixteen(key: &[u32; 8], counter: u64, first: u32) -> [__m512i; 16] {
    let numbers = _mm512_add_epi32(
        _mm512_set1_epi32(first.cast_signed()),
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    );
    let words = words_of_sixteen(key, counter, numbers);
    let quads = [
        quads_of_sixteen(words[0], words[1], words[2], words[3]),
        quads_of_sixteen(words[4], words[5], words[6], words[7]),
        quads_of_sixteen(words[8], words[9], words[10], words[11]),
        quads_of_sixteen(words[12], words[13], words[14], words[15]),
    ];
    let mut blocks = [_mm512_setzero_si512(); 16];
    for j in 0..4 {
        let [a, b, c, d] = quads.map(|quad| quad[j]);
        // Pieces 0 and 2, and pieces 1 and 3, of both.
        let (even_ab, odd_ab) = (
            _mm512_shuffle_i32x4::<0x88>(a, b),
            _mm512_shuffle_i32x4::<0xdd>(a, b),
        );
        let (even_cd, odd_cd) = (
            _mm512_shuffle_i32x4::<0x88>(c, d),
            _mm512_shuffle_i32x4::<0xdd>(c, d),
        );
        blocks[j] = _mm512_shuffle_i32x4::<0x88>(even_ab, even_cd);
        blocks[4 + j] = _mm512_shuffle_i32x4::<0x88>(odd_ab, odd_cd);
        blocks[8 + j] = _mm512_shuffle_i32x4::<0xdd>(even_ab, even_cd);
        blocks[12 + j] = _mm512_shuffle_i32x4::<0xdd>(odd_ab, odd_cd);
    }
    blocks
}

/// Eight blocks of key stream, from block `first` on.
#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
pub(super) fn eight(key: &[u32; 8], counter: u64, first: u32) -> [__m512i; 8] {
    let numbers = _mm256_add_epi32(
        _mm256_set1_epi32(first.cast_signed()),
        _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
    );
    let words = words_of_eight(key, counter, numbers);
    let quads = [
        quads_of_eight(words[0], words[1], words[2], words[3]),
        quads_of_eight(words[4], words[5], words[6], words[7]),
        quads_of_eight(words[8], words[9], words[10], words[11]),
        quads_of_eight(words[12], words[13], words[14], words[15]),
    ];
    let mut blocks = [_mm512_setzero_si512(); 8];
    for j in 0..4 {
        let [a, b, c, d] = quads.map(|quad| quad[j]);
        blocks[j] = join(
            _mm256_permute2x128_si256::<0x20>(a, b),
            _mm256_permute2x128_si256::<0x20>(c, d),
        );
        blocks[4 + j] = join(
            _mm256_permute2x128_si256::<0x31>(a, b),
            _mm256_permute2x128_si256::<0x31>(c, d),
        );
    }
    blocks
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512ifma")]
fn join(low: __m256i, high: __m256i) -> __m512i {
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high)
}
