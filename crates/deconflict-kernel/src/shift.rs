//! Departure shifts under which two pieces conflict.
//!
//! The first plan is flown `x` seconds later, so that `x = b − a` in absolute times.

use crate::bounds::{reach, sag, tangential};
use crate::convex::{Apart, Linear, Polygon};
use crate::interval::Span;
use crate::limits::{Limits, Vertical};
use crate::track::{seconds, Piece};
use crate::vertical::Ramp;
use crate::way::bulge;

/// What is added to a height that is met by interpolation, tenths of a millimetre.
const NOISE_TMM: f64 = 1e-3;

/// A piece with the ramp of its leg.
#[derive(Clone, Copy, Debug)]
pub struct Flown {
    pub piece: Piece,
    pub ramp: Ramp,
    pub middle: crate::vec3::Vec3,
    pub half: f64,
}

impl Flown {
    pub fn new(piece: Piece, ramp: Ramp) -> Flown {
        Flown {
            middle: piece.edge.at(0.5),
            half: 0.5 * (piece.edge.p1 - piece.edge.p0).norm(),
            piece,
            ramp,
        }
    }

    pub fn length_s(&self) -> f64 {
        seconds(self.piece.t0_us, self.piece.t1_us)
    }

    /// Altitude change per second on the leg.
    pub fn rate(&self) -> f64 {
        let Ramp {
            t0_us,
            t1_us,
            h0_tmm,
            h1_tmm,
        } = self.ramp;
        (h1_tmm - h0_tmm) as f64 / seconds(t0_us, t1_us)
    }

    /// Altitude at an instant of the piece. Whole where it is meant to be whole, so that a climb
    /// that ends at a level is exactly as far from the next one.
    pub fn altitude(&self, at_us: i64) -> f64 {
        let h = self.ramp.h0_tmm as f64 + self.rate() * seconds(self.ramp.t0_us, at_us);
        let whole = h.round();
        if (h - whole).abs() <= NOISE_TMM {
            whole
        } else {
            h
        }
    }

    fn band(&self) -> (i64, i64) {
        let Ramp { h0_tmm, h1_tmm, .. } = self.ramp;
        (h0_tmm.min(h1_tmm), h0_tmm.max(h1_tmm))
    }
}

/// The distance below which chords of both pieces are flagged.
pub fn flag_distance(a: &Flown, b: &Flown, limits: &Limits) -> f64 {
    let longest = a.piece.edge.length.max(b.piece.edge.length);
    reach(limits.distance_m, sag(longest), tangential(longest))
}

/// False when the chords are farther apart than any distance that is flagged. Cheap.
pub fn places_near(a: &Flown, b: &Flown, limits: &Limits) -> bool {
    let longest = a.piece.edge.length.max(b.piece.edge.length);
    let r = a.half + b.half + limits.distance_m + bulge(longest);
    (a.middle - b.middle).norm2() <= r * r
}

/// Altitude of the first less that of the second over both own clocks.
pub fn rise(a: &Flown, b: &Flown, limits: &Limits) -> Linear {
    Linear {
        at: a.altitude(a.piece.t0_us) + limits.shift_tmm as f64 - b.altitude(b.piece.t0_us),
        a: a.rate(),
        b: -b.rate(),
    }
}

/// How much later than the first the second is, over both own clocks.
pub fn lag(a: &Flown, b: &Flown) -> Linear {
    Linear {
        at: seconds(a.piece.t0_us, b.piece.t0_us),
        a: -1.0,
        b: 1.0,
    }
}

pub fn apart(a: &Flown, b: &Flown) -> Apart {
    Apart {
        p: a.piece.edge.p0 - b.piece.edge.p0,
        u: a.piece.velocity,
        w: b.piece.velocity,
    }
}

/// False when the legs' altitudes are apart whatever the instants (exactly).
fn bands_near(a: &Flown, b: &Flown, limits: &Limits) -> bool {
    let (low, high) = a.band();
    let (other_low, other_high) = b.band();
    let (shift, height) = (limits.shift_tmm, limits.height_tmm);
    low + shift - other_high < height && other_low - (high + shift) < height
}

/// True exactly when no distance is below the minima, whatever the places.
pub fn never(limits: &Limits) -> bool {
    limits.distance_m <= 0.0 || (limits.vertical != Vertical::Unknown && limits.height_tmm <= 0)
}

/// The open span of shifts of the first, seconds, under which two pieces conflict; `window` is how
/// far both may be early or late together. Only shifts in `range` are of interest.
pub fn forbidden(a: &Flown, b: &Flown, limits: &Limits, window: f64, range: Span) -> Option<Span> {
    let lag = lag(a, b);
    let (a_end, b_end) = (a.length_s(), b.length_s());
    if lag.at - a_end - window > range.to || lag.at + b_end + window < range.from {
        return None;
    }
    if !places_near(a, b, limits) {
        return None;
    }
    let mut both = Polygon::rectangle(a_end, b_end);
    if limits.vertical == Vertical::Compared {
        if !bands_near(a, b, limits) {
            return None;
        }
        let rise = rise(a, b, limits);
        if rise.a != 0.0 || rise.b != 0.0 {
            both = both.within(rise, limits.height_tmm as f64 + NOISE_TMM)?;
        }
    }
    let found = both.extremes(&apart(a, b), flag_distance(a, b, limits), lag)?;
    Some(Span::new(found.from - window, found.to + window))
}
