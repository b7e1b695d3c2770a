"""Minima of 0, by which two flights are never found: told beside an answer that reads as "none"."""

import sys
from collections.abc import Sequence

import click

from deconflict.cli.output import clean, feet, metres
from deconflict.separation.flights import Flights
from deconflict.separation.minima import Minima
from deconflict.separation.said_minima import SaidMinima
from deconflict.units import TMM_PER_METRE

__all__ = ["show_zero_minima", "zero_minima"]


def zero_minima(said: SaidMinima, flights: Flights) -> list[str]:
    """Return a sentence for all minima with a 0 that hold between some of these flights.

    Two flights are too close when they are under both minima, and nothing is under 0. With a volume
    touching is enough, so minima that are for volumes alone are not told.
    """
    if len(flights) < 2:
        return []
    there = {*flights.purpose.used(), *flights.party.used()}
    every = [(names, minima) for names, minima in said.pairs.items() if names <= there]
    if said.for_all is not None:
        every.insert(0, (frozenset(), said.for_all))
    return [
        _sentence(sorted(names), minima)
        for names, minima in every
        if minima.lateral_m == 0.0 or minima.vertical_tmm == 0
    ]


def show_zero_minima(sentences: Sequence[str]) -> None:
    """Print them on stderr: what is piped on holds the answer and no more."""
    for sentence in sentences:
        click.echo(click.style("warning: ", fg="yellow") + sentence, file=sys.stderr)


def _sentence(names: Sequence[str], minima: Minima) -> str:
    whose = f" between {' and '.join(clean(name) for name in names)}" if names else ""
    return (
        f"The minima{whose} are {metres(minima.lateral_m)} and "
        f"{feet(minima.vertical_tmm / TMM_PER_METRE)}. Nothing is below 0: two flights are found "
        "by them only where containment or an altitude conversion adds to the 0, and otherwise "
        "not even where they collide."
    )
