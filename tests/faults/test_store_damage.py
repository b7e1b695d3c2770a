"""A damaged or edited record is found at the start, before the node says a word."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace
from tampering import flipped, tampered

from deconflict.errors import StoreDamagedError, StoreError
from deconflict.line.keys import SigningKey
from deconflict.store.base import Batch, EventRow, NoteRow
from deconflict.store.sqlite import SqliteStore
from deconflict.store.verify import VerifiedRecord, verify_store
from record_samples import (
    KEYS_BY_PARTY,
    LINE,
    Chain,
    checkpoints_over,
    conversation,
    receipt_for,
)

TABLES = (
    *("lines", "terms", "chains", "entries", "receipts"),
    *("checkpoints", "evidence", "events", "notes"),
)
# One bit of a text or number at a time; a whole file of random bytes comes below.
FLIPS_A_COLUMN = 6


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed record of two chains with receipts, terms, evidence, events and notes."""
    path = tmp_path_factory.mktemp("sound") / "record.sqlite"
    with SqliteStore.open(path, create=True) as store:
        store.commit(conversation(12))
        store.commit(
            Batch(
                events=[EventRow(n, n, "message", b'{"n":%d}' % n) for n in range(1, 9)],
                notes=[NoteRow(f"site/{n}", b"loaded") for n in range(4)],
            )
        )
    return path


@pytest.fixture
def record(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "record.sqlite"))


def proven(path: Path) -> VerifiedRecord:
    with SqliteStore.open(path) as store:
        return verify_store(store, KEYS_BY_PARTY, threads=2)


def columns() -> list[tuple[str, str]]:
    with SqliteStore.open(":memory:") as store:
        return [
            (table, row[1])
            for table in (*TABLES, "sqlite_sequence")
            for row in store._connection.execute(f"PRAGMA table_info({table})")
        ]


def test_a_sound_record_verifies(record: Path) -> None:
    assert proven(record) == VerifiedRecord(
        lines=1, entries=24, unsigned=0, receipts=2, checkpoints=4
    )


@pytest.mark.parametrize(("table", "column"), columns())
def test_a_flipped_bit_in_any_column_is_found(
    record: Path, sound: Path, table: str, column: str
) -> None:
    rng = random.Random(f"{table}.{column}")
    key = "key" if table == "notes" else "rowid"
    flips = 0
    while flips < FLIPS_A_COLUMN:
        shutil.copy(sound, record)
        try:
            with tampered(record) as edit:
                rows = edit.execute(f"SELECT {key}, {column} FROM {table}").fetchall()
                name, value = rng.choice(rows)
                changed = "x" if value is None else flipped(value, rng)
                edit.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (changed, name))
        except apsw.ConstraintError:
            continue  # it would have become another row's name: the database refused
        with pytest.raises(StoreDamagedError):
            proven(record)
        flips += 1


@pytest.mark.parametrize("table", ["entries", "receipts"])
def test_the_error_names_line_party_and_number(record: Path, table: str) -> None:
    with tampered(record) as edit:
        edit.execute(f"UPDATE {table} SET data = zeroblob(length(data)) WHERE position = 2")
    with pytest.raises(StoreDamagedError) as found:
        proven(record)
    named = {
        "entries": f"entry 2 of blue on line {LINE}",
        "receipts": f"blue's receipt for entry 11 on line {LINE}",
    }
    assert named[table] in str(found.value)


@pytest.mark.parametrize("table", [table for table in TABLES if table != "notes"])
@pytest.mark.parametrize("which", ["min", "max"])
def test_a_missing_row_is_found(record: Path, table: str, which: str) -> None:
    with tampered(record) as edit:
        edit.execute(f"DELETE FROM {table} WHERE rowid = (SELECT {which}(rowid) FROM {table})")
    with pytest.raises(StoreDamagedError):
        proven(record)


def test_a_missing_last_entry_is_found_even_with_the_counters_put_back(record: Path) -> None:
    with tampered(record) as edit:
        edit.execute("DELETE FROM entries WHERE position = 24")
        edit.execute("UPDATE sqlite_sequence SET seq = 23 WHERE name = 'entries'")
    with pytest.raises(StoreDamagedError, match="does not end where it ended"):
        proven(record)


def test_an_entry_is_missed_by_the_receipt_for_it(record: Path) -> None:
    with tampered(record) as edit:  # the tail, its counters and its head, all taken back
        edit.execute("DELETE FROM entries WHERE position BETWEEN 22 AND 24")
        edit.execute("UPDATE sqlite_sequence SET seq = 21 WHERE name = 'entries'")
        (earlier,) = edit.execute("SELECT hash FROM entries WHERE position = 21").fetchone()
        edit.execute("UPDATE chains SET seq = 9, hash = ? WHERE chain_id = 2", (earlier,))
        edit.execute("DELETE FROM sqlite_sequence WHERE name = 'x'")
    with pytest.raises(StoreDamagedError):
        proven(record)


