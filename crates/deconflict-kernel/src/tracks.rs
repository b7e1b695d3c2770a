//! All trajectories of a set, checked row by row and made ready in columns: what [`crate::track`]
//! looks at.

use std::borrow::Cow;
use std::ops::Range;

use crate::bounds;
use crate::ellipsoid::surfaces;
use crate::error::InputError;
use crate::input::{Table, Trajectories, LONGEST_LEG_US};
use crate::leg::Leg;
use crate::order::Digest;
use crate::pages::zeros;
use crate::prefetch::soon;
use crate::stretch::Stretch;
use crate::track::Track;
use crate::vec3::Vec3;
use crate::vertical::GREATEST_TMM;
use crate::width::at_any_width;
use deconflict_parts::each_in_parts;

/// Rows that a thread makes ready at a time.
const ROWS_AT_ONCE: usize = 512;
/// Chords up to this are surely of legs that need no cut: [`bounds::arc`] of it is less than the
/// longest piece.
const UNCUT_CHORD_M: f64 = bounds::LONGEST_PIECE_M * (1.0 - 1e-5);

/// Where the legs of one trajectory are cut.
#[derive(Clone)]
struct Cut {
    vertex_us: Vec<i64>,
    places: Vec<Vec3>,
    legs: Vec<u32>,
}

/// What a trajectory is apart from its waypoints, in one place of memory.
#[derive(Clone, Copy)]
struct Row {
    /// Its waypoints: from here to where the next row's begin.
    first: usize,
    lateral_m: f64,
    vertical_tmm: i64,
    window_us: i64,
    span_us: (i64, i64),
    party: u32,
    /// Its place among the cuts; `UNCUT` if no leg was cut.
    cut: u32,
    purpose: u16,
    reference: u8,
    side: u8,
}

const UNCUT: u32 = u32::MAX;

pub struct Tracks<'a> {
    rows: Vec<Row>,
    lat_deg: Cow<'a, [f64]>,
    lon_deg: Cow<'a, [f64]>,
    altitude_tmm: Cow<'a, [i64]>,
    times_us: Vec<i64>,
    places: Vec<Vec3>,
    cuts: Vec<Cut>,
    digests: Vec<Digest>,
}

/// What one thread works on: some rows, and their part of the columns.
struct Part<'b> {
    rows: Range<usize>,
    times_us: &'b mut [i64],
    places: &'b mut [Vec3],
    /// A waypoint said twice: it is left out later.
    doubled: bool,
    cuts: Vec<(usize, Cut)>,
    refusal: Option<InputError>,
}

