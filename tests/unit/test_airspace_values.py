"""Positions, altitudes, times: what exists is valid, what cannot be is refused with a reason."""

import math

import pytest

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Containment,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
    format_utc,
    merge_repeated,
    parse_utc,
    span_of,
)
from deconflict.airspace.geodesy import direct, inverse
from deconflict.airspace.landmark import Landmark, bearing_from
from deconflict.errors import (
    InvalidAltitudeError,
    InvalidGeometryError,
    InvalidInputError,
    InvalidPositionError,
    InvalidTimeError,
)


def test_longitude_180_is_minus_180() -> None:
    assert Position.from_degrees(0, 180.0) == Position.from_degrees(0, -180.0)
    assert Position.from_degrees(0, 179.99999999) == Position(0, -1_800_000_000)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_coordinate_that_is_no_finite_number_is_refused(bad: float) -> None:
    for lat, lon in ((bad, 0.0), (0.0, bad)):
        with pytest.raises(InvalidPositionError, match="finite"):
            Position.from_degrees(lat, lon)


def test_a_swapped_position_is_refused_saying_so() -> None:
    with pytest.raises(InvalidPositionError, match="swapped"):
        Position.from_degrees(137.16, 36.2)
    with pytest.raises(InvalidPositionError, match="swapped"):
        Position(1_371_600_000, 362_000_000)


def test_a_latitude_out_of_range_that_no_swap_explains_is_not_called_swapped() -> None:
    with pytest.raises(InvalidPositionError) as caught:
        Position.from_degrees(95.0, 170.0)
    assert "swapped" not in str(caught.value)


@pytest.mark.parametrize(
    ("lat", "lon"), [(0, 1_800_000_000), (0, -1_800_000_001), (900_000_001, 0)]
)
def test_whole_numbers_out_of_range_are_refused(lat: int, lon: int) -> None:
    with pytest.raises(InvalidPositionError, match="out of range"):
        Position(lat, lon)


def test_a_position_takes_whole_numbers_only() -> None:
    for bad in (1.0, True, "1"):
        with pytest.raises(InvalidPositionError, match="whole number"):
            Position(bad, 0)  # type: ignore[arg-type]


def test_a_pole_is_one_place_whatever_its_longitude() -> None:
    north = Position(900_000_000, 0)
    assert north.is_same_place(Position(900_000_000, 1))
    assert not north.is_same_place(Position(-900_000_000, 0))
    assert not Position(0, 0).is_same_place(Position(0, 1))


def test_a_floor_above_the_ceiling_is_refused_and_one_level_is_not() -> None:
    assert AltitudeBand(AltitudeReference.AMSL, 5, 5).upper_tmm == 5
    with pytest.raises(InvalidAltitudeError, match="floor is above the ceiling"):
        AltitudeBand(AltitudeReference.AMSL, 6, 5)


def test_an_altitude_out_of_range_is_refused() -> None:
    for bad in (1_000_000_001, -100_000_001):
        with pytest.raises(InvalidAltitudeError, match="out of range"):
            AltitudeBand(AltitudeReference.W84, None, bad)


def test_an_unknown_reference_is_refused() -> None:
    with pytest.raises(InvalidAltitudeError, match="unknown altitude reference"):
        AltitudeBand("QNH", None, None)  # type: ignore[arg-type]
    way = (Waypoint(0, Position(0, 0), 0), Waypoint(1, Position(0, 0), 0))
    with pytest.raises(InvalidAltitudeError, match="unknown altitude reference"):
        Trajectory("QNH", way)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("in 10 minutes", "relative"),
        ("tomorrow 06:00Z", "relative"),
        ("через 10 минут", "relative"),
        ("завтра", "relative"),
        ("2015-09-30T06:12:00", "zone is missing"),
        ("2015-09-30 06:12", "zone is missing"),
        ("2015-09-30T06:12:00 EST", "ambiguous"),
        ("2015-09-30T06:12:00MSK", "ambiguous"),
        ("2015-09-30T06:12:00 Europe/Moscow", "ambiguous"),
        ("2015-09-30T06:12:00+03:00", "not an offset"),
        ("2015-09-30T06:12:00-0500", "not an offset"),
        ("2015-09-30T06:12:00+00:00", "not an offset"),
        ("2015-06-30T23:59:60Z", "leap second"),
        ("2015-02-30T06:12:00Z", "no such time"),
        ("2015-09-30T06:12Z", "cannot be read"),
        ("2015-09-30t06:12:00z", "cannot be read"),
        ("2015-09-30T06:12:00.123456Z", "cannot be read"),
        ("٢٠١٥-09-30T06:12:00Z", "cannot be read"),
        ("1969-12-31T23:59:59Z", "out of range"),
        ("2200-01-01T00:00:00Z", "out of range"),
        ("", "cannot be read"),
        ("2" * 65, "too long"),
    ],
)
def test_a_time_that_is_not_utc_is_refused_with_its_own_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidTimeError, match=reason):
        parse_utc(text)


def test_utc_is_read_to_the_millisecond() -> None:
    assert parse_utc("1970-01-01T00:00:01.007Z") == 1007
    assert format_utc(1007) == "1970-01-01T00:00:01.007Z"
    assert parse_utc("2199-12-31T23:59:59.999Z") + 1 == parse_utc("2199-12-31T23:59:59Z") + 1000


def test_an_end_that_is_not_after_the_start_is_refused() -> None:
    for end in (5, 4):
        with pytest.raises(InvalidTimeError, match="end is not after the start"):
            TimeSpan(5, end)


