"""The guard beside the record: what it finds at a start, and what it lets be signed."""

import json
import random
from pathlib import Path

import pytest

from deconflict.errors import GuardMovedError, StoreBrokenError
from deconflict.line.keys import SigningKey
from deconflict.line.resync import MuteReason
from deconflict.line.statement import ChainPoint, hash_of
from deconflict.store.base import Batch, EntryRow, LineRow, SignatureRow, WholeChain
from deconflict.store.guard import RUN_NOTE, Guard, GuardFile, read_guard
from deconflict.store.sqlite import SqliteStore

LINE, OTHER = "11" * 16, "22" * 16
NODE = SigningKey.from_seed(b"\x01" * 32).key_id
EPOCH = "ee" * 16


def entry(seq: int, *, party: str = "blue", line: str = LINE, signed: bool = False) -> EntryRow:
    data = f"{line} {party} {seq}".encode()
    signature = b"s" * 64 if signed or party != "blue" else None
    return EntryRow(line, party, EPOCH, seq, hash_of(data), data, "Ed25519", NODE, signature, 0)


def signed(*rows: EntryRow) -> list[SignatureRow]:
    return [SignatureRow(row.hash, b"s" * 64) for row in rows]


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    store = SqliteStore.open(tmp_path / "record", create=True)
    store.commit(Batch(lines=[LineRow(line, "blue", "red", 0) for line in (LINE, OTHER)]))
    return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere" / "guard"
    Guard.create(path, node=NODE)
    return path


def start(path: Path, store: SqliteStore, node: str = NODE, seed: int = 0) -> Guard:
    rng = random.Random(f"{path.stat().st_mtime_ns if path.exists() else 0}{seed}")
    return Guard.start(path, store, node=node, own="blue", random_bytes=rng.randbytes)


def say(guard: Guard, store: SqliteStore, *rows: EntryRow) -> None:
    """As the writer does; then the signatures are made, and kept with what comes next."""
    store.commit(Batch(entries=rows))
    guard.advance(Batch(entries=rows))
    own = [row for row in rows if row.party == "blue"]
    store.commit(Batch(signatures=signed(*own)))


def found(guard: Guard) -> dict[str, MuteReason | None]:
    return {
        f"{line[:2]} {party}": guard.mute(line, party)
        for line in (LINE, OTHER)
        for party in ("blue", "red")
    }


def test_a_new_node_and_one_that_ended_cleanly_may_speak(path: Path, store: SqliteStore) -> None:
    guard = start(path, store)
    assert set(found(guard).values()) == {None}
    say(guard, store, entry(1), entry(1, party="red"))
    assert set(found(start(path, store)).values()) == {None}


def test_a_crash_between_record_and_guard_leaves_what_nobody_signed(
    path: Path, store: SqliteStore
) -> None:
    guard = start(path, store)
    say(guard, store, entry(1))
    store.commit(Batch(entries=[entry(2), entry(1, party="red")]))  # and then the plug was pulled
    again = start(path, store)
    assert set(found(again).values()) == {None}
    at = read_guard(path)
    assert isinstance(at, GuardFile)
    assert at.chains[f"{LINE}/blue"].point == ChainPoint(EPOCH, 2, entry(2).hash)


def test_a_record_behind_the_guard_is_mute_on_the_lines_that_lack_something(
    path: Path, store: SqliteStore, tmp_path: Path
) -> None:
    guard = start(path, store)
    say(guard, store, entry(1), entry(1, line=OTHER))
    old = tmp_path / "old"
    store._connection.execute("VACUUM INTO ?", (str(old),))
    say(guard, store, entry(2), entry(1, party="red"))
    with SqliteStore.open(old) as restored:
        assert found(start(path, restored)) == {
            "11 blue": MuteReason.RECORD_BEHIND,
            "11 red": MuteReason.RECORD_BEHIND,
            "22 blue": None,
            "22 red": None,
        }
        # It stays so over every start, until a batch says that the chain is whole.
        guard = start(path, restored)
        guard.advance(Batch(entries=[entry(2)]))
        assert guard.mute(LINE, "blue") is MuteReason.RECORD_BEHIND
        guard.advance(Batch(whole=[WholeChain(LINE, "blue", ChainPoint(EPOCH, 1, entry(1).hash))]))
        assert guard.mute(LINE, "blue") is None
        assert guard.mute(LINE, "red") is MuteReason.RECORD_BEHIND
        assert start(path, restored).mute(LINE, "blue") is None


@pytest.mark.parametrize("damage", ["missing", "torn", "changed", "noise"])
def test_a_guard_that_is_missing_or_damaged_makes_every_line_mute(
    path: Path, store: SqliteStore, damage: str
) -> None:
    say(start(path, store), store, entry(1))
    data = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "torn":
            path.write_bytes(data[:-20])
        case "changed":
            path.write_bytes(data.replace(b'"node":"', b'"node":"x'))
        case "noise":
            path.write_bytes(b"\x00" * 512)
    wanted = MuteReason.NO_GUARD if damage == "missing" else MuteReason.GUARD_DAMAGED
    assert set(found(start(path, store)).values()) == {wanted}
    assert set(found(start(path, store)).values()) == {wanted}  # the new one knows it still


