//! Made-up sets that are as awkward as the kernel accepts: far in time, at the poles, with legs of
//! a microsecond and of months, altitudes at the ends of their range, windows, sides and margins.

mod random;

use deconflict_kernel::error::InputError;
use deconflict_kernel::exact::{Body, Objects, Rules};
use deconflict_kernel::findings::Finding;
use deconflict_kernel::flagged::Flagged;
use deconflict_kernel::geodesic::direct;
use deconflict_kernel::input::{check_tables, regions, Trajectories, Volumes};
use deconflict_kernel::limits::Minima;
use deconflict_kernel::screen::{screen_while, GoesOn, Progress};
use deconflict_kernel::stretch::Stretch;
use deconflict_kernel::stretch::EVER;
use deconflict_kernel::tracks::Tracks;
use deconflict_kernel::vertical::{References, SURFACE, UNLIMITED};

pub use random::Random;

#[derive(Clone, Debug)]
pub struct Flight {
    /// Seconds, latitude, longitude, altitude.
    pub points: Vec<(f64, f64, f64, i64)>,
    pub lateral_m: f64,
    pub vertical_tmm: i64,
    pub window_s: f64,
    pub party: u32,
    pub purpose: u16,
    pub reference: u8,
    pub side: u8,
}

#[derive(Clone, Debug)]
pub struct Volume {
    pub vertices: Vec<(f64, f64)>,
    pub shape: u8,
    pub reach_m: f64,
    pub band_tmm: (i64, i64),
    pub span_s: (f64, f64),
    pub party: u32,
    pub purpose: u16,
    pub reference: u8,
    pub side: u8,
    pub item: u32,
}

#[derive(Clone, Debug)]
pub struct Made {
    pub flights: Vec<Flight>,
    pub volumes: Vec<Volume>,
    pub minima: Minima,
    pub references: References,
}

/// What a set is like; its members vary around it.
struct Kind {
    centre: (f64, f64),
    size_m: f64,
    era_s: f64,
    spread_s: f64,
    altitude_tmm: i64,
    climbs_tmm: f64,
    wild: bool,
    windows: bool,
}

fn kind(random: &mut Random) -> Kind {
    Kind {
        centre: (
            random.one_of(&[0.0, 48.0, -33.0, 90.0, -90.0, 89.999, -89.9, 71.0]),
            random.one_of(&[0.0, 9.0, 180.0, -180.0, 179.9, 359.0, -359.5, 90.0]),
        ),
        size_m: random.one_of(&[1.0, 300.0, 20_000.0, 300_000.0, 3e6, 1.2e7]),
        era_s: random.one_of(&[0.0, 0.0, -9e10, 9e10, 1e9, -1e6]),
        spread_s: random.one_of(&[0.0, 1.0, 600.0, 7_200.0, 1e6, 1e9]),
        altitude_tmm: random.one_of(&[0, 100_000_000, 9_999_000_000, -9_999_000_000]),
        climbs_tmm: random.one_of(&[0.0, 10.0, 3e6, 5e7, 9e9]),
        wild: random.chance(0.3),
        windows: random.chance(0.4),
    }
}

/// A set of up to so many objects.
pub fn made(random: &mut Random, most: usize) -> Made {
    let kind = kind(random);
    let count = random.below(most + 1);
    let volumes = if random.chance(0.5) {
        random.below(1 + count / 2)
    } else {
        0
    };
    let purposes = 1 + random.below(2);
    let references = 1 + random.below(3);
    Made {
        flights: (volumes..count)
            .map(|_| flight(random, &kind, purposes, references))
            .collect(),
        volumes: (0..volumes)
            .map(|_| volume(random, &kind, purposes, references))
            .collect(),
        minima: minima(random, purposes),
        references: compared(random, references),
    }
}

fn minima(random: &mut Random, count: usize) -> Minima {
    let mut made = Minima {
        count,
        lateral_m: vec![0.0; count * count],
        vertical_tmm: vec![0; count * count],
    };
    for a in 0..count {
        for b in 0..=a {
            let lateral_m = random.one_of(&[0.0, 1e-3, 5.0, 50.0, 9_260.0, 9_260.0, 1e5, 1e6]);
            let vertical_tmm = random.one_of(&[
                0,
                1,
                152_400,
                3_048_000,
                3_048_000,
                3_000_000_000,
                10_000_000_000,
            ]);
            for at in [a * count + b, b * count + a] {
                made.lateral_m[at] = lateral_m;
                made.vertical_tmm[at] = vertical_tmm;
            }
        }
    }
    made
}

