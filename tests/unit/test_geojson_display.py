"""What is drawn: valid, cut at the antimeridian, true to its size."""

import json
from itertools import pairwise
from typing import Any

import pytest
import shapely
from pyproj import Geod
from shapely.geometry import shape

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Corridor,
    Outline,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
)
from deconflict.formats import DisplayItem, write_geojson

GEOD = Geod(ellps="WGS84")


def place(lat: float, lon: float) -> Position:
    return Position.from_degrees(lat, lon)


def drawn_rings(outline: Outline) -> list[list[list[float]]]:
    band = AltitudeBand(AltitudeReference.W84, None, None)
    drawn = write_geojson([DisplayItem((Volume(outline, band, TimeSpan(0, 1)),))])
    (feature,) = json.loads(drawn)["features"]
    return [ring for (ring,) in feature["geometry"]["coordinates"]]


def draw(outline: Outline) -> Any:
    band = AltitudeBand(AltitudeReference.FL, None, 7_620_000 * 10)
    item = DisplayItem((Volume(outline, band, TimeSpan(0, 1)),), {"who": "A"})
    (feature,) = json.loads(write_geojson([item]))["features"]
    assert feature["properties"] == {
        "shape": type(outline).__name__.lower(),
        "lower": "SFC",
        "upper": "FL250",
        "start_utc": "1970-01-01T00:00:00.000Z",
        "end_utc": "1970-01-01T00:00:00.001Z",
        "who": "A",
    }
    drawn = shape(feature["geometry"])
    west, south, east, north = drawn.bounds
    assert -180 <= west <= east <= 180
    assert -90 <= south <= north <= 90
    assert all(part.is_valid and part.exterior.is_ccw for part in drawn.geoms)
    return drawn


def area_km2(drawn: Any) -> float:
    return sum(abs(GEOD.geometry_area_perimeter(part)[0]) for part in drawn.geoms) / 1e6


@pytest.mark.parametrize(
    ("center", "parts"),
    [((35.4, 35.9), 1), ((0, 179.9), 2), ((0, -180), 2), ((89.5, 20), 1), ((-90, 0), 1)],
)
def test_a_circle_has_its_area_and_is_cut_at_the_antimeridian(
    center: tuple[float, float], parts: int
) -> None:
    drawn = draw(Circle(place(*center), 100_000_000))
    assert len(drawn.geoms) == parts
    assert area_km2(drawn) == pytest.approx(31_415, rel=0.01)


def test_a_shape_without_area_on_the_grid_is_cut_at_the_antimeridian_too() -> None:
    hair = Corridor((Position(0, -1_799_999_907), Position(-1081, 1_799_999_999)), 1)
    rings = drawn_rings(hair)
    assert [{lon > 0 for lon, _ in ring} for ring in rings] == [{True}, {False}]
    assert max(abs(lon) for ring in rings for lon, _ in ring) == 180.0


def test_a_shape_that_touches_the_antimeridian_is_one_part() -> None:
    assert (
        len(draw(Polygon((place(0, 179), place(1, 179), place(1, 180), place(0, 180)))).geoms) == 1
    )


def test_a_polygon_across_the_antimeridian_comes_in_two_parts() -> None:
    drawn = draw(Polygon((place(-1, 179), place(-1, -179), place(1, -179), place(1, 179))))
    assert len(drawn.geoms) == 2
    assert drawn.covers(shapely.Point(179.5, 0))
    assert drawn.covers(shapely.Point(-179.5, 0))
    assert not drawn.covers(shapely.Point(0, 0))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_polygon_around_a_pole_holds_the_pole(sign: int) -> None:
    ring = tuple(place(sign * 80, lon) for lon in (10, 130, -110))
    drawn = draw(Polygon(ring))
    assert len(drawn.geoms) == 1
    for lon in (-180, -60, 0, 75, 180):
        assert drawn.covers(shapely.Point(lon, sign * 89.9))
    assert not drawn.covers(shapely.Point(10, sign * 70))


@pytest.mark.parametrize("first", range(6))
@pytest.mark.parametrize(
    "lons", [(90, 100), (170, -170), (179.99995, -0.01), (0, 60, 120, 180, -90), (100, 160, -140)]
)
def test_a_polygon_with_a_vertex_at_the_pole_is_a_wedge(
    lons: tuple[float, ...], first: int
) -> None:
    vertices = [place(90, 0), *(place(80, lon) for lon in lons)]
    vertices = vertices[first % len(vertices) :] + vertices[: first % len(vertices)]
    drawn = draw(Polygon(tuple(vertices)))
    lon_deg, lat_deg = [v.lon_deg for v in vertices], [v.lat_deg for v in vertices]
    true_km2 = abs(GEOD.polygon_area_perimeter(lon_deg, lat_deg)[0]) / 1e6
    assert area_km2(drawn) == pytest.approx(true_km2, rel=0.001)
    assert drawn.bounds[3] == 90
    for west, east in pairwise(lons):
        middle = west + (east - west) % 360 / 2
        assert drawn.covers(shapely.Point((middle + 180) % 360 - 180, 89.9))


def test_a_corridor_is_drawn_at_its_full_width() -> None:
    path = (place(35, 36), place(36, 37), place(35, 38))
    drawn = draw(Corridor(path, 10_000_000))
    assert len(drawn.geoms) == 2
    whole = shapely.union_all(list(drawn.geoms))
    for point in path:
        for azimuth in range(0, 360, 15):
            lon, lat, _ = GEOD.fwd(point.lon_deg, point.lat_deg, azimuth, 9_900)
            assert whole.covers(shapely.Point(lon, lat))
    lon, lat, _ = GEOD.fwd(36, 35, 225, 10_100)
    assert not whole.covers(shapely.Point(lon, lat))


def test_a_flight_across_the_antimeridian_is_two_lines_with_geodesic_points() -> None:
    flight = Trajectory(
        AltitudeReference.FL, (Waypoint(0, place(50, 170), 0), Waypoint(9, place(50, -160), 0))
    )
    (feature,) = json.loads(write_geojson([DisplayItem(flight)]))["features"]
    drawn = shape(feature["geometry"])
    assert len(drawn.geoms) == 2
    assert drawn.bounds[3] > 50.9  # the geodesic runs north of the parallel
    assert feature["properties"]["shape"] == "trajectory"


@pytest.mark.parametrize("at", [(90, 0), (-90, 0), (5, -180)])
def test_a_flight_that_hovers_at_an_edge_of_the_world_is_drawn(at: tuple[float, float]) -> None:
    there = place(*at)
    flight = Trajectory(AltitudeReference.AGL, (Waypoint(0, there, 0), Waypoint(9, there, 0)))
    (drawn,) = json.loads(write_geojson([DisplayItem(flight)]))["features"]
    lat, lon = at
    assert drawn["geometry"]["coordinates"] == [[[lon, lat], [lon, lat]]]


def test_a_hovering_flight_and_a_position_are_drawn() -> None:
    flight = Trajectory(
        AltitudeReference.AGL, (Waypoint(0, place(5, 6), 0), Waypoint(9, place(5, 6), 0))
    )
    drawn = json.loads(
        write_geojson([DisplayItem(flight), DisplayItem(place(1, 2), {"shape": "x"})])
    )
    assert drawn["features"][0]["geometry"]["coordinates"] == [[[6.0, 5.0], [6.0, 5.0]]]
    assert drawn["features"][1] == {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [2.0, 1.0]},
        "properties": {"shape": "x"},
    }
