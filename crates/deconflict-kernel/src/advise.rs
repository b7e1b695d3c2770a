//! What a row may not do: the shifts, changes of level and offsets under which it meets others.
//!
//! Each mover alone against everything else as it stands. Bounds are added as in screening, so what
//! is not forbidden is free; what is built from it is screened all the same before it is offered.

use std::collections::BTreeMap;

use crate::error::InputError;
use crate::input::{check_tables, regions, Trajectories, Volumes};
use crate::interval::{join, Span};
use crate::limits::{Limits, Minima, Vertical};
use crate::nearby::Around;
use crate::overlap::Overlap;
use crate::region::Region;
use crate::shift::{self, Flown};
use crate::sky::{everywhere, region_block, Met, Mover, Sky};
use crate::track::seconds;
use crate::vertical::{References, GREATEST_TMM, SURFACE, UNLIMITED};
use crate::way::{bulge, region_share, Ways};
use crate::{bounds, level, offset, passage};
use deconflict_parts::each_in_parts;

/// Stands for a bound that is not there.
pub const ENDLESS: i64 = i64::MAX / 4;
/// A hundred years, seconds.
const GREATEST_SHIFT_S: f64 = 3.2e9;
const GREATEST_OFFSET_M: f64 = 1e6;

/// How far to look, each way; nothing is looked for where both ends are zero.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Earliest and latest shift: seconds, at least 0.
    pub early_s: f64,
    pub late_s: f64,
    /// Lowest and highest change of level: tenths of a millimetre, at least 0.
    pub down_tmm: i64,
    pub up_tmm: i64,
    /// Offsets to look at, metres to the right.
    pub offsets_m: Vec<f64>,
}

impl Asked {
    /// The same within what times, altitudes and places can be; what is no number asks nothing.
    fn bounded(&self) -> Asked {
        let seconds = |s: f64| {
            if s > 0.0 {
                s.min(GREATEST_SHIFT_S)
            } else {
                0.0
            }
        };
        let offsets = self.offsets_m.iter();
        Asked {
            early_s: seconds(self.early_s),
            late_s: seconds(self.late_s),
            down_tmm: self.down_tmm.clamp(0, GREATEST_TMM),
            up_tmm: self.up_tmm.clamp(0, GREATEST_TMM),
            offsets_m: offsets
                .map(|y| {
                    if y.abs() <= GREATEST_OFFSET_M {
                        *y
                    } else {
                        0.0
                    }
                })
                .collect(),
        }
    }
}

/// Whole values, both ends included, under which a mover meets another row: milliseconds later,
/// tenths of a millimetre higher, or the index of an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forbidden {
    pub mover: u32,
    pub other: u32,
    pub from: i64,
    pub to: i64,
}

/// All that is forbidden, by mover, other and value.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub shifts: Vec<Forbidden>,
    pub levels: Vec<Forbidden>,
    pub offsets: Vec<Forbidden>,
}

type Spans = BTreeMap<u32, Vec<Span>>;

/// Returns what is forbidden to each of `movers` (rows: trajectories first, then volumes).
pub fn advise(
    trajectories: &Trajectories<'_>,
    volumes: &Volumes<'_>,
    minima: Minima,
    references: References,
    movers: &[u32],
    asked: &Asked,
    threads: usize,
) -> Result<Answer, InputError> {
    check_tables(&minima, &references)?;
    let regions = regions(volumes, minima.count, references.count)?;
    let (count, finer) = (references.count, !regions.is_empty());
    let ways = Ways::new(trajectories, &minima, count, finer, threads)?;
    let rows = ways.len() + regions.len();
    if let Some(row) = movers.iter().position(|&m| m as usize >= rows) {
        let problem = format!("{} is not one of {rows} rows", movers[row]);
        return Err(InputError::new("movers", row, "mover", problem));
    }
    let asked = asked.bounded();
    let sky = Sky::new(ways, regions, minima, references);
    let mut found: Vec<(u32, Answer)> = movers.iter().map(|&m| (m, Answer::default())).collect();
    each_in_parts(&mut found, threads, |(mover, answer)| {
        *answer = sky.answer(*mover, &asked);
    });
    let mut all = Answer::default();
    for (_, answer) in found {
        all.shifts.extend(answer.shifts);
        all.levels.extend(answer.levels);
        all.offsets.extend(answer.offsets);
    }
    Ok(all)
}

