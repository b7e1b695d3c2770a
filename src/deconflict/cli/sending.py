"""What every sending command shares: how a message is marked, and what is said once it is out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.options import RELEASES, drill_option, typed_word
from deconflict.cli.output import clean, sentences, short, write_json
from deconflict.errors import InvalidDocumentError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["Manner", "manner_options", "post", "say_held", "show_posted"]

WAIT_FOR_RECEIPT_S = 2.0  # the delivery limit of the most urgent messages
POLL_S = 0.1
ASKING = (
    "CEASE",
    "CONCERN",
    "LINE_CHECK",
    "NOTIFY",
    "PROPOSE",
    "QUERY",
    "SAFETY",
    "SUSPEND",
    "SCOPE",
    "TERMS_PROPOSE",
    *("TALK_REQUEST", "TALK_PROPOSE", "READOUT_PROPOSE"),
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a message is marked: for whom, how far it may be passed on, drill or not."""

    to_desk: str | None
    release: str
    drill: bool | None  # None: as what it cites, or as the line is
    note: str | None


def manner_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a `Manner`; the command takes it as ``manner``."""

    @wraps(function)  # the options that click has hung on the function come along
    def call(
        *, to_desk: str | None, release: str, drill: bool | None, note: str | None, **rest: Any
    ) -> Any:
        manner = Manner(to_desk, typed_word(release), drill, note)
        return function(manner=manner, **rest)

    for option in (
        click.option("--note", metavar="TEXT", help="Free text beside it; it binds nobody."),
        drill_option,
        click.option(
            "--release",
            type=click.Choice(RELEASES),
            default="own-forces",
            show_default=True,
            help="To whom the receiver may pass it on.",
        ),
        click.option("--to-desk", metavar="DESK", help="Another desk of the peer than its first."),
    ):
        option(call)
    return call


def post(
    node: "NodeClient",
    line_id: str,
    kind: str,
    body: dict[str, Any],
    manner: Manner,
    *,
    ref: str | None = None,
    where: str = "messages",
    as_json: bool,
) -> None:
    """Send one message and say what became of it; ``where`` names the call that takes its kind."""
    if manner.note is not None:
        body = {**body, "not_binding": manner.note}
    message = {
        "kind": kind,
        "body": body,
        "ref": ref,
        "to_desk": manner.to_desk,
        "drill": manner.drill,
        "release": manner.release,
    }
    try:
        posted = node.post("lines", line_id, where, body=message)
    except InvalidDocumentError as error:
        from deconflict.cli.wire_words import in_options

        raise in_options(kind, error) from None
    show_posted(node, posted, ref=ref, as_json=as_json)


def show_posted(
    node: "NodeClient", posted: dict[str, Any], *, ref: str | None = None, as_json: bool
) -> None:
    """Print what was sent and, after a moment at most, whether the peer signed for it.

    Args:
        node: where it was sent.
        posted: what the node answered.
        ref: the message that it is about.
        as_json: print that answer itself.
    """
    if as_json:
        write_json(posted)
        return
    if say_held([posted], ref=ref):
        _say_warnings(posted)
        return
    sent = _wait_for_receipt(node, posted["hash"])
    click.echo(f"{clean(sent['kind'])} to {clean(sent['to_party'])}, {short(sent['hash'])}")
    click.echo(sentences(sent["text"], indent=2))
    _say_warnings(posted)
    if sent["state"] in ("QUEUED", "SENT"):
        click.echo("  Not yet signed for by the peer; it is sent again until it is.")
        click.echo(f"  See it later: deconflict log --message {short(sent['hash'])}")
    else:
        answer = " That is no answer." if sent["kind"] in ASKING else ""
        click.echo(f"  {clean(sent['to_party'])} has signed that it holds this.{answer}")


def _say_warnings(posted: dict[str, Any]) -> None:
    """Print what the sender should know; that it was said already is no fault of anybody."""
    label = "" if posted["said_already"] else click.style("warning: ", fg="yellow")
    for warning in posted["warnings"]:
        click.echo(f"  {label}{clean(warning)}")


def say_held(
    posted: Sequence[dict[str, Any]], *, ref: str | None = None, has_site: bool = False
) -> bool:
    """Say what waits for a second person and how it goes on; True exactly when anything does.

    Args:
        posted: what the node answered.
        ref: the message that it is about.
        has_site: True exactly when a protected site is among it.
    """
    held = list(dict.fromkeys(one["held_id"] for one in posted if one["held_id"]))
    if held:
        click.echo(
            click.style("Nothing is sent yet:", bold=True)
            + " a second person has to look at it and release it, under another account:"
        )
        for held_id in held:
            place = " --place PLACE" if has_site else ""
            click.echo(f"  deconflict line release {clean(held_id)}{place}")
        if has_site:
            click.echo("PLACE is where that person finds the site, on a map of their own.")
        if any(one["kind"] == "CEASED" for one in posted):
            about = "ID" if ref is None else short(ref)
            click.echo(
                "The cease request stays open. To acknowledge it at once: "
                f"deconflict line ack {about}"
            )
    return bool(held)


def _wait_for_receipt(node: "NodeClient", message_hash: str) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_FOR_RECEIPT_S
    while True:
        found = node.message(message_hash)
        if found["state"] not in ("QUEUED", "SENT") or time.monotonic() > deadline:
            return found
        time.sleep(POLL_S)
