//! Where the stretches of the live index lie: each in one cell, that of its middle.
//!
//! A level holds what is about as large and lasts about as long. Nothing in it reaches farther from
//! its middle than the level's radius, nor lasts longer before and after it than the level's half:
//! so whoever asks looks that much farther around itself, and what is large lies nowhere twice.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use crate::index_heads::{Cell, Head, Scale, Sieve};
use crate::index_walk::{Cube, Grain, Part, Walk};
use crate::stretch::{ends, Bounding, Stretch, Ticks};
use crate::vec3::Vec3;

/// Radii are told in powers of four of metres, from 128 m; what is larger than 2,000 km lies beside
/// all cells.
const SMALLEST: u32 = 7;
const LARGEST: u32 = 21;
/// Halves are told in powers of four of ticks, from 25.6 s.
const SHORTEST: u32 = 8;
const LONGEST: u32 = 32;
/// Few levels: each is one more to look into.
const STEP: u32 = 2;
/// A cell is 2 to the power of these radii wide, and of these halves long: looking past what is in a
/// cell costs less than looking up another.
const CELL_PER_RADIUS: u32 = 2;
const SLAB_PER_HALF: u32 = 1;

/// A stretch's motion along the axes of the index, its middle, and how far around that it may be.
struct Motion {
    p: [f64; 3],
    q: [f64; 3],
    radius: f64,
    tick: u32,
    half: u32,
}

impl Motion {
    fn middle(&self) -> [f64; 3] {
        [0, 1, 2].map(|d| 0.5 * (self.p[d] + self.q[d]))
    }
}

/// Exponents of a level's greatest radius, metres, and half, ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Size {
    metres: u32,
    ticks: u32,
}

impl Size {
    /// None of what is too large for cells.
    fn of(motion: &Motion) -> Option<Size> {
        let metres = exponent(motion.radius, SMALLEST);
        let ticks = exponent(f64::from(motion.half), SHORTEST);
        (metres <= LARGEST && ticks <= LONGEST).then_some(Size { metres, ticks })
    }

    /// How large the cells of this level are.
    fn grain(self) -> Grain {
        Grain {
            metres: self.metres + CELL_PER_RADIUS,
            ticks: self.ticks + SLAB_PER_HALF,
        }
    }

    fn max(self, other: Size) -> Size {
        Size {
            metres: self.metres.max(other.metres),
            ticks: self.ticks.max(other.ticks),
        }
    }
}

/// The least exponent that is not below, of those from the smallest on.
fn exponent(of: f64, smallest: u32) -> u32 {
    if of >= 1e18 {
        return u32::MAX;
    }
    let least = (of as u64 + 1).next_power_of_two().ilog2();
    smallest + least.saturating_sub(smallest).div_ceil(STEP) * STEP
}

/// The stretches of one size.
struct Level {
    cells: HashMap<Cube, Cell, Seeds>,
    /// The greatest there were.
    radius: f64,
    half: u32,
}

/// Mixes the numbers of a cell with two that nobody else knows, so that nobody can choose places
/// whose cells come together.
#[derive(Clone, Copy)]
struct Seeds(u64, u64);

impl Seeds {
    fn new() -> Seeds {
        let random = RandomState::new();
        Seeds(random.hash_one(0), random.hash_one(1))
    }
}

impl BuildHasher for Seeds {
    type Hasher = Mixed;

    fn build_hasher(&self) -> Mixed {
        Mixed {
            seeds: *self,
            mixed: 0,
        }
    }
}

struct Mixed {
    seeds: Seeds,
    mixed: u64,
}

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.mixed
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(16) {
            let mut word = [0; 16];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u128(u128::from_le_bytes(word));
        }
    }

    fn write_u128(&mut self, word: u128) {
        // Both halves of the product, as wyhash does.
        let (low, high) = (word as u64, (word >> 64) as u64);
        let (a, b) = (low ^ self.seeds.0 ^ self.mixed, high ^ self.seeds.1);
        let product = u128::from(a) * u128::from(b);
        self.mixed = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hash for Cube {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [x, y, z] = self.place.map(u128::from);
        state.write_u128(x | y << 32 | z << 64 | u128::from(self.slab) << 96);
    }
}

pub struct Levels {
    levels: BTreeMap<Size, Level>,
    /// Beside all cells.
    wide: Vec<Stretch>,
    /// Turned so that the first that lay here points up: a region is nearly flat then.
    axes: [Vec3; 3],
    seeds: Seeds,
    ticks: Ticks,
    vertical: i32,
}

impl Levels {
    pub fn new(first: Vec3, bounding: &Bounding) -> Levels {
        Levels {
            levels: BTreeMap::new(),
            wide: Vec::new(),
            axes: first.axes(),
            seeds: Seeds::new(),
            ticks: bounding.ticks,
            vertical: bounding.vertical(),
        }
    }

    /// Adds the stretches of one object under its number, all into one level.
    pub fn insert(&mut self, object: u32, stretches: &[Stretch]) {
        let motions: Vec<Motion> = stretches.iter().map(|s| self.motion(s)).collect();
        let size = motions.iter().filter_map(Size::of).reduce(Size::max);
        for (stretch, motion) in stretches.iter().zip(&motions) {
            let stretch = Stretch { object, ..*stretch };
            let (Some(_), Some(size)) = (Size::of(motion), size) else {
                self.wide.push(stretch);
                continue;
            };
            let cube = Cube::of(motion.middle(), motion.tick, size.grain());
            let scale = Scale::of(&cube, size.grain(), self.vertical);
            let head = Head::of(&stretch, motion.p, motion.q, &scale);
            let level = self.levels.entry(size).or_insert_with(|| Level {
                cells: HashMap::with_hasher(self.seeds),
                radius: 0.0,
                half: 0,
            });
            level.radius = level.radius.max(motion.radius);
            level.half = level.half.max(motion.half);
            level.cells.entry(cube).or_default().push(&stretch, head);
        }
    }

