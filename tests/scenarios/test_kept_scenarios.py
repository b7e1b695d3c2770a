"""The scenario set's records, cut anywhere: what was kept and the rest is what the whole says."""

from pathlib import Path

import pytest
from test_replay import CASES, played

from kept_folds import worlds_tried


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_any_cut_of_a_scenario_and_the_rest_is_the_whole(file: Path) -> None:
    with worlds_tried(every=60) as tried:
        played(file)
    assert tried.cuts
