//! When is a point that moves straight near a point, or near a segment?

use crate::vec3::Vec3;

/// A closed span of time, seconds from some zero; the caller decides what touching means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub from: f64,
    pub to: f64,
}

impl Span {
    pub fn new(from: f64, to: f64) -> Span {
        Span { from, to }
    }

    /// The common part; none when they do not even touch.
    pub fn meet(self, other: Span) -> Option<Span> {
        let from = self.from.max(other.from);
        let to = self.to.min(other.to);
        (from <= to).then_some(Span { from, to })
    }

    pub fn hull(self, other: Span) -> Span {
        Span::new(self.from.min(other.from), self.to.max(other.to))
    }

    pub fn length(self) -> f64 {
        self.to - self.from
    }

    pub fn clamp(self, t: f64) -> f64 {
        t.max(self.from).min(self.to)
    }
}

/// Movements shorter than this over the whole span count as standing still, metres.
const STILL_M: f64 = 1e-9;

/// Returns when |p + v·t| ≤ r within `span`, or none. Where hardly anything moves, the nearest end
/// decides for the whole span.
pub fn near_point(p: Vec3, v: Vec3, r: f64, span: Span) -> Option<Span> {
    let at = |t: f64| (p + v * t).norm2();
    let v2 = v.norm2();
    let r2 = r * r;
    let moved = span.length();
    if v2 * (moved * moved) <= STILL_M * STILL_M {
        return (at(span.from).min(at(span.to)) <= r2).then_some(span);
    }
    let t_min = -p.dot(v) / v2;
    // Evaluated at the minimiser: c + t(2b + at) would lose all digits to cancellation.
    let m2 = at(t_min);
    if m2 > r2 {
        return None;
    }
    let half = ((r2 - m2) / v2).sqrt();
    span.meet(Span::new(t_min - half, t_min + half))
}

/// The instant in `span` at which |p + v·t| is least.
pub fn nearest_instant(p: Vec3, v: Vec3, span: Span) -> f64 {
    let v2 = v.norm2();
    let t = -p.dot(v) / v2;
    if t.is_finite() {
        span.clamp(t)
    } else {
        span.from
    }
}

/// Distance of a point from a segment `a`–`b`, and the nearest place on it as a fraction.
pub fn point_to_segment(p: Vec3, a: Vec3, b: Vec3) -> (f64, f64) {
    let along = b - a;
    let length2 = along.norm2();
    let u = if length2 > 0.0 {
        ((p - a).dot(along) / length2).clamp(0.0, 1.0)
    } else {
        0.0
    };
    ((p - (a + along * u)).norm(), u)
}

/// Returns when a point q + v·t is within `r` of the segment `a`–`b`, within `span`.
///
/// The distance of a moving point from a convex body is convex in time, so this is one span: the
/// hull of the spans of both end balls and of the cylinder between them.
pub fn near_segment(q: Vec3, v: Vec3, a: Vec3, b: Vec3, r: f64, span: Span) -> Option<Span> {
    let mut all = near_point(q - a, v, r, span);
    let along = b - a;
    let length = along.norm();
    if length <= STILL_M {
        return all;
    }
    let mut join = |other: Option<Span>| {
        all = match (all, other) {
            (Some(x), Some(y)) => Some(x.hull(y)),
            (x, y) => x.or(y),
        }
    };
    join(near_point(q - b, v, r, span));
    let unit = along * (1.0 / length);
    let start = (q - a).dot(unit);
    let speed = v.dot(unit);
    if let Some(between) = within_slab(start, speed, length, span) {
        let across = (q - a) - unit * start;
        join(near_point(across, v - unit * speed, r, between));
    }
    all
}

/// When is 0 ≤ start + speed·t ≤ length?
fn within_slab(start: f64, speed: f64, length: f64, span: Span) -> Option<Span> {
    if (speed * span.length()).abs() <= STILL_M {
        let at = start + speed * span.from;
        return (-STILL_M <= at && at <= length + STILL_M).then_some(span);
    }
    let t0 = -start / speed;
    let t1 = (length - start) / speed;
    span.meet(Span::new(t0.min(t1), t0.max(t1)))
}

/// The instant in `span` at which q + v·t is nearest to the segment, and that distance.
pub fn nearest_to_segment(q: Vec3, v: Vec3, a: Vec3, b: Vec3, span: Span) -> (f64, f64) {
    let along = b - a;
    let length = along.norm();
    let mut best = (span.from, point_to_segment(q + v * span.from, a, b).0);
    let mut consider = |t: f64| {
        if t.is_finite() {
            let t = span.clamp(t);
            let d = point_to_segment(q + v * t, a, b).0;
            if d < best.1 {
                best = (t, d);
            }
        }
    };
    consider(span.to);
    consider(nearest_instant(q - a, v, span));
    consider(nearest_instant(q - b, v, span));
    if length > STILL_M {
        let unit = along * (1.0 / length);
        let start = (q - a).dot(unit);
        let speed = v.dot(unit);
        consider(nearest_instant(
            (q - a) - unit * start,
            v - unit * speed,
            span,
        ));
        consider(-start / speed);
        consider((length - start) / speed);
    }
    best
}

