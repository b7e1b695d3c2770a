"""Of one conflict: where both stand in their own plans, how late each is then, and its altitudes.

With a time window these are found again from the places that a screening tells: `own_instants`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.geodesy import direct, inverse
from deconflict.airspace.position import Position
from deconflict.separation.conflicts import NOT_DEFINED_TMM, Conflicts
from deconflict.separation.flights import Flights
from deconflict.separation.minima import AltitudeConversions
from deconflict.separation.own_instants import OwnInstant, PlanLeg, agreeing, own_instants

__all__ = ["Meeting", "flown_at", "meeting_of", "middle_of", "reference_of"]

REFERENCES: Final = tuple(AltitudeReference)
# Of a place: rounded to 1e-7 degrees here, within a millimetre of the truth there.
SAME_PLACE_M: Final = 0.05


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
    windows = any(
        found.flights.window_s[index] > 0.0 for index in both if index < len(found.flights)
    )
    ways = [
        _own_instants(found, row, index, lat, lon)
        if windows
        else [OwnInstant(0.0, _altitude(found, index, at_s))]
        for index, lat, lon in (
            (both[0], found.first_lat_deg, found.first_lon_deg),
            (both[1], found.second_lat_deg, found.second_lon_deg),
        )
    ]
    told = int(found.cpa_vertical_tmm[row])
    pair = agreeing(
        *ways,
        apart_tmm=None if told == NOT_DEFINED_TMM else told,
        middle_tmm=middle_of(found, row, conversions),
    )
    if pair is None:
        return Meeting(at_s, None, (None, None))
    one, other = pair
    return Meeting(at_s, (-one.at_s, -other.at_s), (one.altitude_tmm, other.altitude_tmm))


def middle_of(found: Conflicts, row: int, conversions: AltitudeConversions) -> int:
    """Return what is added to the first altitude before it is compared with the second."""
    one, other = (reference_of(found, int(which[row])) for which in (found.first, found.second))
    return conversions.middle_tmm(one, other)


def flown_at(flights: Flights, flight: int, own_s: float) -> tuple[Position, float]:
    """Return where a flight is at an instant of its plan, and its altitude."""
    leg, share = _leg_at(flights, flight, own_s)
    start, end = _places(flights, leg)
    way = inverse(start, end)
    low, high = (float(flights.altitude_tmm[k]) for k in (leg, leg + 1))
    return direct(start, way.azimuth_ab_deg, way.distance_m * share), low + (high - low) * share


def _own_instants(
    found: Conflicts, row: int, index: int, lat_deg: NDArray[Any], lon_deg: NDArray[Any]
) -> list[OwnInstant]:
    flights, at_s = found.flights, float(found.cpa_time_us[row] / 1e6)
    if index >= len(flights):
        return [OwnInstant(0.0, None)]
    place = Position.from_degrees(float(lat_deg[row]), math.remainder(float(lon_deg[row]), 360.0))
    window_s = float(flights.window_s[index])
    return own_instants(
        _legs_within(flights, index, at_s, window_s),
        place,
        window_s=window_s,
        same_place_m=SAME_PLACE_M,
    )


def _legs_within(flights: Flights, flight: int, at_s: float, window_s: float) -> Iterator[PlanLeg]:
    """Yield the legs that the window reaches, their instants counted from ``at_s``."""
    for leg in range(int(flights.offsets[flight]), int(flights.offsets[flight + 1]) - 1):
        begin_s, until_s = (float(flights.time_s[k]) - at_s for k in (leg, leg + 1))
        if until_s < -window_s - 1.0 or begin_s > window_s + 1.0:
            continue
        start, end = _places(flights, leg)
        low, high = (float(flights.altitude_tmm[k]) for k in (leg, leg + 1))
        yield PlanLeg(begin_s, until_s, start, end, (low, high))


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
