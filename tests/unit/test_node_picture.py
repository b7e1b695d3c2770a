"""A picture looked at in parts: the soonest first, and nothing ends unseen."""

from deconflict.airspace import AltitudeReference, Containment, Position, Trajectory, Waypoint
from deconflict.messages.declaration import Declaration, Purpose, SoundDeclaration
from deconflict.node.picture import Declared, Picture
from deconflict.separation import AltitudeConversions, Minima, MinimaTable
from deconflict.units import TMM_PER_FOOT
from node_pair import FAR, HOUR_MS, LATAKIA, MINUTE_MS, START_MS, circle

WIDE = MinimaTable(Minima(200_000.0, 1_000 * TMM_PER_FOOT)), AltitudeConversions()
TOUCHING = MinimaTable(Minima(0.0, 0)), AltitudeConversions()


def declared(number: int, *, own: bool, later_min: int = 0, near: bool = True) -> Declared:
    start_ms = START_MS + HOUR_MS + later_min * MINUTE_MS
    volume = circle(at=LATAKIA if near else FAR, start_ms=start_ms, end_ms=START_MS + 3 * HOUR_MS)
    declaration = Declaration(f"{number:032x}", Purpose.FLIGHT, (volume,))
    party = "blue" if own else "red"
    return Declared(SoundDeclaration(declaration), party, own, f"{number:x}", number, START_MS)


def test_what_begins_first_is_looked_at_first() -> None:
    picture = Picture("a line")
    for number, later_min in enumerate((50, 10, 30)):
        picture.put(declared(number, own=False, later_min=later_min))
    picture.put(declared(9, own=True))
    found = []
    while picture.changed:
        change = picture.recheck(START_MS, *WIDE, at_most=1)
        found += [conflict.peer.declaration.declaration_id[-1] for conflict in change.found]
    assert found == ["1", "2", "0"]


def test_a_conflict_stands_until_both_of_the_two_were_looked_at_again() -> None:
    picture = Picture("a line")
    picture.put(declared(1, own=True))
    picture.put(declared(2, own=False, later_min=10, near=False))
    (conflict,) = picture.recheck(START_MS, *WIDE).found
    first = picture.recheck(START_MS, *TOUCHING, at_most=1)
    assert (first.ended, picture.conflicts()) == ((), (conflict,))
    second = picture.recheck(START_MS, *TOUCHING, at_most=1)
    assert (second.ended, picture.conflicts()) == ((conflict,), ())


def test_what_is_too_close_under_new_rules_too_never_ends() -> None:
    picture = Picture("a line")
    picture.put(declared(1, own=True))
    picture.put(declared(2, own=False, later_min=10))
    picture.recheck(START_MS, *WIDE)
    ended = []
    picture.mark_all_changed()
    while picture.changed:
        ended += picture.recheck(START_MS, *TOUCHING, at_most=1).ended
    assert not ended
    assert len(picture.conflicts()) == 1


def test_a_draft_is_held_against_what_waits_to_be_looked_at() -> None:
    picture = Picture("a line")
    for number in range(3):
        picture.put(declared(number, own=False, later_min=number))
    picture.recheck(START_MS, *WIDE, at_most=1)
    assert picture.unseen == 2
    tried = picture.try_out([declared(9, own=True)], START_MS, *WIDE)
    assert len(tried.found) == 3
    assert picture.unseen == 2
    picture.put(declared(9, own=True))
    picture.recheck(START_MS, *WIDE)
    assert len(picture.conflicts()) == 3


def flying(number: int, *, own: bool, waypoints: int, aside_km: int, window_min: int) -> Declared:
    """A flight that hovers at one place, a waypoint a minute; maybe far aside, and later."""
    start_ms = START_MS + HOUR_MS
    way = Trajectory(
        AltitudeReference.FL,
        tuple(Waypoint(start_ms + k * MINUTE_MS, LATAKIA, 60_960_000) for k in range(waypoints)),
        Containment(aside_km * 1_000_000, 0, window_min * MINUTE_MS),
    )
    declaration = Declaration(f"{number:032x}", Purpose.FLIGHT, way)
    party = "blue" if own else "red"
    return Declared(SoundDeclaration(declaration), party, own, f"{number:x}", number, START_MS)


def anywhere(number: int) -> Declared:
    """The worst plan that fits into a message: everywhere, at any time, in 690 places."""
    return flying(number, own=False, waypoints=690, aside_km=5_000, window_min=1_440)


NORMAL = MinimaTable(Minima(9_260.0, 1_000 * TMM_PER_FOOT)), AltitudeConversions()


def test_what_takes_too_long_is_not_checked_and_what_was_found_of_it_stands() -> None:
    picture = Picture("a line")
    for number in range(60):
        picture.put(flying(number, own=True, waypoints=60, aside_km=1, window_min=10))
    picture.recheck(START_MS, *NORMAL)
    picture.put(anywhere(99))
    found = picture.recheck(START_MS, *NORMAL)
    assert [one.declaration.declaration_id for one in found.unchecked] == [f"{99:032x}"]
    assert [one.declaration.declaration_id for one in picture.unchecked()] == [f"{99:032x}"]
    assert len(found.found) > 10
    again = picture.recheck(START_MS, *NORMAL)
    assert (again.found, again.ended) == ((), ())
    # Looked at once more it is broken off again: what was found ends by no silence.
    picture.mark_all_changed()
    while picture.changed:
        assert picture.recheck(START_MS, *NORMAL, at_most=500).ended == ()
    # A revision that can be looked at is no longer unknown.
    picture.put(flying(99, own=False, waypoints=2, aside_km=1, window_min=0))
    while picture.changed:
        picture.recheck(START_MS, *NORMAL)
    assert picture.unchecked() == ()
    assert len(picture.conflicts()) == 60


def test_what_takes_long_takes_turns_and_all_is_looked_at() -> None:
    picture = Picture("a line")
    for number in range(5):
        picture.put(anywhere(90 + number))
    picture.recheck(START_MS, *NORMAL)
    for number in range(20):
        picture.put(flying(number, own=True, waypoints=60, aside_km=1, window_min=10))
    turns, met = 0, set()
    while picture.changed:
        turns += 1
        change = picture.recheck(START_MS, *NORMAL, at_most=500)
        met |= {conflict.own.key for conflict in change.found}
    assert 3 <= turns <= 25
    assert len(met) == 20
    assert picture.unseen == 0


def test_a_plan_that_goes_round_the_earth_for_ever_is_not_checked() -> None:
    places = (Position.from_degrees(0.0, 0.0), Position.from_degrees(0.1, 178.0))
    way = Trajectory(
        AltitudeReference.FL,
        tuple(Waypoint(START_MS + HOUR_MS + k, places[k % 2], 60_960_000) for k in range(690)),
    )
    declaration = Declaration("9" * 32, Purpose.FLIGHT, way)
    endless = Declared(SoundDeclaration(declaration), "red", False, "9", 9, START_MS)
    picture = Picture("a line")
    picture.put(flying(1, own=True, waypoints=60, aside_km=1, window_min=0))
    picture.put(endless)
    assert picture.recheck(START_MS, *NORMAL).unchecked == (endless,)


def test_a_draft_that_takes_too_long_is_told_as_not_checked() -> None:
    picture = Picture("a line")
    for number in range(6):
        picture.put(anywhere(90 + number))
    picture.recheck(START_MS, *NORMAL)
    draft = flying(1, own=True, waypoints=300, aside_km=1, window_min=60)
    tried = picture.try_out([draft], START_MS, *NORMAL)
    assert tried.unchecked == (draft,)
