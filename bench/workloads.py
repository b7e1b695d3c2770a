"""The workloads that every speed and comparison in this project is measured on.

Random flights in a square: each runs 50 to 70 waypoints about two minutes apart, turning a little
at each and turning back at the border, climbing, holding a level (some step to another), and
descending. Same seed, same flights, to the last digit: `fingerprint` is checked by a test.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["PUBLISHED", "WORKLOADS", "Flights", "Workload", "flights"]

FloatArray = NDArray[np.float64]

EARTH_RADIUS_M: Final = 6_371_008.8  # IUGG mean radius; the generator steps on a sphere
CENTRE_DEG: Final = (48.0, 9.0)
CLIMB_UNIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Flights:
    """Flights as columns: flight k owns the waypoints ``offsets[k]:offsets[k + 1]``."""

    offsets: NDArray[np.int64]
    time_s: FloatArray
    lat_deg: FloatArray
    lon_deg: FloatArray
    altitude_ft: FloatArray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def ranges(self) -> Iterator[slice]:
        """Yield each flight's waypoints."""
        for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            yield slice(int(start), int(end))

    def first(self, count: int | None) -> "Flights":
        """Return the first so many flights; None: all."""
        if count is None or count >= len(self):
            return self
        end = int(self.offsets[count])
        return Flights(
            self.offsets[: count + 1],
            self.time_s[:end],
            self.lat_deg[:end],
            self.lon_deg[:end],
            self.altitude_ft[:end],
        )

    @property
    def last(self) -> tuple[float, float, float, float]:
        """Time, latitude, longitude and altitude of the last waypoint of all."""
        return (
            float(self.time_s[-1]),
            float(self.lat_deg[-1]),
            float(self.lon_deg[-1]),
            float(self.altitude_ft[-1]),
        )


@dataclass(frozen=True, slots=True)
class Workload:
    """Arguments of one named set, and the minima it is screened with."""

    count: int
    side_km: float
    window_h: float
    seed: int = 1
    leg_s: float = 122.0
    speed_mps: tuple[float, float] = (180.0, 250.0)
    drones: bool = False

    @property
    def lateral_m(self) -> float:
        """5 NM, or 50 m for drones."""
        return 50.0 if self.drones else 9_260.0

    @property
    def vertical_ft(self) -> int:
        """1,000 ft, or 50 ft for drones."""
        return 50 if self.drones else 1_000


def _drones(count: int, side_km: float, window_h: float) -> Workload:
    return Workload(count, side_km, window_h, 3, 12.0, (8.0, 20.0), True)


WORKLOADS: Final = {
    "r1k": Workload(1_000, 1_000, 2),
    "r10k": Workload(10_000, 1_000, 2),
    "d10k": Workload(10_000, 2_000, 6),
    "d100k": Workload(100_000, 4_000, 22),
    "d1m": Workload(1_000_000, 4_000, 238),
    "u10k": _drones(10_000, 60, 2),
    "u100k": _drones(100_000, 60, 12),
}

# Number of waypoints of each set, and where r1k ends: published with the generator.
PUBLISHED: Final = {
    "r1k": 60_061,
    "r10k": 600_232,
    "d10k": 600_232,
    "d100k": 5_999_657,
    "d1m": 59_999_340,
    "u10k": 599_517,
    "u100k": 5_998_867,
}
R1K_LAST: Final = (11_534.713133, 45.354148929, 12.523302110, 7_000.0)


def flights(workload: Workload) -> Flights:
    """Return the flights of a workload."""
    n = workload.count
    side_m = workload.side_km * 1e3
    centre_lat, centre_lon = np.radians(CENTRE_DEG)
    rng = np.random.default_rng(workload.seed)
    count = rng.integers(50, 71, n)
    total = int(count.sum())
    start_s = np.round(rng.uniform(0, workload.window_h * 3600, n))
    speed = rng.uniform(*workload.speed_mps, n)
    heading = rng.uniform(0, 2 * np.pi, n)
    cruise = np.where(rng.random(n) < 0.7, rng.integers(28, 41, n), rng.integers(8, 28, n)) * 1000.0
    step = np.where(rng.random(n) < 0.3, np.where(rng.random(n) < 0.5, 2000.0, -2000.0), 0.0)
    step[cruise + step > 40_000] = 0
    climb = rng.uniform(1200, 2500, n)
    base = rng.integers(5, 8, n) * 1000.0
    lat = centre_lat + rng.uniform(-0.5, 0.5, n) * side_m / EARTH_RADIUS_M
    lon = centre_lon + rng.uniform(-0.5, 0.5, n) * side_m / EARTH_RADIUS_M / np.cos(lat)
    turn = rng.normal(0, np.radians(6.0), total)
    u = rng.random(total)

    offsets = np.concatenate(([0], np.cumsum(count)))
    time_all, lat_all, lon_all = np.empty(total), np.empty(total), np.empty(total)
    first = offsets[:-1]
    time_s = start_s.copy()
    time_all[first], lat_all[first], lon_all[first] = time_s, lat, lon
    for j in range(1, int(count.max())):
        going = np.flatnonzero(count > j)
        k = first[going] + j
        dt = workload.leg_s * (0.8 + 0.4 * u[k])
        s = speed[going] * dt / EARTH_RADIUS_M
        here_lat, here_lon = lat[going], lon[going]
        course = heading[going] + turn[k]
        x = (here_lon - centre_lon) * np.cos(here_lat) * EARTH_RADIUS_M
        y = (here_lat - centre_lat) * EARTH_RADIUS_M
        out = np.maximum(np.abs(x), np.abs(y)) > side_m / 2
        course = np.where(out, np.arctan2(-x, -y) + 3 * turn[k], course)
        next_lat = np.arcsin(
            np.sin(here_lat) * np.cos(s) + np.cos(here_lat) * np.sin(s) * np.cos(course)
        )
        lon[going] += np.arctan2(
            np.sin(course) * np.sin(s) * np.cos(here_lat),
            np.cos(s) - np.sin(here_lat) * np.sin(next_lat),
        )
        lat[going], heading[going] = next_lat, course
        time_s[going] += dt
        time_all[k], lat_all[k], lon_all[k] = time_s[going], lat[going], lon[going]

    if workload.drones:
        altitude = np.repeat(np.random.default_rng(5).integers(4, 17, n) * 25.0, count)
        altitude[first] = 0.0
        altitude[offsets[1:] - 1] = 0.0
    else:
        place = np.arange(total) - np.repeat(first, count)
        late = place > np.repeat(count // 2, count)
        top = np.repeat(cruise, count) + np.where(late, np.repeat(step, count), 0.0)
        rate = np.repeat(climb, count) / CLIMB_UNIT_S
        floor = np.repeat(base, count)
        up = floor + rate * (time_all - np.repeat(time_all[first], count))
        down = floor + rate * (np.repeat(time_all[offsets[1:] - 1], count) - time_all)
        altitude = np.minimum(np.minimum(up, down), top)
        altitude = np.where(altitude < top, np.round(altitude / 100) * 100, altitude)
    return Flights(offsets, time_all, np.degrees(lat_all), np.degrees(lon_all), altitude)
