//! Is a flight's plan, as it is signed, surely sound? Asked for every plan of a record at a start.
//!
//! `deconflict.airspace` says what a sound plan is, and why another is refused. Here is a quick
//! look that finds the usual plan sound and never an unsound one; what it does not find sound, the
//! other decides.

const E7_PER_DEGREE: i64 = 10_000_000;
const MAX_UTC_MS: i64 = 7_258_118_400_000 - 1; // the last millisecond of 2199
const DAY_MS: i64 = 86_400_000;
const MAX_REACH_MM: i64 = 5_000_000_000;
const MAX_ALTITUDE_TMM: i64 = 1_000_000_000;
const MIN_ALTITUDE_TMM: i64 = -100_000_000;
const MAX_WAYPOINTS: usize = 10_000;

// No way is longer than along the meridian and then along the parallel. A degree of either is at
// most 111.7 km (WGS84: the meridian at the pole), so 170 of them are less than the 19,900 km from
// which a leg is refused.
const SURELY_SHORT_E7: i64 = 170 * E7_PER_DEGREE;

/// Where the flight is at one instant.
#[derive(Debug, Clone, Copy)]
pub struct Waypoint {
    pub at_ms: i64,
    pub lat_e7: i64,
    pub lon_e7: i64,
    pub altitude_tmm: i64,
}

/// How far it may be from there.
#[derive(Debug, Clone, Copy)]
pub struct Containment {
    pub lateral_mm: i64,
    pub vertical_tmm: i64,
    pub time_ms: i64,
}

/// From the first to the last instant of a plan that is surely sound, containment included;
/// `None` when this does not know.
pub fn sound_span(waypoints: &[Waypoint], around: Containment) -> Option<(i64, i64)> {
    let (first, last) = (waypoints.first()?, waypoints.last()?);
    let sound = (2..=MAX_WAYPOINTS).contains(&waypoints.len())
        && (0..=MAX_REACH_MM).contains(&around.lateral_mm)
        && (0..=MAX_ALTITUDE_TMM).contains(&around.vertical_tmm)
        && (0..=DAY_MS).contains(&around.time_ms)
        && waypoints.iter().all(is_sound)
        && waypoints.windows(2).all(|leg| {
            leg[0].at_ms < leg[1].at_ms
                && (leg[0].lat_e7 - leg[1].lat_e7).abs() + (leg[0].lon_e7 - leg[1].lon_e7).abs()
                    < SURELY_SHORT_E7
        });
    if !sound {
        return None;
    }
    let span = (first.at_ms - around.time_ms, last.at_ms + around.time_ms);
    (span.0 >= 0 && span.1 <= MAX_UTC_MS).then_some(span)
}

fn is_sound(waypoint: &Waypoint) -> bool {
    (0..=MAX_UTC_MS).contains(&waypoint.at_ms)
        && (-90 * E7_PER_DEGREE..=90 * E7_PER_DEGREE).contains(&waypoint.lat_e7)
        && (-180 * E7_PER_DEGREE..180 * E7_PER_DEGREE).contains(&waypoint.lon_e7)
        && (MIN_ALTITUDE_TMM..=MAX_ALTITUDE_TMM).contains(&waypoint.altitude_tmm)
}

/// Milliseconds since 1970 of `YYYY-MM-DDTHH:MM:SS.mmmZ`; `None` for any other spelling and for
/// what is no instant.
pub fn utc_ms(text: &str) -> Option<i64> {
    const FORM: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let text: &[u8; 24] = text.as_bytes().try_into().ok()?;
    let spelled = text.iter().zip(FORM).all(|(said, form)| match form {
        b'0' => said.is_ascii_digit(),
        _ => said == form,
    });
    if !spelled {
        return None;
    }
    let number = |from: usize, to: usize| {
        text[from..to]
            .iter()
            .fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_of = [
        31,
        28 + i64::from(leap),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let month_days = *days_of.get(usize::try_from(month - 1).ok()?)?;
    if !(1970..2200).contains(&year)
        || !(1..=month_days).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let before = year - 1; // whole years since year 1
    let leaps = |whole: i64| whole / 4 - whole / 100 + whole / 400;
    let days = (year - 1970) * 365 + leaps(before) - leaps(1969)
        + days_of[..usize::try_from(month - 1).ok()?]
            .iter()
            .sum::<i64>()
        + day
        - 1;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + number(20, 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_those_of_the_calendar() {
        assert_eq!(utc_ms("1970-01-01T00:00:00.000Z"), Some(0));
        assert_eq!(utc_ms("2015-09-30T06:12:00.000Z"), Some(1_443_593_520_000));
        assert_eq!(utc_ms("2199-12-31T23:59:59.999Z"), Some(MAX_UTC_MS));
        assert_eq!(utc_ms("2000-02-29T00:00:00.000Z"), Some(951_782_400_000));
        for wrong in [
            "1969-12-31T23:59:59.999Z",
            "2200-01-01T00:00:00.000Z",
            "2100-02-29T00:00:00.000Z",
            "2015-13-01T00:00:00.000Z",
            "2015-00-01T00:00:00.000Z",
            "2015-09-30T24:00:00.000Z",
            "2015-09-30T06:12:60.000Z",
            "2015-09-30T06:12:00Z",
            "2015-09-30t06:12:00.000Z",
            "",
        ] {
            assert_eq!(utc_ms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_plan_at_its_limits_is_sound_and_one_beyond_is_not_known() {
        let plan = |lon_e7: i64, at_ms: i64| {
            [(0, 0), (lon_e7, at_ms)].map(|(lon_e7, at_ms)| Waypoint {
                at_ms,
                lat_e7: 0,
                lon_e7,
                altitude_tmm: 0,
            })
        };
        let around = Containment {
            lateral_mm: 0,
            vertical_tmm: 0,
            time_ms: 0,
        };
        assert_eq!(sound_span(&plan(0, 5), around), Some((0, 5)));
        assert_eq!(sound_span(&plan(0, 0), around), None);
        assert_eq!(sound_span(&plan(SURELY_SHORT_E7, 5), around), None);
        assert_eq!(sound_span(&plan(0, 5)[..1], around), None);
        let early = Containment {
            time_ms: 1,
            ..around
        };
        assert_eq!(sound_span(&plan(0, 5), early), None);
    }
}
