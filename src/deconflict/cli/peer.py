"""``deconflict peer``: who this node talks to, each pinned after a person compared by voice."""

import sys
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
from deconflict.cli.options import as_json_option, existing_file, node_folder, node_option
from deconflict.cli.output import clean, fields, short, table, when, write_json
from deconflict.cli.written import force_option, require_free, write_file
from deconflict.errors import InvalidInputError

if TYPE_CHECKING:
    from deconflict.line.root import Root
    from deconflict.node.folder import NodeFolder
    from deconflict.node.invitation import Invitation
    from deconflict.node.peers import PeerBook, PinnedPeer

__all__ = ["ask_fingerprint", "ask_root_fingerprint", "peer"]

RESTART = "A node that is running takes this up when it starts again."


@click.group("peer", cls=Group, example="deconflict peer add red.invitation")
def peer() -> None:
    """Parties this node talks to, each pinned by its fingerprint.

    Nothing is trusted on first use. The other party reads the fingerprint of its key to you, from
    its own screen and over a way you trust; only then is its invitation pinned.
    """


@command(
    "add",
    group=peer,
    example="deconflict peer add red.invitation\n"
    'deconflict peer add red.invitation --fingerprint "12345 67890 12345 67890 12345 67890 '
    '12345 67890"',
)
@click.argument("invitation", metavar="FILE", type=existing_file)
@click.option(
    "--fingerprint",
    metavar="DIGITS",
    help="What you heard by voice, not what stands in the file. Without it you are asked.",
)
@click.option(
    "--root-fingerprint",
    metavar="DIGITS",
    help="What you heard of its root's, where the invitation brings one that is not pinned yet.",
)
@asker_options
@node_option
@as_json_option
def add(
    invitation: Path,
    fingerprint: str | None,
    root_fingerprint: str | None,
    account: str | None,
    as_password_file: Path | None,
    node_dir: Path | None,
    as_json: bool,
) -> None:
    """Pin a party from its invitation file.

    Where your node wants two persons (release_persons = 2 in node.toml), you name yourself with
    --as, and a second person, who has heard the fingerprint too, releases it: deconflict enrol.
    """
    from deconflict.node.invitation import MAX_INVITATION_BYTES, Invitation

    folder = _open(node_dir)
    with invitation.open("rb") as file:
        offered = Invitation.parse(file.read(MAX_INVITATION_BYTES + 2))
    if fingerprint is None:
        fingerprint = ask_fingerprint(offered.party)
    peers = folder.peers()
    if root_fingerprint is None:
        root_fingerprint = ask_root_fingerprint(offered, peers)
    if takes_two(folder.path):
        peers.require_pinnable(offered, fingerprint, root_fingerprint)
        with enrolments_of(folder.path) as (accounts, enrolments):
            actor = proven(accounts, account, as_password_file)
            asked = enrolments.ask_peer(actor, offered.party, offered.export())
        say_asked_for(asked, as_json=as_json)
        return
    pinned = peers.pin(offered, fingerprint, root_fingerprint)
    if as_json:
        write_json(_facts(pinned))
        return
    at = " and ".join(pinned.urls)
    click.echo(f"{pinned.party} is pinned, at {at}. The line is {short(pinned.line_id)}.")
    if pinned.root is None:
        click.echo(f"Without a root: {pinned.party} can change its key only by being pinned anew.")
    click.echo(RESTART)


@command("list", group=peer, example="deconflict peer list")
@node_option
@as_json_option
def list_peers(node_dir: Path | None, as_json: bool) -> None:
    """List the pinned parties."""
    pinned = _open(node_dir).peers().list()
    if as_json:
        write_json([_facts(one) for one in pinned])
        return
    if not pinned:
        click.echo("No party is pinned yet: deconflict peer add THEIR.invitation")
        return
    table(
        ("PARTY", "LINE", "DESKS", "CALLED AT"),
        [
            (one.party, short(one.line_id), ", ".join(one.invitation.desks), ", ".join(one.urls))
            for one in pinned
        ],
    )


