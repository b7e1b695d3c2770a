//! One flight of a GeoJSON text: which members it may have, and what each adds.

use crate::json_about::{About, Property};
use crate::json_features::Features;
use crate::json_scan::Scan;
use crate::json_words::{
    quantity, Words, DISTANCES, DURATIONS, HEIGHTS, HIGHEST_TMM, LOWEST_TMM, TMM_PER_METRE,
};

const E7: f64 = 1e7;
pub const MOST_ASIDE_MM: i64 = 5_000_000_000;
const MOST_WINDOW_MS: i64 = 86_400_000;
/// A leg of so many degrees of latitude and longitude together is surely no half turn of the Earth.
const SURELY_SHORT_DEG: f64 = 170.0;

/// What is read of a flight beside its waypoints. What is not said is 0 or empty.
#[derive(Default)]
pub struct Flight {
    pub about: About,
    pub places: usize,
    pub heights: usize,
    pub times: usize,
    pub altitudes: usize,
    pub reference: u8,
    pub lateral_mm: i64,
    pub vertical_tmm: i64,
    pub window_ms: i64,
    is_feature: bool,
    is_line: bool,
}

/// Steps through one feature, and adds its waypoints as they come.
pub struct Reader<'a, 'f> {
    pub scan: Scan<'a>,
    words: Words<'a>,
    found: &'f mut Features,
    flight: Flight,
}

impl<'a, 'f> Reader<'a, 'f> {
    pub fn new(text: &'a [u8], at: usize, found: &'f mut Features) -> Reader<'a, 'f> {
        Reader {
            scan: Scan { text, at },
            words: Words::default(),
            found,
            flight: Flight::default(),
        }
    }

    /// The flight, or `None` for what is no flight or out of the common.
    pub fn feature(&mut self) -> Option<Flight> {
        let mut seen = 0_u32;
        Scan::object(self, scan, |reader, name| {
            match name {
                b"type" => {
                    once(&mut seen, 0)?;
                    reader.flight.is_feature = reader.scan.word()? == b"Feature";
                }
                b"id" => {
                    once(&mut seen, 1)?;
                    reader.flight.about.read_id(&mut reader.scan)?;
                }
                b"geometry" => {
                    once(&mut seen, 2)?;
                    reader.geometry()?;
                }
                b"properties" => {
                    once(&mut seen, 3)?;
                    reader.properties()?;
                }
                b"bbox" => {
                    once(&mut seen, 4)?;
                    reader.scan.set_aside()?;
                }
                _ => return None,
            }
            Some(())
        })?;
        let whole = seen & 0b1101 == 0b1101 && self.flight.is_feature && self.flight.is_line;
        whole.then(|| std::mem::take(&mut self.flight))
    }

    fn geometry(&mut self) -> Option<()> {
        let mut seen = 0_u32;
        Scan::object(self, scan, |reader, name| {
            match name {
                b"type" => {
                    once(&mut seen, 0)?;
                    reader.flight.is_line = reader.scan.word()? == b"LineString";
                }
                b"coordinates" => {
                    once(&mut seen, 1)?;
                    reader.flight.places = Scan::array(reader, scan, Self::waypoint)?;
                }
                b"bbox" => {
                    once(&mut seen, 2)?;
                    reader.scan.set_aside()?;
                }
                _ => return None,
            }
            Some(())
        })?;
        (seen & 0b11 == 0b11).then_some(())
    }

    fn waypoint(&mut self) -> Option<()> {
        let (lon, lat, height_m) = self.scan.place()?;
        let (lat, lon) = on_grid(lat, lon)?;
        self.found.lat_deg.push(lat);
        self.found.lon_deg.push(lon);
        if let Some(height_m) = height_m {
            let tmm = (height_m * TMM_PER_METRE as f64).round_ties_even();
            let usable = LOWEST_TMM as f64..=HIGHEST_TMM as f64;
            usable.contains(&tmm).then_some(())?;
            self.found.altitude_tmm.push(tmm as i64);
            self.flight.heights += 1;
        }
        Some(())
    }

