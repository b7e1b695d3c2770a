//! Two legs on two clocks as one convex picture, and the extremes of anything linear in it.
//!
//! With the first aircraft at own time `a` and the second at own time `b`, the pairs (a, b) on both
//! legs are a rectangle, and what is linear in both (a shift, a difference of altitudes) cuts it
//! along straight lines. Horizontally near is the inside of an ellipse, a strip for parallel legs.
//! So every kind of advice is the span of one linear value over one convex set.

use crate::interval::{near_point, Span};
use crate::vec3::Vec3;

pub type Corner = (f64, f64);

/// A rectangle cut by at most four lines.
const MOST: usize = 8;
/// Sine, squared, of velocities that are taken as parallel.
const PARALLEL: f64 = 1e-12;

/// The value `at + a·a + b·b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    pub at: f64,
    pub a: f64,
    pub b: f64,
}

impl Linear {
    pub fn value(&self, (a, b): Corner) -> f64 {
        self.at + self.a * a + self.b * b
    }
}

/// The first place less the second: `p + u·a − w·b`.
#[derive(Clone, Copy, Debug)]
pub struct Apart {
    pub p: Vec3,
    pub u: Vec3,
    pub w: Vec3,
}

impl Apart {
    fn at(&self, (a, b): Corner) -> Vec3 {
        self.p + self.u * a - self.w * b
    }
}

/// A convex polygon of pairs of own times.
#[derive(Clone, Copy, Debug)]
pub struct Polygon {
    corners: [Corner; MOST],
    count: usize,
}

impl Polygon {
    /// Both legs whole.
    pub fn rectangle(a_end: f64, b_end: f64) -> Polygon {
        let mut corners = [(0.0, 0.0); MOST];
        corners[1] = (a_end, 0.0);
        corners[2] = (a_end, b_end);
        corners[3] = (0.0, b_end);
        Polygon { corners, count: 4 }
    }

    pub fn corners(&self) -> &[Corner] {
        &self.corners[..self.count]
    }

