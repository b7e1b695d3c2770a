"""What a hostile peer tries, each by its name."""

import json

import pytest

from deconflict.errors import (
    BadSignatureError,
    BrokenChainError,
    ConfigurationError,
    ForkedChainError,
    InvalidDocumentError,
    LineStateError,
    NotCanonicalError,
    StoreDamagedError,
    UnknownKeyError,
    WeakKeyError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.canonical import canonical_bytes
from deconflict.line.delivery import DeliveryState
from deconflict.line.envelope import SealedEnvelope, read_envelope, seal_envelope
from deconflict.line.incoming import REORDER_WINDOW, EvidenceReason, Outcome
from deconflict.line.keys import CONTEXT_RECEIPT, SigningKey, VerifyKey
from deconflict.line.packets import Want
from deconflict.line.receipt import RefusalReason, SealedReceipt, read_receipt, seal_receipt
from deconflict.line.statement import Signature, statement_bytes
from line_talk import (
    BLUE,
    LINE,
    RED,
    STRANGER,
    End,
    at,
    end,
    first_keys,
    restored,
    talk,
)

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493  # RFC 8032 §5.1


def forged(sealed: SealedEnvelope, key: SigningKey = BLUE, **fields: object) -> SealedEnvelope:
    """Return another envelope like ``sealed``, with fields changed, signed by ``key``."""
    value = json.loads(sealed.data) | fields
    return seal_envelope(canonical_bytes(value), key)


@pytest.fixture
def blue() -> End:
    return end("blue")


@pytest.fixture
def red() -> End:
    return end("red")


def test_forked_slot_is_refused_with_both_envelopes_as_proof(blue: End, red: End) -> None:
    first = blue.say()
    red.take(first)
    second = forged(first, body={"text": "I never said hello"})
    with pytest.raises(ForkedChainError) as caught:
        red.hear(second)
    assert caught.value.evidence == (first, second)
    assert red.machine.peer_logged is not None
    assert red.machine.peer_logged.hash == first.hash


def test_fork_of_a_slot_accepted_but_not_yet_durable_is_refused(blue: End, red: End) -> None:
    first = blue.say()
    red.hear(first)
    with pytest.raises(ForkedChainError):
        red.hear(forged(first, drill=True))


def test_fork_of_a_slot_held_out_of_order_is_refused(blue: End, red: End) -> None:
    blue.say()
    second = blue.say()
    assert red.hear(second).outcome is Outcome.HELD
    with pytest.raises(ForkedChainError) as caught:
        red.hear(forged(second, drill=True))
    assert len(caught.value.evidence) == 2


def test_entry_after_another_past_is_refused_and_the_true_one_still_taken(
    blue: End, red: End
) -> None:
    red.take(blue.say())
    true = blue.say()
    with pytest.raises(BrokenChainError):
        red.hear(forged(true, prev="f" * 64))
    assert red.hear(true).outcome is Outcome.LOGGABLE


def test_held_entry_that_turns_out_to_follow_another_is_kept_as_evidence(
    blue: End, red: End
) -> None:
    first, second = blue.say(), blue.say()
    liar = forged(second, prev="f" * 64)
    assert red.hear(liar).outcome is Outcome.HELD
    heard = red.hear(first)
    assert [entry.sealed for entry in heard.entries] == [first]
    assert [(e.reason, e.sealed) for e in heard.evidence] == [(EvidenceReason.BROKEN_CHAIN, liar)]
    assert red.hear(second).outcome is Outcome.LOGGABLE


@pytest.mark.parametrize("place", [0, 10, 200, -1])
def test_altered_byte_is_refused_before_parsing(blue: End, red: End, place: int) -> None:
    sealed = blue.say()
    data = bytearray(sealed.data)
    data[place] ^= 1
    with pytest.raises(BadSignatureError):
        red.hear(SealedEnvelope(bytes(data), sealed.signature))


def test_bytes_that_are_no_json_are_refused_by_signature_alone(blue: End, red: End) -> None:
    with pytest.raises(BadSignatureError):
        red.hear(SealedEnvelope(b"[" * 60_000, blue.say().signature))


def test_signed_bytes_in_another_spelling_are_refused(blue: End, red: End) -> None:
    spaced = blue.say().data.replace(b'"v":1', b'"v": 1')
    with pytest.raises(NotCanonicalError):
        red.hear(seal_envelope(spaced, BLUE))


def test_signed_duplicate_key_is_refused(blue: End, red: End) -> None:
    doubled = blue.say().data.replace(b'"seq":1', b'"seq":1,"seq":1')
    with pytest.raises(InvalidDocumentError):
        red.hear(seal_envelope(doubled, BLUE))


def test_replay_on_another_line_is_refused(blue: End, red: End) -> None:
    with pytest.raises(WrongLineError):
        red.hear(forged(blue.say(), line="0" * 32))


def test_other_sender_than_the_key_is_refused(blue: End, red: End) -> None:
    with pytest.raises(WrongSenderError):
        red.hear(forged(blue.say(), **{"from": {"party": "green", "desk": "watch"}}))


def test_own_words_played_back_are_refused(blue: End) -> None:
    with pytest.raises(UnknownKeyError):
        blue.hear(blue.say())


def test_envelope_addressed_to_a_third_party_is_refused(blue: End, red: End) -> None:
    with pytest.raises(WrongLineError):
        red.hear(forged(blue.say(), to={"party": "green", "desk": "watch"}))


def test_key_that_was_never_pinned_is_refused(blue: End, red: End) -> None:
    with pytest.raises(UnknownKeyError):
        red.hear(forged(blue.say(), key=STRANGER))


def test_strangers_signature_under_a_pinned_key_id_is_refused(blue: End, red: End) -> None:
    sealed = forged(blue.say(), key=STRANGER)
    claimed = Signature("Ed25519", BLUE.key_id, sealed.signature.value)
    with pytest.raises(BadSignatureError):
        red.hear(SealedEnvelope(sealed.data, claimed))


def test_other_algorithm_is_refused(blue: End, red: End) -> None:
    sealed = blue.say()
    other = Signature("none", BLUE.key_id, sealed.signature.value)
    with pytest.raises(UnknownKeyError):
        red.hear(SealedEnvelope(sealed.data, other))


def test_signature_with_s_plus_l_is_refused(blue: End, red: End) -> None:
    sealed = blue.say()
    r, s = sealed.signature.value[:32], int.from_bytes(sealed.signature.value[32:], "little")
    doubled = r + (s + GROUP_ORDER).to_bytes(32, "little")
    with pytest.raises(BadSignatureError):
        red.hear(SealedEnvelope(sealed.data, Signature("Ed25519", BLUE.key_id, doubled)))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_signature_of_wrong_length_is_refused(blue: End, red: End, length: int) -> None:
    sealed = blue.say()
    with pytest.raises(BadSignatureError):
        red.hear(SealedEnvelope(sealed.data, Signature("Ed25519", BLUE.key_id, bytes(length))))


def test_small_order_key_never_becomes_a_key() -> None:
    with pytest.raises(WeakKeyError):
        VerifyKey(b"\x01" + bytes(31))


def test_own_key_cannot_be_pinned_as_the_peers() -> None:
    with pytest.raises(ConfigurationError):
        first_keys(LINE, "blue", "red", BLUE, BLUE.verify_key)


def test_future_epoch_is_kept_as_an_orphan_and_never_logged(blue: End, red: End) -> None:
    sealed = blue.say()
    red.take(sealed)
    orphan = forged(sealed, epoch="f" * 32, seq=2, prev=sealed.hash)
    heard = red.hear(orphan)
    assert heard.outcome is Outcome.ORPHAN
    assert heard.entries == ()
    assert [(e.reason, e.sealed) for e in heard.evidence] == [(EvidenceReason.ORPHAN_EPOCH, orphan)]


@pytest.mark.parametrize("seq", [REORDER_WINDOW + 1, 10**9, 2**53 - 1])
def test_huge_slot_number_takes_no_memory(blue: End, red: End, seq: int) -> None:
    heard = red.hear(forged(blue.say(), seq=seq))
    assert heard.outcome is Outcome.BEYOND_WINDOW
    assert heard.want == Want(LINE, read_envelope(blue.say().data).epoch, 1, REORDER_WINDOW)


def test_receipt_for_what_was_never_said_is_a_contradiction(blue: End, red: End) -> None:
    receipt = red.take(blue.say())
    lie = read_receipt(receipt.data)
    for wrong in ({"seq": 2}, {"hash": "f" * 64}, {"epoch": "f" * 32}, {"seq": 2**53 - 1}):
        value = json.loads(statement_bytes(lie)) | wrong
        data = canonical_bytes(value)
        sealed = SealedReceipt(
            data, Signature("Ed25519", RED.key_id, RED.sign(CONTEXT_RECEIPT, data))
        )
        with pytest.raises(ForkedChainError) as caught:
            blue.machine.hear_receipt(sealed, at(0))
        assert caught.value.evidence == (sealed,)
    assert blue.machine.own_receipted is None


def test_receipt_for_a_slot_not_yet_signed_is_a_contradiction(blue: End, red: End) -> None:
    receipt = read_receipt(red.take(blue.say()).data)
    entry = blue.prepare()
    value = json.loads(statement_bytes(receipt)) | {"seq": 2, "hash": entry.hash}
    data = canonical_bytes(value)
    sealed = SealedReceipt(data, Signature("Ed25519", RED.key_id, RED.sign(CONTEXT_RECEIPT, data)))
    with pytest.raises(ForkedChainError):
        blue.machine.hear_receipt(sealed, at(0))


def test_receipt_of_another_line_party_or_key_is_refused(blue: End, red: End) -> None:
    receipt = read_receipt(red.take(blue.say()).data)
    value = json.loads(statement_bytes(receipt))
    for change, key, error in (
        ({"line": "0" * 32}, RED, WrongLineError),
        ({"from": "green"}, RED, WrongSenderError),
        ({"to": "green"}, RED, WrongLineError),
        ({}, BLUE, UnknownKeyError),
    ):
        data = canonical_bytes(value | change)
        signature = Signature("Ed25519", key.key_id, key.sign(CONTEXT_RECEIPT, data))
        with pytest.raises(error):
            blue.machine.hear_receipt(SealedReceipt(data, signature), at(0))


def test_entry_that_lies_about_what_it_heard_is_logged_and_the_lie_kept(
    blue: End, red: End
) -> None:
    red.say()
    lie = {"epoch": "72" * 16, "seq": 1, "hash": "f" * 64}
    liar = forged(blue.say(), heard=lie)
    heard = red.hear(liar)
    assert heard.outcome is Outcome.LOGGABLE
    assert [(e.reason, e.sealed) for e in heard.evidence] == [(EvidenceReason.FALSE_RECEIPT, liar)]
    red.machine.logged(heard.entries, at(0))
    assert red.machine.own_receipted is None


def test_answer_to_ones_own_message_closes_nothing(blue: End, red: End) -> None:
    query = blue.say("QUERY")
    blue.say("ANSWER", ref=query.hash)
    assert blue.machine.open_alerts()[0].hash == query.hash
    assert blue.machine.open_alerts()[0].needs_answer


def test_refusal_of_what_is_receipted_changes_nothing(blue: End, red: End) -> None:
    sealed = blue.say()
    receipt = red.take(sealed)
    blue.machine.hear_receipt(receipt, at(0))
    refusal = red.machine.refuse(sealed.hash, RefusalReason.NO_ROOM)
    blue.machine.hear_refusal(refusal, at(0))
    assert blue.machine.state_of(sealed.hash).state == "LACKED"


def test_want_of_another_line_is_refused_and_of_another_epoch_ignored(blue: End) -> None:
    sealed = blue.say()
    blue.machine.mark_sent([sealed.hash], at(0))
    with pytest.raises(WrongLineError):
        blue.machine.hear_want(Want("0" * 32, "b" * 32, 1, 1), at(200))
    blue.machine.hear_want(Want(LINE, "f" * 32, 1, 1), at(200))
    assert blue.machine.transmittable(at(200)) == []


def test_no_receipt_is_made_for_what_was_not_logged(blue: End, red: End) -> None:
    first, second = (red.hear(blue.say()).entries for _ in range(2))
    assert red.machine.receipt_now() is None
    for wrong in (second, (*second, *first), ()):
        with pytest.raises(LineStateError):
            red.machine.logged(wrong, at(0))
        assert red.machine.receipt_now() is None


def test_log_that_lost_an_entry_below_its_head_is_damaged(blue: End, red: End) -> None:
    sealed = blue.say()
    red.take(sealed)
    red.logged.clear()
    with pytest.raises(StoreDamagedError):
        red.hear(sealed)


def test_receipt_sealed_by_nobody_pinned_is_refused(blue: End, red: End) -> None:
    receipt = read_receipt(red.take(blue.say()).data)
    with pytest.raises(UnknownKeyError):
        blue.machine.hear_receipt(seal_receipt(receipt, STRANGER), at(0))


def test_both_ends_derive_one_line() -> None:
    blue, red = talk()
    assert blue.machine.identity.line_id == red.machine.identity.line_id == LINE


@pytest.mark.parametrize(
    "lie", [{"hash": "ab" * 32}, {"epoch": "cd" * 16}, {"seq": 2}, {"seq": 9_999}]
)
def test_a_false_heard_neither_silences_an_alarm_over_a_restart_nor_keeps_a_node_from_starting(
    blue: End, red: End, lie: dict[str, object]
) -> None:
    cease = blue.say("CEASE")
    head = blue.machine.own_head
    assert head is not None
    point = {"epoch": head.epoch, "seq": head.seq, "hash": head.hash}
    heard = forged(red.say(), RED, heard={**point, **lie})
    found = blue.hear(heard)
    assert [evidence.reason for evidence in found.evidence] == [EvidenceReason.FALSE_RECEIPT]
    blue.logged.extend(found.entries)
    again = end("blue", restored(blue))
    assert again.machine.own_receipted is None
    assert again.machine.transmittable(at(0)) == [cease]
    assert again.machine.state_of(cease.hash).state is not DeliveryState.LACKED
    assert [alarm.alert.hash for alarm in again.machine.alarms(at(3_000))] == [cease.hash]
