//! GeoJSON read in parts: where each feature ends, and the flights of which nothing is in doubt.
//!
//! `deconflict.formats` says what a declared feature is, and why another is refused. Here is a
//! quick reader for flights as they are written by the million. It reads one exactly as the other
//! does, or leaves it: what is out of the common in any way is handed over whole, and the other
//! decides. Areas of one shape each are read alike.

use crate::json_about::About;
use crate::json_area::{Areas, Reader as AreaReader};
use crate::json_flight::{legs_are_short, Flight, Reader};

const MOST_WAYPOINTS: usize = 10_000;
/// The most that the other reader takes for one feature.
const MOST_BYTES: usize = 64 << 20;
/// The last millisecond of 2199.
const LATEST_S: f64 = 7_258_118_399.999;

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
    /// What each flight says of itself.
    pub about: Vec<About>,
    pub areas: Areas,
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
    found.areas.offsets.push(0);
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
        let mut reader = Reader::new(text, at, &mut found);
        let read = reader.feature();
        let end = reader.scan.at;
        if let Some(flight) = read.filter(|_| end - at <= MOST_BYTES) {
            if keep(&mut found, before, flight).is_some() {
                at = end;
                found.count += 1;
                continue;
            }
        }
        found.lat_deg.truncate(before);
        found.lon_deg.truncate(before);
        found.time_s.truncate(before);
        found.altitude_tmm.truncate(before);
        let mut reader = AreaReader::new(text, at, &mut found.areas);
        if reader.read(found.count).is_some() && reader.scan.at - at <= MOST_BYTES {
            at = reader.scan.at;
            found.count += 1;
            continue;
        }
        let Some(end) = end_of_object(text, at) else {
            return found;
        };
        found.left.push((found.count, at, end));
        found.count += 1;
        at = end;
    }
}

/// Takes the flight whose waypoints lie from `before` on, if it is sound.
fn keep(found: &mut Features, before: usize, flight: Flight) -> Option<()> {
    let counts = (flight.altitudes, flight.heights);
    let said = flight.places;
    if flight.times != said || (counts != (said, 0) && counts != (0, said)) {
        return None;
    }
    if !found.time_s[before..].windows(2).all(|t| t[0] < t[1]) {
        say_once(found, before);
    }
    let times = &found.time_s[before..];
    let length = times.len();
    let window_s = flight.window_ms as f64 / 1_000.0;
    let sound = (2..=MOST_WAYPOINTS).contains(&length)
        && times.windows(2).all(|t| t[0] < t[1])
        && window_s <= times[0]
        && times[length - 1] + window_s <= LATEST_S
        && legs_are_short(&found.lat_deg[before..], &found.lon_deg[before..]);
    if !sound {
        return None;
    }
    found.offsets.push(i64::try_from(before + length).ok()?);
    found.reference.push(flight.reference);
    found.lateral_m.push(flight.lateral_mm as f64 / 1_000.0);
    found.vertical_tmm.push(flight.vertical_tmm);
    found.window_s.push(window_s);
    found.place.push(found.count);
    found.about.push(flight.about);
    Some(())
}

