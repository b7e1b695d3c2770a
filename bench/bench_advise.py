"""How long advice takes: the flights of `bench/workloads.py` that conflict, each of them alone, and
a plan for all of them together.

    python -m bench.bench_advise [r1k d10k ...] [--minutes N]

Advice is every kind each way (±N minutes, ±4,000 ft, ±20 NM), combinations where nothing single
does, each screened against everything. The plan frees all flights against one another by shifts,
levels and offsets, and is screened as a whole.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from bench.bench_screen import tables_of
from bench.report import Row, print_rows, progress
from bench.workloads import WORKLOADS, Workload, flights
from deconflict.advise import ChangeKind, SearchLimits
from deconflict.advise.advice import in_conflict, options_of
from deconflict.advise.plan import changes_of
from deconflict.advise.search import room_of
from deconflict.advise.sky import Sky
from deconflict.advise.table import Table

__all__ = ["measure"]

SETS: Final = ("r1k", "d10k")
ASKED_MS: Final = 5.0
MINUTE_MS: Final = 60_000
DAY_MS: Final = 1_443_571_200_000  # 2015-09-30, from which the sets' seconds are counted here


def sky_of(workload: Workload) -> Sky:
    """Return the flights of a workload, every one movable, each of its own party."""
    made = flights(workload)
    trajectories, volumes, minima, references = tables_of(made, workload)
    count = len(made)
    table = Table(trajectories, volumes, np.arange(count), np.zeros(0, np.int64))
    return Sky.as_planned(
        table, movable=count, party=range(count), minima=minima, references=references
    )


def measure(names: Sequence[str], minutes: int = 30) -> list[Row]:
    """Return rows for each set: advice for each flight, and the plan for all."""
    limits = SearchLimits(earlier_ms=minutes * MINUTE_MS, later_ms=minutes * MINUTE_MS)
    rows = []
    for name in names:
        progress(f"{name}: making it")
        sky = sky_of(WORKLOADS[name])
        progress(f"{name}: advice for each")
        begun, begun_cpu = time.perf_counter(), time.process_time()
        objects = list(in_conflict(sky))
        rooms = {index: room_of(sky, index, limits, DAY_MS) for index in objects}
        found = options_of(sky, objects, rooms, limits)
        wall, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
        single = sum(any(len(change.kinds) == 1 for change in some) for some in found.values())
        none = sum(not some for some in found.values())
        each_ms = wall / len(objects) * 1e3
        rows.append(
            Row(
                f"{name}: advice for each of {len(objects):,} flights in conflict",
                f"≤ {ASKED_MS:g} ms each",
                f"{each_ms:.2f} ms each ({wall:.1f} s, {cpu:.1f} s of processors); "
                f"{single:,} by one change, {len(objects) - single - none:,} by two, {none:,} none",
                each_ms <= ASKED_MS,
            )
        )
        progress(f"{name}: a plan for all")
        begun, begun_cpu = time.perf_counter(), time.process_time()
        changes = changes_of(sky, limits, tuple(ChangeKind), DAY_MS)
        left = len(sky.standing(changes).conflicts())
        wall, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
        each_ms = wall / len(sky.party) * 1e3
        rows.append(
            Row(
                f"{name}: a plan for all {len(sky.party):,} flights",
                f"≤ {ASKED_MS:g} ms each",
                f"{each_ms:.2f} ms each ({wall:.1f} s, {cpu:.1f} s of processors); "
                f"{len(changes):,} changed, {left:,} conflicts left",
                each_ms <= ASKED_MS,
            )
        )
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("names", nargs="*", metavar="SET", help=", ".join(WORKLOADS))
    options.add_argument("--minutes", type=int, default=30, help="the greatest shift, each way")
    chosen = options.parse_args()
    if unknown := set(chosen.names) - set(WORKLOADS):
        options.error(f"no such set: {', '.join(sorted(unknown))}")
    print_rows("Advice", measure(chosen.names or SETS, chosen.minutes))


if __name__ == "__main__":
    main()
