"""What is remarkable in a declaration besides conflicts: notice, places, speeds, third parties.

All of it is told, and but for one thing nothing of it stops a message: short notice is sent anyway,
flagged (R13). Latitude and longitude exchanged throughout are refused at entry, unless meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from deconflict.airspace.geodesy import farthest_mm, inverse
from deconflict.airspace.notation import echo
from deconflict.airspace.outline import Polygon
from deconflict.airspace.plausible import FASTEST_MPS, STEEPEST_TMM_PER_S
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Trajectory, Waypoint
from deconflict.errors import InvalidPositionError
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.summary import stated_points, summarise
from deconflict.messages.terms import Terms
from deconflict.messages.theatre import contains

__all__ = [
    "ImplausibleLeg",
    "LeadTimeShortfall",
    "OutsideTheatre",
    "first_outside",
    "implausible_leg",
    "is_surely_plausible",
    "lead_time_shortfall",
    "notice_shortfall",
    "outside_theatre",
    "require_not_exchanged",
    "third_parties_concerned",
]

_STEEPEST_TMM_PER_MS: Final = STEEPEST_TMM_PER_S // 1_000


@dataclass(frozen=True, slots=True)
class ImplausibleLeg:
    """A leg that no aircraft flies: a place, a time or a unit may be wrong.

    Attributes:
        start: where and when it begins.
        length_m: over the ground, geodesic on WGS84.
        height_tmm: climbed or descended.
        duration_ms: from its first to its last instant.
        too_steep: whether the climb alone is implausible, and not the ground speed.
    """

    start: Waypoint
    length_m: float
    height_tmm: int
    duration_ms: int
    too_steep: bool


@dataclass(frozen=True, slots=True)
class LeadTimeShortfall:
    """Notice that is shorter than the terms say.

    Attributes:
        start_ms: when the declaration starts.
        notice_ms: how long before that it was sent; negative when it had started already.
        least_ms: what the terms say.
    """

    start_ms: int
    notice_ms: int
    least_ms: int


@dataclass(frozen=True, slots=True)
class OutsideTheatre:
    """A stated place outside the agreed theatre.

    ``swapped`` is where it would be with latitude and longitude exchanged, if that is inside.
    """

    position: Position
    swapped: Position | None


def lead_time_shortfall(
    declaration: Declaration, sent_ms: int, terms: Terms
) -> LeadTimeShortfall | None:
    """Return how short the notice is; None exactly when it is at least what the terms say."""
    return notice_shortfall(declaration.purpose, declaration.span.start_ms, sent_ms, terms)


def notice_shortfall(
    purpose: Purpose, start_ms: int, sent_ms: int, terms: Terms
) -> LeadTimeShortfall | None:
    """Return the same where only a start was told, without a geometry."""
    least_ms = terms.lead_times[purpose].least_ms
    notice_ms = start_ms - sent_ms
    if notice_ms >= least_ms:
        return None
    return LeadTimeShortfall(start_ms, notice_ms, least_ms)


def implausible_leg(declaration: Declaration) -> ImplausibleLeg | None:
    """Return the leg that is farthest from what any aircraft flies; None when all are plausible.

    Over 1,000 m/s over the ground, or else over 400 m/s up or down. It is flagged, never repaired
    and never refused (R24). Volumes have no legs.
    """
    if not isinstance(declaration.geometry, Trajectory):
        return None
    if is_surely_plausible(declaration.geometry):
        return None
    legs = [
        ImplausibleLeg(
            start,
            inverse(start.position, end.position).distance_m,
            abs(end.altitude_tmm - start.altitude_tmm),
            end.at_ms - start.at_ms,
            too_steep=False,
        )
        for start, end in pairwise(declaration.geometry.waypoints)
    ]
    fastest = max(legs, key=lambda leg: leg.length_m / leg.duration_ms)
    if fastest.length_m * 1_000 > FASTEST_MPS * fastest.duration_ms:
        return fastest
    steepest = max(legs, key=lambda leg: leg.height_tmm / leg.duration_ms)
    if steepest.height_tmm > _STEEPEST_TMM_PER_MS * steepest.duration_ms:
        return replace(steepest, too_steep=True)
    return None


def is_surely_plausible(flight: Trajectory) -> bool:
    """True when a quick look finds every leg slow and level enough; False says nothing.

    It reckons each leg longer than it is, by a third on a usual one.
    """
    return all(
        farthest_mm(start.position, end.position) <= FASTEST_MPS * (end.at_ms - start.at_ms)
        and abs(end.altitude_tmm - start.altitude_tmm)
        <= _STEEPEST_TMM_PER_MS * (end.at_ms - start.at_ms)
        for start, end in pairwise(flight.waypoints)
    )


def outside_theatre(declaration: Declaration, terms: Terms) -> OutsideTheatre | None:
    """Return the first stated place outside the theatre; None when all are inside.

    Terms without an outline have no outside.
    """
    return first_outside((place for place, _ in stated_points(declaration.geometry)), terms)


def first_outside(places: Iterable[Position], terms: Terms) -> OutsideTheatre | None:
    """Return the same of places alone, of which nobody has said yet what is declared there."""
    outline = _outline(terms)
    if outline is None:
        return None
    for position in places:
        if not contains(outline, position):
            return OutsideTheatre(position, _swapped_inside(position, outline))
    return None


def require_not_exchanged(declaration: Declaration, terms: Terms) -> None:
    """Return unless every stated place is outside the theatre and, exchanged, would be inside.

    One such place may be a stray corner, which :func:`outside_theatre` tells of. All of them are a
    file written the wrong way round, and nobody would be warned at the place that was meant.

    Raises:
        InvalidPositionError: latitude and longitude are exchanged throughout.
    """
    outline = _outline(terms)
    if outline is None:
        return
    places = [position for position, _ in stated_points(declaration.geometry)]
    for position in places:
        if contains(outline, position) or _swapped_inside(position, outline) is None:
            return
    first = places[0]
    exchanged = Position(first.lon_e7, first.lat_e7)
    raise InvalidPositionError(
        "latitude and longitude look exchanged",
        given=f"{echo(first).decimal}, outside {terms.theatre.name}",
        expected=f"latitude first; exchanged it is {echo(exchanged).decimal}, inside",
        remedy="exchange them (GeoJSON writes longitude first); where the place is meant as "
        "written, say so: --as-written, or as_written: true",
    )


def third_parties_concerned(declaration: Declaration, terms: Terms) -> tuple[str, ...]:
    """Return the third parties without a line that the declaration may concern (R26).

    Two circles decide, one round the declaration and one round the third party's place, so a name
    may be one too many and is never one too few. A third party without a place is always named.
    """
    if not terms.third_parties:
        return ()
    summary = summarise(declaration.geometry)
    named: list[str] = []
    for third in terms.third_parties:
        if third.where is None:
            named.append(third.name)
            continue
        ring = Polygon(tuple(place.position for place in third.where)).vertices
        ring_m = max(inverse(ring[0], vertex).distance_m for vertex in ring)
        if inverse(summary.position, ring[0]).distance_m <= ring_m + summary.reach_mm / 1000:
            named.append(third.name)
    return tuple(named)


def _outline(terms: Terms) -> tuple[Position, ...] | None:
    outline = terms.theatre.outline
    return None if outline is None else tuple(place.position for place in outline)


def _swapped_inside(position: Position, outline: tuple[Position, ...]) -> Position | None:
    try:
        swapped = Position(position.lon_e7, position.lat_e7)
    except InvalidPositionError:
        return None
    return swapped if contains(outline, swapped) else None
