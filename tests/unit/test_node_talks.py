"""Calls asked for, countered, accepted and called off, between two real node cores (R30)."""

from typing import Any

import pytest

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidDocumentError, LineStateError
from deconflict.messages.bodies import Ack, AnswerWord, Body, Seen, Standby, parse_body
from deconflict.messages.kinds import KINDS, Kind
from deconflict.messages.message_text import message_phrases
from deconflict.messages.phrases import MESSAGE_PHRASES, say_aloud
from deconflict.messages.talks import (
    CallLanguage,
    Medium,
    Slot,
    Subject,
    TalkAccept,
    TalkEnd,
    TalkFault,
    TalkOffer,
    TalkReason,
    Tier,
)
from deconflict.messages.voice import SAYABLE
from deconflict.node.call_views import TalkView, talk_calendar, talk_view
from deconflict.node.talks import Talk, TalkBook
from messages_samples import bodies
from node_pair import HOUR_MS, MINUTE_MS, START_MS, NodePair, node_pair


def slot(hours: float, minutes: int = 30) -> Slot:
    start_ms = START_MS + round(hours * HOUR_MS)
    return Slot(format_utc(start_ms), format_utc(start_ms + minutes * MINUTE_MS))


def offer(*slots: Slot, **changes: Any) -> TalkOffer:
    fields: dict[str, Any] = {
        "tier": Tier.SENIOR_1,
        "subject": Subject.INCIDENT,
        "slots": slots or (slot(2), slot(3)),
        "languages": (CallLanguage.ENGLISH, CallLanguage.RUSSIAN),
        "media": (Medium.PHONE, Medium.VIDEO),
    }
    return TalkOffer(**fields | changes)


def accept(chosen: Slot, medium: Medium = Medium.PHONE) -> TalkAccept:
    return TalkAccept(slot=chosen, medium=medium)


def end(reason: TalkReason = TalkReason.TIME) -> TalkEnd:
    return TalkEnd(reason=reason)


def request(pair: NodePair, body: TalkOffer | None = None, party: str = "blue") -> str:
    asked = pair.say(party, Kind.TALK_REQUEST, body or offer())
    pair.run_for(1)
    return asked


def say(pair: NodePair, party: str, kind: Kind, body: Body, ref: str) -> str:
    said = pair.say(party, kind, body, ref=ref)
    pair.run_for(1)
    return said


def talk(pair: NodePair, party: str) -> Talk:
    (found,) = pair.line(party).book.talks
    return found


def view(pair: NodePair, party: str) -> TalkView:
    return talk_view(pair.line(party), talk(pair, party), pair.world.now, "en")


def states(pair: NodePair) -> set[str]:
    return {view(pair, party).state for party in ("blue", "red")}


def force(pair: NodePair, party: str) -> None:
    """Let a party's node refuse nothing of what it is told to say, as a hostile one would."""
    room = pair.line(party).book.call_room
    fault = room.fault

    def lenient(*given: Any, own: bool, **named: Any) -> Any:
        return None if own else fault(*given, own=own, **named)

    room.fault = lenient  # type: ignore[method-assign, assignment]


def test_a_call_is_asked_for_countered_and_accepted() -> None:
    with node_pair() as pair:
        asked = request(pair)
        assert "TALK_REQUEST_RECEIVED" in pair.rules("red")
        assert view(pair, "blue").waits_for == "red"
        countered = say(pair, "red", Kind.TALK_PROPOSE, offer(slot(4)), asked)
        assert "TALK_REQUEST_RECEIVED" not in pair.rules("red")
        assert "TALK_PROPOSE_RECEIVED" in pair.rules("blue")
        assert view(pair, "red").waits_for == "blue"
        accepted = say(pair, "blue", Kind.TALK_ACCEPT, accept(slot(4)), countered)
        for party in ("blue", "red"):
            seen = view(pair, party)
            assert (seen.state, seen.call_id, seen.start_utc) == (
                "ARRANGED",
                accepted,
                slot(4).start_utc,
            )
            assert [rule for rule in pair.rules(party) if "TALK" in rule] == []


