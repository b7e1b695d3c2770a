"""What was read of a record, kept in a file beside it, so that a start reads only what came since.

The file is no second truth. Only the audit of the whole record writes it, the record itself names
it by its hash, and whatever is amiss with it (damage, another edition of the program, an older or
newer copy of record or file) has one consequence: the whole record is read, as without it.
"""

import hashlib
import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import apsw
import msgspec

import deconflict
from deconflict.errors import InvalidDocumentError
from deconflict.node.files import write_atomically
from deconflict.node.fold import KeptFold
from deconflict.store.base import Store
from deconflict.store.verify import ProvenChain

__all__ = ["KEPT_NOTE", "KeptRecord", "edition", "read_kept", "write_kept"]

KEPT_NOTE: Final = "kept"  # of the record: SHA-256 of the file that was made of it last
_FIRST_LINE: Final = b"deconflict/1 kept\n"
_MOST_BYTES: Final = 2**31  # 45 MB for a million messages, as measured
_PROGRAM: Final = ("*.py", "*.toml", "*.json", "*.so", "*.pyd", "*.sql")
# All that an audit loads besides, and what it takes from each: rows, places, values, figures,
# signatures, bytes that are signed. A test holds this list to what is loaded.
LIBRARIES: Final = ("apsw", "mgrs", "msgspec", "numpy", "pynacl", "rfc8785")


class KeptRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the audit of a whole record found.

    Attributes:
        edition: of the program that made it.
        chains: how far each chain is proven.
        folds: what each line's chains imply up to there.
        audited_ms: when the copy was made that the audit read; 0 where nobody said.
    """

    edition: str
    chains: tuple[ProvenChain, ...]
    folds: tuple[KeptFold, ...]
    audited_ms: int = 0

    def fold(self, line_id: str) -> KeptFold | None:
        """Return what was kept of a line, None where nothing was."""
        return next((fold for fold in self.folds if fold.line_id == line_id), None)


@cache
def edition() -> str:
    """Return what this program is: a hash over its files, and what reads and writes for it.

    Another edition may come to another state from the same record. It never goes on from this one.
    """
    root = Path(deconflict.__file__).parent
    digest = hashlib.sha256()
    for what, which in _made_with():
        digest.update(f"{what} {which}\n".encode())
    for file in sorted({file for shape in _PROGRAM for file in root.rglob(shape)}):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def _made_with() -> list[tuple[str, str]]:
    return [
        ("deconflict", deconflict.__version__),
        ("python", sys.version),
        ("machine", platform.machine()),
        ("sqlite", apsw.sqlite_lib_version()),
        *((name, _version_of(name)) for name in LIBRARIES),
    ]


def _version_of(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        # As in a program frozen into one file. Nobody can say that it is the same one: each process
        # is an edition of its own then, and every start reads the whole record.
        return f"not told, {os.urandom(16).hex()}"


def write_kept(path: Path, kept: KeptRecord) -> bytes:
    """Write the file, whole or not at all; return its SHA-256, by which the record is to name it.

    Raises:
        OSError: the disk refuses it.
    """
    data = _FIRST_LINE + msgspec.msgpack.encode(kept)
    write_atomically(path, data, mode=0o600)
    return hashlib.sha256(data).digest()


def read_kept(path: Path, store: Store) -> KeptRecord | None:
    """Return what was kept of this very record; None where nothing was.

    Raises:
        InvalidDocumentError: the file cannot be used; the error says why.
        StoreError: the record cannot be read.
    """
    named = store.note(KEPT_NOTE)
    if named is None:
        return None
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _unusable("it is too long")
        data = path.read_bytes()
    except OSError as error:
        raise _unusable(f"it cannot be read: {error.strerror}") from error
    if hashlib.sha256(data).digest() != named:
        raise _unusable("it is not the file that the record names")
    try:
        kept = msgspec.msgpack.decode(data.removeprefix(_FIRST_LINE), type=KeptRecord)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise _unusable("another edition of the program wrote it") from error
    if kept.edition != edition():
        raise _unusable("another edition of the program wrote it")
    return kept


def _unusable(why: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"what was kept of the record is not used: {why}",
        remedy="nothing: the whole record is read and proven instead",
    )
