"""An exercise is marked wherever it shows, and changes nothing that is real (R9)."""

import random
from collections.abc import Callable

import pytest

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.position import Position
from deconflict.errors import LineStateError
from deconflict.messages.bodies import (
    Account,
    Body,
    Cancel,
    Cease,
    CeaseReport,
    Declared,
    LineCheck,
    Query,
    Readback,
    Resume,
    Suspend,
)
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import phrase_named, render
from deconflict.messages.readback import readback_of
from deconflict.messages.terms import ThirdParty
from deconflict.messages.wire_form import Level, Place
from deconflict.node.core import Say
from node_pair import LATAKIA, START_MS, NodePair, circle, declaration, node_pair

# Said in earnest before the exercise: the terms. And what nobody says: the connection.
UNSAID = {"TERMS_PROPOSE_RECEIVED", "LINE_DOWN", "LINE_CHECK_DUE", "LINE_CHECK_MISSED"}
EVERYTHING = {
    "CEASE_OPEN",
    "CEASE_NOT_ACKNOWLEDGED",
    "CEASE_RECEIVED",
    "NO_ANSWER",
    "NO_RECEIPT",
    "NOT_SEEN",
    "READBACK_WRONG",
    "READBACK_MISSING",
    "LEAD_TIME_SHORT",
    "OUTSIDE_THEATRE",
    "THIRD_PARTY_NOT_REACHED",
    "SITE_NOT_LOADED",
    "DECLARATION_EXPIRING",
    "NOTHING_TO_CANCEL",
    "LINE_CHECK_WRONG",
    "LINE_SUSPENDED",
    "ACCOUNTS_DIFFER",
    "CONFLICT",
}
COAST = (
    Position.from_degrees(34.0, 35.0),
    Position.from_degrees(37.0, 35.0),
    Position.from_degrees(37.0, 37.0),
    Position.from_degrees(34.0, 37.0),
)


def cease(at: Position = LATAKIA) -> Cease:
    return Cease(
        effective_utc="2015-09-30T06:00:00.000Z",
        reason=321,
        position=Place.of(at),
        reach_mm=5_000_000,
    )


def declare(pair: NodePair, party: str, declared: Declaration, *, drill: bool = True) -> str:
    return pair.say(party, Kind.NOTIFY, Declared.of(declared), drill=drill)


def exercises(pair: NodePair) -> list[Callable[[], object]]:
    """Return what makes a line raise its alerts, each an exercise that stands for itself."""

    def say(party: str, kind: Kind, body: Body, ref: str | None = None) -> str:
        return pair.say(party, kind, body, ref=ref, drill=True)

    def wrong_readback() -> None:
        declared = declaration(1)
        message = declare(pair, "blue", declared)
        pair.run_for(1)
        terms = pair.line("red").book.terms
        assert terms is not None
        elsewhere = declaration(1, volume=circle(at=Position.from_degrees(36.0, 36.0)))
        values = readback_of(elsewhere, landmarks_of(terms))
        say("red", Kind.READBACK, Readback(values=values), ref=message)

    def wrong_check() -> None:
        check = say("blue", Kind.LINE_CHECK, LineCheck(text="4711 0815"))
        pair.run_for(1)
        say("red", Kind.LINE_CHECK_REPLY, LineCheck(text="0000 0000"), ref=check)

    def two_accounts() -> None:
        for party, count in (("blue", 1), ("red", 2)):
            say(party, Kind.ACCOUNT, Account(event="pass", fields={"aircraft": count}))

    def unheard() -> None:
        pair.world.lost.add(say("red", Kind.CEASE, cease(Position.from_degrees(36.5, 36.5))))

    def cancel_of_nothing() -> None:
        other = declare(pair, "red", declaration(5))
        say("red", Kind.CANCEL, Cancel(declaration_id="9" * 32, reason=304), ref=other)

    query = Query(
        position=Place.of(LATAKIA),
        course_ddeg=900,
        speed_mmps=200_000,
        level=Level(AltitudeReference.AMSL, 30_000_000),
        at_utc="2015-09-30T06:00:00.000Z",
    )
    soon = circle(start_ms=START_MS + 60_000)
    far = circle(at=Position.from_degrees(30.0, 30.0))
    return [
        wrong_readback,
        wrong_check,
        two_accounts,
        lambda: say("blue", Kind.CEASE, cease()),
        lambda: say("blue", Kind.QUERY, query),
        cancel_of_nothing,
        lambda: declare(pair, "red", declaration(2, volume=soon)),
        lambda: declare(pair, "red", declaration(3, Purpose.PROTECTED_SITE, circle())),
        lambda: declare(pair, "blue", declaration(4, volume=far)),
        lambda: say(
            "red",
            Kind.SUSPEND,
            Suspend(scope="ALL", effective_utc="2015-09-30T06:05:00.000Z", reason=332),
        ),
        unheard,
    ]


