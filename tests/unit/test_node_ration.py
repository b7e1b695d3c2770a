"""A peer that says more than its ration is heard at its ration, and keeps no other waiting."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from test_node_runtime import runtime_of

from deconflict.line.envelope import SealedEnvelope
from deconflict.line.moment import Now
from deconflict.line.packets import (
    Answer,
    Packet,
    Question,
    Role,
    Want,
    decode_packets,
    encode_packets,
)
from deconflict.messages.bodies import LineCheck
from deconflict.messages.kinds import Kind
from deconflict.node.ration import (
    SAVED_UP,
    UNITS_PER_S,
    Ration,
    cost_of_body,
    cost_of_packets,
    in_turns,
)
from deconflict.node.runtime import Runtime
from deconflict.store.writer import GroupCommitWriter
from line_talk import LINE, talk
from node_pair import NodePair, node_pair


def small(count: int) -> list[Packet]:
    return [Want(LINE, "a5" * 16, 1, 1)] * count


@pytest.mark.parametrize("seed", range(20))
def test_a_peer_never_gets_more_than_its_ration_and_nearly_all_of_it(seed: int) -> None:
    draw = random.Random(seed)
    now_ms = begun_ms = 1_000
    ration = Ration(now_ms, per_s=7, saved_up=20)
    taken = 0
    while now_ms < 60_000:
        if not ration.wait_ms(now_ms):
            said = draw.randrange(1, 30)  # what had its turn is looked at, and owed
            ration.use(cost_of_packets(small(said)))
            taken += said
        assert taken * 1_000 <= 20_000 + (now_ms - begun_ms) * 7 + 29_000
        now_ms += draw.randrange(300)
    assert taken > 7 * 59 * 0.95


def test_who_waits_as_long_as_told_gets_one_more() -> None:
    ration = Ration(0, per_s=7, saved_up=3)
    ration.use(3)
    wait_ms = ration.wait_ms(0)
    assert ration.wait_ms(wait_ms - 1) > 0
    assert ration.wait_ms(wait_ms) == 0
    ration.use(1)
    assert ration.wait_ms(wait_ms) > 0


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    ration = Ration(5_000, per_s=7, saved_up=3)
    ration.use(3)
    assert ration.wait_ms(0) > 0
    assert ration.wait_ms(5_000) > 0


def test_large_packets_cost_more_are_fewer_and_take_turns_of_their_own() -> None:
    blue, _ = talk()
    large = blue.say(body={"text": "x" * 60_000})
    assert cost_of_packets([large]) == 15
    assert [len(part) for part in in_turns([large] * 5)] == [2, 2, 1]
    assert [len(part) for part in in_turns(small(70))] == [32, 32, 6]
    assert in_turns([]) == []
    ration = Ration(0, per_s=1, saved_up=40)
    ration.use(cost_of_packets([large] * 3))
    assert ration.wait_ms(0) == 6_000  # five are owed, and one is to be there


def test_a_body_of_many_bytes_is_paid_for_before_it_is_read() -> None:
    ration = Ration(0, per_s=250, saved_up=100)
    ration.use(cost_of_body(8 * 1024 * 1024))
    assert ration.wait_ms(0) == 632  # 257 units were used of 100, and one is to be there


class RunningClock:
    """The virtual clock of a pair, going on with the machine's from now."""

    def __init__(self, pair: NodePair) -> None:
        self._pair = pair
        self._begun_s = time.monotonic()

    def now(self) -> Now:
        passed_ms = int((time.monotonic() - self._begun_s) * 1_000)
        now = self._pair.world.now
        return Now(now.utc_ms + passed_ms, now.monotonic_ms + passed_ms)


@contextmanager
def in_real_time(pair: NodePair) -> Iterator[Runtime]:
    """Blue's core under a runtime whose ration fills as time goes."""
    with GroupCommitWriter(pair.blue.store) as writer:
        yield Runtime(pair.blue.core, pair.blue.store, writer, {}, RunningClock(pair))


def sealed(pair: NodePair, count: int) -> tuple[list[Packet], Callable[[], int]]:
    """Have red say so much; return its packets, and what tells how many of them blue has."""
    pair.run_for(1)
    machine = pair.blue.core.lines[pair.line_id].machine
    before = 0 if machine.peer_logged is None else machine.peer_logged.seq
    for number in range(count):
        pair.say("red", Kind.LINE_CHECK, LineCheck(text=f"{number:04d}"))
    packets = pair.red.core.to_send(pair.line_id, pair.world.now)
    said: list[Packet] = [packet for packet in packets if isinstance(packet, SealedEnvelope)]
    assert len(said) == count, f"{len(said)} leave at once"

    def heard() -> int:
        assert machine.peer_logged is not None
        return machine.peer_logged.seq - before

    return said, heard


def test_a_request_over_the_ration_waits_in_parts_and_is_heard_whole() -> None:
    async def run() -> None:
        with node_pair() as pair:
            said, heard = sealed(pair, 100)
            with in_real_time(pair) as runtime:
                runtime._ration_of("red").use(SAVED_UP)
                answer = await runtime.packets("red", pair.line_id, encode_packets(said))
                assert decode_packets(answer)
                assert heard() == 100

    asyncio.run(run())


def test_what_would_wait_too_long_is_not_looked_at_and_heard_when_said_again() -> None:
    async def run() -> None:
        with node_pair() as pair:
            said, heard = sealed(pair, 40)
            body = encode_packets(said)
            with in_real_time(pair) as runtime:
                # The first part, of 32, is owed; there is more after a second and a half.
                runtime._rations["red"] = Ration(runtime.now().monotonic_ms, 20, saved_up=2)
                assert decode_packets(await runtime.packets("red", pair.line_id, body))
                assert heard() == 32
            pair.world.run_for(1)
            assert heard() == 40

    asyncio.run(run())


def test_a_peer_that_says_everything_again_at_once_is_heard_all_the_same() -> None:
    """As one does on three paths for a FLASH: all before it that has no receipt goes along."""

    async def run() -> None:
        with node_pair() as pair:
            said, heard = sealed(pair, 100)
            with in_real_time(pair) as runtime:
                runtime._ration_of("red").use(SAVED_UP)

                async def caller() -> None:
                    while heard() < 100:
                        rest = encode_packets(said[heard() :])
                        await runtime.packets("red", pair.line_id, rest)

                async with asyncio.timeout(5):
                    await asyncio.gather(*(caller() for _ in range(3)))

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
    assert cost_of_packets(questions(LINE, 5)) == 20
    assert [len(part) for part in in_turns(questions(LINE, 10))] == [8, 2]


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
