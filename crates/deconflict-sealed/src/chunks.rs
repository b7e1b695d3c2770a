//! How a batch is shared out: pieces of one slot each, none too long to be a fair share.

use crate::Refusal;
use deconflict_parts::map_in_parts;

/// Long enough that what is done once a piece (two inversions) hardly counts; short enough that a
/// slot with a thousand points keeps several processors busy.
const MOST_AT_ONCE: usize = 256;

/// Points of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Which of the slots given, the first being 0.
    pub place: usize,
    /// The first point's place in the slot.
    pub from: usize,
    /// The first point's place in the batch.
    pub begin: usize,
    pub count: usize,
}

/// Divide slots of these sizes; a slot without points has no piece.
pub fn divide(sizes: impl IntoIterator<Item = usize>) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut begin = 0;
    for (place, size) in sizes.into_iter().enumerate() {
        for from in (0..size).step_by(MOST_AT_ONCE) {
            let count = MOST_AT_ONCE.min(size - from);
            chunks.push(Chunk {
                place,
                from,
                begin: begin + from,
                count,
            });
        }
        begin += size;
    }
    chunks
}

/// Work on each item, in threads; the refusal of the earliest is told, however many there are.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<R, Refusal> + Sync,
) -> Result<Vec<R>, Refusal> {
    map_in_parts(items, threads, work).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_lies_in_one_piece_of_its_slot() {
        let sizes = [0, 1, 256, 0, 257, 600];
        let mut seen = vec![0; sizes.len()];
        let mut next = 0;
        for chunk in divide(sizes) {
            assert!(chunk.count > 0 && chunk.count <= MOST_AT_ONCE);
            assert_eq!((chunk.begin, chunk.from), (next, seen[chunk.place]));
            seen[chunk.place] += chunk.count;
            next += chunk.count;
        }
        assert_eq!(seen, sizes);
    }
}
