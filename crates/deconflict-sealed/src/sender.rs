//! The role that holds the key: tags of its own cells, answers to the receiver's points.

use crate::cells::{check_output, check_per_slot, check_slots, Cells};
use crate::chunks::{divide, each};
use crate::keys::{info, SecretKey, TweakedKey};
use crate::points::{check_once, decode, encode_doubles, half, split};
use crate::proof::{prove, weighted_sum, Statement, Weights, PROOF_LENGTH};
use crate::refusal::Points;
use crate::seed::Seed;
use crate::suite::{finalize, Mode, Suite};
use crate::{Refusal, POINT_LENGTH, SSID_LENGTH, TAG_LENGTH};
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

/// The public key that the HELLO of a seed shows.
pub fn public_key(seed: &Seed) -> Result<[u8; POINT_LENGTH], Refusal> {
    let key = seed.key(&Suite::new(Mode::Poprf)?)?;
    Ok(key.public().compress().to_bytes())
}

/// The sender of one session and direction.
pub struct Sender {
    suite: Suite,
    seed: Seed,
    ssid: [u8; SSID_LENGTH],
    key: SecretKey,
}

/// The points and the proofs that go back, slot by slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub evaluated: Vec<u8>,
    pub proofs: Vec<u8>,
}

impl Sender {
    pub fn new(seed: Seed, ssid: [u8; SSID_LENGTH]) -> Result<Self, Refusal> {
        let suite = Suite::new(Mode::Poprf)?;
        let key = seed.key(&suite)?;
        Ok(Self {
            suite,
            seed,
            ssid,
            key,
        })
    }

    /// The tags of own cells, in their order: what the receiver gets for the same cell and slot.
    pub fn tags(&self, cells: &Cells, threads: usize) -> Result<Vec<u8>, Refusal> {
        self.outputs(cells, TAG_LENGTH, threads)
    }

    /// The first so many bytes of the output of each own cell: its tag, and a secret behind it that
    /// only who asks about this cell gets as well.
    pub fn outputs(
        &self,
        cells: &Cells,
        length: usize,
        threads: usize,
    ) -> Result<Vec<u8>, Refusal> {
        check_output(length)?;
        let keys = self.keys(cells.slots())?;
        let halves = half_inverses(&keys);
        let own: Vec<_> = cells.by_slot().collect();
        let chunks = divide(cells.sizes().iter().map(|&size| size as usize));
        let width = cells.width();
        let outputs = each(&chunks, threads, |chunk| {
            let (slot, inputs) = own[chunk.place];
            let info = info(&self.ssid, slot);
            let inputs = &inputs[chunk.from * width..][..chunk.count * width];
            let points: Result<Vec<RistrettoPoint>, Refusal> = inputs
                .chunks_exact(width)
                .map(|input| Ok(halves[chunk.place] * self.suite.hash_to_group(input)?))
                .collect();
            let mut outputs = Vec::with_capacity(chunk.count * length);
            for (input, element) in inputs.chunks_exact(width).zip(encode_doubles(&points?)) {
                let output = finalize(input, Some(&info), &element);
                outputs.extend_from_slice(&output[..length]);
            }
            Ok(outputs)
        })?;
        Ok(outputs.concat())
    }

    /// Evaluate exactly `per_slot` points of each slot, with one proof a slot.
    pub fn evaluate(
        &self,
        slots: &[u32],
        per_slot: usize,
        blinded: &[u8],
        threads: usize,
    ) -> Result<Answer, Refusal> {
        check_slots(slots)?;
        check_per_slot(per_slot)?;
        let blinded = split("blinded points", blinded, slots.len(), per_slot)?;
        for (place, &slot) in slots.iter().enumerate() {
            let own = &blinded[place * per_slot..][..per_slot];
            check_once(own, Points::Blinded, slot)?;
        }
        let keys = self.keys(slots)?;
        let halves = half_inverses(&keys);
        let public = each(&keys, threads, |key| Ok(key.public().compress()))?;
        let chunks = divide(slots.iter().map(|_| per_slot));
        let parts = each(&chunks, threads, |chunk| {
            let points = decode(blinded, Points::Blinded, slots[chunk.place], chunk)?;
            let evaluated: Vec<_> = points.iter().map(|p| halves[chunk.place] * p).collect();
            let encoded = encode_doubles(&evaluated);
            let weights = Weights::new(&self.suite, &public[chunk.place]);
            let weights: Vec<_> = encoded
                .iter()
                .zip(&blinded[chunk.begin..])
                .zip(chunk.from as u16..)
                .map(|((c, d), place)| weights.of(place, c, d))
                .collect();
            Ok((encoded, weighted_sum(&weights, &evaluated)))
        })?;
        let mut sums = vec![RistrettoPoint::default(); slots.len()];
        for (chunk, (_, sum)) in chunks.iter().zip(&parts) {
            // Of halves, so twice.
            sums[chunk.place] += sum + sum;
        }
        let places: Vec<usize> = (0..slots.len()).collect();
        let proofs = each(&places, threads, |&place| {
            self.proof(slots[place], &keys[place], public[place], &sums[place])
        })?;
        Ok(Answer {
            evaluated: parts
                .into_iter()
                .flat_map(|(encoded, _)| encoded)
                .flatten()
                .collect(),
            proofs: proofs.concat(),
        })
    }

    fn proof(
        &self,
        slot: u32,
        key: &TweakedKey,
        public: curve25519_dalek::ristretto::CompressedRistretto,
        m: &RistrettoPoint,
    ) -> Result<[u8; PROOF_LENGTH], Refusal> {
        let statement = Statement {
            key: public,
            m: m.compress(),
            z: (key.scalar() * m).compress(),
        };
        let nonce = self.seed.nonce(&self.ssid, slot, &statement.bytes())?;
        Ok(prove(&self.suite, key.scalar(), &nonce, &statement, m))
    }

    fn keys(&self, slots: &[u32]) -> Result<Vec<TweakedKey>, Refusal> {
        let tweaked = |&slot| self.key.tweaked(&self.suite, &info(&self.ssid, slot));
        slots.iter().map(tweaked).collect()
    }
}

/// One half over each key, for points that are doubled when they are encoded.
fn half_inverses(keys: &[TweakedKey]) -> Zeroizing<Vec<Scalar>> {
    let mut inverses: Zeroizing<Vec<Scalar>> =
        Zeroizing::new(keys.iter().map(|key| *key.scalar()).collect());
    Scalar::batch_invert(&mut inverses);
    for inverse in inverses.iter_mut() {
        *inverse = half(inverse);
    }
    inverses
}
