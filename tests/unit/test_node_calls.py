"""Calls that were held: two records, their differences, readouts of every kind (R29, R30)."""

from typing import Any

import pytest
from test_node_talks import accept, force, offer, request, say, slot

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import BannedWordError, InvalidDocumentError, LineStateError
from deconflict.messages.kinds import Kind
from deconflict.messages.talks import (
    CallLanguage,
    CallRecord,
    CallRole,
    Medium,
    Readout,
    ReadoutText,
    ReadoutWithheld,
    Tier,
)
from deconflict.node.call_views import CallView, call_view
from deconflict.node.core import Say
from deconflict.replay.world import DESKS
from node_pair import HOUR_MS, MINUTE_MS, START_MS, NodePair, node_pair


def record(minutes: int = 20, **changes: Any) -> CallRecord:
    start_ms = START_MS + 2 * HOUR_MS
    fields: dict[str, Any] = {
        "start_utc": format_utc(start_ms),
        "end_utc": format_utc(start_ms + minutes * MINUTE_MS),
        "tier": Tier.SENIOR_1,
        "medium": Medium.PHONE,
        "languages": (CallLanguage.ENGLISH, CallLanguage.RUSSIAN),
        "participants": {
            "blue": (CallRole.SENIOR_1, CallRole.INTERPRETER),
            "red": (CallRole.SENIOR_1, CallRole.INTERPRETER),
        },
    }
    return CallRecord(**fields | changes)


def readout(call: str, *paragraphs: str) -> ReadoutText:
    texts = {CallLanguage.ENGLISH: paragraphs or ("Both sides spoke of the event.",)}
    return ReadoutText(readout=Readout(call=call, texts=texts))


def held(pair: NodePair) -> str:
    """Arrange a call and let it pass; return what names it."""
    asked = request(pair, offer(slot(2)))
    accepted = say(pair, "red", Kind.TALK_ACCEPT, accept(slot(2)), asked)
    pair.run_for(2.6 * 3600)
    return accepted


def view(pair: NodePair, party: str = "blue") -> CallView:
    (call,) = pair.line(party).book.calls
    return call_view(pair.line(party), call)


def shown(pair: NodePair, party: str = "blue") -> list[tuple[str, str | None]]:
    return [(one.state, one.by) for one in view(pair, party).readouts]


def test_two_records_of_one_call_are_laid_side_by_side_and_none_is_chosen() -> None:
    with node_pair() as pair:
        call = held(pair)
        say(pair, "blue", Kind.CALL_RECORD, record(20), call)
        assert view(pair).differing == ()
        theirs = record(
            25, participants={"blue": (CallRole.SENIOR_1,), "red": (CallRole.SENIOR_1,)}
        )
        say(pair, "red", Kind.CALL_RECORD, theirs, call)
        for party in ("blue", "red"):
            differing = {each.field: each for each in view(pair, party).differing}
            assert set(differing) == {"end_utc", "participants"}
            assert differing["end_utc"].apart_ms == 5 * MINUTE_MS
            assert differing["participants"].said["blue"] == (
                "blue: INTERPRETER, SENIOR_1; red: INTERPRETER, SENIOR_1"
            )
            assert len(view(pair, party).records) == 2
            assert "none is chosen" in pair.alert(party, "CALL_RECORDS_DIFFER").text


def test_a_record_corrected_by_a_later_one_ends_the_difference_and_both_stay() -> None:
    with node_pair() as pair:
        call = held(pair)
        first = say(pair, "blue", Kind.CALL_RECORD, record(20), call)
        say(pair, "red", Kind.CALL_RECORD, record(25), call)
        say(pair, "blue", Kind.CALL_RECORD, record(25), first)
        assert view(pair).differing == ()
        assert "CALL_RECORDS_DIFFER" not in pair.rules("red")
        assert pair.blue.store.entry(first) is not None


def at_night(minutes: int = 20) -> CallRecord:
    """A record of six hours before the call was arranged for."""
    start_ms = START_MS - 4 * HOUR_MS
    return record(
        start_utc=format_utc(start_ms), end_utc=format_utc(start_ms + minutes * MINUTE_MS)
    )


def test_a_record_of_another_time_than_was_arranged_is_told_and_kept() -> None:
    with node_pair() as pair:
        call = held(pair)
        said = Say(kind=Kind.CALL_RECORD, body=at_night(), desk=DESKS[0], ref=call)
        (posted,) = pair.world.say("red", "blue", [said])
        assert "NOT THE ARRANGED TIME. red recorded a call from 2015-09-30" in posted.warnings[0]
        pair.run_for(2)
        assert "it was arranged for" in pair.alert("blue", "NOT_THE_ARRANGED_TIME").text
        assert len(view(pair).records) == 1
        say(pair, "blue", Kind.CALL_RECORD, record(), call)
        assert "NOT_THE_ARRANGED_TIME" not in pair.rules("blue")
        assert "CALL_RECORDS_DIFFER" in pair.rules("blue")


