"""People check a line in turn, as often as its terms say; a check nobody makes shows at both ends
(R5)."""

import pytest

from deconflict.messages.bodies import LineCheck
from deconflict.messages.kinds import Kind
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
    checks.begin(0)
    first = checks.due(10, 10)
    checks.done("blue", 20)
    second = checks.due(10, 30)
    assert first is not None
    assert second is not None
    assert (first.by, second.by) == ("blue", "red")
