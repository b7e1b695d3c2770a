"""Copies of the record that a running node makes when somebody asks for one.

A copy holds the record and nothing else: no key, no account, and above all no guard, which must
never be put back (decision 16). A node whose record is put back from it knows that it is old,
and asks its peers before it speaks.
"""

import asyncio
from contextlib import ExitStack, aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import LineStateError, StoreError, StoreFullError
from deconflict.node.beside import NotSaidError, said_by
from deconflict.node.inquiries.book import InquiryFiles
from deconflict.node.keeping.child import MOST_LOG_PAGES
from deconflict.node.tending import backup_process
from deconflict.node.tending.backup_process import CopyTask, CopyWord
from deconflict.store.sqlite import SqliteStore

__all__ = ["BackupView", "Backups", "BackupsView"]

_SILENT_S: Final = 120.0
_COPIED_BY_S: Final = 600.0  # so long the record may be left still
_WAIT_S: Final = 5.0  # for another copy, as an audit makes
_MOST_SHOWN: Final = 50
_NAME: Final = "record-"


@dataclass(frozen=True, slots=True)
class BackupView:
    """One copy."""

    name: str
    size_bytes: int
    made_utc: str


@dataclass(frozen=True, slots=True)
class BackupsView:
    """The copies in the node's folder, the newest first, and how the one that is made goes on.

    ``problem`` says why the last one that was asked for was not made; empty for nothing.
    """

    folder: str
    made: tuple[BackupView, ...]
    running: bool = False
    done_bytes: int = 0
    total_bytes: int = 0
    problem: str = ""


class Backups:
    """The copies of one node's record.

    Args:
        store: the record.
        files: where it lies, and where copies go.
    """

    def __init__(self, store: SqliteStore, files: InquiryFiles) -> None:
        self._store = store
        self._files = files
        self._shown = BackupsView(str(files.folder), ())
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Wait until the node stops, and end a copy that is being made."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._task is not None:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)

    def view(self) -> BackupsView:
        """Return what was made, and how far the next one is. Reads a directory."""
        return replace(self._shown, made=self._made())

    def begin(self, now_utc_ms: int) -> BackupsView:
        """Begin to make a copy.

        Raises:
            LineStateError: one is being made.
            StoreFullError: the disk has no room for it beside what messages need.
        """
        if self._shown.running:
            raise LineStateError("a copy is being made already")
        self._files.folder.mkdir(mode=0o700, exist_ok=True)
        size = self._files.record.stat().st_size
        try:
            self._files.require_room(2 * size)  # the log grows meanwhile
        except StoreFullError as error:
            raise StoreFullError(
                "the disk has no room for a copy of the record",
                given=error.given,
                remedy="take older copies to another machine, and delete them here",
            ) from error
        stamp = format_utc(now_utc_ms)[:19].replace(":", "").replace("-", "")
        copy = self._files.folder / f"{_NAME}{stamp}Z.sqlite"
        self._show(running=True, done_bytes=0, total_bytes=size, problem="")
        self._task = asyncio.create_task(self._make(copy))
        return self.view()

    async def _make(self, copy: Path) -> None:
        part = copy.with_name(f".{copy.name}.part")
        problem = "it was called off"
        try:
            problem = await self._copied(part, copy)
        except (StoreError, NotSaidError) as error:
            problem = str(error)
        except msgspec.DecodeError:
            problem = "the process that copies says what nobody can read"
        finally:
            for end in ("", "-wal", "-shm"):
                part.with_name(part.name + end).unlink(missing_ok=True)
            self._show(running=False, problem=problem)

    async def _copied(self, part: Path, copy: Path) -> str:
        """Have it copied; return why it was not, empty where it was."""
        word = CopyWord()
        with ExitStack() as held:
            await asyncio.to_thread(held.enter_context, self._store.still(wait_s=_WAIT_S))
            task = CopyTask(str(self._files.record), str(part), str(copy))
            clock = asyncio.get_running_loop().time
            until_s = clock() + _COPIED_BY_S
            lines = said_by(backup_process, msgspec.json.encode(task), silent_s=_SILENT_S)
            async with aclosing(lines):
                async for line in lines:
                    word = msgspec.json.decode(line, type=CopyWord)
                    if word.failed or word.made:
                        break
                    if word.copied:
                        held.close()  # the record itself is needed no more
                    elif clock() > until_s or self._store.log_pages > MOST_LOG_PAGES:
                        return "the record is written faster than it is copied"
                    self._show(done_bytes=word.done, total_bytes=word.total)
        if word.made:
            return ""
        return word.failed or "the process that copies ended before it was done"

    def _show(self, **changed: Any) -> None:
        self._shown = replace(self._shown, **changed)

    def _made(self) -> tuple[BackupView, ...]:
        found = []
        with suppress(FileNotFoundError):  # no folder yet
            for path in sorted(self._files.folder.glob(f"{_NAME}*.sqlite"), reverse=True):
                with suppress(FileNotFoundError):  # taken away meanwhile
                    stat = path.stat()
                    made = format_utc(stat.st_mtime_ns // 1_000_000)
                    found.append(BackupView(path.name, stat.st_size, made))
        return tuple(found[:_MOST_SHOWN])
