"""What only the own node knows, and what parties and others tell of one event."""

from dataclasses import replace

import pytest
from test_node_attacks import attack

from deconflict.airspace.instant import TimeSpan
from deconflict.airspace.position import Position
from deconflict.errors import LineStateError, NotFoundError
from deconflict.messages.bodies import Account, Cancel
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import ThirdParty
from deconflict.node import at_home, incidents
from deconflict.node.core import Say
from deconflict.node.own_activity import Activity, WordsOnly
from node_pair import FAR, HOUR_MS, LATAKIA, START_MS, NodePair, circle, declaration, node_pair


def activity(at: Position = LATAKIA, *, start_ms: int = START_MS) -> Activity:
    return Activity("ours", at, TimeSpan(start_ms, start_ms + HOUR_MS))


# ---- what stays at home --------------------------------------------------------------


def test_own_activity_outside_every_notice_is_told_with_the_distance() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1, Purpose.ACTIVITY, circle(at=FAR, start_ms=START_MS)))
        pair.act("blue", activity())
        pair.run_for(0.1)
        alert = pair.alert("blue", "ACT_DIFFERS_FROM_NOTICE")
        assert alert.object == f"{1:032x}"
        assert alert.facts["distance_m"] == pytest.approx(110_960, abs=100)


def test_own_activity_inside_a_notice_is_not_told() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1, Purpose.ACTIVITY, circle(start_ms=START_MS)))
        pair.act("blue", activity())
        pair.run_for(60)
        assert "ACT_DIFFERS_FROM_NOTICE" not in pair.rules("blue")


def test_own_activity_at_the_others_site_is_told_here_and_changes_nothing_there() -> None:
    transcripts = []
    for acts in (True, False):
        with node_pair() as pair:
            pair.declare("red", declaration(1, Purpose.PROTECTED_SITE))
            pair.run_for(5)
            begin_ms = START_MS + HOUR_MS
            pair.world.run_until(begin_ms)
            if acts:
                pair.act("blue", activity(start_ms=begin_ms))
            pair.run_for(600)
            assert (pair.raised("blue", "PROTECTED_SITE_NEAR") == 1) is acts
            transcripts.append((pair.red.received, pair.red.events))
    assert transcripts[0] == transcripts[1]


def test_own_activity_survives_a_restart_and_ends_with_its_time() -> None:
    with node_pair() as pair:
        pair.act("blue", activity())
        pair.run_for(1)
        pair.world.restart("blue")
        pair.run_for(1)
        assert "ACT_DIFFERS_FROM_NOTICE" in pair.rules("blue")
        pair.world.look_at(START_MS + HOUR_MS + 1_000)
        pair.world.run_until(START_MS + HOUR_MS + 5_000)
        assert "ACT_DIFFERS_FROM_NOTICE" not in pair.rules("blue")
        assert pair.blue.store.notes("activity/") == ()


def test_what_is_about_to_be_done_off_its_notice_is_told_before_it_begins() -> None:
    """Deir ez-Zor, 2016: the place that was told lay 9 km off, and nobody saw it (R12)."""
    with node_pair() as pair:
        told = Position.from_degrees(35.48, 35.9)
        pair.declare("blue", declaration(1, Purpose.ACTIVITY, circle(at=told)))
        pair.act("blue", activity(start_ms=START_MS + HOUR_MS))
        alert = pair.alert("blue", "ACT_DIFFERS_FROM_NOTICE")
        assert alert.facts["distance_m"] == pytest.approx(8_876, abs=20)


def test_what_is_met_is_urgent_before_it_begins_and_a_flash_once_it_goes_on() -> None:
    with node_pair() as pair:
        pair.declare("red", declaration(1, Purpose.OWN_PRESENCE))
        pair.run_for(2)
        begins_ms = START_MS + HOUR_MS
        pair.act("blue", activity(start_ms=begins_ms))
        assert pair.alert("blue", "PRESENCE_OVERLAP").urgency == "IMMEDIATE"
        pair.world.look_at(begins_ms)
        pair.world.run_until(begins_ms + 2_000)
        assert pair.alert("blue", "PRESENCE_OVERLAP").urgency == "FLASH"
        assert pair.raised("blue", "PRESENCE_OVERLAP") == 1


def test_what_is_declared_later_is_met_as_well_and_what_is_withdrawn_no_more() -> None:
    with node_pair() as pair:
        pair.act("blue", activity(start_ms=START_MS + HOUR_MS))
        (said,) = pair.declare("red", declaration(1, Purpose.PROTECTED_SITE))
        pair.run_for(3)
        assert "PROTECTED_SITE_NEAR" in pair.rules("blue")
        gone = Cancel(declaration_id=f"{1:032x}", reason=301)
        pair.say("red", Kind.CANCEL, gone, ref=said)
        pair.run_for(3)
        assert "PROTECTED_SITE_NEAR" not in pair.rules("blue")


def test_a_wider_notice_ends_what_was_told_of_the_narrow_one() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1, Purpose.ACTIVITY, circle(at=FAR)))
        pair.act("blue", activity(start_ms=START_MS + HOUR_MS))
        assert "ACT_DIFFERS_FROM_NOTICE" in pair.rules("blue")
        pair.declare("blue", declaration(2, Purpose.ACTIVITY))
        pair.run_for(3)
        assert "ACT_DIFFERS_FROM_NOTICE" not in pair.rules("blue")