impl<'a> Tracks<'a> {
    /// Checks every row, then cuts legs at geodesic points and whole microseconds.
    ///
    /// Errors name the first row that cannot be used, whatever the number of threads.
    pub fn new(
        table: &Trajectories<'a>,
        purposes: usize,
        references: usize,
        threads: usize,
    ) -> Result<Tracks<'a>, InputError> {
        let first = table.checked_rows(purposes, references)?;
        let count = first.len() - 1;
        let mut times_us = zeros::<i64>(table.lat_deg.len());
        let mut places = zeros::<Vec3>(table.lat_deg.len());
        let mut parts = Vec::with_capacity(count.div_ceil(ROWS_AT_ONCE));
        let (mut times_left, mut places_left) = (&mut times_us[..], &mut places[..]);
        for from in (0..count).step_by(ROWS_AT_ONCE) {
            let own = from..(from + ROWS_AT_ONCE).min(count);
            let points = first[own.end] - first[own.start];
            let (own_times, later_times) = times_left.split_at_mut(points);
            let (own_places, later_places) = places_left.split_at_mut(points);
            (times_left, places_left) = (later_times, later_places);
            parts.push(Part {
                rows: own,
                times_us: own_times,
                places: own_places,
                doubled: false,
                cuts: Vec::new(),
                refusal: None,
            });
        }
        each_in_parts(&mut parts, threads, |part| {
            part.refusal = prepare(table, &first, part).err();
        });
        let doubled = parts.iter().any(|part| part.doubled);
        let mut cut_rows = Vec::new();
        for part in parts {
            if let Some(refusal) = part.refusal {
                return Err(refusal);
            }
            cut_rows.push(part.cuts);
        }
        let mut rows: Vec<Row> = (0..count)
            .map(|row| Row {
                first: first[row],
                span_us: (times_us[first[row]], times_us[first[row + 1] - 1]),
                lateral_m: table.lateral_m[row],
                vertical_tmm: table.vertical_tmm[row],
                window_us: table.window_us(row),
                party: table.party[row],
                cut: UNCUT,
                purpose: table.purpose[row],
                reference: table.reference[row],
                side: table.side[row],
            })
            .collect();
        let mut cuts = Vec::new();
        for part_cuts in cut_rows {
            for (row, cut) in part_cuts {
                rows[row].cut = cuts.len() as u32;
                cuts.push(cut);
            }
        }
        let mut tracks = Tracks {
            rows,
            lat_deg: Cow::Borrowed(table.lat_deg),
            lon_deg: Cow::Borrowed(table.lon_deg),
            altitude_tmm: Cow::Borrowed(table.altitude_tmm),
            times_us,
            places,
            cuts,
            digests: vec![Digest::default(); count],
        };
        if doubled {
            tracks.leave_out_doubled();
        }
        Ok(tracks)
    }

    /// One row as a set of its own, that borrows nothing.
    pub fn one(&self, row: usize) -> Tracks<'static> {
        let own = self.waypoints(row);
        let cut = self.cuts.get(self.rows[row].cut as usize);
        Tracks {
            rows: vec![Row {
                first: 0,
                cut: if cut.is_some() { 0 } else { UNCUT },
                ..self.rows[row]
            }],
            lat_deg: Cow::Owned(self.lat_deg[own.clone()].to_vec()),
            lon_deg: Cow::Owned(self.lon_deg[own.clone()].to_vec()),
            altitude_tmm: Cow::Owned(self.altitude_tmm[own.clone()].to_vec()),
            times_us: self.times_us[own.clone()].to_vec(),
            places: self.places[own].to_vec(),
            cuts: cut.cloned().into_iter().collect(),
            digests: vec![self.digests[row].clone()],
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Asks for what a row is; volumes have none.
    #[inline]
    pub fn row_soon(&self, object: u32) {
        soon(&self.rows, object as usize);
    }

    /// Asks for the pieces of a stretch.
    #[inline]
    pub fn pieces_soon(&self, stretch: &Stretch) {
        if let Some(row) = self.rows.get(stretch.object as usize) {
            let first = row.first + stretch.first as usize;
            soon(&self.times_us, first);
            soon(&self.altitude_tmm, first);
            soon(&self.places, first);
            soon(&self.places, first + 3);
        }
    }

    /// First and last instant of a row, its window not counted.
    #[inline]
    pub fn span_us(&self, row: usize) -> (i64, i64) {
        self.rows[row].span_us
    }

    /// How early or late a row may be.
    pub fn window_us(&self, row: usize) -> i64 {
        self.rows[row].window_us
    }

    /// What the altitudes of a row are told from.
    pub fn reference(&self, row: usize) -> u8 {
        self.rows[row].reference
    }

    /// The side of a row.
    pub fn side(&self, row: usize) -> u8 {
        self.rows[row].side
    }

    fn waypoints(&self, row: usize) -> Range<usize> {
        let end = self
            .rows
            .get(row + 1)
            .map_or(self.times_us.len(), |next| next.first);
        self.rows[row].first..end
    }

    #[inline]
    pub fn get(&self, row: usize) -> Track<'_> {
        let own = self.waypoints(row);
        let digest = &self.digests[row];
        let row = &self.rows[row];
        let times_us = &self.times_us[own.clone()];
        let mut track = Track {
            span_us: row.span_us,
            times_us,
            lat_deg: &self.lat_deg[own.clone()],
            lon_deg: &self.lon_deg[own.clone()],
            altitudes_tmm: &self.altitude_tmm[own.clone()],
            vertex_us: times_us,
            places: &self.places[own],
            legs: &[],
            digest,
            lateral_m: row.lateral_m,
            vertical_tmm: row.vertical_tmm,
            window_us: row.window_us,
            party: row.party,
            purpose: row.purpose,
            reference: row.reference,
            side: row.side,
        };
        if let Some(cut) = self.cuts.get(row.cut as usize) {
            track.vertex_us = &cut.vertex_us;
            track.places = &cut.places;
            track.legs = &cut.legs;
        }
        track
    }

    /// Rows that say a waypoint twice are rare: the columns are copied without it.
    fn leave_out_doubled(&mut self) {
        let mut kept = Vec::with_capacity(self.times_us.len());
        for row in 0..self.len() {
            let own = self.waypoints(row);
            let times = &self.times_us;
            self.rows[row].first = kept.len();
            kept.extend(
                own.clone()
                    .filter(|&k| k == own.start || times[k] != times[k - 1]),
            );
        }
        self.lat_deg = kept.iter().map(|&k| self.lat_deg[k]).collect();
        self.lon_deg = kept.iter().map(|&k| self.lon_deg[k]).collect();
        self.altitude_tmm = kept.iter().map(|&k| self.altitude_tmm[k]).collect();
        self.times_us = kept.iter().map(|&k| self.times_us[k]).collect();
        self.places = kept.iter().map(|&k| self.places[k]).collect();
    }
}

