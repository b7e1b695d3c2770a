"""``deconflict line``: the table of its commands, and how the lines are."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import click

from deconflict.cli.answers import show_answers, show_news, unseen
from deconflict.cli.call_words import show_talks
from deconflict.cli.command import Entry, LazyGroup, command
from deconflict.cli.line_state import line_state, silence_of, state_since
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
# What an open question of the peer is answered with, by its kind; and what closes an alert that
# stands only until a person here has read its message.
_REPLIES = {
    "CEASE": "deconflict line answer {id} ceased (or continuing, cannot-reach{more})",
    "QUERY": "deconflict line answer {id} not-ours (or ours, will-not-say{more})",
    "SAFETY": "deconflict line ack {id}{later}",
    "LINE_CHECK": 'deconflict line check --reply {id} "what you retyped"',
    "NOTIFY": "deconflict line readback {declaration}",
    "UPDATE": "deconflict line readback {declaration}",
    "CORRECTION": "deconflict line readback {declaration}",
    **dict.fromkeys(
        (
            *("DELAYED", "SUSPECT_CLOCK", "NOT_CEASED", "ANSWER_CHANGED", "LINE_CHECK_LATE"),
            "CAME_AFTER_ITS_TIME",
        ),
        "deconflict line seen {id}",
    ),
}
_ID = re.compile(r"(?:[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64})\Z")

line = LazyGroup(
    "line",
    (
        Entry("status", "line:status", "Show whether each line is up, and what is open."),
        Entry("watch", "watch:watch", "Show what happens on all lines, as it happens."),
        Entry("send", "say:send", "Send a safety message, by the number of its phrase."),
        Entry(
            "concern",
            "concerning:concern",
            "Say that two declarations come too close, or that a private check hit something.",
        ),
        Entry(
            "propose",
            "proposing:propose",
            "Propose a change of one of two declarations that come too close.",
        ),
        Entry("cease", "say:cease", "Request that activity somewhere cease."),
        Entry("query", "say:query", "Ask of an aircraft: is this yours?"),
        Entry("ack", "reply:ack", "Acknowledge a message. It is not permission."),
        Entry(
            "answer",
            "reply:answer",
            "Answer a query or a cease request, or ask once for more time to answer.",
        ),
        Entry("readback", "reply:readback", "Read a declaration back, from your own map."),
        Entry("seen", "reply:seen", "Say that a person here has read a message."),
        Entry(
            "loaded", "reply:loaded", "Say that the unit that acts holds a declaration of the peer."
        ),
        Entry("check", "reply:check", "Check the line from person to person, or answer a check."),
        Entry(
            "release",
            "release:release",
            "Release what another person wrote or asked for, or list what waits.",
        ),
        Entry(
            "consent",
            "proposing:consent",
            "Say to whom a message of yours may be passed on from now.",
        ),
        Entry(
            "translate",
            "translate:translate",
            "Keep your translation of what somebody wrote in a message.",
        ),
        Entry("handover", "handover:handover", "Hand the watch over to the next one."),
        Entry("suspend", "say:suspend", "Suspend part of the line from a time on."),
        Entry("resume", "say:resume", "End a suspension that your side declared."),
        Entry(
            "scope",
            "say:scope",
            "Let a suspension of yours hold for another scope, from a time on.",
        ),
        Entry(
            "drill",
            "drill:drill",
            "Hold an exercise on the line: begin it, end it, see what it showed.",
        ),
        Entry("call", "call:call", "Arrange calls with the peer, and record those that were held."),
        Entry(
            "readout",
            "readout:readout",
            "Say what is said of a call: a text that both sign, each side's own, or no details.",
        ),
        Entry(
            "carry", "carry:carry", "Carry messages to the peer by file, e-mail, paper or voice."
        ),
        Entry("take", "take:take", "Take in what the peer's side carried here."),
        Entry("spoken", "voice:spoken", "Note that you said a message by voice."),
        Entry("heard", "voice:heard", "Note what you heard by voice; it is not authentic yet."),
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

    FLASH alerts stand first, below the state of the lines. Then comes each answer that nobody here
    has marked as seen, in words, and news, as of a fresh epoch or an exercise; then the other
    alerts. Of many the first 20 stand in full, the most urgent first; the rest are counted.

    SENT and HELD count your messages, and those the peer signed for. A line that is DOWN loses
    nothing: what is not held yet is sent again, and a person is told in time.

    A humanitarian notifier is shown whether each line carries, its sites, its warnings with what
    answers them, and the alerts about these.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        if not node.may("read"):
            from deconflict.cli.site_status import show_site_status

            # Who notifies answers nothing: that is for the watch.
            show = partial(show_alert, replies=False)
            show_site_status(node, show, whole=whole, as_json=as_json)
            return
        found = {
            "node": node.get("node"),
            "lines": node.lines(),
            "alerts": node.get("alerts", open="true"),
            "held": node.get("held"),
            "talks": node.get("talks", ahead="true"),
        }
        found["answers"], found["news"] = unseen(node, found["lines"])
    if as_json:
        write_json(found)
    else:
        _show_status(found, whole=whole)


def _show_status(found: dict[str, Any], *, whole: bool) -> None:
    me, lines, alerts = found["node"], found["lines"], found["alerts"]
    drill = "  DRILL" if me["drill"] else ""
    click.echo(f"{me['party']}, {when(me['now_utc'])}{drill}\n")
    if not lines:
        click.echo("No line yet: pin a party with `deconflict peer add FILE`.")
        return
    _show_lines(lines, me)
    # Real ones: what is an exercise stands behind all that is real, as the node orders them.
    flashes = [one for one in alerts if one["urgency"] == "FLASH" and not one["drill"]]
    others = alerts[len(flashes) :]
    in_full = len(alerts) if whole else _IN_FULL
    if flashes:
        head = f"{count(len(alerts), 'open alert')}, {len(flashes):,} FLASH:"
        _show_alerts(head, flashes, in_full)
        click.echo()
    _paths(lines)
    _witnesses(lines)
    _show_waiting(found["held"], found["talks"], own=me["party"])
    show_answers(found["answers"])
    show_news(found["news"])
    if not alerts:
        click.echo("No open alerts.")
        return
    if others:
        more = "other " if flashes else ""
        head = f"{count(len(others), f'{more}open alert')}:"
        _show_alerts(head, others, max(0, in_full - len(flashes)))


def _show_lines(lines: list[dict[str, Any]], me: dict[str, Any]) -> None:
    """Print how each line stands, and what is to be done where one is down or silent."""
    table(
        ("PEER", "STATE", "SINCE", "LAST HEARD", "TERMS", "SENT", "HELD", "RECEIVED", "CLOCK"),
        [
            (
                one["peer"],
                line_state(one),
                when(state_since(one)),
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
    _audit(me.get("audit"))
    for one in lines:
        if one["state"] == "DOWN":
            _show_down(one, me["language"])
        for said in _banners(one, me["language"]):
            click.echo(click.style(sentences(said, indent=0), bold=True) + "\n")


def _show_waiting(held: list[Any], talks: list[dict[str, Any]], *, own: str) -> None:
    """Print what waits for a second person, and the calls that are ahead."""
    if held:
        waits = f"{count(len(held), 'draft')} for a second person: deconflict line release\n"
        click.echo(click.style(waits, bold=True))
    if talks:
        click.echo(click.style(f"{count(len(talks), 'call')} asked for or arranged:\n", bold=True))
        show_talks(talks[:_IN_FULL], own=own)
        if talks[_IN_FULL:]:
            click.echo(f"and {len(talks) - _IN_FULL} more: deconflict line call list")
        click.echo()


def _show_alerts(head: str, alerts: list[dict[str, Any]], in_full: int) -> None:
    click.echo(click.style(f"{head}\n", bold=True))
    for alert in alerts[:in_full]:
        show_alert(alert)
    if alerts[in_full:]:
        _count_rest(alerts[in_full:])


def _paths(lines: list[dict[str, Any]]) -> None:
    """Print each network path of the lines that have more than one."""
    rows = [
        (
            one["peer"],
            f"path {path['number']}",
            path["state"],
            when(path["since_utc"]),
            when(path["last_heard_utc"]),
            _round_trip(path),
        )
        for one in lines
        if len(one["paths"]) > 1
        for path in one["paths"]
    ]
    if rows:
        table(("PEER", "PATH", "STATE", "SINCE", "LAST HEARD", "ROUND TRIP"), rows)
        click.echo()


def _witnesses(lines: list[dict[str, Any]]) -> None:
    """Print how far third witnesses have signed this node's chains, where any are asked."""
    rows = [
        (
            one["peer"],
            seen["name"],
            seen["messages"],
            when(seen["seen_utc"]),
            seen["waiting"],
            "ANOTHER RECORD" if seen["contradicts"] else seen["problem"] or "",
        )
        for one in lines
        for seen in one["witnesses"]
    ]
    if rows:
        table(("PEER", "WITNESS", "SEEN", "AT", "WAITING", "PROBLEM"), rows, right=(2, 4))
        click.echo()


