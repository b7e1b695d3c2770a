"""What two cores do with declarations, conflicts and readbacks: no network, no thread, no clock."""

from dataclasses import replace

import pytest

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc
from deconflict.airspace.outline import Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Containment, Trajectory, Waypoint
from deconflict.airspace.volume import Volume
from deconflict.errors import BannedWordError, LineStateError
from deconflict.line.envelope import Envelope, read_envelope
from deconflict.messages.bodies import (
    Ack,
    AnswerWord,
    Cancel,
    Declared,
    Readback,
    Seen,
)
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.readback import readback_of
from deconflict.messages.terms import ThirdParty
from deconflict.node.drafts import check_drafts
from deconflict.node.show import conflict_view
from deconflict.replay.world import DESKS
from node_pair import FAR, HOUR_MS, START_MS, NodePair, circle, declaration, node_pair

# ---- declarations and conflicts ------------------------------------------------------


def test_conflict_is_found_at_both_nodes_under_one_name() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(2)
        ids = {pair.alert(party, "CONFLICT").subject for party in ("blue", "red")}
        assert len(ids) == 1


def test_conflict_ends_when_one_of_the_two_is_cancelled() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        pair.declare("red", declaration(2))
        pair.run_for(2)
        pair.say("blue", Kind.CANCEL, Cancel(declaration_id=f"{1:032x}"), ref=message)
        pair.run_for(2)
        assert not any("CONFLICT" in pair.rules(party) for party in ("blue", "red"))


def test_a_conflict_by_a_time_window_says_so_in_alert_and_view() -> None:
    def flight(number: int, ends: tuple[tuple[float, float], ...], window_min: int) -> Declaration:
        start_ms = START_MS + HOUR_MS
        legs = Trajectory(
            AltitudeReference.AMSL,
            tuple(
                Waypoint(start_ms + later_ms, Position.from_degrees(*end), 60_960_000)
                for later_ms, end in zip((0, 1_800_000), ends, strict=True)
            ),
            Containment(time_ms=window_min * 60_000),
        )
        return Declaration(f"{number:032x}", Purpose.FLIGHT, legs)

    with node_pair() as pair:
        pair.declare("blue", flight(1, ((35.1, 36.1), (36.1, 36.1)), 0))
        # It passes the crossing a third of its flight, 10 minutes, later.
        pair.declare("red", flight(2, ((35.6, 35.1), (35.6, 36.3)), 12))
        pair.run_for(2)
        text = pair.alert("blue", "CONFLICT").text
        assert "when their declared containment is counted" in text
        assert "red declared that it may be up to 12 min early or late." in text
        line = pair.line("blue")
        (conflict,) = line.book.picture.conflicts()
        view = conflict_view(line, conflict, pair.world.now.utc_ms, "en")
        windows = {view.first_party: view.window_first_s, view.second_party: view.window_second_s}
        assert windows == {"blue": 0.0, "red": 720.0}
        late = {view.first_party: view.late_first_s, view.second_party: view.late_second_s}
        assert late["blue"] == pytest.approx(0.0, abs=0.01)
        assert late["red"] is not None
        assert -720.0 <= late["red"] < -300.0
        assert view.as_planned is False


def test_a_leg_that_nobody_flies_is_told_at_both_desks_until_it_is_corrected() -> None:
    def flight(minutes: int, revision: int) -> Declaration:
        start_ms = START_MS + HOUR_MS
        legs = Trajectory(
            AltitudeReference.AMSL,
            (
                Waypoint(start_ms, Position.from_degrees(35.1, 36.1), 60_960_000),
                Waypoint(
                    start_ms + minutes * 60_000, Position.from_degrees(36.1, 36.1), 60_960_000
                ),
            ),
        )
        return Declaration(f"{1:032x}", Purpose.FLIGHT, legs, revision=revision)

    with node_pair() as pair:
        (message,) = pair.declare("blue", flight(1, revision=1))  # 111 km in a minute
        pair.run_for(2)
        for party in ("blue", "red"):
            assert "FASTER THAN ANY AIRCRAFT" in pair.alert(party, "LEG_TOO_FAST").text
        pair.say("blue", Kind.UPDATE, Declared.of(flight(10, revision=2)), ref=message)
        pair.run_for(2)
        assert not any("LEG_TOO_FAST" in pair.rules(party) for party in ("blue", "red"))


