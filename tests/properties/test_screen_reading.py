"""Readers of large files say what the slow and careful ones say, however a file is cut."""

import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict import _kernel
from deconflict.airspace import (
    AltitudeReference,
    Circle,
    Polygon,
    Trajectory,
    Volume,
    format_utc,
    parse_utc,
)
from deconflict.airspace.instant import MAX_UTC_MS
from deconflict.errors import InvalidInputError, InvalidTimeError
from deconflict.formats import (
    DeclarationInput,
    geojson_stream,
    read_declarations,
    write_declarations,
)
from deconflict.formats.csv_table import csv_batches
from deconflict.formats.geojson_stream import read_geojson_stream
from deconflict.formats.utc_column import seconds_of_utc
from deconflict.separation import Extent, Flights, Minima, MinimaTable, Volumes, check, screen
from deconflict.separation.batch import Batch
from deconflict.separation.carry import whole_batches
from deconflict.separation.flights import flights_of_batch
from deconflict.separation.minima import AltitudeConversions
from geometry_strategies import bands, positions, reaches, spans, star_rings, trajectories, volumes

REFERENCES = tuple(AltitudeReference)
DAMAGE = st.sampled_from(
    ["", "{", "}", "[", "]", ",", ":", '"', "\\", "0", "-", "e", ".", "NaN", "null", " ", "é"]
)

FEATURE = """{"type":"Feature","geometry":{"type":"LineString","coordinates":[[1,2],[1,3]]},
"properties":{"purpose":"FLIGHT","label":"A LABEL","altitudes":["FL100","FL100"],
"times":["2015-09-30T06:00:00Z","2015-09-30T06:12:00Z"]}}"""


def streamed(data: bytes, part_bytes: int = 4096) -> Flights:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "all.geojson"
        file.write_bytes(data)
        parts = list(read_geojson_stream(file, advance=lambda _: None, part_bytes=part_bytes))
    return Flights.joined([part.flights for part in parts])


def as_flights(declared: list[Trajectory]) -> list[tuple[Any, ...]]:
    return [
        (
            tuple(
                (w.at_ms, w.position.lat_deg, w.position.lon_deg, w.altitude_tmm)
                for w in way.waypoints
            ),
            way.reference,
            way.containment.lateral_mm,
            way.containment.vertical_tmm,
            way.containment.time_ms,
        )
        for way in declared
    ]


def columns_of(flights: Flights) -> list[tuple[Any, ...]]:
    made = []
    for k in range(len(flights)):
        part = slice(int(flights.offsets[k]), int(flights.offsets[k + 1]))
        made.append(
            (
                tuple(
                    zip(
                        np.rint(flights.time_s[part] * 1000).astype(int).tolist(),
                        flights.lat_deg[part].tolist(),
                        flights.lon_deg[part].tolist(),
                        flights.altitude_tmm[part].tolist(),
                        strict=True,
                    )
                ),
                REFERENCES[int(flights.reference[k])],
                round(float(flights.lateral_m[k]) * 1000),
                int(flights.vertical_tmm[k]),
                round(float(flights.window_s[k]) * 1000),
            )
        )
    return made


def slowly(data: bytes) -> list[Trajectory]:
    read = [declared.geometry for declared in read_declarations(data)]
    return [geometry for geometry in read if isinstance(geometry, Trajectory)]


@given(st.lists(trajectories(), min_size=1, max_size=4), st.integers(1, 3000))
def test_streamed_flights_are_those_that_are_declared(
    ways: list[Trajectory], part_bytes: int
) -> None:
    data = write_declarations([DeclarationInput("FLIGHT", way) for way in ways])
    assert columns_of(streamed(data, part_bytes)) == as_flights(slowly(data))


@given(
    st.integers(-900_000_000, 900_000_000),
    st.integers(-1_800_000_000, 1_800_000_000),
    st.integers(0, 7),
    st.sampled_from(["FL{}", "{} ft FL", "{} ft AMSL", "{} m W84", "{}.5 m AGL", "-{} ft AMSL"]),
    st.integers(0, 999),
    st.integers(0, MAX_UTC_MS - 1),
    st.booleans(),
)
def test_a_flight_is_read_alike_in_every_usual_spelling(
    lat_e7: int, lon_e7: int, places: int, form: str, height: int, at_ms: int, with_ms: bool
) -> None:
    def said(e7: int) -> float:
        return round(e7 / 1e7, places)

    times = [format_utc(at_ms), format_utc(at_ms + 1)]
    if with_ms and at_ms % 1000 == 0:
        times[0] = times[0].replace(".000Z", "Z")
    feature = {
        "type": "Feature",
        "properties": {
            "altitudes": [form.format(height)] * 2,
            "times": times,
            "purpose": "FLIGHT",
        },
        "geometry": {
            "type": "LineString",
            "coordinates": [[said(lon_e7), said(lat_e7)], [said(lon_e7), said(lat_e7)]],
        },
    }
    data = json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()
    assert columns_of(streamed(data)) == as_flights(slowly(data))


