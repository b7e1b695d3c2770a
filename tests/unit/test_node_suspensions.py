"""What holds a scope suspended, whatever one side says of it in which order."""

from deconflict.node.suspensions import Suspensions

MINUTE_MS = 60_000


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
