//! What the filter lets through, decided: every pair goes to the check of its kind.

use std::cmp::Ordering;
use std::ops::Range;

use crate::encounter::Pair;
use crate::intrusion::Intrusion;
use crate::limits::{Hit, Limits, Minima, Share, Vertical};
use crate::region::{Region, Shape};
use crate::stretch::Stretch;
use crate::track::Track;
use crate::tracks::Tracks;
use crate::vertical::{References, SURFACE, UNLIMITED};

/// What "too close" means for every pair.
pub struct Rules {
    pub minima: Minima,
    pub references: References,
}

/// One object as the exact checks look at it.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    Flight(Track<'a>),
    Volume(&'a Region),
}

/// A set made ready. Objects are numbered trajectories first, then volumes.
pub struct Objects<'a> {
    pub tracks: Tracks<'a>,
    pub regions: Vec<Region>,
    pub rules: Rules,
}

/// A stretch of time in which the objects `i` and `j` are flagged; the trajectory is the first of a
/// trajectory and a volume.
#[derive(Clone, Copy, Debug)]
pub struct PairHit {
    pub i: u32,
    pub j: u32,
    pub hit: Hit,
}

impl Rules {
    /// Adds the stretches of time in which two objects are flagged, of which these stretches of up
    /// to so many pieces are held against each other; the trajectory is the first of a trajectory
    /// and a volume. Of two volumes nothing: they are judged whole.
    pub fn hits(
        &self,
        (a, x): (&Stretch, &Body<'_>),
        (b, y): (&Stretch, &Body<'_>),
        pieces: usize,
        out: &mut Vec<Hit>,
    ) {
        match (x, y) {
            (Body::Flight(x), Body::Flight(y)) => {
                let (one, other) = (of_stretch(a, x, pieces), of_stretch(b, y, pieces));
                if swapped(x, y) {
                    self.pair(y, x).hits(other, one, out);
                } else {
                    self.pair(x, y).hits(one, other, out);
                }
            }
            (Body::Flight(x), Body::Volume(y)) => {
                self.intrusion(x, y).hits(of_stretch(a, x, pieces), out);
            }
            (Body::Volume(_), _) => {}
        }
    }

    pub fn pair<'t>(&self, first: &Track<'t>, second: &Track<'t>) -> Pair<'t> {
        let limits = Limits::new(
            &self.minima,
            &self.references,
            track_share(first),
            track_share(second),
        );
        Pair::new(*first, *second, limits)
    }

    pub fn intrusion<'t>(&self, track: &Track<'t>, region: &'t Region) -> Intrusion<'t> {
        let mut limits = Limits::new(
            &self.minima,
            &self.references,
            track_share(track),
            region_share(region),
        );
        if region.lower_tmm == SURFACE && region.upper_tmm == UNLIMITED {
            limits.vertical = Vertical::Always;
        }
        Intrusion::new(*track, region, limits)
    }
}

impl Objects<'_> {
    pub fn body(&self, object: u32) -> Body<'_> {
        match (object as usize).checked_sub(self.tracks.len()) {
            None => Body::Flight(self.tracks.get(object as usize)),
            Some(region) => Body::Volume(&self.regions[region]),
        }
    }

    /// Adds what two stretches of different objects, of up to so many pieces, come to; of two
    /// volumes, that they are to be looked at.
    pub fn exact(
        &self,
        a: &Stretch,
        b: &Stretch,
        pieces: usize,
        own: &mut Vec<Hit>,
        hits: &mut Vec<PairHit>,
        volumes: &mut Vec<(u32, u32)>,
    ) {
        let (a, b) = if a.object < b.object { (a, b) } else { (b, a) };
        let (i, j) = (a.object, b.object);
        let (x, y) = (self.body(i), self.body(j));
        if let (Body::Volume(x), Body::Volume(y)) = (&x, &y) {
            if x.item != y.item || x.item == u32::MAX {
                volumes.push((i, j));
            }
            return;
        }
        own.clear();
        self.rules.hits((a, &x), (b, &y), pieces, own);
        hits.extend(own.iter().map(|&hit| PairHit { i, j, hit }));
    }
}

/// True exactly when two trajectories change places in the order of their content, in which a pair
/// is always computed.
pub fn swapped(x: &Track<'_>, y: &Track<'_>) -> bool {
    // Nearly all differ in when they start or end. Shifting all times alike keeps this order.
    let spans = x.span_us.cmp(&y.span_us);
    spans.then_with(|| by_content(x, y)) == Ordering::Greater
}

/// The pieces of a track that a stretch of up to so many stands for.
fn of_stretch(stretch: &Stretch, track: &Track<'_>, pieces: usize) -> Range<usize> {
    let first = stretch.first as usize;
    first..(first + pieces).min(track.pieces())
}

fn by_content(x: &Track<'_>, y: &Track<'_>) -> Ordering {
    let places = |track: &Track<'_>| {
        let both = track.lat_deg.iter().zip(track.lon_deg);
        both.flat_map(|(lat, lon)| [lat.to_bits(), lon.to_bits()])
            .collect::<Vec<u64>>()
    };
    x.times_us
        .cmp(y.times_us)
        .then_with(|| x.altitudes_tmm.cmp(y.altitudes_tmm))
        .then_with(|| places(x).cmp(&places(y)))
        .then_with(|| x.lateral_m.total_cmp(&y.lateral_m))
        .then_with(|| {
            (x.vertical_tmm, x.window_us, x.purpose, x.reference).cmp(&(
                y.vertical_tmm,
                y.window_us,
                y.purpose,
                y.reference,
            ))
        })
}

pub fn by_region_content(x: &Region, y: &Region) -> Ordering {
    let places = |r: &Region| {
        let legs = r.legs.iter();
        legs.flat_map(|l| [l.lat0, l.lon0, l.lat1, l.lon1].map(f64::to_bits))
            .collect::<Vec<u64>>()
    };
    let head = |r: &Region| {
        (
            r.shape == Shape::Polygon,
            r.legs.len(),
            r.reference,
            r.purpose,
        )
    };
    head(x)
        .cmp(&head(y))
        .then_with(|| places(x).cmp(&places(y)))
        .then_with(|| x.reach_m.total_cmp(&y.reach_m))
        .then_with(|| (x.lower_tmm, x.upper_tmm).cmp(&(y.lower_tmm, y.upper_tmm)))
        .then_with(|| (x.start_us, x.end_us).cmp(&(y.start_us, y.end_us)))
}

fn track_share(track: &Track<'_>) -> Share {
    Share {
        purpose: track.purpose,
        reference: track.reference,
        lateral_m: track.lateral_m,
        reach_m: 0.0,
        vertical_tmm: track.vertical_tmm,
    }
}

pub fn region_share(region: &Region) -> Share {
    Share {
        purpose: region.purpose,
        reference: region.reference,
        lateral_m: 0.0,
        reach_m: region.reach_m,
        vertical_tmm: 0,
    }
}
