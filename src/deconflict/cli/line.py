"""``deconflict line``: how the lines are, and what happens on them as it happens."""

import sys
import time
from typing import Any

import click

from deconflict.cli.command import Entry, LazyGroup, command
from deconflict.cli.options import line_option, talks_to_node
from deconflict.cli.output import (
    clean,
    count,
    feet,
    metres,
    short,
    state_word,
    table,
    when,
    write_json,
)
from deconflict.errors import NodeUnreachableError

__all__ = ["line", "status", "watch"]

NO_PERMISSION = "Acknowledged is not permission."
RETRY_S = 1.0

line = LazyGroup(
    "line",
    (
        Entry("status", "line:status", "Show whether each line is up, and what is open."),
        Entry("watch", "line:watch", "Show what happens on all lines, as it happens."),
        Entry("send", "say:send", "Send a safety message, by the number of its phrase."),
        Entry("cease", "say:cease", "Request that activity somewhere cease."),
        Entry("query", "say:query", "Ask of an aircraft: is this yours?"),
        Entry("ack", "reply:ack", "Acknowledge a message. It is not permission."),
        Entry("answer", "reply:answer", "Answer a query or a cease request."),
        Entry("readback", "reply:readback", "Read a declaration back, from your own map."),
        Entry("seen", "reply:seen", "Say that a person here has read a message."),
        Entry("loaded", "reply:loaded", "Say that the unit that acts holds a declaration."),
        Entry("check", "reply:check", "Check the line from person to person, or answer a check."),
        Entry("suspend", "say:suspend", "Suspend part of the line from a time on."),
        Entry("resume", "say:resume", "End a suspension."),
    ),
    package="deconflict.cli",
    help="Talk on a line: status, messages, answers, live view.",
    example="deconflict line status",
)


@command("status", example="deconflict line status")
@talks_to_node
def status(node_dir: Any, account: str | None, as_json: bool) -> None:
    """Show whether each line is up, and what is open.

    SENT and HELD count your messages, and those the peer signed for. A line that is DOWN loses
    nothing: what is not held yet is sent again, and a person is told in time.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        me = node.get("node")
        lines = node.lines()
        alerts = node.get("alerts", open="true")["alerts"]
    if as_json:
        write_json({"node": me, "lines": lines, "alerts": alerts})
        return
    drill = "  DRILL" if me["drill"] else ""
    click.echo(f"{me['party']}, {when(me['now_utc'])}{drill}\n")
    if not lines:
        click.echo("No line yet: pin a party with `deconflict peer add FILE`.")
        return
    table(
        ("PEER", "STATE", "SINCE", "LAST HEARD", "TERMS", "SENT", "HELD", "RECEIVED", "CLOCK"),
        [
            (
                one["peer"],
                "SUSPENDED" if one["suspended"] else one["state"],
                when(one["since_utc"]),
                when(one["last_heard_utc"]),
                one["terms_state"].replace("_", " ").lower(),
                one["own_seq"],
                one["receipted_seq"],
                one["peer_seq"],
                _offset(one["clock_offset_ms"]),
            )
            for one in lines
        ],
        right=(5, 6, 7),
    )
    click.echo()
    if not alerts:
        click.echo("No open alerts.")
        return
    click.echo(click.style(f"{count(len(alerts), 'open alert')}:\n", bold=True))
    for alert in alerts:
        _show_alert(alert)


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
    line: str | None, after: int | None, node_dir: Any, account: str | None, as_json: bool
) -> None:
    """Show what happens on all lines, as it happens, until Ctrl-C.

    A connection that breaks is taken up again where it broke, so nothing is missed. With --json,
    one event a line.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        wanted = node.line(line)["line_id"] if line else None
        last = node.get("node")["last_event_id"] if after is None else after
        if not as_json:
            click.echo(f"Watching. {NO_PERMISSION} Ctrl-C ends.", err=True)
        while True:
            try:
                for event in node.events(last):
                    last = max(last, event.event_id)
                    if wanted in (None, event.data.get("line_id", wanted)):
                        _show_event(event.event_id, event.kind, event.data, as_json=as_json)
            except NodeUnreachableError:
                click.echo("the node does not answer, trying again", err=True)
            time.sleep(RETRY_S)


def _show_event(event_id: int, kind: str, data: dict[str, Any], *, as_json: bool) -> None:
    if kind == "resume":  # this reader was too slow and is asked to come back
        return
    if as_json:
        import json

        # ASCII: one line an event, and nothing in it that could steer a terminal.
        click.echo(json.dumps({"id": event_id, "event": kind, "data": data}))
        return
    match kind:
        case "alert":
            _show_alert(data)
            if data["open"] and sys.stdout.isatty():
                click.echo("\a", nl=False)
        case "message":
            way = "->" if data["outgoing"] else "<-"
            drill = "DRILL " if data["drill"] else ""
            late = "DELAYED, not to be acted on: " if data["delayed"] else ""
            who = data["to_party"] if data["outgoing"] else data["from_party"]
            click.echo(
                f"{when(data['logged_utc'])}  {way} {clean(who)}  {clean(data['kind'])}  "
                f"{short(data['hash'])}  {drill}{late}{clean(data['text'])}"
            )
        case "conflict":
            click.echo(
                f"{when(data['known_since_utc'])}  {state_word(data['verdict'])}  "
                f"{metres(data['cpa_distance_m'])} and {feet(data['cpa_vertical_m'])} apart at "
                f"{when(data['cpa_utc'])}\n    {_indented(data['text'])}"
            )
        case _:
            told = data.get("text") or data.get("state") or ""
            about = data.get("hash") or data.get("declaration_id") or data.get("conflict_id") or ""
            name = kind.replace("_", " ")
            click.echo(f"{'':20}  {name}  {short(about) if about else ''}  {clean(told)}".rstrip())


def _show_alert(alert: dict[str, Any]) -> None:
    level = f" (level {alert['level']})" if alert["level"] else ""
    state = state_word(alert["urgency"]) if alert["open"] else "over"
    deadline = f", due {when(alert['deadline_utc'])}" if alert["deadline_utc"] else ""
    click.echo(f"{when(alert['raised_utc'])}  {state}{level}{deadline}")
    click.echo(f"    {_indented(alert['text'])}")


def _indented(text: str) -> str:
    return "\n    ".join(clean(part) for part in text.splitlines())


def _offset(offset_ms: int | None) -> str:
    return "not known" if offset_ms is None else f"{offset_ms / 1000:+.1f} s"
