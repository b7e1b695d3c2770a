"""What reading and writing files adds to a screening, by format: `deconflict screen` in parts.

    python -m bench.bench_files [d10k d100k ...] [--threads N] [--folder DIR]

Each set is written once in every format, then read three times; the best is told beside the time
that screening the same set takes.
"""

import argparse
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.report import Row, print_rows, progress
from bench.workloads import WORKLOADS, Flights, Workload, flights
from deconflict.formats.conflict_files import write_conflicts
from deconflict.formats.screen_files import read_screen_files
from deconflict.separation import Conflicts, screen

__all__ = ["measure"]

RUNS: Final = 3
QUICK: Final = ("d10k",)
GROUP: Final = 10_000  # flights in a row group
DAY: Final = np.datetime64("2015-09-30", "ms")
SLOW: Final = 2_000_000  # waypoints beyond which the formats of text are left out
ASKED_ADDED_S: Final = {"d100k": 0.5}
FORMATS: Final = ("parquet", "feather", "npz", "geojson", "other.geojson", "csv")


def measure(names: Sequence[str], folder: Path, threads: int | None = None) -> list[Row]:
    """Return rows for each set: the screening, each format read, each format written."""
    rows: list[Row] = []
    for name in names:
        workload = WORKLOADS[name]
        made = flights(workload)
        files = {}
        for ending in FORMATS:
            if ending.endswith(("geojson", "csv")) and len(made.time_s) > SLOW:
                continue
            progress(f"{name}: writing {ending}")
            files[ending] = folder / f"{name}.{ending}"
            _WRITERS[ending](made, files[ending])
        rows += _of_set(name, workload, files, threads)
    return rows


def _of_set(
    name: str, workload: Workload, files: dict[str, Path], threads: int | None
) -> Iterator[Row]:
    count = threads or os.cpu_count() or 1
    held = read_screen_files([files["parquet"]], threads=count).flights
    minima = f"{workload.lateral_m:g}m,{workload.vertical_ft}ft"

    def screened() -> Conflicts:
        return screen(held, minima=minima, threads=threads)

    progress(f"{name}: screening")
    found = screened()
    alone = _best(screened)
    yield Row(f"{name}: screening alone", "", f"{alone:.3f} s, {len(found):,} findings")
    spent = {}
    for ending, file in files.items():
        progress(f"{name}: reading {ending}")
        size = file.stat().st_size / 1e6
        spent[ending] = _best(partial(read_screen_files, [file], threads=count))
        rate = size / spent[ending]
        yield Row(
            f"{name}: reading {ending}, {size:,.0f} MB",
            "≥ 150 MB/s" if ending.endswith("geojson") else "",
            f"{spent[ending]:.3f} s, {rate:,.0f} MB/s, {spent[ending] / alone:.2f} × screening",
            rate >= 150 if ending.endswith("geojson") else None,
        )
    for ending in ("parquet", "csv", "geojson"):
        progress(f"{name}: writing conflicts as {ending}")
        out = files["parquet"].with_name(f"conflicts.{ending}")
        took = _best(partial(write_conflicts, found, out))
        spent[f"to {ending}"] = took
        yield Row(
            f"{name}: writing {len(found):,} conflicts as {ending}",
            "",
            f"{took:.3f} s, {took / alone:.2f} × screening",
        )
    added = spent["parquet"] + spent["to parquet"]
    asked = ASKED_ADDED_S.get(name)
    yield Row(
        f"{name}: Parquet in to Parquet out adds",
        "" if asked is None else f"≤ {asked:g} s",
        f"{added:.3f} s, {added / alone:.2f} × screening",
        None if asked is None else added <= asked,
    )


def _best(work: Callable[[], Any]) -> float:
    spent = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        work()
        spent.append(time.perf_counter() - begun)
    return min(spent)


def _table(made: Flights) -> Any:
    import pyarrow as pa

    offsets = pa.array(made.offsets, type=pa.int32())

    def lists(values: Any) -> Any:
        return pa.ListArray.from_arrays(offsets, pa.array(values))

    return pa.table(
        {
            "flight": _names(made),
            "altitude_reference": pa.array(["FL"] * len(made)).dictionary_encode(),
            "lat_deg": lists(made.lat_deg),
            "lon_deg": lists(made.lon_deg),
            "time_s": lists(made.time_s),
            "altitude_ft": lists(made.altitude_ft.round().astype(np.int32)),
        }
    )


