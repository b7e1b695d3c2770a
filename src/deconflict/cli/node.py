"""``deconflict init``, ``serve`` and ``doctor``: a node from its making to its daily health."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import (
    as_json_option,
    existing_file,
    need_terminal,
    node_folder,
    node_option,
    password_from,
    private_text,
    secret,
)
from deconflict.cli.output import clean, count, fields, state_word, write_json
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.node.folder import NodeFolder

__all__ = ["ask_passphrase", "doctor", "init", "renew", "serve"]

BY = "command line"
ADMINISTRATOR = "administrator"
CERTIFICATE_SOON_DAYS = 14  # the second of line.md section 8's four warnings


@command(
    "init",
    example="deconflict init blue-node --party blue --desk watch --desk second \\\n"
    "    --peer-listen 0.0.0.0:8443 --peer-url https://blue.example:8443",
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--party",
    required=True,
    metavar="NAME",
    help="Who signs: 1 to 32 lower-case letters, digits and hyphens.",
)
@click.option(
    "--desk",
    "desks",
    multiple=True,
    default=("watch", "second"),
    metavar="DESK",
    help="A desk on watch, the first in line first; repeat it.  [default: watch, second]",
)
@click.option(
    "--peer-listen",
    default="127.0.0.1:8443",
    show_default=True,
    metavar="HOST:PORT",
    help="Where other parties' nodes reach this one.",
)
@click.option(
    "--peer-url",
    default="",
    metavar="URL",
    help="What to tell them to call, when it is another address than the one listened on.",
)
@click.option(
    "--second-peer-listen",
    metavar="HOST:PORT",
    help="Where it listens besides, on a second network path.",
)
@click.option(
    "--second-peer-url",
    default="",
    metavar="URL",
    help="What to tell them to call on the second path, when it is another address.",
)
@click.option(
    "--operators-listen",
    default="127.0.0.1:8080",
    show_default=True,
    metavar="HOST:PORT",
    help="Where your own operators reach it; loopback only.",
)
@click.option(
    "--language",
    "languages",
    multiple=True,
    default=("en", "ru"),
    metavar="LANG",
    help="A language of the desks: en, ru or ar; the usual one first; repeat it.  "
    "[default: en, ru]",
)
@click.option(
    "--admin",
    default="admin",
    show_default=True,
    metavar="NAME",
    help="The first administrator, who keeps accounts and reads no message.",
)
@click.option(
    "--account",
    "accounts",
    multiple=True,
    metavar="NAME=ROLE[,ROLE]",
    help="Another account to make at once; repeat it. Roles: watch_officer, releasing_officer, "
    "auditor, administrator.",
)
@click.option(
    "--passwords",
    type=existing_file,
    metavar="FILE",
    help="Take passwords from a file of mode 0600, one line 'NAME PASSWORD' an account, instead "
    "of asking.",
)
@click.option(
    "--passphrase-prompt",
    is_flag=True,
    help="Seal the keys with a passphrase, asked for, or read from the file that "
    "DECONFLICT_PASSPHRASE_FILE names.",
)
@as_json_option
def init(
    folder: Path,
    party: str,
    desks: tuple[str, ...],
    peer_listen: str,
    peer_url: str,
    second_peer_listen: str | None,
    second_peer_url: str,
    operators_listen: str,
    languages: tuple[str, ...],
    admin: str,
    accounts: tuple[str, ...],
    passwords: Path | None,
    passphrase_prompt: bool,
    as_json: bool,
) -> None:
    """Make the folder of a new node: keys, certificate, first accounts.

    Nothing is overwritten: DIR must not exist yet. At the end the fingerprint of the new signing
    key is shown; the other party has to hear it from you, by voice.
    """
    from deconflict.api.passwords import check_password_rules
    from deconflict.cli.account import open_accounts
    from deconflict.node.actor import parse_roles
    from deconflict.node.folder import NodeFolder
    from deconflict.node.settings import Endpoint, Settings

    settings = Settings(
        party=party,
        desks=desks,
        languages=languages,
        peer_listen=Endpoint.parse(peer_listen),
        peer_url=peer_url,
        operators_listen=Endpoint.parse(operators_listen),
        second_peer_listen=Endpoint.parse(second_peer_listen) if second_peer_listen else None,
        second_peer_url=second_peer_url,
    )
    # Everything a person can get wrong is asked and checked before the first byte is written.
    wanted = _named_roles((f"{admin}={ADMINISTRATOR}", *accounts))
    for roles in wanted.values():
        parse_roles(roles)
    known = _named_passwords(passwords)
    words = {
        name: known.get(name) or password_from(None, account=name, option="--passwords FILE")
        for name in wanted
    }
    for name, word in words.items():
        check_password_rules(word, account=name)
    passphrase = ask_new_passphrase() if passphrase_prompt else None

    node = NodeFolder.create(
        folder,
        settings,
        passphrase=passphrase,
        now_utc_ms=time.time_ns() // 1_000_000,
        random_bytes=os.urandom,
    )
    invitation = folder / f"{party}.invitation"
    invitation.write_bytes(node.invitation_path.read_bytes())
    book = open_accounts(folder)
    try:
        for name, roles in wanted.items():
            book.add(name, words[name], roles=roles, desk=desks[0], by=BY)
    finally:
        book.close()
    if as_json:
        write_json(
            {
                "folder": str(folder),
                "party": party,
                "fingerprint": node.verify_key.fingerprint(),
                "key_id": node.verify_key.key_id,
                "invitation": str(invitation),
                "peer_url": node.settings.peer_url,
                "peer_urls": list(node.settings.peer_urls),
                "operators_url": f"http://{node.settings.operators_listen}",
                "sealed": node.sealed,
                "accounts": {name: list(roles) for name, roles in wanted.items()},
            }
        )
        return
    _say_made(node, folder, invitation, list(wanted))


@command("serve", example="deconflict serve --node blue-node")
@node_option
@as_json_option
def serve(node_dir: Path | None, as_json: bool) -> None:
    """Run the node until it is told to stop.

    Before it speaks it verifies its record, and if that does not verify, it does not speak: the
    whole of it, or what came since it was last verified whole; then all again while it runs.
    Ctrl-C or a TERM signal ends it cleanly. With a certificate that is not valid now it starts all
    the same and says so: no peer lets it in, yet its desk can read and export.
    """
    from deconflict.cli.serving import serve_folder
    from deconflict.node.folder import NodeFolder

    folder = NodeFolder.open(node_folder(node_dir))
    keys = folder.unlock(ask_passphrase)
    _warn_of_certificate(folder.path)
    serve_folder(folder, keys, as_json=as_json)


@command("doctor", example="deconflict doctor --node blue-node")
@node_option
@as_json_option
@click.pass_context
def doctor(ctx: click.Context, node_dir: Path | None, as_json: bool) -> None:
    """Say in plain words what is wrong with the node, if anything.

    Looks at the clock, the certificates, the rights of the key files, the disk, the databases and
    each peer's door. Works with the node running or stopped. Exit code 1 says that something is
    wrong; a warning alone is no fault yet.
    """
    from deconflict.node.doctor import WRONG, examine

    folder = node_folder(node_dir)
    findings = examine(folder, now_utc_ms=time.time_ns() // 1_000_000)
    wrong = sum(one.state == WRONG for one in findings)
    if as_json:
        write_json({"findings": findings, "wrong": wrong})
    else:
        width = max(len(one.subject) for one in findings)
        for one in findings:
            mark = state_word(one.state) + " " * (9 - len(one.state))
            click.echo(f"{mark}{one.subject:<{width}}  {clean(one.words)}")
            if one.remedy:
                click.echo(f"{'':{9 + width}}  to do: {clean(one.remedy)}")
        warned = sum(one.state == "warning" for one in findings)
        click.echo(f"\n{wrong or 'nothing'} wrong, {count(warned, 'warning')}")
    if wrong:
        ctx.exit(EXIT_FINDING)


@command("renew", example="deconflict renew --node blue-node")
@node_option
@as_json_option
def renew(node_dir: Path | None, as_json: bool) -> None:
    """Renew the node's certificate.

    The key stays, so the peers' pins stay right and nobody has to be asked. A running node takes
    the new certificate when it starts again.
    """
    from deconflict.node.folder import NodeFolder

    folder = NodeFolder.open(node_folder(node_dir))
    days = folder.renew_certificate(
        folder.unlock(ask_passphrase),
        now_utc_ms=time.time_ns() // 1_000_000,
        random_bytes=os.urandom,
    )
    if as_json:
        write_json({"days": days})
    else:
        click.echo(f"The certificate is valid for {days} days. Restart the node to use it.")


def ask_passphrase() -> str:
    """Return the passphrase of sealed keys, typed by the person at the terminal.

    Raises:
        InvalidInputError: there is no terminal.
    """
    need_terminal("the passphrase of the keys", "DECONFLICT_PASSPHRASE_FILE naming its file")
    return secret("Passphrase of the keys")


def ask_new_passphrase() -> str:
    """Return a new passphrase: from the file that the environment names, or typed twice.

    Raises:
        InvalidInputError: there is neither, or the file is readable by others.
    """
    named = os.environ.get("DECONFLICT_PASSPHRASE_FILE")
    if named:
        return private_text(Path(named)).removesuffix("\n")
    need_terminal("a passphrase", "DECONFLICT_PASSPHRASE_FILE naming its file")
    return secret("Passphrase to seal the keys with", twice=True)


def _warn_of_certificate(folder: Path) -> None:
    from deconflict.node.doctor import OK, certificate_check, key_age_check

    now_utc_ms = time.time_ns() // 1_000_000
    found = certificate_check(folder, now_utc_ms, warning_days=CERTIFICATE_SOON_DAYS)
    aged = key_age_check(folder, now_utc_ms, warning_days=CERTIFICATE_SOON_DAYS)
    for what, one in (("certificate", found), ("signing key", aged)):
        if one.state != OK:
            warning = click.style("warning: ", fg="yellow")
            click.echo(f"{warning}the {what}: {clean(one.words)}", err=True)
            click.echo(f"  to do: {clean(one.remedy)}", err=True)


def _say_made(node: "NodeFolder", folder: Path, invitation: Path, accounts: list[str]) -> None:
    settings = node.settings
    click.echo(f"The node of {settings.party} is ready in {folder}.\n")
    fields(
        (
            ("desks", ", ".join(settings.desks)),
            ("peers call it at", " and ".join(settings.peer_urls)),
            ("operators use", f"http://{settings.operators_listen}"),
            ("accounts", ", ".join(accounts)),
            ("keys", "sealed with your passphrase" if node.sealed else "protected by file mode"),
        ),
        indent=2,
    )
    click.echo("\nFingerprint of its signing key, to be read to the other party by voice:\n")
    click.echo(click.style(f"    {node.verify_key.fingerprint()}", bold=True))
    click.echo(
        f"\nNext:\n"
        f"  1. give {invitation} to the other party, by any way: it is public\n"
        f"  2. get theirs, hear their fingerprint by voice, and pin them:\n"
        f"     deconflict peer add THEIR.invitation --node {folder}\n"
        f"  3. deconflict account add NAME --role watch_officer --node {folder}\n"
        f"  4. deconflict serve --node {folder}"
    )


def _named_roles(accounts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for written in accounts:
        name, _, roles = written.partition("=")
        if not name or not roles or name in found:
            raise InvalidInputError(
                "an account to make cannot be read",
                given=written,
                expected="NAME=ROLE or NAME=ROLE,ROLE, each name once",
            )
        found[name] = tuple(roles.split(","))
    return found


def _named_passwords(file: Path | None) -> Mapping[str, str]:
    if file is None:
        return {}
    found = {}
    for number, line in enumerate(private_text(file).splitlines(), 1):
        name, _, word = line.partition(" ")
        if not word:
            raise InvalidInputError(
                "a line of the passwords file cannot be read",
                given=f"{file}, line {number}",
                expected="NAME PASSWORD",
            )
        found[name] = word
    return found
