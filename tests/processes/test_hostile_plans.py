"""Plans made to take long to check hold up nobody else: three nodes in processes of their own."""

from pathlib import Path

import pytest
from bench import bench_hostile

pytestmark = pytest.mark.processes


def test_a_flash_is_on_the_screen_in_a_second_whatever_another_peer_declares(
    tmp_path: Path,
) -> None:
    flash, became = bench_hostile.measure(tmp_path, seconds=10, flights=200, plans=6)
    assert flash.held, flash.measured
    assert "0 declarations" not in became.measured, became.measured
