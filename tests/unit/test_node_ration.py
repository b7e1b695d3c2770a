"""A peer that says more than its ration is heard at its ration, and keeps no other waiting."""

import asyncio
import random

import pytest
from test_node_runtime import runtime_of

from deconflict.line.packets import (
    Answer,
    Packet,
    Question,
    Role,
    SealedEnvelope,
    Want,
    decode_packets,
    encode_packets,
)
from deconflict.messages.bodies import LineCheck
from deconflict.messages.kinds import Kind
from deconflict.node.ration import SAVED_UP, UNITS_PER_S, Ration, cost_of, cost_of_body
from line_talk import LINE, talk
from node_pair import node_pair


def small(count: int) -> list[Packet]:
    return [Want(LINE, "a5" * 16, 1, 1)] * count


@pytest.mark.parametrize("seed", range(20))
def test_a_peer_never_gets_more_than_its_ration_and_nearly_all_of_it(seed: int) -> None:
    draw = random.Random(seed)
    now_ms = begun_ms = 1_000
    ration = Ration(now_ms, per_s=7, saved_up=20)
    taken = 0
    while now_ms < 60_000:
        taken += sum(map(len, ration.parts(small(draw.randrange(30)), now_ms)))
        assert taken * 1_000 <= 20_000 + (now_ms - begun_ms) * 7
        now_ms += draw.randrange(300)
    assert taken > 7 * 59 * 0.95


def test_who_waits_as_long_as_told_gets_one_more() -> None:
    ration = Ration(0, per_s=7, saved_up=3)
    assert [len(part) for part in ration.parts(small(9), 0)] == [3]
    wait_ms = ration.wait_ms(0)
    assert ration.parts(small(1), wait_ms - 1) == []
    assert ration.wait_ms(wait_ms) == 0
    assert [len(part) for part in ration.parts(small(1), wait_ms)] == [1]


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    ration = Ration(5_000, per_s=7, saved_up=3)
    ration.use(3)
    assert ration.wait_ms(0) > 0
    assert ration.wait_ms(5_000) > 0


def test_large_packets_cost_more_are_fewer_and_take_turns_of_their_own() -> None:
    blue, _ = talk()
    large = blue.say(body={"text": "x" * 60_000})
    assert cost_of(large) == 15
    ration = Ration(0, per_s=1, saved_up=40)
    assert [len(part) for part in ration.parts([large] * 9, 0)] == [2, 1]
    assert ration.wait_ms(0) == 6_000  # five are owed, and one is to be there


def test_a_body_of_many_bytes_is_paid_for_before_it_is_read() -> None:
    ration = Ration(0, per_s=250, saved_up=100)
    ration.use(cost_of_body(8 * 1024 * 1024))
    assert ration.wait_ms(0) == 632  # 257 units were used of 100, and one is to be there


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
                # The next request counts as one, so that two of the five are looked at.
                runtime._ration_of("red").use(SAVED_UP - 3)
                answer = await runtime.packets("red", pair.line_id, encode_packets(said))
                assert decode_packets(answer)
                assert peer_chain.peer_logged is not None
                assert peer_chain.peer_logged.seq == before + 2
                pair.world.run_for(1)
                assert peer_chain.peer_logged.seq == before + 5

    asyncio.run(run())


def questions(line_id: str, count: int) -> list[Packet]:
    return [Question(line_id, Role.AUTHOR, f"{number:032x}", None) for number in range(count)]


def test_a_request_of_a_thousand_questions_is_answered_once() -> None:
    """Each answer is up to a megabyte, and all of them would be one step of the node."""

    async def run() -> None:
        with node_pair() as pair:
            pair.run_for(1)
            for number in range(3):
                pair.say("red", Kind.LINE_CHECK, LineCheck(text=f"{number:04d}"))
            pair.run_for(1)
            packets = encode_packets(questions(pair.line_id, 1_000))
            async with runtime_of(pair) as runtime:
                answers = decode_packets(await runtime.packets("red", pair.line_id, packets))
            (answer,) = answers
            assert isinstance(answer, Answer)
            assert answer.nonce == f"{0:032x}"
            assert len(answer.entries) >= 3

    asyncio.run(run())


def test_a_question_costs_more_than_another_packet_for_what_is_read_to_answer_it() -> None:
    ration = Ration(0, per_s=1, saved_up=20)
    asked = ration.parts(questions(LINE, 100), 0)
    assert sum(map(len, asked)) == 5
    assert ration.wait_ms(0) > 0


def test_a_peer_that_used_up_its_ration_waits_and_another_does_not() -> None:
    async def run() -> None:
        with node_pair() as pair:
            pair.run_for(1)
            async with runtime_of(pair) as runtime:
                runtime._ration_of("red").use(SAVED_UP)
                waiting = asyncio.create_task(runtime._within_ration("red", 0))
                await asyncio.sleep(2 / UNITS_PER_S)
                assert not waiting.done()
                async with asyncio.timeout(1):
                    await runtime._within_ration("green", 0)
                waiting.cancel()

    asyncio.run(run())
