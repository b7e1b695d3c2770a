"""The audit of a running node: a copy of its record is proven and read anew, again and again.

A start that went on from what was kept has believed the disk about all before. So it has the whole
record proven at once, beside the running node, and the same once a day: damage that nobody has met
yet ends the node, as it would end a start. What the audit finds is kept for the next start.
"""

import asyncio
import contextlib
import logging
import shutil
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import StoreBrokenError, StoreDamagedError, StoreFullError
from deconflict.node.keeping import process as process_module
from deconflict.node.keeping.audit import Pins
from deconflict.node.keeping.kept_record import KEPT_NOTE
from deconflict.node.keeping.process import Task, Word
from deconflict.node.views import AuditView
from deconflict.store.base import NoteRow
from deconflict.store.sqlite import SqliteStore

__all__ = ["AuditFiles", "AuditPhase", "Audits", "has_room"]

logger = logging.getLogger("deconflict.audit")

_AFTER_START_S: Final = 60.0  # behind a start that has verified everything
_EVERY_S: Final = 86_400.0
_AGAIN_S: Final = 3_600.0  # after one that could not be made
_LEFT_RESERVES: Final = 8  # sizes of the reserve to be free beside the copy


class AuditPhase(StrEnum):
    """What the audit does."""

    WAITING = "WAITING"  # for its first turn
    RUNNING = "RUNNING"
    DONE = "DONE"  # the whole record was proven, and says what was kept of it
    NOT_DONE = "NOT_DONE"  # it could not look; why is said beside


class AuditFiles(msgspec.Struct, frozen=True):
    """Where it works.

    Attributes:
        copy: of the record, for as long as it is looked at.
        kept: what was kept.
        reserve_bytes: size of the disk's reserve, which a copy must not use up.
    """

    copy: Path
    kept: Path
    reserve_bytes: int

    @property
    def found(self) -> Path:
        """What is to be kept, until the record names it."""
        return self.kept.with_name(f"{self.kept.name}.found")


def has_room(record: Path, files: AuditFiles) -> bool:
    """True exactly when a copy of the record can be made, with enough left for what is urgent."""
    try:
        free = shutil.disk_usage(files.copy.parent).free
        return free >= record.stat().st_size + _LEFT_RESERVES * files.reserve_bytes
    except OSError:
        return False


