//! What the filter looks at: a stretch of one object, bounded by one straight motion and how far
//! the object may be from it.

use std::ops::Range;

use crate::bounds::{self, sag, tangential};
use crate::interval::{near_point, Span};
use crate::limits::Minima;
use crate::region::{Region, Shape};
use crate::track::{seconds, Track};
use crate::vec3::Vec3;
use crate::vertical::{References, SURFACE, UNLIMITED};

/// Altitudes of the filter are 32-bit; beyond ±200 km from the base they count as there.
const FARTHEST_TMM: i64 = 2_000_000_000;
/// Steps of a place in one metre: 32 bits then hold the Earth.
pub const STEPS_PER_M: f64 = 256.0;
/// Off a place in all three dimensions by rounding to whole steps, metres.
const STEP_OFF_M: f64 = 0.007;

/// One straight motion over a span of time, and all that may lie around it: one cache line.
///
/// Two objects can be too close only while `|motion − motion| ≤ reach + reach` at some common
/// instant, and only if their bands overlap, ends included.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Stretch {
    /// Where the motion is at tick `at`, in steps from the Earth's centre.
    pub place: [i32; 3],
    /// Metres a second.
    pub velocity: [f32; 3],
    pub at: u32,
    /// First and last tick, rounded outward.
    pub from: u32,
    pub to: u32,
    pub reach: f32,
    /// Altitudes at `from` and `to` of one steady climb, and how far the object may be from it.
    pub climb: [i32; 2],
    pub off_climb: i32,
    pub object: u32,
    /// The first piece of a trajectory.
    pub first: u32,
    pub party: u32,
}

impl Stretch {
    /// Never there; what memory holds before a stretch is put into it.
    pub const NOTHING: Stretch = Stretch {
        place: [0; 3],
        velocity: [0.0; 3],
        at: 0,
        from: u32::MAX,
        to: 0,
        reach: 0.0,
        climb: [0; 2],
        off_climb: 0,
        object: u32::MAX,
        first: 0,
        party: 0,
    };

    /// Lowest and highest altitude, ends included; the highest holds the vertical minimum.
    #[inline]
    pub fn band(&self, vertical: i32) -> (i32, i32) {
        let [h0, h1] = self.climb;
        let low = h0.min(h1).saturating_sub(self.off_climb);
        let high = h0.max(h1).saturating_add(self.off_climb);
        (low, high.saturating_add(vertical))
    }
}

/// Both ends of a stretch's motion.
#[inline]
pub fn ends(s: &Stretch, ticks: Ticks) -> (Vec3, Vec3) {
    let [x, y, z] = s.place.map(|steps| f64::from(steps) * (1.0 / STEPS_PER_M));
    let place = Vec3::new(x, y, z);
    let [vx, vy, vz] = s.velocity.map(f64::from);
    let velocity = Vec3::new(vx, vy, vz);
    let since = |tick: u32| (f64::from(tick) - f64::from(s.at)) * ticks.seconds();
    (
        place + velocity * since(s.from),
        place + velocity * since(s.to),
    )
}

/// From the first microsecond there is to the last.
pub const EVER: (i64, i64) = (i64::MIN, i64::MAX);

/// Can two stretches not be excluded by when they are near, and how high each is then? Looked at
/// for what the single-precision filter leaves.
pub fn may_meet(a: &Stretch, b: &Stretch, vertical: i32, ticks: Ticks) -> bool {
    meeting(a, b, vertical, ticks).is_some()
}

/// When two stretches are near, as first and last microsecond, unless that or how high each is
/// then excludes them. Outside of it two without windows are not flagged.
pub fn meeting(a: &Stretch, b: &Stretch, vertical: i32, ticks: Ticks) -> Option<(i64, i64)> {
    if a.off_climb == i32::MAX || b.off_climb == i32::MAX {
        // What ticks do not hold is among these.
        return Some(EVER);
    }
    let (from, to) = (a.from.max(b.from), a.to.min(b.to));
    let second = ticks.seconds();
    let since = |tick: u32, s: u32| (f64::from(tick) - f64::from(s)) * second;
    let at = |s: &Stretch| {
        let [x, y, z] = s.place.map(f64::from);
        let [vx, vy, vz] = s.velocity.map(f64::from);
        let v = Vec3::new(vx, vy, vz);
        (
            Vec3::new(x, y, z) * (1.0 / STEPS_PER_M) + v * since(from, s.at),
            v,
        )
    };
    let ((p, u), (q, w)) = (at(a), at(b));
    let reach = (f64::from(a.reach) + f64::from(b.reach)) * (1.0 + 1e-9) + 1e-6;
    let common = Span::new(0.0, since(to, from));
    let near = near_point(p - q, u - w, reach, common)?;
    // Half a second more, and the ticks by which an instant may be off.
    let slack = 0.5 + 2.0 * second;
    let us = |since: f64| ticks.zero_us + i64::from(from) * ticks.us + (since * 1e6) as i64;
    let during = (us(near.from - slack), us(near.to + slack));
    // Half a second more on either side is far beyond what the roots are rounded by.
    let slope = |s: &Stretch| {
        let [h0, h1] = s.climb.map(f64::from);
        let rate = (h1 - h0) / since(s.to, s.from).max(second);
        (h0 + rate * since(from, s.from), rate)
    };
    let ((h, x), (k, y)) = (slope(a), slope(b));
    let gap = |t: f64| (h - k) + (x - y) * t;
    let (g0, g1) = (gap(near.from - 0.5), gap(near.to + 0.5));
    let apart = f64::from(a.off_climb) + f64::from(b.off_climb) + f64::from(vertical) + 2.0;
    let excluded = (g0 > apart && g1 > apart) || (g0 < -apart && g1 < -apart);
    (!excluded).then_some(during)
}

