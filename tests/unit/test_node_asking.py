"""Who is told of a question, a request or an answer: open, asked again, changed; never silent."""

from collections.abc import Callable

import pytest

from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.errors import InvalidDocumentError, LineStateError
from deconflict.messages.bodies import (
    Ack,
    Answer,
    AnswerWord,
    Cease,
    CeaseReport,
    SafetyOfFlight,
    SaidWord,
    Seen,
    Standby,
)
from deconflict.messages.kinds import Kind
from deconflict.node.core import Say
from deconflict.node.show import message_view
from deconflict.replay.world import DESKS
from node_pair import (
    FAR,
    LATAKIA,
    START_MS,
    NodePair,
    cease,
    declaration,
    node_pair,
    query,
)


def report() -> CeaseReport:
    return CeaseReport(desk=DESKS[0], at_utc=format_utc(START_MS))


# ---- what is asked and not answered --------------------------------------------------


def test_unanswered_query_reads_no_answer_and_stays_open() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(61)
        assert pair.alert("blue", "NO_ANSWER").subject == asked
        pair.run_for(3_600)
        assert pair.line("blue").book.threads.get(asked) is not None
        assert "NO_ANSWER" in pair.rules("blue")


def test_seen_is_no_answer() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(1)
        pair.say("red", Kind.SEEN, Seen(desk=DESKS[0], at_utc=format_utc(START_MS)), ref=asked)
        pair.run_for(61)
        assert "NO_ANSWER" in pair.rules("blue")


def test_answer_ends_the_query_at_both_ends() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(61)
        said = Answer(said=SaidWord.NOT_OURS, desk=DESKS[0], at_utc=format_utc(START_MS))
        pair.say("red", Kind.ANSWER, said, ref=asked)
        pair.run_for(2)
        assert "NO_ANSWER" not in pair.rules("blue")
        assert "QUERY_RECEIVED" not in pair.rules("red")


def test_lost_message_is_told_within_its_limit_and_no_longer_when_it_arrives() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.world.lost.add(asked)
        pair.run_for(4.9)
        assert "NO_RECEIPT" not in pair.rules("blue")
        pair.run_for(0.2)
        assert "NO_RECEIPT" in pair.rules("blue")
        pair.world.lost.clear()
        pair.run_for(10)
        assert "NO_RECEIPT" not in pair.rules("blue")
        assert "QUERY_RECEIVED" in pair.rules("red")


def test_lost_cease_climbs_the_ladder_as_not_acknowledged() -> None:
    with node_pair() as pair:
        pair.world.lost.add(pair.say("blue", Kind.CEASE, cease(at=LATAKIA)))
        pair.run_for(125)
        alert = pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED")
        assert "NEXT_TIER" in alert.facts["steps"]
        assert "NO_RECEIPT" in pair.rules("blue")


# ---- asking for the same again -------------------------------------------------------


NEAR_BY = Position.from_degrees(35.401, 35.9)


AGAIN = {
    "the same declaration": (lambda: cease(f"{1:032x}"), lambda: cease(f"{1:032x}"), 1),
    "another declaration": (lambda: cease(f"{1:032x}"), lambda: cease(f"{2:032x}"), 2),
    "the same place": (lambda: cease(at=LATAKIA), lambda: cease(at=NEAR_BY), 1),
    "another place": (lambda: cease(at=LATAKIA), lambda: cease(at=FAR), 2),
    "a place after a declaration": (lambda: cease(f"{1:032x}"), lambda: cease(at=LATAKIA), 2),
}


@pytest.mark.parametrize(("first", "second", "alerts"), AGAIN.values(), ids=AGAIN)
def test_asking_for_the_same_again_is_one_alert(
    first: Callable[[], Cease], second: Callable[[], Cease], alerts: int
) -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, first())
        pair.run_for(60)
        pair.say("blue", Kind.CEASE, second())
        pair.run_for(300)
        for party, rule in (
            ("blue", "CEASE_OPEN"),
            ("blue", "CEASE_NOT_ACKNOWLEDGED"),
            ("blue", "NOT_SEEN"),
            ("red", "CEASE_RECEIVED"),
        ):
            assert pair.raised(party, rule) == alerts, rule