def test_swapped_rows_are_found(record: Path) -> None:
    with tampered(record) as edit:
        edit.execute("UPDATE entries SET position = -1 WHERE position = 3")
        edit.execute("UPDATE entries SET position = 3 WHERE position = 4")
        edit.execute("UPDATE entries SET position = 4 WHERE position = -1")
        edit.execute("UPDATE entries SET seq = seq + 100 WHERE position IN (3, 4)")
        edit.execute("UPDATE entries SET seq = position WHERE position IN (3, 4)")
    with pytest.raises(StoreDamagedError, match=f"of blue on line {LINE}"):
        proven(record)


@pytest.mark.parametrize(
    "edit_schema",
    ["DROP TRIGGER entries_keep", "DROP INDEX entries_unsigned", "CREATE TABLE more (x)"],
)
def test_a_changed_schema_is_found(record: Path, edit_schema: str) -> None:
    edit = apsw.Connection(str(record))
    edit.execute(edit_schema)
    edit.close()
    with pytest.raises(StoreDamagedError, match="schema"):
        proven(record)


def test_a_row_check_made_to_fit_does_not_save_a_forged_entry(tmp_path: Path) -> None:
    """Whoever writes the file anew with every check right still lacks the author's key."""
    stranger = SigningKey.from_seed(b"x" * 32)

    def forge_nothing(said: Batch) -> Batch:
        return said

    def forge_signature(said: Batch) -> Batch:
        first = said.entries[0]
        signature = stranger.sign(b"deconflict/1 envelope\n", first.data)
        return replace(said, entries=[replace(first, signature=signature), *said.entries[1:]])

    def forge_key(said: Batch) -> Batch:
        first = said.entries[0]
        forged = replace(first, key_id=stranger.key_id)
        return replace(said, entries=[forged, *said.entries[1:]])

    def forge_receipt(said: Batch) -> Batch:
        forged = replace(said.receipts[0], signature=said.receipts[1].signature)
        return replace(said, receipts=[forged])

    def exchange_receipt_words(said: Batch) -> Batch:
        moved = replace(receipt_for(said.entries[3]), seq=3, hash=said.entries[2].hash)
        return replace(said, receipts=[moved])

    def break_chain(said: Batch) -> Batch:
        chain = Chain("blue")
        chain.say("another beginning")
        return replace(said, entries=[said.entries[0], chain.say("does not follow")], receipts=[])

    def swap_author(said: Batch) -> Batch:
        return replace(said, entries=[replace(said.entries[0], party="red")], receipts=[])

    def leave_unsigned_in_the_middle(said: Batch) -> Batch:
        blank = replace(said.entries[1], signature=None)
        return replace(said, entries=[said.entries[0], blank, *said.entries[2:]])

    def leave_the_peers_unsigned(said: Batch) -> Batch:
        blank = replace(said.entries[-1], signature=None)
        return replace(said, entries=[*said.entries[:-1], blank])

    def bring_a_third_party(said: Batch) -> Batch:
        third = replace(said.entries[0], party="green")
        return replace(said, entries=[third], receipts=[])

    def with_checkpoint(said: Batch, **changed: object) -> Batch:
        first, *others = checkpoints_over(said.entries[:6], 1, 5)
        return replace(said, checkpoints=[replace(first, **changed), *others])

    def forge_root(said: Batch) -> Batch:
        return with_checkpoint(said, root=b"x" * 32)

    def forge_note(said: Batch) -> Batch:
        other_tree = checkpoints_over([*Chain("blue").say_many(1)], 1)
        return with_checkpoint(said, note=other_tree[0].note.replace(b"blue", b"red"))

    def exchange_notes(said: Batch) -> Batch:
        later = checkpoints_over(said.entries[:6], 5)[0]
        return with_checkpoint(said, note=later.note, cosigned_utc_s=later.cosigned_utc_s)

    def take_the_cosignature_away(said: Batch) -> Batch:
        return with_checkpoint(
            said, note=checkpoints_over(said.entries[:6], 1, own_party="red")[0].note
        )

    def move_its_time(said: Batch) -> Batch:
        return with_checkpoint(said, cosigned_utc_s=1)

    def checkpoint_the_unsigned(said: Batch) -> Batch:
        blank = replace(said.entries[5], signature=None)
        made = checkpoints_over(said.entries[:6], 6)
        return replace(
            said, entries=[*said.entries[:5], blank, *said.entries[6:]], checkpoints=made
        )

    def verdict(forge: Callable[[Batch], Batch]) -> str:
        path = tmp_path / f"{forge.__name__}.sqlite"
        with SqliteStore.open(path, create=True) as store:
            store.commit(forge(replace(conversation(6), checkpoints=[])))
        try:
            proven(path)
        except StoreDamagedError as error:
            return str(error)
        return "verified"

    assert verdict(forge_nothing) == "verified"
    assert "blue's entry 1" in verdict(forge_signature)
    assert "is signed by a key" in verdict(forge_key)
    assert "red's receipt for entry 5" in verdict(forge_receipt)
    assert "words are not those of its row" in verdict(exchange_receipt_words)
    assert "blue's entry 2" in verdict(break_chain)
    assert "an entry of red is signed by a key" in verdict(swap_author)
    assert "an entry before it is not" in verdict(leave_unsigned_in_the_middle)
    assert "only own entries may wait" in verdict(leave_the_peers_unsigned)
    assert "chain of green" in verdict(bring_a_third_party)
    assert "not the tree over these entries" in verdict(forge_root)
    assert "is not signed by" in verdict(forge_note)
    assert "words are not those of its row" in verdict(exchange_notes)
    assert "is not signed by red" in verdict(take_the_cosignature_away)
    assert "at another time" in verdict(move_its_time)
    assert "blue's checkpoint over entries up to 6" in verdict(checkpoint_the_unsigned)


