//! Trajectory against volume: closed, touching is meeting.

use crate::bounds::{self, reach, sag, tangential};
use crate::geodesic;
use crate::interval::{join, near_segment, nearest_to_segment, point_to_segment, Span};
use crate::leg::Edge;
use crate::limits::{Hit, Limits, Settled, Vertical};
use crate::region::{Region, Shape};
use crate::track::{seconds, Piece, Track};
use crate::vec3::Vec3;
use crate::vertical::{moved, ramp_within};
use std::ops::Range;

const SHORTEST_PIECE_M: f64 = 10.0;

/// A trajectory and a volume, their limits; time zero is the trajectory's start.
pub struct Intrusion<'a> {
    pub path: Track<'a>,
    pub region: &'a Region,
    pub limits: Limits,
    pub base_us: i64,
    pub tolerance: f64,
    pub within: Span,
}

/// Where a trajectory and an outline are nearest at one instant.
#[derive(Clone, Copy, Debug)]
pub struct Witness {
    pub path_point: (f64, f64),
    pub region_point: (f64, f64),
    /// Geodesic distance of the outline, at least 0.
    pub distance_m: f64,
}

impl<'a> Intrusion<'a> {
    pub fn new(path: Track<'a>, region: &'a Region, limits: Limits) -> Intrusion<'a> {
        Intrusion {
            path,
            region,
            base_us: path.start_us(),
            tolerance: bounds::tolerance(limits.distance_m),
            limits,
            within: Span::new(f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// The distance from the outline's edges that counts, with the polygon's pad.
    fn distance(&self) -> f64 {
        match self.region.shape {
            Shape::Capsules => self.limits.distance_m,
            Shape::Polygon => self.limits.distance_m + bounds::POLYGON_PAD_M,
        }
    }

    /// Adds the stretches (on the trajectory's own clock) in which these pieces meet the volume.
    pub fn hits(&self, pieces: Range<usize>, out: &mut Vec<Hit>) {
        for piece in pieces.map(|k| self.path.piece(k)) {
            if let Some(span) = self.common(&piece) {
                self.piece_hits(&piece, span, out);
            }
        }
    }

    /// When the piece is flown during the volume's time, within reach of its band.
    fn common(&self, piece: &Piece) -> Option<Span> {
        let window = self.path.window_us;
        let start = piece.t0_us.max(self.region.start_us - window);
        let end = piece.t1_us.min(self.region.end_us + window);
        if start > end {
            return None;
        }
        let span = Span::new(seconds(self.base_us, start), seconds(self.base_us, end));
        let span = span.meet(self.within)?;
        if self.limits.vertical != Vertical::Compared {
            return Some(span);
        }
        let height = self.limits.height_tmm;
        let own = self.path.ramp(piece.edge.leg);
        let zero = seconds(self.base_us, own.t0_us);
        let near = ramp_within(
            &own,
            self.limits.shift_tmm,
            moved(self.region.lower_tmm, -height),
            moved(self.region.upper_tmm, height),
            own.t0_us,
            Span::new(span.from - zero, span.to - zero),
        )?;
        Span::new(near.from + zero, near.to + zero).meet(span)
    }

    fn piece_hits(&self, piece: &Piece, span: Span, out: &mut Vec<Hit>) {
        let middle = piece.edge.at(0.5);
        let half = 0.5 * (piece.edge.p1 - piece.edge.p0).norm();
        let longest = piece.edge.length.max(bounds::LONGEST_EDGE_M);
        let r = reach(self.distance(), sag(longest), tangential(longest));
        let before = out.len();
        for edge in self.region.edges_near(middle, half + r) {
            self.graze(piece, edge, span, out);
        }
        if self.region.shape != Shape::Polygon {
            return;
        }
        // Away from every edge, inside or outside cannot change: one look per gap.
        let near = join(out[before..].iter().map(|h| h.span).collect(), 0.0);
        let mut gaps = Vec::with_capacity(near.len() + 1);
        let mut from = span.from;
        for covered in &near {
            if covered.from > from {
                gaps.push(Span::new(from, covered.from));
            }
            from = from.max(covered.to);
        }
        if from < span.to || near.is_empty() {
            gaps.push(Span::new(from, span.to));
        }
        for gap in gaps {
            let t = 0.5 * (gap.from + gap.to);
            if self.region.contains(self.true_place(t)) {
                out.push(Hit {
                    span: gap,
                    first_t: t,
                    second_t: t,
                    distance: 0.0,
                    height_tmm: 0.0,
                    excess: 0.0,
                    still: false,
                });
            }
        }
    }

    fn graze(&self, piece: &Piece, edge: &Edge, span: Span, out: &mut Vec<Hit>) {
        let d = self.distance();
        let longest = piece.edge.length.max(edge.length);
        let r = reach(d, sag(longest), tangential(longest));
        let q = piece.at(self.base_us, span.from);
        let v = piece.velocity;
        let own = Span::new(0.0, span.length());
        let Some(near) = near_segment(q, v, edge.p0, edge.p1, r, own) else {
            return;
        };
        let near = Span::new(span.from + near.from, (span.from + near.to).min(span.to));
        let excess = bounds::excess(d, longest);
        if excess > self.tolerance && longest > SHORTEST_PIECE_M {
            if piece.edge.length >= edge.length {
                if let Some(halves) = self.path.halves(piece) {
                    for half in halves {
                        let from = seconds(self.base_us, half.t0_us);
                        let to = seconds(self.base_us, half.t1_us);
                        if let Some(part) = Span::new(from, to).meet(near) {
                            self.graze(&half, edge, part, out);
                        }
                    }
                    return;
                }
            } else if let Some(leg) = self.region.legs.get(edge.leg as usize) {
                for half in edge.halves(leg) {
                    self.graze(piece, &half, near, out);
                }
                return;
            }
        }
        let at = Span::new(near.from - span.from, near.to - span.from);
        let (t, distance) = nearest_to_segment(q, v, edge.p0, edge.p1, at);
        out.push(Hit {
            span: near,
            first_t: span.from + t,
            second_t: span.from + t,
            distance,
            height_tmm: 0.0,
            excess,
            still: false,
        });
    }

    fn true_place(&self, t: f64) -> Vec3 {
        let (leg, fraction) = self.path.progress(self.base_us, t);
        self.path.leg(leg).place(fraction)
    }

    /// The nearest points at an instant; inside a polygon both are the trajectory's own.
    pub fn witness(&self, t: f64) -> Witness {
        let path_point = self.path.exact_position(self.base_us, t);
        let place = self.true_place(t);
        let (edge, u, off) = self.region.nearest_edge(place);
        let Some(edge) = edge else {
            return Witness {
                path_point,
                region_point: path_point,
                distance_m: 0.0,
            };
        };
        let inside = self.region.contains(place) && off > bounds::POLYGON_PAD_M;
        if inside {
            return Witness {
                path_point,
                region_point: path_point,
                distance_m: 0.0,
            };
        }
        let foot = self.region.point(edge, u);
        let region_point = geodesic::toward(foot, path_point, self.region.reach_m);
        let distance = geodesic::distance(path_point, foot) - self.region.reach_m;
        Witness {
            path_point,
            region_point,
            distance_m: distance.max(0.0),
        }
    }

    /// True exactly when the geodesic truth at this instant shows the minimum reached or passed.
    fn proven(&self, t: f64) -> bool {
        let minimum = self.limits.lateral_m + self.limits.containment_m;
        self.witness(t).distance_m <= minimum
    }

    /// Settles a merged stretch: the geodesic truth where it decides, else finer pieces.
    pub fn settle(&mut self, hit: &mut Hit) -> Settled {
        if self.proven(hit.first_t) {
            return Settled::Conflict;
        }
        let middle = 0.5 * (hit.span.from + hit.span.to);
        if self.proven(middle) {
            (hit.first_t, hit.second_t) = (middle, middle);
            return Settled::Conflict;
        }
        self.tolerance = bounds::SETTLED_TOLERANCE_M;
        self.within = hit.span;
        let mut finer = Vec::new();
        self.hits(0..self.path.pieces(), &mut finer);
        let nearest = finer
            .iter()
            .min_by(|x, y| x.distance.total_cmp(&y.distance));
        let Some(nearest) = nearest else {
            return Settled::Clear;
        };
        (hit.first_t, hit.second_t) = (nearest.first_t, nearest.second_t);
        hit.distance = nearest.distance;
        if finer.iter().take(64).any(|part| self.proven(part.first_t)) || self.proven(hit.first_t) {
            Settled::Conflict
        } else {
            Settled::WithinTolerance
        }
    }
}

impl Region {
    /// The edge nearest to a place, the fraction along it, and the distance to its chord.
    pub fn nearest_edge(&self, place: Vec3) -> (Option<&Edge>, f64, f64) {
        let mut best: (Option<&Edge>, f64, f64) = (None, 0.0, f64::INFINITY);
        for block in &self.blocks {
            if (block.centre - place).norm() - block.radius > best.2 {
                continue;
            }
            for edge in &self.edges[block.first..block.end] {
                let (distance, u) = point_to_segment(place, edge.p0, edge.p1);
                if distance < best.2 {
                    best = (Some(edge), u, distance);
                }
            }
        }
        best
    }
}
