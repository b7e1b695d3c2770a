//! A path as advice reads it: pieces by number, their ramps, and what stays where it is.
//!
//! The only place where advice knows how a path is kept.

use crate::bounds;
use crate::encounter;
use crate::error::InputError;
use crate::input::{paths, Trajectories};
use crate::limits::{Minima, Share};
use crate::parts::each_in_parts;
use crate::path::{Path, Piece};
use crate::region::Region;
use crate::vertical::Ramp;

/// Pieces are no longer than this where there are volumes: their chords then lie 4.5 m low at most,
/// which is all that a change may be greater than it must.
const LONGEST_PAST_VOLUMES_M: f64 = 15_000.0;

/// Checks trajectories and cuts them as screening does, or finer.
pub fn ready(
    trajectories: &Trajectories<'_>,
    minima: &Minima,
    references: usize,
    past_volumes: bool,
    threads: usize,
) -> Result<Vec<Path>, InputError> {
    let mut paths = paths(trajectories, minima.count, references)?;
    let least = minima.least_positive_lateral();
    let mut longest = bounds::piece_length(least.clamp(50.0, 1e6));
    if past_volumes {
        longest = longest.min(LONGEST_PAST_VOLUMES_M);
    }
    each_in_parts(&mut paths, threads, |path| path.cut(longest));
    Ok(paths)
}

#[derive(Clone, Copy)]
pub struct Way<'a>(&'a Path);

impl<'a> Way<'a> {
    pub fn of(path: &'a Path) -> Way<'a> {
        Way(path)
    }

    pub fn pieces(&self) -> usize {
        self.0.pieces.len()
    }

    pub fn piece(&self, k: usize) -> Piece {
        self.0.pieces[k]
    }

    /// Altitude along the leg that a piece belongs to.
    pub fn ramp(&self, piece: &Piece) -> Ramp {
        encounter::ramp(self.0, piece)
    }

    pub fn legs(&self) -> u32 {
        self.0.legs.len() as u32
    }

    pub fn window_us(&self) -> i64 {
        self.0.window_us
    }

    pub fn party(&self) -> u32 {
        self.0.party
    }

    pub fn side(&self) -> u8 {
        self.0.side
    }

    pub fn share(&self) -> Share {
        Share {
            purpose: self.0.purpose,
            reference: self.0.reference,
            lateral_m: self.0.lateral_m,
            reach_m: 0.0,
            vertical_tmm: self.0.vertical_tmm,
        }
    }

    /// Which ends keep place and altitude under a change of level or an offset: a first waypoint
    /// from which it climbs, a last one to which it descends.
    pub fn kept_ends(&self) -> (bool, bool) {
        let h = &self.0.altitudes_tmm;
        let n = h.len();
        (n > 1 && h[0] < h[1], n > 1 && h[n - 1] < h[n - 2])
    }

    /// How much of a change of level applies at the start and the end of a piece's leg.
    pub fn weights(&self, piece: &Piece) -> (f64, f64) {
        let (first, last) = self.kept_ends();
        let weight = |kept: bool| if kept { 0.0 } else { 1.0 };
        (
            weight(first && piece.edge.leg == 0),
            weight(last && piece.edge.leg + 1 == self.legs()),
        )
    }
}

/// What a region brings to a pair.
pub fn region_share(region: &Region) -> Share {
    Share {
        purpose: region.purpose,
        reference: region.reference,
        lateral_m: 0.0,
        reach_m: region.reach_m,
        vertical_tmm: 0,
    }
}

/// What reach(d, s, e) adds to d at most: d + 2s + 4e + noise, by the length of a piece.
pub fn bulge(length: f64) -> f64 {
    2.0 * bounds::sag(length) + 4.0 * bounds::tangential(length) + bounds::NOISE_M
}
