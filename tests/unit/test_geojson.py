"""The GeoJSON profile: what is read, what is refused and where."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deconflict.airspace import (
    AltitudeReference,
    Circle,
    Corridor,
    Polygon,
    Position,
    Trajectory,
    geometry_to_wire,
)
from deconflict.errors import InvalidDocumentError, InvalidInputError, InvalidPositionError
from deconflict.formats import read_declarations, write_declarations

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads(
    (ROOT / "src" / "deconflict" / "formats" / "declaration.schema.json").read_text()
)
WHEN = {"start_utc": "2015-09-30T06:00:00Z", "end_utc": "2015-09-30T08:00:00Z"}
BAND = {"lower": "SFC", "upper": "FL250"}
SQUARE = [[39, 35], [40, 35], [40, 36], [39, 36], [39, 35]]


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": {"purpose": "ACTIVITY", **properties},
    }


CIRCLE = feature("Point", [35.9487, 35.4012], radius="10 NM", **BAND, **WHEN)
POLYGON = feature("Polygon", [SQUARE], **BAND, **WHEN)
CORRIDOR = feature("LineString", [[35, 35], [36, 36]], half_width="5 km", **BAND, **WHEN)
FLIGHT = feature(
    "LineString",
    [[35, 35], [36, 36]],
    times=["2015-09-30T06:00:00Z", "2015-09-30T06:30:00Z"],
    altitudes=["FL200", "FL210"],
    containment={"lateral": "1 NM", "vertical": "300 ft", "time": "2 min"},
)
COLLECTION: dict[str, Any] = {
    "type": "Feature",
    "geometry": {
        "type": "GeometryCollection",
        "geometries": [CIRCLE["geometry"], POLYGON["geometry"], CORRIDOR["geometry"]],
    },
    "properties": {
        "purpose": "HAZARD",
        "volumes": [
            {"radius": "10 NM", **BAND, **WHEN},
            {**BAND, **WHEN},
            {"half_width": "500 m", **BAND, **WHEN},
        ],
    },
}
ALL = {"type": "FeatureCollection", "features": [CIRCLE, POLYGON, CORRIDOR, FLIGHT, COLLECTION]}


def read(document: Any) -> Any:
    return read_declarations(json.dumps(document).encode())


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy with one member set, or removed where the value is ``...``."""
    copied: dict[str, Any] = json.loads(json.dumps(document))
    inner: Any = copied
    *outer, last = path.split("/")
    for key in outer:
        inner = inner[int(key)] if isinstance(inner, list) else inner[key]
    if value is ...:
        del inner[last]
    elif isinstance(inner, list):
        inner[int(last)] = value
    else:
        inner[last] = value
    return copied


def test_each_shape_is_read_as_what_it_says() -> None:
    circle, polygon, corridor, flight, several = read(ALL)
    assert circle.geometry[0].outline == Circle(Position(354_012_000, 359_487_000), 18_520_000)
    assert isinstance(polygon.geometry[0].outline, Polygon)
    assert len(polygon.geometry[0].outline.vertices) == 4
    assert isinstance(corridor.geometry[0].outline, Corridor)
    assert isinstance(flight.geometry, Trajectory)
    assert flight.geometry.containment.time_ms == 120_000
    assert [volume.outline.__class__ for volume in several.geometry] == [Circle, Polygon, Corridor]
    assert [declaration.source_index for declaration in read(ALL)] == [0, 1, 2, 3, 4]


def test_a_single_feature_is_one_declaration() -> None:
    (only,) = read(changed(CIRCLE, "properties/label", "район 1"))
    assert (only.purpose, only.label, only.declaration_id) == ("ACTIVITY", "район 1", None)


def test_heights_in_positions_are_metres_above_the_ellipsoid() -> None:
    flight = changed(FLIGHT, "properties/altitudes", ...)
    flight["geometry"]["coordinates"] = [[35, 35, 6000.5], [36, 36, 6100]]
    (read_flight,) = read(flight)
    assert read_flight.geometry.reference is AltitudeReference.W84
    assert read_flight.geometry.waypoints[0].altitude_tmm == 60_005_000


def test_a_point_written_twice_where_segments_join_is_one_waypoint() -> None:
    flight = feature(
        "LineString",
        [[35, 35], [36, 36], [36, 36], [37, 36]],
        times=[f"2015-09-30T06:{minute}:00Z" for minute in ("00", "10", "10", "20")],
        altitudes=["FL200"] * 4,
    )
    assert len(read(flight)[0].geometry.waypoints) == 3


