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

/// A set made ready. Objects are numbered trajectories first, then volumes.
pub struct Objects<'a> {
    pub tracks: Tracks<'a>,
    pub regions: Vec<Region>,
    pub minima: Minima,
    pub references: References,
}

/// A stretch of time in which the objects `i < j` are flagged.
#[derive(Clone, Copy, Debug)]
pub struct PairHit {
    pub i: u32,
    pub j: u32,
    pub hit: Hit,
}

impl Objects<'_> {
    /// Adds what two stretches, of up to so many pieces, of different objects come to; of two
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
        let count = self.tracks.len() as u32;
        own.clear();
        if b.object < count {
            let (first, second) = self.in_order(a.object, b.object);
            let (one, other) = if first == a.object { (a, b) } else { (b, a) };
            let pair = self.pair(first, second);
            let (one, other) = (
                of_stretch(one, &pair.first, pieces),
                of_stretch(other, &pair.second, pieces),
            );
            pair.hits(one, other, own);
        } else if a.object < count {
            let intrusion = self.intrusion(a.object, b.object);
            intrusion.hits(of_stretch(a, &intrusion.path, pieces), own);
        } else if self.region(a.object).item != self.region(b.object).item
            || self.region(a.object).item == u32::MAX
        {
            volumes.push((a.object, b.object));
        }
        hits.extend(own.iter().map(|&hit| PairHit {
            i: a.object,
            j: b.object,
            hit,
        }));
    }

    pub fn region(&self, object: u32) -> &Region {
        &self.regions[object as usize - self.tracks.len()]
    }

    /// Two trajectories in the order of their content, so that a pair is always computed the same
    /// way round.
    pub fn in_order(&self, i: u32, j: u32) -> (u32, u32) {
        let (x, y) = (i as usize, j as usize);
        // Nearly all differ in when they start or end. Shifting all times alike keeps this order.
        let spans = self.tracks.span_us(x).cmp(&self.tracks.span_us(y));
        let order = || by_content(&self.tracks.get(x), &self.tracks.get(y));
        match spans.then_with(order) {
            Ordering::Greater => (j, i),
            _ => (i, j),
        }
    }

    pub fn pair(&self, first: u32, second: u32) -> Pair<'_> {
        let first = self.tracks.get(first as usize);
        let second = self.tracks.get(second as usize);
        let limits = Limits::new(
            &self.minima,
            &self.references,
            track_share(&first),
            track_share(&second),
        );
        Pair::new(first, second, limits)
    }

    pub fn intrusion(&self, i: u32, j: u32) -> Intrusion<'_> {
        let (track, region) = (self.tracks.get(i as usize), self.region(j));
        let mut limits = Limits::new(
            &self.minima,
            &self.references,
            track_share(&track),
            region_share(region),
        );
        if region.lower_tmm == SURFACE && region.upper_tmm == UNLIMITED {
            limits.vertical = Vertical::Always;
        }
        Intrusion::new(track, region, limits)
    }
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
