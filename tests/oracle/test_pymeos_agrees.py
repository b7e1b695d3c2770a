"""PyMEOS decides both distance and altitude, and from when to when: the kernel must say the same.

MEOS is MobilityDB's library, written by others in C. It runs in a Python of its own
(`requirements/peers.lock`), on the same chords and the same feet as `bench/meos_peer.py` gives it.
"""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from bench.bench_peers import peer_python, told_by
from bench.bench_screen import screened
from bench.conflicts import Conflicts, compared, ours
from bench.flown import whole_milliseconds
from bench.workloads import WORKLOADS, flights

FLIGHTS = 250  # of r1k: 31,000 pairs, four seconds
APART_S = (
    0.05  # chords hide centimetres; at 1 m/s across the minimum that is a twentieth of a second
)


def without_pymeos() -> str | None:
    asked = [peer_python(), "-c", "import pymeos"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"PyMEOS is not installed (make peers): {done.stderr.strip().splitlines()[-1]}"
    return None


def test_pymeos_tells_the_same_pairs_and_times() -> None:
    if reason := without_pymeos():
        pytest.skip(reason)
    told = told_by("meos_peer", "r1k", "--flights", str(FLIGHTS))
    assert isinstance(told, dict), told
    theirs = Conflicts.from_lists(told)
    workload = WORKLOADS["r1k"]
    made = whole_milliseconds(flights(workload)).first(FLIGHTS)
    mine = ours(screened(made, workload))
    difference = compared(mine, theirs)
    assert difference.same_pairs, difference
    assert not difference.uneven
    assert len(mine) > 30
    assert difference.apart_s < APART_S
    one = np.arange(len(mine)) != len(mine) // 2
    dropped = Conflicts(mine.i[one], mine.j[one], mine.t_in_s[one], mine.t_out_s[one])
    assert not compared(dropped, theirs).same_pairs
    late = replace(mine, t_in_s=mine.t_in_s + 0.1)
    assert compared(late, theirs).apart_s > APART_S
