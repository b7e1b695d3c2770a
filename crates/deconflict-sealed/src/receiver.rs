//! The role that asks: points that show nothing, and the tags of own cells out of the answer.

use crate::cells::{check_count, check_output, check_per_slot, Cells};
use crate::chunks::{divide, each, Chunk};
use crate::keys::{info, PublicKey};
use crate::points::{check_once, decode, encode_doubles, half, split};
use crate::proof::{verify, weighted_sum, Statement, Unproven, Weights, PROOF_LENGTH};
use crate::refusal::Points;
use crate::seed::Seed;
use crate::suite::{finalize, Mode, Suite};
use crate::{Refusal, POINT_LENGTH, SSID_LENGTH, TAG_LENGTH};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

/// The receiver of one session and direction.
pub struct Receiver {
    seed: Seed,
    ssid: [u8; SSID_LENGTH],
    sender: PublicKey,
}

impl Receiver {
    /// Make one that asks the holder of this public key.
    pub fn new(
        seed: Seed,
        ssid: [u8; SSID_LENGTH],
        sender: &[u8; POINT_LENGTH],
    ) -> Result<Self, Refusal> {
        let sender = PublicKey::decode(sender)?;
        Ok(Self { seed, ssid, sender })
    }

    /// Blind own cells, and pads beside them, so that every slot has exactly `per_slot` points.
    ///
    /// Pads go the same way as cells, to the end: neither bytes nor work tell how many there are.
    pub fn ask(&self, cells: &Cells, per_slot: usize, threads: usize) -> Result<Question, Refusal> {
        check_per_slot(per_slot)?;
        let suite = Suite::new(Mode::Poprf)?;
        let width = cells.width();
        let slots = cells.slots();
        let inputs = self.padded(cells, per_slot)?;
        let keys = each(slots, threads, |&slot| {
            let key = self.sender.tweaked(&suite, &info(&self.ssid, slot))?;
            Ok((key, key.compress()))
        })?;
        let chunks = divide(slots.iter().map(|_| per_slot));
        let parts = each(&chunks, threads, |chunk| {
            let slot = slots[chunk.place];
            let own = &inputs[chunk.begin * width..][..chunk.count * width];
            let mut blinds = Zeroizing::new(Vec::with_capacity(chunk.count));
            let mut halves = Vec::with_capacity(chunk.count);
            for (input, place) in own.chunks_exact(width).zip(chunk.from as u32..) {
                let blind = self.seed.blind(&self.ssid, slot, place)?;
                let halved = Zeroizing::new(half(&blind));
                halves.push(*halved * suite.hash_to_group(input)?);
                blinds.push(*blind + *blind);
            }
            let encoded = encode_doubles(&halves);
            Scalar::batch_invert(&mut blinds);
            Ok(Part {
                halves,
                encoded,
                unblinds: blinds,
            })
        })?;
        Ok(Question {
            suite,
            ssid: self.ssid,
            slots: slots.to_vec(),
            sizes: cells.sizes().to_vec(),
            per_slot,
            width,
            inputs,
            keys,
            chunks,
            points: parts
                .iter()
                .flat_map(|part| part.encoded.as_flattened())
                .copied()
                .collect(),
            parts,
        })
    }

    fn padded(&self, cells: &Cells, per_slot: usize) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let width = cells.width();
        let all = cells
            .slots()
            .len()
            .saturating_mul(per_slot)
            .saturating_mul(width);
        let mut inputs = Zeroizing::new(Vec::new());
        // Never grown: what is copied to a larger place stays where it was.
        inputs
            .try_reserve_exact(all)
            .map_err(|_| Refusal::PointsPerSlot { given: per_slot })?;
        for (slot, own) in cells.by_slot() {
            let held = own.len() / width;
            if held > per_slot {
                return Err(Refusal::OverBucket {
                    slot,
                    cells: held,
                    per_slot,
                });
            }
            let begin = inputs.len();
            inputs.resize(begin + per_slot * width, 0);
            // A pad for every place, and the cells over the first of them: made only where they
            // are needed, they would tell by half a percent of the time how many cells there are.
            for (index, place) in inputs[begin..].chunks_exact_mut(width).enumerate() {
                self.seed.pad(&self.ssid, slot, index as u32, place);
            }
            inputs[begin..][..own.len()].copy_from_slice(own);
        }
        Ok(inputs)
    }
}

/// What is kept of a piece until the answer comes.
struct Part {
    halves: Vec<RistrettoPoint>,
    encoded: Vec<[u8; POINT_LENGTH]>,
    /// One over twice the blind.
    unblinds: Zeroizing<Vec<Scalar>>,
}

