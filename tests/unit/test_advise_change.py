"""What a change makes of a plan."""

import pytest

from deconflict.advise import Change, ChangeKind, SearchLimits, changed
from deconflict.advise.forbidden import Forbidden
from deconflict.airspace import Position, Trajectory
from deconflict.airspace.geodesy import distance
from deconflict.errors import InvalidGeometryError, InvalidInputError
from deconflict.units import TMM_PER_FOOT
from oracle.builders import area, circle, flight, volume

CRUISE = flight("a", [(0, 35.0, 38.0, 30_000), (1800, 35.0, 40.0, 30_000)])
WHOLE = flight(
    "a",
    [(0, 35.0, 38.0, 0), (600, 35.2, 38.6, 30_000), (3000, 35.6, 41.0, 30_000), (3600, 36, 41, 0)],
    lateral_m=100,
    vertical_ft=50,
    window_s=60,
)


def path(extent, **change: int) -> Trajectory:
    found = changed(extent.geometry, Change(**change))
    assert isinstance(found, Trajectory)
    return found


def test_a_shift_moves_every_time_and_nothing_else() -> None:
    found = path(WHOLE, shift_ms=-90_000)
    for new, old in zip(found.waypoints, WHOLE.geometry.waypoints, strict=True):
        assert (new.at_ms, new.position, new.altitude_tmm) == (
            old.at_ms - 90_000,
            old.position,
            old.altitude_tmm,
        )
    assert found.containment == WHOLE.geometry.containment


def test_a_change_of_level_leaves_the_ends_on_the_ground() -> None:
    feet = [w.altitude_tmm / TMM_PER_FOOT for w in path(WHOLE, level_tmm=2_000 * 3_048).waypoints]
    assert feet == [0, 32_000, 32_000, 0]
    feet = [w.altitude_tmm / TMM_PER_FOOT for w in path(CRUISE, level_tmm=-1_000 * 3_048).waypoints]
    assert feet == [29_000, 29_000]


def test_an_offset_leaves_the_ends_of_climb_and_descent_in_place() -> None:
    found = path(WHOLE, offset_mm=10_000_000)
    assert found.waypoints[0] == WHOLE.geometry.waypoints[0]
    assert found.waypoints[-1] == WHOLE.geometry.waypoints[-1]
    assert found.waypoints[1].position.lat_deg < 35.2  # right of a way to the north-east
    assert distance(found.waypoints[1].position, Position.from_degrees(35.2, 38.6)) >= 9_999.9


def test_right_is_right_and_left_is_left() -> None:
    for offset_mm, sign in ((5_000_000, -1), (-5_000_000, 1)):
        for waypoint in path(CRUISE, offset_mm=offset_mm).waypoints[:1]:
            assert (waypoint.position.lat_deg - 35.0) * sign > 0.04
    moved = path(CRUISE, offset_mm=5_000_000)
    assert len(moved.waypoints) == 3  # 182 km: one place in between


def test_a_volume_moves_in_time_and_height_but_its_open_limits_stay() -> None:
    held = area("v", volume(circle(35, 38, 1_000), feet=(None, 5_000), seconds=(0, 600)))
    (moved,) = changed(held.geometry, Change(shift_ms=60_000, level_tmm=3_048_000))
    (planned,) = held.geometry
    assert moved.span.start_ms == planned.span.start_ms + 60_000
    assert (moved.band.lower_tmm, moved.band.upper_tmm) == (None, 6_000 * TMM_PER_FOOT)
    with pytest.raises(InvalidGeometryError, match="only a trajectory"):
        changed(held.geometry, Change(offset_mm=1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"earlier_ms": -1},
        {"later_ms": 86_400_001},
        {"up_tmm": 100_001 * 3_048},
        {"right_mm": 201 * 1_852_000},
        {"shift_step_ms": 0},
        {"level_step_tmm": -1},
        {"offset_step_mm": 1_000},
    ],
)
def test_limits_that_mean_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InvalidInputError):
        SearchLimits(**wrong)


def test_steps_go_both_ways_and_stay_within_the_limit() -> None:
    limits = SearchLimits(left_mm=2_500, right_mm=1_000, offset_step_mm=1_000, down_tmm=0)
    assert limits.offsets_mm() == (-2_000, -1_000, 1_000)
    assert Change(level_tmm=1, offset_mm=-1).kinds == (ChangeKind.LEVEL, ChangeKind.OFFSET)


def test_the_smallest_free_value_is_a_step_in_a_gap() -> None:
    forbidden = Forbidden([(5, 9), (-20, 4), (21, 30)])
    assert forbidden.spans == [(-20, 9), (21, 30)]
    assert forbidden.smallest(step=1, limit=100, sign=1) == 10
    assert forbidden.smallest(step=7, limit=100, sign=1) == 14
    assert forbidden.smallest(step=11, limit=100, sign=1) == 11
    assert forbidden.smallest(step=25, limit=100, sign=1) == 50
    assert forbidden.smallest(step=7, limit=100, sign=-1) == -21
    assert forbidden.smallest(step=7, limit=20, sign=-1) is None
    assert Forbidden([]).smallest(step=7, limit=20, sign=-1) == -7
