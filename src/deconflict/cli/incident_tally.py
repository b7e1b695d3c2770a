"""``deconflict incident tally``: count a period, say it, and hold the peer's count against it."""

from pathlib import Path
from typing import Any

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.options import line_option, talks_to_node
from deconflict.cli.output import clean, count, short, table, when, write_json
from deconflict.cli.sending import show_posted
from deconflict.errors import InvalidInputError

__all__ = ["tally"]

WHY = {
    "NOT_HELD": "no such message is in this record",
    "OTHER_CODE": "counted under another code",
    "TAKEN_BACK": "its author took it back",
    "OUTSIDE_PERIOD": "outside the period",
    "EXERCISE": "an exercise, and what is real, are counted apart",
    "NOT_REACHED": "the author of the tally had not heard it yet",
    "NOT_NAMED": "the tally does not name it",
}


@command(
    "tally",
    example="deconflict incident tally --from 2015-09-01T00:00:00Z --until 2015-10-01T00:00:00Z\n"
    "deconflict incident tally --from 2015-09-01T00:00:00Z --until 2015-10-01T00:00:00Z --say\n"
    "deconflict incident tally --said",
)
@click.option("--from", "start_utc", metavar="TIME", help="The first instant of the period, UTC.")
@click.option("--until", "end_utc", metavar="TIME", help="The first instant after it.")
@click.option("--say", is_flag=True, help="Say it to the peer, whose node counts for itself.")
@click.option("--said", is_flag=True, help="Show the tallies said, and where the record differs.")
@click.option("--drill", is_flag=True, help="Count exercises alone.")
@line_option
@talks_to_node
@click.pass_context
def tally(
    ctx: click.Context,
    start_utc: str | None,
    end_utc: str | None,
    say: bool,
    said: bool,
    drill: bool,
    line: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Count a period, entry by entry; say it; compare.

    Incidents and breach notes are counted from the record, each by its message, by the time at
    which they happened. Both sides count alike: a tally counts what its author had said and heard.
    With --said, exit code 1 says that a tally differs from what the record gives.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import time_wire

    if said == (start_utc is not None or end_utc is not None) or (said and say):
        raise InvalidInputError(
            "which tally?", expected="--from TIME and --until TIME to count one; or --said alone"
        )
    with NodeClient.of(node_dir, account) as node:
        view = node.line(line)
        if said:
            found = node.get("lines", view["line_id"], "tallies")
            _show_said(found, as_json=as_json)
            if any(each["differences"] for each in found):
                ctx.exit(EXIT_FINDING)
            return
        if start_utc is None or end_utc is None:
            raise InvalidInputError("of which period?", expected="--from TIME and --until TIME")
        period = {"start_utc": time_wire(start_utc), "end_utc": time_wire(end_utc)}
        if say:
            posted = node.post("lines", view["line_id"], "tally", body={**period, "drill": drill})
            show_posted(node, posted, as_json=as_json)
            return
        counted = node.get("lines", view["line_id"], "tally", **period, drill=str(drill).lower())
    if as_json:
        write_json(counted)
        return
    _show(counted)


def _show_said(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        write_json(found)
        return
    if not found:
        click.echo("No tally was said on this line yet.")
    for number, each in enumerate(found):
        if number:
            click.echo()
        _show(each)


def _show(view: dict[str, Any]) -> None:
    who = "Our count, said to nobody yet" if view["by"] is None else f"Tally of {view['by']}"
    said = "" if view["message"] is None else f", {short(view['message'])}"
    drill = "DRILL " if view["drill"] else ""
    click.echo(
        click.style(f"{drill}{clean(who)}{said}", bold=True)
        + f"  {when(view['start_utc'])} to {when(view['end_utc'])}, with {clean(view['peer'])}\n"
    )
    if view["entries"]:
        table(
            ("MESSAGE", "BY", "AT", "WHAT"),
            [
                (
                    short(each["message"]),
                    each["by"] or "not here",
                    when(each["at_utc"]) if each["at_utc"] else None,
                    each["words"],
                )
                for each in view["entries"]
            ],
        )
    click.echo(f"{count(len(view['entries']), 'entry', 'entries')}.")
    if view["by"] is None:
        return
    if not view["differences"]:
        click.echo("The record here gives the same, entry by entry.")
        return
    click.echo(
        click.style(
            f"The record here differs in {count(len(view['differences']), 'entry', 'entries')}:",
            fg="red",
        )
    )
    for each in view["differences"]:
        where = "in the tally alone" if each["in_tally"] else "in the record alone"
        click.echo(
            f"  {short(each['message'])}  {clean(each['words'])}: {where}; "
            f"{WHY.get(each['why'], clean(each['why']))}"
        )
