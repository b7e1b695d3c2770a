"""Copies of a running node's record: whole, looked through, one at a time, and never in the way."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deconflict.errors import LineStateError, StoreFullError, StoreInUseError
from deconflict.node.inquiries.book import InquiryFiles
from deconflict.node.tending import backups as backups_module
from deconflict.node.tending.backups import Backups, BackupsView
from deconflict.store.base import Batch, NoteRow
from deconflict.store.sqlite import SqliteStore
from record_samples import LINE, START_MS, conversation

pytestmark = pytest.mark.timeout(120)


def asked(folder: Path, work: Callable[[SqliteStore, Backups], Awaitable[None]]) -> None:
    async def run(store: SqliteStore) -> None:
        backups = Backups(store, InquiryFiles(folder / "backups", folder / "record.sqlite", 0))
        running = asyncio.create_task(backups.run())
        await asyncio.sleep(0)
        try:
            await work(store, backups)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    with SqliteStore.open(folder / "record.sqlite", create=True) as store:
        store.commit(conversation())
        asyncio.run(run(store))


async def over(backups: Backups) -> BackupsView:
    while backups.view().running:
        await asyncio.sleep(0.02)
    return backups.view()


def test_a_copy_has_all_that_was_durable_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    async def work(store: SqliteStore, backups: Backups) -> None:
        begun = backups.begin(START_MS)
        assert begun.running
        with pytest.raises(LineStateError, match="already"):
            backups.begin(START_MS)
        done = await over(backups)
        assert done.problem == ""
        (made,) = done.made
        copy = Path(done.folder) / made.name
        assert copy.stat().st_mode & 0o077 == 0
        assert sorted(path.name for path in copy.parent.iterdir()) == [made.name]
        with SqliteStore.open(copy) as copied:
            for party in ("blue", "red"):
                assert copied.count(LINE, party) == store.count(LINE, party) > 0

    asked(tmp_path, work)


def test_messages_become_durable_while_a_copy_is_made(tmp_path: Path) -> None:
    async def work(store: SqliteStore, backups: Backups) -> None:
        backups.begin(START_MS)
        while backups.view().running:
            store.commit(Batch(notes=[NoteRow("said-meanwhile", b"x")]))
            await asyncio.sleep(0.01)
        assert (await over(backups)).problem == ""
        assert store.note("said-meanwhile") == b"x"

    asked(tmp_path, work)


def test_two_copies_of_one_record_are_made_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups_module, "_WAIT_S", 0.05)

    async def work(store: SqliteStore, backups: Backups) -> None:
        with store.still():  # as an audit
            backups.begin(START_MS)
            done = await over(backups)
            assert "is made just now" in done.problem
            assert done.made == ()
            with pytest.raises(StoreInUseError), store.still(wait_s=0):
                pass
        backups.begin(START_MS)
        assert (await over(backups)).problem == ""
        # Given back: nothing else would ever be copied.
        taken = threading.Thread(target=lambda: store.still(wait_s=1).__enter__())
        taken.start()
        taken.join(5)
        assert not taken.is_alive()

    asked(tmp_path, work)


def test_a_name_that_is_taken_is_not_written_over(tmp_path: Path) -> None:
    async def work(store: SqliteStore, backups: Backups) -> None:
        backups.begin(START_MS)
        first = (await over(backups)).made
        backups.begin(START_MS)
        again = await over(backups)
        assert again.problem
        assert again.made == first

    asked(tmp_path, work)


def test_a_disk_without_room_has_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_files: InquiryFiles, size: int) -> None:
        raise StoreFullError("no room", given=f"{size} bytes")

    monkeypatch.setattr(InquiryFiles, "require_room", none)

    async def work(store: SqliteStore, backups: Backups) -> None:
        with pytest.raises(StoreFullError, match="no room for a copy"):
            backups.begin(START_MS)
        assert not backups.view().running

    asked(tmp_path, work)
