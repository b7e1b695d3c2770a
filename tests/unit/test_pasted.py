"""What people paste becomes drafts (R50, R10): the format is told from the content, gaps are named.

What is not taken over is told; what is hostile or broken is refused in words, within bounds.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deconflict.airspace import Circle, Corridor, Polygon, Position, Trajectory, parse_utc
from deconflict.airspace.wire import geometry_from_wire
from deconflict.errors import InvalidDocumentError, InvalidInputError, InvalidPositionError
from deconflict.formats.pasted import Given, LossKind, PastedFormat, Reading, read_pasted
from deconflict.formats.pasted.draft import BareShape, ReadDraft

SAMPLES = Path(__file__).parent / "pasted_samples"
GAPS = Given(
    purpose="HAZARD",
    radius="1 NM",
    half_width="5 km",
    lower="SFC",
    upper="FL100",
    start_utc="2026-12-01T06:00:00Z",
    end_utc="2026-12-01T08:00:00Z",
)


def read(text: str | bytes, **given: Any) -> Reading:
    return read_pasted(text if isinstance(text, bytes) else text.encode(), Given(**given))


def sample(name: str) -> Reading:
    return read_pasted((SAMPLES / name).read_bytes())


def missing(draft: ReadDraft) -> list[str]:
    return [one.what for one in draft.missing()]


def told(reading: Reading, kind: LossKind) -> list[str]:
    return [loss.text for loss in reading.losses if loss.kind is kind]


# ---- positions -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "35.4012, 35.9487",
        "35°24'04.32\"N 35°56'55.32\"E",
        "lat 35.4012 lon 35.9487",
        "latitude\tlongitude\n35.4012\t35.9487",
        "Lon;Lat\n35,9487;35,4012",
        "name,lon,lat\ncamp,35.9487,35.4012",
        "35.4012\t35.9487",
        "35,4012;35,9487",
        "Широта;Долгота\n35,4012;35,9487",
        "\ufeff35.4012, 35.9487\r\n",
    ],
)
def test_one_place_is_read_from_any_notation_and_column(text: str) -> None:
    (draft,) = read(text).drafts
    assert draft.places == (Position(354_012_000, 359_487_000),)
    assert missing(draft) == ["PURPOSE", "RADIUS", "LOWER", "UPPER", "START", "END"]
    assert draft.label is None


def test_text_of_a_spreadsheet_in_utf_16_is_read() -> None:
    assert read("lat\tlon\n35.4012\t35.9487".encode("utf-16")).drafts[0].places


def test_many_places_are_of_no_shape_until_somebody_says_it() -> None:
    text = "35.1, 40.1\n36SYE6779321530\n35 24 00 N 40 14 00 E"
    (draft,) = read(text).drafts
    assert missing(draft)[:2] == ["PURPOSE", "SHAPE"]
    assert draft.geometry is None
    for shape, kind in (("corridor", Corridor), ("polygon", Polygon)):
        (whole,) = read_pasted(text.encode(), Given(**_fields(GAPS), shape=shape)).drafts
        assert not missing(whole)
        assert isinstance(whole.geometry, tuple)
        assert isinstance(whole.geometry[0].outline, kind)
    circles = read_pasted(text.encode(), Given(**_fields(GAPS), shape="circles")).drafts
    assert [draft.geometry[0].outline.radius_mm for draft in circles] == [1_852_000] * 3  # type: ignore[index,union-attr]


def _fields(given: Given) -> dict[str, Any]:
    return {
        name: getattr(given, name)
        for name in ("purpose", "radius", "half_width", "lower", "upper", "start_utc", "end_utc")
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("35,4012", "decimal comma"),
        ("35,4012 35,9487", "comma"),
        ("135.9487, 35.4012", "swapped"),
        ("35.1, 40.1\n35.2, 40.2\nnorth of the river", "line 3"),
        ("a\t1\t2\t3\nb\t4\t5\t6", "which columns"),
        ("lat;lon\n35.1;", "line 2"),
        ("lat\tlon", "nothing below"),
        ("lat,lon\n95,40", "line 2"),
        ("lat;lon\n35.1 E;40.1 N", "contradicts"),
        ("lat,lon\nnan,inf", "line 2"),
        ("", "nothing was given"),
        ("\x00", "control characters"),
        (b"\xff\xfe\x00", "no text"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "PDF"),
        ("35, 40\n" * 10_001, "too many lines"),
        ("x" * 20_000, "too long"),
    ],
)
def test_what_may_be_misread_is_refused_in_words(text: str | bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read(text)


def test_columns_are_named_where_no_heading_says_them() -> None:
    text = "a\t40.1\t35.2\t7\nb\t40.2\t35.3\t8"
    (draft,) = read(text, latitude_column="3", longitude_column="2").drafts
    assert draft.places[0] == Position(352_000_000, 401_000_000)
    with pytest.raises(InvalidDocumentError, match="no such column"):
        read(text, latitude_column="9", longitude_column="2")


def test_without_letters_or_heading_the_order_that_was_taken_is_told() -> None:
    assert any("latitude" in text for text in told(read("35.1, 40.1"), LossKind.CHANGED))
    assert not read("35.1 N, 40.1 E").losses


def test_columns_that_are_not_taken_over_are_told() -> None:
    reading = read("name\tlat\tlon\tcrew\nA\t35.1\t40.1\t4")
    assert told(reading, LossKind.SET_ASIDE) == ["column 4 (crew): not taken over"]
    assert reading.drafts[0].name == "A"


# ---- bytes ---------------------------------------------------------------------------------------


def test_the_original_is_given_back_with_its_hash() -> None:
    data = "\ufeff35.1 N, 40.1 E\r\n".encode()
    reading = read_pasted(data)
    assert reading.original == data
    assert reading.sha256 == hashlib.sha256(data).hexdigest()


# ---- GeoJSON -------------------------------------------------------------------------------------


def test_geojson_of_another_program_is_read_as_far_as_it_goes() -> None:
    reading = sample("areas.geojson")
    assert reading.format is PastedFormat.GEOJSON
    area, route, points = reading.drafts
    assert area.name == "Danger area"
    assert isinstance(area.volumes[0].outline, Polygon)
    assert missing(area) == ["PURPOSE", "LOWER", "UPPER", "START", "END"]
    assert route.volumes[0].outline == BareShape("corridor", route.places)
    assert len(points.volumes) == 2
    assert any("hole" in text for text in told(reading, LossKind.CHANGED))
    assert "heights of places (metres above the ellipsoid): not taken over" in told(
        reading, LossKind.SET_ASIDE
    )
    assert told(reading, LossKind.LEFT_OUT)[0].startswith("the polygon crosses itself")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"type":["Point"],"coordinates":[40,35]}', "no GeoJSON"),
        ('{"type":"Feature","geometry":{"type":[[1]],"coordinates":[]}}', "unknown"),
        ('{"type":"Feature","geometry":{"type":"Point","coordinates":[NaN,35]}}', "no number"),
        ('{"type":"Feature","geometry":{"type":"Point","coordinates":["40","35"]}}', "position"),
        ('{"type":"Feature","geometry":{"type":"Point","coordinates":[true,35]}}', "position"),
        ('{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[]]}}', "vertices"),
        ('{"type":"Feature","geometry":null}', "nothing that can be declared"),
        ('{"type":"FeatureCollection","features":[]}', "nothing that can be declared"),
        ('{"type":"Topology"}', "no GeoJSON"),
        ("[1, 2]", "no object"),
        (
            '{"type":"Point","coordinates":[40,35],"crs":{"properties":{"name":"EPSG:3857"}}}',
            "WGS84",
        ),
    ],
)
def test_hostile_or_broken_geojson_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read(text)


def test_the_profile_is_read_strictly_and_nothing_of_it_is_lost() -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [40.0, 35.0]},
        "properties": {
            "purpose": "HAZARD",
            "label": "area 7",
            "radius": "5 NM",
            "lower": "SFC",
            "upper": "FL100",
            "start_utc": "2026-12-01T06:00:00Z",
            "end_utc": "2026-12-01T08:00:00Z",
        },
    }
    reading = read(json.dumps(feature), purpose="FLIGHT")
    (draft,) = reading.drafts
    assert reading.format is PastedFormat.GEOJSON_PROFILE
    assert (draft.purpose, draft.label, reading.losses) == ("HAZARD", "area 7", ())
    assert geometry_from_wire(draft.to_wire()) == draft.geometry
    feature["properties"]["uper"] = "FL200"  # type: ignore[index]
    with pytest.raises(InvalidDocumentError, match="uper"):
        read(json.dumps(feature))


# ---- KML and KMZ ---------------------------------------------------------------------------------


def test_kml_gives_shapes_heights_and_times() -> None:
    reading = sample("exercise.kml")
    assert reading.format is PastedFormat.KML
    zone, route, ground, flight = reading.drafts
    assert zone.name == "Zone A"
    assert zone.volumes[0].stated() == {
        "lower": "SFC",
        "upper": "3000 m AMSL",
        "start_utc": "2026-12-01T06:00:00.000Z",
        "end_utc": "2026-12-01T08:00:00.000Z",
    }
    assert missing(zone) == ["PURPOSE"]
    assert route.volumes[0].stated()["lower"] == "100 m AGL"
    assert missing(ground)[1:4] == ["RADIUS", "LOWER", "UPPER"]
    assert isinstance(flight.geometry, Trajectory)
    assert flight.geometry.waypoints[0].at_ms == parse_utc("2026-12-01T06:00:00Z")
    left_out = told(reading, LossKind.LEFT_OUT)
    assert left_out == ["NetworkLink: neither read nor fetched"]
    assert any("hole is filled" in text for text in told(reading, LossKind.CHANGED))
    assert any("03:00" in text for text in told(reading, LossKind.CHANGED))


def test_a_shape_within_what_is_not_read_is_left_out_by_name() -> None:
    point = "<Placemark><Point><coordinates>40,35</coordinates></Point></Placemark>"
    reading = read(f"<kml>{point}<Update><Create>{point}</Create></Update></kml>")
    assert told(reading, LossKind.LEFT_OUT) == ["Update: not read, and a Placemark is in it"]


def kmz(**entries: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name.replace("_", "."), data)
    return packed.getvalue()


def test_kmz_is_unpacked_and_its_other_files_are_told() -> None:
    kml = (SAMPLES / "exercise.kml").read_bytes()
    reading = read(kmz(a_png=b"x", z_kml=b"<kml/>", doc_kml=kml))
    assert reading.format is PastedFormat.KMZ
    assert len(reading.drafts) == 4
    assert "other files in the KMZ: not taken over" in told(reading, LossKind.SET_ASIDE)


def test_a_kmz_that_would_expand_without_end_is_refused() -> None:
    with pytest.raises(InvalidDocumentError, match="too large"):
        read(kmz(doc_kml=b" " * (33 * 1024 * 1024)))
    with pytest.raises(InvalidDocumentError, match="too many files"):
        read(kmz(**{f"f{n}": b"" for n in range(1_001)}))
    with pytest.raises(InvalidDocumentError, match="no KML"):
        read(kmz(a_png=b"x"))
    with pytest.raises(InvalidDocumentError, match="damaged"):
        read(kmz(doc_kml=b"<kml/>")[:-10])


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "&a;"}">' for n in range(9))
    + "]><kml>&a8;</kml>"
)
POINT = "<kml><Placemark><Point><coordinates>{}</coordinates></Point></Placemark></kml>"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LAUGHS, "document type"),
        ('<!DOCTYPE k SYSTEM "file:///etc/passwd"><kml/>', "document type"),
        ('<!DOCTYPE k [<!ENTITY % p SYSTEM "http://x/">%p;]><kml/>', "document type"),
        ("<kml>&unknown;</kml>", "undefined entity"),
        ("<a>" * 65 + "</a>" * 65, "nested too deep"),
        ("<kml>" * 500_000, "nested too deep"),
        ("<kml>" + "<a/>" * 400_001 + "</kml>", "too much"),
        (f"<kml {' '.join(f'a{n}=1' for n in range(65))}/>", "no XML"),
        ("<gpx/>", "no KML"),
        ("<kml/>", "nothing that can be declared"),
        ("<kml><Placemark></kml>", "no XML"),
        (POINT.format("nan,nan"), "cannot be read"),
        (POINT.format("1e999,0"), "not a finite number"),
        (POINT.format("9" * 500 + ",0"), "cannot be read"),
        (POINT.format("40,95"), "out of range"),
        (POINT.format("40 , 35 , 1 , 2"), "cannot be read"),
        (POINT.format(""), "no coordinates"),
    ],
)
def test_hostile_or_broken_kml_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read(text)


# ---- OpenAir -------------------------------------------------------------------------------------


def test_openair_gives_airspaces_and_tells_each_command_it_does_not_know() -> None:
    reading = sample("zones.txt")
    assert reading.format is PastedFormat.OPENAIR
    circle, sector, airway = reading.drafts
    assert circle.name == "R-100 GUNNERY"
    assert circle.volumes[0].outline == Circle(Position(394_983_333, -1_197_683_333), 9_260_000)
    assert circle.volumes[0].stated()["upper"] == "3500 ft AMSL"
    assert isinstance(sector.volumes[0].outline, Polygon)
    assert missing(sector) == ["PURPOSE", "BAND", "START", "END"]  # 500 ft AGL to FL065
    assert airway.volumes[0].outline == Corridor(airway.places, 4_630_000)
    assert any("not understood" in text for text in told(reading, LossKind.LEFT_OUT))
    assert "command 'ZZ': not taken over" in told(reading, LossKind.SET_ASIDE)
    assert any("beyond it" in text for text in told(reading, LossKind.CHANGED))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("DC 5", "no centre"),
        ("V X=35:00:00 N 040:00:00 E\nDC five", "no number"),
        ("V X=35:00:00 N 040:00:00 E\nDC 9999999", "out of range"),
        ("V X=35:00:00 N 040:00:00 E\nDC nan\nDP 1", "no number"),
        ("V X=35:00:00 N 040:00:00 E\nDA 500,0,90\nDP 35:00:00 N 040:00:00 E", "radius of an arc"),
        ("V X=35:00:00 N 040:00:00 E\nDA 5,0", "three numbers"),
        ("V X=35:00:00 N 040:00:00 E\nDA 5,0,400", "angle is out of range"),
        ("DP 35:00:00 N 040:00:00 E\nDP 35:60:00 N 040:00:00 E", "end at 59"),
        ("DP 35:00:00 N 040:00:00 E", "vertices"),
        ("V D=x\nDP 1", "not understood"),
    ],
)
def test_openair_that_cannot_be_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read(text)


def test_a_limit_that_is_no_altitude_stays_missing() -> None:
    text = "AC R\nAL Ask on 122.8\nAH 9000\nV X=35:00:00 N 040:00:00 E\nDC 5"
    reading = read(text)
    assert "LOWER" in missing(reading.drafts[0])
    assert any("122.8" in text for text in told(reading, LossKind.SET_ASIDE))
    assert any("feet" in text for text in told(reading, LossKind.CHANGED))


# ---- what fills the gaps -------------------------------------------------------------------------


def test_what_is_given_fills_gaps_and_replaces_nothing() -> None:
    text = "AC R\nAL GND\nAH FL65\nV X=35:00:00 N 040:00:00 E\nDC 5"
    (draft,) = read_pasted(text.encode(), GAPS).drafts
    assert draft.geometry is not None
    assert draft.volumes[0].stated()["upper"] == "FL065"
    assert draft.volumes[0].outline.radius_mm == 9_260_000  # type: ignore[union-attr]


def test_floor_and_ceiling_that_do_not_go_together_are_said_anew() -> None:
    text = "AC R\nAL 500 AGL\nAH FL65\nV X=35:00:00 N 040:00:00 E\nDC 5"
    assert missing(read(text, lower="SFC").drafts[0]) == ["PURPOSE", "BAND", "START", "END"]
    (draft,) = read_pasted(text.encode(), GAPS).drafts
    assert draft.volumes[0].stated()["upper"] == "FL100"
    assert not missing(draft)


@pytest.mark.parametrize(
    "given",
    [
        {"purpose": "TARGET"},
        {"shape": "square"},
        {"radius": "5"},
        {"lower": "100"},
        {"start_utc": "tomorrow"},
        {"end_utc": "2026-12-01T06:00:00+03:00"},
        {"purpose": "x" * 200},
    ],
)
def test_what_fills_gaps_is_looked_at_as_strictly_as_a_declaration(given: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        Given(**given)


def test_a_place_outside_its_own_grid_zone_is_refused() -> None:
    with pytest.raises(InvalidPositionError):
        read("37SYE6779321530")


def test_work_is_bounded_before_it_is_done() -> None:
    center = "V X=35:00:00 N 040:00:00 E\n"
    for text, words in (
        (center + "DP 35:00:00 N 040:00:00 E\n" * 50_001, "draws too much"),
        (center + "DA 5,0,90\n" * 501, "too many arcs"),
        (("35.5\t" * 30 + "\n") * 9_000, "table is too large"),
        ("{" * 20, "nested too deep"),
        ("<kml>" + " " * (8 * 1024 * 1024), "too large"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            read(text)
