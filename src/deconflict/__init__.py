"""deconflict: a line between parties who share a sky and do not trust one another.

``deconflict.screen`` finds every conflict among many flights and volumes given as arrays; it and
the values it takes are imported when they are first asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deconflict.separation import (
        AltitudeConversions,
        Conflicts,
        Flights,
        Minima,
        MinimaTable,
        Volumes,
        screen,
    )

__version__ = "0.1.0"

__all__ = [
    "AltitudeConversions",
    "Conflicts",
    "Flights",
    "Minima",
    "MinimaTable",
    "Volumes",
    "screen",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'deconflict' has no attribute {name!r}")
    from deconflict import separation

    return getattr(separation, name)