def test_what_nobody_answers_is_shown_as_no_answer_and_lapses_when_its_times_have_come() -> None:
    with node_pair() as pair:
        request(pair)
        pair.run_for(130)
        assert "NO_ANSWER" in pair.rules("blue")
        assert states(pair) == {"OFFERED"}
        pair.run_for(4 * 3600)
        assert states(pair) == {"LAPSED"}
        assert "TALK_REQUEST_RECEIVED" not in pair.rules("red")
        assert "NO_ANSWER" not in pair.rules("blue")
        pair.world.restart("red")
        pair.run_for(2)
        assert "TALK_REQUEST_RECEIVED" not in pair.rules("red")


def test_acknowledging_a_request_answers_in_time_and_leaves_it_open() -> None:
    with node_pair() as pair:
        asked = request(pair)
        say(pair, "red", Kind.ACK, Ack(answer=AnswerWord.ROGER), asked)
        pair.run_for(200)
        assert "NO_ANSWER" not in pair.rules("blue")
        assert "TALK_REQUEST_RECEIVED" in pair.rules("red")
        assert states(pair) == {"OFFERED"}


def test_standby_is_said_once_of_a_request() -> None:
    with node_pair() as pair:
        asked = request(pair)
        standby = Standby(desk="watch", at_utc=pair.now_utc)
        say(pair, "red", Kind.STANDBY, standby, asked)
        with pytest.raises(LineStateError, match="extends its time once"):
            pair.say("red", Kind.STANDBY, standby, ref=asked)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (accept(slot(5)), "not offered"),
        (accept(slot(2, minutes=31)), "not offered"),
        (accept(slot(2), Medium.IN_PERSON), "not offered"),
    ],
)
def test_a_time_or_medium_that_was_not_offered_is_refused_at_its_sender(
    body: TalkAccept, problem: str
) -> None:
    with node_pair() as pair:
        asked = request(pair)
        with pytest.raises(LineStateError, match=problem):
            pair.say("red", Kind.TALK_ACCEPT, body, ref=asked)
        assert states(pair) == {"OFFERED"}


def test_an_acceptance_of_what_was_never_offered_changes_nothing_and_is_told() -> None:
    with node_pair() as pair:
        asked = request(pair)
        force(pair, "red")
        say(pair, "red", Kind.TALK_ACCEPT, accept(slot(9)), asked)
        assert view(pair, "blue").state == "OFFERED"
        alert = pair.alert("blue", "TALK_NOT_TAKEN")
        assert "what it accepts was never offered" in alert.text
        pair.run_for(130)
        assert "NO_ANSWER" in pair.rules("blue")  # it answered nothing


def test_a_party_that_accepts_its_own_offer_arranges_nothing() -> None:
    with node_pair() as pair:
        asked = request(pair)
        countered = say(pair, "red", Kind.TALK_PROPOSE, offer(slot(4)), asked)
        with pytest.raises(LineStateError, match="your own side"):
            pair.say("red", Kind.TALK_ACCEPT, accept(slot(4)), ref=countered)
        room = pair.line("blue").book.call_room
        fault = room.fault(
            Kind.TALK_ACCEPT, accept(slot(4)), ref=countered, own=False, now_ms=START_MS
        )
        assert fault == "OWN_OFFER"


def test_an_acceptance_after_the_time_has_begun_is_refused_and_late_when_it_comes() -> None:
    with node_pair() as pair:
        asked = request(pair, offer(slot(0.1), slot(3)))
        pair.run_for(600)
        with pytest.raises(LineStateError, match="late is not now"):
            pair.say("red", Kind.TALK_ACCEPT, accept(slot(0.1)), ref=asked)
        force(pair, "red")
        say(pair, "red", Kind.TALK_ACCEPT, accept(slot(0.1)), asked)
        assert view(pair, "blue").state == "OFFERED"
        assert {"DELAYED", "TALK_NOT_TAKEN"} & set(pair.rules("blue"))


def test_an_acceptance_held_up_until_its_time_is_delayed_and_its_sender_is_told() -> None:
    with node_pair() as pair:
        asked = request(pair, offer(slot(0.1)))
        now_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", now_ms, now_ms + 20 * MINUTE_MS)
        pair.say("red", Kind.TALK_ACCEPT, accept(slot(0.1)), ref=asked)
        pair.run_for(10 * 60)
        assert "EXPIRED" in pair.rules("red")
        pair.run_for(15 * 60)
        assert "DELAYED" in pair.rules("blue")
        assert view(pair, "blue").state == "LAPSED"


