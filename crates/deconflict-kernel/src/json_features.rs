//! GeoJSON read in parts: where each feature ends, and the flights of which nothing is in doubt.
//!
//! `deconflict.formats` says what a declared feature is, and why another is refused. Here is a
//! quick reader for flights as they are written by the million. It reads one exactly as the other
//! does, or leaves it: what is out of the common in any way is handed over whole, and the other
//! decides.

const MOST_WAYPOINTS: usize = 10_000;
const TMM_PER_FOOT: i64 = 3_048;
const TMM_PER_METRE: i64 = 10_000;
const FEET_PER_LEVEL: i64 = 100;
const LOWEST_TMM: i64 = -100_000_000;
const HIGHEST_TMM: i64 = 1_000_000_000;
const E7: f64 = 1e7;
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

type Units = &'static [(&'static str, i64)];
const DISTANCES: Units = &[("m", 1_000), ("km", 1_000_000), ("NM", 1_852_000)];
const HEIGHTS: Units = &[("ft", TMM_PER_FOOT), ("m", TMM_PER_METRE)];
const DURATIONS: Units = &[("s", 1_000), ("min", 60_000), ("h", 3_600_000)];

/// What an altitude is measured from, in the order of `AltitudeReference`.
const REFERENCES: [&str; 4] = ["W84", "AMSL", "FL", "AGL"];
const FLIGHT_LEVEL: u8 = 2;

/// Flights that were read, as columns, and the rest as stretches of the text.
#[derive(Debug, Default)]
pub struct Features {
    /// Flight `k` owns waypoints `offsets[k]..offsets[k + 1]`.
    pub offsets: Vec<i64>,
    pub lat_deg: Vec<f64>,
    pub lon_deg: Vec<f64>,
    pub time_s: Vec<f64>,
    pub altitude_tmm: Vec<i64>,
    pub reference: Vec<u8>,
    pub lateral_m: Vec<f64>,
    pub vertical_tmm: Vec<i64>,
    pub window_s: Vec<f64>,
    /// Place of each flight among all features of this part.
    pub place: Vec<i64>,
    /// Where the name, the party and the label of each flight stand, quotes left out; empty where
    /// nothing is said.
    pub id: Vec<(usize, usize)>,
    pub party: Vec<(usize, usize)>,
    pub label: Vec<(usize, usize)>,
    /// Place, start and end of each feature that somebody else has to read.
    pub left: Vec<(i64, usize, usize)>,
    /// Number of features, read and left.
    pub count: i64,
    /// Number of commas between them.
    pub commas: i64,
    /// How far the text is used up: the next part begins there.
    pub used: usize,
    /// True when the array of features ended, or the text holds something between features that
    /// does not belong there, at `used`.
    pub ended: bool,
}

/// Reads features from the text, which begins where one may: before it, or at a comma or line
/// break between two. A feature that the text does not hold whole is left to the next part.
pub fn read(text: &[u8]) -> Features {
    let mut found = Features {
        offsets: vec![0],
        ..Features::default()
    };
    let mut at = 0;
    loop {
        while at < text.len() && matches!(text[at], b' ' | b'\t' | b'\r' | b'\n' | b',') {
            found.commas += i64::from(text[at] == b',');
            at += 1;
        }
        found.used = at;
        if at >= text.len() {
            return found;
        }
        if text[at] != b'{' {
            found.ended = true;
            return found;
        }
        let before = found.lat_deg.len();
        let mut reader = Reader {
            text,
            at,
            day: b"",
            day_ms: 0,
            level: b"",
            level_is: (0, 0),
        };
        if let Some(flight) = reader.feature(&mut found) {
            if keep(&mut found, before, flight).is_some() {
                at = reader.at;
                found.count += 1;
                continue;
            }
        }
        found.lat_deg.truncate(before);
        found.lon_deg.truncate(before);
        found.time_s.truncate(before);
        found.altitude_tmm.truncate(before);
        let Some(end) = end_of_object(text, at) else {
            return found;
        };
        found.left.push((found.count, at, end));
        found.count += 1;
        at = end;
    }
}