const MILLISECOND_US: i64 = 1_000;

/// The instants of a set as 32-bit ticks: milliseconds, unless the set lasts longer than 49 days.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    zero_us: i64,
    us: i64,
    per_us: f64,
}

impl Ticks {
    /// Ticks for instants from the first to the last.
    pub fn new(first_us: i64, last_us: i64) -> Ticks {
        let most = i128::from(u32::MAX) - 2;
        let whole = i128::from(last_us) - i128::from(first_us);
        let us = (whole / most + 1).max(i128::from(MILLISECOND_US));
        // At most 2^64 / 2^32.
        Ticks::of(first_us, i64::try_from(us).unwrap_or(i64::MAX))
    }

    /// Ticks of a tenth of a second for thirteen years, of which three have passed by an instant.
    pub fn around(at_us: i64) -> Ticks {
        const TENTH_US: i64 = 100_000;
        Ticks::of(at_us - (1 << 30) * TENTH_US, TENTH_US)
    }

    fn of(zero_us: i64, us: i64) -> Ticks {
        Ticks {
            zero_us,
            us,
            per_us: 1.0 / us as f64,
        }
    }

    /// Are these all instants that ticks tell apart?
    pub fn hold(&self, first_us: i64, last_us: i64) -> bool {
        let most = i64::from(u32::MAX) - 2;
        first_us >= self.zero_us && (last_us - self.zero_us) / self.us < most
    }

    /// Of an instant of the set, rounded down.
    #[inline]
    pub fn floor(&self, at_us: i64) -> u32 {
        self.whole(at_us - self.zero_us).0
    }

    /// Of an instant of the set, rounded up.
    #[inline]
    pub fn ceil(&self, at_us: i64) -> u32 {
        let (whole, past) = self.whole(at_us - self.zero_us);
        whole + u32::from(past)
    }

    /// Whole ticks, and whether there is more.
    #[inline]
    fn whole(&self, us: i64) -> (u32, bool) {
        // To divide whole numbers takes ten times as long as this, which is off by one at most:
        // there are no more than 2^32 ticks, and a double holds 2^53.
        let mut whole = (us as f64 * self.per_us) as i64;
        let mut past = us - whole * self.us;
        if past < 0 {
            (whole, past) = (whole - 1, past + self.us);
        } else if past >= self.us {
            (whole, past) = (whole + 1, past - self.us);
        }
        // Within what 32 bits hold, unless the set was not known beforehand.
        (whole.clamp(0, i64::from(u32::MAX) - 1) as u32, past != 0)
    }

    pub fn seconds(&self) -> f64 {
        seconds(0, self.us)
    }
}

/// How stretches of a set are bounded: what of the minima each side brings.
#[derive(Clone, Debug)]
pub struct Bounding {
    half_lateral: f64,
    /// The reference whose bands are compared; the bands of all others meet everything.
    main: u8,
    /// How far apart two bands of it may be and still be too near; none when it cannot be known, or
    /// is farther than altitudes of the filter are apart.
    vertical_tmm: Option<i64>,
    base_tmm: i64,
    pub ticks: Ticks,
    /// Of one tick.
    second: f64,
}

impl Bounding {
    /// `main` should be the reference of most objects, `base_tmm` some altitude among them.
    pub fn new(
        minima: &Minima,
        references: &References,
        main: u8,
        base_tmm: i64,
        ticks: Ticks,
    ) -> Bounding {
        let greatest = minima.vertical_tmm.iter().fold(0, |m, &h| h.max(m));
        let conversion = references.conversion(main, main);
        let vertical_tmm = conversion.map(|c| greatest + c.slack_tmm + c.shift_tmm.abs());
        Bounding {
            half_lateral: 0.5 * minima.greatest_lateral(),
            main,
            vertical_tmm: vertical_tmm.filter(|&least| least <= FARTHEST_TMM),
            base_tmm,
            ticks,
            second: ticks.seconds(),
        }
    }

