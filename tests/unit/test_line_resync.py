"""What is asked and answered where a record may be old, and what a false answer can do: nothing."""

import random

import pytest

from deconflict.errors import (
    BadSignatureError,
    BrokenChainError,
    ForkedChainError,
    InvalidDocumentError,
    LineStateError,
    UnknownKeyError,
)
from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.incoming import Outcome
from deconflict.line.machine import LineMachine, Restored
from deconflict.line.packets import Answer, Question, Role, decode_packets, encode_packets
from deconflict.line.resync import WHOLE, MuteReason, Silence, lacking, lacks_heard, last_shared
from deconflict.line.statement import ChainPoint
from line_talk import RULES, End, at, draft, end, identity, restored, talk

MUTE = Silence(mute=True, deaf=True, reason=MuteReason.RECORD_BEHIND)


class Held:
    """A chain as its holder reads it: here, simply all of it."""

    def __init__(self, entries: list[SealedEnvelope]) -> None:
        self._entries = entries

    def holds(self, point: ChainPoint) -> bool:
        return any(sealed.hash == point.hash for sealed in self._entries)

    def after(self, point: ChainPoint | None) -> list[SealedEnvelope]:
        hashes = [sealed.hash for sealed in self._entries]
        return self._entries[0 if point is None else hashes.index(point.hash) + 1 :]


def nothing(_: ChainPoint) -> bool:
    """What a record holds that lost all of it."""
    return False


def point_of(sealed: SealedEnvelope) -> ChainPoint:
    envelope = read_envelope(sealed.data)
    return ChainPoint(envelope.epoch, envelope.seq, sealed.hash)


def said_to_red(count: int) -> tuple[End, End, list[SealedEnvelope]]:
    blue, red = talk()
    entries = [blue.say() for _ in range(count)]
    for sealed in entries:
        red.take(sealed)
    return blue, red, entries


def mute(silence: Silence = MUTE) -> LineMachine:
    """Blue, whose disk has nothing of what it said."""
    return LineMachine(
        identity=identity("blue"),
        rules=RULES,
        random_bytes=random.Random(1).randbytes,
        now=at(0),
        restored=Restored(silence=silence),
    )


def asked(machine: LineMachine, ms: int = 0) -> Question:
    question = machine.question(at(ms))
    assert question is not None
    return question


def test_a_mute_node_asks_and_the_answer_brings_back_what_it_said() -> None:
    _, red, entries = said_to_red(3)
    blue = mute()
    answer = red.machine.answer(asked(blue), at(0), chain=Held(entries), receipt=None)
    assert answer is not None
    agreed = blue.hear_held(answer, holds=nothing)
    assert agreed is not None
    assert [sealed.hash for _, sealed in agreed.held] == [one.hash for one in entries]
    assert agreed.follows is not None
    assert agreed.follows.hash == entries[-1].hash
    opening, *again = blue.reopen(agreed, (), at(0), desks=("watch", "watch"))
    assert read_envelope(opening.data).kind == "EPOCH"
    assert opening.epoch != agreed.follows.epoch
    assert not again


def test_an_epoch_that_was_used_is_opened_by_no_random_source() -> None:
    _, red, entries = said_to_red(1)
    blue = end("blue", Restored(silence=MUTE)).machine  # its random numbers are always the same
    answer = red.machine.answer(asked(blue), at(0), chain=Held(entries), receipt=None)
    assert answer is not None
    agreed = blue.hear_held(answer, holds=nothing)
    assert agreed is not None
    with pytest.raises(LineStateError, match="used before"):
        blue.reopen(agreed, (), at(0), desks=("watch", "watch"))


def test_only_the_answer_to_the_last_question_counts() -> None:
    _, red, entries = said_to_red(2)
    blue = mute()
    first = red.machine.answer(asked(blue), at(0), chain=Held(entries), receipt=None)
    asked(blue, 2_000)
    assert first is not None
    assert blue.hear_held(first, holds=nothing) is None
    assert blue.resync.mute


