"""A file with protected sites: what is read, and what is refused without a word of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from deconflict.cli import main
from deconflict.cli.site_list import read_site_list
from deconflict.errors import InvalidInputError

SITE = {"label": "hospital", "lat": 36.2, "lon": 37.15, "radius_m": 2_000}
READ = {"label": "hospital", "lat_e7": 362_000_000, "lon_e7": 371_500_000, "radius_mm": 2_000_000}


def feature(kind: str = "Point", coordinates: Any = (37.15, 36.2), **other: Any) -> dict[str, Any]:
    properties = {"label": "hospital", "radius": "2 km"} | other
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


RING = [[[37.0, 36.0], [37.1, 36.0], [37.1, 36.1], [37.0, 36.0]]]


def listed(folder: Path, given: Any) -> list[dict[str, Any]]:
    file = folder / "sites.json"
    file.write_text(given if isinstance(given, str) else json.dumps(given), encoding="utf-8")
    return read_site_list(file)


@pytest.mark.parametrize(
    "given",
    [
        [SITE],
        {"type": "FeatureCollection", "features": [feature()]},
        feature(),
        feature(radius=None, radius_m=2_000),
        feature(coordinates=[37.15, 36.2, 300.0]),
    ],
)
def test_a_list_is_json_or_geojson_of_points(tmp_path: Path, given: Any) -> None:
    assert listed(tmp_path, given) == [READ]


def test_a_radius_is_never_rounded_down(tmp_path: Path) -> None:
    (found,) = listed(tmp_path, [SITE | {"radius_m": 100.0001}])
    assert found["radius_mm"] == 100_001


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (feature("Polygon", RING), "it is a Polygon, and a protected site is a point"),
        (feature("LineString", [[37.0, 36.0], [37.1, 36.1]]), "it is a LineString"),
        (feature("Point", []), "it has no place"),
        (feature("Point", ["37.15", 36.2]), "lon is missing, or no number"),
        (feature("Point", [36.2, 137.15]), "lat is out of range"),
        (feature(radius="2 parsecs"), "its radius is no distance"),
        (feature(radius=None), "radius_m is missing"),
        (SITE | {"lat": 91}, "lat is out of range"),
        (SITE | {"lat": float("nan")}, "lat is out of range"),
        (SITE | {"lon": True}, "lon is missing, or no number"),
        (SITE | {"radius_m": 0}, "its radius is out of range"),
        (SITE | {"radius_m": 1e7}, "its radius is out of range"),
        (SITE | {"radius_m": float("inf")}, "its radius is out of range"),
        (SITE | {"label": "x" * 201}, "its label is no short text"),
        (SITE | {"label": 5}, "its label is no short text"),
        ("hospital", "it is no object"),
    ],
)
def test_what_is_no_site_is_refused_by_its_number_and_nothing_of_it_is_shown(
    tmp_path: Path, wrong: Any, told: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        listed(tmp_path, [SITE, wrong])
    said = str(refused.value)
    assert f"site 2 of 2: {told}" in said
    assert not [secret for secret in ("hospital", "37.15", "36.2", "xx") if secret in said]
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("given", ["", "[", "[]", "{}", "5", '{"type":"FeatureCollection"}'])
def test_what_is_no_list_is_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(InvalidInputError, match="no list of sites"):
        listed(tmp_path, given)


def test_the_command_says_which_site_is_wrong_before_it_asks_a_node(tmp_path: Path) -> None:
    file = tmp_path / "sites.geojson"
    file.write_text(json.dumps([feature("Polygon", RING)]))
    told = CliRunner().invoke(main, ["private", "sites", "set", str(file), "--node", str(tmp_path)])
    assert told.exit_code == 2
    assert "site 1 of 1: it is a Polygon" in told.output
