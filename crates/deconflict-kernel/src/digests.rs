//! SHA-256 of many texts at once, one in each lane of a vector register (FIPS 180-4).
//!
//! A processor without instructions for it takes five times as long one text after the other. The
//! answers are those of `sha2`, which the tests ask, and which is asked where there are such
//! instructions.

use crate::entry_fields::Hash;
use crate::width::at_any_width;
use sha2::{Digest, Sha256};

const LANES: usize = 16;
const BLOCK_BYTES: usize = 64;
const LENGTH_BYTES: usize = 8; // behind the text and the bit that ends it: §5.1.1
type Words = [u32; LANES];

/// §4.2.2: the fractions of the cube roots of the first 64 primes.
#[rustfmt::skip]
const ROUNDS: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// §5.3.3: the fractions of the square roots of the first 8 primes.
#[rustfmt::skip]
const BEGIN: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// The digest of each text, in their order; quickest where they are of one length.
pub(crate) fn digests<T: AsRef<[u8]>>(texts: &[T]) -> Vec<Hash> {
    if has_instructions() {
        return texts
            .iter()
            .map(|text| Sha256::digest(text).into())
            .collect();
    }
    in_lanes(texts)
}

fn in_lanes<T: AsRef<[u8]>>(texts: &[T]) -> Vec<Hash> {
    let mut found = vec![[0; 32]; texts.len()];
    let mut by_length: Vec<usize> = (0..texts.len()).collect();
    by_length.sort_unstable_by_key(|&at| texts[at].as_ref().len());
    for group in by_length.chunks(LANES) {
        let mut state = BEGIN.map(|word| [word; LANES]);
        let longest = group.last().map_or(0, |&at| blocks_of(texts[at].as_ref()));
        for number in 0..longest {
            let mut block = [[0; LANES]; 16];
            for (lane, &at) in group.iter().enumerate() {
                let bytes = block_of(texts[at].as_ref(), number);
                for (words, &bytes) in block.iter_mut().zip(bytes.as_chunks().0) {
                    words[lane] = u32::from_be_bytes(bytes);
                }
            }
            take(&mut state, &block);
            for (lane, &at) in group.iter().enumerate() {
                if number + 1 == blocks_of(texts[at].as_ref()) {
                    for (bytes, words) in found[at].as_chunks_mut().0.iter_mut().zip(&state) {
                        *bytes = words[lane].to_be_bytes();
                    }
                }
            }
        }
    }
    found
}

/// True where `sha2` has the processor hash, which is quicker than lanes.
fn has_instructions() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("sha");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

fn blocks_of(text: &[u8]) -> usize {
    (text.len() + LENGTH_BYTES) / BLOCK_BYTES + 1
}

/// §5.1.1: a text is followed by one bit, and its last block ends with its length in bits.
fn block_of(text: &[u8], number: usize) -> [u8; BLOCK_BYTES] {
    let begin = number * BLOCK_BYTES;
    let mut block = [0; BLOCK_BYTES];
    if let Some(whole) = text.get(begin..begin + BLOCK_BYTES) {
        block.copy_from_slice(whole);
        return block;
    }
    if let Some(rest) = text.get(begin..) {
        block[..rest.len()].copy_from_slice(rest);
        block[rest.len()] = 0x80;
    }
    if number + 1 == blocks_of(text) {
        let bits = (text.len() as u64).wrapping_mul(8);
        block[BLOCK_BYTES - LENGTH_BYTES..].copy_from_slice(&bits.to_be_bytes());
    }
    block
}

// A plain loop, which becomes one instruction; `array::from_fn` does not always.
#[inline(always)]
fn each(word: impl Fn(usize) -> u32) -> Words {
    let mut words = [0; LANES];
    for (at, one) in words.iter_mut().enumerate() {
        *one = word(at);
    }
    words
}

at_any_width! {
    /// §6.2.2: take one block of each text.
    fn take(state: &mut [Words; 8], block: &[Words; 16]) {
        let mut said = *block;
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
        for round in 0..64 {
            let now = round & 15;
            if round >= 16 {
                let (two, seven) = (said[(round + 14) & 15], said[(round + 9) & 15]);
                let (fifteen, sixteen) = (said[(round + 1) & 15], said[now]);
                said[now] = each(|i| {
                    let late = two[i].rotate_right(17) ^ two[i].rotate_right(19) ^ (two[i] >> 10);
                    let early =
                        fifteen[i].rotate_right(7) ^ fifteen[i].rotate_right(18) ^ (fifteen[i] >> 3);
                    late.wrapping_add(seven[i]).wrapping_add(early).wrapping_add(sixteen[i])
                });
            }
            let said = said[now];
            let first = each(|i| {
                let sum = e[i].rotate_right(6) ^ e[i].rotate_right(11) ^ e[i].rotate_right(25);
                let choice = (e[i] & f[i]) ^ (!e[i] & g[i]);
                h[i].wrapping_add(sum)
                    .wrapping_add(choice)
                    .wrapping_add(ROUNDS[round])
                    .wrapping_add(said[i])
            });
            let second = each(|i| {
                let sum = a[i].rotate_right(2) ^ a[i].rotate_right(13) ^ a[i].rotate_right(22);
                sum.wrapping_add((a[i] & b[i]) ^ (a[i] & c[i]) ^ (b[i] & c[i]))
            });
            (h, g, f) = (g, f, e);
            e = each(|i| d[i].wrapping_add(first[i]));
            (d, c, b) = (c, b, a);
            a = each(|i| first[i].wrapping_add(second[i]));
        }
        for (one, added) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *one = each(|i| one[i].wrapping_add(added[i]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_digest_is_that_of_its_text_alone() {
        for count in [0, 1, 15, 16, 17, 40] {
            for least in (0..200).chain([1_000, 5_000]) {
                // Of several lengths, so that lanes end at different blocks.
                let texts: Vec<Vec<u8>> = (0..count)
                    .map(|n| vec![n as u8; least + 31 * (count - n)])
                    .collect();
                let alone: Vec<Hash> = texts
                    .iter()
                    .map(|text| Sha256::digest(text).into())
                    .collect();
                assert_eq!(in_lanes(&texts), alone);
                assert_eq!(digests(&texts), alone);
            }
        }
    }
}
