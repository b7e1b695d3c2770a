"""``deconflict line status`` for who speaks for protected sites: lines, sites, warnings, alerts."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from deconflict.cli.output import count, short, table, when, write_json
from deconflict.cli.sites import REACHED, show_sites

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient

__all__ = ["show_site_status"]

_IN_FULL: Final = 20
_LOOKED_BACK: Final = 1_000
_WARNINGS: Final = ("SAFETY", "CEASE")
# What answers a warning; STANDBY says that an answer comes later.
_ANSWERS: Final = ("STANDBY", "ACK", "CANNOT_REACH", "CONTINUING", "CEASED")


def show_site_status(
    node: "NodeClient",
    show_alert: Callable[[dict[str, Any]], None],
    *,
    whole: bool,
    as_json: bool,
) -> None:
    """Print what a humanitarian notifier may know: no flight, no activity, no other message."""
    me, lines = node.get("node"), node.lines()
    sites, said = node.sites(active=True), node.site_messages(last=_LOOKED_BACK)
    alerts = node.get("sites", "alerts")
    warnings = _warnings(said)
    if as_json:
        write_json(
            {"node": me, "lines": lines, "sites": sites, "warnings": warnings, "alerts": alerts}
        )
        return
    drill = "  DRILL" if me["drill"] else ""
    click.echo(f"{me['party']}, {when(me['now_utc'])}{drill}\n")
    table(
        ("PEER", "STATE", "SINCE", "LAST HEARD", "TERMS", "SUSPENDED"),
        [
            (
                one["peer"],
                one["state"],
                when(one["since_utc"]),
                when(one["last_heard_utc"]),
                one["terms_state"].replace("_", " ").lower(),
                one["suspended_scope"] or "no",
            )
            for one in lines
        ],
    )
    click.echo("SAFETY and CEASE pass on a suspended line too.\n")
    if alerts:
        click.echo(click.style(f"{count(len(alerts), 'open alert')}:\n", bold=True))
        shown = alerts if whole else alerts[:_IN_FULL]
        for alert in shown:
            show_alert(alert)
        if alerts[len(shown) :]:
            click.echo(f"and {len(alerts) - len(shown)} more, all shown by --all")
        click.echo()
    else:
        click.echo("No open alerts about your sites and warnings.\n")
    _show_warnings(warnings if whole else warnings[-_IN_FULL:])
    show_sites(sites, as_json=False)


def _warnings(said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the own warnings in their order, each with the latest message that answers it."""
    answers: dict[str, Mapping[str, Any]] = {}
    for message in said:
        ref = message["ref"]
        if message["outgoing"] or ref is None or message["kind"] not in _ANSWERS:
            continue
        held = answers.get(ref)
        # An ACK that comes after CEASED takes nothing of it back; CONTINUING does.
        if held is None or message["kind"] != "ACK" or held["kind"] in ("STANDBY", "ACK"):
            answers[ref] = message
    return [
        {**message, "answer": answers.get(message["hash"])}
        for message in said
        if message["outgoing"] and message["kind"] in _WARNINGS
    ]


def _show_warnings(warnings: Sequence[Mapping[str, Any]]) -> None:
    if not warnings:
        return
    table(
        ("WARNING", "ID", "TO", "SENT", "DELIVERY", "ANSWER", "AT"),
        [
            (
                ("DRILL " if one["drill"] else "") + one["kind"],
                short(one["hash"]),
                one["to_party"],
                when(one["created_utc"]),
                REACHED.get(one["state"], one["state"].lower()),
                "NO ANSWER" if one["answer"] is None else _word(one["answer"]),
                "-" if one["answer"] is None else when(one["answer"]["created_utc"]),
            )
            for one in warnings
        ],
    )
    click.echo("Acknowledged is not permission, and no promise of safety.\n")


def _word(answer: Mapping[str, Any]) -> str:
    """Return what an answer says: of an ACK, which of its five words."""
    said = answer["body"].get("answer") if answer["kind"] == "ACK" else None
    return str(said or answer["kind"]).replace("_", " ")