/// Drops each waypoint that repeats the one before: time, place and altitude.
fn say_once(found: &mut Features, before: usize) {
    let mut last = before;
    for k in before + 1..found.time_s.len() {
        let same = found.time_s[k] == found.time_s[last]
            && found.lat_deg[k] == found.lat_deg[last]
            && found.lon_deg[k] == found.lon_deg[last]
            && found.altitude_tmm[k] == found.altitude_tmm[last];
        if !same {
            last += 1;
            found.time_s[last] = found.time_s[k];
            found.lat_deg[last] = found.lat_deg[k];
            found.lon_deg[last] = found.lon_deg[k];
            found.altitude_tmm[last] = found.altitude_tmm[k];
        }
    }
    found.time_s.truncate(last + 1);
    found.lat_deg.truncate(last + 1);
    found.lon_deg.truncate(last + 1);
    found.altitude_tmm.truncate(last + 1);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_words::FLIGHT_LEVEL;

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
        assert_eq!(text(found.about[0].id, FLIGHT), "BAW12");
        assert_eq!(text(found.about[0].party, FLIGHT), "red");
        assert_eq!(text(found.about[0].label, FLIGHT), "a label");
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
        assert_eq!(found.about[0].id, (0, 0));
    }

    #[test]
    fn what_is_out_of_the_common_is_left_whole() {
        for (from, to) in [
            ("FLIGHT\"", "TARGET\""),
            ("FLIGHT\"", "FLIGHT\",\"purpose\":\"FLIGHT\""),
            ("[35.95, 35.40]", "[35.95, 35.40, 1]"),
            ("35.40]", "95.40]"),
            ("35.40]", "035.40]"),
            ("35.40]", "NaN]"),
            ("35.40]", "3540e-2.0]"),
            ("35.40]", "35.40,1,2]"),
            ("[35.95, 35.40]", "[-145.95, -35.40]"),
            ("06:00:00Z", "06:30:00Z"),
            ("06:00:00Z", "06:00:00"),
            ("FL200", "200"),
            ("FL200", "200 ft AMSL"),
            ("FL200", "20.5. ft FL"),
            ("\"party\"", "\"partly\""),
            ("\"party\":\"red\"", "\"label\":\"red\""),
            ("a label", "a \\u0007abel"),
            ("a label", "a \u{e000}"),
            ("a label", &"l".repeat(65)),
            ("BAW12", &"B".repeat(257)),
            ("\"altitudes\":[\"FL200\",\"20100 ft FL\"],", ""),
            (
                "\"party\"",
                "\"containment\":{\"lateral\":\"0,5 NM\"},\"party\"",
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
    fn usual_variants_are_read_like_the_plain_one() {
        let plain = read(FLIGHT.as_bytes());
        let bytes = |found: &Features| {
            let Features {
                lat_deg,
                lon_deg,
                time_s,
                altitude_tmm,
                ..
            } = found;
            format!(
                "{lat_deg:?} {lon_deg:?} {time_s:?} {altitude_tmm:?} {:?}",
                found.reference
            )
        };
        for (from, to) in [
            ("35.40]", "3540e-2]"),
            ("35.40]", "0.354E+2]"),
            ("FL200", "fl 200"),
            ("FL200", "20000.0 ft FL"),
            ("20100 ft FL", "20100feet  FL"),
            ("a label", "\\u0411орт"),
            ("a label", "l\\u00e4bel"),
            ("\"BAW12\"", "12"),
            ("\"BAW12\"", "null"),
            (
                "\"party\"",
                "\"containment\":null,\"declaration_id\":null,\"party\"",
            ),
            ("\"party\"", "\"containment\":{\"lateral\":null},\"party\""),
            ("\"id\"", "\"bbox\":[35.95,35.4,37.16,36.2],\"id\""),
            (
                "\"type\":\"LineString\"",
                "\"bbox\":null,\"type\":\"LineString\"",
            ),
            (",\n", ",\r\n\t"),
        ] {
            assert!(FLIGHT.contains(from), "{from}");
            let found = read(FLIGHT.replacen(from, to, 1).as_bytes());
            assert_eq!(found.left, [], "{to}");
            assert_eq!(bytes(&found), bytes(&plain), "{to}");
        }
        let other = FLIGHT.replace("\"FLIGHT\"", "\"OWN_PRESENCE\"");
        assert_eq!(read(other.as_bytes()).about[0].purpose, 3);
        assert_eq!(plain.about[0].purpose, 0);
    }

    #[test]
    fn a_waypoint_said_twice_counts_once() {
        let twice = FLIGHT
            .replace("[35.95, 35.40]", "[35.95, 35.40],[35.95, 35.40]")
            .replace("\"FL200\"", "\"FL200\",\"20000 ft FL\"")
            .replace(
                "\"2015-09-30T06:00:00Z\"",
                "\"2015-09-30T06:00:00Z\",\"2015-09-30T06:00:00.000Z\"",
            );
        let found = read(format!("{twice}\n{FLIGHT}").as_bytes());
        assert_eq!(found.offsets, [0, 2, 4]);
        assert_eq!(found.time_s[..2], found.time_s[2..]);
        let jump = twice.replace("20000 ft FL", "FL210");
        assert_eq!(read(jump.as_bytes()).left.len(), 1);
    }

    #[test]
    fn altitudes_are_said_in_one_way_throughout() {
        let mixed = FLIGHT
            .replace("[37.16,36.20]", "[37.16,36.20,100]")
            .replace("[\"FL200\",\"20100 ft FL\"]", "[\"100 m W84\"]");
        assert_eq!(read(mixed.as_bytes()).left.len(), 1);
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
