"""The core of a node, two of them on a line: what is decided when, and that a restart keeps it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import TimeSpan, format_utc
from deconflict.airspace.outline import Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.volume import Volume
from deconflict.errors import InvalidDocumentError, LineStateError, NotFoundError, WrongLineError
from deconflict.line.envelope import Envelope, read_envelope
from deconflict.line.precedence import Precedence
from deconflict.messages.agreement import sign_terms, terms_hash
from deconflict.messages.bodies import (
    Account,
    Ack,
    Answer,
    AnswerWord,
    Cancel,
    Cease,
    CeaseReport,
    Declared,
    Query,
    Readback,
    Resume,
    SafetyOfFlight,
    SaidWord,
    Seen,
    Standby,
    Suspend,
    TermsMessage,
)
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import phrase_named, render
from deconflict.messages.readback import readback_of
from deconflict.messages.terms import Terms, ThirdParty
from deconflict.messages.wire_form import Level, Place
from deconflict.node import incidents
from deconflict.node.core import Say
from deconflict.node.drafts import check_drafts
from deconflict.node.own_activity import Activity, WordsOnly
from deconflict.node.show import message_view
from deconflict.replay.world import DESKS
from node_pair import HOUR_MS, LATAKIA, START_MS, NodePair, circle, declaration, node_pair

FAR = Position.from_degrees(36.4, 35.9)


def cease(declaration_id: str | None = None, at: Position | None = None) -> Cease:
    return Cease(
        effective_utc=format_utc(START_MS),
        declaration_id=declaration_id,
        position=None if at is None else Place.of(at),
        reach_mm=None if at is None else 1_000_000,
    )


def query() -> Query:
    return Query(
        position=Place.of(LATAKIA),
        level=Level(AltitudeReference.AMSL, 20_000_000),
        course_ddeg=900,
        speed_mmps=200_000,
        at_utc=format_utc(START_MS),
    )


def report() -> CeaseReport:
    return CeaseReport(desk=DESKS[0], at_utc=format_utc(START_MS))


def activity(at: Position = LATAKIA, *, start_ms: int = START_MS) -> Activity:
    return Activity("ours", at, TimeSpan(start_ms, start_ms + HOUR_MS))


# ---- declarations and conflicts --------------------------------------------------------


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
        with pytest.raises(Exception, match="no message on a line may say"):
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
    with node_pair() as pair:
        pair.declare("blue", declaration(1, purpose))
        pair.world.look_at(START_MS + 2 * HOUR_MS - 300_000)
        pair.world.run_until(START_MS + 2 * HOUR_MS - 300_000)
        assert (pair.raised("blue", "DECLARATION_EXPIRING") == 1) is reminded


def test_third_party_without_a_place_is_named_for_every_declaration() -> None:
    with node_pair(third_parties=[ThirdParty("green", None)]) as pair:
        pair.declare("blue", declaration(1))
        assert pair.alert("blue", "THIRD_PARTY_NOT_REACHED").object == "green"


# ---- readback --------------------------------------------------------------------------


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


# ---- what is asked and not answered ----------------------------------------------------


def test_unanswered_query_reads_no_answer_and_stays_open() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(61)
        assert pair.alert("blue", "NO_ANSWER").subject == asked
        pair.run_for(3_600)
        assert pair.line("blue").book.threads.get(asked) is not None
        assert "NO_ANSWER" in pair.rules("blue")


def test_seen_is_no_answer() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(1)
        pair.say("red", Kind.SEEN, Seen(desk=DESKS[0], at_utc=format_utc(START_MS)), ref=asked)
        pair.run_for(61)
        assert "NO_ANSWER" in pair.rules("blue")


def test_answer_ends_the_query_at_both_ends() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(61)
        said = Answer(said=SaidWord.NOT_OURS, desk=DESKS[0], at_utc=format_utc(START_MS))
        pair.say("red", Kind.ANSWER, said, ref=asked)
        pair.run_for(2)
        assert "NO_ANSWER" not in pair.rules("blue")
        assert "QUERY_RECEIVED" not in pair.rules("red")


def test_lost_message_is_told_within_its_limit_and_no_longer_when_it_arrives() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.world.lost.add(asked)
        pair.run_for(4.9)
        assert "NO_RECEIPT" not in pair.rules("blue")
        pair.run_for(0.2)
        assert "NO_RECEIPT" in pair.rules("blue")
        pair.world.lost.clear()
        pair.run_for(10)
        assert "NO_RECEIPT" not in pair.rules("blue")
        assert "QUERY_RECEIVED" in pair.rules("red")


def test_lost_cease_climbs_the_ladder_as_not_acknowledged() -> None:
    with node_pair() as pair:
        pair.world.lost.add(pair.say("blue", Kind.CEASE, cease(at=LATAKIA)))
        pair.run_for(125)
        alert = pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED")
        assert "NEXT_TIER" in alert.facts["steps"]
        assert "NO_RECEIPT" in pair.rules("blue")


# ---- asking for the same again ---------------------------------------------------------

NEAR_BY = Position.from_degrees(35.401, 35.9)
AGAIN = {
    "the same declaration": (lambda: cease(f"{1:032x}"), lambda: cease(f"{1:032x}"), 1),
    "another declaration": (lambda: cease(f"{1:032x}"), lambda: cease(f"{2:032x}"), 2),
    "the same place": (lambda: cease(at=LATAKIA), lambda: cease(at=NEAR_BY), 1),
    "another place": (lambda: cease(at=LATAKIA), lambda: cease(at=FAR), 2),
    "a place after a declaration": (lambda: cease(f"{1:032x}"), lambda: cease(at=LATAKIA), 2),
}


@pytest.mark.parametrize(("first", "second", "alerts"), AGAIN.values(), ids=AGAIN)
def test_asking_for_the_same_again_is_one_alert(
    first: Callable[[], Cease], second: Callable[[], Cease], alerts: int
) -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, first())
        pair.run_for(60)
        pair.say("blue", Kind.CEASE, second())
        pair.run_for(300)
        for party, rule in (
            ("blue", "CEASE_OPEN"),
            ("blue", "CEASE_NOT_ACKNOWLEDGED"),
            ("blue", "NOT_SEEN"),
            ("red", "CEASE_RECEIVED"),
        ):
            assert pair.raised(party, rule) == alerts, rule


def test_same_place_asked_by_the_other_side_is_another_matter() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.say("red", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        for party in ("blue", "red"):
            assert pair.rules(party).count("CEASE_OPEN") == 1
            assert pair.rules(party).count("CEASE_RECEIVED") == 1


def test_repeated_cease_does_not_come_down_the_ladder() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(121)
        assert pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED").level == 3
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(31)
        alert = pair.alert("blue", "CEASE_NOT_ACKNOWLEDGED")
        assert alert.level == 3
        assert "NEXT_TIER" in alert.facts["steps"]


@pytest.mark.parametrize("answered", [0, 1], ids=["the first", "the second"])
def test_ceased_ends_all_that_asked_for_the_same(answered: int) -> None:
    with node_pair() as pair:
        asked = [pair.say("blue", Kind.CEASE, cease(at=LATAKIA))]
        pair.run_for(40)
        asked.append(pair.say("blue", Kind.CEASE, cease(at=LATAKIA)))
        pair.run_for(40)
        pair.say("red", Kind.CEASED, report(), ref=asked[answered])
        pair.run_for(600)
        assert not [rule for rule in pair.rules("blue") if "CEASE" in rule]
        assert not [rule for rule in pair.rules("red") if rule == "CEASE_RECEIVED"]
        assert len(pair.line("blue").book.threads) == 0


def test_acknowledging_the_last_acknowledges_what_was_asked_before_and_ends_nothing() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        last = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        pair.say("red", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=last)
        pair.run_for(600)
        assert pair.raised("blue", "CEASE_NOT_ACKNOWLEDGED") == 0
        assert "CEASE_OPEN" in pair.rules("blue")


def test_asking_again_after_it_ended_is_a_new_alert() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(5)
        pair.say("red", Kind.CEASED, report(), ref=asked)
        pair.run_for(5)
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        assert pair.raised("red", "CEASE_RECEIVED") == 2


def test_restart_keeps_what_asked_for_the_same_together() -> None:
    with node_pair() as pair:
        for _ in range(2):
            pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
            pair.run_for(10)
        for party in ("blue", "red"):
            pair.world.restart(party)
        pair.run_for(5)
        assert pair.rules("blue").count("CEASE_OPEN") == 1
        assert pair.rules("red").count("CEASE_RECEIVED") == 1


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


# ---- exercises -------------------------------------------------------------------------


def test_conflict_with_an_exercise_is_marked_as_one_on_both_sides() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        body = Declared.of(declaration(2))
        pair.world.say("red", "blue", [Say(kind=Kind.NOTIFY, body=body, desk="watch", drill=True)])
        pair.run_for(2)
        for party in ("blue", "red"):
            alert = pair.alert(party, "CONFLICT")
            assert alert.text.startswith(render(phrase_named("DRILL").number, {}, "en"))
            assert alert.facts["drill"] is True


def test_what_answers_an_exercise_is_exercise_and_an_exercise_changes_nothing_real() -> None:
    with node_pair() as pair:
        body = Declared.of(declaration(1))
        drill = [Say(kind=Kind.NOTIFY, body=body, desk="watch", drill=True)]
        said = pair.world.say("blue", "red", drill)[0].hash
        real = pair.declare("red", declaration(2))[0]
        pair.run_for(1)
        ack = pair.say("red", Kind.ACK, Ack(answer=AnswerWord.ROGER), ref=said)
        pair.run_for(1)
        envelope = pair.station("blue").core.envelope_of(ack)
        assert envelope is not None
        assert envelope.drill
        changed = Declared.of(declaration(2, revision=2))
        update = Say(kind=Kind.UPDATE, body=changed, desk="watch", ref=real, drill=True)
        with pytest.raises(InvalidDocumentError, match="exercise"):
            pair.world.say("red", "blue", [update])


# ---- terms -----------------------------------------------------------------------------


def terms_message(pair: NodePair, party: str, terms: Terms) -> TermsMessage:
    return TermsMessage(terms=terms, signature=sign_terms(terms, pair.station(party).core.key))


def in_force(pair: NodePair) -> set[str | None]:
    return {pair.line(party).book.terms_hash for party in ("blue", "red")}


def test_acceptance_that_crosses_a_newer_proposal_still_agrees_what_it_cites() -> None:
    with node_pair(agreed=False) as pair:
        first = pair.terms()
        proposed = pair.say("blue", Kind.TERMS_PROPOSE, terms_message(pair, "blue", first))
        pair.run_for(1)
        # Said before anything of the other side can have arrived: the two cross on the way.
        other = pair.terms(third_parties=[ThirdParty(name="convoy", where=None)])
        pair.say("blue", Kind.TERMS_PROPOSE, terms_message(pair, "blue", other))
        pair.say("red", Kind.TERMS_ACCEPT, terms_message(pair, "red", first), ref=proposed)
        pair.run_for(1)
        assert in_force(pair) == {terms_hash(first)}
        for party in ("blue", "red"):
            pair.world.restart(party)
        assert in_force(pair) == {terms_hash(first)}


def test_terms_accepted_crosswise_are_the_same_on_both_sides_and_after_a_restart() -> None:
    with node_pair(agreed=False) as pair:
        texts = {
            "blue": pair.terms(),
            "red": pair.terms(third_parties=[ThirdParty(name="convoy", where=None)]),
        }
        proposed = {
            party: pair.say(party, Kind.TERMS_PROPOSE, terms_message(pair, party, text))
            for party, text in texts.items()
        }
        pair.run_for(1)
        for party in ("blue", "red"):
            other = pair.peer_of(party)
            body = terms_message(pair, party, texts[other])
            pair.say(party, Kind.TERMS_ACCEPT, body, ref=proposed[other])
        pair.run_for(1)
        agreed = in_force(pair)
        assert len(agreed) == 1
        assert None not in agreed
        for party in ("blue", "red"):
            pair.world.restart(party)
        assert in_force(pair) == agreed


def test_older_terms_accepted_late_do_not_replace_newer_ones() -> None:
    with node_pair(agreed=False) as pair:
        first = pair.terms()
        old = pair.say("blue", Kind.TERMS_PROPOSE, terms_message(pair, "blue", first))
        pair.run_for(1)
        pair.say("red", Kind.TERMS_ACCEPT, terms_message(pair, "red", first), ref=old)
        pair.run_for(1)
        second = pair.terms(version=2, replaces=terms_hash(first))
        new = pair.say("red", Kind.TERMS_PROPOSE, terms_message(pair, "red", second))
        pair.run_for(1)
        pair.say("blue", Kind.TERMS_ACCEPT, terms_message(pair, "blue", second), ref=new)
        pair.run_for(1)
        pair.say("red", Kind.TERMS_ACCEPT, terms_message(pair, "red", first), ref=old)
        pair.run_for(1)
        assert in_force(pair) == {terms_hash(second)}


# ---- suspension ------------------------------------------------------------------------


def test_scope_that_the_terms_do_not_name_cannot_be_suspended_or_resumed() -> None:
    with node_pair() as pair:
        with pytest.raises(InvalidDocumentError, match="the terms name no such scope") as told:
            pair.say("blue", Kind.SUSPEND, Suspend(scope="BOGUS", effective_utc=pair.now_utc))
        assert told.value.expected == "ALL, DECLARATIONS"
        with pytest.raises(LineStateError, match="not suspended"):
            pair.say("blue", Kind.RESUME, Resume(scope="ALL", effective_utc=pair.now_utc))


def test_suspended_line_carries_safety_and_cease_and_nothing_routine() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        pair.run_for(2)
        for party in ("blue", "red"):
            assert "LINE_SUSPENDED" in pair.rules(party)
            with pytest.raises(LineStateError, match="suspended"):
                pair.say(party, Kind.QUERY, query())
            said = pair.say(party, Kind.CEASE, cease(at=LATAKIA))
            pair.run_for(1)
            assert pair.station(pair.peer_of(party)).store.entry(said) is not None


def resume(pair: NodePair, *, after_ms: int = 0) -> Resume:
    return Resume(scope="ALL", effective_utc=format_utc(pair.world.now.utc_ms + after_ms))


def suspended(pair: NodePair) -> list[set[str | None]]:
    """Who suspended the line, as blue's and as red's desk is told."""
    return [
        {a.object for a in pair.station(party).core.alerts if a.rule == "LINE_SUSPENDED"}
        for party in ("blue", "red")
    ]


def test_only_who_suspended_can_resume() -> None:
    with node_pair() as pair:
        said = pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        pair.run_for(2)
        with pytest.raises(LineStateError, match="only blue can resume it"):
            pair.say("red", Kind.RESUME, resume(pair))
        # Red suspends it too, and still cannot cite what is blue's.
        pair.say("red", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        with pytest.raises(InvalidDocumentError, match="an own message"):
            pair.say("red", Kind.RESUME, resume(pair), ref=said)
        pair.run_for(2)
        assert suspended(pair) == [{"blue", "red"}] * 2
        pair.say("blue", Kind.RESUME, resume(pair), ref=said)
        pair.run_for(2)
        assert suspended(pair) == [{"red"}] * 2
        pair.world.restart("blue")
        pair.run_for(2)
        assert suspended(pair) == [{"red"}] * 2
        pair.say("red", Kind.RESUME, resume(pair))
        pair.run_for(2)
        assert suspended(pair) == [set()] * 2
        pair.say("red", Kind.QUERY, query())


def test_what_is_not_suspended_cannot_be_resumed() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=pair.now_utc))
        pair.say("blue", Kind.RESUME, resume(pair, after_ms=HOUR_MS))
        with pytest.raises(LineStateError, match="resumed already"):
            pair.say("blue", Kind.RESUME, resume(pair, after_ms=2 * HOUR_MS))
        pair.say("blue", Kind.RESUME, resume(pair))
        pair.run_for(2)
        with pytest.raises(LineStateError, match="not suspended"):
            pair.say("blue", Kind.RESUME, resume(pair))


# ---- safety messages about another ---------------------------------------------------------


def test_no_longer_so_cites_what_it_is_about_and_the_desk_reads_which() -> None:
    with node_pair() as pair:
        body = SafetyOfFlight(phrase=214, values={"at": pair.now_utc})
        with pytest.raises(InvalidDocumentError, match="phrase 214 must cite"):
            pair.say("red", Kind.SAFETY, body)
        (message,) = pair.declare("blue", declaration(1))
        pair.run_for(1)
        said = pair.say("red", Kind.SAFETY, body, ref=message)
        pair.run_for(1)
        assert pair.alert("blue", "SAFETY_RECEIVED").text.endswith(
            "has not been so since 2015-09-30 06:00:02Z. "
            f"It cites: declaration of blue, sent at 2015-09-30 06:00:02Z, {message[:8]}."
        )
        row = pair.blue.store.entry(said)
        assert row is not None
        shown = message_view(pair.line("blue"), row, "ru", pair.blue.core.envelope_of)
        assert shown.text.endswith(f"отправлено 2015-09-30 06:00:02Z, {message[:8]}.")


# ---- answers that change -----------------------------------------------------------------


def answer(pair: NodePair, said: SaidWord) -> Answer:
    return Answer(said=said, desk=DESKS[0], at_utc=pair.now_utc)


def test_answer_that_changes_is_told_at_both_ends_until_it_is_read() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(1)
        pair.say("red", Kind.ANSWER, answer(pair, SaidWord.OURS), ref=asked)
        pair.run_for(1)
        assert "ANSWER_CHANGED" not in pair.rules("blue")
        say = Say(kind=Kind.ANSWER, body=answer(pair, SaidWord.NOT_OURS), desk=DESKS[0], ref=asked)
        (posted,) = pair.world.say("red", "blue", [say])
        (warning,) = posted.warnings
        pair.run_for(1)
        alert = pair.alert("blue", "ANSWER_CHANGED")
        for text in (warning, alert.text):
            assert "not ours. Its answer before was: ours." in text
        pair.world.restart("blue")
        assert pair.alert("blue", "ANSWER_CHANGED").text == alert.text
        seen = Seen(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("blue", Kind.SEEN, seen, ref=posted.hash)
        assert "ANSWER_CHANGED" not in pair.rules("blue")


def test_same_answer_twice_is_not_remarkable() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(1)
        for _ in range(2):
            pair.say("red", Kind.ANSWER, answer(pair, SaidWord.OURS), ref=asked)
        pair.run_for(1)
        assert "ANSWER_CHANGED" not in pair.rules("blue")


def test_standby_is_said_once_of_a_message() -> None:
    with node_pair() as pair:
        asked, other = (pair.say("blue", Kind.QUERY, query()) for _ in range(2))
        pair.run_for(1)
        standby = Standby(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("red", Kind.STANDBY, standby, ref=asked)
        pair.world.restart("red")
        with pytest.raises(LineStateError, match="extends its time once"):
            pair.say("red", Kind.STANDBY, standby, ref=asked)
        pair.say("red", Kind.STANDBY, standby, ref=other)
        pair.say("red", Kind.ANSWER, answer(pair, SaidWord.OURS), ref=asked)


# ---- what stays at home ----------------------------------------------------------------


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
        assert not pair.rules("blue")
        assert pair.blue.store.notes("words/") == ()


# ---- accounts --------------------------------------------------------------------------


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


# ---- the connection --------------------------------------------------------------------


def test_line_that_is_cut_is_down_at_both_ends_and_comes_back_with_what_was_said() -> None:
    with node_pair() as pair:
        at_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", at_ms, at_ms + 60_000)
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(5)
        assert all("LINE_DOWN" in pair.rules(party) for party in ("blue", "red"))
        pair.run_for(62)
        assert not any("LINE_DOWN" in pair.rules(party) for party in ("blue", "red"))
        assert pair.red.store.entry(asked) is not None


def test_packets_of_another_party_are_refused() -> None:
    with node_pair() as pair:
        heard = pair.blue.core.hear("green", pair.line_id, [], pair.world.now)
        assert isinstance(heard.error, WrongLineError)
        assert heard.answer() == []


def test_line_is_named_by_its_id_or_its_peer() -> None:
    with node_pair() as pair:
        core = pair.blue.core
        assert core.line_named("red") is core.line_named(pair.line_id)
        with pytest.raises(NotFoundError):
            core.line_named("green")


@pytest.mark.parametrize("seed", range(5))
def test_order_of_arrival_changes_neither_record_nor_alerts(seed: int) -> None:
    with node_pair(seed=seed) as pair:
        pair.declare("blue", *(declaration(n) for n in range(1, 21)))
        pair.declare("red", *(declaration(n) for n in range(21, 31)))
        pair.run_for(20)
        for party in ("blue", "red"):
            assert len(pair.line(party).book.picture.conflicts()) == 200
            assert pair.rules(party).count("CONFLICT") == 200
            assert pair.raised(party, "CONFLICT") == 200


@pytest.mark.parametrize("party", ["blue", "red"])
def test_restart_shows_what_was_shown_before(party: str) -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1), declaration(3, Purpose.PROTECTED_SITE))
        pair.declare("red", declaration(2))
        pair.say("blue", Kind.QUERY, query())
        pair.run_for(5)
        line = pair.line(party)
        before = pair.rules(party), line.book.picture.conflicts(), line.machine.own_head
        known = {alert.subject: alert.raised_utc for alert in pair.station(party).core.alerts}
        pair.world.restart(party)
        pair.run_for(1)
        line = pair.line(party)
        rules = [rule for rule in pair.rules(party) if rule not in ("NOT_SEEN", "READBACK_MISSING")]
        assert rules == [rule for rule in before[0] if rule != "NOT_SEEN"]
        assert [c.conflict_id for c in line.book.picture.conflicts()] == [
            c.conflict_id for c in before[1]
        ]
        assert line.machine.own_head == before[2]
        for alert in pair.station(party).core.alerts:
            assert known.get(alert.subject, alert.raised_utc) == alert.raised_utc


def test_flash_is_the_precedence_of_a_cease_and_of_its_answer() -> None:
    with node_pair() as pair:
        asked = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(1)
        answer = pair.say("red", Kind.ACK, Ack(answer=AnswerWord.WILCO), ref=asked)
        for message in (asked, answer):
            envelope = pair.red.core.envelope_of(message)
            assert envelope is not None
            assert envelope.prec is Precedence.FLASH


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
