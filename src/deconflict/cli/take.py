"""``deconflict line take``: what the peer's side carried here, read in, and what became of it."""

import sys
from pathlib import Path
from typing import Any, Final

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import talks_to_node
from deconflict.cli.output import clean, count, sentences, short, when, write_json
from deconflict.errors import InvalidDocumentError

__all__ = ["take"]

_SHOWN: Final = 20
_FLASH: Final = ("CEASE", "SAFETY")
_OUTCOMES: Final = {
    "NEW": "new",
    "HELD_BEFORE": "held before",
    "WAITING": "waiting for an earlier one",
    "TOO_FAR": "too far ahead to be kept",
    "NO_ROOM": "not held: too little room on this disk",
    "EPOCH_REFUSED": "opens an epoch behind what is not held here: kept as evidence",
    "KEY_REFUSED": "brings a key that no root pinned here vouches for: kept as evidence",
    "NOT_NOW": "not held: this node is mute or deaf on the line; take it again later",
    "OTHER_EPOCH": "of another epoch: kept as evidence, not in the record",
}


@command(
    "take",
    example="deconflict line take red /media/usb/red.parcel\n"
    "deconflict line take red mail.txt\n"
    "deconflict line take red page-1.txt page-2.txt",
)
@click.argument("peer")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
)
@talks_to_node
@click.pass_context
def take(
    ctx: click.Context,
    peer: str,
    files: tuple[str, ...],
    node_dir: Any,
    account: str | None,
    as_json: bool,
) -> None:
    """Take in what the peer's side carried here.

    FILE is a parcel, a saved e-mail, or the text of scanned QR codes, one code a line; - reads
    standard input. Which it is shows by itself, and pieces of one parcel may lie in several files.
    Everything is verified as if the network had brought it; what is here already does no harm.

    Ends with 1 when something was refused or is not in the record yet; what came before it was
    taken. A cease request or safety message that waits for what it follows is shown at once, here
    and on the desk, as not logged.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.line.bearers import parcels_of
    from deconflict.line.parcel import decode_parcel

    brought = parcels_of(_contents(files))
    brought = tuple(sorted(brought, key=lambda one: decode_parcel(one.parcel).head.made_utc))
    with NodeClient.of(node_dir, account) as node:
        line_id = node.line(peer)["line_id"]
        taken = [
            {
                **node.post_bytes("lines", line_id, "parcel", "taken", data=one.parcel),
                "bearer": one.bearer,
            }
            for one in brought
        ]
    if as_json:
        write_json({"taken": taken})
    else:
        for each in taken:
            _show(each)
        _show_back(taken[-1])
    if any(each["refused"] or not _all_logged(each) for each in taken):
        ctx.exit(EXIT_FINDING)


def _all_logged(taken: dict[str, Any]) -> bool:
    return all(each["outcome"] in ("NEW", "HELD_BEFORE") for each in taken["messages"])


def _contents(files: tuple[str, ...]) -> list[bytes]:
    """Return the files' bytes; one too long is not read to its end."""
    from deconflict.line.bearers import MAX_BROUGHT_BYTES

    contents = []
    left = MAX_BROUGHT_BYTES
    for name in files:
        if name == "-":
            data = sys.stdin.buffer.read(left + 1)
        else:
            with Path(name).open("rb") as stream:
                data = stream.read(left + 1)
        left -= len(data)
        if left < 0:
            raise InvalidDocumentError(
                "this is too much to be read at once",
                given=clean(name),
                expected=f"at most {MAX_BROUGHT_BYTES:,} bytes in all",
                remedy="give what `deconflict line carry` of the other side wrote, and no more",
            )
        contents.append(data)
    return contents


def _show(taken: dict[str, Any]) -> None:
    from deconflict.line.pieces import numbers_text

    peer = clean(taken["from_party"])
    how = {"file": "as a file", "e-mail": "by e-mail", "codes": "as scanned codes"}
    click.echo(f"From {peer}, {how[taken['bearer']]}, made {when(taken['made_utc'])}:")
    by_outcome: dict[str, list[dict[str, Any]]] = {}
    for message in taken["messages"]:
        by_outcome.setdefault(message["outcome"], []).append(message)
    for outcome, words in _OUTCOMES.items():
        found = by_outcome.get(outcome, ())
        if found:
            numbers = numbers_text(sorted(message["seq"] for message in found))
            click.echo(f"  {count(len(found), 'message')} {words}: {numbers}")
    if not taken["messages"]:
        click.echo("  no message in it")
    told = [each for each in taken["messages"] if each["outcome"] == "NEW" or each["text"]]
    told = [each for each in told if each["outcome"] != "HELD_BEFORE"]
    for message in told[:_SHOWN]:
        mark = click.style(_mark(message), bold=True)
        name = short(message["hash"])
        click.echo(f"\n  {message['seq']:>5}  {name}  {mark}{clean(message['kind'])}")
        click.echo(sentences(message["text"], indent=9))
    if told[_SHOWN:]:
        click.echo("  ... and more: deconflict log")
    if taken["newly_receipted"]:
        click.echo(
            f"  {peer} has signed that it holds yours up to number {taken['receipted_seq']}: "
            f"{count(taken['newly_receipted'], 'message')} newly."
        )
    if taken["missing_first_seq"] is not None:
        first, last = taken["missing_first_seq"], taken["missing_last_seq"]
        which = f"number {first}" if first == last else f"numbers {first} to {last}"
        click.echo(
            click.style("  MISSING ", bold=True)
            + f"{which} of {peer}: what follows waits for it. Ask {peer} to carry from there: "
            f"deconflict line carry … --since {first}"
        )
    if taken["refused"]:
        _show_refused(taken["refused"], taken["not_looked_at"])


def _mark(message: dict[str, Any]) -> str:
    if message["delayed"]:
        return "DELAYED, not actionable  "
    if message["outcome"] == "NEW":
        return ""
    return "NOT LOGGED, answer by voice  " if message["kind"] in _FLASH else "NOT LOGGED  "


def _show_refused(refused: dict[str, str], not_looked_at: int) -> None:
    click.echo(click.style("  REFUSED ", fg="red", bold=True) + clean(refused["problem"]))
    for label in ("given", "expected", "remedy"):
        if refused[label]:
            click.echo(f"    {label + ':':<10}{clean(refused[label])}")
    if not_looked_at:
        click.echo(f"    {count(not_looked_at, 'packet')} after it were not looked at.")


def _show_back(taken: dict[str, Any]) -> None:
    peer = clean(taken["from_party"])
    if taken["peer_seq"]:
        click.echo(
            f"\nYou hold {peer}'s messages up to number {taken['peer_seq']}; {peer} does not know "
            f"it until your receipt is there.\nIt goes by itself when the network is back, or now "
            f"by any way: deconflict line carry {peer}"
        )
