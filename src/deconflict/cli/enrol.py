"""``deconflict enrol``: who is to be let in, and the second person who lets them in.

Like accounts, these work on the node's folder, running or not. Each person proves who they are with
their own password, every time: a login that is kept in the folder is at the hands of whoever has
the folder, and would make one person two.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import Group, command
from deconflict.cli.options import (
    as_json_option,
    as_option,
    existing_file,
    known_password,
    node_folder,
    node_option,
    password_file_option,
)
from deconflict.cli.output import clean, sentences, when, write_json
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.api.accounts import Accounts
    from deconflict.api.enrolments import Enrolment, Enrolments
    from deconflict.node.actor import Actor
    from deconflict.node.settings import Settings

__all__ = ["asker_options", "enrol", "enrolments_of", "proven", "say_asked_for", "takes_two"]


def asker_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--as`` and ``--as-password-file``: who asks, where two persons are wanted."""
    return as_option(
        click.option(
            "--as-password-file",
            type=existing_file,
            metavar="FILE",
            help="Take the password of --as from the first line of a file of mode 0600.",
        )(function)
    )


@click.group("enrol", cls=Group, example="deconflict enrol list")
def enrol() -> None:
    """Who waits for a second person to be let in: accounts and peers.

    Where your node wants two persons (release_persons = 2 in node.toml), an account that is added,
    let in again or given another password, and a peer that is pinned, wait here until another
    releasing officer or administrator releases them with their own password. What waits lapses
    after 24 hours.
    """


@command("list", group=enrol, example="deconflict enrol list")
@node_option
@as_json_option
def list_waiting(node_dir: Path | None, as_json: bool) -> None:
    """List who waits to be let in."""
    folder = node_folder(node_dir)
    with enrolments_of(folder) as (_, enrolments):
        waiting = [each.view(_settings(folder).language) for each in enrolments.waiting()]
    if as_json:
        write_json([_facts(each) for each in waiting])
        return
    if not waiting:
        click.echo("Nobody waits to be let in.")
        return
    for each in waiting:
        click.echo(
            click.style(each.held_id, bold=True) + f"  asked for by {clean(each.written_by)}"
        )
        click.echo(sentences(each.text, indent=2))
    click.echo("\nLook at it, then: deconflict enrol release ID --as ACCOUNT")


@command(
    "release",
    group=enrol,
    example="deconflict enrol release 3f9a01cc --as boris",
)
@click.argument("held_id", metavar="ID")
@as_option
@password_file_option
@click.option(
    "--fingerprint",
    metavar="DIGITS",
    help="Of a peer: what you heard yourself, by voice. Without it you are asked.",
)
@click.option(
    "--root-fingerprint",
    metavar="DIGITS",
    help="Of a peer whose invitation brings a root: what you heard of that, by voice.",
)
@node_option
@as_json_option
def release(
    held_id: str,
    account: str | None,
    password_file: Path | None,
    fingerprint: str | None,
    root_fingerprint: str | None,
    node_dir: Path | None,
    as_json: bool,
) -> None:
    """Let in whom another person asked for, with your own password.

    A peer is pinned only when you too have heard its fingerprint: one person who was deceived is
    not enough.
    """
    folder = node_folder(node_dir)
    with enrolments_of(folder) as (accounts, enrolments):
        asked = enrolments.get(held_id)
        actor = proven(accounts, account, password_file)
        asked.require_releasable(actor)
        spoken = (fingerprint, root_fingerprint)
        pin = _pin(folder, asked, spoken) if asked.what == "PEER" else None
        done = enrolments.release(actor, held_id, pin=pin)
    if as_json:
        write_json({"held_id": done.enrolment_id, "what": done.what, "subject": done.subject})
        return
    said = {
        "ACCOUNT": "can log in now.",
        "ENABLE": "can log in again.",
        "PASSWORD": "has the new password; its logins have ended.",
        "PEER": "is pinned. A node that is running takes this up when it starts again.",
    }
    click.echo(f"{clean(done.subject)} {said[done.what]}")


