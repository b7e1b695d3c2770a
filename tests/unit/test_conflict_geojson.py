"""Conflicts as GeoJSON: what a map draws of each lies between the two places, anywhere on Earth."""

import json
from pathlib import Path

import pytest

from deconflict.formats.conflict_files import write_conflicts
from deconflict.separation.flights import Flights
from deconflict.separation.screening import screen

Place = tuple[float, float]  # latitude, longitude


def hovering(*places: Place) -> Flights:
    return Flights.of(
        {
            "lat_deg": [place[0] for place in places for _ in range(2)],
            "lon_deg": [place[1] for place in places for _ in range(2)],
            "time_s": [0.0, 60.0] * len(places),
            "altitude_fl": [100.0] * 2 * len(places),
        },
        offsets=range(0, 2 * len(places) + 1, 2),
    )


def geometry_of(tmp_path: Path, one: Place, other: Place, minima: str) -> dict[str, object]:
    found = screen(hovering(one, other), minima=minima)
    assert len(found) == 1
    write_conflicts(found, tmp_path / "found.geojson")
    (feature,) = json.loads((tmp_path / "found.geojson").read_text())["features"]
    assert "first_lat_deg" not in feature["properties"]
    assert isinstance(feature["geometry"], dict)
    return feature["geometry"]


@pytest.mark.parametrize("south", [1.0, -1.0], ids=["north", "south"])
@pytest.mark.parametrize(
    ("one", "other", "kind", "drawn"),
    [
        # The line would be 93 km long around the pole; they are 2.2 km apart across it.
        ((89.99, 0.0), (89.99, 170.0), "MultiPoint", [[0.0, 89.99], [170.0, 89.99]]),
        ((89.99, -80.0), (89.98, 30.0), "MultiPoint", [[-80.0, 89.99], [30.0, 89.98]]),
        ((89.99, 10.0), (89.95, 10.0), "LineString", [[10.0, 89.99], [10.0, 89.95]]),
        ((89.95, 10.0), (89.95, 12.0), "LineString", [[10.0, 89.95], [12.0, 89.95]]),
        ((90.0, 0.0), (90.0, 120.0), "Point", [120.0, 90.0]),
        ((90.0, 0.0), (89.95, 120.0), "LineString", [[120.0, 90.0], [120.0, 89.95]]),
        ((89.95, -120.0), (90.0, 77.0), "LineString", [[-120.0, 89.95], [-120.0, 90.0]]),
        ((89.99, 179.0), (89.99, -179.0), "MultiPoint", [[179.0, 89.99], [-179.0, 89.99]]),
    ],
)
def test_a_conflict_beside_a_pole_is_no_line_round_it(
    tmp_path: Path, one: Place, other: Place, kind: str, drawn: list[object], south: float
) -> None:
    places = [(south * lat, lon) for lat, lon in (one, other)]
    drawn_there = json.loads(json.dumps(drawn))
    for place in [drawn_there] if kind == "Point" else drawn_there:
        place[1] *= south
    made = geometry_of(tmp_path, places[0], places[1], "5NM,1000ft")
    assert made == {"type": kind, "coordinates": drawn_there}


@pytest.mark.parametrize(
    ("one", "other", "minima", "kind"),
    [
        ((0.0, 0.0), (0.0, 0.08), "5NM,1000ft", "LineString"),
        ((60.0, 20.0), (60.0, 28.0), "300NM,1000ft", "LineString"),
        ((75.0, 20.0), (76.0, 30.0), "300NM,1000ft", "LineString"),
        ((48.0, 8.0), (48.0, 8.0), "5NM,1000ft", "Point"),
        ((48.0, 8.0), (48.0, 8.0000001), "5NM,1000ft", "LineString"),
        ((10.0, 179.97), (10.0, -179.97), "5NM,1000ft", "MultiPoint"),
    ],
)
def test_elsewhere_a_conflict_is_a_line_unless_it_crosses_the_antimeridian(
    tmp_path: Path, one: Place, other: Place, minima: str, kind: str
) -> None:
    assert geometry_of(tmp_path, one, other, minima)["type"] == kind
