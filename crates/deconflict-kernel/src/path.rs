//! A trajectory made ready: legs, straight pieces, chunks with bounding balls.

use crate::bounds;
use crate::leg::{Edge, Leg};
use crate::vec3::Vec3;

pub const MICROSECONDS_PER_SECOND: f64 = 1e6;
/// Pieces under one bounding ball.
const CHUNK: usize = 4;

/// Seconds from one instant to another.
pub fn seconds(from_us: i64, to_us: i64) -> f64 {
    (to_us - from_us) as f64 / MICROSECONDS_PER_SECOND
}

/// A chord flown at constant velocity.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub edge: Edge,
    pub t0_us: i64,
    pub t1_us: i64,
    pub velocity: Vec3,
}

impl Piece {
    fn new(edge: Edge, t0_us: i64, t1_us: i64) -> Piece {
        let velocity = (edge.p1 - edge.p0) * (1.0 / seconds(t0_us, t1_us));
        Piece {
            edge,
            t0_us,
            t1_us,
            velocity,
        }
    }

    /// Place on the chord at `t` seconds after `base_us`.
    pub fn at(&self, base_us: i64, t: f64) -> Vec3 {
        self.edge.p0 + self.velocity * (t - seconds(base_us, self.t0_us))
    }
}

/// Consecutive pieces and a ball that holds their chords.
#[derive(Clone, Copy, Debug)]
pub struct Chunk {
    pub first: usize,
    pub end: usize,
    pub t0_us: i64,
    pub t1_us: i64,
    pub centre: Vec3,
    pub radius: f64,
    /// One straight motion for the whole chunk, from its first place to its last, and how far any
    /// chord strays from it.
    pub velocity: Vec3,
    pub stray: f64,
    pub longest: f64,
    pub low_tmm: i64,
    pub high_tmm: i64,
}

#[derive(Clone, Debug)]
pub struct Path {
    pub times_us: Vec<i64>,
    pub altitudes_tmm: Vec<i64>,
    pub legs: Vec<Leg>,
    /// Where the waypoints are, one more than legs.
    pub places: Vec<Vec3>,
    pub pieces: Vec<Piece>,
    pub chunks: Vec<Chunk>,
    pub lateral_m: f64,
    pub vertical_tmm: i64,
    pub window_us: i64,
    pub party: u32,
    pub purpose: u16,
    pub reference: u8,
    pub side: u8,
}

impl Path {
    /// Cuts the legs at geodesic points and whole microseconds and bounds the pieces.
    pub fn cut(&mut self, longest: f64) {
        self.pieces.clear();
        self.pieces.reserve(self.legs.len());
        let ends = self.places.windows(2);
        for ((index, leg), ends) in (0u32..).zip(&self.legs).zip(ends) {
            let (t0, t1) = self.leg_times(index);
            let whole = Edge::between(index, ends[0], ends[1]);
            if whole.length <= longest {
                self.pieces.push(Piece::new(whole, t0, t1));
                continue;
            }
            let length = leg.length();
            let parts = ((length / longest).ceil() as i64).clamp(1, (t1 - t0).max(1));
            let (mut f0, mut p0, mut from) = (0.0, whole.p0, t0);
            for k in 1..=parts {
                // Whole microseconds first, then the place at exactly that instant.
                let to = t0 + (i128::from(t1 - t0) * i128::from(k) / i128::from(parts)) as i64;
                let f1 = (to - t0) as f64 / (t1 - t0) as f64;
                let p1 = if k == parts { whole.p1 } else { leg.place(f1) };
                let edge = Edge {
                    leg: index,
                    f0,
                    f1,
                    p0,
                    p1,
                    length: length * (f1 - f0) * (1.0 + 1e-12),
                };
                self.pieces.push(Piece::new(edge, from, to));
                (f0, p0, from) = (f1, p1, to);
            }
        }
        self.chunks = (0..self.pieces.len())
            .step_by(CHUNK)
            .map(|first| self.chunk(first, (first + CHUNK).min(self.pieces.len())))
            .collect();
    }

