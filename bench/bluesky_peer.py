"""BlueSky's state-based conflict detection asked for the same, snapshot by snapshot.

    python -m bench.bluesky_peer SET [--flights N] [--step SECONDS]

Prints the pairs that its ``detect`` names as JSON. It sees states, no plans: every so many seconds
it is given where everyone is and how they move, and told to look ahead until the next snapshot.
"""

import argparse
import json
import time
from types import SimpleNamespace

import numpy as np

from bench.flown import METRES_PER_FOOT, WGS84, whole_milliseconds
from bench.workloads import WORKLOADS, Flights, Workload, flights

__all__ = ["screened"]


def screened(made: Flights, workload: Workload, step_s: float) -> tuple[set[tuple[int, int]], int]:
    """Return the pairs in conflict in some snapshot, and how many pairs of states it was given."""
    from bluesky.traffic.asas.statebased import StateBased

    begin = made.offsets[:-1]
    last = np.ones(len(made.time_s), dtype=bool)
    last[made.offsets[1:] - 1] = False
    leg = np.flatnonzero(last)
    flight = np.repeat(np.arange(len(made)), np.diff(made.offsets) - 1)
    lon, lat = made.lon_deg, made.lat_deg
    azimuth, _, length = WGS84.inv(lon[leg], lat[leg], lon[leg + 1], lat[leg + 1])
    lasts_s = made.time_s[leg + 1] - made.time_s[leg]
    found: set[tuple[int, int]] = set()
    looked = 0
    for t_s in np.arange(made.time_s[begin].min(), made.time_s.max(), step_s):
        now = np.flatnonzero((made.time_s[leg] <= t_s) & (t_s < made.time_s[leg + 1]))
        if len(now) < 2:
            continue
        k = leg[now]
        since = t_s - made.time_s[k]
        far = length[now] * since / lasts_s[now]
        lon_now, lat_now, back = WGS84.fwd(lon[k], lat[k], azimuth[now], far)
        rise = (made.altitude_ft[k + 1] - made.altitude_ft[k]) * METRES_PER_FOOT / lasts_s[now]
        count = len(now)
        traffic = SimpleNamespace(
            ntraf=count,
            id=flight[now].tolist(),
            lat=np.asarray(lat_now),
            lon=np.asarray(lon_now),
            trk=(np.asarray(back) + 180.0) % 360.0,
            gs=length[now] / lasts_s[now],
            alt=made.altitude_ft[k] * METRES_PER_FOOT + rise * since,
            vs=rise,
        )
        predicted, lost, *_ = StateBased.detect(
            None,
            traffic,
            traffic,
            np.full(count, workload.lateral_m),
            np.full(count, workload.vertical_ft * METRES_PER_FOOT),
            np.full(count, step_s),
        )
        found |= {(min(pair), max(pair)) for pair in (*predicted, *lost)}
        looked += count * (count - 1) // 2
    return found, looked


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("name", choices=WORKLOADS)
    options.add_argument("--flights", type=int, help="only the first so many")
    options.add_argument("--step", type=float, default=60.0, help="seconds between snapshots")
    chosen = options.parse_args()
    workload = WORKLOADS[chosen.name]
    made = whole_milliseconds(flights(workload)).first(chosen.flights)
    import bluesky  # noqa: F401 -- loading it is not measured

    begun = time.perf_counter()
    found, looked = screened(made, workload, chosen.step)
    spent = time.perf_counter() - begun
    print(json.dumps({"seconds": spent, "pairs": sorted(found), "looked": looked}))


if __name__ == "__main__":
    main()
