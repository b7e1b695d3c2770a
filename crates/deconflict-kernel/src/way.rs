//! A track as advice reads it: pieces by number, their ramps, and what stays where it is.
//!
//! The only place where advice knows how tracks are kept.

use crate::bounds;
use crate::error::InputError;
use crate::input::Trajectories;
use crate::limits::{Minima, Share};
use crate::region::Region;
use crate::track::{Piece, Track};
use crate::tracks::Tracks;
use crate::vertical::Ramp;
use deconflict_parts::each_in_parts;

/// Pieces are no longer than this where there are volumes: their chords then lie 4.5 m low at most,
/// which is all that a change may be greater than it must.
const LONGEST_PAST_VOLUMES_M: f64 = 15_000.0;

/// All tracks of a set; rows with pieces too long for its smallest minimum have finer ones.
pub struct Ways<'a> {
    tracks: Tracks<'a>,
    finer: Vec<Option<Vec<Piece>>>,
}

impl<'a> Ways<'a> {
    /// Checks trajectories and cuts them as screening does, or finer.
    pub fn new(
        trajectories: &Trajectories<'a>,
        minima: &Minima,
        references: usize,
        past_volumes: bool,
        threads: usize,
    ) -> Result<Ways<'a>, InputError> {
        let tracks = Tracks::new(trajectories, minima.count, references, threads)?;
        let mut longest = piece_length(minima.least_positive_lateral().clamp(50.0, 1e6));
        if past_volumes {
            longest = longest.min(LONGEST_PAST_VOLUMES_M);
        }
        let mut finer: Vec<(usize, Option<Vec<Piece>>)> =
            (0..tracks.len()).map(|row| (row, None)).collect();
        each_in_parts(&mut finer, threads, |(row, pieces)| {
            *pieces = cut(&tracks.get(*row), longest);
        });
        Ok(Ways {
            finer: finer.into_iter().map(|(_, pieces)| pieces).collect(),
            tracks,
        })
    }

    pub fn len(&self) -> usize {
        self.tracks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    pub fn get(&self, row: usize) -> Option<Way<'_>> {
        let finer = self.finer.get(row)?;
        Some(Way {
            track: self.tracks.get(row),
            finer: finer.as_deref(),
        })
    }
}

/// The longest piece whose ε at distance `d` is within the tolerance of screening.
fn piece_length(d: f64) -> f64 {
    let mut length = bounds::LONGEST_PIECE_M;
    while bounds::excess(d, length) > bounds::tolerance(d) {
        length *= 0.98;
    }
    length
}

/// The pieces of a track, halved until none is longer; none where none is.
fn cut(track: &Track<'_>, longest: f64) -> Option<Vec<Piece>> {
    fn halve(track: &Track<'_>, piece: Piece, longest: f64, out: &mut Vec<Piece>) {
        let halves = if piece.edge.length > longest {
            track.halves(&piece)
        } else {
            None
        };
        match halves {
            Some(halves) => {
                for half in halves {
                    halve(track, half, longest, out);
                }
            }
            None => out.push(piece),
        }
    }
    let pieces = || (0..track.pieces()).map(|k| track.piece(k));
    if pieces().all(|piece| piece.edge.length <= longest) {
        return None;
    }
    let mut finer = Vec::new();
    pieces().for_each(|piece| halve(track, piece, longest, &mut finer));
    Some(finer)
}

#[derive(Clone, Copy)]
pub struct Way<'a> {
    track: Track<'a>,
    finer: Option<&'a [Piece]>,
}

impl Way<'_> {
    pub fn pieces(&self) -> usize {
        self.finer.map_or(self.track.pieces(), <[Piece]>::len)
    }

    pub fn piece(&self, k: usize) -> Piece {
        self.finer
            .map_or_else(|| self.track.piece(k), |pieces| pieces[k])
    }

    /// Altitude along the leg that a piece belongs to.
    pub fn ramp(&self, piece: &Piece) -> Ramp {
        self.track.ramp(piece.edge.leg)
    }

    pub fn legs(&self) -> u32 {
        self.track.times_us.len() as u32 - 1
    }

    pub fn window_us(&self) -> i64 {
        self.track.window_us
    }

    pub fn party(&self) -> u32 {
        self.track.party
    }

    pub fn side(&self) -> u8 {
        self.track.side
    }

    pub fn share(&self) -> Share {
        Share {
            purpose: self.track.purpose,
            reference: self.track.reference,
            lateral_m: self.track.lateral_m,
            reach_m: 0.0,
            vertical_tmm: self.track.vertical_tmm,
        }
    }

    /// Which ends keep place and altitude under a change of level or an offset: a first waypoint
    /// from which it climbs, a last one to which it descends.
    pub fn kept_ends(&self) -> (bool, bool) {
        let h = self.track.altitudes_tmm;
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
