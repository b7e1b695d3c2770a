//! The cheap filter: which bounded stretches could meet at all. It may only exclude.
//!
//! A sweep through time; what is still going on lies in cubes of space, so that a stretch looks
//! only at its neighbours. Cubes are Earth-centred: no pole, no antimeridian.

use std::collections::HashMap;
use std::ops::Range;

use crate::interval::{nearest_instant, Span};
use crate::limits::Minima;
use crate::path::seconds;
use crate::vec3::Vec3;
use crate::vertical::References;

/// A set this small is looked through without cubes.
const FEW: usize = 256;
/// Share of the stretches that sets the size of the cubes; larger ones lie beside them.
const SMALL_SHARE: f64 = 0.999;
const SMALLEST_CUBE_M: f64 = 100.0;

/// One bounded stretch of one object: a ball, a span of time, a band of altitudes.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub from_us: i64,
    pub to_us: i64,
    pub centre: Vec3,
    pub radius: f64,
    /// Place at `from_us` of one straight motion, its velocity, and how far from it the object
    /// may be: a second, moving ball.
    pub origin: Vec3,
    pub velocity: Vec3,
    pub stray: f64,
    pub low_tmm: i64,
    pub high_tmm: i64,
    pub object: u32,
    pub chunk: u32,
    pub party: u32,
    pub item: u32,
    pub reference: u8,
    pub side: u8,
}

pub struct Filter {
    lateral: f64,
    /// How far apart bands may be and still meet, by both references; without end where it cannot
    /// be known.
    vertical: Vec<i64>,
    references: usize,
}

/// What most pairs are told apart by, close together in memory; the rest of an entry lies at
/// `index` of the set.
#[derive(Clone, Copy)]
struct Hot {
    to_us: i64,
    low_tmm: i64,
    high_tmm: i64,
    centre: Vec3,
    radius: f64,
    index: u32,
    party: u32,
    reference: u8,
}

impl Hot {
    fn new(index: u32, entry: &Entry) -> Hot {
        Hot {
            to_us: entry.to_us,
            low_tmm: entry.low_tmm,
            high_tmm: entry.high_tmm,
            centre: entry.centre,
            radius: entry.radius,
            index,
            party: entry.party,
            reference: entry.reference,
        }
    }
}

/// The stretches of one side that are still going on.
struct Active {
    cube: f64,
    cubes: HashMap<(i32, i32, i32), Vec<Hot>>,
    large: Vec<Hot>,
}

/// Entries in the order of their starts, with what a sweep through them needs to know beforehand.
pub struct Sorted {
    pub entries: Vec<Entry>,
    sides: Vec<u8>,
    /// Edge of the cubes of each side.
    cubes: Vec<f64>,
}

/// Edge of the cubes for stretches of these radii; negative for so few that none are needed.
fn cube_edge(mut radii: Vec<f64>, lateral: f64) -> f64 {
    if radii.len() <= FEW {
        return -1.0;
    }
    let at = ((radii.len() as f64) * SMALL_SHARE) as usize;
    let (_, small, _) = radii.select_nth_unstable_by(at, f64::total_cmp);
    (2.0 * *small + lateral).max(SMALLEST_CUBE_M)
}

impl Active {
    fn new(cube: f64) -> Active {
        Active {
            cube,
            cubes: HashMap::new(),
            large: Vec::new(),
        }
    }

    /// Two balls whose radii sum to at most `cube - lateral` lie in the same or neighbouring cubes.
    fn is_small(&self, radius: f64, lateral: f64) -> bool {
        self.cube > 0.0 && 2.0 * radius + lateral <= self.cube
    }

    fn place(&self, p: Vec3) -> (i32, i32, i32) {
        let index = |x: f64| (x / self.cube).floor() as i32;
        (index(p.x), index(p.y), index(p.z))
    }

    fn insert(&mut self, hot: Hot, lateral: f64) {
        if self.is_small(hot.radius, lateral) {
            let place = self.place(hot.centre);
            self.cubes.entry(place).or_default().push(hot);
        } else {
            self.large.push(hot);
        }
    }

    /// Calls `look` with every stretch still going on that could be near; drops what is over.
    fn near(&mut self, entry: &Entry, lateral: f64, look: &mut impl FnMut(&Hot)) {
        let mut through = |open: &mut Vec<Hot>| {
            let mut k = 0;
            while k < open.len() {
                if open[k].to_us < entry.from_us {
                    open.swap_remove(k);
                } else {
                    look(&open[k]);
                    k += 1;
                }
            }
        };
        through(&mut self.large);
        if self.cubes.is_empty() {
            return;
        }
        if !self.is_small(entry.radius, lateral) {
            self.cubes.values_mut().for_each(through);
            return;
        }
        let (x, y, z) = self.place(entry.centre);
        for dx in -1..=1 {
            for dy in -1..=1 {
                for dz in -1..=1 {
                    if let Some(open) = self.cubes.get_mut(&(x + dx, y + dy, z + dz)) {
                        through(open);
                    }
                }
            }
        }
    }
}

impl Filter {
    pub fn new(minima: &Minima, references: &References) -> Filter {
        let greatest = minima.vertical_tmm.iter().fold(0, |m, &h| h.max(m));
        let by = |a: usize, b: usize| match references.conversion(a as u8, b as u8) {
            Some(conversion) => greatest
                .saturating_add(conversion.slack_tmm)
                .saturating_add(conversion.shift_tmm.abs()),
            None => i64::MAX,
        };
        let every = 0..references.count;
        Filter {
            lateral: minima.greatest_lateral(),
            vertical: every
                .clone()
                .flat_map(|a| every.clone().map(move |b| (a, b)))
                .map(|(a, b)| by(a, b))
                .collect(),
            references: references.count,
        }
    }

