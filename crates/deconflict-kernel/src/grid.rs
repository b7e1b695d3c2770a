//! How a set is divided so that only neighbours are compared: slabs of time, cubes of space, bands
//! of altitude. Every division finds the same; this one is chosen to be quick, on a sample.
//!
//! Space is Earth-centred, turned so that the set's middle points up: no pole, no antimeridian, and
//! a set of one region lies nearly flat in the first two dimensions.

use crate::lanes::{pairs_near, Frame, Lanes, ALL_CORNERS, LANES};
use crate::stretch::{ends, may_meet, Bounding, Stretch, Ticks, STEPS_PER_M};
use crate::track::Track;
use crate::tracks::Tracks;
use crate::vec3::Vec3;

/// Objects whose stretches are looked at to choose the sizes.
const SAMPLE: usize = 512;
/// Objects whose beginnings are looked at to choose the slabs.
const STARTS: usize = 1_024;
/// Fewer stretches than this are not worth a slab of their own.
const LEAST_IN_SLAB: f64 = 512.0;
/// What things cost, nanoseconds: to make a stretch, more for each piece; one stretch in one slab;
/// one in one cell; one pair looked at in a cell; one that the filter leaves to be decided.
const MAKE_NS: f64 = 60.0;
const PIECE_NS: f64 = 12.0;
const STRETCH_NS: f64 = 50.0;
const ENTRY_NS: f64 = 60.0;
const PAIR_NS: f64 = 1.2;
const EXACT_NS: f64 = 400.0;
const SMALLEST_CELL_M: f64 = 100.0;
/// Added to a coordinate so that it is positive, metres; what lies beyond counts as at the border.
const BIAS_M: f64 = 1.3e7;
const PLACE_BITS: u32 = 18;
const BAND_BITS: u32 = 10;

/// Where in the grid a stretch lies: the cells from one corner to the other, ends included.
#[derive(Clone, Copy, Debug)]
pub struct Cells {
    pub low: [u32; 4],
    pub high: [u32; 4],
}

impl Cells {
    /// How many; all cells there are would be one more than 64 bits hold.
    pub fn count(&self) -> u64 {
        let across = (0..4).map(|d| u64::from(self.high[d] - self.low[d] + 1));
        across.fold(1, u64::saturating_mul)
    }

