"""How long one flight takes against all that are active, with changes going on beside it.

    python -m bench.bench_index [d100k] [--asked 5000]

All flights of the set are put in; then flights of the same generator with another seed are asked
about, one after the other, while a thread replaces a hundred a second.
"""

import argparse
import random
import threading
import time
from dataclasses import replace
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.bench_screen import tables_of
from bench.report import Row, print_rows, progress
from bench.workloads import WORKLOADS, flights
from deconflict import _kernel

__all__ = ["measure", "one_row"]

Columns = dict[str, NDArray[Any]]

CHANGES_PER_S: Final = 100
CANDIDATES: Final = 500
ASKED_MEDIAN_MS: Final = 0.1
ASKED_P99_MS: Final = 1.0
POINTS: Final = ("lat_deg", "lon_deg", "time_s", "altitude_tmm")
BELOW: Final = 99


def one_row(table: Columns, row: int) -> Columns:
    """Return the table of one of its rows."""
    start, end = (int(k) for k in table["offsets"][row : row + 2])
    own = {
        name: column[start:end] if name in POINTS else column[row : row + 1]
        for name, column in table.items()
        if name != "offsets"
    }
    return {"offsets": np.array([0, end - start], np.int64), **own}


def _changes(
    index: _kernel.Index, rows: list[tuple[Columns, Columns]], end: threading.Event
) -> None:
    """Replace one flight after the other, a hundred a second."""
    due = time.perf_counter()
    for key, (flight, volumes) in enumerate(rows * 1_000):
        index.put(np.array([key % len(rows)], np.uint64), flight, volumes)
        due += 1 / CHANGES_PER_S
        if end.wait(max(0.0, due - time.perf_counter())):
            return


def measure(name: str, asked: int) -> list[Row]:
    """Return the rows of one set."""
    workload = WORKLOADS[name]
    progress(f"{name}: {workload.count:,} flights")
    there, volumes, minima, references = tables_of(flights(workload), workload)
    more = replace(workload, count=CANDIDATES, seed=workload.seed + 100)
    asked_about, *_ = tables_of(flights(more), more)
    asked_about["party"] += np.uint32(workload.count)
    index = _kernel.Index(minima, references)
    begun = time.perf_counter()
    index.put(np.arange(workload.count, dtype=np.uint64), there, volumes)
    building = time.perf_counter() - begun
    candidates = [one_row(asked_about, row) for row in range(CANDIDATES)]
    changing = [(one_row(there, row), volumes) for row in range(2_000)]
    end = threading.Event()
    changes = threading.Thread(target=_changes, args=(index, changing, end))
    changes.start()
    spent, found = [], 0
    order = random.Random(1)
    for _ in range(asked):
        candidate = order.choice(candidates)
        begun = time.perf_counter()
        answer = index.ask(candidate, volumes)
        spent.append((time.perf_counter() - begun) * 1e3)
        found += len(answer["key"])
    end.set()
    changes.join()
    spent.sort()
    middle, high = median(spent), spent[len(spent) * BELOW // 100]
    what = f"one flight against {workload.count:,} active, {CHANGES_PER_S} changes a second"
    return [
        Row(
            f"{what}: median",
            f"≤ {ASKED_MEDIAN_MS:g} ms",
            f"{middle:.3f} ms, {found / asked:.1f} findings each",
            middle <= ASKED_MEDIAN_MS,
        ),
        Row(f"{what}: p99", f"≤ {ASKED_P99_MS:g} ms", f"{high:.3f} ms", high <= ASKED_P99_MS),
        Row(f"putting {workload.count:,} flights in", "", f"{building:.2f} s", None),
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("name", nargs="?", default="d100k", choices=tuple(WORKLOADS))
    options.add_argument("--asked", type=int, default=5_000, metavar="TIMES")
    chosen = options.parse_args()
    print_rows("One against all that are active", measure(chosen.name, chosen.asked))


if __name__ == "__main__":
    main()
