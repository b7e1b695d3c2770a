"""What an update or a correction changes: how the declaration stood, against what replaces it."""

from collections.abc import Sequence
from typing import Any

import click

from deconflict.airspace import geometry_from_wire
from deconflict.airspace.geodesy import distance
from deconflict.airspace.landmark import Landmark
from deconflict.cli.output import clean, count, metres, table
from deconflict.cli.reply import readback_rows
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.readback import readback_of
from deconflict.messages.summary import stated_points, summarise

__all__ = ["show_change"]


def show_change(held: dict[str, Any], draft: dict[str, Any], landmarks: Sequence[Landmark]) -> None:
    """Print what differs between a declaration as it stood and what replaces it, old and new.

    Compared are the figures that are read back, and the places. What differs otherwise, as the
    altitudes of a later part, is said to differ and not how.
    """
    before, now = _declaration(held, held["declaration_id"]), _declaration(draft, "0" * 32)
    rows = [
        (name, old, new)
        for (name, old), (_, new) in zip(
            _rows(before, landmarks), _rows(now, landmarks), strict=True
        )
        if old != new
    ]
    moved_m = distance(summarise(before.geometry).position, summarise(now.geometry).position)
    elsewhere = len(_places(now) - _places(before))
    if rows:
        click.echo("What changed:\n")
        table(("", "BEFORE", "NOW"), rows)
        click.echo()
    elif before.geometry == now.geometry:
        click.echo("Nothing in it changed.")
    else:
        click.echo("The figures that are read back are as before; the geometry is not.")
    if moved_m > 0:
        click.echo(f"The place moved by {metres(moved_m)}.")
    if elsewhere:
        click.echo(f"Places that were not in it before: {elsewhere} of {len(_places(now))}.")


def _declaration(stated: dict[str, Any], declaration_id: str) -> Declaration:
    geometry = geometry_from_wire(stated["geometry"])
    return Declaration(declaration_id, Purpose(stated["purpose"]), geometry, stated.get("label"))


def _rows(declaration: Declaration, landmarks: Sequence[Landmark]) -> list[tuple[str, str]]:
    rows = [row for row in readback_rows(readback_of(declaration, landmarks)) if row[0].strip()]
    places = count(len(list(stated_points(declaration.geometry))), "place")
    return [*rows, ("places", places), ("label", clean(declaration.label or "-"))]


def _places(declaration: Declaration) -> set[Any]:
    return {position for position, _ in stated_points(declaration.geometry)}
