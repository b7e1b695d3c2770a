"""``deconflict private plan``: what this party flies in private checks. It stays on the node."""

from pathlib import Path
from typing import Any

import click

from deconflict.cli.command import command
from deconflict.cli.gaps import Gaps, gaps_options
from deconflict.cli.options import file_or_stdin, line_option, talks_to_node
from deconflict.cli.output import clean, count, short, table, when, write_json
from deconflict.errors import InvalidInputError

__all__ = ["plan"]

_SHOWN = 40


@command(
    "plan",
    example="deconflict private plan tomorrow.geojson --line red\n"
    "deconflict private plan --nothing --line red\n"
    "deconflict private plan",
)
@click.argument("files", nargs=-1, type=file_or_stdin, metavar="[FILE]...")
@click.option("--nothing", is_flag=True, help="Say that nothing flies; it is checked all the same.")
@click.option("--clear", is_flag=True, help="Forget the plan: runs are NOT CHECKED without one.")
@line_option
@gaps_options
@talks_to_node
def plan(
    files: tuple[Path, ...],
    gaps: Gaps,
    nothing: bool,
    clear: bool,
    line: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Set, show or forget what you fly in the private checks of a line.

    FILE is what `deconflict declare` reads. Nothing of it is sent: it stays in the node's folder,
    for its owner's eyes. It takes the place of the plan before it; a run that has begun keeps its
    own. Without FILE the present plan is shown.
    """
    from deconflict.cli.client import NodeClient
    from deconflict.cli.drafts import read_drafts, say_read

    if sum((bool(files), nothing, clear)) > 1:
        raise InvalidInputError(
            "what is to be done?", expected="FILE, or --nothing, or --clear, or none of them"
        )
    with NodeClient.of(node_dir, account) as node:
        line_id = node.line(line)["line_id"]
        if clear:
            found = node.delete("private", "plan", line_id)
        elif files or nothing:
            drafts: list[dict[str, Any]] = []
            if files:
                read = read_drafts(files, gaps)
                drafts = read.wire
                if not as_json:
                    say_read(read)
            found = node.put("private", "plan", line_id, body={"declarations": drafts})
        else:
            found = node.get("private", "plan", line_id)
    if as_json:
        write_json(found)
        return
    _show(found)


def _show(found: dict[str, Any]) -> None:
    peer = clean(found["peer"])
    if found["set_utc"] is None:
        click.echo(f"No plan is set for private checks with {peer}: they are NOT CHECKED.")
        return
    flown = count(len(found["sorties"]), "sortie")
    click.echo(f"Private plan for checks with {peer}, {flown}, set {when(found['set_utc'])}:")
    click.echo("  It stays on this node. Nothing of it was sent.\n")
    table(
        ("ID", "PURPOSE", "FROM", "TO", "LABEL"),
        [
            (
                short(each["declaration_id"]),
                clean(each["purpose"]).replace("_", " ").lower(),
                when(each["start_utc"]),
                when(each["end_utc"]),
                each["label"],
            )
            for each in found["sorties"][:_SHOWN]
        ],
    )
    if len(found["sorties"]) > _SHOWN:
        click.echo(f"... and {len(found['sorties']) - _SHOWN} more: --json shows them all")
