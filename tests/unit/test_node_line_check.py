"""A line check is answered by the right text alone, and its alert is about that check."""

import pytest

from deconflict.line.delivery import DeliveryState
from deconflict.messages.bodies import LineCheck
from deconflict.messages.kinds import Kind
from deconflict.node.core import Say
from deconflict.replay.world import DESKS
from node_pair import NodePair, node_pair


def check(pair: NodePair, party: str, text: str) -> str:
    asked = pair.say(party, Kind.LINE_CHECK, LineCheck(text=text))
    pair.run_for(1)
    return asked


def retype(pair: NodePair, party: str, asked: str, text: str) -> None:
    pair.say(party, Kind.LINE_CHECK_REPLY, LineCheck(text=text), ref=asked)
    pair.run_for(1)


def state(pair: NodePair, party: str, message: str) -> DeliveryState:
    envelope = pair.station(party).core.envelope_of(message)
    assert envelope is not None
    return pair.line(party).delivery(message, envelope.seq).state


@pytest.mark.parametrize("party", ["blue", "red"])
def test_both_screens_name_the_party_that_retyped_wrongly(party: str) -> None:
    with node_pair() as pair:
        asked = check(pair, "blue", "4711 0815")
        retype(pair, "red", asked, "0000 0000")
        alert = pair.alert(party, "LINE_CHECK_WRONG")
        assert alert.subject == asked
        assert alert.text.startswith('LINE CHECK WRONG. red retyped "0000 0000"; "4711 0815" was')


def test_check_retyped_wrongly_stays_open_at_both_ends_until_it_is_retyped_rightly() -> None:
    with node_pair() as pair:
        asked = check(pair, "blue", "4711 0815")
        retype(pair, "red", asked, "0000 0000")
        assert state(pair, "blue", asked) is not DeliveryState.CLOSED
        assert "LINE_CHECK_RECEIVED" in pair.rules("red")
        retype(pair, "red", asked, "47110815")
        assert state(pair, "blue", asked) is DeliveryState.CLOSED
        for party in ("blue", "red"):
            assert not [rule for rule in pair.rules(party) if "CHECK" in rule]


def test_check_retyped_wrongly_is_not_answered_in_time_nor_after_a_restart() -> None:
    with node_pair() as pair:
        asked = check(pair, "blue", "4711 0815")
        retype(pair, "red", asked, "0000 0000")
        pair.run_for(130)
        for party in ("blue", "red"):
            pair.world.restart(party)
        pair.run_for(2)
        assert "NO_ANSWER" not in pair.rules("blue")
        assert pair.alert("blue", "LINE_CHECK_WRONG").facts["ladder"]
        assert "LINE_CHECK_RECEIVED" in pair.rules("red")
        retype(pair, "red", asked, "4711 0815")
        for party in ("blue", "red"):
            assert pair.rules(party) == []


def test_check_retyped_wrongly_after_its_limit_is_one_matter_and_keeps_its_rung() -> None:
    with node_pair() as pair:
        asked = check(pair, "blue", "4711 0815")
        pair.run_for(160)
        rung = pair.alert("blue", "NO_ANSWER").facts["ladder"]
        retype(pair, "red", asked, "0000 0000")
        assert "NO_ANSWER" not in pair.rules("blue")
        assert pair.alert("blue", "LINE_CHECK_WRONG").facts["ladder"] == rung


def test_who_retypes_wrongly_is_told_at_once() -> None:
    with node_pair() as pair:
        asked = check(pair, "blue", "4711 0815")
        for text, told in (("0000 0000", 1), ("4711 0815", 0)):
            reply = Say(
                kind=Kind.LINE_CHECK_REPLY, body=LineCheck(text=text), desk=DESKS[0], ref=asked
            )
            (posted,) = pair.world.say("red", "blue", [reply])
            assert len(posted.warnings) == told
            assert told == 0 or 'red retyped "0000 0000"' in posted.warnings[0]


def test_right_reply_to_another_check_does_not_hide_a_wrong_one() -> None:
    with node_pair() as pair:
        wrong = check(pair, "blue", "4711 0815")
        retype(pair, "red", wrong, "0000 0000")
        right = check(pair, "red", "1234 5678")
        retype(pair, "blue", right, "1234 5678")
        for party in ("blue", "red"):
            assert pair.alert(party, "LINE_CHECK_WRONG").subject == wrong