def test_older_revision_never_replaces_a_newer_one() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        newer = declaration(1, volume=circle(at=FAR), revision=3)
        pair.say("blue", Kind.UPDATE, Declared.of(newer), ref=message)
        pair.say("blue", Kind.UPDATE, Declared.of(declaration(1, revision=2)), ref=message)
        pair.run_for(2)
        for party in ("blue", "red"):
            held = pair.line(party).book.picture.get(f"blue/{1:032x}")
            assert held is not None
            assert held.declaration == newer


def test_older_revision_of_the_peer_is_told_until_a_newer_one_comes() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1, revision=3))
        for _ in range(2):
            old = Declared.of(declaration(1, volume=circle(at=FAR), revision=2))
            pair.say("blue", Kind.UPDATE, old, ref=message)
        pair.run_for(2)
        alert = pair.alert("red", "OLDER_REVISION")
        assert alert.subject == f"{1:032x}"
        assert "Revision 3 is held here and stays in force" in alert.text
        assert "UPDATE_RECEIVED" not in pair.rules("red")
        assert pair.rules("red").count("OLDER_REVISION") == 1
        pair.say("blue", Kind.UPDATE, Declared.of(declaration(1, revision=4)), ref=message)
        pair.run_for(2)
        assert "OLDER_REVISION" not in pair.rules("red")


def test_cancel_of_what_is_not_held_is_told_until_a_desk_has_read_it() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        said = pair.say("blue", Kind.CANCEL, Cancel(declaration_id=f"{2:032x}"), ref=message)
        pair.run_for(2)
        assert pair.alert("red", "NOTHING_TO_CANCEL").subject == f"{2:032x}"
        assert len(pair.line("red").book.picture) == 1
        pair.say("red", Kind.SEEN, Seen(desk=DESKS[0], at_utc=pair.now_utc), ref=said)
        assert "NOTHING_TO_CANCEL" not in pair.rules("red")


def test_cancel_said_twice_is_not_remarkable() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        for _ in range(2):
            pair.say("blue", Kind.CANCEL, Cancel(declaration_id=f"{1:032x}"), ref=message)
        pair.run_for(2)
        assert "NOTHING_TO_CANCEL" not in pair.rules("red")


def unusable(*, end_ms: int = START_MS + 2 * HOUR_MS) -> Volume:
    """A polygon that fits within no hemisphere: the separation check refuses it."""
    corners = ((-80.0, 0.0), (80.0, 0.0), (0.0, 170.0))
    outline = Polygon(tuple(Position.from_degrees(*corner) for corner in corners))
    return replace(circle(end_ms=end_ms), outline=outline)


def change_into(pair: NodePair, volume: Volume) -> str:
    """Let blue and red conflict, then blue change its declaration; return blue's first message."""
    pair.declare("red", declaration(2))
    (message,) = pair.declare("blue", declaration(1))
    pair.run_for(2)
    changed = Declared.of(declaration(1, volume=volume, revision=2))
    pair.say("blue", Kind.UPDATE, changed, ref=message)
    pair.run_for(2)
    return message


def test_conflict_stays_when_one_side_becomes_what_cannot_be_checked() -> None:
    with node_pair() as pair:
        change_into(pair, unusable())
        for party in ("blue", "red"):
            assert "NOT_CHECKED" in pair.rules(party)
            assert "NOT CHECKED SINCE" in pair.alert(party, "CONFLICT").text
            assert pair.raised(party, "CONFLICT") == 1
            (conflict,) = pair.line(party).book.picture.conflicts()
            assert [later.declaration.revision for later in conflict.unchecked] == [2]
        before = pair.alert("red", "CONFLICT")
        pair.world.restart("red")
        pair.run_for(2)
        after = pair.alert("red", "CONFLICT")
        assert "NOT CHECKED SINCE" in after.text
        assert after.raised_utc == before.raised_utc
        assert "NOT_CHECKED" in pair.rules("red")


def test_conflict_that_is_not_checked_outlasts_its_old_interval() -> None:
    with node_pair() as pair:
        longer = circle(end_ms=START_MS + 4 * HOUR_MS)
        pair.declare("red", declaration(2, volume=longer))
        (message,) = pair.declare("blue", declaration(1))
        changed = declaration(1, volume=unusable(end_ms=START_MS + 3 * HOUR_MS), revision=2)
        pair.say("blue", Kind.UPDATE, Declared.of(changed), ref=message)
        pair.run_for(2 * 3_600 + 60)
        assert "CONFLICT" in pair.rules("red")
        pair.run_for(3_600)
        assert not {"CONFLICT", "NOT_CHECKED"} & set(pair.rules("red"))


