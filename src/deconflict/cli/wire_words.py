"""What is wrong with a message, in the words of the command that was to send it.

A message names its fields with their units, ``reach_mm``; a person at a command line gave
``--reach``. Only the options of the command are to be said to them.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from deconflict.cli.output import feet, metres, span
from deconflict.errors import InvalidDocumentError

__all__ = ["in_options"]

_WHOLE: Final = {
    "position": "--place",
    "declaration_id": "--declaration",
    "reach_mm": "--reach",
    "at_utc": "--at",
    "effective_utc": "--effective",
}
# Where the options of one command have other names than those of the rest.
_OF_KIND: Final[Mapping[str, Mapping[str, str]]] = {
    "QUERY": {"course_ddeg": "--course", "speed_mmps": "--speed"},
    "PROPOSE": {
        "declaration_id": "--change",
        "shift_ms": "--later or --earlier",
        "level_tmm": "--higher or --lower",
        "aside_mm": "--right or --left",
    },
    "READBACK": {
        "distance_mm": "--distance",
        "bearing_ddeg": "--bearing",
        "lower_tmm": "--lower",
        "upper_tmm": "--upper",
        "start_utc": "--start",
        "end_utc": "--end",
    },
    "CALL_RECORD": {"start_utc": "--start", "end_utc": "--end"},
}
_UNITS: Final[Mapping[str, Callable[[int], str]]] = {
    "mm": lambda value: metres(value / 1_000),
    "tmm": lambda value: feet(value / 10_000),
    "ms": lambda value: span(value / 1_000),
    "mmps": lambda value: f"{value / 1_000:,.0f} m/s",
    "ddeg": lambda value: f"{value / 10:.1f}°",
}
_BOUND: Final = re.compile(
    r"Expected `int` (<|>)(=?) (-?[0-9]+) - at `\$\.(?:[a-z_]+\.)*([a-z_]+)`"
)
_NAME: Final = re.compile(r"(?:`\$\.(?:[a-z_]+\.)*)?\b([a-z]+(?:_[a-z0-9]+)+|position)\b`?")


def in_options(kind: str, error: InvalidDocumentError) -> InvalidDocumentError:
    """Return an error about the body of a message with the options that its fields came from.

    >>> raw = InvalidDocumentError("position and reach_mm go together", expected="both or neither")
    >>> print(in_options("CEASE", raw))
    --place and --reach go together; expected: both or neither
    """
    options = {**_WHOLE, **_OF_KIND.get(kind, {})}
    bound = _BOUND.search(error.given)
    if bound is not None and bound[4] in options:
        return _beyond(options[bound[4]], bound)

    def named(text: str) -> str:
        return _NAME.sub(lambda found: options.get(found[1], found[0]), text)

    return type(error)(
        named(error.problem),
        given=named(error.given),
        expected=named(error.expected),
        remedy=named(error.remedy),
    )


def _beyond(option: str, bound: "re.Match[str]") -> InvalidDocumentError:
    sign, closed, value, field = bound.groups()
    write = _UNITS.get(field.rpartition("_")[2], str)
    too, limit = ("much", "at most") if sign == "<" else ("little", "at least")
    if not closed:
        limit = "less than" if sign == "<" else "more than"
    return InvalidDocumentError(
        f"{option} is too {too}", expected=f"{limit} {write(int(value))}", remedy="look at its unit"
    )
