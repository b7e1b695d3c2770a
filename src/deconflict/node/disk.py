"""Room on the disk: what is kept for alerts, and what gets none when little is left.

A file of its own size is held in the node's folder, so that nobody else on the disk can take what
alerts need. Before a commit that would not fit, the file gives up some of its length; when there is
room again, it takes it back. What is free and what the file holds are one figure here, and as that
falls the classes of messages are refused one after the other, the least urgent first. The last part
is for FLASH, and for what closes alerts. Why it is a file: ``docs/decisions/0019-reserve.md``.
"""

import logging
import os
import threading
from pathlib import Path
from typing import Final

from deconflict.line.room import ENOUGH, FIRST_REFUSED, Shortage, shortage_that_refuses
from deconflict.store.base import Batch, NoteRow

__all__ = ["RESERVE_FILE", "DiskReserve", "room_of", "shortage_at"]

logger = logging.getLogger("deconflict.disk")

RESERVE_FILE: Final = "reserve"
# In sizes of the reserve: what must be left, free and held, for a class to get room.
_LEAST: Final = dict(zip(FIRST_REFUSED, (2.0, 1.75, 1.5), strict=True))
_AGAIN: Final = 0.125  # so much more before a class that was refused gets room again
_FREE: Final = 0.25  # kept free of the reserve itself: the write-ahead log is moved through it
_ROW_BYTES: Final = 4_096  # a row with its part of the indexes: a page at most
_WRITTEN_TIMES: Final = 2  # into the write-ahead log, and from there into the database


def shortage_at(room_bytes: int, reserve_bytes: int, before: Shortage = ENOUGH) -> Shortage:
    """Return which classes of messages get no room.

    Args:
        room_bytes: what is free on the disk, and what the reserve holds.
        reserve_bytes: size of the reserve.
        before: what was refused until now; it takes a little more room to end that.

    >>> sorted(shortage_at(100, 64))
    [<Precedence.PRIORITY: 'PRIORITY'>, <Precedence.ROUTINE: 'ROUTINE'>]
    """
    short = ENOUGH
    for precedence in FIRST_REFUSED:
        again = _AGAIN if precedence in before else 0
        if room_bytes < (_LEAST[precedence] + again) * reserve_bytes:
            short = shortage_that_refuses(precedence)
    return short


def room_of(folder: Path) -> tuple[int, int]:
    """Return what is free on the disk of a node folder, and what its reserve holds, in bytes.

    Raises:
        OSError: nobody can tell.
    """
    found = os.statvfs(folder)
    try:
        held = os.stat(f"{folder}/{RESERVE_FILE}").st_size
    except FileNotFoundError:
        held = 0
    return found.f_bavail * found.f_frsize, held


class DiskReserve:
    """The reserve of one running node; two threads may use it.

    Made before the record is opened, so that a node which was killed on a full disk starts again.

    Args:
        folder: the node's.
        size_bytes: of the reserve.
    """

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self._folder = folder
        self._size = size_bytes
        self._lock = threading.Lock()
        self._short = ENOUGH
        self._descriptor = self._opened()
        with self._lock:
            self._change(_left_in_log(folder))

    def close(self) -> None:
        """Let the file go; what it holds stays held while the node is stopped."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def shortage(self) -> Shortage:
        """Return which classes of messages get no room now."""
        with self._lock:
            try:
                free, held = room_of(self._folder)
            except OSError as error:
                logger.warning("nobody can tell what is free on the disk: %s", error.strerror)
                return self._short
            self._short = shortage_at(free + held, self._size, self._short)
            return self._short

    def make_room(self, batch: Batch) -> None:
        """Have room for a batch, from the reserve if need be; with plenty, fill up the reserve."""
        with self._lock:
            self._change(_bytes_of(batch))

    def _opened(self) -> int | None:
        try:
            return os.open(self._folder / RESERVE_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            # No reason not to start: the record can be read, and what is free may be enough.
            logger.warning("there is no reserve: %s", error.strerror)
            return None

    def _change(self, needed: int) -> None:
        try:
            self._fit(needed)
        except OSError as error:
            # Whether it fits, the commit finds out; this only helps it.
            logger.warning("the reserve cannot be changed: %s", error.strerror)

    def _fit(self, needed: int) -> None:
        if self._descriptor is None:
            return
        free, held = room_of(self._folder)
        needed += round(_FREE * self._size)
        if free < needed and held:
            os.ftruncate(self._descriptor, max(0, held - (needed - free)))
            # Some file systems give blocks out again only when the change is on the disk.
            os.fsync(self._descriptor)
        elif held < self._size and free > needed:
            grown = min(self._size, held + (free - needed))
            os.posix_fallocate(self._descriptor, held, grown - held)


def _left_in_log(folder: Path) -> int:
    """Return what a node that was killed left in its write-ahead log: opening moves it."""
    try:
        return (folder / "record.sqlite-wal").stat().st_size
    except OSError:
        return 0


def _bytes_of(batch: Batch) -> int:
    rows = (row for name in Batch.__struct_fields__ for row in getattr(batch, name))
    return _WRITTEN_TIMES * sum(_ROW_BYTES + _long_bytes_of(row) for row in rows)


def _long_bytes_of(row: object) -> int:
    """Return how long the part of a row is that need not fit on a page with the others."""
    held = row.value if isinstance(row, NoteRow) else getattr(row, "data", None)
    return len(held or b"")
