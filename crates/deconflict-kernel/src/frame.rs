//! What all lines of one exported record have in common: its line, its two parties, their keys.

use crate::signatures::Prover;
use std::sync::Arc;

/// Most keys of one party that are made ready: each takes 640 KiB, and a party may have
/// changed many.
pub const MOST_KEYS: usize = 4;

/// A key made ready, with its id of 64 hex digits.
pub struct Key {
    pub key_id: Vec<u8>,
    pub prover: Prover,
}

/// One party of the line, and keys that it signed with.
#[derive(Clone)]
pub struct Author {
    pub party: Vec<u8>,
    pub keys: Vec<Arc<Key>>,
}

/// What every line of the record has in common.
#[derive(Clone)]
pub struct Frame {
    /// 32 hex digits.
    pub line: Vec<u8>,
    pub authors: [Author; 2],
}

impl Author {
    pub fn key(&self, key_id: &[u8]) -> Option<&Arc<Key>> {
        self.keys.iter().find(|key| key.key_id == key_id)
    }

    /// Take a key more; of too many, the oldest is let go, and what it signed is left.
    pub fn learn(&mut self, key: Key) {
        if self.keys.len() == MOST_KEYS {
            self.keys.remove(0);
        }
        self.keys.push(Arc::new(key));
    }
}

impl Frame {
    /// The index of a party.
    pub fn author(&self, party: &[u8]) -> Option<usize> {
        self.authors.iter().position(|one| one.party == party)
    }
}
