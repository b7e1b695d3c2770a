"""Late is never now: what a stalled disk, a wrong clock or a held packet makes of it (R45)."""

from typing import Any

from test_node_attacks import forge

from deconflict.line.envelope import SealedEnvelope
from deconflict.line.moment import Now
from deconflict.messages.bodies import CeaseReport, Declared, Seen
from deconflict.messages.kinds import Kind
from deconflict.node.core import Say
from deconflict.replay.world import DESKS
from deconflict.store.base import EntryRow
from node_pair import LATAKIA, MINUTE_MS, NodePair, cease, declaration, node_pair

SOON_S = 8.0  # more than every repetition


def arrive_by_a_slow_disk(pair: NodePair, sealed: list[SealedEnvelope], stall_s: float) -> None:
    """Let blue hear what red said, and have it durable only so much later."""
    heard = pair.blue.core.hear("red", pair.line_id, sealed, pair.world.now)
    pair.world._utc_ms += round(stall_s * 1_000)
    pair.world.commit(pair.blue, heard.work)


def late_row(pair: NodePair, sealed: SealedEnvelope) -> EntryRow:
    row = pair.blue.store.entry(sealed.hash)
    assert row is not None
    return row


def test_what_a_stalled_disk_made_late_is_delayed_in_record_picture_and_alerts() -> None:
    with node_pair() as pair:
        body = Declared.of(declaration(1))
        sealed = forge(pair, Kind.NOTIFY, body, expires_after_ms=60_000)
        arrive_by_a_slow_disk(pair, [sealed], 63)
        pair.run_for(SOON_S)
        assert late_row(pair, sealed).delayed
        assert [one for one in pair.line("blue").book.picture if not one.own] == []
        assert "DELAYED" in pair.rules("blue")
        shown = [event.data for event in pair.blue.events if event.kind == "message"]
        assert [one["delayed"] for one in shown if one["hash"] == sealed.hash] == [False, True]


def test_what_came_in_time_over_a_slow_disk_is_acted_on() -> None:
    with node_pair() as pair:
        body = Declared.of(declaration(1))
        sealed = forge(pair, Kind.NOTIFY, body, expires_after_ms=60_000)
        arrive_by_a_slow_disk(pair, [sealed], 30)
        pair.run_for(SOON_S)
        assert not late_row(pair, sealed).delayed
        assert len([one for one in pair.line("blue").book.picture if not one.own]) == 1
        assert "DELAYED" not in pair.rules("blue")


def test_a_cease_that_a_stalled_disk_made_late_asks_for_no_answer_and_is_shown() -> None:
    with node_pair() as pair:
        sealed = forge(pair, Kind.CEASE, cease(at=LATAKIA), expires_after_ms=60_000)
        arrive_by_a_slow_disk(pair, [sealed], 63)
        pair.run_for(SOON_S)
        assert "DELAYED" in pair.rules("blue")
        assert "CEASE_RECEIVED" not in pair.rules("blue")


def test_the_line_goes_on_after_a_stall_and_its_record_is_read_the_same_again() -> None:
    with node_pair() as pair:
        late: Any = forge(pair, Kind.NOTIFY, Declared.of(declaration(1)), expires_after_ms=60_000)
        present: Any = forge(pair, Kind.NOTIFY, Declared.of(declaration(2)))
        arrive_by_a_slow_disk(pair, [late, present], 63)
        pair.run_for(SOON_S)
        pair.declare("blue", declaration(3))
        pair.declare("red", declaration(4))
        pair.run_for(SOON_S)

        def held() -> set[str]:
            return {one.declaration.declaration_id for one in pair.line("blue").book.picture}

        ids = {declaration(number).declaration_id for number in (2, 3, 4)}
        assert held() == ids
        for party in ("blue", "red"):
            machine = pair.line(party).machine
            assert machine.own_head == machine.own_receipted
        pair.world.restart("blue")
        assert held() == ids


def test_a_safety_of_a_clock_that_runs_ahead_is_shown_at_once_with_its_words() -> None:
    with node_pair() as pair:
        pair.run_for(120)  # what it cites of ours is older than it may be
        ahead_ms = pair.world.now.utc_ms + 600_000
        sealed = forge(
            pair, Kind.CEASE, cease(at=LATAKIA), created_ms=ahead_ms, expires_after_ms=60_000
        )
        heard = pair.blue.core.hear("red", pair.line_id, [sealed], pair.world.now)
        pair.world.commit(pair.blue, heard.work)
        alert = pair.alert("blue", "SUSPECT_CLOCK")
        assert alert.urgency == "FLASH"
        assert alert.text.startswith("SUSPECT CLOCK. cease request from red is stamped ")
        assert "It says: " in alert.text
        assert len(alert.text.split("It says: ")[1]) > 20
        assert "CEASE_RECEIVED" not in pair.rules("blue")
        assert late_row(pair, sealed).delayed
        receipt = heard.answer()
        assert receipt  # it is held, whatever its age


def test_our_own_clock_set_back_makes_no_message_suspect() -> None:
    with node_pair() as pair:
        pair.run_for(2)
        now = pair.world.now
        sealed = forge(pair, Kind.CEASE, cease(at=LATAKIA), expires_after_ms=60_000)
        jumped = Now(now.utc_ms - 3_600_000, now.monotonic_ms + 500)
        heard = pair.blue.core.hear("red", pair.line_id, [sealed], jumped)
        assert [entry.delayed for entry in heard.entries] == [False]


