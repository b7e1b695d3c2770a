"""A copy of the record in a process of its own, beside the node, begun by `deconflict.node.beside`.

The file is copied as it lies while the node leaves it still, flushed, opened and looked through:
every page, index and row. Only then it has its name.
"""

import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from deconflict.errors import DeconflictError
from deconflict.node.subordinate import end_with_the_node
from deconflict.store.directory import sync_directory
from deconflict.store.sqlite import SqliteStore

__all__ = ["CopyTask", "CopyWord", "main"]

_AT_ONCE: Final = 1024 * 1024
_SAY_EVERY_S: Final = 0.2
_STEPS: Final = 1_000_000  # of SQLite, some ten milliseconds
_NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT))


class CopyTask(msgspec.Struct, frozen=True):
    """What to copy, by which name while it is made, and by which one then."""

    record: str
    part: str
    copy: str


class CopyWord(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far it is.

    Attributes:
        done, total: bytes.
        copied: the record itself is needed no more.
        made: all of it is done.
        failed: why not.
    """

    done: int = 0
    total: int = 0
    copied: bool = False
    made: bool = False
    failed: str = ""


def main() -> None:
    """Do what standard input says."""
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=CopyTask)
    end_with_the_node()
    try:
        size = _copy(Path(task.record), Path(task.part))
        _say(CopyWord(done=size, total=size, copied=True))
        _check(Path(task.part), size)
        os.link(task.part, task.copy)  # refuses a name that is taken
        Path(task.part).unlink()
        sync_directory(Path(task.copy).parent)
        _say(CopyWord(done=size, total=size, copied=True, made=True))
    except DeconflictError as error:
        _say(CopyWord(failed=error.problem))
    except OSError as error:
        full = error.errno in _NO_ROOM
        _say(CopyWord(failed="the disk is full" if full else error.strerror or "OSError"))


def _copy(record: Path, part: Path) -> int:
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as written, record.open("rb") as read:
        total, done = os.fstat(read.fileno()).st_size, 0
        say = _rarely()
        while data := read.read(_AT_ONCE):
            written.write(data)
            done += len(data)
            say(CopyWord(done=done, total=total))
        written.flush()
        os.fsync(written.fileno())
    return done


def _check(part: Path, size: int) -> None:
    say = _rarely()
    with SqliteStore.open(part) as store:
        store.tell_while_it_works(_STEPS, lambda: say(CopyWord(size, size, copied=True)))
        store.check_storage()


def _rarely() -> Callable[[CopyWord], None]:
    next_s = 0.0

    def say(word: CopyWord) -> None:
        nonlocal next_s
        if time.monotonic() >= next_s:
            next_s = time.monotonic() + _SAY_EVERY_S
            _say(word)

    return say


def _say(word: CopyWord) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()
