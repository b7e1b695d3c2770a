"""One run of a private check on a line, from its HELLO to its finding, across cuts and restarts.

All that it goes by is in the record and in the file of the run: what was said is never said
otherwise, and what is said next follows from what was heard. The work of seconds is done in a
thread of its own; here are only the order, the times and the line. Whatever goes amiss ends the run
by a signed message, and what was not found by then is NOT CHECKED.
"""

import asyncio
import hashlib
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

import msgspec

from deconflict.airspace.instant import parse_utc
from deconflict.errors import (
    BrokenTurnError,
    ConfigurationError,
    DeconflictError,
    InvalidDocumentError,
    LineStateError,
    NoRoomError,
    PartMissingError,
    PeerUnreachableError,
    StoreError,
    StoreFullError,
    WrongSenderError,
)
from deconflict.messages.body import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import (
    PrivateCoin,
    PrivateEnd,
    PrivateEndReason,
    PrivateStep,
    StepWord,
    cut,
)
from deconflict.node.line import Line, read_body
from deconflict.node.private.beginning import Begun, CannotRunError, Period
from deconflict.node.private.checks import Check
from deconflict.node.private.closer import Refined
from deconflict.node.private.course import Course, leaves_ms
from deconflict.node.private.findings import PrivateFinding
from deconflict.node.private.found import (
    AnyBegun,
    AnyCourse,
    finding_of,
    is_same_plan,
    protects,
)
from deconflict.node.private.mediated_beginning import MediatedBegun
from deconflict.node.private.mediated_course import MediatedCourse
from deconflict.node.private.own_steps import LoggedStep
from deconflict.node.private.run import Run, StepSaid
from deconflict.node.private.side import side_drawn, side_taken_up
from deconflict.node.private.site_beginning import (
    SiteBegun,
)
from deconflict.node.private.site_course import SiteCourse
from deconflict.node.private.submitting import Submitting
from deconflict.node.private.tools import Tools
from deconflict.node.saying import Say
from deconflict.sealed.coin import opens
from deconflict.sealed.hello import read_hello
from deconflict.sealed.site_sides import SiteStep, SiteStepKind
from deconflict.sealed.steps import Step, StepKind

__all__ = ["Going"]

_AGAIN_S: Final = (
    1.0  # a part that the peer did not take, or a step that had no room, is tried anew
)
# What the own plan or list alone decides how long it takes leaves at multiples of a time.
_HELD_BACK: Final = (StepKind.ROOT, SiteStepKind.LIST)
_LOGGED_S: Final = 0.02
_T = TypeVar("_T")