def test_what_is_taken_back_is_forgotten_with_all_that_was_told_of_it() -> None:
    with node_pair() as pair:
        pair.act("blue", activity())
        assert "ACT_DIFFERS_FROM_NOTICE" in pair.rules("blue")
        core = pair.blue.core
        pair.world.commit(pair.blue, core.forget_activity("ours", pair.world.now))
        assert "ACT_DIFFERS_FROM_NOTICE" not in pair.rules("blue")
        assert (core.activities, pair.blue.store.notes("activity/")) == ((), ())
        with pytest.raises(NotFoundError):
            core.forget_activity("ours", pair.world.now)


def test_what_is_over_and_what_is_too_much_is_not_entered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(at_home, "MOST_ACTIVITIES", 1)
    with node_pair() as pair:
        with pytest.raises(LineStateError, match="is over"):
            pair.act("blue", activity(start_ms=START_MS - 2 * HOUR_MS))
        pair.act("blue", activity())
        pair.act("blue", activity(start_ms=START_MS + HOUR_MS))  # the same one, later
        with pytest.raises(LineStateError, match="no more activities"):
            pair.act("blue", replace(activity(), activity_id="another"))


def in_words(pair: NodePair) -> None:
    now = pair.world.now
    notice = WordsOnly("0" * 31 + "1", Purpose.ACTIVITY, now.utc_ms, now.utc_ms + 60_000)
    work = pair.blue.core.note_words_only(pair.line_id, notice, now)
    pair.world.commit(pair.blue, work)


def test_notice_in_words_is_vague_short_and_names_every_third_party() -> None:
    with node_pair(third_parties=[ThirdParty("green", None)]) as pair:
        in_words(pair)
        assert set(pair.rules("blue")) == {
            "PLACE_WITHOUT_GEOMETRY",
            "LEAD_TIME_SHORT",
            "THIRD_PARTY_NOT_REACHED",
        }


def test_notice_in_words_is_forgotten_after_a_day() -> None:
    with node_pair() as pair:
        in_words(pair)
        pair.world.restart("blue")
        pair.run_for(86_400 - 60)
        assert "PLACE_WITHOUT_GEOMETRY" in pair.rules("blue")
        pair.run_for(2 * 3_600)
        assert "PLACE_WITHOUT_GEOMETRY" not in pair.rules("blue")
        assert pair.blue.store.notes("words/") == ()


# ---- accounts ------------------------------------------------------------------------


def account(**fields: str | int | bool) -> Account:
    return Account(event="pass", fields=fields)


def test_accounts_that_agree_are_not_told() -> None:
    with node_pair() as pair:
        for party in ("blue", "red"):
            pair.say(party, Kind.ACCOUNT, account(closest_m=500))
        pair.run_for(2)
        assert "ACCOUNTS_DIFFER" not in pair.rules("blue")


def test_account_of_a_source_without_a_line_is_laid_beside_the_parties() -> None:
    with node_pair() as pair:
        for party in ("blue", "red"):
            pair.say(party, Kind.ACCOUNT, account(time="2015-09-30T06:00:00Z"))
        pair.run_for(2)
        outside = incidents.Account("pass", "newspaper", {"time": "2015-09-30T07:00:00Z"})
        work = pair.blue.core.note_account(outside, pair.world.now)
        pair.world.commit(pair.blue, work)
        assert pair.alert("blue", "ACCOUNTS_DIFFER").facts["times_apart_ms"] == {"time": 3_600_000}
        assert "ACCOUNTS_DIFFER" not in pair.rules("red")
        pair.world.restart("blue")
        pair.say("red", Kind.ACCOUNT, account(time="2015-09-30T06:00:00Z"))
        pair.run_for(2)
        assert pair.alert("blue", "ACCOUNTS_DIFFER").facts["times_apart_ms"] == {"time": 3_600_000}


def test_no_more_events_are_held_than_are_compared_and_ours_are_refused_in_words() -> None:
    with node_pair() as pair:
        for number in range(incidents.EVENTS_COMPARED):
            say = Say(
                kind=Kind.ACCOUNT, body=Account(event=f"e{number}", fields={"a": 1}), desk="watch"
            )
            pair.world.say("blue", "red", [say])
        with pytest.raises(LineStateError, match="belong to no incident"):
            pair.say("blue", Kind.ACCOUNT, Account(event="one more", fields={"a": 1}))
        pair.say("blue", Kind.ACCOUNT, Account(event="e7", fields={"a": 2}))  # known already
        pair.say("red", Kind.ACCOUNT, Account(event="one more", fields={"a": 1}))


def test_a_peer_that_names_event_after_event_fills_no_memory() -> None:
    with node_pair() as pair:
        for number in range(incidents.EVENTS_COMPARED + 20):
            attack(pair, "ACCOUNT", Account(event=f"e{number}", fields={"a": 1}))
        held = pair.line("blue").book.accounts
        assert len(held) == incidents.EVENTS_COMPARED
        assert "e19" not in held
        assert "e20" in held


def test_sources_without_a_line_are_held_up_to_a_number() -> None:
    with node_pair() as pair:

        def note(event: str, by: str) -> None:
            told = incidents.Account(event, by, {"a": 1})
            pair.world.commit(pair.blue, pair.blue.core.note_account(told, pair.world.now))

        for number in range(incidents.SOURCES_HELD):
            note("pass", f"newspaper {number}")
        with pytest.raises(LineStateError, match="no more accounts"):
            note("pass", "one more")
        note("pass", "newspaper 7")  # known already
        note("another", "one more")
