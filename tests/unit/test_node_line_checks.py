"""People check a line in turn, as often as its terms say; a check nobody makes shows at both ends
(R5)."""

import pytest
from msgspec.structs import replace

from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import LineCheck, TermsMessage
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import Terms
from deconflict.node.line_checks import LineChecks
from node_pair import NodePair, node_pair

HOUR_S = 3_600
GRACE_S = 600
DUE, MISSED = "LINE_CHECK_DUE", "LINE_CHECK_MISSED"


def checked(pair: NodePair, by: str, to: str, *, retyped: str = "4821 0937") -> None:
    """A check from person to person, there and back."""
    sent = pair.say(by, Kind.LINE_CHECK, LineCheck(text="4821 0937"))
    pair.run_for(2)
    pair.say(to, Kind.LINE_CHECK_REPLY, LineCheck(text=retyped), ref=sent)
    pair.run_for(2)


def test_a_check_falls_due_at_whose_turn_it_is_and_shows_at_both_ends_when_missed() -> None:
    with node_pair() as pair:
        pair.run_for(HOUR_S - 60)
        assert not {DUE, MISSED} & {*pair.rules("blue"), *pair.rules("red")}
        pair.run_for(120)
        assert DUE in pair.rules("blue")
        assert DUE not in pair.rules("red")
        assert MISSED not in pair.rules("blue")
        pair.run_for(GRACE_S)
        assert MISSED in pair.rules("blue")
        assert MISSED in pair.rules("red")
        assert pair.alert("red", MISSED).facts["by"] == "blue"


def test_a_check_retyped_rightly_ends_both_and_gives_the_turn_to_the_other_side() -> None:
    with node_pair() as pair:
        pair.run_for(HOUR_S + GRACE_S + 60)
        checked(pair, "blue", "red")
        for party in ("blue", "red"):
            assert not {DUE, MISSED} & set(pair.rules(party))
        pair.run_for(HOUR_S)
        assert DUE in pair.rules("red")
        assert DUE not in pair.rules("blue")


def test_a_check_retyped_wrongly_is_none() -> None:
    with node_pair() as pair:
        pair.run_for(HOUR_S + 60)
        checked(pair, "blue", "red", retyped="4821 0936")
        assert DUE in pair.rules("blue")


def test_a_check_that_nobody_retyped_is_none() -> None:
    with node_pair() as pair:
        pair.run_for(HOUR_S + 60)
        pair.say("blue", Kind.LINE_CHECK, LineCheck(text="4821 0937"))
        pair.run_for(5)
        assert DUE in pair.rules("blue")


def test_a_text_to_be_retyped_stands_apart_from_what_is_due() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.LINE_CHECK, LineCheck(text="4821 0937"))
        pair.run_for(3 * 60)
        lines = pair.alert("red", "LINE_CHECK_RECEIVED").text.splitlines()
        assert lines[0].endswith("4821 0937")
        assert lines[1].startswith("SECOND DESK.")


def test_without_terms_no_check_is_due() -> None:
    checks = LineChecks("blue", "red")
    assert checks.due(1, 10**15) is None
    checks.done("red", 5_000)
    assert checks.due(1_000, 5_999) is None
    due = checks.due(1_000, 6_000)
    assert due is not None
    assert (due.by, due.since_ms, due.last_ms) == ("blue", 6_000, 5_000)


@pytest.mark.parametrize(("own", "peer"), [("blue", "red"), ("red", "blue")])
def test_both_sides_reckon_the_same_turn(own: str, peer: str) -> None:
    checks = LineChecks(own, peer)
    checks.begin(0, 10, None)
    first = checks.due(10, 10)
    checks.done("blue", 20)
    second = checks.due(10, 30)
    assert first is not None
    assert second is not None
    assert (first.by, second.by) == ("blue", "red")


def test_a_shorter_interval_makes_no_check_missed_that_was_not_due_before() -> None:
    checks = LineChecks("blue", "red")
    checks.begin(0, 1_000, None)
    checks.begin(900, 100, 1_000)  # the next one was due at 1,000, and is: 900 + 100
    following = checks.following(100)
    assert following is not None
    assert following.since_ms == 1_000
    checks.begin(990, 20, 100)  # nor is what was due put off
    assert checks.due(20, 999) is None
    assert checks.due(20, 1_000) is not None
    again = LineChecks("blue", "red")
    again.take_up(checks.kept())
    assert again.due(20, 999) is None
    again.done("blue", 1_010)
    assert again.due(20, 1_030) is not None


def test_terms_with_a_shorter_interval_raise_no_alert_about_the_time_before_them() -> None:
    with node_pair() as pair:
        pair.run_for(HOUR_S - 60)
        held = pair.line("blue").book
        newer = replace(
            pair.terms(version=2, replaces=held.terms_hash), line_check_every_ms=300_000
        )
        agree(pair, newer)
        assert not {DUE, MISSED} & {*pair.rules("blue"), *pair.rules("red")}
        pair.world.restart("blue")
        pair.run_for(30)
        assert not {DUE, MISSED} & {*pair.rules("blue"), *pair.rules("red")}
        pair.run_for(60)
        assert DUE in pair.rules("blue")  # as the terms before had it


def agree(pair: NodePair, terms: Terms) -> None:
    """Blue proposes them and red signs them."""

    def signed(party: str) -> TermsMessage:
        key = pair.station(party).core.key
        return TermsMessage(terms=terms, signature=sign_terms(terms, key))

    proposed = pair.say("blue", Kind.TERMS_PROPOSE, signed("blue"))
    pair.run_for(2)
    pair.say("red", Kind.TERMS_ACCEPT, signed("red"), ref=proposed)
    pair.run_for(2)


def test_a_check_logged_by_a_clock_that_ran_ahead_puts_the_next_off_by_no_more_than_one() -> None:
    day_ms, every_ms = 24 * HOUR_S * 1_000, HOUR_S * 1_000
    checks = LineChecks("blue", "red")
    checks.done("blue", day_ms)
    assert checks.due(every_ms, 5_000) is None
    assert checks.due(every_ms, 5_000 + every_ms - 1) is None
    due = checks.due(every_ms, 5_000 + every_ms)
    assert due is not None
    assert (due.by, due.since_ms, due.last_ms) == ("red", 5_000 + every_ms, 5_000)
