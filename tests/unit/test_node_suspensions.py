"""What holds a scope suspended, whatever one side says of it in which order."""

import pytest

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidTimeError, LineStateError
from deconflict.messages.bodies import Ack, AnswerWord, Seen
from deconflict.messages.kinds import Kind
from deconflict.messages.suspension_bodies import Resume, ScopeChange, Suspend
from deconflict.node import saying
from deconflict.node.suspensions import Suspensions
from node_pair import MINUTE_MS, NodePair, node_pair


def test_only_a_resumption_ends_a_suspension_and_saying_it_again_for_later_does_not() -> None:
    held = Suspensions()
    held.suspend("ALL", "blue", 0, drill=False)
    held.suspend("ALL", "blue", 120 * MINUTE_MS, drill=False)
    (one,) = held
    assert one.holds(MINUTE_MS)
    assert held.resume("ALL", "blue", 2 * MINUTE_MS, drill=False)
    (one,) = held
    assert not one.holds(3 * MINUTE_MS)


def test_a_suspension_said_again_before_its_end_leaves_no_gap() -> None:
    held = Suspensions()
    held.suspend("ALL", "blue", 0, drill=False)
    held.resume("ALL", "blue", 10 * MINUTE_MS, drill=False)
    held.suspend("ALL", "blue", 5 * MINUTE_MS, drill=False)
    (one,) = held
    assert one.holds(MINUTE_MS)
    assert one.holds(60 * MINUTE_MS)


def test_after_its_end_it_is_a_new_one() -> None:
    held = Suspensions()
    held.suspend("ALL", "blue", 0, drill=False)
    held.resume("ALL", "blue", 10 * MINUTE_MS, drill=False)
    held.suspend("ALL", "blue", 20 * MINUTE_MS, drill=False)
    (one,) = held
    assert not one.holds(15 * MINUTE_MS)
    assert one.holds(21 * MINUTE_MS)


def suspend(pair: NodePair, *, minutes: int = 0) -> str:
    effective_utc = format_utc(pair.world.now.utc_ms + minutes * MINUTE_MS)
    body = Suspend(scope="ALL", effective_utc=effective_utc)
    said = pair.say("blue", Kind.SUSPEND, body)
    pair.run_for(2)
    return said


def open_matters(pair: NodePair) -> list[tuple[str, str | None]]:
    """What red's desk is still asked to look at of what blue said of suspensions."""
    rules = ("SUSPEND_RECEIVED", "RESUME_RECEIVED", "SCOPE_RECEIVED")
    found = [(a.rule, a.subject) for a in pair.station("red").core.alerts if a.rule in rules]
    threads = [each.hash for each in pair.line("red").book.threads if not each.own]
    assert threads == [subject for _, subject in found]
    return found


def test_what_we_suspended_already_is_not_suspended_again_without_a_word() -> None:
    with node_pair() as pair:
        since = format_utc(pair.world.now.utc_ms)
        suspend(pair)
        with pytest.raises(LineStateError, match=f"suspended by blue already, since {since}"):
            suspend(pair)
        with pytest.raises(LineStateError, match="suspended by blue already"):
            suspend(pair, minutes=10)


def test_what_is_to_be_suspended_later_can_be_brought_forward() -> None:
    with node_pair() as pair:
        suspend(pair, minutes=10)
        newest = suspend(pair)
        assert open_matters(pair) == [("SUSPEND_RECEIVED", newest)]


def test_a_resumption_closes_what_it_ends_at_both_ends() -> None:
    with node_pair() as pair:
        suspended = suspend(pair)
        assert open_matters(pair) == [("SUSPEND_RECEIVED", suspended)]
        now = format_utc(pair.world.now.utc_ms)
        resumed = pair.say("blue", Kind.RESUME, Resume(scope="ALL", effective_utc=now))
        pair.run_for(2)
        assert open_matters(pair) == [("RESUME_RECEIVED", resumed)]
        pair.run_for(200)
        subjects = {alert.subject for alert in pair.station("blue").core.alerts}
        assert resumed in subjects  # nobody there has looked at it
        assert suspended not in subjects
        pair.world.restart("red")
        pair.run_for(2)
        assert open_matters(pair) == [("RESUME_RECEIVED", resumed)]
        pair.say("red", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=resumed)
        pair.run_for(2)
        assert open_matters(pair) == []


