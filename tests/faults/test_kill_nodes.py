"""Real nodes are killed again and again: nothing receipted is lost, and a planted loss is found."""

import time
from pathlib import Path

import pytest
from tests.faults.kill_ledger import Violation
from tests.faults.kill_nodes import Run
from tests.processes.nodes import Nursery, make_nodes

pytestmark = pytest.mark.processes

ROUNDS = 200
SEED = 2015


@pytest.mark.timeout(600)
def test_two_hundred_kills_lose_nothing_that_was_receipted(tmp_path: Path) -> None:
    report = Run(tmp_path, SEED).play(ROUNDS)
    print("\n".join(report.lines()))
    assert report.rounds == ROUNDS
    # The run was worth something: much was said, and kills fell between the row and its receipt.
    assert report.entries > 1_000
    assert report.unreceipted_rows > 5
    assert report.repeated_receipts > 20
    one, other = report.bundles
    assert [c.head for c in one.chains] == [c.head for c in other.chains]


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("fault", "found"),
    [("receipt_before_commit", "receipt"), ("forget_alerts", "alerts")],
)
def test_a_planted_fault_is_found(fault: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(Violation, match=found):
        Run(tmp_path, SEED, tap=fault).play(40)


def test_two_kills_leave_no_unsigned_entry_behind_a_signed_one(tmp_path: Path) -> None:
    blue, red = make_nodes(tmp_path, ("blue", "red")).values()
    line, out = blue.line_with(red), tmp_path / "out"
    said = {"event": "a kill", "fields": {"number": 1}}
    with Nursery() as nursery:
        node = nursery.start(blue, out)
        node.ready()
        with blue.api() as api:
            api.send(line, "ACCOUNT", said)
        node.kill()  # before the signature is kept
        node = nursery.start(blue, out)
        node.ready()
        with blue.api() as api:
            api.send(line, "ACCOUNT", said)
        time.sleep(1.2)  # now it is
        node.kill()
        node = nursery.start(blue, out)
        # Both, and behind the first, with nobody there to ask, a fresh epoch in which it is again.
        assert node.ready()["entries_verified"] == 4
        node.stop()
