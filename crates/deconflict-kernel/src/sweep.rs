//! The cheap filter over a whole set: slab by slab, cell by cell. It may only exclude.
//!
//! A stretch lies in every slab and cell that it may touch; a pair is found in one of them only,
//! the one at the greater of their lower corners in every dimension, which both always share.

use crate::grid::{Grid, Set};
use crate::lanes::{pairs_near, Frame, Lanes, ALL_CORNERS};
use crate::prefetch::soon;
use crate::screen::GoesOn;
use crate::slabs::{Slabs, TOGETHER};
use crate::stretch::{meeting, Stretch};

/// A stretch that touches more cells than this lies beside the cells of its slab.
const WIDE_CELLS: u64 = 64;
/// So many before its turn a stretch is asked for.
const AHEAD: usize = 8;
/// Pairs of cells that are looked at before it is asked whether to go on: some milliseconds.
const PAIRS_AT_ONCE: usize = 1 << 22;
/// The corner's bit of the time dimension.
const STARTS_HERE: u32 = 1 << 4;

/// A stretch in a cell.
#[derive(Clone, Copy, Default)]
struct Entry {
    key: u64,
    index: u32,
    corner: u32,
}

/// Two stretches that a closer look does not exclude, and when.
struct Meeting {
    i: u32,
    j: u32,
    during: (i64, i64),
}

/// What one thread needs to sweep slabs, kept from one to the next.
#[derive(Default)]
pub struct Sweep {
    order: Vec<i64>,
    stretches: Vec<Stretch>,
    wide: Vec<u32>,
    entries: Vec<Entry>,
    sorted: Vec<Entry>,
    buckets: Vec<u32>,
    lanes: Lanes,
    near: Vec<(u32, u32)>,
    meetings: Vec<Meeting>,
}

impl Sweep {
    /// Calls `found` with every pair of the slab that cannot be excluded, each once, and when it may
    /// meet, until it says false or nothing goes on.
    pub fn slab(
        &mut self,
        set: &Set<'_>,
        grid: &Grid,
        slabs: &Slabs,
        slab: usize,
        goes_on: GoesOn<'_>,
        found: &mut impl FnMut(&Stretch, &Stretch, (i64, i64)) -> bool,
    ) {
        if !goes_on() {
            return;
        }
        let from = grid.slab_from(slab);
        self.gather(slabs, slab);
        if self.stretches.len() < 2 {
            return;
        }
        self.place(grid, from);
        self.sort();
        self.meetings.clear();
        let mut looked = 0;
        let mut at = 0;
        while at < self.sorted.len() {
            let key = self.sorted[at].key;
            let more = self.sorted[at..]
                .iter()
                .take_while(|e| e.key == key)
                .count();
            if more > 1 {
                self.look(at..at + more, set);
                self.look_closer(set);
                looked += more * more;
            }
            if looked > PAIRS_AT_ONCE {
                if !goes_on() {
                    return;
                }
                looked = 0;
            }
            at += more;
        }
        if !self.wide.is_empty() {
            self.look_beside(from, set);
            self.look_closer(set);
        }
        let pair = |m: &Meeting| (&self.stretches[m.i as usize], &self.stretches[m.j as usize]);
        for (k, meeting) in self.meetings.iter().enumerate() {
            if let Some(later) = self.meetings.get(k + 2 * AHEAD) {
                let (a, b) = pair(later);
                set.tracks.row_soon(a.object);
                set.tracks.row_soon(b.object);
            }
            if let Some(later) = self.meetings.get(k + AHEAD) {
                let (a, b) = pair(later);
                set.tracks.pieces_soon(a);
                set.tracks.pieces_soon(b);
            }
            let (a, b) = pair(meeting);
            if !found(a, b, meeting.during) {
                return;
            }
        }
    }

    /// Keeps of the pairs just found near what a closer look does not exclude.
    fn look_closer(&mut self, set: &Set<'_>) {
        let (vertical, ticks) = (set.bounding.vertical(), set.bounding.ticks);
        for (i, j) in self.near.drain(..) {
            let (a, b) = (&self.stretches[i as usize], &self.stretches[j as usize]);
            if a.object == b.object || !set.sides_meet(a.object, b.object) {
                continue;
            }
            if let Some(during) = meeting(a, b, vertical, ticks) {
                self.meetings.push(Meeting { i, j, during });
            }
        }
    }

    /// The stretches of the slab from the lowest to the highest, so that in each cell only a run of
    /// them needs to be looked at.
    fn gather(&mut self, slabs: &Slabs, slab: usize) {
        let runs: Vec<&[Stretch]> = slabs.of(slab).collect();
        self.order.clear();
        for (first, run) in (0_i64..).step_by(TOGETHER).zip(&runs) {
            let lows = run.iter().map(|s| i64::from(s.band(0).0) << 32);
            self.order
                .extend(lows.zip(first..).map(|(low, index)| low | index));
        }
        self.order.sort_unstable();
        let at = |key: i64| {
            let index = (key & 0xFFFF_FFFF) as usize;
            (runs[index / TOGETHER], index % TOGETHER)
        };
        self.stretches.clear();
        self.stretches.reserve(self.order.len());
        for (k, &key) in self.order.iter().enumerate() {
            if let Some(&later) = self.order.get(k + AHEAD) {
                let (run, index) = at(later);
                soon(run, index);
            }
            let (run, index) = at(key);
            self.stretches.push(run[index]);
        }
    }

    /// Entries of all cells, and what is too wide for them.
    fn place(&mut self, grid: &Grid, from: u32) {
        self.entries.clear();
        self.wide.clear();
        for (index, stretch) in (0_u32..).zip(&self.stretches) {
            let cells = grid.cells(stretch);
            if cells.count() > WIDE_CELLS {
                self.wide.push(index);
                continue;
            }
            let starts = if stretch.from >= from { STARTS_HERE } else { 0 };
            cells.each(|key, corner| {
                self.entries.push(Entry {
                    key,
                    index,
                    corner: corner | starts,
                });
            });
        }
    }

