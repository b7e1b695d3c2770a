"""The doctor on a disk that is full, read-only or failing: it never calls that damage."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from deconflict.api.accounts import Accounts
from deconflict.node.doctor import OK, WRONG, Check, examine
from deconflict.node.folder import NodeFolder
from deconflict.node.settings import Settings

NOW_MS = time.time_ns() // 1_000_000


def new_node(path: Path) -> Path:
    NodeFolder.create(
        path, Settings(party="blue"), passphrase=None, now_utc_ms=NOW_MS, random_bytes=os.urandom
    )
    book = Accounts(path / "accounts.sqlite", now=lambda: NOW_MS, random_bytes=os.urandom)
    book.add("olga", "a long evening at sea", roles=("watch_officer",), desk="watch", by="test")
    book.close()
    return path


def found(path: Path) -> dict[str, Check]:
    return {check.subject: check for check in examine(path, now_utc_ms=time.time_ns() // 1_000_000)}


def no_advice_to_throw_away(checks: dict[str, Check]) -> None:
    for check in checks.values():
        assert "damaged" not in check.words
        assert "put it aside" not in check.remedy
        assert "restore" not in check.remedy


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 2 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", path), capture_output=True, check=False
    )
    if mounted.returncode:
        # The stand-in below needs no mount, and holds the same.
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield path
    finally:
        subprocess.run(("umount", path), check=True)


def test_full_disk_is_called_full_and_nothing_damaged(small_disk: Path) -> None:
    node = new_node(small_disk / "blue")
    with pytest.raises(OSError, match="No space"):
        (small_disk / "fill").write_bytes(bytes(4_000_000))
    checks = found(node)
    assert checks["disk"].state == WRONG
    assert checks["disk"].words.startswith("full")
    no_advice_to_throw_away(checks)
    (small_disk / "fill").unlink()
    assert found(node)["accounts"].state == OK


def test_read_only_disk_is_called_read_only_and_nothing_damaged(small_disk: Path) -> None:
    node = new_node(small_disk / "blue")
    subprocess.run(("mount", "-o", "remount,ro", small_disk), check=True)
    checks = found(node)
    assert checks["disk"].state == WRONG
    assert checks["disk"].words.startswith("read-only")
    no_advice_to_throw_away(checks)


def test_trying_the_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    node = new_node(tmp_path / "blue")
    before = sorted(node.iterdir())
    assert "can be written" in found(node)["disk"].words
    assert sorted(node.iterdir()) == before


class _FailingOpen(apsw.VFS):
    def __init__(self, error: type[apsw.Error]) -> None:
        self.error = error
        super().__init__("failing", "", makedefault=True)

    def xOpen(self, name, flags):
        raise self.error("injected")


@contextmanager
def every_file_fails(error: type[apsw.Error]) -> Iterator[None]:
    usual = apsw.vfs_names()[0]
    disk = _FailingOpen(error)
    try:
        yield
    finally:
        disk.unregister()
        apsw.set_default_vfs(usual)


@pytest.mark.parametrize(
    "error", [apsw.CantOpenError, apsw.IOError, apsw.FullError, apsw.ReadOnlyError]
)
def test_accounts_out_of_reach_are_not_called_damaged(
    tmp_path: Path, error: type[apsw.Error]
) -> None:
    node = new_node(tmp_path / "blue")
    with every_file_fails(error):
        checks = found(node)
    assert checks["accounts"].state == WRONG
    assert "leave it where it is" in checks["accounts"].remedy
    no_advice_to_throw_away({"accounts": checks["accounts"]})
    assert found(node)["accounts"].state == OK


def test_accounts_that_are_no_database_are_called_damaged(tmp_path: Path) -> None:
    node = new_node(tmp_path / "blue")
    (node / "accounts.sqlite").write_bytes(b"this is no database" * 500)
    assert "damaged" in found(node)["accounts"].words
