"""``deconflict account``: the people who work with this node.

These commands work on the accounts file in the node's folder, running or not: whoever may write
that file is the machine's administrator anyway. Passwords are typed, or come from a file that only
its owner may read; they never stand in an argument, where every user of the machine could see them.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deconflict.cli.command import Group, command
from deconflict.cli.enrol import (
    asker_options,
    enrolments_of,
    proven,
    say_asked_for,
    takes_two,
)
from deconflict.cli.options import (
    as_json_option,
    known_password,
    node_folder,
    node_option,
    password_file_option,
    password_from,
    write_private,
)
from deconflict.cli.output import clean, table, when, write_json
from deconflict.errors import NotAuthenticatedError

if TYPE_CHECKING:
    from deconflict.api.accounts import Accounts, Session

__all__ = ["ROLES", "account", "open_accounts", "require_enabled"]

# As deconflict.node.actor.Role has them, written again so that --help need not import the node.
ROLES = (
    "watch_officer",
    "releasing_officer",
    "auditor",
    "administrator",
    "senior",
    "interpreter",
    "legal_adviser",
    "senior_1",
    "senior_2",
    "senior_3",
    "humanitarian_notifier",
    "civil_liaison",
)
BY = "command line"


@click.group("account", cls=Group, example="deconflict account add olga --role watch_officer")
def account() -> None:
    """Accounts of the people who work with this node.

    A watch officer reads and answers. A releasing officer also declares and agrees terms. A senior,
    of the first to third tier, holds calls and answers for their readouts; an interpreter reads and
    takes notes of calls; a legal adviser reads. A humanitarian notifier declares protected sites
    and warns, and sees its sites alone; a civil liaison reads and warns. An auditor reads and
    exports. An administrator keeps accounts and the machine, and reads no message.
    """


@command(
    "add",
    group=account,
    example="deconflict account add olga --role watch_officer --desk watch\n"
    "deconflict account add planner --role releasing_officer --login",
)
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(ROLES),
    help="May be repeated.",
)
@click.option(
    "--desk", metavar="DESK", help="Where this person sits; the node's first desk if not said."
)
@click.option(
    "--login", "log_in", is_flag=True, help="Also log in, so that commands can act as it."
)
@password_file_option
@asker_options
@node_option
@as_json_option
def add(
    name: str,
    roles: tuple[str, ...],
    desk: str | None,
    log_in: bool,
    password_file: Path | None,
    account: str | None,
    as_password_file: Path | None,
    node_dir: Path | None,
    as_json: bool,
) -> None:
    """Add an account; its password is asked for.

    Where your node wants two persons (release_persons = 2 in node.toml), an administrator asks for
    it, named with --as, and a second person releases it: deconflict enrol.
    """
    folder = node_folder(node_dir)
    desk = desk or _first_desk(folder)
    if takes_two(folder):
        from deconflict.api.enrolments import Enrolment

        with enrolments_of(folder) as (waiting_in, enrolments):
            actor = proven(waiting_in, account, as_password_file)
            password = password_from(password_file, account=name)
            asked = enrolments.add_account(actor, name, password, roles=roles, desk=desk)
        if isinstance(asked, Enrolment):
            say_asked_for(asked, as_json=as_json)
        return
    accounts = open_accounts(folder)
    try:
        password = password_from(password_file, account=name)
        made = accounts.add(name, password, roles=roles, desk=desk, by=BY)
        session = accounts.issue(name, by=BY) if log_in else None
    finally:
        accounts.close()
    if session is not None:
        keep_login(folder, session)
    if as_json:
        write_json({"name": made.name, "roles": sorted(made.roles), "desk": made.desk})
        return
    click.echo(f"{made.name} can log in now, at desk {made.desk} as {_words(sorted(made.roles))}.")
    if session is not None:
        _say_login(session)


@command("list", group=account, example="deconflict account list")
@node_option
@as_json_option
def list_accounts(node_dir: Path | None, as_json: bool) -> None:
    """List the accounts."""
    accounts = open_accounts(node_folder(node_dir))
    try:
        found = accounts.list()
    finally:
        accounts.close()
    if as_json:
        write_json(
            [
                {
                    "name": one.name,
                    "roles": sorted(one.roles),
                    "desk": one.desk,
                    "disabled": one.disabled,
                    "created_utc": _utc(one.created_utc_ms),
                }
                for one in found
            ]
        )
        return
    table(
        ("ACCOUNT", "DESK", "ROLES", "SINCE", "STATE"),
        [
            (
                one.name,
                one.desk,
                _words(sorted(one.roles)),
                when(_utc(one.created_utc_ms)),
                "disabled" if one.disabled else "active",
            )
            for one in found
        ],
    )


@command("disable", group=account, example="deconflict account disable olga")
@click.argument("name")
@node_option
@as_json_option
def disable(name: str, node_dir: Path | None, as_json: bool) -> None:
    """Shut an account out and end its logins at once."""
    folder = node_folder(node_dir)
    accounts = open_accounts(folder)
    try:
        accounts.disable(name, by=BY)
    finally:
        accounts.close()
    _token_path(folder, name).unlink(missing_ok=True)
    if as_json:
        write_json({"name": name, "disabled": True})
    else:
        click.echo(f"{clean(name)} is disabled, and its logins have ended.")


@command("login", group=account, example="deconflict account login olga")
@click.argument("name")
@password_file_option
@node_option
@as_json_option
def login(name: str, password_file: Path | None, node_dir: Path | None, as_json: bool) -> None:
    """Log in for one watch, so that commands can act as this account.

    The login is kept in the node's folder, in a file of mode 0600 under tokens, and ends after
    12 hours.
    """
    folder = node_folder(node_dir)
    accounts = open_accounts(folder)
    try:
        require_enabled(accounts, name)
        session = accounts.log_in(name, known_password(password_file, account=name))
    finally:
        accounts.close()
    path = keep_login(folder, session)
    if as_json:
        write_json(
            {"name": name, "expires_utc": _utc(session.expires_utc_ms), "token_file": str(path)}
        )
    else:
        _say_login(session)


def open_accounts(folder: Path) -> "Accounts":
    """Return the accounts file of a node folder; whoever opens it closes it."""
    from deconflict.api.accounts import Accounts

    path = folder / "accounts.sqlite"
    return Accounts(path, now=lambda: time.time_ns() // 1_000_000, random_bytes=os.urandom)


def require_enabled(accounts: "Accounts", name: str) -> None:
    """Return unless this account is disabled; whoever has the folder may know that.

    Raises:
        NotAuthenticatedError: it is.
    """
    if any(one.name == name and one.disabled for one in accounts.list()):
        raise NotAuthenticatedError(
            f"{name} is disabled",
            expected="an account that may log in",
            remedy=f"an administrator can let it in again: POST /api/v1/accounts/{name}/enable",
        )


def keep_login(folder: Path, session: "Session") -> Path:
    """Write the login where commands look for it, and return the file."""
    path = _token_path(folder, session.actor.account)
    write_private(path, session.token + "\n")
    return path


def _say_login(session: "Session") -> None:
    until = when(_utc(session.expires_utc_ms))
    click.echo(f"{session.actor.account} is logged in until {until}.")


def _token_path(folder: Path, name: str) -> Path:
    from deconflict.cli.client import token_path

    return token_path(folder, name)


def _first_desk(folder: Path) -> str:
    from deconflict.node.settings import Settings

    return Settings.parse((folder / "node.toml").read_text("utf-8")).desks[0]


def _utc(utc_ms: int) -> str:
    from deconflict.airspace.instant import format_utc

    return format_utc(utc_ms)


def _words(roles: list[str]) -> str:
    return ", ".join(role.replace("_", " ") for role in roles)
