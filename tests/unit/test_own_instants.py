"""Instants of plans found again from places: which are tried, and which pair is believed."""

import pytest

from deconflict.airspace.geodesy import direct
from deconflict.airspace.position import Position
from deconflict.separation.own_instants import (
    MOST_TRIED,
    OwnInstant,
    PlanLeg,
    agreeing,
    own_instants,
)
from deconflict.units import TMM_PER_FOOT

HERE = Position.from_degrees(48.0, 9.0)
THERE = direct(HERE, 90.0, 10_000.0)
HALF_WAY = direct(HERE, 90.0, 5_000.0)
EAST = PlanLeg(-100.0, 100.0, HERE, THERE, (0.0, 200.0 * TMM_PER_FOOT))
BACK = PlanLeg(100.0, 300.0, THERE, HERE, (200.0 * TMM_PER_FOOT, 0.0))


def instants(*legs: PlanLeg, place: Position = HALF_WAY, window_s: float = 300.0) -> list[float]:
    found = own_instants(legs, place, window_s=window_s, same_place_m=0.05)
    return [round(own.at_s, 3) for own in found]


def test_a_place_flown_over_twice_has_two_instants_the_nearest_first() -> None:
    assert instants(EAST, BACK) == [0.0, 200.0]
    own = own_instants([EAST], HALF_WAY, window_s=300.0, same_place_m=0.05)[0]
    assert own.altitude_tmm == pytest.approx(100.0 * TMM_PER_FOOT, abs=10.0)


def test_what_no_shift_within_the_window_reaches_is_no_instant() -> None:
    assert instants(EAST, BACK, window_s=150.0) == [0.0]
    later = PlanLeg(50.0, 250.0, HERE, THERE, (0.0, 0.0))
    assert instants(later, window_s=100.0) == []
    assert instants(later, window_s=150.0) == [150.0]


def test_a_place_beside_the_leg_is_none_of_it() -> None:
    assert instants(EAST, place=direct(HALF_WAY, 0.0, 1.0)) == []
    assert instants(EAST, place=direct(HALF_WAY, 0.0, 0.02)) != []


def test_where_it_hovers_every_instant_is_one_and_the_told_one_the_nearest() -> None:
    hovering = PlanLeg(-30.0, 500.0, HERE, HERE, (0.0, 5_300.0))
    found = own_instants([hovering], HERE, window_s=60.0, same_place_m=0.05)
    assert {own.at_s: own.altitude_tmm for own in found} == {
        0.0: pytest.approx(300.0),
        -30.0: pytest.approx(0.0),
        60.0: pytest.approx(900.0),
    }
    assert found[0].at_s == 0.0


def test_no_more_are_tried_than_is_quick() -> None:
    legs = [PlanLeg(float(k), k + 1.0, HERE, HERE, (0.0, 0.0)) for k in range(1_000)]
    assert len(instants(*legs, place=HERE, window_s=2_000.0)) == MOST_TRIED


def test_of_pairs_that_agree_in_altitude_the_least_shifted_is_believed() -> None:
    low, high = OwnInstant(0.0, 0.0), OwnInstant(-50.0, 1_000.0 * TMM_PER_FOOT)
    other = [OwnInstant(10.0, 1_000.0 * TMM_PER_FOOT), OwnInstant(20.0, 0.0)]
    told = agreeing([low, high], other, apart_tmm=0, middle_tmm=0)
    assert told == (low, other[1])
    assert agreeing([low], other[:1], apart_tmm=0, middle_tmm=0) is None
    assert agreeing([low], other[:1], apart_tmm=0, middle_tmm=1_000 * TMM_PER_FOOT) == (
        low,
        other[0],
    )
    # Where no altitude tells, the nearest pair stands.
    assert agreeing([low, high], other, apart_tmm=None, middle_tmm=0) == (low, other[0])
    volume = OwnInstant(0.0, None)
    assert agreeing([high, low], [volume], apart_tmm=7, middle_tmm=0) == (low, volume)
