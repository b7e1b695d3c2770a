"""An exercise of a whole desk: what it marks, what it never marks, and what ends it (R9)."""

import dataclasses

import pytest

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidDocumentError, LineStateError
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import (
    Ack,
    AnswerWord,
    Cease,
    Concern,
    Declared,
    LineCheck,
    ScopeChange,
    Standby,
    Suspend,
    TermsMessage,
    WatchChange,
)
from deconflict.messages.drill_bodies import DrillEnd
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import render_named
from deconflict.node.core import Say
from deconflict.node.drill_report import DrilledMessage, drill_report, last_exercise
from deconflict.node.exercise import LONGEST_MS
from deconflict.replay.world import DESKS
from node_pair import LATAKIA, MINUTE_MS, NodePair, cease, declaration, node_pair, query

DRILL = render_named("DRILL", {}, "en")
REAL = render_named("REAL", {}, "en")
HOUR_S = 3_600.0


def here() -> Cease:
    return cease(at=LATAKIA)


def ack() -> Ack:
    return Ack(answer=AnswerWord.ROGER)


def suspend(pair: NodePair, scope: str = "ALL") -> Suspend:
    return Suspend(scope=scope, effective_utc=pair.now_utc)


def is_drill(pair: NodePair, party: str, message: str) -> bool:
    envelope = pair.station(party).core.envelope_of(message)
    assert envelope is not None
    return envelope.drill


def lasts(pair: NodePair, party: str) -> bool:
    return pair.station(party).core.drills.on(pair.line_id, pair.world.now) is not None


def announced(pair: NodePair, party: str) -> bool:
    book = pair.line(party).book
    return book.announced.until_ms(book.peer, pair.world.now.utc_ms) is not None


# ---- what it marks ---------------------------------------------------------------------------


def test_what_a_desk_in_exercise_writes_is_marked_and_what_the_peer_writes_is_not() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        ours = pair.say("blue", Kind.QUERY, query())
        theirs = pair.say("red", Kind.QUERY, query())
        assert is_drill(pair, "blue", ours)
        assert not is_drill(pair, "red", theirs)


def test_one_word_makes_a_message_real_amid_an_exercise() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        assert not is_drill(pair, "blue", pair.say("blue", Kind.QUERY, query(), drill=False))
        assert lasts(pair, "blue")


def test_answer_to_what_is_real_is_real_and_to_an_exercise_is_exercise() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        real = pair.say("red", Kind.SUSPEND, suspend(pair, "DECLARATIONS"))
        drilled = pair.say("red", Kind.SUSPEND, suspend(pair, "DECLARATIONS"), drill=True)
        pair.run_for(1)
        answers = [pair.say("blue", Kind.ACK, ack(), ref=ref) for ref in (real, drilled)]
        assert [is_drill(pair, "blue", each) for each in answers] == [False, True]
        pair.end_drill("blue")
        late = pair.say("red", Kind.QUERY, query(), drill=True)
        pair.run_for(1)
        body = Standby(desk="watch", at_utc=pair.now_utc)
        said = pair.say("blue", Kind.STANDBY, body, ref=late, drill=False)
        assert is_drill(pair, "blue", said)


def test_true_cease_about_what_was_declared_in_an_exercise_is_real() -> None:
    with node_pair() as pair:
        declared = pair.say("blue", Kind.NOTIFY, Declared.of(declaration(1)), drill=True)
        pair.run_for(1)
        body = cease(declaration_id=f"{1:032x}")
        pair.begin_drill("red")
        assert not is_drill(
            pair, "red", pair.say("red", Kind.CEASE, body, ref=declared, drill=False)
        )


def test_terms_are_never_exercise_and_the_watch_only_when_said_so() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        body = WatchChange(desk="watch", at_utc=pair.now_utc, languages=("en",))
        assert not is_drill(pair, "blue", pair.say("blue", Kind.WATCH_CHANGE, body))
        agreed = pair.line("blue").book.terms
        assert agreed is not None
        terms = pair.terms(version=2, replaces=pair.line("blue").book.terms_hash)
        proposal = TermsMessage(terms=terms, signature=sign_terms(terms, pair.blue.core.key))
        with pytest.raises(InvalidDocumentError, match="earnest"):
            pair.say("blue", Kind.TERMS_PROPOSE, proposal, drill=True)
        assert not is_drill(pair, "blue", pair.say("blue", Kind.TERMS_PROPOSE, proposal))


def test_sender_is_told_at_once_that_the_line_marked_it() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        say = Say(kind=Kind.QUERY, body=query(), desk=DESKS[0])
        (posted,) = pair.world.say("blue", "red", [say])
        assert render_named("MARKED_DRILL", {}, "en") in posted.warnings
        (posted,) = pair.world.say("blue", "red", [dataclasses.replace(say, drill=False)])
        assert posted.warnings == ()


# ---- how long it lasts -----------------------------------------------------------------------