NAMES = (
    st.none()
    | st.text(min_size=0, max_size=70)
    | st.sampled_from(["Борт 12", "l\u00e4b", "«A» – №1"])
)
HEIGHTS = st.sampled_from(
    [
        "FL{}",
        "fl {}",
        "{}.25 ft FL",
        "+{}ft msl",
        "{}.000050 m WGS84",
        " {}  metres  agl ",
        "{} M W84",
    ]
)
ROOM = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "lateral": st.none() | st.sampled_from(["0.5 NM", "1.852km", "9 nmi", "-1 m", "6000 km"]),
        "vertical": st.none() | st.sampled_from(["300.5 ft", "150m", "1e3 m"]),
        "time": st.none() | st.sampled_from(["0.5 s", "2MIN", "25 h", "1,5 h"]),
    },
)


def spelled(value: Any, shuffled: Any, form: int) -> bytes:
    """Write a document with its members in another order, and white space, as programs differ."""
    if isinstance(value, dict):
        members = list(value.items())
        shuffled.shuffle(members)
        value = {name: json.loads(spelled(item, shuffled, form)) for name, item in members}
    elif isinstance(value, list):
        value = [json.loads(spelled(item, shuffled, form)) for item in value]
    text = json.dumps(
        value,
        indent=(None, 2, "\t", 0)[form % 4],
        separators=(",", ":") if form % 4 == 0 else None,
        ensure_ascii=form % 3 == 0,
    )
    return (text.replace("\n", "\r\n") if form % 5 == 0 else text).encode()


def said_by(data: bytes, *, by_kernel: bool) -> object:
    """Return all that a file says, its names too, or the refusal of it in its words."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "all.geojson"
        file.write_bytes(data)
        quick = geojson_stream._kernel.json_features
        with pytest.MonkeyPatch.context() as patch:
            if not by_kernel:
                patch.setattr(geojson_stream, "_kernel", Carefully(quick))
            try:
                parts = list(read_geojson_stream(file, advance=lambda _: None))
            except InvalidInputError as refusal:
                return str(refusal)
    flights = Flights.joined([part.flights for part in parts])
    areas = Volumes.joined([part.volumes for part in parts])
    said = {number: names for part in parts for number, names in part.names().items()}
    held = [
        [
            [] if each.ids is None else each.ids.tolist(),
            [each.purpose.name(row) for row in range(len(each))],
            [each.party.name(row) for row in range(len(each))],
            [] if each.rows is None else each.rows.number.tolist(),
        ]
        for each in (flights, areas)
    ]
    return columns_of(flights), area_columns_of(areas), held, said


def area_columns_of(areas: Volumes) -> dict[str, list[Any]]:
    names = (
        *("offsets", "lat_deg", "lon_deg", "shape", "reach_m", "lower_tmm", "upper_tmm"),
        *("start_s", "end_s", "reference", "item"),
    )
    return {name: getattr(areas, name).tolist() for name in names}


class Carefully:
    """The kernel's reader that leaves every feature to the careful one."""

    def __init__(self, quick: Any) -> None:
        self._quick = quick

    def json_features(self, text: bytes) -> dict[str, Any]:
        found: dict[str, Any] = self._quick(text)
        if not found["count"] - len(found["left"]):
            return found
        spots = features_in(text)
        none: dict[str, Any] = self._quick(b"")
        kept = {name: found[name] for name in ("count", "commas", "used", "ended")}
        return (
            none | kept | {"left": [(k, *spot) for k, spot in enumerate(spots[: found["count"]])]}
        )


