"""A process that writes is killed at random moments: what it reported as committed is there."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deconflict.store.base import Batch
from deconflict.store.sqlite import SqliteStore
from record_samples import LINE, LINE_ROW

ROUNDS = 45

# Goes on where the record ends; each number is printed only when its commit was acknowledged.
WRITER = """
import sys
from collections import deque
from hashlib import sha256
from deconflict.store.base import Batch, EntryRow, EventRow
from deconflict.store.sqlite import SqliteStore
from deconflict.store.writer import GroupCommitWriter

path, line = sys.argv[1:]
store = SqliteStore.open(path)
seq = store.count(line, "blue")
writer = GroupCommitWriter(store)
waiting = deque()
while True:
    seq += 1
    data = b"%d" % seq * 200
    entry = EntryRow(
        line, "blue", "e" * 32, seq, sha256(data).hexdigest(), data, "Ed25519", "k", b"s", seq
    )
    events = [EventRow(seq, seq, "message", b"{}")]
    waiting.append((seq, writer.submit(Batch(entries=[entry], events=events))))
    while len(waiting) > 8 or (waiting and waiting[0][1].done()):
        number, future = waiting.popleft()
        future.result()
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
"""


@pytest.mark.processes
def test_kill_minus_nine_loses_nothing_reported_as_committed(tmp_path: Path) -> None:
    path = tmp_path / "record.sqlite"
    with SqliteStore.open(path, create=True) as store:
        store.commit(Batch(lines=[LINE_ROW]))
    rng = random.Random(2_015)
    reported = 0
    rounds_with_work = 0
    for _ in range(ROUNDS):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), LINE], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        first = child.stdout.readline()  # it is writing now
        time.sleep(rng.uniform(0, 0.03))
        child.send_signal(signal.SIGKILL)
        told = [first, *child.stdout.readlines()]
        child.stdout.close()
        child.wait()
        whole = [int(line) for line in told if line.endswith("\n")]
        reported = max([reported, *whole])
        rounds_with_work += bool(whole)
        with SqliteStore.open(path) as store:
            store.check_storage()
            kept = [row.seq for row in store.entries(LINE, "blue", after_seq=reported - 1)]
            assert kept[0] == reported
            assert kept == list(range(reported, store.count(LINE, "blue") + 1))
            assert store.last_event_id() == kept[-1]  # a batch is in whole or not at all
    assert rounds_with_work >= 40