def test_a_polygon_across_the_antimeridian_is_written_uncut() -> None:
    ring = [[179, -1], [-179, -1], [-179, 1], [179, 1], [179, -1]]
    assert read(feature("Polygon", [ring], **BAND, **WHEN))


def test_null_properties_count_as_absent() -> None:
    assert read(changed(POLYGON, "properties/radius", None)) == read(POLYGON)


def test_what_common_programs_add_is_set_aside() -> None:
    document = {
        "type": "FeatureCollection",
        "name": "layer",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        "features": [{**CIRCLE, "id": 7, "bbox": [35, 35, 36, 36]}],
    }
    assert read(document)
    jsonschema.validate(document, SCHEMA)


def test_writing_and_reading_again_changes_nothing() -> None:
    declarations = read(ALL)
    assert read_declarations(write_declarations(declarations)) == declarations


BOW_TIE = [[36, 35], [37, 36], [36, 36], [37, 35], [36, 35]]
HOLE = [[39.2, 35.2], [39.4, 35.2], [39.4, 35.4], [39.2, 35.2]]
REFUSED = [
    (CIRCLE, "properties/purpose", "TARGET", ".properties: the purpose is unknown"),
    (CIRCLE, "properties/purpose", ..., ".properties: purpose is missing"),
    (CIRCLE, "properties/radius", ..., ".properties: radius is missing"),
    (CIRCLE, "properties/radius", 10, ".properties: radius is no text"),
    (CIRCLE, "properties/radius", "10", ".properties.radius: the distance cannot be read"),
    (CIRCLE, "properties/radius", "0 m", ".geometry: the radius is out of range"),
    (CIRCLE, "properties/raduis", "1 m", ".properties: unknown: raduis"),
    (CIRCLE, "properties/half_width", "1 m", ".properties: unknown: half_width"),
    (CIRCLE, "properties/start_utc", "in 10 minutes", ".properties.start_utc: a relative time"),
    (CIRCLE, "properties/start_utc", "2015-09-30T09:00:00Z", ".properties.start_utc/end_utc: the"),
    (CIRCLE, "properties/end_utc", "2015-09-30T08:00:00", ".properties.end_utc: the time zone"),
    (CIRCLE, "properties/upper", "250", ".properties.upper: the altitude cannot be read"),
    (CIRCLE, "properties/upper", "SFC", ".properties.lower/upper: the floor is above"),
    (CIRCLE, "properties/label", "", ".properties: the label cannot be used"),
    (CIRCLE, "properties/label", "a\nb", ".properties: the label cannot be used"),
    (CIRCLE, "properties/declaration_id", "7", ".properties: the declaration_id cannot be used"),
    (CIRCLE, "geometry/coordinates", [35.4, 135.9], ".geometry.coordinates: latitude is out of"),
    (CIRCLE, "geometry/coordinates", [190.0, 35.9], ".geometry.coordinates: longitude is out of"),
    (
        CIRCLE,
        "geometry/coordinates",
        [35.4],
        ".geometry.coordinates: a position here has no height",
    ),
    (
        CIRCLE,
        "geometry/coordinates",
        [35, 36, 7],
        ".geometry.coordinates: a position here has no h",
    ),
    (
        CIRCLE,
        "geometry/coordinates",
        ["35", 36],
        ".geometry.coordinates: a coordinate is no number",
    ),
    (
        CIRCLE,
        "geometry/coordinates",
        [True, 36],
        ".geometry.coordinates: a coordinate is no number",
    ),
    (CIRCLE, "geometry/coordinates", [10**400, 36], ".geometry.coordinates: a coordinate is not a"),
    (CIRCLE, "geometry/type", "MultiPoint", ".geometry: this type of geometry declares nothing"),
    (CIRCLE, "geometry", None, "geometry is no object"),
    (CIRCLE, "note", 1, "unknown: note"),
    (CIRCLE, "type", "Feat", "the document is no declaration"),
    (POLYGON, "geometry/coordinates/0", BOW_TIE, ".geometry.coordinates[0]: the polygon crosses"),
    (POLYGON, "geometry/coordinates", [SQUARE, HOLE], ".geometry.coordinates: a polygon has holes"),
    (POLYGON, "geometry/coordinates", [SQUARE[:4]], ".geometry.coordinates[0]: the ring is not cl"),
    (POLYGON, "geometry/coordinates/0/1", [40, 95], ".geometry.coordinates[0][1]: latitude is out"),
    (CORRIDOR, "geometry/coordinates", [[35, 35]], ".geometry: a corridor has too few"),
    (CORRIDOR, "properties/half_width", ..., ".properties: half_width is missing"),
    (FLIGHT, "properties/lower", "SFC", ".properties: unknown: lower"),
    (FLIGHT, "properties/times", WHEN["end_utc"], ".properties: times is no array"),
    (FLIGHT, "properties/times", [WHEN["end_utc"]], ".properties: times and coordinates differ"),
    (FLIGHT, "properties/times/1", WHEN["start_utc"], ".geometry: the trajectory jumps"),
    (FLIGHT, "properties/times/1", "06:30", ".properties.times[1]: the time cannot be read"),
    (FLIGHT, "properties/altitudes", ..., ".geometry.coordinates[0]: the altitude of a waypoint"),
    (FLIGHT, "properties/altitudes/1", "UNL", ".properties.altitudes[1]: a waypoint is at one"),
    (FLIGHT, "properties/altitudes/1", "200 m AMSL", ".properties.altitudes: one trajectory meas"),
    (FLIGHT, "geometry/coordinates/0", [35, 35, 9], ".geometry.coordinates[0]: the altitude of a"),
    (FLIGHT, "properties/containment/time", "1", ".properties.containment.time: the duration"),
    (FLIGHT, "properties/containment/side", "1 m", ".properties.containment: unknown: side"),
    (COLLECTION, "properties/volumes", [], ".properties: volumes and geometries differ"),
    (COLLECTION, "properties/volumes/1/radius", "1 m", ".properties.volumes[1]: unknown: radius"),
    (COLLECTION, "properties/lower", "SFC", ".properties: unknown: lower"),
    (COLLECTION, "geometry/geometries/0/type", "Multi", ".geometry.geometries[0]: this type of"),
]