def test_a_mute_node_takes_no_slot_logs_nothing_and_receipts_nothing() -> None:
    blue, red = mute(), end("red")
    with pytest.raises(LineStateError, match="mute"):
        blue.prepare(blue.fitted(draft(), at(0)), at(0))
    heard = blue.hear(red.say(), at(0), stored=lambda *_: None)
    assert heard.outcome is Outcome.NOT_NOW
    assert blue.receipt_now() is None
    assert blue.transmittable(at(0)) == []


def test_a_mute_author_does_not_answer_a_listener_and_a_deaf_listener_answers_an_author() -> None:
    _, _, entries = said_to_red(1)
    blue, line = mute(), mute().identity.line_id
    listener = Question(line, Role.LISTENER, "0" * 32, None)
    author = Question(line, Role.AUTHOR, "0" * 32, None)
    assert blue.answer(listener, at(0), chain=Held(entries), receipt=None) is None
    answer = blue.answer(author, at(0), chain=Held([]), receipt=None)
    assert answer is not None
    assert answer.deaf
    assert answer.receipt is None


def test_a_deaf_listener_that_answers_an_author_asks_its_own_question_anew() -> None:
    blue = mute(Silence(deaf=True, reason=MuteReason.RECORD_BEHIND))
    question = asked(blue)
    assert question.role is Role.LISTENER
    author = Question(question.line, Role.AUTHOR, "0" * 32, None)
    blue.answer(author, at(1), chain=Held([]), receipt=None)
    late = Answer(question.line, Role.LISTENER, question.nonce, False, True, None, (), None)
    assert blue.hear_again(late, at(2), stored=lambda *_: None) is None


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        ("of another key", UnknownKeyError),
        ("altered", BadSignatureError),
        ("a gap", BrokenChainError),
        ("less than it says", BrokenChainError),
    ],
)
def test_an_answer_that_does_not_prove_itself_brings_nothing(
    lie: str, error: type[Exception]
) -> None:
    _, red, entries = said_to_red(3)
    blue = mute()
    question = asked(blue)
    answer = red.machine.answer(question, at(0), chain=Held(entries), receipt=None)
    assert answer is not None
    shown = {
        "of another key": (end("red").say(),),
        "altered": (SealedEnvelope(entries[0].data + b" ", entries[0].signature),),
        "a gap": (entries[0], entries[2]),
        "less than it says": (),
    }[lie]
    false = Answer(answer.line, answer.role, answer.nonce, False, True, answer.head, shown, None)
    with pytest.raises(error):
        blue.hear_held(false, holds=nothing)
    assert blue.resync.mute
    assert not blue.resync.closing


def test_another_message_in_an_own_slot_is_said_to_be_what_it_is() -> None:
    _, _, entries = said_to_red(1)
    envelope = read_envelope(entries[0].data)
    with pytest.raises(ForkedChainError, match="in this node's name"):
        lacking([(envelope, entries[0])], lambda *_: "f" * 64)


def test_an_author_that_opened_an_epoch_behind_less_than_was_held_falls_mute_and_asks() -> None:
    blue, _, entries = said_to_red(2)
    machine = end("blue", restored(blue)).machine
    ahead = ChainPoint(read_envelope(entries[0].data).epoch, 7, "a" * 64)
    question = Question(machine.identity.line_id, Role.LISTENER, "0" * 32, ahead)
    assert machine.answer(question, at(0), chain=Held(entries), receipt=None) is None
    assert machine.resync.silence.reason is MuteReason.EPOCH_REFUSED


