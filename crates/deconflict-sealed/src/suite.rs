//! The suite ristretto255-SHA512 of RFC 9497 §4.1 in one of its three modes.

use crate::expand::Expander;
use crate::{Refusal, POINT_LENGTH};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

/// What the protocol is for (RFC 9497 §3.1). Private checks use the third; the others share all of
/// its code, which their published vectors prove too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Oprf = 0,
    Voprf = 1,
    Poprf = 2,
}

/// Hashes with the domain separation of one mode.
pub struct Suite {
    to_group: Expander,
    to_scalar: Expander,
    key: Expander,
    seed_domain: Vec<u8>,
}

impl Suite {
    /// Make the hashes of a mode.
    pub fn new(mode: Mode) -> Result<Self, Refusal> {
        let context = [b"OPRFV1-", &[mode as u8][..], b"-ristretto255-SHA512"].concat();
        Ok(Self {
            to_group: Expander::new(&[b"HashToGroup-", &context])?,
            to_scalar: Expander::new(&[b"HashToScalar-", &context])?,
            key: Expander::new(&[b"DeriveKeyPair", &context])?,
            seed_domain: [b"Seed-", &context[..]].concat(),
        })
    }

    /// The element of an input, of which nobody knows the logarithm.
    pub fn hash_to_group(&self, input: &[u8]) -> Result<RistrettoPoint, Refusal> {
        let uniform = Zeroizing::new(self.to_group.expand::<64>(&[input]));
        let point = RistrettoPoint::from_uniform_bytes(&uniform);
        if point.is_identity() {
            return Err(Refusal::Degenerate { what: "an input" });
        }
        Ok(point)
    }

    /// The scalar of a message given in parts.
    pub fn hash_to_scalar(&self, message: &[&[u8]]) -> Scalar {
        let uniform = Zeroizing::new(self.to_scalar.expand::<64>(message));
        Scalar::from_bytes_mod_order_wide(&uniform)
    }

    /// The scalar of `DeriveKeyPair` before it is known not to be zero.
    pub(crate) fn hash_to_key(&self, message: &[&[u8]]) -> Scalar {
        let uniform = Zeroizing::new(self.key.expand::<64>(message));
        Scalar::from_bytes_mod_order_wide(&uniform)
    }

    /// What opens the weights of a proof under this public key (RFC 9497 §2.2.1, `seed`).
    pub(crate) fn weights_seed(&self, key: &CompressedRistretto) -> [u8; 64] {
        Sha512::new()
            .chain_update((POINT_LENGTH as u16).to_be_bytes())
            .chain_update(key.as_bytes())
            .chain_update((self.seed_domain.len() as u16).to_be_bytes())
            .chain_update(&self.seed_domain)
            .finalize()
            .into()
    }
}

/// The output of an input and its unblinded element; `info` in the partially oblivious mode only.
pub fn finalize(input: &[u8], info: Option<&[u8]>, element: &[u8; POINT_LENGTH]) -> [u8; 64] {
    let mut hash = Sha512::new();
    // Inputs and infos are at most 65,535 bytes wherever they come in (`Cells`, `info`).
    for part in [Some(input), info, Some(element)].into_iter().flatten() {
        hash.update((part.len() as u16).to_be_bytes());
        hash.update(part);
    }
    hash.chain_update(b"Finalize").finalize().into()
}
