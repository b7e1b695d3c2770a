//! Trajectory against trajectory: open, longer than a microsecond.

use crate::bounds::{self, reach, sag, tangential};
use crate::geodesic;
use crate::interval::{join, near_point, nearest_instant, Span};
use crate::limits::{Hit, Limits, Settled, Vertical};
use crate::path::{seconds, Chunk, Path, Piece};
use crate::vertical::{ramps_near, Ramp};
use crate::window::{meet, Clocks, Slope};

/// A loss of separation must last longer than this, seconds.
pub const SHORTEST_LOSS_S: f64 = 1e-6;
/// Pieces shorter than this are not cut further, metres.
const SHORTEST_PIECE_M: f64 = 10.0;

/// Two trajectories, their limits, and the pair's own zero of time.
pub struct Pair<'a> {
    pub first: &'a Path,
    pub second: &'a Path,
    pub limits: Limits,
    pub base_us: i64,
    /// ε above which flagged pieces are cut further.
    pub tolerance: f64,
    /// Only hits in here are wanted.
    pub within: Span,
}

impl<'a> Pair<'a> {
    pub fn new(first: &'a Path, second: &'a Path, limits: Limits) -> Pair<'a> {
        Pair {
            first,
            second,
            base_us: first.start_us().max(second.start_us()),
            tolerance: bounds::tolerance(limits.distance_m),
            limits,
            within: Span::new(f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    fn window_s(&self) -> f64 {
        seconds(0, self.first.window_us + self.second.window_us)
    }

    /// Adds the stretches in which two chunks come too close.
    pub fn hits(&self, first: &Chunk, second: &Chunk, out: &mut Vec<Hit>) {
        // Open: no distance is below a minimum of zero.
        let unknown = self.limits.vertical == Vertical::Unknown;
        if self.limits.distance_m <= 0.0 || (!unknown && self.limits.height_tmm <= 0) {
            return;
        }
        if self.first.window_us + self.second.window_us > 0 {
            for a in &self.first.pieces[first.first..first.end] {
                for b in &self.second.pieces[second.first..second.end] {
                    self.shifted(a, b, out);
                }
            }
            return;
        }
        let longest = first.longest.max(second.longest);
        let r = reach(self.limits.distance_m, sag(longest), tangential(longest));
        // Room for the rounding of the nearest instant; `approach` decides.
        let r2 = (r + bounds::NOISE_M).powi(2);
        let (mut i, mut j) = (first.first, second.first);
        while i < first.end && j < second.end {
            let (a, b) = (&self.first.pieces[i], &self.second.pieces[j]);
            let start = a.t0_us.max(b.t0_us);
            let end = a.t1_us.min(b.t1_us);
            if start < end && self.bands_near(a, b) {
                let p = a.at(start, 0.0) - b.at(start, 0.0);
                let v = a.velocity - b.velocity;
                let t = nearest_instant(p, v, Span::new(0.0, seconds(start, end)));
                if (p + v * t).norm2() <= r2 {
                    let from = seconds(self.base_us, start);
                    let to = seconds(self.base_us, end);
                    self.approach(a, b, Span::new(from, to), out);
                }
            }
            if a.t1_us <= b.t1_us {
                i += 1;
            } else {
                j += 1;
            }
        }
    }

    /// False when the legs' altitudes are apart whatever the instant.
    fn bands_near(&self, a: &Piece, b: &Piece) -> bool {
        if self.limits.vertical != Vertical::Compared {
            return true;
        }
        let (a, b) = (self.first.band(a), self.second.band(b));
        let shift = self.limits.shift_tmm;
        a.0 + shift - b.1 < self.limits.height_tmm && b.0 - (a.1 + shift) < self.limits.height_tmm
    }

    /// One pair of pieces flown as planned, in their common time.
    fn approach(&self, a: &Piece, b: &Piece, common: Span, out: &mut Vec<Hit>) {
        let Some(common) = common.meet(self.within) else {
            return;
        };
        let d = self.limits.distance_m;
        let longest = a.edge.length.max(b.edge.length);
        let r = reach(d, sag(longest), tangential(longest));
        let p = a.at(self.base_us, common.from) - b.at(self.base_us, common.from);
        let v = a.velocity - b.velocity;
        let own = Span::new(0.0, common.length());
        let Some(near) = near_point(p, v, r, own) else {
            return;
        };
        let near = Span::new(
            common.from + near.from,
            (common.from + near.to).min(common.to),
        );
        let Some(span) = self.vertically_near(a, b, near) else {
            return;
        };
        let excess = bounds::excess(d, longest);
        if excess > self.tolerance && longest > SHORTEST_PIECE_M {
            if a.edge.length >= b.edge.length {
                if let Some(halves) = self.first.halves(a) {
                    for half in halves {
                        self.part(&half, b, span, out);
                    }
                    return;
                }
            } else if let Some(halves) = self.second.halves(b) {
                for half in halves {
                    self.part(a, &half, span, out);
                }
                return;
            }
        }
        let at = Span::new(span.from - common.from, span.to - common.from);
        let t = nearest_instant(p, v, at);
        out.push(Hit {
            span,
            first_t: common.from + t,
            second_t: common.from + t,
            distance: (p + v * t).norm(),
            excess,
            still: self.first.hovers(a.edge.leg) && self.second.hovers(b.edge.leg),
        });
    }

    fn part(&self, a: &Piece, b: &Piece, span: Span, out: &mut Vec<Hit>) {
        let from = seconds(self.base_us, a.t0_us.max(b.t0_us));
        let to = seconds(self.base_us, a.t1_us.min(b.t1_us));
        if let Some(common) = Span::new(from, to).meet(span) {
            self.approach(a, b, common, out);
        }
    }

    fn vertically_near(&self, a: &Piece, b: &Piece, span: Span) -> Option<Span> {
        if self.limits.vertical != Vertical::Compared {
            return Some(span);
        }
        let (first, second) = (ramp(self.first, a), ramp(self.second, b));
        let from = first.t0_us.max(second.t0_us);
        let zero = seconds(self.base_us, from);
        let own = Span::new(span.from - zero, span.to - zero);
        let near = ramps_near(
            &first,
            &second,
            self.limits.shift_tmm,
            self.limits.height_tmm,
            from,
            own,
        )?;
        Span::new(near.from + zero, near.to + zero).meet(span)
    }

    /// One pair of pieces, either plan early or late within its window.
    fn shifted(&self, a: &Piece, b: &Piece, out: &mut Vec<Hit>) {
        let window = self.window_s();
        let lag = seconds(a.t0_us, b.t0_us);
        let (a_end, b_end) = (seconds(a.t0_us, a.t1_us), seconds(b.t0_us, b.t1_us));
        if lag > a_end + window || -lag > b_end + window {
            return;
        }
        let d = self.limits.distance_m;
        let longest = a.edge.length.max(b.edge.length);
        let r = reach(d, sag(longest), tangential(longest));
        let clocks = Clocks {
            p: a.edge.p0 - b.edge.p0,
            u: a.velocity,
            w: b.velocity,
            a_end,
            b_end,
            lag,
            window,
        };
        let slope = match self.limits.vertical {
            Vertical::Compared => match self.slope(a, b) {
                Some(slope) => Some(slope),
                None => return,
            },
            _ => None,
        };
        let Some(meeting) = meet(&clocks, slope, r) else {
            return;
        };
        if meeting.a.length() <= SHORTEST_LOSS_S && meeting.b.length() <= SHORTEST_LOSS_S {
            return;
        }
        let excess = bounds::excess(d, longest);
        if excess > self.tolerance && longest > SHORTEST_PIECE_M {
            if a.edge.length >= b.edge.length {
                if let Some(halves) = self.first.halves(a) {
                    halves.iter().for_each(|half| self.shifted(half, b, out));
                    return;
                }
            } else if let Some(halves) = self.second.halves(b) {
                halves.iter().for_each(|half| self.shifted(a, half, out));
                return;
            }
        }
        let a_zero = seconds(self.base_us, a.t0_us);
        let b_zero = seconds(self.base_us, b.t0_us);
        let (a_window, b_window) = (
            seconds(0, self.first.window_us),
            seconds(0, self.second.window_us),
        );
        let from = (a_zero + meeting.a.from - a_window).max(b_zero + meeting.b.from - b_window);
        let to = (a_zero + meeting.a.to + a_window).min(b_zero + meeting.b.to + b_window);
        out.push(Hit {
            span: Span::new(from, to.max(from)),
            first_t: a_zero + meeting.nearest.0,
            second_t: b_zero + meeting.nearest.1,
            distance: meeting.distance,
            excess,
            still: false,
        });
    }

    /// Altitude difference over both clocks; none when level flight settles it (exactly).
    fn slope(&self, a: &Piece, b: &Piece) -> Option<Slope> {
        if !self.bands_near(a, b) {
            return None;
        }
        let (first, second) = (ramp(self.first, a), ramp(self.second, b));
        let rate = |r: &Ramp| (r.h1_tmm - r.h0_tmm) as f64 / seconds(r.t0_us, r.t1_us);
        let at = |r: &Ramp, t_us: i64| r.h0_tmm as f64 + rate(r) * seconds(r.t0_us, t_us);
        Some(Slope {
            h: at(&first, a.t0_us) + self.limits.shift_tmm as f64 - at(&second, b.t0_us),
            x: rate(&first),
            y: rate(&second),
            minimum: self.limits.height_tmm as f64,
        })
    }

    /// Geodesic distance at a hit's nearest instants.
    pub fn true_distance(&self, hit: &Hit) -> f64 {
        let (lat1, lon1) = self.first.position(self.base_us, hit.first_t);
        let (lat2, lon2) = self.second.position(self.base_us, hit.second_t);
        geodesic::inverse(lat1, lon1, lat2, lon2).map_or(0.0, |g| g.0)
    }

    /// Settles a merged stretch: the geodesic truth where it decides, else finer pieces. The hit's
    /// nearest instants move to the ones that decided.
    pub fn settle(&mut self, hit: &mut Hit) -> Settled {
        if self.true_distance(hit) < self.limits.distance_m {
            return Settled::Conflict;
        }
        if self.window_s() > 0.0 {
            return Settled::WithinTolerance;
        }
        self.tolerance = bounds::SETTLED_TOLERANCE_M;
        self.within = hit.span;
        let mut finer = Vec::new();
        for a in &self.first.chunks {
            for b in &self.second.chunks {
                let start = seconds(self.base_us, a.t0_us.max(b.t0_us));
                let end = seconds(self.base_us, a.t1_us.min(b.t1_us));
                if start < end && start <= hit.span.to && hit.span.from <= end {
                    self.hits(a, b, &mut finer);
                }
            }
        }
        let mut nearest: Option<(f64, Hit)> = None;
        let mut open = Vec::new();
        for part in finer {
            let distance = self.true_distance(&part);
            if part.still && distance >= self.limits.distance_m {
                continue;
            }
            open.push(part.span);
            if nearest.map_or(true, |(least, _)| distance < least) {
                nearest = Some((distance, part));
            }
        }
        let lasting = join(open, SHORTEST_LOSS_S)
            .iter()
            .any(|span| span.length() > SHORTEST_LOSS_S);
        match nearest {
            Some((distance, part)) if lasting => {
                hit.first_t = part.first_t;
                hit.second_t = part.second_t;
                hit.distance = part.distance;
                if distance < self.limits.distance_m {
                    Settled::Conflict
                } else {
                    Settled::WithinTolerance
                }
            }
            _ => Settled::Clear,
        }
    }
}

/// The altitude ramp of the leg that a piece belongs to.
pub fn ramp(path: &Path, piece: &Piece) -> Ramp {
    let leg = piece.edge.leg as usize;
    let (t0_us, t1_us) = path.leg_times(piece.edge.leg);
    Ramp {
        t0_us,
        t1_us,
        h0_tmm: path.altitudes_tmm[leg],
        h1_tmm: path.altitudes_tmm[leg + 1],
    }
}
