//! Rows ready to be looked around in: who may move, what is near, and which limits hold.

use crate::bounds;
use crate::limits::{Limits, Minima, Vertical};
use crate::nearby::{Around, Block, Blocks};
use crate::offset;
use crate::region::{ball, Region, Shape};
use crate::shift::{self, Flown};
use crate::track::{seconds, MICROSECONDS_PER_SECOND};
use crate::vertical::{References, SURFACE, UNLIMITED};
use crate::way::{bulge, region_share, Way, Ways};

/// Pieces under one ball.
const TOGETHER: usize = 4;

/// Everything that is there, made ready for looking around in it.
pub struct Sky<'a> {
    ways: Ways<'a>,
    regions: Vec<Region>,
    pub blocks: Blocks,
    pub minima: Minima,
    pub references: References,
}

/// A piece of a mover and what it may meet.
pub struct Near<'a> {
    pub own: &'a Flown,
    /// Number of the own piece.
    pub index: usize,
    pub other: u32,
    pub met: &'a Met<'a>,
    pub limits: &'a Limits,
    /// How far both may be early or late together, seconds.
    pub window: f64,
}

pub enum Met<'a> {
    Piece(Flown),
    Region(&'a Region),
}

/// A path that may move, made ready once.
pub struct Mover<'a> {
    pub way: Way<'a>,
    pub pieces: Vec<Flown>,
    pub sideways: Vec<offset::Sideways>,
    pub blocks: Vec<Block>,
}

impl<'a> Mover<'a> {
    pub fn new(row: u32, way: Way<'a>, offsets: bool) -> Mover<'a> {
        let mut blocks = Vec::new();
        path_blocks(row, &way, &mut blocks);
        let pieces = (0..way.pieces()).map(|k| {
            let piece = way.piece(k);
            Flown::new(piece, way.ramp(&piece))
        });
        Mover {
            pieces: pieces.collect(),
            sideways: if offsets {
                offset::sideways(&way)
            } else {
                Vec::new()
            },
            blocks,
            way,
        }
    }
}

impl<'a> Sky<'a> {
    pub fn new(
        ways: Ways<'a>,
        regions: Vec<Region>,
        minima: Minima,
        references: References,
    ) -> Sky<'a> {
        let mut blocks = Vec::new();
        for (owner, row) in (0u32..).zip(0..ways.len()) {
            if let Some(way) = ways.get(row) {
                path_blocks(owner, &way, &mut blocks);
            }
        }
        for (owner, region) in (ways.len() as u32..).zip(&regions) {
            blocks.push(region_block(owner, region));
        }
        Sky {
            blocks: Blocks::new(blocks),
            ways,
            regions,
            minima,
            references,
        }
    }

