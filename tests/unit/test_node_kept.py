"""What a start keeps of its record: used only where it fits, and found out where it is not true."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest
from msgspec.structs import replace

from deconflict.errors import InvalidDocumentError, StoreDamagedError
from deconflict.messages.kinds import Kind
from deconflict.node.keeping import kept_record
from deconflict.node.keeping.audit import Pins, audited, require_comparable
from deconflict.node.keeping.kept_record import (
    KEPT_NOTE,
    LIBRARIES,
    KeptRecord,
    edition,
    read_kept,
    write_kept,
)
from deconflict.node.keeping.process import Task, Word
from deconflict.replay.world import Station
from deconflict.store.base import Batch, DelayedRow, NoteRow
from deconflict.store.sqlite import SqliteStore
from deconflict.store.verify import RecordProof, VerifiedRecord
from kept_folds import begun, written
from node_pair import NodePair, cease, declaration, node_pair, query


def pins(pair: NodePair, party: str = "blue") -> Pins:
    keys = {one: pair.station(one).core.key.verify_key for one in ("blue", "red")}
    return Pins(party, [(pair.line_id, pair.peer_of(party))], keys, {})


def kept_of(pair: NodePair, party: str = "blue", before: KeptRecord | None = None) -> KeptRecord:
    kept = audited(pair.station(party).store, pins(pair, party), before, threads=1)
    assert kept is not None
    return kept


def started(
    pair: NodePair, kept: KeptRecord | None, party: str = "blue"
) -> tuple[VerifiedRecord, Any]:
    """What a start proves and reads of the record, going on from what was kept."""
    store, line = pair.station(party).store, pair.line(party)
    keys = {one: {key.key_id: key} for one, key in pins(pair).keys.items()}
    behind = () if kept is None else kept.chains
    with RecordProof(store, keys, threads=1, behind=behind) as proof:
        fold = begun(store, line, None if kept is None else kept.fold(line.line_id))
        for _ in fold.read(lambda author: proof.entries(line.line_id, author)):
            pass
        verified = proof.finish()
    return verified, (written(fold.kept()), fold.alerts.open_alerts(), proof.proven())


def talk(pair: NodePair, first: int) -> None:
    pair.declare("blue", declaration(first), declaration(first + 1))
    (message,) = pair.declare("red", declaration(first + 2))
    pair.run_for(12)
    pair.read_back("blue", declaration(first + 2), message)
    pair.say("red", Kind.CEASE, cease(declaration(first).declaration_id))
    pair.say("blue", Kind.QUERY, query())
    pair.run_for(12)


@dataclass
class Kept:
    """A record that grew since something was kept of it."""

    pair: NodePair
    kept: KeptRecord


@contextmanager
def grown() -> Iterator[Kept]:
    with node_pair() as pair:
        talk(pair, 1)
        kept = kept_of(pair)
        talk(pair, 10)
        yield Kept(pair, kept)


def test_a_start_from_what_was_kept_comes_to_what_the_whole_record_says() -> None:
    with grown() as record:
        whole, state = started(record.pair, None)
        verified, found = started(record.pair, record.kept)
        assert found == state
        assert 0 < verified.before < verified.entries
        assert replace_before(verified) == whole


def replace_before(verified: VerifiedRecord) -> VerifiedRecord:
    return VerifiedRecord(
        verified.lines,
        verified.entries,
        verified.unsigned,
        verified.receipts,
        verified.checkpoints,
    )


def test_it_takes_up_what_the_peer_receipted_and_cosigned_since_without_another_entry() -> None:
    with node_pair() as pair:
        pair.declare("blue", declaration(1), declaration(2))
        kept = kept_of(pair)
        assert kept.folds[0].open_own
        pair.run_for(30)
        whole, state = started(pair, None)
        verified, found = started(pair, kept)
        assert found == state
        assert replace_before(verified) == whole


def test_the_audit_finds_again_what_it_kept() -> None:
    with grown() as record:
        again = kept_of(record.pair, before=record.kept)
        assert again == kept_of(record.pair)
        assert again.folds[0].heads != record.kept.folds[0].heads


def without_a_thread(kept: KeptRecord) -> KeptRecord:
    (fold,) = kept.folds
    threads = replace(fold.book.threads, open=fold.book.threads.open[1:])
    assert threads != fold.book.threads
    return replace(kept, folds=(replace(fold, book=replace(fold.book, threads=threads)),))


def without_an_alert(kept: KeptRecord) -> KeptRecord:
    (fold,) = kept.folds
    alerts = replace(fold.alerts, left=fold.alerts.left[1:])
    assert alerts != fold.alerts
    return replace(kept, folds=(replace(fold, alerts=alerts),))


def with_another_tree(kept: KeptRecord) -> KeptRecord:
    first, *others = kept.chains
    peaks = (bytes(32), *first.peaks[1:])
    return replace(kept, chains=(replace(first, peaks=peaks), *others))


def with_a_past_that_was_not(kept: KeptRecord) -> KeptRecord:
    (fold,) = kept.folds
    past = {**fold.book.past, f"blue/{99:032x}": "CANCELLED"}
    return replace(kept, folds=(replace(fold, book=replace(fold.book, past=past)),))


@pytest.mark.parametrize(
    "planted", [without_a_thread, without_an_alert, with_another_tree, with_a_past_that_was_not]
)
def test_the_audit_finds_what_was_kept_and_is_not_true(
    planted: Callable[[KeptRecord], KeptRecord],
) -> None:
    with grown() as record, pytest.raises(StoreDamagedError, match="what was kept of it"):
        kept_of(record.pair, before=planted(record.kept))


def test_the_audit_finds_damage_that_a_start_from_what_was_kept_does_not_meet() -> None:
    with grown() as record:
        store = record.pair.station("blue").store
        connection = store._connection
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        # No check but its key covers a signature.
        connection.execute("UPDATE entries SET signature = ? WHERE seq = 2", (bytes(64),))
        for _, sql in triggers:
            connection.execute(sql)
        started(record.pair, record.kept)
        with pytest.raises(StoreDamagedError, match="does not verify"):
            kept_of(record.pair, before=record.kept)


def test_an_entry_called_late_since_is_not_passed_over() -> None:
    with grown() as record:
        store = record.pair.station("blue").store
        row = next(store.entries(record.pair.line_id, "red"))
        store.commit(Batch(delayed=[DelayedRow(row.hash)]))
        with pytest.raises(InvalidDocumentError, match="called late since"):
            started(record.pair, record.kept)


def test_what_was_kept_of_a_longer_record_is_of_no_use_to_an_older_copy() -> None:
    with node_pair() as pair:
        talk(pair, 1)
        older = SqliteStore.open(":memory:")
        station = pair.station("blue")
        with older._connection.backup("main", station.store._connection, "main") as backup:
            backup.step()
        talk(pair, 10)
        kept = kept_of(pair)
        station.store, newer = older, station.store
        with pytest.raises(InvalidDocumentError):
            started(pair, kept)
        station.store = newer
        older.close()


@pytest.mark.parametrize("field", ["heads", "ways", "keys"])
def test_what_was_kept_of_another_record_is_refused(field: str) -> None:
    with grown() as record, node_pair(seed=7) as other:
        talk(other, 1)
        (fold,) = record.kept.folds
        (strange,) = kept_of(other).folds
        value = {"x": ("y",)} if field == "keys" else getattr(strange, field)
        mixed = replace(record.kept, folds=(replace(fold, **{field: value}),))
        with pytest.raises((InvalidDocumentError, StoreDamagedError)):
            started(record.pair, mixed)


# ---- the file --------------------------------------------------------------------------------


def named(station: Station, digest: bytes) -> None:
    station.store.commit(Batch(notes=[NoteRow(KEPT_NOTE, digest)]))


def test_a_file_is_used_when_the_record_names_it_and_says_what_was_written(tmp_path: Path) -> None:
    with grown() as record:
        station, path = record.pair.station("blue"), tmp_path / "kept"
        assert read_kept(path, station.store) is None
        named(station, write_kept(path, record.kept))
        assert read_kept(path, station.store) == record.kept
        assert path.stat().st_mode & 0o777 == 0o600


def test_wherever_the_keeping_of_a_file_breaks_off_nothing_wrong_is_used(tmp_path: Path) -> None:
    with grown() as record:
        station, path = record.pair.station("blue"), tmp_path / "kept"
        found = tmp_path / "kept.found"
        first = write_kept(path, record.kept)
        named(station, first)
        newer = kept_of(record.pair)
        second = write_kept(found, newer)
        assert read_kept(path, station.store) == record.kept  # found, and not put in its place
        found.replace(path)
        with pytest.raises(InvalidDocumentError, match="not the file that the record names"):
            read_kept(path, station.store)  # in its place, and not named
        named(station, second)
        assert read_kept(path, station.store) == newer
        # The record put back from a copy of before, and the newer file beside it; or none.
        named(station, first)
        with pytest.raises(InvalidDocumentError):
            read_kept(path, station.store)
        path.unlink()
        with pytest.raises(InvalidDocumentError, match="cannot be read"):
            read_kept(path, station.store)


@pytest.mark.parametrize("place", range(0, 1000, 97))
def test_a_damaged_file_is_not_used(place: int, tmp_path: Path) -> None:
    with node_pair() as pair:
        station, path = pair.station("blue"), tmp_path / "kept"
        named(station, write_kept(path, kept_of(pair)))
        data = bytearray(path.read_bytes())
        at = place * len(data) // 1000
        for damaged in (data[:at], data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :], data + b"x"):
            path.write_bytes(damaged)
            with pytest.raises(InvalidDocumentError):
                read_kept(path, station.store)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"deconflict/1 kept\n",
        b"deconflict/1 kept\n" + msgspec.msgpack.encode({"edition": "x"}),
        b"deconflict/1 kept\n" + msgspec.msgpack.encode([1, 2]),
        b"\x81" * 5_000,
    ],
)
def test_what_is_no_file_of_ours_is_not_used_even_when_it_is_named(
    content: bytes, tmp_path: Path
) -> None:
    with node_pair() as pair:
        station, path = pair.station("blue"), tmp_path / "kept"
        path.write_bytes(content)
        named(station, hashlib.sha256(content).digest())
        with pytest.raises(InvalidDocumentError, match="another edition"):
            read_kept(path, station.store)


def test_another_edition_of_the_program_goes_on_from_nothing(tmp_path: Path) -> None:
    with node_pair() as pair:
        station, path = pair.station("blue"), tmp_path / "kept"
        named(station, write_kept(path, replace(kept_of(pair), edition="0" * 64)))
        with pytest.raises(InvalidDocumentError, match="another edition"):
            read_kept(path, station.store)


# ---- the edition ---------------------------------------------------------------------------


def test_another_interpreter_is_another_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    here = edition()
    edition.cache_clear()
    monkeypatch.setattr(sys, "version", "3.99")
    try:
        assert edition() != here
    finally:
        edition.cache_clear()


@pytest.mark.parametrize("library", LIBRARIES)
def test_another_version_of_a_library_is_another_edition(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = edition()
    edition.cache_clear()
    real = kept_record.version
    monkeypatch.setattr(
        kept_record, "version", lambda name: "99.9" if name == library else real(name)
    )
    try:
        assert edition() != here
    finally:
        edition.cache_clear()


def test_a_library_that_tells_no_version_is_never_the_same_edition(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def untold(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(kept_record, "version", untold)
    edition.cache_clear()
    try:
        first = edition()
        edition.cache_clear()
        assert edition() != first
    finally:
        edition.cache_clear()


def test_the_edition_names_every_library_that_an_audit_loads(tmp_path: Path) -> None:
    record = tmp_path / "record.sqlite"
    with node_pair() as pair:
        talk(pair, 1)
        copied(pair.station("blue").store, record)
        looked_at = pins(pair)
    task = Task.of(
        looked_at,
        record=record,
        copy=tmp_path / "audited.sqlite",
        before=None,
        kept=tmp_path / "kept.found",
    )
    with subprocess.Popen(
        [sys.executable, "-P", "-c", AND_TELL_WHAT_IS_LOADED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as looking:
        assert looking.stdin is not None
        assert looking.stdout is not None
        looking.stdin.write(msgspec.json.encode(task) + b"\n")
        looking.stdin.flush()  # and left open: it ends with us
        *said, modules = looking.stdout.read().splitlines()
    last = msgspec.json.decode(said[-1], type=Word)
    assert last.done
    assert last.digest
    loaded = set(modules.decode().split()) - set(sys.stdlib_module_names)
    # PyNaCl calls libsodium through the two after it; the last helps other code with its types.
    parts = {"nacl", "_sodium", "_cffi_backend", "typing_extensions"}
    ours = {"__main__", "deconflict", "_distutils_hack"}
    known = {*LIBRARIES} - {"pynacl"}
    assert loaded - ours - parts == known


AND_TELL_WHAT_IS_LOADED = """
import sys
from deconflict.node.keeping import process

