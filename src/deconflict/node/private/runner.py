"""The private checks of a node: each run begun when it is due, and what is left of them tended.

A run is begun at its time, when a person says so, or when the peer's HELLO is there; after a start
each that was under way is taken up again. Runs of several lines go on beside one another, their
arithmetic one after the other in a thread of its own, so that alerts and beats never wait for it.
"""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from deconflict.airspace.instant import format_utc
from deconflict.errors import (
    BrokenTurnError,
    ConfigurationError,
    InvalidDocumentError,
    LineStateError,
    NoRoomError,
    NotFoundError,
    StoreError,
)
from deconflict.line.keys import RandomBytes
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import PrivateAccept, PrivateMode, Refines
from deconflict.node.core import NodeCore
from deconflict.node.line import Line
from deconflict.node.private.beginning import Period, require_look_fits
from deconflict.node.private.checks import Check, CheckState
from deconflict.node.private.files import PrivateFiles
from deconflict.node.private.findings import PrivateFinding
from deconflict.node.private.going import Going
from deconflict.node.private.site_files import SiteFiles
from deconflict.node.private.tools import Tools
from deconflict.node.runtime import Runtime
from deconflict.node.saying import Say

__all__ = ["PrivateRunner"]

logger = logging.getLogger("deconflict.private")

_LOOK_S: Final = 1.0
_TEND_MS: Final = 3_600_000
_AHEAD_MS: Final = 20_000  # before it is due, a plan is made into cells
_WARN_MS: Final = 3_600_000  # before a run is due, a plan that is not set is told