    /// Added above every band before bands are compared: one less than the vertical minimum, since
    /// trajectories exactly that far apart are separated.
    pub fn vertical(&self) -> i32 {
        self.vertical_tmm.unwrap_or(0) as i32 - 1
    }

    /// An altitude as the filter compares it; none of a reference that meets everything.
    fn altitude(&self, reference: u8, tmm: i64) -> Option<i32> {
        self.vertical_tmm.filter(|_| reference == self.main)?;
        let above_base = tmm.saturating_sub(self.base_tmm);
        Some(above_base.clamp(-FARTHEST_TMM, FARTHEST_TMM) as i32)
    }

    /// What cannot be excluded from anywhere at any instant from one to another.
    pub fn anywhere(&self, object: u32, party: u32, from_us: i64, to_us: i64) -> Stretch {
        let from = self.ticks.floor(from_us);
        Stretch {
            place: [0; 3],
            velocity: [0.0; 3],
            at: from,
            from,
            to: self.ticks.ceil(to_us),
            reach: 2e7,
            climb: [0; 2],
            off_climb: i32::MAX,
            object,
            first: 0,
            party,
        }
    }

    /// Some pieces of a trajectory.
    #[inline]
    pub fn track(&self, object: u32, track: &Track<'_>, pieces: Range<usize>) -> Stretch {
        let (first, end) = (pieces.start, pieces.end);
        let (t0, t1) = (track.vertex_us[first], track.vertex_us[end]);
        let (p0, p1) = (track.places[first], track.places[end]);
        // A filter may multiply where the exact check divides.
        let since = |at_us: i64| (at_us - t0) as f64 * 1e-6;
        let velocity = (p1 - p0) * (1.0 / since(t1));
        let (mut stray2, mut longest2) = (0.0_f64, 0.0_f64);
        let mut a = p0;
        for (&b, &t) in track.places[first + 1..=end]
            .iter()
            .zip(&track.vertex_us[first + 1..=end])
        {
            let length2 = (b - a).norm2();
            // Both motions are straight between vertices, so the farthest stray is at a vertex.
            let off2 = (b - (p0 + velocity * since(t))).norm2();
            if length2 > longest2 {
                longest2 = length2;
            }
            if off2 > stray2 {
                stray2 = off2;
            }
            a = b;
        }
        let longest = bounds::arc(longest2.sqrt());
        let bulge = bulge(longest);
        let window_us = track.window_us;
        // Early or late by the window, the motion is as far off as it flies in it.
        let speed = velocity.norm();
        let window = window_us as f64 * 1e-6;
        let off = speed * window * (1.0 + 1e-15);
        let (climb, off_climb) = self.climb(track, first..end);
        // What ticks, steps and 32-bit velocities round.
        let lasting = since(t1) + window + 2.0 * self.second;
        let rounding = STEP_OFF_M + speed * (self.second + 2.0 * UNIT * lasting);
        Stretch {
            place: steps(p0),
            velocity: [velocity.x as f32, velocity.y as f32, velocity.z as f32],
            at: self.ticks.floor(t0),
            from: self.ticks.floor(t0 - window_us),
            to: self.ticks.ceil(t1 + window_us),
            reach: above(
                stray2.sqrt() + bulge + off + track.lateral_m + self.half_lateral + rounding,
            ),
            climb,
            off_climb,
            object,
            first: first as u32,
            party: track.party,
        }
    }

