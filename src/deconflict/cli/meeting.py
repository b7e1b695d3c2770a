"""Of one conflict: where both stand in their own plans, how late each is then, and its altitudes.

A time window lets a whole plan run early or late. What a screening then tells is an instant, and
the places of both at some instants of their own plans; which these are is found again here from the
places, and believed only when altitudes agree as well.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.geodesy import direct, distance, inverse
from deconflict.airspace.position import Position
from deconflict.separation.conflicts import NOT_DEFINED_TMM, Conflicts
from deconflict.separation.flights import Flights
from deconflict.separation.minima import AltitudeConversions
from deconflict.units import TMM_PER_FOOT

__all__ = ["Meeting", "flown_at", "meeting_of", "middle_of", "reference_of"]

REFERENCES: Final = tuple(AltitudeReference)
# Of a place: rounded to 1e-7 degrees here, within a millimetre of the truth there.
SAME_PLACE_M: Final = 0.05
MOST_TRIED: Final = 64  # instants of each: a plan that hovers in a thousand legs has more


@dataclass(frozen=True, slots=True)
class Meeting:
    """One row of a screening, as both plans say it.

    Attributes:
        at_s: the instant that the row tells, seconds.
        late_s: how much later than planned each is then, seconds, negative when early; 0 for a
            volume and where there is no window; None where it cannot be told from the row.
        altitude_tmm: of each then, in its own reference; None for a volume, or with ``late_s``.
    """

    at_s: float
    late_s: tuple[float, float] | None
    altitude_tmm: tuple[float | None, float | None]


def meeting_of(found: Conflicts, row: int, conversions: AltitudeConversions) -> Meeting:
    """Return where in their plans the two of one row are."""
    at_s = float(found.cpa_time_us[row] / 1e6)
    both = int(found.first[row]), int(found.second[row])
    places = [
        (float(lat[row]), math.remainder(float(lon[row]), 360.0))
        for lat, lon in (
            (found.first_lat_deg, found.first_lon_deg),
            (found.second_lat_deg, found.second_lon_deg),
        )
    ]
    ways = [
        sorted(set(_own_instants(found, row, index, place)), key=lambda own_s: abs(own_s - at_s))[
            :MOST_TRIED
        ]
        for index, place in zip(both, places, strict=True)
    ]
    fitting = [pair for pair in product(*ways) if _altitudes_agree(found, row, pair, conversions)]
    if not fitting:
        return Meeting(at_s, None, (None, None))
    nearest = min(fitting, key=lambda pair: sum(abs(own_s - at_s) for own_s in pair))
    return Meeting(
        at_s,
        (at_s - nearest[0], at_s - nearest[1]),
        (
            _altitude(found, both[0], nearest[0]),
            _altitude(found, both[1], nearest[1]),
        ),
    )


def middle_of(found: Conflicts, row: int, conversions: AltitudeConversions) -> int:
    """Return what is added to the first altitude before it is compared with the second."""
    references = [reference_of(found, int(which[row])) for which in (found.first, found.second)]
    low, high = sorted(references, key=REFERENCES.index)
    known = conversions.between(low, high)
    if known is None:
        return 0
    middle = (known[0] + known[1]) // 2
    return middle if low == references[0] else -middle


def flown_at(flights: Flights, flight: int, own_s: float) -> tuple[Position, float]:
    """Return where a flight is at an instant of its plan, and its altitude."""
    leg, share = _leg_at(flights, flight, own_s)
    start, end = _places(flights, leg)
    way = inverse(start, end)
    low, high = (float(flights.altitude_tmm[k]) for k in (leg, leg + 1))
    return direct(start, way.azimuth_ab_deg, way.distance_m * share), low + (high - low) * share


def _own_instants(
    found: Conflicts, row: int, index: int, place: tuple[float, float]
) -> Iterator[float]:
    """Yield the instants of a plan at which it is at this place and may be so when it is told."""
    at_s = float(found.cpa_time_us[row] / 1e6)
    flights = found.flights
    windows = [
        flights.window_s[which[row]] > 0.0
        for which in (found.first, found.second)
        if which[row] < len(flights)
    ]
    if index >= len(flights) or not any(windows):
        yield at_s
        return
    window = float(flights.window_s[index])
    there = Position.from_degrees(*place)
    for leg in range(int(flights.offsets[index]), int(flights.offsets[index + 1]) - 1):
        begin, until = float(flights.time_s[leg]), float(flights.time_s[leg + 1])
        if until < at_s - window - 1.0 or begin > at_s + window + 1.0:
            continue
        start, end = _places(flights, leg)
        way = inverse(start, end)
        share = 0.0 if way.distance_m == 0.0 else distance(start, there) / way.distance_m
        if way.distance_m <= SAME_PLACE_M:  # it stays, perhaps climbing: any instant of the leg
            asked = (at_s, begin, until, at_s - window, at_s + window)
            instants = [min(max(own_s, begin), until) for own_s in asked]
        else:
            instants = [begin + (until - begin) * min(share, 1.0)]
        for own_s in instants:
            within_s = min(max(own_s, at_s - window), at_s + window)
            if distance(flown_at(flights, index, within_s)[0], there) <= SAME_PLACE_M:
                yield within_s


def _altitudes_agree(
    found: Conflicts, row: int, own_s: tuple[float, ...], conversions: AltitudeConversions
) -> bool:
    told = int(found.cpa_vertical_tmm[row])
    one, other = (
        _altitude(found, int(which[row]), at)
        for which, at in zip((found.first, found.second), own_s, strict=True)
    )
    if told == NOT_DEFINED_TMM or one is None or other is None:
        return True
    apart = other - (one + middle_of(found, row, conversions))
    return abs(apart - told) <= TMM_PER_FOOT


def _altitude(found: Conflicts, index: int, own_s: float) -> float | None:
    if index >= len(found.flights):
        return None
    leg, share = _leg_at(found.flights, index, own_s)
    low, high = (float(found.flights.altitude_tmm[k]) for k in (leg, leg + 1))
    return low + (high - low) * share


def _leg_at(flights: Flights, flight: int, own_s: float) -> tuple[int, float]:
    start, end = int(flights.offsets[flight]), int(flights.offsets[flight + 1])
    after = int(np.searchsorted(flights.time_s[start:end], own_s, side="right"))
    leg = start + min(max(after - 1, 0), end - start - 2)
    begin, until = float(flights.time_s[leg]), float(flights.time_s[leg + 1])
    return leg, min(max((own_s - begin) / (until - begin), 0.0), 1.0) if until > begin else 0.0


def _places(flights: Flights, leg: int) -> tuple[Position, Position]:
    start, end = (
        Position.from_degrees(float(flights.lat_deg[k]), float(flights.lon_deg[k]))
        for k in (leg, leg + 1)
    )
    return start, end


def reference_of(found: Conflicts, index: int) -> AltitudeReference:
    """Return what the altitudes of a flight or volume are measured from."""
    flights = len(found.flights)
    held = found.flights if index < flights else found.volumes
    return REFERENCES[int(held.reference[index if index < flights else index - flights])]