    /// Brings entries of one cell together: by buckets first, which nearly always hold one cell.
    fn sort(&mut self) {
        let bits = (self.entries.len() / 4).max(1).ilog2() + 1;
        let bucket = |key: u64| (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize;
        self.buckets.clear();
        self.buckets.resize((1 << bits) + 1, 0);
        for entry in &self.entries {
            self.buckets[bucket(entry.key) + 1] += 1;
        }
        for k in 0..(1 << bits) {
            self.buckets[k + 1] += self.buckets[k];
        }
        self.sorted.clear();
        self.sorted.resize(self.entries.len(), Entry::default());
        for entry in &self.entries {
            let place = &mut self.buckets[bucket(entry.key)];
            self.sorted[*place as usize] = *entry;
            *place += 1;
        }
        // Each place has moved on to the end of its bucket.
        let mut from = 0;
        for k in 0..(1 << bits) {
            let until = self.buckets[k] as usize;
            let own = &mut self.sorted[from..until];
            if own.windows(2).any(|pair| pair[0].key != pair[1].key) {
                // An index is a place in the order of the lows, which so stays.
                own.sort_unstable_by_key(|e| (e.key, e.index));
            }
            from = until;
        }
    }

    /// The pairs of one cell.
    fn look(&mut self, entries: std::ops::Range<usize>, set: &Set<'_>) {
        let stretches = &self.stretches;
        let own = &mut self.sorted[entries];
        let side = |e: &Entry| set.side(stretches[e.index as usize].object);
        // Of one side nobody meets; the last side needs no looking from.
        let (mut firsts, mut by_low) = (own.len(), true);
        if !set.sides.is_empty() {
            own.sort_by_key(side);
            let last = side(&own[own.len() - 1]);
            if last != 0 {
                firsts = own.partition_point(|e| side(e) < last);
            }
            by_low = false;
        }
        if firsts == 0 {
            return;
        }
        let frame = Frame::around(&stretches[own[0].index as usize], set.bounding);
        self.lanes.clear();
        for (k, entry) in own.iter().enumerate() {
            if let Some(later) = own.get(k + AHEAD) {
                soon(stretches, later.index as usize);
            }
            let stretch = &stretches[entry.index as usize];
            self.lanes.push(entry.index, entry.corner, stretch, &frame);
        }
        pairs_near(&mut self.lanes, firsts, by_low, &mut self.near);
    }

    /// The pairs of a wide stretch and any other of the slab.
    fn look_beside(&mut self, from: u32, set: &Set<'_>) {
        let corner = |s: &Stretch| {
            let starts = if s.from >= from { STARTS_HERE } else { 0 };
            (ALL_CORNERS & !STARTS_HERE) | starts
        };
        let frame = Frame::around(&self.stretches[self.wide[0] as usize], set.bounding);
        self.lanes.clear();
        let mut is_wide = self.wide.iter().copied().peekable();
        let narrow = (0..self.stretches.len() as u32).filter(|&k| is_wide.next_if_eq(&k).is_none());
        // Not from low to high: every pair is looked at.
        for index in self.wide.iter().copied().chain(narrow) {
            let stretch = &self.stretches[index as usize];
            self.lanes.push(index, corner(stretch), stretch, &frame);
        }
        pairs_near(&mut self.lanes, self.wide.len(), false, &mut self.near);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Minima;
    use crate::scatter::{not_excluded, Scatter};
    use std::collections::BTreeMap;

    #[test]
    fn every_division_finds_every_pair_once() {
        for (seed, far) in [(1, 2e5), (2, 5e4), (3, 2e7)] {
            let scatter = Scatter::new(seed, 120, far);
            let minima = Minima {
                count: 1,
                lateral_m: vec![9_260.0],
                vertical_tmm: vec![3_048_000],
            };
            scatter.with_set(minima, |set| {
                for (pieces, cell_m, band, in_slab) in [
                    (4, 3e5, 1e9, 1e3),
                    (1, 100.0, 1e6, 7.0),
                    (3, 2e4, 3e7, 40.0),
                    (8, 1e6, 5e9, 1e9),
                ] {
                    let grid = Grid::of_sizes(set, pieces, cell_m, band, in_slab);
                    let slabs = Slabs::new(set, &grid, 1);
                    let mut times: BTreeMap<_, u32> = BTreeMap::new();
                    let mut sweep = Sweep::default();
                    for slab in 0..grid.slabs() {
                        sweep.slab(set, &grid, &slabs, slab, &|| true, &mut |a, b, _| {
                            let (x, y) = ((a.object, a.first), (b.object, b.first));
                            *times.entry((x.min(y), x.max(y))).or_default() += 1;
                            true
                        });
                    }
                    assert!(times.values().all(|&count| count == 1));
                    let mut all = Vec::new();
                    for object in 0..set.spans_us.len() {
                        set.each_stretch(object, pieces, |stretch| all.push(stretch));
                    }
                    let mut wanted = 0;
                    for (k, a) in all.iter().enumerate() {
                        for b in &all[k + 1..] {
                            let apart = a.object != b.object
                                && a.party != b.party
                                && set.sides_meet(a.object, b.object);
                            if apart && not_excluded(a, b, set.bounding) {
                                let (x, y) = ((a.object, a.first), (b.object, b.first));
                                assert!(times.contains_key(&(x.min(y), x.max(y))));
                                wanted += 1;
                            }
                        }
                    }
                    assert!(wanted > 20, "{wanted} with {far}");
                }
            });
        }
    }
}
