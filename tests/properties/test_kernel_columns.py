"""Any columns at all: the kernel answers, or refuses and says which table, row and field."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deconflict import _kernel
from effort import examples
from oracle.columns import Columns, awkward

BROKEN = examples()
TABLES = ("trajectories", "volumes", "minima", "references")
TYPES = (np.float64, np.int64, np.uint32, np.uint16, np.uint8)
# Whatever was accepted may meet: a set of this size is quick even if all of it does.
COUNT = 12

floats = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 1e-3, 90.0, -90.0, 180.0, 360.0, 1e6, 5e6, 1e11, -1e11, 5e-324]),
    st.floats(-400.0, 400.0),
)
wholes = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-5, 60),
    st.sampled_from([2**31, 2**32, -(2**31), 10**10, -(10**10), 2**63 - 1, -(2**63)]),
)


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Columns, Columns, Columns, Columns]:
    """Draw four sound tables, of which some numbers, lengths or types are then no longer sound."""
    tables = awkward(draw(st.integers(0, 1_000)), COUNT)
    for _ in range(draw(st.integers(0, 4))):
        table = tables[draw(st.sampled_from([0, 0, 1, 1, 2, 3]))]
        name = draw(st.sampled_from(sorted(table)))
        table[name] = draw(changed(table[name]))
    return tables


@st.composite
def changed(draw: st.DrawFn, column: np.ndarray) -> np.ndarray:
    how = draw(st.sampled_from(["value", "value", "value", "all", "shorter", "longer", "type"]))
    if how == "type":
        other = draw(st.sampled_from([np.float32, np.int32, np.bool_, np.object_]))
        with np.errstate(invalid="ignore", over="ignore"):  # spoilt before: no int32 says NaN
            return column.astype(other)
    if how == "shorter":
        return column[: draw(st.integers(0, len(column)))].copy()
    if how == "longer":
        return np.concatenate([column, column[:1].repeat(draw(st.integers(1, 3)))])
    if column.dtype not in TYPES:
        return column
    value: Any = draw(floats) if column.dtype == np.float64 else draw(wholes)
    if column.dtype.kind == "u":
        value %= 2 ** (8 * column.dtype.itemsize)
    column = column.copy()
    if how == "all":
        column[:] = value
    elif len(column):
        column[draw(st.integers(0, len(column) - 1))] = value
    return column


def answer(tables: tuple[Columns, ...], threads: int) -> Columns | Exception:
    try:
        return _kernel.screen(*tables, threads=threads)
    except (TypeError, ValueError) as refusal:
        return refusal


@BROKEN
@given(spoilt(), st.sampled_from([1, 2]))
def test_columns_are_screened_or_refused_by_name(tables, threads) -> None:
    found = answer(tables, threads)
    if isinstance(found, _kernel.RefusedInput):
        table, row, field, problem = found.args
        assert field in dict(zip(TABLES, tables, strict=True))[table]
        assert isinstance(row, int)
        assert row >= 0
        assert problem
    elif isinstance(found, Exception):
        assert str(found).startswith(("column ", "table "))
    else:
        assert len({len(column) for column in found.values()}) == 1
        assert np.isfinite(found["cpa_distance_m"]).all()
        assert (found["t_in_us"] <= found["cpa_time_us"]).all()
        assert (found["cpa_time_us"] <= found["t_out_us"]).all()
        assert (found["i"] < found["j"]).all()


@BROKEN
@given(spoilt(), st.sampled_from([0, 12_345]))
def test_an_index_takes_columns_or_refuses_them_and_holds_on(tables, first_key) -> None:
    flights, volumes, *rules = tables
    sound = awkward(3, COUNT)
    rows = len(sound[0]["party"]) + len(sound[1]["party"])
    keys = np.arange(first_key, first_key + rows, dtype=np.uint64)
    try:
        index = _kernel.Index(*rules)
        index.put(keys, *sound[:2])
    except (TypeError, ValueError):
        index = _kernel.Index(*sound[2:])
        index.put(keys, *sound[:2])
    before = len(index)
    assert before == rows
    try:
        index.put(keys[::-1].copy(), flights, volumes)
    except (TypeError, ValueError):
        assert len(index) == before
    for asked in (sound[:2], (flights, volumes)):
        try:
            found = index.ask(*asked)
        except (TypeError, ValueError):
            continue
        assert set(found["key"].tolist()) <= set(keys.tolist())
        assert np.isfinite(found["cpa_distance_m"]).all()
    index.drop_before(2**63 - 1)
    assert len(index) == 0
    assert len(index.ask(*sound[:2])["key"]) == 0


@BROKEN
@given(
    spoilt(),
    st.lists(st.integers(0, 2 * COUNT), max_size=4),
    st.lists(floats, max_size=4),
    st.tuples(floats, floats, wholes, wholes),
)
def test_forbidden_changes_are_found_or_the_columns_refused(tables, movers, offsets, far) -> None:
    asked = {"movers": np.array(movers, np.uint32), "offsets_m": np.array(offsets, np.float64)}
    early_s, late_s, down_tmm, up_tmm = far
    try:
        found = _kernel.forbidden(
            *tables, asked, early_s=early_s, late_s=late_s, down_tmm=down_tmm, up_tmm=up_tmm
        )
    except (TypeError, ValueError):
        return
    for stretches in found.values():
        assert (stretches["from"] <= stretches["to"]).all()
        assert set(stretches["mover"].tolist()) <= set(movers)


@given(st.sampled_from([0, 1, 2, 3]), st.sampled_from([None, 7, [], [1.0], {}, "lat"]))
def test_what_is_no_column_is_a_type_error(place, value) -> None:
    tables = awkward(1, COUNT)
    name = min(tables[place])
    tables[place][name] = value
    refusal = answer(tables, 1)
    assert isinstance(refusal, TypeError)
    assert name in str(refusal)
