"""A short soak: what the long one does and judges, in half a minute."""

from pathlib import Path

import pytest
from tests.faults.kill_ledger import Violation
from tests.faults.soak import Soak

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


def test_a_busy_line_under_faults_loses_nothing_and_a_lost_message_is_seen(
    tmp_path: Path,
) -> None:
    soak = Soak(tmp_path, seed=3, rate=60, fault_every_s=4)
    report = soak.play(2_000)
    print("\n".join(report.lines()))
    assert report.posted > 500
    assert report.entries >= 2_000
    assert report.answered > 100
    assert report.faults
    soak.durable["red"].add(bytes(32))  # as if an API had called it durable
    with pytest.raises(Violation, match="lost 1 message"):
        soak.read_records(set())