def test_a_call_that_lasts_longer_than_arranged_is_the_arranged_one() -> None:
    with node_pair() as pair:
        call = held(pair)
        said = Say(kind=Kind.CALL_RECORD, body=record(35), desk=DESKS[0], ref=call)
        (posted,) = pair.world.say("red", "blue", [said])
        pair.run_for(2)
        assert posted.warnings == ()
        assert "NOT_THE_ARRANGED_TIME" not in pair.rules("blue")


def test_times_within_the_agreed_tolerance_differ_without_an_alarm() -> None:
    with node_pair() as pair:
        call = held(pair)
        say(pair, "blue", Kind.CALL_RECORD, record(20), call)
        later = format_utc(parse_utc(record(20).end_utc) + 30_000)
        say(pair, "red", Kind.CALL_RECORD, record(20, end_utc=later), call)
        assert [each.field for each in view(pair).differing] == ["end_utc"]
        assert "CALL_RECORDS_DIFFER" not in pair.rules("blue")


def test_a_call_that_nobody_arranged_is_named_by_its_first_record() -> None:
    with node_pair() as pair:
        pair.run_for(3 * 3600)
        first = pair.say("blue", Kind.CALL_RECORD, record(20))
        pair.run_for(1)
        say(pair, "red", Kind.CALL_RECORD, record(20), first)
        assert view(pair, "red").call_id == first
        assert len(view(pair).records) == 2


def test_a_call_is_recorded_when_it_is_over_and_of_parties_of_the_line() -> None:
    with node_pair() as pair:
        with pytest.raises(InvalidDocumentError, match="is not over"):
            pair.say("blue", Kind.CALL_RECORD, record(20))
        pair.run_for(3 * 3600)
        stranger = record(20, participants={"green": (CallRole.SENIOR_1,)})
        with pytest.raises(LineStateError, match="not on this line"):
            pair.say("blue", Kind.CALL_RECORD, stranger)


def test_a_readout_is_agreed_when_both_signed_the_same_bytes() -> None:
    with node_pair() as pair:
        call = held(pair)
        proposed = say(pair, "blue", Kind.READOUT_PROPOSE, readout(call), call)
        assert shown(pair, "red") == [("PROPOSED", "blue")]
        assert "READOUT_PROPOSE_RECEIVED" in pair.rules("red")
        say(pair, "red", Kind.READOUT_AGREE, readout(call), proposed)
        for party in ("blue", "red"):
            assert shown(pair, party) == [("AGREED", None)]
        assert "READOUT_PROPOSE_RECEIVED" not in pair.rules("red")


def test_agreeing_to_another_text_is_refused_and_from_a_peer_changes_nothing() -> None:
    with node_pair() as pair:
        call = held(pair)
        proposed = say(pair, "blue", Kind.READOUT_PROPOSE, readout(call), call)
        other = readout(call, "The other side gave in.")
        with pytest.raises(LineStateError, match="another text"):
            pair.say("red", Kind.READOUT_AGREE, other, ref=proposed)
        force(pair, "red")
        say(pair, "red", Kind.READOUT_AGREE, other, proposed)
        assert shown(pair, "blue") == [("PROPOSED", "blue")]
        assert "another text" in pair.alert("blue", "TALK_NOT_TAKEN").text
        pair.world.restart("blue")
        assert shown(pair, "blue") == [("PROPOSED", "blue")]


def test_a_counter_text_answers_the_one_before_and_either_can_be_signed() -> None:
    with node_pair() as pair:
        call = held(pair)
        first = say(pair, "blue", Kind.READOUT_PROPOSE, readout(call), call)
        counter = readout(call, "Both sides spoke, and will speak again.")
        second = say(pair, "red", Kind.READOUT_PROPOSE, counter, first)
        assert shown(pair, "blue") == [("PROPOSED", "red")]
        assert "READOUT_PROPOSE_RECEIVED" not in pair.rules("red")
        say(pair, "blue", Kind.READOUT_AGREE, counter, second)
        assert shown(pair, "red") == [("AGREED", None)]


def test_an_agreement_that_crosses_a_newer_proposal_stands_on_both_sides() -> None:
    with node_pair() as pair:
        call = held(pair)
        proposed = say(pair, "blue", Kind.READOUT_PROPOSE, readout(call), call)
        pair.say("blue", Kind.READOUT_PROPOSE, readout(call, "A shorter one."), ref=call)
        pair.say("red", Kind.READOUT_AGREE, readout(call), ref=proposed)
        pair.run_for(2)
        for party in ("blue", "red"):
            assert shown(pair, party) == [("AGREED", None), ("PROPOSED", "blue")]


