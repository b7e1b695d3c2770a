//! A 4D volume's outline made ready: edges under bounding balls, and who is inside.

use crate::bounds;
use crate::ellipsoid::{normal, surface};
use crate::leg::{cut, Edge, Leg};
use crate::vec3::Vec3;

/// Edges under one bounding ball.
const BLOCK: usize = 32;
/// Cosine of 87°: a polygon's cap must stay clear of a hemisphere, so that its smaller side is
/// beyond doubt.
const CAP_COSINE: f64 = 0.0523;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A point or a polyline with a reach: circle and corridor.
    Capsules,
    /// A closed ring of geodesic edges and the smaller side of it.
    Polygon,
}

#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub first: usize,
    pub end: usize,
    pub centre: Vec3,
    pub radius: f64,
}

#[derive(Clone, Debug)]
pub struct Region {
    pub shape: Shape,
    pub legs: Vec<Leg>,
    pub edges: Vec<Edge>,
    pub blocks: Vec<Block>,
    /// A ball that holds the outline's chords and, for a polygon, everything inside.
    pub centre: Vec3,
    pub radius: f64,
    /// Direction of the middle of a polygon.
    axis: Vec3,
    pub reach_m: f64,
    pub lower_tmm: i64,
    pub upper_tmm: i64,
    pub start_us: i64,
    pub end_us: i64,
    pub party: u32,
    pub purpose: u16,
    pub reference: u8,
    pub side: u8,
    pub item: u32,
}

/// What a region is apart from its outline.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    pub reach_m: f64,
    pub lower_tmm: i64,
    pub upper_tmm: i64,
    pub start_us: i64,
    pub end_us: i64,
    pub party: u32,
    pub purpose: u16,
    pub reference: u8,
    pub side: u8,
    pub item: u32,
}

impl Region {
    /// Returns the region, or why its polygon has no smaller side.
    pub fn new(shape: Shape, legs: Vec<Leg>, extent: Extent) -> Result<Region, String> {
        let edges = cut(&legs, bounds::LONGEST_EDGE_M);
        let blocks = (0..edges.len())
            .step_by(BLOCK)
            .map(|first| {
                let end = (first + BLOCK).min(edges.len());
                let (centre, radius) = ball(|| edges[first..end].iter().flat_map(|e| [e.p0, e.p1]));
                Block {
                    first,
                    end,
                    centre,
                    radius,
                }
            })
            .collect();
        let (mut centre, mut radius) = ball(|| edges.iter().flat_map(|e| [e.p0, e.p1]));
        let mut axis = Vec3::ZERO;
        if shape == Shape::Polygon {
            axis = middle(&edges);
            let cap = |p: Vec3| p.dot(axis) >= CAP_COSINE * p.norm();
            if axis == Vec3::ZERO || !edges.iter().all(|e| cap(e.p0)) {
                return Err(
                    "the polygon does not fit within a hemisphere, so it has no \
                            smaller side beyond doubt; split it"
                        .to_owned(),
                );
            }
            // The inside bulges out of the ball around the ring; a ball around the middle of the
            // surface holds it. Two percent more than covers the flattening.
            let top = surface_along(axis);
            let far = edges
                .iter()
                .fold(0.0_f64, |r, e| r.max((e.p0 - top).norm()));
            (centre, radius) = (top, 1.02 * far + 1_000.0);
        }
        Ok(Region {
            shape,
            legs,
            edges,
            blocks,
            centre,
            radius,
            axis,
            reach_m: extent.reach_m,
            lower_tmm: extent.lower_tmm,
            upper_tmm: extent.upper_tmm,
            start_us: extent.start_us,
            end_us: extent.end_us,
            party: extent.party,
            purpose: extent.purpose,
            reference: extent.reference,
            side: extent.side,
            item: extent.item,
        })
    }

    /// True exactly when the surface point `p` lies inside the polygon.
    ///
    /// Valid for points farther than [`bounds::POLYGON_PAD_M`] from the ring: seen along the
    /// normal at `p`, chord and geodesic then lie on the same side. The far end of that normal
    /// leaves the Earth outside the polygon's hemisphere, so the winding about it is zero.
    pub fn contains(&self, p: Vec3) -> bool {
        if self.shape != Shape::Polygon
            || (p - self.centre).norm() > self.radius
            || p.dot(self.axis) < CAP_COSINE * p.norm()
        {
            return false;
        }
        let up = normal(p);
        let helper = if up.z.abs() < 0.9 {
            Vec3::new(0.0, 0.0, 1.0)
        } else {
            Vec3::new(1.0, 0.0, 0.0)
        };
        let east = helper.cross(up);
        let north = up.cross(east);
        let mut winding = 0_i64;
        let flat = |q: Vec3| ((q - p).dot(east), (q - p).dot(north));
        let mut from = match self.edges.last() {
            Some(last) => flat(last.p1),
            None => return false,
        };
        for edge in &self.edges {
            let to = flat(edge.p1);
            if (from.1 <= 0.0) != (to.1 <= 0.0) {
                let turn = from.0 * to.1 - to.0 * from.1;
                if from.1 <= 0.0 && turn > 0.0 {
                    winding += 1;
                } else if from.1 > 0.0 && turn < 0.0 {
                    winding -= 1;
                }
            }
            from = to;
        }
        winding != 0
    }

