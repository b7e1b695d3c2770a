"""What the SQLite store promises, one fact a test."""

import hashlib
import os
import threading
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace

from deconflict._kernel import first_changed_row, row_check
from deconflict.errors import (
    StoreError,
    StoreSlotTakenError,
)
from deconflict.line.statement import hash_of
from deconflict.store import sqlite, sqlite_many, sqlite_rows
from deconflict.store.base import (
    Batch,
    DelayedRow,
    EventRow,
    LineRow,
    NoteRow,
    SignatureRow,
    Store,
)
from deconflict.store.sqlite import PAGE_ROWS, SqliteStore
from record_samples import (
    LINE,
    LINE_ROW,
    Chain,
    checkpoints_over,
    conversation,
    evidence_of,
    receipt_for,
    terms_signed_by,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.sqlite"


@pytest.fixture
def store():
    with SqliteStore.open(":memory:") as opened:
        opened.commit(Batch(lines=[LINE_ROW]))
        yield opened


def test_it_is_a_store(store: SqliteStore) -> None:
    kept: Store = store
    assert kept.line(LINE) == LINE_ROW


def test_everything_committed_is_read_back_after_opening_again(path: Path) -> None:
    said = conversation()
    with SqliteStore.open(path, create=True) as first:
        first.commit(said)
        first.commit(
            Batch(events=[EventRow(1, 5, "alert", b"{}")], notes=[NoteRow("site/1", b"held")])
        )
    with SqliteStore.open(path) as again:
        assert list(again.lines()) == said.lines
        assert list(again.terms(LINE)) == said.terms
        assert [*again.entries(LINE, "blue"), *again.entries(LINE, "red")] == said.entries
        assert list(again.receipts(LINE, "red")) == [said.receipts[0]]
        assert again.latest_receipt(LINE, "blue") == said.receipts[1]
        assert list(again.checkpoints(LINE, "blue")) == said.checkpoints[:2]
        assert again.latest_checkpoint(LINE, "red") == said.checkpoints[3]
        assert list(again.evidence(LINE)) == said.evidence
        assert list(again.events(0)) == [EventRow(1, 5, "alert", b"{}")]
        assert again.notes() == (NoteRow("site/1", b"held"),)
        again.check_storage()


def test_a_taken_slot_is_refused_and_the_batch_with_it(store: SqliteStore) -> None:
    first, fork = Chain("blue").say("one"), Chain("blue").say("another")
    store.commit(Batch(entries=[first]))
    with pytest.raises(StoreSlotTakenError, match="prove a fork") as refused:
        store.commit(Batch(notes=[NoteRow("a", b"1")], entries=[fork]))
    assert (refused.value.given, refused.value.expected) == (fork.hash, first.hash)
    assert list(store.entries(LINE, "blue")) == [first]
    assert store.note("a") is None


def test_the_database_itself_refuses_a_taken_slot(store: SqliteStore) -> None:
    store.commit(Batch(entries=[Chain("blue").say("one")]))
    with pytest.raises(apsw.ConstraintError):
        store._connection.execute(
            "INSERT INTO entries (chain_id, seq, hash, data, algorithm, key_id, logged_utc_ms,"
            " delayed, row_check) VALUES (1, 1, 'other', x'', '', '', 0, 0, x'')"
        )


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM entries",
        "UPDATE entries SET data = x'00'",
        "UPDATE entries SET signature = x'00'",
        "UPDATE receipts SET seq = seq",
        "DELETE FROM receipts",
    ],
)
def test_the_database_itself_refuses_to_unsay(store: SqliteStore, edit: str) -> None:
    entry = Chain("blue").say()
    store.commit(Batch(entries=[entry], receipts=[receipt_for(entry)]))
    with pytest.raises(apsw.ConstraintError, match=r"never|once"):
        store._connection.execute(edit)


def test_the_same_entry_is_logged_once(store: SqliteStore) -> None:
    entry = Chain("blue").say()
    store.commit(Batch(entries=[entry]))
    with pytest.raises(StoreSlotTakenError, match="this very entry"):
        store.commit(Batch(entries=[entry]))


def test_two_entries_for_one_slot_in_one_batch_are_refused(store: SqliteStore) -> None:
    with pytest.raises(StoreSlotTakenError):
        store.commit(Batch(entries=[Chain("blue").say("one"), Chain("blue").say("two")]))
    assert store.count(LINE, "blue") == 0


