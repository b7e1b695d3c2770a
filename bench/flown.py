"""Where flights are and how near two of them come, by `pyproj.Geod` alone: it judges."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from bench.workloads import Flights

__all__ = ["WGS84", "Flown", "distance_m", "least_shortfall", "whole_milliseconds"]

FloatArray = NDArray[np.float64]

WGS84: Final = Geod(ellps="WGS84")
METRES_PER_FOOT: Final = 0.3048  # exact, 1959
LOOK_S: Final = 5.0  # between the instants looked at, before the finer look
FINEST_S: Final = 1e-6


def whole_milliseconds(made: Flights) -> Flights:
    """Return the flights with their times on whole milliseconds, which is what can be declared."""
    return replace(made, time_s=np.round(made.time_s * 1e3) / 1e3)


@dataclass(frozen=True, slots=True)
class Flown:
    """One flight: geodesic legs at constant speed and rate of climb."""

    time_s: FloatArray
    lat_deg: FloatArray
    lon_deg: FloatArray
    altitude_ft: FloatArray
    azimuth_deg: FloatArray
    length_m: FloatArray

    @classmethod
    def of(cls, made: Flights, k: int) -> Self:
        """Return flight ``k`` of a set."""
        own = slice(int(made.offsets[k]), int(made.offsets[k + 1]))
        lat, lon = made.lat_deg[own], made.lon_deg[own]
        azimuth, _, length = WGS84.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
        return cls(made.time_s[own], lat, lon, made.altitude_ft[own], azimuth, length)

    def at(self, t_s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return latitude, longitude and altitude (feet) at instants within the flight."""
        leg = np.searchsorted(self.time_s, t_s, side="right") - 1
        leg = np.clip(leg, 0, len(self.length_m) - 1)
        lasts_s = self.time_s[leg + 1] - self.time_s[leg]
        share = (t_s - self.time_s[leg]) / lasts_s
        lon, lat, _ = WGS84.fwd(
            self.lon_deg[leg], self.lat_deg[leg], self.azimuth_deg[leg], share * self.length_m[leg]
        )
        low, high = self.altitude_ft[leg], self.altitude_ft[leg + 1]
        # Level legs stay level to the last bit: exactly 1,000 ft apart must read as 1,000.
        return np.asarray(lat), np.asarray(lon), low + (high - low) * share


def distance_m(a: Flown, b: Flown, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the geodesic distance and the altitude difference (feet, a less b) at instants."""
    lat_a, lon_a, feet_a = a.at(t_s)
    lat_b, lon_b, feet_b = b.at(t_s)
    return np.asarray(WGS84.inv(lon_a, lat_a, lon_b, lat_b)[2]), feet_a - feet_b


def least_shortfall(
    a: Flown, b: Flown, lateral_m: float, vertical_ft: float
) -> tuple[float, float]:
    """Return how deep two flights come under both minima, metres (negative: under), and when.

    At an instant it is the greater of distance less minimum and altitude difference less minimum.
    Looks every five seconds and at every waypoint, then finer about the lowest; infinite where the
    flights share no time.
    """

    def shortfall(t_s: FloatArray) -> FloatArray:
        distance, feet = distance_m(a, b, t_s)
        return np.maximum(distance - lateral_m, (np.abs(feet) - vertical_ft) * METRES_PER_FOOT)

    begin, end = max(a.time_s[0], b.time_s[0]), min(a.time_s[-1], b.time_s[-1])
    if begin >= end:
        return np.inf, begin
    corners = np.concatenate((a.time_s, b.time_s))
    corners = corners[(corners > begin) & (corners < end)]
    count = int((end - begin) / LOOK_S) + 9
    t_s = np.unique(np.concatenate((np.linspace(begin, end, count), corners)))
    value = shortfall(t_s)
    low = (value <= np.append(value[1:], np.inf)) & (value <= np.insert(value[:-1], 0, np.inf))
    lows = np.flatnonzero(low)
    lowest = lows[np.argsort(value[lows])[:8]]
    last = len(t_s) - 1
    return min(_narrowed(shortfall, t_s[max(k - 1, 0)], t_s[min(k + 1, last)]) for k in lowest)


def _narrowed(
    shortfall: Callable[[FloatArray], FloatArray], left_s: float, right_s: float
) -> tuple[float, float]:
    """Return the least value in a bracket and its instant, by sampling ever narrower."""
    best, when_s = np.inf, left_s
    while right_s - left_s > FINEST_S:
        t_s = np.linspace(left_s, right_s, 33)
        value = shortfall(t_s)
        k = int(value.argmin())
        if value[k] < best:
            best, when_s = float(value[k]), float(t_s[k])
        left_s, right_s = t_s[max(k - 1, 0)], t_s[min(k + 1, 32)]
    return best, when_s
