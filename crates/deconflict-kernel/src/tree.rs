//! The Merkle tree over a chain (RFC 9162 §2.1), of whose leaves a first part was agreed on.
//!
//! `deconflict.line.tree` has the same tree with its proofs. Whoever reads a whole record asks for
//! nothing but the root of one checkpoint after the other, over all leaves there are: here level by
//! level, many nodes at once.

use crate::digests::digests;
use crate::entry_fields::Hash;
use sha2::{Digest, Sha256};

const NODE: u8 = 1; // §2.1.1: a node can never pass as a leaf
const NODE_BYTES: usize = 1 + 2 * 32;

/// Whole subtrees of the part agreed on, and each leaf behind it.
#[derive(Default)]
pub struct Tree {
    agreed: usize,
    /// Roots of the whole subtrees of the agreed part, one for each bit of its size, largest first.
    peaks: Vec<Hash>,
    later: Vec<Hash>,
    passed: usize, // of `later`, those that were agreed on meanwhile
}

impl Tree {
    /// How many leaves.
    pub fn size(&self) -> usize {
        self.agreed + self.later.len() - self.passed
    }

    /// How many leaves the part has that was agreed on.
    pub fn agreed(&self) -> usize {
        self.agreed
    }

    /// Append the hashes of the next leaves.
    pub fn add(&mut self, leaves: &[Hash]) {
        self.later.extend_from_slice(leaves);
    }

    /// Take the first `size` leaves as agreed on. False where there are not so many, or more than
    /// these were agreed on before; nothing is changed then.
    pub fn agree(&mut self, size: usize) -> bool {
        if size < self.agreed || size > self.size() {
            return false;
        }
        let end = self.passed + (size - self.agreed);
        while self.agreed < size {
            // The largest subtree that may begin here is whole where the agreed part ends.
            let most = size - self.agreed;
            let room = match self.agreed.trailing_zeros() {
                bits if self.agreed == 0 || bits >= usize::BITS - 1 => usize::MAX,
                bits => 1 << bits,
            };
            let length = room.min(1 << most.ilog2());
            let root = root_of(&self.later[self.passed..self.passed + length]);
            self.put(root, length);
            self.passed += length;
        }
        debug_assert_eq!(self.passed, end);
        if self.passed >= self.later.len() / 2 {
            self.later.drain(..self.passed);
            self.passed = 0;
        }
        true
    }

    /// The root of the part that was agreed on; of none, the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return Sha256::digest([]).into();
        };
        peaks.fold(*last, |right, left| {
            Sha256::digest(node(left, &right)).into()
        })
    }

    /// A whole subtree of so many leaves, a power of two, behind those there are.
    fn put(&mut self, mut root: Hash, length: usize) {
        let mut level = length;
        while self.agreed & level != 0 {
            if let Some(left) = self.peaks.pop() {
                root = Sha256::digest(node(&left, &root)).into();
            }
            level <<= 1;
        }
        self.peaks.push(root);
        self.agreed += length;
    }
}

/// The root over a power of two of leaves.
fn root_of(leaves: &[Hash]) -> Hash {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        let nodes: Vec<_> = level
            .chunks_exact(2)
            .map(|two| node(&two[0], &two[1]))
            .collect();
        level = digests(&nodes);
    }
    level[0]
}

fn node(left: &Hash, right: &Hash) -> [u8; NODE_BYTES] {
    let mut node = [NODE; NODE_BYTES];
    node[1..33].copy_from_slice(left);
    node[33..].copy_from_slice(right);
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9162 §2.1.1, as it is written.
    fn plainly(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let left = 1 << (leaves.len() - 1).ilog2();
                let (left, right) = leaves.split_at(left);
                Sha256::digest(node(&plainly(left), &plainly(right))).into()
            }
        }
    }

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count)
            .map(|n| Sha256::digest(n.to_le_bytes()).into())
            .collect()
    }

    #[test]
    fn each_agreed_part_has_the_root_of_the_rfc() {
        let leaves = leaves(300);
        for step in [1, 2, 3, 7, 64, 100, 129, 300] {
            let mut tree = Tree::default();
            assert_eq!(tree.root(), plainly(&[]));
            for (number, some) in leaves.chunks(50).enumerate() {
                tree.add(some);
                assert_eq!(tree.size(), number * 50 + some.len());
            }
            for size in (0..=300).step_by(step) {
                assert!(tree.agree(size));
                assert_eq!(tree.agreed(), size);
                assert_eq!(tree.root(), plainly(&leaves[..size]), "{step} {size}");
                assert_eq!(tree.size(), 300);
            }
        }
    }

    #[test]
    fn a_part_that_is_not_there_is_not_agreed_on() {
        let mut tree = Tree::default();
        tree.add(&leaves(5));
        assert!(!tree.agree(6));
        assert!(tree.agree(3));
        assert!(!tree.agree(2));
        assert_eq!((tree.agreed(), tree.root()), (3, plainly(&leaves(3))));
        assert!(tree.agree(3));
    }
}
