"""How long one pair of long plans takes whose time windows let every part meet every other.

    python -m bench.bench_windows [--waypoints 2000]

Two flights hover within a metre of one place, or cross one country, each with a window of a day.
"""

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.bench_screen import tables_of
from bench.report import Row, print_rows
from bench.workloads import WORKLOADS, flights
from deconflict import _kernel

__all__ = ["measure"]

DAY_S = 86_400.0
STEP_S = 10.0


def _plans(waypoints: int, *, hover: bool) -> dict[str, NDArray[Any]]:
    """Return two plans of one party each over the same time."""
    random = np.random.default_rng(1)
    if hover:
        lat, lon = (middle + random.uniform(-1e-5, 1e-5, 2 * waypoints) for middle in (47.0, 9.0))
    else:
        along = np.linspace(-3.0, 3.0, waypoints)
        lat = 47.0 + np.concatenate([along, along])
        lon = 9.0 + np.concatenate([along, -along])
    return {
        "offsets": np.array([0, waypoints, 2 * waypoints], np.int64),
        "lat_deg": lat,
        "lon_deg": lon,
        "time_s": np.tile(np.arange(waypoints) * STEP_S, 2),
        "altitude_tmm": np.full(2 * waypoints, 30_480_000, np.int64),
        "lateral_m": np.zeros(2),
        "vertical_tmm": np.zeros(2, np.int64),
        "window_s": np.full(2, DAY_S),
        "party": np.array([0, 1], np.uint32),
        "purpose": np.zeros(2, np.uint16),
        "reference": np.zeros(2, np.uint8),
        "side": np.zeros(2, np.uint8),
    }


def measure(waypoints: int) -> list[Row]:
    """Return a row for two that hover and one for two that cross."""
    workload = WORKLOADS["r1k"]
    _, volumes, minima, references = tables_of(flights(workload), workload)
    rows = []
    for what, hover in (("hover at one place", True), ("cross one country", False)):
        plans = _plans(waypoints, hover=hover)
        begun = time.perf_counter()
        found = _kernel.screen(plans, volumes, minima, references)
        spent = time.perf_counter() - begun
        per_pair_ns = spent / (waypoints - 1) ** 2 * 1e9
        rows.append(
            Row(
                f"two plans of {waypoints:,} waypoints {what}, each early or late by a day",
                "",
                f"{spent:.2f} s, {per_pair_ns:.0f} ns for each leg of the one and of the other, "
                f"{len(found['i'])} finding",
                None,
            )
        )
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--waypoints", type=int, default=2_000)
    print_rows("Long plans with long windows", measure(options.parse_args().waypoints))


if __name__ == "__main__":
    main()
