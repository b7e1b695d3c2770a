"""Killed at any instant of keeping what an audit found, a node's next start is right."""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from tests.processes.auditing import QUICK, audited_as
from tests.processes.kept_killed import MOMENTS, NEW, NOTHING, OLD
from tests.processes.kept_nodes import audited, blue, blue_at_rest
from tests.processes.nodes import REPOSITORY, Member, Process

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
__all__ = ["blue", "blue_at_rest"]  # fixtures

SEED = 5
READY_S = 180.0  # beside whatever else the machine does
KILLS = 5  # of a whole node; each costs two starts


def test_wherever_it_is_killed_the_next_start_goes_on_from_what_is_true_or_reads_everything(
    blue: Member, tmp_path: Path
) -> None:
    kinds = tmp_path / "kinds"
    kinds.mkdir()
    # In memory: what a kill leaves does not depend on the disk, and a flush is for nothing.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as directory:
        scratch = Path(directory) / "scratch"
        command = [sys.executable, "-m", "tests.processes.kept_killed", blue.path, scratch, kinds]
        told = subprocess.run(
            command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True, timeout=500
        )
    found = json.loads(told.stdout)
    assert set(found) == {OLD, NEW, NOTHING}
    assert sum(found.values()) > MOMENTS + 100
    for what in (OLD, NEW, NOTHING):
        for path in (*blue.path.glob("record.sqlite*"), *blue.path.glob("*kept*")):
            path.unlink()
        for path in (kinds / what).iterdir():
            shutil.copy2(path, blue.path)
        with Process(blue) as node:
            said = node.ready(READY_S)
            assert said["entries_verified"] == 5, what
            assert said["entries_kept"] == (0 if what == NOTHING else 5), what
            assert node.stop() == 0


def test_a_node_killed_while_it_audits_starts_right_and_has_it_proven(blue: Member) -> None:
    moments = random.Random(SEED)
    for _ in range(KILLS):
        with Process(blue, audited_as()) as node:
            said = node.ready(READY_S)
            assert said["entries_verified"] >= 5
            time.sleep(moments.uniform(0.0, 2.0))
            node.kill()
    with Process(blue, audited_as(QUICK)) as node:
        assert node.ready(READY_S)["entries_verified"] >= 5
        audited(blue)
        with blue.api() as api:
            assert not api.get("/node")["audit"]["behind"]
        assert node.stop() == 0