    /// Takes the stretches of one object away, all of them.
    pub fn remove(&mut self, object: u32, stretches: &[Stretch]) {
        let motions: Vec<Motion> = stretches.iter().map(|s| self.motion(s)).collect();
        let sizes: Vec<Option<Size>> = motions.iter().map(Size::of).collect();
        if sizes.contains(&None) {
            self.wide.retain(|s| s.object != object);
        }
        let Some(size) = sizes.iter().copied().flatten().reduce(Size::max) else {
            return;
        };
        let Some(level) = self.levels.get_mut(&size) else {
            return;
        };
        for (motion, _) in motions
            .iter()
            .zip(&sizes)
            .filter(|(_, size)| size.is_some())
        {
            let cube = Cube::of(motion.middle(), motion.tick, size.grain());
            if let Some(cell) = level.cells.get_mut(&cube) {
                cell.remove(object);
                if cell.stretches().is_empty() {
                    level.cells.remove(&cube);
                }
            }
        }
        if level.cells.is_empty() {
            self.levels.remove(&size);
        }
    }

    fn motion(&self, stretch: &Stretch) -> Motion {
        let (p, q) = ends(stretch, self.ticks);
        let lasts = stretch.to - stretch.from;
        Motion {
            p: self.axes.map(|axis| p.dot(axis)),
            q: self.axes.map(|axis| q.dot(axis)),
            radius: 0.5 * (q - p).norm() + f64::from(stretch.reach),
            tick: stretch.from + lasts / 2,
            half: lasts / 2 + 1,
        }
    }

    /// Adds what could be near a stretch at some instant of its own, each once; says how many cells
    /// were looked for.
    pub fn near<'a>(&'a self, own: &Stretch, sieve: &mut Sieve<'a>) -> u64 {
        let mut looked = 0;
        sieve.clear();
        sieve.found.extend(&self.wide);
        let Motion { p, q, .. } = self.motion(own);
        for (&size, level) in &self.levels {
            let grain = size.grain();
            let walk = Walk {
                p,
                q,
                from: own.from,
                to: own.to,
                reach: f64::from(own.reach) + level.radius,
                half: level.half,
                grain,
            };
            let head = |cube: &Cube, part: Part| {
                let scale = Scale::of(cube, grain, self.vertical);
                Head::of(own, walk.at(part.0), walk.at(part.1), &scale)
            };
            let bounds = walk.bounds();
            looked += bounds.count().min(level.cells.len() as f64) as u64;
            if bounds.count() > level.cells.len() as f64 {
                // More cells than there are: these are looked through.
                let held = level.cells.iter().filter(|(cube, _)| bounds.hold(cube));
                held.for_each(|(cube, cell)| sieve.push(head(cube, (0.0, 1.0)), cell));
                continue;
            }
            walk.each(|cube, part| {
                if let Some(cell) = level.cells.get(&cube) {
                    sieve.push(head(&cube, part), cell);
                }
            });
        }
        sieve.sift();
        looked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Minima;
    use crate::scatter::{not_excluded, Scatter};
    use std::collections::BTreeSet;

    fn near(levels: &Levels, own: &Stretch) -> BTreeSet<(u32, u32)> {
        let mut sieve = Sieve::default();
        levels.near(own, &mut sieve);
        let found: BTreeSet<_> = sieve.found.iter().map(|s| (s.object, s.first)).collect();
        assert_eq!(found.len(), sieve.found.len(), "found twice");
        found
    }

    #[test]
    fn all_that_is_near_is_found_once_whatever_came_and_went() {
        for (seed, far) in [(1, 2e5), (2, 5e4), (3, 2e7)] {
            let minima = Minima {
                count: 1,
                lateral_m: vec![9_260.0],
                vertical_tmm: vec![3_048_000],
            };
            Scatter::new(seed, 120, far).with_set(minima, |set| {
                let all: Vec<Vec<Stretch>> = (0..set.spans_us.len())
                    .map(|object| {
                        let mut own = Vec::new();
                        set.each_stretch(object, 1 + object % 5, |s| own.push(s));
                        own
                    })
                    .collect();
                let mut levels = Levels::new(set.tracks.get(0).places[0], set.bounding);
                all.iter().for_each(|own| levels.insert(own[0].object, own));
                all[..60]
                    .iter()
                    .for_each(|own| levels.remove(own[0].object, own));
                all[30..60]
                    .iter()
                    .for_each(|own| levels.insert(own[0].object, own));
                let mut wanted = 0;
                for own in all.iter().flatten() {
                    let found = near(&levels, own);
                    assert!(found.iter().all(|&(object, _)| object >= 30));
                    for other in all[30..].iter().flatten() {
                        if not_excluded(own, other, set.bounding) {
                            assert!(found.contains(&(other.object, other.first)));
                            wanted += 1;
                        }
                    }
                }
                assert!(wanted > 500, "{wanted} with {far}");
                all[30..]
                    .iter()
                    .for_each(|own| levels.remove(own[0].object, own));
                assert!(levels.levels.is_empty() && levels.wide.is_empty());
            });
        }
    }
}