class Going:
    """One run that goes on.

    Args:
        tools: shared by all.
        line: where.
        check: the accepted proposal.
        period: the run.
        trigger_ms: since when it is to begin: its due time, the peer's HELLO, or a person's word.
    """

    def __init__(
        self, tools: Tools, line: Line, check: Check, period: Period, trigger_ms: int
    ) -> None:
        self._tools, self._line, self._check, self._period = tools, line, check, period
        self._trigger_ms = trigger_ms
        self._moved = asyncio.Event()
        self._expires_ms = 0
        self._sites = period.body.sites
        self._begun: AnyBegun | None = None
        self._course: AnyCourse | None = None
        asked = period.body.mediated
        self._submitting = None
        if asked is not None:
            self._submitting = Submitting(
                tools.runtime,
                asked.mediator,
                drill=check.drill,
                in_thread=self._in_thread,
                moved=self.move,
            )
        self._heard = self._said = 0
        self._hits: frozenset[bytes] = frozenset()
        self._found: PrivateFinding | None = None
        self._refined: Refined | None = None

    def move(self) -> None:
        """Have it look at the record: something has become durable."""
        self._moved.set()

    async def go(self) -> None:
        """Run to the end; return when all is said and kept that is to be.

        Raises:
            StoreError, BrokenTurnError: the node has to stop.
        """
        try:
            await self._begin()
            await self._talk()
        except CannotRunError as error:
            await self._break_off(error.reason)
        except (StoreError, BrokenTurnError):
            raise
        except DeconflictError as error:  # whatever of the peer's is not as agreed
            await self._break_off(_reason_of(error))
        else:
            await self._conclude()
        await self._withdraw()
        await self._coins()

    async def fail(self) -> None:
        """End it by a fault of our own: nothing more can be said in it."""
        if self._submitting is not None:
            self._submitting.stop()
        await self._break_off(PrivateEndReason.MALFORMED)

    # ---- beginning -------------------------------------------------------------------------

    async def _begin(self) -> None:
        tools, period = self._tools, self._period
        if self._run.own.hello is not None:
            await self._take_up()
            return
        if self._over:
            raise CannotRunError(PrivateEndReason.CANCELLED)
        document = period.document
        checks = self._line.book.private_checks
        if (
            self._sites is None
            and checks.times_asked(self._check, period.number) >= document.runs_per_slot
        ):
            raise CannotRunError(PrivateEndReason.OVER_BUDGET)
        now_ms = self._now_ms
        self._expires_ms = self._trigger_ms + document.run_limit_ms
        self._require_time()
        if self._submitting is not None:
            self._submitting.require_line()
        terms = self._line.book.terms
        agreed = None if terms is None else terms.private_check
        # What was accepted under a document that is in force no more is not begun under it.
        if terms is None or agreed is None or agreed.document_hash != self._check.body.grid:
            raise CannotRunError(PrivateEndReason.OTHER_GRID)
        expires_ms, peer = self._expires_ms, self._line.peer
        begun = await self._in_thread(
            lambda: side_drawn(tools, period, peer, terms, now_ms=now_ms, expires_ms=expires_ms)
        )
        try:
            # On the disk before a byte of it is said: after a crash the same bytes follow again.
            await self._in_thread(lambda: tools.files.keep_run(begun.kept))
        except ConfigurationError as error:
            raise CannotRunError(PrivateEndReason.SEED_LOST, str(error)) from error
        self._have(begun)
        # When it leaves says little of how long the plan took: at the due time, or at a multiple.
        leaves = self._trigger_ms
        if self._now_ms > leaves:
            leaves = leaves_ms(self._now_ms, leaves, document.tags_after_ms)
        while self._now_ms < leaves and not self._over:
            self._moved.clear()
            await self._wait(leaves)

    async def _take_up(self) -> None:
        period = self._period
        try:
            kept = self._tools.files.run(period.proposal, period.number)
        except (ConfigurationError, InvalidDocumentError) as error:
            raise CannotRunError(PrivateEndReason.SEED_LOST, str(error)) from error
        if kept is None:
            raise CannotRunError(PrivateEndReason.SEED_LOST)
        self._expires_ms = parse_utc(kept.expires_utc)
        begun = await self._in_thread(lambda: side_taken_up(period, kept))
        self._have(begun)

    def _have(self, begun: AnyBegun) -> None:
        period = self._period
        checks = self._line.book.private_checks
        self._begun = begun
        seen = checks.seen_besides(period.proposal, period.number)
        keys = checks.keys_besides(period.proposal, period.number)
        threads = self._tools.threads
        if isinstance(begun, SiteBegun):
            self._course = SiteCourse(begun.own, seen=seen, keys=keys, threads=threads)
        elif isinstance(begun, MediatedBegun):
            self._course = MediatedCourse(begun.own, seen=seen, keys=keys)
        else:
            self._course = Course(begun.own, seen=seen, keys=keys, threads=threads)

    # ---- what is said and heard ------------------------------------------------------------

    async def _talk(self) -> None:
        """Hear and say until the run is whole or was ended."""
        course = self._need_course()
        prepared = False
        root_ms: int | None = None
        while True:
            self._moved.clear()
            await self._catch_up(course)
            step = course.to_say
            if course.over or self._over:
                return
            self._require_time()
            self._require_open()
            if step is None:
                if self._run.own.evaluated and not prepared:
                    # Ahead of time, and behind the answer, whose time would tell of the plan.
                    await self._in_thread(course.prepare)
                    prepared = True
                    continue
                if not await self._ask_mediator(course):
                    await self._wait(self._expires_ms)
                continue
            if step.kind in _HELD_BACK:
                if root_ms is None:
                    since_ms = self._run.hellos_ms or self._now_ms
                    every_ms = self._period.document.tags_after_ms
                    root_ms = leaves_ms(self._now_ms, since_ms, every_ms)
                if self._now_ms < root_ms:
                    await self._wait(root_ms)
                    continue
            await self._say_step(step)

    async def _ask_mediator(self, course: AnyCourse) -> bool:
        """Go on with the mediator where one is asked; False when there is nothing but to wait."""
        begun = self._begun
        if self._submitting is None or begun is None or not isinstance(course, MediatedCourse):
            return False
        return await self._submitting.go_on(course, begun.kept.expires_utc, self._expires_ms)

    async def _withdraw(self) -> None:
        """Tell the mediator when a run came to nothing."""
        course, found = self._course, self._found
        if self._submitting is None:
            return
        self._submitting.stop()
        if not isinstance(course, MediatedCourse):
            return
        if found is not None and found.reason is not None:
            await self._submitting.withdraw(course, PrivateEndReason(found.reason))

    async def _catch_up(self, course: AnyCourse) -> None:
        """Hear what the peer said since, and compare what we said ourselves."""
        while self._heard < len(self._run.peer.steps):
            said = self._run.peer.steps[self._heard]
            if said.logged_ms > self._expires_ms:
                raise CannotRunError(PrivateEndReason.EXPIRED)
            data = await self._data(said)
            self._heard += 1
            if protects(self._period) and said.step is StepWord.POINTS:
                await self._in_thread(self._count)
            await self._in_thread(partial(course.hear, said.step, said.number, data))
            if course.finding.hits != self._hits:
                self._hits = course.finding.hits
                await self._keep(await self._finding())
        while self._said < len(self._run.own.steps):
            own = self._run.own.steps[self._said]
            self._said += 1
            course.said(LoggedStep(course.kind_of(own.step), own.number, own.size, own.sha256))
        key = (self._period.proposal, self._period.number)
        self._tools.progress[key] = course.progress

    def _count(self) -> None:
        """Count what the planner asks, on the disk, before anything is answered."""
        period, sites = self._period, self._sites
        if sites is None or self._run.own.evaluated:
            return  # the answer is in the record, behind its count
        try:
            self._tools.sites.count(
                f"{period.proposal}/{period.number}",
                self._line.peer,
                period.line_id,
                period.document.site_grid(period.start_ms),
                sites.points,
                self._now_ms,
            )
        except (ConfigurationError, InvalidDocumentError) as error:
            raise CannotRunError(PrivateEndReason.NO_SITES, str(error)) from error

    async def _data(self, said: StepSaid) -> bytes:
        """Return the bytes of a step of the peer, from its message or from its parts."""
        if said.parts:
            parts = self._tools.runtime.parts.of(self._period.line_id)
            try:
                data = await self._in_thread(lambda: b"".join(map(parts.read, said.parts)))
            except PartMissingError as error:
                raise CannotRunError(PrivateEndReason.PART_MISSING, str(error)) from error
            if (len(data), hashlib.sha256(data).hexdigest()) != (said.size, said.sha256):
                raise CannotRunError(PrivateEndReason.MALFORMED)
            return data
        runtime = self._tools.runtime
        envelope = runtime.core.envelope_of(said.message)
        while envelope is None:  # heard, and on its way to the disk
            await runtime.settled()
            await asyncio.sleep(_LOGGED_S)
            envelope = runtime.core.envelope_of(said.message)
        body = read_body(envelope)
        inline = body.inline if isinstance(body, PrivateStep) else None
        if inline is None:
            raise CannotRunError(PrivateEndReason.MALFORMED)
        return inline

    async def _say_step(self, step: Step | SiteStep) -> None:
        word = StepWord[step.kind.name]
        number = step.number if isinstance(step, Step) else 0
        body = PrivateStep.of(self._period.number, word, number, step.data)
        if body.parts:
            parts = self._tools.runtime.parts.of(self._period.line_id)
            for part in cut(step.data):
                try:
                    await self._in_thread(partial(parts.keep, part))
                except (NoRoomError, StoreFullError):
                    await asyncio.sleep(_AGAIN_S)
                    return
                except StoreError as error:  # of that folder alone; the record is another matter
                    raise CannotRunError(PrivateEndReason.PART_MISSING, str(error)) from error
                if not await self._push(part):
                    return
        await self._say(Kind.PRIVATE_STEP, body)

    async def _push(self, part: bytes) -> bool:
        """Give a part to the peer; False when it was not taken yet and all is to be looked at."""
        try:
            await self._tools.runtime.push_part(self._period.line_id, part)
        except (PeerUnreachableError, WrongSenderError):
            await asyncio.sleep(_AGAIN_S)
            return False
        return True

    async def _say(self, kind: Kind, body: Body) -> bool:
        """Say something as soon as the line lets it; False when it could not be said yet."""
        runtime, line_id = self._tools.runtime, self._period.line_id
        say = Say(kind=kind, body=body, desk=runtime.core.desks[0], ref=self._check.proposal)
        await runtime.voiced([line_id])
        try:
            durable, _ = runtime.say([(line_id, [say])], runtime.now())
        except (LineStateError, NoRoomError):
            # Mute, suspended, or no room here or there: what must not wait for it is looked at.
            await asyncio.sleep(_AGAIN_S)
            return False
        await durable
        runtime.nudge()
        return True

    # ---- the end ---------------------------------------------------------------------------

    async def _break_off(self, reason: PrivateEndReason) -> None:
        """End it for both sides; what was found stays found."""
        if self._course is not None:
            self._course.abort(reason.value)
        if self._over and not self._run.is_whole:
            await self._conclude()  # somebody said so before
            return
        await self._keep(await self._finding(reason.value, self._period.party))
        body = PrivateEnd(run=self._period.number, reason=reason)
        while self._run.own.end is None and not self._ended_by_all:
            if await self._say(Kind.PRIVATE_END, body):
                return

    async def _conclude(self) -> None:
        """Keep what was found, of a run that is whole or that somebody ended."""
        ends = (*self._run.ends, *(self._now_check.ends))
        course = self._course
        if course is not None and course.over and course.finding.whole:
            await self._keep(await self._finding())
        elif ends:
            first = min(ends, key=lambda end: end.logged_ms)
            await self._keep(await self._finding(first.reason.value, first.by))
        else:
            raise RuntimeError("a run of a private check ended, and nobody ended it")

    async def _finding(
        self, reason: str | None = None, ended_by: str | None = None
    ) -> PrivateFinding:
        refines = await self._refines()
        work = partial(
            finding_of,
            self._period,
            self._line.peer,
            self._begun,
            self._course,
            hits=self._hits,
            at_ms=self._now_ms,
            drill=self._check.drill,
            refines=refines,
            reason=reason,
            ended_by=ended_by,
        )
        return await self._in_thread(work)

    async def _refines(self) -> Refined | None:
        """Return of which run this is a closer look, and whether at the same own plan.

        An exercise says nothing of what is real, nor the other way round: it stands by itself.
        """
        refines = self._period.body.refines
        coarse = None if refines is None else self._line.book.private_checks.get(refines.of)
        if coarse is None or coarse.drill is not self._check.drill:
            return None
        if refines is not None and self._refined is None:
            same_plan = await self._in_thread(
                partial(is_same_plan, self._tools.files, refines, self._begun)
            )
            self._refined = Refined(refines.of, refines.run, refines.slots, same_plan)
        return self._refined

    async def _keep(self, finding: PrivateFinding) -> None:
        self._found = finding
        runtime = self._tools.runtime
        work = runtime.core.note_private(finding, runtime.now())
        if not work.is_empty():
            await runtime.commit(work)

    # ---- the coin --------------------------------------------------------------------------

    async def _coins(self) -> None:
        """Open our half of the coin once the run is whole, and wait for the other."""
        found, begun = self._found, self._begun
        per_mille = self._period.document.audit_per_mille
        if not isinstance(begun, Begun) or found is None:
            return  # of sites or mediated it has no coin: who is to be audited is asked for it
        if not found.whole or not per_mille:
            return
        body = PrivateCoin(run=self._period.number, coin=begun.kept.coin)
        until_ms = self._expires_ms + self._period.document.run_limit_ms
        while self._run.own.coin is None:
            await self._say(Kind.PRIVATE_COIN, body)
        while self._run.peer.coin is None and self._now_ms < until_ms:
            self._moved.clear()
            if self._run.peer.coin is None:
                await self._wait(until_ms)
        theirs, hello = self._run.peer.coin, self._run.peer.step(StepWord.HELLO)
        opened = (
            theirs is not None
            and hello is not None
            and opens(read_hello(await self._data(hello)), bytes.fromhex(theirs.coin))
        )
        picked = self._run.is_picked(per_mille) if opened else None
        await self._keep(msgspec.structs.replace(found, picked=picked, coin_kept=not opened))

    # ---- inside ----------------------------------------------------------------------------

    @property
    def _run(self) -> Run:
        return self._line.book.private_checks.run(self._period.proposal, self._period.number)

    @property
    def _now_check(self) -> Check:
        return self._line.book.private_checks.get(self._check.proposal) or self._check

    @property
    def _ended_by_all(self) -> bool:
        return bool(self._now_check.ends)

    @property
    def _over(self) -> bool:
        """Whether somebody ended it; a whole one is over when our own course says so."""
        return bool(self._run.ends or self._ended_by_all)

    @property
    def _now_ms(self) -> int:
        return self._tools.runtime.now().utc_ms

    def _need_course(self) -> AnyCourse:
        if self._course is None:
            raise RuntimeError("a run talks before it has begun")
        return self._course

    def _require_time(self) -> None:
        if self._now_ms > self._expires_ms:
            raise CannotRunError(PrivateEndReason.EXPIRED)

    def _require_open(self) -> None:
        """Return while no suspension keeps steps from being said: a run does not outlast one."""
        book = self._line.book
        if book.suspension_of(Kind.PRIVATE_STEP, self._now_ms, drill=self._check.drill):
            raise CannotRunError(PrivateEndReason.SUSPENDED)

    async def _wait(self, until_ms: int) -> None:
        """Return when something moved in the record, or at an instant; soon at the latest."""
        left_s = max(min((until_ms - self._now_ms) / 1_000, _AGAIN_S), 0.005)
        try:
            async with asyncio.timeout(left_s):
                await self._moved.wait()
        except TimeoutError:
            return

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._tools.worker, work)


def _reason_of(error: DeconflictError) -> PrivateEndReason:
    named = getattr(error, "reason", "")
    return PrivateEndReason(named) if named in set(PrivateEndReason) else PrivateEndReason.MALFORMED
