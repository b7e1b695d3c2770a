"""Where in their own plans both of a finding are, found again from the places that it tells.

A time window lets a whole plan run early or late. A finding then tells one instant and two places,
which both plans reach only with some shift. The instants of a plan at which it is at its place are
found by distance along its legs, and of all pairs of them one is believed only when the altitudes
agree as well.

All instants are seconds counted from the one that the finding tells: what is late is negative here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from deconflict.airspace.geodesy import direct, distance, inverse
from deconflict.airspace.position import Position
from deconflict.units import TMM_PER_FOOT

__all__ = ["OwnInstant", "PlanLeg", "agreeing", "own_instants"]

MOST_TRIED: Final = 64  # instants of each: a plan that hovers in a thousand legs has more
ROUNDED_S: Final = 0.001  # instants are told to the millisecond, or finer


@dataclass(frozen=True, slots=True)
class PlanLeg:
    """One leg of a plan: from when to when, from where to where, between which altitudes."""

    begin_s: float
    until_s: float
    start: Position
    end: Position
    altitudes_tmm: tuple[float, float]


@dataclass(frozen=True, slots=True)
class OwnInstant:
    """An instant of a plan, and its altitude then in its own reference; None for a volume."""

    at_s: float
    altitude_tmm: float | None


def own_instants(
    legs: Iterable[PlanLeg], place: Position, *, window_s: float, same_place_m: float
) -> list[OwnInstant]:
    """Return when a plan is at a place and may be so at the instant told, the nearest first.

    Args:
        legs: of the plan; those that lie outside its window are passed over.
        place: where the finding says that it is.
        window_s: by how much the whole plan may be early or late.
        same_place_m: how near to the place is there: what the finding's rounding comes to.
    """
    found = {own.at_s: own for leg in legs for own in _on_leg(leg, place, window_s, same_place_m)}
    return sorted(found.values(), key=lambda own: abs(own.at_s))[:MOST_TRIED]


def agreeing(
    one: Sequence[OwnInstant],
    other: Sequence[OwnInstant],
    *,
    apart_tmm: int | None,
    middle_tmm: int,
) -> tuple[OwnInstant, OwnInstant] | None:
    """Return the pair that takes least shifting of those whose altitudes are as told; None if none.

    Args:
        one, other: instants of the first and of the second of a finding.
        apart_tmm: altitude of the second less that of the first, as told; None where not defined.
        middle_tmm: what is added to the first altitude before they are compared.
    """
    fitting = [
        (mine, theirs)
        for mine, theirs in product(one, other)
        if apart_tmm is None
        or mine.altitude_tmm is None
        or theirs.altitude_tmm is None
        or abs(theirs.altitude_tmm - mine.altitude_tmm - middle_tmm - apart_tmm) <= TMM_PER_FOOT
    ]
    return min(fitting, key=lambda pair: sum(abs(own.at_s) for own in pair), default=None)


def _on_leg(
    leg: PlanLeg, place: Position, window_s: float, same_place_m: float
) -> Iterator[OwnInstant]:
    if leg.begin_s > window_s + ROUNDED_S or leg.until_s < -window_s - ROUNDED_S:
        return
    way = inverse(leg.start, leg.end)
    lasts_s = leg.until_s - leg.begin_s
    if way.distance_m <= same_place_m:  # it stays, perhaps climbing: any instant of the leg
        asked = [0.0, leg.begin_s, leg.until_s, -window_s, window_s]
    else:
        share = min(distance(leg.start, place) / way.distance_m, 1.0)
        asked = [leg.begin_s + lasts_s * share]
    for own_s in asked:
        on_leg_s = min(max(own_s, leg.begin_s), leg.until_s)
        within_s = min(max(on_leg_s, -window_s), window_s)
        share = (within_s - leg.begin_s) / lasts_s if lasts_s > 0.0 else 0.0
        share = min(max(share, 0.0), 1.0)
        there = direct(leg.start, way.azimuth_ab_deg, way.distance_m * share)
        if distance(there, place) <= same_place_m:
            low, high = leg.altitudes_tmm
            yield OwnInstant(within_s, low + (high - low) * share)
