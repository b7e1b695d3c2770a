"""What cannot be said is refused before a slot is begun: the node goes on, its chain unchanged."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from test_node_runtime import PLANNER, runtime_of

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.geometry import Geometry
from deconflict.airspace.outline import Corridor, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Trajectory, Waypoint
from deconflict.airspace.volume import Volume
from deconflict.errors import (
    BannedWordError,
    InvalidDocumentError,
    MessageTooLongError,
    NotFoundError,
)
from deconflict.messages.bodies import LineCheck, Readback
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.readback import readback_of
from deconflict.node.core import Say
from deconflict.node.saying import ALWAYS_FITS
from deconflict.node.service import Node
from deconflict.replay.world import DESKS
from node_pair import HOUR_MS, START_MS, NodePair, circle, declaration, node_pair


def polygon(count: int) -> Geometry:
    """A comb of many vertices, far west and south so that each takes all its digits."""
    left, right = -1_799_000_000, -1_798_000_000
    ring = [Position(-800_000_000 + 7_000 * n, left) for n in range(count // 2)]
    ring += [Position(place.lat_e7, right) for place in reversed(ring)]
    band = circle()
    return (Volume(Polygon(tuple(ring)), band.band, band.span),)


def corridor(count: int) -> Geometry:
    path = tuple(Position(-800_000_000 + 7_000 * n, -1_799_000_000) for n in range(count))
    band = circle()
    return (Volume(Corridor(path, 1_000_000), band.band, band.span),)


def trajectory(count: int) -> Geometry:
    return Trajectory(
        AltitudeReference.AMSL,
        tuple(
            Waypoint(
                START_MS + HOUR_MS + n * 1_000,
                Position(-800_000_000 + 7_000 * n, -1_799_000_000),
                100_000_000,
            )
            for n in range(count)
        ),
    )


def declared(geometry: Geometry, label: str | None = None) -> Declaration:
    return Declaration(f"{7:032x}", Purpose.FLIGHT, geometry, label)


def chain_of(pair: NodePair) -> object:
    return pair.line("blue").machine.own_head


@pytest.mark.parametrize(
    ("geometry", "given"),
    [
        (polygon(3_000), "3,000 vertices"),
        (corridor(3_000), "3,000 vertices"),
        (trajectory(900), "900 waypoints"),
    ],
)
def test_declaration_longer_than_a_message_is_refused_and_the_node_goes_on(
    geometry: Geometry, given: str
) -> None:
    async def run(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store)
            short, long = declaration(1), declared(geometry)
            for refused in (
                node.declare(PLANNER, [short, long], lines=None),
                node.check(PLANNER, [short, long]),
            ):
                with pytest.raises(MessageTooLongError, match=r"^declarations\[1\]: ") as told:
                    await refused
                assert told.value.given.endswith(f" bytes, {given}")
                assert "69,632 bytes" in told.value.expected
                assert "split it" in told.value.remedy
            assert len(pair.line("blue").book.picture) == 0
            await node.declare(PLANNER, [declared((circle(),))], lines=None)
            for refused in (
                node.update(PLANNER, long, lines=None),
                node.correct(PLANNER, long, lines=None),
            ):
                with pytest.raises(MessageTooLongError):
                    await refused
            await node.update(PLANNER, declared((circle(),)), lines=None)

    with node_pair() as pair:
        asyncio.run(run(pair))
        assert len(pair.line("blue").book.picture) == 1


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        (polygon, ALWAYS_FITS["vertices"]),
        (corridor, ALWAYS_FITS["vertices"]),
        (trajectory, ALWAYS_FITS["waypoints"]),
    ],
)
def test_as_much_as_always_fits_is_said(shape: Callable[[int], Geometry], count: int) -> None:
    with node_pair() as pair:
        pair.declare("blue", declared(shape(count), "ж" * 64))
        pair.run_for(2)
        assert pair.line("red").book.picture.get(f"blue/{7:032x}") is not None


@pytest.mark.parametrize(
    "more",
    [
        {"desk": "no desk"},
        {"to_desk": "no\ndesk"},
        {"release": "everybody"},
        {"lang": "english, please"},
        {"answer_within_ms": -1},
        {"expires_after_ms": 2**60},
        {"ref": "not a hash"},
    ],
)
def test_field_that_no_envelope_has_is_refused_before_a_slot(more: dict[str, object]) -> None:
    with node_pair() as pair:
        before = chain_of(pair)
        fields: dict[str, Any] = {"desk": DESKS[0], **more}
        say = Say(kind=Kind.LINE_CHECK, body=LineCheck(text="4821"), **fields)
        with pytest.raises((InvalidDocumentError, NotFoundError)):
            pair.world.say("blue", "red", [say])
        assert chain_of(pair) == before
        pair.say("blue", Kind.LINE_CHECK, LineCheck(text="4821"))


def test_draft_whose_label_may_not_be_said_is_refused_as_declaring_it_is() -> None:
    async def run(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            node = Node(pair.blue.core, runtime, pair.blue.store)
            draft = declared((circle(),), "cleared to 500")
            for refused in (
                node.check(PLANNER, [draft]),
                node.declare(PLANNER, [draft], lines=None),
            ):
                with pytest.raises(BannedWordError, match=r"^declarations\[0\]: label says"):
                    await refused

    with node_pair() as pair:
        asyncio.run(run(pair))
        assert len(pair.line("blue").book.picture) == 0


def test_an_end_before_the_start_is_not_read_back() -> None:
    with node_pair() as pair:
        declared = declaration(1)
        (message,) = pair.declare("red", declared)
        pair.run_for(1)
        terms = pair.line("blue").book.terms
        assert terms is not None
        values = readback_of(declared, landmarks_of(terms))
        turned = replace(values, start_utc=values.end_utc, end_utc=values.start_utc)
        head = pair.line("blue").machine.own_head
        with pytest.raises(InvalidDocumentError, match="ends before it starts"):
            pair.say("blue", Kind.READBACK, Readback(values=turned), ref=message)
        assert pair.line("blue").machine.own_head == head
        pair.say("blue", Kind.READBACK, Readback(values=values), ref=message)
