"""The Python face of the private-check kernel: what it refuses, by name, and what it never says."""

import threading
import time
from itertools import product

import pytest
from tests.oracle import sealed_twin as twin

from deconflict.errors import InvalidInputError, RefusedBatchError
from deconflict.sealed.cells import SlotCells
from deconflict.sealed.oprf import (
    Evaluation,
    Question,
    Receiver,
    Sender,
    pad_tags,
    public_key,
    salts,
)

MINE, PEERS, SSID = b"m" * 32, b"p" * 32, b"s" * 32
PER_SLOT = 2
CELLS = SlotCells.of({3: [b"0123456789", b"9876543210"], 8: [b"0123456789"]})
SENDER = Sender(PEERS, SSID)


def asked() -> Question:
    return Receiver(MINE, SSID, public_key(PEERS)).ask(CELLS, PER_SLOT)


def answered() -> Evaluation:
    return SENDER.evaluate(CELLS.slots, PER_SLOT, asked().points)


def with_point(points: bytes, place: int, point: bytes) -> bytes:
    return points[: 32 * place] + point + points[32 * (place + 1) :]


def test_one_cell_has_another_tag_in_every_slot_session_and_key() -> None:
    cells = SlotCells.of({slot: [b"0123456789"] for slot in (3, 8)})
    tags = [
        Sender(seed, ssid).tags(cells)[at : at + 12]
        for seed, ssid, at in product((MINE, PEERS), (SSID, MINE), (0, 12))
    ]
    assert len(set(tags)) == 8


def test_the_same_seed_gives_the_same_bytes_after_a_crash() -> None:
    assert asked().points == asked().points
    assert answered() == answered()
    assert asked().finalize(answered()) == asked().finalize(answered())


def test_an_empty_plan_asks_as_many_points_as_a_full_one() -> None:
    empty = SlotCells.of({3: [], 8: []})
    question = Receiver(MINE, SSID, public_key(PEERS)).ask(empty, PER_SLOT)
    assert len(question.points) == len(asked().points)
    answer = SENDER.evaluate(empty.slots, PER_SLOT, question.points)
    assert question.finalize(answer) == b""


@pytest.mark.parametrize(
    ("place", "point", "reason"),
    [
        (2, b"\xff" * 32, "NOT_CANONICAL"),
        (3, bytes(32), "IDENTITY"),
        (2, (twin.P + 2).to_bytes(32, "little"), "NOT_CANONICAL"),
        (3, (1).to_bytes(32, "little"), "NOT_CANONICAL"),
    ],
)
def test_a_point_that_is_none_is_refused_by_name_on_both_sides(
    place: int, point: bytes, reason: str
) -> None:
    answer = answered()
    with pytest.raises(RefusedBatchError) as blinded:
        SENDER.evaluate(CELLS.slots, PER_SLOT, with_point(asked().points, place, point))
    with pytest.raises(RefusedBatchError) as evaluated:
        asked().finalize(Evaluation(with_point(answer.points, place, point), answer.proofs))
    for refused in (blinded.value, evaluated.value):
        assert (refused.reason, refused.slot, refused.index) == (reason, 8, place - 2)


def test_a_point_that_stands_twice_in_a_slot_is_refused() -> None:
    points, answer = asked().points, answered()
    with pytest.raises(
        RefusedBatchError, match="slot 8, blinded point 1: the same as 0"
    ) as blinded:
        SENDER.evaluate(CELLS.slots, PER_SLOT, with_point(points, 3, points[64:96]))
    assert blinded.value.reason == "DUPLICATE"
    twice = with_point(answer.points, 3, answer.points[64:96])
    with pytest.raises(RefusedBatchError) as evaluated:
        asked().finalize(Evaluation(twice, answer.proofs))
    assert evaluated.value.reason == "DUPLICATE"


@pytest.mark.parametrize("cut", [0, 1, 31, 32, 127])
def test_another_number_of_points_is_refused(cut: int) -> None:
    with pytest.raises(RefusedBatchError) as blinded:
        SENDER.evaluate(CELLS.slots, PER_SLOT, asked().points[:cut])
    with pytest.raises(RefusedBatchError) as evaluated:
        asked().finalize(Evaluation(answered().points[:cut], answered().proofs))
    with pytest.raises(RefusedBatchError) as proofs:
        asked().finalize(Evaluation(answered().points, answered().proofs[:cut]))
    for refused in (blinded, evaluated, proofs):
        assert refused.value.reason == "WRONG_COUNT"


