"""GeoJSON in, out and drawn, for every geometry."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from deconflict.airspace import Geometry
from deconflict.errors import InvalidInputError
from deconflict.formats import (
    PURPOSES,
    DeclarationInput,
    DisplayItem,
    read_declarations,
    write_declarations,
    write_geojson,
)
from effort import examples
from geometry_strategies import geometries

labels = st.none() | st.text(
    st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=64
).filter(str.isprintable)


@given(st.lists(st.tuples(st.sampled_from(PURPOSES), geometries, labels), min_size=1, max_size=3))
@examples(100)
def test_what_is_written_is_read_back_equal(
    drawn: list[tuple[str, Geometry, str | None]],
) -> None:
    said = tuple(
        DeclarationInput(purpose, geometry, label, f"{index:032x}", index)
        for index, (purpose, geometry, label) in enumerate(drawn)
    )
    assert read_declarations(write_declarations(said)) == said


@given(geometries)
@examples(100)
def test_every_geometry_is_drawn_within_one_world(geometry: Geometry) -> None:
    def points(value: Any) -> list[list[float]]:
        if isinstance(value[0], float):
            return [value]
        return [point for inner in value for point in points(inner)]

    features = json.loads(write_geojson([DisplayItem(geometry)]))["features"]
    for feature in features:
        for lon, lat in points(feature["geometry"]["coordinates"]):
            assert -180 <= lon <= 180
            assert -90 <= lat <= 90
        if feature["geometry"]["type"] == "MultiPolygon":
            for (ring,) in feature["geometry"]["coordinates"]:
                assert ring[0] == ring[-1]
                assert len(ring) >= 4


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "geometry", "properties", "coordinates", "purpose", "radius", "times", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from(["Point", "LineString", "Polygon", "GeometryCollection", "Multi"]),
    json_values,
    st.dictionaries(
        st.sampled_from(
            ["purpose", "radius", "lower", "upper", "start_utc", "times", "volumes", "half_width"]
        ),
        json_values,
    ),
)
@examples(200)
def test_no_document_raises_anything_but_a_refusal(
    kind: str, coordinates: Any, properties: dict[str, Any]
) -> None:
    geometry = {"type": kind, "coordinates": coordinates, "geometries": coordinates}
    geometry.pop("coordinates" if kind == "GeometryCollection" else "geometries")
    document = {"type": "Feature", "geometry": geometry, "properties": properties}
    try:
        read_declarations(json.dumps(document).encode())
    except InvalidInputError:
        return


@given(st.binary(max_size=200))
@examples(200)
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    try:
        read_declarations(data)
    except InvalidInputError:
        return