class Audits:
    """The audits of one running node.

    Args:
        store: its record.
        record: the file of that.
        pins: whose it is.
        files: where to work.
        before: whether a start went on from what was kept.
        keep: makes a note durable.

    Attributes:
        phase: what is going on.
        entries: how many were read in this audit, or in the last one.
        done_ms: when a whole audit ended last; None for never since the start.
        problem: why the last one was not made; empty for nothing.
    """

    def __init__(
        self,
        store: SqliteStore,
        record: Path,
        pins: Pins,
        files: AuditFiles,
        *,
        before: bool,
        keep: Callable[[NoteRow], "asyncio.Future[None]"],
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._record = record
        self._pins = pins
        self._files = files
        self._before = before  # and nobody has found yet that it is true
        self._began_behind = before
        self._keep = keep
        self._held = contextlib.ExitStack()
        self._is_held = False
        self._now_ms = now_ms
        self.phase = AuditPhase.WAITING
        self.entries = 0
        self.done_ms: int | None = None
        self.problem = ""

    def view(self) -> AuditView:
        """Return how it stands, as it is shown."""
        done = self.done_ms
        return AuditView(
            phase=self.phase.value,
            entries=self.entries,
            behind=self._began_behind and done is None,
            done_utc=None if done is None else format_utc(done),
            problem=self.problem,
        )

    async def run(self) -> None:
        """Look at the record, and again once a day, until the node stops.

        At once where the start went on from what was kept. After one that has verified everything
        this only keeps what it came to: it waits until the node has settled.

        Raises:
            StoreDamagedError: it does not verify, or says something else than was kept of it.
            StoreBrokenError: the start went on from what was kept, and nobody could look.
            StoreError: it cannot be read.
        """
        if not self._before:
            await asyncio.sleep(_AFTER_START_S)
        while True:
            self.phase, self.entries = AuditPhase.RUNNING, 0
            try:
                self.problem = await self._look()
            except OSError as error:
                self.problem = f"{error.filename}: {error.strerror}"
            except StoreFullError as error:
                self.problem = error.problem
            self.phase = AuditPhase.NOT_DONE if self.problem else AuditPhase.DONE
            if self.problem and self._before:
                # A later copy is not what the start has read. So nobody could say any more whether
                # it was right to go on from what was kept, and the next one does not.
                self._forget_kept()
                raise StoreBrokenError(
                    f"what the start went on from could not be verified: {self.problem}",
                    remedy="start again: the whole record is read and verified then",
                )
            if self.problem:
                logger.warning("the record was not looked at: %s", self.problem)
            else:
                self.done_ms = self._now_ms()
            await asyncio.sleep(_AGAIN_S if self.problem else _EVERY_S)

    def hold(self) -> None:
        """Leave the record as it is now until it was copied.

        Called before the node speaks where the start went on from what was kept, so that the first
        audit looks at what it has read. Where there is no room for a copy, nothing is moved about
        on that disk: a start that has read everything needs none.
        """
        if not self._before and not has_room(self._record, self._files):
            return
        self._held.enter_context(self._store.still())
        self._is_held = True

    async def _look(self) -> str:
        """Make one audit; return why it was not made, or nothing."""
        files = self._files
        task = Task.of(
            self._pins,
            record=self._record,
            copy=files.copy,
            before=files.kept if self._before else None,
            kept=files.found,
        )
        try:
            no_room = "the disk has no room for a copy of the record"
            if not has_room(self._record, files):
                return no_room
            if not self._is_held:
                await asyncio.to_thread(self.hold)
            if not self._is_held:
                return no_room
            word = await self._told(task)
            if word.damaged:
                # The next start is to read it all, and to find what is damaged.
                self._forget_kept()
            elif word.done:
                # What the start went on from is found true: later audits look at the record alone.
                self._before = False
                await self._take(word.digest)
        finally:
            self._let_go()
            for path in _all_of(files):
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
        if word.damaged:
            raise StoreDamagedError(
                word.damaged, given=word.given, expected=word.expected, remedy=word.remedy
            )
        return "" if word.done else word.failed or "the process that looks at it ended"

    def _forget_kept(self) -> None:
        try:
            self._files.kept.unlink(missing_ok=True)
        except OSError as error:
            # What was found must be said all the same. The next start goes on from it as this one
            # did, and its audit finds the same.
            logger.warning("%s cannot be deleted: %s", self._files.kept, error.strerror)

    def _let_go(self) -> None:
        self._held.close()
        self._is_held = False

    async def _take(self, digest: str) -> None:
        """Keep what was found, if it may be kept, for the next start."""
        if digest:
            # The file first: a record that names one which is not there has a long start.
            self._files.found.replace(self._files.kept)
            await self._keep(NoteRow(KEPT_NOTE, bytes.fromhex(digest)))

    async def _told(self, task: Task) -> Word:
        """Let a process of its own look, and return its last word."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # it runs what the node runs, whatever lies in the directory where that began
            "-m",
            process_module.__name__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # what a person types at the node is not for it
        )
        word = Word()
        try:
            if process.stdin is None or process.stdout is None:
                return word
            # Left open: when it closes, this process is gone.
            process.stdin.write(msgspec.json.encode(task) + b"\n")
            while line := await process.stdout.readline():
                word = msgspec.json.decode(line, type=Word)
                self.entries = word.entries or self.entries
                self._let_go()  # from its first word on it has the copy
            await process.wait()
        finally:
            if process.stdin is not None:
                process.stdin.close()
            if process.returncode is None:
                process.kill()
                await process.wait()
        return word


def _all_of(files: AuditFiles) -> tuple[Path, ...]:
    """The copy, what SQLite makes beside it, and what was found and not kept."""
    return (*process_module.files_of(files.copy), files.found)