@command("show", group=peer, example="deconflict peer show red\ndeconflict peer show")
@click.argument("party", required=False)
@node_option
@as_json_option
def show(party: str | None, node_dir: Path | None, as_json: bool) -> None:
    """Show a pinned party, or yourself without PARTY: what the other side reads and hears."""
    folder = _open(node_dir)
    if party is None:
        own = {
            "party": folder.settings.party,
            "fingerprint": folder.verify_key.fingerprint(),
            "key_id": folder.verify_key.key_id,
            "root_fingerprint": _root_fingerprint(folder.root()),
            "peer_url": folder.settings.peer_url,
            "peer_urls": list(folder.settings.peer_urls),
            "desks": list(folder.settings.desks),
        }
        if as_json:
            write_json(own)
            return
        fields(
            (
                ("party", f"{own['party']} (this node)"),
                ("fingerprint", own["fingerprint"]),
                ("root fingerprint", own["root_fingerprint"]),
                ("desks", ", ".join(folder.settings.desks)),
                *_called_at(folder.settings.peer_urls),
            )
        )
        return
    from deconflict.airspace.instant import format_utc

    pinned = folder.peers().get(party)
    if as_json:
        write_json(_facts(pinned))
        return
    fields(
        (
            ("party", pinned.party),
            ("fingerprint", pinned.verify_key.fingerprint()),
            ("root fingerprint", _root_fingerprint(pinned.root)),
            ("desks", ", ".join(pinned.invitation.desks)),
            *_called_at(pinned.urls),
            ("invitation of", when(format_utc(pinned.invitation.created_utc_ms))),
            ("line", pinned.line_id),
        )
    )


@command("remove", group=peer, example="deconflict peer remove red")
@click.argument("party")
@click.option("--yes", is_flag=True, help="Do not ask.")
@node_option
@as_json_option
def remove(party: str, yes: bool, node_dir: Path | None, as_json: bool) -> None:
    """Forget a party: its node is let in no more. The record of the line stays."""
    peers = _open(node_dir).peers()
    peers.get(party)
    if not yes:
        click.confirm(f"Let {party} in no more?", abort=True, err=True)
    peers.remove(party)
    if as_json:
        write_json({"party": party, "removed": True})
        return
    click.echo(f"{clean(party)} is pinned no more, also by a node that is running.")


@command("invite", group=peer, example="deconflict peer invite --out blue.invitation")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"
)
@force_option
@node_option
@as_json_option
def invite(out: Path, force: bool, node_dir: Path | None, as_json: bool) -> None:
    """Write your own invitation anew, after an address or a desk in node.toml has changed."""
    from deconflict.cli.node import ask_passphrase

    require_free(out, force=force)
    folder = _open(node_dir)
    made = folder.invite(folder.unlock(ask_passphrase), now_utc_ms=time.time_ns() // 1_000_000)
    write_file(out, made.export())
    if as_json:
        write_json({"file": str(out), "fingerprint": made.verify_key.fingerprint()})
        return
    click.echo(f"{out}: give it to the other party. Your fingerprint is still\n")
    click.echo(click.style(f"    {made.verify_key.fingerprint()}", bold=True))


def ask_fingerprint(party: str) -> str:
    """Ask for what was heard; the file's own fingerprint is not shown, so it cannot be copied."""
    if not sys.stdin.isatty():
        raise InvalidInputError(
            "a party is pinned only with the fingerprint that was heard",
            expected="--fingerprint with eight groups of five digits",
            remedy=f"call {party}, let them read the fingerprint from their own screen",
        )
    click.echo(
        f"Call {clean(party)} on a number you know, and let them read their fingerprint to you\n"
        f"(they see it with: deconflict peer show). Type what you hear.",
        err=True,
    )
    heard: str = click.prompt("Fingerprint", err=True)
    return heard


def ask_root_fingerprint(offered: "Invitation", peers: "PeerBook") -> str | None:
    """Ask for what was heard of a root that is not pinned yet; None where nobody can be asked."""
    known = next((one.root for one in peers.list() if one.party == offered.party), None)
    if offered.root is None or offered.root == known or not sys.stdin.isatty():
        return None
    heard: str = click.prompt("Fingerprint of their root", err=True)
    return heard


def _open(node_dir: Path | None) -> "NodeFolder":
    from deconflict.node.folder import NodeFolder

    return NodeFolder.open(node_folder(node_dir))


def _called_at(urls: tuple[str, ...]) -> list[tuple[str, str]]:
    if len(urls) == 1:
        return [("called at", urls[0])]
    return [(f"called at, path {number}", url) for number, url in enumerate(urls, start=1)]


def _root_fingerprint(root: "Root | None") -> str | None:
    return None if root is None else root.fingerprint()


def _facts(pinned: "PinnedPeer") -> dict[str, str | list[str] | None]:
    from deconflict.airspace.instant import format_utc

    return {
        "party": pinned.party,
        "line_id": pinned.line_id,
        "fingerprint": pinned.verify_key.fingerprint(),
        "key_id": pinned.verify_key.key_id,
        "root_fingerprint": _root_fingerprint(pinned.root),
        "tls_spki_sha256": pinned.spki_sha256,
        "urls": list(pinned.urls),
        "desks": list(pinned.invitation.desks),
        "invitation_created_utc": format_utc(pinned.invitation.created_utc_ms),
    }
