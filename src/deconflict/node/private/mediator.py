"""This node as a mediator: lists of two peers compared, the answer said to both at once.

It needs the consent of its people for each of the two lines, and takes nothing without. It compares
what it cannot read: **with either peer's key it could**, so what it holds it holds until the answer
is in the record, or the check is over, and never hands on. Lists are in no bundle, no copy of the
record and no view. All that it goes by is in the record: after a crash it goes on from there.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from deconflict.errors import (
    BrokenTurnError,
    CheckRefusedError,
    ConfigurationError,
    InvalidDocumentError,
    LineStateError,
    NoRoomError,
    NotFoundError,
    PartMissingError,
    StoreError,
)
from deconflict.line.moment import Now
from deconflict.messages.kinds import Kind
from deconflict.messages.mediated_bodies import PrivateMediation
from deconflict.messages.private_bodies import PrivateEnd, PrivateEndReason
from deconflict.node.line import Line
from deconflict.node.private.mediator_files import MediatorFiles
from deconflict.node.private.submissions import SubmissionSaid
from deconflict.node.private.tools import Driver
from deconflict.node.saying import Say
from deconflict.sealed.mediation import Mediation, Submitted, mediate

__all__ = ["LetGo", "Mediator"]

logger = logging.getLogger("deconflict.private")

_LOOK_S: Final = 1.0
_SETTLE_S: Final = 0.02
_LONGEST_MS: Final = 86_400_000  # whatever a peer says of when it expires
_WAITING: Final = 4  # submissions of one peer at once
LetGo = Callable[[str, Iterable[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A submission that waits, and on which line."""

    line: Line
    said: SubmissionSaid

    @property
    def is_open(self) -> bool:
        """True exactly when it waits still."""
        now = self.line.book.private_checks.submissions.get(self.said.message)
        return now is not None and not now.is_over