def test_exercise_ends_by_itself_at_its_time() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue", minutes=10)
        pair.run_for(599)
        assert is_drill(pair, "blue", pair.say("blue", Kind.QUERY, query()))
        pair.run_for(1)
        assert not is_drill(pair, "blue", pair.say("blue", Kind.QUERY, query()))
        pair.run_for(2)
        assert "DRILL_ON" not in pair.rules("blue")


def test_exercise_outlasts_a_restart_and_what_ended_stays_ended() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        pair.run_for(1)
        pair.world.restart("blue")
        assert is_drill(pair, "blue", pair.say("blue", Kind.QUERY, query()))
        pair.end_drill("blue")
        pair.world.restart("blue")
        assert not is_drill(pair, "blue", pair.say("blue", Kind.QUERY, query()))


def test_exercise_that_is_over_does_not_come_back_with_a_clock_set_back() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue", minutes=1)
        earlier = pair.world.now
        pair.run_for(62)
        assert pair.blue.core.drills.on(pair.line_id, earlier) is None


@pytest.mark.parametrize("minutes", [0, -5, LONGEST_MS // MINUTE_MS + 1])
def test_exercise_ends_after_now_and_within_a_day(minutes: int) -> None:
    with node_pair() as pair, pytest.raises(LineStateError, match="cannot end then"):
        pair.begin_drill("blue", minutes=minutes)


def test_there_is_one_exercise_at_a_time_and_none_to_end_otherwise() -> None:
    with node_pair() as pair:
        with pytest.raises(LineStateError, match="no exercise lasts"):
            pair.end_drill("blue")
        pair.begin_drill("blue")
        with pytest.raises(LineStateError, match="lasts"):
            pair.begin_drill("blue")


# ---- what is real comes first ----------------------------------------------------------------


@pytest.mark.parametrize("author", ["blue", "red"])
def test_real_cease_of_either_side_ends_the_exercise_of_both(author: str) -> None:
    with node_pair() as pair:
        for party in ("blue", "red"):
            pair.begin_drill(party, announced=True)
        pair.run_for(1)
        pair.say(author, Kind.CEASE, here(), drill=False)
        pair.run_for(1)
        for party in ("blue", "red"):
            assert not lasts(pair, party)
            assert not announced(pair, party)
            assert not pair.alert(party, "DRILL_CUT").drill
        assert not is_drill(pair, "blue", pair.say("blue", Kind.QUERY, query()))
        pair.run_for(HOUR_S)
        assert "DRILL_CUT" not in pair.rules("blue")


def test_real_flash_is_shown_as_real_and_before_every_exercise() -> None:
    with node_pair() as pair:
        pair.begin_drill("red")
        pair.say("blue", Kind.CEASE, here(), drill=True)
        pair.run_for(1)
        assert lasts(pair, "red")
        pair.say("blue", Kind.CEASE, here())
        pair.run_for(100)
        first = pair.red.core.alerts[0]
        assert (first.rule, first.drill) == ("CEASE_RECEIVED", False)
        assert first.text.startswith(REAL)  # a minute and its ladder later, still
        drills = [alert.drill for alert in pair.red.core.alerts]
        assert drills == sorted(drills)
        assert any(drills)


def test_drilled_cease_ends_no_exercise() -> None:
    with node_pair() as pair:
        pair.begin_drill("red")
        pair.say("blue", Kind.CEASE, here(), drill=True)
        pair.say("red", Kind.CEASE, here())
        pair.run_for(2)
        assert lasts(pair, "red")


def test_no_exercise_begins_beside_an_open_real_cease() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, here())
        pair.run_for(1)
        for party in ("blue", "red"):
            with pytest.raises(LineStateError, match="real CEASE is open"):
                pair.begin_drill(party)


# ---- what the peer sees ----------------------------------------------------------------------


def test_announced_exercise_shows_at_the_peer_until_its_time() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue", minutes=10, announced=True)
        pair.run_for(2)
        alert = pair.alert("red", "PEER_DRILL")
        assert alert.drill
        assert alert.text.startswith(DRILL)
        pair.world.restart("red")
        assert announced(pair, "red")
        pair.run_for(600)
        assert "PEER_DRILL" not in pair.rules("red")


def test_end_that_is_told_shows_at_the_peer() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue", announced=True)
        pair.run_for(2)
        begun = pair.line("blue").book.announced.message("blue", pair.world.now.utc_ms)
        pair.end_drill("blue")
        pair.say("blue", Kind.DRILL_END, DrillEnd(at_utc=pair.now_utc), ref=begun)
        pair.run_for(2)
        assert not announced(pair, "red")
        assert "PEER_DRILL" not in pair.rules("red")


def test_exercise_of_the_peer_marks_nothing_of_ours() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue", announced=True)
        pair.run_for(2)
        assert not is_drill(pair, "red", pair.say("red", Kind.QUERY, query()))


# ---- what an exercise changes: nothing that is real ------------------------------------------


def test_real_notice_takes_the_place_of_the_same_declared_as_exercise() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.NOTIFY, Declared.of(declaration(1)), drill=True)
        real = pair.say("blue", Kind.NOTIFY, Declared.of(declaration(1)), drill=False)
        pair.run_for(1)
        for party in ("blue", "red"):
            held = pair.line(party).book.picture.get(f"blue/{1:032x}")
            assert held is not None
            assert (held.message_hash, held.drill) == (real, False)


