"""Is a place inside an agreed outline? For plausibility and for naming those concerned.

Not for separation: that is the engine's, exact and with its bounds. Here a point within a few
metres of an edge may count as either.
"""

from collections.abc import Sequence
from typing import Final

from deconflict.airspace.geodesy import inverse
from deconflict.airspace.position import Position

__all__ = ["contains"]

_ON_EDGE_DEG: Final = 179.999  # seen from an edge, its two ends lie in opposite directions
_HALF_SEEN_M: Final = 10_000_000.0  # a quarter round the Earth


def contains(outline: Sequence[Position], place: Position) -> bool:
    """True exactly when the place is inside the ring of geodesic edges, or on it.

    The ring is the smaller side, as everywhere, and of theatre size: all of it within a quarter of
    the Earth's circumference of any place inside. Seen from inside, the corners go round once.
    Works over the antimeridian and round a pole.

    >>> square = [Position(0, 0), Position(0, 10**7), Position(10**7, 10**7), Position(10**7, 0)]
    >>> contains(square, Position(5 * 10**6, 5 * 10**6)), contains(square, Position(0, 2 * 10**7))
    (True, False)
    """
    seen = [inverse(place, corner) for corner in outline]
    if any(corner.distance_m < 1.0 for corner in seen):
        return True
    # Round the antipode of a small ring its corners go round once as well, but far away.
    if min(corner.distance_m for corner in seen) > _HALF_SEEN_M:
        return False
    turned_deg = 0.0
    for here, there in zip(seen, [*seen[1:], seen[0]], strict=True):
        turn_deg = (there.azimuth_ab_deg - here.azimuth_ab_deg + 180.0) % 360.0 - 180.0
        if abs(turn_deg) > _ON_EDGE_DEG:
            return True
        turned_deg += turn_deg
    return abs(turned_deg) > 180.0
