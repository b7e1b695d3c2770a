"""``deconflict witness``: a third witness, run by anybody whom both sides of a line agree on."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import Group, command
from deconflict.cli.options import as_json_option, existing_file
from deconflict.cli.output import clean, count, fields, short, table, when, write_json

if TYPE_CHECKING:
    from deconflict.line.witness import CosignedState
    from deconflict.node.invitation import Invitation
    from deconflict.store.witness_ledger import Contradiction

__all__ = ["witness"]

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.group("witness", cls=Group, example="deconflict witness create agency --name agency.example")
def witness() -> None:
    """A third witness: signs how far the chains of a line have come, none of them twice.

    It needs no node and sees no message: only lengths, roots, parties, and when they grew. Both
    sides of a line agree who runs it; each pins its key in node.toml.
    """


@command(
    "create",
    group=witness,
    example="deconflict witness create agency --name agency.example/w1 \\\n"
    "    --listen 0.0.0.0:8444 --url https://agency.example:8444",
)
@_folder
@click.option(
    "--name",
    required=True,
    metavar="NAME",
    help="Under which it signs: a host name of yours, with a part behind a slash if you like.",
)
@click.option(
    "--listen",
    default="127.0.0.1:8444",
    show_default=True,
    metavar="HOST:PORT",
    help="Where the nodes reach it.",
)
@click.option(
    "--url",
    default="",
    metavar="URL",
    help="What to tell them to call, when it is another address than the one listened on.",
)
@as_json_option
def create(folder: Path, name: str, listen: str, url: str, as_json: bool) -> None:
    """Make the folder of a witness: a new key, a certificate, an empty ledger."""
    from deconflict.node.settings import Endpoint
    from deconflict.node.witness.folder import WitnessFolder, WitnessSettings

    settings = WitnessSettings(name, Endpoint.parse(listen), url)
    made = WitnessFolder.create(folder, settings, now_utc_ms=_now_ms(), random_bytes=os.urandom)
    vkey = made.note_key.to_text()
    if as_json:
        write_json({"folder": str(folder), "vkey": vkey, "url": made.settings.url})
        return
    click.echo(f"The witness {clean(name)} is ready in {folder}.\n")
    click.echo("Both parties write this at the end of their node.toml:\n")
    click.echo(
        f'    [[witness]]\n    vkey = "{vkey}"\n    url = "{made.settings.url}"\n'
        f'    trust = "{made.root_path.name}"\n'
    )
    click.echo(
        f"Next:\n"
        f"  1. give them these lines, and {made.root_path}: all of it is public;\n"
        f"     read the key to them by voice as well\n"
        f"  2. get the invitations of both:\n"
        f"     deconflict witness add-line {folder} ONE.invitation OTHER.invitation\n"
        f"  3. deconflict witness serve {folder}"
    )


@command(
    "add-line",
    group=witness,
    example="deconflict witness add-line agency blue.invitation red.invitation\n"
    "deconflict witness add-line agency blue.invitation red.invitation --change signed.json",
)
@_folder
@click.argument("one", metavar="INVITATION", type=existing_file)
@click.argument("other", metavar="INVITATION", type=existing_file)
@click.option(
    "--line",
    "known",
    metavar="ID",
    help="A line known here already, where the invitations no longer give its id.",
)
@click.option(
    "--change",
    "changes",
    multiple=True,
    type=existing_file,
    metavar="FILE",
    help="What a party's root signed when it changed its key, as its node installed it; repeat it.",
)
@as_json_option
def add_line(
    folder: Path,
    one: Path,
    other: Path,
    known: str | None,
    changes: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Be willing to cosign the chains of two parties' line; counts at once, also while it runs.

    The invitations are the files that the parties gave each other. A wrong one does no harm to
    them: what its key signs is cosigned, and fits no record of theirs.

    A party's invitation names its first key for ever. When it has changed its key, give the same
    invitations again, and the statement that its root signed. One that revokes ends all keys
    before it: nothing that they sign is cosigned from then on.
    """
    from deconflict.cli.node_keys import read_change_file
    from deconflict.node.witness.folder import WitnessFolder

    opened = WitnessFolder.open(folder)
    invitations = [_invitation(file) for file in (one, other)]
    ledger = opened.ledger()
    try:
        line, new = opened.add_line(
            ledger,
            invitations,
            line=known,
            changes=[read_change_file(file) for file in changes],
            now_utc_ms=_now_ms(),
        )
    finally:
        ledger.close()
    if as_json:
        write_json({"line_id": line, "added": list(new)})
        return
    click.echo(f"The line of {' and '.join(i.party for i in invitations)}: {short(line)}.")
    click.echo("Their keys, to be compared by voice with what each reads on its own screen:\n")
    fields(((each.party, each.verify_key.fingerprint()) for each in invitations), indent=2)
    if not new:
        click.echo("\nIt was known here already.")


