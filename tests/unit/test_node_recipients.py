"""A declaration goes to the lines its owner chooses, at once or later (R37)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from deconflict.airspace.position import Position
from deconflict.errors import InvalidInputError, InvalidPositionError, LineStateError, NotFoundError
from deconflict.line.moment import Now
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.terms import ThirdParty
from deconflict.node.actor import Actor, Role
from deconflict.node.runtime import Runtime
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from deconflict.store.writer import GroupCommitWriter
from node_pair import circle, declaration
from three_parties import Three

PLANNER = Actor("planner", frozenset({Role.RELEASING_OFFICER}), DESKS[0])
SITE = declaration(7, Purpose.PROTECTED_SITE)

Run = Callable[[Three, Node], Awaitable[None]]


class ThreeClock:
    def __init__(self, three: Three) -> None:
        self._three = three

    def now(self) -> Now:
        return self._three.world.now


@asynccontextmanager
async def node_of(three: Three) -> AsyncIterator[Node]:
    blue = three.world.stations["blue"]
    with GroupCommitWriter(blue.store) as writer:
        runtime = Runtime(blue.core, blue.store, writer, {}, ThreeClock(three))
        yield Node(blue.core, runtime, blue.store)


def run(test: Run, **terms: Any) -> None:
    async def inside(three: Three) -> None:
        async with node_of(three) as node:
            await test(three, node)

    three = Three(**terms)
    try:
        asyncio.run(inside(three))
    finally:
        three.world.close()


def held_by(three: Three, peer: str, declared: Declaration) -> bool:
    picture = three.world.stations["blue"].line(peer).book.picture
    return picture.own_of(f"blue/{declared.declaration_id}") is not None


def test_a_protected_site_goes_to_nobody_who_is_not_named() -> None:
    async def test(three: Three, node: Node) -> None:
        with pytest.raises(InvalidInputError, match="goes to nobody who is not named"):
            await node.declare(PLANNER, [declaration(1), SITE], lines=None)
        assert node.declarations() == ()
        await node.declare(PLANNER, [SITE], lines=["green"])
        assert not held_by(three, "red", SITE)
        assert held_by(three, "green", SITE)
        await node.declare(PLANNER, [declaration(1)], lines=None)

    run(test)


def test_further_lines_are_told_what_stands_on_others() -> None:
    async def test(three: Three, node: Node) -> None:
        await node.declare(PLANNER, [declaration(1)], lines=["red"])
        moved = replace(declaration(1), geometry=(circle(radius_m=6_000),))
        await node.update(PLANNER, moved, lines=None)
        await node.tell(PLANNER, moved.declaration_id, lines=["green"])
        (view,) = node.declarations()
        assert (len(view.line_ids), view.revision) == (2, 2)
        await node.cancel(PLANNER, moved.declaration_id)
        assert node.declarations() == ()

    run(test)


def test_a_third_party_is_not_reached_until_it_is_told_over_its_own_line() -> None:
    def named(three: Three) -> list[str | None]:
        open_now = three.world.stations["blue"].core.alerts
        return [alert.object for alert in open_now if alert.rule == "THIRD_PARTY_NOT_REACHED"]

    async def test(three: Three, node: Node) -> None:
        await node.declare(PLANNER, [declaration(1)], lines=["green"])
        three.world.run_for(2)
        assert named(three) == ["cedar", "red"]
        await node.tell(PLANNER, declaration(1).declaration_id, lines=["red"])
        three.world.run_for(2)
        assert named(three) == ["cedar"]
        moved = replace(declaration(1, revision=2), geometry=(circle(radius_m=6_000),))
        await node.update(PLANNER, moved, lines=["green"])
        three.world.run_for(2)
        assert "red" in named(three)

    run(test, third_parties=[ThirdParty("cedar", None), ThirdParty("red", None)])


def test_a_third_party_told_in_an_exercise_is_not_reached_in_earnest() -> None:
    async def test(three: Three, node: Node) -> None:
        await node.declare(PLANNER, [declaration(1)], lines=["green"])
        await node.tell(PLANNER, declaration(1).declaration_id, lines=["red"], drill=True)
        three.world.run_for(2)
        rules = [alert.rule for alert in three.world.stations["blue"].core.alerts]
        assert "THIRD_PARTY_NOT_REACHED" in rules

    run(test, third_parties=[ThirdParty("red", None)])


def test_a_line_that_knows_it_is_not_told_again() -> None:
    async def test(three: Three, node: Node) -> None:
        await node.declare(PLANNER, [declaration(1)], lines=["red"])
        with pytest.raises(LineStateError, match="declared on that line already"):
            await node.tell(PLANNER, declaration(1).declaration_id, lines=["green", "red"])
        assert not held_by(three, "green", declaration(1))

    run(test)


def test_what_is_declared_nowhere_cannot_be_told() -> None:
    async def test(_: Three, node: Node) -> None:
        with pytest.raises(NotFoundError):
            await node.tell(PLANNER, declaration(1).declaration_id, lines=["green"])

    run(test)


def test_places_that_look_exchanged_to_the_new_line_are_refused() -> None:
    async def test(three: Three, node: Node) -> None:
        exchanged = declaration(1, volume=circle(at=Position.from_degrees(40.0, 35.0)))
        await node.declare(PLANNER, [exchanged], lines=["red"])
        with pytest.raises(InvalidPositionError):
            await node.tell(PLANNER, exchanged.declaration_id, lines=["green"])
        await node.tell(PLANNER, exchanged.declaration_id, lines=["green"], as_written=True)
        assert held_by(three, "green", exchanged)

    corners = ((32.0, 38.0), (38.0, 38.0), (38.0, 44.0), (32.0, 44.0))
    run(test, outline=[Position.from_degrees(*corner) for corner in corners])