def test_a_gap_is_refused(store: SqliteStore) -> None:
    chain = Chain("blue")
    store.commit(Batch(entries=[chain.say()]))
    chain.say("lost on the way")
    with pytest.raises(StoreError, match="does not follow"):
        store.commit(Batch(entries=[chain.say()]))


def test_after_a_refused_batch_a_chain_goes_on_from_where_it_stands(store: SqliteStore) -> None:
    chain = Chain("blue")
    first, second, third = (chain.say() for _ in range(3))
    store.commit(Batch(entries=[first]))
    # Refused only once the chain has moved in memory; and another chain was begun with it.
    refused = Batch(entries=[second, Chain("red").say()], receipts=[receipt_for(third)])
    with pytest.raises(StoreError, match="not of our log"):
        store.commit(refused)
    with pytest.raises(StoreError, match="does not follow"):
        store.commit(Batch(entries=[third]))
    store.commit(Batch(entries=[second, third, Chain("red").say()]))
    assert list(store.entries(LINE, "blue")) == [first, second, third]
    assert store.count(LINE, "red") == 1


def test_an_entry_of_an_unknown_line_is_refused() -> None:
    with SqliteStore.open(":memory:") as store:
        with pytest.raises(StoreError, match="FOREIGN KEY"):
            store.commit(Batch(entries=[Chain("blue").say()]))
        assert store.heads(LINE) == ()


def test_a_hash_that_does_not_name_the_data_is_refused(store: SqliteStore) -> None:
    with pytest.raises(StoreError, match="does not name"):
        store.commit(Batch(entries=[replace(Chain("blue").say(), data=b"other")]))


def test_a_signature_follows_its_slot_once(store: SqliteStore) -> None:
    chain = Chain("blue")
    signed = chain.say()
    slot = replace(signed, signature=None)
    store.commit(Batch(entries=[slot]))
    assert store.unsigned(LINE, "blue") == (slot,)
    store.commit(Batch(signatures=[SignatureRow(slot.hash, signed.signature or b"")]))
    assert store.entry(slot.hash) == signed
    assert store.unsigned(LINE, "blue") == ()
    with pytest.raises(StoreSlotTakenError, match="not waiting for a signature"):
        store.commit(Batch(signatures=[SignatureRow(slot.hash, b"another")]))


def test_of_many_signatures_the_one_that_nothing_waits_for_is_named(store: SqliteStore) -> None:
    chain = Chain("blue")
    unsigned = [chain.say(signed=False) for _ in range(70)]
    store.commit(Batch(entries=unsigned))
    rows = [SignatureRow(entry.hash, b"s" * 64) for entry in unsigned]
    stranger = SignatureRow("0" * 64, b"s" * 64)
    with pytest.raises(StoreSlotTakenError, match=f"entry {stranger.hash} is not waiting"):
        store.commit(Batch(signatures=[*rows[:66], stranger, *rows[66:]]))
    assert len(store.unsigned(LINE, "blue")) == len(rows)
    with pytest.raises(StoreSlotTakenError, match="is not waiting"):
        store.commit(Batch(signatures=[*rows, rows[3]]))
    store.commit(Batch(signatures=rows))
    assert store.unsigned(LINE, "blue") == ()
    assert all(entry.signature == b"s" * 64 for entry in store.entries(LINE, "blue"))


@pytest.mark.parametrize("count", [1, 2, 16, 17, 63, 64, 65, 200])
def test_rows_of_any_number_are_kept_in_their_order(store: SqliteStore, count: int) -> None:
    chain = Chain("blue")
    entries = [chain.say() for _ in range(count)]
    events = [EventRow(number, 5, "line", b'{"n":%d}' % number) for number in range(1, count + 1)]
    notes = [NoteRow(f"n/{number:03}", b"%d" % number) for number in range(count)]
    store.commit(Batch(entries=entries, events=events, notes=notes))
    assert list(store.entries(LINE, "blue")) == entries
    assert list(store.events(0)) == events
    assert store.notes("n/") == tuple(notes)


def test_of_a_note_remains_what_a_batch_says_last(store: SqliteStore) -> None:
    rows = [("a", b"1"), ("b", b"1"), ("a", None), ("b", b"2"), ("c", None), ("c", b"3")]
    store.commit(Batch(notes=[NoteRow("a", b"0"), NoteRow("c", b"0")]))
    store.commit(Batch(notes=[NoteRow(*row) for row in rows]))
    assert store.notes() == (NoteRow("b", b"2"), NoteRow("c", b"3"))