@pytest.mark.parametrize("ending", ["checked again", "cancelled"])
def test_conflict_that_is_not_checked_ends_with_what_is_known(ending: str) -> None:
    with node_pair() as pair:
        message = change_into(pair, unusable())
        if ending == "cancelled":
            pair.say("blue", Kind.CANCEL, Cancel(declaration_id=f"{1:032x}"), ref=message)
        else:
            moved = Declared.of(declaration(1, volume=circle(at=FAR), revision=3))
            pair.say("blue", Kind.UPDATE, moved, ref=message)
        pair.run_for(2)
        for party in ("blue", "red"):
            assert not {"CONFLICT", "NOT_CHECKED"} & set(pair.rules(party))


def test_draft_is_checked_beside_what_cannot_be_checked_and_that_is_said() -> None:
    with node_pair() as pair:
        change_into(pair, unusable())
        lines, now = [pair.line("red")], pair.world.now
        found = check_drafts([declaration(3)], lines, now, "red", "en")
        assert [each.unchecked_since_utc is not None for each in found.conflicts] == [True]
        assert [text[:11] for text in found.warnings] == ["NOT CHECKED"]
        found = check_drafts([declaration(4, volume=unusable())], lines, now, "red", "en")
        assert found.conflicts == ()
        assert [text[:11] for text in found.warnings] == ["NOT CHECKED"] * 2


def test_declaration_needs_terms() -> None:
    with node_pair(agreed=False) as pair, pytest.raises(LineStateError):
        pair.declare("blue", declaration(1))


def test_declarations_of_one_call_are_all_said_or_none() -> None:
    with node_pair() as pair:
        before = pair.line("blue").machine.own_head
        bad = declaration(2)
        object.__setattr__(bad, "label", "you are cleared")
        with pytest.raises(BannedWordError, match="no message on a line may say"):
            pair.declare("blue", declaration(1), bad)
        assert pair.line("blue").machine.own_head == before
        assert len(pair.line("blue").book.picture) == 0


def test_short_notice_is_sent_and_flagged_at_both_ends() -> None:
    with node_pair() as pair:
        soon = circle(start_ms=START_MS + 300_000)
        pair.declare("blue", declaration(1, volume=soon))
        pair.run_for(1)
        assert len(pair.line("red").book.picture) == 1
        for party in ("blue", "red"):
            assert pair.alert(party, "LEAD_TIME_SHORT").subject == f"{1:032x}"


@pytest.mark.parametrize(
    ("purpose", "reminded"),
    [
        (Purpose.FLIGHT, True),
        (Purpose.OWN_PRESENCE, True),
        (Purpose.ACTIVITY, False),
        (Purpose.HAZARD, False),
    ],
)
def test_only_what_covers_somebody_is_reminded_of_before_it_ends(
    purpose: Purpose, reminded: bool
) -> None:
    """R18: an activity or a hazard covers nobody: once it is over nothing is to be prolonged."""
    with node_pair() as pair:
        pair.declare("blue", declaration(1, purpose))
        pair.world.look_at(START_MS + 2 * HOUR_MS - 300_000)
        pair.world.run_until(START_MS + 2 * HOUR_MS - 300_000)
        assert (pair.raised("blue", "DECLARATION_EXPIRING") == 1) is reminded


def test_third_party_without_a_place_is_named_for_every_declaration() -> None:
    with node_pair(third_parties=[ThirdParty("green", None)]) as pair:
        pair.declare("blue", declaration(1))
        assert pair.alert("blue", "THIRD_PARTY_NOT_REACHED").object == "green"


# ---- readback ------------------------------------------------------------------------


def test_right_readback_settles_the_declaration() -> None:
    with node_pair() as pair:
        declared = declaration(1)
        (message,) = pair.declare("blue", declared)
        pair.run_for(5)
        pair.read_back("red", declared, message)
        pair.run_for(900)
        assert pair.raised("blue", "READBACK_MISSING") == 0
        assert "NOTIFY_RECEIVED" not in pair.rules("red")


def results_of(pair: NodePair, readback: str) -> list[Envelope]:
    """Return blue's results that cite a readback, as its record has them."""
    rows = pair.blue.store.entries(pair.line_id, "blue")
    said = [read_envelope(row.data) for row in rows]
    return [each for each in said if each.kind == Kind.READBACK_RESULT and each.ref == readback]