def _write_parquet(made: Flights, path: Path) -> None:
    import pyarrow.parquet as pq

    texts = ["flight", "altitude_reference"]
    pq.write_table(_table(made), path, row_group_size=GROUP, use_dictionary=texts)


def _write_feather(made: Flights, path: Path) -> None:
    from pyarrow import feather

    feather.write_feather(_table(made), path, compression="uncompressed", chunksize=GROUP)


def _write_npz(made: Flights, path: Path) -> None:
    np.savez(
        path,
        offsets=made.offsets,
        flight=np.array(_names(made)),
        altitude_reference=np.full(len(made), "FL"),
        lat_deg=made.lat_deg,
        lon_deg=made.lon_deg,
        time_s=made.time_s,
        altitude_ft=made.altitude_ft,
    )


def _write_geojson(made: Flights, path: Path) -> None:
    stamps, lat, lon, feet = _as_text(made)
    with path.open("w") as file:
        file.write('{"type":"FeatureCollection","features":[\n')
        for number, (name, part) in enumerate(zip(_names(made), made.ranges(), strict=True)):
            feature = {
                "type": "Feature",
                "id": name,
                "geometry": {
                    "type": "LineString",
                    "coordinates": list(zip(lon[part], lat[part], strict=True)),
                },
                "properties": {
                    "purpose": "FLIGHT",
                    "times": stamps[part],
                    "altitudes": [f"{altitude} ft FL" for altitude in feet[part]],
                },
            }
            file.write((",\n" if number else "") + json.dumps(feature, separators=(",", ":")))
        file.write("\n]}\n")


def _write_other_geojson(made: Flights, path: Path) -> None:
    """As table programs write: members in another order, null and bbox, white space, escapes."""
    stamps, lat, lon, feet = _as_text(made)
    with path.open("w", newline="\r\n") as file:
        file.write('{"features":[\n')
        for number, (name, part) in enumerate(zip(_names(made), made.ranges(), strict=True)):
            feature = {
                "bbox": [min(lon[part]), min(lat[part]), max(lon[part]), max(lat[part])],
                "properties": {
                    "label": f"Борт {name}",
                    "containment": {"lateral": "0.0 NM", "vertical": None},
                    "altitudes": [f"{altitude}.0 FT fl" for altitude in feet[part]],
                    "party": None,
                    "times": stamps[part],
                    "purpose": "FLIGHT",
                },
                "geometry": {
                    "coordinates": [
                        [f"{x:.8e}", f"{y:.8e}"] for x, y in zip(lon[part], lat[part], strict=True)
                    ],
                    "type": "LineString",
                },
                "id": None,
                "type": "Feature",
            }
            text = re.sub(r'"([0-9.e+-]+)"', r"\1", json.dumps(feature, indent=1))
            file.write((",\n" if number else "") + text)
        file.write('\n],"type":"FeatureCollection"}\n')


def _write_csv(made: Flights, path: Path) -> None:
    stamps, lat, lon, feet = _as_text(made)
    with path.open("w") as file:
        file.write("flight,time,lat_deg,lon_deg,altitude_ft,altitude_reference\n")
        for name, part in zip(_names(made), made.ranges(), strict=True):
            for at in range(part.start, part.stop):
                file.write(f"{name},{stamps[at]},{lat[at]},{lon[at]},{feet[at]},FL\n")


def _as_text(made: Flights) -> tuple[list[str], list[float], list[float], list[int]]:
    stamps = np.datetime_as_string(DAY + np.round(made.time_s * 1000).astype(np.int64), unit="ms")
    return (
        np.char.add(stamps, "Z").tolist(),
        made.lat_deg.round(7).tolist(),
        made.lon_deg.round(7).tolist(),
        made.altitude_ft.round().astype(int).tolist(),
    )


def _names(made: Flights) -> list[str]:
    return [f"F{number:07d}" for number in range(len(made))]


_WRITERS: Final[dict[str, Callable[[Flights, Path], None]]] = {
    "parquet": _write_parquet,
    "feather": _write_feather,
    "npz": _write_npz,
    "geojson": _write_geojson,
    "other.geojson": _write_other_geojson,
    "csv": _write_csv,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("names", nargs="*", metavar="SET", help=", ".join(WORKLOADS))
    options.add_argument("--threads", type=int)
    options.add_argument("--folder", type=Path, help="where the files are written")
    chosen = options.parse_args()
    if unknown := set(chosen.names) - set(WORKLOADS):
        options.error(f"no such set: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        rows = measure(chosen.names or QUICK, Path(folder), chosen.threads)
    print_rows("Files in and out", rows)


if __name__ == "__main__":
    main()