def test_nobody_is_concerned_about_an_exercise_and_a_real_plan() -> None:
    with node_pair() as pair:
        ours = pair.say("blue", Kind.NOTIFY, Declared.of(declaration(1)), drill=True)
        theirs = pair.say("red", Kind.NOTIFY, Declared.of(declaration(2)))
        pair.run_for(2)
        assert pair.alert("blue", "CONFLICT").drill
        body = Concern(
            first=f"{1:032x}",
            second=f"{2:032x}",
            first_message=ours,
            second_message=theirs,
            reason=311,
        )
        with pytest.raises(LineStateError, match="cannot meet"):
            pair.say("blue", Kind.CONCERN, body, ref=theirs)


def test_drilled_line_check_counts_as_one() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        pair.run_for(1_800)
        check = pair.say("blue", Kind.LINE_CHECK, LineCheck(text="4711 0815"))
        pair.run_for(1)
        pair.say("red", Kind.LINE_CHECK_REPLY, LineCheck(text="4711 0815"), ref=check)
        pair.run_for(1)
        due = pair.line("blue").book.checks.following(3_600_000)
        assert due is not None
        assert due.since_ms > pair.world.now.utc_ms + 3_000_000


def test_drilled_change_of_scope_leaves_a_real_suspension() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, suspend(pair))
        change = ScopeChange(scope="ALL", to="DECLARATIONS", effective_utc=pair.now_utc)
        with pytest.raises(LineStateError, match="not suspended"):
            pair.say("blue", Kind.SCOPE, change, drill=True)


# ---- what it proved --------------------------------------------------------------------------


def reported(pair: NodePair, party: str) -> dict[str, DrilledMessage]:
    station = pair.station(party)
    exercise = last_exercise(pair.line(party), station.core.drills.last(pair.line_id))
    assert exercise is not None
    events = station.store.events(exercise.after_event)
    found = drill_report(pair.line(party), exercise, events, pair.world.now.utc_ms)
    return {message.hash: message for message in found.messages}


def test_report_says_when_each_message_was_held_seen_answered_and_what_was_missed() -> None:
    with node_pair() as pair:
        before = pair.say("blue", Kind.QUERY, query(), drill=True)
        pair.begin_drill("blue")
        answered = pair.say("blue", Kind.CEASE, here())
        silent = pair.say("blue", Kind.QUERY, query())
        theirs = pair.say("red", Kind.QUERY, query(), drill=True)
        real = pair.say("blue", Kind.QUERY, query(), drill=False)
        pair.run_for(5)
        pair.say("red", Kind.ACK, ack(), ref=answered)
        pair.run_for(200)
        found = reported(pair, "blue")
        assert set(found) == {answered, silent, theirs}
        assert before not in found
        assert real not in found
        good = found[answered]
        assert good.held_ms is not None
        assert good.held_ms < 2_000
        assert good.answered_ms is not None
        assert 5_000 <= good.answered_ms < 6_000
        assert (good.answered_by, good.missed, good.ladder) == ("ACK", (), ())
        bad = found[silent]
        assert bad.missed == ("SEEN", "ANSWER")
        assert bad.ladder[0].step == "SECOND_DESK"
        assert bad.ladder[0].after_ms >= 60_000
        assert found[theirs].missed == ("SEEN", "ANSWER")
        assert not found[theirs].own


def test_peer_of_an_announced_exercise_has_a_report_of_it_too() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue", announced=True)
        pair.run_for(1)
        asked = pair.say("blue", Kind.CEASE, here())
        pair.run_for(2)
        pair.say("red", Kind.ACK, ack(), ref=asked)
        pair.run_for(2)
        pair.say("red", Kind.CEASE, here())  # in earnest: the exercise is over
        pair.run_for(2)
        after = pair.say("blue", Kind.QUERY, query(), drill=True)
        pair.run_for(2)
        pair.world.restart("red")
        found = reported(pair, "red")
        assert found[asked].answered_ms is not None
        assert 1_900 <= found[asked].answered_ms < 2_100  # from when red held it
        assert after not in found
        theirs = pair.line("red").book.announced.last("blue")
        assert theirs is not None
        assert theirs.cut_by is not None


def test_report_is_of_the_exercise_alone_though_it_is_over() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue", minutes=1)
        inside = pair.say("blue", Kind.QUERY, query())
        pair.run_for(90)
        after = pair.say("blue", Kind.QUERY, query(), drill=True)
        pair.run_for(2)
        assert set(reported(pair, "blue")) == {inside}
        assert after not in reported(pair, "blue")


def test_event_stream_tells_when_an_exercise_begins_and_ends() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        until = format_utc(pair.world.now.utc_ms + 60 * MINUTE_MS)
        pair.end_drill("blue")
        told = [event.data for event in pair.blue.events if event.kind == "drill"]
        assert [(each["state"], each["until_utc"]) for each in told] == [
            ("ON", until),
            ("ENDED", until),
        ]