def test_the_guard_of_another_node_is_kept_aside(path: Path, store: SqliteStore) -> None:
    other = SigningKey.from_seed(b"\x02" * 32).key_id
    assert set(found(start(path, store, node=other)).values()) == {MuteReason.OTHER_GUARD}
    (aside,) = path.parent.glob("guard.*")
    kept = read_guard(aside)
    assert isinstance(kept, GuardFile)
    assert kept.node == NODE


def test_an_old_guard_beside_a_newer_record_is_found(path: Path, store: SqliteStore) -> None:
    guard = start(path, store)
    say(guard, store, entry(1))
    old = path.read_bytes()
    say(guard, store, entry(2))
    path.write_bytes(old)
    assert start(path, store).mute(LINE, "blue") is MuteReason.GUARD_BEHIND


def test_record_and_guard_of_two_runs_are_found(
    path: Path, store: SqliteStore, tmp_path: Path
) -> None:
    say(start(path, store), store, entry(1))
    old = path.read_bytes()
    start(path, store, seed=1)  # nothing is said in this run
    path.write_bytes(old)
    assert set(found(start(path, store)).values()) == {MuteReason.OTHER_RUN}


def places(path: Path) -> tuple[bytes, bytes]:
    data = path.read_bytes()
    return data[: len(data) // 2], data[len(data) // 2 :]


@pytest.mark.parametrize("cut_at", [0, 1, 100, 400])
def test_a_move_that_was_cut_off_leaves_what_the_guard_said_before(
    path: Path, store: SqliteStore, cut_at: int
) -> None:
    guard = start(path, store)
    say(guard, store, entry(1))
    before = places(path)
    store.commit(Batch(entries=[entry(2)]))
    guard.advance(Batch(entries=[entry(2)]))
    # The plug was pulled while it wrote: nothing of the batch was signed.
    torn = b"".join(
        now if now == old else now[:cut_at] + old[cut_at:]
        for now, old in zip(places(path), before, strict=True)
    )
    path.write_bytes(torn)
    at = read_guard(path)
    assert isinstance(at, GuardFile)
    assert at.chains[f"{LINE}/blue"].point == ChainPoint(EPOCH, 1, entry(1).hash)
    assert set(found(start(path, store)).values()) == {None}


def test_a_move_writes_one_place_and_never_the_newer(path: Path, store: SqliteStore) -> None:
    guard = start(path, store)
    for seq in range(1, 6):
        before = places(path)
        newest = max(before, key=lambda place: json.loads(place.split(b"\n")[1])["moves"])
        say(guard, store, entry(seq))
        after = places(path)
        assert sum(old != now for old, now in zip(before, after, strict=True)) == 1
        assert newest in after


def test_a_guard_of_many_lines_grows(path: Path, store: SqliteStore) -> None:
    lines = [f"{number:032x}" for number in range(100)]
    store.commit(Batch(lines=[LineRow(line, "blue", "red", 0) for line in lines]))
    guard = start(path, store)
    length = path.stat().st_size
    for line in lines:
        say(guard, store, entry(1, line=line), entry(1, line=line, party="red"))
    assert path.stat().st_size > length
    at = read_guard(path)
    assert isinstance(at, GuardFile)
    assert at.chains[f"{lines[-1]}/red"].point is not None
    assert set(found(start(path, store)).values()) == {None}


@pytest.mark.parametrize("step", ["first", "second"])
def test_a_start_that_is_cut_off_hinders_no_later_one(
    path: Path, store: SqliteStore, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(start(path, store), store, entry(1))
    before = store.note(RUN_NOTE)
    written = []
    replace = Guard._replace

    def cut(self: Guard, content: GuardFile) -> None:
        written.append(content)
        if len(written) == 2:
            raise StoreBrokenError("the plug")
        replace(self, content)

    monkeypatch.setattr(Guard, "_replace", cut)
    with pytest.raises(StoreBrokenError):
        start(path, store, seed=1)
    monkeypatch.undo()
    if step == "first" and before is not None:
        # The guard has the new run, the record not yet.
        store._connection.execute("DELETE FROM notes WHERE key = ?", (RUN_NOTE,))
        from deconflict.store.base import NoteRow

        store.commit(Batch(notes=[NoteRow(RUN_NOTE, before)]))
    assert set(found(start(path, store)).values()) == {None}


def test_two_nodes_with_one_guard_do_not_both_sign(path: Path, store: SqliteStore) -> None:
    first = start(path, store)
    start(path, store, seed=1)
    with pytest.raises(GuardMovedError):
        first.advance(Batch(entries=[entry(1)]))


def test_a_guard_that_cannot_be_written_stops_the_node(path: Path, store: SqliteStore) -> None:
    guard = start(path, store)
    path.unlink()
    with pytest.raises(StoreBrokenError):
        guard.advance(Batch(entries=[entry(1)]))


def test_what_signs_nothing_moves_no_guard(path: Path, store: SqliteStore) -> None:
    guard = start(path, store)
    path.unlink()
    guard.advance(Batch())
    assert not path.exists()
