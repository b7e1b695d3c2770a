"""The audit in a process of its own, beside the node: ``python -m`` this module.

It gets on standard input what to look at, as :class:`Task`, and says on standard output how far it
is and what it found, a JSON object a line, as :class:`Word`. It ends when standard input does. It
has a low priority, a copy of the record, no key and no network.
"""

import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Final

import msgspec

from deconflict.errors import InvalidDocumentError, StoreDamagedError, StoreError
from deconflict.line.keys import VerifyKey
from deconflict.line.root import Root
from deconflict.node.keeping.audit import Pins, audited
from deconflict.node.keeping.kept_record import read_kept, write_kept
from deconflict.store.sqlite import SqliteStore

__all__ = ["Task", "Word", "files_of", "main"]

_NICE: Final = 10  # a tenth of what the node gets where both want all; at 19, a hundredth
_AT_ONCE: Final = 1024 * 1024  # bytes copied


class Task(msgspec.Struct, frozen=True):
    """What to look at.

    Attributes:
        record: its file, which a running node holds and does not write meanwhile.
        copy: where to copy it, and look.
        before: what a start went on from, named by the record; None for one that read everything.
        kept: where to write what is to be kept.
        party: ours.
        lines: ids of the lines that are spoken, each with its peer.
        keys: the first key of each party, base64.
        roots: each party's root, where it has one.
    """

    record: str
    copy: str
    before: str | None
    kept: str
    party: str
    lines: list[tuple[str, str]]
    keys: dict[str, str]
    roots: dict[str, Any]

    @classmethod
    def of(cls, pins: Pins, *, record: Path, copy: Path, before: Path | None, kept: Path) -> "Task":
        """Return the task of a node that has pinned these."""
        return cls(
            record=str(record),
            copy=str(copy),
            before=None if before is None else str(before),
            kept=str(kept),
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
        failed: why it could not look, which says nothing of the record.
    """

    copied: bool = False
    entries: int = 0
    done: bool = False
    digest: str = ""
    damaged: str = ""
    given: str = ""
    expected: str = ""
    remedy: str = ""
    failed: str = ""


def main() -> None:
    """Do what standard input says."""
    os.nice(_NICE)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the node, which is told as well, ends it
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    threading.Thread(target=_end_with_the_node, daemon=True).start()
    try:
        _copy(Path(task.record), Path(task.copy))
        _say(Word(copied=True))
        with SqliteStore.open(task.copy) as store:
            _look(task, store)
    except (StoreDamagedError, InvalidDocumentError) as error:
        _say(
            Word(
                damaged=error.problem,
                given=error.given,
                expected=error.expected,
                remedy=error.remedy,
            )
        )
    except StoreError as error:
        _say(Word(failed=error.problem))
    except OSError as error:
        _say(Word(failed=f"{error.filename}: {error.strerror}"))


def files_of(copy: Path) -> tuple[Path, ...]:
    """Return the copy, and what SQLite makes beside it."""
    return tuple(copy.with_name(f"{copy.name}{end}") for end in ("", "-wal", "-shm"))


def _end_with_the_node() -> None:
    """End this process when standard input ends: the node was killed, and nobody listens.

    What goes on beside the next start copies a record that is written, and holds that start's copy.
    """
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _copy(record: Path, copy: Path) -> None:
    # A node that was killed left its own: a write-ahead log that belongs to another copy.
    for path in files_of(copy):
        path.unlink(missing_ok=True)
    descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as written, record.open("rb") as read:
        shutil.copyfileobj(read, written, _AT_ONCE)


def _look(task: Task, store: SqliteStore) -> None:
    said = 0

    def told(entries: int) -> None:
        nonlocal said
        said = entries
        _say(Word(entries=entries))

    # A file that cannot be read any more: nobody can say whether the start was right to use it.
    before = None if task.before is None else read_kept(Path(task.before), store)
    # One thread: what it takes from the node beside it must not be all there is.
    kept = audited(store, task.pins, before, threads=1, told=told)
    digest = b"" if kept is None else write_kept(Path(task.kept), kept)
    _say(Word(entries=said, done=True, digest=digest.hex()))


def _say(word: Word) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
