"""``deconflict activity``: what your own side does, held against what was declared, never sent."""

from pathlib import Path
from typing import Any

import click

from deconflict.cli.command import EXIT_FINDING, Group, command
from deconflict.cli.options import PLACE, talks_to_node
from deconflict.cli.output import (
    count,
    metres,
    sentences,
    short,
    state_word,
    when,
    write_json,
)
from deconflict.errors import InvalidInputError, NotFoundError

__all__ = ["activity"]

_SHORTEST = 4  # characters of an id that are enough, if they fit one


@click.group(
    "activity",
    cls=Group,
    example='deconflict activity add --place "35.3312 N 40.1187 E" --reach 500m --for 30min',
)
def activity() -> None:
    """Hold what your side does against what was declared; sends nothing.

    Enter the place at which the unit acts, read from the order to that unit and not from the
    declaration: your node tells whether a notice of yours covers it, how far off the nearest one
    is, and whether a peer declared people of its own or a protected site there.
    """


@command(
    "add",
    group=activity,
    example="deconflict activity add --place 36SYE6779321530 --reach 500m --for 30min\n"
    'deconflict activity add --place "35.3312 N 40.1187 E" \\\n'
    "    --start 2015-09-30T12:00:00Z --end 2015-09-30T12:30:00Z",
)
@click.option("--place", required=True, metavar="PLACE", help=PLACE)
@click.option("--reach", metavar="DISTANCE", help="How far around it: 500m, 1NM.")
@click.option("--start", metavar="TIME", help="UTC, as 2015-09-30T12:00:00Z; now if not said.")
@click.option("--end", metavar="TIME", help="UTC.")
@click.option("--for", "lasting", metavar="DURATION", help="As 30min or 2h, instead of --end.")
@talks_to_node
@click.pass_context
def add(
    ctx: click.Context,
    place: str,
    reach: str | None,
    start: str | None,
    end: str | None,
    lasting: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Enter what your side does at a place, or is about to do.

    It is held against every line until it is over, and the desk is told when something declared
    later is met. Nothing of it is sent, whatever it meets. Ends with 1 when it meets something.
    """
    from deconflict.airspace.instant import format_utc, parse_utc
    from deconflict.airspace.quantity import parse_distance, parse_duration
    from deconflict.cli.client import NodeClient
    from deconflict.cli.typed import place_wire, time_wire

    if (end is None) == (lasting is None):
        raise InvalidInputError("when is it over?", expected="--end TIME or --for 30min")
    body: dict[str, Any] = {
        "place": place_wire(place),
        "reach_mm": None if reach is None else parse_distance(reach),
    }
    with NodeClient.of(node_dir, account) as node:
        me = node.get("node")
        body["start_utc"] = me["now_utc"] if start is None else time_wire(start)
        if lasting is None:
            body["end_utc"] = time_wire(end or "")
        else:
            body["end_utc"] = format_utc(parse_utc(body["start_utc"]) + parse_duration(lasting))
        found = node.post("activities", body=body)
    if as_json:
        write_json(found)
    else:
        _show(found, lines=me["lines"])
    if found["alerts"]:
        ctx.exit(EXIT_FINDING)


@command("list", group=activity, example="deconflict activity list")
@talks_to_node
@click.pass_context
def list_activities(
    ctx: click.Context, node_dir: Path | None, account: str | None, as_json: bool
) -> None:
    """List what was entered and is not over; ends with 1 when some of it meets something."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        found, lines = node.get("activities"), node.get("node")["lines"]
    if as_json:
        write_json(found)
    else:
        for each in found:
            _show(each, lines=lines)
        if not found:
            click.echo("No activity is entered that is not over.")
    if any(each["alerts"] for each in found):
        ctx.exit(EXIT_FINDING)


@command("remove", group=activity, example="deconflict activity remove 7c1e09af")
@click.argument("wanted", metavar="ID")
@talks_to_node
def remove(wanted: str, node_dir: Path | None, account: str | None, as_json: bool) -> None:
    """Forget an activity that is not done, or is over before its time."""
    from deconflict.cli.client import NodeClient

    with NodeClient.of(node_dir, account) as node:
        found = node.get("activities")
        fitting = [each for each in found if each["activity_id"].startswith(wanted)]
        if len(wanted) < _SHORTEST or len(fitting) != 1:
            raise NotFoundError(
                "which activity?",
                given=wanted,
                expected=", ".join(short(each["activity_id"]) for each in found) or "none is held",
                remedy="list them: deconflict activity list",
            )
        done = node.delete("activities", fitting[0]["activity_id"])
    if as_json:
        write_json(done)
        return
    click.echo(f"Activity {short(fitting[0]['activity_id'])} is forgotten; its alerts are over.")


def _show(found: dict[str, Any], *, lines: int) -> None:
    reach = "" if found["reach_m"] is None else f", {metres(found['reach_m'])} around"
    click.echo(
        click.style(short(found["activity_id"]), bold=True)
        + f"  {found['lat_deg']:.4f}, {found['lon_deg']:.4f}{reach}, "
        f"{when(found['start_utc'])} to {when(found['end_utc'])}"
    )
    for alert in found["alerts"]:
        drill = "DRILL " if alert["drill"] else ""
        click.echo(f"  {drill}{state_word(alert['urgency'])}")
        click.echo(sentences(alert["text"], indent=4))
    if found["alerts"]:
        click.echo(f"  {count(len(found['alerts']), 'alert')}. Nothing of it was sent.")
    elif lines:
        click.echo(
            "  On every line a notice of yours covers it; no people and no protected site of a\n"
            "  peer are met, as far as they are declared. Nothing of it was sent."
        )
    else:
        click.echo("  This node has no line: it was held against nothing.")