fn compared(random: &mut Random, count: usize) -> References {
    let mut made = References {
        count,
        ..References::default()
    };
    for _ in 0..count * count {
        let low = random.one_of(&[0, 0, 0, -3_000_000, 5, 9_000_000_000]);
        made.comparable.push(u8::from(random.chance(0.8)));
        made.offset_lo_tmm.push(low);
        made.offset_hi_tmm
            .push(low + random.one_of(&[0, 0, 7, 4_000_000]));
    }
    made
}

fn beside(random: &mut Random, centre: (f64, f64), metres: f64) -> (f64, f64) {
    let (azimuth, far) = (random.between(0.0, 360.0), metres * random.unit());
    let (lat, lon, _) = direct(centre.0, centre.1, azimuth, far).unwrap_or((0.0, 0.0, 0.0));
    // Now and then told the other way round the Earth.
    let lon = if random.chance(0.2) && lon < 0.0 {
        lon + 360.0
    } else {
        lon
    };
    (lat.clamp(-90.0, 90.0), lon)
}

fn flight(random: &mut Random, kind: &Kind, purposes: usize, references: usize) -> Flight {
    let mut time_s: f64 = kind.era_s + (kind.spread_s * random.unit()).round();
    let mut place = beside(random, kind.centre, kind.size_m);
    let mut altitude = kind.altitude_tmm;
    let speed = random.one_of(&[0.0, 10.0, 250.0, 250.0]);
    let usual_s = random.one_of(&[1.0, 30.0, 300.0, 3_600.0]);
    let mut points = Vec::new();
    for _ in 0..2 + random.below(11) {
        points.push((time_s, place.0, place.1, altitude));
        if random.chance(0.1) {
            points.push((time_s, place.0, place.1, altitude));
        }
        let lasts_s: f64 = if kind.wild {
            random.one_of(&[1e-6, 5e-6, 1e-3, 1.0, usual_s, 72_000.0, 1e7])
        } else {
            usual_s
        };
        // Far from zero a microsecond is no longer told.
        let least_s: f64 = if time_s.abs() < 1e9 { 1e-6 } else { 1e-3 };
        time_s = ((time_s + lasts_s.max(least_s)) / least_s).round() * least_s;
        if random.chance(0.9) {
            let far = if kind.wild {
                random.one_of(&[0.0, 1e-3, kind.size_m, 1.5e7, speed * lasts_s])
            } else {
                speed * lasts_s
            };
            place = beside(random, place, far.min(1.9e7));
        }
        if random.chance(0.5) {
            let climb = (kind.climbs_tmm * random.between(-1.0, 1.0)) as i64;
            altitude = (altitude + climb).clamp(-10_000_000_000, 10_000_000_000);
        }
    }
    Flight {
        points,
        lateral_m: random.one_of(&[0.0, 0.0, 0.0, 10.0, 1_000.0, 5e6]),
        vertical_tmm: random.one_of(&[0, 0, 0, 1, 300_000, 10_000_000_000]),
        window_s: if kind.windows {
            random.one_of(&[0.0, 1e-6, 1e-3, 30.0, 900.0, 86_400.0, 1e6])
        } else {
            0.0
        },
        party: random.below(6) as u32,
        purpose: random.below(purposes) as u16,
        reference: random.below(references) as u8,
        side: random.one_of(&[0, 0, 0, 1, 2]),
    }
}

