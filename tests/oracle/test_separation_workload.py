"""The kernel against its slow twin on a share of the generated flights: every pair, every leg."""

import itertools

import numpy as np
import pytest
from bench.bench_screen import screened as screened_columns
from bench.workloads import PUBLISHED, R1K_LAST, WORKLOADS, Workload, flights

from deconflict.separation import Extent, Minima, Verdict
from oracle.builders import FIVE_NM, THOUSAND_FEET, flight, screened
from oracle.twin import losses

SHARES = {
    "en route": (Workload(36, 200, 0.3, seed=11), FIVE_NM, THOUSAND_FEET, 5.0),
    "drones": (Workload(40, 3, 0.1, 3, 12.0, (8.0, 20.0), drones=True), 50.0, 152_400, 1.0),
}


def extents(workload: Workload) -> list[Extent]:
    made = flights(workload)
    return [
        flight(
            f"f{k:03}",
            list(
                zip(
                    made.time_s[own],
                    made.lat_deg[own],
                    made.lon_deg[own],
                    made.altitude_ft[own],
                    strict=True,
                )
            ),
        )
        for k, own in enumerate(made.ranges())
    ]


def test_the_generator_makes_the_published_flights() -> None:
    made = flights(WORKLOADS["r1k"])
    assert len(made.time_s) == PUBLISHED["r1k"]
    assert made.last == pytest.approx(R1K_LAST, abs=1e-6)
    assert len(flights(WORKLOADS["u10k"]).time_s) == PUBLISHED["u10k"]


@pytest.mark.parametrize("name", SHARES)
def test_no_pair_of_flights_is_missed_and_none_is_extra(name: str) -> None:
    workload, lateral_m, vertical_tmm, step_s = SHARES[name]
    everyone = extents(workload)
    found = screened(*everyone, lateral_m=lateral_m, vertical_tmm=vertical_tmm)
    spans: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for finding in found:
        assert finding.verdict is Verdict.CONFLICT
        spans.setdefault((finding.first, finding.second), []).append(
            (finding.start_ms / 1000, finding.end_ms / 1000)
        )
    minima = Minima(lateral_m, vertical_tmm)
    lost = 0
    for a, b in itertools.combinations(everyone, 2):
        approach = losses(a.geometry, b.geometry, minima, step_s)
        intervals = spans.pop((a.key, b.key), [])
        if approach.least < -1e-4:
            lost += 1
            assert intervals, (a.key, b.key, approach.least)
            under = approach.t[approach.shortfall < 0]
            covered = np.zeros(len(under), dtype=bool)
            for start, end in intervals:
                covered |= (under >= start) & (under <= end)
            assert covered.all()
        elif intervals:
            assert approach.least < 1e-4, (a.key, b.key, approach.least)
        for start, end in intervals:
            # The stretch holds nothing that is clear of the minima by more than its own bound.
            held = (approach.t > start + 0.1) & (approach.t < end - 0.1)
            assert (approach.shortfall[held] < 0.3).all()
    assert not spans
    assert lost > 10


def test_any_number_of_threads_finds_the_same_to_the_bit() -> None:
    workload = WORKLOADS["r1k"]
    made = flights(workload)
    alone = screened_columns(made, workload, threads=1)
    assert len(alone["i"]) > 500
    for threads in (2, 3, 16):
        together = screened_columns(made, workload, threads=threads)
        assert all(alone[name].tobytes() == together[name].tobytes() for name in alone)
