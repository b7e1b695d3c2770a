"""An overdue alert says who acts now, since when, and what comes next; clocks that differ show."""

import pytest

from deconflict.line.moment import Now
from deconflict.messages.bodies import Ack, AnswerWord, Cease
from deconflict.messages.kinds import Kind
from deconflict.messages.wire_form import Place
from node_pair import LATAKIA, NodePair, declaration, node_pair

SECOND = "SECOND DESK. Since 2015-09-30 06:00:3"
VOICE = "VOICE. Call red by voice: the voice plan of the line is due since 2015-09-30 06:01:0"
TIER = "NEXT TIER. Tell the next tier: that is due since 2015-09-30 06:02:0"


def cease() -> Cease:
    return Cease(
        effective_utc="2015-09-30T06:00:00.000Z", position=Place.of(LATAKIA), reach_mm=1_000_000
    )


def test_unanswered_cease_says_at_each_rung_who_acts_and_what_is_next() -> None:
    with node_pair() as pair:
        message = pair.say("blue", Kind.CEASE, cease())
        pair.run_for(31)
        alert = pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED")
        assert SECOND in alert.text
        assert "desk deputy to act as well." in alert.text
        assert "Call desk deputy of red as well" in alert.text
        assert alert.text.endswith("Next at 2015-09-30 06:01:02Z: voice.")
        assert alert.deadline_utc == "2015-09-30T06:01:02.000Z"
        assert VOICE not in alert.text
        pair.run_for(31)
        alert = pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED")
        assert SECOND in alert.text
        assert VOICE in alert.text
        assert f"`deconflict line carry red --voice {message[:8]}` prints what to say. Next at" in (
            alert.text
        )
        assert alert.text.endswith("Next at 2015-09-30 06:02:02Z: next tier, hold.")
        pair.run_for(60)
        alert = pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED")
        for said in (SECOND, VOICE, TIER, "HOLD. Since 2015-09-30 06:02:0"):
            assert said in alert.text
        assert "Next at" not in alert.text
        assert alert.deadline_utc is None


def test_what_is_not_yet_overdue_says_when_the_first_step_is() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease())
        pair.run_for(12)
        alert = pair.alert("blue", "NOT_SEEN")
        assert alert.level == 0
        assert alert.text.endswith(
            "Next at 2015-09-30 06:00:32Z: this desk, second desk, their second desk."
        )


def test_alert_that_another_one_outclimbs_shows_no_step_that_has_passed() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease())
        pair.run_for(31)
        alert = pair.alert("blue", "NOT_SEEN")
        assert alert.text.endswith("the limit was 10 s.")
        assert alert.deadline_utc is None
        assert "Next at" in pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED").text


def test_what_we_owe_escalates_here_in_the_same_words() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease())
        pair.run_for(70)
        alert = pair.alert("red", "CEASE_RECEIVED")
        assert alert.text.startswith("blue requests that activity")
        assert alert.text.count("SECOND DESK. Since") == 1
        assert "Call blue by voice" in alert.text
        assert "--voice" not in alert.text  # its answer is not written yet
        pair.say("blue", Kind.CEASE, cease())
        pair.run_for(2)
        assert "Call blue by voice" in pair.alert("red", "CEASE_RECEIVED").text


def test_ladder_outlasts_a_restart_and_goes_on() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease())
        pair.run_for(31)
        pair.world.restart("blue")
        pair.run_for(1)
        alert = pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED")
        assert SECOND in alert.text


def test_readback_that_stays_missing_names_the_second_desk() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(31 * 60)
        alert = pair.alert("blue", "READBACK_MISSING")
        assert "it is for desk deputy to act as well." in alert.text
        pair.world.restart("blue")
        pair.run_for(2)
        assert (
            "it is for desk deputy to act as well." in pair.alert("blue", "READBACK_MISSING").text
        )


def test_answer_ends_what_the_ladder_asked_for() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.CEASE, cease())
        pair.run_for(70)
        pair.say("red", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=asked)
        pair.run_for(2)
        assert "CEASE_NOT_ACKNOWLEDGED" not in pair.rules("blue")