def features_in(text: bytes) -> list[tuple[int, int]]:
    decoder, words, at, spots = json.JSONDecoder(), text.decode("latin-1"), 0, []
    while True:
        while words[at : at + 1] and words[at] in " \t\r\n,":
            at += 1
        if words[at : at + 1] != "{":
            return spots
        try:
            _, end = decoder.raw_decode(words, at)
        except ValueError:
            return spots
        spots.append((at, end))
        at = end


@given(
    trajectories(),
    st.fixed_dictionaries(
        {},
        optional={
            "id": NAMES | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False),
            "bbox": st.none() | st.just([1.5, 2e0, -3, 4]) | st.just("no box") | st.just([[1]]),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "label": NAMES,
            "party": NAMES,
            "declaration_id": st.none() | st.sampled_from(["0" * 32, "A" * 32, ""]),
            "containment": ROOM,
            "purpose": st.sampled_from(["ACTIVITY", "OWN_PRESENCE", "TARGET", None]),
            "callsign": st.just("BAW12"),
        },
    ),
    HEIGHTS,
    st.integers(0, 99),
    st.integers(0, 59),
    st.randoms(use_true_random=False),
    st.integers(0, 3),
)
def test_variants_are_read_or_refused_as_the_careful_reader_does(
    way: Trajectory,
    members: dict[str, Any],
    properties: dict[str, Any],
    height: str,
    level: int,
    form: int,
    shuffled: Any,
    repeated: int,
) -> None:
    (document,) = json.loads(write_declarations([DeclarationInput("FLIGHT", way)]))["features"]
    said = document["properties"]
    if "altitudes" in said and form % 2:
        said["altitudes"] = [height.format(level)] * len(said["altitudes"])
    for _ in range(repeated):
        for items in (document["geometry"]["coordinates"], said["times"], said.get("altitudes")):
            if items:
                items.insert(0, items[0])
    document |= members
    said |= properties
    data = spelled({"type": "FeatureCollection", "features": [document]}, shuffled, form)
    assert said_by(data, by_kernel=True) == said_by(data, by_kernel=False)


AREAS = volumes | st.builds(
    Volume,
    star_rings(reach_m=30_000.0).map(lambda ring: Polygon(tuple(ring)))
    | st.builds(Circle, positions, reaches),
    bands(),
    spans,
)
LIMITS = st.sampled_from(
    ["SFC", "GND", "unl", "UNL", "FL100", "fl 200", "1000 ft AMSL", "300 m W84", "900 ft agl", "1"]
)


@given(
    AREAS,
    st.fixed_dictionaries(
        {},
        optional={
            "id": NAMES | st.integers(-5, 10**17),
            "bbox": st.none() | st.just([1, 2, 3, 4]),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "label": NAMES,
            "party": NAMES,
            "declaration_id": st.none() | st.sampled_from(["0" * 32, "A" * 32]),
            "purpose": st.sampled_from(["FLIGHT", "HAZARD", "TARGET", None]),
            "lower": LIMITS,
            "upper": LIMITS,
            "start_utc": st.sampled_from(["2015-09-30T06:00:00Z", "2199-12-31T23:59:59.999Z", ""]),
            "radius": st.sampled_from([None, "10 NM", "0 m", "0.0001 m", "6000 km", "1852M"]),
            "half_width": st.sampled_from([None, "5 km"]),
            "times": st.none(),
            "volumes": st.none(),
            "callsign": st.sampled_from(["BAW12", None]),
        },
    ),
    st.integers(0, 59),
    st.randoms(use_true_random=False),
)
def test_areas_are_read_or_refused_as_the_careful_reader_does(
    volume: Volume, members: dict[str, Any], properties: dict[str, Any], form: int, shuffled: Any
) -> None:
    (document,) = json.loads(write_declarations([DeclarationInput("ACTIVITY", (volume,))]))[
        "features"
    ]
    document |= members
    document["properties"] |= properties
    data = spelled({"type": "FeatureCollection", "features": [document]}, shuffled, form)
    assert said_by(data, by_kernel=True) == said_by(data, by_kernel=False)


@given(AREAS, st.integers(0, 10**9), st.integers(0, 3), DAMAGE)
def test_a_damaged_area_is_refused_in_the_words_of_the_careful_reader(
    volume: Volume, at: int, lost: int, put: str
) -> None:
    data = write_declarations([DeclarationInput("ACTIVITY", (volume,))])
    at %= len(data)
    damaged = data[:at] + put.encode() + data[at + lost :]
    try:
        json.loads(damaged)
    except ValueError:
        return
    assert said_by(damaged, by_kernel=True) == said_by(damaged, by_kernel=False)


