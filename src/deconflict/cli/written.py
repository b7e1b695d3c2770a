"""Files that commands write: whole or not there, and nothing is replaced without a word."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from deconflict.errors import InvalidInputError

__all__ = ["drafted", "force_option", "require_free", "write_file"]

force_option = click.option(
    "--force", is_flag=True, help="Replace the file to be written, where it is there already."
)


def require_free(
    *files: Path | None, force: bool = False, kept: str = "", read: Sequence[Path] = ()
) -> None:
    """Return when a command may write these; asked before it does anything else.

    What is no file of its own (a terminal, a pipe) is written to, never replaced.

    Args:
        files: each that is to be written; None for one that is not asked for.
        force: whether to replace them.
        kept: what such files are that no ``--force`` replaces, as "records".
        read: what the command reads. No ``--force`` replaces it: it is mostly a slip, and what was
            asked about would be gone with the answer in its place.

    Raises:
        InvalidInputError: one is there already, or is read, or is named twice, or its folder is
            not there or takes no file: the work is not done first and lost then.
    """
    named = [file for file in files if file is not None]
    for number, new in enumerate(named):
        # A terminal or a pipe may be named twice: it shows the one after the other.
        if any(_same(new, other) for other in named[:number]) and not _is_stream(new):
            raise InvalidInputError(
                "one file cannot hold two things",
                given=f"{new} named twice",
                expected="a file of its own for each thing that is written",
                remedy="name another file for one of them",
            )
    for file in files:
        if file is not None and file.exists() and any(file.samefile(one) for one in read):
            raise InvalidInputError(
                "this file is read by the same command, and would be lost",
                given=str(file),
                expected="another file: what is read is never replaced",
                remedy="name another file to be written",
            )
    for file in named:
        _require_folder(file)
    for file in files:
        if file is None or force or not file.is_file():
            continue
        raise InvalidInputError(
            "this file exists already",
            given=str(file),
            expected=f"a new file: {kept} are kept" if kept else "a new file",
            remedy="name another file" + ("" if kept else ", or replace this one: --force"),
        )


def _require_folder(file: Path) -> None:
    if _is_stream(file):
        return
    folder = file.parent
    there = folder.is_dir()
    if there and os.access(folder, os.W_OK | os.X_OK):
        return
    raise InvalidInputError(
        "the folder takes no file from this account" if there else "there is no such folder",
        given=str(file),
        expected="a file in a folder that is there and may be written to",
        remedy="name another folder, or change its rights" if there else "make the folder first",
    )


def _same(one: Path, other: Path) -> bool:
    """Return True exactly when both names stand for one file, which need not be there yet."""
    if one.exists() and other.exists():
        return one.samefile(other)
    return os.path.realpath(one) == os.path.realpath(other)


def _is_stream(file: Path) -> bool:
    return file.exists() and not file.is_file()


def write_file(file: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that it is whole or not there, whatever ends the command meanwhile."""
    from deconflict.node.files import write_atomically

    if file.exists() and not file.is_file():
        file.write_bytes(data)
        return
    with _named(file):
        write_atomically(file, data, mode=mode)


@contextmanager
def drafted(file: Path) -> Iterator[Path]:
    """Yield where to write, a name of the same ending; once it is done it stands at ``file``."""
    if file.exists() and not file.is_file():
        yield file
        return
    draft = file.with_name(f".{file.stem}.new{file.suffix}")
    try:
        with _named(file):
            yield draft
            draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Let an error name the file that was asked for, not the one beside it."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(file), None
        raise