class Mediator:
    """Answers the submissions of every line.

    Args:
        driver: what drives the node.
        files: for whom it may.
        let_go: erases parts of a line that nothing else there names.
    """

    def __init__(self, driver: Driver, files: MediatorFiles, let_go: LetGo) -> None:
        self.files = files
        self._driver = driver
        self._core = driver.core
        self._let_go = let_go
        self._moved = asyncio.Event()
        self._done: set[tuple[str, str]] = set()  # by line and message: their lists are erased
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mediator")

    def move(self) -> None:
        """Have it look: something has become durable."""
        self._moved.set()

    async def run(self) -> None:
        """Run for as long as the node does.

        Raises:
            StoreError, BrokenTurnError: the node has to stop.
        """
        try:
            while True:
                self._moved.clear()
                await self._look_whole()
                try:
                    async with asyncio.timeout(_LOOK_S):
                        await self._moved.wait()
                except TimeoutError:
                    continue
                await asyncio.sleep(_SETTLE_S)  # many commits in a short time are one look
        finally:
            self._worker.shutdown(wait=False, cancel_futures=True)

    async def _look_whole(self) -> None:
        try:
            await self.look()
        except (StoreError, BrokenTurnError):
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, what waits expires)
            # A defect, and not worth a node that stops. Without its words: it works with lists.
            logger.error("mediating broke off: %s", type(error).__name__)  # noqa: TRY400

    async def look(self) -> None:
        """Answer what can be answered, refuse what is not wanted, erase what is over."""
        for asked in tuple(self._waiting()):
            if not asked.is_open:
                continue
            why = self._refused(asked)
            if why is not None:
                await self._end(asked, why)
                continue
            other = self._other(asked)
            if other is not None and self._refused(other) is None:
                await self._answer(asked, other)
        await self._erase()

    # ---- what waits ------------------------------------------------------------------------

    def _waiting(self) -> Iterator[_Asked]:
        for line in self._core.lines.values():
            for said in line.book.private_checks.submissions.waiting():
                yield _Asked(line, said)

    def _refused(self, asked: _Asked) -> PrivateEndReason | None:
        """Return why a submission is not answered; None when it may be."""
        line, said, body = asked.line, asked.said, asked.said.body
        try:
            most = self.files.most_bytes(line.line_id, line.peer)
        except (ConfigurationError, InvalidDocumentError) as error:
            logger.warning("consent to mediate cannot be read: %s", error)
            most = 0
        if not most:
            return PrivateEndReason.NO_CONSENT
        submissions = line.book.private_checks.submissions
        if self._driver.now().utc_ms > min(said.expires_ms, said.logged_ms + _LONGEST_MS):
            return PrivateEndReason.EXPIRED
        before = list(takewhile(lambda each: each.message != said.message, submissions.waiting()))
        if len(before) >= _WAITING or sum(each.body.size for each in (*before, said)) > most:
            return PrivateEndReason.OVER_CAP
        again = any(each.body.session == body.session for each in before)
        if again or submissions.was_answered(body.session):
            return PrivateEndReason.REPLAYED_HELLO
        if body.peer in (self._core.party, line.peer):
            return PrivateEndReason.OTHER_SHAPE
        if self._line_with(body.peer) is None:
            return PrivateEndReason.NO_CONSENT
        return None

    def _line_with(self, peer: str) -> Line | None:
        return next((line for line in self._core.lines.values() if line.peer == peer), None)

    def _other(self, asked: _Asked) -> _Asked | None:
        """Return what the other of the two submitted; None while something of either is awaited."""
        line = self._line_with(asked.said.body.peer)
        if line is None:
            return None
        for said in line.book.private_checks.submissions.waiting():
            body, own = said.body, asked.said.body
            ours = (body.session, body.peer, said.drill)
            if ours == (own.session, asked.line.peer, asked.said.drill):
                other = _Asked(line, said)
                return other if self._is_there(asked) and self._is_there(other) else None
        return None

    def _is_there(self, asked: _Asked) -> bool:
        parts = self._driver.parts.of(asked.line.line_id)
        return all(map(parts.has, asked.said.body.parts))

    # ---- what is said ----------------------------------------------------------------------

    async def _answer(self, one: _Asked, other: _Asked) -> None:
        """Compare, and say what came of it to both in one commit, or why nothing did."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._worker, self._compared, one, other)
        except PartMissingError as error:
            logger.warning("a list for a mediator is damaged: %s", error)
            await self._end_both(one, other, PrivateEndReason.PART_MISSING)
            return
        except CheckRefusedError as error:
            await self._end_both(one, other, PrivateEndReason(error.reason))
            return
        body = PrivateMediation.of(found)
        says = [(asked.line.line_id, [self._say(asked, body)]) for asked in (one, other)]
        driver = self._driver
        await driver.settled()  # what is cited is in the record by then
        await driver.voiced([line_id for line_id, _ in says])
        # It took a while: who has ended it meanwhile, or lost its consent, is told nothing.
        if not (one.is_open and other.is_open) or self._refused(one) or self._refused(other):
            return
        now = driver.now()
        try:
            for line_id, each in says:  # both or neither
                self._core.require_sayable(line_id, each, now)
        except (LineStateError, NoRoomError, NotFoundError):
            return  # mute, suspended, or no room: looked at again until it expires
        durable, _ = driver.say(says, now)
        await durable
        driver.nudge()
        await self._note(found, one, other)

    def _compared(self, one: _Asked, other: _Asked) -> Mediation:
        return mediate(self._read(one), self._read(other), mediator=self._core.party)

    def _read(self, asked: _Asked) -> Submitted:
        parts, body = self._driver.parts.of(asked.line.line_id), asked.said.body
        lists = b"".join(map(parts.read, body.parts))
        return Submitted(body.submission(asked.line.peer, self._core.party), lists)

    async def _end_both(self, one: _Asked, other: _Asked, why: PrivateEndReason) -> None:
        for asked in (one, other):
            await self._end(asked, why)

    async def _end(self, asked: _Asked, why: PrivateEndReason) -> None:
        """Refuse a submission by a signed message."""
        driver, line_id = self._driver, asked.line.line_id
        await driver.settled()
        await driver.voiced([line_id])
        if not asked.is_open:
            return
        say = self._say(asked, PrivateEnd(run=None, reason=why))
        try:
            durable, _ = driver.say([(line_id, [say])], driver.now())
        except (LineStateError, NoRoomError, NotFoundError):
            return  # said at a later look
        await durable
        driver.nudge()
        await self._tell({"what": "REFUSED", "why": why.value, **_named(asked)})

    def _say(self, asked: _Asked, body: PrivateMediation | PrivateEnd) -> Say:
        kind = Kind.PRIVATE_END if isinstance(body, PrivateEnd) else Kind.PRIVATE_MEDIATION
        return Say(kind=kind, body=body, desk=self._core.desks[0], ref=asked.said.message)

    async def _note(self, found: Mediation, one: _Asked, other: _Asked) -> None:
        await self._tell(
            {"what": "ANSWERED", **_named(one), "other": other.line.peer, "answers": found.answers}
        )

    async def _tell(self, event: dict[str, Any]) -> None:
        now: Now = self._driver.now()
        await self._driver.commit(self._core.note_mediation(event, now))

    # ---- what is erased --------------------------------------------------------------------

    async def _erase(self) -> None:
        """Erase the lists of what is over: they stay no longer than they are needed."""
        over = {
            (line.line_id, said.message): said.body.parts
            for line in self._core.lines.values()
            for said in line.book.private_checks.submissions
            if not said.own and said.is_over
        }
        self._done &= over.keys()
        for key, names in over.items():
            if key in self._done:
                continue
            try:
                await self._let_go(key[0], names)
            except (ConfigurationError, NoRoomError) as error:
                logger.warning("lists for a mediator are not erased yet: %s", error)
                return
            self._done.add(key)


def _named(asked: _Asked) -> dict[str, Any]:
    body = asked.said.body
    return {
        "line_id": asked.line.line_id,
        "peer": asked.line.peer,
        "session": body.session,
        "lists": body.lists,
        "bucket": body.bucket,
        "drill": asked.said.drill,
    }
