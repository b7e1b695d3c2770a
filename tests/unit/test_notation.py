"""Positions and quantities as people write them."""

import time

import pytest

from deconflict.airspace import AltitudeReference, Position
from deconflict.airspace.notation import echo, parse_position
from deconflict.airspace.quantity import (
    Altitude,
    OpenLimit,
    format_altitude,
    parse_altitude,
    parse_band,
    parse_distance,
    parse_duration,
    parse_height,
)
from deconflict.errors import (
    InvalidAltitudeError,
    InvalidGeometryError,
    InvalidPositionError,
    InvalidTimeError,
)

KUNDUZ = Position(367_180_306, 688_622_111)  # 36°43'04.91"N 68°51'43.96"E


@pytest.mark.parametrize(
    "text",
    [
        "36°43'04.91\"N 68°51'43.96\"E",
        "36°43′04.91″N 68°51′43.96″E",
        "36º 43’ 04.91” N, 68º 51’ 43.96” E",
        "36°43'04.91''N / 68°51'43.96''E",
        "36 43 4.91 N, 68 51 43.96 E",
        "N 36 43 4.91 E 68 51 43.96",
        "n36 43 4.91; e68 51 43.96",
        "364304.91N0685143.96E",
        "N364304.91E0685143.96",
        "36-43-04.91N 068-51-43.96E",
        "36:43:04.91N 68:51:43.96E",
        "E 68°51'43.96\" N 36°43'04.91\"",
        "36°43'04.91\" с.ш. 68°51'43.96\" в.д.",
        "36.7180306, 68.8622111",
        "36.7180306 68.8622111",
        "+36.7180306,+68.8622111",
        "36.7180306N 68.8622111E",
        "36.7180306° N, 68.8622111° E",
        "lat 36.7180306 lon 68.8622111",
        "Longitude: 68.8622111, Latitude: 36.7180306",
        "\u00a036.7180306,\u202f68.8622111 ",
    ],
)
def test_the_common_spellings_name_one_place(text: str) -> None:
    assert parse_position(text) == KUNDUZ


@pytest.mark.parametrize(
    ("text", "lat_e7", "lon_e7"),
    [
        ("3643N06851E", 367_166_667, 688_500_000),
        ("36N068E", 360_000_000, 680_000_000),
        ("3643.5N 06851.5E", 367_250_000, 688_583_333),
        ("36°43.5'S 68°51.5'W", -367_250_000, -688_583_333),
        ("\u221236.5, \u221268.25", -365_000_000, -682_500_000),
        ("90N 180E", 900_000_000, -1_800_000_000),
        ("0S 0W", 0, 0),
    ],
)
def test_minutes_signs_and_limits_are_read(text: str, lat_e7: int, lon_e7: int) -> None:
    assert parse_position(text) == Position(lat_e7, lon_e7)


@pytest.mark.parametrize("text", ["42S VF 87694 63602", "42svf8769463602", "42SVF 87694 63602"])
def test_mgrs_names_the_middle_of_its_square_metre(text: str) -> None:
    # GEOTRANS: 42SVF8769463602, south-west corner 36.7180290 N 68.8622003 E
    position = parse_position(text)
    assert abs(position.lat_e7 - 367_180_335) <= 1
    assert abs(position.lon_e7 - 688_622_059) <= 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("north of Aleppo", "compass words"),
        ("10 km NE of Aleppo", "compass words"),
        ("севернее Алеппо", "compass words"),
        ("36.7 North, 68.8 East", "compass words"),
        ("near 36.7, 68.8", "compass words"),
        ("136.7, 36.7", "swapped"),
        ("-98.8 36.7", "swapped"),
        ("95, 170", "latitude ends at 90"),
        ("91N 0E", "latitude ends at 90"),
        ("90 0 0.1N 0 0 0E", "latitude ends at 90"),
        ("0N 181E", "longitude ends at 180"),
        ("0, 181", "longitude ends at 180"),
        ("36 43 68 51", "minutes need N or S"),
        ("36 43 04 68 51 43", "minutes need N or S"),
        ("36:43 68:51", "minutes need N or S"),
        ("36°43' 68°51'", "minutes need N or S"),
        ("36 60 0N 68 0 0E", "end at 59"),
        ("36 0 60N 68 0 0E", "end at 59"),
        ("36.5 43N 68E", "only the last part"),
        ("-36.7S 68.8E", "sign and a letter"),
        ("36.7N 36.8N", "one latitude and one longitude"),
        ("lat 36.7 lat 68.8", "one latitude and one longitude"),
        ("lat 36.7E lon 68.8N", "contradicts"),
        ("36.7N 68.8", "each with its N, S, E or W"),
        ("36.7N", "each with its N, S, E or W"),
        ("36.7", "two coordinates"),
        ("1 2 3", "two coordinates"),
        ("36,7 68,8", "comma too many"),
        ("36.7,,68.8", "comma too many"),
        ("36,7", "decimal comma"),
        ("N36,43 E68,51", "comma stands inside"),
        ("36°43'04,91\"N 68°51'43,96\"E", "comma stands inside"),
        ("36°°N 68E", "stands where it has no meaning"),
        ("36'N 68E", "stands where it has no meaning"),
        ("--36 68", "stands where it has no meaning"),
        ("1 2 3 4N 5E", "more than degrees, minutes and seconds"),
        ("36432N 068513E", "neither degrees nor run-together"),
        ("3643N 6851E", "neither degrees nor run-together"),
        ("nan, 36", "belongs to no coordinate"),
        ("1e1, 36", "comma stands inside"),
        ("٣٦.7, 68.8", "belongs to no coordinate"),
        ("36ſ 68E", "belongs to no coordinate"),
        ("42SVF87694636", "names a square"),
        ("42SVF876946360", "names a square"),
        ("42TVF8769463602", "grid zone 42T"),
        ("61SVF8769463602", "no such MGRS square"),
        ("42SZZ8769463602", "no such MGRS square"),
        ("", "no position"),
        (" \t", "no position"),
        ("1" * 121, "too long"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidPositionError, match=reason):
        parse_position(text)


