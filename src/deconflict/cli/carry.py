"""``deconflict line carry``: messages for the peer as file, e-mail, codes on paper or script."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from deconflict.cli.asking import ask_export, say_asked
from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import talks_to_node
from deconflict.cli.output import clean, count, sentences, short, write_json
from deconflict.cli.written import force_option, require_free, write_file
from deconflict.errors import InvalidInputError, NotReleasedError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["carry", "show_ways"]

EMAIL_BYTES: Final = 1024 * 1024  # of packets: 1.4 MB of text, which every mail server takes
PAPER_BYTES: Final = 40 * 1024  # of packets: always at most 99 codes
_STDOUT: Final = "-"
_FILE = click.Path(dir_okay=False, allow_dash=True)


@command(
    "carry",
    example="deconflict line carry red\n"
    "deconflict line carry red --out /media/usb/blue.parcel\n"
    "deconflict line carry red --email for-red.txt\n"
    "deconflict line carry red --qr for-red.svg --message 4f2a9c01\n"
    "deconflict line carry red --voice 4f2a9c01",
)
@click.argument("peer")
@click.option("--out", type=_FILE, metavar="FILE", help="Write a file, for a stick or a disk.")
@click.option("--email", type=_FILE, metavar="FILE", help="Write the text of an e-mail; - prints.")
@click.option("--qr", type=_FILE, metavar="FILE.svg", help="Write pages of QR codes to be printed.")
@click.option("--voice", metavar="ID", help="Print what to say by telephone of one message.")
@click.option("--since", type=click.IntRange(min=1), metavar="N", help="From message number N on.")
@click.option("--message", metavar="ID", help="This message alone.")
@force_option
@talks_to_node
@click.pass_context
def carry(
    ctx: click.Context,
    peer: str,
    out: str | None,
    email: str | None,
    qr: str | None,
    voice: str | None,
    since: int | None,
    message: str | None,
    force: bool,
    node_dir: Any,
    account: str | None,
    as_json: bool,
) -> None:
    """Carry messages to the peer by file, e-mail, paper or voice.

    What goes is what the network would carry: your messages that the peer has not signed for, and
    your receipt of theirs. Nothing counts as sent by it: the node goes on trying, and a message is
    held by the peer when its receipt is back, by whatever way. Everything is signed and nothing is
    secret: who finds the stick, the mail or the paper can read it.

    Without a way to carry it, this says what waits. The other side reads a file, an e-mail or
    scanned codes in with `deconflict line take`, and carries its receipt back the same way.

    Where your node wants two persons (release_persons = 2), what took two to say takes two to carry
    (exit code 1: nothing is written yet). With a safety message, a cease request, an
    acknowledgement or a query in it, it goes at once.
    """
    from deconflict.cli.client import NodeClient

    chosen = [name for name in (out, email, qr, voice) if name is not None]
    if len(chosen) > 1 or (since is not None and message is not None):
        raise InvalidInputError(
            "carry one thing one way at a time",
            expected="one of --out, --email, --qr and --voice; one of --since and --message",
        )
    if qr is not None and not qr.endswith(".svg"):
        raise InvalidInputError("pages of codes are SVG", given=qr, expected="a name ending .svg")
    if as_json and _STDOUT in chosen:
        raise InvalidInputError(
            "two things would be printed", expected="--json, or - as the name of the file"
        )
    named = [Path(name) for name in (out, email, qr) if name is not None and name != _STDOUT]
    require_free(*named, force=force)
    with NodeClient.of(node_dir, account) as node:
        line = node.line(peer)
        if voice is not None:
            from deconflict.cli.voice import show_script

            show_script(node, line, voice, as_json=as_json)
            return
        if not chosen:
            _show_waiting(node, line, as_json=as_json)
            return
        bytes_at_most = (
            EMAIL_BYTES if email is not None else PAPER_BYTES if qr is not None else None
        )
        wanted = {
            "since_seq": since,
            "message": None if message is None else node.message(message)["hash"],
            "max_bytes": bytes_at_most,
        }
        try:
            made = node.post("lines", line["line_id"], "parcel", body=wanted)
        except NotReleasedError:
            say_asked(ask_export(node, line["line_id"], "PARCEL"), as_json=as_json)
            ctx.exit(EXIT_FINDING)
    files = _write(made, out, email, qr, force=force)
    if as_json:
        write_json({**made, "files": files})
        return
    if _STDOUT in chosen:
        return
    _show_made(made, files)


def show_ways(line: dict[str, Any]) -> None:
    """Print how messages of a line go without a network."""
    name = clean(line["peer"])
    if line["mute"]:
        click.echo(
            "  This node is mute on the line: nothing of it can be carried either, until a cease\n"
            "  request or a safety message is said; three seconds later that can."
        )
        return
    click.echo("  Without the network they can go as")
    for what, how in (
        ("a file", "--out FILE"),
        ("an e-mail", "--email FILE"),
        ("paper", "--qr FILE.svg"),
        ("by voice", "--voice ID, one message"),
    ):
        click.echo(f"    {what:<10} deconflict line carry {name} {how}")
    click.echo(f"  and what comes back is read in with: deconflict line take {name} FILE")


def _show_waiting(node: "NodeClient", line: dict[str, Any], *, as_json: bool) -> None:
    waiting = list(node.messages(line["line_id"], direction="out", after_seq=line["receipted_seq"]))
    if as_json:
        write_json({"line": line, "waiting": waiting})
        return
    peer = clean(line["peer"])
    click.echo(
        f"{peer} has not signed for {count(len(waiting), 'message')} of yours."
        if waiting
        else f"No message waits: {peer} has signed for all of yours."
    )
    for one in waiting[:20]:
        drill = "DRILL " if one["drill"] else ""
        click.echo(f"  {one['seq']:>5}  {short(one['hash'])}  {drill}{clean(one['kind'])}")
    if waiting[20:]:
        click.echo(f"  ... and {len(waiting) - 20} more")
    show_ways(line)


def _write(
    made: dict[str, Any], out: str | None, email: str | None, qr: str | None, *, force: bool
) -> list[str]:
    from deconflict.line.parcel import pack_parcel

    parcel = base64.b64decode(made["data"])
    if out is not None:
        return _written([(out, parcel)])
    packed = pack_parcel(parcel)
    if email is not None:
        from deconflict.cli.email_text import email_text

        return _written([(email, email_text(made, packed).encode())])
    from deconflict.cli.paper import pages

    name = str(qr).removesuffix(".svg")
    drawn = pages(made, packed)
    numbered = [name] if len(drawn) == 1 else [f"{name}-{n}" for n in range(1, len(drawn) + 1)]
    require_free(*(Path(f"{each}.svg") for each in numbered), force=force)
    return _written(
        [(f"{each}.svg", page.encode()) for each, page in zip(numbered, drawn, strict=True)]
    )


def _written(files: list[tuple[str, bytes]]) -> list[str]:
    for name, data in files:
        if name == _STDOUT:
            click.echo(data, nl=False)
        else:
            # Only its owner may read it here; whoever is given it can read it all.
            write_file(Path(name), data, mode=0o600)
    return [name for name, _ in files]


def _show_made(made: dict[str, Any], files: list[str]) -> None:
    from deconflict.cli.paper import drill_mark

    peer = clean(made["to_party"])
    for name in files:
        click.echo(click.style(clean(name), bold=True))
    if mark := drill_mark(made):
        click.echo(click.style(f"  {mark}.", fg="yellow", bold=True))
    numbers = [one["seq"] for one in made["messages"]]
    if numbers:
        which = f"number {numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
        click.echo(f"  {count(len(numbers), 'message')} for {peer}, {which}.")
    else:
        click.echo(f"  No message: {peer} has signed for all of yours.")
    if made["receipt_seq"]:
        click.echo(f"  Your receipt of theirs, up to number {made['receipt_seq']}.")
    if made["left_out"]:
        first = made["left_out_from_seq"]
        click.echo(
            click.style("  NOT IN IT: ", bold=True)
            + f"{count(made['left_out'], 'message')}"
            + (f" from number {first} on" if first else "")
            + f", which did not fit; the first needs {made['left_out_bytes']:,} bytes."
        )
        click.echo(
            f"  Carry them next: deconflict line carry {peer} --since {first}, or by another way."
            if first and numbers
            else f"  Carry it another way: deconflict line carry {peer} --out FILE"
        )
    click.echo(sentences("Signed, not secret. Nothing of it counts as sent.", indent=2))
    click.echo(f"  {peer} reads it in with: deconflict line take {clean(made['from_party'])} FILE")
