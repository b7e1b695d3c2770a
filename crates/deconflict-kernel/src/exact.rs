//! What the filter lets through, decided: every pair goes to the check of its kind.

use std::ops::Range;

use crate::encounter::Pair;
use crate::flagged::Flagged;
use crate::intrusion::Intrusion;
use crate::limits::{Hit, Limits, Minima, Share, Vertical};
use crate::order::swapped;
use crate::region::Region;
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

impl Rules {
    /// Adds the stretches of time in which two objects are flagged, of which these stretches of up
    /// to so many pieces are held against each other; the trajectory is the first of a trajectory
    /// and a volume. Of two volumes nothing: they are judged whole. Two trajectories without windows
    /// are known not to be flagged outside of `during`.
    pub fn hits(
        &self,
        (a, x): (&Stretch, &Body<'_>),
        (b, y): (&Stretch, &Body<'_>),
        pieces: usize,
        during: (i64, i64),
        out: &mut Vec<Hit>,
    ) {
        match (x, y) {
            (Body::Flight(x), Body::Flight(y)) => {
                let (mut one, mut other) = (of_stretch(a, x, pieces), of_stretch(b, y, pieces));
                if x.window_us + y.window_us == 0 {
                    (one, other) = (flown(x, one, during), flown(y, other, during));
                }
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

    /// Adds what two stretches of different objects, of up to so many pieces, come to (as
    /// [`Rules::hits`]); of two volumes, that they are to be looked at.
    pub fn exact(
        &self,
        [a, b]: [&Stretch; 2],
        pieces: usize,
        during: (i64, i64),
        own: &mut Vec<Hit>,
        flagged: &mut Flagged,
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
        self.rules.hits((a, &x), (b, &y), pieces, during, own);
        flagged.add(i, j, own);
    }
}

/// The pieces of a track that a stretch of up to so many stands for.
fn of_stretch(stretch: &Stretch, track: &Track<'_>, pieces: usize) -> Range<usize> {
    let first = stretch.first as usize;
    first..(first + pieces).min(track.pieces())
}

/// Those of some pieces that are flown from one microsecond to another.
fn flown(track: &Track<'_>, pieces: Range<usize>, (from_us, to_us): (i64, i64)) -> Range<usize> {
    let (starts, ends) = (&track.vertex_us, &track.vertex_us[1..]);
    let first = pieces.clone().find(|&k| ends[k] >= from_us);
    let first = first.unwrap_or(pieces.end);
    let later = (first..pieces.end).find(|&k| starts[k] > to_us);
    first..later.unwrap_or(pieces.end)
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
