"""A short soak: what the long one does and judges, in half a minute."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.faults.kill_ledger import Violation
from tests.faults.soak import Soak
from tests.faults.soak_folder import SoakFolder
from tests.faults.soak_report import PARTIES

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]


def test_a_busy_line_under_faults_loses_nothing_and_a_lost_message_is_seen(
    tmp_path: Path,
) -> None:
    with closing(SoakFolder(tmp_path, PARTIES)) as kept:
        report = Soak(kept, seed=3, rate=60, fault_every_s=4).play(1_000)
    print("\n".join(report.lines()))
    assert report.posted > 250
    assert report.entries >= 1_000
    assert report.answered > 50
    assert report.faults
    # The next run goes on with the same nodes, and is held to what the first one was told.
    with closing(SoakFolder(tmp_path, PARTIES)) as kept:
        soak = Soak(kept, seed=3, rate=60, fault_every_s=4)
        assert len(soak.durable["red"]) > 100
        again = soak.play(2_000)
        print("\n".join(again.lines()))
        assert again.runs == 2
        assert again.entries >= 2_000
        assert again.posted > report.posted
        soak.durable["red"].add(bytes(32))  # as if an API had called it durable
        with pytest.raises(Violation, match="lost 1 message"):
            soak.read_records(set())
