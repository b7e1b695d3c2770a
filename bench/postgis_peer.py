"""PostGIS asked for the same: trajectories as Earth-centred LINESTRING ZM, ST_CPAWithin.

Its trajectories move in straight lines between waypoints, three coordinates and a time: that fits
Earth-centred chords. It knows one distance and no cylinder, and it says whether, not from when to
when. So stretches of six legs go into the table, each with its lowest and highest altitude beside
it, under a four-way index: what comes near in place while the two stretches' bands come near.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.flown import WGS84
from bench.private_postgres import Postgres
from bench.shapely_solution import ecef_m
from bench.workloads import Flights

__all__ = ["close_pairs", "cut_path", "fill", "wkb_line"]

FloatArray = NDArray[np.float64]

LINESTRING_ZM: Final = 3_002  # ISO 13249-3
LEGS: Final = 6  # a stretch: the fastest of 3, 6, 12 and whole flights on r1k


def wkb_line(points: FloatArray) -> str:
    """Return points x, y, z, time as hexadecimal well-known binary."""
    head = b"\x01" + np.array([LINESTRING_ZM, len(points)], "<u4").tobytes()
    return (head + points.astype("<f8").tobytes()).hex()


def cut_path(made: Flights, own: slice, longest_m: float) -> FloatArray:
    """Return x, y, z (metres), time and altitude (feet) along some legs, cut at geodesic points."""
    time_s, feet = made.time_s[own], made.altitude_ft[own]
    lat, lon = made.lat_deg[own], made.lon_deg[own]
    fresh = np.append(True, np.diff(time_s) > 0)  # one waypoint said twice is one
    time_s, feet, lat, lon = time_s[fresh], feet[fresh], lat[fresh], lon[fresh]
    azimuth, _, length = WGS84.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    parts = np.maximum(np.ceil(np.asarray(length) / longest_m), 1).astype(np.int64)
    if (parts > 1).any():
        leg = np.repeat(np.arange(len(parts)), parts)
        part = np.arange(len(leg)) - np.repeat(np.cumsum(parts) - parts, parts)
        share = part / parts[leg]
        cut_lon, cut_lat, _ = WGS84.fwd(lon[leg], lat[leg], azimuth[leg], share * length[leg])
        whole = part == 0
        lat = np.append(np.where(whole, lat[leg], cut_lat), lat[-1])
        lon = np.append(np.where(whole, lon[leg], cut_lon), lon[-1])
        time_s = np.append(time_s[leg] + share * np.diff(time_s)[leg], time_s[-1])
        feet = np.append(feet[leg] + share * np.diff(feet)[leg], feet[-1])
    return np.column_stack((ecef_m(lat, lon), time_s, feet))


def fill(server: Postgres, made: Flights, longest_m: float) -> None:
    """Put a set into ``flights (k, path)`` and ``stretches (k, low_ft, high_ft, path)``."""
    flights, stretches = [], []
    for k, own in enumerate(made.ranges()):
        path = cut_path(made, own, longest_m)
        flights.append(f"{k}\t{wkb_line(path[:, :4])}")
        for begin in range(0, len(path) - 1, LEGS):
            piece = path[begin : begin + LEGS + 1]
            band = f"{piece[:, 4].min()}\t{piece[:, 4].max()}"
            stretches.append(f"{k}\t{band}\t{wkb_line(piece[:, :4])}")
    server.run(
        "DROP TABLE IF EXISTS flights, stretches;"
        "CREATE TABLE flights (k integer PRIMARY KEY, path geometry);"
        "CREATE TABLE stretches (k integer, low_ft float8, high_ft float8, path geometry);\n"
        "COPY flights FROM STDIN;\n" + "\n".join(flights) + "\n\\.\n"
        "COPY stretches FROM STDIN;\n" + "\n".join(stretches) + "\n\\.\n"
        "CREATE INDEX ON stretches USING gist (path gist_geometry_ops_nd);"
        "ANALYZE flights; ANALYZE stretches;"
    )


def close_pairs(server: Postgres, reach_m: float, vertical_ft: float) -> set[tuple[int, int]]:
    """Return the pairs within this distance at some instant of stretches whose bands come near."""
    r = repr(float(reach_m))
    rows = server.run(
        "SELECT DISTINCT a.k, b.k FROM stretches a JOIN stretches b ON a.k < b.k"
        f" AND a.path &&& ST_Expand(b.path, {r}, {r}, {r}, 0)"
        f" AND a.low_ft - b.high_ft < {vertical_ft} AND b.low_ft - a.high_ft < {vertical_ft}"
        f" AND ST_CPAWithin(a.path, b.path, {r});"
    )
    return {(int(i), int(j)) for i, j in rows}
