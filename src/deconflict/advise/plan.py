"""Changes that free all of one's own declarations together, and the screen that shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from deconflict.advise.certificate import found_together
from deconflict.advise.change import Change, changed
from deconflict.advise.limits import ChangeKind, SearchLimits
from deconflict.advise.packing import sky_of
from deconflict.advise.search import Room, cost, room_of, smallest, smallest_combined
from deconflict.advise.sky import Sky
from deconflict.errors import InvalidInputError
from deconflict.separation import AltitudeConversions, Extent, Finding, MinimaTable

__all__ = ["Plan", "changes_of", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes of some declarations that together leave as few conflicts as were found possible.

    ``changes`` names what is changed; the rest of the movable stays as planned. ``not_freed`` are
    those that still conflict. ``extents`` are all movable as they would be declared then, and
    ``remaining`` is what one screen of everything finds of them: none exactly when all are freed.
    """

    changes: Mapping[str, Change]
    not_freed: tuple[str, ...]
    extents: tuple[Extent, ...]
    remaining: tuple[Finding, ...]


def plan(
    movable: Sequence[Extent],
    *,
    others: Sequence[Extent],
    minima: MinimaTable,
    conversions: AltitudeConversions,
    limits: SearchLimits | None = None,
    order: Sequence[ChangeKind] = tuple(ChangeKind),
) -> Plan:
    """Return a plan that takes the movable declarations out of conflict, with its certificate.

    Of two that conflict the later in ``movable`` is changed; the earlier only where nothing frees
    the later. One that conflicts with something fixed is changed itself. Each gets the smallest
    change of the first kind in ``order`` that has one, else of two kinds together. In rounds: what
    is changed in one is screened against everything as it stands, and with each other; no round
    makes a conflict, so the number of conflicts only falls.

    Args:
        movable: what may be changed, the most important first.
        others: what stays.
        minima, conversions, limits: as :func:`advise` takes them.
        order: which kinds of change to try, in this order.

    Raises:
        InvalidGeometryError: an extent that the kernel refuses, named by its key.
        InvalidInputError: two extents have one key.
    """
    limits = SearchLimits() if limits is None else limits
    sky, epoch_ms = sky_of(movable, others, minima=minima, conversions=conversions)
    changes = changes_of(sky, limits, order, epoch_ms)
    extents = list(movable)
    for k, change in tuple(changes.items()):
        try:
            extents[k] = replace(movable[k], geometry=changed(movable[k].geometry, change))
        except InvalidInputError:  # too many waypoints: it stays as planned, and is named below
            del changes[k]
    remaining = found_together(sky, extents, others, minima, conversions)
    still = {key for finding in remaining for key in (finding.first, finding.second)}
    return Plan(
        changes={movable[k].key: change for k, change in sorted(changes.items())},
        not_freed=tuple(e.key for e in movable if e.key in still),
        extents=tuple(extents),
        remaining=remaining,
    )


def changes_of(
    sky: Sky, limits: SearchLimits, order: Sequence[ChangeKind], epoch_ms: int
) -> dict[int, Change]:
    """Return the changes of a plan, by object; the lower its number, the more important it is."""
    changes: dict[int, Change] = {}
    rooms: dict[int, Room] = {}
    stuck: set[int] = set()
    freed_since = False
    now = sky
    while pairs := now.conflicts():
        wanted = _to_change(pairs, now.movable, stuck | changes.keys())
        if not wanted:
            if not freed_since:
                break
            # What could not be freed may find room where others have moved.
            stuck.clear()
            freed_since = False
            continue
        for index in wanted:
            if index not in rooms:
                rooms[index] = room_of(sky, index, limits, epoch_ms)
        found = _smallest_each(now, wanted, rooms, limits, order)
        accepted = _together(now, found)
        stuck.update(index for index in wanted if index not in found)
        if accepted:
            freed_since = True
            changes |= accepted
            now = sky.standing(changes)
    return changes


def _to_change(pairs: Sequence[tuple[int, int]], movable: int, without: set[int]) -> list[int]:
    """Return one object of each pair that may still be changed: the less important one first."""
    wanted = set()
    for first, second in pairs:
        able = [k for k in (first, second) if k < movable and k not in without]
        if able:
            wanted.add(max(able))
    return sorted(wanted)


def _smallest_each(
    sky: Sky,
    objects: Sequence[int],
    rooms: dict[int, Room],
    limits: SearchLimits,
    order: Sequence[ChangeKind],
) -> dict[int, Change]:
    found: dict[int, Change] = {}
    for kind in order:
        rest = [index for index in objects if index not in found]
        for index, some in smallest(sky, rest, rooms, limits, (kind,)).items():
            if some:
                found[index] = min(some, key=lambda change: cost(change, limits))
    rest = [index for index in objects if index not in found and not rooms[index].none]
    for index, some in smallest_combined(sky, rest, rooms, limits).items():
        if some:
            found[index] = min(some, key=lambda change: cost(change, limits))
    return dict(sorted(found.items()))


def _together(sky: Sky, found: dict[int, Change]) -> dict[int, Change]:
    """Return those changes that do not bring the changed into conflict with each other."""
    candidates = list(found.items())
    dropped: set[int] = set()
    for first, second in sky.meet_among(candidates):
        if first not in dropped:
            dropped.add(second)
    return {
        index: change for place, (index, change) in enumerate(candidates) if place not in dropped
    }