def test_after_a_start_what_seems_ahead_waits_for_the_first_beats() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        ahead_ms = pair.world.now.utc_ms + 600_000
        sealed = forge(
            pair, Kind.CEASE, cease(at=LATAKIA), created_ms=ahead_ms, expires_after_ms=60_000
        )
        pair.world.restart("blue")
        heard = pair.blue.core.hear("red", pair.line_id, [sealed], pair.world.now)
        pair.world.commit(pair.blue, heard.work)
        assert [outcome for _, outcome in heard.judged] == ["NOT_NOW"]
        assert "HEARD_WHILE_MUTE" in pair.rules("blue")  # a FLASH is shown meanwhile


def test_the_author_of_a_cease_that_came_late_is_told_and_its_answer_says_so() -> None:
    with node_pair() as pair:
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 15 * MINUTE_MS)
        message = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(14 * 60)
        assert "EXPIRED" in pair.rules("blue")
        pair.run_for(2 * 60)
        assert "DELAYED" in pair.rules("red")
        assert "EXPIRED" in pair.rules("blue")  # it was receipted since, and stays late
        report = CeaseReport(desk=DESKS[0], at_utc=pair.now_utc)
        say = Say(kind=Kind.CEASED, body=report, desk=DESKS[0], ref=message)
        (posted,) = world.say("red", "blue", [say])
        assert [text for text in posted.warnings if text.startswith("This answers what came late")]
        pair.run_for(2)
        assert not {"CEASE_OPEN", "EXPIRED"} & set(pair.rules("blue"))
        alert = pair.alert("blue", "CAME_LATE")
        assert alert.urgency == "FLASH"
        assert alert.text.startswith("ANSWERED LATE. Answer of red: report of having ceased.")
        seen = Seen(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("blue", Kind.SEEN, seen, ref=posted.hash)
        assert "CAME_LATE" not in pair.rules("blue")


def test_a_late_message_that_was_seen_is_told_as_late_and_not_as_expired() -> None:
    with node_pair() as pair:
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 15 * MINUTE_MS)
        message = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(16 * 60)
        pair.say("red", Kind.SEEN, Seen(desk=DESKS[0], at_utc=pair.now_utc), ref=message)
        pair.run_for(2)
        assert "EXPIRED" not in pair.rules("blue")
        assert pair.alert("blue", "CAME_LATE").text.startswith("CAME LATE. red signed for cease")


def test_a_start_after_the_late_receipt_does_not_hide_that_it_came_late() -> None:
    with node_pair() as pair:
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 15 * MINUTE_MS)
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(16 * 60)
        world.restart("blue")
        pair.run_for(2)
        assert "CAME_LATE" in pair.rules("blue")


def test_a_start_in_between_does_not_hide_that_it_came_late() -> None:
    with node_pair() as pair:
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 15 * MINUTE_MS)
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(14.5 * 60)
        world.restart("blue")
        pair.run_for(60)
        assert "CAME_LATE" in pair.rules("blue")


def test_what_is_said_again_in_time_and_answered_ends_that_it_came_late() -> None:
    with node_pair() as pair:
        world = pair.world
        world.cut("blue", "red", world.now.utc_ms, world.now.utc_ms + 15 * MINUTE_MS)
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(16 * 60)
        again = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(2)
        report = CeaseReport(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("red", Kind.CEASED, report, ref=again)
        pair.run_for(2)
        assert "CAME_LATE" not in pair.rules("blue")


def test_what_came_in_time_is_not_told_as_late() -> None:
    with node_pair() as pair:
        message = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(20)
        report = CeaseReport(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("red", Kind.CEASED, report, ref=message)
        pair.run_for(20)
        assert pair.raised("blue", "CAME_LATE") == 0


def test_what_came_in_time_and_stays_open_is_not_told_as_late_by_a_start() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(15 * 60)
        pair.world.restart("blue")
        pair.run_for(5 * 60)
        assert "CEASE_NOT_ACKNOWLEDGED" in pair.rules("blue")
        assert pair.raised("blue", "CAME_LATE") == 0


def test_a_late_message_is_told_until_it_is_seen_and_stays_delayed_in_the_record() -> None:
    with node_pair() as pair:
        sealed = forge(pair, Kind.CEASE, cease(at=LATAKIA), expires_after_ms=60_000)
        arrive_by_a_slow_disk(pair, [sealed], 63)
        pair.run_for(SOON_S)
        pair.world.restart("blue")
        assert "DELAYED" in pair.rules("blue")
        pair.say("blue", Kind.SEEN, Seen(desk=DESKS[0], at_utc=pair.now_utc), ref=sealed.hash)
        pair.world.restart("blue")
        assert "DELAYED" not in pair.rules("blue")
        assert late_row(pair, sealed).delayed
        told = [event.data for event in pair.blue.events if event.data.get("rule") == "DELAYED"]
        assert told[-1]["open"] is False
        assert told[-1]["facts"]["message"] == sealed.hash


def test_a_suspect_clock_is_told_until_a_person_has_seen_the_message() -> None:
    with node_pair() as pair:
        pair.run_for(120)
        ahead_ms = pair.world.now.utc_ms + 600_000
        sealed = forge(
            pair, Kind.CEASE, cease(at=LATAKIA), created_ms=ahead_ms, expires_after_ms=60_000
        )
        heard = pair.blue.core.hear("red", pair.line_id, [sealed], pair.world.now)
        pair.world.commit(pair.blue, heard.work)
        assert "SUSPECT_CLOCK" in pair.rules("blue")
        pair.say("blue", Kind.SEEN, Seen(desk=DESKS[0], at_utc=pair.now_utc), ref=sealed.hash)
        assert "SUSPECT_CLOCK" not in pair.rules("blue")
