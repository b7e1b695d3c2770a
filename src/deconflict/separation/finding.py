"""What a check found, with the witness that anybody can compute again."""

from dataclasses import dataclass
from enum import StrEnum

from deconflict.airspace.position import Position
from deconflict.separation.minima import Minima

__all__ = ["Finding", "FindingKind", "Verdict"]


class FindingKind(StrEnum):
    """What meets what."""

    STRATEGIC_CONFLICT = "STRATEGIC_CONFLICT"
    """A volume is involved: closed, touching is meeting."""
    PREDICTED_LOSS = "PREDICTED_LOSS"
    """Two trajectories: under both minima for longer than a microsecond."""
    INCOMPARABLE = "INCOMPARABLE"
    """Near in place and time; the altitudes cannot be compared, so it is not clear."""


class Verdict(StrEnum):
    """How certain it is. What is clear is not a finding."""

    CONFLICT = "CONFLICT"
    """The geodesic truth at the witness shows it."""
    WITHIN_TOLERANCE = "WITHIN_TOLERANCE"
    """Only with the bounds on the approximations; neither shown nor excluded."""
    INCOMPARABLE = "INCOMPARABLE"
    """The terms name no conversion between the altitude references."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Two extents that come too close in one stretch of time.

    ``start_ms`` and ``end_ms`` are rounded outward to whole milliseconds and hold every instant of
    the conflict. The witness is the closest approach within it: positions are points of the ground
    (for a volume, its nearest point; both are the same where one is inside the other), distance is
    geodesic, 0 when inside. ``cpa_vertical_tmm`` is second minus first, 0 where bands hold one
    another, None where references do not compare. ``minima`` are the terms'; ``margin_m`` is the
    containment and the bound of the approximation that were added to it, ``margin_vertical_tmm``
    containment and conversion slack, of which ``margin_reference_tmm`` is the slack: the room that
    the terms leave between the two altitude references.
    """

    kind: FindingKind
    verdict: Verdict
    first: str
    second: str
    start_ms: int
    end_ms: int
    cpa_time_ms: int
    cpa_distance_m: float
    cpa_vertical_tmm: int | None
    position_first: Position
    position_second: Position
    minima: Minima
    margin_m: float
    margin_vertical_tmm: int
    margin_reference_tmm: int = 0
