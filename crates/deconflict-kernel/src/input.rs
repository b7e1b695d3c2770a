//! Arrays in: checked row by row, then made ready. What cannot be used is refused with its name.

use crate::ellipsoid::surface;
use crate::error::InputError;
use crate::leg::{Leg, LONGEST_LEG_M};
use crate::limits::Minima;
use crate::region::{Extent, Region, Shape};
use crate::vertical::{References, GREATEST_TMM, SURFACE, UNLIMITED};

/// Farthest instant from zero, seconds (3,000 years).
const GREATEST_TIME_S: f64 = 1e11;
/// Longest leg in time, microseconds (115 days): products of altitudes and times then fit.
pub const LONGEST_LEG_US: i64 = 10_000_000_000_000;
const GREATEST_WINDOW_S: f64 = 1e6;
const GREATEST_CONTAINMENT_M: f64 = 5e6;
const GREATEST_REACH_M: f64 = 5e6;
const GREATEST_MINIMUM_M: f64 = 1e6;

/// Trajectories as columns; row `k` owns waypoints `offsets[k]..offsets[k + 1]`.
#[derive(Clone, Copy, Debug)]
pub struct Trajectories<'a> {
    pub offsets: &'a [i64],
    pub lat_deg: &'a [f64],
    pub lon_deg: &'a [f64],
    pub time_s: &'a [f64],
    pub altitude_tmm: &'a [i64],
    pub lateral_m: &'a [f64],
    pub vertical_tmm: &'a [i64],
    pub window_s: &'a [f64],
    pub party: &'a [u32],
    pub purpose: &'a [u16],
    pub reference: &'a [u8],
    /// 0 meets everybody; another number meets only other numbers.
    pub side: &'a [u8],
}

/// Volumes as columns. Shapes: 0 circle (one vertex and a reach), 1 corridor (polyline and a
/// reach), 2 polygon (ring, not closed).
#[derive(Clone, Copy, Debug)]
pub struct Volumes<'a> {
    pub offsets: &'a [i64],
    pub lat_deg: &'a [f64],
    pub lon_deg: &'a [f64],
    pub shape: &'a [u8],
    pub reach_m: &'a [f64],
    pub lower_tmm: &'a [i64],
    pub upper_tmm: &'a [i64],
    pub start_s: &'a [f64],
    pub end_s: &'a [f64],
    pub party: &'a [u32],
    pub purpose: &'a [u16],
    pub reference: &'a [u8],
    pub item: &'a [u32],
    pub side: &'a [u8],
}

#[derive(Clone, Copy)]
pub struct Table {
    name: &'static str,
}

/// Seconds as whole microseconds on a whole millisecond.
fn whole_us(t: f64) -> i64 {
    (t * 1e3).round() as i64 * 1_000
}

impl Table {
    pub const TRAJECTORIES: Table = Table {
        name: "trajectories",
    };

    pub fn refuse(
        &self,
        row: usize,
        field: &'static str,
        problem: impl Into<String>,
    ) -> InputError {
        InputError::new(self.name, row, field, problem.into())
    }

    fn length(&self, field: &'static str, found: usize, wanted: usize) -> Result<(), InputError> {
        if found == wanted {
            return Ok(());
        }
        Err(self.refuse(0, field, format!("has {found} elements, expected {wanted}")))
    }

    fn ranges(&self, offsets: &[i64], points: usize) -> Result<Vec<(usize, usize)>, InputError> {
        let first = self.offsets(offsets, points)?;
        Ok(first.windows(2).map(|pair| (pair[0], pair[1])).collect())
    }