def test_each_side_answers_an_offer_once() -> None:
    with node_pair() as pair:
        asked = request(pair)
        say(pair, "red", Kind.TALK_PROPOSE, offer(slot(4)), asked)
        for kind, body in (
            (Kind.TALK_ACCEPT, accept(slot(2))),
            (Kind.TALK_PROPOSE, offer(slot(6))),
        ):
            with pytest.raises(LineStateError, match="does not stand any more"):
                pair.say("red", kind, body, ref=asked)


def test_a_hundred_counter_proposals_are_one_and_an_alert() -> None:
    with node_pair() as pair:
        asked = request(pair)
        force(pair, "red")
        for number in range(100):
            pair.say("red", Kind.TALK_PROPOSE, offer(slot(4 + number)), ref=asked)
        pair.run_for(2)
        assert len(talk(pair, "blue").offers) == 2
        assert view(pair, "blue").slots[0].start_utc == slot(4).start_utc
        assert pair.rules("blue").count("TALK_NOT_TAKEN") == 1
        assert pair.rules("blue").count("TALK_PROPOSE_RECEIVED") == 1
        countered = talk(pair, "blue").standing.hash
        say(pair, "blue", Kind.TALK_ACCEPT, accept(slot(4)), countered)
        assert view(pair, "blue").state == "ARRANGED"


def test_a_thousand_requests_leave_the_own_one_and_a_bounded_number() -> None:
    with node_pair() as pair:
        asked = request(pair)
        for _ in range(1_000):
            pair.say("red", Kind.TALK_REQUEST, offer(slot(5)))
        pair.run_for(2)
        book = pair.line("blue").book.talks
        assert book.of(asked) is not None
        assert len(tuple(book)) == 257
        assert pair.rules("blue").count("TALK_REQUEST_RECEIVED") == 256


@pytest.mark.parametrize("who", ["blue", "red"])
def test_either_side_calls_an_arranged_call_off_and_the_other_is_told(who: str) -> None:
    with node_pair() as pair:
        asked = request(pair)
        accepted = say(pair, "red", Kind.TALK_ACCEPT, accept(slot(2)), asked)
        say(pair, who, Kind.TALK_CANCEL, end(TalkReason.SETTLED), accepted)
        assert states(pair) == {"CALLED_OFF"}
        assert "CALL_CALLED_OFF" in pair.rules(pair.peer_of(who))
        assert "CALL_CALLED_OFF" not in pair.rules(who)
        pair.run_for(3 * 3600)
        assert "CALL_CALLED_OFF" not in pair.rules(pair.peer_of(who))


def test_a_request_taken_back_leaves_nothing_open_on_either_side() -> None:
    with node_pair() as pair:
        asked = request(pair)
        taken_back = say(pair, "blue", Kind.TALK_CANCEL, end(), asked)
        say(pair, "red", Kind.SEEN, Seen(desk="watch", at_utc=pair.now_utc), taken_back)
        pair.run_for(300)
        assert states(pair) == {"CALLED_OFF"}
        for party in ("blue", "red"):
            open_rules = [rule for rule in pair.rules(party) if rule != "LINE_CHECK_DUE"]
            assert open_rules == []
            pair.world.restart(party)
        pair.run_for(300)
        assert "NO_ANSWER" not in pair.rules("blue")


