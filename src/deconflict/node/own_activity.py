"""What our own side really does, kept at home: held against what was declared, never sent.

An activity is known to this node alone. It is held against our own notices (was this place told?)
and against what the peers declared (are their people, or a protected site, there?). R12, R20.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.geodesy import inverse
from deconflict.airspace.instant import TimeSpan
from deconflict.airspace.outline import Circle
from deconflict.airspace.position import Position
from deconflict.airspace.volume import Volume
from deconflict.messages.declaration import Purpose
from deconflict.messages.summary import summarise
from deconflict.node.picture import Declared
from deconflict.separation import (
    AltitudeConversions,
    Extent,
    Finding,
    Minima,
    MinimaTable,
    check,
)

__all__ = ["Activity", "Mismatch", "WordsOnly", "met_by", "mismatch"]

# A point of work is a metre wide: no outline is smaller, and nothing is added to it.
_POINT_MM: Final = 1_000
_TOUCHING: Final = MinimaTable(Minima(0.0, 0))
_NOTICES: Final = frozenset((Purpose.ACTIVITY, Purpose.HAZARD))


@dataclass(frozen=True, slots=True)
class Activity:
    """Something our side does at a place for a time.

    Attributes:
        activity_id: our own name for it; it never leaves this node.
        position: its centre.
        span: when.
        reach_mm: how far it reaches from there; None for the point alone.
    """

    activity_id: str
    position: Position
    span: TimeSpan
    reach_mm: int | None = None

    @property
    def extent(self) -> Extent:
        """What the separation check sees of it: its circle at every altitude."""
        volume = Volume(
            Circle(self.position, self.reach_mm or _POINT_MM),
            AltitudeBand(AltitudeReference.AMSL, None, None),
            self.span,
        )
        return Extent(f"activity/{self.activity_id}", "own", Purpose.ACTIVITY, (volume,))


@dataclass(frozen=True, slots=True)
class WordsOnly:
    """A notice of ours that was given in words, without geometry: it covers nothing."""

    notice_id: str
    purpose: Purpose
    told_ms: int
    stated_start_ms: int | None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An activity that no notice of ours covers.

    Attributes:
        nearest: the nearest notice with a place; None when there is none.
        distance_m: from the activity's centre to that of the nearest notice.
    """

    nearest: Declared | None
    distance_m: float | None


def mismatch(activity: Activity, declared: Iterable[Declared]) -> Mismatch | None:
    """Return how an activity differs from our notices; None exactly when one of them covers it.

    A notice covers an activity whose centre lies in it, in place and in time. One that is exercise
    covers nothing: what is really done is none.
    """
    notices = [d for d in declared if d.own and not d.drill and d.declaration.purpose in _NOTICES]
    centre = Activity(activity.activity_id, activity.position, activity.span)
    covering = {finding.second for finding in _meetings(centre, notices)}
    if covering:
        return None
    nearest = min(notices, key=lambda notice: _apart_m(activity.position, notice), default=None)
    return Mismatch(nearest, None if nearest is None else _apart_m(activity.position, nearest))


def met_by(
    activity: Activity, declared: Iterable[Declared], purpose: Purpose
) -> tuple[tuple[Declared, float], ...]:
    """Return the peers' declarations of one purpose that an activity reaches into, with distances.

    The distance is from the activity's centre to that of the declaration, metres.
    """
    theirs = [d for d in declared if not d.own and d.declaration.purpose is purpose]
    by_key = {item.key: item for item in theirs}
    met = dict.fromkeys(finding.second for finding in _meetings(activity, theirs))
    return tuple((by_key[key], _apart_m(activity.position, by_key[key])) for key in met)


def _meetings(activity: Activity, declared: Sequence[Declared]) -> tuple[Finding, ...]:
    return check(
        [activity.extent],
        others=[item.extent for item in declared],
        minima=_TOUCHING,
        conversions=AltitudeConversions(),
    )


def _apart_m(position: Position, declared: Declared) -> float:
    return inverse(position, summarise(declared.declaration.geometry).position).distance_m