def test_same_place_asked_by_the_other_side_is_another_matter() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        for party in ("blue", "red"):
            assert pair.rules(party).count("CEASE_OPEN") == 1
            assert pair.rules(party).count("CEASE_RECEIVED") == 1


def test_repeated_cease_does_not_come_down_the_ladder() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(121)
        assert pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED").level == 3
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(31)
        alert = pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED")
        assert alert.level == 3
        assert "NEXT_TIER" in alert.facts["steps"]


@pytest.mark.parametrize("answered", [0, 1], ids=["the first", "the second"])
def test_ceased_ends_all_that_asked_for_the_same(answered: int) -> None:
    with node_pair() as pair:
        asked = [pair.say("blue", Kind.CEASE, cease(at=LATAKIA))]
        pair.run_for(40)
        asked.append(pair.say("blue", Kind.CEASE, cease(at=LATAKIA)))
        pair.run_for(40)
        pair.say("red", Kind.CEASED, report(), ref=asked[answered])
        pair.run_for(600)
        assert not [rule for rule in pair.rules("blue") if "CEASE" in rule]
        assert not [rule for rule in pair.rules("red") if rule == "CEASE_RECEIVED"]
        assert len(pair.line("blue").book.threads) == 0


def test_acknowledging_the_last_acknowledges_what_was_asked_before_and_ends_nothing() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        last = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        pair.say("red", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=last)
        pair.run_for(600)
        assert pair.raised("blue", "CEASE_NOT_ACKNOWLEDGED") == 0
        assert "CEASE_OPEN" in pair.rules("blue")


def test_asking_again_after_it_ended_is_a_new_alert() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        pair.say("red", Kind.CEASED, report(), ref=asked)
        pair.run_for(5)
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        assert pair.raised("red", "CEASE_RECEIVED") == 2


def test_restart_keeps_what_asked_for_the_same_together() -> None:
    with node_pair() as pair:
        for _ in range(2):
            pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
            pair.run_for(10)
        for party in ("blue", "red"):
            pair.world.restart(party)
        pair.run_for(5)
        assert pair.rules("blue").count("CEASE_OPEN") == 1
        assert pair.rules("red").count("CEASE_RECEIVED") == 1


# ---- safety messages about another ---------------------------------------------------


def test_no_longer_so_cites_what_it_is_about_and_the_desk_reads_which() -> None:
    with node_pair() as pair:
        body = SafetyOfFlight(phrase=214, values={"at": pair.now_utc})
        with pytest.raises(InvalidDocumentError, match="phrase 214 must cite"):
            pair.say("red", Kind.SAFETY, body)
        (message,) = pair.declare("blue", declaration(1))
        pair.run_for(1)
        said = pair.say("red", Kind.SAFETY, body, ref=message)
        pair.run_for(1)
        assert pair.alert("blue", "SAFETY_RECEIVED").text.endswith(
            "has not been so since 2015-09-30 06:00:02Z. "
            f"It cites: declaration of blue, sent at 2015-09-30 06:00:02Z, {message[:8]}."
        )
        row = pair.blue.store.entry(said)
        assert row is not None
        shown = message_view(pair.line("blue"), row, "ru", pair.blue.core.envelope_of)
        assert shown.text.endswith(f"отправлено 2015-09-30 06:00:02Z, {message[:8]}.")


# ---- answers that change -------------------------------------------------------------


def answer(pair: NodePair, said: SaidWord) -> Answer:
    return Answer(said=said, desk=DESKS[0], at_utc=pair.now_utc)


