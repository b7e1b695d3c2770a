"""What change of the own plan would end a conflict: for its own planner, found beside the node."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from test_node_runtime import PLANNER, runtime_of

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Containment, Trajectory, Waypoint
from deconflict.errors import LineStateError, NotFoundError, NotPermittedError
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.node.actor import Actor, Role
from deconflict.node.service import Node
from deconflict.node.ways_out import asking
from deconflict.node.ways_out.task import Found
from deconflict.replay.world import DESKS
from deconflict.units import TMM_PER_FOOT
from node_pair import HOUR_MS, LATAKIA, START_MS, NodePair, circle, declaration, node_pair

pytestmark = pytest.mark.timeout(120)
Work = Callable[[NodePair, Node], Awaitable[None]]


def flight(number: int, *, start_ms: int = START_MS + HOUR_MS) -> Declaration:
    """Half an hour through the place, at 20,000 ft."""
    level = 20_000 * TMM_PER_FOOT
    ends = [
        Waypoint(start_ms + at, Position.from_degrees(35.4, lon), level)
        for at, lon in ((0, 35.5), (HOUR_MS // 2, 36.3))
    ]
    shape = Trajectory(AltitudeReference.AMSL, tuple(ends), Containment(100_000, 1_000_000, 10_000))
    return Declaration(f"{number:032x}", Purpose.FLIGHT, shape)


def asked(work: Work, *said: tuple[str, Declaration]) -> None:
    async def run(pair: NodePair) -> None:
        async with runtime_of(pair) as runtime:
            await work(pair, Node(pair.blue.core, runtime, pair.blue.store))

    with node_pair() as pair:
        for party, declared in said:
            pair.declare(party, declared)
        pair.run_for(1)
        asyncio.run(run(pair))


def test_each_way_out_ends_the_conflict_and_the_peer_learns_nothing() -> None:
    async def work(pair: NodePair, node: Node) -> None:
        before = pair.line("blue").machine.own_head
        (conflict,) = await node.conflicts()
        found = await node.ways_out(PLANNER, conflict.conflict_id)
        assert found.problem == ""
        assert found.declaration_id == f"{1:032x}"
        assert found.looked_at == 1
        kinds = {
            (bool(one.shift_s), bool(one.level_m), bool(one.offset_m)) for one in found.options
        }
        assert (False, False, True) in kinds
        later = next(one for one in found.options if one.level_m > 0)
        # With the ten seconds of its containment.
        assert later.start_utc == format_utc(START_MS + HOUR_MS - 10_000)
        assert pair.line("blue").machine.own_head == before

    asked(work, ("blue", flight(1)), ("red", declaration(2, volume=circle(feet=(19_000, 21_000)))))


def test_what_cannot_be_ended_within_the_limits_has_no_way_out() -> None:
    async def work(pair: NodePair, node: Node) -> None:
        (conflict,) = await node.conflicts()
        found = await node.ways_out(PLANNER, conflict.conflict_id)
        assert (found.options, found.problem, found.under_way) == ((), "", False)

    wide = circle(radius_m=200_000, feet=(0, 60_000), end_ms=START_MS + 9 * HOUR_MS)
    asked(work, ("blue", flight(1)), ("red", declaration(2, volume=wide)))


def test_what_is_under_way_is_not_changed() -> None:
    async def work(pair: NodePair, node: Node) -> None:
        (conflict,) = await node.conflicts()
        assert (await node.ways_out(PLANNER, conflict.conflict_id)).under_way

    begun = circle(at=LATAKIA, start_ms=START_MS, end_ms=START_MS + HOUR_MS)
    asked(
        work,
        ("blue", declaration(1, volume=begun)),
        ("red", declaration(2, volume=circle(start_ms=START_MS))),
    )


def test_a_search_that_does_not_end_is_ended_and_one_runs_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work(pair: NodePair, node: Node) -> None:
        (conflict,) = await node.conflicts()
        monkeypatch.setattr(asking, "_LONGEST_S", 0.01)
        found = await node.ways_out(PLANNER, conflict.conflict_id)
        assert "said nothing" in found.problem
        assert found.options == ()
        going = asyncio.Event()

        async def slow(_task: object) -> Found:
            await going.wait()
            return Found()

        monkeypatch.setattr(asking, "_searched", slow)
        first = asyncio.create_task(node.ways_out(PLANNER, conflict.conflict_id))
        await asyncio.sleep(0)
        with pytest.raises(LineStateError, match="another search"):
            await node.ways_out(PLANNER, conflict.conflict_id)
        going.set()
        await first

    asked(work, ("blue", declaration(1)), ("red", declaration(2)))


def test_who_may_not_check_and_a_conflict_that_is_none_are_refused() -> None:
    async def work(pair: NodePair, node: Node) -> None:
        auditor = Actor("auditor", frozenset({Role.AUDITOR}), DESKS[0])
        with pytest.raises(NotPermittedError):
            await node.ways_out(auditor, "0" * 16)
        with pytest.raises(NotFoundError):
            await node.ways_out(PLANNER, "0" * 16)

    asked(work)
