"""``deconflict private mediate``: this node as a mediator between two of its peers."""

from pathlib import Path
from typing import Any, Final

import click

from deconflict.cli.command import command
from deconflict.cli.options import line_option, talks_to_node
from deconflict.cli.output import clean, count, sentences, table, when, write_json
from deconflict.errors import InvalidInputError

__all__ = ["mediate", "warn_of_mediator"]

_SHOWN: Final = 20
_MIB: Final = 1 << 20


@command(
    "mediate",
    example="deconflict private mediate\n"
    "deconflict private mediate on --line red\n"
    "deconflict private mediate off --line red",
)
@click.argument("switch", type=click.Choice(("on", "off")), required=False)
@click.option(
    "--most",
    type=click.IntRange(1, 1_024),
    metavar="MIB",
    help="With on: how much of its lists may wait here at once.  [default: 64]",
)
@line_option
@talks_to_node
def mediate(
    switch: str | None,
    most: int | None,
    line: str | None,
    node_dir: Path | None,
    account: str | None,
    as_json: bool,
) -> None:
    """Compare lists of the peer of a line with those of another, as their mediator.

    Two peers who name you as mediator send lists of tags that you cannot read, and both are told
    whether, or in how many cells, they agree. It is off for each line until you say on. With the
    help of either of the two, you could learn the whole plan of the other: they trust you not to.
    Without on or off it shows for whom you do, and what was compared.
    """
    from deconflict.cli.client import NodeClient

    if switch is None and (line is not None or most is not None):
        raise InvalidInputError("a line is named, and not what is to be done", expected="on or off")
    if switch == "off" and most is not None:
        raise InvalidInputError("--most says how much is taken", expected="on, or no --most")
    with NodeClient.of(node_dir, account) as node:
        if switch is None:
            found = node.get("private", "mediations")
        else:
            line_id = node.line(line)["line_id"]
            if switch == "on":
                body = {} if most is None else {"most_bytes": most * _MIB}
                found = node.put("private", "mediations", line_id, body=body)
            else:
                found = node.delete("private", "mediations", line_id)
    if as_json:
        write_json(found)
    else:
        _show(found)


def warn_of_mediator(mediator: str) -> None:
    """Say what a mediator can learn, before anybody is asked or answered."""
    name = clean(mediator)
    click.echo(
        click.style("warning: ", fg="yellow")
        + f"{name} together with either party can learn everything that the other flies in this "
        f"check. Alone, {name} learns in how many tags the lists agree. Both parties have to trust "
        "it not to take sides, and nobody can prove afterwards that it did.",
        err=True,
    )


def _show(found: dict[str, Any]) -> None:
    table(
        ("PEER", "MEDIATED", "SINCE", "BY", "AT MOST"),
        [
            (
                each["peer"],
                "yes" if each["mediates"] else "no",
                "-" if each["since_utc"] is None else when(each["since_utc"]),
                each["by"] or "-",
                f"{each['most_bytes'] // _MIB:,} MiB" if each["mediates"] else "-",
            )
            for each in found["lines"]
        ],
        right=(4,),
    )
    done = found["mediations"]
    if not done:
        click.echo("\nNothing was submitted to this node.")
        return
    click.echo()
    table(
        ("CAME", "FROM", "WITH", "LISTS", "TAGS EACH", "ASKED FOR", "STATE", "EQUAL TAGS"),
        [_row(each) for each in done[:_SHOWN]],
        right=(3, 4),
    )
    if len(done) > _SHOWN:
        click.echo(f"... and {count(len(done) - _SHOWN, 'more')}: --json shows them all")
    click.echo("\n" + sentences(_MEANING, indent=0))


def _row(each: dict[str, Any]) -> tuple[object, ...]:
    state = {"WAITS": "waits", "ANSWERED": "answered", "ENDED": "not answered"}[each["state"]]
    if each["reason"] is not None:
        state += f": {each['reason']}, by {each['ended_by']}"
    asked = {"YES_NO": "yes or no", "COUNT": "count"}[each["answer"]]
    return (
        when(each["at_utc"]),
        each["peer"],
        each["other"],
        each["lists"],
        f"{each['bucket']:,}",
        asked,
        ("DRILL " if each["drill"] else "") + state,
        " ".join(map(str, each["answers"])) or "-",
    )


_MEANING = (
    "All but two of the lists are of dummies, and which two those are is not known here. The lists "
    "were erased when they were answered."
)
