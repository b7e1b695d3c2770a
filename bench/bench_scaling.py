"""What a flight costs as sets grow at the same density: as many flights an hour over the same area.

    python -m bench.bench_scaling [--threads N] [--to 100000]

Cost is linear when the microseconds of a flight stay the same from row to row.
"""

import argparse
import time
from dataclasses import replace
from typing import Final

import deconflict
from bench.bench_screen import given
from bench.report import Row, print_rows, progress
from bench.workloads import WORKLOADS, flights

__all__ = ["measure"]

RUNS: Final = 3
DENSE: Final = WORKLOADS["d100k"]
COUNTS: Final = (12_500, 25_000, 50_000, 100_000)
LINEAR: Final = 1.5  # the dearest flight against the cheapest; with pairs unsorted it would be 8


def measure(threads: int | None = None, most: int = COUNTS[-1]) -> list[Row]:
    """Return a row for each size, and one that says whether the cost is linear."""
    rows, each_us = [], []
    for count in COUNTS:
        if count > most:
            break
        window_h = DENSE.window_h * count / DENSE.count
        workload = replace(DENSE, count=count, window_h=window_h)
        progress(f"{count:,} flights in {window_h:g} h")
        made, minima = given(flights(workload), workload)
        spent = []
        for _ in range(RUNS):
            begun, begun_cpu = time.perf_counter(), time.process_time()
            found = deconflict.screen(made, minima=minima, threads=threads)
            spent.append((time.process_time() - begun_cpu, time.perf_counter() - begun))
        cpu_s, wall_s = min(spent)
        each_us.append(cpu_s / count * 1e6)
        rows.append(
            Row(
                f"{count:,} flights over {window_h:g} h, {len(found):,} findings",
                "",
                f"{each_us[-1]:.1f} µs of processors a flight, {cpu_s:.2f} s; {wall_s:.2f} s wall",
            )
        )
    worst = max(each_us) / min(each_us)
    rows.append(
        Row("dearest flight against cheapest", f"≤ {LINEAR:g}", f"{worst:.2f}", worst <= LINEAR)
    )
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--threads", type=int)
    options.add_argument("--to", type=int, default=COUNTS[-1], metavar="FLIGHTS")
    chosen = options.parse_args()
    print_rows("Growing at the same density", measure(chosen.threads, chosen.to))


if __name__ == "__main__":
    main()
