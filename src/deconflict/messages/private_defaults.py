"""A document on private checks to begin with, from a theatre's outline and its minima.

The cell is as large as the minimum on every axis but time, where it is half a minute: that is where
false alarms and work balance (``specs/terms.md`` §4). The rest was chosen here, says why,
and is the parties' to change.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.geodesy import along, inverse, middle
from deconflict.airspace.position import Position
from deconflict.errors import InvalidInputError
from deconflict.messages.private_terms import CheckMinima, PrivateCheckTerms
from deconflict.messages.terms import Terms
from deconflict.messages.wire_form import Place
from deconflict.sealed.plane import Plane

__all__ = ["default_private_check"]

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_SLOT_MS: Final = 30_000
# A quarter of a working day: plans are known so long ahead, and four runs a day are 50 MB.
_PERIOD_MS: Final = 6 * _HOUR_MS
_REFINEMENTS: Final = (2, 4)
_FINEST: Final = _REFINEMENTS[-1]
# From below the lowest shore, a geoid's width off (-430 m, 110 m), to above what flies (20 km).
_LOWEST_TMM: Final = -6_000_000
_HIGHEST_TMM: Final = 200_000_000
_SEEN_ALONG_M: Final = 10_000.0  # an edge of the outline is looked at each so often


def default_private_check(terms: Terms) -> PrivateCheckTerms:
    """Return a document for the theatre and minima of these terms, ready to be changed.

    Raises:
        InvalidInputError: the theatre has no outline, or is wider than one grid.
    """
    outline = terms.theatre.outline
    if outline is None:
        raise InvalidInputError(
            "a private check needs a theatre with an outline",
            given=f"theatre {terms.theatre.name}, which is everywhere",
            expected="an outline, within 1,000 km of its middle",
            remedy='name one with --outline "PLACE; PLACE; PLACE"',
        )
    lateral_mm, vertical_tmm = terms.minima.largest.lateral_mm, terms.minima.largest.vertical_tmm
    cell_mm = _divisible(max(lateral_mm, 1_000))
    level_tmm = _divisible(max(vertical_tmm, 1_000))
    origin, (west_mm, south_mm, east_mm, north_mm) = _around([place.position for place in outline])
    # A cell more on each side: what is flown along the rim, and what it may be off.
    west = west_mm // cell_mm - 1
    south = south_mm // cell_mm - 1
    floor_tmm = _off_levels(level_tmm)
    return PrivateCheckTerms(
        origin=Place.of(origin),
        west_mm=west * cell_mm,
        south_mm=south * cell_mm,
        cell_mm=cell_mm,
        columns=-(-east_mm // cell_mm) + 1 - west,
        rows=-(-north_mm // cell_mm) + 1 - south,
        reference=AltitudeReference.AMSL,
        floor_tmm=floor_tmm,
        level_tmm=level_tmm,
        levels=-(-(_HIGHEST_TMM - floor_tmm) // level_tmm),
        slot_ms=_SLOT_MS,
        slots=_PERIOD_MS // _SLOT_MS,
        # Declared times carry their own windows; what is left to add is how far clocks are apart.
        minima=CheckMinima(lateral_mm, vertical_tmm, terms.clock_error_ms),
        cadence_ms=_PERIOD_MS,
        ahead_ms=2 * _HOUR_MS,  # leaves an hour to look closer, and one to change a plan
        run_limit_ms=_HOUR_MS,
        tags_after_ms=_MINUTE_MS,
        refinements=_REFINEMENTS,
        # A flight held to 1 NM, 300 ft and a minute fills up to 20 cells of a slot, one held to a
        # quarter of that up to 12 (measured over 20 random hours): 63 and a canary are 3 to 5 at
        # once. Widened, an hour of it is 7,300 or 4,600 tags: 35 to 57 hours flown in a period.
        points=64,
        bucket=1 << 18,
        cells_per_sortie_slot=24,
        sorties=50,
        runs_per_slot=3,  # coarse, and both closer looks
        audit_per_mille=0,  # until the parties name an arbiter
        arbiter=None,
        opened_after_days=min(7, terms.retention_days),
        retention_days=min(90, terms.retention_days),
    )


def _divisible(side: int) -> int:
    """Return the least length from this on that is cut into the finest parts evenly."""
    return -(-side // _FINEST) * _FINEST


def _off_levels(level_tmm: int) -> int:
    """Return a floor from which no cell ends where flights are level: a quarter of a cell off.

    Cells are closed, so whoever flew along a rim would fill both.
    """
    return (_LOWEST_TMM // level_tmm) * level_tmm - level_tmm // 4


def _around(outline: Sequence[Position]) -> tuple[Position, tuple[int, int, int, int]]:
    """Return the middle of an outline, and the rims of it on the plane there."""
    origin = middle(outline)
    plane = Plane(origin)
    seen = [plane.place_mm(lat_deg, lon_deg) for lat_deg, lon_deg in _edges(outline)]
    places = [place for place in seen if place is not None]
    if len(places) != len(seen):
        raise InvalidInputError(
            "the theatre is wider than one grid",
            given="an outline that reaches to the other half of the Earth",
            expected="places within 1,000 km of its middle",
        )
    across, up = [x for x, _ in places], [y for _, y in places]
    return origin, (min(across), min(up), max(across), max(up))


def _edges(outline: Sequence[Position]) -> Iterator[tuple[float, float]]:
    """Yield places along the edges of an outline, its corners among them, in degrees."""
    for start, end in pairwise((*outline, outline[0])):
        yield start.lat_deg, start.lon_deg
        length_m, azimuth_deg, _ = inverse(start, end)
        parts = math.ceil(length_m / _SEEN_ALONG_M)
        for part in range(1, parts):
            yield along(start, azimuth_deg, length_m * part / parts)