def _round_trip(path: dict[str, Any]) -> str:
    if path["state"] == "UP":
        return "not known" if path["round_trip_ms"] is None else f"{path['round_trip_ms']} ms"
    return {
        "NOT_HEARD": "nothing is heard",
        "NOT_ECHOED": "the peer does not hear us",
    }.get(path["reason"], "not known")


def show_alert(alert: dict[str, Any], *, words: bool = True, replies: bool = True) -> None:
    """Print one alert: since when, how urgent, by when, its words, and what answers it."""
    level = f" ({said})" if (said := escalated(alert)) else ""
    state = state_word(alert["urgency"]) if alert["open"] else "over:"
    due = alert["deadline_utc"] if alert["open"] else None
    deadline = f", due {when(due)}" if due else ""
    # What to name in an answer: a message, a declaration or a conflict.
    found = _ID.search(alert["subject"] or "")
    about = f", about {short(found[0])}" if found else ""
    real = click.style("REAL ", fg="red", bold=True) if "amid_exercise" in alert["facts"] else ""
    drill = "DRILL " if alert["drill"] else real
    click.echo(f"{when(alert['raised_utc'])}  {drill}{state}{level}{deadline}{about}")
    if words:
        click.echo(sentences(alert["text"], indent=4))
    reply = _REPLIES.get(alert["rule"].removesuffix("_RECEIVED"))
    message = alert["facts"].get("message")
    if replies and reply is not None and alert["open"] and message is not None:
        declaration = alert["facts"].get("declaration_id") or message
        # STANDBY is said once of a message.
        once = "standby_utc" not in alert["facts"]
        named = {"id": short(message), "declaration": short(declaration)}
        later = f"; for more time: deconflict line answer {named['id']} checking" if once else ""
        said = reply.format(**named, more=", checking" if once else "", later=later)
        click.echo(f"    {said}")


