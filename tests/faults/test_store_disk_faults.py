"""Failing writes and flushes, full disks, power cuts: nothing acknowledged is ever lost."""

import random
from pathlib import Path

import apsw
import pytest
from faulty_disk import FaultyDisk, ForgetfulDisk, plugged_in

from deconflict.errors import StoreBrokenError, StoreDamagedError, StoreError, StoreFullError
from deconflict.store import sqlite
from deconflict.store.base import Batch, EntryRow
from deconflict.store.sqlite import SqliteStore
from record_samples import LINE, LINE_ROW, Chain


@pytest.fixture(scope="module")
def entries() -> list[EntryRow]:
    return list(Chain("blue").say_many(60))


@pytest.fixture
def _early_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    # So that checkpoints are among the operations that fail.
    monkeypatch.setattr(sqlite, "CHECKPOINT_AT_PAGES", 20)


def new_record(folder: Path) -> Path:
    path = folder / "record.sqlite"
    with SqliteStore.open(path, create=True) as store:
        store.commit(Batch(lines=[LINE_ROW]))
    return path


def say_until_it_fails(
    store: SqliteStore, entries: list[EntryRow]
) -> tuple[int, StoreError | None]:
    """Commit one by one; return how many were acknowledged and what came instead of the next."""
    acknowledged = 0
    for entry in entries:
        try:
            store.commit(Batch(entries=[entry]))
        except StoreError as error:
            return acknowledged, error
        acknowledged += 1
    return acknowledged, None


@pytest.mark.usefixtures("_early_checkpoints")
@pytest.mark.parametrize("torn", [False, True])
def test_after_any_failed_operation_the_store_is_mute_and_loses_nothing(
    tmp_path: Path, entries: list[EntryRow], torn: bool
) -> None:
    points = range(1, 400, 7)
    failures = 0
    for point in points:
        folder = tmp_path / str(point)
        folder.mkdir()
        path = new_record(folder)
        with plugged_in(FaultyDisk(point, apsw.IOError, torn=torn)) as disk:
            try:
                store = SqliteStore.open(path, vfs=disk.name)
            except StoreBrokenError:
                continue
            acknowledged, error = say_until_it_fails(store, entries)
            if error is not None:
                failures += 1
                assert isinstance(error, StoreBrokenError)
                with pytest.raises(StoreBrokenError, match="failed earlier"):
                    store.lines()
                with pytest.raises(StoreBrokenError, match="failed earlier"):
                    store.commit(Batch(entries=[entries[acknowledged]]))
            store.close()
        with SqliteStore.open(path) as again:
            again.check_storage()
            kept = list(again.entries(LINE, "blue"))
        # The one that failed may be there: its outcome was unknown. Nothing else may.
        assert kept == entries[: len(kept)]
        assert acknowledged <= len(kept) <= acknowledged + 1
    assert failures > 30


@pytest.mark.usefixtures("_early_checkpoints")
def test_a_full_disk_refuses_the_batch_and_goes_on_reading(
    tmp_path: Path, entries: list[EntryRow]
) -> None:
    refused = 0
    for point in range(1, 300, 11):
        folder = tmp_path / str(point)
        folder.mkdir()
        path = new_record(folder)
        with plugged_in(FaultyDisk(point, apsw.FullError)) as disk:
            try:
                store = SqliteStore.open(path, vfs=disk.name)
            except StoreFullError:
                continue
            acknowledged, error = say_until_it_fails(store, entries)
            if error is not None:
                refused += 1
                assert isinstance(error, StoreFullError)
                assert store.count(LINE, "blue") == acknowledged
                store.commit(Batch(entries=[entries[acknowledged]]))  # there is room again
            said = list(store.entries(LINE, "blue"))
            store.check_storage()
            store.close()
        with SqliteStore.open(path) as again:
            assert list(again.entries(LINE, "blue")) == said == entries[: len(said)]
    assert refused > 10


@pytest.mark.usefixtures("_early_checkpoints")
def test_a_power_cut_takes_nothing_that_was_acknowledged(
    tmp_path: Path, entries: list[EntryRow]
) -> None:
    rng = random.Random(20150930)
    for cut in range(60):
        folder, after = tmp_path / f"{cut}", tmp_path / f"{cut}-after"
        folder.mkdir()
        after.mkdir()
        path = new_record(folder)
        with plugged_in(ForgetfulDisk()) as disk:
            store = SqliteStore.open(path, vfs=disk.name)
            acknowledged, _ = say_until_it_fails(store, entries[: rng.randrange(1, 60)])
            store._connection.execute("BEGIN")  # and one transaction that never ended
            store._connection.execute("CREATE TABLE half_done AS SELECT * FROM entries")
            store._connection.execute("ROLLBACK")
            disk.after_power_cut(after, rng)
            store.close()
        with SqliteStore.open(after / path.name) as again:
            again.check_storage()
            assert list(again.entries(LINE, "blue")) == entries[:acknowledged]


def test_a_flush_that_is_skipped_would_be_noticed(tmp_path: Path, entries: list[EntryRow]) -> None:
    """The power cut above bites: without flushes the same cut loses acknowledged entries."""
    path = new_record(tmp_path)
    after = tmp_path / "after"
    after.mkdir()
    with plugged_in(ForgetfulDisk()) as disk:
        store = SqliteStore.open(path, vfs=disk.name)
        store._connection.pragma("synchronous", "OFF")
        acknowledged, _ = say_until_it_fails(store, entries[:20])
        disk.after_power_cut(after, random.Random(1))
        store.close()
    with SqliteStore.open(after / path.name) as again:
        assert again.count(LINE, "blue") < acknowledged


def test_what_opening_replays_is_flushed_before_it_is_believed(
    tmp_path: Path, entries: list[EntryRow]
) -> None:
    """A process killed between write and flush, a new start, then a power cut."""
    path = new_record(tmp_path)
    killed, after = tmp_path / "killed", tmp_path / "after"
    killed.mkdir()
    after.mkdir()
    store = SqliteStore.open(path)
    store._connection.pragma("synchronous", "OFF")  # written, never flushed
    say_until_it_fails(store, entries[:20])
    for file in (path, Path(f"{path}-wal")):
        (killed / file.name).write_bytes(file.read_bytes())
    store.close()
    with plugged_in(ForgetfulDisk()) as disk:
        # Nothing of the write-ahead log is durable on this disk until somebody flushes it.
        disk.durable[str(killed / f"{path.name}-wal")] = bytearray()
        restarted = SqliteStore.open(killed / path.name, vfs=disk.name)
        believed = restarted.count(LINE, "blue")
        disk.after_power_cut(after, random.Random(2))
        restarted.close()
    with SqliteStore.open(after / path.name) as again:
        assert believed == again.count(LINE, "blue") == 20


def test_an_unreadable_text_ends_the_store(tmp_path: Path) -> None:
    path = new_record(tmp_path)
    edit = apsw.Connection(str(path))
    edit.execute("UPDATE lines SET own_party = CAST(x'ff' AS TEXT)")
    edit.close()
    store = SqliteStore.open(path)
    with pytest.raises(StoreDamagedError, match="UTF-8"):
        store.lines()
    with pytest.raises(StoreBrokenError):
        store.note("anything")
    store.close()
