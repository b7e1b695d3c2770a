"""Figures of signed documents as they are shown: exact, none rounded away."""

from decimal import Decimal
from typing import Final

from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE, TMM_PER_FOOT, TMM_PER_METRE

__all__ = ["exact", "lateral", "metres", "span", "vertical"]

_UNITS: Final = ((86_400_000, "days"), (3_600_000, "h"), (60_000, "min"))


def lateral(mm: int) -> str:
    """Return a distance in metres, and about in nautical miles."""
    miles = Decimal(mm) / MILLIMETRES_PER_NAUTICAL_MILE
    return f"{exact(Decimal(mm) / 1000)} m ({miles:,.2f} NM)"


def vertical(tmm: int) -> str:
    """Return a height in metres, and about in feet."""
    return f"{metres(tmm)} ({Decimal(tmm) / TMM_PER_FOOT:,.0f} ft)"


def metres(tmm: int) -> str:
    """Return an altitude or a height in metres."""
    return f"{exact(Decimal(tmm) / TMM_PER_METRE)} m"


def span(ms: int) -> str:
    """Return a length of time, exact, in the largest unit that it is whole in.

    >>> span(7_200_000), span(90_000), span(1_500), span(0)
    ('2 h', '90 s', '1.5 s', '0 s')
    """
    for length, unit in _UNITS:
        if ms and ms % length == 0 and (unit != "days" or ms > length):
            return f"{ms // length:,} {unit}"
    return f"{exact(Decimal(ms) / 1000)} s"


def exact(value: Decimal) -> str:
    """Return a number whole, without noughts at its end."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
