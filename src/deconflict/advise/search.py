"""The smallest changes under which an object conflicts with nothing, each one screened.

What is forbidden comes from closed forms with all bounds added; what is not is built as it would be
declared and screened against everything. Only what passes is returned.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from deconflict.advise.change import Change
from deconflict.advise.forbidden import Forbidden
from deconflict.advise.limits import ChangeKind, SearchLimits
from deconflict.advise.sky import Sky
from deconflict.airspace.altitude import MAX_ALTITUDE_TMM
from deconflict.airspace.instant import MAX_UTC_MS

__all__ = ["Room", "cost", "room_of", "smallest", "smallest_combined"]

_ROUNDS: Final = 6  # of candidates that a screen refused: each costs one screen
_COMBINED_OFFSETS: Final = 4  # to a side that are combined with another change
_FIELDS: Final = {
    ChangeKind.SHIFT: "shift_ms",
    ChangeKind.LEVEL: "level_tmm",
    ChangeKind.OFFSET: "offset_mm",
}

Limit = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Room:
    """How far one object can be changed: by kind, downwards and upwards, and the step.

    ``under_way`` says that it began before it could be changed.
    """

    limits: Mapping[ChangeKind, Limit]
    steps: Mapping[ChangeKind, int]
    under_way: bool = False

    @property
    def none(self) -> bool:
        """True exactly when it cannot be changed at all."""
        return not any(down or up for down, up in self.limits.values())

    def values(self, kind: ChangeKind) -> list[int]:
        """Return all values of a kind, without 0."""
        (down, up), step = self.limits[kind], self.steps[kind]
        return [k * step for k in range(-(down // step), up // step + 1) if k]


def room_of(sky: Sky, index: int, limits: SearchLimits, epoch_ms: int) -> Room:
    """Return how far an object can be changed.

    Nothing of what began before ``not_before_ms`` can be changed, and nothing begins earlier than
    that; nor outside of the instants that can be declared, which begin with 1970. Nothing is
    brought below the zero of its altitudes: what ground there is, is not known.
    """
    steps = {
        ChangeKind.SHIFT: limits.shift_step_ms,
        ChangeKind.LEVEL: limits.level_step_tmm,
        ChangeKind.OFFSET: limits.offset_step_mm,
    }
    start_ms = epoch_ms + round(sky.table.start_s(index) * 1000)
    end_ms = epoch_ms + round(sky.table.end_s(index) * 1000)
    early_ms = min(limits.earlier_ms, max(start_ms, 0))
    late_ms = min(limits.later_ms, max(MAX_UTC_MS - end_ms, 0))
    if limits.not_before_ms is not None:
        if start_ms < limits.not_before_ms:
            return Room(dict.fromkeys(ChangeKind, (0, 0)), steps, under_way=True)
        early_ms = min(early_ms, start_ms - limits.not_before_ms)
    level = (0, 0)
    if limits.down_tmm or limits.up_tmm:
        heights = sky.table.heights_tmm(index)
        if heights is not None:
            down = min(limits.down_tmm, max(heights[0], 0))
            level = (down, min(limits.up_tmm, max(MAX_ALTITUDE_TMM - heights[1], 0)))
    has_path = bool((sky.table.path_owner == index).any())
    return Room(
        {
            ChangeKind.SHIFT: (early_ms, late_ms),
            ChangeKind.LEVEL: level,
            ChangeKind.OFFSET: (limits.left_mm, limits.right_mm) if has_path else (0, 0),
        },
        steps,
    )


def cost(change: Change, limits: SearchLimits) -> float:
    """Return how great a change is: the sum of its shares of what was allowed at most."""
    return (
        abs(change.shift_ms) / max(limits.earlier_ms, limits.later_ms, 1)
        + abs(change.level_tmm) / max(limits.down_tmm, limits.up_tmm, 1)
        + abs(change.offset_mm) / max(limits.left_mm, limits.right_mm, 1)
    )


@dataclass(slots=True)
class _Wanted:
    """One direction of one kind of one object, with what it comes on top of."""

    place: int
    index: int
    kind: ChangeKind
    sign: int
    base: Change
    forbidden: Forbidden
    limit: int
    step: int

    def next(self) -> Change | None:
        """Return the smallest change that is not forbidden, or None within the limit."""
        value = self.forbidden.smallest(step=self.step, limit=self.limit, sign=self.sign)
        return None if value is None else _with(self.base, self.kind, value)

    def refuse(self, change: Change) -> None:
        """Forbid what the screen refused."""
        value = getattr(change, _FIELDS[self.kind])
        self.forbidden = Forbidden([*self.forbidden.spans, (value, value)])


def smallest(
    sky: Sky,
    objects: Sequence[int],
    rooms: Mapping[int, Room],
    limits: SearchLimits,
    kinds: Iterable[ChangeKind],
) -> dict[int, list[Change]]:
    """Return the smallest change of each kind, each way, that passes the screen, by object."""
    kinds = tuple(kinds)
    movable = [index for index in objects if not rooms[index].none]
    spans = sky.forbidden(movable, limits, kinds)
    wanted = [
        _wanted(place, index, kind, sign, Change(), by_kind[kind], rooms[index])
        for place, (index, by_kind) in enumerate(zip(movable, spans, strict=True))
        for kind in kinds
        for sign in (1, -1)
    ]
    found: dict[int, list[Change]] = {index: [] for index in objects}
    for one, change in _passing(sky, wanted):
        found[one.index].append(change)
    return found


def smallest_combined(
    sky: Sky, objects: Sequence[int], rooms: Mapping[int, Room], limits: SearchLimits
) -> dict[int, list[Change]]:
    """Return the smallest change of each two kinds together that passes the screen, by object."""
    found: dict[int, list[Change]] = {index: [] for index in objects}
    for first, second in (
        (ChangeKind.LEVEL, ChangeKind.SHIFT),
        (ChangeKind.OFFSET, ChangeKind.SHIFT),
        (ChangeKind.LEVEL, ChangeKind.OFFSET),
    ):
        bases = [
            (index, _with(Change(), first, value))
            for index in objects
            for value in _some(rooms[index].values(first))
        ]
        indices = [index for index, _ in bases]
        spans = sky.forbidden(indices, limits, (second,), changes=[base for _, base in bases])
        wanted = [
            _wanted(index, index, second, sign, base, by_kind[second], rooms[index])
            for (index, base), by_kind in zip(bases, spans, strict=True)
            for sign in (1, -1)
        ]
        best: dict[int, Change] = {}
        for one, change in _passing(sky, _cheapest(wanted, limits)):
            held = best.get(one.index)
            if held is None or cost(change, limits) < cost(held, limits):
                best[one.index] = change
        for index, change in best.items():
            found[index].append(change)
    return found


def _wanted(
    place: int,
    index: int,
    kind: ChangeKind,
    sign: int,
    base: Change,
    forbidden: Forbidden,
    room: Room,
) -> _Wanted:
    limit = room.limits[kind][1 if sign > 0 else 0]
    return _Wanted(place, index, kind, sign, base, forbidden, limit, room.steps[kind])


def _passing(sky: Sky, wanted: Sequence[_Wanted]) -> list[tuple[_Wanted, Change]]:
    """Return what passes, screening again what comes next where a candidate does not."""
    passed: list[tuple[_Wanted, Change]] = []
    open_ones = list(wanted)
    for _ in range(_ROUNDS):
        tried = [(one, change) for one in open_ones if (change := one.next()) is not None]
        if not tried:
            break
        holds = sky.hold([(one.index, change) for one, change in tried])
        open_ones = []
        for (one, change), held in zip(tried, holds, strict=True):
            if held:
                passed.append((one, change))
            else:
                one.refuse(change)
                open_ones.append(one)
    order = {id(one): place for place, one in enumerate(wanted)}
    return sorted(passed, key=lambda each: order[id(each[0])])


def _cheapest(wanted: Sequence[_Wanted], limits: SearchLimits) -> list[_Wanted]:
    """Return, of each object, the few whose next change is smallest: more are not screened."""
    by_index: dict[int, list[tuple[float, int]]] = {}
    for place, one in enumerate(wanted):
        change = one.next()
        if change is not None:
            by_index.setdefault(one.index, []).append((cost(change, limits), place))
    return [wanted[place] for some in by_index.values() for _, place in sorted(some)[:3]]


def _some(values: list[int]) -> list[int]:
    """Return a few of many values to each side, evenly, the nearest to 0 first."""
    down, up = [v for v in values if v < 0], [v for v in values if v > 0]
    return [
        v for side in (down[::-1], up) for v in side[:: max(1, -(-len(side) // _COMBINED_OFFSETS))]
    ]


def _with(change: Change, kind: ChangeKind, value: int) -> Change:
    match kind:
        case ChangeKind.SHIFT:
            return replace(change, shift_ms=value)
        case ChangeKind.LEVEL:
            return replace(change, level_tmm=value)
        case ChangeKind.OFFSET:
            return replace(change, offset_mm=value)
