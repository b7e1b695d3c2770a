"""The options that fill what a file of declarations leaves open, for every command that reads one.

Words alone: what they mean is read with the file, by :mod:`deconflict.cli.drafts`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final

import click

from deconflict.cli.options import typed_word

__all__ = ["PURPOSE_WORDS", "SHAPE_WORDS", "Gaps", "gaps_options"]

PURPOSE_WORDS: Final = ("flight", "activity", "hazard", "own-presence", "protected-site")
SHAPE_WORDS: Final = ("circles", "corridor", "polygon")
_TEXTS: Final = ("shape", "radius", "half_width", "lower", "upper", "start_utc", "end_utc")


@dataclass(frozen=True, slots=True)
class Gaps:
    """What was said beside the files; ``given`` holds the fields of ``formats.pasted.Given``."""

    given: dict[str, str | None] = field(default_factory=dict)
    label: str | None = None
    with_losses: bool = False


def gaps_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that fill what a file leaves open; the command gets them as ``gaps``."""

    @wraps(function)
    def wrapper(
        *args: Any,
        purpose: str | None,
        columns: str | None,
        label: str | None,
        with_losses: bool,
        **options: Any,
    ) -> Any:
        latitude, _, longitude = (columns or "").partition(",")
        given = {
            "purpose": None if purpose is None else typed_word(purpose),
            "latitude_column": latitude.strip() or None,
            "longitude_column": longitude.strip() or None,
            **{name: options.pop(name) for name in _TEXTS},
        }
        return function(*args, gaps=Gaps(given, label, with_losses), **options)

    for option in reversed(_OPTIONS):
        wrapper = option(wrapper)
    return wrapper


_OPTIONS: Final = (
    click.option(
        "--purpose",
        type=click.Choice(PURPOSE_WORDS),
        help="What is declared, where FILE does not say it. So are the next ones.",
    ),
    click.option("--label", metavar="TEXT", help="What the peer is to call it; never needed."),
    click.option("--shape", type=click.Choice(SHAPE_WORDS), help="What bare places are."),
    click.option("--radius", metavar="10NM", help="How far around each place."),
    click.option("--half-width", metavar="5NM", help="How far to each side of a path."),
    click.option("--lower", metavar="ALTITUDE", help="Floor: SFC, FL190, 2500 ft AMSL."),
    click.option("--upper", metavar="ALTITUDE", help="Ceiling: UNL, FL250, 400 ft AGL."),
    click.option("--start", "start_utc", metavar="UTC", help="As 2015-09-30T06:12:00Z."),
    click.option("--end", "end_utc", metavar="UTC", help="As 2015-09-30T08:00:00Z."),
    click.option(
        "--columns", metavar="LAT,LON", help="Of a table: headings or numbers of these two columns."
    ),
    click.option(
        "--with-losses", is_flag=True, help="Go on though something with a place is left out."
    ),
)
