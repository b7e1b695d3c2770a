"""A disk that fills: the least urgent is refused first; an alert passes behind what is refused."""

import random

import pytest

from deconflict.line.envelope import SealedEnvelope
from deconflict.line.incoming import REORDER_WINDOW, Outcome
from deconflict.line.precedence import Precedence
from deconflict.line.receipt import RefusalReason, open_refusal
from deconflict.line.room import FIRST_REFUSED, Shortage, shortage_that_refuses
from line_talk import End, at, talk

ROUTINE = shortage_that_refuses(Precedence.ROUTINE)
ALL = shortage_that_refuses(Precedence.IMMEDIATE)


@pytest.fixture
def blue(ends: tuple[End, End]) -> End:
    return ends[0]


@pytest.fixture
def red(ends: tuple[End, End]) -> End:
    return ends[1]


@pytest.fixture
def ends() -> tuple[End, End]:
    return talk()


def say(blue: End, precedence: Precedence, kind: str = "NOTIFY", **more: object) -> SealedEnvelope:
    return blue.say(kind, prec=precedence, **more)


def hears(
    red: End, sealed: SealedEnvelope, shortage: Shortage, ms: int = 0
) -> tuple[Outcome, list[int]]:
    heard = red.machine.hear(sealed, at(ms), stored=red.stored, shortage=shortage)
    red.logged += heard.entries
    if heard.entries:
        red.machine.logged(heard.entries, at(ms))
    return heard.outcome, [entry.envelope.seq for entry in heard.entries]


def refuse(red: End, sealed: SealedEnvelope, seq: int, after_ms: int = 30_000) -> object:
    return red.machine.refuse(
        sealed.hash,
        RefusalReason.NO_ROOM,
        epoch="b" * 32,
        seq=seq,
        repeat_after_ms=after_ms,
    )


@pytest.mark.parametrize("level", range(4))
def test_each_level_refuses_one_class_more_and_flash_never(level: int) -> None:
    shortage = frozenset(FIRST_REFUSED[:level])
    for precedence in Precedence:
        blue, red = talk()
        outcome, taken = hears(red, say(blue, precedence), shortage)
        refused = precedence in FIRST_REFUSED[:level]
        assert outcome is (Outcome.REFUSED if refused else Outcome.LOGGABLE)
        assert taken == ([] if refused else [1])
        assert red.machine.is_refused(1) == refused


def test_what_closes_an_alert_has_room_whatever_its_precedence(blue: End, red: End) -> None:
    query = red.say("QUERY")
    blue.take(query)
    answer = say(blue, Precedence.ROUTINE, "ANSWER", ref=query.hash)
    assert hears(red, answer, ALL) == (Outcome.LOGGABLE, [1])


def test_a_flash_takes_along_what_was_refused_before_it_in_the_order_of_the_chain(
    blue: End, red: End
) -> None:
    before = [say(blue, Precedence.ROUTINE) for _ in range(5)]
    assert [hears(red, sealed, ALL)[0] for sealed in before] == [Outcome.REFUSED] * 5
    assert red.machine.receipt_now() is None
    flash = say(blue, Precedence.FLASH)
    behind = say(blue, Precedence.ROUTINE)
    assert hears(red, flash, ALL) == (Outcome.LOGGABLE, [1, 2, 3, 4, 5, 6])
    assert hears(red, behind, ALL) == (Outcome.REFUSED, [])
    assert not red.machine.is_refused(6)
    assert red.machine.is_refused(7)


def test_a_flash_that_comes_first_waits_only_for_what_is_missing(blue: End, red: End) -> None:
    first, flash = say(blue, Precedence.ROUTINE), say(blue, Precedence.FLASH)
    assert hears(red, flash, ALL) == (Outcome.HELD, [])
    assert hears(red, first, ALL) == (Outcome.LOGGABLE, [1, 2])


def test_what_was_refused_is_taken_when_it_is_repeated_and_there_is_room(
    blue: End, red: End
) -> None:
    sealed = [say(blue, Precedence.ROUTINE) for _ in range(3)]
    for one in sealed:
        hears(red, one, ROUTINE)
    assert hears(red, sealed[0], frozenset()) == (Outcome.LOGGABLE, [1, 2, 3])


def test_a_gap_is_asked_for_behind_what_was_refused(blue: End, red: End) -> None:
    first, _, third = (say(blue, Precedence.ROUTINE) for _ in range(3))
    hears(red, first, ALL)
    heard = red.machine.hear(third, at(0), stored=red.stored, shortage=ALL)
    assert heard.outcome is Outcome.HELD
    assert heard.want is not None
    assert (heard.want.first, heard.want.last) == (2, 2)


def test_another_message_for_a_refused_slot_is_no_way_around_it(blue: End, red: End) -> None:
    sealed = say(blue, Precedence.ROUTINE)
    hears(red, sealed, ALL)
    assert hears(red, sealed, ALL) == (Outcome.REFUSED, [])


def test_a_refusal_names_the_slot_and_when_to_repeat(blue: End, red: End) -> None:
    sealed = say(blue, Precedence.ROUTINE)
    refusal = open_refusal(refuse(red, sealed, 1), blue.machine.identity.peer_keys)
    assert (refusal.seq, refusal.hash) == (1, sealed.hash)
    assert refusal.reason is RefusalReason.NO_ROOM
    assert refusal.repeat_after_ms == 30_000


