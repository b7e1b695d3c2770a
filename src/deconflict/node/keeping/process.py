"""The audit in a process of its own, beside the node, begun by `deconflict.node.beside`.

It gets on standard input what to look at, as :class:`Task`, and says on standard output how far it
is and what it found, a JSON object a line, as :class:`Word`. It ends when standard input does. It
has a low priority, a copy of the record, no key and no network.
"""

import errno
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from deconflict.errors import (
    DeconflictError,
    InvalidDocumentError,
    InvalidInputError,
    StoreDamagedError,
    StoreFullError,
    VerificationError,
)
from deconflict.line.keys import VerifyKey
from deconflict.line.root import Root
from deconflict.node.keeping.audit import Pins, audited, require_comparable
from deconflict.node.keeping.kept_record import KeptRecord, read_kept, write_kept
from deconflict.node.keeping.standing import Hindrance
from deconflict.node.subordinate import end_with_the_node, take_what_is_left
from deconflict.store.sqlite import SqliteStore

__all__ = ["Task", "Word", "files_of", "main"]

_AT_ONCE: Final = 1024 * 1024  # bytes copied
_SAY_EVERY: Final = 16 * _AT_ONCE
_STEPS: Final = 1_000_000  # of SQLite, some ten milliseconds
_WORD_EVERY_S: Final = 5.0
_NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT))


class Task(msgspec.Struct, frozen=True):
    """What to look at.

    Attributes:
        record: its file, which a running node holds and does not write meanwhile.
        copy: where to copy it, and look.
        before: what a start went on from, named by the record; None for one that read everything.
        kept: where to write what is to be kept.
        begun_ms: when the copy is made, as what is kept of it will say.
        copied: whether it is there already, of an attempt before.
        party: ours.
        lines: ids of the lines that are spoken, each with its peer.
        keys: the first key of each party, base64.
        roots: each party's root, where it has one.
    """

    record: str
    copy: str
    before: str | None
    kept: str
    begun_ms: int
    copied: bool
    party: str
    lines: list[tuple[str, str]]
    keys: dict[str, str]
    roots: dict[str, Any]

    @classmethod
    def of(
        cls,
        pins: Pins,
        *,
        record: Path,
        copy: Path,
        before: Path | None,
        kept: Path,
        begun_ms: int = 0,
        copied: bool = False,
    ) -> "Task":
        """Return the task of a node that has pinned these."""
        return cls(
            record=str(record),
            copy=str(copy),
            before=None if before is None else str(before),
            kept=str(kept),
            begun_ms=begun_ms,
            copied=copied,
            party=pins.party,
            lines=list(pins.lines),
            keys={party: key.to_base64() for party, key in pins.keys.items()},
            roots={party: root.to_plain() for party, root in pins.roots.items()},
        )

    @property
    def pins(self) -> Pins:
        """Whose record it is."""
        return Pins(
            self.party,
            self.lines,
            {party: VerifyKey.from_base64(key) for party, key in self.keys.items()},
            {party: Root.from_plain(root) for party, root in self.roots.items()},
        )


class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """What it says.

    Attributes:
        copied: True once the record itself is needed no more.
        entries: how many were read.
        done: True at the end.
        digest: of the file that is to be kept, hex; empty where none was written.
        damaged: what is wrong with the record; empty for nothing.
        given, expected, remedy: as of the error.
        uncompared: at the end: why what the start went on from was not held against the record,
            which is proven by itself; empty where it was, or where there was nothing to compare.
        failed: why it could not look, which says nothing of the record.
        hindrance: the same in a word.
    """

    copied: bool = False
    entries: int = 0
    done: bool = False
    digest: str = ""
    damaged: str = ""
    given: str = ""
    expected: str = ""
    remedy: str = ""
    uncompared: str = ""
    failed: str = ""
    hindrance: Hindrance = Hindrance.FILES


def main() -> None:
    """Do what standard input says."""
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    # A copy goes on beside the next start, which writes the record and makes a copy of its own.
    end_with_the_node()
    try:
        if not task.copied:
            _copy(Path(task.record), Path(task.copy), lambda: _say(Word()))
        _say(Word(copied=True))
        # Not before: a copy that hardly gets on holds the write-ahead log, which grows.
        take_what_is_left()
        with SqliteStore.open(task.copy) as store:
            _look(task, store)
    except (StoreDamagedError, InvalidInputError, VerificationError) as error:
        # The copy could be read, and what it says does not verify.
        _say(
            Word(
                damaged=error.problem,
                given=error.given,
                expected=error.expected,
                remedy=error.remedy,
            )
        )
    except StoreFullError as error:
        _say(Word(failed=error.problem, hindrance=Hindrance.NO_ROOM))
    except DeconflictError as error:
        _say(Word(failed=error.problem))
    except MemoryError:
        _say(Word(failed="there is too little memory", hindrance=Hindrance.ENDED))
    except OSError as error:
        no_room = error.errno in _NO_ROOM
        _say(
            Word(
                failed=f"{error.filename or task.copy}: {error.strerror}",
                hindrance=Hindrance.NO_ROOM if no_room else Hindrance.FILES,
            )
        )


def files_of(copy: Path) -> tuple[Path, ...]:
    """Return the copy, and what SQLite makes beside it."""
    return tuple(copy.with_name(f"{copy.name}{end}") for end in ("", "-wal", "-shm"))


def _copy(record: Path, copy: Path, told: Callable[[], None] = lambda: None) -> None:
    # A node that was killed left its own: a write-ahead log that belongs to another copy.
    for path in files_of(copy):
        path.unlink(missing_ok=True)
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as written, record.open("rb") as read:
        count = 0
        while data := read.read(_AT_ONCE):
            written.write(data)
            count += len(data)
            if count % _SAY_EVERY == 0:
                told()


def _look(task: Task, store: SqliteStore) -> None:
    said = 0
    word_s = time.monotonic()

    def told(entries: int) -> None:
        nonlocal said, word_s
        said, word_s = entries, time.monotonic()
        _say(Word(entries=entries))

    def at_work() -> None:
        # Pages and indexes are proven by single statements that last minutes for a long record.
        if time.monotonic() - word_s >= _WORD_EVERY_S:
            told(said)

    store.tell_while_it_works(_STEPS, at_work)
    before, uncompared = _comparable(task, store)
    # One thread: what it takes from the node beside it must not be all there is.
    kept = audited(store, task.pins, before, threads=1, told=told)
    if uncompared:
        # Proven is the record, not that what the node has in memory is what it says. Nothing is
        # kept of it while that is open: the next start reads everything.
        _say(Word(entries=said, done=True, uncompared=uncompared))
        return
    digest = b""
    if kept is not None:
        kept = msgspec.structs.replace(kept, audited_ms=task.begun_ms)
        digest = write_kept(Path(task.kept), kept)
    _say(Word(entries=said, done=True, digest=digest.hex()))


def _comparable(task: Task, store: SqliteStore) -> tuple[KeptRecord | None, str]:
    """Return what the start went on from; or None, and why it cannot be compared, if it was any."""
    if task.before is None:
        return None, ""
    try:
        # A file that cannot be used any more, as after an update of the program: nobody can say
        # whether the start was right to use it.
        before = read_kept(Path(task.before), store)
        if before is None:
            return None, "the record does not name what was kept of it"
        require_comparable(store, task.pins, before)
    except InvalidDocumentError as error:
        return None, error.problem
    return before, ""


def _say(word: Word) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()
