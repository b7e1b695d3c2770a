"""A picture looked at in parts: the soonest first, and nothing ends unseen."""

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
