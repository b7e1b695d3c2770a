//! Time windows: two legs on two clocks, both in one convex picture.
//!
//! With the first aircraft at own time `a` and the other at own time `b`, the pairs (a, b) that lie
//! on both legs, differ by at most the windows, and are vertically near form a convex polygon.
//! Horizontally near is the inside of an ellipse (a strip for parallel legs) in the same picture.

use crate::interval::{near_point, nearest_instant, Span};
use crate::vec3::Vec3;

/// p + u·a − w·b on the rectangle [0, a_end] × [0, b_end], with b − a + lag bounded.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    pub p: Vec3,
    pub u: Vec3,
    pub w: Vec3,
    pub a_end: f64,
    pub b_end: f64,
    /// Time zero of `b` minus time zero of `a`, seconds.
    pub lag: f64,
    /// Greatest |shift| of one plan against the other, seconds.
    pub window: f64,
}

/// Altitude difference h + x·a − y·b and its minimum, tenths of a millimetre.
#[derive(Clone, Copy, Debug)]
pub struct Slope {
    pub h: f64,
    pub x: f64,
    pub y: f64,
    pub minimum: f64,
}

/// Where both conditions hold: spans of both clocks, and the nearest pair of instants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meeting {
    pub a: Span,
    pub b: Span,
    pub nearest: (f64, f64),
    pub distance: f64,
}

type Corner = (f64, f64);

/// Corners of a convex polygon: a rectangle, cut up to four times. A cut adds one; were rounding to
/// undo convexity, half as many at most, and these are 15.
#[derive(Clone, Copy)]
struct Polygon {
    corners: [Corner; 16],
    count: usize,
}

impl Polygon {
    fn rectangle(width: f64, height: f64) -> Polygon {
        let mut corners = [(0.0, 0.0); 16];
        corners[1] = (width, 0.0);
        corners[2] = (width, height);
        corners[3] = (0.0, height);
        Polygon { corners, count: 4 }
    }

    fn corners(&self) -> &[Corner] {
        &self.corners[..self.count]
    }

    /// Every edge, from corner to corner.
    fn edges(&self) -> impl Iterator<Item = (Corner, Corner)> + '_ {
        let before = self.count.wrapping_sub(1);
        let from = self.corners().iter().cycle().skip(before);
        from.copied().zip(self.corners().iter().copied())
    }

    /// The part where `value` ≤ 0 (linear, so crossings are exact enough).
    fn cut(self, value: impl Fn(Corner) -> f64) -> Polygon {
        if self.corners().iter().all(|&corner| value(corner) <= 0.0) {
            return self;
        }
        let mut kept = Polygon { count: 0, ..self };
        let mut keep = |corner: Corner| {
            kept.corners[kept.count] = corner;
            kept.count += 1;
        };
        for (from, to) in self.edges() {
            let (v0, v1) = (value(from), value(to));
            if (v0 <= 0.0) != (v1 <= 0.0) {
                let f = v0 / (v0 - v1);
                keep((from.0 + (to.0 - from.0) * f, from.1 + (to.1 - from.1) * f));
            }
            if v1 <= 0.0 {
                keep(to);
            }
        }
        kept
    }
}

