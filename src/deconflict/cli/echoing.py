"""What was read from a file, said back: places in all notations, altitudes, times, label."""

from collections.abc import Sequence
from typing import Any, Final

import click

from deconflict.airspace import geometry_from_wire
from deconflict.airspace.landmark import Landmark
from deconflict.cli.output import clean, count
from deconflict.cli.places import geometry_lines

__all__ = ["echo_declarations", "heading"]

MOST_DECLARATIONS: Final = 5
MOST_PLACES: Final = 8


def echo_declarations(
    drafts: Sequence[dict[str, Any]], landmarks: Sequence[Landmark], *, drill: bool = False
) -> None:
    """Print what declarations say: shape, altitudes, times, places in all notations, label.

    Of many declarations, or of many places in one, the first few are shown and the rest counted.
    """
    click.echo("\nAs it was understood:")
    for number, draft in enumerate(drafts[:MOST_DECLARATIONS], start=1):
        click.echo(f"  {number}. {heading(draft, drill=drill)}")
        for line in geometry_lines(
            geometry_from_wire(draft["geometry"]), landmarks, most=MOST_PLACES
        ):
            click.echo(f"     {line}")
    if len(drafts) > MOST_DECLARATIONS:
        click.echo(f"  ... and {count(len(drafts) - MOST_DECLARATIONS, 'more declaration')}")


def heading(draft: dict[str, Any], *, drill: bool) -> str:
    """Return purpose and label of a draft, an exercise marked first."""
    purpose = draft["purpose"].replace("_", " ").lower()
    label = f", labelled {clean(draft['label'])}" if draft.get("label") else ""
    return f"{'DRILL: ' if drill else ''}{purpose}{label}"
