"""A geometry line by line, as it is said back to who declares it and shown to who reads it."""

from typing import Any

import pytest

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Containment,
    Corridor,
    Geometry,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
    geometry_to_wire,
    parse_utc,
)
from deconflict.airspace.landmark import Landmark
from deconflict.airspace.notation import echo
from deconflict.cli.echoing import echo_declarations
from deconflict.cli.places import geometry_lines
from deconflict.cli.record import _show_geometry

START_MS = parse_utc("2015-10-01T06:00:00Z")
SPAN = TimeSpan(START_MS, START_MS + 3_600_000)
BAND = AltitudeBand(AltitudeReference.AMSL, None, 30_480_000)
PLACES = tuple(Position.from_degrees(35 + n / 10, 36 + n / 10) for n in range(12))
ALONG: Geometry = (Volume(Corridor(PLACES, 5_556_000), BAND, SPAN),)
FLIGHT = Trajectory(
    AltitudeReference.FL,
    tuple(Waypoint(START_MS + 600_000 * n, at, 64_008_000) for n, at in enumerate(PLACES)),
    Containment(1_852_000, 1_524_000, 30_000),
)


def test_a_flight_has_a_time_and_an_altitude_at_each_place() -> None:
    lines = list(geometry_lines(FLIGHT))
    assert lines[0] == "trajectory of 12 waypoints"
    assert "1.00 NM (1.85 km) aside" in lines[1]
    for number, (line, place) in enumerate(zip(lines[2:], PLACES, strict=True), start=1):
        at = f"2015-10-01 {6 + (number - 1) // 6:02}:{(number - 1) % 6}0:00Z"
        assert line.startswith(f"  {number}. {at}, FL210 (21000 ft pressure altitude, 6400.8 m): ")
        written = echo(place)
        assert {written.decimal, written.dms, written.mgrs} <= set(
            line.partition("): ")[2].split(" · ")
        )


def test_a_corridor_has_its_path_half_width_altitudes_and_times() -> None:
    lines = list(geometry_lines(ALONG, [Landmark("Tower", PLACES[0])]))
    assert lines[0] == "corridor 3.00 NM (5.56 km) to each side of a path of 12 places"
    assert lines[1] == "  from the surface to 10000 ft above mean sea level (3048 m)"
    assert lines[2] == "  from 2015-10-01 06:00:00Z to 2015-10-01 07:00:00Z"
    assert len(lines) == 3 + 12
    assert "from Tower" in lines[-1]


def test_every_part_is_told() -> None:
    parts = (*ALONG, Volume(Polygon((*PLACES[:2], Position.from_degrees(35, 37))), BAND, SPAN))
    lines = list(geometry_lines(parts))
    assert "polygon of 3 corners" in lines
    assert len(lines) == 3 + 12 + 3 + 3


def draft(**more: Any) -> dict[str, Any]:
    return {"purpose": "OWN_PRESENCE", "geometry": geometry_to_wire(ALONG), **more}


def test_the_echo_says_label_and_drill_and_counts_what_it_leaves_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    echo_declarations([draft(label="camp\x1b[2J")] * 7, [], drill=True)
    told = capsys.readouterr().out
    assert "1. DRILL: own presence, labelled camp\ufffd[2J" in told
    assert "... and 4 more places" in told
    assert "... and 2 more declarations" in told
    echo_declarations([draft(label=None)], [])
    told = capsys.readouterr().out
    assert "DRILL" not in told
    assert "labelled" not in told


def test_a_message_of_the_log_shows_every_place(capsys: pytest.CaptureFixture[str]) -> None:
    _show_geometry({"body": {"declaration": draft()}})
    told = capsys.readouterr().out
    assert all(echo(place).mgrs in told for place in PLACES)
    for body in ({}, {"declaration": "d1"}, {"declaration": {"geometry": {}}}):
        _show_geometry({"body": body})
    assert capsys.readouterr().out == ""