def led_elsewhere() -> tuple[LineMachine, LineMachine, list[SealedEnvelope], SealedEnvelope]:
    """Blue, put back with its guard to a receipted entry that red lost, and red with the rest.

    Red was put back too, so it holds what blue opened without asking, and not what it receipted.
    """
    before, other = talk()
    lost = before.say()
    machine = end("blue", restored(before, other.take(lost))).machine
    machine.resync.silence = Silence(unasked=True, unheard=True)
    again, red = End("blue", mute(WHOLE)), end("red")
    held = [again.say(), again.say()]
    for sealed in held:
        red.take(sealed)
    return machine, red.machine, held, lost


def test_a_log_that_leads_past_what_it_receipted_is_asked_for_from_its_first_entry() -> None:
    blue, red, held, lost = led_elsewhere()
    first = asked(blue)
    assert first.after == point_of(lost)
    answer = red.answer(first, at(0), chain=Held(held), receipt=None)
    assert answer is not None
    assert not answer.begins
    assert blue.hear_held(answer, holds=point_of(lost).__eq__) is None
    second = asked(blue, 2_000)
    assert second.after is None
    whole = red.answer(second, at(2_000), chain=Held(held), receipt=None)
    assert whole is not None
    agreed = blue.hear_held(whole, holds=point_of(lost).__eq__)
    assert agreed is not None
    assert agreed.from_first
    assert agreed.follows == point_of(held[-1])
    assert last_shared(agreed, Held([lost])) is None  # so what it lost is said again
    assert last_shared(agreed, Held([held[0], lost])) == point_of(held[0])


def test_a_log_that_is_only_behind_what_it_receipted_is_not() -> None:
    blue, red, held, lost = led_elsewhere()
    answer = red.answer(asked(blue), at(0), chain=Held(held), receipt=None)
    assert answer is not None
    agreed = blue.hear_held(answer, holds=lambda _: True)
    assert agreed is not None
    assert not agreed.from_first
    assert agreed.follows == point_of(lost)  # stays in the chain, whatever the peer says now


@pytest.mark.parametrize("started", [True, False])
def test_a_deaf_peer_s_answer_changes_a_key_only_where_nobody_could_tell_it_all_again(
    started: bool,
) -> None:
    blue, _, entries = said_to_red(1)
    machine = end("blue", restored(blue)).machine
    machine.resync.silence = Silence(unasked=started, unheard=True)
    machine.resync.change_key()
    red = end("red").machine
    red.resync.silence = Silence(deaf=True, reason=MuteReason.RECORD_BEHIND)
    answer = red.answer(asked(machine), at(0), chain=Held(entries), receipt=None)
    assert answer is not None
    assert answer.deaf
    agreed = machine.hear_held(answer, holds=lambda _: True)
    assert (agreed is not None) is started
    listener = Question(machine.identity.line_id, Role.LISTENER, "0" * 32, None)
    told = machine.answer(listener, at(1), chain=Held(entries), receipt=None)
    assert (told is None) is started  # else both would wait for one another


def test_an_own_entry_that_cites_what_the_record_lacks_shows_that_it_receipted_more() -> None:
    blue, red = talk()
    heard = red.say()
    blue.take(heard)
    said = blue.say()
    envelope = read_envelope(said.data)
    assert envelope.heard == point_of(heard)
    assert lacks_heard([(envelope, said)], nothing)
    assert not lacks_heard([(envelope, said)], point_of(heard).__eq__)


def test_question_and_answer_have_one_form_each() -> None:
    _, red, entries = said_to_red(2)
    question = asked(mute())
    answer = red.machine.answer(question, at(0), chain=Held(entries), receipt=None)
    assert answer is not None
    body = encode_packets([question, answer])
    assert decode_packets(body) == [question, answer]
    for altered in (
        body.replace(b'"deaf":false', b'"deaf": false'),
        body.replace(b'"begins":true,', b""),
        body.replace(b'"role":"AUTHOR"', b'"role":"JUDGE"'),
        body.replace(question.nonce.encode(), b"0" * 31, 1),
    ):
        with pytest.raises(InvalidDocumentError):
            decode_packets(altered)
