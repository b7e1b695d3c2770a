//! Cubes of space and slabs of time along a straight motion: every one in which a middle may lie
//! that is near the motion at some instant.

/// Added to a coordinate so that it is positive, metres; no stretch has its middle that far away.
const BIAS_M: f64 = 1.3e7;
/// Far more than what computing places and boundaries rounds.
const SLACK_M: f64 = 0.01;

/// One cell: three numbers of place, one of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cube {
    pub place: [u32; 3],
    pub slab: u32,
}

impl Cube {
    /// The one that a place and a tick lie in.
    pub fn of(place: [f64; 3], tick: u32, grain: Grain) -> Cube {
        Cube {
            place: place.map(|x| grain.step(x)),
            slab: grain.slab(tick),
        }
    }

    pub fn middle(&self, grain: Grain) -> [f64; 3] {
        self.place
            .map(|step| (f64::from(step) + 0.5) * grain.side_m() - BIAS_M)
    }
}

/// How large cells are: 2 to the power of so many metres, and so many ticks.
#[derive(Clone, Copy, Debug)]
pub struct Grain {
    pub metres: u32,
    pub ticks: u32,
}

impl Grain {
    pub fn side_m(&self) -> f64 {
        (1_u64 << self.metres) as f64
    }

    fn step(&self, x: f64) -> u32 {
        ((x + BIAS_M) * (1.0 / self.side_m())) as u32
    }

    fn slab(&self, tick: u32) -> u32 {
        (u64::from(tick) >> self.ticks) as u32
    }

    pub fn first_tick(&self, slab: u32) -> i64 {
        i64::from(slab) << self.ticks
    }
}

/// A motion from one place and tick to another, and how far around it middles count.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    pub p: [f64; 3],
    pub q: [f64; 3],
    pub from: u32,
    pub to: u32,
    /// Metres from the motion, at the same instant.
    pub reach: f64,
    /// Ticks before and after the middle's.
    pub half: u32,
    pub grain: Grain,
}

/// A part of a motion, from one fraction of it to another.
pub type Part = (f64, f64);

/// Ends included.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    steps: [(u32, u32); 3],
    slabs: (u32, u32),
}

impl Bounds {
    /// How many cells lie within.
    pub fn count(&self) -> f64 {
        let across = |(first, last): (u32, u32)| f64::from(last - first) + 1.0;
        self.steps.map(across).iter().product::<f64>() * across(self.slabs)
    }

    pub fn hold(&self, cube: &Cube) -> bool {
        let within = |x: u32, (first, last): (u32, u32)| first <= x && x <= last;
        let mut places = cube.place.iter().zip(self.steps);
        within(cube.slab, self.slabs) && places.all(|(&x, steps)| within(x, steps))
    }
}

impl Walk {
    /// The first and last steps of place and time of all cells there are to call with.
    pub fn bounds(&self) -> Bounds {
        let (first, last) = self.slabs();
        Bounds {
            steps: [0, 1, 2].map(|d| self.steps(d, (0.0, 1.0))),
            slabs: (first, last),
        }
    }

    /// Where the motion is at a fraction of it.
    pub fn at(&self, fraction: f64) -> [f64; 3] {
        [0, 1, 2].map(|d| self.p[d] + (self.q[d] - self.p[d]) * fraction)
    }

    fn slabs(&self) -> (u32, u32) {
        let last = self.to.saturating_add(self.half);
        let first = self.from.saturating_sub(self.half);
        (self.grain.slab(first), self.grain.slab(last))
    }

    /// Calls with every cell, each once, and the part of the motion that comes near it.
    pub fn each(&self, mut call: impl FnMut(Cube, Part)) {
        let (first, last) = self.slabs();
        for slab in first..=last {
            let part = self.alive(slab);
            let xs = self.steps(0, part);
            for x in xs.0..=xs.1 {
                let part = self.within(0, part, x);
                let ys = self.steps(1, part);
                for y in ys.0..=ys.1 {
                    let part = self.within(1, part, y);
                    let zs = self.steps(2, part);
                    for z in zs.0..=zs.1 {
                        let place = [x, y, z];
                        call(Cube { place, slab }, part);
                    }
                }
            }
        }
    }

    /// The part of the motion during which something may be there whose middle is in a slab.
    fn alive(&self, slab: u32) -> Part {
        let lasts = f64::from(self.to - self.from);
        if lasts == 0.0 {
            return (0.0, 1.0);
        }
        let (first, half) = (self.grain.first_tick(slab), i64::from(self.half));
        let next = self.grain.first_tick(slab) + (1_i64 << self.grain.ticks);
        let fraction = |tick: i64| ((tick - i64::from(self.from)) as f64 / lasts).clamp(0.0, 1.0);
        (fraction(first - half), fraction(next + half))
    }

    /// The first and last step in one dimension that a part of the motion comes near.
    fn steps(&self, d: usize, part: Part) -> (u32, u32) {
        let (p, way) = (self.p[d], self.q[d] - self.p[d]);
        let (a, b) = (p + way * part.0, p + way * part.1);
        let pad = self.reach + SLACK_M;
        (
            self.grain.step(a.min(b) - pad),
            self.grain.step(a.max(b) + pad),
        )
    }

    /// The part of a part in which the motion is near a step.
    fn within(&self, d: usize, part: Part, step: u32) -> Part {
        let (p, way) = (self.p[d], self.q[d] - self.p[d]);
        // Hardly any way: all of it is as near.
        if way.abs() < 1.0 {
            return part;
        }
        let pad = self.reach + SLACK_M;
        let side = self.grain.side_m();
        let low = f64::from(step) * side - BIAS_M - pad;
        let (a, b) = ((low - p) / way, (low + side + 2.0 * pad - p) / way);
        let (a, b) = (a.min(b), a.max(b));
        (a.clamp(part.0, part.1), b.clamp(part.0, part.1))
    }
}
