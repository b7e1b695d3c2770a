"""How much a line may hold in parts, and how long: for checks that run, and then for an arbiter.

While a run of an accepted check lasts, in which this node itself said HELLO, its line may take what
both sides can need for it. Once a run is over, the parts that its steps name stay until the
retention of its terms has passed after its period: a list beside them says until when, because the
fold names the steps of the latest runs alone. What no step names goes soon after.

Lists for us as a mediator are taken as they were announced, with the consent of our people alone,
and stay until they are answered.
"""

import asyncio
import logging
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec

from deconflict.errors import DeconflictError
from deconflict.line.moment import Now
from deconflict.messages.private_bodies import MAX_INLINE_BYTES, MAX_PART_BYTES
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.node.files import write_atomically
from deconflict.node.part_door import NOTHING, Allowed, PartDoor
from deconflict.node.private.checks import Check, PrivateChecks
from deconflict.node.private.run import Run
from deconflict.node.private.submissions import SubmissionSaid
from deconflict.sealed.site_sides import SiteStepKind, step_length
from deconflict.sealed.steps import CHUNKS, StepKind, length_of

__all__ = ["PartKeeping"]

logger = logging.getLogger("deconflict.node")

_DAY_MS: Final = 86_400_000
_LONGEST_MS: Final = 366 * _DAY_MS
_TIDIES_MS: Final = 3_600_000
_LOOK_S: Final = 5.0
_SIDES: Final = 2
# What no step names yet may be named in a moment, and the clock may be set back meanwhile.
_SETTLES_MS: Final = 600_000


