"""The table of kinds: what each demands, what answers it, what no suspension stops (R7, R43)."""

import pytest

from deconflict.errors import InvalidDocumentError
from deconflict.line.precedence import DEFAULT_TIMERS, Precedence
from deconflict.messages.kinds import (
    KIND_RULES,
    KINDS,
    Kind,
    check_reference,
    precedence_of_reply,
    settles,
)

# A counter-proposal answers what it cites and asks in its turn.
COUNTER_PROPOSALS = {Kind.TALK_PROPOSE, Kind.READOUT_PROPOSE}
# These are about a call, whose message may be one's own; what they answer is the peer's.
OF_A_CHECK = {
    Kind.PRIVATE_STEP,
    Kind.PRIVATE_COIN,
    Kind.PRIVATE_END,
    Kind.PRIVATE_MEDIATION,
}
OF_A_CALL = {Kind.READOUT_PROPOSE, Kind.READOUT_OWN, Kind.READOUT_WITHHELD}


def test_every_kind_has_its_row() -> None:
    assert set(KINDS) == set(Kind)
    assert set(KIND_RULES) == {kind.value for kind in Kind}


@pytest.mark.parametrize("kind", [kind for kind in Kind if KINDS[kind].rule.needs_answer])
def test_what_asks_for_an_answer_has_a_kind_that_gives_one(kind: Kind) -> None:
    closing = [
        other for other in Kind if KINDS[other].rule.closes and kind in KINDS[other].refers_to
    ]
    assert closing


ANSWERS = [kind for kind in Kind if KINDS[kind].rule.closes and kind is not Kind.PROPOSE]


def test_a_counter_proposal_answers_a_proposal_and_asks_in_its_turn() -> None:
    rule = KINDS[Kind.PROPOSE].rule
    assert rule.closes
    assert rule.needs_answer
    assert KINDS[Kind.PROPOSE].refers_to == {Kind.CONCERN, Kind.PROPOSE}


@pytest.mark.parametrize("kind", ANSWERS)
def test_answers_cite_what_the_peer_asked_and_ask_nothing(kind: Kind) -> None:
    form = KINDS[kind]
    assert form.needs_reference
    assert (form.refers_to_own is False) == (kind not in OF_A_CALL)
    assert form.rule.needs_answer == (kind in COUNTER_PROPOSALS)


def test_notices_of_the_way_ask_for_nothing_in_return() -> None:
    for kind in (Kind.SEEN, Kind.LOADED, Kind.STANDBY):
        rule = KINDS[kind].rule
        assert (rule.needs_seen, rule.needs_answer, rule.closes) == (False, False, False)
        assert kind not in KINDS[Kind.SEEN].refers_to


def test_cease_and_safety_are_flash_and_always_pass() -> None:
    for kind in (Kind.SAFETY, Kind.CEASE, Kind.CEASED, Kind.CONTINUING, Kind.CANNOT_REACH):
        assert KINDS[kind].rule.precedence is Precedence.FLASH
        assert KINDS[kind].always_passes


def test_what_answers_a_message_that_always_passes_also_passes() -> None:
    for kind in Kind:
        for cited in KINDS[kind].refers_to:
            if KINDS[cited].rule.needs_answer and KINDS[cited].always_passes:
                rule = KINDS[kind].rule
                assert KINDS[kind].always_passes or not (rule.closes or rule.extends)


def test_a_cease_is_answered_by_an_ack_but_settled_by_ceased_alone() -> None:
    check_reference(Kind.ACK, Kind.CEASE, ref_is_own=False)
    assert KINDS[Kind.ACK].rule.closes
    assert [kind for kind in Kind if settles(kind, Kind.CEASE)] == [Kind.CEASED]


def test_a_query_is_answered_by_an_answer_alone() -> None:
    closing = [k for k in Kind if KINDS[k].rule.closes and Kind.QUERY in KINDS[k].refers_to]
    assert closing == [Kind.ANSWER]


def test_own_limits_only_shorten_those_of_the_precedence() -> None:
    for form in KINDS.values():
        if form.answer_within_ms is not None:
            longest_ms = DEFAULT_TIMERS.limits[form.rule.precedence].answer_ms
            assert form.answer_within_ms <= longest_ms


@pytest.mark.parametrize(
    ("kind", "cited", "own"),
    [
        (Kind.ANSWER, None, None),
        (Kind.ANSWER, Kind.NOTIFY, False),
        (Kind.ACK, Kind.QUERY, False),
        (Kind.ACK, Kind.SEEN, False),
        (Kind.SEEN, Kind.SEEN, False),
        (Kind.UPDATE, Kind.NOTIFY, False),  # only its author updates a declaration
        (Kind.CANCEL, Kind.NOTIFY, False),
        (Kind.READBACK, Kind.NOTIFY, True),
        (Kind.CEASED, Kind.CEASE, True),
        (Kind.QUERY, Kind.NOTIFY, False),
    ],
)
def test_references_that_make_no_sense_are_refused(
    kind: Kind, cited: Kind | None, own: bool | None
) -> None:
    with pytest.raises(InvalidDocumentError):
        check_reference(kind, cited, ref_is_own=own)


@pytest.mark.parametrize(
    ("kind", "cited", "own"),
    [
        (Kind.NOTIFY, None, None),
        (Kind.ACK, Kind.NOTIFY, False),
        (Kind.UPDATE, Kind.NOTIFY, True),
        (Kind.CORRECTION, Kind.UPDATE, True),
        (Kind.CONCERN, Kind.NOTIFY, True),
        (Kind.CONCERN, Kind.NOTIFY, False),
        (Kind.CEASE, None, None),
        (Kind.CEASE, Kind.NOTIFY, False),
        (Kind.SAFETY, Kind.SAFETY, True),
        (Kind.SEEN, Kind.ACK, False),
    ],
)
def test_references_that_make_sense_pass(kind: Kind, cited: Kind | None, own: bool | None) -> None:
    check_reference(kind, cited, ref_is_own=own)


def test_a_reply_is_at_least_as_urgent_as_what_it_cites() -> None:
    assert precedence_of_reply(Kind.SEEN, Precedence.FLASH) is Precedence.FLASH
    assert precedence_of_reply(Kind.CEASED, Precedence.ROUTINE) is Precedence.FLASH


def test_what_merely_names_its_subject_keeps_its_own_pace() -> None:
    assert precedence_of_reply(Kind.READOUT_OWN, Precedence.IMMEDIATE) is Precedence.ROUTINE
    assert precedence_of_reply(Kind.TALK_REQUEST, Precedence.FLASH) is Precedence.IMMEDIATE
    written_after = {Kind.ACCOUNT, Kind.INCIDENT, Kind.BREACH_NOTE, Kind.VOICE}
    for kind in written_after:  # a FLASH expires in ten minutes, an account of it does not
        assert precedence_of_reply(kind, Precedence.FLASH) is KINDS[kind].rule.precedence
    for kind in Kind:
        if KINDS[kind].own_pace:
            known = OF_A_CALL | OF_A_CHECK | {Kind.TALK_REQUEST, Kind.CALL_RECORD}
            assert kind in known | written_after


def test_an_acknowledgement_of_a_query_is_told_what_answers_it() -> None:
    with pytest.raises(InvalidDocumentError) as refused:
        check_reference(Kind.ACK, Kind.QUERY, ref_is_own=False)
    assert refused.value.problem == "QUERY is answered, not acknowledged"
    assert refused.value.expected == "ANSWER"
