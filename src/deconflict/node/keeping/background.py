"""The audit of a running node: a copy of its record is proven and read anew, again and again.

A start that went on from what was kept has believed the disk about all before. So it has the whole
record proven at once, beside the running node, and the same once a day: damage that nobody has met
yet ends the node, as it would end a start. What the audit finds is kept for the next start.

An audit that cannot be made finds nothing. The node goes on, its desk is told, and it is tried
again; what nobody has proven stays unproven, and no later start goes on from it.
"""

import asyncio
import contextlib
import errno
import logging
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from deconflict.errors import BrokenTurnError, StoreDamagedError, StoreError, StoreFullError
from deconflict.line.moment import Now
from deconflict.node.keeping import process as process_module
from deconflict.node.keeping.audit import Pins
from deconflict.node.keeping.child import MOST_LOG_PAGES, listened_to
from deconflict.node.keeping.kept_record import KEPT_NOTE
from deconflict.node.keeping.process import Task, Word
from deconflict.node.keeping.standing import (
    DEFAULT_TIMES,
    AuditPhase,
    AuditStanding,
    AuditTimes,
    Hindrance,
    NotMade,
    WentOnFrom,
)
from deconflict.node.views import AuditView
from deconflict.store.base import NoteRow
from deconflict.store.sqlite import SqliteStore

__all__ = ["AuditFiles", "Audits", "Driver", "has_room"]

logger = logging.getLogger("deconflict.audit")

_LEFT_RESERVES: Final = 8  # sizes of the reserve to be free beside the copy
_TELL_EVERY_S: Final = 10.0  # how late a limit that passed is told
# After these the copy, or the record that is left as it was for the sake of one, is as good as
# before. After others it may be what failed, or what there is no room for.
_COPY_STAYS: Final = frozenset(
    (Hindrance.NOT_BEGUN, Hindrance.ENDED, Hindrance.STOOD_STILL, Hindrance.UNREADABLE)
)


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

    @property
    def unproven(self) -> Path:
        """What a start went on from and no audit could prove: no later start looks here."""
        return self.kept.with_name(f"{self.kept.name}.unproven")


