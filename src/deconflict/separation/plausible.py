"""Legs that no aircraft flies: told beside what a screen finds, never left out or repaired."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.geodesy import inverse
from deconflict.airspace.plausible import FASTEST_MPS, STEEPEST_TMM_PER_S
from deconflict.airspace.position import Position
from deconflict.separation.flights import Flights

__all__ = ["ImplausibleLeg", "ImplausibleLegs", "implausible_legs"]

PART: Final = 1_000_000  # waypoints looked at together
# Radii of curvature of the ellipsoid lie between these: a geodesic is as long as the arc between
# the same latitudes and longitudes on a sphere of some radius in between.
LEAST_RADIUS_M, MOST_RADIUS_M = 6_335_000.0, 6_400_000.0


@dataclass(frozen=True, slots=True)
class ImplausibleLeg:
    """One leg over 1,000 m/s over the ground, or over 400 m/s up or down.

    ``leg`` counts from 0 within the flight, ``start_s`` is on the scale of the flight's times.
    """

    flight: int
    leg: int
    start_s: float
    duration_s: float
    length_m: float
    height_tmm: int

    @property
    def speed_mps(self) -> float:
        """Over the ground."""
        return self.length_m / self.duration_s

    @property
    def climb_mps(self) -> float:
        """Up or down."""
        return self.height_tmm / 10_000 / self.duration_s


@dataclass(frozen=True, slots=True)
class ImplausibleLegs:
    """How many such legs there are, in how many flights, and the worst leg of the worst flights."""

    flights: int
    legs: int
    worst: tuple[ImplausibleLeg, ...]


def implausible_legs(flights: Flights, *, most: int = 20) -> ImplausibleLegs:
    """Return the legs that no aircraft flies (R24): a place, a time or a unit may be wrong.

    Args:
        flights: which are looked at.
        most: of how many flights the worst leg is told, the worst first.

    >>> columns = {"lat_deg": [0, 0], "lon_deg": [0, 1], "time_s": [0, 60], "altitude_m": [0, 0]}
    >>> found = implausible_legs(Flights.of(columns, offsets=[0, 2], reference="AMSL"))
    >>> found.legs, round(found.worst[0].speed_mps)
    (1, 1855)
    """
    parts = [
        _over(flights, start, min(start + PART, len(flights.lat_deg) - 1))
        for start in range(0, max(len(flights.lat_deg) - 1, 0), PART)
    ]
    if not parts:
        return ImplausibleLegs(0, 0, ())
    legs = np.concatenate([part[0] for part in parts])
    excess = np.concatenate([part[1] for part in parts])
    whose = np.searchsorted(flights.offsets, legs, side="right") - 1
    order = np.lexsort((legs, -excess))
    _, first = np.unique(whose[order], return_index=True)  # the worst leg of each flight
    worst = order[np.sort(first)[:most]]
    return ImplausibleLegs(
        flights=len(first),
        legs=len(legs),
        worst=tuple(_told(flights, int(whose[k]), int(legs[k])) for k in worst.tolist()),
    )


def _over(flights: Flights, start: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the waypoints from ``start`` on at which such a leg begins, and by how many times."""
    at = slice(start, end + 1)
    duration_s = np.diff(flights.time_s[at])
    height = np.abs(np.diff(flights.altitude_tmm[at]))
    north = np.abs(np.diff(flights.lat_deg[at]))
    east = np.abs(np.diff(flights.lon_deg[at]))
    np.minimum(east, np.abs(360.0 - east), out=east)
    # North and then east is no shorter than the way itself: hardly a leg is looked at twice.
    reach_m = (north + east) * np.radians(MOST_RADIUS_M)
    odd = (reach_m > FASTEST_MPS * duration_s) | (height > STEEPEST_TMM_PER_S * duration_s)
    between = flights.offsets[1:-1] - 1 - start  # from one flight to the next is no leg
    odd[between[(between >= 0) & (between < len(odd))]] = False
    legs = np.flatnonzero(odd)
    if not len(legs):
        return legs.astype(np.int64), np.zeros(0)
    length_m = _lengths_m(flights, legs + start, duration_s[legs])
    by = np.maximum(
        length_m / (FASTEST_MPS * duration_s[legs]),
        height[legs] / (STEEPEST_TMM_PER_S * duration_s[legs]),
    )
    over = by > 1.0
    return (legs[over] + start).astype(np.int64), by[over]


def _lengths_m(
    flights: Flights, begins: NDArray[np.int64], duration_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return lengths of legs, by the geodesic where bounds leave open whether it is too fast."""
    lat1, lat2 = (np.radians(flights.lat_deg[begins + k]) for k in (0, 1))
    turn = np.radians(flights.lon_deg[begins + 1] - flights.lon_deg[begins])
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(turn / 2) ** 2
    arc = 2 * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    length_m = np.asarray(arc * LEAST_RADIUS_M, dtype=np.float64)
    limit_m = FASTEST_MPS * duration_s
    for k in np.flatnonzero((length_m <= limit_m) & (arc * MOST_RADIUS_M > limit_m)).tolist():
        length_m[k] = _geodesic_m(flights, int(begins[k]))
    return length_m


def _geodesic_m(flights: Flights, begin: int) -> float:
    start, end = (
        Position.from_degrees(float(flights.lat_deg[k]), float(flights.lon_deg[k]))
        for k in (begin, begin + 1)
    )
    return inverse(start, end).distance_m


def _told(flights: Flights, flight: int, begin: int) -> ImplausibleLeg:
    return ImplausibleLeg(
        flight=flight,
        leg=begin - int(flights.offsets[flight]),
        start_s=float(flights.time_s[begin]),
        duration_s=float(flights.time_s[begin + 1] - flights.time_s[begin]),
        length_m=_geodesic_m(flights, begin),
        height_tmm=abs(int(flights.altitude_tmm[begin + 1] - flights.altitude_tmm[begin])),
    )
