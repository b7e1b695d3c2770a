//! Volume against volume: closed in outline, altitude and time.

use crate::bounds::{self, reach, sag, tangential};
use crate::ellipsoid::surface;
use crate::geodesic;
use crate::interval::segment_to_segment;
use crate::leg::Edge;
use crate::limits::{Limits, Settled, Vertical};
use crate::region::{Region, Shape};
use crate::vertical::{SURFACE, UNLIMITED};

const SHORTEST_EDGE_M: f64 = 1.0;
/// How far from a crossing of edges to look for a point that is clearly inside, metres.
const LOOK_ASIDE_M: [f64; 4] = [1.0, 10.0, 100.0, 1_000.0];

/// Two volumes and their limits.
pub struct Overlap<'a> {
    pub first: &'a Region,
    pub second: &'a Region,
    pub limits: Limits,
}

/// Where two outlines are nearest.
#[derive(Clone, Copy, Debug)]
pub struct Closest {
    pub first_point: (f64, f64),
    pub second_point: (f64, f64),
    /// Geodesic distance of the outlines, at least 0.
    pub distance_m: f64,
    pub excess: f64,
    pub settled: Settled,
}

/// The nearest pair of edges found so far.
struct Nearest {
    first: Edge,
    u: f64,
    second: Edge,
    w: f64,
    distance: f64,
    excess: f64,
}

