"""Files that are not what their ending says, or break off: told before any parser stumbles."""

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from deconflict.cli import main
from deconflict.errors import InvalidDocumentError
from deconflict.formats.screen_files import read_screen_files
from screen_samples import write_arrow, write_csv, write_geojson, write_npz, write_parquet

WRITERS = (write_csv, write_geojson, write_npz, write_parquet, write_arrow)


def refused(file: Path) -> InvalidDocumentError:
    with pytest.raises(InvalidDocumentError) as caught:
        read_screen_files([file])
    assert file.name in caught.value.problem
    assert caught.value.expected
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("write", WRITERS)
def test_a_compressed_file_is_told_with_the_command_that_unpacks_it(
    tmp_path: Path, write: object
) -> None:
    file = write(tmp_path)[0]  # type: ignore[operator]
    plain = file.read_bytes()
    for pack, command in ((gzip, "gunzip"), (bz2, "bunzip2"), (lzma, "unxz")):
        file.write_bytes(pack.compress(plain))
        error = refused(file)
        assert "compressed by" in error.problem
        assert f"{command} < {file.name} > plain-{file.name}" in error.remedy
    named = tmp_path / f"{file.name}.gz"
    named.write_bytes(gzip.compress(plain))
    assert f"gunzip < {named.name} > {file.name}" in refused(named).remedy


@pytest.mark.parametrize("write", WRITERS[2:])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, write: object) -> None:
    for file in write(tmp_path):  # type: ignore[operator]
        whole = file.read_bytes()
        for end in {0, 1, 3, 7, 8, 100, len(whole) // 3, len(whole) // 2, *range(-64, 0, 4)}:
            file.write_bytes(whole[: end if end >= 0 else len(whole) + end])
            refused(file)


def test_a_stream_of_arrow_without_its_end_is_no_smaller_set_of_flights(tmp_path: Path) -> None:
    import pyarrow as pa

    from screen_samples import arrow_tables

    file = tmp_path / "flights.arrow"
    with pa.ipc.new_stream(str(file), arrow_tables()[0].schema) as stream:
        for batch in arrow_tables()[0].to_batches(max_chunksize=2):
            stream.write_batch(batch)
    assert len(read_screen_files([file]).flights) == 5
    file.write_bytes(file.read_bytes()[:-8])  # whole messages all the same
    assert "breaks off" in refused(file).problem


@pytest.mark.parametrize(
    ("begins", "ending", "said"),
    [
        (b"PK\x03\x04", ".csv", "this is a zip file"),
        (b"PAR1", ".csv", "this is a Parquet file"),
        (b"ARROW1\0\0", ".parquet", "this is an Arrow file"),
        (b"PAR1", ".geojson", "this is a Parquet file"),
        (b"\xff\xfef\0", ".csv", "this is text in UTF-16"),
        (b"SQLite format 3\0", ".csv", "this is a database of SQLite"),
        (b"\x93NUMPY\x01\0", ".npz", "this is a NumPy array alone"),
        (b"", ".geojson", "the file is empty"),
    ],
)
def test_a_file_of_another_kind_is_told_by_its_kind(
    tmp_path: Path, begins: bytes, ending: str, said: str
) -> None:
    file = tmp_path / f"day{ending}"
    file.write_bytes(begins + b"x" * 40 if begins else b"")
    assert said in refused(file).problem


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("time_s", "1443592800000", "these are milliseconds since 1970, it seems (2015-09-30)"),
        (
            "time_s",
            "1443592800000000000",
            "nanoseconds since 1970, it seems (2015-09-30)",
        ),
        ("time_s", "1e99", "check the unit"),
        ("time", "1443592800", "for seconds since 1970, name the column time_s"),
        ("time", "1443592800000", "these are milliseconds since 1970, it seems (2015-09-30)"),
    ],
)
def test_times_in_another_unit_are_told_with_the_unit(
    tmp_path: Path, column: str, cell: str, said: str
) -> None:
    file = tmp_path / "day.csv"
    file.write_text(
        f"flight,{column},lat_deg,lon_deg,altitude_ft\nA,{cell},48,8,30000\nA,{cell}0,48,9,30000\n"
    )
    told = CliRunner().invoke(main, ["screen", str(file), "--minima", "5NM,1000ft"])
    assert told.exit_code == 2
    assert "day.csv: line 2" in told.stderr
    assert said in told.stderr


def test_two_columns_of_one_name_are_refused_in_arrow_files_and_in_parquet(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table([pa.array([1.0]), pa.array([2.0])], names=["lat_deg", "lat_deg"])
    pq.write_table(table, tmp_path / "day.parquet")
    with (
        pa.OSFile(str(tmp_path / "day.arrow"), "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)
    for ending in ("parquet", "arrow"):
        with pytest.raises(InvalidDocumentError, match="two columns have one name"):
            read_screen_files([tmp_path / f"day.{ending}"])


def test_an_arrow_file_whose_lists_lead_outside_of_it_is_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    lists = pa.array([[1.0] * 77, [1.0] * 77])
    table = pa.table(dict.fromkeys(("lat_deg", "lon_deg", "time_s", "altitude_fl"), lists))
    with (
        pa.OSFile(str(tmp_path / "day.arrow"), "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_table(table)
    file = tmp_path / "day.arrow"
    ends = [np.array([77, end], dtype="<i4").tobytes() for end in (154, 1_000_000)]
    file.write_bytes(file.read_bytes().replace(*ends))
    assert "1000000" in refused(file).given


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_a_column_whose_name_is_no_text_is_refused(tmp_path: Path, ending: str) -> None:
    write = write_parquet if ending == "parquet" else write_arrow
    file = next(each for each in write(tmp_path) if b"lat_deg" in each.read_bytes())
    file.write_bytes(file.read_bytes().replace(b"lat_deg", b"lat\xeedeg"))
    refused(file)
