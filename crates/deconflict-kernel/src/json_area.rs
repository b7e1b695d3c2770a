//! One area of a GeoJSON text: a circle, a corridor or a polygon with its altitudes and times.

use crate::json_about::{About, Property};
use crate::json_flight::{legs_are_short, on_grid, once, MOST_ASIDE_MM};
use crate::json_ring::is_surely_simple;
use crate::json_scan::{Scan, Spot};
use crate::json_words::{quantity, Limit, Words, DISTANCES};

const MOST_PLACES: usize = 10_000;
const ABOVE_SEA: u8 = 1;
const HIGHEST_DEG: f64 = 90.0;

/// Areas that were read, as columns: those of `deconflict.separation.volumes`.
#[derive(Debug, Default)]
pub struct Areas {
    /// Area `k` owns places `offsets[k]..offsets[k + 1]`.
    pub offsets: Vec<i64>,
    pub lat_deg: Vec<f64>,
    pub lon_deg: Vec<f64>,
    pub shape: Vec<u8>,
    pub reach_m: Vec<f64>,
    pub lower_tmm: Vec<i64>,
    pub upper_tmm: Vec<i64>,
    pub start_s: Vec<f64>,
    pub end_s: Vec<f64>,
    pub reference: Vec<u8>,
    pub about: Vec<About>,
    /// Place of each area among all features of this part.
    pub place: Vec<i64>,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Circle,
    Corridor,
    Polygon,
}

#[derive(Default)]
struct Area {
    about: About,
    shape: Option<Shape>,
    radius_mm: Option<i64>,
    half_width_mm: Option<i64>,
    lower: Option<Limit>,
    upper: Option<Limit>,
    start_ms: i64,
    end_ms: i64,
    is_feature: bool,
}

/// Steps through one feature, and adds its places as they come.
pub struct Reader<'a, 'f> {
    pub scan: Scan<'a>,
    words: Words<'a>,
    found: &'f mut Areas,
    area: Area,
}

impl<'a, 'f> Reader<'a, 'f> {
    pub fn new(text: &'a [u8], at: usize, found: &'f mut Areas) -> Reader<'a, 'f> {
        Reader {
            scan: Scan { text, at },
            words: Words::default(),
            found,
            area: Area::default(),
        }
    }

    /// Adds the area, or leaves what is none or out of the common, and then adds nothing.
    pub fn read(&mut self, place: i64) -> Option<()> {
        let before = self.found.lat_deg.len();
        let kept = self.feature().and_then(|()| self.keep(before, place));
        if kept.is_none() {
            self.found.lat_deg.truncate(before);
            self.found.lon_deg.truncate(before);
        }
        kept
    }