def test_signatures_find_their_entries_by_the_index(store: SqliteStore) -> None:
    text = sqlite_many._text(sqlite_rows._SIGNATURES, 3, 2)
    plan = store._connection.execute(f"EXPLAIN QUERY PLAN {text}", ["h", b"s"] * 3)
    (searched,) = [row[3] for row in plan if "entries" in row[3]]
    assert searched.startswith("SEARCH entries USING INDEX")
    assert "(hash=?)" in searched


def test_entries_with_a_text_are_found_within_a_stretch_and_by_its_slots(
    store: SqliteStore,
) -> None:
    chain = Chain("blue")
    rows = [chain.say("over there" if number % 3 else "over here") for number in range(9)]
    store.commit(Batch(entries=rows))

    def found(text: bytes, after_seq: int, up_to_seq: int) -> list[int]:
        where = {"after_seq": after_seq, "up_to_seq": up_to_seq}
        return [row.seq for row in store.entries_with(LINE, "blue", rows[0].epoch, text, **where)]

    assert found(b"over here", 0, 9) == [1, 4, 7]
    assert found(b"over here", 1, 6) == [4]
    assert found(b"nowhere", 0, 9) == []
    assert store.entries_with(LINE, "red", rows[0].epoch, b"over", after_seq=0, up_to_seq=9) == ()
    plan = store._connection.execute(
        f"EXPLAIN QUERY PLAN {sqlite._ENTRIES_WITH}",
        (LINE, "blue", rows[0].epoch, 0, 9, b"over"),
    )
    assert not [row[3] for row in plan if "SCAN" in row[3] or "TEMP" in row[3]]


def test_slot_and_signature_may_come_in_one_batch(store: SqliteStore) -> None:
    signed = Chain("blue").say()
    assert signed.signature is not None
    store.commit(
        Batch(
            entries=[replace(signed, signature=None)],
            signatures=[SignatureRow(signed.hash, signed.signature)],
        )
    )
    assert store.entry(signed.hash) == signed


def test_a_receipt_that_contradicts_the_log_is_refused(store: SqliteStore) -> None:
    entry, never_said = Chain("blue").say("one"), Chain("blue").say("two")
    store.commit(Batch(entries=[entry]))
    for receipt in (receipt_for(never_said), replace(receipt_for(entry), seq=2)):
        with pytest.raises(StoreError, match="not of our log"):
            store.commit(Batch(receipts=[receipt]))
    assert store.latest_receipt(LINE, "red") is None


def test_nobody_receipts_the_own_chain(store: SqliteStore) -> None:
    entry = Chain("blue").say()
    with pytest.raises(StoreError, match="not of our log"):
        store.commit(Batch(entries=[entry], receipts=[replace(receipt_for(entry), party="blue")]))


def test_a_second_receipt_for_one_slot_is_refused(store: SqliteStore) -> None:
    entry = Chain("blue").say()
    store.commit(Batch(entries=[entry], receipts=[receipt_for(entry)]))
    with pytest.raises(StoreSlotTakenError):
        store.commit(Batch(receipts=[receipt_for(entry)]))


def test_the_latest_receipt_says_most(store: SqliteStore) -> None:
    entries = list(Chain("blue").say_many(3))
    store.commit(Batch(entries=entries, receipts=[receipt_for(entries[2])]))
    store.commit(Batch(receipts=[receipt_for(entries[0])]))
    assert store.latest_receipt(LINE, "red") == receipt_for(entries[2])
    assert [row.seq for row in store.receipts(LINE, "red")] == [1, 3]
    assert store.latest_receipt(LINE, "blue") is None


def test_evidence_is_kept_once(store: SqliteStore) -> None:
    first = evidence_of(b"orphan of an old epoch")
    store.commit(Batch(evidence=[first]))
    store.commit(Batch(evidence=[replace(first, stored_utc_ms=9), evidence_of(b"another")]))
    assert list(store.evidence(LINE)) == [first, evidence_of(b"another")]
    store.check_storage()


def test_a_bad_signature_does_not_keep_the_good_one_out_of_the_evidence(store: SqliteStore) -> None:
    forged = replace(evidence_of(b"fork", "fork"), signature=b"forged")
    store.commit(Batch(evidence=[forged]))
    store.commit(Batch(evidence=[replace(forged, signature=b"genuine")]))
    assert [row.signature for row in store.evidence(LINE)] == [b"forged", b"genuine"]


