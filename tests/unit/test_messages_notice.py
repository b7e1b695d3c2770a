"""Short notice (R13), places outside, impossible speeds (R24), third parties (R26)."""

import pytest

from deconflict.airspace import Position
from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.trajectory import Trajectory, Waypoint
from deconflict.airspace.volume import Volume
from deconflict.errors import InvalidPositionError
from deconflict.messages.declaration import Purpose
from deconflict.messages.notice import (
    implausible_leg,
    lead_time_shortfall,
    outside_theatre,
    require_not_exchanged,
    third_parties_concerned,
)
from deconflict.messages.terms import ThirdParty
from deconflict.messages.theatre import contains
from messages_samples import START_MS, THIRD, activity, circle, flight, place, polygon, terms

MINUTE_MS = 60_000


@pytest.mark.parametrize(("minutes", "short"), [(60, False), (15, False), (14, True), (-5, True)])
def test_notice_shorter_than_the_terms_say_is_told(minutes: int, short: bool) -> None:
    found = lead_time_shortfall(activity(), START_MS - minutes * MINUTE_MS, terms())
    assert (found is not None) is short
    if found is not None:
        assert found.notice_ms == minutes * MINUTE_MS
        assert found.least_ms == 15 * MINUTE_MS


def test_a_flight_counts_from_the_earliest_it_may_be_there() -> None:
    sent_ms = START_MS - 15 * MINUTE_MS  # its containment in time begins a minute earlier
    found = lead_time_shortfall(flight(), sent_ms, terms())
    assert found is not None
    assert found.notice_ms == 14 * MINUTE_MS


def test_own_presence_may_be_told_of_when_it_begins() -> None:
    presence = activity(purpose=Purpose.OWN_PRESENCE)
    assert lead_time_shortfall(presence, START_MS, terms()) is None


def test_a_protected_site_has_a_day() -> None:
    site = activity(purpose=Purpose.PROTECTED_SITE)
    assert lead_time_shortfall(site, START_MS - 23 * 60 * MINUTE_MS, terms()) is not None
    assert lead_time_shortfall(site, START_MS - 24 * 60 * MINUTE_MS, terms()) is None


def test_a_declaration_inside_the_theatre_is_plausible() -> None:
    assert outside_theatre(activity(), terms()) is None
    assert outside_theatre(flight(), terms()) is None


def test_swapped_latitude_and_longitude_are_suspected() -> None:
    found = outside_theatre(activity(circle(40.14079, 35.17572)), terms())
    assert found is not None
    assert found.position == place(40.14079, 35.17572)
    assert found.swapped == place(35.17572, 40.14079)


def test_a_far_place_is_outside_without_that_suspicion() -> None:
    found = outside_theatre(activity(circle(-10, 120)), terms())
    assert found is not None
    assert found.swapped is None


def test_one_stray_corner_is_found() -> None:
    stray = polygon((35, 36), (35, 37), (36, 37), (36, 3.6))
    found = outside_theatre(activity(stray), terms())
    assert found is not None
    assert found.position == place(36, 3.6)


def test_places_exchanged_throughout_are_refused_with_what_they_would_be() -> None:
    wrong = activity(polygon((40.1, 35.1), (40.2, 35.1), (40.2, 35.2)))
    with pytest.raises(InvalidPositionError, match="latitude and longitude") as refused:
        require_not_exchanged(wrong, terms())
    assert refused.value.given == "40.1000000, 35.1000000, outside Syria"
    assert "35.1000000, 40.1000000" in refused.value.expected
    assert "--as-written" in refused.value.remedy


@pytest.mark.parametrize(
    "meant",
    [
        pytest.param(circle(35.2, 40.1), id="inside"),
        pytest.param(circle(-10, 120), id="outside either way"),
        pytest.param(polygon((35, 36), (35, 37), (36, 37), (40.1, 35.1)), id="one corner only"),
    ],
)
def test_places_not_exchanged_throughout_are_not_refused(meant: Volume) -> None:
    require_not_exchanged(activity(meant), terms())


def test_terms_without_an_outline_have_no_outside() -> None:
    assert outside_theatre(activity(circle(-10, 120)), terms(outline=None)) is None
    require_not_exchanged(activity(circle(40.1, 35.1)), terms(outline=None))