def test_every_flipped_bit_of_an_answer_is_refused_with_its_slot() -> None:
    question, answer = asked(), answered()
    for bit in range(8 * 32 * 4):
        altered = bytearray(answer.points)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RefusedBatchError) as refused:
            question.finalize(Evaluation(bytes(altered), answer.proofs))
        assert refused.value.slot == (3, 8)[bit // 512]
    for bit in range(8 * 64 * 2):
        altered = bytearray(answer.proofs)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RefusedBatchError) as refused:
            question.finalize(Evaluation(answer.points, bytes(altered)))
        assert refused.value.slot == (3, 8)[bit // 512]


def test_an_answer_by_another_key_is_refused() -> None:
    other = Sender(MINE, SSID).evaluate(CELLS.slots, PER_SLOT, asked().points)
    with pytest.raises(RefusedBatchError) as refused:
        asked().finalize(other)
    assert (refused.value.reason, refused.value.slot) == ("BAD_PROOF", 3)


@pytest.mark.parametrize("key", [bytes(32), b"\xff" * 32])
def test_a_key_that_is_none_is_refused(key: bytes) -> None:
    with pytest.raises(RefusedBatchError) as refused:
        Receiver(MINE, SSID, key)
    assert refused.value.reason == "BAD_KEY"


def test_more_cells_than_points_are_refused_and_never_cut() -> None:
    with pytest.raises(InvalidInputError, match="slot 3 has 2 cells and 1 points"):
        Receiver(MINE, SSID, public_key(PEERS)).ask(CELLS, 1)


@pytest.mark.parametrize("slots", [(8, 3), (3, 3), (-1, 3), (3, 2**32)])
def test_slots_out_of_order_or_range_are_refused(slots: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match="slot"):
        SENDER.evaluate(slots, PER_SLOT, asked().points)


@pytest.mark.parametrize("per_slot", [-1, 0, 65_536, 2**80])
def test_a_slot_has_1_to_65535_points(per_slot: int) -> None:
    with pytest.raises(InvalidInputError, match="1 to 65535"):
        SENDER.evaluate((3,), per_slot, b"")
    with pytest.raises(InvalidInputError, match="1 to 65535"):
        Receiver(MINE, SSID, public_key(PEERS)).ask(CELLS, per_slot)


def test_cells_of_another_length_are_refused_without_being_shown() -> None:
    with pytest.raises(InvalidInputError) as refused:
        SlotCells.of({3: [b"too short"]})
    assert "too short" not in str(refused.value)
    assert "10 bytes" in str(refused.value)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_secrets_of_another_length_are_refused_without_being_shown(length: int) -> None:
    secret = b"x" * length
    for make in (
        lambda: Sender(secret, SSID),
        lambda: Sender(PEERS, secret),
        lambda: Receiver(secret, SSID, public_key(PEERS)),
        lambda: Receiver(MINE, SSID, secret),
        lambda: public_key(secret),
        lambda: pad_tags(secret, SSID, 1),
        lambda: salts(secret, []),
    ):
        with pytest.raises(InvalidInputError) as refused:
            make()
        assert "xxx" not in str(refused.value)
        assert f"{length} bytes" in str(refused.value)


def test_nothing_shows_a_secret_by_its_repr() -> None:
    shown = repr((CELLS, SENDER, asked(), Receiver(MINE, SSID, public_key(PEERS))))
    for secret in ("mmm", "ppp", "0123456789"):
        assert secret not in shown


def test_other_threads_run_while_points_are_evaluated() -> None:
    cells = SlotCells.of({slot: [slot.to_bytes(10, "big")] for slot in range(3_000)})
    done = threading.Event()

    def work() -> None:
        SENDER.tags(cells, threads=1)
        done.set()

    worker = threading.Thread(target=work)
    worker.start()
    turns = 0
    while not done.is_set():
        time.sleep(0.001)
        turns += 1
    worker.join()
    assert turns > 3