    /// Offsets as places in an array of `points`, checked.
    fn offsets(&self, offsets: &[i64], points: usize) -> Result<Vec<usize>, InputError> {
        if offsets.first() != Some(&0) {
            return Err(self.refuse(0, "offsets", "must begin with 0"));
        }
        let mut places = Vec::with_capacity(offsets.len());
        places.push(0);
        for (row, pair) in offsets.windows(2).enumerate() {
            match usize::try_from(pair[1]) {
                Ok(to) if pair[0] <= pair[1] && to <= points => places.push(to),
                _ => {
                    return Err(self.refuse(
                        row,
                        "offsets",
                        "must not decrease or leave the arrays",
                    ))
                }
            }
        }
        if offsets.last().and_then(|&x| usize::try_from(x).ok()) != Some(points) {
            return Err(self.refuse(0, "offsets", "must end with the number of points"));
        }
        Ok(places)
    }

    pub fn position(&self, row: usize, lat: f64, lon: f64) -> Result<(), InputError> {
        if lat.is_nan() || lat.abs() > 90.0 {
            return Err(self.refuse(row, "lat_deg", format!("{lat} is not within ±90")));
        }
        if lon.is_nan() || lon.abs() > 360.0 {
            return Err(self.refuse(row, "lon_deg", format!("{lon} is not within ±360")));
        }
        Ok(())
    }

    /// Seconds as whole microseconds on a whole millisecond.
    pub fn time(&self, row: usize, field: &'static str, t: f64) -> Result<i64, InputError> {
        if t.is_nan() || t.abs() > GREATEST_TIME_S {
            return Err(self.refuse(row, field, format!("{t} s is not a usable time")));
        }
        Ok(whole_us(t))
    }

    fn within(
        &self,
        row: usize,
        field: &'static str,
        value: f64,
        most: f64,
    ) -> Result<(), InputError> {
        if value >= 0.0 && value <= most {
            return Ok(());
        }
        Err(self.refuse(row, field, format!("{value} is not within 0 to {most}")))
    }

    pub fn altitude(&self, row: usize, field: &'static str, tmm: i64) -> Result<(), InputError> {
        if (-GREATEST_TMM..=GREATEST_TMM).contains(&tmm) {
            return Ok(());
        }
        Err(self.refuse(row, field, format!("{tmm} is beyond {GREATEST_TMM}")))
    }

    fn index(
        &self,
        row: usize,
        field: &'static str,
        value: usize,
        count: usize,
    ) -> Result<(), InputError> {
        if value < count {
            return Ok(());
        }
        Err(self.refuse(row, field, format!("{value} is not in a table of {count}")))
    }

    /// The length of a leg, unless it is too long.
    pub fn leg_length(&self, row: usize, leg: &Leg) -> Result<f64, InputError> {
        let length = leg.length();
        if length >= LONGEST_LEG_M {
            return Err(self.refuse(row, "lat_deg", "a leg is 19,900 km or longer"));
        }
        Ok(length)
    }
}

/// Checks minima and references.
pub fn check_tables(minima: &Minima, references: &References) -> Result<(), InputError> {
    let table = Table { name: "minima" };
    let size = minima.count * minima.count;
    table.length("lateral_m", minima.lateral_m.len(), size)?;
    table.length("vertical_tmm", minima.vertical_tmm.len(), size)?;
    for row in 0..size {
        let mirror = (row % minima.count) * minima.count + row / minima.count;
        table.within(row, "lateral_m", minima.lateral_m[row], GREATEST_MINIMUM_M)?;
        table.altitude(row, "vertical_tmm", minima.vertical_tmm[row])?;
        if minima.vertical_tmm[row] < 0 {
            return Err(table.refuse(row, "vertical_tmm", "is negative"));
        }
        if minima.lateral_m[row] != minima.lateral_m[mirror]
            || minima.vertical_tmm[row] != minima.vertical_tmm[mirror]
        {
            return Err(table.refuse(
                row,
                "lateral_m",
                "differs from the pair the other way round",
            ));
        }
    }
    let table = Table { name: "references" };
    let size = references.count * references.count;
    table.length("comparable", references.comparable.len(), size)?;
    table.length("offset_lo_tmm", references.offset_lo_tmm.len(), size)?;
    table.length("offset_hi_tmm", references.offset_hi_tmm.len(), size)?;
    for row in 0..size {
        let (lo, hi) = (references.offset_lo_tmm[row], references.offset_hi_tmm[row]);
        table.altitude(row, "offset_lo_tmm", lo)?;
        table.altitude(row, "offset_hi_tmm", hi)?;
        if lo > hi {
            return Err(table.refuse(row, "offset_lo_tmm", format!("{lo} is above {hi}")));
        }
    }
    Ok(())
}