    /// A point of the outline as latitude and longitude, from an edge and a fraction of it.
    pub fn point(&self, edge: &Edge, u: f64) -> (f64, f64) {
        self.legs
            .get(edge.leg as usize)
            .map_or((0.0, 0.0), |leg| leg.point(edge.leg_fraction(u)))
    }

    /// Edges whose block comes within `within` of a ball.
    pub fn edges_near(&self, centre: Vec3, within: f64) -> impl Iterator<Item = &Edge> {
        self.blocks
            .iter()
            .filter(move |b| (b.centre - centre).norm2() <= (b.radius + within).powi(2))
            .flat_map(|b| &self.edges[b.first..b.end])
    }
}

/// Unit direction of the middle of a small cap around the ring (Bădoiu–Clarkson steps).
fn middle(edges: &[Edge]) -> Vec3 {
    let unit = |p: Vec3| {
        let length = p.norm();
        if length > 0.0 {
            p * (1.0 / length)
        } else {
            Vec3::ZERO
        }
    };
    let mut centre = edges.first().map_or(Vec3::ZERO, |e| unit(e.p0));
    for step in 1..=64_u32 {
        let mut farthest = (f64::INFINITY, centre);
        for edge in edges {
            let u = unit(edge.p0);
            let cosine = u.dot(centre);
            if cosine < farthest.0 {
                farthest = (cosine, u);
            }
        }
        centre = centre + (farthest.1 - centre) * (1.0 / f64::from(step + 1));
    }
    unit(centre)
}

/// The surface point in a direction from the Earth's centre.
fn surface_along(direction: Vec3) -> Vec3 {
    use crate::ellipsoid::{A, B};
    let scale = Vec3::new(direction.x / A, direction.y / A, direction.z / B).norm();
    if scale > 0.0 {
        direction * (1.0 / scale)
    } else {
        surface(90.0, 0.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(vertices: &[(f64, f64)]) -> Result<Region, String> {
        let legs = (0..vertices.len())
            .map(|k| {
                let (lat0, lon0) = vertices[k];
                let (lat1, lon1) = vertices[(k + 1) % vertices.len()];
                Leg {
                    lat0,
                    lon0,
                    lat1,
                    lon1,
                }
            })
            .collect();
        let extent = Extent {
            reach_m: 0.0,
            lower_tmm: 0,
            upper_tmm: 1,
            start_us: 0,
            end_us: 1,
            party: 0,
            purpose: 0,
            reference: 0,
            side: 0,
            item: 0,
        };
        Region::new(Shape::Polygon, legs, extent)
    }

    #[test]
    fn inside_does_not_depend_on_the_winding() {
        let mut ring = vec![(10.0, 10.0), (10.0, 12.0), (12.0, 12.0), (12.0, 10.0)];
        for _ in 0..2 {
            let region = polygon(&ring).unwrap();
            assert!(region.contains(surface(11.0, 11.0)));
            assert!(!region.contains(surface(9.9, 11.0)));
            assert!(!region.contains(surface(-11.0, -169.0)));
            ring.reverse();
        }
    }

    #[test]
    fn a_ring_around_the_pole_holds_the_pole() {
        let region = polygon(&[(70.0, 0.0), (70.0, 120.0), (70.0, -120.0)]).unwrap();
        assert!(region.contains(surface(90.0, 0.0)));
        assert!(region.contains(surface(80.0, 60.0)));
        // Geodesic edges cut the corner that a parallel would keep.
        assert!(!region.contains(surface(72.0, 60.0)));
    }

    #[test]
    fn the_antimeridian_is_no_edge() {
        let region =
            polygon(&[(-1.0, 179.0), (-1.0, -179.0), (1.0, -179.0), (1.0, 179.0)]).unwrap();
        assert!(region.contains(surface(0.0, 180.0)));
        assert!(region.contains(surface(0.5, -179.5)));
        assert!(!region.contains(surface(0.0, 178.9)));
    }

    #[test]
    fn half_the_earth_has_no_smaller_side() {
        assert!(polygon(&[(0.0, 0.0), (0.0, 120.0), (0.0, -120.0)]).is_err());
    }

    #[test]
    fn edges_are_geodesics_not_parallels() {
        // The geodesic between 60°N 0° and 60°N 20° passes 60.39°N at 10°E.
        let region = polygon(&[(60.0, 0.0), (60.0, 20.0), (50.0, 10.0)]).unwrap();
        assert!(region.contains(surface(60.3, 10.0)));
        assert!(!region.contains(surface(60.5, 10.0)));
    }
}
