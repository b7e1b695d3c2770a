//! `expand_message_xmd` with SHA-512 (RFC 9380 §5.3.1).

use crate::Refusal;
use sha2::{Digest, Sha512};

const HASH_LENGTH: usize = 64;
const BLOCK_LENGTH: usize = 128;
const LONGEST_DOMAIN: usize = 255;

/// The expansion for one domain separation tag; what is alike for all messages is hashed once.
pub struct Expander {
    /// Has taken in the block of zeros that every message begins with.
    begun: Sha512,
    domain: Vec<u8>,
}

impl Expander {
    /// Make one for a tag of at most 255 bytes; the shortened form of longer ones is not offered.
    pub fn new(domain: &[&[u8]]) -> Result<Self, Refusal> {
        let mut domain = domain.concat();
        let given = domain.len();
        let length = u8::try_from(given).map_err(|_| Refusal::WrongLength {
            what: "domain separation tag",
            bytes: given,
            expected: LONGEST_DOMAIN,
        })?;
        domain.push(length);
        Ok(Self {
            begun: Sha512::new().chain_update([0; BLOCK_LENGTH]),
            domain,
        })
    }

    /// As many uniform bytes as asked for, of the parts of a message one behind the other.
    pub fn expand<const N: usize>(&self, message: &[&[u8]]) -> [u8; N] {
        // RFC 9380 §5.3.1 step 2: hashes are counted in one byte, the length said in two.
        const { assert!(N.div_ceil(HASH_LENGTH) < 255 && N <= 65_535) };
        let mut first = self.begun.clone();
        for part in message {
            first.update(part);
        }
        let first: [u8; HASH_LENGTH] = first
            .chain_update((N as u16).to_be_bytes())
            .chain_update([0])
            .chain_update(&self.domain)
            .finalize()
            .into();
        let mut uniform = [0; N];
        let mut before = [0; HASH_LENGTH];
        for (block, place) in uniform.chunks_mut(HASH_LENGTH).zip(1_u8..) {
            for (byte, of_first) in before.iter_mut().zip(&first) {
                *byte ^= of_first;
            }
            before = Sha512::new()
                .chain_update(before)
                .chain_update([place])
                .chain_update(&self.domain)
                .finalize()
                .into();
            block.copy_from_slice(&before[..block.len()]);
        }
        uniform
    }
}
