"""A STANDBY moves the deadline at both desks, says so, and shows that somebody has read it."""

import pytest

from deconflict.messages.bodies import Body, SafetyOfFlight, Standby
from deconflict.messages.kinds import Kind
from node_pair import DESKS, LATAKIA, NodePair, cease, node_pair, query

GIVEN = "STANDBY was given at 2015-09-30 06:00:1"


def stand_by(pair: NodePair, message: str) -> None:
    body = Standby(desk=DESKS[0], at_utc=pair.now_utc)
    pair.say("blue", Kind.STANDBY, body, ref=message)


def asked(pair: NodePair, kind: Kind, body: Body) -> str:
    """Let red ask; let the limit for a screen pass here and there, unless the message has more."""
    message = pair.say("red", kind, body)
    pair.run_for(12)
    return message


SAFETY = SafetyOfFlight(
    phrase=208,
    values={
        "where": {"lat_e7": LATAKIA.lat_e7, "lon_e7": LATAKIA.lon_e7},
        "reach": 1_000_000,
        "since": "2015-09-30T06:00:00.000Z",
    },
)


@pytest.mark.parametrize(("kind", "body"), [(Kind.SAFETY, SAFETY), (Kind.CEASE, cease(at=LATAKIA))])
def test_card_of_who_said_standby_shows_the_deadline_in_force(kind: Kind, body: Body) -> None:
    with node_pair() as pair:
        message = asked(pair, kind, body)
        rule = f"{kind}_RECEIVED"
        assert "Next at 2015-09-30 06:00:3" in pair.alert("blue", rule).text
        stand_by(pair, message)
        alert = pair.alert("blue", rule)
        assert alert.deadline_utc is not None
        assert alert.deadline_utc[:18] == "2015-09-30T06:00:4"
        assert GIVEN in alert.text
        assert alert.facts["standby_utc"][:18] == "2015-09-30T06:00:1"
        assert "the time for the answer runs to 2015-09-30 06:00:4" in alert.text
        assert "Next at 2015-09-30 06:00:4" in alert.text
        assert "06:00:3" not in alert.text
        assert "overdue" not in alert.facts
        before = alert.level
        pair.run_for(25)
        assert pair.alert("blue", rule).level == before
        pair.run_for(8)
        alert = pair.alert("blue", rule)
        assert alert.level == 1
        assert "SECOND DESK. Since 2015-09-30 06:00:4" in alert.text
        assert GIVEN in alert.text


def test_standby_after_a_rung_moves_the_next_one_and_takes_none_back() -> None:
    with node_pair() as pair:
        message = asked(pair, Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(28)
        body = Standby(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("blue", Kind.STANDBY, body, ref=message)
        pair.run_for(1)
        for party, rule in (("blue", "CEASE_RECEIVED"), ("red", "CEASE_NOT_ACKNOWLEDGED")):
            alert = pair.alert(party, rule)
            assert alert.level == 1
            assert "SECOND DESK. Since 2015-09-30 06:00:3" in alert.text
            assert "STANDBY was given at 2015-09-30 06:00:4" in alert.text
            assert "Next at 2015-09-30 06:01:4" in alert.text
            assert (alert.deadline_utc or "")[:18] == "2015-09-30T06:01:1"
        pair.run_for(50)
        assert pair.alert("red", "CEASE_NOT_ACKNOWLEDGED").level == 1
        pair.run_for(12)
        assert pair.alert("red", "CEASE_NOT_ACKNOWLEDGED").level == 2


@pytest.mark.parametrize(("kind", "body"), [(Kind.SAFETY, SAFETY), (Kind.CEASE, cease(at=LATAKIA))])
def test_standby_ends_what_was_told_as_not_seen(kind: Kind, body: Body) -> None:
    with node_pair() as pair:
        message = asked(pair, kind, body)
        assert pair.alert("red", "NOT_SEEN").subject == message
        stand_by(pair, message)
        pair.run_for(1)
        assert "NOT_SEEN" not in pair.rules("red")
        assert pair.line("red").delivery(message).state.value == "SEEN"
        pair.run_for(20)
        assert not {"NO_ANSWER", "CEASE_NOT_ACKNOWLEDGED"} & set(pair.rules("red"))
        pair.run_for(12)
        assert {"NO_ANSWER", "CEASE_NOT_ACKNOWLEDGED"} & set(pair.rules("red"))
        unanswered = [a for a in pair.red.core.alerts if "NO" in a.rule]
        assert all(GIVEN in alert.text for alert in unanswered)
        pair.world.restart("red")
        pair.run_for(1)
        assert "NOT_SEEN" not in pair.rules("red")
        assert pair.line("red").delivery(message).state.value == "SEEN"


def test_open_cease_says_that_standby_was_given_also_after_a_restart() -> None:
    with node_pair() as pair:
        message = asked(pair, Kind.CEASE, cease(at=LATAKIA))
        stand_by(pair, message)
        pair.run_for(1)
        assert GIVEN in pair.alert("red", "CEASE_OPEN").text
        for party, rule in (("red", "CEASE_OPEN"), ("blue", "CEASE_RECEIVED")):
            pair.world.restart(party)
            pair.run_for(1)
            assert GIVEN in pair.alert(party, rule).text


def test_a_second_standby_of_a_peer_moves_nothing() -> None:
    with node_pair() as pair:
        message = asked(pair, Kind.QUERY, query())
        stand_by(pair, message)
        pair.run_for(20)
        (thread,) = pair.line("red").book.threads
        first = thread.standby_ms
        pair.line("blue").book._stood_by.clear()  # a peer of another edition
        stand_by(pair, message)
        pair.run_for(1)
        (thread,) = pair.line("red").book.threads
        assert thread.standby_ms == first