def test_a_new_epoch_begins_at_one_and_follows_in_the_log(store: SqliteStore) -> None:
    old, new = list(Chain("blue").say_many(3)), list(Chain("blue", "a" * 32).say_many(2))
    store.commit(Batch(entries=old))
    store.commit(Batch(entries=new))
    assert list(store.entries(LINE, "blue")) == old + new
    assert list(store.entries(LINE, "blue", epoch="a" * 32, after_seq=1)) == new[1:]
    (head,) = store.heads(LINE)
    assert (head.epoch, head.seq, head.hash, head.length) == ("a" * 32, 2, new[-1].hash, 5)
    assert store.entry_at(LINE, "blue", "e" * 32, 2) == old[1]
    assert store.entry_at(LINE, "blue", "e" * 32, 4) is None


def test_reading_goes_on_across_pages(store: SqliteStore) -> None:
    entries = list(Chain("blue").say_many(2 * PAGE_ROWS + 1))
    store.commit(Batch(entries=entries))
    assert list(store.entries(LINE, "blue")) == entries
    assert (
        list(store.entries(LINE, "blue", after_seq=3, limit=PAGE_ROWS))
        == (entries[3 : 3 + PAGE_ROWS])
    )
    assert store.count(LINE, "blue") == len(entries)


def test_a_reader_does_not_hold_up_the_writer(store: SqliteStore) -> None:
    chain = Chain("blue")
    store.commit(Batch(entries=list(chain.say_many(PAGE_ROWS + 5))))
    reader = store.entries(LINE, "blue")
    first = next(reader)
    store.commit(Batch(entries=[chain.say()]))
    assert first.seq == 1
    assert [row.seq for row in reader][-1] == PAGE_ROWS + 6


def test_events_grow_by_one(store: SqliteStore) -> None:
    store.commit(Batch(events=[EventRow(n, n, "message", b"{}") for n in (1, 2, 3)]))
    with pytest.raises(StoreError, match="grow by one"):
        store.commit(Batch(events=[EventRow(5, 5, "message", b"{}")]))
    assert store.last_event_id() == 3
    assert [row.event_id for row in store.events(1, limit=1)] == [2]


def test_notes_are_replaced_removed_and_found_by_prefix(store: SqliteStore) -> None:
    store.commit(Batch(notes=[NoteRow("alarm/1", b"a"), NoteRow("alarm/2", b"b")]))
    store.commit(Batch(notes=[NoteRow("alarm/1", None), NoteRow("alarm/2", b"c")]))
    store.commit(Batch(notes=[NoteRow("alarm_", b"d"), NoteRow("site/1", b"")]))
    assert store.notes("alarm/") == (NoteRow("alarm/2", b"c"),)
    assert store.note("site/1") == b""
    assert store.note("alarm/1") is None


def test_only_the_terms_in_force_of_a_line_change(store: SqliteStore) -> None:
    agreed = replace(LINE_ROW, terms_hash="f" * 64)
    store.commit(Batch(lines=[agreed]))
    assert store.line(LINE) == agreed
    with pytest.raises(StoreSlotTakenError, match="other parties"):
        store.commit(Batch(lines=[replace(agreed, peer_party="green")]))
    assert store.line("unknown") is None


def test_terms_are_signed_once_by_each_key(store: SqliteStore) -> None:
    store.commit(Batch(terms=[terms_signed_by("blue")]))
    with pytest.raises(StoreSlotTakenError):
        store.commit(Batch(terms=[terms_signed_by("blue")]))


def test_a_closed_store_answers_nothing(path: Path) -> None:
    store = SqliteStore.open(path, create=True)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.lines()
    with pytest.raises(StoreError, match="closed"):
        store.commit(Batch())


def test_a_row_of_the_wrong_type_is_refused_and_nothing_is_left(store: SqliteStore) -> None:
    first, second = Chain("blue").say_many(2)
    wrong = replace(second, signature="text")  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="refuses this row"):
        store.commit(Batch(entries=[first, wrong]))
    assert store.count(LINE, "blue") == 0


def test_the_write_ahead_log_stays_small(path: Path) -> None:
    bulk = os.urandom(60_000)
    with SqliteStore.open(path, create=True) as store:
        for number in range(600):  # 36 MB written
            data = bulk + b"%d" % number
            store.commit(Batch(evidence=[evidence_of(data)]))
        assert hash_of(data) == list(store.evidence(LINE))[-1].hash
        assert Path(f"{path}-wal").stat().st_size < 18_000_000