    fn edges(&self) -> impl Iterator<Item = (Corner, Corner)> + '_ {
        let corners = self.corners();
        let before = corners.last().into_iter().chain(corners);
        before.copied().zip(corners.iter().copied())
    }

    /// Keeps the part in which the value is at most `most`; none when nothing is left.
    pub fn below(&self, of: Linear, most: f64) -> Option<Polygon> {
        let mut kept = Polygon {
            corners: self.corners,
            count: 0,
        };
        let mut keep = |corner: Corner| {
            // Each line adds one corner at most, and no caller cuts more than four times.
            if let Some(free) = kept.corners.get_mut(kept.count) {
                *free = corner;
                kept.count += 1;
            }
        };
        for (from, to) in self.edges() {
            let (v0, v1) = (of.value(from) - most, of.value(to) - most);
            if (v0 <= 0.0) != (v1 <= 0.0) {
                let f = v0 / (v0 - v1);
                keep((from.0 + (to.0 - from.0) * f, from.1 + (to.1 - from.1) * f));
            }
            if v1 <= 0.0 {
                keep(to);
            }
        }
        (kept.count > 0).then_some(kept)
    }

    /// Keeps the part in which the value is from −most to most.
    pub fn within(&self, of: Linear, most: f64) -> Option<Polygon> {
        let turned = Linear {
            at: -of.at,
            a: -of.a,
            b: -of.b,
        };
        self.below(of, most)?.below(turned, most)
    }

    fn holds(&self, q: Corner) -> bool {
        let (mut left, mut right) = (false, false);
        let (mut low, mut high) = (self.corners[0], self.corners[0]);
        for (from, to) in self.edges() {
            let turn = (to.0 - from.0) * (q.1 - from.1) - (to.1 - from.1) * (q.0 - from.0);
            left |= turn > 0.0;
            right |= turn < 0.0;
            low = (low.0.min(to.0), low.1.min(to.1));
            high = (high.0.max(to.0), high.1.max(to.1));
        }
        // Of a polygon shrunk to a line every turn on that line is zero: the box holds it in.
        let boxed = low.0 <= q.0 && q.0 <= high.0 && low.1 <= q.1 && q.1 <= high.1;
        boxed && !(left && right)
    }

    /// The span of a linear value where the places are within `r`; none where they never are.
    ///
    /// Convex, so its extremes lie on the rim: on edges inside the ellipse, where an edge crosses
    /// it, or at the ellipse's own extremes where those are inside the polygon.
    pub fn extremes(&self, apart: &Apart, r: f64, of: Linear) -> Option<Span> {
        let Apart { p, u, w } = *apart;
        let cross = u.cross(w);
        let (u2, w2, det) = (u.norm2(), w.norm2(), cross.norm2());
        let parallel = det <= PARALLEL * u2 * w2;
        let mut r = r;
        let mut tips = [(0.0, 0.0); 2];
        let mut tipped = false;
        if parallel {
            // Nearly parallel velocities: taken as parallel, off by at most `bend` on the legs.
            // Then the set is a strip, whose extremes all lie on edges. Errs wider.
            let b_end = self.corners().iter().fold(0.0_f64, |m, c| m.max(c.1.abs()));
            if u2 > 0.0 {
                r += 2.0 * cross.norm() / u2.sqrt() * b_end;
            }
        } else {
            // The minimiser solves p + u·a − w·b ⟂ u, w.
            let centre = (w.cross(p).dot(cross) / det, u.cross(p).dot(cross) / det);
            let least = apart.at(centre).norm();
            if least > r {
                return None;
            }
            // Extremes over |p + u·a − w·b| ≤ r: centre ± depth · Q⁻¹g / √(g·Q⁻¹g).
            let cosine = u.dot(w);
            let way = (
                (w2 * of.a + cosine * of.b) / det,
                (cosine * of.a + u2 * of.b) / det,
            );
            let steep = of.a * way.0 + of.b * way.1;
            if steep > 0.0 {
                let far = (((r - least) * (r + least)) / steep).sqrt();
                tips =
                    [1.0, -1.0].map(|s| (centre.0 + s * far * way.0, centre.1 + s * far * way.1));
                tipped = true;
            }
        }
        let mut found: Option<Span> = None;
        let mut include = |corner: Corner| {
            let v = of.value(corner);
            found = Some(found.map_or(Span::new(v, v), |all| all.hull(Span::new(v, v))));
        };
        let unit = Span::new(0.0, 1.0);
        for (from, to) in self.edges() {
            let step = u * (to.0 - from.0) - w * (to.1 - from.1);
            if let Some(part) = near_point(apart.at(from), step, r, unit) {
                let on = |f: f64| (from.0 + (to.0 - from.0) * f, from.1 + (to.1 - from.1) * f);
                include(on(part.from));
                include(on(part.to));
            }
        }
        if tipped {
            for tip in tips {
                if self.holds(tip) {
                    include(tip);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIFT: Linear = Linear {
        at: 0.0,
        a: -1.0,
        b: 1.0,
    };

    /// First flies east through the origin at a = 100; the other north through it at b = 400.
    fn crossing() -> Apart {
        Apart {
            p: Vec3::new(-10_000.0, 40_000.0, 0.0),
            u: Vec3::new(100.0, 0.0, 0.0),
            w: Vec3::new(0.0, 100.0, 0.0),
        }
    }

    #[test]
    fn crossing_legs_conflict_for_the_shifts_of_the_closed_form() {
        // Least distance at shift x is |300 − x|·100/√2.
        let all = Polygon::rectangle(1_000.0, 1_000.0);
        let found = all.extremes(&crossing(), 1_000.0, SHIFT).unwrap();
        let half = 10.0 * 2.0_f64.sqrt();
        assert!((found.from - (300.0 - half)).abs() < 1e-9);
        assert!((found.to - (300.0 + half)).abs() < 1e-9);
    }

    #[test]
    fn what_lies_beyond_the_legs_does_not_count() {
        // The other stops 20 s before the crossing, 2 km from it.
        let short = Polygon::rectangle(1_000.0, 380.0);
        assert_eq!(short.extremes(&crossing(), 1_000.0, SHIFT), None);
        assert!(short.extremes(&crossing(), 2_500.0, SHIFT).is_some());
    }

    #[test]
    fn a_line_cuts_the_picture() {
        let all = Polygon::rectangle(1_000.0, 1_000.0);
        let early = Linear {
            at: 0.0,
            a: 1.0,
            b: 0.0,
        };
        // Only before a = 95, where the first is 500 m or more short of the crossing.
        let cut = all.below(early, 95.0).unwrap();
        let found = cut.extremes(&crossing(), 1_000.0, SHIFT).unwrap();
        let whole = all.extremes(&crossing(), 1_000.0, SHIFT).unwrap();
        assert!(whole.from < found.from && (found.to - whole.to).abs() < 1e-9);
        assert!(all.below(early, -1.0).is_none());
        assert!(all.within(early, 2_000.0).is_some());
    }

    #[test]
    fn in_trail_the_shifts_are_the_gap_and_the_minimum() {
        let trail = |turn: f64| Apart {
            p: Vec3::new(0.0, 0.0, 0.0),
            u: Vec3::new(100.0, 0.0, 0.0),
            w: Vec3::new(100.0, turn, 0.0),
        };
        let all = Polygon::rectangle(1_000.0, 1_000.0);
        for turn in [0.0, 1e-9, 1e-3] {
            let found = all.extremes(&trail(turn), 1_000.0, SHIFT).unwrap();
            assert!((found.from + 10.0).abs() < 1e-3 && (found.to - 10.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_hovering_aircraft_is_passed_at_any_of_its_times() {
        let hover = Apart {
            p: Vec3::new(-10_000.0, 500.0, 0.0),
            u: Vec3::new(100.0, 0.0, 0.0),
            w: Vec3::ZERO,
        };
        let all = Polygon::rectangle(1_000.0, 60.0);
        let found = all.extremes(&hover, 1_000.0, SHIFT).unwrap();
        let half = (1_000.0_f64.powi(2) - 500.0_f64.powi(2)).sqrt() / 100.0;
        assert!((found.from + (100.0 + half)).abs() < 1e-9);
        assert!((found.to - (60.0 - (100.0 - half))).abs() < 1e-9);
    }
}