fn prepare(
    rows: &Trajectories<'_>,
    first: &[usize],
    part: &mut Part<'_>,
) -> Result<(), InputError> {
    let table = Table::TRAJECTORIES;
    let start = first[part.rows.start];
    for row in part.rows.clone() {
        let own = first[row]..first[row + 1];
        let local = own.start - start..own.end - start;
        let (lat, lon) = (&rows.lat_deg[own.clone()], &rows.lon_deg[own.clone()]);
        let time_s = &rows.time_s[own.clone()];
        let altitude = &rows.altitude_tmm[own];
        let times_us = &mut part.times_us[local.clone()];
        // Nearly every row is sound at a quick look; a slow one finds what is wrong with another.
        if !whole_times(time_s, times_us) || !sound(lat, lon, altitude) {
            for k in 0..lat.len() {
                table.position(row, lat[k], lon[k])?;
                table.altitude(row, "altitude_tmm", altitude[k])?;
                times_us[k] = table.time(row, "time_s", time_s[k])?;
            }
        }
        let places = &mut part.places[local];
        surfaces(lat, lon, places);
        let lasting = times_us.windows(2).map(|leg| leg[1] - leg[0]);
        let (least, most) = lasting.fold((i64::MAX, 0), |(a, b), t| (a.min(t), b.max(t)));
        if least <= 0 || most > LONGEST_LEG_US || times_us.len() < 2 {
            part.doubled |= check_times(row, lat, lon, time_s, altitude, times_us)?;
        }
        let steps = places.windows(2).map(|leg| (leg[1] - leg[0]).norm2());
        let longest2 = steps.fold(0.0, f64::max);
        if longest2 > UNCUT_CHORD_M * UNCUT_CHORD_M {
            let cut = cut(row, lat, lon, times_us, places)?;
            part.cuts.push((row, cut));
        }
    }
    Ok(())
}