class _List(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when each part of runs that are over is kept, UTC ms."""

    until_ms: dict[str, int]


class _Clock(Protocol):
    def now(self) -> Now: ...


class PartKeeping:
    """Keeps the parts of every line in bounds.

    Args:
        folder: of the parts of all lines; the lists lie there too.
        checks: those of each line by its id.
        door: takes parts.
        clock: both clocks; retention is told by UTC.
        mediates: returns of a line and its peer how many bytes of lists it may have us compare.
    """

    def __init__(
        self,
        folder: Path,
        checks: Callable[[], Mapping[str, PrivateChecks]],
        door: PartDoor,
        clock: _Clock,
        mediates: Callable[[str], int] = lambda _: 0,
    ) -> None:
        self._folder = folder
        self._checks = checks
        self._door = door
        self._clock = clock
        self._mediates = mediates
        self._until: dict[str, dict[str, int]] = {}  # by line, as its list says; replaced whole
        self._tidied: dict[str, tuple[set[tuple[str, int]] | None, int]] = {}

    async def run(self) -> None:
        """Look every few seconds what may go, until the node stops."""
        while True:
            for line_id, checks in self._checks().items():
                try:
                    await self._tidy_when_due(line_id, checks)
                except (DeconflictError, OSError) as error:
                    # Too much is kept then, and in bounds: nothing that a node stops for.
                    logger.warning("parts of private checks are not tidied: %s", error)
            await asyncio.sleep(_LOOK_S)

    def allowed(self, line_id: str) -> Allowed:
        """Return how much a line may take now; nothing while no run needs any."""
        checks = self._checks().get(line_id)
        if checks is None:
            return NOTHING
        parts = size = 0
        since_ms: list[int] = []
        for check, run, begun_ms in _running(checks):
            document = checks.document_of(check)
            start_ms = checks.start_ms(check, run.number)
            if document is not None and start_ms is not None:
                parts += _SIDES * _parts_of_run(document, check, start_ms)
                size += _SIDES * _bytes_of_run(document, check, start_ms)
                since_ms.append(begun_ms)
        runs = bool(since_ms)
        announced = self._announced(line_id, checks)
        for said in announced:
            parts += len(said.body.parts)
            size += said.body.size
            since_ms.append(said.logged_ms)
        if not since_ms:
            return NOTHING
        over = ChainMap(self._until.get(line_id, {}), _until(checks))
        only = None if runs else frozenset(_lists(announced))
        return Allowed(parts, size, min(since_ms), over, only)

    def _announced(self, line_id: str, checks: PrivateChecks) -> tuple[SubmissionSaid, ...]:
        """Return the submissions to us that wait, as far as our people consented to as much."""
        waiting = tuple(checks.submissions.waiting())
        left = self._mediates(line_id) if waiting else 0
        found = []
        for said in waiting:
            left -= said.body.size
            if left < 0:
                break
            found.append(said)
        return tuple(found)

    async def let_go(self, line_id: str, names: Iterable[str]) -> None:
        """Erase parts of a line at once, but for those that a run there names as well.

        Raises:
            NoRoomError, ConfigurationError: the disk refuses it.
        """
        checks = self._checks()[line_id]
        keep = _named(checks) | _until(checks).keys()
        await asyncio.to_thread(self._let_go, line_id, tuple(names), keep)

    def _let_go(self, line_id: str, names: tuple[str, ...], keep: set[str]) -> None:
        parts = self._door.of(line_id)
        if parts.exist:
            until = self._read_list(line_id, self._clock.now().utc_ms)
            parts.erase([name for name in names if name not in keep and name not in until])

    async def _tidy_when_due(self, line_id: str, checks: PrivateChecks) -> None:
        # A year of checks is a hundred thousand files: they are looked at when a run begins or
        # ends, and else each hour.
        begun = {(run.proposal, run.number) for _, run, _ in _running(checks)}
        now_ms = self._clock.now().monotonic_ms
        before, next_ms = self._tidied.get(line_id, (None, 0))
        if begun != before or now_ms >= next_ms:
            await self.tidy(line_id, checks)
            self._tidied[line_id] = (begun, now_ms + _TIDIES_MS)

    async def tidy(self, line_id: str, checks: PrivateChecks) -> None:
        """Note how long parts stay, and erase what may go.

        Raises:
            NoRoomError, ConfigurationError, OSError: the disk refuses it.
        """
        over, named = _until(checks), _named(checks)
        now_ms = self._clock.now().utc_ms
        begun_ms = min((begun for *_, begun in _running(checks)), default=now_ms)
        await asyncio.to_thread(
            self._tidy, line_id, over, named, now_ms, min(begun_ms, now_ms) - _SETTLES_MS
        )

    def _tidy(
        self, line_id: str, over: dict[str, int], named: set[str], now_ms: int, settled_ms: int
    ) -> None:
        parts = self._door.of(line_id)
        if not parts.exist and not self._list_path(line_id).exists():
            return
        before = self._read_list(line_id, now_ms)
        until = dict(before)
        for name, until_ms in over.items():
            if until_ms > until.get(name, 0) and parts.has(name):
                until[name] = until_ms
        gone = [name for name, until_ms in until.items() if until_ms < now_ms]
        # What is to stay is listed before anything goes: a crash between the two loses nothing.
        until = {name: until_ms for name, until_ms in until.items() if until_ms >= now_ms}
        if until != before:
            data = msgspec.json.encode(_List(until), order="sorted")
            write_atomically(self._list_path(line_id), data, mode=0o600)
        self._until[line_id] = until
        parts.erase(gone)
        parts.sweep(until.keys() | named, before_ms=settled_ms)

    def _read_list(self, line_id: str, now_ms: int) -> dict[str, int]:
        if line_id in self._until:
            return self._until[line_id]
        try:
            return msgspec.json.decode(self._list_path(line_id).read_bytes(), type=_List).until_ms
        except FileNotFoundError:
            return {}
        except msgspec.MsgspecError as error:
            # Which of them an arbiter may want nobody knows now: all stay as long as may be agreed.
            logger.warning("how long parts of private checks stay is not known: %s", error)
            return dict.fromkeys(self._door.of(line_id).names(), now_ms + _LONGEST_MS)

    def _list_path(self, line_id: str) -> Path:
        return self._folder / f"{line_id}.json"


def _running(checks: PrivateChecks) -> Iterator[tuple[Check, Run, int]]:
    """Yield the runs that this node itself has begun, and when.

    The other side's word is not enough: it would be granted room for all runs to come.
    """
    for check, run in checks.underway():
        times = [said.logged_ms for said in run.own.steps]
        if run.own.hello is not None and times:
            yield check, run, min(times)


def _parts_of_run(document: PrivateCheckTerms, check: Check, start_ms: int) -> int:
    """Return in how many parts what one side says in a run travels."""
    if check.body.mediated is not None:
        return 0  # nothing large is said to the peer
    if check.body.sites is not None:
        return sum(
            -(-length // MAX_PART_BYTES) for length in _site_steps(document, check, start_ms)
        )
    shape = document.shape(start_ms, check.body.refines)
    slots = document.asked_slots(check.body.refines)
    parts = 0
    for kind in StepKind:
        length = length_of(kind, shape, slots)
        if length is not None and length > MAX_INLINE_BYTES:
            parts += -(-length // MAX_PART_BYTES) * (CHUNKS if kind is StepKind.CHUNK else 1)
    return parts


def _bytes_of_run(document: PrivateCheckTerms, check: Check, start_ms: int) -> int:
    """Return how many bytes one side says in a run, but for its HELLO."""
    if check.body.mediated is not None:
        return 0
    if check.body.sites is not None:
        return sum(_site_steps(document, check, start_ms))
    return document.bytes_of_run(check.body.refines)


def _site_steps(document: PrivateCheckTerms, check: Check, start_ms: int) -> Iterator[int]:
    """Yield how long each step of a check of sites is, of both sides, but for the HELLOs."""
    if check.body.sites is not None:
        shape = document.site_shape(start_ms, check.body.sites)
        lengths = (step_length(kind, shape) for kind in SiteStepKind)
        yield from (length for length in lengths if length is not None)


def _until(checks: PrivateChecks) -> dict[str, int]:
    """Return until when the parts of runs that are over stay, as far as the fold names them."""
    found: dict[str, int] = {}
    for check, run in _runs(checks):
        document = checks.document_of(check)
        start_ms = checks.start_ms(check, run.number)
        if document is None or start_ms is None or not checks.is_over(check, run.number):
            continue
        until_ms = document.end_ms(start_ms) + document.retention_days * _DAY_MS
        for name in _names(run):
            found[name] = max(until_ms, found.get(name, 0))
    return found


def _named(checks: PrivateChecks) -> set[str]:
    """Return the parts that the steps of runs name which last, and lists that wait."""
    return set(_lists(checks.submissions.waiting())) | {
        name
        for check, run in _runs(checks)
        if not checks.is_over(check, run.number)
        for name in _names(run)
    }


def _lists(submissions: Iterable[SubmissionSaid]) -> Iterator[str]:
    return (name for said in submissions for name in said.body.parts)


def _runs(checks: PrivateChecks) -> Iterator[tuple[Check, Run]]:
    return ((check, run) for check in checks for run in checks.runs(check.proposal))


def _names(run: Run) -> Iterator[str]:
    return (name for side in (run.own, run.peer) for said in side.steps for name in said.parts)
