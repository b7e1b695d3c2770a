//! RFC 9497 POPRF on ristretto255-SHA512, in batches, for private checks.
//!
//! Pure Rust: no input or output, no clock, and no randomness but what is given: everything secret
//! is derived from one seed of the session, so that an arbiter who is given the seed computes every
//! byte again (`specs/private-check.md`). Whatever depends on a secret is done in constant time by
//! curve25519-dalek; what depends only on bytes that both parties see (points as sent, proofs,
//! weights) may take its time from them. Nothing here panics on any input: what cannot be used
//! comes back as a [`Refusal`] that says which slot and which point.
//!
//! Reading order: [`expand`] and [`suite`] (bytes to scalars and points), [`keys`], [`proof`] (the
//! batched DLEQ proof), [`seed`] (what is derived from the seed), [`cells`] (what is asked, slot by
//! slot), [`points`] (bytes from the peer made into points), [`chunks`] (how a batch is shared out),
//! [`receiver`] and [`sender`] (the two roles).

#![forbid(unsafe_code)]

pub mod cells;
mod chunks;
pub mod expand;
pub mod keys;
mod points;
pub mod proof;
pub mod receiver;
pub mod refusal;
pub mod seed;
pub mod sender;
pub mod suite;

pub use refusal::Refusal;

/// A point as it is sent.
pub const POINT_LENGTH: usize = 32;
/// A tag: the first bytes of the output of the POPRF.
pub const TAG_LENGTH: usize = 12;
/// The whole output of the POPRF.
pub const OUTPUT_LENGTH: usize = 64;
/// The hash of both HELLO messages.
pub const SSID_LENGTH: usize = 32;
/// Of one slot, for its place is two bytes in what is hashed (RFC 9497 §2.2.1).
pub const MOST_IN_A_SLOT: usize = 65_535;
