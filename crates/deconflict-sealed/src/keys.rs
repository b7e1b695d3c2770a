//! Keys, and what the info of a slot makes of them (RFC 9497 §3.2.1 and §3.3.3).

use crate::suite::Suite;
use crate::{Refusal, POINT_LENGTH, SSID_LENGTH};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, IsIdentity};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A session, and the slot of it for which a point is evaluated.
const INFO_LENGTH: usize = SSID_LENGTH + 4;

/// The `info` of a slot: the session, then the number of the slot, four bytes big-endian.
pub fn info(ssid: &[u8; SSID_LENGTH], slot: u32) -> [u8; INFO_LENGTH] {
    let mut info = [0; INFO_LENGTH];
    info[..SSID_LENGTH].copy_from_slice(ssid);
    info[SSID_LENGTH..].copy_from_slice(&slot.to_be_bytes());
    info
}

/// The sender's working key of one session; erased when dropped.
pub struct SecretKey(Zeroizing<Scalar>);

impl SecretKey {
    /// `DeriveKeyPair`, the secret half.
    pub fn derive(suite: &Suite, seed: &[u8; 32], key_info: &[u8]) -> Result<Self, Refusal> {
        let length = u16::try_from(key_info.len()).map_err(|_| Refusal::WrongLength {
            what: "info of a key",
            bytes: key_info.len(),
            expected: usize::from(u16::MAX),
        })?;
        let length = length.to_be_bytes();
        for counter in 0..=u8::MAX {
            let key = suite.hash_to_key(&[seed, &length, key_info, &[counter]]);
            let key = Self(Zeroizing::new(key));
            if bool::from(!key.0.ct_eq(&Scalar::ZERO)) {
                return Ok(key);
            }
        }
        Err(Refusal::Degenerate { what: "a key" })
    }

    /// The scalar itself.
    pub fn scalar(&self) -> &Scalar {
        &self.0
    }

    /// The public half.
    pub fn public(&self) -> RistrettoPoint {
        RistrettoPoint::mul_base(&self.0)
    }

    /// The key that evaluates under this info: `t = key + m`.
    pub fn tweaked(&self, suite: &Suite, info: &[u8]) -> Result<TweakedKey, Refusal> {
        let key = TweakedKey(Zeroizing::new(*self.0 + tweak(suite, info)));
        if bool::from(key.0.ct_eq(&Scalar::ZERO)) {
            return Err(Refusal::Degenerate {
                what: "a tweaked key",
            });
        }
        Ok(key)
    }
}

/// The key of one info; erased when dropped.
pub struct TweakedKey(Zeroizing<Scalar>);

impl TweakedKey {
    /// The scalar itself.
    pub fn scalar(&self) -> &Scalar {
        &self.0
    }

    /// The public half, under which the proof stands.
    pub fn public(&self) -> RistrettoPoint {
        RistrettoPoint::mul_base(&self.0)
    }
}

/// The sender's public key as the receiver holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(RistrettoPoint);

impl PublicKey {
    /// Read one that the peer sent.
    pub fn decode(bytes: &[u8; POINT_LENGTH]) -> Result<Self, Refusal> {
        let point = CompressedRistretto(*bytes)
            .decompress()
            .ok_or(Refusal::BadKey)?;
        if point.is_identity() {
            return Err(Refusal::BadKey);
        }
        Ok(Self(point))
    }

    /// The public half of the key of this info: `m·G + key`.
    pub fn tweaked(&self, suite: &Suite, info: &[u8]) -> Result<RistrettoPoint, Refusal> {
        let point = RistrettoPoint::mul_base(&tweak(suite, info)) + self.0;
        if point == RistrettoPoint::identity() {
            return Err(Refusal::BadKey);
        }
        Ok(point)
    }
}

fn tweak(suite: &Suite, info: &[u8]) -> Scalar {
    // An info is 36 bytes here, and far below 65,536 in the published vectors.
    let length = (info.len() as u16).to_be_bytes();
    suite.hash_to_scalar(&[b"Info", &length, info])
}