def test_a_declined_request_is_over_and_cannot_be_accepted() -> None:
    with node_pair() as pair:
        asked = request(pair)
        say(pair, "red", Kind.TALK_DECLINE, end(), asked)
        assert states(pair) == {"DECLINED"}
        assert "NO_ANSWER" not in pair.rules("blue")
        with pytest.raises(LineStateError, match="declined or called off"):
            pair.say("red", Kind.TALK_ACCEPT, accept(slot(2)), ref=asked)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_crosses_both_sides_come_to_the_same_also_after_a_restart(seed: int) -> None:
    with node_pair(seed=seed) as pair:
        asked = request(pair)
        # All at one instant, on the way at the same time.
        if seed % 2:
            pair.say("red", Kind.TALK_ACCEPT, accept(slot(2)), ref=asked)
        else:
            pair.say("red", Kind.TALK_DECLINE, end(), ref=asked)
        pair.say("blue", Kind.TALK_CANCEL, end(TalkReason.SETTLED), ref=asked)
        pair.run_for(3)
        before = {party: (states(pair), talk(pair, party).ended) for party in ("blue", "red")}
        assert states(pair) == {"CALLED_OFF"}
        for party in ("blue", "red"):
            pair.world.restart(party)
        pair.run_for(3)
        assert {p: (states(pair), talk(pair, p).ended) for p in ("blue", "red")} == before


def test_what_was_heard_of_a_later_epoch_is_not_taken_for_less_by_its_number() -> None:
    book = TalkBook()
    asked, countered = "aa" * 32, "bb" * 32
    book.take(Kind.TALK_REQUEST, offer(), asked, ref=None, by="red", place=(0, 40), drill=False)
    book.take(
        Kind.TALK_PROPOSE, offer(), countered, ref=asked, by="blue", place=(0, 7), drill=False
    )
    # Blue was restored, and calls it off as the second message of its fresh epoch.
    book.take(
        Kind.TALK_CANCEL, end(), "cc" * 32, ref=countered, by="blue", place=(1, 2), drill=False
    )

    def fault(heard_to: tuple[int, int]) -> TalkFault | None:
        body = accept(slot(2))
        return book.fault(
            Kind.TALK_ACCEPT, body, ref=countered, by="red", heard_to=heard_to, now_ms=START_MS
        )

    assert fault((0, 7)) is None  # it crossed
    assert fault((1, 1)) is None
    assert fault((1, 2)) is TalkFault.OVER


def test_a_call_is_due_a_quarter_of_an_hour_before_it_begins() -> None:
    with node_pair() as pair:
        asked = request(pair)
        say(pair, "red", Kind.TALK_ACCEPT, accept(slot(2)), asked)
        pair.run_for(3600)
        assert "CALL_DUE" not in pair.rules("blue")
        pair.run_for(50 * 60)
        for party in ("blue", "red"):
            assert "seniors of the first tier" in pair.alert(party, "CALL_DUE").text
        pair.run_for(3600)
        assert "CALL_DUE" not in pair.rules("blue")


def test_talks_pass_a_suspension() -> None:
    for kind in Kind:
        if kind.startswith("TALK_") or kind is Kind.CALL_RECORD:
            assert KINDS[kind].always_passes


def test_a_time_that_has_begun_cannot_be_offered() -> None:
    with node_pair() as pair, pytest.raises(InvalidDocumentError, match="has begun"):
        pair.say("blue", Kind.TALK_REQUEST, offer(slot(-1), slot(3)))


def test_a_drill_of_a_call_is_marked_throughout() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.TALK_REQUEST, offer(), drill=True)
        pair.run_for(1)
        say(pair, "red", Kind.TALK_ACCEPT, accept(slot(2)), asked)
        pair.run_for(110 * 60)
        assert view(pair, "blue").drill
        assert pair.alert("red", "CALL_DUE").drill
        assert b"\r\nSUMMARY:DRILL DRILL DRILL. " in calendar_of(pair, asked)
        real = pair.say("blue", Kind.TALK_REQUEST, offer(slot(5)))
        assert b"DRILL" not in calendar_of(pair, real)


def calendar_of(pair: NodePair, name: str) -> bytes:
    talk = pair.line("blue").book.talks.of(name)
    assert talk is not None
    return talk_calendar(pair.line_id, talk, pair.world.now, "en")


def test_every_message_about_a_call_can_be_said_by_voice_and_noted() -> None:
    samples = bodies()
    for kind in Kind:
        if kind.startswith(("TALK_", "CALL_", "READOUT_")):
            body = parse_body(kind, samples[kind])
            said = message_phrases(kind, body, party="red", language="en")
            assert {number for number, _ in said} <= MESSAGE_PHRASES
            assert all(say_aloud(number, values, "ru") for number, values in said)
            assert (kind in SAYABLE) is kind.startswith("TALK_")