/// What is read of a flight beside its waypoints.
#[derive(Default)]
struct Flight {
    id: (usize, usize),
    own_id: (usize, usize),
    party: (usize, usize),
    label: (usize, usize),
    places: usize,
    heights: usize,
    times: usize,
    altitudes: usize,
    reference: u8,
    lateral_mm: i64,
    vertical_tmm: i64,
    window_ms: i64,
    is_feature: bool,
    is_line: bool,
    is_flight: bool,
}

/// Takes the flight whose waypoints lie from `before` on, if it is sound.
fn keep(found: &mut Features, before: usize, flight: Flight) -> Option<()> {
    let length = flight.places;
    let sound = flight.is_feature
        && flight.is_line
        && flight.is_flight
        && (2..=MOST_WAYPOINTS).contains(&length)
        && flight.times == length
        && flight.altitudes + flight.heights == length
        && flight.window_ms as f64 / 1_000.0 <= found.time_s[before]
        && found.time_s[before..].windows(2).all(|t| t[0] < t[1]);
    if !sound {
        return None;
    }
    found.offsets.push(i64::try_from(before + length).ok()?);
    found.reference.push(flight.reference);
    found.lateral_m.push(flight.lateral_mm as f64 / 1_000.0);
    found.vertical_tmm.push(flight.vertical_tmm);
    found.window_s.push(flight.window_ms as f64 / 1_000.0);
    found.place.push(found.count);
    // A declaration's own id before what other programs put there.
    found.id.push(if flight.own_id.1 > flight.own_id.0 {
        flight.own_id
    } else {
        flight.id
    });
    found.party.push(flight.party);
    found.label.push(flight.label);
    Some(())
}

