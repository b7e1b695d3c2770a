"""Parts of private checks on the disk: whole and durable, or not there; never somebody else's."""

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from deconflict.errors import (
    ConfigurationError,
    InvalidDocumentError,
    NoRoomError,
    PartMissingError,
    StoreError,
)
from deconflict.store import parts as parts_module
from deconflict.store.parts import MOST_PART_BYTES, HeldParts, Parts

DATA = bytes(range(256)) * 80
LATER_MS = 1 << 45
NAME = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "parts" / ("0" * 32)


def test_what_is_kept_is_read_again_under_its_hash(folder: Path) -> None:
    assert Parts(folder).keep(DATA) == NAME
    again = Parts(folder)
    assert (again.read(NAME), again.has(NAME)) == (DATA, True)
    assert again.held() == HeldParts(1, len(DATA))


def test_only_the_owner_reads_it(folder: Path) -> None:
    Parts(folder).keep(DATA)
    modes = [path.stat().st_mode & 0o777 for path in (folder.parent, folder, folder / NAME)]
    assert modes == [0o700, 0o700, 0o600]


def test_a_part_kept_twice_lies_there_once(folder: Path) -> None:
    parts = Parts(folder)
    assert parts.keep(DATA) == parts.keep(DATA)
    assert [path.name for path in folder.iterdir()] == [NAME]


def test_one_written_for_the_second_time_is_not_written(folder: Path) -> None:
    parts = Parts(folder)
    parts.keep(DATA)
    before = (folder / NAME).stat().st_ino
    parts.keep(DATA)
    assert (folder / NAME).stat().st_ino == before


@pytest.mark.parametrize("wrong", [DATA[:-1], DATA + b"x", b"x" + DATA[1:], b""])
def test_a_damaged_part_counts_as_missing_and_is_mended_by_the_right_one(
    folder: Path, wrong: bytes
) -> None:
    parts = Parts(folder)
    parts.keep(DATA)
    (folder / NAME).write_bytes(wrong)
    with pytest.raises(PartMissingError, match="damaged"):
        parts.read(NAME)
    parts.keep(DATA)
    assert parts.read(NAME) == DATA


def test_nothing_is_there_before_the_first_one(folder: Path) -> None:
    parts = Parts(folder)
    assert (parts.has(NAME), parts.size_of(NAME), parts.held()) == (False, None, HeldParts(0, 0))
    assert parts.sweep((), before_ms=LATER_MS) == 0
    assert not folder.exists()
    with pytest.raises(PartMissingError):
        parts.read(NAME)


@pytest.mark.parametrize("name", ["", "..", "../" + NAME, NAME.upper(), NAME[:-1], NAME + "\n"])
def test_another_name_leads_nowhere(folder: Path, name: str) -> None:
    parts = Parts(folder)
    for ask in (parts.read, parts.has, parts.size_of):
        with pytest.raises(InvalidDocumentError):
            ask(name)


@pytest.mark.parametrize("size", [0, MOST_PART_BYTES + 1])
def test_no_part_is_empty_or_too_long(folder: Path, size: int) -> None:
    with pytest.raises(InvalidDocumentError):
        Parts(folder).keep(bytes(size))
    assert not folder.exists()


def test_a_link_in_place_of_a_part_is_not_followed(folder: Path, tmp_path: Path) -> None:
    parts = Parts(folder)
    parts.keep(b"another")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(DATA)
    (folder / NAME).symlink_to(elsewhere)
    assert not parts.has(NAME)
    with pytest.raises(PartMissingError):
        parts.read(NAME)
    parts.keep(DATA)
    assert not (folder / NAME).is_symlink()
    assert parts.read(NAME) == elsewhere.read_bytes() == DATA


def test_a_link_among_the_parts_is_swept_away_and_not_what_it_leads_to(
    folder: Path, tmp_path: Path
) -> None:
    Parts(folder).keep(b"another")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(DATA)
    (folder / NAME).symlink_to(elsewhere)
    assert Parts(folder).sweep((), before_ms=LATER_MS) == 2
    assert elsewhere.read_bytes() == DATA


def test_a_pipe_in_place_of_a_part_holds_nobody_up(folder: Path) -> None:
    Parts(folder).keep(b"another")
    os.mkfifo(folder / NAME)
    with pytest.raises(PartMissingError):
        Parts(folder).read(NAME)


