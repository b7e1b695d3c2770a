"""One set, one answer, to the bit: whatever the registers, threads, order of rows and company."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bench.bench_screen import tables_of
from bench.workloads import WORKLOADS, flights

from deconflict import _kernel
from oracle.columns import Columns, awkward, kept

ROOT = Path(__file__).parents[2]
THREADS = (1, 2, 7)
ANSWERS = """
import json, sys
from oracle.test_separation_bits import answers
json.dump(answers(), sys.stdout)
"""


def digest(found: Columns) -> str:
    whole = hashlib.sha256()
    for name in sorted(found):
        whole.update(name.encode() + found[name].tobytes())
    return f"{len(found['i'])} {whole.hexdigest()}"


def answers() -> list[str]:
    """Return what a flights-only and a mixed set come to, with each number of threads."""
    workload = WORKLOADS["r1k"]
    sets = [tables_of(flights(workload), workload), awkward(1), awkward(2)]
    return [
        digest(_kernel.screen(*tables, threads=threads)) for tables in sets for threads in THREADS
    ]


def answers_with(width: str | None) -> list[str]:
    paths = [str(ROOT), str(ROOT / "tests"), str(ROOT / "src")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    environment.pop("DECONFLICT_WIDTH", None)
    if width is not None:
        environment["DECONFLICT_WIDTH"] = width
    done = subprocess.run(
        [sys.executable, "-c", ANSWERS], env=environment, capture_output=True, text=True, check=True
    )
    told: list[str] = json.loads(done.stdout)
    return told


def test_registers_and_threads_change_no_bit() -> None:
    wanted = answers()
    for k in range(0, len(wanted), len(THREADS)):
        assert len(set(wanted[k : k + len(THREADS)])) == 1
    assert all(int(answer.split()[0]) > 100 for answer in wanted)
    for width in ("any", "avx2", None):
        assert answers_with(width) == wanted, width


def by_rows(found: Columns, rows: np.ndarray) -> list[tuple[object, ...]]:
    """Return findings told by the numbers that rows had before they were taken out or moved."""
    told = []
    columns = {name: column.tolist() for name, column in found.items()}
    for k in range(len(columns["i"])):
        one = {name: column[k] for name, column in columns.items()}
        one["i"], one["j"] = int(rows[one["i"]]), int(rows[one["j"]])
        if one["i"] > one["j"]:
            one["i"], one["j"] = one["j"], one["i"]
            for what in ("lat_deg", "lon_deg"):
                first, second = one[f"first_{what}"], one[f"second_{what}"]
                one[f"first_{what}"], one[f"second_{what}"] = second, first
            if one["cpa_vertical_tmm"] != np.iinfo(np.int64).min:
                one["cpa_vertical_tmm"] = -one["cpa_vertical_tmm"]
        # Told in hexadecimal, a number is all its bits; there is only one zero here.
        told.append(tuple((x + 0.0).hex() if isinstance(x, float) else x for x in one.values()))
    return sorted(told)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_the_order_of_rows_changes_no_bit(seed: int) -> None:
    trajectories, volumes, *tables = awkward(seed)
    count, areas = len(trajectories["party"]), len(volumes["party"])
    r = np.random.default_rng(seed)
    order, other = r.permutation(count), r.permutation(areas)
    straight = _kernel.screen(trajectories, volumes, *tables)
    moved = _kernel.screen(kept(trajectories, order), kept(volumes, other), *tables)
    rows = np.concatenate([order, count + other])
    assert by_rows(moved, rows) == by_rows(straight, np.arange(count + areas))


@pytest.mark.parametrize("seed", [6, 7])
def test_a_pair_comes_to_the_same_bits_alone_and_in_a_large_set(seed: int) -> None:
    trajectories, volumes, *tables = awkward(seed)
    count, areas = len(trajectories["party"]), len(volumes["party"])
    together = by_rows(_kernel.screen(trajectories, volumes, *tables), np.arange(count + areas))
    assert len(together) > 100
    pairs: dict[tuple[int, int], list[tuple[object, ...]]] = {}
    for finding in together:
        pairs.setdefault((finding[0], finding[1]), []).append(finding)
    for pair, wanted in pairs.items():
        rows = np.array(pair)
        flown, closed = rows[rows < count], rows[rows >= count] - count
        alone = _kernel.screen(kept(trajectories, flown), kept(volumes, closed), *tables)
        assert by_rows(alone, rows) == wanted


@pytest.mark.parametrize("seconds", [-5_000_000_000, 1, 86_400 * 365])
def test_whole_seconds_later_is_the_same_later(seconds: int) -> None:
    trajectories, volumes, *tables = awkward(8)
    now = _kernel.screen(trajectories, volumes, *tables)
    trajectories["time_s"] += seconds
    for name in ("start_s", "end_s"):
        volumes[name] += seconds
    later = _kernel.screen(trajectories, volumes, *tables)
    for name in ("t_in_us", "t_out_us", "cpa_time_us"):
        later[name] -= seconds * 1_000_000
    assert {name: x.tobytes() for name, x in later.items()} == {
        name: x.tobytes() for name, x in now.items()
    }


def test_the_numbers_of_purposes_change_no_bit() -> None:
    """Flights of one and the same span: only their content orders a pair, and a set's numbers of
    purposes are none of it."""
    r = np.random.default_rng(5)
    count, points = 60, 4
    _, volumes, _, references = tables_of(flights(WORKLOADS["r1k"]), WORKLOADS["r1k"])
    table = {
        "offsets": np.arange(0, points * (count + 1), points, dtype=np.int64),
        "lat_deg": 47.0 + r.uniform(-0.3, 0.3, count * points),
        "lon_deg": 9.0 + r.uniform(-0.3, 0.3, count * points),
        "time_s": np.tile(np.arange(points) * 300.0, count),
        "altitude_tmm": r.integers(0, 40_000_000, count * points),
        "lateral_m": np.zeros(count),
        "vertical_tmm": np.zeros(count, np.int64),
        "window_s": r.choice([0.0, 60.0], count),
        "party": np.arange(count, dtype=np.uint32),
        "purpose": np.zeros(count, np.uint16),
        "reference": np.zeros(count, np.uint8),
        "side": np.zeros(count, np.uint8),
    }
    told = set()
    for number, purposes in ((0, 1), (0, 3), (2, 3), (40, 64)):
        minima = {
            "lateral_m": np.full(purposes**2, 9_260.0),
            "vertical_tmm": np.full(purposes**2, 3_048_000, np.int64),
        }
        table["purpose"] = np.full(count, number, np.uint16)
        found = _kernel.screen(table, volumes, minima, references)
        assert len(found["i"]) > 50
        told.add(digest(found))
    assert len(told) == 1
