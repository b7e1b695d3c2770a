"""``deconflict line drill``: begin and end an exercise, see which last, and what one showed."""

from pathlib import Path
from typing import Any, Final

import click

from deconflict.cli.command import Group, command
from deconflict.cli.options import line_option, talks_to_node
from deconflict.cli.output import clean, count, short, span, table, when, write_json
from deconflict.errors import InvalidInputError

__all__ = ["drill"]

_ON_LINE: Final = click.option(
    "--line", "line", metavar="PEER", help="Only on this line; otherwise on every one."
)


@click.group("drill", cls=Group, example="deconflict line drill begin --line red --for 2h")
def drill() -> None:
    """Hold an exercise on the line: begin it, end it, see what it showed.

    While it lasts, what you write is marked DRILL. What cites a real message stays real, and --real
    makes any other message real. The first real cease request or safety message, of either side,
    ends it: an exercise delays nothing that is meant in earnest.
    """


@command(
    "begin",
    group=drill,
    example="deconflict line drill begin --line red --for 2h\n"
    "deconflict line drill begin --until 2015-09-30T08:00:00Z --unannounced",
)
@_ON_LINE
@click.option("--until", metavar="TIME", help="When it ends by itself, UTC; a day off at most.")
@click.option(
    "--for", "lasting", metavar="DURATION", help="As 10m, 90min or 2h, instead of --until."
)
@click.option("--unannounced", is_flag=True, help="Tell the peer nothing; the mark alone shows.")
@talks_to_node
def begin(
    line: str | None,
    until: str | None,
    lasting: str | None,
    unannounced: bool,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Begin an exercise: what you write from now on is marked DRILL.

    Refused while a real cease request or safety message is open on the line.
    """
    from deconflict.airspace.instant import format_utc, parse_utc
    from deconflict.airspace.quantity import parse_duration
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import time_wire

    if (until is None) == (lasting is None):
        raise InvalidInputError("when does the exercise end?", expected="--until TIME or --for 2h")
    with NodeClient.of(node_dir, account) as node:
        if lasting is not None:
            now_ms = parse_utc(node.get("node")["now_utc"])
            end = format_utc(now_ms + parse_duration(lasting))
        else:
            end = time_wire(until or "")
        body = {
            "until_utc": end,
            "line": None if line is None else node.line(line)["line_id"],
            "announced": not unannounced,
        }
        begun = node.post("drills", body=body)
    if as_json:
        write_json(begun)
        return
    for one in begun:
        told = "told" if one["announced"] else "not told"
        click.echo(
            click.style("DRILL", bold=True)
            + f" on the line with {clean(one['peer'])} until {when(one['until_utc'])}; "
            f"{clean(one['peer'])} is {told}."
        )
    click.echo("What you write is marked DRILL. In earnest: --real. Real answers stay real.")


@command("end", group=drill, example="deconflict line drill end --line red")
@_ON_LINE
@talks_to_node
def end(line: str | None, node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """End an exercise before its time; a peer that was told is told."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        named = None if line is None else node.line(line)["line_id"]
        ended = node.post("drills", "end", body={"line": named})
    if as_json:
        write_json(ended)
        return
    for one in ended:
        click.echo(
            f"The exercise on the line with {clean(one['peer'])} is over. What you write is real.\n"
            f"  What it showed: deconflict line drill report --line {clean(one['peer'])}"
        )


@command("list", group=drill, example="deconflict line drill list")
@talks_to_node
def list_drills(node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """List the exercises that last, yours and those that a peer announced."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        found = node.get("drills")
    if as_json:
        write_json(found)
        return
    if not found:
        click.echo("No exercise lasts.")
        return
    table(
        ("PEER", "SINCE", "OURS UNTIL", "TOLD", "THEIRS UNTIL"),
        [
            (
                one["peer"],
                when(one["begun_utc"]) if one["begun_utc"] else "-",
                when(one["until_utc"]) if one["until_utc"] else "-",
                ("yes" if one["announced"] else "no") if one["until_utc"] else "-",
                when(one["peer_until_utc"]) if one["peer_until_utc"] else "-",
            )
            for one in found
        ],
    )


@command("report", group=drill, example="deconflict line drill report --line red")
@line_option
@talks_to_node
@click.pass_context
def report(
    ctx: click.Context,
    line: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Show what the last exercise showed: when each message was held, seen, answered.

    Times count from when a message was written; of the peer's, from when it was durable here. What
    the peer's own desks were told there, your node does not know: ask for its report.

    Ends with 1 when a limit was missed.
    """
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        found = node.get("lines", node.line(line)["line_id"], "drill")
    missed = sum(bool(one["missed"]) for one in found["messages"])
    if as_json:
        write_json(found)
    else:
        _show(found, missed)
    if missed:
        ctx.exit(1)


def _show(found: dict[str, Any], missed: int) -> None:
    peer = clean(found["peer"])
    until = f"it lasts until {when(found['until_utc'])}"
    end = f"to {when(found['ended_utc'])}" if found["ended_utc"] else until
    told = f"{peer} was {'told' if found['announced'] else 'not told'}"
    whose = f"announced by {peer}" if found["by"] == found["peer"] else told
    click.echo(
        click.style("DRILL", bold=True)
        + f" on the line with {peer}, {when(found['begun_utc'])}, {end}; {whose}."
    )
    if found["cut_by"]:
        click.echo(f"A real message ended it: {short(found['cut_by'])}")
    click.echo()
    if not found["messages"]:
        click.echo("No message of it had to be seen or answered: it proved nothing of the line.")
        return
    table(
        ("MESSAGE", "BY", "KIND", "PRECEDENCE", "HELD", "SEEN", "ANSWERED", "LADDER", "MISSED"),
        [
            (
                short(one["hash"]),
                "us" if one["own"] else found["peer"],
                f"DRILL {one['kind']}",
                one["precedence"],
                _after(one["held_ms"]),
                _after(one["seen_ms"]),
                _after(one["answered_ms"]),
                _ladder(one["ladder"]),
                ", ".join(one["missed"]).lower() or "-",
            )
            for one in found["messages"]
        ],
    )
    click.echo(
        f"\n{count(len(found['messages']), 'message')}, "
        f"{missed or 'none'} with a limit missed. A receipt is no reading; a reading no answer."
    )


def _after(ms: int | None) -> str:
    if ms is None:
        return "-"
    return f"{ms / 1000:.1f} s" if ms < 60_000 else span(ms // 1000)


def _ladder(rungs: list[dict[str, Any]]) -> str:
    climbed = [
        f"{rung['step'].replace('_', ' ').lower()} {_after(rung['after_ms'])}" for rung in rungs
    ]
    return ", ".join(climbed) or "-"
