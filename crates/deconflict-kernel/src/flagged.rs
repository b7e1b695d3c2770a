//! Stretches of time in which pairs are flagged, joined where they touch.
//!
//! Joining is the same in whatever parts and whatever order: of one pair a stretch is the hull of
//! what touches, its nearest instants are those of the least distance.

use crate::encounter::SHORTEST_LOSS_S;
use crate::limits::{Hit, EQUALLY_NEAR_M};

/// A stretch of time in which the objects `i` and `j` are flagged; the trajectory is the first of a
/// trajectory and a volume.
#[derive(Clone, Copy, Debug)]
pub struct PairHit {
    pub i: u32,
    pub j: u32,
    pub hit: Hit,
}

/// Fewer are not joined before all are there.
const MANY: usize = 1 << 17;

/// What has been flagged so far. Plans with windows meet in as many ways as they have pieces times
/// pieces, which nearly all touch: they are joined on the way.
#[derive(Default)]
pub struct Flagged {
    hits: Vec<PairHit>,
    /// So many are left of those joined already.
    joined: usize,
}

impl Flagged {
    /// Adds hits of one pair, and leaves `own` empty.
    pub fn add(&mut self, i: u32, j: u32, own: &mut Vec<Hit>) {
        if own.len() > 1 {
            own.sort_unstable_by(|x, y| x.span.from.total_cmp(&y.span.from));
            own.dedup_by(|next, whole| touch(whole, next));
        }
        self.hits
            .extend(own.drain(..).map(|hit| PairHit { i, j, hit }));
        if self.hits.len() > 2 * self.joined + MANY {
            join(&mut self.hits);
            self.joined = self.hits.len();
        }
    }

    /// All that was flagged, by the first object, the second, and the start.
    pub fn joined(some: impl IntoIterator<Item = Flagged>) -> Vec<PairHit> {
        let mut hits = Vec::new();
        for flagged in some {
            if hits.is_empty() {
                hits = flagged.hits;
            } else {
                hits.extend(flagged.hits);
            }
        }
        join(&mut hits);
        hits
    }
}

fn join(hits: &mut Vec<PairHit>) {
    hits.sort_unstable_by(|x, y| {
        let from = x.hit.span.from.total_cmp(&y.hit.span.from);
        (x.i, x.j).cmp(&(y.i, y.j)).then(from)
    });
    hits.dedup_by(|next, whole| {
        (next.i, next.j) == (whole.i, whole.j) && touch(&mut whole.hit, &next.hit)
    });
}

/// Joins a later hit of the same pair to an earlier one if they touch; says whether they do.
fn touch(whole: &mut Hit, next: &Hit) -> bool {
    let touch = next.span.from <= whole.span.to + SHORTEST_LOSS_S;
    if touch {
        whole.span.to = whole.span.to.max(next.span.to);
        let nearest = |hit: &Hit| {
            let steps = (hit.distance / EQUALLY_NEAR_M).floor();
            [steps, hit.height_tmm, hit.first_t, hit.second_t]
        };
        if nearest(next) < nearest(whole) {
            whole.first_t = next.first_t;
            whole.second_t = next.second_t;
            whole.distance = next.distance;
            whole.height_tmm = next.height_tmm;
        }
        whole.excess = whole.excess.max(next.excess);
        whole.still &= next.still;
    }
    touch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interval::Span;

    /// Short hits of three pairs at whole seconds, whose distances are often the same.
    fn some(count: usize) -> Vec<PairHit> {
        let mut state = 1_u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % below) as f64
        };
        let hit = |_| {
            let from = next(900);
            PairHit {
                i: 0,
                j: next(3) as u32,
                hit: Hit {
                    span: Span::new(from, from + next(4)),
                    first_t: from,
                    second_t: from + next(2),
                    distance: next(5),
                    height_tmm: next(3),
                    excess: next(3),
                    still: next(2) > 0.0,
                },
            }
        };
        (0..count).map(hit).collect()
    }

    /// Joined with the given number added at a time.
    fn joined(hits: &[PairHit], at_once: usize) -> Vec<PairHit> {
        let mut flagged = Flagged::default();
        for part in hits.chunks(at_once) {
            for j in 0..3 {
                let own = part.iter().filter(|found| found.j == j);
                flagged.add(0, j, &mut own.map(|found| found.hit).collect());
            }
        }
        Flagged::joined([flagged])
    }

    #[test]
    fn in_whatever_parts_and_order_hits_join_to_the_same() {
        let mut hits = some(600);
        let whole = format!("{:?}", joined(&hits, 600));
        assert!(joined(&hits, 600).len() > 30);
        for at_once in [1, 7, 100] {
            hits.reverse();
            assert_eq!(whole, format!("{:?}", joined(&hits, at_once)));
        }
    }

    #[test]
    fn many_hits_that_touch_are_few_on_the_way() {
        let hits = some(2 * MANY);
        let mut flagged = Flagged::default();
        for found in &hits {
            flagged.add(0, found.j, &mut vec![found.hit]);
            assert!(flagged.hits.len() <= MANY + 6_000);
        }
        let whole = Flagged::joined([flagged]);
        assert_eq!(format!("{whole:?}"), format!("{:?}", joined(&hits, 1_000)));
    }
}