# ---- clocks ----------------------------------------------------------------------------


class Clocks:
    """Blue and red beat; red's clock is ahead by what the test says, on a path without delay."""

    def __init__(self, pair: NodePair) -> None:
        self.pair, self.seconds = pair, 0

    def ahead(self, ahead_ms: int) -> list[str]:
        line = self.pair.line_id
        for _ in range(3):
            self.seconds += 1
            at = self.pair.world.now
            at = Now(at.utc_ms + self.seconds * 1000, at.monotonic_ms + self.seconds * 1000)
            theirs = Now(at.utc_ms + ahead_ms, at.monotonic_ms)
            body = self.pair.blue.core.beat(line, at)
            answer = self.pair.red.core.heard_beat("blue", line, body, theirs)
            self.pair.blue.core.heard_beat("red", line, answer, at)
        self.pair.world.commit(self.pair.blue, self.pair.blue.core.advance(at))
        return [rule for rule in self.pair.rules("blue") if rule == "CLOCKS_DIFFER"]


@pytest.mark.parametrize("sign", [1, -1])
def test_clock_beyond_the_terms_is_told_until_it_is_well_within(sign: int) -> None:
    with node_pair() as pair:
        clocks = Clocks(pair)
        assert clocks.ahead(sign * 1_900) == []
        assert clocks.ahead(sign * 5_000) == ["CLOCKS_DIFFER"]
        alert = pair.alert("blue", "CLOCKS_DIFFER")
        assert "The clock of red is 5 s from ours; the terms expect at most 2 s." in alert.text
        assert clocks.ahead(sign * 1_900) == ["CLOCKS_DIFFER"]
        assert clocks.ahead(sign * 1_000) == []
        assert pair.raised("blue", "CLOCKS_DIFFER") == 1


def test_clock_about_its_limit_does_not_flap() -> None:
    with node_pair() as pair:
        clocks = Clocks(pair)
        for ahead_ms in (2_100, 1_950, 2_050, 1_900, 2_100):
            clocks.ahead(ahead_ms)
        changes = [
            event
            for event in pair.blue.events
            if event.kind == "alert" and event.data["rule"] == "CLOCKS_DIFFER"
        ]
        assert len(changes) == 1


@pytest.mark.parametrize(
    ("before_s", "early"), [(10, True), (700, False)], ids=["before its limit", "behind it"]
)
def test_what_a_start_tells_before_its_limit_says_how_much_has_passed(
    before_s: int, early: bool
) -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(before_s)
        pair.world.restart("blue")
        pair.run_for(1)
        rules = ("NOT_SEEN", "READBACK_MISSING") if early else ("READBACK_MISSING",)
        for rule in rules:
            alert = pair.alert("blue", rule)
            assert "the limit was 10 min." in alert.text
            assert ("That limit has not run out: 10 s had passed." in alert.text) is early


def test_what_a_start_tells_of_a_cease_is_told_as_it_is_once_its_limit_passed() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease())
        pair.run_for(12)
        pair.world.restart("blue")
        pair.run_for(1)
        assert "That limit has not run out" not in pair.alert("blue", "NOT_SEEN").text
        pair.run_for(60)
        assert not [a for a in pair.blue.core.alerts if "has not run out" in a.text]


@pytest.mark.parametrize("party", ["blue", "red"])
def test_voice_comes_when_it_is_due_though_the_node_was_started_meanwhile(party: str) -> None:
    rule = "CEASE_NOT_ACKNOWLEDGED" if party == "blue" else "CEASE_RECEIVED"
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease())
        pair.run_for(45)
        pair.world.restart(party)
        pair.run_for(1)
        alert = pair.alert(party, rule)
        assert SECOND[:18] in alert.text
        assert "VOICE" not in alert.text
        assert "Next at 2015-09-30 06:01:0" in alert.text
        pair.run_for(20)
        pair.world.restart(party)
        pair.run_for(1)
        alert = pair.alert(party, rule)
        assert "VOICE. Call" in alert.text
        assert "Next at 2015-09-30 06:02:0" in alert.text
