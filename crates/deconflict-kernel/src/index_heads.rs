//! Where, when and how high the stretches of one cell are, side by side in 8 and 16 bits: most of
//! what a cell holds is excluded by these without being read.
//!
//! Numbers are rounded down on both sides of a comparison, which never turns it from true to false.

use crate::index_walk::{Cube, Grain};
use crate::prefetch::soon;
use crate::stretch::Stretch;
use crate::width::at_any_width;

const LANES: usize = 32;
/// So many before its turn a cell is asked for.
const AHEAD: usize = 8;
/// Altitudes of ±200 km in steps of 25 feet: of two that fly at whole ones, exactly their minimum
/// apart, one's band then ends in the step before the other's begins.
const STEP_TMM: i32 = 76_200;
/// A slab is divided into so many steps, or into ticks.
const SLAB_BITS: u32 = 12;
/// A cell's side in steps of places; what lies in it reaches half a side out of it at most.
const SIDE_STEPS: f64 = 127.0;

/// Some stretches side by side; what is no stretch never meets any.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Block {
    least: [[i8; LANES]; 3],
    most: [[i8; LANES]; 3],
    from: [i16; LANES],
    to: [i16; LANES],
    low: [i16; LANES],
    high: [i16; LANES],
}

const NO_HEAD: Head = Head {
    least: [i8::MAX; 3],
    most: [i8::MIN; 3],
    from: i16::MAX,
    to: i16::MIN,
    low: i16::MAX,
    high: i16::MIN,
};

const NOTHING: Block = Block {
    least: [[i8::MAX; LANES]; 3],
    most: [[i8::MIN; LANES]; 3],
    from: [i16::MAX; LANES],
    to: [i16::MIN; LANES],
    low: [i16::MAX; LANES],
    high: [i16::MIN; LANES],
};

/// How a cell tells places, times and altitudes.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    middle: [f64; 3],
    per_metre: f64,
    first_tick: i64,
    tick_bits: u32,
    vertical: i32,
}

impl Scale {
    pub fn of(cube: &Cube, grain: Grain, vertical: i32) -> Scale {
        Scale {
            middle: cube.middle(grain),
            per_metre: SIDE_STEPS / grain.side_m(),
            first_tick: grain.first_tick(cube.slab),
            tick_bits: grain.ticks.saturating_sub(SLAB_BITS),
            vertical,
        }
    }
}

/// One stretch as a cell tells it.
#[derive(Clone, Copy)]
pub struct Head {
    least: [i8; 3],
    most: [i8; 3],
    from: i16,
    to: i16,
    low: i16,
    high: i16,
}

impl Head {
    /// Of a stretch of which the motion from `p` to `q` counts.
    #[inline]
    pub fn of(s: &Stretch, p: [f64; 3], q: [f64; 3], scale: &Scale) -> Head {
        // In all of these the greatest and the least stand for what is no stretch.
        let step = |d: usize, x: f64| {
            let steps = (x - scale.middle[d]) * scale.per_metre + 127.0;
            (steps.clamp(0.0, 253.0) as i16 - 127) as i8
        };
        let reach = f64::from(s.reach);
        let short = |x: i64| x.clamp(-32_767, 32_766) as i16;
        let time = |tick: u32| short((i64::from(tick) - scale.first_tick) >> scale.tick_bits);
        let band = |tmm: i32| short(i64::from(tmm.div_euclid(STEP_TMM)));
        let (low, high) = s.band(scale.vertical);
        Head {
            least: [0, 1, 2].map(|d| step(d, p[d].min(q[d]) - reach)),
            most: [0, 1, 2].map(|d| step(d, p[d].max(q[d]) + reach)),
            from: time(s.from),
            to: time(s.to),
            low: band(low),
            high: band(high),
        }
    }
}

/// The stretches of one cell, and their heads in the same order.
#[derive(Default)]
pub struct Cell {
    heads: Vec<Block>,
    stretches: Vec<Stretch>,
}

