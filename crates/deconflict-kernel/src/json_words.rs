//! What the written values of a flight say: instants, altitudes, and quantities with their unit, in
//! the spellings of `docs/reference/geojson-profile.md`.

use crate::json_scan::Scan;

pub const LOWEST_TMM: i64 = -100_000_000;
pub const HIGHEST_TMM: i64 = 1_000_000_000;
pub const TMM_PER_METRE: i64 = 10_000;
const TMM_PER_FOOT: i64 = 3_048;
const FEET_PER_LEVEL: i64 = 100;
const LONGEST: usize = 40;

type Units = &'static [(&'static str, i64)];
pub const DISTANCES: Units = &[
    ("M", 1_000),
    ("METRES", 1_000),
    ("METERS", 1_000),
    ("KM", 1_000_000),
    ("NM", 1_852_000),
    ("NMI", 1_852_000),
];
pub const HEIGHTS: Units = &[
    ("FT", TMM_PER_FOOT),
    ("FEET", TMM_PER_FOOT),
    ("M", TMM_PER_METRE),
    ("METRES", TMM_PER_METRE),
    ("METERS", TMM_PER_METRE),
];
pub const DURATIONS: Units = &[("S", 1_000), ("MIN", 60_000), ("H", 3_600_000)];

/// What an altitude is measured from, in the order of `AltitudeReference`.
const REFERENCES: [(&str, u8); 6] = [
    ("W84", 0),
    ("WGS84", 0),
    ("AMSL", 1),
    ("MSL", 1),
    ("FL", FLIGHT_LEVEL),
    ("AGL", 3),
];
pub const FLIGHT_LEVEL: u8 = 2;

/// A limit of an area: open, or an altitude and what it is measured from.
#[derive(Clone, Copy)]
pub enum Limit {
    Surface,
    Unlimited,
    At(u8, i64),
}

/// Reads instants and altitudes, most of which say nearly what the one before said.
#[derive(Default)]
pub struct Words<'a> {
    /// The day last said, `2015-09-30T`, and its first millisecond.
    day: &'a [u8],
    day_ms: i64,
    /// The altitude last said, and what it is.
    level: &'a [u8],
    level_is: (u8, i64),
}

impl<'a> Words<'a> {
    /// Milliseconds since 1970 of `2015-09-30T06:12:00Z`, or with `.mmm`.
    pub fn instant_ms(&mut self, scan: &mut Scan<'a>) -> Option<i64> {
        let text = scan.word()?;
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

    pub fn altitude(&mut self, scan: &mut Scan<'a>) -> Option<(u8, i64)> {
        self.altitude_of(scan.word()?)
    }

    /// The floor or the ceiling of an area.
    pub fn limit(&mut self, scan: &mut Scan<'a>) -> Option<Limit> {
        let text = scan.word()?;
        let open = |name: &[u8]| text.eq_ignore_ascii_case(name);
        if open(b"SFC") || open(b"GND") {
            return Some(Limit::Surface);
        }
        if open(b"UNL") {
            return Some(Limit::Unlimited);
        }
        let (reference, tmm) = self.altitude_of(text)?;
        Some(Limit::At(reference, tmm))
    }

    fn altitude_of(&mut self, text: &'a [u8]) -> Option<(u8, i64)> {
        if text != self.level {
            self.level_is = altitude(text)?;
            self.level = text;
        }
        Some(self.level_is)
    }
}

/// A quantity with its unit: `10 NM`, `2.5 km`, `300 ft`, `2min`.
pub fn quantity(text: &[u8], units: Units) -> Option<i64> {
    let [first, second, none] = parts(text)?;
    let (number, unit) = number_and_unit(first, second)?;
    (none.is_empty() && !number.starts_with('-')).then_some(())?;
    times(number, in_table(units, unit)?)
}

/// `FL350`, `35050 ft FL`, `2500.5 ft AMSL`, `1000 m W84`.
fn altitude(text: &[u8]) -> Option<(u8, i64)> {
    let [first, second, third] = parts(text)?;
    let (reference, tmm) = if first.get(..2).is_some_and(|said| same("FL", said)) {
        let level = match (&first[2..], second) {
            (level, "") | ("", level) => level,
            _ => return None,
        };
        let plain = (1..=3).contains(&level.len()) && level.bytes().all(|c| c.is_ascii_digit());
        let level: i64 = (plain && third.is_empty()).then(|| level.parse().ok())??;
        (FLIGHT_LEVEL, level * FEET_PER_LEVEL * TMM_PER_FOOT)
    } else {
        let (number, unit) = match third {
            "" => number_and_unit(first, "")?,
            _ => number_and_unit(first, second)?,
        };
        let said = if third.is_empty() { second } else { third };
        let reference = in_table(&REFERENCES, said)?;
        (reference, times(number, in_table(HEIGHTS, unit)?)?)
    };
    (LOWEST_TMM..=HIGHEST_TMM)
        .contains(&tmm)
        .then_some((reference, tmm))
}

/// Up to three words between spaces; the rest are empty.
fn parts(text: &[u8]) -> Option<[&str; 3]> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let mut next = || words.next().unwrap_or("");
    let parts = [next(), next(), next()];
    (text.len() <= LONGEST && words.next().is_none()).then_some(parts)
}

