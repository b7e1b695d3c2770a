"""Of one finding: by which shifts in time both meet so, and whether they meet as planned as well.

A time window lets a whole plan run early or late. A finding then tells one instant and two places,
which both plans reach only with some shift. Which shifts these are is found again here from the
places, and believed only when the altitudes agree as well.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Final

from deconflict.airspace.geodesy import direct, distance, inverse
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Containment, Trajectory, Waypoint
from deconflict.separation.extent import Extent
from deconflict.separation.finding import Finding, Verdict
from deconflict.separation.live import LiveIndex
from deconflict.separation.minima import AltitudeConversions, MinimaTable
from deconflict.units import TMM_PER_FOOT

__all__ = ["Shifts", "shifts_of"]

SAME_PLACE_M: Final = 1.0  # an instant is rounded to a millisecond: half a metre at 1,000 m/s
# A peer writes the plans: what would take longer than a few milliseconds is told as not known.
MOST_LEGS: Final = 500
MOST_TRIED: Final = 64
MOST_EFFORT: Final = 5_000  # of LiveIndex.look: five milliseconds


@dataclass(frozen=True, slots=True)
class Shifts:
    """What the containment of two has to do with a finding.

    Attributes:
        window_ms: by how much the first and the second may be early or late.
        late_ms: how much later than planned each is at the closest approach, negative when early;
            None where it cannot be told from the finding.
        as_planned: True exactly when they are shown to come too close as well if both keep exactly
            to plan, in place and time; None where that is neither shown nor excluded.
    """

    window_ms: tuple[int, int]
    late_ms: tuple[int, int] | None
    as_planned: bool | None


def shifts_of(
    finding: Finding,
    first: Extent,
    second: Extent,
    conversions: AltitudeConversions,
    *,
    in_full: bool = True,
) -> Shifts | None:
    """Return what the containment of two has to do with a finding; None where neither has any.

    Args:
        finding: what a check told of the two.
        first, second: the two of it, in this order.
        conversions: what altitudes were compared by.
        in_full: false leaves out what has to be looked for, some 2 ms: the shifts, where there are
            windows, and whether they meet as planned are then not known.
    """
    both = first, second
    held = [
        extent.geometry.containment if isinstance(extent.geometry, Trajectory) else Containment()
        for extent in both
    ]
    if not any(one != Containment() for one in held):
        return None
    window_ms = held[0].time_ms, held[1].time_ms
    if not in_full:
        return Shifts(window_ms, None if any(window_ms) else (0, 0), None)
    late_ms = _late_ms(finding, both, conversions) if any(window_ms) else (0, 0)
    return Shifts(window_ms, late_ms, _as_planned(finding, both, conversions))


def _as_planned(
    finding: Finding, both: tuple[Extent, Extent], conversions: AltitudeConversions
) -> bool | None:
    exact = [
        replace(extent, geometry=replace(extent.geometry, containment=Containment()))
        if isinstance(extent.geometry, Trajectory)
        else extent
        for extent in both
    ]
    index = LiveIndex(
        MinimaTable(finding.minima), conversions, purposes=[extent.purpose for extent in both]
    )
    index.put(exact[:1])
    found = index.look(exact[1:], most=MOST_EFFORT)
    if any(one.verdict is Verdict.CONFLICT for one in found.findings):
        return True
    return None if found.findings or found.left or found.broken_off else False


def _late_ms(
    finding: Finding, both: tuple[Extent, Extent], conversions: AltitudeConversions
) -> tuple[int, int] | None:
    at_ms = finding.cpa_time_ms
    ways: list[list[tuple[int, float | None]]] = []
    for extent, place in zip(both, (finding.position_first, finding.position_second), strict=True):
        plan = extent.geometry
        if not isinstance(plan, Trajectory):
            ways.append([(at_ms, None)])
            continue
        legs = _legs_within(plan, at_ms)
        if len(legs) > MOST_LEGS:
            return None
        tried = {own_ms: tmm for leg in legs for own_ms, tmm in _on_leg(plan, leg, place, at_ms)}
        near = sorted(tried, key=lambda own_ms: abs(own_ms - at_ms))[:MOST_TRIED]
        ways.append([(own_ms, tried[own_ms]) for own_ms in near])
    middle_tmm = _middle_tmm(both, conversions)
    fitting = [
        (one_ms, other_ms)
        for (one_ms, one_tmm), (other_ms, other_tmm) in product(*ways)
        if finding.cpa_vertical_tmm is None
        or one_tmm is None
        or other_tmm is None
        or abs(other_tmm - one_tmm - middle_tmm - finding.cpa_vertical_tmm) <= TMM_PER_FOOT
    ]
    if not fitting:
        return None
    one_ms, other_ms = min(fitting, key=lambda pair: sum(abs(own - at_ms) for own in pair))
    return at_ms - one_ms, at_ms - other_ms


def _legs_within(plan: Trajectory, at_ms: int) -> list[tuple[Waypoint, Waypoint]]:
    window_ms = plan.containment.time_ms
    return [
        (start, end)
        for start, end in pairwise(plan.waypoints)
        if start.at_ms <= at_ms + window_ms and end.at_ms >= at_ms - window_ms
    ]


def _on_leg(
    plan: Trajectory, leg: tuple[Waypoint, Waypoint], place: Position, at_ms: int
) -> Iterator[tuple[int, float]]:
    """Yield the instants of a leg at which it is at this place and may be so when it is told."""
    start, end = leg
    window_ms = plan.containment.time_ms
    way = inverse(start.position, end.position)
    length_m, lasts_ms = way.distance_m, end.at_ms - start.at_ms
    if length_m <= SAME_PLACE_M:  # it stays, perhaps climbing: any instant of the leg
        asked = [at_ms, start.at_ms, end.at_ms, at_ms - window_ms, at_ms + window_ms]
    else:
        share = min(distance(start.position, place) / length_m, 1.0)
        asked = [start.at_ms + round(lasts_ms * share)]
    for own_ms in asked:
        within_ms = min(max(own_ms, at_ms - window_ms, start.at_ms), at_ms + window_ms, end.at_ms)
        share = (within_ms - start.at_ms) / lasts_ms
        there = direct(start.position, way.azimuth_ab_deg, length_m * share)
        if distance(there, place) <= SAME_PLACE_M:
            yield within_ms, start.altitude_tmm + (end.altitude_tmm - start.altitude_tmm) * share


def _middle_tmm(both: tuple[Extent, Extent], conversions: AltitudeConversions) -> float:
    """Return what is added to the first altitude before it is compared with the second."""
    plans = [extent.geometry for extent in both]
    if not all(isinstance(plan, Trajectory) for plan in plans):
        return 0.0
    one, other = (plan.reference for plan in plans if isinstance(plan, Trajectory))
    known = conversions.between(one, other)
    return 0.0 if known is None else sum(known) / 2
