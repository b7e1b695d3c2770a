"""Files of the node folder: whole or not there, and for the owner's eyes only."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deconflict.errors import ConfigurationError
from deconflict.store.directory import sync_directory

__all__ = [
    "new_folder",
    "refuse_readable_by_others",
    "write_atomically",
    "write_new",
]


@contextmanager
def new_folder(path: Path, what: str) -> Iterator[Path]:
    """Yield an empty folder; once it is filled it stands at ``path``, whole and on disk.

    Where filling it fails, nothing is left.

    Args:
        path: where nothing is yet.
        what: it is, for the words of a refusal.

    Raises:
        ConfigurationError: the disk refuses it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield draft
            for directory in (*(each for each in draft.iterdir() if each.is_dir()), draft):
                sync_directory(directory)
            draft.rename(path)
        except BaseException:
            shutil.rmtree(draft)
            raise
        sync_directory(path.parent)
    except OSError as error:
        raise ConfigurationError(
            f"{what} cannot be written",
            given=f"{error.filename or path}: {error.strerror}",
            remedy="check the rights and the space of the disk",
        ) from error


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file that must not exist yet, with this mode from its first byte on, to disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def write_atomically(path: Path, data: bytes, *, mode: int) -> None:
    """Write or replace a file so that a crash leaves the old one or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)  # left by a crash; only one process writes a node folder
    write_new(temporary, data, mode=mode)
    temporary.replace(path)
    sync_directory(path.parent)


def refuse_readable_by_others(path: Path) -> None:
    """Return when only the owner may read or write a secret file.

    Raises:
        ConfigurationError: group or others have any right to it.
    """
    if os.name == "nt":  # modes say nothing there
        return
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise ConfigurationError(
            "a secret file may be read or changed by others than its owner",
            given=f"{path} has mode {mode:04o}",
            expected="0600",
            remedy=f"chmod 600 {path}; if others had access to this machine, make new keys",
        )
