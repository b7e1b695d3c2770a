"""``deconflict line``: the table of its commands, and how the lines are."""

import re
from collections import Counter
from typing import Any

import click

from deconflict.cli.command import Entry, LazyGroup, command
from deconflict.cli.options import talks_to_node
from deconflict.cli.output import (
    clean,
    count,
    escalated,
    sentences,
    short,
    state_word,
    table,
    when,
    write_json,
)

__all__ = ["line", "show_alert", "status"]

_IN_FULL = 20
_ID = re.compile(r"(?:[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64})\Z")

line = LazyGroup(
    "line",
    (
        Entry("status", "line:status", "Show whether each line is up, and what is open."),
        Entry("watch", "watch:watch", "Show what happens on all lines, as it happens."),
        Entry("send", "say:send", "Send a safety message, by the number of its phrase."),
        Entry(
            "concern",
            "say:concern",
            "Say that two declarations come too close. It is no veto.",
        ),
        Entry("cease", "say:cease", "Request that activity somewhere cease."),
        Entry("query", "say:query", "Ask of an aircraft: is this yours?"),
        Entry("ack", "reply:ack", "Acknowledge a message. It is not permission."),
        Entry("answer", "reply:answer", "Answer a query or a cease request."),
        Entry("readback", "reply:readback", "Read a declaration back, from your own map."),
        Entry("seen", "reply:seen", "Say that a person here has read a message."),
        Entry(
            "loaded", "reply:loaded", "Say that the unit that acts holds a declaration of the peer."
        ),
        Entry("check", "reply:check", "Check the line from person to person, or answer a check."),
        Entry(
            "release", "release:release", "Release what another person wrote, or list what waits."
        ),
        Entry("suspend", "say:suspend", "Suspend part of the line from a time on."),
        Entry("resume", "say:resume", "End a suspension that your side declared."),
        Entry(
            "reopen",
            "reopen:reopen",
            "Speak again on a line where this node is mute, without the peer's answer.",
        ),
    ),
    package="deconflict.cli",
    help="Talk on a line: status, messages, answers, live view.",
    example="deconflict line status",
)


@command("status", example="deconflict line status\ndeconflict line status --all")
@click.option("--all", "whole", is_flag=True, help="Every open alert in full, however many.")
@talks_to_node
def status(whole: bool, node_dir: Any, account: str | None, as_json: bool) -> None:
    """Show whether each line is up, and what is open.

    Of many open alerts the first 20 stand in full, the most urgent first; the rest are counted.

    SENT and HELD count your messages, and those the peer signed for. A line that is DOWN loses
    nothing: what is not held yet is sent again, and a person is told in time.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        me = node.get("node")
        lines = node.lines()
        alerts = node.get("alerts", open="true")
        held = node.get("held")
    if as_json:
        write_json({"node": me, "lines": lines, "alerts": alerts, "held": held})
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
                _state(one),
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
    for one in lines:
        if _silent(one):
            click.echo(click.style(_silence_words(one), bold=True) + "\n")
    if held:
        waits = f"{count(len(held), 'draft')} for a second person: deconflict line release\n"
        click.echo(click.style(waits, bold=True))
    if not alerts:
        click.echo("No open alerts.")
        return
    click.echo(click.style(f"{count(len(alerts), 'open alert')}:\n", bold=True))
    in_full = len(alerts) if whole else _IN_FULL
    for alert in alerts[:in_full]:
        show_alert(alert)
    if alerts[in_full:]:
        _count_rest(alerts[in_full:])


def show_alert(alert: dict[str, Any], *, words: bool = True) -> None:
    """Print one alert: since when, how urgent, by when, and its words."""
    level = f" ({said})" if (said := escalated(alert)) else ""
    state = state_word(alert["urgency"]) if alert["open"] else "over:"
    due = alert["deadline_utc"] if alert["open"] else None
    deadline = f", due {when(due)}" if due else ""
    # What to name in an answer: a message, a declaration or a conflict.
    found = _ID.search(alert["subject"] or "")
    about = f", about {short(found[0])}" if found else ""
    drill = "DRILL " if alert["drill"] else ""
    click.echo(f"{when(alert['raised_utc'])}  {drill}{state}{level}{deadline}{about}")
    if words:
        click.echo(sentences(alert["text"], indent=4))


def _silent(line: dict[str, Any]) -> bool:
    return bool(line.get("mute") or line.get("deaf"))


def _state(line: dict[str, Any]) -> str:
    if _silent(line):
        return ("MUTE" if line["mute"] else "DEAF") + f", {line['state']}"
    return "SUSPENDED" if line["suspended"] else str(line["state"])


def _silence_words(line: dict[str, Any]) -> str:
    """Return what a node that is mute or deaf can and cannot do, and what ends it."""
    peer = clean(line["peer"])
    if line["mute"]:
        cannot = f"sends nothing to {peer}, not even CEASE or SAFETY, and receipts nothing"
    else:
        cannot = f"logs and receipts nothing of {peer}; it can send"
    return (
        f"{_state(line).partition(',')[0]} on the line with {peer}: this node {cannot}.\n"
        f"  Why: {clean(line['silent_because'] or 'not known')}\n"
        f"  Warn {peer} by voice. It ends by itself once {peer}'s node has answered; if that "
        f"cannot be:\n  deconflict line reopen {peer}"
    )


def _count_rest(alerts: list[dict[str, Any]]) -> None:
    """Print how many alerts of each rule are open besides; nothing is left unsaid."""
    click.echo(click.style(f"\nand {len(alerts)} more, all shown by --all:\n", bold=True))
    rules = Counter(
        (alert["urgency"], ("DRILL " if alert["drill"] else "") + alert["rule"].replace("_", " "))
        for alert in alerts
    )
    # They come the most urgent first, and so do their rules.
    table(
        ("URGENCY", "OPEN", "ALERT"),
        [(urgency, number, rule) for (urgency, rule), number in rules.items()],
        right=(1,),
    )


def _offset(offset_ms: int | None) -> str:
    return "not known" if offset_ms is None else f"{offset_ms / 1000:+.1f} s"