fn volume(random: &mut Random, kind: &Kind, purposes: usize, references: usize) -> Volume {
    let shape = random.below(3) as u8;
    let middle = beside(random, kind.centre, kind.size_m);
    let size_m = (kind.size_m * random.one_of(&[0.1, 1.0])).min(3e6);
    let vertices = match shape {
        0 => vec![middle],
        1 => (0..2 + random.below(4))
            .map(|_| beside(random, middle, size_m))
            .collect(),
        _ => {
            let corners = 3 + random.below(5);
            (0..corners)
                .map(|k| {
                    let azimuth = 360.0 * (k as f64 + 0.8 * random.unit()) / corners as f64;
                    let far = size_m * random.between(0.2, 1.0);
                    let (lat, lon, _) = direct(middle.0, middle.1, azimuth, far).unwrap();
                    (lat, lon)
                })
                .collect()
        }
    };
    let lower = kind.altitude_tmm + (kind.climbs_tmm * random.between(-1.0, 1.0)) as i64;
    let lower = lower.clamp(-10_000_000_000, 10_000_000_000);
    let higher = (kind.climbs_tmm * random.unit()) as i64;
    let start_s = (kind.era_s + kind.spread_s * random.unit()).round();
    let lasts_s = random.one_of(&[0.0, 1.0, 3_600.0, 1e7, 1e9]);
    Volume {
        vertices,
        shape,
        reach_m: match shape {
            2 => 0.0,
            _ => random.one_of(&[0.0, 1.0, 500.0, 50_000.0, 5e6]),
        },
        band_tmm: (
            if random.chance(0.2) { SURFACE } else { lower },
            if random.chance(0.2) {
                UNLIMITED
            } else {
                (lower + higher).min(10_000_000_000)
            },
        ),
        span_s: (start_s, (start_s + lasts_s).min(1e11)),
        party: random.below(6) as u32,
        purpose: random.below(purposes) as u16,
        reference: random.below(references) as u8,
        side: random.one_of(&[0, 0, 0, 1, 2]),
        item: random.one_of(&[0, 1, 2, 3, u32::MAX]),
    }
}

/// The columns of a set.
#[derive(Default)]
struct Columns {
    offsets: Vec<i64>,
    lat_deg: Vec<f64>,
    lon_deg: Vec<f64>,
    time_s: Vec<f64>,
    altitude_tmm: Vec<i64>,
    first_f64: Vec<f64>,
    second_f64: Vec<f64>,
    third_f64: Vec<f64>,
    first_i64: Vec<i64>,
    second_i64: Vec<i64>,
    party: Vec<u32>,
    item: Vec<u32>,
    purpose: Vec<u16>,
    reference: Vec<u8>,
    side: Vec<u8>,
    shape: Vec<u8>,
}

impl Columns {
    fn of_flights(flights: &[Flight]) -> Columns {
        let mut c = Columns {
            offsets: vec![0],
            ..Columns::default()
        };
        for f in flights {
            for &(time_s, lat, lon, altitude) in &f.points {
                c.time_s.push(time_s);
                c.lat_deg.push(lat);
                c.lon_deg.push(lon);
                c.altitude_tmm.push(altitude);
            }
            c.offsets.push(c.lat_deg.len() as i64);
            c.first_f64.push(f.lateral_m);
            c.first_i64.push(f.vertical_tmm);
            c.second_f64.push(f.window_s);
            c.party.push(f.party);
            c.purpose.push(f.purpose);
            c.reference.push(f.reference);
            c.side.push(f.side);
        }
        c
    }

    fn of_volumes(volumes: &[Volume]) -> Columns {
        let mut c = Columns {
            offsets: vec![0],
            ..Columns::default()
        };
        for v in volumes {
            for &(lat, lon) in &v.vertices {
                c.lat_deg.push(lat);
                c.lon_deg.push(lon);
            }
            c.offsets.push(c.lat_deg.len() as i64);
            c.shape.push(v.shape);
            c.first_f64.push(v.reach_m);
            c.first_i64.push(v.band_tmm.0);
            c.second_i64.push(v.band_tmm.1);
            c.second_f64.push(v.span_s.0);
            c.third_f64.push(v.span_s.1);
            c.party.push(v.party);
            c.item.push(v.item);
            c.purpose.push(v.purpose);
            c.reference.push(v.reference);
            c.side.push(v.side);
        }
        c
    }

