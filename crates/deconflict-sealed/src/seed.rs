//! What is derived from the one seed of a session (`specs/private-check.md` §3).

use crate::keys::SecretKey;
use crate::suite::Suite;
use crate::{Refusal, SSID_LENGTH, TAG_LENGTH};
use curve25519_dalek::scalar::Scalar;
use deconflict_parts::map_in_parts;
use sha2::{Digest, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub const SEED_LENGTH: usize = 32;
pub const SALT_LENGTH: usize = 32;

/// Stands for the session where the HELLO messages that name it are still to be made.
const BEFORE: [u8; SSID_LENGTH] = [0; SSID_LENGTH];
const KEY_INFO: &[u8] = b"deconflict/1 sealed key";
const DERIVED_AT_ONCE: u32 = 4_096;

/// The committed seed of a session; erased when dropped.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; SEED_LENGTH]>);

impl Seed {
    pub fn new(bytes: [u8; SEED_LENGTH]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The sender's working key. Needed before the session has a name: the HELLO shows its public
    /// half.
    pub fn key(&self, suite: &Suite) -> Result<SecretKey, Refusal> {
        let wide = self.wide("key", &BEFORE, 0, 0, &[]);
        let mut half = Zeroizing::new([0; 32]);
        half.copy_from_slice(&wide[..32]);
        SecretKey::derive(suite, &half, KEY_INFO)
    }

    /// The blind of a point of the receiver.
    pub fn blind(
        &self,
        ssid: &[u8; SSID_LENGTH],
        slot: u32,
        index: u32,
    ) -> Result<Zeroizing<Scalar>, Refusal> {
        self.scalar("blind", ssid, slot, index, &[])
    }

    /// The nonce of the proof of a slot, and of this statement alone: were another answer made
    /// with the same seed, one nonce for both would give the key away.
    pub fn nonce(
        &self,
        ssid: &[u8; SSID_LENGTH],
        slot: u32,
        statement: &[u8],
    ) -> Result<Zeroizing<Scalar>, Refusal> {
        self.scalar("nonce", ssid, slot, 0, statement)
    }

    /// A cell that fills a slot of the receiver up.
    pub fn pad(&self, ssid: &[u8; SSID_LENGTH], slot: u32, index: u32, pad: &mut [u8]) {
        let wide = self.wide("pad", ssid, slot, index, &[]);
        // Longer cells than a hash end in zeros: a pad need not be a cell, only differ from others.
        for (byte, from) in pad.iter_mut().zip(wide.iter()) {
            *byte = *from;
        }
    }

    /// Salts of the leaves of the plan's tree, for so many places of each slot. They stand in the
    /// HELLO, so they know no session.
    pub fn salts(&self, places: &[(u32, u32)], threads: usize) -> Vec<u8> {
        let pieces: Vec<_> = places.chunks(DERIVED_AT_ONCE as usize).collect();
        map_in_parts(&pieces, threads, |piece| {
            let mut salts = Vec::with_capacity(piece.len() * SALT_LENGTH);
            for &(slot, index) in *piece {
                let wide = self.wide("salt", &BEFORE, slot, index, &[]);
                salts.extend_from_slice(&wide[..SALT_LENGTH]);
            }
            salts
        })
        .concat()
    }

    /// Tags that fill the sender's up to its bucket.
    pub fn pad_tags(&self, ssid: &[u8; SSID_LENGTH], count: u32, threads: usize) -> Vec<u8> {
        let begins: Vec<u32> = (0..count).step_by(DERIVED_AT_ONCE as usize).collect();
        map_in_parts(&begins, threads, |&begin| {
            let mut tags = Vec::new();
            for index in begin..count.min(begin.saturating_add(DERIVED_AT_ONCE)) {
                let wide = self.wide("tag", ssid, 0, index, &[]);
                tags.extend_from_slice(&wide[..TAG_LENGTH]);
            }
            tags
        })
        .concat()
    }

    fn scalar(
        &self,
        label: &'static str,
        ssid: &[u8; SSID_LENGTH],
        slot: u32,
        index: u32,
        statement: &[u8],
    ) -> Result<Zeroizing<Scalar>, Refusal> {
        let wide = self.wide(label, ssid, slot, index, statement);
        let scalar = Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide));
        if bool::from(scalar.ct_eq(&Scalar::ZERO)) {
            return Err(Refusal::Degenerate { what: label });
        }
        Ok(scalar)
    }

    fn wide(
        &self,
        label: &str,
        ssid: &[u8; SSID_LENGTH],
        slot: u32,
        index: u32,
        statement: &[u8],
    ) -> Zeroizing<[u8; 64]> {
        let hash = Sha512::new()
            .chain_update(b"deconflict/1 sealed ")
            .chain_update(label)
            .chain_update(b"\n")
            .chain_update(*self.0)
            .chain_update(ssid)
            .chain_update(slot.to_be_bytes())
            .chain_update(index.to_be_bytes())
            .chain_update(statement)
            .finalize();
        Zeroizing::new(hash.into())
    }
}
