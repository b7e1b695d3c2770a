//! What could come near a path that may move: everything under balls, in cubes of space.
//!
//! It may only exclude. Cubes are looked up as far around as the balls reach, and in each the blocks
//! in order of their start; then times, balls and altitudes themselves are compared.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::vec3::Vec3;

/// A cube is this many median radii wide.
const CUBE_PER_RADIUS: f64 = 1.5;
/// A block that lasts longer than this many median ones is looked at apart.
const LONGEST_PER_LENGTH: i64 = 2;

/// Some pieces of a path, or a volume: a ball with all its margins, a time with its window.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub from_us: i64,
    pub to_us: i64,
    pub centre: Vec3,
    pub radius: f64,
    pub low_tmm: i64,
    pub high_tmm: i64,
    /// Row: paths first, then regions.
    pub owner: u32,
    pub first: u32,
    pub end: u32,
    pub party: u32,
    pub reference: u8,
    pub side: u8,
}

/// How far a block is looked around.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// Earlier and later, microseconds, at least 0.
    pub early_us: i64,
    pub late_us: i64,
    pub distance_m: f64,
    /// None where altitudes do not matter.
    pub height_tmm: Option<i64>,
}

type Cube = [i64; 3];

/// Mixes the three numbers of a cube: the standard hasher withstands attacks, and takes a quarter of
/// the time here.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        // FxHash's constant and step (rustc-hash).
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_i64(&mut self, word: i64) {
        self.write_u64(word as u64);
    }
}

/// Blocks by the cube of their centre and by start; those that outgrow it in a list of their own.
#[derive(Debug, Default)]
pub struct Blocks {
    sorted: Vec<Block>,
    cubes: HashMap<Cube, (usize, usize), BuildHasherDefault<Mix>>,
    large: Vec<Block>,
    side_m: f64,
    longest_us: i64,
}

fn median<T: Copy>(mut values: Vec<T>, order: impl Fn(&T, &T) -> Ordering) -> Option<T> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, order).1)
}

impl Blocks {
    pub fn new(blocks: Vec<Block>) -> Blocks {
        let radius = median(blocks.iter().map(|b| b.radius).collect(), f64::total_cmp);
        let lasts = median(
            blocks.iter().map(|b| b.to_us - b.from_us).collect(),
            i64::cmp,
        );
        let side_m = CUBE_PER_RADIUS * radius.unwrap_or(0.0).max(1.0);
        let longest_us = LONGEST_PER_LENGTH * lasts.unwrap_or(0).max(1_000_000);
        let fits = |b: &Block| b.radius <= side_m && b.to_us - b.from_us <= longest_us;
        let (mut sorted, large): (Vec<Block>, Vec<Block>) = blocks.into_iter().partition(fits);
        let mut all = Blocks {
            side_m,
            longest_us,
            large,
            ..Blocks::default()
        };
        sorted.sort_by_cached_key(|b| (all.cube_of(b.centre), b.from_us, b.owner, b.first));
        let mut first = 0;
        while first < sorted.len() {
            let cube = all.cube_of(sorted[first].centre);
            let end = first + sorted[first..].partition_point(|b| all.cube_of(b.centre) == cube);
            all.cubes.insert(cube, (first, end));
            first = end;
        }
        all.sorted = sorted;
        all
    }

    fn cube_of(&self, place: Vec3) -> Cube {
        [place.x, place.y, place.z].map(|x| self.step(x))
    }

    fn step(&self, x: f64) -> i64 {
        (x / self.side_m).floor() as i64
    }