/// Least distance of two segments and where: (distance, fraction on the first, on the second).
pub fn segment_to_segment(a: Vec3, b: Vec3, c: Vec3, d: Vec3) -> (f64, f64, f64) {
    let mut best = (f64::INFINITY, 0.0, 0.0);
    let mut consider = |found: (f64, f64, f64)| {
        if found.0 < best.0 {
            best = found;
        }
    };
    let (dist, u) = point_to_segment(a, c, d);
    consider((dist, 0.0, u));
    let (dist, u) = point_to_segment(b, c, d);
    consider((dist, 1.0, u));
    let (dist, u) = point_to_segment(c, a, b);
    consider((dist, u, 0.0));
    let (dist, u) = point_to_segment(d, a, b);
    consider((dist, u, 1.0));
    // Inside both: the common perpendicular. Nearly parallel segments have their nearest points at
    // an end, which was looked at above, up to the rounding of the determinant.
    let (p, q) = (b - a, d - c);
    let cross = p.cross(q);
    let det = cross.norm2();
    if det > 1e-24 * p.norm2() * q.norm2() {
        let r = c - a;
        let u = r.cross(q).dot(cross) / det;
        let w = r.cross(p).dot(cross) / det;
        if (0.0..=1.0).contains(&u) && (0.0..=1.0).contains(&w) {
            consider((((a + p * u) - (c + q * w)).norm(), u, w));
        }
    }
    best
}

/// Joins spans that touch or overlap (up to `gap`); the result is sorted.
pub fn join(mut spans: Vec<Span>, gap: f64) -> Vec<Span> {
    spans.sort_by(|x, y| x.from.total_cmp(&y.from).then(x.to.total_cmp(&y.to)));
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.from <= last.to + gap => last.to = last.to.max(span.to),
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span {
        from: 0.0,
        to: 100.0,
    };

    fn v(x: f64, y: f64, z: f64) -> Vec3 {
        Vec3::new(x, y, z)
    }

    #[test]
    fn a_straight_pass_is_near_for_the_chord_of_the_circle() {
        let found = near_point(v(-50.0, 3.0, 0.0), v(1.0, 0.0, 0.0), 5.0, SPAN).unwrap();
        assert!((found.from - 46.0).abs() < 1e-9 && (found.to - 54.0).abs() < 1e-9);
        assert_eq!(
            near_point(v(-50.0, 6.0, 0.0), v(1.0, 0.0, 0.0), 5.0, SPAN),
            None
        );
    }

    #[test]
    fn without_relative_motion_the_distance_decides_for_all_time() {
        assert_eq!(
            near_point(v(3.0, 0.0, 0.0), Vec3::ZERO, 5.0, SPAN),
            Some(SPAN)
        );
        assert_eq!(near_point(v(6.0, 0.0, 0.0), Vec3::ZERO, 5.0, SPAN), None);
        let crawl = v(1e-300, 0.0, 0.0);
        assert_eq!(near_point(v(3.0, 0.0, 0.0), crawl, 5.0, SPAN), Some(SPAN));
    }

    #[test]
    fn a_capsule_is_entered_over_its_side_and_its_ends() {
        let (a, b) = (v(0.0, 0.0, 0.0), v(0.0, 10.0, 0.0));
        let side = near_segment(v(-50.0, 5.0, 0.0), v(1.0, 0.0, 0.0), a, b, 2.0, SPAN).unwrap();
        assert!((side.from - 48.0).abs() < 1e-9 && (side.to - 52.0).abs() < 1e-9);
        let along = near_segment(v(0.0, -50.0, 0.0), v(0.0, 1.0, 0.0), a, b, 2.0, SPAN).unwrap();
        assert!((along.from - 48.0).abs() < 1e-9 && (along.to - 62.0).abs() < 1e-9);
        let (t, d) = nearest_to_segment(v(-50.0, 12.0, 0.0), v(1.0, 0.0, 0.0), a, b, SPAN);
        assert!((t - 50.0).abs() < 1e-9 && (d - 2.0).abs() < 1e-9);
    }

    #[test]
    fn segments_cross_touch_and_run_parallel() {
        let o = Vec3::ZERO;
        let (d, u, w) = segment_to_segment(
            v(-1.0, 0.0, 0.0),
            v(1.0, 0.0, 0.0),
            v(0.0, -1.0, 0.5),
            v(0.0, 3.0, 0.5),
        );
        assert!((d - 0.5).abs() < 1e-12 && (u - 0.5).abs() < 1e-12 && (w - 0.25).abs() < 1e-12);
        let (d, _, _) = segment_to_segment(o, v(1.0, 0.0, 0.0), v(0.5, 1.0, 0.0), v(5.0, 1.0, 0.0));
        assert!((d - 1.0).abs() < 1e-12);
        let (d, _, _) = segment_to_segment(o, o, v(0.0, 2.0, 0.0), v(0.0, 2.0, 0.0));
        assert!((d - 2.0).abs() < 1e-12);
    }

    #[test]
    fn spans_that_touch_are_one() {
        let spans = vec![
            Span::new(5.0, 6.0),
            Span::new(0.0, 1.0),
            Span::new(1.0, 2.0),
        ];
        assert_eq!(
            join(spans, 0.0),
            vec![Span::new(0.0, 2.0), Span::new(5.0, 6.0)]
        );
    }
}
