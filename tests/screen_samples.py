"""A few flights and volumes, and the same written in every format that a screening reads."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from deconflict.airspace.instant import format_utc

START_MS = 1_443_592_800_000  # 2015-09-30T06:00:00Z
FLIGHTS: list[dict[str, Any]] = [
    # name, party, places (lat, lon), minutes, feet
    {"flight": "A1", "party": "red", "way": [(48.0, 8.0), (48.0, 9.0)], "feet": [35000, 35000]},
    {"flight": "B2", "party": "blue", "way": [(47.7, 8.5), (48.3, 8.5)], "feet": [35500, 35500]},
    {"flight": "C3", "party": "blue", "way": [(47.7, 8.5), (48.3, 8.5)], "feet": [36400, 36400]},
    {
        "flight": "D4",
        "party": "red",
        "way": [(48.1, 8.0), (48.25, 8.5), (48.3, 9.0)],
        "feet": [20000, 34500, 30000],
    },
    {"flight": "E5", "party": None, "way": [(50.0, 3.0), (50.1, 3.5)], "feet": [9000, 9000]},
]
AREA = {
    "volume": "range",
    "party": "green",
    "purpose": "ACTIVITY",
    "corners": [(47.9, 8.4), (47.9, 8.6), (48.1, 8.6), (48.1, 8.4)],
    "lower_ft": 30000,
    "upper_ft": None,
}
MINIMA = ("5NM,1000ft", "FLIGHT:ACTIVITY=1NM,500ft")


def times_ms(flight: dict[str, Any]) -> list[int]:
    return [START_MS + 300_250 * k for k in range(len(flight["way"]))]


def flight_columns() -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the flights as `Flights.of` takes them, and their offsets."""
    points = [(f, k) for f in FLIGHTS for k in range(len(f["way"]))]
    columns = {
        "flight": np.array([f["flight"] for f in FLIGHTS]),
        "party": np.array([f["party"] or "" for f in FLIGHTS]),
        "lateral_m": np.array([0.0, 0.0, 0.0, 185.2, 0.0]),
        "vertical_ft": np.array([0, 0, 0, 100, 0]),
        "window_s": np.array([0.0, 0.0, 0.0, 30.0, 0.0]),
        "altitude_reference": np.array(["FL"] * len(FLIGHTS)),
        "lat_deg": np.array([f["way"][k][0] for f, k in points]),
        "lon_deg": np.array([f["way"][k][1] for f, k in points]),
        "time_s": np.array([times_ms(f)[k] / 1000 for f, k in points]),
        "altitude_ft": np.array([f["feet"][k] for f, k in points]),
    }
    offsets = np.concatenate(([0], np.cumsum([len(f["way"]) for f in FLIGHTS])))
    return columns, offsets


def area_columns() -> tuple[dict[str, np.ndarray], np.ndarray]:
    return (
        {
            "volume": np.array([AREA["volume"]]),
            "party": np.array([AREA["party"]]),
            "purpose": np.array([AREA["purpose"]]),
            "lat_deg": np.array([place[0] for place in AREA["corners"]]),
            "lon_deg": np.array([place[1] for place in AREA["corners"]]),
            "lower_ft": np.array([AREA["lower_ft"]]),
            "altitude_reference": np.array(["FL"]),
            "start_s": np.array([START_MS / 1000]),
            "end_s": np.array([START_MS / 1000 + 600]),
        },
        np.array([0, 4]),
    )


def write_npz(folder: Path) -> list[Path]:
    files = []
    for name, (columns, offsets) in (("flights", flight_columns()), ("areas", area_columns())):
        files.append(folder / f"{name}.npz")
        np.savez(files[-1], offsets=offsets, **columns)
    return files


def arrow_tables() -> list[Any]:
    """Return flights and areas as Arrow tables, a row each, with lists."""
    import pyarrow as pa

    made = []
    for columns, offsets in (flight_columns(), area_columns()):
        rows = len(offsets) - 1
        row_names = {name for name, column in columns.items() if len(column) == rows}
        table = {}
        for name, column in columns.items():
            if name in ("time_s", "start_s", "end_s"):
                stamps = np.rint(column * 1000).astype("datetime64[ms]")
                values = pa.array(stamps).cast(pa.timestamp("ms", tz="UTC"))
                name = name.removesuffix("_s")
            else:
                values = pa.array([None if v == "" else v for v in column.tolist()])
            if name not in row_names and name not in ("start", "end"):
                values = pa.ListArray.from_arrays(pa.array(offsets, type=pa.int32()), values)
            table[name] = values
        made.append(pa.table(table))
    return made