process.main()
print(*{name.partition(".")[0] for name in sys.modules})
"""


def copied(store: Any, path: Path) -> None:
    SqliteStore.open(path, create=True).close()
    path.unlink()
    connection = apsw.Connection(str(path))
    with connection.backup("main", store._connection, "main") as backup:
        backup.step()
    connection.close()
    path.chmod(0o600)


# ---- a record that grew since ----------------------------------------------------------------


def test_a_later_copy_is_compared_with_what_the_start_went_on_from() -> None:
    with grown() as record:
        store = record.pair.station("blue").store
        require_comparable(store, pins(record.pair), record.kept)
        for planted in (without_a_thread, without_an_alert, with_a_past_that_was_not):
            wrong = planted(record.kept)
            # What is not true is no reason not to compare it.
            require_comparable(store, pins(record.pair), wrong)
            with pytest.raises(StoreDamagedError, match="what was kept of it"):
                kept_of(record.pair, before=wrong)


def test_a_record_in_which_an_entry_was_called_late_since_cannot_be_compared() -> None:
    with grown() as record:
        store = record.pair.station("blue").store
        row = next(store.entries(record.pair.line_id, "red"))
        store.commit(Batch(delayed=[DelayedRow(row.hash)]))
        with pytest.raises(InvalidDocumentError, match=r"cannot be compared.*called late since"):
            require_comparable(store, pins(record.pair), record.kept)
