"""A line check is answered by the right text alone, and its alert is about that check."""

import pytest

from deconflict.line.delivery import DeliveryState
from deconflict.messages.bodies import LineCheck, Seen
from deconflict.messages.kinds import Kind
from deconflict.node.core import Say
from deconflict.node.show import message_view
from deconflict.node.views import Posted
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
        assert pair.rules("blue") == ["LINE_CHECK_LATE"]
        assert pair.rules("red") == []


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


def late_by_record(pair: NodePair, party: str, message: str) -> int | None:
    station = pair.station(party)
    row = station.store.entry(message)
    assert row is not None
    return message_view(pair.line(party), row, "en", station.core.envelope_of).late_ms


def answer(pair: NodePair, asked: str) -> Posted:
    reply = Say(
        kind=Kind.LINE_CHECK_REPLY, body=LineCheck(text="4711 0815"), desk=DESKS[0], ref=asked
    )
    (posted,) = pair.world.say("red", "blue", [reply])
    pair.run_for(1)
    return posted


def test_a_check_answered_past_its_limit_is_late_on_both_sides() -> None:
    with node_pair() as pair:
        asked = check(pair, "blue", "4711 0815")
        pair.run_for(149)
        posted = answer(pair, asked)
        (told,) = posted.warnings
        assert told.startswith("LINE CHECK LATE. red retyped rightly what was sent at")
        assert told.endswith("2 min 30 s after that; the limit was 2 min.")
        alert = pair.alert("blue", "LINE_CHECK_LATE")
        assert alert.text.startswith("LINE CHECK LATE. red retyped rightly")
        assert "NO_ANSWER" not in pair.rules("blue")
        for party in ("blue", "red"):
            assert 29_000 < (late_by_record(pair, party, posted.hash) or 0) < 32_000
        seen = Seen(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("blue", Kind.SEEN, seen, ref=posted.hash)
        assert "LINE_CHECK_LATE" not in pair.rules("blue")


def test_a_check_answered_in_time_is_not_late_on_either_side() -> None:
    with node_pair() as pair:
        asked = check(pair, "blue", "4711 0815")
        pair.run_for(110)
        posted = answer(pair, asked)
        assert posted.warnings == ()
        assert "LINE_CHECK_LATE" not in pair.rules("blue")
        for party in ("blue", "red"):
            assert late_by_record(pair, party, posted.hash) is None


def test_that_a_check_was_answered_late_outlives_a_start() -> None:
    with node_pair() as pair:
        asked = check(pair, "blue", "4711 0815")
        pair.run_for(149)
        answer(pair, asked)
        pair.world.restart("blue")
        pair.run_for(2)
        assert "LINE_CHECK_LATE" in pair.rules("blue")
