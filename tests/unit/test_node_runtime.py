"""What a running node must never do: show what nobody looked at, go on from half a turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deconflict.errors import BrokenTurnError, LineStateError, StoreBrokenError
from deconflict.line.moment import Now
from deconflict.line.packets import encode_packets
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import LineCheck, Suspend, TermsMessage
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import PartyTerms
from deconflict.messages.terms_defaults import default_terms
from deconflict.node.actor import Actor, Role
from deconflict.node.book import LineBook
from deconflict.node.core import Say
from deconflict.node.runtime import Runtime
from deconflict.node.service import Node
from deconflict.replay.world import DESKS, World
from deconflict.store.writer import GroupCommitWriter
from node_pair import NodePair, circle, declaration, node_pair

PLANNER = Actor("planner", frozenset({Role.RELEASING_OFFICER}), DESKS[0])


class PairClock:
    """The virtual clock of a pair."""

    def __init__(self, pair: NodePair) -> None:
        self._pair = pair

    def now(self) -> Now:
        return self._pair.world.now


@asynccontextmanager
async def runtime_of(pair: NodePair) -> AsyncIterator[Runtime]:
    """Blue's core under a runtime whose own time-keeping does not run: nobody looks unasked."""
    store = pair.blue.store
    with GroupCommitWriter(store) as writer:
        yield Runtime(pair.blue.core, store, writer, {}, PairClock(pair))


def test_who_declares_and_asks_at_once_is_told_the_conflict() -> None:
    async def run(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store)
            await node.declare(PLANNER, [declaration(1)], lines=None)
            (conflict,) = await node.conflicts()
            assert {conflict.first_declaration, conflict.second_declaration} == {
                f"{1:032x}",
                f"{2:032x}",
            }
            assert (await node.check(PLANNER, None)).conflicts == (conflict,)

    with node_pair() as pair:
        pair.declare("red", declaration(2))
        pair.run_for(1)
        asyncio.run(run(pair))


def test_who_changes_a_plan_and_asks_at_once_is_not_told_what_is_over() -> None:
    async def run(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store)
            above = declaration(1, volume=circle(feet=(40_000, 45_000)))
            await node.update(PLANNER, above, lines=None)
            assert await node.conflicts() == ()

    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(1)
        assert "CONFLICT" in pair.rules("blue")
        asyncio.run(run(pair))


def agree_on_another_line(world: World, one: str, other: str) -> str:
    """Give two parties a line with terms; return its id."""
    line_id = world.connect(one, other)
    parties = [PartyTerms(party, *DESKS, ("en",), 1) for party in (one, other)]
    terms = default_terms(line=line_id, parties=parties, theatre="Coast")
    proposal: str | None = None
    for kind, party, peer in (
        (Kind.TERMS_PROPOSE, one, other),
        (Kind.TERMS_ACCEPT, other, one),
    ):
        body = TermsMessage(
            terms=terms, signature=sign_terms(terms, world.stations[party].core.key)
        )
        said = world.say(party, peer, [Say(kind=kind, body=body, desk=DESKS[0], ref=proposal)])
        proposal = said[0].hash
        world.run_for(1)
    return line_id


def test_what_one_line_refuses_is_said_on_none() -> None:
    async def run(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store)
            with pytest.raises(LineStateError, match="suspended"):
                await node.declare(PLANNER, [declaration(1)], lines=None)

    with node_pair() as pair:
        pair.world.add_party("green")
        other = agree_on_another_line(pair.world, "blue", "green")
        suspend = Suspend(scope="DECLARATIONS", effective_utc=pair.now_utc)
        say = Say(kind=Kind.SUSPEND, body=suspend, desk=DESKS[0])
        pair.world.say("blue", "green", [say])
        pair.run_for(1)
        asyncio.run(run(pair))
        for line_id in (pair.line_id, other):
            assert len(pair.blue.core.lines[line_id].book.picture) == 0


def test_turn_that_breaks_off_stops_the_node_before_it_receipts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A planted defect: the machine has taken the entry, and the book fails over it."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    async def run(pair: NodePair, body: bytes) -> None:
        async with runtime_of(pair) as runtime:
            running = asyncio.create_task(runtime.run())
            await asyncio.sleep(0)
            with pytest.raises(BrokenTurnError, match="ZeroDivisionError: planted"):
                await runtime.packets("red", pair.line_id, body)
            with pytest.raises(BrokenTurnError):
                await running

    with node_pair() as pair:
        pair.run_for(1)
        pair.say("red", Kind.LINE_CHECK, LineCheck(text="4821 0937"))
        body = encode_packets(pair.red.core.to_send(pair.line_id, pair.world.now))
        with monkeypatch.context() as planted:
            planted.setattr(LineBook, "take", broken)
            asyncio.run(run(pair, body))
        assert pair.line("red").machine.own_receipted != pair.line("red").machine.own_head
        # From its record it goes on as if nothing had come, and takes what comes again.
        pair.world.restart("blue")
        pair.run_for(10)
        assert "LINE_CHECK_RECEIVED" in pair.rules("blue")
        assert pair.line("red").machine.own_receipted == pair.line("red").machine.own_head


def test_disk_that_fails_in_the_middle_of_a_turn_stops_the_node_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise StoreBrokenError("reading the record failed: IOError: planted")

    async def run(pair: NodePair, body: bytes) -> None:
        async with runtime_of(pair) as runtime:
            running = asyncio.create_task(runtime.run())
            await asyncio.sleep(0)
            with pytest.raises(StoreBrokenError, match="planted"):
                await runtime.packets("red", pair.line_id, body)
            with pytest.raises(StoreBrokenError, match="planted"):
                await running

    with node_pair() as pair:
        pair.run_for(1)
        pair.say("red", Kind.LINE_CHECK, LineCheck(text="4821 0937"))
        body = encode_packets(pair.red.core.to_send(pair.line_id, pair.world.now))
        with monkeypatch.context() as planted:
            planted.setattr(LineBook, "take", broken)
            asyncio.run(run(pair, body))
        assert "Traceback" not in caplog.text
        assert "defect" not in caplog.text
        assert pair.line("red").machine.own_receipted != pair.line("red").machine.own_head


def test_saying_that_breaks_off_after_a_slot_was_taken_stops_the_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    async def run(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            running = asyncio.create_task(runtime.run())
            await asyncio.sleep(0)
            say = Say(kind=Kind.LINE_CHECK, body=LineCheck(text="4821 0937"), desk=DESKS[0])
            with pytest.raises(BrokenTurnError):
                runtime.say([(pair.line_id, [say])], pair.world.now)
            with pytest.raises(BrokenTurnError):
                await running

    with node_pair() as pair:
        monkeypatch.setattr(LineBook, "take", broken)
        asyncio.run(run(pair))