def test_each_side_may_state_its_own_readout_or_withhold_details() -> None:
    with node_pair() as pair:
        call = held(pair)
        proposed = say(pair, "blue", Kind.READOUT_PROPOSE, readout(call), call)
        own = readout(call, "We stated our view.")
        say(pair, "red", Kind.READOUT_OWN, own, proposed)
        say(pair, "blue", Kind.READOUT_WITHHELD, ReadoutWithheld(call=call), call)
        for party in ("blue", "red"):
            assert sorted(shown(pair, party)) == [("OWN", "red"), ("WITHHELD", "blue")]
        assert "READOUT_PROPOSE_RECEIVED" not in pair.rules("red")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.READOUT_PROPOSE, readout),
        (Kind.READOUT_OWN, readout),
        (Kind.READOUT_WITHHELD, lambda call: ReadoutWithheld(call=call)),
    ],
)
def test_a_readout_before_its_call_has_begun_is_refused(kind: Kind, body: Any) -> None:
    with node_pair() as pair:
        asked = request(pair, offer(slot(2)))
        call = say(pair, "red", Kind.TALK_ACCEPT, accept(slot(2)), asked)
        with pytest.raises(LineStateError, match="has not begun") as refused:
            pair.say("blue", kind, body(call), ref=call)
        assert "record it first" in str(refused.value)
        assert shown(pair) == []
        pair.run_for(2 * 3600)
        say(pair, "blue", kind, body(call), call)
        assert len(shown(pair, "red")) == 1


def test_of_a_call_held_earlier_than_arranged_a_readout_follows_its_record() -> None:
    with node_pair() as pair:
        asked = request(pair, offer(slot(5)))
        call = say(pair, "red", Kind.TALK_ACCEPT, accept(slot(5)), asked)
        pair.run_for(2.6 * 3600)
        say(pair, "red", Kind.CALL_RECORD, record(), call)
        proposed = say(pair, "blue", Kind.READOUT_PROPOSE, readout(call), call)
        say(pair, "red", Kind.READOUT_AGREE, readout(call), proposed)
        assert shown(pair) == [("AGREED", None)]


def test_a_readout_of_one_call_is_none_of_another() -> None:
    with node_pair() as pair:
        call = held(pair)
        with pytest.raises(LineStateError, match="another call"):
            pair.say("blue", Kind.READOUT_PROPOSE, readout("ab" * 32), ref=call)
        force(pair, "red")
        say(pair, "red", Kind.READOUT_OWN, readout("ab" * 32), call)
        assert shown(pair, "blue") == []
        assert "names another call" in pair.alert("blue", "TALK_NOT_TAKEN").text


def test_an_outgoing_readout_says_no_banned_word() -> None:
    with node_pair() as pair:
        call = held(pair)
        with pytest.raises(BannedWordError):
            pair.say("blue", Kind.READOUT_PROPOSE, readout(call, "We will coordinate."), ref=call)


def test_a_hundred_proposals_leave_the_newest_waiting_and_one_alert() -> None:
    with node_pair() as pair:
        call = held(pair)
        for number in range(100):
            pair.say("red", Kind.READOUT_PROPOSE, readout(call, f"Text {number}."), ref=call)
        pair.run_for(2)
        assert shown(pair, "blue") == [("PROPOSED", "red")]
        assert view(pair).readouts[0].texts == {"en": ("Text 99.",)}
        assert pair.rules("blue").count("READOUT_PROPOSE_RECEIVED") == 1


def test_a_flood_of_records_forgets_its_own_calls_first() -> None:
    with node_pair() as pair:
        call = held(pair)
        for _ in range(400):
            pair.say("red", Kind.CALL_RECORD, record(20))
        pair.run_for(2)
        calls = pair.line("blue").book.calls
        assert call in {each.call_id for each in calls}
        assert len(tuple(calls)) == 256


def test_what_was_said_of_a_call_is_the_same_after_a_restart() -> None:
    with node_pair() as pair:
        call = held(pair)
        say(pair, "blue", Kind.CALL_RECORD, record(20), call)
        say(pair, "red", Kind.CALL_RECORD, record(25), call)
        proposed = say(pair, "blue", Kind.READOUT_PROPOSE, readout(call), call)
        say(pair, "red", Kind.READOUT_AGREE, readout(call), proposed)
        say(pair, "blue", Kind.READOUT_WITHHELD, ReadoutWithheld(call=call), call)
        before = view(pair)
        pair.world.restart("blue")
        assert view(pair) == before