@command("show", group=witness, example="deconflict witness show agency")
@_folder
@as_json_option
def show(folder: Path, as_json: bool) -> None:
    """Show the witness's key, its lines, what it cosigned last, and what it refused."""
    from deconflict.node.witness.folder import WitnessFolder

    opened = WitnessFolder.open(folder)
    ledger = opened.ledger()
    try:
        authors, chains = ledger.authors(), ledger.chains()
        refused = ledger.contradictions()
    finally:
        ledger.close()
    facts: dict[str, Any] = {
        "name": opened.settings.name,
        "vkey": opened.note_key.to_text(),
        "url": opened.settings.url,
        "certificate_days": opened.days_left(now_utc_ms=_now_ms()),
        "lines": sorted({author.line_id for author in authors}),
        "cosigned": [_cosigned_facts(each) for each in chains],
        "refused": [_refused_facts(each) for each in refused],
    }
    if as_json:
        write_json(facts)
        return
    fields(
        (
            ("witness", facts["name"]),
            ("key", facts["vkey"]),
            ("called at", facts["url"]),
            ("trust for TLS", opened.root_path),
            ("certificate", f"{facts['certificate_days']} days left"),
        )
    )
    click.echo()
    last = {(c.checkpoint.origin.line, c.checkpoint.origin.party) for c in chains}
    rows = [
        (short(c["line_id"]), c["party"], short(c["epoch"]), c["messages"], when(c["cosigned_utc"]))
        for c in facts["cosigned"]
    ]
    rows += [
        (short(author.line_id), author.party, "-", 0, "nothing yet")
        for author in authors
        if (author.line_id, author.party) not in last
    ]
    if not rows:
        click.echo("No line yet: deconflict witness add-line DIR ONE.invitation OTHER.invitation")
        return
    table(("LINE", "PARTY", "EPOCH", "MESSAGES", "COSIGNED LAST"), rows, right=(3,))
    if refused:
        said = f"\n{count(len(refused), 'checkpoint')} refused that does not grow out of these"
        click.echo(click.style(f"{said} (whole with --json):\n", bold=True))
        table(
            ("WHEN", "PARTY", "MESSAGES", "WHY"),
            [(when(r["at_utc"]), r["party"], r["messages"], r["why"]) for r in facts["refused"]],
            right=(2,),
        )


@command("serve", group=witness, example="deconflict witness serve agency")
@_folder
@as_json_option
def serve(folder: Path, as_json: bool) -> None:
    """Run the witness until it is told to stop.

    Ctrl-C or a TERM signal ends it cleanly. Its certificate is renewed at the start when it ends
    within 30 days; the file that the nodes trust stays the same.
    """
    from deconflict.cli.witness_serving import serve_witness
    from deconflict.node.witness.folder import WitnessFolder

    opened = WitnessFolder.open(folder)
    if opened.renew(now_utc_ms=_now_ms(), random_bytes=os.urandom) and not as_json:
        click.echo("The certificate was renewed.")
    serve_witness(opened, as_json=as_json)


def _invitation(path: Path) -> "Invitation":
    from deconflict.node.invitation import MAX_INVITATION_BYTES, Invitation

    with path.open("rb") as file:
        return Invitation.parse(file.read(MAX_INVITATION_BYTES + 2))


def _cosigned_facts(state: "CosignedState") -> dict[str, Any]:
    from deconflict.line.moment import utc_text

    origin = state.checkpoint.origin
    return {
        "line_id": origin.line,
        "party": origin.party,
        "epoch": origin.epoch,
        "messages": state.head.size,
        "root": state.head.root.hex(),
        "cosigned_utc": utc_text(state.time_s * 1_000),
    }


def _refused_facts(refused: "Contradiction") -> dict[str, Any]:
    from deconflict.line.checkpoint import read_checkpoint
    from deconflict.line.moment import utc_text
    from deconflict.line.note import read_note

    checkpoint = read_checkpoint(read_note(refused.note).text)
    fork = refused.reason == "ForkedChainError"
    return {
        "at_utc": utc_text(refused.at_utc_ms),
        "line_id": checkpoint.origin.line,
        "party": checkpoint.origin.party,
        "messages": checkpoint.head.size,
        "why": "another chain of the same length" if fork else "its proof does not hold",
        "checkpoint": refused.note.decode(),
        "cosigned_then": None if refused.kept is None else refused.kept.decode(),
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
