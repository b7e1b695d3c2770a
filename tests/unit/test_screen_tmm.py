"""Tenths of a millimetre are whole, in whatever a table comes as."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from deconflict.errors import BadRowsError
from deconflict.formats.screen_files import ScreenFiles, read_screen_files
from deconflict.separation.flights import Flights
from deconflict.separation.volumes import Volumes

Columns = dict[str, Any]
FLIGHT: Columns = {
    "flight": np.array(["A", "A"]),
    "lat_deg": np.array([48.0, 48.0]),
    "lon_deg": np.array([8.0, 9.0]),
    "time_s": np.array([0.0, 600.0]),
    "altitude_reference": np.array(["AMSL", "AMSL"]),
}
AREA: Columns = {
    "volume": np.array(["R"]),
    "lat_deg": np.array([48.0]),
    "lon_deg": np.array([8.0]),
    "radius_m": np.array([500.0]),
    "start_s": np.array([0.0]),
    "end_s": np.array([60.0]),
    "altitude_reference": np.array(["AMSL"]),
}


def as_npz(folder: Path, columns: Columns) -> ScreenFiles:
    np.savez(folder / "t.npz", **columns)
    return read_screen_files([folder / "t.npz"])


def as_csv(folder: Path, columns: Columns) -> ScreenFiles:
    with (folder / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    return read_screen_files([folder / "t.csv"])


def as_parquet(folder: Path, columns: Columns) -> ScreenFiles:
    pq.write_table(pa.table(columns), folder / "t.parquet")
    return read_screen_files([folder / "t.parquet"])


def as_feather(folder: Path, columns: Columns) -> ScreenFiles:
    feather.write_feather(pa.table(columns), folder / "t.feather")
    return read_screen_files([folder / "t.feather"])


def as_arrays(folder: Path, columns: Columns) -> ScreenFiles:
    if "volume" in columns:
        return ScreenFiles(Flights.none(), Volumes.of(columns))
    return ScreenFiles(Flights.of(columns), Volumes.none())


EVERY = pytest.mark.parametrize("read", [as_npz, as_csv, as_parquet, as_feather, as_arrays])
Read = Callable[[Path, Columns], ScreenFiles]


@EVERY
@pytest.mark.parametrize(
    ("table", "name", "values", "given"),
    [
        (FLIGHT, "altitude_tmm", [10, 1.5], "1.5"),
        (FLIGHT, "altitude_tmm", [35000.25, 35000.25], "35000.25"),
        (FLIGHT, "vertical_tmm", [0.5, 0.5], "0.5"),
        (AREA, "lower_tmm", [-0.25], "-0.25"),
        (AREA, "upper_tmm", [3048.000001], "3048.000001"),
    ],
)
def test_a_part_of_a_tenth_of_a_millimetre_is_refused(
    tmp_path: Path, read: Read, table: Columns, name: str, values: list[float], given: str
) -> None:
    more = {} if table is AREA or name == "altitude_tmm" else {"altitude_ft": np.array([1.0, 1.0])}
    with pytest.raises(BadRowsError, match="no whole tenths of a millimetre") as refusal:
        read(tmp_path, {**table, **more, name: np.array(values)})
    assert refusal.value.given == given
    assert refusal.value.field == name
    assert f"{name.removesuffix('tmm')}ft" in refusal.value.remedy


@EVERY
def test_whole_ones_are_read_as_they_stand_and_other_units_rounded_to_them(
    tmp_path: Path, read: Read
) -> None:
    whole = read(tmp_path, {**FLIGHT, "altitude_tmm": np.array([3048.0, -5.0])}).flights
    assert whole.altitude_tmm.tolist() == [3048, -5]
    metres = read(tmp_path, {**FLIGHT, "altitude_m": np.array([304.8, 0.00016])}).flights
    assert metres.altitude_tmm.tolist() == [3_048_000, 2]
