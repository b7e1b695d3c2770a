"""What was read from a file, said back: each place in all notations."""

from collections.abc import Sequence
from typing import Any, Final

import click

from deconflict.airspace import geometry_from_wire
from deconflict.airspace.landmark import Landmark
from deconflict.cli.interactive import place_words
from deconflict.cli.output import clean, count, metres
from deconflict.messages.summary import stated_points

__all__ = ["echo_places"]

MOST_DECLARATIONS: Final = 5
MOST_PLACES: Final = 8


def echo_places(drafts: Sequence[dict[str, Any]], landmarks: Sequence[Landmark]) -> None:
    """Print where declarations are: decimal, DMS, MGRS, and from the nearest agreed landmark.

    Of many declarations, or of many places in one, the first few are shown and the rest counted.
    """
    click.echo("\nPlaces as they were understood:")
    for number, draft in enumerate(drafts[:MOST_DECLARATIONS], start=1):
        name = clean(draft.get("label") or f"{draft['purpose'].replace('_', ' ').lower()}")
        places = list(stated_points(geometry_from_wire(draft["geometry"])))
        click.echo(f"  {number}. {name}")
        for place, around_mm in places[:MOST_PLACES]:
            around = f" · {metres(around_mm / 1000)} around it" if around_mm else ""
            click.echo("     " + " · ".join(place_words(place, landmarks)) + around)
        if len(places) > MOST_PLACES:
            click.echo(f"     ... and {count(len(places) - MOST_PLACES, 'more place')}")
    if len(drafts) > MOST_DECLARATIONS:
        click.echo(f"  ... and {count(len(drafts) - MOST_DECLARATIONS, 'more declaration')}")
