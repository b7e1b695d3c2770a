//! The batched proof that two lists of points have one ratio (RFC 9497 §2.2): DLEQ.
//!
//! Says: the one secret that makes the public key of the generator makes every `D[i]` of `C[i]`.
//! The lists come in as their weighted sums `M` and `Z`, which the caller adds up in parts.

use crate::suite::Suite;
use crate::POINT_LENGTH;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;

/// Challenge and response, 32 bytes each.
pub const PROOF_LENGTH: usize = 64;

/// The weights of one list under one public key.
pub struct Weights<'a> {
    suite: &'a Suite,
    seed: [u8; 64],
}

impl<'a> Weights<'a> {
    pub fn new(suite: &'a Suite, key: &CompressedRistretto) -> Self {
        Self {
            suite,
            seed: suite.weights_seed(key),
        }
    }

    /// The weight of the pair at a place of the lists.
    pub fn of(&self, place: u16, c: &[u8; POINT_LENGTH], d: &[u8; POINT_LENGTH]) -> Scalar {
        const SEED: [u8; 2] = 64_u16.to_be_bytes();
        self.suite.hash_to_scalar(&[
            &SEED,
            &self.seed,
            &place.to_be_bytes(),
            &LENGTH,
            c,
            &LENGTH,
            d,
            b"Composite",
        ])
    }
}

const LENGTH: [u8; 2] = (POINT_LENGTH as u16).to_be_bytes();

/// Add up weighted points. Both are known to whoever sees the messages, so time may tell them.
pub fn weighted_sum(weights: &[Scalar], points: &[RistrettoPoint]) -> RistrettoPoint {
    RistrettoPoint::vartime_multiscalar_mul(weights, points)
}

/// What a proof is about, encoded: the public key and both sums.
pub struct Statement {
    pub key: CompressedRistretto,
    pub m: CompressedRistretto,
    pub z: CompressedRistretto,
}

impl Statement {
    /// The three of them one behind the other.
    pub fn bytes(&self) -> [u8; 3 * POINT_LENGTH] {
        let mut bytes = [0; 3 * POINT_LENGTH];
        for (place, point) in [self.key, self.m, self.z].iter().enumerate() {
            bytes[place * POINT_LENGTH..][..POINT_LENGTH].copy_from_slice(point.as_bytes());
        }
        bytes
    }

    fn challenge(&self, suite: &Suite, t2: &RistrettoPoint, t3: &RistrettoPoint) -> Scalar {
        let (t2, t3) = (t2.compress(), t3.compress());
        suite.hash_to_scalar(&[
            &LENGTH,
            self.key.as_bytes(),
            &LENGTH,
            self.m.as_bytes(),
            &LENGTH,
            self.z.as_bytes(),
            &LENGTH,
            t2.as_bytes(),
            &LENGTH,
            t3.as_bytes(),
            b"Challenge",
        ])
    }
}

/// Prove with a secret and a nonce that serves for this statement alone; constant time.
pub fn prove(
    suite: &Suite,
    secret: &Scalar,
    nonce: &Scalar,
    statement: &Statement,
    m: &RistrettoPoint,
) -> [u8; PROOF_LENGTH] {
    let challenge = statement.challenge(suite, &RistrettoPoint::mul_base(nonce), &(nonce * m));
    let response = nonce - challenge * secret;
    let mut proof = [0; PROOF_LENGTH];
    proof[..32].copy_from_slice(challenge.as_bytes());
    proof[32..].copy_from_slice(response.as_bytes());
    proof
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproven {
    NotCanonical,
    DoesNotHold,
}

/// Check a proof of a statement whose points are at hand too.
pub fn verify(
    suite: &Suite,
    key: &RistrettoPoint,
    m: &RistrettoPoint,
    z: &RistrettoPoint,
    statement: &Statement,
    proof: &[u8; PROOF_LENGTH],
) -> Result<(), Unproven> {
    let mut halves = [[0; 32]; 2];
    halves[0].copy_from_slice(&proof[..32]);
    halves[1].copy_from_slice(&proof[32..]);
    let [challenge, response] =
        halves.map(|half| Option::<Scalar>::from(Scalar::from_canonical_bytes(half)));
    let (Some(challenge), Some(response)) = (challenge, response) else {
        return Err(Unproven::NotCanonical);
    };
    let t2 = RistrettoPoint::vartime_double_scalar_mul_basepoint(&challenge, key, &response);
    let t3 = RistrettoPoint::vartime_multiscalar_mul([response, challenge], [m, z]);
    if statement.challenge(suite, &t2, &t3) == challenge {
        Ok(())
    } else {
        Err(Unproven::DoesNotHold)
    }
}