/// Returns where the legs come within `r` of one another under some shift, or none.
pub fn meet(clocks: &Clocks, slope: Option<Slope>, r: f64) -> Option<Meeting> {
    let Clocks {
        p,
        u,
        w,
        a_end,
        b_end,
        lag,
        window,
    } = *clocks;
    let mut polygon = Polygon::rectangle(a_end, b_end)
        .cut(|(a, b)| (b - a + lag) - window)
        .cut(|(a, b)| -(b - a + lag) - window);
    if let Some(Slope { h, x, y, minimum }) = slope {
        polygon = polygon
            .cut(|(a, b)| h + x * a - y * b - minimum)
            .cut(|(a, b)| -(h + x * a - y * b) - minimum);
    }
    let first = *polygon.corners().first()?;

    // Nearly parallel velocities: taken as parallel, which is off by at most `bend` anywhere on the
    // legs; then the least distance lies on the boundary. Errs wider.
    let cross = u.cross(w);
    let (u2, w2) = (u.norm2(), w.norm2());
    let parallel = cross.norm2() <= 1e-12 * u2 * w2;
    let bend = if parallel && u2 > 0.0 {
        cross.norm() / u2.sqrt() * b_end
    } else {
        0.0
    };
    let r = r + 2.0 * bend;

    let mut found: Option<(Span, Span)> = None;
    let mut include = |(a, b): Corner| {
        found = Some(match found {
            None => (Span::new(a, a), Span::new(b, b)),
            Some((x, y)) => (x.hull(Span::new(a, a)), y.hull(Span::new(b, b))),
        });
    };
    let distance_at = |(a, b): Corner| (p + u * a - w * b).norm();
    let mut best = (first, distance_at(first));
    let mut consider = |corner: Corner| {
        let d = distance_at(corner);
        if d < best.1 {
            best = (corner, d);
        }
    };
    let unit = Span::new(0.0, 1.0);
    for (from, to) in polygon.edges() {
        let start = p + u * from.0 - w * from.1;
        let step = u * (to.0 - from.0) - w * (to.1 - from.1);
        let on = |f: f64| (from.0 + (to.0 - from.0) * f, from.1 + (to.1 - from.1) * f);
        consider(on(nearest_instant(start, step, unit)));
        if let Some(part) = near_point(start, step, r, unit) {
            include(on(part.from));
            include(on(part.to));
        }
    }
    if !parallel && u2 > 0.0 && w2 > 0.0 {
        let inside = |(a, b): Corner| polygon_holds(&polygon, (a, b));
        // The minimiser solves p + u·a − w·b ⟂ u, w.
        let det = cross.norm2();
        let centre = (w.cross(p).dot(cross) / det, u.cross(p).dot(cross) / det);
        let least = (p + u * centre.0 - w * centre.1).norm();
        if inside(centre) {
            consider(centre);
        }
        if least < r {
            // Extremes of a and b on the ellipse |p + u·a − w·b| = r around its centre.
            let depth = ((r - least) * (r + least)).sqrt();
            let sine = cross.norm();
            let a_half = depth * w2.sqrt() / sine;
            let b_half = depth * u2.sqrt() / sine;
            let cosine = u.dot(w);
            for sign in [-1.0, 1.0] {
                let a = centre.0 + sign * a_half;
                let on_a = (a, centre.1 + (a - centre.0) * cosine / w2);
                let b = centre.1 + sign * b_half;
                let on_b = (centre.0 + (b - centre.1) * cosine / u2, b);
                for corner in [on_a, on_b] {
                    if inside(corner) {
                        include(corner);
                    }
                }
            }
        }
    }
    let (a, b) = found?;
    Some(Meeting {
        a,
        b,
        nearest: best.0,
        distance: best.1,
    })
}