def test_third_parties_are_named_where_the_declaration_may_touch_them() -> None:
    everywhere = ThirdParty("Crews on the coast", None)
    agreed = terms(third_parties=[THIRD, everywhere])
    near = activity(circle(35.5, 36.5))
    assert third_parties_concerned(near, agreed) == ("Third", "Crews on the coast")
    far = activity(circle(35.2, 40.1))
    assert third_parties_concerned(far, agreed) == ("Crews on the coast",)
    wide = activity(circle(35.2, 40.1, 300_000_000))
    assert "Third" in third_parties_concerned(wide, agreed)
    assert third_parties_concerned(near, terms()) == ()


SQUARE = [place(10, 10), place(10, 20), place(20, 20), place(20, 10)]
OVER_ANTIMERIDIAN = [place(-5, 175), place(-5, -175), place(5, -175), place(5, 175)]
ROUND_POLE = [place(80, -180), place(80, -90), place(80, 0), place(80, 90)]


@pytest.mark.parametrize(
    ("ring", "inside", "outside"),
    [
        (SQUARE, [place(15, 15), place(10.1, 10.1), place(10, 10)], [place(9, 15), place(21, 15)]),
        (OVER_ANTIMERIDIAN, [place(0, 179.9), place(0, -179.9)], [place(0, 0), place(0, 170)]),
        (ROUND_POLE, [place(90, 0), place(89, 45)], [place(75, 0), place(-90, 0)]),
    ],
)
def test_inside_is_told_from_outside_anywhere(
    ring: list[Position], inside: list[Position], outside: list[Position]
) -> None:
    for way_round in (ring, ring[::-1]):
        assert all(contains(way_round, point) for point in inside)
        assert not any(contains(way_round, point) for point in outside)


def test_the_far_side_of_the_earth_is_outside() -> None:
    assert not contains(SQUARE, place(-15, -165))


def test_an_edge_belongs_to_the_ring() -> None:
    meridian_edge = place(15, 10)
    assert contains(SQUARE, meridian_edge)


def flown(*waypoints: tuple[float, float, float, int]) -> Trajectory:
    """A flight through (seconds, latitude, longitude, feet)."""
    return Trajectory(
        AltitudeReference.AMSL,
        tuple(
            Waypoint(START_MS + int(after_s * 1_000), place(lat, lon), feet * 3_048)
            for after_s, lat, lon, feet in waypoints
        ),
    )


def test_a_flight_as_aircraft_fly_is_plausible() -> None:
    assert implausible_leg(flight()) is None
    assert implausible_leg(activity()) is None


def test_a_waypoint_whose_places_are_exchanged_is_a_leg_that_nobody_flies() -> None:
    wrong = flown((0, 35.1, 40.1, 30_000), (600, 40.3, 35.3, 30_000), (1_200, 35.5, 40.5, 30_000))
    found = implausible_leg(flight(geometry=wrong))
    assert found is not None
    assert not found.too_steep
    assert found.length_m / (found.duration_ms / 1_000) > 1_000
    assert found.start in wrong.waypoints


@pytest.mark.parametrize(("seconds", "told"), [(112, False), (110, True)])
def test_a_kilometre_a_second_is_the_edge(seconds: int, told: bool) -> None:
    leg = flown((0, 36.0, 36.0, 30_000), (seconds, 37.0, 36.0, 30_000))  # 110,973 m of meridian
    assert (implausible_leg(flight(geometry=leg)) is not None) is told


def test_a_flight_level_written_in_feet_is_a_climb_that_nobody_flies() -> None:
    wrong = flown((0, 35.1, 40.1, 300), (60, 35.2, 40.1, 30_000), (600, 35.9, 40.5, 300_000))
    steep = flown((0, 35.1, 40.1, 300), (20, 35.12, 40.1, 30_000))
    assert implausible_leg(flight(geometry=wrong)) is None  # 170 m/s: some do
    found = implausible_leg(flight(geometry=steep))
    assert found is not None
    assert found.too_steep
    assert (found.height_tmm, found.duration_ms) == (29_700 * 3_048, 20_000)
