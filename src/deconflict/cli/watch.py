"""``deconflict line watch``: what happens on all lines, as it happens."""

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import command
from deconflict.cli.line import show_alert
from deconflict.cli.options import line_option, talks_to_node
from deconflict.cli.output import clean, sentences, short, state_word, when
from deconflict.errors import NodeUnreachableError, NotFoundError

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient, StreamEvent

__all__ = ["watch"]

NO_PERMISSION = "Acknowledged is not permission."
RETRY_S = 1.0
DELIVERY: dict[str, str | None] = {
    "QUEUED": None,
    "SENT": None,
    "LACKED": "is held: the peer signed for it",
    "SEEN": "is on the screen of a desk there",
    "LOADED": "is held by the unit that acts",
    "CLOSED": "is settled",
    "EXPIRED": "has expired",
    "REFUSED": "was refused by the peer",
}


@command("watch", example="deconflict line watch")
@line_option
@click.option(
    "--after",
    type=click.IntRange(0),
    metavar="ID",
    help="Begin behind this event, to see what was missed; otherwise with the next one.",
)
@talks_to_node
def watch(
    line: str | None, after: int | None, node_dir: Path | None, account: str | None, as_json: bool
) -> None:
    """Show what happens on all lines, as it happens.

    Ctrl-C ends it. A connection that breaks is taken up again where it broke, so nothing is
    missed. With --json, one event a line.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        wanted = node.line(line)["line_id"] if line else None
        last = node.get("node")["last_event_id"] if after is None else after
        if not as_json:
            click.echo(f"Watching. {NO_PERMISSION} Ctrl-C ends.", err=True)
        screen = _Screen(node, as_json=as_json)
        while True:
            try:
                for event in node.events(last):
                    last = max(last, event.event_id)
                    # "resume" asks a reader that was too slow to come back; nothing happened. Why a
                    # session ended, the next call says.
                    if event.kind not in ("resume", "session_ended") and wanted in (
                        None,
                        event.data.get("line_id"),
                    ):
                        screen.show(event)
            except NodeUnreachableError:
                click.echo("the node does not answer, trying again", err=True)
            time.sleep(RETRY_S)


class _Screen:
    """Prints events as they come."""

    def __init__(self, node: "NodeClient", *, as_json: bool) -> None:
        self._node = node
        self._as_json = as_json
        self._last_text = ""

    def show(self, event: "StreamEvent") -> None:
        """Print one event."""
        if self._as_json:
            # ASCII: one line an event, and nothing in it that could steer a terminal.
            facts = {"id": event.event_id, "event": event.kind, "data": event.data}
            click.echo(json.dumps(facts))
            return
        data = event.data
        match event.kind:
            case "alert":
                self._alert(data)
            case "message":
                self._message(data["hash"])
            case "line":
                state = state_word(data["state"])
                peer = clean(data["peer"])
                click.echo(f"{when(data['since_utc'])}  the line with {peer} is {state}")
            case "path":
                state = state_word(data["state"])
                click.echo(
                    f"{when(data['since_utc'])}  path {int(data['path'])} to {clean(data['peer'])} "
                    f"is {state}"
                )
            case "drill":
                lasts = data["state"] == "ON"
                how = f"begins, until {when(data['until_utc'])}" if lasts else "is over"
                cut = "; a real message ended it" if data["cut_by"] else ""
                peer = clean(data["peer"])
                click.echo(f"{'':20}  DRILL on the line with {peer} {how}{cut}")
            case "delivery":
                if (words := DELIVERY.get(data["state"], clean(data["state"]))) is not None:
                    click.echo(f"{'':20}  {short(data['hash'])} {words}")
            case "conflict" | "conflict_ended":  # the alert beside it has the words
                how = "is known" if event.kind == "conflict" else "is over"
                click.echo(f"{'':20}  conflict {short(data['conflict_id'])} {how}")
            case _:
                state = clean(str(data.get("state") or "").replace("_", " ").lower())
                about = short(data["declaration_id"]) if "declaration_id" in data else ""
                click.echo(
                    " ".join(part for part in (f"{'':21}", event.kind, about, state) if part)
                )

    def _alert(self, alert: dict[str, Any]) -> None:
        # The message just above often says the same; its time limit is what is new.
        show_alert(alert, words=alert["text"] != self._last_text)
        self._last_text = alert["text"]
        if alert["open"] and sys.stdout.isatty():
            click.echo("\a", nl=False)

    def _message(self, message_hash: str) -> None:
        try:
            said: dict[str, Any] = self._node.get("messages", message_hash)
        except NotFoundError:
            return
        way, who = ("->", said["to_party"]) if said["outgoing"] else ("<-", said["from_party"])
        late = "DELAYED, not to be acted on: " if said["delayed"] else ""
        click.echo(
            f"{when(said['logged_utc'])}  {way} {clean(who)}  {clean(said['kind'])}  "
            f"{short(said['hash'])}"
        )
        click.echo(sentences(late + said["text"], indent=4))
        self._last_text = said["text"]
