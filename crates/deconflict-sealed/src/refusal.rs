//! Why something was refused: what it was, in which slot, at which place.

use std::fmt;

/// Points that came from the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Points {
    /// What the receiver sent to be evaluated.
    Blinded,
    /// What the sender sent back.
    Evaluated,
}

/// Why something was refused. No variant holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The peer sent another number of points or proofs than the slots ask for, in bytes.
    WrongCount {
        what: &'static str,
        bytes: usize,
        expected: usize,
    },
    /// Own input has so many bytes, where others are due.
    WrongLength {
        what: &'static str,
        bytes: usize,
        expected: usize,
    },
    /// Slots must be given in ascending order, each once.
    SlotOrder { slot: u32 },
    /// A slot has 1 to 65,535 points.
    PointsPerSlot { given: usize },
    /// More cells than a slot has points.
    OverBucket {
        slot: u32,
        cells: usize,
        per_slot: usize,
    },
    /// A cell has 1 to 65,535 bytes.
    CellLength { given: usize },
    /// Not the one encoding of an element (RFC 9496 §4.3.1).
    NotCanonical {
        points: Points,
        slot: u32,
        index: usize,
    },
    /// The neutral element (RFC 9497 §2.1).
    Identity {
        points: Points,
        slot: u32,
        index: usize,
    },
    /// The same point stood at an earlier place of the slot.
    Duplicate {
        points: Points,
        slot: u32,
        index: usize,
        first: usize,
    },
    /// A number of the proof is not below the order of the group.
    ProofNotCanonical { slot: u32 },
    /// The proof does not hold: what came back was not made with the key of the HELLO.
    BadProof { slot: u32 },
    /// The peer's key is no element, or the neutral one.
    BadKey,
    /// A value came out that has no inverse, or the neutral element; odds of 2^-252 each.
    Degenerate { what: &'static str },
}

impl Refusal {
    /// Its name as bindings tell it.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::WrongCount { .. } => "WRONG_COUNT",
            Refusal::WrongLength { .. } => "WRONG_LENGTH",
            Refusal::SlotOrder { .. } => "SLOT_ORDER",
            Refusal::PointsPerSlot { .. } => "POINTS_PER_SLOT",
            Refusal::OverBucket { .. } => "OVER_BUCKET",
            Refusal::CellLength { .. } => "CELL_LENGTH",
            Refusal::NotCanonical { .. } => "NOT_CANONICAL",
            Refusal::Identity { .. } => "IDENTITY",
            Refusal::Duplicate { .. } => "DUPLICATE",
            Refusal::ProofNotCanonical { .. } => "PROOF_NOT_CANONICAL",
            Refusal::BadProof { .. } => "BAD_PROOF",
            Refusal::BadKey => "BAD_KEY",
            Refusal::Degenerate { .. } => "DEGENERATE",
        }
    }

    /// The slot it was found in.
    pub fn slot(&self) -> Option<u32> {
        match *self {
            Refusal::SlotOrder { slot }
            | Refusal::OverBucket { slot, .. }
            | Refusal::NotCanonical { slot, .. }
            | Refusal::Identity { slot, .. }
            | Refusal::Duplicate { slot, .. }
            | Refusal::ProofNotCanonical { slot }
            | Refusal::BadProof { slot } => Some(slot),
            _ => None,
        }
    }

    /// The place in the slot, the first being 0.
    pub fn index(&self) -> Option<usize> {
        match *self {
            Refusal::NotCanonical { index, .. }
            | Refusal::Identity { index, .. }
            | Refusal::Duplicate { index, .. } => Some(index),
            _ => None,
        }
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Points::Blinded => "blinded point",
            Points::Evaluated => "evaluated point",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::WrongCount {
                what,
                bytes,
                expected,
            }
            | Refusal::WrongLength {
                what,
                bytes,
                expected,
            } => write!(f, "{what}: {bytes} bytes where {expected} are due"),
            Refusal::SlotOrder { slot } => {
                write!(f, "slot {slot} does not follow the slot before it")
            }
            Refusal::PointsPerSlot { given } => {
                write!(f, "{given} points a slot: 1 to 65535 are possible")
            }
            Refusal::OverBucket {
                slot,
                cells,
                per_slot,
            } => write!(f, "slot {slot} has {cells} cells and {per_slot} points"),
            Refusal::CellLength { given } => {
                write!(f, "cells of {given} bytes: 1 to 65535 are possible")
            }
            Refusal::NotCanonical {
                points,
                slot,
                index,
            } => write!(f, "slot {slot}, {points} {index}: not a canonical encoding"),
            Refusal::Identity {
                points,
                slot,
                index,
            } => write!(f, "slot {slot}, {points} {index}: the neutral element"),
            Refusal::Duplicate {
                points,
                slot,
                index,
                first,
            } => write!(f, "slot {slot}, {points} {index}: the same as {first}"),
            Refusal::ProofNotCanonical { slot } => {
                write!(f, "slot {slot}: the proof is not two canonical scalars")
            }
            Refusal::BadProof { slot } => write!(f, "slot {slot}: the proof does not hold"),
            Refusal::BadKey => {
                f.write_str("the key is no element of the group, or the neutral one")
            }
            Refusal::Degenerate { what } => write!(f, "{what} came out degenerate"),
        }
    }
}

impl std::error::Error for Refusal {}