    fn properties(&mut self) -> Option<()> {
        let mut seen = 0_u32;
        Scan::object(self, scan, |reader, name| {
            let member = match name {
                b"purpose" => 0,
                b"times" => 1,
                b"declaration_id" => 2,
                b"party" => 3,
                b"label" => 4,
                b"altitudes" => 5,
                b"containment" => 6,
                // Of areas: programs that write tables say null here.
                b"radius" => 7,
                b"half_width" => 8,
                b"lower" => 9,
                b"upper" => 10,
                b"start_utc" => 11,
                b"end_utc" => 12,
                b"volumes" => 13,
                _ => return None,
            };
            once(&mut seen, member)?;
            // What is null counts as not said.
            if member > 1 && reader.scan.null() {
                return Some(());
            }
            match member {
                0 => reader.about(Property::Purpose)?,
                1 => {
                    reader.flight.times = Scan::array(reader, scan, |reader| {
                        let at_ms = reader.words.instant_ms(&mut reader.scan)?;
                        reader.found.time_s.push(at_ms as f64 / 1_000.0);
                        Some(())
                    })?;
                }
                2 => reader.about(Property::OwnId)?,
                3 => reader.about(Property::Party)?,
                4 => reader.about(Property::Label)?,
                5 => reader.altitudes()?,
                6 => reader.containment()?,
                _ => return None,
            }
            Some(())
        })?;
        (seen & 0b11 == 0b11).then_some(())
    }

    fn about(&mut self, property: Property) -> Option<()> {
        self.flight.about.read(property, &mut self.scan)
    }

    fn altitudes(&mut self) -> Option<()> {
        let mut first: Option<u8> = None;
        self.flight.altitudes = Scan::array(self, scan, |reader| {
            let (reference, tmm) = reader.words.altitude(&mut reader.scan)?;
            reader.found.altitude_tmm.push(tmm);
            (*first.get_or_insert(reference) == reference).then_some(())
        })?;
        self.flight.reference = first?;
        Some(())
    }

    fn containment(&mut self) -> Option<()> {
        let mut seen = 0_u32;
        Scan::object(self, scan, |reader, name| {
            let (member, units, most) = match name {
                b"lateral" => (0, DISTANCES, MOST_ASIDE_MM),
                b"vertical" => (1, HEIGHTS, HIGHEST_TMM),
                b"time" => (2, DURATIONS, MOST_WINDOW_MS),
                _ => return None,
            };
            once(&mut seen, member)?;
            if reader.scan.null() {
                return Some(());
            }
            let said = quantity(reader.scan.word()?, units)?;
            *match member {
                0 => &mut reader.flight.lateral_mm,
                1 => &mut reader.flight.vertical_tmm,
                _ => &mut reader.flight.window_ms,
            } = said;
            (said <= most).then_some(())
        })
    }
}

fn scan<'r, 'a>(reader: &'r mut Reader<'a, '_>) -> &'r mut Scan<'a> {
    &mut reader.scan
}

/// Latitude and longitude as they are checked: whole 1e-7 degrees, and one spelling of the
/// antimeridian.
pub fn on_grid(lat: f64, lon: f64) -> Option<(f64, f64)> {
    (lat.abs() <= 90.0 && lon.abs() <= 180.0).then_some(())?;
    let grid = |degrees: f64| (degrees * E7).round_ties_even() / E7 + 0.0;
    let lon = grid(lon);
    Some((grid(lat), if lon == 180.0 { -180.0 } else { lon }))
}

pub fn legs_are_short(lat: &[f64], lon: &[f64]) -> bool {
    lat.windows(2).zip(lon.windows(2)).all(|(a, o)| {
        let turn = (o[1] - o[0]).abs();
        (a[1] - a[0]).abs() + turn.min(360.0 - turn) < SURELY_SHORT_DEG
    })
}

/// `None` when this member was said before.
pub fn once(seen: &mut u32, member: u32) -> Option<()> {
    let bit = 1 << member;
    let fresh = *seen & bit == 0;
    *seen |= bit;
    fresh.then_some(())
}