class Driver(msgspec.Struct, frozen=True):
    """What an audit asks of the node beside it.

    Attributes:
        now: the present.
        keep: makes a note durable.
        tell: has the desk told how the audit stands.
    """

    now: Callable[[], Now]
    keep: Callable[[NoteRow], Awaitable[None]]
    tell: Callable[[AuditStanding], Awaitable[None]]


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
        before: what the start went on from; None where it has read everything.
        driver: the node.
        times: how long what may last.

    Attributes:
        standing: how it stands.
    """

    def __init__(
        self,
        store: SqliteStore,
        record: Path,
        pins: Pins,
        files: AuditFiles,
        *,
        before: WentOnFrom | None,
        driver: Driver,
        times: AuditTimes = DEFAULT_TIMES,
    ) -> None:
        self._store = store
        self._record = record
        self._pins = pins
        self._files = files
        self._before = None if before is None else files.kept  # and nobody has found it true yet
        self._driver = driver
        self._times = times
        self._copied_ms: int | None = None  # when the copy was made that a later attempt looks at
        self._held = contextlib.ExitStack()
        self._is_held = False
        self._is_first = before is not None  # the hold that began before the node spoke
        self.standing = AuditStanding(driver.now(), before, times)

    def view(self) -> AuditView:
        """Return how it stands, as it is shown."""
        return self.standing.view(self._driver.now())

    async def run(self) -> None:
        """Look at the record, and again once a day, until the node stops.

        At once where the start went on from what was kept. After one that has verified everything
        this only keeps what it came to: it waits until the node has settled.

        Raises:
            StoreDamagedError: it does not verify, or says something else than was kept of it.
            StoreError: the node's own record cannot be read or written.
        """
        if self._before is None:
            _delete(self._files.unproven)  # left by an earlier run; this start has proven all
            await asyncio.sleep(self._times.settle_s)
        try:
            await self._run()
        finally:
            self._drop_copy()

    async def _run(self) -> None:
        failed_pause_s = self._times.again_s
        while True:
            self._set(phase=AuditPhase.RUNNING, entries=0, again_ms=None)
            try:
                await self._look()
            except NotMade as why:
                pause_s = failed_pause_s
                failed_pause_s = min(2 * failed_pause_s, self._times.again_longest_s)
                if why.hindrance is Hindrance.NOT_COMPARABLE:
                    pause_s = self._times.every_s  # the record itself was proven, and it stays so
                self._note_failure(why, pause_s)
            else:
                pause_s, failed_pause_s = self._times.every_s, self._times.again_s
                self._set(
                    phase=AuditPhase.DONE,
                    behind=None,
                    hindrance=None,
                    problem="",
                    tried_ms=None,
                    done_ms=self._driver.now().utc_ms,
                )
            await self._driver.tell(self.standing)
            await asyncio.sleep(pause_s)

    async def watch(self) -> None:
        """Have the desk told what changes with time alone: that something lasts too long.

        First what an earlier run told is looked at: a start that has read everything ends it.
        """
        while True:
            if self._before is None or self.standing.is_overdue(self._driver.now()):
                await self._driver.tell(self.standing)
            if self.standing.phase is AuditPhase.NOT_DONE and not self._has_left():
                self._drop_copy()  # messages need the room more
            if self.standing.phase is AuditPhase.NOT_DONE and not self._may_hold():
                self._let_go()
            await asyncio.sleep(_TELL_EVERY_S)

    def hold(self) -> None:
        """Leave the record as it is now until it was copied.

        Called before the node speaks where the start went on from what was kept, so that the first
        audit looks at what it has read. Where there is no room for a copy, nothing is moved about
        on that disk: a start that has read everything needs none.
        """
        if self._before is None and not has_room(self._record, self._files):
            return
        self._held.enter_context(self._store.still())
        self._is_held = True

    async def _look(self) -> None:
        """Make one audit.

        Raises:
            NotMade: it could not be made, for whatever reason but those of `run`.
        """
        try:
            await self._judge(await self._word())
            self._copied_ms, self._is_first = None, False
        except (NotMade, BrokenTurnError):
            raise
        except StoreFullError as error:
            raise NotMade(Hindrance.NO_ROOM, error.problem) from error
        except StoreError:
            raise
        except OSError as error:
            no_room = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise NotMade(
                Hindrance.NO_ROOM if no_room else Hindrance.FILES,
                f"{error.filename or self._files.copy}: {error.strerror}",
            ) from error
        except Exception as error:  # whatever it is, it is no reason to leave a line alone
            logger.exception("the audit broke off")
            raise NotMade(Hindrance.OTHER, f"{type(error).__name__}: {error}") from error
        finally:
            if not self._may_hold():
                self._let_go()
            _delete(self._files.found)
            if self._copied_ms is None:
                self._drop_copy()

    async def _judge(self, word: Word) -> None:
        """Act on what was found; return where the record is right."""
        if word.failed:
            raise NotMade(word.hindrance, word.failed)
        if word.damaged:
            # The next start is to read it all, and to find what is damaged.
            for path in (self._files.kept, self._files.unproven):
                _delete(path)
            raise StoreDamagedError(
                word.damaged, given=word.given, expected=word.expected, remedy=word.remedy
            )
        if word.uncompared:
            self._set(done_ms=self._driver.now().utc_ms)
            raise NotMade(Hindrance.NOT_COMPARABLE, word.uncompared)
        # What the start went on from is found true: later audits look at the record alone.
        self._before = None
        await self._take(word.digest)

    async def _word(self) -> Word:
        """Have the record copied and looked at; return what was found."""
        files, copied_ms = self._files, self._copied_ms
        if copied_ms is None:
            no_room = NotMade(Hindrance.NO_ROOM, "the disk has no room for a copy of the record")
            if not has_room(self._record, files):
                raise no_room
            if not self._is_held:
                self._is_first = False
                await asyncio.to_thread(self.hold)
            if not self._is_held:
                raise no_room
        task = Task.of(
            self._pins,
            record=self._record,
            copy=files.copy,
            before=self._before,
            kept=files.found,
            begun_ms=self._driver.now().utc_ms if copied_ms is None else copied_ms,
            copied=copied_ms is not None,
        )
        return await listened_to(
            task, self._times, heard=self._heard, log_pages=lambda: self._store.log_pages
        )

    def _heard(self, word: Word) -> None:
        if word.entries:
            self._set(entries=word.entries)
        if word.copied:
            self._let_go()
            if self._before is not None and self._copied_ms is None:
                # Of the first attempt it is what the start has read: nothing else is compared as
                # surely, and once the line goes on it cannot be had again.
                self._copied_ms = self._driver.now().utc_ms

    def _drop_copy(self) -> None:
        self._copied_ms = None
        for path in process_module.files_of(self._files.copy):
            _delete(path)

    def _may_hold(self) -> bool:
        """True exactly when the record may be left as the start has read it, for another attempt.

        Once the line goes on it cannot be had again, and a fresh epoch may leave behind what the
        start went on from. But the write-ahead log grows meanwhile.
        """
        lasted_ms = self._driver.now().monotonic_ms - self.standing.started.monotonic_ms
        return (
            self._is_held
            and self._is_first
            and self._copied_ms is None
            and lasted_ms < self._times.hold_longest_s * 1_000
            and self._store.log_pages <= MOST_LOG_PAGES
        )

    def _has_left(self) -> bool:
        """True exactly when what is urgent has enough of the disk beside the copy."""
        try:
            free = shutil.disk_usage(self._files.copy.parent).free
        except OSError:
            return False
        return free >= _LEFT_RESERVES * self._files.reserve_bytes

    def _let_go(self) -> None:
        self._held.close()
        self._is_held = False

    async def _take(self, digest: str) -> None:
        """Keep what was found, if it may be kept, for the next start."""
        if not digest:
            return
        try:
            # The file first: a record that names one which is not there has a long start.
            self._files.found.replace(self._files.kept)
        except OSError as error:
            logger.warning("%s cannot be kept: %s", self._files.kept, error.strerror)
            return
        await self._driver.keep(NoteRow(KEPT_NOTE, bytes.fromhex(digest)))
        _delete(self._files.unproven)

    def _note_failure(self, why: NotMade, pause_s: float) -> None:
        logger.warning("the record was not verified again: %s", why.problem)
        if why.hindrance not in _COPY_STAYS:
            self._drop_copy()
            self._let_go()
        if self._before == self._files.kept:
            self._set_aside()
        now_ms = self._driver.now().utc_ms
        self._set(
            phase=AuditPhase.NOT_DONE,
            hindrance=why.hindrance,
            problem=why.problem,
            tried_ms=now_ms,
            again_ms=now_ms + round(pause_s * 1_000),
        )

    def _set_aside(self) -> None:
        """Have the next start read everything; a later attempt still finds what to compare with."""
        try:
            self._files.kept.replace(self._files.unproven)
        except OSError as error:
            # The next start goes on from it as this one did, and has it proven as this one does.
            logger.warning("%s cannot be set aside: %s", self._files.kept, error.strerror)
            return
        self._before = self._files.unproven

    def _set(self, **changed: Any) -> None:
        self.standing = msgspec.structs.replace(self.standing, **changed)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # What is left behind is not used: a copy is made anew, what is kept has to be named.
        logger.warning("%s cannot be deleted: %s", path, error.strerror)
