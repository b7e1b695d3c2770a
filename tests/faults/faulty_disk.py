"""A disk that fails when told to, and one that loses what was not flushed: SQLite VFS in Python."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw


class FaultyDisk(apsw.VFS):
    """Passes everything through until the chosen write, flush or truncation, which fails.

    Args:
        fail_at: number of the operation to fail, from 1; None for none.
        error: what it fails with.
        torn: a failing write leaves its first half on the disk.
    """

    name = "faulty"

    def __init__(self, fail_at: int | None, error: type[apsw.Error], *, torn: bool = False):
        self.fail_at = fail_at
        self.error = error
        self.torn = torn
        self.operations = 0
        super().__init__(self.name, "")

    def xOpen(self, name, flags):
        return _FaultyFile(self, name, flags)

    def is_due(self) -> bool:
        self.operations += 1
        return self.operations == self.fail_at


class _FaultyFile(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name, flags):
        self._disk = disk
        super().__init__("", name, flags)

    def xWrite(self, data, offset):
        if self._disk.is_due():
            if self._disk.torn:
                super().xWrite(data[: len(data) // 2], offset)
            raise self._disk.error("injected")
        super().xWrite(data, offset)

    def xSync(self, flags):
        if self._disk.is_due():
            raise self._disk.error("injected")
        super().xSync(flags)

    def xTruncate(self, size):
        if self._disk.is_due():
            raise self._disk.error("injected")
        super().xTruncate(size)


class ForgetfulDisk(apsw.VFS):
    """Remembers for each file what a flush has made durable and what is only written.

    `after_power_cut` is what a real disk may hold then: the durable bytes and any of the later
    writes, each whole or not at all by sectors of 512 bytes.
    """

    name = "forgetful"

    def __init__(self) -> None:
        self.durable: dict[str, bytearray] = {}
        self.pending: dict[str, list[tuple[int, bytes | None]]] = {}
        super().__init__(self.name, "")

    def xOpen(self, name, flags):
        return _ForgetfulFile(self, name, flags)

    def xDelete(self, filename, sync_directory):
        self.durable.pop(filename, None)
        self.pending.pop(filename, None)
        super().xDelete(filename, sync_directory)

    def after_power_cut(self, folder: Path, rng: random.Random) -> None:
        for filename, durable in self.durable.items():
            content = bytearray(durable)
            for offset, data in self.pending[filename]:
                if data is None:
                    if rng.random() < 0.5:
                        _apply(content, offset, None)
                    continue
                for start in range(0, len(data), 512):
                    if rng.random() < 0.5:
                        _apply(content, offset + start, data[start : start + 512])
            (folder / Path(filename).name).write_bytes(content)


class _ForgetfulFile(apsw.VFSFile):
    def __init__(self, disk: ForgetfulDisk, name, flags):
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else name
        super().__init__("", name, flags)
        present = Path(self._path).read_bytes()
        disk.durable.setdefault(self._path, bytearray(present))
        disk.pending.setdefault(self._path, [])

    def xWrite(self, data, offset):
        super().xWrite(data, offset)
        self._disk.pending[self._path].append((offset, bytes(data)))

    def xTruncate(self, size):
        super().xTruncate(size)
        self._disk.pending[self._path].append((size, None))

    def xSync(self, flags):
        super().xSync(flags)
        content = self._disk.durable[self._path]
        for offset, data in self._disk.pending[self._path]:
            _apply(content, offset, data)
        self._disk.pending[self._path].clear()


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    """Write ``data`` at ``offset``, or with None cut the file there."""
    if data is None:
        del content[offset:]
        return
    if len(content) < offset + len(data):
        content.extend(bytes(offset + len(data) - len(content)))
    content[offset : offset + len(data)] = data


@contextmanager
def plugged_in(disk: apsw.VFS) -> Iterator[apsw.VFS]:
    try:
        yield disk
    finally:
        disk.unregister()