def test_a_folder_that_is_a_link_is_neither_filled_nor_swept(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_bytes(DATA)
    folder.parent.mkdir()
    folder.symlink_to(elsewhere)
    parts = Parts(folder)
    with pytest.raises(ConfigurationError, match="no link"):
        parts.keep(DATA)
    with pytest.raises(ConfigurationError, match="no link"):
        parts.sweep((), before_ms=LATER_MS)
    assert [path.name for path in elsewhere.iterdir()] == ["precious"]


def test_what_a_crash_left_half_written_counts_and_is_swept_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = Parts(folder)
    parts.keep(b"another")

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parts_module.os, "fsync", crash)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # nobody tidies after a crash
    with pytest.raises(KeyboardInterrupt):
        parts.keep(DATA)
    monkeypatch.undo()
    assert not parts.has(NAME)
    assert parts.held() == HeldParts(2, len(DATA) + len(b"another"))
    assert parts.sweep({hashlib.sha256(b"another").hexdigest()}, before_ms=LATER_MS) == 1
    assert parts.held() == HeldParts(1, len(b"another"))


def test_the_name_stands_only_when_the_bytes_are_durable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def syncing(descriptor: int) -> None:
        name = os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))
        steps.append("sync part" if name.startswith(".") else "sync folder")
        fsync(descriptor)

    def renaming(self: Path, target: Path) -> Path:
        steps.append("rename")
        return replace(self, target)

    parts = Parts(folder)
    parts.keep(b"another")
    monkeypatch.setattr(parts_module.os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", renaming)
    parts.keep(DATA)
    assert steps == ["sync part", "rename", "sync folder"]
    steps.clear()
    parts.keep(DATA)  # perhaps a crash came before the folder was durable
    assert steps == ["sync folder"]


def test_a_full_disk_costs_a_part_and_not_the_node(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A StoreError would end the node; what was half-written is gone."""
    parts = Parts(folder)
    parts.keep(b"another")

    for number, kind in ((errno.ENOSPC, NoRoomError), (errno.EIO, ConfigurationError)):

        def failing(_: int, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(parts_module.os, "fsync", failing)
        with pytest.raises(kind) as caught:
            parts.keep(DATA)
        assert not isinstance(caught.value, StoreError)
        monkeypatch.undo()
        assert parts.held() == HeldParts(1, len(b"another"))


def test_what_is_erased_is_gone_and_the_rest_is_there(folder: Path) -> None:
    parts = Parts(folder)
    parts.erase([NAME])  # no folder yet
    other = parts.keep(b"another")
    parts.keep(DATA)
    parts.erase([NAME, "0" * 64])
    assert not parts.has(NAME)
    assert parts.read(other) == b"another"
    with pytest.raises(InvalidDocumentError):
        parts.erase(["../precious"])


def test_what_is_new_is_not_swept_and_counts(folder: Path) -> None:
    parts = Parts(folder)
    for data, at_s in ((DATA, 1_000), (b"another", 2_000)):
        os.utime(folder / parts.keep(data), (at_s, at_s))
    assert parts.held(since_ms=2_000_000) == HeldParts(1, len(b"another"))
    assert parts.held(besides={NAME}) == HeldParts(1, len(b"another"))
    assert parts.sweep((), before_ms=1_000_001) == 1
    assert not parts.has(NAME)
    assert parts.sweep((), before_ms=2_000_000) == 0


def test_what_is_kept_again_is_new_again(folder: Path) -> None:
    parts = Parts(folder)
    os.utime(folder / parts.keep(DATA), (1_000, 1_000))
    parts.keep(DATA)
    assert parts.sweep((), before_ms=1_000_001) == 0
    assert parts.names() == [NAME]


def test_sweeping_does_not_meet_what_is_being_written(folder: Path) -> None:
    parts = Parts(folder)
    ended = threading.Event()

    def sweeping() -> None:
        while not ended.is_set():
            parts.sweep(names, before_ms=LATER_MS)

    names = {hashlib.sha256(bytes([number])).hexdigest() for number in range(60)}
    sweeper = threading.Thread(target=sweeping)
    sweeper.start()
    try:
        for number in range(60):
            parts.keep(bytes([number]))
    finally:
        ended.set()
        sweeper.join()
    assert {path.name for path in folder.iterdir()} == names