@pytest.mark.parametrize("seed", range(3))
def test_every_alert_of_a_run_in_which_all_is_exercise_is_marked(seed: int) -> None:
    with node_pair(outline=COAST, third_parties=[ThirdParty("cedar", None)]) as pair:
        steps = exercises(pair)
        last = steps.pop()  # what stays unheard holds up what its author says behind it
        random.Random(seed).shuffle(steps)
        for step in (*steps, last):
            step()
            pair.run_for(2)
        pair.run_for(2.5 * 3600)
        mark = render(phrase_named("DRILL").number, {}, "en")
        told = [
            event.data
            for party in ("blue", "red")
            for event in pair.station(party).events
            if event.kind == "alert" and event.data["rule"] not in UNSAID
        ]
        assert {alert["rule"] for alert in told} >= EVERYTHING
        unmarked = {alert["rule"] for alert in told if not alert["drill"]}
        assert unmarked == set()
        assert [alert["text"] for alert in told if alert["text"].count(mark) != 1] == []
        assert all(alert["text"].startswith(mark) for alert in told)


def test_nothing_real_is_marked_as_an_exercise() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease())
        declare(pair, "blue", declaration(1), drill=False)
        pair.run_for(3600)
        told = [event.data for event in pair.station("blue").events if event.kind == "alert"]
        assert told
        assert not any(alert["drill"] or "DRILL" in alert["text"] for alert in told)


def test_what_the_sender_of_an_exercise_is_told_at_once_is_marked() -> None:
    with node_pair() as pair:
        body = Declared.of(declaration(1, volume=circle(start_ms=START_MS + 60_000)))
        say = Say(kind=Kind.NOTIFY, body=body, desk="watch", drill=True)
        (warning,) = pair.world.say("blue", "red", [say])[0].warnings
        assert warning.startswith("DRILL DRILL DRILL. LEAD TIME SHORT.")


def test_mark_outlasts_a_restart() -> None:
    with node_pair() as pair:
        pair.say("blue", Kind.CEASE, cease(), drill=True)
        pair.run_for(1)
        pair.world.restart("red")
        pair.run_for(1)
        alert = pair.alert("red", "CEASE_RECEIVED")
        assert alert.drill
        assert alert.text.count(render(phrase_named("DRILL").number, {}, "en")) == 1


def test_cease_in_earnest_is_another_matter_than_the_same_asked_in_an_exercise() -> None:
    with node_pair() as pair:
        drill = pair.say("blue", Kind.CEASE, cease(), drill=True)
        pair.run_for(1)
        real = pair.say("blue", Kind.CEASE, cease())
        pair.run_for(1)
        report = CeaseReport(desk="watch", at_utc="2015-09-30T06:00:01.000Z")
        pair.say("red", Kind.CEASED, report, ref=drill)
        pair.run_for(1)
        alert = pair.alert("blue", "CEASE_OPEN")
        assert not alert.drill
        assert alert.subject == real


def test_suspension_of_an_exercise_stops_nothing_real() -> None:
    with node_pair() as pair:
        body = Suspend(scope="ALL", effective_utc="2015-09-30T06:00:00.000Z", reason=332)
        pair.say("red", Kind.SUSPEND, body, drill=True)
        pair.run_for(2)
        assert pair.alert("blue", "LINE_SUSPENDED").drill
        declare(pair, "blue", declaration(1), drill=False)
        with pytest.raises(LineStateError, match="suspended"):
            declare(pair, "blue", declaration(2))


def test_exercise_neither_ends_nor_replaces_a_real_suspension() -> None:
    with node_pair() as pair:
        at = "2015-09-30T06:00:00.000Z"
        pair.say("red", Kind.SUSPEND, Suspend(scope="ALL", effective_utc=at, reason=332))
        pair.run_for(2)
        later = Suspend(scope="ALL", effective_utc="2015-09-30T09:00:00.000Z", reason=332)
        pair.say("red", Kind.SUSPEND, later, drill=True)
        resumed = Resume(scope="ALL", effective_utc=later.effective_utc)
        pair.say("red", Kind.RESUME, resumed, drill=True)
        pair.run_for(2)
        with pytest.raises(LineStateError, match="suspended"):
            declare(pair, "blue", declaration(1), drill=False)
