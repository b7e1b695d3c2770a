"""Two persons release what a party declares (R43): one writes, another looks and releases."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

import pytest
from test_node_runtime import runtime_of

from deconflict.errors import LineStateError, NotFoundError, NotPermittedError
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import terms_to_wire
from deconflict.node.actor import Actor, Role
from deconflict.node.held import NOTE
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from deconflict.store.base import Batch
from node_pair import START_MS, NodePair, circle, declaration, node_pair

WRITER = Actor("writer", frozenset({Role.RELEASING_OFFICER}), DESKS[0])
SECOND = Actor("second", frozenset({Role.RELEASING_OFFICER}), DESKS[0])
WATCH = Actor("watch", frozenset({Role.WATCH_OFFICER}), DESKS[0])
AUDITOR = Actor("auditor", frozenset({Role.AUDITOR}), DESKS[0])

Run = Callable[[NodePair, Node], Awaitable[None]]


def run(test: Run, *, persons: int = 2) -> None:
    async def inside(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            await test(
                pair, Node(pair.blue.core, runtime, pair.blue.store, release_persons=persons)
            )

    with node_pair() as pair:
        pair.run_for(1)
        asyncio.run(inside(pair))


def said(pair: NodePair) -> int:
    point = pair.blue.core.lines[pair.line_id].machine.own_head
    return 0 if point is None else point.seq


def test_what_one_person_writes_is_held_and_nothing_of_it_is_said() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        before = said(pair)
        (posted,) = await node.declare(WRITER, [declaration(1)], lines=None)
        assert (posted.state, posted.hash) == ("HELD", "")
        assert said(pair) == before
        assert node.declarations() == ()
        (held,) = node.held()
        assert held.held_id == posted.held_id
        assert held.written_by == "writer"
        assert "FLIGHT" in str(held.messages[0].body)
        assert held.messages[0].text

    run(test)


def test_a_second_person_releases_it_and_it_is_said_once() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        held_id = (await node.declare(WRITER, [declaration(1), declaration(2)], lines=None))[0]
        posted = await node.release(SECOND, str(held_id.held_id))
        assert [one.kind for one in posted] == ["NOTIFY", "NOTIFY"]
        assert all(one.hash for one in posted)
        assert len(node.declarations()) == 2
        assert node.held() == ()
        with pytest.raises(NotFoundError, match="nothing is held"):
            await node.release(SECOND, str(held_id.held_id))

    run(test)


def test_short_notice_is_told_to_who_writes_and_to_who_releases_before_it_is_sent() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        soon = circle(start_ms=START_MS + 60_000)
        (posted,) = await node.declare(WRITER, [declaration(1, volume=soon)], lines=None)
        (held,) = node.held()
        assert any("LEAD TIME SHORT" in warning for warning in posted.warnings), posted
        assert held.messages[0].warnings == posted.warnings
        (released,) = await node.release(SECOND, str(posted.held_id))
        assert set(posted.warnings) <= set(released.warnings)
        (posted,) = await node.declare(WRITER, [declaration(2)], lines=None)
        assert posted.warnings == ()

    run(test)


@pytest.mark.parametrize("who", [WRITER, WATCH, AUDITOR])
def test_who_wrote_it_or_may_not_say_it_cannot_release_it(who: Actor) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (posted,) = await node.declare(WRITER, [declaration(1)], lines=None)
        before = said(pair)
        with pytest.raises(NotPermittedError):
            await node.release(who, str(posted.held_id))
        assert said(pair) == before
        assert len(node.held()) == 1

    run(test)


def test_one_person_says_safety_and_queries_alone() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        body = {"text": "4821 0937"}
        posted = await node.send(WATCH, pair.line_id, "LINE_CHECK", body)
        assert posted.hash
        assert node.held() == ()

    run(test)


def test_what_changed_since_is_refused_at_its_release_and_stays_held() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (first,) = await node.declare(WRITER, [declaration(1)], lines=None)
        await node.release(SECOND, str(first.held_id))
        above = declaration(1, volume=circle(feet=(40_000, 45_000)))
        below = declaration(1, volume=circle(feet=(1_000, 2_000)))
        (one,) = await node.update(WRITER, above, lines=None)
        (other,) = await node.update(WRITER, below, lines=None)
        (cancel,) = await node.cancel(WRITER, above.declaration_id)
        await node.release(SECOND, str(one.held_id))
        for stale in (other, cancel):
            with pytest.raises(LineStateError, match="changed or ended since"):
                await node.release(SECOND, str(stale.held_id))
        assert len(node.held()) == 2
        await node.withdraw(WRITER, str(other.held_id))
        assert [held.held_id for held in node.held()] == [cancel.held_id]

    run(test)


def test_two_drafts_of_one_declaration_are_not_both_declared() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (one,) = await node.declare(WRITER, [declaration(1)], lines=None)
        (other,) = await node.declare(SECOND, [declaration(1)], lines=None)
        await node.release(SECOND, str(one.held_id))
        with pytest.raises(LineStateError, match="changed or ended since"):
            await node.release(WRITER, str(other.held_id))

    run(test)


def test_what_is_over_by_the_time_it_is_released_is_not_said() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        soon = circle(start_ms=START_MS + 10_000, end_ms=START_MS + 30_000)
        (posted,) = await node.declare(WRITER, [declaration(1, volume=soon)], lines=None)
        pair.run_for(60)
        before = said(pair)
        with pytest.raises(LineStateError, match="is over"):
            await node.release(SECOND, str(posted.held_id))
        assert said(pair) == before

    run(test)


def test_what_is_held_outlives_the_node() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (posted,) = await node.declare(WRITER, [declaration(1)], lines=None)
        (gone,) = await node.declare(WRITER, [declaration(2)], lines=None)
        await node.withdraw(SECOND, str(gone.held_id))
        async with runtime_of(pair) as runtime:
            again = Node(pair.blue.core, runtime, pair.blue.store, release_persons=2)
            (held,) = again.held()
            assert held.held_id == posted.held_id
            assert (await again.release(SECOND, held.held_id))[0].kind == "NOTIFY"

    run(test)


def test_terms_are_signed_when_they_are_released_not_before() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        in_force = node.terms(pair.line_id)
        assert in_force.agreed is not None
        wire = {
            **in_force.agreed,
            "version": in_force.agreed["version"] + 1,
            "replaces": in_force.agreed_hash,
        }
        posted = await node.propose_terms(WRITER, pair.line_id, wire)
        assert posted.state == "HELD"
        (held,) = node.held()
        assert set(held.messages[0].body) == {"terms"}
        (released,) = await node.release(SECOND, held.held_id)
        assert released.kind == Kind.TERMS_PROPOSE
        assert node.terms(pair.line_id).state == "PROPOSED_BY_US"
        line = pair.blue.core.lines[pair.line_id]
        assert line.book.proposal is not None
        assert terms_to_wire(line.book.proposal.terms) == wire

    run(test)


def test_a_party_that_wants_one_person_holds_nothing() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (posted,) = await node.declare(WRITER, [declaration(1)], lines=None)
        assert posted.hash
        assert node.held() == ()

    run(test, persons=1)


def test_only_who_may_say_it_withdraws_it() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (posted,) = await node.declare(WRITER, [declaration(1)], lines=None)
        for who in (WATCH, AUDITOR):
            with pytest.raises(NotPermittedError):
                await node.withdraw(who, str(posted.held_id))
        await node.withdraw(SECOND, str(posted.held_id))
        assert node.held() == ()

    run(test)


def test_what_is_said_and_that_it_is_held_no_more_become_durable_together() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (posted,) = await node.declare(WRITER, [declaration(1)], lines=None)
        batches = []
        submit = node._runtime._writer.submit

        def recorded(batch: Batch) -> "Future[None]":
            batches.append(batch)
            return submit(batch)

        node._runtime._writer.submit = recorded  # type: ignore[method-assign]
        await node.release(SECOND, str(posted.held_id))
        (whole,) = [batch for batch in batches if batch.entries]
        assert [(note.key, note.value) for note in whole.notes if note.key.startswith(NOTE)] == [
            (f"{NOTE}{posted.held_id}", None)
        ]

    run(test)
