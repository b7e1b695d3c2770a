"""The one writer thread: order, grouping, and what happens after an error."""

import threading
from collections.abc import Iterator

import pytest

from deconflict.errors import StoreBrokenError, StoreError, StoreSlotTakenError
from deconflict.store.base import Batch, NoteRow, SignatureRow
from deconflict.store.sqlite import SqliteStore
from deconflict.store.writer import GroupCommitWriter
from record_samples import LINE, LINE_ROW, Chain


class GatedStore(SqliteStore):
    """A real store whose commits wait at a gate and are counted."""

    gate: threading.Event
    commits: list[Batch]

    def commit(self, batch: Batch) -> None:
        self.gate.wait(10)
        self.commits.append(batch)
        super().commit(batch)


@pytest.fixture
def store() -> Iterator[GatedStore]:
    with GatedStore.open(":memory:") as opened:
        opened.gate, opened.commits = threading.Event(), []
        opened.gate.set()
        opened.commit(Batch(lines=[LINE_ROW]))
        opened.commits.clear()
        yield opened


def test_a_done_future_means_it_is_in_the_record(store: GatedStore) -> None:
    entry = Chain("blue").say()
    with GroupCommitWriter(store) as writer:
        assert writer.submit(Batch(entries=[entry])).result(10) is None
        assert store.entry(entry.hash) == entry


def test_what_queues_during_a_commit_goes_into_the_next_one(store: GatedStore) -> None:
    entries = list(Chain("blue").say_many(20))
    with GroupCommitWriter(store) as writer:
        store.gate.clear()
        futures = [writer.submit(Batch(entries=[entry])) for entry in entries]
        store.gate.set()
        for future in futures:
            future.result(10)
    assert len(store.commits) <= 3  # the first, perhaps a few more, then all that waited
    assert list(store.entries(LINE, "blue")) == entries


def test_batches_keep_their_order(store: GatedStore) -> None:
    signed = Chain("blue").say(signed=False)
    with GroupCommitWriter(store) as writer:
        store.gate.clear()
        writer.submit(Batch(entries=[signed], notes=[NoteRow("last", b"1")]))
        writer.submit(Batch(signatures=[SignatureRow(signed.hash, b"s")]))
        last = writer.submit(Batch(notes=[NoteRow("last", b"2")]))
        store.gate.set()
        last.result(10)
    assert store.note("last") == b"2"
    assert store.unsigned(LINE, "blue") == ()


def test_closing_writes_what_waits(store: GatedStore) -> None:
    writer = GroupCommitWriter(store)
    futures = [writer.submit(Batch(entries=[entry])) for entry in Chain("blue").say_many(5)]
    writer.close()
    writer.close()
    assert all(future.done() for future in futures)
    assert store.count(LINE, "blue") == 5
    with pytest.raises(StoreError, match="writer is closed"):
        writer.submit(Batch())


def test_the_first_error_fails_all_who_wait_and_ends_the_writer(store: GatedStore) -> None:
    store.commit(Batch(entries=[Chain("blue").say("one")]))
    with GroupCommitWriter(store) as writer:
        store.gate.clear()
        forked = writer.submit(Batch(entries=[Chain("blue").say("another")]))
        behind = writer.submit(Batch(notes=[NoteRow("behind", b"1")]))
        store.gate.set()
        for future in (forked, behind):
            assert isinstance(future.exception(10), StoreSlotTakenError)
        with pytest.raises(StoreBrokenError, match="stopped at an earlier error"):
            writer.submit(Batch(notes=[NoteRow("later", b"1")]))
    assert store.notes() == ()


def test_a_submitted_batch_cannot_be_cancelled(store: GatedStore) -> None:
    with GroupCommitWriter(store) as writer:
        store.gate.clear()
        future = writer.submit(Batch(notes=[NoteRow("kept", b"1")]))
        assert not future.cancel()
        store.gate.set()
        future.result(10)
    assert store.note("kept") == b"1"


def test_many_threads_lose_nothing(store: GatedStore) -> None:
    with GroupCommitWriter(store) as writer:

        def submit(worker: int) -> None:
            for number in range(50):
                writer.submit(Batch(notes=[NoteRow(f"{worker}/{number}", b"x")])).result(10)

        threads = [threading.Thread(target=submit, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(store.notes()) == 400
    assert len(store.commits) < 400
