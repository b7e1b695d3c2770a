"""Who speaks for protected sites sees lines, own sites' threads and own warnings: nothing else."""

import pytest
from test_node_release import WATCH, run
from test_node_two_persons import NOTIFIER, SAFETY

from deconflict.errors import NotFoundError
from deconflict.messages.bodies import (
    Ack,
    AnswerWord,
    CeaseReport,
    Concern,
    Seen,
    body_to_wire,
)
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import Kind
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from node_pair import FAR, LATAKIA, NodePair, cease, circle, declaration

SITE = declaration(7, Purpose.PROTECTED_SITE, circle(at=FAR, radius_m=500))
FLIGHT = declaration(8)


async def declared(node: Node, pair: NodePair, one: Declaration) -> str:
    (posted,) = await node.declare(NOTIFIER, [one], lines=[pair.line_id])
    pair.run_for(2)
    return posted.hash


async def warned(node: Node, pair: NodePair) -> str:
    posted = await node.send(NOTIFIER, pair.line_id, "CEASE", body_to_wire(cease(at=LATAKIA)))
    pair.run_for(2)
    return posted.hash


async def kinds(node: Node) -> list[str]:
    return [message.kind for message in await node.site_messages()]


def test_a_notifier_sees_that_a_line_carries_and_not_how_much() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        pair.run_for(3)
        (line,) = node.site_lines()
        assert (line.peer, line.state, line.terms_state) == ("red", "UP", "AGREED")
        assert not hasattr(line, "own_seq")

    run(test, persons=1)


def test_a_notifier_reads_what_is_said_of_own_sites_and_of_nothing_else() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        pair.declare("blue", FLIGHT)
        site = await declared(node, pair, SITE)
        pair.say("red", Kind.SEEN, Seen(desk=DESKS[0], at_utc=pair.now_utc), ref=site)
        pair.read_back("red", SITE, site)
        other = pair.declare("red", declaration(9))
        pair.run_for(2)
        assert sorted(await kinds(node)) == ["NOTIFY", "READBACK", "READBACK_RESULT", "SEEN"]
        assert (await node.site_message(site)).state == "CLOSED"
        with pytest.raises(NotFoundError):
            await node.site_message(other[0])

    run(test, persons=1)


def test_a_concern_about_a_site_names_a_flight_so_it_is_not_shown() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        site = await declared(node, pair, SITE)
        flight = declaration(9, volume=circle(at=FAR))
        (message,) = pair.declare("red", flight)
        pair.run_for(2)
        names = (SITE.declaration_id, flight.declaration_id)
        concern = Concern(
            first=names[0], second=names[1], first_message=site, second_message=message
        )
        pair.say("red", Kind.CONCERN, concern, ref=site)
        pair.run_for(2)
        assert "CONCERN" not in await kinds(node)

    run(test, persons=1)


def test_a_notifier_sees_its_warning_what_answers_it_and_what_is_open_of_it() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        mine = await warned(node, pair)
        (alert,) = await node.site_alerts()
        assert (alert.rule, alert.subject) == ("CEASE_OPEN", mine)
        pair.say("red", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=mine)
        pair.run_for(2)
        report = CeaseReport(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("red", Kind.CEASED, report, ref=mine)
        pair.run_for(2)
        assert await kinds(node) == ["CEASE", "ACK", "CEASED"]
        assert await node.site_alerts() == ()

    run(test, persons=1)


def test_warnings_of_the_watch_and_alerts_of_flights_are_not_shown_to_a_notifier() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        pair.declare("blue", FLIGHT)
        pair.declare("red", declaration(9))
        await node.send(WATCH, pair.line_id, "SAFETY", body_to_wire(SAFETY))
        pair.run_for(30)
        assert {"CONFLICT", "NOT_SEEN"} <= set(pair.rules("blue"))
        assert await kinds(node) == []
        assert await node.site_alerts() == ()

    run(test, persons=1)


def test_a_cancelled_site_keeps_its_thread() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        await declared(node, pair, SITE)
        await node.cancel(NOTIFIER, SITE.declaration_id)
        pair.run_for(2)
        assert await kinds(node) == ["NOTIFY", "CANCEL"]

    run(test, persons=1)


def test_that_a_line_is_down_is_told_to_a_notifier() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        now_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", now_ms, now_ms + 60_000)
        pair.run_for(10)
        assert [alert.rule for alert in await node.site_alerts()] == ["LINE_DOWN"]

    run(test, persons=1)