CORNERS = st.lists(
    st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=3, max_size=9, unique=True
)


@given(CORNERS, st.sampled_from([1, 40, 7_000, 600_000]), st.sampled_from([0.0, 51.3, -89.99]))
def test_no_ring_that_the_careful_reader_refuses_is_taken(
    corners: list[tuple[int, int]], step_e7: int, lat_deg: float
) -> None:
    ring = [
        [8.0 + east * step_e7 / 1e7, lat_deg + north * step_e7 / 1e7] for north, east in corners
    ]
    document = {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "properties": {
            "purpose": "HAZARD",
            "lower": "SFC",
            "upper": "UNL",
            "start_utc": "2015-09-30T06:00:00Z",
            "end_utc": "2015-09-30T07:00:00Z",
        },
    }
    data = json.dumps(document).encode()
    assert said_by(data, by_kernel=True) == said_by(data, by_kernel=False)


def test_areas_and_names_beyond_ascii_are_read_by_the_kernel() -> None:
    ring = [[8.0, 48.0], [8.3, 48.0], [8.3, 48.3], [8.0, 48.0]]
    shapes = [
        ({"type": "Point", "coordinates": [8, 48]}, {"radius": "10 NM"}),
        ({"type": "LineString", "coordinates": [[8, 48], [9, 48]]}, {"half_width": "1 km"}),
        ({"type": "Polygon", "coordinates": [ring]}, {"radius": None}),
    ]
    for name in ("\u2708\ufe0f \U0001f6eb", "\u6d77\u4e0a", "\u0411\u043e\u0440\u0442"):
        for ascii_only in (False, True):
            for geometry, extra in shapes:
                properties = {
                    "purpose": "ACTIVITY",
                    "label": name,
                    "party": name,
                    "lower": "SFC",
                    "upper": "FL100",
                    "start_utc": "2015-09-30T06:00:00Z",
                    "end_utc": "2015-09-30T07:00:00Z",
                    **extra,
                }
                feature = {"type": "Feature", "id": name, "geometry": geometry}
                text = json.dumps(feature | {"properties": properties}, ensure_ascii=ascii_only)
                found = _kernel.json_features(text.encode())
                assert found["left"] == []
                assert found["areas"]["label"] == found["areas"]["id"] == [name]


@given(trajectories(), st.integers(0, 10**9), st.integers(0, 3), DAMAGE)
def test_a_damaged_feature_is_refused_in_the_words_of_the_careful_reader(
    way: Trajectory, at: int, lost: int, put: str
) -> None:
    data = write_declarations([DeclarationInput("FLIGHT", way)])
    at %= len(data)
    damaged = data[:at] + put.encode() + data[at + lost :]
    quick = said_by(damaged, by_kernel=True)
    try:
        json.loads(damaged)
    except ValueError:
        return  # where features end is then told by the kernel alone
    assert quick == said_by(damaged, by_kernel=False)


def test_every_character_of_a_name_that_the_kernel_takes_is_printable() -> None:
    taken = 0
    for code in range(0x20, 0x20000):
        if 0xD800 <= code < 0xE000 or chr(code) in '"\\':
            continue
        escaped = json.dumps(chr(code))[1:-1]
        feature = FEATURE.replace("A LABEL", escaped if code % 2 else chr(code))
        found = _kernel.json_features(feature.encode())
        if found["label"]:
            taken += 1
            assert found["label"] == [chr(code)]
            assert chr(code).isprintable(), hex(code)
    assert taken > 60_000


@given(trajectories(), st.integers(0, 10**9), st.integers(0, 3), DAMAGE)
def test_a_damaged_file_is_refused_or_read_alike(
    way: Trajectory, at: int, lost: int, put: str
) -> None:
    data = write_declarations([DeclarationInput("FLIGHT", way)])
    at %= len(data)
    damaged = data[:at] + put.encode() + data[at + lost :]
    wanted: list[Trajectory] | None
    try:
        wanted = slowly(damaged)
    except InvalidInputError:
        wanted = None
    try:
        found = streamed(damaged)
    except InvalidInputError:
        found = None
    # A single Feature, or features one after another, are read by both in their own way.
    if wanted is None:
        assert found is None or not damaged.lstrip().startswith(b'{"type": "FeatureCollection"')
    else:
        assert found is not None
        assert columns_of(found) == as_flights(wanted)