def test_refused_message_is_kept_and_said_again_when_the_peer_said(blue: End, red: End) -> None:
    sealed = say(blue, Precedence.ROUTINE)
    blue.machine.mark_sent([sealed.hash], at(0))
    blue.machine.hear_refusal(refuse(red, sealed, 1), at(100))
    assert blue.machine.transmittable(at(30_099)) == []
    assert (blue.machine.next_deadline_ms() or 0) <= at(30_100).monotonic_ms
    assert blue.machine.peer_shortage(at(30_099)) == (ROUTINE, 1)
    assert blue.machine.transmittable(at(30_100)) == [sealed]


@pytest.mark.parametrize(
    ("asked_ms", "pause_ms"), [(0, 1_000), (2**53 - 1, 600_000)], ids=["none", "for ever"]
)
def test_a_peer_cannot_have_us_repeat_at_once_or_never(
    asked_ms: int, pause_ms: int, blue: End, red: End
) -> None:
    sealed = say(blue, Precedence.ROUTINE)
    blue.machine.mark_sent([sealed.hash], at(0))
    blue.machine.hear_refusal(refuse(red, sealed, 1, asked_ms), at(0))
    assert blue.machine.transmittable(at(pause_ms - 1)) == []
    assert blue.machine.transmittable(at(pause_ms)) == [sealed]


def test_what_is_more_urgent_leaves_at_once_and_takes_the_refused_along(
    blue: End, red: End
) -> None:
    refused = say(blue, Precedence.ROUTINE)
    blue.machine.mark_sent([refused.hash], at(0))
    blue.machine.hear_refusal(refuse(red, refused, 1), at(100))
    query = say(blue, Precedence.IMMEDIATE)
    behind = say(blue, Precedence.ROUTINE)
    assert blue.machine.transmittable(at(200)) == [refused, query]
    assert behind not in blue.machine.transmittable(at(200))


def test_a_flash_behind_more_than_a_window_of_refused_messages_arrives(blue: End, red: End) -> None:
    """The peer receipts nothing of the window, so it never moves; the FLASH goes ahead of it."""
    many = [say(blue, Precedence.ROUTINE) for _ in range(REORDER_WINDOW + 50)]
    flash = say(blue, Precedence.FLASH)
    ms = 0
    for _ in range(20):
        batch = blue.machine.transmittable(at(ms))
        blue.machine.mark_sent([sealed.hash for sealed in batch], at(ms))
        for sealed in batch:
            heard = red.machine.hear(sealed, at(ms), stored=red.stored, shortage=ALL)
            red.logged += heard.entries
            if heard.entries:
                blue.machine.hear_receipt(red.machine.logged(heard.entries, at(ms)), at(ms))
            if heard.refused is not None and red.machine.is_refused(heard.refused.seq):
                blue.machine.hear_refusal(refuse(red, sealed, heard.refused.seq), at(ms))
        ms += 100
        if red.logged and red.logged[-1].hash == flash.hash:
            break
    assert [entry.hash for entry in red.logged] == [one.hash for one in (*many, flash)]
    assert ms <= 2_000


@pytest.mark.parametrize("seed", range(30))
def test_whatever_room_there_is_the_log_is_the_chain_and_flash_is_never_left_out(seed: int) -> None:
    """Messages of every class, on a network that loses and repeats, at a disk that fills."""
    rng = random.Random(seed)
    blue, red = talk()
    said: list[SealedEnvelope] = []
    urgent = 0
    for step in range(400):
        ms = step * 50
        if step < 300 and rng.random() < 0.5:
            precedence = rng.choice(tuple(Precedence))
            if precedence not in blue.machine.peer_shortage(at(ms))[0]:
                said.append(say(blue, precedence, ms=ms))
                urgent = len(said) if precedence is Precedence.FLASH else urgent
        shortage = frozenset(FIRST_REFUSED[: rng.randrange(4) if step < 300 else 3])
        batch = blue.machine.transmittable(at(ms))
        blue.machine.mark_sent([sealed.hash for sealed in batch], at(ms))
        for sealed in batch:
            if step < 300 and rng.random() < 0.3:
                continue
            heard = red.machine.hear(sealed, at(ms), stored=red.stored, shortage=shortage)
            red.logged += heard.entries
            if heard.entries:
                receipt = red.machine.logged(heard.entries, at(ms))
                if rng.random() < 0.8:
                    blue.machine.hear_receipt(receipt, at(ms))
            elif heard.refused is not None and red.machine.is_refused(heard.refused.seq):
                blue.machine.hear_refusal(refuse(red, sealed, heard.refused.seq, 1_000), at(ms))
            elif heard.receipt is not None:
                blue.machine.hear_receipt(heard.receipt, at(ms))
        logged = [entry.hash for entry in red.logged]
        assert logged == [one.hash for one in said[: len(logged)]]
    # Five seconds and more with room for FLASH alone: every one of them has arrived.
    assert len(red.logged) >= urgent > 0
    for _ in range(3):
        for sealed in said[len(red.logged) :]:
            hears(red, sealed, frozenset())
    assert len(red.logged) == len(said)
