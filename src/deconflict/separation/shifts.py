"""Of one finding: by which shifts in time both meet so, and whether they meet as planned as well.

Which shifts a finding's places come from is told by `own_instants`.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.trajectory import Containment, Trajectory
from deconflict.separation.extent import Extent
from deconflict.separation.finding import Finding, Verdict
from deconflict.separation.live import LiveIndex
from deconflict.separation.minima import AltitudeConversions, MinimaTable
from deconflict.separation.own_instants import OwnInstant, PlanLeg, agreeing, own_instants

__all__ = ["Shifts", "shifts_of"]

MS_PER_SECOND: Final = 1_000
SAME_PLACE_M: Final = 1.0  # an instant is rounded to a millisecond: half a metre at 1,000 m/s
# A peer writes the plans: what would take longer than a few milliseconds is told as not known.
MOST_LEGS: Final = 500
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
    ways: list[list[OwnInstant]] = []
    references: list[AltitudeReference] = []
    for extent, place in zip(both, (finding.position_first, finding.position_second), strict=True):
        plan = extent.geometry
        if not isinstance(plan, Trajectory):
            ways.append([OwnInstant(0.0, None)])
            continue
        legs = _legs_within(plan, at_ms)
        if len(legs) > MOST_LEGS:
            return None
        window_s = plan.containment.time_ms / MS_PER_SECOND
        ways.append(own_instants(legs, place, window_s=window_s, same_place_m=SAME_PLACE_M))
        references.append(plan.reference)
    found = agreeing(
        *ways,
        apart_tmm=finding.cpa_vertical_tmm,
        middle_tmm=conversions.middle_tmm(*references) if len(references) == len(both) else 0,
    )
    if found is None:
        return None
    one, other = (-round(own.at_s * MS_PER_SECOND) for own in found)
    return one, other


def _legs_within(plan: Trajectory, at_ms: int) -> list[PlanLeg]:
    """Return the legs that the window reaches, their instants counted from ``at_ms``."""
    window_ms = plan.containment.time_ms
    return [
        PlanLeg(
            (start.at_ms - at_ms) / MS_PER_SECOND,
            (end.at_ms - at_ms) / MS_PER_SECOND,
            start.position,
            end.position,
            (start.altitude_tmm, end.altitude_tmm),
        )
        for start, end in pairwise(plan.waypoints)
        if start.at_ms <= at_ms + window_ms and end.at_ms >= at_ms - window_ms
    ]
