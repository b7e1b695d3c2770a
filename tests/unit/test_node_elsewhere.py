"""What is declared on one line is held against what the peers of the others declared."""

from collections.abc import Iterator

import pytest

from deconflict.messages.bodies import Cancel, Declared
from deconflict.messages.kinds import Kind
from deconflict.node.show import conflict_view
from node_pair import FAR, HOUR_MS, circle, declaration
from three_parties import Three


@pytest.fixture
def three() -> Iterator[Three]:
    made = Three()
    yield made
    made.world.close()


def test_a_plan_told_to_one_peer_is_held_against_what_another_declared(three: Three) -> None:
    three.declare("blue", "red", declaration(1))
    three.declare("green", "blue", declaration(2))
    (conflict,) = three.conflicts("blue", "green")
    assert not conflict.told
    (alert,) = three.alerts("blue")
    assert "green WAS NOT TOLD of declaration" in alert.text
    assert alert.line_id == three.world.stations["blue"].line("green").line_id
    view = conflict_view(
        three.world.stations["blue"].line("green"), conflict, three.world.now.utc_ms, "ru"
    )
    assert not view.told
    assert "НЕ СООБЩЕНО" in view.text


def test_it_does_not_matter_which_of_the_two_came_first(three: Three) -> None:
    three.declare("green", "blue", declaration(2))
    three.declare("blue", "red", declaration(1))
    assert [conflict.told for conflict in three.conflicts("blue", "green")] == [False]


def test_neither_peer_learns_of_it(three: Three) -> None:
    three.declare("blue", "red", declaration(1))
    three.declare("green", "blue", declaration(2))
    assert three.alerts("red") == three.alerts("green") == []
    assert three.conflicts("green", "blue") == ()
    for party in ("red", "green"):
        picture = three.world.stations[party].line("blue").book.picture
        assert len(picture) == 1


def test_what_two_peers_declared_is_not_held_against_each_other(three: Three) -> None:
    three.declare("red", "blue", declaration(1))
    three.declare("green", "blue", declaration(2))
    assert three.alerts("blue") == []


def test_once_told_it_is_a_conflict_of_the_line(three: Three) -> None:
    three.declare("blue", "red", declaration(1))
    three.declare("green", "blue", declaration(2))
    three.declare("blue", "green", declaration(1))
    (conflict,) = three.conflicts("blue", "green")
    assert conflict.told
    (alert,) = three.alerts("blue")
    assert "WAS NOT TOLD" not in alert.text
    assert [c.conflict_id for c in three.conflicts("green", "blue")] == [conflict.conflict_id]


def test_a_revision_told_to_one_peer_alone_is_held_against_the_other(three: Three) -> None:
    far = declaration(1, volume=circle(at=FAR))
    first = three.declare("blue", "red", far)
    three.declare("blue", "green", far)
    three.declare("green", "blue", declaration(2))
    assert three.conflicts("blue", "green") == ()
    body = Declared.of(declaration(1, revision=2))
    three.say("blue", "red", Kind.UPDATE, body, ref=first)
    (conflict,) = three.conflicts("blue", "green")
    assert (conflict.told, conflict.own.sound.revision) == (False, 2)


def test_both_revisions_count_until_the_peer_is_told_of_the_newer(three: Three) -> None:
    first = three.declare("blue", "red", declaration(1))
    told = three.declare("blue", "green", declaration(1))
    three.declare("green", "blue", declaration(2))
    newer = Declared.of(declaration(1, volume=circle(radius_m=6_000), revision=2))
    three.say("blue", "red", Kind.UPDATE, newer, ref=first)
    assert sorted(c.told for c in three.conflicts("blue", "green")) == [False, True]
    assert len(three.alerts("blue")) == 2
    three.say("blue", "green", Kind.UPDATE, newer, ref=told)
    assert [c.told for c in three.conflicts("blue", "green")] == [True]
    assert len(three.alerts("blue")) == 1


def test_it_ends_when_the_plan_is_cancelled(three: Three) -> None:
    first = three.declare("blue", "red", declaration(1))
    three.declare("green", "blue", declaration(2))
    body = Cancel(declaration_id=declaration(1).declaration_id, reason=301)
    three.say("blue", "red", Kind.CANCEL, body, ref=first)
    assert three.conflicts("blue", "green") == ()
    assert three.alerts("blue") == []


def test_cancelling_it_on_the_line_alone_leaves_it_untold(three: Three) -> None:
    three.declare("blue", "red", declaration(1))
    told = three.declare("blue", "green", declaration(1))
    three.declare("green", "blue", declaration(2))
    body = Cancel(declaration_id=declaration(1).declaration_id, reason=301)
    three.say("blue", "green", Kind.CANCEL, body, ref=told)
    assert [c.told for c in three.conflicts("blue", "green")] == [False]
    (alert,) = three.alerts("blue")
    assert "WAS NOT TOLD" in alert.text


def test_it_ends_when_the_plan_is_over(three: Three) -> None:
    three.declare("blue", "red", declaration(1))
    three.declare("green", "blue", declaration(2))
    three.world.run_for(2 * HOUR_MS / 1000 + 5)
    assert three.conflicts("blue", "green") == ()
    assert three.alerts("blue") == []


def test_it_stands_after_a_restart_since_when_it_was_known(three: Three) -> None:
    three.declare("blue", "red", declaration(1))
    three.declare("green", "blue", declaration(2))
    (before,) = three.conflicts("blue", "green")
    three.world.run_for(60)
    three.world.restart("blue")
    three.world.run_for(2)
    (after,) = three.conflicts("blue", "green")
    assert after.conflict_id == before.conflict_id
    assert (after.told, after.known_since_ms) == (False, before.known_since_ms)
    assert len(three.alerts("blue")) == 1