def test_the_own_tail_may_wait_for_its_signatures(tmp_path: Path) -> None:
    said = conversation(6)
    blue = [*said.entries[:4], *(replace(row, signature=None) for row in said.entries[4:6])]
    with SqliteStore.open(tmp_path / "r", create=True) as store:
        store.commit(replace(said, entries=[*blue, *said.entries[6:]], checkpoints=[]))
        assert verify_store(store, KEYS_BY_PARTY) == VerifiedRecord(1, 12, 2, 2)


def test_an_unknown_party_verifies_nothing(record: Path) -> None:
    with SqliteStore.open(record) as store, pytest.raises(StoreDamagedError, match="no pinned key"):
        verify_store(store, {"blue": KEYS_BY_PARTY["blue"]})


def test_several_epochs_verify_in_turn(tmp_path: Path) -> None:
    said = conversation(3)
    fresh = Chain("blue", "a" * 32)
    later = [fresh.open(said.entries[2]), fresh.say()]
    with SqliteStore.open(tmp_path / "r", create=True) as store:
        store.commit(said)
        store.commit(Batch(entries=later, receipts=[receipt_for(later[1])]))
        store.commit(Batch(checkpoints=checkpoints_over(later, 1, 2)))
        assert verify_store(store, KEYS_BY_PARTY) == VerifiedRecord(1, 8, 0, 3, 6)


def test_an_epoch_that_follows_nothing_of_the_record_does_not_verify(tmp_path: Path) -> None:
    said = conversation(3)
    elsewhere = Chain("blue", "b" * 32).say()
    red = Chain("red", "a" * 32)
    for number, first in enumerate(
        (
            Chain("blue", "a" * 32).open(elsewhere),
            Chain("blue", "a" * 32).say("no entry that opens an epoch"),
            red.open(said.entries[4]),  # the peer's, and not behind what was logged last
        )
    ):
        with SqliteStore.open(tmp_path / str(number), create=True) as store:
            store.commit(said)
            store.commit(Batch(entries=[first]))
            with pytest.raises(StoreDamagedError, match="epoch"):
                verify_store(store, KEYS_BY_PARTY)


def whole_content(path: Path) -> list[object]:
    with SqliteStore.open(path) as store:
        verify_store(store, KEYS_BY_PARTY, threads=1)
        return [
            store.lines(),
            store.terms(LINE),
            *(list(store.entries(LINE, party)) for party in ("blue", "red")),
            *(list(store.receipts(LINE, party)) for party in ("blue", "red")),
            list(store.evidence(LINE)),
            list(store.events(0)),
            store.notes(),
        ]


def test_any_damaged_byte_of_the_file_is_found_or_changes_nothing(
    record: Path, sound: Path, tmp_path: Path
) -> None:
    shutil.copy(sound, tmp_path / "reference.sqlite")
    content = whole_content(tmp_path / "reference.sqlite")
    original = sound.read_bytes()
    rng = random.Random(1)
    found = 0
    for _ in range(250):
        damaged = bytearray(original)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        record.write_bytes(damaged)
        try:
            assert whole_content(record) == content
        except StoreError:
            found += 1
    assert found > 50  # the rest lay in unused space


def test_a_truncated_file_is_found(record: Path, sound: Path) -> None:
    original = sound.read_bytes()
    rng = random.Random(2)
    for size in [rng.randrange(len(original)) for _ in range(25)]:
        record.write_bytes(original[:size])
        with pytest.raises(StoreError):
            proven(record)
