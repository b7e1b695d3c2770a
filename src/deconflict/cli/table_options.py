"""Options of the commands that read files of flights and volumes: minima, and how to read them."""

from collections.abc import Callable
from typing import Any

import click

from deconflict.cli.options import existing_file

__all__ = ["minima_options", "reading_options"]

_MINIMA = (
    click.option(
        "--minima",
        "minima",
        multiple=True,
        metavar="LATERAL,VERTICAL",
        help="How near is too near: 5NM,1000ft or 50m,50ft. Repeat it for a purpose or a pair of "
        "them, FLIGHT:ACTIVITY=3NM,500ft, or of parties, red:blue=3NM,500ft, which hold whatever "
        "the purposes. There is no default.",
    ),
    click.option(
        "--terms",
        type=existing_file,
        metavar="FILE",
        help="Take minima, and how altitudes compare, from terms as JSON "
        "(deconflict terms show --json).",
    ),
    click.option(
        "--altitudes",
        multiple=True,
        metavar="FROM:TO=LEAST,MOST",
        help="How two altitude references compare: FL:AMSL=-1500ft,2000ft says that what is at "
        "FL x is between x - 1500 ft and x + 2000 ft above mean sea level. Without it they do not "
        "compare.",
    ),
)
_READING = (
    click.option(
        "--altitude-reference",
        "reference",
        type=click.Choice(["W84", "AMSL", "FL", "AGL"]),
        help="What altitudes are measured from in tables that do not say it.",
    ),
    click.option(
        "--within-parties",
        is_flag=True,
        help="Also hold what one party flies against each other.",
    ),
    click.option(
        "--ignore",
        multiple=True,
        metavar="COLUMN",
        help="A column of the tables to leave out; others that mean nothing here are refused.",
    ),
)


def minima_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--minima``, ``--terms`` and ``--altitudes``, which `said_terms` reads."""
    for option in reversed(_MINIMA):
        function = option(function)
    return function


def reading_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--altitude-reference``, ``--within-parties`` and ``--ignore``."""
    for option in reversed(_READING):
        function = option(function)
    return function
