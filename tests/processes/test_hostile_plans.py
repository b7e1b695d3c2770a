"""Plans made to take long to check hold up nobody else: three nodes in processes of their own."""

from pathlib import Path

import pytest
from bench import bench_hostile

pytestmark = pytest.mark.processes


def test_a_plan_that_may_meet_everything_holds_a_node_for_a_second_at_most(tmp_path: Path) -> None:
    # Of processor time: what a busy machine makes of it is no property of the node.
    _, held, _, became = bench_hostile.measure(tmp_path, seconds=3, flights=300, plans=3)
    assert held.held, held.measured
    assert became.measured.endswith(" 3 declarations as not checked"), became.measured