impl Overlap<'_> {
    /// The common time, closed; microseconds.
    pub fn common(&self) -> Option<(i64, i64)> {
        let start = self.first.start_us.max(self.second.start_us);
        let end = self.first.end_us.min(self.second.end_us);
        (start <= end).then_some((start, end))
    }

    /// True exactly when the bands come within the vertical minimum, or it cannot be known.
    pub fn bands_meet(&self) -> bool {
        if self.limits.vertical != Vertical::Compared {
            return true;
        }
        self.gap_tmm().abs() <= i128::from(self.limits.height_tmm)
    }

    /// Second band above the first (positive) or below it (negative), 0 when they meet.
    pub fn gap_tmm(&self) -> i128 {
        let (a, b) = (self.first, self.second);
        let shift = i128::from(self.limits.shift_tmm);
        let above = i128::from(b.lower_tmm) - (i128::from(a.upper_tmm) + shift);
        let below = i128::from(a.lower_tmm) + shift - i128::from(b.upper_tmm);
        let open_above = b.lower_tmm == SURFACE || a.upper_tmm == UNLIMITED;
        let open_below = a.lower_tmm == SURFACE || b.upper_tmm == UNLIMITED;
        if above > 0 && !open_above {
            above
        } else if below > 0 && !open_below {
            -below
        } else {
            0
        }
    }

    /// Returns the nearest points when the outlines come within the minimum, bounds added.
    pub fn closest(&self) -> Option<Closest> {
        let tolerance = bounds::tolerance(self.limits.distance_m);
        let nearest = self.nearest(tolerance);
        if let Some(inside) = self.nested(nearest.as_ref()) {
            return Some(Closest {
                first_point: inside,
                second_point: inside,
                distance_m: 0.0,
                excess: 0.0,
                settled: Settled::Conflict,
            });
        }
        let mut nearest = nearest?;
        let mut settled = self.judge(&nearest);
        if settled != Settled::Conflict {
            match self.nearest(bounds::SETTLED_TOLERANCE_M) {
                None => return None,
                Some(finer) => {
                    settled = self.judge(&finer);
                    nearest = finer;
                }
            }
        }
        let p = self.first.point(&nearest.first, nearest.u);
        let q = self.second.point(&nearest.second, nearest.w);
        let between = geodesic::distance(p, q);
        let second_point = geodesic::toward(q, p, self.second.reach_m);
        let first_point = geodesic::toward(p, second_point, self.first.reach_m);
        let distance = between - (self.first.reach_m + self.second.reach_m);
        Some(Closest {
            first_point,
            second_point,
            distance_m: distance.max(0.0),
            excess: nearest.excess,
            settled,
        })
    }

    fn distance(&self) -> f64 {
        let ring = self.first.shape == Shape::Polygon || self.second.shape == Shape::Polygon;
        let pad = if ring { bounds::POLYGON_PAD_M } else { 0.0 };
        self.limits.distance_m + pad
    }

    fn nearest(&self, tolerance: f64) -> Option<Nearest> {
        let d = self.distance();
        let longest = bounds::LONGEST_EDGE_M;
        let r = reach(d, sag(longest), tangential(longest));
        let mut best = None;
        for a in &self.first.edges {
            let half = 0.5 * (a.p1 - a.p0).norm();
            for b in self.second.edges_near(a.at(0.5), half + r) {
                self.refine(a, b, tolerance, &mut best);
            }
        }
        best
    }

    fn refine(&self, a: &Edge, b: &Edge, tolerance: f64, best: &mut Option<Nearest>) {
        let d = self.distance();
        let longest = a.length.max(b.length);
        let r = reach(d, sag(longest), tangential(longest));
        let (distance, u, w) = segment_to_segment(a.p0, a.p1, b.p0, b.p1);
        if distance > r {
            return;
        }
        let excess = bounds::excess(d, longest);
        // A part can come nearer than its whole by no more than ε.
        if let Some(found) = best {
            if distance - sag(longest) - 2.0 * tangential(longest) > found.distance {
                return;
            }
        }
        if excess > tolerance && longest > SHORTEST_EDGE_M {
            if a.length >= b.length {
                if let Some(leg) = self.first.legs.get(a.leg as usize) {
                    let halves = a.halves(leg);
                    halves
                        .iter()
                        .for_each(|h| self.refine(h, b, tolerance, best));
                    return;
                }
            } else if let Some(leg) = self.second.legs.get(b.leg as usize) {
                let halves = b.halves(leg);
                halves
                    .iter()
                    .for_each(|h| self.refine(a, h, tolerance, best));
                return;
            }
        }
        if best.as_ref().is_none_or(|found| distance < found.distance) {
            *best = Some(Nearest {
                first: *a,
                u,
                second: *b,
                w,
                distance,
                excess,
            });
        }
    }

    /// A point of one outline that lies inside the other's polygon, clear of its ring.
    fn nested(&self, near: Option<&Nearest>) -> Option<(f64, f64)> {
        let vertex = |of: &Region| of.edges.first().map(|e| of.point(e, 0.0));
        let inside = |point: (f64, f64), of: &Region| {
            let place = surface(point.0, point.1);
            of.contains(place) && of.nearest_edge(place).2 > bounds::POLYGON_PAD_M
        };
        let mut candidates = vec![
            (vertex(self.first), self.second),
            (vertex(self.second), self.first),
        ];
        if let Some(near) = near {
            for aside in LOOK_ASIDE_M {
                for sign in [-1.0, 1.0] {
                    let along = |edge: &Edge, u: f64, of: &Region| {
                        let u = u + sign * aside / edge.length.max(1e-3);
                        (0.0..=1.0).contains(&u).then(|| of.point(edge, u))
                    };
                    candidates.push((along(&near.first, near.u, self.first), self.second));
                    candidates.push((along(&near.second, near.w, self.second), self.first));
                }
            }
            for edge in [
                (&near.first, self.first, self.second),
                (&near.second, self.second, self.first),
            ] {
                for u in [0.0, 1.0] {
                    candidates.push((Some(edge.1.point(edge.0, u)), edge.2));
                }
            }
        }
        candidates.into_iter().find_map(|(point, other)| {
            let point = point?;
            (other.shape == Shape::Polygon && inside(point, other)).then_some(point)
        })
    }

    fn judge(&self, near: &Nearest) -> Settled {
        let p = self.first.point(&near.first, near.u);
        let q = self.second.point(&near.second, near.w);
        if geodesic::distance(p, q) <= self.limits.distance_m {
            Settled::Conflict
        } else {
            Settled::WithinTolerance
        }
    }
}