    fn chunk(&self, first: usize, end: usize) -> Chunk {
        let pieces = &self.pieces[first..end];
        let places = || pieces.iter().flat_map(|p| [p.edge.p0, p.edge.p1]);
        let (centre, radius) = ball(places);
        let mut chunk = Chunk {
            first,
            end,
            t0_us: i64::MAX,
            t1_us: i64::MIN,
            centre,
            radius,
            velocity: Vec3::ZERO,
            stray: 0.0,
            longest: 0.0,
            low_tmm: i64::MAX,
            high_tmm: i64::MIN,
        };
        for piece in pieces {
            let (low, high) = self.band(piece);
            chunk.t0_us = chunk.t0_us.min(piece.t0_us);
            chunk.t1_us = chunk.t1_us.max(piece.t1_us);
            chunk.longest = chunk.longest.max(piece.edge.length);
            chunk.low_tmm = chunk.low_tmm.min(low);
            chunk.high_tmm = chunk.high_tmm.max(high);
        }
        if let (Some(start), Some(stop)) = (pieces.first(), pieces.last()) {
            let whole = seconds(chunk.t0_us, chunk.t1_us);
            chunk.velocity = (stop.edge.p1 - start.edge.p0) * (1.0 / whole);
            // Both motions are straight between vertices, so the farthest stray is at a vertex.
            chunk.stray = pieces.iter().fold(bounds::NOISE_M, |most, piece| {
                let t = seconds(chunk.t0_us, piece.t1_us);
                let on = start.edge.p0 + chunk.velocity * t;
                most.max((piece.edge.p1 - on).norm() + bounds::NOISE_M)
            });
        }
        chunk
    }

    pub fn start_us(&self) -> i64 {
        self.times_us.first().copied().unwrap_or(0)
    }

    pub fn end_us(&self) -> i64 {
        self.times_us.last().copied().unwrap_or(0)
    }

    pub fn leg_times(&self, leg: u32) -> (i64, i64) {
        let leg = leg as usize;
        (self.times_us[leg], self.times_us[leg + 1])
    }

    /// Lowest and highest altitude of the leg that a piece belongs to.
    pub fn band(&self, piece: &Piece) -> (i64, i64) {
        let leg = piece.edge.leg as usize;
        let (h0, h1) = (self.altitudes_tmm[leg], self.altitudes_tmm[leg + 1]);
        (h0.min(h1), h0.max(h1))
    }

    /// Cuts a piece at its middle microsecond; none when it is too short to cut.
    pub fn halves(&self, piece: &Piece) -> Option<[Piece; 2]> {
        let middle = piece.t0_us + (piece.t1_us - piece.t0_us) / 2;
        if middle <= piece.t0_us || middle >= piece.t1_us {
            return None;
        }
        let (t0, t1) = self.leg_times(piece.edge.leg);
        let f = (middle - t0) as f64 / (t1 - t0) as f64;
        let place = self.legs[piece.edge.leg as usize].place(f);
        let span = piece.edge.f1 - piece.edge.f0;
        let share = |f0: f64, f1: f64| piece.edge.length * ((f1 - f0) / span) * (1.0 + 1e-12);
        let before = Edge {
            f1: f,
            p1: place,
            length: share(piece.edge.f0, f),
            ..piece.edge
        };
        let after = Edge {
            f0: f,
            p0: place,
            length: share(f, piece.edge.f1),
            ..piece.edge
        };
        Some([
            Piece::new(before, piece.t0_us, middle),
            Piece::new(after, middle, piece.t1_us),
        ])
    }

    /// The leg flown at `t` seconds after `base_us`, and the fraction of it flown by then.
    pub fn progress(&self, base_us: i64, t: f64) -> (u32, f64) {
        let at = seconds(self.start_us(), base_us) + t;
        let after = self
            .times_us
            .partition_point(|&x| seconds(self.start_us(), x) <= at);
        let leg = after.clamp(1, self.legs.len()) - 1;
        let (t0, t1) = self.leg_times(leg as u32);
        let fraction = (at - seconds(self.start_us(), t0)) / seconds(t0, t1);
        (leg as u32, fraction.clamp(0.0, 1.0))
    }

    /// True latitude and longitude at `t` seconds after `base_us`.
    pub fn position(&self, base_us: i64, t: f64) -> (f64, f64) {
        let (leg, fraction) = self.progress(base_us, t);
        self.legs[leg as usize].point(fraction)
    }

    /// Altitude at `t` seconds after `base_us`, tenths of a millimetre.
    pub fn altitude(&self, base_us: i64, t: f64) -> f64 {
        let (leg, fraction) = self.progress(base_us, t);
        let h0 = self.altitudes_tmm[leg as usize];
        let h1 = self.altitudes_tmm[leg as usize + 1];
        h0 as f64 + (h1 - h0) as f64 * fraction
    }

    /// True exactly when the leg flown at `t` has no length: the aircraft hovers.
    pub fn hovers(&self, leg: u32) -> bool {
        let leg = &self.legs[leg as usize];
        leg.lat0 == leg.lat1 && leg.lon0 == leg.lon1
    }
}

/// A ball around places: their mean, and the greatest distance from it, rounded up.
pub fn ball<I: Iterator<Item = Vec3>>(places: impl Fn() -> I) -> (Vec3, f64) {
    let mut sum = Vec3::ZERO;
    let mut count = 0.0_f64;
    for p in places() {
        sum = sum + p;
        count += 1.0;
    }
    let centre = sum * (1.0 / count.max(1.0));
    let radius = places().fold(0.0_f64, |r, p| r.max((p - centre).norm()));
    (centre, radius + bounds::NOISE_M)
}
