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

from deconflict.airspace import AltitudeReference, Trajectory, format_utc, parse_utc
from deconflict.airspace.instant import MAX_UTC_MS
from deconflict.errors import InvalidInputError, InvalidTimeError
from deconflict.formats import DeclarationInput, read_declarations, write_declarations
from deconflict.formats.csv_table import csv_batches
from deconflict.formats.geojson_stream import read_geojson_stream
from deconflict.formats.utc_column import seconds_of_utc
from deconflict.separation import Extent, Flights, Minima, MinimaTable, check, screen
from deconflict.separation.batch import Batch
from deconflict.separation.carry import whole_batches
from deconflict.separation.flights import flights_of_batch
from deconflict.separation.minima import AltitudeConversions
from geometry_strategies import trajectories

REFERENCES = tuple(AltitudeReference)
DAMAGE = st.sampled_from(
    ["", "{", "}", "[", "]", ",", ":", '"', "\\", "0", "-", "e", ".", "NaN", "null", " ", "é"]
)


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
