"""Blue and red who ask white, three nodes in memory; any of them may say what it likes."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deconflict.airspace.instant import format_utc
from deconflict.errors import LineStateError, PeerUnreachableError
from deconflict.line.moment import Now
from deconflict.line.room import ENOUGH
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import MediatedAnswer, MediatedAsked
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.node.line import Line
from deconflict.node.part_door import PartDoor
from deconflict.node.private.beginning import Period
from deconflict.node.private.files import PlanFile, PrivateFiles
from deconflict.node.private.findings import PrivateFinding
from deconflict.node.private.going import Going
from deconflict.node.private.mediator import Mediator
from deconflict.node.private.mediator_files import MediatesFor, MediatorFiles
from deconflict.node.private.part_keeping import PartKeeping
from deconflict.node.private.site_files import SiteFiles
from deconflict.node.private.tools import Tools
from deconflict.node.saying import Say
from deconflict.node.views import Posted
from node_pair import NodePair
from private_samples import CheckedPair, document, mediated_proposal
from private_talk import Alter, Driven, _done, as_said, sortie

TERMS = document(bucket=2_048)
ASKED = MediatedAsked(mediator="white", answer=MediatedAnswer.COUNT, lists=8, bucket=1_024)
YES_NO = MediatedAsked(mediator="white", answer=MediatedAnswer.YES_NO, lists=8, bucket=1_024)
NEAR, FAR = (5.0, 5.0), (150.0, 150.0)
MOST_BYTES = 1 << 20


class Third(Driven):
    """One of three nodes: it speaks on the line that it is told, and its door is a real one."""

    def __init__(self, three: "Three", party: str, folder: Path, alter: Alter) -> None:
        super().__init__(three.checked, party, folder, alter)
        self._three = three
        self.files = MediatorFiles(folder / "private")
        self.door = PartDoor(folder / "parts", lambda: ENOUGH, lambda: self.now().monotonic_ms)
        core = self.core
        self.keeping = PartKeeping(
            folder / "parts",
            core.private_checks,
            self.door,
            self,
            lambda line_id: self.files.most_bytes(line_id, core.peer_of(line_id)),
        )
        self.door.allowed = self.keeping.allowed
        self.pushed: list[tuple[str, bytes]] = []  # to whom, and what

    def of(self, line_id: str):  # type: ignore[no-untyped-def]
        return self.door.of(line_id)

    def say(
        self, on_lines: Sequence[tuple[str, Sequence[Say]]], now: Now
    ) -> tuple["asyncio.Future[None]", tuple[Posted, ...]]:
        posted: list[Posted] = []
        for line_id, says in on_lines:
            peer = self.core.peer_of(line_id)
            for each in says:
                self.said.append(each)
                for altered in self._alter(each):
                    posted += self._pair.world.say(self._party, peer, [altered])
        return _done(), tuple(posted)

    async def push_part(self, line_id: str, data: bytes) -> None:
        peer = self._three.nodes[self.core.peer_of(line_id)]
        self.pushed.append((peer._party, data))
        try:
            await peer.door.take(self._party, line_id, data)
        except LineStateError as error:  # also NoRoomError: to who pushes it all looks the same
            raise PeerUnreachableError("no way carried it", given=line_id) from error

    def mediator(self) -> Mediator:
        return Mediator(self, self.files, self.keeping.let_go)


class Three:
    """All of it. White has consented to both unless told otherwise."""

    def __init__(
        self,
        pair: NodePair,
        folder: Path,
        *,
        asked: MediatedAsked = ASKED,
        terms: PrivateCheckTerms = TERMS,
        alters: dict[str, Alter] | None = None,
        consents: Sequence[str] = ("blue", "red"),
    ) -> None:
        self.pair, self.checked = pair, CheckedPair(pair)
        pair.world.add_party("white")
        for party in ("blue", "red"):
            pair.world.connect(party, "white")
        self.nodes = {
            party: Third(self, party, folder / party, (alters or {}).get(party, as_said))
            for party in ("blue", "red", "white")
        }
        self.plans = {party: PrivateFiles(folder / party / "private") for party in ("blue", "red")}
        for party in self.nodes:
            (folder / party / "private").mkdir(parents=True, mode=0o700)
        for party in consents:
            self.consent(party)
        self._drawn = 0
        self.checked.propose(mediated_proposal(terms, asked))
        self.checked.accept()
        pair.run_for(2)

    def line(self, party: str, peer: str) -> Line:
        return self.pair.station(party).line(peer)

    def consent(self, party: str, most_bytes: int = MOST_BYTES) -> None:
        given = MediatesFor(party, format_utc(self.pair.world.now.utc_ms), "anna", most_bytes)
        self.nodes["white"].files.put(self.line("white", party).line_id, given)

    def fly(self, party: str, *places: tuple[float, float]) -> None:
        sorties = [sortie(f"{party}{n}", *at, number=n + 1) for n, at in enumerate(places)]
        now_utc = format_utc(self.pair.world.now.utc_ms)
        self.plans[party].set_plan(self.pair.line_id, PlanFile.of(tuple(sorties), now_utc))

    def finding(self, party: str) -> PrivateFinding:
        found = self.nodes[party].core.private.get(self.checked.proposal, 0)
        assert found is not None
        return found

    def run(self, *, white: bool = True, most_s: float = 900.0) -> None:
        """Let both run until both are done."""
        asyncio.run(self._run(white=white, most_s=most_s))

    async def _run(self, *, white: bool, most_s: float) -> None:
        until_ms = self.pair.world.now.utc_ms + most_s * 1_000
        with ThreadPoolExecutor(1) as worker:
            goings = [self.going(party, worker) for party in ("blue", "red")]
            mediator = self.nodes["white"].mediator()
            tasks = [asyncio.create_task(going.go()) for going in goings]
            while not all(task.done() for task in tasks):
                assert self.pair.world.now.utc_ms < until_ms
                await asyncio.sleep(0.002)
                self.pair.run_for(0.25)
                if white:
                    await mediator.look()
                for going in goings:
                    going.move()
            for task in tasks:
                task.result()
            self.pair.run_for(2)
            if white:
                await mediator.look()

    def going(self, party: str, worker: ThreadPoolExecutor) -> Going:
        line = self.pair.line(party)
        checks = line.book.private_checks
        check = checks.get(self.checked.proposal)
        assert check is not None
        agreed, start_ms = checks.document_of(check), checks.start_ms(check, 0)
        assert agreed is not None
        assert start_ms is not None
        period = Period(line.line_id, party, check.proposal, check.body, 0, start_ms, agreed)
        files = self.plans[party]
        sites = SiteFiles(files.folder)
        tools = Tools(self.nodes[party], files, worker, self._random, 1, {}, sites)
        return Going(tools, line, check, period, self.pair.world.now.utc_ms)

    def submitted(self, party: str) -> list[str]:
        """What became of what a party submitted, as white's record has it."""
        return [
            "ANSWERED" if said.answer else said.ends[0].reason.value if said.ends else "WAITS"
            for said in self.line("white", party).book.private_checks.submissions
        ]

    def said_by(self, party: str, kind: Kind) -> list[Say]:
        return [each for each in self.nodes[party].said if each.kind is kind]

    def _random(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(count)