@given(st.lists(st.integers(0, MAX_UTC_MS), max_size=20), st.booleans())
def test_a_column_of_times_is_read_as_each_of_them(instants: list[int], short: bool) -> None:
    texts = [format_utc(ms) for ms in instants]
    if short:
        texts = [text[:19] + "Z" for text in texts]
    assert (seconds_of_utc(texts) * 1000).round().tolist() == [parse_utc(text) for text in texts]


@given(
    st.lists(st.sampled_from(["2015-09-30T06:12:00Z", "2016-02-29T23:59:59.999Z"]), max_size=5),
    st.sampled_from(
        [
            "2015-02-29T00:00:00Z", "2015-13-01T00:00:00Z", "2015-09-30T24:00:00Z",
            "2015-09-30T06:60:00Z", "2015-09-30T06:12:60Z", "1969-12-31T23:59:59Z",
            "2200-01-01T00:00:00Z", "2015-09-30t06:12:00Z", "2015-09-30T06:12:00+", "",
            "2015-09-3٠T06:12:00Z", "now",
        ]
    ),
)  # fmt: skip
def test_one_bad_time_refuses_the_column_with_its_place(before: list[str], bad: str) -> None:
    with pytest.raises(InvalidTimeError) as refusal:
        seconds_of_utc([*before, bad, "2015-09-30T06:12:00Z"])
    assert refusal.value.problem.startswith(f"[{len(before)}]: ")


@given(st.lists(st.integers(2, 5), min_size=1, max_size=6), st.lists(st.integers(1, 7), max_size=8))
def test_any_cut_of_a_table_gives_the_same_flights(lengths: list[int], cuts: list[int]) -> None:
    rows = sum(lengths)
    columns = {
        "flight": np.repeat([f"F{k}" for k in range(len(lengths))], lengths),
        "lat_deg": np.arange(rows) / 1000,
        "lon_deg": np.arange(rows) / 1000,
        "time_s": np.arange(rows, dtype=float),
        "altitude_ft": np.arange(rows),
    }
    edges = [0, *(edge for edge in np.cumsum(cuts).tolist() if edge < rows), rows]
    batches = [
        Batch({name: column[a:b] for name, column in columns.items()})
        for a, b in itertools.pairwise(edges)
    ]
    reference = AltitudeReference.FL
    parts = [
        flights_of_batch(batch, reference=reference) for batch in whole_batches(batches, "flight")
    ]
    joined = Flights.joined(parts)
    assert joined.ways().tolist() == lengths
    assert joined.ids is not None
    assert joined.ids.tolist() == [f"F{k}" for k in range(len(lengths))]
    assert joined.time_s.tolist() == columns["time_s"].tolist()


@given(st.integers(1, 200), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
def test_a_csv_is_read_alike_however_it_is_cut(
    part_bytes: int, end: str, quoted: bool, ended: bool
) -> None:
    name = '"A, ""1"""' if quoted else "A1"
    lines = ["flight,lat_deg", *(f"{name},{k}.5" for k in range(9))]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "day.csv"
        file.write_bytes((end.join(lines) + (end if ended else "")).encode())
        batches = list(
            csv_batches(file, ignore=frozenset(), advance=lambda _: None, part_bytes=part_bytes)
        )
    values = [v for batch in batches for v in np.asarray(batch.columns["lat_deg"]).tolist()]
    assert values == [k + 0.5 for k in range(9)]
    assert [n for batch in batches for n in batch.numbers().tolist()] == list(range(2, 11))
    assert {name for batch in batches for name in batch.labels("flight").used()} == {
        'A, "1"' if quoted else "A1"
    }


@given(st.lists(trajectories(), min_size=2, max_size=4))
def test_arrays_are_screened_as_declarations_are_checked(ways: list[Trajectory]) -> None:
    data = write_declarations([DeclarationInput("FLIGHT", way) for way in ways])
    minima = Minima(9_260.0, 3_048_000)
    found = screen(streamed(data), minima=minima)
    wanted = check(
        [Extent(f"{k}", f"{k}", "FLIGHT", way) for k, way in enumerate(ways)],
        minima=MinimaTable(minima),
        conversions=AltitudeConversions(),
    )
    assert sorted(zip(found.first.tolist(), found.second.tolist(), strict=True)) == sorted(
        (int(each.first), int(each.second)) for each in wanted
    )