/// Are all of a row within the limits of `Table::position` and `Table::altitude`?
fn sound(lat: &[f64], lon: &[f64], altitude: &[i64]) -> bool {
    let lat = lat.iter().fold(true, |all, x| all & (x.abs() <= 90.0));
    let lon = lon.iter().fold(true, |all, x| all & (x.abs() <= 360.0));
    let within = -GREATEST_TMM..=GREATEST_TMM;
    lat & lon
        & altitude
            .iter()
            .fold(true, |all, h| all & within.contains(h))
}

/// Is this every leg's time in order? Says whether a waypoint is said twice.
fn check_times(
    row: usize,
    lat: &[f64],
    lon: &[f64],
    time_s: &[f64],
    altitude: &[i64],
    times_us: &[i64],
) -> Result<bool, InputError> {
    let table = Table::TRAJECTORIES;
    let (mut legs, mut doubled) = (0, false);
    for k in 1..times_us.len() {
        let (then, at) = (times_us[k - 1], times_us[k]);
        let same = lat[k] == lat[k - 1] && lon[k] == lon[k - 1];
        if at == then && same && altitude[k] == altitude[k - 1] {
            doubled = true;
            continue;
        }
        if at <= then {
            let problem = format!("{} s does not come after the waypoint before", time_s[k]);
            return Err(table.refuse(row, "time_s", problem));
        }
        if at - then > LONGEST_LEG_US {
            return Err(table.refuse(row, "time_s", "a leg lasts longer than 115 days"));
        }
        legs += 1;
    }
    if legs == 0 {
        return Err(table.refuse(row, "offsets", "a trajectory needs two waypoints or more"));
    }
    Ok(doubled)
}

at_any_width! {
    /// Fills in times that are surely usable as whole microseconds; false where one is not, or
    /// halfway between two.
    fn whole_times(time_s: &[f64], times_us: &mut [i64]) -> bool {
        // Adding and taking away this rounds to a whole number, ties to even.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        const SURELY_S: f64 = 2e9;
        let mut all = true;
        for (t, us) in time_s.iter().zip(times_us) {
            let exact = t * 1e6;
            let shifted = exact + WHOLE;
            let whole = shifted - WHOLE;
            all &= (t.abs() <= SURELY_S) & ((exact - whole).abs() < 0.5);
*us = (shifted.to_bits() as i64).wrapping_sub(WHOLE.to_bits() as i64);
        }
        all
    }
}

/// Cuts the legs of one row so that no piece is longer than [`bounds::LONGEST_PIECE_M`]; of a
/// waypoint said twice the second is left out.
fn cut(
    row: usize,
    lat: &[f64],
    lon: &[f64],
    times_us: &[i64],
    places: &[Vec3],
) -> Result<Cut, InputError> {
    let mut made = Cut {
        vertex_us: vec![times_us[0]],
        places: vec![places[0]],
        legs: Vec::new(),
    };
    let mut index = 0_u32;
    for k in 1..times_us.len() {
        let (t0, t1) = (times_us[k - 1], times_us[k]);
        if t0 == t1 {
            continue;
        }
        let straight = (places[k] - places[k - 1]).norm();
        if straight > UNCUT_CHORD_M {
            let leg = Leg {
                lat0: lat[k - 1],
                lon0: lon[k - 1],
                lat1: lat[k],
                lon1: lon[k],
            };
            let length = Table::TRAJECTORIES.leg_length(row, &leg)?;
            let parts =
                ((length / bounds::LONGEST_PIECE_M).ceil() as i64).clamp(1, (t1 - t0).max(1));
            for part in 1..parts {
                // Whole microseconds first, then the place at exactly that instant.
                let at = t0 + (i128::from(t1 - t0) * i128::from(part) / i128::from(parts)) as i64;
                let fraction = (at - t0) as f64 / (t1 - t0) as f64;
                made.vertex_us.push(at);
                made.places.push(leg.place(fraction));
                made.legs.push(index);
            }
        }
        made.vertex_us.push(t1);
        made.places.push(places[k]);
        made.legs.push(index);
        index += 1;
    }
    Ok(made)
}
