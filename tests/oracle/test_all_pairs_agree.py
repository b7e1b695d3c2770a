"""The kernel against every pair and every leg, on whole sets and on those made to break it."""

import functools

import numpy as np
import pytest
from bench.bench_screen import TMM_PER_FOOT, screened
from bench.flown import whole_milliseconds
from bench.workloads import WORKLOADS, flights
from tests.oracle.adversarial import SETS, screened_at
from tests.oracle.agreement import contradictions
from tests.oracle.all_pairs import all_pairs, settled, slack_m


@functools.cache
def r1k():
    """Findings and losses of the whole set, computed once."""
    workload = WORKLOADS["r1k"]
    made = whole_milliseconds(flights(workload))
    vertical_tmm = workload.vertical_ft * TMM_PER_FOOT
    losses = all_pairs(made, workload.lateral_m, vertical_tmm)
    return screened(made, workload), settled(made, losses, workload.lateral_m, vertical_tmm)


def test_a_thousand_flights_are_screened_as_all_pairs_are() -> None:
    found, losses = r1k()
    assert contradictions(found, losses) == []
    assert losses.leg_pairs > 38_000_000
    assert len(losses.sure) > 600
    assert not losses.open_pairs()


@pytest.mark.parametrize("name", SETS)
def test_sets_made_to_break_it_are_screened_as_all_pairs_are(name: str) -> None:
    given = SETS[name]()
    losses = all_pairs(given.made, given.lateral_m, given.vertical_tmm)
    losses = settled(given.made, losses, given.lateral_m, given.vertical_tmm)
    found = screened_at(given.made, given.lateral_m, given.vertical_tmm)
    assert contradictions(found, losses) == []
    assert len(losses.sure) >= given.losses
    assert len(losses.open_pairs()) <= given.open_pairs


def _without(found, k):
    return {name: np.delete(column, k) for name, column in found.items()}


def _later(found, k, seconds, names):
    changed = dict(found)
    for name in names:
        for unit, scale in (("s", 1.0), ("us", 1e6)):
            if f"{name}_{unit}" in found:
                changed[f"{name}_{unit}"] = found[f"{name}_{unit}"].copy()
                changed[f"{name}_{unit}"][k] += type(found[f"{name}_{unit}"][k])(seconds * scale)
    return changed


def _of_another(found, k):
    changed = {**found, "j": found["j"].copy()}
    changed["j"][k] += 1
    return changed


FAULTS = {
    "a finding dropped": _without,
    "a beginning told a hundredth of a second late": lambda f, k: _later(f, k, 0.01, ["t_in"]),
    "an end told a hundredth of a second early": lambda f, k: _later(f, k, -0.01, ["t_out"]),
    "a stretch told a second too long": lambda f, k: _later(f, k, 1.0, ["t_out"]),
    "all times of a finding shifted": lambda f, k: _later(f, k, 1.0, ["t_in", "t_out"]),
    "a finding of another pair": _of_another,
    "a sure loss told as unsure": lambda f, k: {
        **f,
        "verdict": np.where(np.arange(len(f["i"])) == k, 1, f["verdict"]),
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_noticed(fault: str) -> None:
    found, losses = r1k()
    for k in np.linspace(0, len(found["i"]) - 1, 7).astype(int):
        assert contradictions(FAULTS[fault](found, k), losses), (fault, k)


def test_slack_grows_with_the_pieces_and_is_centimetres_for_legs_of_minutes() -> None:
    assert slack_m(9_260.0, 30_000.0) < 0.08
    assert slack_m(50.0, 300.0) < 1e-5
    assert slack_m(9_260.0, 50_000.0) > slack_m(9_260.0, 40_000.0)
