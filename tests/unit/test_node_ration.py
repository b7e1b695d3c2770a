"""A peer that says more than its ration is heard at its ration, and keeps no other waiting."""

import asyncio
import random

import pytest
from test_node_runtime import runtime_of

from deconflict.line.packets import SealedEnvelope, decode_packets, encode_packets
from deconflict.messages.bodies import LineCheck
from deconflict.messages.kinds import Kind
from deconflict.node.ration import PACKETS_PER_S, SAVED_UP, Ration
from node_pair import node_pair


@pytest.mark.parametrize("seed", range(20))
def test_a_peer_never_gets_more_than_its_ration_and_nearly_all_of_it(seed: int) -> None:
    draw = random.Random(seed)
    now_ms = begun_ms = 1_000
    ration = Ration(now_ms, per_s=7, saved_up=20)
    taken = 0
    while now_ms < 60_000:
        taken += ration.take(draw.randrange(30), now_ms)
        assert taken * 1_000 <= 20_000 + (now_ms - begun_ms) * 7
        now_ms += draw.randrange(300)
    assert taken > 7 * 59 * 0.95


def test_who_waits_as_long_as_told_gets_one_more() -> None:
    ration = Ration(0, per_s=7, saved_up=3)
    assert ration.take(9, 0) == 3
    assert ration.take(1, 0) == 0
    wait_ms = ration.wait_ms(0)
    assert ration.take(1, wait_ms - 1) == 0
    assert ration.wait_ms(wait_ms) == 0
    assert ration.take(1, wait_ms) == 1


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    ration = Ration(5_000, per_s=7, saved_up=3)
    assert ration.take(3, 5_000) == 3
    assert ration.take(1, 0) == 0
    assert ration.take(1, 5_000) == 0


def test_packets_beyond_the_ration_are_not_looked_at_and_heard_when_said_again() -> None:
    async def run() -> None:
        with node_pair() as pair:
            pair.run_for(1)
            for number in range(5):
                pair.say("red", Kind.LINE_CHECK, LineCheck(text=f"{number:04d}"))
            packets = pair.red.core.to_send(pair.line_id, pair.world.now)
            said = [packet for packet in packets if isinstance(packet, SealedEnvelope)]
            assert len(said) == 5
            peer_chain = pair.blue.core.lines[pair.line_id].machine
            before = 0 if peer_chain.peer_logged is None else peer_chain.peer_logged.seq
            async with runtime_of(pair) as runtime:
                ration = await runtime._ration_of("red")
                left = SAVED_UP - 1
                assert ration.take(left - 3, pair.world.now.monotonic_ms) == left - 3
                # The request itself counts as one, so that two of the five are looked at.
                answer = await runtime.packets("red", pair.line_id, encode_packets(said))
                assert decode_packets(answer)
                assert peer_chain.peer_logged is not None
                assert peer_chain.peer_logged.seq == before + 2
                pair.world.run_for(1)
                assert peer_chain.peer_logged.seq == before + 5

    asyncio.run(run())


def test_a_peer_that_used_up_its_ration_waits_and_another_does_not() -> None:
    async def run() -> None:
        with node_pair() as pair:
            pair.run_for(1)
            async with runtime_of(pair) as runtime:
                ration = await runtime._ration_of("red")
                ration.take(SAVED_UP, pair.world.now.monotonic_ms)
                waiting = asyncio.create_task(runtime._ration_of("red"))
                await asyncio.sleep(2 / PACKETS_PER_S)
                assert not waiting.done()
                async with asyncio.timeout(1):
                    await runtime._ration_of("green")
                waiting.cancel()

    asyncio.run(run())
