//! The stretches of one cell side by side in single precision: which pairs of them could meet?
//!
//! The answer may be yes too often and never too seldom; how much is added for the rounding is
//! derived in `docs/reference/separation.md`.

use crate::stretch::{Bounding, Stretch, STEPS_PER_M, UNIT};
use crate::width::{at_any_width, times_plus};

/// How many are looked at together.
pub const LANES: usize = 16;
/// About so many blocks are marked before the marks are told.
const MARKS: usize = 256;
/// Added to a reach per metre of the numbers that it is compared with: more than all roundings.
const ROUNDING: f32 = 64.0 * UNIT as f32;

/// Some stretches side by side; what is no stretch never meets any. A row of them is one cache line:
/// a vector read across two takes twice as long.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Block {
    x: [f32; LANES],
    y: [f32; LANES],
    z: [f32; LANES],
    vx: [f32; LANES],
    vy: [f32; LANES],
    vz: [f32; LANES],
    from: [f32; LANES],
    to: [f32; LANES],
    reach: [f32; LANES],
    low: [i32; LANES],
    high: [i32; LANES],
    party: [u32; LANES],
    /// In which of the cell's dimensions the stretch's lower corner lies in this cell.
    corner: [u32; LANES],
    index: [u32; LANES],
}

const NOTHING: Block = Block {
    x: [0.0; LANES],
    y: [0.0; LANES],
    z: [0.0; LANES],
    vx: [0.0; LANES],
    vy: [0.0; LANES],
    vz: [0.0; LANES],
    from: [f32::INFINITY; LANES],
    to: [f32::NEG_INFINITY; LANES],
    reach: [0.0; LANES],
    low: [i32::MAX; LANES],
    high: [i32::MIN; LANES],
    party: [0; LANES],
    corner: [0; LANES],
    index: [u32::MAX; LANES],
};

/// What places and times of a cell are told from; free to choose, near ones round less.
pub struct Frame {
    place: [i32; 3],
    at: u32,
    second: f32,
    vertical: i32,
}

impl Frame {
    pub fn around(middle: &Stretch, bounding: &Bounding) -> Frame {
        Frame {
            place: middle.place,
            at: middle.at,
            second: bounding.ticks.seconds() as f32,
            vertical: bounding.vertical(),
        }
    }
}

/// The stretches of one cell.
#[derive(Default)]
pub struct Lanes {
    count: usize,
    blocks: Vec<Block>,
    marks: Vec<Mark>,
}

/// Every dimension: the pair is this cell's to find.
pub const ALL_CORNERS: u32 = 0b1_1111;

impl Lanes {
    pub fn clear(&mut self) {
        self.count = 0;
        self.blocks.clear();
    }

    /// Adds a stretch, told in a frame that is the same for all of a cell.
    #[inline]
    pub fn push(&mut self, index: u32, corner: u32, s: &Stretch, frame: &Frame) {
        let k = self.count % LANES;
        if k == 0 {
            self.blocks.push(NOTHING);
        }
        let Some(block) = self.blocks.last_mut() else {
            return;
        };
        let since = |tick: u32| (i64::from(tick) - i64::from(frame.at)) as f32 * frame.second;
        let (at, from, to) = (since(s.at), since(s.from), since(s.to));
        let [vx, vy, vz] = s.velocity;
        let metres = |d: usize| {
            let steps = i64::from(s.place[d]) - i64::from(frame.place[d]);
            steps as f32 * (1.0 / STEPS_PER_M as f32)
        };
        let (x, y, z) = (
            metres(0) - vx * at,
            metres(1) - vy * at,
            metres(2) - vz * at,
        );
        // Whatever was and will be rounded is in proportion to these. Times are rounded outward.
        let farthest = most(from.abs(), to.abs()) + at.abs();
        let speed = vx.abs() + vy.abs() + vz.abs();
        let size = (x.abs() + y.abs() + z.abs()) + speed * farthest + s.reach;
        block.x[k] = x;
        block.y[k] = y;
        block.z[k] = z;
        block.vx[k] = vx;
        block.vy[k] = vy;
        block.vz[k] = vz;
        block.from[k] = from - ROUNDING * from.abs();
        block.to[k] = to + ROUNDING * to.abs();
        block.reach[k] = s.reach + ROUNDING * size;
        (block.low[k], block.high[k]) = s.band(frame.vertical);
        block.party[k] = s.party;
        block.corner[k] = corner;
        block.index[k] = index;
        self.count += 1;
    }
}

/// Of a block, which ones the stretch `one` is near.
#[derive(Clone, Copy, Default)]
struct Mark {
    near: [u8; LANES],
    one: u32,
    block: u32,
}