/// Where the object that begins at `from` ends; `None` when the text ends before it.
fn end_of_object(text: &[u8], from: usize) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, from);
    while at < text.len() {
        match text[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' => {
                at += 1;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Steps through one feature. Every step answers `None` at the first thing out of the common.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// The day last said, `2015-09-30T`, and its first millisecond; most instants repeat it.
    day: &'a [u8],
    day_ms: i64,
    /// The altitude last said, and what it is.
    level: &'a [u8],
    level_is: (u8, i64),
}

impl<'a> Reader<'a> {
    fn feature(&mut self, found: &mut Features) -> Option<Flight> {
        let mut flight = Flight::default();
        let mut seen = 0_u32;
        self.object(|reader, name| {
            match name {
                b"type" => {
                    once(&mut seen, 0)?;
                    flight.is_feature = reader.word()? == b"Feature";
                }
                b"id" => {
                    once(&mut seen, 1)?;
                    flight.id = reader.span()?;
                }
                b"geometry" => {
                    once(&mut seen, 2)?;
                    reader.geometry(found, &mut flight)?;
                }
                b"properties" => {
                    once(&mut seen, 3)?;
                    reader.properties(found, &mut flight)?;
                }
                _ => return None,
            }
            Some(())
        })?;
        (seen & 0b1101 == 0b1101).then_some(flight)
    }

    fn geometry(&mut self, found: &mut Features, flight: &mut Flight) -> Option<()> {
        let mut seen = 0_u32;
        self.object(|reader, name| {
            match name {
                b"type" => {
                    once(&mut seen, 0)?;
                    flight.is_line = reader.word()? == b"LineString";
                }
                b"coordinates" => {
                    once(&mut seen, 1)?;
                    flight.places = reader.array(|reader| {
                        let (lon, lat, height_m) = reader.place()?;
                        if !(lat.abs() <= 90.0 && lon.abs() <= 180.0) {
                            return None;
                        }
                        // What is declared is what is checked: whole 1e-7 degrees, and one
                        // spelling of the antimeridian.
                        let grid = |degrees: f64| (degrees * E7).round_ties_even() / E7 + 0.0;
                        let lon = grid(lon);
                        found.lat_deg.push(grid(lat));
                        found.lon_deg.push(if lon == 180.0 { -180.0 } else { lon });
                        if let Some(height_m) = height_m {
                            let tmm = (height_m * TMM_PER_METRE as f64).round_ties_even();
                            let usable = LOWEST_TMM as f64..=HIGHEST_TMM as f64;
                            usable.contains(&tmm).then_some(())?;
                            found.altitude_tmm.push(tmm as i64);
                            flight.heights += 1;
                        }
                        Some(())
                    })?;
                }
                _ => return None,
            }
            Some(())
        })?;
        (seen == 0b11).then_some(())
    }

    fn properties(&mut self, found: &mut Features, flight: &mut Flight) -> Option<()> {
        let mut seen = 0_u32;
        self.object(|reader, name| {
            match name {
                b"purpose" => {
                    once(&mut seen, 0)?;
                    flight.is_flight = reader.word()? == b"FLIGHT";
                }
                b"declaration_id" => {
                    once(&mut seen, 1)?;
                    flight.own_id = reader.span()?;
                    let digits = &reader.text[flight.own_id.0..flight.own_id.1];
                    let is_id = digits.len() == 32
                        && digits
                            .iter()
                            .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
                    is_id.then_some(())?;
                }
                b"party" => {
                    once(&mut seen, 2)?;
                    flight.party = reader.span()?;
                }
                b"label" => {
                    once(&mut seen, 3)?;
                    flight.label = reader.span()?;
                    (flight.label.1 - flight.label.0 <= 64).then_some(())?;
                }
                b"times" => {
                    once(&mut seen, 4)?;
                    flight.times = reader.array(|reader| {
                        found.time_s.push(reader.instant_ms()? as f64 / 1_000.0);
                        Some(())
                    })?;
                }
                b"altitudes" => {
                    once(&mut seen, 5)?;
                    let mut first: Option<u8> = None;
                    flight.altitudes = reader.array(|reader| {
                        let (reference, tmm) = reader.altitude()?;
                        if *first.get_or_insert(reference) != reference {
                            return None;
                        }
                        found.altitude_tmm.push(tmm);
                        Some(())
                    })?;
                    flight.reference = first?;
                }
                b"containment" => {
                    once(&mut seen, 6)?;
                    reader.containment(flight)?;
                }
                _ => return None,
            }
            Some(())
        })?;
        (seen & 0b1_0001 == 0b1_0001).then_some(())
    }

    fn containment(&mut self, flight: &mut Flight) -> Option<()> {
        let mut seen = 0_u32;
        self.object(|reader, name| {
            let (member, into, units, most) = match name {
                b"lateral" => (0, &mut flight.lateral_mm, DISTANCES, 5_000_000_000),
                b"vertical" => (1, &mut flight.vertical_tmm, HEIGHTS, HIGHEST_TMM),
                b"time" => (2, &mut flight.window_ms, DURATIONS, 86_400_000),
                _ => return None,
            };
            once(&mut seen, member)?;
            *into = quantity(reader.word()?, units)?;
            (*into <= most).then_some(())
        })
    }

    /// Reads an object, each member by the given function.
    fn object(&mut self, mut member: impl FnMut(&mut Self, &[u8]) -> Option<()>) -> Option<()> {
        self.expect(b'{')?;
        loop {
            let name = self.span()?;
            self.expect(b':')?;
            let text = self.text;
            member(self, &text[name.0..name.1])?;
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Reads an array of one item at least, each by the given function; how many there were.
    fn array(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<usize> {
        self.expect(b'[')?;
        let mut count = 0;
        loop {
            item(self)?;
            count += 1;
            match self.next()? {
                b',' => {}
                b']' => return Some(count),
                _ => return None,
            }
        }
    }

    /// Longitude, latitude, and the height where there is one.
    fn place(&mut self) -> Option<(f64, f64, Option<f64>)> {
        self.expect(b'[')?;
        let lon = self.number()?;
        self.expect(b',')?;
        let lat = self.number()?;
        match self.next()? {
            b']' => Some((lon, lat, None)),
            b',' => {
                let height = self.number()?;
                self.expect(b']')?;
                Some((lon, lat, Some(height)))
            }
            _ => None,
        }
    }

    /// A number as JSON spells it, without exponent: no leading zeros, plus signs or bare points.
    fn number(&mut self) -> Option<f64> {
        self.skip();
        let from = self.at;
        let negative = self.text.get(from) == Some(&b'-');
        let mut at = from + usize::from(negative);
        let (mut mantissa, mut point) = (0_u64, None);
        let first = at;
        loop {
            match self.text.get(at) {
                // Eighteen digits and a point stay below 2^63; what is longer is read again below.
                Some(digit @ b'0'..=b'9') if at - first < 18 => {
                    mantissa = mantissa * 10 + u64::from(digit - b'0');
                }
                Some(b'0'..=b'9') => {}
                Some(b'.') if point.is_none() => point = Some(at),
                _ => break,
            }
            at += 1;
        }
        let whole = point.unwrap_or(at) - first;
        let decimals = point.map_or(0, |point| at - point - 1);
        let plain = whole > 0
            && (whole == 1 || self.text[first] != b'0')
            && (point.is_none() || decimals > 0)
            && !matches!(self.text.get(at), Some(b'e' | b'E' | b'+' | b'-' | b'.'));
        if !plain {
            return None;
        }
        self.at = at;
        // A quotient of two numbers that a double holds exactly is rounded once, as parsing is.
        let value = if whole + decimals <= 15 {
            mantissa as f64 / POWERS[decimals]
        } else {
            let said = std::str::from_utf8(&self.text[first..at]).ok()?;
            said.parse().ok()?
        };
        Some(if negative { -value } else { value })
    }

    /// A text of plain characters without escapes: where it stands, quotes left out. An empty one
    /// is out of the common.
    fn span(&mut self) -> Option<(usize, usize)> {
        self.expect(b'"')?;
        let from = self.at;
        loop {
            match *self.text.get(self.at)? {
                b'"' => break,
                b'\\' => return None,
                c if !(b' '..=b'~').contains(&c) => return None,
                _ => self.at += 1,
            }
        }
        let span = (from, self.at);
        self.at += 1;
        (span.1 > span.0).then_some(span)
    }

    fn word(&mut self) -> Option<&'a [u8]> {
        let (from, to) = self.span()?;
        Some(&self.text[from..to])
    }

    /// Milliseconds since 1970 of `2015-09-30T06:12:00Z`, or with `.mmm`.
    fn instant_ms(&mut self) -> Option<i64> {
        let text = self.word()?;
        if text.len() != 20 && text.len() != 24 {
            return None;
        }
        if &text[..11] != self.day {
            let mut midnight = *b"0000-00-00T00:00:00.000Z";
            midnight[..11].copy_from_slice(&text[..11]);
            self.day_ms = crate::plan::utc_ms(std::str::from_utf8(&midnight).ok()?)?;
            self.day = &text[..11];
        }
        let two = |at: usize| -> Option<i64> {
            let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
            (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
        };
        let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
        let mut ms = 0;
        if text.len() == 24 {
            let thousandths = text[22].wrapping_sub(b'0');
            let spelled = text[19] == b'.' && thousandths < 10;
            ms = spelled.then(|| two(20))?? * 10 + i64::from(thousandths);
        }
        let spelled = text[13] == b':' && text[16] == b':' && text.last() == Some(&b'Z');
        (spelled && hour < 24 && minute < 60 && second < 60)
            .then(|| self.day_ms + ((hour * 60 + minute) * 60 + second) * 1_000 + ms)
    }

    fn altitude(&mut self) -> Option<(u8, i64)> {
        let text = self.word()?;
        if text != self.level {
            self.level_is = altitude(text)?;
            self.level = text;
        }
        Some(self.level_is)
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    /// The next character that is no white space.
    fn next(&mut self) -> Option<u8> {
        self.skip();
        let found = *self.text.get(self.at)?;
        self.at += 1;
        Some(found)
    }

    fn skip(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }
}

/// `None` when this member was said before.
fn once(seen: &mut u32, member: u32) -> Option<()> {
    let bit = 1 << member;
    let fresh = *seen & bit == 0;
    *seen |= bit;
    fresh.then_some(())
}

/// A whole number with its unit: `10 NM`, `300 ft`, `2 min`.
fn quantity(text: &[u8], units: Units) -> Option<i64> {
    let (number, unit) = std::str::from_utf8(text).ok()?.split_once(' ')?;
    let plain = (1..=9).contains(&number.len()) && number.bytes().all(|c| c.is_ascii_digit());
    let per_unit = units.iter().find(|known| known.0 == unit)?.1;
    let number: i64 = plain.then(|| number.parse().ok()).flatten()?;
    Some(number * per_unit)
}

/// `FL350`, `35050 ft FL`, `2500 ft AMSL`, `1000 m W84`, in whole feet, levels or metres.
fn altitude(text: &[u8]) -> Option<(u8, i64)> {
    let text = std::str::from_utf8(text).ok()?;
    let whole = |digits: &str| -> Option<i64> {
        let unsigned = digits.strip_prefix('-').unwrap_or(digits);
        let plain =
            (1..=7).contains(&unsigned.len()) && unsigned.bytes().all(|c| c.is_ascii_digit());
        plain.then(|| digits.parse().ok()).flatten()
    };
    let (reference, tmm) = if let Some(level) = text.strip_prefix("FL") {
        let plain = (1..=3).contains(&level.len()) && level.bytes().all(|c| c.is_ascii_digit());
        let level = plain.then(|| whole(level)).flatten()?;
        (FLIGHT_LEVEL, level * FEET_PER_LEVEL * TMM_PER_FOOT)
    } else {
        let mut words = text.split(' ');
        let (number, unit, reference) = (words.next()?, words.next()?, words.next()?);
        words.next().is_none().then_some(())?;
        let per_unit = match unit {
            "ft" => TMM_PER_FOOT,
            "m" => TMM_PER_METRE,
            _ => return None,
        };
        let place = REFERENCES.iter().position(|known| *known == reference)?;
        (u8::try_from(place).ok()?, whole(number)? * per_unit)
    };
    (LOWEST_TMM..=HIGHEST_TMM)
        .contains(&tmm)
        .then_some((reference, tmm))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLIGHT: &str = r#"{"type":"Feature","id":"BAW12","geometry":{"type":"LineString",
        "coordinates":[[35.95, 35.40],[37.16,36.20]]},"properties":{"purpose":"FLIGHT",
        "times":["2015-09-30T06:00:00Z","2015-09-30T06:12:00.250Z"],
        "altitudes":["FL200","20100 ft FL"],"party":"red","label":"a label"}}"#;

    fn text(found: (usize, usize), of: &str) -> &str {
        &of[found.0..found.1]
    }

    #[test]
    fn a_usual_flight_is_read() {
        let found = read(FLIGHT.as_bytes());
        assert_eq!(found.offsets, [0, 2]);
        assert_eq!(found.lat_deg, [35.40, 36.20]);
        assert_eq!(found.lon_deg, [35.95, 37.16]);
        assert_eq!(found.time_s, [1_443_592_800.0, 1_443_593_520.25]);
        assert_eq!(found.altitude_tmm, [60_960_000, 61_264_800]);
        assert_eq!(found.reference, [FLIGHT_LEVEL]);
        assert_eq!(text(found.id[0], FLIGHT), "BAW12");
        assert_eq!(text(found.party[0], FLIGHT), "red");
        assert_eq!(text(found.label[0], FLIGHT), "a label");
        assert_eq!(
            (found.count, found.used, found.ended),
            (1, FLIGHT.len(), false)
        );
    }

    #[test]
    fn heights_and_containment_are_read() {
        let flight = r#"{"type":"Feature","geometry":{"coordinates":[[179.99999999,-0.0,10.00004],
            [180,1,-3]],"type":"LineString"},"properties":{"times":["1970-01-01T01:00:00Z",
            "1970-01-01T02:00:00Z"],"containment":{"lateral":"1 NM","vertical":"300 ft",
            "time":"2 min"},"purpose":"FLIGHT"}}"#;
        let found = read(flight.as_bytes());
        assert_eq!(found.left, []);
        assert_eq!(found.lon_deg, [-180.0, -180.0]);
        assert_eq!(found.altitude_tmm, [100_000, -30_000]);
        assert_eq!(found.reference, [0]);
        assert_eq!(found.lateral_m, [1_852.0]);
        assert_eq!(found.vertical_tmm, [914_400]);
        assert_eq!(found.window_s, [120.0]);
        assert_eq!(found.id, [(0, 0)]);
    }

    #[test]
    fn what_is_out_of_the_common_is_left_whole() {
        for (from, to) in [
            ("FLIGHT\"", "HAZARD\""),
            ("[35.95, 35.40]", "[35.95, 35.40, 1]"),
            ("35.40]", "95.40]"),
            ("35.40]", "035.40]"),
            ("35.40]", "NaN]"),
            ("35.40]", "3540e-2]"),
            ("06:00:00Z", "06:30:00Z"),
            ("06:00:00Z", "06:00:00"),
            ("FL200", "200"),
            ("FL200", "200 ft AMSL"),
            ("FL200", "20.5 ft FL"),
            ("\"party\"", "\"partly\""),
            ("\"party\":\"red\"", "\"label\":\"red\""),
            ("a label", "a \\u006cabel"),
            ("a label", "a läbel"),
            ("\"altitudes\":[\"FL200\",\"20100 ft FL\"],", ""),
            (
                "\"party\"",
                "\"containment\":{\"lateral\":\"0.5 NM\"},\"party\"",
            ),
            ("\"party\"", "\"containment\":{\"time\":\"25 h\"},\"party\""),
            ("\"type\":\"Feature\",", ""),
        ] {
            assert!(FLIGHT.contains(from), "{from}");
            let other = FLIGHT.replacen(from, to, 1);
            let found = read(other.as_bytes());
            assert_eq!(found.left, [(0, 0, other.len())], "{to}");
            assert_eq!(found.offsets, [0], "{to}");
            assert!(found.lat_deg.is_empty() && found.time_s.is_empty(), "{to}");
        }
    }

    #[test]
    fn features_are_told_apart_in_any_spelling() {
        let odd = r#"{"a":"}]\"","b":[{"c":"{"}]}"#;
        let lines = format!("{FLIGHT}\n{odd},\r\n {FLIGHT}\n]}}");
        let found = read(lines.as_bytes());
        assert_eq!((found.count, found.commas), (3, 1));
        assert_eq!(found.place, [0, 2]);
        let (place, from, to) = found.left[0];
        assert_eq!((place, &lines[from..to]), (1, odd));
        assert!(found.ended);
        assert_eq!(&lines[found.used..], "]}");
    }

    #[test]
    fn a_feature_cut_anywhere_is_left_to_the_next_part() {
        for end in 1..FLIGHT.len() {
            let found = read(&FLIGHT.as_bytes()[..end]);
            assert_eq!((found.count, found.used), (0, 0), "{end}");
            assert!(!found.ended);
        }
    }
}
