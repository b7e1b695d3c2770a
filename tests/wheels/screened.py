"""A small screening that every build of the kernel decides alike, on any processor.

Run by the Python that a wheel was installed into, so it imports nothing of the tests:
``python tests/wheels/screened.py`` prints one line of JSON. What is screened comes from whole
numbers alone, because sines of different platforms differ in their last digits.
"""

import hashlib
import json
import platform
from collections.abc import Iterator
from typing import Any

import numpy as np

import deconflict
from deconflict.separation import Conflicts

__all__ = ["DECIDED", "DECIDED_ALIKE", "digest", "screened"]

FLIGHTS, WAYPOINTS, AREAS = 240, 9, 24
TOLD = ("cpa_distance_m", "first_lat_deg", "first_lon_deg", "second_lat_deg", "second_lon_deg")
DECIDED = (
    *("first", "second", "verdict", "time_in_us", "time_out_us", "cpa_time_us"),
    *("cpa_vertical_tmm", "minimum_lateral_m", "margin_vertical_tmm"),
)
# As the build for x86-64 (AVX-512, AVX2, plain; under qemu a Nehalem) and that for aarch64 decide.
DECIDED_ALIKE = "48ff1977efb59fc82fba62dd5cbc1cdfe144c7f73332789b12e635460382ab52"


def numbers(seed: int) -> Iterator[int]:
    """Yield whole numbers below 2^31, the same everywhere (Park and Miller, 1988)."""
    while True:
        seed = seed * 48_271 % 2_147_483_647
        yield seed


def flights() -> dict[str, Any]:
    """Return flights over 8 by 8 degrees, legs of 10 to 300 km, a third with a time window."""
    drawn = numbers(20_261_129)
    e7, time_s, feet, window_s = [], [], [], []
    for flight in range(FLIGHTS):
        lat, lon, at = (next(drawn) % 80_000_000 for _ in range(3))
        north, east = (next(drawn) % 20_000_000 - 10_000_000 for _ in range(2))
        window_s.append(next(drawn) % 120 if flight % 3 == 0 else 0)
        level = 200 + 10 * (next(drawn) % 12)
        for point in range(WAYPOINTS):
            e7.append((450_000_000 + lat + north * point, 1_750_000_000 + lon + east * point))
            time_s.append(at % 3_600 + 600 * point + next(drawn) % 60)
            feet.append(100 * (level + (next(drawn) % 3) * 10))
    return {
        "offsets": np.arange(0, FLIGHTS * WAYPOINTS + 1, WAYPOINTS),
        "lat_deg": np.array([min(lat, 899_000_000) / 1e7 for lat, _ in e7]),
        # Across the antimeridian, on both sides of it.
        "lon_deg": np.array(
            [((lon + 1_800_000_000) % 3_600_000_000 - 1_800_000_000) / 1e7 for _, lon in e7]
        ),
        "time_s": np.array(time_s, dtype=np.float64),
        "altitude_ft": np.array(feet),
        "window_s": np.array(window_s, dtype=np.float64),
    }


def areas() -> dict[str, Any]:
    """Return squares, each a quarter of a degree wide."""
    drawn = numbers(7)
    corners: list[tuple[float, float]] = []
    for _ in range(AREAS):
        south = 450_000_000 + next(drawn) % 80_000_000
        west = 1_710_000_000 + next(drawn) % 80_000_000
        for lat, lon in ((0, 0), (0, 1), (1, 1), (1, 0)):
            corners.append(((south + lat * 2_500_000) / 1e7, (west + lon * 2_500_000) / 1e7))
    return {
        "offsets": np.arange(0, 4 * AREAS + 1, 4),
        "lat_deg": np.array([lat for lat, _ in corners]),
        "lon_deg": np.array([lon for _, lon in corners]),
        "lower_ft": np.full(AREAS, 15_000),
        "upper_ft": np.full(AREAS, 29_000),
        "start_s": np.zeros(AREAS),
        "end_s": np.full(AREAS, 7_200.0),
    }


def screened() -> Conflicts:
    """Return the conflicts among them."""
    return deconflict.screen(flights(), areas(), minima="5NM,1000ft", reference="FL", threads=2)


def digest(found: Conflicts, names: tuple[str, ...]) -> str:
    """Return a digest of these columns, to the bit."""
    hashed = hashlib.sha256()
    for name in names:
        column = np.ascontiguousarray(getattr(found, name))
        hashed.update(column.astype(column.dtype.newbyteorder("<")).tobytes())
    return hashed.hexdigest()


if __name__ == "__main__":
    result = screened()
    said = {
        "machine": platform.machine(),
        "from": deconflict.__file__,
        "conflicts": len(result),
        "decided": digest(result, DECIDED),
        "told": digest(result, TOLD),
    }
    print(json.dumps(said))
