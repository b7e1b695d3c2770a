"""``deconflict check``: where declarations come too close, in words, as a table, as a picture."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deconflict.cli.command import EXIT_FINDING, command
from deconflict.cli.gaps import Gaps, gaps_options
from deconflict.cli.options import as_written_option, file_or_stdin, talks_to_node
from deconflict.cli.output import (
    count,
    feet,
    metres,
    say_warnings,
    sentences,
    short,
    table,
    when,
    write_json,
)
from deconflict.cli.written import force_option, require_free, write_file
from deconflict.units import METRES_PER_FOOT, METRES_PER_NAUTICAL_MILE

if TYPE_CHECKING:
    from deconflict.cli.client import NodeClient
    from deconflict.paper.picture import Mark


__all__ = ["check", "landmarks_of", "show_conflicts"]


@command(
    "check",
    example="deconflict check\ndeconflict check tomorrow.geojson --picture tomorrow.svg",
)
@click.argument("files", nargs=-1, type=file_or_stdin, metavar="[FILE]...")
@click.option(
    "--picture",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="SVG",
    help="Also draw a map with the altitudes beside it.",
)
@force_option
@as_written_option
@gaps_options
@talks_to_node
@click.pass_context
def check(
    ctx: click.Context,
    files: tuple[Path, ...],
    gaps: Gaps,
    picture: Path | None,
    force: bool,
    as_written: bool,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Look for conflicts; sends nothing.

    Without files, everything that is active now is checked. With files, the drafts in them are
    checked against it, whatever their format (- is standard input; see declare); neither the peer
    nor the record learns of them. Exit code 1 says that
    conflicts were found. No conflict means only that nothing declared conflicts.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.drafts import read_drafts, say_read

    require_free(picture, force=force, read=files)
    read = read_drafts(files, gaps) if files else None
    drafts = None if read is None else read.wire
    for draft in drafts or ():  # a name, so that a conflict can say which draft it means
        draft.setdefault("declaration_id", os.urandom(16).hex())
    with NodeClient.of(node_dir, account) as node:
        found = node.post("check", body={"declarations": drafts, "as_written": as_written})
        conflicts = found["conflicts"]
        if picture is not None:
            _write_picture(picture, node, drafts or [], conflicts)
    if as_json:
        write_json(found if read is None else {**found, "read": read.report()})
    else:
        if read is not None:
            say_read(read)
        say_warnings(found["warnings"])
        show_conflicts(conflicts, drafts=None if drafts is None else len(drafts))
        if picture is not None:
            click.echo(f"\nThe picture is in {picture}.")
    if conflicts:
        ctx.exit(EXIT_FINDING)


def show_conflicts(conflicts: Sequence[dict[str, Any]], *, drafts: int | None) -> None:
    """Print a table of conflicts with each in plain words below, or that there is none."""
    what = "what is declared now" if drafts is None else count(drafts, "draft")
    if not conflicts:
        click.echo(f"No conflict found in {what}.")
        click.echo("This says nothing of what nobody declared.")
        return
    click.echo(click.style(f"{count(len(conflicts), 'conflict')} in {what}:\n", bold=True))
    table(
        ("", "CLOSEST AT", "WHAT", "LATERAL", "VERTICAL", "WHO"),
        [
            (
                number,
                when(one["cpa_utc"]),
                _what(one),
                _of(
                    one["cpa_distance_m"], one["minimum_lateral_m"], METRES_PER_NAUTICAL_MILE, "NM"
                ),
                _of(one["cpa_vertical_m"], one["minimum_vertical_m"], METRES_PER_FOOT, "ft"),
                f"{_side(one, 'first')} / {_side(one, 'second')}",
            )
            for number, one in enumerate(conflicts, 1)
        ],
        right=(0,),
    )
    for number, one in enumerate(conflicts, 1):
        click.echo(
            click.style(f"\n{number}.", bold=True) + f" conflict {short(one['conflict_id'])}"
        )
        click.echo(sentences(one["text"], indent=3))


def _what(conflict: dict[str, Any]) -> str:
    """Return what meets; that it does so only off the plans stands beside it, not below alone."""
    kind = str(conflict["kind"]).replace("_", " ").lower()
    if conflict["window_first_s"] or conflict["window_second_s"]:
        return f"{kind}, for some shift in time"
    return kind


def _of(value_m: float | None, minimum_m: float, unit_m: float, unit: str) -> str:
    """Return how near, of how much is agreed."""
    places = 2 if unit == "NM" else 0
    least = f"{minimum_m / unit_m:,.{places}f} {unit}"
    return (
        f"unknown of {least}"
        if value_m is None
        else f"{abs(value_m) / unit_m:,.{places}f} of {least}"
    )


def _side(conflict: dict[str, Any], which: str) -> str:
    purpose = conflict[f"{which}_purpose"].replace("_", " ").lower()
    return f"{conflict[f'{which}_party']} {purpose} {short(conflict[f'{which}_declaration'], 6)}"


def _name(declared: dict[str, Any]) -> str:
    """Return its label, or what it is and how its id begins; an exercise says so first."""
    purpose = declared["purpose"].replace("_", " ").lower()
    name = declared.get("label") or f"{purpose} {short(declared['declaration_id'], 6)}"
    return f"DRILL {name}" if declared.get("drill") else name


def _write_picture(
    file: Path,
    node: "NodeClient",
    drafts: Sequence[dict[str, Any]],
    conflicts: Sequence[dict[str, Any]],
) -> None:
    from deconflict.airspace import Position, geometry_from_wire
    from deconflict.paper.picture import Shape, draw

    me = node.get("node")
    conflicting = {
        one[key] for one in conflicts for key in ("first_declaration", "second_declaration")
    }
    declared = node.declarations(active=True)
    own_drafts = [{**draft, "party": me["party"], "own": True} for draft in drafts]
    # Areas below flights, and the same picture whatever the ids are.
    shown = sorted(
        [*declared, *own_drafts],
        key=lambda one: ("trajectory" in one["geometry"], one["party"], _name(one)),
    )
    names = {one["declaration_id"]: _name(one) for one in shown}
    shapes = [
        Shape(
            label=names[one["declaration_id"]],
            party=one["party"],
            own=one["own"],
            purpose=one["purpose"],
            geometry=geometry_from_wire(one["geometry"]),
            in_conflict=one["declaration_id"] in conflicting,
        )
        for one in shown
    ]
    svg = draw(
        shapes,
        [_mark(one, names) for one in conflicts],
        landmarks=landmarks_of(node),
        theatres=[
            (
                theatre["name"],
                [Position(place["lat_e7"], place["lon_e7"]) for place in theatre["outline"]],
            )
            for theatre in _theatres(node)
            if theatre["outline"]
        ],
        title="What is declared, and where it conflicts" if conflicts else "What is declared",
        subtitle=f"{me['party']}, drawn {when(me['now_utc'])} · "
        "only what was declared · not for navigation",
    )
    write_file(file, svg.encode())


def _mark(conflict: dict[str, Any], names: Mapping[str, str]) -> "Mark":
    """Return where and when two declarations are nearest, as it stands on the picture."""
    from deconflict.airspace import Position, parse_utc
    from deconflict.paper.picture import Mark

    at, apart = when(conflict["cpa_utc"]), metres(conflict["cpa_distance_m"])
    first, second = (
        f"{conflict[f'{which}_party']} {names[conflict[f'{which}_declaration']]}"
        for which in ("first", "second")
    )
    shifted = conflict["window_first_s"] or conflict["window_second_s"]
    return Mark(
        places=tuple(
            Position.from_degrees(place["lat_deg"], place["lon_deg"])
            for place in (conflict["place_first"], conflict["place_second"])
            if place is not None
        ),
        at_ms=parse_utc(conflict["cpa_utc"]),
        label=f"{at[11:]} {apart}",
        words=f"{at}  {first} and {second}: {apart} and {feet(conflict['cpa_vertical_m'])} apart, "
        f"minimum {metres(conflict['minimum_lateral_m'])} and "
        f"{feet(conflict['minimum_vertical_m'])}" + (", for some shift in time" if shifted else ""),
    )


def landmarks_of(node: "NodeClient") -> list[tuple[str, Any]]:
    """Return the landmarks of all agreed terms, each once."""
    from deconflict.airspace import Position

    found: dict[str, Position] = {}
    for theatre in _theatres(node):
        for landmark in theatre["landmarks"]:
            place = landmark["position"]
            found[landmark["name"]] = Position(place["lat_e7"], place["lon_e7"])
    return list(found.items())


def _theatres(node: "NodeClient") -> list[dict[str, Any]]:
    held = [node.get("lines", line["line_id"], "terms")["agreed"] for line in node.lines()]
    return [agreed["theatre"] for agreed in held if agreed is not None]