def test_answer_that_changes_is_told_at_both_ends_until_it_is_read() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(1)
        pair.say("red", Kind.ANSWER, answer(pair, SaidWord.OURS), ref=asked)
        pair.run_for(1)
        assert "ANSWER_CHANGED" not in pair.rules("blue")
        say = Say(kind=Kind.ANSWER, body=answer(pair, SaidWord.NOT_OURS), desk=DESKS[0], ref=asked)
        (posted,) = pair.world.say("red", "blue", [say])
        (warning,) = posted.warnings
        pair.run_for(1)
        alert = pair.alert("blue", "ANSWER_CHANGED")
        for text in (warning, alert.text):
            assert "not ours. Its answer before was: ours." in text
        pair.world.restart("blue")
        assert pair.alert("blue", "ANSWER_CHANGED").text == alert.text
        seen = Seen(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("blue", Kind.SEEN, seen, ref=posted.hash)
        assert "ANSWER_CHANGED" not in pair.rules("blue")


def test_same_answer_twice_is_not_remarkable() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(1)
        for _ in range(2):
            pair.say("red", Kind.ANSWER, answer(pair, SaidWord.OURS), ref=asked)
        pair.run_for(1)
        assert "ANSWER_CHANGED" not in pair.rules("blue")


def test_standby_is_said_once_of_a_message() -> None:
    with node_pair() as pair:
        asked, other = (pair.say("blue", Kind.QUERY, query()) for _ in range(2))
        pair.run_for(1)
        standby = Standby(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("red", Kind.STANDBY, standby, ref=asked)
        pair.world.restart("red")
        with pytest.raises(LineStateError, match="extends its time once"):
            pair.say("red", Kind.STANDBY, standby, ref=asked)
        pair.say("red", Kind.STANDBY, standby, ref=other)
        pair.say("red", Kind.ANSWER, answer(pair, SaidWord.OURS), ref=asked)


@pytest.mark.parametrize("later", [Kind.CONTINUING, Kind.CANNOT_REACH])
@pytest.mark.parametrize("cited", [0, 1], ids=["of the same", "of one that asked the same"])
def test_ceased_that_is_taken_back_is_told_at_both_ends_until_it_is_read(
    later: Kind, cited: int
) -> None:
    with node_pair() as pair:
        asked = []
        for _ in range(2):
            asked.append(pair.say("blue", Kind.CEASE, cease(at=LATAKIA)))
            pair.run_for(5)
        pair.say("red", Kind.CEASED, report(), ref=asked[1])
        pair.run_for(1)
        assert not {"CEASE_OPEN", "NOT_CEASED"}.intersection(pair.rules("blue"))
        (posted,) = pair.world.say(
            "red", "blue", [Say(kind=later, body=report(), desk=DESKS[0], ref=asked[cited])]
        )
        assert any("NOT CEASED" in text for text in posted.warnings)
        pair.run_for(1)
        alert = pair.alert("blue", "NOT_CEASED")
        assert alert.urgency == "FLASH"
        assert "request it again" in alert.text
        pair.world.restart("blue")
        assert pair.alert("blue", "NOT_CEASED").text == alert.text
        pair.say("blue", Kind.SEEN, Seen(desk=DESKS[0], at_utc=pair.now_utc), ref=posted.hash)
        assert "NOT_CEASED" not in pair.rules("blue")


def test_ceased_said_again_is_told_to_who_says_it_and_ends_what_took_it_back() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        reports = [Kind.CEASED, Kind.CEASED, Kind.CONTINUING, Kind.CEASED]
        told = []
        for kind in reports:
            say = Say(kind=kind, body=report(), desk=DESKS[0], ref=asked)
            (posted,) = pair.world.say("red", "blue", [say])
            told.append(posted.warnings)
            pair.run_for(1)
            assert ("NOT_CEASED" in pair.rules("blue")) is (kind is Kind.CONTINUING)
        assert [bool(each) for each in told] == [False, True, True, False]
        assert "already" in told[1][0]


def test_continuing_before_ceased_takes_nothing_back() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        for kind in (Kind.CONTINUING, Kind.CANNOT_REACH, Kind.CEASED):
            pair.say("red", kind, report(), ref=asked)
            pair.run_for(1)
            assert "NOT_CEASED" not in pair.rules("blue")
