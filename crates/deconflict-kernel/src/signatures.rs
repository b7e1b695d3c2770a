//! Ed25519 signatures of one key over many statements, as a start proves a whole record.
//!
//! libsodium judges every statement that arrives, one by one (`deconflict.line.keys`). What it let
//! in is judged again here, at each start: the same equation (RFC 8032 §5.1.7, no cofactor), the
//! same refusals (S out of range, A or R of small order), without asking Python in between. Each
//! statement is judged alone, as `verify_strict` of ed25519-dalek would: only the multiples of the
//! key and of the base point are looked up in tables that are made once, so no doubling is left.

use crate::multiples::{Digits, Multiples};
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use sha2::{Digest, Sha512};
use std::sync::LazyLock;

const SIGNATURE_LENGTH: usize = 64;

static BASE: LazyLock<Multiples> = LazyLock::new(|| Multiples::new(&ED25519_BASEPOINT_POINT));

/// The public key is no point of the curve, or of small order: nothing it signed proves anything.
#[derive(Debug, PartialEq, Eq)]
pub struct WeakKey;

/// A public key with the multiples of its negative, for many signatures.
pub struct Prover {
    public: [u8; 32],
    minus_key: Multiples,
}

impl Prover {
    /// Make the table of a key: about the work of 60 signatures.
    pub fn new(public: &[u8; 32]) -> Result<Self, WeakKey> {
        let key = CompressedEdwardsY(*public).decompress().ok_or(WeakKey)?;
        if key.is_small_order() {
            return Err(WeakKey);
        }
        Ok(Self {
            public: *public,
            minus_key: Multiples::new(&-key),
        })
    }

    /// The key itself.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// The place of the first statement whose signature does not hold; `None` when all hold.
    ///
    /// What is signed is `context` followed by the statement. A signature of another length than
    /// 64 bytes does not hold.
    pub fn first_bad<'a>(
        &self,
        context: &[u8],
        statements: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Option<usize> {
        statements
            .into_iter()
            .position(|(statement, signature)| !self.holds(context, statement, signature))
    }