@pytest.mark.parametrize(("document", "path", "value", "said"), REFUSED)
def test_a_fault_is_refused_where_it_stands(
    document: dict[str, Any], path: str, value: Any, said: str
) -> None:
    faulty = changed(document, path, value)
    with pytest.raises(InvalidInputError) as caught:
        read(faulty)
    assert str(caught.value).startswith(said)
    if faulty["type"] == "Feature":
        with pytest.raises(InvalidInputError) as caught:
            read({"type": "FeatureCollection", "features": [CIRCLE, faulty]})
        assert str(caught.value).startswith(f"features[1]{'' if said[0] == '.' else ': '}{said}")


@pytest.mark.parametrize("place", [[35.4, 135.9], [35.4, -135.9]])
def test_exchanged_coordinates_are_answered_in_the_order_of_geojson(place: list[float]) -> None:
    with pytest.raises(InvalidPositionError) as caught:
        read(changed(CIRCLE, "geometry/coordinates", place))
    assert caught.value.expected == "[longitude, latitude]: latitude -90 to 90"
    assert caught.value.remedy.endswith("swapped: exchange them")


def test_one_fault_refuses_the_whole_document() -> None:
    with pytest.raises(InvalidInputError, match=r"^features\[5\]"):
        read({**ALL, "features": [*ALL["features"], changed(CIRCLE, "properties/radius", "0 m")]})


def test_another_coordinate_system_is_refused() -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}
    with pytest.raises(InvalidDocumentError, match="EPSG::3857"):
        read({**ALL, "crs": crs})


@pytest.mark.parametrize("document", [ALL, *ALL["features"]])
def test_the_schema_accepts_what_the_reader_accepts(document: dict[str, Any]) -> None:
    jsonschema.validate(document, SCHEMA)


def test_what_is_written_fits_the_schema() -> None:
    jsonschema.validate(json.loads(write_declarations(read(ALL))), SCHEMA)


# Shapes, orders, counts that must agree, control characters: only the reader can refuse these.
BEYOND_A_SCHEMA = (
    "jumps",
    "crosses",
    "out of range",
    "floor is above",
    "start_utc/end_utc",
    "differ",
    "one trajectory",
    "not cl",
    "volumes[1]",
)
SAYABLE = [
    case
    for case in REFUSED
    if not any(word in case[3] for word in BEYOND_A_SCHEMA) and case[2] != "a\nb"
]


@pytest.mark.parametrize(("document", "path", "value", "said"), SAYABLE)
def test_the_schema_refuses_what_it_can_say(
    document: dict[str, Any], path: str, value: Any, said: str
) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(document, path, value), SCHEMA)


def test_the_examples_of_the_reference_are_read() -> None:
    text = (ROOT / "docs" / "reference" / "geojson-profile.md").read_text()
    examples = [part.split("```")[0] for part in text.split("```json\n")[1:]]
    assert len(examples) == 3
    for example in examples:
        assert geometry_to_wire(read_declarations(example.encode())[0].geometry)
        jsonschema.validate(json.loads(example), SCHEMA)