    fn feature(&mut self) -> Option<()> {
        let mut seen = 0_u32;
        Scan::object(self, scan, |reader, name| {
            match name {
                b"type" => {
                    once(&mut seen, 0)?;
                    reader.area.is_feature = reader.scan.word()? == b"Feature";
                }
                b"id" => {
                    once(&mut seen, 1)?;
                    reader.area.about.read_id(&mut reader.scan)?;
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
        (seen & 0b1101 == 0b1101 && self.area.is_feature).then_some(())
    }

    fn geometry(&mut self) -> Option<()> {
        let mut seen = 0_u32;
        let mut places: Spot = (0, 0);
        Scan::object(self, scan, |reader, name| {
            match name {
                b"type" => {
                    once(&mut seen, 0)?;
                    reader.area.shape = Some(match reader.scan.word()? {
                        b"Point" => Shape::Circle,
                        b"LineString" => Shape::Corridor,
                        b"Polygon" => Shape::Polygon,
                        _ => return None,
                    });
                }
                b"coordinates" => {
                    once(&mut seen, 1)?;
                    places = reader.scan.array_of_numbers()?;
                }
                b"bbox" => {
                    once(&mut seen, 2)?;
                    reader.scan.set_aside()?;
                }
                _ => return None,
            }
            Some(())
        })?;
        (seen & 0b11 == 0b11).then_some(())?;
        // Only now is known what they are, whatever was said first.
        let end = std::mem::replace(&mut self.scan.at, places.0);
        match self.area.shape? {
            Shape::Circle => self.place()?,
            Shape::Corridor => {
                Scan::array(self, scan, Self::place)?;
            }
            Shape::Polygon => {
                let rings = Scan::array(self, scan, |reader| {
                    Scan::array(reader, scan, Self::place).map(|_| ())
                })?;
                (rings == 1).then_some(())?;
            }
        }
        let whole = std::mem::replace(&mut self.scan.at, end) == places.1;
        whole.then_some(())
    }

    fn place(&mut self) -> Option<()> {
        let (lon, lat, height) = self.scan.place()?;
        let (lat, lon) = on_grid(lat, lon)?;
        height.is_none().then_some(())?;
        self.found.lat_deg.push(lat);
        self.found.lon_deg.push(lon);
        Some(())
    }

    fn properties(&mut self) -> Option<()> {
        let mut seen = 0_u32;
        Scan::object(self, scan, |reader, name| {
            let member = match name {
                b"purpose" => 0,
                b"lower" => 1,
                b"upper" => 2,
                b"start_utc" => 3,
                b"end_utc" => 4,
                b"declaration_id" => 5,
                b"party" => 6,
                b"label" => 7,
                b"radius" => 8,
                b"half_width" => 9,
                // Of other features: programs that write tables say null here.
                b"times" => 10,
                b"altitudes" => 11,
                b"containment" => 12,
                b"volumes" => 13,
                _ => return None,
            };
            once(&mut seen, member)?;
            if member > 4 && reader.scan.null() {
                return Some(());
            }
            let (scan, area, words) = (&mut reader.scan, &mut reader.area, &mut reader.words);
            match member {
                0 => area.about.read(Property::Purpose, scan)?,
                1 => area.lower = Some(words.limit(scan)?),
                2 => area.upper = Some(words.limit(scan)?),
                3 => area.start_ms = words.instant_ms(scan)?,
                4 => area.end_ms = words.instant_ms(scan)?,
                5 => area.about.read(Property::OwnId, scan)?,
                6 => area.about.read(Property::Party, scan)?,
                7 => area.about.read(Property::Label, scan)?,
                8 => area.radius_mm = Some(quantity(scan.word()?, DISTANCES)?),
                9 => area.half_width_mm = Some(quantity(scan.word()?, DISTANCES)?),
                _ => return None,
            }
            Some(())
        })?;
        (seen & 0b1_1111 == 0b1_1111).then_some(())
    }

    /// Takes the area whose places lie from `before` on, if it is sound.
    fn keep(&mut self, before: usize, place: i64) -> Option<()> {
        let area = std::mem::take(&mut self.area);
        let found = &mut *self.found;
        let shape = area.shape?;
        let reach_mm = match (shape, area.radius_mm, area.half_width_mm) {
            (Shape::Circle, Some(reach), None) | (Shape::Corridor, None, Some(reach)) => reach,
            (Shape::Polygon, None, None) => 0,
            _ => return None,
        };
        let (reference, lower_tmm, upper_tmm) = band(area.lower?, area.upper?)?;
        (area.start_ms < area.end_ms).then_some(())?;
        let (lat, lon) = (&found.lat_deg[before..], &found.lon_deg[before..]);
        let sound = match shape {
            Shape::Circle => (1..=MOST_ASIDE_MM).contains(&reach_mm),
            Shape::Corridor => {
                (1..=MOST_ASIDE_MM).contains(&reach_mm)
                    && (2..=MOST_PLACES).contains(&lat.len())
                    && all_differ(lat, lon)
                    && legs_are_short(lat, lon)
            }
            Shape::Polygon => {
                let last = lat.len().checked_sub(1)?;
                lat[0] == lat[last]
                    && lon[0] == lon[last]
                    && is_surely_simple(&lat[..last], &lon[..last])
            }
        };
        sound.then_some(())?;
        if shape == Shape::Polygon {
            found.lat_deg.pop();
            found.lon_deg.pop();
        }
        found.offsets.push(i64::try_from(found.lat_deg.len()).ok()?);
        found.shape.push(shape as u8);
        found.reach_m.push(reach_mm as f64 / 1_000.0);
        found.lower_tmm.push(lower_tmm);
        found.upper_tmm.push(upper_tmm);
        found.start_s.push(area.start_ms as f64 / 1_000.0);
        found.end_s.push(area.end_ms as f64 / 1_000.0);
        found.reference.push(reference);
        found.about.push(area.about);
        found.place.push(place);
        Some(())
    }
}

fn scan<'r, 'a>(reader: &'r mut Reader<'a, '_>) -> &'r mut Scan<'a> {
    &mut reader.scan
}

/// What both limits are measured from, floor and ceiling; open ones are the ends of `i64`. From the
/// surface to unlimited is every altitude, and is kept as above the sea.
fn band(lower: Limit, upper: Limit) -> Option<(u8, i64, i64)> {
    match (lower, upper) {
        (Limit::Surface, Limit::Unlimited) => Some((ABOVE_SEA, i64::MIN, i64::MAX)),
        (Limit::Surface, Limit::At(reference, tmm)) => Some((reference, i64::MIN, tmm)),
        (Limit::At(reference, tmm), Limit::Unlimited) => Some((reference, tmm, i64::MAX)),
        (Limit::At(one, low), Limit::At(other, high)) => {
            (one == other && low <= high).then_some((one, low, high))
        }
        _ => None,
    }
}

/// No place is that of the one before; at a pole longitude says nothing.
fn all_differ(lat: &[f64], lon: &[f64]) -> bool {
    lat.windows(2)
        .zip(lon.windows(2))
        .all(|(a, o)| a[0] != a[1] || (o[0] != o[1] && a[0].abs() != HIGHEST_DEG))
}
