"""What the kernel refuses, by table, row and field; nothing unusable ever reads as clear."""

import numpy as np
import pytest

from deconflict import _kernel

NAN, INF = float("nan"), float("inf")


def columns(**changed: object) -> dict[str, np.ndarray]:
    table = {
        "offsets": np.array([0, 2, 4], dtype=np.int64),
        "lat_deg": np.array([48.0, 48.0, 48.0, 49.0]),
        "lon_deg": np.array([9.0, 10.0, 9.5, 9.5]),
        "time_s": np.array([0.0, 600.0, 0.0, 600.0]),
        "altitude_tmm": np.array([0, 0, 0, 0], dtype=np.int64),
        "lateral_m": np.zeros(2),
        "vertical_tmm": np.zeros(2, dtype=np.int64),
        "window_s": np.zeros(2),
        "party": np.array([0, 1], dtype=np.uint32),
        "purpose": np.zeros(2, dtype=np.uint16),
        "reference": np.zeros(2, dtype=np.uint8),
        "side": np.zeros(2, dtype=np.uint8),
    }
    for name, values in changed.items():
        table[name] = np.array(values, dtype=table[name].dtype)
    return table


def areas(**changed: object) -> dict[str, np.ndarray]:
    table = {
        "offsets": np.array([0, 3], dtype=np.int64),
        "lat_deg": np.array([48.0, 48.0, 49.0]),
        "lon_deg": np.array([9.0, 10.0, 9.5]),
        "shape": np.array([2], dtype=np.uint8),
        "reach_m": np.zeros(1),
        "lower_tmm": np.zeros(1, dtype=np.int64),
        "upper_tmm": np.zeros(1, dtype=np.int64),
        "start_s": np.zeros(1),
        "end_s": np.full(1, 600.0),
        "party": np.array([2], dtype=np.uint32),
        "purpose": np.zeros(1, dtype=np.uint16),
        "reference": np.zeros(1, dtype=np.uint8),
        "item": np.zeros(1, dtype=np.uint32),
        "side": np.zeros(1, dtype=np.uint8),
    }
    for name, values in changed.items():
        table[name] = np.array(values, dtype=table[name].dtype)
    return table


def tables(lateral: object = (60_000.0,), vertical: object = (1,)) -> tuple[dict, dict]:
    minima = {
        "lateral_m": np.array(lateral, dtype=np.float64),
        "vertical_tmm": np.array(vertical, dtype=np.int64),
    }
    references = {
        "comparable": np.ones(1, dtype=np.uint8),
        "offset_lo_tmm": np.zeros(1, dtype=np.int64),
        "offset_hi_tmm": np.zeros(1, dtype=np.int64),
    }
    return minima, references


def test_the_sample_itself_is_accepted() -> None:
    found = _kernel.screen(columns(), areas(), *tables())
    assert found["i"].tolist() == [0, 0, 1]
    assert found["j"].tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    ("row", "field", "changed"),
    [
        (1, "lat_deg", {"lat_deg": [48, 48, 48, NAN]}),
        (0, "lat_deg", {"lat_deg": [48, 90.1, 48, 49]}),
        (0, "lon_deg", {"lon_deg": [INF, 10, 9.5, 9.5]}),
        (1, "time_s", {"time_s": [0, 600, 600, 0]}),
        (1, "time_s", {"time_s": [0, 600, 0, 0]}),
        (0, "time_s", {"time_s": [NAN, 600, 0, 600]}),
        (0, "time_s", {"time_s": [0, 1e300, 0, 600]}),
        (0, "time_s", {"time_s": [0, 2e7, 0, 600]}),
        (0, "altitude_tmm", {"altitude_tmm": [2**62, 0, 0, 0]}),
        (1, "lateral_m", {"lateral_m": [0, -1]}),
        (0, "lateral_m", {"lateral_m": [NAN, 0]}),
        (1, "vertical_tmm", {"vertical_tmm": [0, -1]}),
        (0, "window_s", {"window_s": [INF, 0]}),
        (1, "purpose", {"purpose": [0, 1]}),
        (0, "reference", {"reference": [9, 0]}),
        (0, "offsets", {"offsets": [0, 1, 4]}),
        (1, "offsets", {"offsets": [0, 4, 2]}),
        (0, "offsets", {"offsets": [1, 2, 4]}),
        (0, "offsets", {"offsets": [0, 2, 2**62]}),
        (0, "lat_deg", {"lat_deg": [0, 0, 48, 49], "lon_deg": [0, 179.9, 9.5, 9.5]}),
        (0, "party", {"party": [0]}),
    ],
)
def test_a_trajectory_is_refused_with_row_and_field(row: int, field: str, changed: dict) -> None:
    with pytest.raises(_kernel.RefusedInput) as refusal:
        _kernel.screen(columns(**changed), areas(), *tables())
    assert refusal.value.args[0] == "trajectories"
    assert refusal.value.args[2] == field
    if field != "offsets":
        assert refusal.value.args[1] == row


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("lat_deg", {"lat_deg": [48, 48, NAN]}),
        ("lat_deg", {"lat_deg": [0, 0, 0], "lon_deg": [0, 120, -120]}),
        ("shape", {"shape": [3]}),
        ("offsets", {"shape": [0]}),
        ("reach_m", {"reach_m": [1.0]}),
        ("reach_m", {"reach_m": [NAN]}),
        ("lower_tmm", {"lower_tmm": [5]}),
        ("end_s", {"end_s": [-1.0]}),
        ("start_s", {"start_s": [NAN]}),
    ],
)
def test_a_volume_is_refused_with_its_field(field: str, changed: dict) -> None:
    with pytest.raises(_kernel.RefusedInput) as refusal:
        _kernel.screen(columns(), areas(**changed), *tables())
    assert refusal.value.args[:3] == ("volumes", 0, field)


@pytest.mark.parametrize(("lateral", "vertical"), [([NAN], [1]), ([-1], [1]), ([1], [-1])])
def test_minima_are_refused(lateral: list[float], vertical: list[int]) -> None:
    with pytest.raises(_kernel.RefusedInput) as refusal:
        _kernel.screen(columns(), areas(), *tables(lateral, vertical))
    assert refusal.value.args[0] == "minima"


def test_a_missing_or_mistyped_column_is_named() -> None:
    table = columns()
    del table["time_s"]
    with pytest.raises(KeyError, match="time_s"):
        _kernel.screen(table, areas(), *tables())
    with pytest.raises(TypeError, match="party"):
        _kernel.screen(columns() | {"party": np.zeros(2)}, areas(), *tables())
    with pytest.raises(TypeError, match="lat_deg"):
        _kernel.screen(columns() | {"lat_deg": np.zeros(8)[::2]}, areas(), *tables())


def test_a_waypoint_said_twice_is_one_waypoint() -> None:
    twice = columns(
        offsets=[0, 3, 5],
        lat_deg=[48, 48, 48, 48, 49],
        lon_deg=[9, 9, 10, 9.5, 9.5],
        time_s=[0, 0, 600, 0, 600],
        altitude_tmm=[0] * 5,
    )
    once = _kernel.screen(columns(), areas(), *tables())
    again = _kernel.screen(twice, areas(), *tables())
    assert all((once[name] == again[name]).all() for name in once)