    /// Calls with each cell's key, and in which dimensions it is the lower corner's.
    #[inline]
    pub fn each(&self, mut call: impl FnMut(u64, u32)) {
        let [x0, y0, z0, h0] = self.low;
        for h in h0..=self.high[3] {
            for z in z0..=self.high[2] {
                for y in y0..=self.high[1] {
                    for x in x0..=self.high[0] {
                        let corner = u32::from(x == x0)
                            | u32::from(y == y0) << 1
                            | u32::from(z == z0) << 2
                            | u32::from(h == h0) << 3;
                        let key = (u64::from(x) << (2 * PLACE_BITS + BAND_BITS))
                            | (u64::from(y) << (PLACE_BITS + BAND_BITS))
                            | (u64::from(z) << BAND_BITS)
                            | u64::from(h);
                        call(key, corner);
                    }
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
pub struct Grid {
    /// Pieces of a trajectory in one stretch.
    pub pieces: usize,
    axes: [Vec3; 3],
    /// Cells in a metre, and bands in a tenth of a millimetre.
    per_metre: f64,
    per_tmm: f64,
    vertical: i32,
    ticks: Ticks,
    /// Of one tick.
    second: f64,
    /// Slab `s` begins with the tick `boundaries[s - 1]` and ends before the next.
    boundaries: Vec<u32>,
}

/// One object of a set: a trajectory, or a volume with its only stretch.
enum Object<'a> {
    Track(u32, Track<'a>),
    Region(Stretch),
}

/// What a grid is chosen for.
pub struct Set<'a> {
    pub tracks: &'a Tracks<'a>,
    pub regions: &'a [Stretch],
    /// First and last instant of every object, trajectories first, windows included.
    pub spans_us: &'a [(i64, i64)],
    pub bounding: &'a Bounding,
    /// The side of every object; empty where all are on none.
    pub sides: &'a [u8],
}

impl<'a> Set<'a> {
    /// The side of an object.
    pub fn side(&self, object: u32) -> u8 {
        self.sides.get(object as usize).copied().unwrap_or(0)
    }

    /// Not of one side, or of none?
    pub fn sides_meet(&self, i: u32, j: u32) -> bool {
        let (a, b) = (self.side(i), self.side(j));
        a != b || a == 0
    }

    /// Calls with every stretch of an object.
    pub fn each_stretch(&self, index: usize, pieces: usize, mut call: impl FnMut(Stretch)) {
        match self.object(index) {
            Object::Region(stretch) => call(stretch),
            Object::Track(object, track) => {
                let all = track.pieces();
                for first in (0..all).step_by(pieces) {
                    let end = (first + pieces).min(all);
                    call(self.bounding.track(object, &track, first..end));
                }
            }
        }
    }

    fn object(&self, index: usize) -> Object<'a> {
        match index.checked_sub(self.tracks.len()) {
            None => Object::Track(index as u32, self.tracks.get(index)),
            Some(region) => Object::Region(self.regions[region]),
        }
    }
}

impl Object<'_> {
    fn stretch_at(&self, at_us: i64, pieces: usize, bounding: &Bounding) -> Stretch {
        match self {
            Object::Region(stretch) => *stretch,
            Object::Track(index, track) => {
                let after = track.vertex_us.partition_point(|&v| v <= at_us);
                let piece = after.clamp(1, track.pieces()) - 1;
                let first = piece - piece % pieces;
                let end = (first + pieces).min(track.pieces());
                bounding.track(*index, track, first..end)
            }
        }
    }
}

impl Grid {
    pub fn new(set: &Set<'_>) -> Grid {
        let mut grid = Grid {
            pieces: 4,
            axes: [
                Vec3::new(1.0, 0.0, 0.0),
                Vec3::new(0.0, 1.0, 0.0),
                Vec3::new(0.0, 0.0, 1.0),
            ],
            per_metre: 1e-6,
            per_tmm: 1e-9,
            vertical: set.bounding.vertical(),
            ticks: set.bounding.ticks,
            second: set.bounding.ticks.seconds(),
            boundaries: Vec::new(),
        };
        let Some(at_us) = middle_us(set.spans_us) else {
            return grid;
        };
        let flown: Vec<usize> = (0..set.spans_us.len())
            .filter(|&k| set.spans_us[k].0 <= at_us && at_us <= set.spans_us[k].1)
            .collect();
        let step = flown.len().div_ceil(SAMPLE).max(1);
        let sample: Vec<Object<'_>> = flown.iter().step_by(step).map(|&k| set.object(k)).collect();
        let share = sample.len() as f64 / flown.len() as f64;
        let mut best: Option<(f64, f64)> = None;
        for pieces in [2, 4, 8] {
            let mut stretches: Vec<Stretch> = sample
                .iter()
                .map(|object| object.stretch_at(at_us, pieces, set.bounding))
                .collect();
            stretches.sort_unstable_by_key(|s| s.band(0).0);
            if best.is_none() {
                grid.axes = axes(&stretches);
            }
            let size = typical(stretches.iter().map(|s| {
                let (p, q) = ends(s, grid.ticks);
                0.7 * (q - p).norm() + 2.0 * f64::from(s.reach)
            }));
            let high = typical(stretches.iter().map(|s| {
                let (low, high) = s.band(grid.vertical);
                f64::from(high) - f64::from(low)
            }));
            let per_tick = |s: &Stretch| 1.0 / f64::from((s.to - s.from).max(1));
            let rate = stretches.iter().map(per_tick).sum::<f64>() / stretches.len() as f64;
            let made = (MAKE_NS + PIECE_NS * pieces as f64) * flown.len() as f64;
            let decided = EXACT_NS * near(&stretches, set.bounding) / (share * share);
            for cells in [1.5, 2.5, 4.0, 8.0] {
                for bands in [1.0, 1e3] {
                    let trial = Grid {
                        pieces,
                        per_metre: 1.0 / (cells * size).max(SMALLEST_CELL_M),
                        per_tmm: 1.0 / (bands * high).max(1.0),
                        ..grid.clone()
                    };
                    let (entries, pairs) = trial.crowd(&stretches, share);
                    let one = STRETCH_NS * flown.len() as f64 + ENTRY_NS * entries;
                    let two = PAIR_NS * pairs;
                    // A slab `x` stretches long holds 1 + x of each object; this x is the best.
                    let x = ((one + two) / two).sqrt();
                    let swept = (one * (1.0 + x) + two * (1.0 + x) * (1.0 + x)) / x;
                    // Of two objects that are near, each begins stretches at its own rate.
                    let cost = (made + swept + 2.0 * decided) * rate;
                    if best.is_none_or(|(least, _)| cost < least) {
                        best = Some((cost, x));
                        grid.pieces = pieces;
                        (grid.per_metre, grid.per_tmm) = (trial.per_metre, trial.per_tmm);
                    }
                }
            }
        }
        let in_slab = best.map_or(1.0, |(_, x)| x) * flown.len() as f64;
        grid.boundaries = boundaries(set, grid.pieces, in_slab.max(LEAST_IN_SLAB));
        grid
    }

    /// A grid of given sizes, for tests of what no size may change.
    #[cfg(test)]
    pub fn of_sizes(set: &Set<'_>, pieces: usize, cell_m: f64, band: f64, in_slab: f64) -> Grid {
        let mut grid = Grid::new(set);
        grid.pieces = pieces;
        (grid.per_metre, grid.per_tmm) = (1.0 / cell_m.max(SMALLEST_CELL_M), 1.0 / band);
        grid.boundaries = boundaries(set, pieces, in_slab);
        grid
    }

    /// How many entries of cells these stretches make, and how many pairs are looked at, told for
    /// the whole of which they are a `share`. They come from the lowest to the highest.
    fn crowd(&self, stretches: &[Stretch], share: f64) -> (f64, f64) {
        const MANY: u64 = 64;
        let mut keys = Vec::with_capacity(4 * stretches.len());
        let mut wide = 0.0;
        for (index, stretch) in stretches.iter().enumerate() {
            let cells = self.cells(stretch);
            if cells.count() > MANY {
                wide += 1.0;
            } else {
                cells.each(|key, _| keys.push((key, index)));
            }
        }
        keys.sort_unstable();
        let entries = (keys.len() as f64 + wide) / share;
        let mut pairs = wide * stretches.len() as f64;
        for cell in keys.chunk_by(|a, b| a.0 == b.0) {
            for (k, &(_, index)) in cell.iter().enumerate() {
                let (_, high) = stretches[index].band(self.vertical);
                let later = cell[k + 1..].iter();
                let reached = |e: &&(u64, usize)| stretches[e.1].band(0).0 <= high;
                pairs += later.take_while(reached).count() as f64;
            }
        }
        // Half a block is looked at for nothing.
        (
            entries,
            pairs / (share * share) + 0.5 * LANES as f64 * entries,
        )
    }

    pub fn slabs(&self) -> usize {
        self.boundaries.len() + 1
    }

    /// The slab that a tick lies in.
    pub fn slab(&self, tick: u32) -> usize {
        self.boundaries.partition_point(|&b| b <= tick)
    }

    /// The slab that a tick lies in, looked for from another one on.
    #[inline]
    pub fn slab_near(&self, mut slab: usize, tick: u32) -> usize {
        while self.boundaries.get(slab).is_some_and(|&b| b <= tick) {
            slab += 1;
        }
        while slab > 0 && self.boundaries[slab - 1] > tick {
            slab -= 1;
        }
        slab
    }

    /// The first tick of a slab.
    pub fn slab_from(&self, slab: usize) -> u32 {
        slab.checked_sub(1).map_or(0, |s| self.boundaries[s])
    }

    /// The cells that a stretch's motion, widened by its reach, may touch.
    #[inline]
    pub fn cells(&self, s: &Stretch) -> Cells {
        let [x, y, z] = s.place.map(|steps| f64::from(steps) * (1.0 / STEPS_PER_M));
        let [vx, vy, vz] = s.velocity.map(f64::from);
        let (place, velocity) = (Vec3::new(x, y, z), Vec3::new(vx, vy, vz));
        let since = |tick: u32| (f64::from(tick) - f64::from(s.at)) * self.second;
        let (from, to, reach) = (since(s.from), since(s.to), f64::from(s.reach));
        let mut cells = Cells {
            low: [0; 4],
            high: [0; 4],
        };
        // The same monotone steps for all, so two boxes that overlap share a cell.
        let index = |x: f64| (((x + BIAS_M) * self.per_metre) as u32).min((1 << PLACE_BITS) - 1);
        for (d, axis) in self.axes.iter().enumerate() {
            let (p, v) = (place.dot(*axis), velocity.dot(*axis));
            let (a, b) = (p + v * from, p + v * to);
            let (least, most) = if a < b { (a, b) } else { (b, a) };
            cells.low[d] = index(least - reach);
            cells.high[d] = index(most + reach);
        }
        let index = |h: i32| {
            let up = f64::from(h) + 2_147_483_648.0;
            ((up * self.per_tmm) as u32).min((1 << BAND_BITS) - 1)
        };
        let (low, high) = s.band(self.vertical);
        cells.low[3] = index(low);
        cells.high[3] = index(high.max(low));
        cells
    }
}

/// How many pairs of the stretches the filter leaves; they come from the lowest to the highest.
fn near(stretches: &[Stretch], bounding: &Bounding) -> f64 {
    let mut lanes = Lanes::default();
    let frame = Frame::around(&stretches[0], bounding);
    for (index, stretch) in (0..).zip(stretches) {
        lanes.push(index, ALL_CORNERS, stretch, &frame);
    }
    let mut found = Vec::new();
    pairs_near(&mut lanes, stretches.len(), true, &mut found);
    let (vertical, ticks) = (bounding.vertical(), bounding.ticks);
    let meet = |&&(i, j): &&(u32, u32)| {
        let (a, b) = (&stretches[i as usize], &stretches[j as usize]);
        may_meet(a, b, vertical, ticks)
    };
    found.iter().filter(meet).count() as f64
}

/// The value that three quarters are at most.
fn typical(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    let at = values.len() * 3 / 4;
    if at >= values.len() {
        return 0.0;
    }
    *values.select_nth_unstable_by(at, f64::total_cmp).1
}

/// The middle instant of the object in the middle.
fn middle_us(spans_us: &[(i64, i64)]) -> Option<i64> {
    let step = spans_us.len().div_ceil(STARTS).max(1);
    let mut middles: Vec<i64> = spans_us
        .iter()
        .step_by(step)
        .map(|&(from, to)| from + (to - from) / 2)
        .collect();
    if middles.is_empty() {
        return None;
    }
    let at = middles.len() / 2;
    let (_, middle, _) = middles.select_nth_unstable(at);
    // At least the object it was taken from goes on then.
    Some(*middle)
}

/// Axes of which the third points to the middle of the stretches.
fn axes(stretches: &[Stretch]) -> [Vec3; 3] {
    let sum = stretches.iter().fold(Vec3::ZERO, |sum, s| {
        let [x, y, z] = s.place.map(f64::from);
        sum + Vec3::new(x, y, z) * 1e-9
    });
    sum.axes()
}

/// Ticks between which about `in_slab` stretches begin.
fn boundaries(set: &Set<'_>, pieces: usize, in_slab: f64) -> Vec<u32> {
    let step = set.spans_us.len().div_ceil(STARTS).max(1);
    let ticks = set.bounding.ticks;
    let mut starts = Vec::new();
    for index in (0..set.spans_us.len()).step_by(step) {
        match set.object(index) {
            Object::Region(stretch) => starts.push(stretch.from),
            Object::Track(_, track) => {
                let vertices = &track.vertex_us[..track.pieces()];
                let own = vertices.iter().step_by(pieces);
                starts.extend(own.map(|v| ticks.floor(v - track.window_us)));
            }
        }
    }
    starts.sort_unstable();
    let every = (in_slab / step as f64).max(1.0) as usize;
    let mut boundaries: Vec<u32> = starts.into_iter().step_by(every).skip(1).collect();
    boundaries.dedup();
    boundaries
}
