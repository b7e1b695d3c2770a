"""A readback beside what was declared: each field, and the same differences as the machine's."""

import asyncio
import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from test_node_runtime import PLANNER, runtime_of

from deconflict.airspace.landmark import Landmark
from deconflict.errors import InvalidInputError, NotFoundError
from deconflict.messages.bodies import Readback
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.readback import ReadbackValues, compare_readback, readback_of
from deconflict.messages.wire_form import write_form
from deconflict.node.service import Node
from node_pair import LATAKIA, NodePair, declaration, node_pair, query

DECLARED = declaration(1)


def right(pair: NodePair) -> ReadbackValues:
    terms = pair.line("blue").book.terms
    assert terms is not None
    return readback_of(DECLARED, landmarks_of(terms))


def asked(work: Callable[[NodePair, Node, str], Any]) -> None:
    async def run(pair: NodePair, message: str) -> None:
        async with runtime_of(pair) as runtime:
            await work(pair, Node(pair.blue.core, runtime, pair.blue.store), message)

    with node_pair(landmarks=[Landmark("mast", LATAKIA)]) as pair:
        (message,) = pair.declare("red", DECLARED)
        pair.run_for(1)
        asyncio.run(run(pair, message))


def test_every_field_stands_beside_what_was_declared() -> None:
    async def work(pair: NodePair, node: Node, message: str) -> None:
        values = right(pair)
        rows = await node.try_readback(PLANNER, message, write_form(values))
        assert [row.field for row in rows] == list(ReadbackValues.__struct_fields__)
        assert all(row.difference is None and row.sent == row.read_back for row in rows)
        assert len({row.name for row in rows}) == len(rows)
        for language, letters in (("ru", "[а-я]"), ("ar", "[ء-ي]")):
            reader = dataclasses.replace(PLANNER, language=language)
            found = await node.try_readback(reader, message, write_form(values))
            assert all(re.search(letters, row.name) for row in found)

    asked(work)


def test_what_differs_is_what_the_machine_finds_to_differ() -> None:
    async def work(pair: NodePair, node: Node, message: str) -> None:
        terms = pair.line("blue").book.terms
        assert terms is not None
        values = replace(right(pair), parts=4, lower_tmm=9_000_000)
        rows = await node.try_readback(PLANNER, message, write_form(values))
        machine = compare_readback(
            DECLARED, values, landmarks=landmarks_of(terms), tolerances=terms.readback
        )
        assert {row.field for row in rows if row.difference} == {each.field for each in machine}
        assert {each.field for each in machine} == {"parts", "lower_tmm"}

    asked(work)


def test_without_a_landmark_distance_and_bearing_are_not_called_the_same() -> None:
    async def work(pair: NodePair, node: Node, message: str) -> None:
        values = right(pair)
        assert values.landmark is not None
        without = replace(values, landmark=None, distance_mm=None, bearing_ddeg=None)
        rows = {r.field: r for r in await node.try_readback(PLANNER, message, write_form(without))}
        assert rows["landmark"].difference
        assert [field for field, row in rows.items() if not row.compared] == [
            "distance_mm",
            "bearing_ddeg",
        ]

    asked(work)


def test_a_readback_of_the_record_is_shown_as_it_was_said() -> None:
    async def work(pair: NodePair, node: Node, message: str) -> None:
        values = replace(right(pair), parts=4)
        said = pair.say("blue", Kind.READBACK, Readback(values=values), ref=message)
        pair.run_for(1)
        rows = await node.compared_readback(PLANNER, said)
        assert [row.field for row in rows if row.difference] == ["parts"]
        with pytest.raises(InvalidInputError, match="no readback"):
            await node.compared_readback(PLANNER, message)

    asked(work)


def test_what_declares_nothing_is_not_read_back() -> None:
    async def work(pair: NodePair, node: Node, message: str) -> None:
        values = write_form(right(pair))
        asked_of = pair.say("red", Kind.QUERY, query())
        pair.run_for(1)
        with pytest.raises(InvalidInputError, match="declares nothing"):
            await node.try_readback(PLANNER, asked_of, values)
        with pytest.raises(NotFoundError):
            await node.try_readback(PLANNER, "0" * 64, values)
        with pytest.raises(InvalidInputError):
            await node.try_readback(PLANNER, message, {"purpose": "FLIGHT"})

    asked(work)
