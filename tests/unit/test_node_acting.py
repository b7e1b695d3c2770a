"""What our own side does, entered by its watch: by whom, with what answer, and nothing is sent."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from test_node_runtime import runtime_of

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidInputError, InvalidTimeError, NotPermittedError
from deconflict.messages.declaration import Purpose
from deconflict.node.actor import Actor, Role
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from node_pair import HOUR_MS, LATAKIA, START_MS, NodePair, declaration, node_pair

WATCH = Actor("olga", frozenset({Role.WATCH_OFFICER}), DESKS[0])
TIMES = (format_utc(START_MS + HOUR_MS), format_utc(START_MS + 2 * HOUR_MS))


def run(test: Callable[[NodePair, Node], Awaitable[None]]) -> None:
    async def inside(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            await test(pair, Node(pair.blue.core, runtime, pair.blue.store))

    with node_pair() as pair:
        pair.declare("red", declaration(1, Purpose.OWN_PRESENCE))
        pair.run_for(3)
        asyncio.run(inside(pair))


def test_who_enters_it_is_told_at_once_what_it_meets_and_nothing_of_it_is_sent() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        said = len(await node.messages(pair.line_id, outgoing=True))
        made = await node.enter_activity(WATCH, LATAKIA, *TIMES, reach_mm=500_000)
        rules = [alert.rule for alert in made.alerts]
        assert rules == ["PRESENCE_OVERLAP", "ACT_DIFFERS_FROM_NOTICE"]
        assert made.alerts[0].object == f"{1:032x}"
        assert node.activities() == (made,)
        assert len(await node.messages(pair.line_id, outgoing=True)) == said
        await node.remove_activity(WATCH, made.activity_id)
        assert node.activities() == ()

    run(test)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.HUMANITARIAN_NOTIFIER, Role.CIVIL_LIAISON])
def test_who_does_not_speak_for_the_desk_enters_nothing(role: Role) -> None:
    async def test(pair: NodePair, node: Node) -> None:
        actor = Actor("anna", frozenset({role}), DESKS[0])
        with pytest.raises(NotPermittedError):
            await node.enter_activity(actor, LATAKIA, *TIMES)
        with pytest.raises(NotPermittedError):
            await node.remove_activity(actor, "00" * 16)

    run(test)


def test_what_can_be_no_activity_is_refused() -> None:
    async def test(pair: NodePair, node: Node) -> None:
        with pytest.raises(InvalidTimeError):
            await node.enter_activity(WATCH, LATAKIA, *reversed(TIMES))
        with pytest.raises(InvalidInputError):
            await node.enter_activity(WATCH, LATAKIA, *TIMES, reach_mm=0)

    run(test)