impl Trajectories<'_> {
    /// Checks everything but the waypoints; returns where each row's waypoints begin, and their end.
    pub fn checked_rows(
        &self,
        purposes: usize,
        references: usize,
    ) -> Result<Vec<usize>, InputError> {
        let table = Table::TRAJECTORIES;
        let points = self.lat_deg.len();
        table.length("lon_deg", self.lon_deg.len(), points)?;
        table.length("time_s", self.time_s.len(), points)?;
        table.length("altitude_tmm", self.altitude_tmm.len(), points)?;
        let first = table.offsets(self.offsets, points)?;
        let rows = first.len() - 1;
        table.length("lateral_m", self.lateral_m.len(), rows)?;
        table.length("vertical_tmm", self.vertical_tmm.len(), rows)?;
        table.length("window_s", self.window_s.len(), rows)?;
        table.length("party", self.party.len(), rows)?;
        table.length("purpose", self.purpose.len(), rows)?;
        table.length("reference", self.reference.len(), rows)?;
        table.length("side", self.side.len(), rows)?;
        for row in 0..rows {
            table.within(
                row,
                "lateral_m",
                self.lateral_m[row],
                GREATEST_CONTAINMENT_M,
            )?;
            table.within(row, "window_s", self.window_s[row], GREATEST_WINDOW_S)?;
            table.altitude(row, "vertical_tmm", self.vertical_tmm[row])?;
            if self.vertical_tmm[row] < 0 {
                return Err(table.refuse(row, "vertical_tmm", "is negative"));
            }
            table.index(row, "purpose", usize::from(self.purpose[row]), purposes)?;
            table.index(
                row,
                "reference",
                usize::from(self.reference[row]),
                references,
            )?;
        }
        Ok(first)
    }

    /// A table of one row, of a table that was checked; `offsets` becomes its offsets.
    pub fn row<'b>(&'b self, row: usize, offsets: &'b mut [i64; 2]) -> Trajectories<'b> {
        let points = self.offsets[row] as usize..self.offsets[row + 1] as usize;
        *offsets = [0, points.len() as i64];
        let own = row..row + 1;
        Trajectories {
            offsets: &offsets[..],
            lat_deg: &self.lat_deg[points.clone()],
            lon_deg: &self.lon_deg[points.clone()],
            time_s: &self.time_s[points.clone()],
            altitude_tmm: &self.altitude_tmm[points],
            lateral_m: &self.lateral_m[own.clone()],
            vertical_tmm: &self.vertical_tmm[own.clone()],
            window_s: &self.window_s[own.clone()],
            party: &self.party[own.clone()],
            purpose: &self.purpose[own.clone()],
            reference: &self.reference[own.clone()],
            side: &self.side[own],
        }
    }

    /// The time containment of a row that was checked, on a whole millisecond.
    pub fn window_us(&self, row: usize) -> i64 {
        whole_us(self.window_s[row])
    }
}

