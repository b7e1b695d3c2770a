"""The options that several commands share, and the folder and login they stand for."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from deconflict.errors import ConfigurationError, InvalidInputError

__all__ = [
    "PLACE",
    "RELEASES",
    "as_json_option",
    "as_option",
    "as_written_option",
    "drill_option",
    "existing_file",
    "file_or_stdin",
    "known_password",
    "line_option",
    "need_terminal",
    "node_folder",
    "node_option",
    "password_file_option",
    "password_from",
    "private_text",
    "secret",
    "talks_to_node",
    "typed_word",
    "write_private",
]

node_option = click.option(
    "--node",
    "node_dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="DECONFLICT_NODE",
    metavar="DIR",
    help="The node's folder (or set DECONFLICT_NODE).",
)
as_option = click.option(
    "--as",
    "account",
    envvar="DECONFLICT_ACCOUNT",
    metavar="ACCOUNT",
    help="The account to act as, when several are logged in (or set DECONFLICT_ACCOUNT).",
)
as_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, whole ids and all, for programs."
)
line_option = click.option(
    "--line",
    "line",
    metavar="PEER",
    help="The line, by the peer's name or the line's id; not needed while there is one line.",
)
as_written_option = click.option(
    "--as-written",
    is_flag=True,
    help="The places are meant, though latitude and longitude look exchanged.",
)
drill_option = click.option(
    "--drill/--real",
    "drill",
    default=None,
    help="Mark it as an exercise, or say that it is none while one lasts. Neither: as the message "
    "that it answers, or as the line is.",
)
existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)
file_or_stdin = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
password_file_option = click.option(
    "--password-file",
    type=existing_file,
    metavar="FILE",
    help="Take the password from the first line of a file of mode 0600, instead of asking.",
)
PLACE = "Coordinates in any notation: decimal, degrees and minutes, MGRS."
RELEASES = ("own-forces", "coalition", "none")  # to whom a receiver may pass a message on


def typed_word(word: str) -> str:
    """Return the word of an agreed list that travels: ``senior-1`` is ``SENIOR_1``."""
    return word.upper().replace("-", "_")


def talks_to_node(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--node``, ``--as`` and ``--json`` to a command that asks a running node."""
    return node_option(as_option(as_json_option(function)))


def node_folder(given: Path | None) -> Path:
    """Return the node's folder: the one given, or the present folder when it is one.

    Raises:
        ConfigurationError: there is no node folder there.
    """
    folder = given if given is not None else Path()
    if (folder / "node.toml").is_file():
        return folder
    if given is None:
        raise ConfigurationError(
            "which node?",
            expected="--node DIR, or DECONFLICT_NODE set to the node's folder",
            remedy="name the folder that `deconflict init` made",
        )
    raise ConfigurationError(
        "this is no node folder",
        given=str(given),
        expected="a folder with node.toml in it",
        remedy=f"check the path, or make a node there: deconflict init {given} --party NAME",
    )


def password_from(file: Path | None, *, account: str, option: str = "--password-file FILE") -> str:
    """Return an account's new password: the file's first line, or typed twice.

    ``option`` is what a command without a terminal has instead.

    Raises:
        InvalidInputError: the file is empty or readable by others, or there is no terminal to ask.
    """
    if file is not None:
        return _first_line(file)
    need_terminal("a password", option)
    return secret(f"Password for {account}", twice=True)


def known_password(file: Path | None, *, account: str) -> str:
    """Return the password an account has already: the file's first line, or typed once.

    Raises:
        InvalidInputError: as `password_from`.
    """
    if file is not None:
        return _first_line(file)
    need_terminal("a password", "--password-file FILE")
    return secret(f"Password for {account}")


def secret(question: str, *, twice: bool = False) -> str:
    """Return what a person types unseen, asked for twice where a typing error would lock out."""
    again = "The same again" if twice else False
    typed: str = click.prompt(question, hide_input=True, confirmation_prompt=again, err=True)
    return typed


def private_text(file: Path) -> str:
    """Return the text of a file with secrets in it.

    Raises:
        InvalidInputError: others may read the file, or it is no text.
    """
    if file.stat().st_mode & 0o077:
        raise InvalidInputError(
            "others may read this file of secrets",
            given=str(file),
            expected="a file that only its owner may read",
            remedy=f"chmod 600 {file}",
        )
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise InvalidInputError(
            "this file of secrets is no text", given=str(file), expected="UTF-8 text"
        ) from None


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whatever stood there before."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def _first_line(file: Path) -> str:
    lines = private_text(file).splitlines()
    if not lines or not lines[0]:
        raise InvalidInputError(
            "the password file is empty", given=str(file), expected="the password on the first line"
        )
    return lines[0]


def need_terminal(what: str, instead: str) -> None:
    """Return when a person can be asked.

    Raises:
        InvalidInputError: standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise InvalidInputError(
            f"there is no terminal to ask for {what}", expected=instead, remedy=f"give {instead}"
        )