/// Splits `300ft`, if the unit is no word of its own.
fn number_and_unit<'t>(first: &'t str, second: &'t str) -> Option<(&'t str, &'t str)> {
    let end = first.find(|c: char| c.is_ascii_alphabetic());
    match (end, second) {
        (None, unit) => Some((first, unit)),
        (Some(end), "") => Some(first.split_at(end)),
        _ => None,
    }
}

fn in_table<T: Copy>(table: &[(&str, T)], said: &str) -> Option<T> {
    let known = table.iter().find(|(name, _)| same(name, said));
    known.map(|&(_, value)| value)
}

fn same(name: &str, said: &str) -> bool {
    name.eq_ignore_ascii_case(said)
}

/// A decimal number of up to nine and nine digits times a whole one, rounded to the even one where
/// it lies between two.
fn times(number: &str, unit: i64) -> Option<i64> {
    let negative = number.starts_with('-');
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, part) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some(both) => both,
        None => (digits, ""),
    };
    let plain = |some: &str| some.len() <= 9 && some.bytes().all(|c| c.is_ascii_digit());
    (!whole.is_empty() && plain(whole) && plain(part)).then_some(())?;
    let mut value: i128 = whole.parse().ok()?;
    let mut scale = 1_i128;
    for digit in part.bytes() {
        value = value * 10 + i128::from(digit - b'0');
        scale *= 10;
    }
    let product = value * i128::from(unit);
    let (floor, rest) = (product / scale, product % scale * 2);
    let up = rest > scale || (rest == scale && floor % 2 == 1);
    let rounded = i64::try_from(floor + i128::from(up)).ok()?;
    Some(if negative { -rounded } else { rounded })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn altitudes_are_read_in_every_spelling() {
        for (said, wanted) in [
            ("FL350", Some((2, 106_680_000))),
            ("fl 050", Some((2, 15_240_000))),
            ("35050 ft FL", Some((2, 106_832_400))),
            ("  2500  FEET msl ", Some((1, 7_620_000))),
            ("2500ft AMSL", Some((1, 7_620_000))),
            ("-12.5 m WGS84", Some((0, -125_000))),
            ("+0.00005 m W84", Some((0, 0))),
            ("0.00015 m W84", Some((0, 2))),
            ("1000.0 metres AGL", Some((3, 10_000_000))),
            ("1000 m", None),
            ("1000", None),
            ("FL3500", None),
            ("FL 35 0", None),
            ("1000 km W84", None),
            ("1000. m W84", None),
            ("1e3 m W84", None),
            ("1,000 ft AMSL", None),
            ("1 000 ft AMSL", None),
            ("101000 m W84", None),
            ("SFC", None),
            ("", None),
        ] {
            assert_eq!(altitude(said.as_bytes()), wanted, "{said}");
        }
    }

    #[test]
    fn quantities_are_read_in_every_spelling() {
        for (said, units, wanted) in [
            ("10 NM", DISTANCES, Some(18_520_000)),
            ("2.5km", DISTANCES, Some(2_500_000)),
            ("500.25 ft", HEIGHTS, Some(1_524_762)),
            ("0.5 s", DURATIONS, Some(500)),
            ("+2 h", DURATIONS, Some(7_200_000)),
            ("-1 s", DURATIONS, None),
            ("-0 s", DURATIONS, None),
            ("1 s s", DURATIONS, None),
            ("1", DURATIONS, None),
            ("s", DURATIONS, None),
            ("1 ft", DISTANCES, None),
        ] {
            assert_eq!(quantity(said.as_bytes(), units), wanted, "{said}");
        }
    }
}
