"""How a running node's desk holds an exercise (R9); whom its declarations do not reach (R26)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from test_node_recipients import node_of
from test_node_runtime import runtime_of

from deconflict.airspace.instant import TimeSpan, format_utc
from deconflict.errors import (
    InvalidDocumentError,
    InvalidInputError,
    LineStateError,
    NotPermittedError,
)
from deconflict.line.precedence import Precedence
from deconflict.messages.bodies import Declared
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import ThirdParty
from deconflict.node.actor import Actor, Role
from deconflict.node.own_activity import Activity
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from node_pair import HOUR_MS, LATAKIA, START_MS, NodePair, circle, declaration, node_pair
from three_parties import Three

WATCH = Actor("watch", frozenset({Role.WATCH_OFFICER}), DESKS[0])
WRITER = Actor("writer", frozenset({Role.RELEASING_OFFICER}), DESKS[0])
SECOND = Actor("second", frozenset({Role.RELEASING_OFFICER}), DESKS[0])
AUDITOR = Actor("auditor", frozenset({Role.AUDITOR}), DESKS[0])
CHECK = {"text": "4711 0815"}

Run = Callable[[NodePair, Node], Awaitable[None]]


def run(test: Run, *, persons: int = 1, **terms: Any) -> None:
    async def inside(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            await test(
                pair, Node(pair.blue.core, runtime, pair.blue.store, release_persons=persons)
            )

    with node_pair(**terms) as pair:
        pair.run_for(1)
        asyncio.run(inside(pair))


def in_ms(pair: NodePair | Three, after_ms: int = HOUR_MS) -> str:
    return format_utc(pair.world.now.utc_ms + after_ms)


def test_where_none_lasts_the_peer_is_named_and_not_an_id() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(LineStateError, match="no exercise lasts on the line with red"):
            await node.end_drill(WATCH, line=pair.line_id)

    run(test)


def test_begun_and_ended_it_is_said_to_the_peer_and_shown() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        (begun,) = await node.begin_drill(WATCH, in_ms(pair))
        assert (begun.peer, begun.until_utc, begun.announced) == ("red", in_ms(pair), True)
        assert node.exercises() == (begun,)
        assert node.node().drill
        assert node.line("red").drill_until_utc == begun.until_utc
        posted = await node.send(WATCH, "red", Kind.LINE_CHECK, CHECK)
        assert (await node.message(posted.hash)).drill
        real = await node.send(WATCH, "red", Kind.LINE_CHECK, CHECK, drill=False)
        assert not (await node.message(real.hash)).drill
        await node.end_drill(WATCH)
        assert node.exercises() == ()
        assert not node.node().drill
        said = await node.messages("red", outgoing=True)
        kinds = [(each.kind, each.drill) for each in said]
        assert [kind for kind in kinds if kind[0].startswith("DRILL")] == [
            ("DRILL_BEGIN", True),
            ("DRILL_END", True),
        ]
        report = await node.drill_report("red")
        assert [message.kind for message in report.messages][:2] == ["DRILL_BEGIN", "LINE_CHECK"]

    run(test)


def test_exercise_ends_also_where_nothing_can_be_said() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        await node.begin_drill(WATCH, in_ms(pair))
        pair.blue.core.shortage = frozenset(Precedence)
        before = len(await node.messages("red"))
        await node.end_drill(WATCH)
        assert node.exercises() == ()
        assert len(await node.messages("red")) == before

    run(test)


def test_unannounced_says_nothing_to_the_peer() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        before = len(await node.messages("red"))
        (begun,) = await node.begin_drill(WATCH, in_ms(pair), announced=False)
        assert not begun.announced
        await node.end_drill(WATCH, line="red")
        assert len(await node.messages("red")) == before

    run(test)


def test_who_may_not_send_begins_and_ends_none() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(NotPermittedError):
            await node.begin_drill(AUDITOR, in_ms(pair))
        await node.begin_drill(WATCH, in_ms(pair))
        with pytest.raises(NotPermittedError):
            await node.end_drill(AUDITOR)
        assert len(node.exercises()) == 1

    run(test)


def test_announcement_is_not_sent_one_by_one() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(InvalidInputError, match="not sent one by one"):
            await node.send(WATCH, "red", Kind.DRILL_BEGIN, {"until_utc": in_ms(pair)})
        with pytest.raises(LineStateError, match="no exercise was held"):
            await node.drill_report("red")

    run(test)


def test_what_was_written_in_an_exercise_is_released_as_exercise() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        await node.begin_drill(WATCH, in_ms(pair))
        (posted,) = await node.declare(WRITER, [declaration(1)], lines=None)
        (held,) = node.held()
        assert held.messages[0].drill
        await node.end_drill(WATCH)
        (said,) = await node.release(SECOND, str(posted.held_id))
        assert (await node.message(said.hash)).drill
        (later,) = await node.declare(WRITER, [declaration(2)], lines=None)
        (said,) = await node.release(SECOND, str(later.held_id))
        assert not (await node.message(said.hash)).drill

    run(test, persons=2)


def test_update_and_cancel_of_a_real_declaration_stay_real_amid_an_exercise() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        await node.declare(WRITER, [declaration(1)], lines=None)
        await node.begin_drill(WATCH, in_ms(pair))
        (update,) = await node.update(WRITER, declaration(1), lines=None)
        (cancel,) = await node.cancel(WRITER, f"{1:032x}")
        for posted in (update, cancel):
            assert not (await node.message(posted.hash)).drill
        with pytest.raises(InvalidDocumentError, match="cannot change or answer what is real"):
            await node.send(WATCH, "red", Kind.ACCOUNT, ACCOUNT, ref=update.hash, drill=True)

    run(test)


ACCOUNT = {"event": "pass", "fields": {"aircraft": 1}}


def test_declaration_is_exercise_on_every_line_or_on_none() -> None:
    async def test(three: Three) -> None:
        async with node_of(three) as node:
            await node.begin_drill(WATCH, in_ms(three), line="red")
            with pytest.raises(LineStateError, match="some of these lines"):
                await node.declare(WRITER, [declaration(1)], lines=None)
            posted = await node.declare(WRITER, [declaration(1)], lines=None, drill=False)
            assert [(await node.message(each.hash)).drill for each in posted] == [False, False]
            (drilled,) = await node.declare(WRITER, [declaration(2)], lines=["red"])
            (real,) = await node.declare(WRITER, [declaration(3)], lines=["green"])
            assert (await node.message(drilled.hash)).drill
            assert not (await node.message(real.hash)).drill
            (further,) = await node.tell(WRITER, f"{3:032x}", lines=["red"])
            assert not (await node.message(further.hash)).drill

    three = Three()
    try:
        asyncio.run(test(three))
    finally:
        three.world.close()


def test_drilled_notice_covers_no_real_activity() -> None:
    area = circle(start_ms=START_MS, end_ms=START_MS + HOUR_MS)
    ours = Activity("ours", LATAKIA, TimeSpan(START_MS, START_MS + HOUR_MS))
    for drill in (True, False):
        with node_pair() as pair:
            body = Declared.of(declaration(1, Purpose.ACTIVITY, area))
            pair.say("blue", Kind.NOTIFY, body, drill=drill)
            pair.act("blue", ours)
            pair.run_for(2)
            told = [each for each in pair.rules("blue") if each.startswith("ACT_")]
            assert bool(told) is drill, pair.rules("blue")


def test_parties_without_a_line_are_named_at_the_line_and_the_declaration() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        assert node.line("red").without_line == ("cedar",)
        (posted,) = await node.declare(WRITER, [declaration(1)], lines=None)
        assert any("cedar" in warning for warning in posted.warnings)
        (declared,) = node.declarations()
        assert declared.not_reached == ("cedar",)

    run(test, third_parties=[ThirdParty("cedar", None)])


def test_party_with_a_line_of_its_own_is_not_named() -> None:
    async def test(three: Three) -> None:
        async with node_of(three) as node:
            assert node.line("green").without_line == ("cedar",)
            (_,) = await node.declare(WRITER, [declaration(1)], lines=["green"])
            (declared,) = node.declarations()
            assert declared.not_reached == ("red", "cedar")
            await node.tell(WRITER, f"{1:032x}", lines=["red"])
            (declared,) = node.declarations()
            assert declared.not_reached == ("cedar",)

    three = Three(third_parties=[ThirdParty("red", None), ThirdParty("cedar", None)])
    try:
        asyncio.run(test(three))
    finally:
        three.world.close()