/// True when a point lies in a convex polygon, its edge included.
fn polygon_holds(polygon: &Polygon, q: Corner) -> bool {
    // Of a polygon shrunk to a line or a point, every turn below is zero wherever `q` is on that
    // line, or anywhere: the box keeps it between the corners.
    let within = |q: f64, of: fn(&Corner) -> f64| {
        let all = || polygon.corners().iter().map(of);
        let least = all().fold(f64::INFINITY, f64::min);
        let most = all().fold(f64::NEG_INFINITY, f64::max);
        least <= q && q <= most
    };
    if !within(q.0, |c| c.0) || !within(q.1, |c| c.1) {
        return false;
    }
    let (mut left, mut right) = (false, false);
    for (from, to) in polygon.edges() {
        let turn = (to.0 - from.0) * (q.1 - from.1) - (to.1 - from.1) * (q.0 - from.0);
        left |= turn > 0.0;
        right |= turn < 0.0;
    }
    !(left && right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossing(window: f64) -> Clocks {
        // First flies east through the origin at a = 100; the other north through it at b = 400.
        Clocks {
            p: Vec3::new(-10_000.0, 40_000.0, 0.0),
            u: Vec3::new(100.0, 0.0, 0.0),
            w: Vec3::new(0.0, 100.0, 0.0),
            a_end: 1_000.0,
            b_end: 1_000.0,
            lag: 0.0,
            window,
        }
    }

    #[test]
    fn crossing_plans_meet_only_with_enough_shift() {
        // Least distance at shift x is |300 − x|·100/√2; it is 1,000 m at x = 300 − 14.14.
        assert_eq!(meet(&crossing(285.0), None, 1_000.0), None);
        let found = meet(&crossing(290.0), None, 1_000.0).unwrap();
        assert!(found.distance < 1_000.0 && found.a.from >= 90.0 && found.a.to <= 110.0);
        let found = meet(&crossing(1_000.0), None, 1_000.0).unwrap();
        assert!(found.distance < 1e-6);
        assert!((found.a.from - 90.0).abs() < 1e-6 && (found.b.to - 410.0).abs() < 1e-6);
    }

    #[test]
    fn a_single_common_instant_is_judged_at_that_instant() {
        // The first has just ended where the other starts: 9 km apart, on lines that cross between.
        let touching = Clocks {
            p: Vec3::new(4_500.0, 0.0, 0.0),
            u: Vec3::new(15.0, 0.01, 0.0),
            w: Vec3::new(15.0, 0.0, 0.0),
            a_end: 300.0,
            b_end: 300.0,
            lag: 900.0,
            window: 600.0,
        };
        assert_eq!(meet(&touching, None, 2_000.0), None);
        let found = meet(&touching, None, 10_000.0).unwrap();
        assert_eq!(found.a, Span::new(300.0, 300.0));
        assert_eq!(found.b, Span::new(0.0, 0.0));
        assert_eq!(found.nearest, (300.0, 0.0));
    }

    #[test]
    fn a_polygon_holds_nothing_beyond_its_corners() {
        let of = |corners: [Corner; 3]| {
            let mut polygon = Polygon::rectangle(0.0, 0.0);
            polygon.corners[..3].copy_from_slice(&corners);
            polygon.count = 3;
            polygon
        };
        let point = of([(300.0, 0.0); 3]);
        assert!(polygon_holds(&point, (300.0, 0.0)));
        assert!(!polygon_holds(&point, (150.0, 150.0)));
        let line = of([(0.0, 0.0), (1.0, 1.0), (1.0, 1.0)]);
        assert!(polygon_holds(&line, (0.5, 0.5)));
        assert!(!polygon_holds(&line, (2.0, 2.0)));
        assert!(!polygon_holds(&line, (0.5, 0.6)));
    }

    #[test]
    fn vertical_distance_cuts_the_picture() {
        let apart = Slope {
            h: 5_000.0,
            x: 0.0,
            y: 0.0,
            minimum: 4_000.0,
        };
        assert_eq!(meet(&crossing(1_000.0), Some(apart), 1_000.0), None);
    }

    #[test]
    fn parallel_plans_in_trail_meet_when_the_gap_closes() {
        let clocks = |window| Clocks {
            p: Vec3::new(0.0, 0.0, 0.0),
            u: Vec3::new(100.0, 0.0, 0.0),
            w: Vec3::new(100.0, 1e-9, 0.0),
            a_end: 1_000.0,
            b_end: 1_000.0,
            lag: 60.0,
            window,
        };
        assert_eq!(meet(&clocks(49.0), None, 1_000.0), None);
        assert!(meet(&clocks(51.0), None, 1_000.0).is_some());
    }
}
