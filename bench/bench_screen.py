"""How long `deconflict.screen` takes of whole sets of flights, arrays in, arrays out.

    python -m bench.bench_screen [d10k u10k d100k ...] [--threads N]

Each set of ``bench/workloads.py`` is made, put into columns of the types that `Flights` has, then
checked three times; the best is told, with the processor time of that run.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import deconflict
from bench.report import Row, print_rows, progress
from bench.workloads import WORKLOADS, Flights, Workload, flights
from deconflict import _kernel
from deconflict.separation.flights import Flights as GivenFlights

__all__ = ["given", "measure", "screened", "tables_of"]

Columns = dict[str, NDArray[Any]]

RUNS: Final = 3
QUICK: Final = ("r1k", "d10k", "u10k")
ASKED_S: Final = {"d10k": 0.07, "d100k": 0.5, "d1m": 5.0, "u100k": 0.5}
TMM_PER_FOOT: Final = 3_048


def tables_of(made: Flights, workload: Workload) -> tuple[Columns, Columns, Columns, Columns]:
    """Return what the kernel takes: trajectories, no volumes, minima and references."""
    count = len(made)
    trajectories: Columns = {
        "offsets": made.offsets.astype(np.int64),
        "lat_deg": made.lat_deg,
        "lon_deg": made.lon_deg,
        "time_s": made.time_s,
        "altitude_tmm": np.round(made.altitude_ft * TMM_PER_FOOT).astype(np.int64),
        "lateral_m": np.zeros(count),
        "vertical_tmm": np.zeros(count, np.int64),
        "window_s": np.zeros(count),
        "party": np.arange(count, dtype=np.uint32),
        "purpose": np.zeros(count, np.uint16),
        "reference": np.zeros(count, np.uint8),
        "side": np.zeros(count, np.uint8),
    }
    kinds = {
        np.float64: ("lat_deg", "lon_deg", "reach_m", "start_s", "end_s"),
        np.int64: ("lower_tmm", "upper_tmm"),
        np.uint32: ("party", "item"),
        np.uint16: ("purpose",),
        np.uint8: ("shape", "reference", "side"),
    }
    none = {name: np.zeros(0, kind) for kind, names in kinds.items() for name in names}
    volumes: Columns = {"offsets": np.zeros(1, np.int64), **none}
    minima: Columns = {
        "lateral_m": np.array([workload.lateral_m]),
        "vertical_tmm": np.array([workload.vertical_ft * TMM_PER_FOOT], np.int64),
    }
    references: Columns = {
        "comparable": np.ones(1, np.uint8),
        "offset_lo_tmm": np.zeros(1, np.int64),
        "offset_hi_tmm": np.zeros(1, np.int64),
    }
    return trajectories, volumes, minima, references


def given(made: Flights, workload: Workload) -> tuple[GivenFlights, str]:
    """Return the set and its minima as a user of the Python interface gives them."""
    columns = {
        "lat_deg": made.lat_deg,
        "lon_deg": made.lon_deg,
        "time_s": made.time_s,
        "altitude_tmm": np.round(made.altitude_ft * TMM_PER_FOOT).astype(np.int64),
    }
    flights_given = GivenFlights.of(columns, offsets=made.offsets, reference="FL")
    return flights_given, f"{workload.lateral_m:.3f}m,{workload.vertical_ft}ft"


def screened(made: Flights, workload: Workload, threads: int | None = None) -> Columns:
    """Return the findings of the set, as columns."""
    return _kernel.screen(*tables_of(made, workload), threads=threads)


def measure(names: Sequence[str], threads: int | None = None) -> list[Row]:
    """Return a row for each set."""
    rows = []
    for name in names:
        workload = WORKLOADS[name]
        progress(f"{name}: {workload.count:,} flights")
        made, minima = given(flights(workload), workload)
        spent = []
        for _ in range(RUNS):
            begun, begun_cpu = time.perf_counter(), time.process_time()
            found = deconflict.screen(made, minima=minima, threads=threads)
            spent.append((time.perf_counter() - begun, time.process_time() - begun_cpu))
        wall, cpu = min(spent)
        asked = ASKED_S.get(name)
        rows.append(
            Row(
                f"{name}: {len(made):,} flights, {len(made.time_s):,} waypoints",
                "" if asked is None else f"≤ {asked:g} s",
                f"{wall:.3f} s, {cpu:.3f} s of processors, {len(found):,} findings",
                None if asked is None else wall <= asked,
            )
        )
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("names", nargs="*", metavar="SET", help=", ".join(WORKLOADS))
    options.add_argument("--threads", type=int)
    chosen = options.parse_args()
    if unknown := set(chosen.names) - set(WORKLOADS):
        options.error(f"no such set: {', '.join(sorted(unknown))}")
    print_rows("Whole sets of flights", measure(chosen.names or QUICK, chosen.threads))


if __name__ == "__main__":
    main()