    /// Makes entries ready to be swept through, in parts and by several threads.
    pub fn sorted(&self, mut entries: Vec<Entry>) -> Sorted {
        entries.sort_unstable_by_key(|e| (e.from_us, e.object, e.chunk));
        let mut sides: Vec<u8> = entries.iter().map(|e| e.side).collect();
        sides.sort_unstable();
        sides.dedup();
        let cubes = sides.iter().map(|&side| {
            let own = entries.iter().filter(|e| e.side == side);
            cube_edge(own.map(|e| e.radius).collect(), self.lateral)
        });
        let cubes = cubes.collect();
        Sorted {
            entries,
            sides,
            cubes,
        }
    }

    /// Calls `found` once for every pair of entries that cannot be excluded and whose later entry
    /// is one of `part`: parts that make up the whole find every pair, each once.
    pub fn sweep(&self, set: &Sorted, part: Range<usize>, found: &mut impl FnMut(&Entry, &Entry)) {
        let Some(first) = set.entries.get(part.start) else {
            return;
        };
        let sides = &set.sides;
        let mut active: Vec<Active> = set.cubes.iter().map(|&cube| Active::new(cube)).collect();
        let before = (0u32..).zip(&set.entries[..part.start]);
        for (index, open) in before.filter(|(_, e)| e.to_us >= first.from_us) {
            if let Ok(own) = sides.binary_search(&open.side) {
                active[own].insert(Hot::new(index, open), self.lateral);
            }
        }
        for (index, entry) in (part.start as u32..).zip(&set.entries[part]) {
            for (side, open) in sides.iter().zip(&mut active) {
                if *side == entry.side && *side != 0 {
                    continue;
                }
                open.near(entry, self.lateral, &mut |hot| {
                    if self.places_meet(hot, entry) {
                        let other = &set.entries[hot.index as usize];
                        if self.ways_meet(other, entry) {
                            found(other, entry);
                        }
                    }
                });
            }
            if let Ok(own) = sides.binary_search(&entry.side) {
                active[own].insert(Hot::new(index, entry), self.lateral);
            }
        }
    }

    /// Are they of different parties, their bands near, and their balls?
    fn places_meet(&self, a: &Hot, b: &Entry) -> bool {
        if a.party == b.party {
            return false;
        }
        let by =
            self.vertical[usize::from(a.reference) * self.references + usize::from(b.reference)];
        if a.low_tmm.saturating_sub(b.high_tmm) > by || b.low_tmm.saturating_sub(a.high_tmm) > by {
            return false;
        }
        let within = a.radius + b.radius + self.lateral;
        (a.centre - b.centre).norm2() <= within * within
    }

    /// Of two whose places meet: are they two things, and their motions near?
    fn ways_meet(&self, a: &Entry, b: &Entry) -> bool {
        a.object != b.object && (a.item != b.item || a.item == u32::MAX) && self.motions_near(a, b)
    }

    /// Do the moving balls touch in the common time?
    fn motions_near(&self, a: &Entry, b: &Entry) -> bool {
        let start = a.from_us.max(b.from_us);
        let end = a.to_us.min(b.to_us);
        let at = |e: &Entry| e.origin + e.velocity * seconds(e.from_us, start);
        let (p, v) = (at(a) - at(b), a.velocity - b.velocity);
        let t = nearest_instant(p, v, Span::new(0.0, seconds(start, end)));
        let within = a.stray + b.stray + self.lateral;
        (p + v * t).norm2() <= within * within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small deterministic numbers for made-up entries.
    fn scatter(count: u32) -> Vec<Entry> {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as f64 / f64::from(1_u32 << 31)
        };
        (0..count)
            .map(|object| {
                let from_us = (next() * 1e6) as i64;
                let centre = Vec3::new(next() * 1e5, next() * 1e5, next() * 1e4);
                let radius = if object % 50 == 0 { 3e4 } else { next() * 2e3 };
                Entry {
                    from_us,
                    to_us: from_us + (next() * 1e5) as i64,
                    centre,
                    radius,
                    origin: centre,
                    velocity: Vec3::ZERO,
                    stray: radius,
                    low_tmm: 0,
                    high_tmm: 0,
                    object,
                    chunk: 0,
                    party: object,
                    item: u32::MAX,
                    reference: 0,
                    side: 0,
                }
            })
            .collect()
    }

    #[test]
    fn cubes_find_exactly_what_looking_at_every_pair_finds() {
        let minima = Minima {
            count: 1,
            lateral_m: vec![500.0],
            vertical_tmm: vec![0],
        };
        let references = References {
            count: 1,
            comparable: vec![1],
            offset_lo_tmm: vec![0],
            offset_hi_tmm: vec![0],
        };
        let filter = Filter::new(&minima, &references);
        let entries = scatter(2_000);
        let set = filter.sorted(entries.clone());
        let mut swept = Vec::new();
        for part in [0..700, 700..701, 701..2_000] {
            filter.sweep(&set, part, &mut |a, b| {
                swept.push((a.object.min(b.object), a.object.max(b.object)));
            });
        }
        let mut every = Vec::new();
        for (k, a) in entries.iter().enumerate() {
            for b in &entries[k + 1..] {
                let together = a.from_us <= b.to_us && b.from_us <= a.to_us;
                let places = || filter.places_meet(&Hot::new(0, a), b);
                if together && places() && filter.ways_meet(a, b) {
                    every.push((a.object, b.object));
                }
            }
        }
        swept.sort_unstable();
        assert!(every.len() > 1_000);
        assert_eq!(swept, every);
    }
}
