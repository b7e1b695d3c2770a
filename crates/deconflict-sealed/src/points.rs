//! Bytes from the peer made into points, and points into bytes.

use crate::cells::check_count;
use crate::chunks::Chunk;
use crate::refusal::Points;
use crate::{Refusal, POINT_LENGTH};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A point half as large as the one meant is encoded several times as fast: a batch of doubles
/// needs one inversion for all, where a single point needs a square root of its own.
static HALF: LazyLock<Scalar> = LazyLock::new(|| Scalar::from(2_u8).invert());

/// Half of a scalar.
pub fn half(scalar: &Scalar) -> Scalar {
    scalar * *HALF
}

/// Encode the doubles of points, none of them the neutral element.
pub fn encode_doubles(halves: &[RistrettoPoint]) -> Vec<[u8; POINT_LENGTH]> {
    RistrettoPoint::double_and_compress_batch(halves)
        .iter()
        .map(CompressedRistretto::to_bytes)
        .collect()
}

/// Read the points of a piece of a slot, each in its one encoding and none of them neutral.
pub fn decode(
    bytes: &[[u8; POINT_LENGTH]],
    points: Points,
    slot: u32,
    chunk: &Chunk,
) -> Result<Vec<RistrettoPoint>, Refusal> {
    let own = &bytes[chunk.begin..][..chunk.count];
    let read = own.iter().enumerate().map(|(place, encoded)| {
        let index = chunk.from + place;
        let point = CompressedRistretto(*encoded)
            .decompress()
            .ok_or(Refusal::NotCanonical {
                points,
                slot,
                index,
            })?;
        if point.is_identity() {
            return Err(Refusal::Identity {
                points,
                slot,
                index,
            });
        }
        Ok(point)
    });
    read.collect()
}

/// Refuse a slot in which a point stands twice: its answer would be an answer to fewer.
pub fn check_once(
    slot_points: &[[u8; POINT_LENGTH]],
    points: Points,
    slot: u32,
) -> Result<(), Refusal> {
    let mut seen = HashMap::with_capacity(slot_points.len());
    for (index, encoded) in slot_points.iter().enumerate() {
        if let Some(first) = seen.insert(encoded, index) {
            return Err(Refusal::Duplicate {
                points,
                slot,
                index,
                first,
            });
        }
    }
    Ok(())
}

/// The bytes as points of so many slots with so many points each.
pub fn split<'a>(
    what: &'static str,
    bytes: &'a [u8],
    slots: usize,
    per_slot: usize,
) -> Result<&'a [[u8; POINT_LENGTH]], Refusal> {
    let expected = slots.saturating_mul(per_slot).saturating_mul(POINT_LENGTH);
    check_count(what, bytes.len(), expected)?;
    Ok(bytes.as_chunks::<POINT_LENGTH>().0)
}
