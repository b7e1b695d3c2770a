"""PyMEOS (MobilityDB's library) asked for the same: temporal points, temporal floats.

    python -m bench.meos_peer SET [--flights N]

Prints its conflicts as JSON. Trajectories go in as three-dimensional temporal points on
Earth-centred chords, altitudes as temporal floats; MEOS says when a pair is within the distance and
when within the altitude, and intersects the two. All pairs are asked: it has no index outside a
database.
"""

import argparse
import json
import time
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, Final

import numpy as np

from bench.conflicts import joined
from bench.flown import whole_milliseconds
from bench.shapely_solution import ecef_m
from bench.workloads import WORKLOADS, Flights, Workload, flights

__all__ = ["screened"]

EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def screened(made: Flights, workload: Workload) -> list[tuple[int, int, float, float]]:
    """Return pairs of flights and the stretch of time under both minima, as MEOS tells them."""
    from pymeos import FloatSpan, TFloatSeq, TGeomPointSeq, pymeos_initialize

    pymeos_initialize("UTC")
    limits = FloatSpan(
        lower=-float(workload.vertical_ft),
        upper=float(workload.vertical_ft),
        lower_inc=False,
        upper_inc=False,
    )
    paths, heights = [], []
    place_m = ecef_m(made.lat_deg, made.lon_deg)
    stamps = [(EPOCH + timedelta(milliseconds=round(t * 1e3))).isoformat() for t in made.time_s]
    for own in made.ranges():
        rows = range(own.start, own.stop)
        points = (
            f"Point Z({place_m[k, 0]} {place_m[k, 1]} {place_m[k, 2]})@{stamps[k]}" for k in rows
        )
        paths.append(TGeomPointSeq(_sequence(points)))
        heights.append(TFloatSeq(_sequence(f"{made.altitude_ft[k]}@{stamps[k]}" for k in rows)))
    begin, end = made.time_s[made.offsets[:-1]], made.time_s[made.offsets[1:] - 1]
    found = []
    for i, j in combinations(range(len(made)), 2):
        if begin[i] >= end[j] or begin[j] >= end[i]:
            continue
        if not paths[i].is_ever_within_distance(paths[j], workload.lateral_m):
            continue
        level = (heights[i] - heights[j]).at(limits)
        if level is None:
            continue
        near = paths[i].within_distance(paths[j], workload.lateral_m).when_true()
        both = None if near is None else near.intersection(level.time())
        if both is not None:
            found += [(i, j, *span) for span in _seconds(both)]
    return found


def _sequence(instants: Any) -> str:
    return f"[{', '.join(instants)}]"


def _seconds(times: Any) -> list[tuple[float, float]]:
    """Return the spans of a set of spans, or of one, as seconds of the workload."""
    spans = times.spans() if hasattr(times, "spans") else [times]
    return [
        ((s.lower() - EPOCH).total_seconds(), (s.upper() - EPOCH).total_seconds()) for s in spans
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("name", choices=WORKLOADS)
    options.add_argument("--flights", type=int, help="only the first so many")
    chosen = options.parse_args()
    workload = WORKLOADS[chosen.name]
    made = whole_milliseconds(flights(workload)).first(chosen.flights)
    begun = time.perf_counter()
    found = screened(made, workload)
    spent = time.perf_counter() - begun
    i, j, t_in_s, t_out_s = np.array(found, dtype=np.float64).reshape(-1, 4).T
    told = joined(i.astype(np.int64), j.astype(np.int64), t_in_s, t_out_s)
    print(json.dumps({"seconds": spent, **told.as_lists()}))


if __name__ == "__main__":
    main()
