"""Two nodes in memory that run a private check, one of which may say what it likes."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from deconflict.airspace.altitude import AltitudeBand, AltitudeReference
from deconflict.airspace.instant import TimeSpan, format_utc
from deconflict.airspace.outline import Circle
from deconflict.airspace.position import Position
from deconflict.airspace.volume import Volume
from deconflict.line.moment import Now
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.node.core import NodeCore
from deconflict.node.private.beginning import Begun, Period
from deconflict.node.private.course import Course
from deconflict.node.private.files import PlanFile, PrivateFiles
from deconflict.node.private.findings import PrivateFinding
from deconflict.node.private.going import Going
from deconflict.node.private.own_steps import LoggedStep, logged_as
from deconflict.node.private.site_files import SiteFiles
from deconflict.node.private.tools import Tools
from deconflict.node.saying import Say
from deconflict.node.views import Posted
from deconflict.node.work import Work
from deconflict.sealed.plane import Plane
from deconflict.store.parts import Parts
from private_samples import FIRST_MS, PERIOD_MS, CheckedPair

_STEP_S = 0.25  # of the virtual clock, between two looks at what happens
Alter = Callable[[Say], Iterable[Say]]


def as_said(say: Say) -> Iterable[Say]:
    return (say,)


def sortie(label: str, x_km: float, y_km: float, *, number: int = 1) -> Declaration:
    """Somebody who holds at a place of the samples' grid throughout the first period."""
    plane = Plane(Position(354_000_000, 359_000_000))
    lat_deg, lon_deg = plane.position_of(x_km * 1e6, y_km * 1e6)
    band = AltitudeBand(AltitudeReference.AMSL, 4_000_000, 4_500_000)
    span = TimeSpan(FIRST_MS, FIRST_MS + PERIOD_MS)
    circle = Circle(Position.from_degrees(lat_deg, lon_deg), 100_000)
    return Declaration(f"{number:032x}", Purpose.FLIGHT, (Volume(circle, band, span),), label=label)


class Believing(Course):
    """The course of who says another thing than it computed, and goes on all the same."""

    def said(self, logged: LoggedStep) -> None:
        due = self.to_say
        if due is not None and (due.kind, due.number) == (logged.kind, logged.number):
            super().said(logged_as(due))


class Driven:
    """One party's node as a run asks it; ``alter`` stands between its run and its chain."""

    def __init__(self, checked: CheckedPair, party: str, folder: Path, alter: Alter) -> None:
        self._pair = checked.pair
        self._party = party
        self._alter = alter
        self._folder = folder
        self.peer: Driven | None = None
        self.core: NodeCore = checked.pair.station(party).core
        self.said: list[Say] = []

    @property
    def parts(self) -> "Driven":
        return self

    def of(self, line_id: str) -> Parts:
        return Parts(self._folder / "parts" / line_id)

    def now(self) -> Now:
        return self._pair.world.now

    def say(
        self, on_lines: Sequence[tuple[str, Sequence[Say]]], now: Now
    ) -> tuple["asyncio.Future[None]", tuple[Posted, ...]]:
        posted: list[Posted] = []
        for _, says in on_lines:
            for each in says:
                self.said.append(each)
                for altered in self._alter(each):
                    peer = self._pair.peer_of(self._party)
                    posted += self._pair.world.say(self._party, peer, [altered])
        return _done(), tuple(posted)

    def commit(self, work: Work) -> "asyncio.Future[None]":
        self._pair.world.commit(self._pair.station(self._party), work)
        return _done()

    async def voiced(self, line_ids: Iterable[str], *, in_need: bool = False) -> None:
        return

    async def settled(self) -> None:
        return

    async def push_part(self, line_id: str, data: bytes) -> None:
        assert self.peer is not None
        self.peer.of(line_id).keep(data)

    def nudge(self) -> None:
        return


def _done() -> "asyncio.Future[None]":
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


class RunPair:
    """Blue and red with what each needs to run the check that blue proposed."""

    def __init__(self, checked: CheckedPair, folder: Path, *, red_says: Alter = as_said) -> None:
        self.checked = checked
        self.red_lies = red_says is not as_said
        self.driven = {
            party: Driven(checked, party, folder / party, alter)
            for party, alter in (("blue", as_said), ("red", red_says))
        }
        self.driven["blue"].peer, self.driven["red"].peer = (
            self.driven["red"],
            self.driven["blue"],
        )
        self.files = {party: PrivateFiles(folder / party / "private") for party in self.driven}
        for party in self.driven:
            (folder / party).mkdir()
        self._drawn = 0

    @property
    def line_id(self) -> str:
        return self.checked.pair.line_id

    def fly(self, party: str, *declarations: Declaration) -> None:
        now_utc = format_utc(self.checked.pair.world.now.utc_ms)
        self.files[party].set_plan(self.line_id, PlanFile.of(declarations, now_utc))

    def finding(self, party: str, number: int = 0) -> PrivateFinding:
        core = self.driven[party].core
        found = core.private.get(self.checked.proposal, number)
        assert found is not None
        return found

    def run(self, number: int = 0) -> None:
        """Let both run until both are done."""
        asyncio.run(self._run(number))

    async def _run(self, number: int) -> None:
        with ThreadPoolExecutor(1) as worker:
            goings = [self._going(party, number, worker) for party in self.driven]
            tasks = [asyncio.create_task(going.go()) for going in goings]
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0.002)
                self.checked.pair.run_for(_STEP_S)
                for going in goings:
                    going.move()
            for task in tasks:
                task.result()

    def _going(self, party: str, number: int, worker: Any) -> Going:
        line = self.checked.pair.line(party)
        checks = line.book.private_checks
        check = checks.get(self.checked.proposal)
        assert check is not None
        document, start_ms = checks.document_of(check), checks.start_ms(check, number)
        assert document is not None
        assert start_ms is not None
        period = Period(line.line_id, party, check.proposal, check.body, number, start_ms, document)
        progress: dict[tuple[str, int], tuple[int, int]] = {}
        tools = Tools(
            self.driven[party],
            self.files[party],
            worker,
            self._random,
            1,
            progress,
            SiteFiles(self.files[party].folder),
        )
        going = Going(tools, line, check, period, self.checked.pair.world.now.utc_ms)
        if party == "red" and self.red_lies:
            begin = going._have

            def have(begun: Begun) -> None:
                begin(begun)
                assert going._course is not None
                going._course.__class__ = Believing

            going._have = have  # type: ignore[method-assign]
        return going

    def _random(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(count)