class PrivateRunner:
    """Begins, takes up and tends the private checks of every line.

    Args:
        core: whose lines.
        runtime: what drives it.
        files: plans and seeds.
        random_bytes: for seeds (``os.urandom`` in service).
        threads: of the kernel; None for one a processor.
    """

    def __init__(
        self,
        core: NodeCore,
        runtime: Runtime,
        files: PrivateFiles,
        *,
        random_bytes: RandomBytes,
        threads: int | None = None,
    ) -> None:
        self.files = files
        self.sites = SiteFiles(files.folder)
        self._core = core
        self._runtime = runtime
        self._progress: dict[tuple[str, int], tuple[int, int]] = {}
        self._going: dict[tuple[str, int], Going] = {}
        self._asked_ms: dict[tuple[str, int], int] = {}
        self._settled: dict[str, int] = {}  # by proposal: all runs below this number are
        self._wake = asyncio.Event()
        self._accepted: set[str] = set()
        self._tend_ms = 0
        self._tools = Tools(
            runtime,
            files,
            ThreadPoolExecutor(1, thread_name_prefix="private"),
            random_bytes,
            threads,
            self._progress,
            self.sites,
        )
        runtime.on_durable.append(self._moved)

    # ---- what others ask -------------------------------------------------------------------

    def begin(self, proposal: str, number: int, now_ms: int) -> None:
        """Have a run of an accepted check begin at once."""
        self._asked_ms.setdefault((proposal, number), now_ms)
        self._wake.set()

    def progress(self, proposal: str, number: int) -> tuple[int, int] | None:
        """Return how many steps of a run are done, and of how many; None while it does not go."""
        return self._progress.get((proposal, number))

    def going(self, proposal: str) -> frozenset[int]:
        """Return the runs of a check that go on here now, also those that said nothing yet."""
        return frozenset(number for name, number in self._going if name == proposal)

    def is_going(self, proposal: str, number: int) -> bool:
        """True exactly when a run goes on here now."""
        return (proposal, number) in self._going

    def period(self, line: Line, check: Check, number: int) -> Period | None:
        """Return the period of a run and what was agreed of it; None where it cannot be run."""
        checks = line.book.private_checks
        document, start_ms = checks.document_of(check), checks.start_ms(check, number)
        if document is None or start_ms is None or number >= check.body.runs:
            return None
        return Period(
            line.line_id,
            self._core.party,
            check.proposal,
            check.body,
            number,
            start_ms,
            document,
        )

    async def require_fits(self, line: Line, refines: Refines) -> None:
        """Return when a closer look at a run could say something, and the own plan fits into it.

        It is found out at home: the peer is told nothing by it.

        Raises:
            InvalidInputError: the run would be NOT CHECKED, or no hit could fall by it.
        """
        terms, checks = line.book.terms, line.book.private_checks
        refined = checks.get(refines.of)
        coarse = None if refined is None else self.period(line, refined, refines.run)
        plan = self.files.plan(line.line_id)
        if plan is None or terms is None or coarse is None:
            return  # a run without a plan, or that there is not, is told otherwise
        kept = self.files.run(refines.of, refines.run)
        await asyncio.get_running_loop().run_in_executor(
            self._tools.worker, lambda: require_look_fits(coarse, plan, terms, refines, kept)
        )

    # ---- running ---------------------------------------------------------------------------

    async def run(self) -> None:
        """Run for as long as the node does.

        Raises:
            StoreError, BrokenTurnError: the node has to stop.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._wake.clear()
                    now_ms = self._runtime.now().utc_ms
                    for line in self._core.lines.values():
                        for check, number, trigger_ms in self._wanted(line, now_ms):
                            self._start(tasks, line, check, number, trigger_ms)
                        self._answer_sites(tasks, line, now_ms)
                        await self._look_at_plan(line, now_ms)
                    if now_ms >= self._tend_ms:
                        self._tend_ms = now_ms + _TEND_MS
                        await self._tend()
                    await self._rest()
        finally:
            self._tools.worker.shutdown(wait=False, cancel_futures=True)

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_S):
                await self._wake.wait()
        except TimeoutError:
            return
        await asyncio.sleep(0.02)  # many commits in a short time are looked at together

    def _answer_sites(self, tasks: asyncio.TaskGroup, line: Line, now_ms: int) -> None:
        """Take part in what the peer asks about our sites, where our people consented before."""
        for check in line.book.private_checks:
            sites = check.body.sites
            if (
                sites is None
                or sites.protector != self._core.party
                or check.own
                or check.fault is not None
                or check.state is not CheckState.PROPOSED
                or check.proposal in self._accepted
            ):
                continue
            period = self.period(line, check, 0)
            if period is None or period.end_ms <= now_ms:
                continue  # nobody waits for the answer any more
            try:
                consented = self.sites.has_consent(line.line_id, line.peer, now_ms)
            except (ConfigurationError, InvalidDocumentError) as error:
                logger.warning("consent to checks of sites cannot be read: %s", error)
                return
            if not consented:
                continue  # a person answers: gives consent, or declines
            self._accepted.add(check.proposal)
            tasks.create_task(self._accept(line, check))

    async def _accept(self, line: Line, check: Check) -> None:
        """Say that we take part, as soon as the line lets it; no other run waits for that."""
        say = Say(
            kind=Kind.PRIVATE_ACCEPT,
            body=PrivateAccept(),
            desk=self._core.desks[0],
            ref=check.proposal,
        )
        await self._runtime.settled()  # what is cited is in the record by then
        await self._runtime.voiced([line.line_id])
        try:
            durable, _ = self._runtime.say([(line.line_id, [say])], self._runtime.now())
        except (LineStateError, NoRoomError, NotFoundError):
            # Mute, suspended, no room, or the proposal is not in the record yet: tried again.
            self._accepted.discard(check.proposal)
            return
        await durable
        self._runtime.nudge()

    async def _look_at_plan(self, line: Line, now_ms: int) -> None:
        """Tell the desk while it can still do something: a run without a plan is NOT CHECKED."""
        due: Check | None = None
        due_ms = now_ms + _WARN_MS
        if not self.files.has_plan(line.line_id):
            for check in line.book.private_checks:
                if check.state is not CheckState.ACCEPTED or check.fault is not None:
                    continue
                if check.body.sites is not None:
                    continue  # it has begun, or the planner said so a moment ago
                period = self.period(line, check, self._first_open(line, check))
                if period is not None and now_ms < period.due_ms < due_ms:
                    due, due_ms = check, period.due_ms
        at_utc = None if due is None else format_utc(due_ms)
        work = self._core.tell_private_plan(
            line, at_utc, self._runtime.now(), drill=due is not None and due.drill
        )
        if not work.is_empty():
            await self._runtime.commit(work)

    def _moved(self) -> None:
        for going in self._going.values():
            going.move()
        self._wake.set()

    def _start(
        self, tasks: asyncio.TaskGroup, line: Line, check: Check, number: int, trigger_ms: int
    ) -> None:
        key = (check.proposal, number)
        period = self.period(line, check, number)
        if key in self._going or period is None:
            return
        going = Going(self._tools, line, check, period, trigger_ms)
        self._going[key] = going
        tasks.create_task(self._go(going, key))

    async def _go(self, going: Going, key: tuple[str, int]) -> None:
        try:
            await going.go()
        except (StoreError, BrokenTurnError):
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is, the run ends and is told)
            # A defect, and not worth a node that stops: alerts and cease requests go on. Without
            # its words, which may tell of a plan.
            where = traceback.extract_tb(error.__traceback__)[-1]
            logger.error(  # noqa: TRY400
                "a private check broke off: %s in %s, line %s",
                type(error).__name__,
                where.name,
                where.lineno,
            )
            await going.fail()
        finally:
            self._going.pop(key, None)
            self._progress.pop(key, None)
            self._asked_ms.pop(key, None)

    def _wanted(self, line: Line, now_ms: int) -> Iterator[tuple[Check, int, int]]:
        """Yield the runs that are to go on now and are not settled, and since when."""
        for check in line.book.private_checks:
            if check.was_accepted and check.fault is None and check.answer is not None:
                for number in range(self._first_open(line, check), check.body.runs):
                    period = self.period(line, check, number)
                    if period is None or self._is_settled(line, check, number):
                        continue
                    trigger_ms = self._trigger_ms(line, check, period, now_ms)
                    if trigger_ms is not None:
                        yield check, number, trigger_ms
                    elif self._none_behind(line, check, number):
                        break

    def _trigger_ms(self, line: Line, check: Check, period: Period, now_ms: int) -> int | None:
        """Return since when a run is to go on; None while it is not."""
        run = line.book.private_checks.run(check.proposal, period.number)
        accepted_ms = 0 if check.answer is None else check.answer.logged_ms
        due_ms = max(period.due_ms, accepted_ms)
        if check.body.sites is not None:
            return accepted_ms  # sites stand all the time: nothing is to be waited for
        if run.own.hello or run.ends:
            return due_ms
        if check.ends:
            # Of what does not come about any more, the next is told of, and not each.
            ended_ms = check.ends[0].logged_ms
            before_ms = period.end_ms - period.document.cadence_ms
            return due_ms if before_ms <= ended_ms < period.end_ms else None
        if now_ms >= due_ms - _AHEAD_MS:
            return due_ms
        if run.peer.steps:
            return run.peer.steps[0].logged_ms
        return self._asked_ms.get((check.proposal, period.number))

    def _none_behind(self, line: Line, check: Check, number: int) -> bool:
        """True exactly when no later run can be on before this one: the rest need no look."""
        said = line.book.private_checks.runs(check.proposal)
        last = said[-1].number if said else 0
        asked = (each for name, each in self._asked_ms if name == check.proposal)
        return not check.ends and max(last, *asked, 0) <= number

    def _first_open(self, line: Line, check: Check) -> int:
        first = self._settled.get(check.proposal, 0)
        while first < check.body.runs and self._is_settled(line, check, first):
            first += 1
        self._settled[check.proposal] = first
        return first

    def _is_settled(self, line: Line, check: Check, number: int) -> bool:
        """True exactly when nothing is left to be said or found of a run."""
        found = self._core.private.get(check.proposal, number)
        document = line.book.private_checks.document_of(check)
        if found is None or document is None:
            return False
        mutual = check.body.mode is PrivateMode.MUTUAL
        return is_settled(found, document.audit_per_mille if mutual else 0)

    # ---- what is left of them --------------------------------------------------------------

    async def _tend(self) -> None:
        """Erase and forget what was kept for as long as the terms say."""
        now = self._runtime.now()
        work = self._core.forget_private(now)
        if not work.is_empty():
            await self._runtime.commit(work)
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._tools.worker, self.files.erase_old, now.utc_ms
            )
        except ConfigurationError as error:
            # Kept too long, and told: nothing that a node stops for.
            logger.warning("what was kept of a private check cannot be erased: %s", error)


def is_settled(found: PrivateFinding, per_mille: int) -> bool:
    """True exactly when nothing more is to be said of a run that came to this."""
    if not found.whole:
        return found.reason is not None
    return not per_mille or found.picked is not None or found.coin_kept