/// Points that were asked, and what their answer is opened with. Secret, but for [`Self::points`].
pub struct Question {
    suite: Suite,
    ssid: [u8; SSID_LENGTH],
    slots: Vec<u32>,
    sizes: Vec<u32>,
    per_slot: usize,
    width: usize,
    inputs: Zeroizing<Vec<u8>>,
    keys: Vec<(RistrettoPoint, CompressedRistretto)>,
    chunks: Vec<Chunk>,
    points: Vec<u8>,
    parts: Vec<Part>,
}

impl Question {
    /// The blinded points as they are sent, slot by slot.
    pub fn points(&self) -> &[u8] {
        &self.points
    }

    /// The tags of own cells, in their order, once every proof has held.
    ///
    /// All points are opened, those of pads too: how long it takes tells nothing about a plan.
    pub fn finalize(
        &self,
        evaluated: &[u8],
        proofs: &[u8],
        threads: usize,
    ) -> Result<Vec<u8>, Refusal> {
        self.open(evaluated, proofs, TAG_LENGTH, threads)
    }

    /// The first so many bytes of the outputs of own cells, which begin with their tags.
    pub fn open(
        &self,
        evaluated: &[u8],
        proofs: &[u8],
        length: usize,
        threads: usize,
    ) -> Result<Vec<u8>, Refusal> {
        check_output(length)?;
        let evaluated = split(
            "evaluated points",
            evaluated,
            self.slots.len(),
            self.per_slot,
        )?;
        check_count("proofs", proofs.len(), self.slots.len() * PROOF_LENGTH)?;
        for (place, &slot) in self.slots.iter().enumerate() {
            let own = &evaluated[place * self.per_slot..][..self.per_slot];
            check_once(own, Points::Evaluated, slot)?;
        }
        let points = self.proven(evaluated, proofs.as_chunks::<PROOF_LENGTH>().0, threads)?;
        let places: Vec<usize> = (0..self.chunks.len()).collect();
        let outputs = each(&places, threads, |&place| {
            Ok(self.opened(place, &points[place], length))
        })?;
        let outputs = outputs.concat();
        let mut own = Vec::new();
        for (slot, &size) in outputs.chunks(self.per_slot * length).zip(&self.sizes) {
            own.extend_from_slice(&slot[..size as usize * length]);
        }
        Ok(own)
    }

    /// The points of the answer, piece by piece, if each slot's proof holds.
    fn proven(
        &self,
        evaluated: &[[u8; POINT_LENGTH]],
        proofs: &[[u8; PROOF_LENGTH]],
        threads: usize,
    ) -> Result<Vec<Vec<RistrettoPoint>>, Refusal> {
        let pieces: Vec<_> = self.chunks.iter().zip(&self.parts).collect();
        let parts = each(&pieces, threads, |(chunk, part)| {
            let points = decode(evaluated, Points::Evaluated, self.slots[chunk.place], chunk)?;
            let weights = Weights::new(&self.suite, &self.keys[chunk.place].1);
            let weights: Vec<_> = evaluated[chunk.begin..]
                .iter()
                .zip(&part.encoded)
                .zip(chunk.from as u16..)
                .map(|((c, d), place)| weights.of(place, c, d))
                .collect();
            let m = weighted_sum(&weights, &points);
            let z = weighted_sum(&weights, &part.halves);
            Ok((points, m, z + z))
        })?;
        let mut sums = vec![(RistrettoPoint::default(), RistrettoPoint::default()); proofs.len()];
        for (chunk, (_, m, z)) in self.chunks.iter().zip(&parts) {
            let sum = &mut sums[chunk.place];
            *sum = (sum.0 + m, sum.1 + z);
        }
        let places: Vec<usize> = (0..proofs.len()).collect();
        each(&places, threads, |&place| {
            let (key, encoded) = &self.keys[place];
            let (m, z) = &sums[place];
            let statement = Statement {
                key: *encoded,
                m: m.compress(),
                z: z.compress(),
            };
            let slot = self.slots[place];
            verify(&self.suite, key, m, z, &statement, &proofs[place]).map_err(|why| match why {
                Unproven::NotCanonical => Refusal::ProofNotCanonical { slot },
                Unproven::DoesNotHold => Refusal::BadProof { slot },
            })
        })?;
        Ok(parts.into_iter().map(|(points, _, _)| points).collect())
    }

    fn opened(&self, place: usize, points: &[RistrettoPoint], length: usize) -> Vec<u8> {
        let (chunk, part) = (&self.chunks[place], &self.parts[place]);
        let info = info(&self.ssid, self.slots[chunk.place]);
        let unblinds = part.unblinds.iter();
        let halves: Vec<_> = unblinds
            .zip(points)
            .map(|(unblind, p)| unblind * p)
            .collect();
        let inputs = self.inputs[chunk.begin * self.width..].chunks_exact(self.width);
        let mut outputs = Vec::with_capacity(chunk.count * length);
        for (input, element) in inputs.zip(encode_doubles(&halves)) {
            let output = finalize(input, Some(&info), &element);
            outputs.extend_from_slice(&output[..length]);
        }
        outputs
    }
}