def test_threads_share_one_store(store: SqliteStore) -> None:
    lines = [LineRow(f"{number:02}", "blue", "red", 0) for number in range(40)]
    threads = [
        threading.Thread(
            target=lambda part=lines[n::4]: [store.commit(Batch(lines=[r])) for r in part]
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {row.line_id for row in store.lines()} == {LINE, *(row.line_id for row in lines)}


def written_slowly(*columns: str | bytes | int | None) -> bytes:
    """The check over a row as the first records were written with it."""
    parts = []
    for column in columns:
        if isinstance(column, str):
            parts.append(b"s%d:%b" % (len(column.encode()), column.encode()))
        elif isinstance(column, bytes):
            parts.append(b"b%d:%b" % (len(column), column))
        else:
            parts.append(b"n" if column is None else b"i%d:" % column)
    return hashlib.sha256(b"".join(parts)).digest()[:16]


@pytest.mark.parametrize(
    "columns",
    [
        (),
        ("a", 1),
        ("дом", b"\x00\xff", None, -(2**63), 2**63 - 1),
        (None, None, ""),
        (b"", "", 0),
    ],
)
def test_a_row_is_checked_as_it_ever_was(columns: tuple[str | bytes | int | None, ...]) -> None:
    check = written_slowly(*columns)
    assert row_check(*columns) == check
    assert first_changed_row([(*columns, check)]) is None
    assert first_changed_row([(*columns, check), (*columns, bytes(16))]) == 1


@pytest.mark.parametrize("row", [(), (1.5, bytes(16)), ("a", None), ("a", "b" * 16)])
def test_a_row_that_could_not_be_written_was_changed(row: tuple[object, ...]) -> None:
    assert first_changed_row([row]) == 0


def test_what_stands_outside_the_check_may_change_and_a_name_must_be_that_of_its_data() -> None:
    named = hashlib.sha256(b"said").hexdigest()
    row = (named, b"said", "later", row_check(named))
    assert first_changed_row([row], outside=[1, 2], named=(1, 0)) is None
    assert first_changed_row([(*row[:2], None, row[3])], outside=[1, 2], named=(1, 0)) is None
    assert first_changed_row([row], outside=[2], named=(1, 0)) == 0
    for other in (b"sai", "said", None):
        changed = (named, other, *row[2:])
        assert first_changed_row([row, changed], outside=[1, 2], named=(1, 0)) == 1


def test_a_checkpoint_replaces_only_the_one_it_was_judged_against(store: SqliteStore) -> None:
    said = list(Chain("blue").say_many(6))
    store.commit(Batch(entries=said))
    first, second, third = checkpoints_over(said, 2, 4, 6)
    store.commit(Batch(checkpoints=[first, second]))
    for beside in (first, replace(third, previous_size=2), replace(third, previous_size=0)):
        with pytest.raises(StoreSlotTakenError, match="in between"):
            store.commit(Batch(checkpoints=[beside]))
    store.commit(Batch(checkpoints=[third]))
    assert list(store.checkpoints(LINE, "blue")) == [first, second, third]
    assert store.latest_checkpoint(LINE, "blue") == third
    assert store.latest_checkpoint(LINE, "red") is None


def test_a_checkpoint_covers_only_what_is_stored(store: SqliteStore) -> None:
    said = list(Chain("blue").say_many(3))
    store.commit(Batch(entries=said[:2]))
    with pytest.raises(StoreError, match="covers more"):
        store.commit(Batch(checkpoints=checkpoints_over(said, 3)))


def test_what_was_late_when_it_was_durable_is_called_delayed(path: Path) -> None:
    said = conversation()
    heard = next(row for row in said.entries if row.party != LINE_ROW.own_party)
    with SqliteStore.open(path, create=True) as store:
        store.commit(said)
        store.commit(Batch(delayed=[DelayedRow(heard.hash)]))
        store.commit(Batch(delayed=[DelayedRow(heard.hash)]))  # once more changes nothing
        with pytest.raises(StoreError):
            store.commit(Batch(delayed=[DelayedRow("0" * 64)]))
    with SqliteStore.open(path) as store:
        store.check_storage()
        assert store.entry(heard.hash) == replace(heard, delayed=True)
