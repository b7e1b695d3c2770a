"""What one side of a mediated run says to the mediator, on its own line with it, and hears there.

Never on the line with the peer. It is announced first and pushed then, because a mediator takes no
byte without its people's consent; refused or not answered, the run is NOT CHECKED.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from deconflict.errors import (
    LineStateError,
    NoRoomError,
    NotFoundError,
    PeerUnreachableError,
    WrongSenderError,
)
from deconflict.messages.body import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.mediated_bodies import PrivateSubmit
from deconflict.messages.private_bodies import PrivateEnd, PrivateEndReason, cut
from deconflict.node.line import Line
from deconflict.node.private.beginning import CannotRunError
from deconflict.node.private.mediated_course import MediatedCourse
from deconflict.node.private.submissions import SubmissionSaid
from deconflict.node.private.tools import Driver
from deconflict.node.saying import Say
from deconflict.sealed.mediation import Submitted

__all__ = ["Submitting", "mediator_line"]

_AGAIN_S: Final = 0.5  # a part that the mediator did not take yet is tried anew
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


def mediator_line(driver: Driver, mediator: str) -> Line | None:
    """Return the line with a mediator; None where there is none."""
    return next((line for line in driver.core.lines.values() if line.peer == mediator), None)


class Submitting:
    """One run's dealings with the mediator.

    Args:
        driver: says, pushes, has the time.
        mediator: who is asked.
        drill: exercise only.
        in_thread: does work of seconds.
        moved: has the run looked at when a part has arrived, or was not taken.
    """

    def __init__(
        self,
        driver: Driver,
        mediator: str,
        *,
        drill: bool,
        in_thread: InThread,
        moved: Callable[[], None],
    ) -> None:
        self._driver = driver
        self._mediator = mediator
        self._drill = drill
        self._in_thread = in_thread
        self._moved = moved
        self._pushed = 0
        self._pushing: asyncio.Task[None] | None = None

    def require_line(self) -> Line:
        """Return the line with the mediator.

        Raises:
            CannotRunError: there is none.
        """
        line = mediator_line(self._driver, self._mediator)
        if line is None:
            raise CannotRunError(PrivateEndReason.NO_MEDIATOR)
        return line

    async def go_on(self, course: MediatedCourse, expires_utc: str, expires_ms: int) -> bool:
        """Say or hear what is next; False when there is nothing but to wait.

        Raises:
            CannotRunError: the mediator ended it, or what the record has submitted is another one.
            CheckRefusedError: the answer cannot be believed.
        """
        submitted = course.submitted
        if submitted is None or not course.awaits_answer:
            return False
        line = self.require_line()
        said = self._said(line, submitted)
        if said is None:
            body = await self._in_thread(lambda: PrivateSubmit.of(submitted, expires_utc))
            await self._say(line, Kind.PRIVATE_SUBMIT, body)
            return True
        self._require_same(said, submitted)
        if said.answer is not None:
            if said.answer.logged_ms > expires_ms:
                raise CannotRunError(PrivateEndReason.EXPIRED)
            data = said.answer.body.mediation(self._mediator).data
            await self._in_thread(lambda: course.hear_answer(data))
            return True
        if said.ends:
            why = said.ends[0].reason.value
            raise CannotRunError(PrivateEndReason.MEDIATOR_ENDED, f"{self._mediator}: {why}")
        return await self._push(line, submitted, said)

    def stop(self) -> None:
        """Push nothing more: the run is over."""
        if self._pushing is not None:
            self._pushing.cancel()
            self._pushing = None

    async def withdraw(self, course: MediatedCourse, reason: PrivateEndReason) -> None:
        """Tell the mediator that a run is over; it would give up by itself when that expires."""
        line = mediator_line(self._driver, self._mediator)
        if line is None or course.submitted is None:
            return
        said = self._said(line, course.submitted)
        if said is not None and not said.is_over:
            body = PrivateEnd(run=None, reason=reason)
            await self._say(line, Kind.PRIVATE_END, body, ref=said.message)

    # ---- inside ----------------------------------------------------------------------------

    @staticmethod
    def _said(line: Line, submitted: Submitted) -> SubmissionSaid | None:
        submissions = line.book.private_checks.submissions
        return submissions.own_of(submitted.submission.session)

    def _require_same(self, said: SubmissionSaid, submitted: Submitted) -> None:
        """Refuse to go on with another one than follows from the seed: it was said before a crash.

        Raises:
            CannotRunError: it is another one.
        """
        own = submitted.submission
        if said.body.submission(own.party, self._mediator) != own:
            raise CannotRunError(PrivateEndReason.MALFORMED)

    async def _push(self, line: Line, submitted: Submitted, said: SubmissionSaid) -> bool:
        """Give the next part to the mediator; False while it goes, and when it has all of them.

        A mediator that takes a part and says nothing holds a connection for minutes: the run goes
        on being looked at beside it, so that whoever ends it is heard.
        """
        if self._pushed >= len(said.body.parts):
            return False
        if self._pushing is None:
            part = cut(submitted.lists)[self._pushed]
            self._pushing = asyncio.create_task(self._driver.push_part(line.line_id, part))
            self._pushing.add_done_callback(self._push_over)
        if not self._pushing.done():
            return False
        pushed, self._pushing = self._pushing, None
        try:
            pushed.result()
        except (PeerUnreachableError, WrongSenderError, NotFoundError):
            # Not there, or it has not heard yet what was announced, or it refuses: it says so.
            await asyncio.sleep(_AGAIN_S)
            return True
        self._pushed += 1
        return True

    def _push_over(self, pushed: "asyncio.Task[None]") -> None:
        if not pushed.cancelled():
            pushed.exception()  # looked at here too, should the run be over by then
        self._moved()

    async def _say(self, line: Line, kind: Kind, body: Body, *, ref: str | None = None) -> None:
        """Say something to the mediator, as soon as its line lets it."""
        driver = self._driver
        drill = None if ref is not None else self._drill
        say = Say(kind=kind, body=body, desk=driver.core.desks[0], ref=ref, drill=drill)
        await driver.voiced([line.line_id])
        try:
            durable, _ = driver.say([(line.line_id, [say])], driver.now())
        except (LineStateError, NoRoomError, NotFoundError):
            await asyncio.sleep(_AGAIN_S)
            return
        await durable
        driver.nudge()