    /// Calls `found` with each block that could meet `own` when moved within `around`.
    pub fn each(&self, own: &Block, around: &Around, mut found: impl FnMut(&Block)) {
        let from_us = own.from_us.saturating_sub(around.early_us);
        let to_us = own.to_us.saturating_add(around.late_us);
        let pad = own.radius + around.distance_m;
        let mut look = |other: &Block| {
            let r = pad + other.radius;
            if other.from_us <= to_us
                && other.to_us >= from_us
                && (other.centre - own.centre).norm2() <= r * r
                && may_meet(own, other, around)
            {
                found(other);
            }
        };
        self.large.iter().for_each(&mut look);
        // No block in a cube is larger than its side, nor lasts longer.
        let far = pad + self.side_m;
        let first_us = from_us.saturating_sub(self.longest_us);
        let Vec3 { x, y, z } = own.centre;
        let [xs, ys, zs] = [x, y, z].map(|x| (self.step(x - far), self.step(x + far)));
        let wide = [xs, ys, zs].map(|(from, to)| (to - from + 1) as f64);
        if wide.iter().product::<f64>() > self.cubes.len() as f64 {
            self.sorted.iter().for_each(&mut look);
            return;
        }
        // How far a cube is from a place, along one axis.
        let off = |x: f64, step: i64| {
            let low = step as f64 * self.side_m;
            (low - x).max(x - (low + self.side_m)).max(0.0)
        };
        let far2 = far * far * (1.0 + 1e-9);
        for i in xs.0..=xs.1 {
            let dx2 = off(x, i).powi(2);
            for j in ys.0..=ys.1 {
                let dxy2 = dx2 + off(y, j).powi(2);
                for k in zs.0..=zs.1 {
                    if dxy2 + off(z, k).powi(2) > far2 {
                        continue;
                    }
                    if let Some(&(first, end)) = self.cubes.get(&[i, j, k]) {
                        let cube = &self.sorted[first..end];
                        let first = cube.partition_point(|b| b.from_us < first_us);
                        let rest = cube[first..].iter();
                        rest.take_while(|b| b.from_us <= to_us).for_each(&mut look);
                    }
                }
            }
        }
    }
}

/// False when they are one party's, on one side, or apart in altitude.
fn may_meet(own: &Block, other: &Block, around: &Around) -> bool {
    let met =
        other.party != own.party && (own.side == 0 || other.side == 0 || own.side != other.side);
    let apart = around.height_tmm.is_some_and(|height| {
        own.reference == other.reference
            && (other.low_tmm.saturating_sub(own.high_tmm) > height
                || own.low_tmm.saturating_sub(other.high_tmm) > height)
    });
    met && !apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(owner: u32, minutes: (i64, i64), x: f64, low_tmm: i64) -> Block {
        Block {
            from_us: minutes.0 * 60_000_000,
            to_us: minutes.1 * 60_000_000,
            centre: Vec3::new(x, 0.0, 0.0),
            radius: 1_000.0,
            low_tmm,
            high_tmm: low_tmm + 10,
            owner,
            first: 0,
            end: 1,
            party: owner,
            reference: 0,
            side: 0,
        }
    }

    #[test]
    fn only_what_cannot_meet_is_left_out() {
        let all = Blocks::new(vec![
            block(1, (0, 500), 0.0, 0),
            block(2, (10, 20), 0.0, 0),
            block(3, (10, 20), 9_000.0, 0),
            block(4, (40, 50), 0.0, 0),
            block(5, (10, 20), 0.0, 1_000),
        ]);
        let own = block(9, (21, 30), 0.0, 0);
        let near = |early: i64, late: i64, distance_m, height_tmm| {
            let around = Around {
                early_us: early * 60_000_000,
                late_us: late * 60_000_000,
                distance_m,
                height_tmm,
            };
            let mut owners = Vec::new();
            all.each(&own, &around, |b| owners.push(b.owner));
            owners.sort_unstable();
            owners
        };
        assert_eq!(near(0, 0, 0.0, Some(0)), [1]);
        assert_eq!(near(1, 0, 0.0, Some(0)), [1, 2]);
        assert_eq!(near(1, 10, 7_000.0, Some(0)), [1, 2, 3, 4]);
        assert_eq!(near(1, 10, 0.0, Some(990)), [1, 2, 4, 5]);
        assert_eq!(near(1, 10, 0.0, None), [1, 2, 4, 5]);
    }
}