def write_parquet(folder: Path) -> list[Path]:
    import pyarrow.parquet as pq

    files = [folder / "flights.parquet", folder / "areas.parquet"]
    for table, file in zip(arrow_tables(), files, strict=True):
        pq.write_table(table, file, row_group_size=2)
    return files


def write_arrow(folder: Path) -> list[Path]:
    import pyarrow as pa
    from pyarrow import feather

    tables = arrow_tables()
    files = [folder / "flights.feather", folder / "areas.arrow"]
    feather.write_feather(tables[0], files[0])
    with pa.ipc.new_stream(str(files[1]), tables[1].schema) as stream:
        stream.write_table(tables[1])
    return files


def waypoint_rows() -> list[dict[str, Any]]:
    """Return a row for each waypoint."""
    columns, offsets = flight_columns()
    rows = []
    for k in range(len(FLIGHTS)):
        for point in range(int(offsets[k]), int(offsets[k + 1])):
            row = {
                name: column[k if len(column) == len(FLIGHTS) else point].item()
                for name, column in columns.items()
            }
            row["time"] = format_utc(round(row.pop("time_s") * 1000))
            rows.append(row)
    return rows


def write_csv(folder: Path) -> list[Path]:
    files = [folder / "flights.csv", folder / "areas.csv"]
    areas, _ = area_columns()
    corners = [
        {name: column[k if len(column) == 4 else 0].item() for name, column in areas.items()}
        for k in range(4)
    ]
    for file, rows in zip(files, (waypoint_rows(), corners), strict=True):
        with file.open("w", newline="") as out:
            writer = csv.DictWriter(out, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return files


def write_waypoint_parquet(folder: Path) -> list[Path]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = waypoint_rows()
    table = pa.Table.from_pylist([{**row, "party": row["party"] or None} for row in rows])
    stamps = pa.array(np.array([row["time"][:-1] for row in rows], dtype="datetime64[ms]"))
    table = table.set_column(
        table.schema.get_field_index("time"), "time", stamps.cast(pa.timestamp("ms", tz="UTC"))
    )
    pq.write_table(table, folder / "points.parquet", row_group_size=3)
    return [folder / "points.parquet", write_parquet(folder)[1]]


def features() -> list[dict[str, Any]]:
    columns, _ = flight_columns()
    made: list[dict[str, Any]] = []
    for k, flight in enumerate(FLIGHTS):
        properties: dict[str, Any] = {
            "purpose": "FLIGHT",
            "times": [format_utc(ms) for ms in times_ms(flight)],
            "altitudes": [f"{feet} ft FL" for feet in flight["feet"]],
            "containment": {
                "lateral": f"{columns['lateral_m'][k]:g} m",
                "vertical": f"{columns['vertical_ft'][k]} ft",
                "time": f"{columns['window_s'][k]:g} s",
            },
        }
        if flight["party"]:
            properties["party"] = flight["party"]
        line = {"type": "LineString", "coordinates": [[lon, lat] for lat, lon in flight["way"]]}
        made.append(
            {"type": "Feature", "id": flight["flight"], "geometry": line, "properties": properties}
        )
    ring = [[lon, lat] for lat, lon in (*AREA["corners"], AREA["corners"][0])]
    made.append(
        {
            "type": "Feature",
            "id": AREA["volume"],
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {
                "purpose": AREA["purpose"],
                "party": AREA["party"],
                "lower": "FL300",
                "upper": "UNL",
                "start_utc": format_utc(START_MS),
                "end_utc": format_utc(START_MS + 600_000),
            },
        }
    )
    return made


def write_geojson(folder: Path) -> list[Path]:
    file = folder / "all.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features()}, indent=1))
    return [file]


def write_lines(folder: Path) -> list[Path]:
    file = folder / "all.ndjson"
    file.write_text("".join(json.dumps(feature) + "\n" for feature in features()))
    return [file]


WRITERS = {
    "npz": write_npz,
    "parquet": write_parquet,
    "arrow": write_arrow,
    "csv": write_csv,
    "waypoint parquet": write_waypoint_parquet,
    "geojson": write_geojson,
    "lines": write_lines,
}
