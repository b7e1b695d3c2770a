"""Files of flights and volumes: every format says the same, and every bad row is named."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deconflict.airspace.altitude import AltitudeReference
from deconflict.errors import (
    BadRowsError,
    InvalidDocumentError,
    InvalidInputError,
    MissingExtraError,
)
from deconflict.formats.conflict_files import conflict_rows, write_conflicts
from deconflict.formats.screen_files import read_screen_files
from deconflict.separation import Conflicts, screen
from screen_samples import (
    MINIMA,
    WRITERS,
    features,
    flight_columns,
    waypoint_rows,
    write_csv,
    write_npz,
)

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
HEAD = "flight,time,lat_deg,lon_deg,altitude_ft,altitude_reference"


def found_in(files: list[Path], **more: Any) -> Conflicts:
    held = read_screen_files(files, **more)
    return screen(held.flights, held.volumes, minima=MINIMA)


def rows_of(files: list[Path]) -> list[dict[str, Any]]:
    return list(conflict_rows(found_in(files)))


def csv_of(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "day.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_gives_the_same_answer(tmp_path: Path, form: str) -> None:
    wanted = rows_of(write_npz(tmp_path))
    assert {(row["first"], row["second"]) for row in wanted} == {
        ("A1", "B2"),
        ("B2", "D4"),
        ("A1", "range"),
        ("B2", "range"),
        ("C3", "range"),
    }
    (tmp_path / form).mkdir()
    assert rows_of(WRITERS[form](tmp_path / form)) == wanted


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_that_read_change_nothing(tmp_path: Path, threads: int) -> None:
    files = WRITERS["parquet"](tmp_path)
    held = read_screen_files(files, threads=threads)
    assert held.flights.ids is not None
    assert held.flights.ids.tolist() == ["A1", "B2", "C3", "D4", "E5"]
    assert held.flights.rows is not None
    assert held.flights.rows.where(4) == "flights.parquet: row 5"


def test_flights_of_one_party_are_not_held_against_each_other(tmp_path: Path) -> None:
    found = found_in(write_npz(tmp_path))
    names = set(zip(found.names(found.first), found.names(found.second), strict=True))
    assert ("B2", "C3") not in names
    held = read_screen_files(write_npz(tmp_path))
    both = screen(held.flights, held.volumes, minima=MINIMA, within_parties=True)
    assert len(both) > len(found)


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather", "csv", "geojson"])
def test_conflicts_are_written_whole(tmp_path: Path, ending: str) -> None:
    found = found_in(write_npz(tmp_path))
    file = tmp_path / f"out.{ending}"
    write_conflicts(found, file)
    wanted = list(conflict_rows(found))
    if ending == "parquet":
        table = pq.read_table(file)
    elif ending in ("arrow", "feather"):
        table = pa.ipc.open_file(file).read_all()
    elif ending == "csv":
        lines = file.read_text().splitlines()
        assert lines[0].split(",") == list(wanted[0])
        assert lines[1].split(",")[:4] == [wanted[0][k] for k in list(wanted[0])[:4]]
        assert len(lines) == len(wanted) + 1
        return
    else:
        read = json.loads(file.read_text())["features"]
        assert [feature["properties"]["cpa_time"] for feature in read] == [
            row["cpa_time"] for row in wanted
        ]
        assert read[0]["geometry"]["type"] == "LineString"
        return
    assert table.column_names == list(wanted[0])
    assert table["first"].to_pylist() == [row["first"] for row in wanted]
    assert table["cpa_distance_m"].to_pylist() == [row["cpa_distance_m"] for row in wanted]
    stamps = table["time_in"].cast(pa.timestamp("us")).to_numpy()
    assert [f"{t}Z" for t in np.datetime_as_string(stamps, unit="us")] == [
        row["time_in"] for row in wanted
    ]
    assert list(tmp_path.glob(".*")) == []


def test_a_failed_write_leaves_what_stood_there(tmp_path: Path) -> None:
    found = found_in(write_npz(tmp_path))
    file = tmp_path / "gone" / "out.csv"
    with pytest.raises(OSError, match="No such file"):
        write_conflicts(found, file)


# Refusals: file, row, field.


@pytest.mark.parametrize(
    ("line", "where", "given"),
    [
        ("A,2015-09-30T06:00:00Z,NaN,8,100,FL", "line 2 (flight A), waypoint 1, lat_deg", "nan"),
        ("A,2015-09-30T06:00:00Z,inf,8,100,FL", "line 2 (flight A), waypoint 1, lat_deg", "inf"),
        ("A,2015-09-30T06:00:00Z,,8,100,FL", "line 2 (flight A), waypoint 1, lat_deg", "nothing"),
        ("A,2015-09-30T06:00:00Z,1,200,1,FL", "line 2 (flight A), waypoint 1, lon_deg", "200.0"),
        ("A,2015-09-30T06:00:00Z,1,8,nan,FL", "waypoint 1, altitude_ft", "nan"),
        ("A,2015-09-30T06:00:00Z,1,8,9e9,FL", "waypoint 1, altitude_ft", "9000000000.0"),
        ("A,2015-09-30T06:00:00Z,1,8,100,QNH", "line 3 (flight A), altitude_reference", "'FL'"),
        ("C,2015-09-30T06:00:00Z,1,8,100,QNH", "line 2 (flight C), waypoints", "1 waypoint"),
        (",2015-09-30T06:00:00Z,1,8,100,FL", "line 2", "nothing"),
        ("A,2015-09-30T06:00:00,1,8,100,FL", "line 2, time", "'2015-09-30T06:00:00'"),
        ("A,2015-09-30T06:00:00Z,1_0,8,100,FL", "line 2, lat_deg", "'1_0'"),
        ("A,2015-09-30T06:00:00Z,one,8,100,FL", "line 2, lat_deg", "'one'"),
        ("A,2015-09-30T06:00:00Z,1,8,100", "line 2", "5 cells"),
        ("A,2015-09-30T06:20:00Z,1,8,100,FL", "line 3 (flight A), waypoint 2, time", ""),
    ],
)
def test_a_bad_line_is_named_with_its_field(
    tmp_path: Path, line: str, where: str, given: str
) -> None:
    second = "A,2015-09-30T06:10:00Z,1,9,100,FL"
    with pytest.raises(InvalidInputError) as refusal:
        found_in([csv_of(tmp_path, HEAD, line, second)])
    assert refusal.value.problem.startswith("day.csv: line")
    assert where in refusal.value.problem
    assert given in refusal.value.given
    assert refusal.value.expected


@pytest.mark.parametrize("heading", [HEAD.replace(",", ";"), HEAD.replace(",", "\t")])
def test_cells_that_no_comma_separates_are_told(tmp_path: Path, heading: str) -> None:
    with pytest.raises(InvalidDocumentError, match="not separated by commas"):
        found_in([csv_of(tmp_path, heading, "A;2015-09-30T06:00:00Z;1;9;100;FL")])


@pytest.mark.parametrize("cell", ["BAW12", "7", ""])
def test_an_unknown_column_is_told_by_its_name_whatever_it_holds(tmp_path: Path, cell: str) -> None:
    lines = [f"A,2015-09-30T06:{minute}:00Z,1,9,100,FL,{cell}" for minute in (10, 20)]
    with pytest.raises(InvalidDocumentError, match="columns that mean nothing here") as refusal:
        found_in([csv_of(tmp_path, f"{HEAD},callsign", *lines)])
    assert refusal.value.given == "callsign"


@pytest.mark.parametrize(("word", "given"), [("QNH", "'QNH'"), ("", "nothing")])
def test_an_altitude_reference_that_is_none_is_named(tmp_path: Path, word: str, given: str) -> None:
    lines = [f"A,2015-09-30T06:{minute}:00Z,1,{minute},100,{word}" for minute in (10, 20)]
    with pytest.raises(BadRowsError) as refusal:
        found_in([csv_of(tmp_path, HEAD, *lines)])
    assert refusal.value.problem.startswith("day.csv: line 2 (flight A), altitude_reference: ")
    assert refusal.value.given == given


def test_all_rows_with_one_fault_are_told(tmp_path: Path) -> None:
    good, bad = "A,{},1,{},100,FL", "B{},{},nan,{},100,FL"
    lines = [good.format("2015-09-30T06:00:00Z", 1), good.format("2015-09-30T06:10:00Z", 2)]
    for k in range(12):
        lines.append(bad.format(k, "2015-09-30T06:00:00Z", 1))
        lines.append(bad.format(k, "2015-09-30T06:10:00Z", 2))
    with pytest.raises(BadRowsError) as refusal:
        found_in([csv_of(tmp_path, HEAD, *lines)])
    assert refusal.value.rows == tuple(range(4, 28))
    assert refusal.value.field == "lat_deg"
    assert "23 more with this fault: line 5, 6, 7, 8, 9, 10, 11, 12, …" in refusal.value.remedy


def test_a_flight_that_begins_again_is_refused(tmp_path: Path) -> None:
    lines = [
        f"{name},2015-09-30T06:{minute}:00Z,1,1.{minute},100,FL"
        for name, minute in [("A", 10), ("A", 20), ("B", 10), ("B", 20), ("A", 30), ("A", 40)]
    ]
    with pytest.raises(InvalidInputError, match="one name stands for two") as refusal:
        found_in([csv_of(tmp_path, HEAD, *lines)])
    assert refusal.value.given == "'A' in day.csv: line 2 and day.csv: line 6"


def test_an_unknown_column_is_refused_unless_it_is_to_be_left_out(tmp_path: Path) -> None:
    file = csv_of(
        tmp_path,
        HEAD + ",lateral_M",
        "A,2015-09-30T06:00:00Z,1,8,100,FL,50",
        "A,2015-09-30T06:10:00Z,1,9,100,FL,50",
    )
    with pytest.raises(InvalidDocumentError, match="columns that mean nothing here") as refusal:
        found_in([file])
    assert refusal.value.given == "lateral_M"
    assert len(found_in([file], ignore=frozenset({"lateral_M"})).flights) == 1


def test_altitudes_without_a_reference_are_refused_unless_one_is_named(tmp_path: Path) -> None:
    file = csv_of(
        tmp_path,
        "flight,time,lat_deg,lon_deg,altitude_m",
        "A,2015-09-30T06:00:00Z,1,8,100.5",
        "A,2015-09-30T06:10:00Z,1,9,100.5",
    )
    with pytest.raises(BadRowsError, match="what the altitudes are measured from is not said"):
        found_in([file])
    flights = found_in([file], reference=AltitudeReference.AMSL).flights
    assert flights.altitude_tmm.tolist() == [1_005_000, 1_005_000]


def test_a_value_that_changes_along_a_flight_is_refused(tmp_path: Path) -> None:
    file = csv_of(
        tmp_path,
        HEAD + ",window_s",
        "A,2015-09-30T06:00:00Z,1,8,100,FL,50",
        "A,2015-09-30T06:10:00Z,1,9,100,FL,60",
    )
    with pytest.raises(BadRowsError, match=r"day.csv: line 3 \(flight A\), window_s: differs"):
        found_in([file])


def test_text_that_is_no_utf_8_and_a_cell_over_two_lines_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_bytes(HEAD.encode() + b"\n\xff,1,2,3,4,FL\n")
    with pytest.raises(InvalidDocumentError, match="no UTF-8"):
        found_in([file])
    with pytest.raises(InvalidDocumentError, match="line 2: this is no CSV, or a cell runs over"):
        found_in([csv_of(tmp_path, HEAD, '"A', 'B",2015-09-30T06:00:00Z,1,8,100,FL')])
    with pytest.raises(InvalidDocumentError, match="line 2: this is no CSV"):
        found_in([csv_of(tmp_path, HEAD, '"A"B,2015-09-30T06:00:00Z,1,8,100,FL')])


def test_a_table_that_holds_neither_flights_nor_volumes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocumentError, match="neither flights nor volumes"):
        found_in([csv_of(tmp_path, "lat_deg,lon_deg", "1,2")])


def test_a_table_without_a_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocumentError, match="holds no flight and no volume"):
        found_in([csv_of(tmp_path, HEAD)])


def test_an_ending_that_says_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "day.kml").write_text("<kml/>")
    with pytest.raises(InvalidDocumentError, match="the ending says no format"):
        found_in([tmp_path / "day.kml"])


@pytest.mark.parametrize("name", ["day.parquet", "day.feather", "day.npz", "day.geojson"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PAR1 this is none of it PAR1" * 3)
    with pytest.raises(InvalidDocumentError) as refusal:
        found_in([tmp_path / name])
    assert name in refusal.value.problem


def write_lists(tmp_path: Path, **changed: Any) -> Path:
    table = {
        "flight": ["A", "B"],
        "lat_deg": [[1.0, 2.0], [1.0, 2.0]],
        "lon_deg": [[1.0, 2.0], [3.0, 4.0]],
        "time_s": [[0.0, 600.0], [0.0, 600.0]],
        "altitude_fl": [[100, 100], [100, 100]],
    }
    pq.write_table(pa.table(table | changed), tmp_path / "day.parquet")
    return tmp_path / "day.parquet"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lat_deg": [[1.0, 2.0], [1.0]]}, "row 2, lon_deg: another number of waypoints"),
        ({"lat_deg": [[1.0, 2.0], [None, 2.0]]}, "row 2 (flight B), waypoint 1, lat_deg"),
        ({"lat_deg": [[1.0, float("nan")], [1.0, 2.0]]}, "row 1 (flight A), waypoint 2, lat_deg"),
        ({"time_s": [[0.0, 600.0], [600.0, 0.0]]}, "row 2 (flight B), waypoint 2, time_s"),
        ({"time_s": [[0.0, 600.0], [float("inf"), 0.0]]}, "row 2 (flight B), waypoint 1, time_s"),
        ({"altitude_fl": [[100, 100], [100, 99999]]}, "row 2 (flight B), waypoint 2, altitude_fl"),
        ({"lateral_m": [1.0, -1.0]}, "row 2 (flight B), lateral_m"),
        ({"window_s": [1.0, float("nan")]}, "row 2 (flight B), window_s"),
        ({"purpose": ["FLIGHT", "STRIKE"]}, "row 2 (flight B), purpose"),
        ({"flight": ["A", None]}, "row 2, flight"),
        ({"altitude_reference": ["FL", "AMSL"]}, "altitude_fl is pressure altitude"),
        ({"time_s": [["x", "y"], ["x", "y"]]}, "time_s holds no times"),
        ({"lat_deg": [["x", "y"], ["x", "y"]]}, "lat_deg holds no numbers"),
    ],
)
def test_a_bad_row_of_lists_is_named_with_its_field(
    tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        found_in([write_lists(tmp_path, **changed)])
    assert refusal.value.problem.startswith("day.parquet: ")
    assert said in refusal.value.problem


def test_what_only_the_kernel_refuses_is_named_by_file_and_row(tmp_path: Path) -> None:
    file = write_lists(tmp_path, time_s=[[0.0, 600.0], [0.0, 1e-7]])
    with pytest.raises(BadRowsError) as refusal:
        found_in([file])
    assert refusal.value.problem.startswith("day.parquet: row 2 (flight B), time_s")


def test_a_flight_with_one_waypoint_is_refused(tmp_path: Path) -> None:
    one = {name: [[1.0], [1.0, 2.0]] for name in ("lat_deg", "lon_deg", "time_s")}
    with pytest.raises(BadRowsError, match=r"row 1 \(flight A\), waypoints: .* fewer than two"):
        found_in([write_lists(tmp_path, altitude_fl=[[1], [1, 2]], **one)])


def test_a_timestamp_without_a_zone_is_refused(tmp_path: Path) -> None:
    stamps = pa.array([[0, 600], [0, 600]], type=pa.list_(pa.timestamp("s")))
    table = pq.read_table(write_lists(tmp_path)).drop_columns(["time_s"])
    pq.write_table(table.append_column("time", stamps), tmp_path / "day.parquet")
    with pytest.raises(InvalidDocumentError, match="names no time zone"):
        found_in([tmp_path / "day.parquet"])


def test_flights_without_names_are_named_by_file_and_row(tmp_path: Path) -> None:
    file = write_lists(tmp_path)
    pq.write_table(pq.read_table(file).drop_columns(["flight"]), file)
    held = read_screen_files([file])
    assert held.flights.ids is not None
    assert held.flights.ids.tolist() == ["day#1", "day#2"]


def test_an_npz_of_objects_is_refused(tmp_path: Path) -> None:
    columns, offsets = flight_columns()
    file = tmp_path / "day.npz"
    np.savez(file, offsets=offsets, **(columns | {"flight": np.array(["A"] * 5, dtype=object)}))
    with pytest.raises(InvalidDocumentError, match=r"no \.npz of numbers and text") as refusal:
        found_in([file])
    assert "astype(str)" in refusal.value.remedy


def test_parquet_without_pyarrow_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_lists(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError) as refusal:
        found_in([file])
    assert "deconflict[tables]" in refusal.value.remedy
    assert len(found_in(write_csv(tmp_path))) == 5


# GeoJSON: what stands around the features, and which feature is at fault.


def geojson(tmp_path: Path, text: str, **more: Any) -> Conflicts:
    (tmp_path / "all.geojson").write_text(text)
    return found_in([tmp_path / "all.geojson"], **more)


def collection(**more: Any) -> str:
    return json.dumps({"type": "FeatureCollection", **more, "features": features()})


def test_a_collection_may_say_its_members_in_any_order(tmp_path: Path) -> None:
    text = collection()
    wanted = list(conflict_rows(geojson(tmp_path, text)))
    inner = text[text.index('"features"') : -1]
    crs = '"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}}'
    for other in (
        "\ufeff" + text,
        "{" + inner + ',"type":"FeatureCollection"}',
        '{"name":"features","bbox":[1,2,3,4],' + inner + ',"type" : "FeatureCollection"}\n',
        '{"type":"FeatureCollection",' + inner + "," + crs + "}",
    ):
        assert list(conflict_rows(geojson(tmp_path, other))) == wanted


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[8.5, 47.7]", "[8.5, 97.7]", "features[1].geometry.coordinates[0]: latitude"),
        ('"35500 ft FL"', '"35500 ft"', "features[1].properties.altitudes[0]"),
        ('"purpose": "FLIGHT"', '"purpose": "STRIKE"', "features[0].properties: the purpose"),
        ('"party": "red"', '"party": 7', "features[0].properties.party: this names nothing"),
        ('"party": "red"', '"partly": "red"', "features[0].properties: unknown: partly"),
        ('"id": "A1"', '"id": {}', "features[0].id: this names nothing"),
        ("}}, {", "}} {", "a comma is missing"),
        ("}}, {", "}},, {", "a comma is missing"),
        ('"type": "FeatureCollection"', '"type": "Features"', "the document is no declaration"),
        ('"type": "FeatureCollection"', '"typo": "FeatureCollection"', "no declaration"),
        ('"LineString"', '"LineString", "type": "LineString"', "features[0]: a key is said twice"),
        ("[8.5, 47.7]", "[8.5, NaN]", "features[1]: the document holds a value that is no number"),
    ],
)
def test_a_fault_in_geojson_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = collection()
    assert old in text
    with pytest.raises(InvalidInputError) as refusal:
        geojson(tmp_path, text.replace(old, new, 1))
    assert refusal.value.problem.startswith("all.geojson: ")
    assert said in refusal.value.problem


def test_a_file_that_breaks_off_is_refused_wherever(tmp_path: Path) -> None:
    for text in (collection(), "\n".join(map(json.dumps, features()))):
        for end in range(1, len(text) - 1, 97):
            if end > 2 and text[:end].endswith("}}") and not text.startswith('{"type": "FeatureC'):
                continue  # whole features, one after another
            with pytest.raises(InvalidInputError):
                geojson(tmp_path, text[:end])


def test_labels_do_not_have_to_differ(tmp_path: Path) -> None:
    made = features()
    for feature in made:
        del feature["id"]
        feature["properties"]["label"] = "transit"
    held = geojson(tmp_path, json.dumps({"type": "FeatureCollection", "features": made})).flights
    assert held.ids is not None
    assert held.ids.tolist() == [f"transit#{k}" for k in range(5)]


def test_volumes_of_one_declaration_never_meet(tmp_path: Path) -> None:
    ring = features()[-1]["geometry"]
    said = features()[-1]["properties"]
    settings = {key: said.pop(key) for key in ("lower", "upper", "start_utc", "end_utc")}
    feature = {
        "type": "Feature",
        "geometry": {"type": "GeometryCollection", "geometries": [ring, ring]},
        "properties": {"purpose": "HAZARD", "volumes": [settings, settings]},
    }
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    assert len(geojson(tmp_path, text)) == 0
    two = json.dumps({"type": "FeatureCollection", "features": [feature, feature]})
    assert len(geojson(tmp_path, two)) == 4


def test_rows_of_waypoints_are_those_of_the_sample() -> None:
    assert len(waypoint_rows()) == 11