/// Checks volumes and cuts their outlines.
pub fn regions(
    v: &Volumes<'_>,
    purposes: usize,
    references: usize,
) -> Result<Vec<Region>, InputError> {
    let table = Table { name: "volumes" };
    let points = v.lat_deg.len();
    table.length("lon_deg", v.lon_deg.len(), points)?;
    let ranges = table.ranges(v.offsets, points)?;
    let rows = ranges.len();
    table.length("shape", v.shape.len(), rows)?;
    table.length("reach_m", v.reach_m.len(), rows)?;
    table.length("lower_tmm", v.lower_tmm.len(), rows)?;
    table.length("upper_tmm", v.upper_tmm.len(), rows)?;
    table.length("start_s", v.start_s.len(), rows)?;
    table.length("end_s", v.end_s.len(), rows)?;
    table.length("party", v.party.len(), rows)?;
    table.length("purpose", v.purpose.len(), rows)?;
    table.length("reference", v.reference.len(), rows)?;
    table.length("item", v.item.len(), rows)?;
    table.length("side", v.side.len(), rows)?;
    let mut regions = Vec::with_capacity(rows);
    for (row, (from, to)) in ranges.into_iter().enumerate() {
        let (least, most, reaching) = match v.shape[row] {
            0 => (1, 1, true),
            1 => (2, usize::MAX, true),
            2 => (3, usize::MAX, false),
            other => return Err(table.refuse(row, "shape", format!("{other} is not 0, 1 or 2"))),
        };
        if to - from < least || to - from > most {
            return Err(table.refuse(row, "offsets", format!("{} vertices", to - from)));
        }
        table.within(row, "reach_m", v.reach_m[row], GREATEST_REACH_M)?;
        if !reaching && v.reach_m[row] != 0.0 {
            return Err(table.refuse(row, "reach_m", "a polygon has no reach"));
        }
        table.index(row, "purpose", usize::from(v.purpose[row]), purposes)?;
        table.index(row, "reference", usize::from(v.reference[row]), references)?;
        let (lower_tmm, upper_tmm) = (v.lower_tmm[row], v.upper_tmm[row]);
        if lower_tmm != SURFACE {
            table.altitude(row, "lower_tmm", lower_tmm)?;
        }
        if upper_tmm != UNLIMITED {
            table.altitude(row, "upper_tmm", upper_tmm)?;
        }
        if lower_tmm > upper_tmm {
            return Err(table.refuse(
                row,
                "lower_tmm",
                format!("{lower_tmm} is above {upper_tmm}"),
            ));
        }
        let start_us = table.time(row, "start_s", v.start_s[row])?;
        let end_us = table.time(row, "end_s", v.end_s[row])?;
        if end_us < start_us {
            return Err(table.refuse(row, "end_s", "the end lies before the start"));
        }
        for k in from..to {
            table.position(row, v.lat_deg[k], v.lon_deg[k])?;
        }
        let leg = |a: usize, b: usize| Leg {
            lat0: v.lat_deg[a],
            lon0: v.lon_deg[a],
            lat1: v.lat_deg[b],
            lon1: v.lon_deg[b],
        };
        let (shape, legs): (Shape, Vec<Leg>) = match v.shape[row] {
            0 => (Shape::Capsules, vec![leg(from, from)]),
            1 => (
                Shape::Capsules,
                (from..to - 1).map(|k| leg(k, k + 1)).collect(),
            ),
            _ => (
                Shape::Polygon,
                (from..to)
                    .map(|k| leg(k, if k + 1 < to { k + 1 } else { from }))
                    .collect(),
            ),
        };
        for leg in &legs {
            // A leg that is too long cannot have a straight distance below this.
            let ends = (surface(leg.lat0, leg.lon0), surface(leg.lat1, leg.lon1));
            if (ends.1 - ends.0).norm() > 12_000_000.0 {
                table.leg_length(row, leg)?;
            }
        }
        let extent = Extent {
            reach_m: v.reach_m[row],
            lower_tmm,
            upper_tmm,
            start_us,
            end_us,
            party: v.party[row],
            purpose: v.purpose[row],
            reference: v.reference[row],
            side: v.side[row],
            item: v.item[row],
        };
        let region = Region::new(shape, legs, extent);
        regions.push(region.map_err(|problem| table.refuse(row, "lat_deg", problem))?);
    }
    Ok(regions)
}