@pytest.mark.parametrize("still_declared", [True, False])
def test_result_of_a_readback_that_a_crash_lost_is_said_once_after_it(still_declared: bool) -> None:
    with node_pair() as pair:
        declared = declaration(1)
        (message,) = pair.declare("blue", declared)
        pair.run_for(5)
        readback = pair.read_back("red", declared, message)

        def crash() -> None:
            assert pair.blue.store.entry(readback) is not None
            pair.world.restart("blue")

        # After the readback is durable at blue, before blue does anything more.
        pair.world.at(pair.world.now.utc_ms + 20, crash, rank=9)
        if not still_declared:
            cancel = Cancel(declaration_id=f"{1:032x}")
            pair.say("blue", Kind.CANCEL, cancel, ref=message)
        pair.run_for(2)
        found = results_of(pair, readback)
        assert [each.body["agrees"] for each in found] == ([True] if still_declared else [])
        pair.world.restart("blue")
        pair.run_for(2)
        assert len(results_of(pair, readback)) == len(found)


def test_wrong_readback_is_told_at_both_ends() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        pair.run_for(1)
        heard = readback_of(declaration(1, volume=circle(at=FAR)), ())
        pair.say("red", Kind.READBACK, Readback(values=heard), ref=message)
        pair.run_for(2)
        for party in ("blue", "red"):
            assert pair.alert(party, "READBACK_WRONG").facts["fields"] == ["position"]


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.CORRECTION])
def test_what_replaces_a_declaration_is_the_one_matter_that_stays_open(kind: Kind) -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        (other,) = pair.declare("blue", declaration(2))
        pair.run_for(700)
        assert pair.rules("blue").count("READBACK_MISSING") == 2
        newer = declaration(1, revision=2)
        said = pair.say("blue", kind, Declared.of(newer), ref=message)
        pair.run_for(2)
        opened = {
            (alert.rule, alert.subject)
            for alert in pair.station("red").core.alerts
            if alert.rule.endswith("_RECEIVED")
        }
        assert opened == {(f"{kind}_RECEIVED", said), ("NOTIFY_RECEIVED", other)}
        assert pair.alert("blue", "READBACK_MISSING").subject == other
        pair.world.restart("red")
        pair.run_for(2)
        assert pair.rules("red").count("NOTIFY_RECEIVED") == 1


def test_acknowledged_is_not_read_back() -> None:
    with node_pair() as pair:
        (message,) = pair.declare("blue", declaration(1))
        pair.run_for(1)
        pair.say("red", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=message)
        pair.run_for(601)
        assert pair.alert("blue", "READBACK_MISSING").raised_utc == format_utc(
            START_MS + 2_000 + 600_000
        )


# ---- asking for the same again -------------------------------------------------------


def test_conflict_that_comes_again_says_so() -> None:
    later = {"start_ms": START_MS + 5 * HOUR_MS, "end_ms": START_MS + 6 * HOUR_MS}
    with node_pair() as pair:
        twice = Declaration(f"{1:032x}", Purpose.FLIGHT, (circle(), circle(**later)))
        all_day = circle(end_ms=START_MS + 9 * HOUR_MS)
        pair.declare("blue", twice)
        pair.declare("red", declaration(2, Purpose.OWN_PRESENCE, all_day))
        pair.run_for(2)
        for party in ("blue", "red"):
            alert = pair.alert(party, "CONFLICT")
            assert "Again from 2015-09-30 11:00:00Z to 2015-09-30 12:00:00Z." in alert.text
        pair.run_for(2.5 * 3600)
        for party in ("blue", "red"):
            alert = pair.alert(party, "CONFLICT")
            assert "From 2015-09-30 11:00:00Z" in alert.text


# ---- the connection ------------------------------------------------------------------


def test_declarations_that_share_one_instant_conflict_and_a_millisecond_apart_they_do_not() -> None:
    with node_pair() as pair:
        first = circle(end_ms=START_MS + 2 * HOUR_MS)
        touching = circle(start_ms=START_MS + 2 * HOUR_MS, end_ms=START_MS + 3 * HOUR_MS)
        apart = circle(start_ms=START_MS + 2 * HOUR_MS + 1, end_ms=START_MS + 3 * HOUR_MS)
        pair.declare("blue", declaration(1, volume=first))
        pair.declare("red", declaration(2, volume=touching), declaration(3, volume=apart))
        pair.run_for(2)
        for party in ("blue", "red"):
            (conflict,) = pair.line(party).book.picture.conflicts()
            named = {
                conflict.own.declaration.declaration_id,
                conflict.peer.declaration.declaration_id,
            }
            assert named == {f"{1:032x}", f"{2:032x}"}
