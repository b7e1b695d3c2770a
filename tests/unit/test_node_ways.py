"""By which path a body leaves: the first that is up and answers; what presses by all of them."""

from collections.abc import Sequence
from contextlib import ExitStack

from deconflict.line.link import LinkReason, LinkState, LinkStatus
from deconflict.line.moment import Now
from deconflict.node.ways import Way, Ways

UP = LinkState(LinkStatus.UP, LinkReason.NONE, 0, 0, 20, 0)
SLOW = LinkState(LinkStatus.UP, LinkReason.NONE, 0, 0, 600, 0)
DOWN = LinkState(LinkStatus.DOWN, LinkReason.NOT_HEARD, 0, 0, 20, 0)


class Nowhere:
    """A link that nothing is posted on here."""

    async def post(self, path: str, body: bytes, timeout_s: float) -> bytes:
        raise AssertionError(f"a body was posted to {path}")

    async def close(self) -> None:
        return


def at(ms: int) -> Now:
    return Now(1_443_571_200_000 + ms, 10_000 + ms)


def two() -> tuple[Ways, Way, Way]:
    ways = Ways([Nowhere(), Nowhere()])
    first, second = ways
    return ways, first, second


def numbers(ways: Sequence[Way]) -> list[int]:
    return [way.number for way in ways]


def test_the_first_path_that_is_up_carries() -> None:
    ways, _, _ = two()
    assert numbers(ways.for_next({1: UP, 2: UP}, at(0), flash=False)) == [1]
    assert numbers(ways.for_next({1: DOWN, 2: UP}, at(0), flash=False)) == [2]


def test_while_no_path_is_up_every_one_is_tried() -> None:
    ways, _, _ = two()
    assert numbers(ways.for_next({1: DOWN, 2: DOWN}, at(0), flash=False)) == [1, 2]


def test_a_path_that_answers_in_its_time_is_waited_for() -> None:
    ways, first, _ = two()
    with first.posting(at(0)):
        assert ways.for_next({1: UP, 2: UP}, at(100), flash=False) == ()
        again = ways.look_again_ms({1: UP, 2: UP}, at(100))
        assert again == at(540).monotonic_ms


def test_a_path_that_hangs_is_passed_over_long_before_its_time_out() -> None:
    ways, first, _ = two()
    with first.posting(at(0)):
        assert numbers(ways.for_next({1: UP, 2: UP}, at(540), flash=False)) == [2]
    first.failed(at(5_000))
    assert numbers(ways.for_next({1: UP, 2: UP}, at(5_001), flash=False)) == [2]
    first.answered()
    assert numbers(ways.for_next({1: UP, 2: UP}, at(5_002), flash=False)) == [1]


def test_a_path_whose_beats_pass_is_tried_again_after_a_while() -> None:
    ways, first, _ = two()
    first.failed(at(0))
    assert numbers(ways.for_next({1: UP, 2: UP}, at(9_999), flash=False)) == [2]
    assert numbers(ways.for_next({1: UP, 2: UP}, at(10_000), flash=False)) == [1]


def test_a_slow_path_is_given_the_time_that_its_round_trip_takes() -> None:
    ways, first, _ = two()
    with first.posting(at(0)):
        assert ways.for_next({1: SLOW, 2: UP}, at(1_600), flash=False) == ()
        assert numbers(ways.for_next({1: SLOW, 2: UP}, at(1_700), flash=False)) == [2]


def test_a_flash_goes_by_every_path_also_behind_a_body_that_hangs() -> None:
    ways, first, _ = two()
    assert numbers(ways.for_next({1: UP, 2: DOWN}, at(0), flash=True)) == [1, 2]
    with ExitStack() as hanging:
        hanging.enter_context(first.posting(at(0)))
        assert numbers(ways.for_next({1: UP, 2: UP}, at(10), flash=True)) == [1, 2]
        hanging.enter_context(first.posting(at(10)))
        assert numbers(ways.for_next({1: UP, 2: UP}, at(20), flash=True)) == [2]


def test_on_one_path_a_body_waits_for_the_answer_to_the_one_before() -> None:
    ways = Ways([Nowhere()])
    (only,) = ways
    with only.posting(at(0)):
        assert ways.for_next({1: UP}, at(10), flash=True) == ()
        assert ways.for_next({1: DOWN}, at(10_000), flash=False) == ()
    assert numbers(ways.for_next({1: DOWN}, at(10_001), flash=False)) == [1]
