"""An audit that cannot be made finds nothing: the node goes on, and nothing unproven is kept."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from deconflict.errors import StoreDamagedError
from deconflict.line.moment import Now
from deconflict.node import subordinate
from deconflict.node.keeping import background, child, process
from deconflict.node.keeping.audit import Pins
from deconflict.node.keeping.background import AuditFiles, Audits, Driver
from deconflict.node.keeping.process import Task, Word
from deconflict.node.keeping.standing import (
    AuditPhase,
    AuditStanding,
    AuditTimes,
    Hindrance,
    WentOnFrom,
)
from deconflict.replay.world import Station
from deconflict.store.base import NoteRow
from deconflict.store.sqlite import SqliteStore
from node_pair import node_pair

QUICK = AuditTimes(
    hold_longest_s=0.0,
    settle_s=0.0,
    again_s=0.02,
    again_longest_s=0.08,
    silent_s=0.4,
    copying_silent_s=0.4,
)
WENT_ON = WentOnFrom(entries=5, audited_ms=1_000)
HOUR_MS = 3_600_000
BESIDE = (sys.executable, "-m", subordinate.__name__, process.__name__)


class Watched:
    """The audits of a record, and what the node beside them was told."""

    def __init__(
        self,
        store: SqliteStore,
        folder: Path,
        *,
        before: WentOnFrom | None,
        reserve_bytes: int = 0,
        times: AuditTimes = QUICK,
    ) -> None:
        self.store = store
        self.told: list[AuditStanding] = []
        self.kept: list[NoteRow] = []
        self.monotonic_ms = 0
        self.files = AuditFiles(folder / "audited.sqlite", folder / "kept", reserve_bytes)
        self.audits = Audits(
            store,
            folder / "record.sqlite",
            Pins("blue", [], {}, {}),
            self.files,
            before=before,
            driver=Driver(lambda: Now(HOUR_MS, self.monotonic_ms), self._keep, self._tell),
            times=times,
        )

    async def _keep(self, note: NoteRow) -> None:
        self.kept.append(note)

    async def _tell(self, standing: AuditStanding) -> None:
        self.told.append(standing)

    def run_until(self, true: Callable[[], bool]) -> None:
        """Run the audits until something is true; raises what ends them."""

        async def run() -> None:
            running = asyncio.create_task(self.audits.run())
            async with asyncio.timeout(60):
                while not true() and not running.done():
                    await asyncio.sleep(0.01)
            if running.done():
                running.result()
            running.cancel()
            await asyncio.wait([running])

        asyncio.run(run())

    def failures(self) -> list[AuditStanding]:
        return [one for one in self.told if one.phase is AuditPhase.NOT_DONE]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SqliteStore]:
    (tmp_path / "kept").write_bytes(b"went on from")
    with SqliteStore.open(tmp_path / "record.sqlite", create=True) as store:
        yield store


def program(folder: Path, script: str) -> str:
    """A program that reads what it is to do, and does this instead."""
    path = folder / "instead"
    path.write_text(f"#!/bin/sh\nread task\n{script}\n")
    path.chmod(0o700)
    return str(path)


def says(folder: Path, word: Word) -> str:
    return program(folder, f"echo '{msgspec.json.encode(word).decode()}'")


COPIED = "echo '{\"copied\":true}'"


@pytest.mark.parametrize(
    ("script", "hindrance"),
    [
        ("exit 3", Hindrance.ENDED),
        ("kill -9 $$", Hindrance.ENDED),
        (f"{COPIED}\nkill -9 $$", Hindrance.ENDED),
        ("exec >&-\nexec sleep 60", Hindrance.ENDED),
        ("exec sleep 60", Hindrance.STOOD_STILL),
        (f"{COPIED}\nexec sleep 60", Hindrance.STOOD_STILL),
        ("echo this is no word of it", Hindrance.UNREADABLE),
        ('echo \'{"entries":"many"}\'', Hindrance.UNREADABLE),
        ("head -c 70000 /dev/zero | tr '\\0' x", Hindrance.UNREADABLE),
        (f"{COPIED}\nhead -c 70000 /dev/zero | tr '\\0' x\nexec sleep 60", Hindrance.UNREADABLE),
        ('echo \'{"failed":"full","hindrance":"NO_ROOM"}\'', Hindrance.NO_ROOM),
        ('echo \'{"done":true,"uncompared":"moved"}\'', Hindrance.NOT_COMPARABLE),
    ],
)
@pytest.mark.parametrize("before", [None, WENT_ON])
def test_whatever_its_process_does_the_node_goes_on_and_is_told_why(
    script: str,
    hindrance: Hindrance,
    before: WentOnFrom | None,
    record: SqliteStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, script))
    watched = Watched(record, tmp_path, before=before)
    watched.audits.hold()
    watched.run_until(lambda: bool(watched.failures()))
    failed = watched.failures()[0]
    assert failed.hindrance is hindrance
    assert failed.problem
    assert failed.behind == before
    assert failed.again_ms is not None
    assert not watched.kept
    assert not record._still
    assert (tmp_path / "kept").exists() is (before is None)


def test_a_process_that_cannot_be_begun_is_no_end_of_the_node(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "not-there"))
    watched = Watched(record, tmp_path, before=WENT_ON)
    watched.audits.hold()
    watched.run_until(lambda: bool(watched.failures()))
    assert watched.failures()[0].hindrance is Hindrance.NOT_BEGUN
    assert not record._still


def test_attempts_come_ever_more_rarely_and_never_end(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    times = msgspec.structs.replace(QUICK, again_s=0.001, again_longest_s=0.003)
    watched = Watched(record, tmp_path, before=WENT_ON, times=times)
    watched.run_until(lambda: len(watched.failures()) >= 5)
    waits = [one.again_ms - HOUR_MS for one in watched.failures() if one.again_ms is not None]
    assert waits[:5] == [1, 2, 3, 3, 3]


def test_what_could_not_be_proven_is_out_of_the_way_of_the_next_start_and_still_compared(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, f'echo "$task" >> {tmp_path}/tasks'))
    watched = Watched(record, tmp_path, before=WENT_ON)
    watched.run_until(lambda: len(watched.failures()) >= 2)
    lines = (tmp_path / "tasks").read_bytes().splitlines()
    first, second = (msgspec.json.decode(line, type=Task) for line in lines[:2])
    assert (first.copied, second.copied) == (False, False)
    assert first.before == str(tmp_path / "kept")
    assert second.before == str(tmp_path / "kept.unproven")
    assert not (tmp_path / "kept").exists()
    assert (tmp_path / "kept.unproven").read_bytes() == b"went on from"


def test_a_later_attempt_looks_at_the_same_copy_where_one_was_made(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f'echo "$task" >> {tmp_path}/tasks\nprintf x > {tmp_path}/audited.sqlite\n{COPIED}'
    monkeypatch.setattr(sys, "executable", program(tmp_path, script))
    watched = Watched(record, tmp_path, before=WENT_ON)
    watched.audits.hold()
    there: list[bool] = []

    def twice() -> bool:
        there.append((tmp_path / "audited.sqlite").exists())
        return len(watched.failures()) >= 2

    watched.run_until(twice)
    assert there[-1]
    lines = (tmp_path / "tasks").read_bytes().splitlines()
    first, second = (msgspec.json.decode(line, type=Task) for line in lines[:2])
    assert (first.copied, second.copied) == (False, True)
    assert not record._still
    assert not (tmp_path / "audited.sqlite").exists()  # it ends with the node


def test_the_record_is_left_as_the_start_read_it_for_a_while_and_no_longer(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    times = msgspec.structs.replace(QUICK, hold_longest_s=300.0)
    watched = Watched(record, tmp_path, before=WENT_ON, times=times)
    watched.audits.hold()
    held: list[bool] = []

    def twice() -> bool:
        held.append(record._still)
        return len(watched.failures()) >= 2

    watched.run_until(twice)
    assert all(held)
    watched.monotonic_ms = 300_000
    watched.run_until(lambda: len(watched.failures()) >= 3)
    assert not record._still


def test_an_attempt_that_succeeds_proves_it_after_all(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    watched = Watched(record, tmp_path, before=WENT_ON)
    watched.run_until(lambda: bool(watched.failures()))
    found = f"printf kept > {tmp_path}/kept.found"
    done = msgspec.json.encode(Word(copied=True, done=True, digest="ab")).decode()
    monkeypatch.setattr(sys, "executable", program(tmp_path, f"{found}\necho '{done}'"))
    watched.run_until(lambda: watched.audits.standing.phase is AuditPhase.DONE)
    assert watched.audits.standing.behind is None
    assert watched.audits.standing.hindrance is None
    assert [note.value for note in watched.kept] == [b"\xab"]
    assert (tmp_path / "kept").read_bytes() == b"kept"
    assert not (tmp_path / "kept.unproven").exists()


def test_a_start_that_has_proven_everything_removes_what_nobody_could_prove(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    (tmp_path / "kept.unproven").write_bytes(b"of an earlier run")
    watched = Watched(record, tmp_path, before=None)
    watched.run_until(lambda: bool(watched.failures()))
    assert not (tmp_path / "kept.unproven").exists()


def test_a_log_that_grows_too_far_ends_the_copying(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program(tmp_path, "exec sleep 60"))
    monkeypatch.setattr(child, "_LOOK_S", 0.02)
    watched = Watched(
        record, tmp_path, before=WENT_ON, times=msgspec.structs.replace(QUICK, copying_silent_s=30)
    )
    watched.audits.hold()
    record._wal_pages = child.MOST_LOG_PAGES + 1
    watched.run_until(lambda: bool(watched.failures()))
    assert watched.failures()[0].hindrance is Hindrance.LOG_GREW
    assert not record._still


def test_a_process_that_says_how_far_it_is_is_not_silent(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = "for one in 1 2 3 4; do echo '{\"entries\":7}'; sleep 0.2; done"
    done = msgspec.json.encode(Word(done=True)).decode()
    script = f"echo '{{}}'\nsleep 0.2\n{COPIED}\n{steps}\necho '{done}'"
    monkeypatch.setattr(sys, "executable", program(tmp_path, script))
    times = msgspec.structs.replace(QUICK, silent_s=0.6, copying_silent_s=0.6)
    watched = Watched(record, tmp_path, before=WENT_ON, times=times)
    watched.run_until(lambda: watched.audits.standing.phase is AuditPhase.DONE)
    assert not watched.failures()
    assert watched.audits.standing.entries == 7


@pytest.mark.parametrize("before", [WENT_ON, None])
def test_damage_ends_the_node_also_where_the_file_cannot_be_deleted(
    before: WentOnFrom | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", says(tmp_path, Word(damaged="entry 2 is not so")))
    (tmp_path / "kept").mkdir()  # as a failing disk would: nobody can delete it
    with (
        SqliteStore.open(tmp_path / "record.sqlite", create=True) as store,
        pytest.raises(StoreDamagedError, match="entry 2 is not so"),
    ):
        Watched(store, tmp_path, before=before).run_until(lambda: False)


def test_damage_found_at_a_later_attempt_ends_the_node_and_leaves_nothing_to_go_on_from(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    watched = Watched(record, tmp_path, before=WENT_ON)
    watched.run_until(lambda: bool(watched.failures()))
    monkeypatch.setattr(sys, "executable", says(tmp_path, Word(damaged="entry 2 is not so")))
    with pytest.raises(StoreDamagedError, match="entry 2 is not so"):
        watched.run_until(lambda: False)
    assert not (tmp_path / "kept").exists()
    assert not (tmp_path / "kept.unproven").exists()


def test_a_long_start_without_room_for_a_copy_leaves_the_disk_alone(
    record: SqliteStore, tmp_path: Path
) -> None:
    watched = Watched(record, tmp_path, before=None, reserve_bytes=2**62)
    watched.audits.hold()
    assert not record._still
    watched.run_until(lambda: bool(watched.failures()))
    assert watched.failures()[0].hindrance is Hindrance.NO_ROOM


# ---- the process -----------------------------------------------------------------------------


def test_the_process_ends_with_the_node_that_began_it(tmp_path: Path) -> None:
    record = tmp_path / "record.sqlite"
    os.mkfifo(record)  # to copy it takes for ever
    copy, found = tmp_path / "audited.sqlite", tmp_path / "kept.found"
    task = Task.of(Pins("blue", [], {}, {}), record=record, copy=copy, before=None, kept=found)
    with subprocess.Popen(BESIDE, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as looking:
        try:
            looking.communicate(msgspec.json.encode(task) + b"\n", timeout=30)
        finally:
            looking.kill()
    assert looking.returncode == 1


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux alone has it")
def test_the_process_is_the_first_to_go_where_memory_runs_out(tmp_path: Path) -> None:
    record = tmp_path / "record.sqlite"
    os.mkfifo(record)
    paths = {"record": record, "copy": tmp_path / "copy", "kept": tmp_path / "found"}
    task = Task.of(Pins("blue", [], {}, {}), before=None, **paths)
    with subprocess.Popen(BESIDE, stdin=subprocess.PIPE) as one:
        try:
            assert one.stdin is not None
            one.stdin.write(msgspec.json.encode(task) + b"\n")
            one.stdin.flush()
            score = Path(f"/proc/{one.pid}/oom_score_adj")
            ends = time.monotonic() + 60
            while score.read_text().strip() != "1000":
                assert time.monotonic() < ends
                time.sleep(0.05)
        finally:
            one.kill()


def test_a_copy_takes_nothing_over_from_one_that_was_left_behind(tmp_path: Path) -> None:
    record, copy, other = (tmp_path / name for name in ("record", "audited.sqlite", "other"))
    record.write_bytes(b"the record")
    other.write_bytes(b"of somebody else")
    copy.symlink_to(other)
    left = [path for path in process.files_of(copy) if path != copy]
    for path in left:
        path.write_bytes(b"left behind")
    process._copy(record, copy)
    assert copy.read_bytes() == b"the record"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert other.read_bytes() == b"of somebody else"
    assert not any(path.exists() for path in left)


def test_a_long_copy_says_that_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_AT_ONCE", 10)
    monkeypatch.setattr(process, "_SAY_EVERY", 20)
    record, said = tmp_path / "record", []
    record.write_bytes(bytes(70))
    process._copy(record, tmp_path / "copy", lambda: said.append(1))
    assert len(said) == 3
    assert (tmp_path / "copy").read_bytes() == bytes(70)


def test_the_process_runs_nothing_that_lies_where_the_node_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "msgspec.py").write_text("open('ran', 'w')\n")
    monkeypatch.chdir(tmp_path)
    patient = msgspec.structs.replace(QUICK, silent_s=60.0, copying_silent_s=60.0)
    with SqliteStore.open(tmp_path / "record.sqlite", create=True) as store:
        watched = Watched(store, tmp_path, before=None, times=patient)
        watched.run_until(lambda: bool(watched.told))
        assert watched.told[-1].phase is AuditPhase.DONE
    assert not (tmp_path / "ran").exists()
    assert (tmp_path / "kept").exists()


def test_sqlite_tells_within_a_long_statement_that_it_works(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path / "record.sqlite", create=True) as store:
        told: list[int] = []
        store.tell_while_it_works(100, lambda: told.append(1))
        store.check_storage()
        assert told


# ---- what a desk is told ---------------------------------------------------------------------


def stands(station: Station, standing: AuditStanding, after_ms: int) -> None:
    at = Now(standing.started.utc_ms + after_ms, standing.started.monotonic_ms + after_ms)
    station.core.audit_stands(standing, at)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_desk_is_told_at_once_and_more_urgently_when_it_lasts(language: str) -> None:
    with node_pair() as pair:
        station = pair.station("blue")
        station.core._teller.desk.language = language
        behind = AuditStanding(Now(9 * HOUR_MS, 0), WentOnFrom(500, HOUR_MS))
        stands(station, behind, HOUR_MS - 1)
        assert "RECORD_UNPROVEN" not in pair.rules("blue")  # it is at work, and within its time
        failed = msgspec.structs.replace(behind, hindrance=Hindrance.ENDED, problem="SIGKILL")
        stands(station, failed, 1_000)
        alert = pair.alert("blue", "RECORD_UNPROVEN")
        assert (alert.urgency, alert.facts["problem"]) == ("PRIORITY", "SIGKILL")
        assert "500" in alert.text
        assert "1970-01-01 01:00:00Z" in alert.text
        assert {"en": "want of memory", "ru": "нехватки памяти"}[language] in alert.text
        stands(station, failed, HOUR_MS)
        lasting = pair.alert("blue", "RECORD_UNPROVEN")
        assert (lasting.urgency, lasting.alert_id) == ("IMMEDIATE", alert.alert_id)
        stands(station, msgspec.structs.replace(failed, behind=None, hindrance=None), HOUR_MS)
        assert "RECORD_UNPROVEN" not in pair.rules("blue")


def test_an_audit_that_lasts_too_long_is_told_though_nothing_failed() -> None:
    with node_pair() as pair:
        behind = AuditStanding(Now(9 * HOUR_MS, 0), WentOnFrom(500, HOUR_MS))
        stands(pair.station("blue"), behind, HOUR_MS)
        alert = pair.alert("blue", "RECORD_UNPROVEN")
        assert alert.urgency == "IMMEDIATE"
        assert "has begun and is not done" in alert.text


def test_a_record_that_was_proven_once_is_told_of_when_that_is_days_ago() -> None:
    with node_pair() as pair:
        failed = AuditStanding(Now(9 * HOUR_MS, 0), None, hindrance=Hindrance.NO_ROOM)
        stands(pair.station("blue"), failed, 47 * HOUR_MS)
        assert "RECORD_NOT_AUDITED" not in pair.rules("blue")
        stands(pair.station("blue"), failed, 48 * HOUR_MS)
        assert pair.alert("blue", "RECORD_NOT_AUDITED").urgency == "ROUTINE"
        made = msgspec.structs.replace(failed, hindrance=None, done_ms=57 * HOUR_MS)
        stands(pair.station("blue"), made, 48 * HOUR_MS)
        assert "RECORD_NOT_AUDITED" not in pair.rules("blue")


def test_what_is_told_late_is_told_without_an_event_of_the_audit(
    record: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_TELL_EVERY_S", 0.01)
    times = msgspec.structs.replace(QUICK, overdue_s=0.0)
    watched = Watched(record, tmp_path, before=WENT_ON, times=times)

    async def run() -> None:
        watching = asyncio.create_task(watched.audits.watch())
        async with asyncio.timeout(10):
            while not watched.told:
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.wait([watching])

    asyncio.run(run())
    assert watched.audits.view().overdue
