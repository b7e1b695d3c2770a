"""Legs that no aircraft flies: which are told, and how."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from deconflict.airspace.geodesy import inverse
from deconflict.airspace.position import Position
from deconflict.cli import main
from deconflict.messages.words import find_banned
from deconflict.separation import Flights
from deconflict.separation.plausible import implausible_legs

DEGREE_M = 111_319.49079327358  # of the equator


def flights(*ways: list[tuple[float, float, float, float]]) -> Flights:
    """Return flights through (seconds, latitude, longitude, metres)."""
    points = np.array([point for way in ways for point in way])
    return Flights.of(
        dict(zip(("time_s", "lat_deg", "lon_deg", "altitude_m"), points.T, strict=True)),
        offsets=np.cumsum([0, *map(len, ways)]),
        reference="AMSL",
    )


@pytest.mark.parametrize(
    ("way", "odd"),
    [
        ([(0, 0, 0, 0), (DEGREE_M / 1000.01, 0, 1, 0)], True),
        ([(0, 0, 0, 0), (DEGREE_M / 999.99, 0, 1, 0)], False),
        ([(0, 0, 179.5, 0), (DEGREE_M / 999.99, 0, -179.5, 0)], False),
        ([(0, 0, 0, 0), (10, 0, 0, 4_000.1)], True),
        ([(0, 0, 0, 0), (10, 0, 0, 4_000)], False),
        ([(0, 0, 0, 8_000), (10, 0, 0, 0)], True),
        ([(0, 89.9, 0, 0), (60, 89.9, 180, 0)], False),
    ],
)
def test_only_what_is_over_a_limit_is_told(
    way: list[tuple[float, float, float, float]], odd: bool
) -> None:
    found = implausible_legs(flights(way))
    assert (found.legs, found.flights) == (int(odd), int(odd))


LEG = st.tuples(
    st.floats(-90, 90), st.floats(-180, 180), st.floats(-60, 60), st.floats(-180, 180),
    st.floats(0.995, 1.005),
)  # fmt: skip


@given(LEG)
def test_the_geodesic_decides(leg: tuple[float, float, float, float, float]) -> None:
    lat, lon, north, east, by = leg
    to = max(-90.0, min(90.0, lat + north)), (lon + east + 540.0) % 360.0 - 180.0
    length_m = inverse(Position.from_degrees(lat, lon), Position.from_degrees(*to)).distance_m
    if not 1.0 < length_m < 19_800_000.0:
        return
    found = implausible_legs(flights([(0, lat, lon, 0), (length_m * by / 1000.0, *to, 0)]))
    if abs(by - 1.0) > 1e-5:  # positions are rounded to 11 mm before they are measured
        assert found.legs == (1 if by < 1.0 else 0)


def test_each_flight_is_told_by_its_worst_leg_and_the_worst_first() -> None:
    slow = [(0, 10, 10, 0), (1000, 10, 10.1, 0)]
    fast = [(0, 0, 0, 0), (10, 0, 1, 0), (15, 0, 2, 0), (16, 0, 2, 0)]
    faster = [(0, 0, 50, 0), (1, 0, 51, 0)]
    found = implausible_legs(flights(slow, fast, faster, slow))
    assert (found.flights, found.legs) == (2, 3)
    assert [(leg.flight, leg.leg) for leg in found.worst] == [(2, 0), (1, 1)]
    assert len(implausible_legs(flights(slow, fast, faster), most=1).worst) == 1


def test_from_one_flight_to_the_next_is_no_leg(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = [[(0, k, k, 0), (1000, k, k + 0.1, 0)] for k in range(-40, 40, 10)]
    for part in (1, 2, 3, 5, 1_000):
        monkeypatch.setattr("deconflict.separation.plausible.PART", part)
        assert implausible_legs(flights(*ways)).legs == 0
    assert implausible_legs(Flights.none()).legs == 0


def test_a_screen_counts_them_and_names_a_few(tmp_path: Path) -> None:
    file = tmp_path / "fast.csv"
    rows = [f"F{k},{t},{k},{t / 10},0,AMSL" for k in range(30) for t in (0, 10)]
    head = "flight,time_s,lat_deg,lon_deg,altitude_ft,altitude_reference"
    file.write_text("\n".join([head, *rows]) + "\n")
    words = ["screen", str(file), "--minima", "1NM,1000ft"]
    told = CliRunner().invoke(main, words)
    assert told.exit_code == 0
    assert "30 legs of 30 flights are faster than any aircraft flies" in told.stdout
    assert "F0, leg 1 from 1970-01-01 00:00:00.000Z: 60.1 NM (111.3 km) in 10 s" in told.stdout
    assert "fast.csv: line 2" in told.stdout
    assert "and 25 other flights" in told.stdout
    assert len(told.stdout.splitlines()) < 15
    assert find_banned(told.stdout) == ()
    view = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)["implausible"]
    assert (view["flights"], view["legs"], len(view["worst"])) == (30, 30, 20)
    assert view["worst"][0]["speed_mps"] == pytest.approx(DEGREE_M / 10)