    /// A steady climb over some pieces and how far their altitudes are from it.
    #[inline]
    fn climb(&self, track: &Track<'_>, pieces: Range<usize>) -> ([i32; 2], i32) {
        let (t0, t1) = (track.vertex_us[pieces.start], track.vertex_us[pieces.end]);
        let legs = track.leg_of(pieces.start) as usize..track.leg_of(pieces.end - 1) as usize + 1;
        let heights = &track.altitudes_tmm[legs.start..=legs.end];
        let (mut low, mut high) = (heights[0], heights[0]);
        for &h in heights {
            (low, high) = (low.min(h), high.max(h));
        }
        let at = |tmm: i64| self.altitude(track.reference, tmm);
        let (Some(low32), Some(high32)) = (at(low), at(high)) else {
            return ([0; 2], i32::MAX);
        };
        // Against a volume a leg counts as a nanosecond longer on either side, and climbs on in it.
        let times = &track.times_us[legs.start..=legs.end];
        let shortest = || times.windows(2).map(|leg| leg[1] - leg[0]).min();
        let longer = match high - low {
            0 => 0,
            // To divide whole numbers takes ten times as long; nothing is rounded by as much as 1.
            apart => (apart as f64 / (1e3 * shortest().unwrap_or(1) as f64)) as i64 + 2,
        };
        let contained = track.vertical_tmm + longer;
        // What is off by more than 32 bits hold meets everything, wherever its middle is.
        let around = |climb: [i32; 2], off: i64| match i32::try_from(off + contained) {
            Ok(off) => (climb, off),
            Err(_) => ([0; 2], i32::MAX),
        };
        let middle = || {
            let mean = (i64::from(low32) + i64::from(high32)) / 2;
            let half = (i64::from(high32) - mean).max(mean - i64::from(low32));
            around([mean as i32; 2], half)
        };
        // A window moves the whole climb in time, and cut legs and far altitudes are rare.
        let far = low32 == -FARTHEST_TMM as i32 || high32 == FARTHEST_TMM as i32;
        if low == high || track.window_us != 0 || !track.legs.is_empty() || far {
            return middle();
        }
        let (h0, h1) = (heights[0], heights[heights.len() - 1]);
        let per_us = (h1 - h0) as f64 / (t1 - t0) as f64;
        let mut stray = 0.0_f64;
        for (h, t) in heights.iter().zip(times) {
            let on = h0 as f64 + per_us * (t - t0) as f64;
            stray = stray.max((*h as f64 - on).abs());
        }
        // Ticks shift the climb by up to one of them at each end; and what is rounded.
        let shift = per_us.abs() * 2e6 * self.second;
        let base = |tmm: i64| (tmm - self.base_tmm) as i32;
        around([base(h0), base(h1)], (stray + shift) as i64 + 4)
    }

    /// A whole volume, all its time.
    pub fn region(&self, object: u32, region: &Region) -> Stretch {
        let longest = bounds::LONGEST_EDGE_M;
        let pad = match region.shape {
            Shape::Capsules => region.reach_m,
            Shape::Polygon => bounds::POLYGON_PAD_M,
        };
        let bulge = bulge(longest);
        let open = |bound: i64| bound == SURFACE || bound == UNLIMITED;
        let bounds = (
            self.altitude(region.reference, region.lower_tmm),
            self.altitude(region.reference, region.upper_tmm),
        );
        let (climb, off_climb) = match bounds {
            (Some(low), Some(high)) if !open(region.lower_tmm) && !open(region.upper_tmm) => {
                let mean = (i64::from(low) + i64::from(high)) / 2;
                let half = (i64::from(high) - mean).max(mean - i64::from(low));
                // Closed: touching is meeting, which is one more than bands are compared by.
                ([mean as i32; 2], half as i32 + 1)
            }
            _ => ([0; 2], i32::MAX),
        };
        let from = self.ticks.floor(region.start_us);
        Stretch {
            place: steps(region.centre),
            velocity: [0.0; 3],
            at: from,
            from,
            to: self.ticks.ceil(region.end_us),
            reach: above(region.radius + pad + bulge + self.half_lateral + STEP_OFF_M),
            climb,
            off_climb,
            object,
            first: 0,
            party: region.party,
        }
    }
}

/// What each side brings so that chords may stand for geodesics up to this long:
/// `reach(d, s, e) <= d + 2s + 4e + noise`.
fn bulge(longest: f64) -> f64 {
    // Multiplied by what is known beforehand; `NOISE_M` is far more than that rounds.
    let sags = sag(1.0) * (longest * longest);
    let aside = tangential(1.0) * (longest * longest * longest);
    2.0 * sags + 4.0 * aside + 3.0 * bounds::NOISE_M
}

fn steps(p: Vec3) -> [i32; 3] {
    // The nearest step below or above: either is within one.
    [p.x, p.y, p.z].map(|x| (x * STEPS_PER_M) as i32)
}

/// The least single-precision number that is not below.
pub fn above(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) < x {
        near.next_up()
    } else {
        near
    }
}

/// Half a unit in the last place of a single-precision number near 1.
pub const UNIT: f64 = 5.960_464_477_539_063e-8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_round_as_whole_numbers_do() {
        for us in [1_000, 1_001, 100_000, 2_000_000_000] {
            let ticks = Ticks::of(-7_777_777, us);
            for whole in [0, 1, 2, 999, 1 << 20, (1 << 32) - 3] {
                for past in [0, 1, us / 2, us - 1] {
                    let at_us = whole * us + past - 7_777_777;
                    assert_eq!(i64::from(ticks.floor(at_us)), whole);
                    assert_eq!(i64::from(ticks.ceil(at_us)), whole + i64::from(past > 0));
                }
            }
            // What lies before the first tick or after the last counts as there.
            assert_eq!(ticks.floor(-7_777_777 - 3 * us), 0);
            assert_eq!(ticks.floor((1 << 32) * us), u32::MAX - 1);
        }
    }
}