at_any_width! {
    /// Adds the pairs of indices that could meet, of a stretch among the first `firsts` and one
    /// after it, with different parties and of this cell. `by_low` says that the stretches were
    /// added from the lowest to the highest.
    pub fn pairs_near<const FUSED: bool>(
        lanes: &mut Lanes,
        firsts: usize,
        by_low: bool,
        found: &mut Vec<(u32, u32)>,
    ) {
        let Lanes { count, blocks, marks } = lanes;
        let room = blocks.len() + MARKS;
        if marks.len() < room {
            marks.resize(room, Mark::default());
        }
        let marks = &mut marks[..room];
        let mut marked = 0;
        for i in 0..firsts.min(*count) {
            let one = One::new(&blocks[i / LANES], i % LANES);
            let first = (i + 1) / LANES;
            // Nothing is called in this loop: that would clear the registers that hold `one`.
            for (b, block) in blocks.iter().enumerate().skip(first) {
                if by_low && block.low[0] > one.high {
                    break;
                }
                let near = one.near::<FUSED>(block);
                let (one, block) = (i as u32, b as u32);
                marks[marked] = Mark { near, one, block };
                marked += usize::from(u128::from_ne_bytes(near) != 0);
            }
            if marked > MARKS {
                tell(&marks[..marked], blocks, found);
                marked = 0;
            }
        }
        tell(&marks[..marked], blocks, found);
    }
}

/// Adds the pairs that are marked.
fn tell(marks: &[Mark], blocks: &[Block], found: &mut Vec<(u32, u32)>) {
    for mark in marks {
        let (i, b) = (mark.one as usize, mark.block as usize);
        let own = blocks[i / LANES].index[i % LANES];
        // The first block may hold stretches up to this one as well, which do not count.
        let skip = if b == i / LANES { i % LANES + 1 } else { 0 };
        let others = mark.near.iter().zip(&blocks[b].index).skip(skip);
        found.extend(
            others
                .filter(|(&near, _)| near != 0)
                .map(|(_, &other)| (own, other)),
        );
    }
}

#[inline(always)]
fn least(a: f32, b: f32) -> f32 {
    if a < b {
        a
    } else {
        b
    }
}

#[inline(always)]
fn most(a: f32, b: f32) -> f32 {
    if a > b {
        a
    } else {
        b
    }
}

/// One stretch, to be held against many.
struct One {
    x: f32,
    y: f32,
    z: f32,
    vx: f32,
    vy: f32,
    vz: f32,
    from: f32,
    to: f32,
    reach: f32,
    low: i32,
    high: i32,
    party: u32,
    corner: u32,
}

impl One {
    #[inline(always)]
    fn new(block: &Block, k: usize) -> One {
        One {
            x: block.x[k],
            y: block.y[k],
            z: block.z[k],
            vx: block.vx[k],
            vy: block.vy[k],
            vz: block.vz[k],
            from: block.from[k],
            to: block.to[k],
            reach: block.reach[k],
            low: block.low[k],
            high: block.high[k],
            party: block.party[k],
            corner: block.corner[k],
        }
    }

    /// One byte for each of the block: could the two meet?
    #[inline(always)]
    fn near<const FUSED: bool>(&self, block: &Block) -> [u8; LANES] {
        let plus = times_plus::<FUSED>;
        let mut near = [0; LANES];
        for (k, near) in near.iter_mut().enumerate() {
            let start = most(self.from, block.from[k]);
            let end = least(self.to, block.to[k]);
            let dx = self.x - block.x[k];
            let dy = self.y - block.y[k];
            let dz = self.z - block.z[k];
            // The other way round, so that what has to be turned is turned here.
            let wx = block.vx[k] - self.vx;
            let wy = block.vy[k] - self.vy;
            let wz = block.vz[k] - self.vz;
            let speed2 = plus(wz, wz, plus(wy, wy, wx * wx));
            // Any instant will do for the smallest speeds; the bound holds for whichever is taken.
            // Of two that do not move apart at all it is no number, of which `least` takes the end.
            let t = plus(dz, wz, plus(dy, wy, dx * wx)) / speed2;
            let t = most(least(t, end), start);
            let (ex, ey, ez) = (plus(-t, wx, dx), plus(-t, wy, dy), plus(-t, wz, dz));
            let within = self.reach + block.reach[k];
            let meet = (start <= end)
                & (self.low <= block.high[k])
                & (block.low[k] <= self.high)
                & (self.party != block.party[k])
                & ((self.corner | block.corner[k]) == ALL_CORNERS)
                & (plus(ez, ez, plus(ey, ey, ex * ex)) <= within * within);
            *near = u8::from(meet);
        }
        near
    }
}
