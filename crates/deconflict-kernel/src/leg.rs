//! Geodesic legs and the straight pieces they are cut into.

use crate::bounds;
use crate::ellipsoid::{coordinates, normal, surface};
use crate::geodesic;
use crate::vec3::Vec3;

/// Longest leg accepted, metres: nearer to the antipode the geodesic is not unique.
pub const LONGEST_LEG_M: f64 = 19_900_000.0;
/// Longest leg, by its chord, of which [`Leg::near_point`] has a closed form, metres.
const SHORT_LEG_M: f64 = 50_000.0;
/// How far [`Leg::near_point`] may be from the truth, metres (derived in
/// `docs/reference/separation.md`; a search finds at most a tenth of it).
pub const NEAR_POINT_M: f64 = 1e-3;

/// The shortest geodesic between two points, degrees.
#[derive(Clone, Copy, Debug)]
pub struct Leg {
    pub lat0: f64,
    pub lon0: f64,
    pub lat1: f64,
    pub lon1: f64,
}

impl Leg {
    pub fn length(&self) -> f64 {
        // Coordinates were checked on entry, so the geodesic exists.
        geodesic::inverse(self.lat0, self.lon0, self.lat1, self.lon1).map_or(f64::MAX, |g| g.0)
    }

    /// Latitude and longitude of the point at a fraction of the leg's length, to some nanometres.
    pub fn point(&self, fraction: f64) -> (f64, f64) {
        if fraction <= 0.0 {
            return (self.lat0, self.lon0);
        }
        if fraction >= 1.0 {
            return (self.lat1, self.lon1);
        }
        let along = geodesic::inverse(self.lat0, self.lon0, self.lat1, self.lon1)
            .and_then(|(s, azi, _)| geodesic::direct(self.lat0, self.lon0, azi, s * fraction));
        along.map_or((self.lat0, self.lon0), |(lat, lon, _)| (lat, lon))
    }

    /// As [`Leg::point`], within [`NEAR_POINT_M`] of it and ten times as fast where the leg is short.
    pub fn near_point(&self, fraction: f64) -> (f64, f64) {
        if fraction <= 0.0 {
            return (self.lat0, self.lon0);
        }
        if fraction >= 1.0 {
            return (self.lat1, self.lon1);
        }
        let (p0, p1) = (surface(self.lat0, self.lon0), surface(self.lat1, self.lon1));
        let chord = p1 - p0;
        if chord.norm2() > SHORT_LEG_M * SHORT_LEG_M {
            return self.point(fraction);
        }
        // A geodesic bends by κn. With κ one number and n going evenly from one end's normal to the
        // other's, p'' = −κn solves to these weights; κL² is how far the normal turns along the leg.
        let (n0, n1) = (normal(p0), normal(p1));
        let turn = (n1 - n0).dot(chord);
        let (f, g) = (fraction, 1.0 - fraction);
        let bulge = (n0 * (1.0 + g) + n1 * (1.0 + f)) * (turn * f * g / 6.0);
        coordinates(p0 + chord * f + bulge)
    }

    pub fn place(&self, fraction: f64) -> Vec3 {
        let (lat, lon) = self.point(fraction);
        surface(lat, lon)
    }
}

/// A chord of a leg between two fractions of its length.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub leg: u32,
    pub f0: f64,
    pub f1: f64,
    pub p0: Vec3,
    pub p1: Vec3,
    /// Upper bound of the geodesic length, metres.
    pub length: f64,
}

impl Edge {
    /// The whole leg as one chord.
    pub fn whole(leg: u32, of: &Leg) -> Edge {
        let (p0, p1) = (surface(of.lat0, of.lon0), surface(of.lat1, of.lon1));
        Edge::between(leg, p0, p1)
    }

    /// The whole leg between places already computed.
    pub fn between(leg: u32, p0: Vec3, p1: Vec3) -> Edge {
        Edge {
            leg,
            f0: 0.0,
            f1: 1.0,
            p0,
            p1,
            length: bounds::arc((p1 - p0).norm()),
        }
    }

    pub fn at(&self, u: f64) -> Vec3 {
        self.p0 + (self.p1 - self.p0) * u
    }

    /// Fraction of the leg at a fraction of this edge.
    pub fn leg_fraction(&self, u: f64) -> f64 {
        self.f0 + (self.f1 - self.f0) * u
    }

    /// Cuts the edge at its geodesic middle.
    pub fn halves(&self, of: &Leg) -> [Edge; 2] {
        let f = 0.5 * (self.f0 + self.f1);
        let middle = of.place(f);
        let length = 0.5 * self.length;
        [
            Edge {
                f1: f,
                p1: middle,
                length,
                ..*self
            },
            Edge {
                f0: f,
                p0: middle,
                length,
                ..*self
            },
        ]
    }
}

/// Cuts legs into edges of at most `longest` metres.
pub fn cut(legs: &[Leg], longest: f64) -> Vec<Edge> {
    let mut edges = Vec::with_capacity(legs.len());
    for (index, leg) in (0u32..).zip(legs) {
        let whole = Edge::whole(index, leg);
        if whole.length <= longest {
            edges.push(whole);
            continue;
        }
        let length = leg.length();
        let parts = (length / longest).ceil().clamp(1.0, 1e6);
        let mut previous = (0.0, whole.p0);
        for k in 1..=(parts as u32) {
            let f = (f64::from(k) / parts).min(1.0);
            let p = if f >= 1.0 { whole.p1 } else { leg.place(f) };
            edges.push(Edge {
                leg: index,
                f0: previous.0,
                f1: f,
                p0: previous.1,
                p1: p,
                length: length / parts * (1.0 + 1e-12),
            });
            previous = (f, p);
        }
    }
    edges
}
