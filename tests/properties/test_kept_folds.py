"""What was read up to any entry, and the rest, is what the whole record says."""

from unittest.mock import patch

from hypothesis import given
from test_restart import steps, take_step

from deconflict.node import fold, picture
from effort import examples
from kept_folds import worlds_tried
from node_pair import MINUTE_MS, node_pair


@examples(25)
@given(steps)
def test_any_cut_and_the_rest_is_the_whole(taken: list[tuple[str, str, int]]) -> None:
    with (
        patch.object(picture, "_OVER_KEPT", 2),
        patch.object(fold, "_FORGET_EVERY", 4),
        patch.object(fold, "_LONG_OVER_MS", 5 * MINUTE_MS),
        worlds_tried() as tried,
    ):
        with node_pair() as pair:
            for party, step, number in taken:
                take_step(pair, party, step, number)
        assert tried.cuts