@command(
    "withdraw",
    group=enrol,
    example="deconflict enrol withdraw 3f9a01cc --as olga",
)
@click.argument("held_id", metavar="ID")
@as_option
@password_file_option
@node_option
@as_json_option
def withdraw(
    held_id: str,
    account: str | None,
    password_file: Path | None,
    node_dir: Path | None,
    as_json: bool,
) -> None:
    """Forget that somebody was to be let in."""
    with enrolments_of(node_folder(node_dir)) as (accounts, enrolments):
        enrolments.get(held_id)
        gone = enrolments.withdraw(proven(accounts, account, password_file), held_id)
    if as_json:
        write_json({"held_id": gone.enrolment_id, "withdrawn": True})
    else:
        click.echo(f"{clean(gone.enrolment_id)} is withdrawn; nobody is let in by it.")


def takes_two(folder: Path) -> bool:
    """True exactly when this node wants two persons for who is let in."""
    return _settings(folder).release_persons > 1


@contextmanager
def enrolments_of(folder: Path) -> "Iterator[tuple[Accounts, Enrolments]]":
    """Open the accounts file of a node folder, and who waits in it."""
    from deconflict.api.enrolments import Enrolments
    from deconflict.cli.account import open_accounts

    with closing(open_accounts(folder)) as accounts:
        yield (
            accounts,
            Enrolments(
                accounts,
                persons=_settings(folder).release_persons,
                now=lambda: time.time_ns() // 1_000_000,
                random_bytes=os.urandom,
            ),
        )


def proven(accounts: "Accounts", account: str | None, password_file: Path | None) -> "Actor":
    """Return who is at the terminal, proven by their password now.

    Raises:
        InvalidInputError: nobody was named, or there is no way to ask.
        NotAuthenticatedError: the password is not theirs.
    """
    if account is None:
        raise InvalidInputError(
            "this node wants two persons, each under their own account",
            expected="--as ACCOUNT, of a releasing officer or an administrator",
            remedy="name your own account: --as NAME",
        )
    return accounts.prove(account, known_password(password_file, account=account))


def say_asked_for(asked: "Enrolment", *, as_json: bool) -> None:
    """Say that somebody waits to be let in, and how it goes on."""
    from deconflict.airspace.instant import format_utc

    expires = format_utc(asked.expires_utc_ms)
    if as_json:
        write_json(
            {
                "state": "HELD",
                "held_id": asked.enrolment_id,
                "what": asked.what,
                "subject": asked.subject,
                "expires_utc": expires,
            }
        )
        return
    click.echo(
        click.style("Nobody is let in yet:", bold=True)
        + f" a second person has to release it, with their own password, before {when(expires)}:"
    )
    click.echo(f"  deconflict enrol release {asked.enrolment_id} --as ACCOUNT")


def _pin(
    folder: Path, asked: "Enrolment", spoken: tuple[str | None, str | None]
) -> Callable[[bytes], None]:
    """Return what pins a peer; the fingerprints are asked for before anything is locked."""
    from deconflict.cli.peer import ask_fingerprint, ask_root_fingerprint
    from deconflict.node.folder import NodeFolder
    from deconflict.node.invitation import Invitation

    fingerprint, root_fingerprint = spoken
    heard = fingerprint or ask_fingerprint(asked.subject)
    peers = NodeFolder.open(folder).peers()
    root = root_fingerprint or ask_root_fingerprint(Invitation.parse(asked.data), peers)

    def pin(invitation: bytes) -> None:
        peers.pin(Invitation.parse(invitation), heard, root)

    return pin


def _settings(folder: Path) -> "Settings":
    from deconflict.node.folder import read_settings

    return read_settings(folder)


def _facts(view: Any) -> dict[str, Any]:
    return {
        "held_id": view.held_id,
        "what": view.what,
        "asked_by": view.written_by,
        "asked_utc": view.written_utc,
        "expires_utc": view.expires_utc,
        "text": view.text,
    }