    fn holds(&self, context: &[u8], statement: &[u8], signature: &[u8]) -> bool {
        let Ok(signature) = <&[u8; SIGNATURE_LENGTH]>::try_from(signature) else {
            return false;
        };
        let mut said_r = [0; 32];
        let mut said_s = [0; 32];
        said_r.copy_from_slice(&signature[..32]);
        said_s.copy_from_slice(&signature[32..]);
        let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(said_s)) else {
            return false;
        };
        let challenge = Sha512::new()
            .chain_update(said_r)
            .chain_update(self.public)
            .chain_update(context)
            .chain_update(statement)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&challenge.into());
        let (s, k) = (Digits::of(&s), Digits::of(&k));
        BASE.ask_for(&s);
        self.minus_key.ask_for(&k);
        let r = BASE.add_to(EdwardsPoint::identity(), &s);
        let r = self.minus_key.add_to(r, &k);
        // Equal bytes are the canonical bytes of this very point, so what R decodes to needs no
        // second look: it is of small order exactly when this point is.
        r.compress().to_bytes() == said_r && !r.is_small_order()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

    const CONTEXT: &[u8] = b"deconflict/1 envelope\n";

    fn first_bad<'a>(
        public: &[u8; 32],
        context: &[u8],
        statements: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Option<usize>, WeakKey> {
        Ok(Prover::new(public)?.first_bad(context, statements))
    }

    fn signed(key: &SigningKey, statement: &[u8]) -> Vec<u8> {
        key.sign(&[CONTEXT, statement].concat()).to_bytes().to_vec()
    }

    #[test]
    fn the_first_altered_statement_is_named() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let texts: Vec<Vec<u8>> = (0..5u8).map(|n| vec![n; 100]).collect();
        let signatures: Vec<Vec<u8>> = texts.iter().map(|t| signed(&key, t)).collect();
        let pairs = |texts: &[Vec<u8>]| -> Result<Option<usize>, WeakKey> {
            let both = texts.iter().zip(&signatures);
            first_bad(&public, CONTEXT, both.map(|(t, s)| (&t[..], &s[..])))
        };
        assert_eq!(pairs(&texts), Ok(None));
        let mut altered = texts.clone();
        altered[3][50] ^= 1;
        altered[4][50] ^= 1;
        assert_eq!(pairs(&altered), Ok(Some(3)));
    }

    #[test]
    fn a_cut_signature_does_not_hold() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let whole = signed(&key, b"x");
        let cut = [(&b"x"[..], &whole[..63])];
        assert_eq!(first_bad(&public, CONTEXT, cut), Ok(Some(0)));
    }

    #[test]
    fn another_context_does_not_hold() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let whole = signed(&key, b"x");
        let pair = [(&b"x"[..], &whole[..])];
        assert_eq!(
            first_bad(&public, b"deconflict/1 receipt\n", pair),
            Ok(Some(0))
        );
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        // The neutral element: with it, R = neutral and S = 0 would fit every statement.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut fits_all = [0; 64];
        fits_all[0] = 1;
        let pair = [(&b"x"[..], &fits_all[..])];
        assert_eq!(first_bad(&neutral, CONTEXT, pair), Err(WeakKey));
    }

    #[test]
    fn every_altered_bit_is_judged_as_verify_strict_does() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let public = key.verifying_key();
        let prover = Prover::new(&public.to_bytes()).ok().unwrap();
        let whole = signed(&key, b"one of many");
        let message = [CONTEXT, b"one of many"].concat();
        for bit in 0..512 {
            let mut altered = whole.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            let strict = VerifyingKey::verify_strict(
                &public,
                &message,
                &Signature::from_slice(&altered).unwrap(),
            );
            assert!(strict.is_err());
            let pair = [(&b"one of many"[..], &altered[..])];
            assert_eq!(prover.first_bad(CONTEXT, pair), Some(0), "bit {bit}");
        }
    }

    #[test]
    fn keys_and_points_outside_the_prime_order_subgroup_are_judged_as_verify_strict_does() {
        // Points of order 1, 2, 4 and 8, added to a key or to R: what no honest signer makes.
        use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
        let secret = Scalar::from(7_u64);
        for torsion in EIGHT_TORSION {
            let public = (ED25519_BASEPOINT_POINT * secret + torsion).compress();
            let strict_key = VerifyingKey::from_bytes(&public.to_bytes()).unwrap();
            let prover = Prover::new(&public.to_bytes()).ok().unwrap();
            for (nonce, shift) in [0_u64, 11]
                .into_iter()
                .zip(EIGHT_TORSION)
                .chain(EIGHT_TORSION.into_iter().map(|point| (11_u64, point)))
            {
                let nonce = Scalar::from(nonce);
                let r = (ED25519_BASEPOINT_POINT * nonce + shift).compress();
                for statement in 0..16_u8 {
                    let challenge = Sha512::new()
                        .chain_update(r.as_bytes())
                        .chain_update(public.as_bytes())
                        .chain_update([statement])
                        .finalize();
                    let k = Scalar::from_bytes_mod_order_wide(&challenge.into());
                    let s = nonce + k * secret;
                    let signature = [r.to_bytes(), s.to_bytes()].concat();
                    let strict = strict_key
                        .verify_strict(&[statement], &Signature::from_slice(&signature).unwrap());
                    let pair = [(&[statement][..], &signature[..])];
                    assert_eq!(prover.first_bad(b"", pair).is_none(), strict.is_ok());
                }
            }
        }
    }

    #[test]
    fn a_scalar_out_of_range_does_not_hold() {
        // S + the group's order fits the equation as well; RFC 8032 §5.1.7 refuses it.
        let order: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let key = SigningKey::from_bytes(&[7; 32]);
        let mut whole = signed(&key, b"x");
        let mut carry = 0_u16;
        for (place, add) in order.iter().enumerate() {
            carry += u16::from(whole[32 + place]) + u16::from(*add);
            whole[32 + place] = (carry & 0xff) as u8;
            carry >>= 8;
        }
        let pair = [(&b"x"[..], &whole[..])];
        let public = key.verifying_key().to_bytes();
        assert_eq!(first_bad(&public, CONTEXT, pair), Ok(Some(0)));
    }
}