    pub fn way(&self, row: u32) -> Option<Way<'_>> {
        self.ways.get(row as usize)
    }

    pub fn region(&self, row: u32) -> Option<&Region> {
        let index = (row as usize).checked_sub(self.ways.len())?;
        self.regions.get(index)
    }

    /// How far to look around a row of this altitude reference for changes this great: seconds
    /// earlier and later, metres to either side, tenths of a millimetre up or down.
    pub fn around(
        &self,
        reference: u8,
        early_late_s: (f64, f64),
        aside_m: f64,
        change_tmm: i64,
    ) -> Around {
        let greatest = self.minima.vertical_tmm.iter().fold(0, |m, &h| m.max(h));
        // Where a reference does not even compare with itself, altitudes exclude nothing.
        let at = usize::from(reference) * (self.references.count + 1);
        let compared = self.references.comparable.get(at).is_some_and(|&c| c != 0);
        let slack = self
            .references
            .offset_lo_tmm
            .iter()
            .zip(&self.references.offset_hi_tmm);
        let slack = slack.fold(0, |m, (&lo, &hi)| m.max(lo.abs()).max(hi.abs()));
        Around {
            early_us: (early_late_s.0 * 1e6).ceil() as i64,
            late_us: (early_late_s.1 * 1e6).ceil() as i64,
            distance_m: self.minima.greatest_lateral() + aside_m,
            height_tmm: compared.then_some(change_tmm + greatest + 2 * slack),
        }
    }

    pub fn limits(&self, first: &Way<'_>, other: u32) -> Limits {
        let share = match self.region(other) {
            Some(region) => region_share(region),
            None => self.way(other).map_or(first.share(), |way| way.share()),
        };
        let mut limits = Limits::new(&self.minima, &self.references, first.share(), share);
        if self.region(other).is_some_and(everywhere) {
            limits.vertical = Vertical::Always;
        }
        limits
    }

    /// Calls `meet` with each piece of a mover and each region, or piece of another path, nearby.
    pub fn each_near(&self, mover: &Mover<'_>, around: &Around, mut meet: impl FnMut(&Near<'_>)) {
        let own_window = seconds(0, mover.way.window_us());
        let mut known: Option<(u32, Limits)> = None;
        for block in &mover.blocks {
            self.blocks.each(block, around, |other| {
                let limits = match known {
                    Some((row, limits)) if row == other.owner => limits,
                    _ => self.limits(&mover.way, other.owner),
                };
                known = Some((other.owner, limits));
                let mut each = |met: &Met<'_>, (from_us, to_us): (i64, i64), window: f64| {
                    let window_us = (window * MICROSECONDS_PER_SECOND).ceil() as i64;
                    let from_us = from_us - window_us - around.late_us;
                    let to_us = to_us + window_us + around.early_us;
                    for n in block.first as usize..block.end as usize {
                        let own = &mover.pieces[n];
                        if own.piece.t0_us <= to_us && from_us <= own.piece.t1_us {
                            meet(&Near {
                                own,
                                index: n,
                                other: other.owner,
                                met,
                                limits: &limits,
                                window,
                            });
                        }
                    }
                };
                if let Some(way) = self.way(other.owner) {
                    if shift::never(&limits) {
                        return;
                    }
                    let window = own_window + seconds(0, way.window_us());
                    for k in other.first as usize..other.end as usize {
                        let piece = way.piece(k);
                        let far = piece.edge.at(0.5) - block.centre;
                        // Both halves, with what the block brings and what the other one may.
                        let r = block.radius + around.distance_m + 0.5 * piece.edge.length;
                        let r = r + way.share().lateral_m + bulge(piece.edge.length);
                        if far.norm2() > r * r {
                            continue;
                        }
                        let flown = Flown::new(piece, way.ramp(&piece));
                        each(&Met::Piece(flown), (piece.t0_us, piece.t1_us), window);
                    }
                } else if let Some(region) = self.region(other.owner) {
                    let times = (region.start_us, region.end_us);
                    each(&Met::Region(region), times, own_window);
                }
            });
        }
    }
}

/// A volume as one block; an open end of its band is beyond every altitude.
pub fn region_block(owner: u32, region: &Region) -> Block {
    let pad = match region.shape {
        Shape::Capsules => region.reach_m,
        Shape::Polygon => bounds::POLYGON_PAD_M,
    };
    Block {
        from_us: region.start_us,
        to_us: region.end_us,
        centre: region.centre,
        radius: region.radius + pad + bulge(bounds::LONGEST_EDGE_M),
        low_tmm: region.lower_tmm,
        high_tmm: region.upper_tmm,
        owner,
        first: 0,
        end: 0,
        party: region.party,
        reference: region.reference,
        side: region.side,
    }
}

fn path_blocks(owner: u32, way: &Way<'_>, out: &mut Vec<Block>) {
    let share = way.share();
    for first in (0..way.pieces()).step_by(TOGETHER) {
        let end = (first + TOGETHER).min(way.pieces());
        let pieces = || (first..end).map(|k| way.piece(k));
        let (centre, radius) = ball(|| pieces().flat_map(|p| [p.edge.p0, p.edge.p1]));
        let longest = pieces().fold(0.0_f64, |m, p| m.max(p.edge.length));
        let mut block = Block {
            from_us: i64::MAX,
            to_us: i64::MIN,
            centre,
            radius: radius + share.lateral_m + bulge(longest),
            low_tmm: i64::MAX,
            high_tmm: i64::MIN,
            owner,
            first: first as u32,
            end: end as u32,
            party: way.party(),
            reference: share.reference,
            side: way.side(),
        };
        for piece in pieces() {
            let ramp = way.ramp(&piece);
            block.from_us = block.from_us.min(piece.t0_us - way.window_us());
            block.to_us = block.to_us.max(piece.t1_us + way.window_us());
            block.low_tmm = block
                .low_tmm
                .min(ramp.h0_tmm.min(ramp.h1_tmm) - share.vertical_tmm);
            block.high_tmm = block
                .high_tmm
                .max(ramp.h0_tmm.max(ramp.h1_tmm) + share.vertical_tmm);
        }
        out.push(block);
    }
}

/// True exactly when a region holds every altitude.
pub fn everywhere(region: &Region) -> bool {
    region.lower_tmm == SURFACE && region.upper_tmm == UNLIMITED
}
