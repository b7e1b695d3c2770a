"""The index of what is active answers as a screening of all would, to the last bit."""

import random
from typing import Any

import numpy as np
import pytest
from bench.bench_index import one_row
from bench.bench_screen import tables_of
from bench.workloads import WORKLOADS, Flights, flights
from numpy.typing import NDArray
from tests.oracle.adversarial import SETS

from deconflict import _kernel

Columns = dict[str, NDArray[Any]]
TURNED = {
    "first_lat_deg": "second_lat_deg",
    "first_lon_deg": "second_lon_deg",
    "second_lat_deg": "first_lat_deg",
    "second_lon_deg": "first_lon_deg",
}


def told_from(found: Columns, row: int) -> list[tuple[Any, ...]]:
    """Findings of one row in a screening of all, told from it: other row, then what was found."""
    names = sorted(name for name in found if name not in ("i", "j"))
    rows = []
    for k in np.flatnonzero((found["i"] == row) | (found["j"] == row)):
        turned = found["j"][k] == row
        values = [
            -found[name][k]
            if turned and name == "cpa_vertical_tmm"
            else found[TURNED.get(name, name) if turned else name][k]
            for name in names
        ]
        rows.append((int(found["i"][k] if turned else found["j"][k]), *values))
    return sorted(rows)


def told(answer: Columns) -> list[tuple[Any, ...]]:
    names = sorted(answer.keys() - {"i", "key", "done", "broken_off"})
    return sorted(
        (int(answer["key"][k]), *(answer[name][k] for name in names))
        for k in range(len(answer["key"]))
    )


def put(index: _kernel.Index, key: int, table: Columns, volumes: Columns) -> None:
    index.put(np.full(len(table["party"]), key, np.uint64), table, volumes)


def subset(table: Columns, rows: list[int]) -> Columns:
    """The table of some of its rows, in that order."""
    parts = [one_row(table, row) for row in rows]
    return {
        name: np.concatenate(([0], np.cumsum([part["offsets"][1] for part in parts])))
        if name == "offsets"
        else np.concatenate([part[name] for part in parts])
        for name in table
    }


def agree(made: Flights, tables: tuple[Columns, ...], asked: list[int], seed: int) -> int:
    """Put flights in, some twice, take some away, and ask; return how many were found."""
    table, volumes, minima, references = tables
    index = _kernel.Index(minima, references)
    rng = random.Random(seed)
    order = list(range(len(made)))
    rng.shuffle(order)
    for row in order:
        put(index, row, one_row(table, row), volumes)
    for row in order[::3]:
        put(index, row, one_row(table, rng.choice(order)), volumes)
        put(index, row, one_row(table, row), volumes)
    gone = set(order[::5])
    for row in gone:
        assert index.remove(row)
        assert not index.remove(row)
    left = [row for row in range(len(made)) if row not in gone]
    assert len(index) == len(left)
    count = 0
    for row in asked:
        rows = sorted({row, *left})
        found = _kernel.screen(subset(table, rows), volumes, minima, references)
        place = rows.index(row)
        expected = sorted((rows[other], *rest) for other, *rest in told_from(found, place))
        answer = told(index.ask(one_row(table, row), volumes))
        assert answer == expected
        count += len(answer)
    return count


def test_one_thousand_flights_are_met_as_in_a_screening() -> None:
    workload = WORKLOADS["r1k"]
    made = flights(workload)
    asked = random.Random(2).sample(range(len(made)), 40)
    assert agree(made, tables_of(made, workload), asked, seed=1) > 20


@pytest.mark.parametrize("name", sorted(SETS))
def test_awkward_flights_are_met_as_in_a_screening(name: str) -> None:
    awkward = SETS[name]()
    made = awkward.made
    table, volumes, minima, references = tables_of(made, WORKLOADS["r1k"])
    minima = {
        "lateral_m": np.array([awkward.lateral_m]),
        "vertical_tmm": np.array([awkward.vertical_tmm], np.int64),
    }
    few = random.Random(3).sample(range(len(made)), min(len(made), 12))
    agree(made, (table, volumes, minima, references), few, seed=4)


def test_what_is_over_is_dropped_and_no_longer_met() -> None:
    workload = WORKLOADS["r1k"]
    made = flights(workload)
    table, volumes, minima, references = tables_of(made, workload)
    index = _kernel.Index(minima, references)
    for row in range(len(made)):
        put(index, row, one_row(table, row), volumes)
    ends_us = np.round(made.time_s[made.offsets[1:] - 1] * 1e3).astype(np.int64) * 1_000
    now_us = int(np.median(ends_us))
    over = index.drop_before(now_us)
    assert sorted(over) == np.flatnonzero(ends_us < now_us).tolist()
    assert len(index) == len(made) - len(over)
    met = {int(k) for row in range(100) for k in index.ask(one_row(table, row), volumes)["key"]}
    assert met
    assert not met & set(over)


def test_months_later_and_years_before_are_met_too() -> None:
    workload = WORKLOADS["r1k"]
    made = flights(workload)
    table, volumes, minima, references = tables_of(made, workload)
    index = _kernel.Index(minima, references)
    put(index, 10**9, one_row(table, 0), volumes)
    for shift_s in (-(10**10), 2e7, 10**9, 10**10):
        late = dict(table, time_s=table["time_s"] + shift_s)
        for row in range(100):
            put(index, row, one_row(late, row), volumes)
        found = 0
        for row in range(100):
            rows = list(range(100))
            whole = _kernel.screen(subset(late, rows), volumes, minima, references)
            answer = told(index.ask(one_row(late, row), volumes))
            assert answer == told_from(whole, row)
            found += len(answer)
        assert found


def test_rows_of_one_side_are_not_met() -> None:
    workload = WORKLOADS["r1k"]
    made = flights(workload)
    table, volumes, minima, references = tables_of(made, workload)
    table["side"] = np.random.default_rng(6).integers(0, 3, len(made)).astype(np.uint8)
    asked = random.Random(7).sample(range(len(made)), 40)
    assert agree(made, (table, volumes, minima, references), asked, seed=8) > 15


def test_what_is_refused_changes_nothing() -> None:
    workload = WORKLOADS["r1k"]
    table, volumes, minima, references = tables_of(flights(workload), workload)
    index = _kernel.Index(minima, references)
    put(index, 1, one_row(table, 0), volumes)
    bad = one_row(table, 1)
    bad["lat_deg"] = np.full_like(bad["lat_deg"], np.nan)
    with pytest.raises(_kernel.RefusedInput) as refusal:
        put(index, 1, bad, volumes)
    assert refusal.value.args[:3] == ("trajectories", 0, "lat_deg")
    assert len(index) == 1
    with pytest.raises(_kernel.RefusedInput):
        index.ask(bad, volumes)
