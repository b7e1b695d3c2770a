"""What a cease request counts as, whoever called it what, and what CEASED ends of several."""

from collections.abc import Callable, Sequence

import pytest
from test_node_attacks import attack

from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.line.precedence import Precedence
from deconflict.line.room import shortage_that_refuses
from deconflict.messages.bodies import Cease, CeaseReport, SafetyOfFlight
from deconflict.messages.kinds import Kind
from deconflict.messages.wire_form import Place
from deconflict.node.core import Say
from deconflict.replay.world import DESKS
from node_pair import LATAKIA, START_MS, NodePair, cease, node_pair

LESS = [Precedence.IMMEDIATE, Precedence.PRIORITY, Precedence.ROUTINE]


# ---- a cease request is FLASH ----------------------------------------------------------------


@pytest.mark.parametrize("called", LESS)
def test_a_cease_that_its_author_calls_less_urgent_climbs_the_ladder_of_a_flash(
    called: Precedence,
) -> None:
    with node_pair() as pair:
        pair.run_for(1)
        attack(pair, Kind.CEASE, cease(at=LATAKIA), prec=called)
        alert = pair.alert("blue", "CEASE_RECEIVED")
        assert alert.urgency == "FLASH"
        assert alert.deadline_utc == format_utc(pair.world.now.utc_ms + 30_000)
        pair.run_for(121)
        alert = pair.alert("blue", "CEASE_RECEIVED")
        assert (alert.level, alert.urgency) == (3, "FLASH")


@pytest.mark.parametrize("called", LESS)
def test_after_a_start_it_is_a_flash_still(called: Precedence) -> None:
    with node_pair() as pair:
        pair.run_for(1)
        attack(pair, Kind.CEASE, cease(at=LATAKIA), prec=called)
        pair.world.restart("blue")
        pair.run_for(1)
        alert = pair.alert("blue", "CEASE_RECEIVED")
        assert (alert.level, alert.urgency) == (1, "FLASH")


def test_a_late_safety_message_is_shown_as_urgently_as_a_flash() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        long_ago_ms = pair.world.now.utc_ms - 600_000
        body = SafetyOfFlight(phrase=214, values={"at": format_utc(START_MS)})
        attack(
            pair,
            Kind.SAFETY,
            body,
            prec=Precedence.ROUTINE,
            created_ms=long_ago_ms,
            expires_after_ms=60_000,
        )
        assert pair.alert("blue", "DELAYED").urgency == "FLASH"


def test_a_cease_called_routine_has_room_on_a_disk_that_is_nearly_full() -> None:
    with node_pair() as pair:
        pair.run_for(1)
        pair.blue.core.shortage = shortage_that_refuses(Precedence.IMMEDIATE)
        heard = attack(pair, Kind.CEASE, cease(at=LATAKIA), prec=Precedence.ROUTINE)
        assert [outcome for _, outcome in heard.judged] == ["LOGGABLE"]


def test_a_cease_called_routine_ends_an_exercise() -> None:
    with node_pair() as pair:
        pair.begin_drill("blue")
        pair.run_for(1)
        attack(pair, Kind.CEASE, cease(at=LATAKIA), prec=Precedence.ROUTINE)
        assert "DRILL_CUT" in pair.rules("blue")


def test_our_own_cease_is_said_at_flash_whatever_was_asked_for() -> None:
    with node_pair() as pair:
        body = cease(at=LATAKIA)
        say = Say(kind=Kind.CEASE, body=body, desk=DESKS[0], precedence=Precedence.ROUTINE)
        (posted,) = pair.world.say("blue", "red", [say])
        envelope = pair.blue.core.envelope_of(posted.hash)
        assert envelope is not None
        assert envelope.prec is Precedence.FLASH


# ---- one request, several, and what ends them ------------------------------------------------


def metres_east(metres: float) -> Position:
    return Position.from_degrees(35.4, 35.9 + metres / 90_800)  # of a degree at 35.4 north


def around(at: Position, reach_m: int, declaration_id: str | None = None) -> Cease:
    return Cease(
        effective_utc=format_utc(START_MS),
        declaration_id=declaration_id,
        position=Place.of(at),
        reach_mm=reach_m * 1_000,
    )


def asked_in_turn(pair: NodePair, bodies: Sequence[Cease]) -> list[str]:
    asked = []
    for body in bodies:
        asked.append(pair.say("blue", Kind.CEASE, body))
        pair.run_for(1)
    return asked


def report_ceased(pair: NodePair, message: str) -> None:
    report = CeaseReport(desk=DESKS[0], at_utc=pair.now_utc)
    pair.say("red", Kind.CEASED, report, ref=message)
    pair.run_for(1)


def left_open(pair: NodePair, party: str) -> list[str]:
    return [thread.hash for thread in pair.line(party).book.threads]


BESIDE: dict[str, Callable[[], list[Cease]]] = {
    "places that touch": lambda: [around(metres_east(at), 1_000) for at in (0, 1_700)],
    "a way of places": lambda: [around(metres_east(at), 1_000) for at in (0, 1_700, 3_400)],
    "a part of the first": lambda: [around(LATAKIA, 5_000), around(LATAKIA, 1_000)],
    "a declaration, then its place": lambda: [cease(f"{1:032x}"), around(LATAKIA, 1_000)],
    "one declaration in two places": lambda: [
        around(metres_east(at), 1_000, f"{1:032x}") for at in (0, 9_000)
    ],
}


@pytest.mark.parametrize("bodies", BESIDE.values(), ids=BESIDE)
def test_ceased_ends_no_request_for_what_it_does_not_name(
    bodies: Callable[[], list[Cease]],
) -> None:
    with node_pair() as pair:
        *before, last = asked_in_turn(pair, bodies())
        for party, rule in (("blue", "CEASE_OPEN"), ("red", "CEASE_RECEIVED")):
            assert pair.rules(party).count(rule) == len(before) + 1  # each is to be read
        report_ceased(pair, last)
        for party, rule in (("blue", "CEASE_OPEN"), ("red", "CEASE_RECEIVED")):
            assert left_open(pair, party) == before
            assert pair.rules(party).count(rule) == len(before)
        pair.world.restart("blue")
        assert left_open(pair, "blue") == before


def test_a_request_for_more_goes_on_from_the_first_and_its_end_is_the_end_of_both() -> None:
    with node_pair() as pair:
        _, more = asked_in_turn(pair, [around(LATAKIA, 1_000), around(LATAKIA, 5_000)])
        assert pair.rules("red").count("CEASE_RECEIVED") == 1
        assert pair.alert("red", "CEASE_RECEIVED").facts["message"] == more
        report_ceased(pair, more)
        assert left_open(pair, "blue") == left_open(pair, "red") == []


def test_ceased_on_the_first_leaves_the_request_for_more_open() -> None:
    with node_pair() as pair:
        first, more = asked_in_turn(pair, [around(LATAKIA, 1_000), around(LATAKIA, 5_000)])
        report_ceased(pair, first)
        for party in ("blue", "red"):
            assert left_open(pair, party) == [more]
        assert "CEASE_OPEN" in pair.rules("blue")
        assert pair.alert("red", "CEASE_RECEIVED").facts["message"] == more