impl Cell {
    pub fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    pub fn push(&mut self, stretch: &Stretch, head: Head) {
        let k = self.stretches.len();
        if k == self.stretches.capacity() {
            self.stretches.reserve_exact(2 + k / 4);
        }
        self.stretches.push(*stretch);
        if k.is_multiple_of(LANES) {
            self.heads.reserve_exact(1);
            self.heads.push(NOTHING);
        }
        self.write(k, head);
    }

    /// Takes all stretches of an object away; the last ones take their places.
    pub fn remove(&mut self, object: u32) {
        while let Some(k) = self.stretches.iter().position(|s| s.object == object) {
            let last = self.stretches.len() - 1;
            self.stretches.swap_remove(k);
            self.write(k, self.head(last));
            self.write(last, NO_HEAD);
            self.heads.truncate(last.div_ceil(LANES));
        }
    }

    /// Asks for the places of the first blocks.
    fn soon(&self) {
        for block in self.heads.iter().take(3) {
            soon(&block.least, 0);
            soon(&block.least, 2);
            soon(&block.most, 1);
        }
    }

    fn head(&self, k: usize) -> Head {
        let (block, k) = (&self.heads[k / LANES], k % LANES);
        Head {
            least: block.least.map(|lanes| lanes[k]),
            most: block.most.map(|lanes| lanes[k]),
            from: block.from[k],
            to: block.to[k],
            low: block.low[k],
            high: block.high[k],
        }
    }

    fn write(&mut self, k: usize, head: Head) {
        let (block, k) = (&mut self.heads[k / LANES], k % LANES);
        for d in 0..3 {
            block.least[d][k] = head.least[d];
            block.most[d][k] = head.most[d];
        }
        block.from[k] = head.from;
        block.to[k] = head.to;
        block.low[k] = head.low;
        block.high[k] = head.high;
    }
}

/// What is kept from one question to the next.
#[derive(Default)]
pub struct Sieve<'a> {
    cells: Vec<(Head, &'a Cell)>,
    places: Vec<u32>,
    /// What went through.
    pub found: Vec<&'a Stretch>,
}

impl<'a> Sieve<'a> {
    pub fn clear(&mut self) {
        self.cells.clear();
        self.found.clear();
    }

    /// Adds a cell, and the head that its stretches are held against.
    #[inline]
    pub fn push(&mut self, head: Head, cell: &'a Cell) {
        self.cells.push((head, cell));
    }

    /// Finds the stretches of all cells that are not excluded by their heads.
    pub fn sift(&mut self) {
        for (k, (own, cell)) in self.cells.iter().enumerate() {
            if let Some((_, later)) = self.cells.get(k + AHEAD) {
                later.soon();
            }
            self.places.clear();
            places_there(own, &cell.heads, &mut self.places);
            for &k in &self.places {
                soon(&cell.stretches, k as usize);
                self.found.extend(cell.stretches.get(k as usize));
            }
        }
    }
}

at_any_width! {
    fn places_there(own: &Head, heads: &[Block], found: &mut Vec<u32>) {
        for (first, block) in (0..).step_by(LANES).zip(heads) {
            let mut there = [0_u8; LANES];
            for (k, there) in there.iter_mut().enumerate() {
                let mut meet = true;
                for d in 0..3 {
                    meet &= own.least[d] <= block.most[d][k];
                    meet &= block.least[d][k] <= own.most[d];
                }
                *there = u8::from(meet);
            }
            if there == [0; LANES] {
                continue;
            }
            for (k, there) in there.iter_mut().enumerate() {
                let meet = (own.from <= block.to[k])
                    & (block.from[k] <= own.to)
                    & (own.low <= block.high[k])
                    & (block.low[k] <= own.high);
                *there &= u8::from(meet);
            }
            if there != [0; LANES] {
                let those = (first..).zip(there).filter(|(_, there)| *there != 0);
                found.extend(those.map(|(k, _)| k));
            }
        }
    }
}
