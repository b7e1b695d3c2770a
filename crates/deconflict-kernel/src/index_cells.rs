//! Where the stretches of the live index lie: cells of a size that suits each.

use std::collections::{BTreeMap, HashMap};

use crate::lanes::{Frame, Lanes, ALL_CORNERS};
use crate::stretch::{ends, Bounding, Stretch};

/// Cells are a power of two of metres wide, from 256 m; what would need more than 2,000 km lies
/// beside all cells.
const SMALLEST: u32 = 8;
const LARGEST: u32 = 21;
/// Slabs are a power of two of ticks long, from 6.4 s.
const SHORTEST: u32 = 6;
const LONGEST: u32 = 31;
/// Cells are at least so much larger than what lies in them: it then touches two or three.
const ROOM: f64 = 1.5;
/// Added to a coordinate so that it is positive, metres; what lies beyond counts as at the border.
const BIAS_M: f64 = 1.3e7;
/// Altitude has no cells here: as if every stretch had its lower corner in all of them.
const NO_BANDS: u32 = 1 << 3;

/// The stretches of one cell, told in a frame of its own.
struct Cell {
    frame: Frame,
    lanes: Lanes,
}

/// Cells of one size.
#[derive(Default)]
pub struct Level {
    cells: HashMap<[u32; 4], Cell>,
}

/// Exponents of a level's sizes: metres and ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Size {
    metres: u32,
    ticks: u32,
}

/// From the lower corner to the upper, ends included: three of place, one of time.
#[derive(Clone, Copy)]
struct Block {
    low: [u32; 4],
    high: [u32; 4],
}

impl Block {
    fn of(stretch: &Stretch, size: Size, bounding: &Bounding) -> Block {
        let (p, q) = ends(stretch, bounding.ticks);
        let reach = f64::from(stretch.reach);
        let per_metre = 1.0 / f64::from(1_u32 << size.metres);
        // Rounding of the ends is far below what every reach has to spare.
        let index = |x: f64| ((x + BIAS_M) * per_metre) as u32;
        let (low, high) = (
            [p.x.min(q.x), p.y.min(q.y), p.z.min(q.z)].map(|x| index(x - reach)),
            [p.x.max(q.x), p.y.max(q.y), p.z.max(q.z)].map(|x| index(x + reach)),
        );
        Block {
            low: [low[0], low[1], low[2], stretch.from >> size.ticks],
            high: [high[0], high[1], high[2], stretch.to >> size.ticks],
        }
    }

    fn count(&self) -> u64 {
        let across = (0..4).map(|d| u64::from(self.high[d] - self.low[d]) + 1);
        across.fold(1, u64::saturating_mul)
    }

    fn holds(&self, cell: &[u32; 4]) -> bool {
        (0..4).all(|d| self.low[d] <= cell[d] && cell[d] <= self.high[d])
    }

    /// In which dimensions a cell is the lower corner's.
    fn corner(&self, cell: &[u32; 4]) -> u32 {
        NO_BANDS
            | u32::from(cell[0] == self.low[0])
            | u32::from(cell[1] == self.low[1]) << 1
            | u32::from(cell[2] == self.low[2]) << 2
            | u32::from(cell[3] == self.low[3]) << 4
    }

    fn each(&self, mut call: impl FnMut([u32; 4])) {
        for x in self.low[0]..=self.high[0] {
            for y in self.low[1]..=self.high[1] {
                for z in self.low[2]..=self.high[2] {
                    for t in self.low[3]..=self.high[3] {
                        call([x, y, z, t]);
                    }
                }
            }
        }
    }
}

#[derive(Default)]
pub struct Levels {
    levels: BTreeMap<Size, Level>,
    /// Beside all cells.
    wide: Option<Cell>,
}

impl Levels {
    pub fn insert(&mut self, index: u32, stretch: &Stretch, bounding: &Bounding) {
        let new = || Cell {
            frame: Frame::around(stretch, bounding),
            lanes: Lanes::default(),
        };
        let Some(size) = size_of(stretch, bounding) else {
            let wide = self.wide.get_or_insert_with(new);
            wide.lanes.push(index, ALL_CORNERS, stretch, &wide.frame);
            return;
        };
        let block = Block::of(stretch, size, bounding);
        let level = self.levels.entry(size).or_default();
        block.each(|at| {
            let cell = level.cells.entry(at).or_insert_with(new);
            cell.lanes
                .push(index, block.corner(&at), stretch, &cell.frame);
        });
    }

    pub fn remove(&mut self, index: u32, stretch: &Stretch, bounding: &Bounding) {
        let Some(size) = size_of(stretch, bounding) else {
            if let Some(wide) = &mut self.wide {
                wide.lanes.remove(index);
            }
            return;
        };
        let Some(level) = self.levels.get_mut(&size) else {
            return;
        };
        Block::of(stretch, size, bounding).each(|at| {
            if let Some(cell) = level.cells.get_mut(&at) {
                cell.lanes.remove(index);
                if cell.lanes.is_empty() {
                    level.cells.remove(&at);
                }
            }
        });
        if level.cells.is_empty() {
            self.levels.remove(&size);
        }
    }

    /// Calls with every cell that a stretch touches: its corner's bits there, and the cell.
    pub fn each_cell(
        &self,
        stretch: &Stretch,
        bounding: &Bounding,
        mut call: impl FnMut(u32, &Frame, &Lanes),
    ) {
        if let Some(wide) = &self.wide {
            call(ALL_CORNERS, &wide.frame, &wide.lanes);
        }
        for (&size, level) in &self.levels {
            let block = Block::of(stretch, size, bounding);
            if block.count() > level.cells.len() as u64 {
                // More cells than there are: these are looked through.
                for (at, cell) in &level.cells {
                    if block.holds(at) {
                        call(block.corner(at), &cell.frame, &cell.lanes);
                    }
                }
                continue;
            }
            block.each(|at| {
                if let Some(cell) = level.cells.get(&at) {
                    call(block.corner(&at), &cell.frame, &cell.lanes);
                }
            });
        }
    }
}

/// The level of a stretch; none for one too large.
fn size_of(stretch: &Stretch, bounding: &Bounding) -> Option<Size> {
    let (p, q) = ends(stretch, bounding.ticks);
    let across = (q - p).norm() + 2.0 * f64::from(stretch.reach);
    let metres = exponent(ROOM * across);
    let ticks = exponent(ROOM * f64::from(stretch.to - stretch.from));
    (metres <= LARGEST && ticks <= LONGEST).then_some(Size {
        metres: metres.max(SMALLEST),
        ticks: ticks.max(SHORTEST),
    })
}

/// The least power of two that is not below.
fn exponent(of: f64) -> u32 {
    if of < 1e18 {
        (of.max(1.0) as u64).next_power_of_two().ilog2()
    } else {
        u32::MAX
    }
}
