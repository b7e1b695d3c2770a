"""The shipped witness as a process: killed between the disk and its answer, it signs the same."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deconflict.line.checkpoint import Origin
from deconflict.line.note import read_note
from deconflict.line.tlog_witness import with_cosignature
from deconflict.node.settings import Endpoint
from deconflict.node.witness.client import WitnessClient, witness_context
from deconflict.node.witness.folder import WitnessFolder, WitnessSettings
from line_talk import BLUE, LINE
from witness_samples import BLUES, note, request

pytestmark = pytest.mark.processes
HOST = "127.0.0.1"
ROUNDS = 12

# The witness as it is, whose machine loses its power at one moment of its work.
DIES = """
import os, signal, sys
from pathlib import Path
from deconflict.node.witness.folder import WitnessFolder
from deconflict.node.witness.service import WitnessService
from deconflict.store.witness_ledger import WitnessLedger

class Dying(WitnessLedger):
    def keep(self, state):
        if sys.argv[2] == "after":
            super().keep(state)
        os.kill(os.getpid(), signal.SIGKILL)

folder = WitnessFolder.open(Path(sys.argv[1]))
ledger = Dying.open(folder.path / "ledger.sqlite")
name, key = folder.settings.name, folder.key
service = WitnessService(ledger, name=name, key=key, now_s=lambda: 1443571200)
print(service.add_checkpoint(sys.stdin.buffer.read()))
"""


@pytest.fixture
def folder(tmp_path: Path) -> WitnessFolder:
    made = WitnessFolder.create(
        tmp_path / "agency",
        WitnessSettings("agency.example/w1", Endpoint(HOST, 0), f"https://{HOST}:8444"),
        now_utc_ms=time.time_ns() // 1_000_000,
        random_bytes=os.urandom,
    )
    ledger = made.ledger()
    ledger.add_author(LINE, "blue", BLUE.verify_key, now_utc_ms=0)
    ledger.close()
    return made


@contextmanager
def serving(folder: WitnessFolder) -> Iterator[tuple[WitnessClient, "subprocess.Popen[str]"]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "deconflict", "witness", "serve", "--json", str(folder.path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            said += process.stdout.readline()
        address = json.loads(said)["address"]
        yield WitnessClient(address, witness_context(folder.root_path)), process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def seen_s(folder: WitnessFolder, body: bytes, size: int) -> int:
    return with_cosignature(read_note(note(size)), body, folder.note_key)[1]


def test_the_shipped_witness_cosigns_and_ends_when_it_is_told_to(folder: WitnessFolder) -> None:
    with serving(folder) as (client, process):
        answer = client.ask_here(request(0, 5))
        assert abs(seen_s(folder, answer.body, 5) - time.time()) < 60
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    with serving(folder) as (client, _):
        assert client.ask_here(request(0, 9)).body == b"5\n"
        assert client.ask_here(request(5, 9, fork_at=1)).status == 422
        assert client.ask_here(request(5, 5)).body == answer.body


def test_a_line_added_beside_the_running_witness_counts_at_once(folder: WitnessFolder) -> None:
    stranger = request(0, 5, origin=Origin("ab" * 16, "blue", BLUES.epoch))
    with serving(folder) as (client, _):
        assert client.ask_here(stranger).status == 404
        ledger = folder.ledger()
        ledger.add_author("ab" * 16, "blue", BLUE.verify_key, now_utc_ms=0)
        ledger.close()
        assert client.ask_here(stranger).status == 200


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_write_it_has_signed_nothing_and_signs_the_same(
    folder: WitnessFolder, moment: str
) -> None:
    died = subprocess.run(
        [sys.executable, "-c", DIES, str(folder.path), moment],
        input=request(0, 5),
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, b"")
    ledger = folder.ledger()
    kept = ledger.kept(BLUES)
    ledger.close()
    with serving(folder) as (client, _):
        if moment == "before":
            assert kept is None
            assert client.ask_here(request(0, 3)).status == 200
        else:
            assert kept is not None
            assert client.ask_here(request(0, 5)).body == b"5\n"  # it says where to begin
            assert client.ask_here(request(5, 5, fork_at=1)).status == 409
            answer = client.ask_here(request(5, 5))
            assert seen_s(folder, answer.body, 5) == 1_443_571_200  # as it would have been


def test_killed_at_any_moment_it_never_signs_two_roots_of_one_size(folder: WitnessFolder) -> None:
    signed: dict[int, bytes] = {}
    size = 0
    for number in range(ROUNDS):
        with serving(folder) as (client, process):
            for _ in range(3):
                answer = client.ask_here(request(size, size + 1))
                if answer.status == 409:  # durable, and its answer never left
                    size = int(answer.body)
                    continue
                assert answer.status == 200
                size += 1
                assert signed.setdefault(size, answer.body) == answer.body
            again = client.ask_here(request(size, size))
            assert signed.setdefault(size, again.body) == again.body
            time.sleep(number / 500)
            process.kill()
    assert len(signed) >= ROUNDS