def _audit(audit: dict[str, Any] | None) -> None:
    """Say what is not proven of the record yet, and why; nothing where all of it is."""
    if audit is None:
        return
    failed = audit["hindrance"] is not None
    if audit["behind"]:
        entries = count(audit["unproven_entries"], "entry", "entries")
        since = f"last verified as a whole {when(audit['unproven_since_utc'])}"
        if failed or audit["overdue"]:
            said = f"NOT VERIFIED AGAIN: the first {entries} of the record, {since}."
            click.echo(click.style(said, bold=True) + " What came after was verified at the start.")
        else:
            read = f"{count(audit['entries'], 'entry', 'entries')} read so far"
            click.echo(
                f"The first {entries} of the record, {since}, are being verified again: {read}."
            )
    if failed:
        said = f"The attempt at {when(audit['tried_utc'])} failed: {clean(audit['problem'])}."
        click.echo(said if audit["behind"] else f"The record was not verified again. {said}")
        if audit["hindrance"] == "NOT_COMPARABLE":
            click.echo("The record itself was verified then, as it stands on the disk.")
        if audit["again_utc"] is not None:
            click.echo(f"The next one begins {when(audit['again_utc'])}.")
    if audit["phase"] == "RUNNING" and (failed or audit["overdue"]):
        read = count(audit["entries"], "entry", "entries")
        click.echo(f"One attempt is under way: {read} read so far.")
    if audit["behind"] or failed:
        click.echo()


def _show_down(line: dict[str, Any], language: str) -> None:
    """Say what waits on a line that is down, and how it can go meanwhile."""
    from deconflict.cli.carry import show_ways
    from deconflict.messages.phrases import render_named

    values = {"peer": line["peer"], "messages": line["own_seq"] - line["receipted_seq"]}
    click.echo(click.style(clean(render_named("STATUS_DOWN", values, language)), bold=True))
    show_ways(line)
    click.echo()


def _banners(line: dict[str, Any], language: str) -> Iterator[str]:
    """Yield what a desk has to know of a line before its alerts, in the desk's language."""
    from deconflict.messages.phrases import render_named

    def said(name: str, **values: object) -> str:
        return render_named(name, {"peer": line["peer"], **values}, language)

    if unseen := line["declarations_unseen"]:
        yield said("STATUS_UNSEEN", declarations=unseen)
    if third := line["without_line"]:
        yield said("STATUS_NO_LINE", parties=", ".join(third))
    for each in line["suspensions"]:
        if not each["in_effect"] and not each["drill"]:
            when_who = {"party": each["by"], "scope": each["scope"]}
            yield said("SUSPENDED_LATER", effective=each["effective_utc"], **when_who)
    if silence := silence_of(line):
        yield said(f"STATUS_{silence}", reason=line["silent_because"] or "-")


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
