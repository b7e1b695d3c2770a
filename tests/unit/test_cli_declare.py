"""Declarations from files, and the pictures of them."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Containment,
    Corridor,
    Geometry,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
    parse_utc,
)
from deconflict.cli.drafts import read_drafts
from deconflict.errors import InvalidDocumentError, InvalidInputError
from deconflict.paper.picture import Mark, Shape, draw

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto" / "declare-a-flight.md"
START_MS = parse_utc("2015-10-01T06:00:00Z")
BAND = AltitudeBand(AltitudeReference.AMSL, None, 30_480_000)
SPAN = TimeSpan(START_MS, START_MS + 3_600_000)
NUMBERS = re.compile(r"-?\d+(?:\.\d+)?")


def place(lat_deg: float, lon_deg: float) -> Position:
    return Position.from_degrees(lat_deg, lon_deg)


def flight(*places: Position) -> Trajectory:
    points = tuple(
        Waypoint(START_MS + 600_000 * n, where, 30_480_000) for n, where in enumerate(places)
    )
    return Trajectory(AltitudeReference.AMSL, points, Containment(1_852_000, 1_524_000, 30_000))


def picture(*geometries: Geometry, label: str = "it", marks: tuple[Mark, ...] = ()) -> ET.Element:
    shapes = [
        Shape(label, party, party == "blue", "FLIGHT", geometry)
        for party, geometry in zip(("blue", "red", "green"), geometries, strict=False)
    ]
    return ET.fromstring(draw(shapes, marks, title="Title", subtitle="Subtitle"))


def test_the_how_to_shows_a_file_that_is_read(tmp_path: Path) -> None:
    shown = re.findall(r"```json\n(.*?)```", HOWTO.read_text("utf-8"), re.DOTALL)
    assert shown
    for number, text in enumerate(shown):
        file = tmp_path / f"{number}.geojson"
        file.write_text(text)
        (draft,) = read_drafts([file]).wire
        assert draft["purpose"] == "FLIGHT"


def test_a_refusal_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "twice.geojson"
    file.write_text('{"type": "Feature", "type": "Feature"}')
    with pytest.raises(InvalidInputError, match=r"twice\.geojson"):
        read_drafts([file])


def test_a_refusal_names_the_file_and_then_the_place_in_it_in_the_units_that_were_typed(
    tmp_path: Path,
) -> None:
    document = json.loads(re.findall(r"```json\n(.*?)```", HOWTO.read_text("utf-8"), re.DOTALL)[0])
    document["geometry"] = {"type": "Point", "coordinates": [36.0, 35.0]}
    document["properties"] = {
        "purpose": "HAZARD",
        "radius": "5 NM",
        "lower": "9000 ft AMSL",
        "upper": "3000 ft AMSL",
        "start_utc": "2015-10-01T06:00:00Z",
        "end_utc": "2015-10-01T07:00:00Z",
    }
    file = tmp_path / "10-floor.geojson"
    file.write_text(json.dumps(document))
    with pytest.raises(InvalidInputError) as caught:
        read_drafts([file])
    assert caught.value.problem.startswith(f"{file}: properties.lower/upper: the floor is above")
    assert "9000 ft AMSL" in caught.value.given
    assert "tmm" not in str(caught.value)


def test_one_bad_file_refuses_all(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.geojson", tmp_path / "bad.geojson"
    good.write_text(re.findall(r"```json\n(.*?)```", HOWTO.read_text("utf-8"), re.DOTALL)[0])
    document = json.loads(good.read_text())
    document["properties"]["purpose"] = "TARGET"
    bad.write_text(json.dumps(document))
    with pytest.raises(InvalidDocumentError, match="purpose"):
        read_drafts([good, bad])


def test_the_picture_names_parties_places_and_conflicts() -> None:
    mark = Mark((place(35.5, 37.5), place(35.6, 37.6)), START_MS, "06:00:00Z 741 m", "who and how")
    root = picture(
        flight(place(35.4, 36.0), place(35.6, 39.0)),
        flight(place(36.5, 38.0), place(34.6, 37.0)),
        marks=(mark,),
    )
    words = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"blue", "red", "Title", "Subtitle", "1  06:00:00Z 741 m", "1   who and how"} <= set(
        words
    )


@pytest.mark.parametrize(
    "geometry",
    [
        flight(place(-17.5, 178.0), place(-16.5, -178.0)),
        flight(place(89.5, 10.0), place(89.5, -170.0)),
        (Volume(Circle(place(0.0, 180.0), 50_000_000), BAND, SPAN),),
        (Volume(Circle(place(-90.0, 0.0), 50_000_000), BAND, SPAN),),
        (Volume(Corridor((place(10.0, 179.5), place(10.0, -179.5)), 5_000_000), BAND, SPAN),),
        (Volume(Polygon((place(1, 179), place(1, -179), place(-1, -179))), BAND, SPAN),),
    ],
    ids=["flight over 180", "flight over pole", "circle", "pole", "corridor", "polygon"],
)
def test_nothing_declared_is_drawn_outside_the_map(geometry: Geometry) -> None:
    root = picture(geometry)
    drawn = [
        each.get("d", "")
        for each in root.iter("{http://www.w3.org/2000/svg}path")
        if "#1f5fa8" in (each.get("stroke"), each.get("fill"))
    ]
    numbers = [float(found) for d in drawn for found in NUMBERS.findall(d)]
    assert drawn
    assert min(numbers) >= 0
    assert max(numbers) <= 1280


def test_a_label_stays_text() -> None:
    root = picture(
        flight(place(35.4, 36.0), place(35.6, 39.0)), label="</text><script>alert(1)</script>\x1b"
    )
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_nothing_declared_makes_a_picture_too() -> None:
    assert picture().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_thousand_flights_make_a_picture_of_bounded_words() -> None:
    many = [
        Shape(f"flight {n}", "blue", True, "FLIGHT", flight(place(30 + n / 300, 36), place(34, 39)))
        for n in range(1000)
    ]
    root = ET.fromstring(draw(many, (), title="T", subtitle="S"))
    assert len(list(root.iter("{http://www.w3.org/2000/svg}text"))) < 100