impl Sky<'_> {
    fn answer(&self, row: u32, asked: &Asked) -> Answer {
        let (mut shifts, mut levels) = (Spans::new(), Spans::new());
        let mut offsets: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
        if let Some(way) = self.way(row) {
            let own = way.share().reference;
            let mover = Mover::new(row, way, !asked.offsets_m.is_empty());
            if asked.early_s > 0.0 || asked.late_s > 0.0 {
                let around = self.around(own, (asked.early_s, asked.late_s), 0.0, 0);
                self.path_shifts(&mover, &around, asked, &mut shifts);
            }
            if asked.down_tmm > 0 || asked.up_tmm > 0 {
                let change = asked.down_tmm.max(asked.up_tmm);
                let around = self.around(own, (0.0, 0.0), 0.0, change);
                self.path_levels(&mover, &around, &mut levels);
            }
            if !asked.offsets_m.is_empty() {
                let most = asked.offsets_m.iter().fold(0.0_f64, |m, y| m.max(y.abs()));
                // A joint moves by √2 of the offset at most; a thousandth for the surface.
                let aside = 1.42 * most * 1.001;
                let around = self.around(own, (0.0, 0.0), aside, 0);
                self.path_offsets(&mover, &around, asked, &mut offsets);
            }
        } else if let Some(region) = self.region(row) {
            self.region_changes(row, region, asked, &mut shifts, &mut levels);
        }
        let spans = |all: Spans, whole: &dyn Fn(Span) -> (i64, i64), within: (i64, i64)| {
            let mut out = Vec::new();
            for (other, spans) in all {
                for span in join(spans, 0.0) {
                    let (from, to) = whole(span);
                    if from <= to && from <= within.1 && within.0 <= to {
                        out.push(Forbidden {
                            mover: row,
                            other,
                            from,
                            to,
                        });
                    }
                }
            }
            out
        };
        let range = (
            -((asked.early_s * 1e3).ceil() as i64),
            (asked.late_s * 1e3).ceil() as i64,
        );
        Answer {
            shifts: spans(shifts, &whole_ms, range),
            levels: spans(levels, &whole_tmm, (-asked.down_tmm, asked.up_tmm)),
            offsets: offsets
                .into_iter()
                .flat_map(|(other, met)| {
                    let met = (0i64..).zip(met).filter(|(_, met)| *met);
                    met.map(move |(index, _)| Forbidden {
                        mover: row,
                        other,
                        from: index,
                        to: index,
                    })
                })
                .collect(),
        }
    }

    fn path_shifts(&self, mover: &Mover<'_>, around: &Around, asked: &Asked, out: &mut Spans) {
        let range = Span::new(-asked.early_s, asked.late_s);
        self.each_near(mover, around, |near| match near.met {
            Met::Piece(b) => {
                let span = shift::forbidden(near.own, b, near.limits, near.window, range);
                if let Some(span) = span {
                    out.entry(near.other).or_default().push(span);
                }
            }
            Met::Region(region) => {
                for part in passage::stretches(&near.own.piece, region, near.limits.distance_m) {
                    if let Some(part) = passage::in_band(near.own, part, region, near.limits) {
                        let span = passage::forbidden_shifts(near.own, part, region, near.window);
                        out.entry(near.other).or_default().push(span);
                    }
                }
            }
        });
    }

    fn path_levels(&self, mover: &Mover<'_>, around: &Around, out: &mut Spans) {
        self.each_near(mover, around, |near| {
            let weights = mover.way.weights(&near.own.piece);
            match near.met {
                Met::Piece(b) => {
                    let span = level::forbidden(near.own, weights, b, near.limits, near.window);
                    if let Some(span) = span {
                        out.entry(near.other).or_default().push(span);
                    }
                }
                Met::Region(region) => {
                    let (own, limits) = (near.own, near.limits);
                    for part in passage::stretches(&own.piece, region, limits.distance_m) {
                        let span =
                            passage::in_time(own, part, region, near.window).and_then(|part| {
                                passage::forbidden_levels(own, weights, part, region, limits)
                            });
                        if let Some(span) = span {
                            out.entry(near.other).or_default().push(span);
                        }
                    }
                }
            }
        });
    }

    fn path_offsets(
        &self,
        mover: &Mover<'_>,
        around: &Around,
        asked: &Asked,
        out: &mut BTreeMap<u32, Vec<bool>>,
    ) {
        let count = asked.offsets_m.len();
        let aside = around.distance_m - self.minima.greatest_lateral();
        // One moved piece for each piece and offset, made when something comes near it.
        let mut moved: Vec<Vec<Flown>> = vec![Vec::new(); mover.pieces.len()];
        self.each_near(mover, around, |near| {
            let (own, limits, window) = (near.own, near.limits, near.window);
            let (far, half) = match near.met {
                Met::Piece(b) => (own.middle - b.middle, b.half),
                Met::Region(region) => (own.middle - region.centre, region.radius),
            };
            let longest = own.piece.edge.length.max(bounds::LONGEST_PIECE_M);
            let r = own.half + half + limits.distance_m + 2.0 * bulge(longest) + aside;
            if far.norm2() > r * r {
                return;
            }
            let moved = &mut moved[near.index];
            if moved.is_empty() {
                let sideways = &mover.sideways[near.index];
                let by = asked.offsets_m.iter();
                moved.extend(by.map(|&y| offset::moved(own, sideways, y)));
            }
            let met = out.entry(near.other).or_insert_with(|| vec![false; count]);
            for (a, met) in moved.iter().zip(met).filter(|(_, met)| !**met) {
                *met = match near.met {
                    Met::Piece(b) => offset::conflict(a, b, limits, window),
                    Met::Region(region) => {
                        let parts = passage::stretches(&a.piece, region, limits.distance_m);
                        parts.into_iter().any(|part| {
                            passage::in_time(a, part, region, window)
                                .and_then(|part| passage::in_band(a, part, region, limits))
                                .is_some()
                        })
                    }
                };
            }
        });
    }

    /// A volume that moves in time or height.
    fn region_changes(
        &self,
        row: u32,
        region: &Region,
        asked: &Asked,
        shifts: &mut Spans,
        levels: &mut Spans,
    ) {
        let own = region_block(row, region);
        let change = asked.down_tmm.max(asked.up_tmm);
        let around = self.around(region.reference, (asked.early_s, asked.late_s), 0.0, change);
        self.blocks.each(&own, &around, |other| {
            if let Some(way) = self.way(other.owner) {
                let limits = self.limits(&way, row);
                let window = seconds(0, way.window_us());
                for k in other.first as usize..other.end as usize {
                    let piece = way.piece(k);
                    let a = Flown::new(piece, way.ramp(&piece));
                    for stretch in passage::stretches(&piece, region, limits.distance_m) {
                        if let Some(part) = passage::in_band(&a, stretch, region, &limits) {
                            let span = passage::forbidden_shifts(&a, part, region, window);
                            let span = Span::new(-span.to, -span.from);
                            shifts.entry(other.owner).or_default().push(span);
                        }
                        if let Some(part) = passage::in_time(&a, stretch, region, window) {
                            let span = passage::forbidden_bands(&a, part, region, &limits);
                            levels.entry(other.owner).or_default().extend(span);
                        }
                    }
                }
            } else if let Some(second) = self.region(other.owner) {
                let Some((shift, level)) = self.bands(region, second) else {
                    return;
                };
                shifts.entry(other.owner).or_default().extend(shift);
                levels.entry(other.owner).or_default().extend(level);
            }
        });
    }

    /// Closed spans of shifts and changes of level of a volume under which it meets another; none
    /// when the outlines keep apart.
    fn bands(&self, first: &Region, second: &Region) -> Option<(Option<Span>, Option<Span>)> {
        let mut limits = Limits::new(
            &self.minima,
            &self.references,
            region_share(first),
            region_share(second),
        );
        let grounded = first.lower_tmm == SURFACE && second.lower_tmm == SURFACE;
        let unlimited = first.upper_tmm == UNLIMITED && second.upper_tmm == UNLIMITED;
        if everywhere(first) || everywhere(second) || grounded || unlimited {
            limits.vertical = Vertical::Always;
        }
        let pair = Overlap {
            first,
            second,
            limits,
        };
        pair.closest()?;
        let shift = pair.bands_meet().then(|| {
            Span::new(
                seconds(first.end_us, second.start_us),
                seconds(first.start_us, second.end_us),
            )
        });
        let level = pair.common().map(|_| {
            let height = limits.height_tmm as f64;
            let known = |tmm: i64, open: i64, beyond: f64| {
                if tmm == open {
                    beyond
                } else {
                    tmm as f64
                }
            };
            if limits.vertical != Vertical::Compared {
                return Span::new(f64::NEG_INFINITY, f64::INFINITY);
            }
            let shift = limits.shift_tmm as f64;
            let top = known(first.upper_tmm, UNLIMITED, f64::INFINITY) + shift;
            let floor = known(first.lower_tmm, SURFACE, f64::NEG_INFINITY) + shift;
            let other_top = known(second.upper_tmm, UNLIMITED, f64::INFINITY);
            let other_floor = known(second.lower_tmm, SURFACE, f64::NEG_INFINITY);
            // Touching counts: a tenth of a millimetre outward makes the closed span an open one.
            Span::new(
                other_floor - height - top - 1.0,
                other_top + height - floor + 1.0,
            )
        });
        Some((shift, level))
    }
}

/// Whole milliseconds, outward: the guard that pays for rounding.
fn whole_ms(span: Span) -> (i64, i64) {
    let bounded = |ms: f64| ms.clamp(-ENDLESS as f64, ENDLESS as f64) as i64;
    (
        bounded((span.from * 1e3).floor()),
        bounded((span.to * 1e3).ceil()),
    )
}

/// Whole tenths of a millimetre inside an open span, exactly.
fn whole_tmm(span: Span) -> (i64, i64) {
    let bounded = |tmm: f64| tmm.clamp(-ENDLESS as f64, ENDLESS as f64) as i64;
    (
        bounded(span.from.floor() + 1.0),
        bounded(span.to.ceil() - 1.0),
    )
}
