"""A running node whose planner asks what change of the own plan would end a conflict."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import LineStateError, NotFoundError
from deconflict.messages.terms import terms_to_wire
from deconflict.node.actor import Action, Actor, require
from deconflict.node.agreed_sky import purpose_on
from deconflict.node.beside import NotSaidError, said_by
from deconflict.node.declared import Declared
from deconflict.node.picture import Conflict
from deconflict.node.reading import Reading
from deconflict.node.ways_out import process
from deconflict.node.ways_out.task import Found, Option, Plain, Task

__all__ = ["Advising", "WayOut", "WaysOut"]

_LONGEST_S: Final = 60.0
_MOST_OTHERS: Final = 5_000  # declarations near in time; the search is for one plan among them
_AROUND_MS: Final = 2 * 3_600_000  # a shift is half an hour at most, windows some minutes


@dataclass(frozen=True, slots=True)
class WayOut:
    """One change that ends every conflict of the plan, each measure signed: later, up, right."""

    shift_s: float
    level_m: float
    offset_m: float
    start_utc: str
    end_utc: str
    nearest_party: str | None  # None: nothing comes within three times the minima then
    nearest_lateral_m: float | None
    nearest_vertical_m: float | None
    minimum_lateral_m: float | None
    minimum_vertical_m: float | None


@dataclass(frozen=True, slots=True)
class WaysOut:
    """What change of the own plan would end a conflict. It was sent to nobody.

    ``options`` empty: none within half an hour, 4,000 ft and 20 NM each way; or it is under way.
    ``problem`` says why nothing was looked for, empty where it was.
    """

    conflict_id: str
    declaration_id: str
    under_way: bool
    options: tuple[WayOut, ...]
    looked_at: int
    not_compared: int
    problem: str = ""


class Advising(Reading):
    """A running node that tells its own planners what would end a conflict."""

    _searching: asyncio.Lock | None = None

    async def ways_out(self, actor: Actor, conflict_id: str) -> WaysOut:
        """Return the smallest changes of the own declaration that end all its conflicts.

        Raises:
            NotFoundError: there is no such conflict.
            LineStateError: another search is under way.
        """
        require(actor, Action.CHECK)
        conflict = self._conflict(conflict_id)
        task = self._task(conflict)
        if self._searching is None:
            self._searching = asyncio.Lock()
        if self._searching.locked():
            raise LineStateError("another search is under way", remedy="ask again in a moment")
        async with self._searching:
            found = await _searched(task)
        return WaysOut(
            conflict_id=conflict_id,
            declaration_id=conflict.own.declaration_id,
            under_way=found.under_way,
            options=tuple(_shown(option) for option in found.options),
            looked_at=len(task.others),
            not_compared=len(found.refused),
            problem=found.failed,
        )

    def _conflict(self, conflict_id: str) -> Conflict:
        for line in self._core.lines.values():
            for conflict in line.book.picture.conflicts():
                if conflict.conflict_id == conflict_id:
                    return conflict
        raise NotFoundError("no such conflict stands now", given=ascii(conflict_id[:40]))

    def _task(self, conflict: Conflict) -> Task:
        own = conflict.own
        terms: dict[str, Any] = {}
        others: dict[str, Plain] = {}
        for line in self._core.lines.values():
            if line.book.terms is None:
                continue
            terms[line.line_id] = terms_to_wire(line.book.terms)
            for each in line.book.picture:
                if each.key == own.key or not _is_near(own, each):
                    continue
                purpose = each.declaration.purpose.value
                named = purpose if each.own else purpose_on(line.line_id, purpose)
                others.setdefault(each.key, Plain.of(each, named))
        if len(others) > _MOST_OTHERS:
            raise LineStateError(
                "more is declared around this plan than is searched here",
                given=f"{len(others):,} declarations",
                expected=f"at most {_MOST_OTHERS:,}",
                remedy="deconflict advise --conflict ID, which takes the time it needs",
            )
        mine = Plain.of(own, own.declaration.purpose.value)
        return Task(mine, list(others.values()), terms, self._now.utc_ms)


async def _searched(task: Task) -> Found:
    found = Found(failed="the search ended before it was done")
    try:
        lines = said_by(process, msgspec.json.encode(task), silent_s=_LONGEST_S)
        async with aclosing(lines):
            async for line in lines:
                found = msgspec.json.decode(line, type=Found)
    except NotSaidError as error:
        return Found(failed=str(error))
    except msgspec.DecodeError:
        return Found(failed="the search says what nobody can read")
    return found


def _is_near(own: Declared, other: Declared) -> bool:
    return own.start_ms - _AROUND_MS <= other.end_ms and other.start_ms <= own.end_ms + _AROUND_MS


def _shown(option: Option) -> WayOut:
    near = option.nearest
    return WayOut(
        shift_s=option.shift_ms / 1000,
        level_m=option.level_m,
        offset_m=option.offset_m,
        start_utc=format_utc(option.start_ms),
        end_utc=format_utc(option.end_ms),
        nearest_party=None if near is None else near.party,
        nearest_lateral_m=None if near is None else near.lateral_m,
        nearest_vertical_m=None if near is None else near.vertical_m,
        minimum_lateral_m=None if near is None else near.minimum_lateral_m,
        minimum_vertical_m=None if near is None else near.minimum_vertical_m,
    )
