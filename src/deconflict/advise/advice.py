"""What would take a flight out of conflict, for its own planner alone."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from deconflict.advise.certificate import found_alone
from deconflict.advise.change import Change, changed
from deconflict.advise.limits import ChangeKind, SearchLimits
from deconflict.advise.packing import sky_of
from deconflict.advise.search import Room, cost, room_of, smallest, smallest_combined
from deconflict.advise.sky import Sky
from deconflict.airspace.geometry import Geometry
from deconflict.errors import InvalidInputError
from deconflict.separation import AltitudeConversions, Extent, MinimaTable

__all__ = ["Advice", "Option", "advise", "in_conflict", "options_of"]


@dataclass(frozen=True, slots=True)
class Option:
    """A change that ends every conflict of a declaration, and the declaration with it."""

    change: Change
    geometry: Geometry


@dataclass(frozen=True, slots=True)
class Advice:
    """What would end the conflicts of one declaration.

    ``conflicts`` names by their keys what it conflicts with as planned. ``options`` are smallest in
    their kind and direction: shifts, levels, offsets, and two kinds together only where no single
    one does. None is within the limits where there are none; ``under_way`` says that it began
    already, and then nothing is looked for.
    """

    key: str
    conflicts: tuple[str, ...]
    options: tuple[Option, ...]
    under_way: bool = False


def advise(
    movable: Sequence[Extent],
    *,
    others: Sequence[Extent],
    minima: MinimaTable,
    conversions: AltitudeConversions,
    limits: SearchLimits | None = None,
) -> tuple[Advice, ...]:
    """Return advice for each declaration that conflicts with anything as planned, in order.

    Each is changed alone while all else stays as planned. Every option was built as it would be
    declared and screened against everything; only what passed is here. ETA windows and containment
    are the declaration's own and stay.

    A pair of one party that conflicts as planned is let be, and no option makes another such pair.

    Args:
        movable: what may be changed.
        others: what stays.
        minima: by pair of purposes.
        conversions: which altitude references compare; what does not compare is never free.
        limits: how far to look; None looks 30 min, 4,000 ft and 20 NM each way.

    Raises:
        InvalidGeometryError: an extent that the kernel refuses, named by its key.
        InvalidInputError: two extents have one key.

    Source: ``docs/reference/advice.md``.
    """
    limits = SearchLimits() if limits is None else limits
    sky, epoch_ms = sky_of(movable, others, minima=minima, conversions=conversions)
    every = [*movable, *others]
    conflicts = in_conflict(sky)
    rooms = {index: room_of(sky, index, limits, epoch_ms) for index in conflicts}
    options = options_of(sky, list(conflicts), rooms, limits)
    built = {index: _built(every[index], options[index], limits) for index in conflicts}
    refused = {
        finding.first
        for finding in found_alone(
            sky,
            [
                replace(every[index], geometry=option.geometry)
                for index, some in built.items()
                for option in some
            ],
            every,
            minima,
            conversions,
        )
    }
    return tuple(
        Advice(
            key=every[index].key,
            conflicts=tuple(every[other].key for other in met),
            options=() if every[index].key in refused else tuple(built[index]),
            under_way=rooms[index].under_way,
        )
        for index, met in conflicts.items()
    )


def in_conflict(sky: Sky) -> dict[int, list[int]]:
    """Return the movable objects in conflict, in order, each with what it conflicts with."""
    met: dict[int, list[int]] = {}
    for first, second in sky.conflicts():
        for one, other in ((first, second), (second, first)):
            if one < sky.movable:
                met.setdefault(one, []).append(other)
    return dict(sorted(met.items()))


def options_of(
    sky: Sky, objects: Sequence[int], rooms: dict[int, Room], limits: SearchLimits
) -> dict[int, list[Change]]:
    """Return the options of some objects: of one kind, else of two kinds together."""
    found = smallest(sky, objects, rooms, limits, ChangeKind)
    none = [index for index in objects if not found[index] and not rooms[index].none]
    return found | smallest_combined(sky, none, rooms, limits)


def _in_order(change: Change, limits: SearchLimits) -> tuple[list[int], float]:
    """Sort shifts before levels before offsets, and the smaller first."""
    kinds = tuple(ChangeKind)
    return [len(change.kinds), *(kinds.index(kind) for kind in change.kinds)], cost(change, limits)


def _built(extent: Extent, changes: Sequence[Change], limits: SearchLimits) -> list[Option]:
    """Return the options in order; what cannot be declared, as with too many waypoints, is none."""
    options = []
    for change in sorted(changes, key=lambda each: _in_order(each, limits)):
        with suppress(InvalidInputError):
            options.append(Option(change, changed(extent.geometry, change)))
    return options