def test_a_position_is_echoed_in_all_notations() -> None:
    said = echo(KUNDUZ)
    assert said.decimal == "36.7180306, 68.8622111"
    assert said.dms == "36°43'04.9102\"N 068°51'43.9600\"E"
    assert said.mgrs == "42SVF8769463602"


def test_long_repetitive_text_is_refused_at_once() -> None:
    started = time.perf_counter()
    for text in ("1 " * 60, "'" * 120, "N" * 120, "с " * 60, "1." * 60, "-1" * 60):
        with pytest.raises(InvalidPositionError):
            parse_position(text)
    assert time.perf_counter() - started < 1.0


@pytest.mark.parametrize(
    ("text", "reference", "tmm"),
    [
        ("FL350", AltitudeReference.FL, 106_680_000),
        ("fl 5", AltitudeReference.FL, 1_524_000),
        ("35000 ft FL", AltitudeReference.FL, 106_680_000),
        ("2500ft AMSL", AltitudeReference.AMSL, 7_620_000),
        ("2500 feet MSL", AltitudeReference.AMSL, 7_620_000),
        ("1000 m W84", AltitudeReference.W84, 10_000_000),
        ("-12.5 m WGS84", AltitudeReference.W84, -125_000),
        ("400 ft AGL", AltitudeReference.AGL, 1_219_200),
    ],
)
def test_altitudes_are_read_with_unit_and_reference(
    text: str, reference: AltitudeReference, tmm: int
) -> None:
    assert parse_altitude(text) == Altitude(reference, tmm)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2500", "add the unit and the reference"),
        ("2500 ft", "measured from"),
        ("35,000 ft AMSL", "without a comma"),
        ("2500 yd AMSL", "cannot be read"),
        ("2500 ft QNH", "cannot be read"),
        ("FL3500", "cannot be read"),
        ("nan ft AMSL", "cannot be read"),
        ("400000 ft AMSL", "out of range"),
        ("low", "cannot be read"),
        ("9" * 50, "cannot be read"),
    ],
)
def test_an_altitude_without_unit_or_reference_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InvalidAltitudeError, match=reason):
        parse_altitude(text)


def test_surface_and_unlimited_take_the_reference_of_the_other_limit() -> None:
    assert parse_altitude("SFC") is OpenLimit.SURFACE
    assert parse_altitude("unl") is OpenLimit.UNLIMITED
    assert parse_band("SFC", "FL100").reference is AltitudeReference.FL
    assert parse_band("400 ft AGL", "UNL").upper_tmm is None
    assert parse_band("SFC", "UNL").lower_tmm is None


def test_a_band_from_two_references_or_upside_down_is_refused() -> None:
    with pytest.raises(InvalidAltitudeError, match="different references"):
        parse_band("400 ft AGL", "FL100")
    for lower, upper in (("UNL", "SFC"), ("FL100", "SFC"), ("FL200", "FL100")):
        with pytest.raises(InvalidAltitudeError, match="floor is above"):
            parse_band(lower, upper)


def test_a_pressure_altitude_between_levels_is_written_in_feet() -> None:
    assert format_altitude(Altitude(AltitudeReference.FL, 3_048 * 35_050)) == "35050 ft FL"
    assert format_altitude(Altitude(AltitudeReference.FL, 304_800)) == "FL001"
    assert format_altitude(Altitude(AltitudeReference.AMSL, 5)) == "0.0005 m AMSL"


def test_distances_heights_and_durations_carry_their_unit() -> None:
    assert parse_distance("10 NM") == 18_520_000
    assert parse_distance("2.5km") == 2_500_000
    assert parse_height("500 ft") == 1_524_000
    assert parse_duration("5 min") == 300_000
    assert parse_duration("10m") == parse_duration("10 min") == 600_000
    with pytest.raises(InvalidGeometryError, match="number and its unit"):
        parse_distance("10")
    with pytest.raises(InvalidGeometryError):
        parse_distance("-1 m")
    with pytest.raises(InvalidAltitudeError):
        parse_height("500")
    with pytest.raises(InvalidTimeError):
        parse_duration("soon")
