"""Bulk that lies beside a line's record: parts of the steps of private checks, each under its hash.

A signed message names each part by its SHA-256, so the record proves them and need not hold them.
What is kept is durable before anybody is told so; what is read is what was kept, or counts as
missing. Parts may go after a time, the record never does: ``specs/packets.md`` §8. A disk that
fails here costs a check and not the node: no error of this file is a `StoreError`.
"""

import errno
import hashlib
import os
import re
import secrets
import stat
import threading
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deconflict.errors import (
    ConfigurationError,
    InvalidDocumentError,
    NoRoomError,
    PartMissingError,
)
from deconflict.store.directory import sync_directory

__all__ = ["MOST_PART_BYTES", "HeldParts", "Parts"]

MOST_PART_BYTES: Final = 4 * 1024 * 1024  # a longer one is refused unread
_NAME: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DRAFT: Final = "."  # what a name begins with while it is written
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# A name that leads elsewhere, or to what is no file, is never followed, and never waited for.
_READ: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class HeldParts:
    """How much is held, what is half-written among it."""

    parts: int
    size_bytes: int


class Parts:
    """The parts of one line. Threads may share one; two of the same folder must not write.

    The folder is made when the first part is kept.

    Args:
        folder: where they lie; nothing else does.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()  # what is half-written is not swept away

    def keep(self, data: bytes) -> str:
        """Keep a part and return its name, its SHA-256 in hex, once it is durable.

        One that is held already is written again only where it is damaged.

        Raises:
            InvalidDocumentError: it is empty, or longer than a part may be.
            NoRoomError: the disk has no room; nothing of it is left there.
            ConfigurationError: the disk refuses it.
        """
        if not 0 < len(data) <= MOST_PART_BYTES:
            raise InvalidDocumentError(
                "no part is as long as this",
                given=f"{len(data):,} bytes",
                expected=f"1 to {MOST_PART_BYTES:,}",
            )
        name = hashlib.sha256(data).hexdigest()
        with self._lock:
            try:
                self._make_folder()
                if self._is_whole(name):
                    os.utime(self._folder / name)  # wanted now, whatever it was kept for before
                else:
                    self._write(name, data)
                # Also for one that was there: a crash may have come between its renaming and this.
                sync_directory(self._folder)
            except OSError as error:
                raise _refused(error, self._folder) from error
        return name

    def read(self, sha256: str) -> bytes:
        """Return a part.

        Raises:
            PartMissingError: it is not here, or what lies in its place is not it.
        """
        self._require_name(sha256)
        try:
            descriptor = os.open(self._folder / sha256, _READ)
        except FileNotFoundError as error:
            raise PartMissingError("a part is not here", given=sha256) from error
        except OSError as error:  # a link among them: ELOOP
            raise PartMissingError(
                f"a part cannot be read: {error.strerror}", given=sha256
            ) from error
        with os.fdopen(descriptor, "rb") as file:
            try:
                is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
                data = file.read(MOST_PART_BYTES + 1) if is_file else b""
            except OSError as error:
                raise PartMissingError(
                    f"a part cannot be read: {error.strerror}", given=sha256
                ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise PartMissingError(
                "a part is damaged",
                given=sha256,
                remedy="look at the disk; the other party may still have it",
            )
        return data

    def has(self, sha256: str) -> bool:
        """True exactly when a file lies under this name; only :meth:`read` tells whether whole."""
        return self.size_of(sha256) is not None

    def size_of(self, sha256: str) -> int | None:
        """Return how long the file under this name is; None when there is none."""
        self._require_name(sha256)
        try:
            found = (self._folder / sha256).lstat()
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    @property
    def exist(self) -> bool:
        """True exactly when one was kept here, whatever became of it."""
        return self._folder.is_dir()

    def names(self) -> list[str]:
        """Return the names of all that are held.

        Raises:
            ConfigurationError: nobody can tell.
        """
        try:
            return [each.name for each in self._entries() if _NAME.fullmatch(each.name)]
        except OSError as error:
            raise _refused(error, self._folder) from error

    def held(self, *, since_ms: int = 0, besides: Container[str] = ()) -> HeldParts:
        """Return how much is held.

        Args:
            since_ms: only what was kept, or kept again, then or later, UTC ms.
            besides: not these.

        Raises:
            ConfigurationError: nobody can tell.
        """
        try:
            found = [
                e.stat(follow_symlinks=False) for e in self._entries() if e.name not in besides
            ]
        except OSError as error:
            raise _refused(error, self._folder) from error
        sizes = [each.st_size for each in found if _changed_ms(each) >= since_ms]
        return HeldParts(len(sizes), sum(sizes))

    def erase(self, names: Iterable[str]) -> None:
        """Erase these; those that are not here are erased already.

        Raises:
            ConfigurationError: the disk refuses it; some may be gone.
        """
        with self._lock:
            try:
                self._require_folder()
                for name in names:
                    self._require_name(name)
                    (self._folder / name).unlink(missing_ok=True)
                sync_directory(self._folder)
            except FileNotFoundError:
                return
            except OSError as error:
                raise _refused(error, self._folder) from error

    def sweep(self, keep: Container[str], *, before_ms: int) -> int:
        """Erase what is older but these, what a crash left half-written among it.

        Args:
            keep: names that stay.
            before_ms: what was kept, or kept again, then or later stays, UTC ms.

        Returns:
            How many are gone.

        Raises:
            ConfigurationError: the disk refuses it; some may be gone.
        """
        gone = 0
        with self._lock:
            try:
                for entry in self._entries():
                    if entry.name in keep:
                        continue
                    if _changed_ms(entry.stat(follow_symlinks=False)) < before_ms:
                        os.unlink(entry.path)
                        gone += 1
                if gone:
                    sync_directory(self._folder)
            except OSError as error:
                raise _refused(error, self._folder) from error
        return gone

    def _entries(self) -> list[os.DirEntry[str]]:
        """Return what lies in the folder: parts, what is no part, and never another folder."""
        try:
            self._require_folder()
            with os.scandir(self._folder) as entries:
                return [each for each in entries if not each.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []

    def _make_folder(self) -> None:
        for folder in (self._folder.parent, self._folder):
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            sync_directory(folder.parent)
        self._require_folder()

    def _require_folder(self) -> None:
        # Whoever may put a link there may choose what is overwritten and what is swept away.
        if not stat.S_ISDIR(self._folder.lstat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))

    def _is_whole(self, name: str) -> bool:
        try:
            self.read(name)
        except PartMissingError:
            return False
        return True

    def _write(self, name: str, data: bytes) -> None:
        draft = self._folder / f"{_DRAFT}{name}.{secrets.token_hex(4)}"
        try:
            descriptor = os.open(draft, _WRITE, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            # Replaces a link of that name, and not what it leads to.
            draft.replace(self._folder / name)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    @staticmethod
    def _require_name(sha256: str) -> None:
        if _NAME.fullmatch(sha256) is None:
            raise InvalidDocumentError(
                "a part is named by its SHA-256", given=sha256[:80], expected="64 hex digits"
            )


def _changed_ms(found: os.stat_result) -> int:
    return found.st_mtime_ns // 1_000_000


def _refused(error: OSError, folder: Path) -> NoRoomError | ConfigurationError:
    what = error.strerror or type(error).__name__
    if error.errno in _NO_ROOM:
        return NoRoomError(
            f"a part of a private check cannot be kept: {what}",
            given=str(folder),
            remedy="make room on this disk",
        )
    return ConfigurationError(
        f"parts of private checks cannot be reached: {what}",
        given=str(folder),
        expected="a folder of this account, and no link",
        remedy="check the folder and its disk",
    )