def _way(at_ms: int, lat: float, lon: float, altitude_tmm: int = 0) -> Waypoint:
    return Waypoint(at_ms, Position.from_degrees(lat, lon), altitude_tmm)


def _flight(*way: Waypoint, containment: Containment = Containment()) -> Trajectory:  # noqa: B008
    return Trajectory(AltitudeReference.FL, way, containment)


def test_one_time_at_two_places_is_a_jump() -> None:
    with pytest.raises(InvalidGeometryError, match="jumps"):
        _flight(_way(0, 35, 36), _way(0, 35, 37))


def test_one_time_at_two_altitudes_is_a_jump() -> None:
    with pytest.raises(InvalidGeometryError, match="jumps"):
        _flight(_way(0, 35, 36, 1), _way(0, 35, 36, 2))


def test_times_that_run_backwards_are_refused() -> None:
    with pytest.raises(InvalidGeometryError, match="backwards"):
        _flight(_way(1, 35, 36), _way(0, 35, 37))


def test_a_repeated_waypoint_is_refused_and_merging_drops_it() -> None:
    twice = (_way(0, 35, 36), _way(0, 35, 36), _way(1, 35, 37))
    with pytest.raises(InvalidGeometryError, match="repeated"):
        _flight(*twice)
    assert len(_flight(*merge_repeated(twice)).waypoints) == 2


def test_merging_leaves_a_jump_to_be_refused() -> None:
    assert len(merge_repeated([_way(0, 35, 36), _way(0, 35, 37)])) == 2


def test_hovering_is_a_leg() -> None:
    assert _flight(_way(0, 35, 36), _way(9, 35, 36)).span == TimeSpan(0, 9)


def test_a_leg_to_the_antipode_is_refused() -> None:
    with pytest.raises(InvalidGeometryError, match="19,900 km"):
        _flight(_way(0, 0, 0), _way(99_999_999, 0, 179.9))


def test_the_span_of_a_flight_holds_its_time_containment() -> None:
    flight = _flight(
        _way(10_000, 35, 36), _way(20_000, 35, 37), containment=Containment(0, 0, 3_000)
    )
    assert span_of(flight) == TimeSpan(7_000, 23_000)


def test_the_span_of_volumes_runs_from_the_first_to_the_last() -> None:
    band = AltitudeBand(AltitudeReference.AMSL, None, None)
    circle = Circle(Position(0, 0), 1)
    spans = (TimeSpan(50, 60), TimeSpan(10, 20))
    assert span_of(tuple(Volume(circle, band, span) for span in spans)) == TimeSpan(10, 60)


def test_no_volumes_are_no_geometry() -> None:
    with pytest.raises(InvalidGeometryError, match="too few"):
        span_of(())


def test_containment_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidGeometryError, match="to each side"):
        Containment(lateral_mm=-1)
    with pytest.raises(InvalidAltitudeError, match="above and below"):
        Containment(vertical_tmm=-1)
    with pytest.raises(InvalidTimeError, match="time_ms"):
        Containment(time_ms=86_400_001)


def test_direct_undoes_inverse_within_the_grid_of_positions() -> None:
    start, end = Position.from_degrees(-33.9, 18.4), Position.from_degrees(51.5, -0.1)
    distance_m, azimuth_deg, back_deg = inverse(start, end)
    assert direct(start, azimuth_deg, distance_m) == end
    assert direct(end, back_deg, distance_m) == start


def test_the_nearest_landmark_gives_distance_and_true_bearing() -> None:
    marks = [
        Landmark("Aleppo citadel", Position.from_degrees(36.1992, 37.1626)),
        Landmark("Latakia harbour", Position.from_degrees(35.5163, 35.7719)),
    ]
    seen = bearing_from(marks, Position.from_degrees(35.5163, 35.8719))
    assert seen is not None
    assert seen.landmark.name == "Latakia harbour"
    assert seen.distance_m == pytest.approx(9069, abs=5)
    assert seen.bearing_deg == pytest.approx(90, abs=0.1)


def test_without_landmarks_there_is_no_bearing() -> None:
    assert bearing_from([], Position(0, 0)) is None


def test_landmarks_equally_near_are_taken_by_name() -> None:
    place = Position(0, 0)
    marks = [Landmark("B", place), Landmark("A", place)]
    seen = bearing_from(marks, place)
    assert seen is not None
    assert (seen.landmark.name, seen.distance_m, seen.bearing_deg) == ("A", 0.0, 0.0)


@pytest.mark.parametrize("name", ["", "x" * 81, "a\nb"])
def test_a_landmark_name_that_cannot_be_said_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="landmark"):
        Landmark(name, Position(0, 0))


def test_a_refusal_shows_feet_and_metres_and_no_field_of_ours() -> None:
    with pytest.raises(InvalidAltitudeError) as caught:
        AltitudeBand(AltitudeReference.AMSL, 27_432_000, 9_144_000)
    assert caught.value.given == "floor 9,000 ft (2,743.2 m), ceiling 3,000 ft (914.4 m)"
    with pytest.raises(InvalidAltitudeError) as caught:
        AltitudeBand(AltitudeReference.AMSL, None, 1_219_200_000)
    assert caught.value.given == "400,000 ft (121,920 m)"
    with pytest.raises(InvalidGeometryError) as refused:
        Containment(lateral_mm=-1)
    assert "mm" not in str(refused.value)