    fn trajectories(&self) -> Trajectories<'_> {
        Trajectories {
            offsets: &self.offsets,
            lat_deg: &self.lat_deg,
            lon_deg: &self.lon_deg,
            time_s: &self.time_s,
            altitude_tmm: &self.altitude_tmm,
            lateral_m: &self.first_f64,
            vertical_tmm: &self.first_i64,
            window_s: &self.second_f64,
            party: &self.party,
            purpose: &self.purpose,
            reference: &self.reference,
            side: &self.side,
        }
    }

    fn outlines(&self) -> Volumes<'_> {
        Volumes {
            offsets: &self.offsets,
            lat_deg: &self.lat_deg,
            lon_deg: &self.lon_deg,
            shape: &self.shape,
            reach_m: &self.first_f64,
            lower_tmm: &self.first_i64,
            upper_tmm: &self.second_i64,
            start_s: &self.second_f64,
            end_s: &self.third_f64,
            party: &self.party,
            purpose: &self.purpose,
            reference: &self.reference,
            item: &self.item,
            side: &self.side,
        }
    }
}

impl Made {
    pub fn screened(&self, threads: usize) -> Result<Vec<Finding>, InputError> {
        let found = self.screened_while(threads, &|| true)?;
        Ok(found.expect("nothing ended it"))
    }

    pub fn screened_while(
        &self,
        threads: usize,
        goes_on: GoesOn<'_>,
    ) -> Result<Option<Vec<Finding>>, InputError> {
        let flights = Columns::of_flights(&self.flights);
        let volumes = Columns::of_volumes(&self.volumes);
        screen_while(
            &flights.trajectories(),
            &volumes.outlines(),
            self.minima.clone(),
            self.references.clone(),
            threads,
            &Progress::default(),
            goes_on,
        )
    }

    /// Every pair of objects and all their pieces held against one another, nothing left out
    /// beforehand: what `screen` has to find.
    pub fn without_filter(&self) -> Result<Vec<Finding>, InputError> {
        let flights = Columns::of_flights(&self.flights);
        let volumes = Columns::of_volumes(&self.volumes);
        check_tables(&self.minima, &self.references)?;
        let (purposes, references) = (self.minima.count, self.references.count);
        let objects = Objects {
            tracks: Tracks::new(&flights.trajectories(), purposes, references, 1)?,
            regions: regions(&volumes.outlines(), purposes, references)?,
            rules: Rules {
                minima: self.minima.clone(),
                references: self.references.clone(),
            },
        };
        let sides = flights.side.iter().chain(&volumes.side);
        let parties = flights.party.iter().chain(&volumes.party);
        let own: Vec<(u8, u32)> = sides.copied().zip(parties.copied()).collect();
        let (mut flagged, mut pairs, mut some) = (Flagged::default(), Vec::new(), Vec::new());
        for j in 0..own.len() {
            for i in 0..j {
                let (a, b) = (own[i], own[j]);
                if a.1 != b.1 && (a.0 != b.0 || a.0 == 0) {
                    let (a, b) = (whole(i), whole(j));
                    objects.exact([&a, &b], 1 << 40, EVER, &mut some, &mut flagged, &mut pairs);
                }
            }
        }
        let mut found: Vec<Finding> = Flagged::joined([flagged])
            .iter()
            .filter_map(|found| {
                let (x, y) = (objects.body(found.i), objects.body(found.j));
                objects.rules.finding(found, &x, &y)
            })
            .collect();
        found.extend(
            pairs
                .iter()
                .filter_map(|&(i, j)| match (objects.body(i), objects.body(j)) {
                    (Body::Volume(x), Body::Volume(y)) => objects.rules.overlap((i, x), (j, y)),
                    _ => None,
                }),
        );
        found.sort_by(Finding::order);
        Ok(found)
    }

    /// Two objects of the set and nothing else.
    pub fn pair(&self, i: usize, j: usize) -> Made {
        let count = self.flights.len();
        let wanted = [i, j];
        let flights = wanted.iter().filter(|k| **k < count);
        let volumes = wanted.iter().filter(|k| **k >= count);
        Made {
            flights: flights.map(|&k| self.flights[k].clone()).collect(),
            volumes: volumes.map(|&k| self.volumes[k - count].clone()).collect(),
            minima: self.minima.clone(),
            references: self.references.clone(),
        }
    }

    pub fn len(&self) -> usize {
        self.flights.len() + self.volumes.len()
    }
}

/// All pieces of an object, as the exact check is given them.
fn whole(object: usize) -> Stretch {
    Stretch {
        place: [0; 3],
        velocity: [0.0; 3],
        at: 0,
        from: 0,
        to: 0,
        reach: 0.0,
        climb: [0; 2],
        off_climb: 0,
        object: object as u32,
        first: 0,
        party: 0,
    }
}
