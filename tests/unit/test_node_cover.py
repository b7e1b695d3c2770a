"""Own cover that leaves while a cease request is open (R8): who is told of it, and until when."""

from deconflict.airspace.position import Position
from deconflict.messages.bodies import Cancel, CeaseReport, Declared
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import Kind
from deconflict.replay.world import DESKS
from node_pair import (
    FAR,
    LATAKIA,
    MINUTE_MS,
    START_MS,
    NodePair,
    cease,
    circle,
    declaration,
    node_pair,
)

LEAVING = "COVER_LEAVING"


def patrol(
    number: int, minutes: int, purpose: Purpose = Purpose.FLIGHT, *, at: Position = LATAKIA
) -> Declaration:
    """A declaration that is out now and ends after so many minutes."""
    end_ms = START_MS + minutes * MINUTE_MS
    return declaration(number, purpose, circle(at=at, start_ms=START_MS, end_ms=end_ms))


def go_on(pair: NodePair, minutes: float) -> None:
    until_ms = START_MS + round(minutes * MINUTE_MS)
    pair.world.look_at(until_ms)
    pair.world.run_until(until_ms + 2_000)


def asked_under_cover(pair: NodePair, minutes: int) -> tuple[str, str]:
    """Blue is there for so long and asks for a cease; return its declaration and its request."""
    (said,) = pair.declare("blue", patrol(1, minutes))
    asked = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
    pair.run_for(3)
    return said, asked


def withdraw(pair: NodePair, said: str) -> None:
    pair.say("blue", Kind.CANCEL, Cancel(declaration_id=f"{1:032x}", reason=301), ref=said)
    pair.run_for(3)


def test_a_patrol_that_is_about_to_leave_the_place_of_an_open_request_is_told() -> None:
    with node_pair() as pair:
        pair.declare("blue", patrol(1, 30))
        asked = pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        go_on(pair, 15)
        assert LEAVING not in pair.rules("blue")
        go_on(pair, 21)
        alert = pair.alert("blue", LEAVING)
        assert (alert.subject, alert.object, alert.urgency) == (asked, f"{1:032x}", "FLASH")
        assert "It is declaration 00000000" in alert.text
        go_on(pair, 32)  # it has left, and the request is still open
        assert "does not hold there any more" in pair.alert("blue", LEAVING).text
        assert pair.raised("blue", LEAVING) == 1
        assert LEAVING not in pair.rules("red")


def test_cover_that_is_withdrawn_has_left_at_once() -> None:
    with node_pair() as pair:
        said, _ = asked_under_cover(pair, 60)
        withdraw(pair, said)
        assert pair.alert("blue", LEAVING).object == f"{1:032x}"


def test_cover_whose_plan_is_moved_elsewhere_has_left() -> None:
    with node_pair() as pair:
        said, _ = asked_under_cover(pair, 60)
        moved = declaration(1, revision=2, volume=circle(at=FAR, start_ms=START_MS))
        again = pair.say("blue", Kind.UPDATE, Declared.of(moved), ref=said)
        pair.run_for(3)
        assert LEAVING in pair.rules("blue")
        back = declaration(1, revision=3, volume=circle(start_ms=START_MS))
        pair.say("blue", Kind.UPDATE, Declared.of(back), ref=again)
        pair.run_for(3)
        assert LEAVING not in pair.rules("blue")


def test_what_is_far_away_or_not_there_yet_or_no_cover_leaves_nothing() -> None:
    with node_pair() as pair:
        later = circle(start_ms=START_MS + 8 * MINUTE_MS, end_ms=START_MS + 9 * MINUTE_MS)
        pair.declare(
            "blue",
            patrol(1, 5, at=FAR),
            patrol(2, 5, Purpose.ACTIVITY),
            declaration(3, Purpose.FLIGHT, later),
        )
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA))
        pair.run_for(3)
        assert LEAVING not in pair.rules("blue")


def test_cover_that_stays_relieves_what_leaves_and_is_prolonged() -> None:
    with node_pair() as pair:
        said, _ = asked_under_cover(pair, 5)
        assert LEAVING in pair.rules("blue")
        longer = declaration(1, revision=2, volume=circle(start_ms=START_MS))
        pair.say("blue", Kind.UPDATE, Declared.of(longer), ref=said)
        pair.run_for(3)
        assert LEAVING not in pair.rules("blue")
        pair.declare("blue", patrol(2, 5))
        pair.run_for(3)
        assert LEAVING not in pair.rules("blue")


def test_it_is_over_once_the_peer_reports_that_it_ceased() -> None:
    with node_pair() as pair:
        _, asked = asked_under_cover(pair, 5)
        assert LEAVING in pair.rules("blue")
        report = CeaseReport(desk=DESKS[0], at_utc=pair.now_utc)
        pair.say("red", Kind.CEASED, report, ref=asked)
        pair.run_for(3)
        assert LEAVING not in pair.rules("blue")


def test_of_a_request_about_a_declaration_its_place_is_meant() -> None:
    with node_pair() as pair:
        theirs = declaration(9, Purpose.ACTIVITY, circle(at=FAR, start_ms=START_MS))
        (notice,) = pair.declare("red", theirs)
        pair.run_for(2)
        pair.declare("blue", patrol(1, 5), patrol(2, 5, at=FAR))
        pair.say("blue", Kind.CEASE, cease(theirs.declaration_id), ref=notice)
        pair.run_for(3)
        assert pair.alert("blue", LEAVING).object == f"{2:032x}"


def test_that_it_has_left_outlasts_a_start() -> None:
    with node_pair() as pair:
        said, _ = asked_under_cover(pair, 60)
        withdraw(pair, said)
        pair.world.restart("blue")
        pair.run_for(5)
        assert pair.raised("blue", LEAVING) == 1
        assert LEAVING in pair.rules("blue")


def test_an_exercise_has_cover_of_its_own() -> None:
    with node_pair() as pair:
        pair.declare("blue", patrol(1, 5))
        pair.say("blue", Kind.CEASE, cease(at=LATAKIA), drill=True)
        pair.run_for(3)
        assert LEAVING not in pair.rules("blue")