def test_a_change_of_scope_stands_in_the_place_of_the_suspension_it_changes() -> None:
    with node_pair() as pair:
        suspend(pair)
        now = format_utc(pair.world.now.utc_ms)
        body = ScopeChange(scope="ALL", to="DECLARATIONS", effective_utc=now)
        changed = pair.say("blue", Kind.SCOPE, body)
        pair.run_for(2)
        assert open_matters(pair) == [("SCOPE_RECEIVED", changed)]
        again = suspend(pair)
        assert {subject for _, subject in open_matters(pair)} == {changed, again}


# ---- times that have passed --------------------------------------------------------------


def minutes_off(pair: NodePair, minutes: int) -> str:
    return format_utc(pair.world.now.utc_ms + minutes * MINUTE_MS)


@pytest.mark.parametrize("kind", [Kind.SUSPEND, Kind.RESUME, Kind.SCOPE])
def test_nothing_is_said_to_hold_from_a_time_that_has_passed(kind: Kind) -> None:
    with node_pair() as pair:
        pair.run_for(600)
        if kind is not Kind.SUSPEND:
            suspend(pair)
            pair.run_for(600)
        then = minutes_off(pair, -4)
        bodies = {
            Kind.SUSPEND: Suspend(scope="ALL", effective_utc=then),
            Kind.RESUME: Resume(scope="ALL", effective_utc=then),
            Kind.SCOPE: ScopeChange(scope="ALL", to="DECLARATIONS", effective_utc=then),
        }
        with pytest.raises(InvalidTimeError, match="the effective time has passed") as told:
            pair.say("blue", kind, bodies[kind])
        assert told.value.given == then
        assert told.value.expected == f"now, {pair.now_utc}, or later"
        assert "leave the effective time out" in (told.value.remedy or "")


def test_what_the_clocks_may_be_apart_is_still_now() -> None:
    with node_pair() as pair:
        at = format_utc(pair.world.now.utc_ms - 2_000)
        pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=at))
        pair.run_for(1)
        assert "CAME_AFTER_ITS_TIME" not in pair.rules("red")


@pytest.mark.parametrize("minutes", [0, 5])
def test_what_is_still_to_come_ends_where_it_begins_and_not_before(minutes: int) -> None:
    with node_pair() as pair:
        begins = minutes_off(pair, 10)
        suspend(pair, minutes=10)
        body = Resume(scope="ALL", effective_utc=minutes_off(pair, minutes))
        with pytest.raises(LineStateError, match="suspended only from a later instant on") as told:
            pair.say("blue", Kind.RESUME, body)
        assert f"--effective {begins}" in (told.value.remedy or "")
        pair.say("blue", Kind.RESUME, Resume(scope="ALL", effective_utc=begins))
        pair.run_for(15 * 60)
        assert not [alert for alert in pair.rules("red") if alert == "LINE_SUSPENDED"]


def lets_past_times_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a node say what one of an earlier edition could say."""
    monkeypatch.setattr(saying, "require_not_past", lambda *_: None)


def test_what_a_peer_backdates_counts_from_when_it_came_and_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lets_past_times_through(monkeypatch)
    with node_pair() as pair:
        pair.run_for(600)
        came_ms, said = pair.world.now.utc_ms, suspend(pair, minutes=-4)
        for _ in range(2):
            (held,) = pair.line("red").book.suspensions
            assert came_ms <= held.effective_ms <= came_ms + 2_000
            alert = pair.alert("red", "CAME_AFTER_ITS_TIME")
            assert "says that it holds from 2015-09-30 06:06:" in alert.text
            assert "and came at 2015-09-30 06:10:" in alert.text
            assert alert.facts["message"] == said
            assert "CAME_AFTER_ITS_TIME" not in pair.rules("blue")
            pair.world.restart("red")
            pair.run_for(1)
        pair.say("red", Kind.SEEN, Seen(desk="watch", at_utc=pair.now_utc), ref=said)
        pair.run_for(1)
        assert "CAME_AFTER_ITS_TIME" not in pair.rules("red")


def test_resumption_that_a_peer_backdates_ends_nothing_that_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lets_past_times_through(monkeypatch)
    with node_pair() as pair:
        suspend(pair)
        pair.run_for(600)
        came_ms = pair.world.now.utc_ms
        (held,) = pair.line("red").book.suspensions
        body = Resume(scope="ALL", effective_utc=format_utc(held.effective_ms + MINUTE_MS))
        pair.say("blue", Kind.RESUME, body)
        pair.run_for(2)
        (held,) = pair.line("red").book.suspensions
        assert held.holds(came_ms - 1)
        assert not held.holds(pair.world.now.utc_ms)
        assert "CAME_AFTER_ITS_TIME" in pair.rules("red")
