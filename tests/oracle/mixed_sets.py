"""Flights and volumes of every shape in one place, and the slow twin asked about every pair.

Pairs without a common instant are clear, and those whose bands of altitude or balls about them stay
apart by more than the minimum; the rest is sampled, refined and left to pyproj (`oracle.twin`).
"""

from functools import lru_cache
from itertools import combinations
from typing import Final

import numpy as np
from bench.flown import WGS84
from tests.oracle.adversarial import moved
from tests.oracle.builders import area, circle, corridor, flight, polygon, screened, volume
from tests.oracle.twin import NEVER, distance, intrusion, losses, overlap, track_of

from deconflict.airspace import Circle, Corridor, Outline, Polygon, Position, Trajectory, Volume
from deconflict.errors import InvalidGeometryError
from deconflict.separation import Extent, Finding, Minima, Verdict

__all__ = ["PLACES", "contradictions", "mixed", "screened_mixed"]

# A city, both poles, the antimeridian, the equator: latitude and longitude of the middle.
PLACES: Final = {
    "a city": (50.1, 8.7),
    "north pole": (89.9, 40.0),
    "south pole": (-90.0, 0.0),
    "antimeridian": (-17.0, 179.95),
    "equator": (0.0, -60.0),
}
Geometry = Trajectory | tuple[Volume, ...]

SIZE_M: Final = 20_000.0
LATERAL_M: Final = 1_500.0
VERTICAL_TMM: Final = 152_400  # 500 ft
LASTS_S: Final = 3_600.0
# What the kernel may add (ε and the polygon's pad), and what the twin's own search may lose.
SLACK_M: Final = 0.3
SEARCH_M: Final = 1e-3


def mixed(place: str, seed: int, flights: int, volumes: int) -> list[Extent]:
    """Return flights and volumes about a place, an hour long altogether."""
    rng = np.random.default_rng(seed)
    made = [_flight(rng, PLACES[place], f"flight {k}") for k in range(flights)]
    while len(made) < flights + volumes:
        try:
            made.append(_area(rng, PLACES[place], f"volume {len(made) - flights}"))
        except InvalidGeometryError:
            continue  # a ring that crosses itself
    return made


def _near(rng: np.random.Generator, at: tuple[float, float], metres: float) -> tuple[float, float]:
    lat, lon = moved(*at, float(rng.uniform(0, 360)), metres * float(np.sqrt(rng.random())))
    return lat, float((lon + 180.0) % 360.0 - 180.0)


def _flight(rng: np.random.Generator, at: tuple[float, float], key: str) -> Extent:
    t_s, points = float(rng.uniform(0, LASTS_S / 2)), []
    for _ in range(int(rng.integers(2, 6))):
        points.append((round(t_s, 3), *_near(rng, at, SIZE_M), float(rng.integers(0, 40) * 100)))
        t_s += float(rng.uniform(60, 900))
    return flight(key, points)


def _area(rng: np.random.Generator, at: tuple[float, float], key: str) -> Extent:
    middle, size = _near(rng, at, SIZE_M), float(rng.uniform(200.0, 4_000.0))
    outline: Outline
    kind = rng.integers(3)
    if kind == 0:
        outline = circle(*middle, size)
    elif kind == 1:
        outline = corridor(size / 4, *(_near(rng, middle, 2 * size) for _ in range(3)))
    else:
        corners = int(rng.integers(3, 8))
        bearings = (np.arange(corners) + rng.uniform(0, 0.8, corners)) * 360 / corners
        outline = polygon(
            *(
                (lat, float((lon + 180.0) % 360.0 - 180.0))
                for lat, lon in (
                    moved(*middle, float(b), size * float(rng.uniform(0.3, 1))) for b in bearings
                )
            )
        )
    floor, start_s = int(rng.integers(0, 35)) * 100.0, float(rng.uniform(0, LASTS_S / 2))
    feet = (
        None if rng.random() < 0.1 else floor,
        None if rng.random() < 0.1 else floor + float(rng.integers(1, 10)) * 100,
    )
    lasts_s = float(rng.uniform(60, LASTS_S / 2))
    return area(key, volume(outline, feet=feet, seconds=(start_s, start_s + lasts_s)))


def screened_mixed(everyone: list[Extent]) -> tuple[Finding, ...]:
    """Return what the check finds at the minima of these sets."""
    return screened(*everyone, lateral_m=LATERAL_M, vertical_tmm=VERTICAL_TMM)


def contradictions(everyone: list[Extent], found: tuple[Finding, ...]) -> tuple[list[str], int]:
    """Return what is missed or extra in words, and how many pairs are too close."""
    depths = _depths(tuple(everyone))
    said: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        said.setdefault((finding.first, finding.second), []).append(finding)
    wrong, close = [], 0
    for (a, b), shortfall in depths.items():
        findings = said.get((a, b), [])
        if shortfall < -SEARCH_M:
            close += 1
            if not findings:
                wrong.append(f"missed: {a}, {b}, {-shortfall:.4f} m under the minima")
        elif shortfall > SLACK_M and findings:
            wrong.append(f"extra: {a}, {b}, {shortfall:.4f} m over the minima")
        if shortfall > SEARCH_M and any(f.verdict is Verdict.CONFLICT for f in findings):
            wrong.append(f"unfounded: {a}, {b}, {shortfall:.4f} m over the minima")
    return wrong, close


@lru_cache(maxsize=4)
def _depths(everyone: tuple[Extent, ...]) -> dict[tuple[str, str], float]:
    """Return the twin's shortfall of every pair, metres; below 0 both are under the minima."""
    return {
        (a.key, b.key): _shortfall(a.geometry, b.geometry) for a, b in combinations(everyone, 2)
    }


def _shortfall(a: Geometry, b: Geometry) -> float:
    least = Minima(LATERAL_M, VERTICAL_TMM)
    if isinstance(a, Trajectory) and isinstance(b, Trajectory):
        return losses(a, b, least, step_s=5.0).least
    assert not isinstance(b, Trajectory)
    if isinstance(a, Trajectory):
        return NEVER if _clear(a, b[0]) else intrusion(a, b[0], least, step_s=30.0).least
    return NEVER if _apart(a[0], b[0]) else overlap(a[0], b[0], least)


def _clear(a: Trajectory, b: Volume) -> bool:
    """True when the flight stays outside a ball about the volume, or its band, by the minimum."""
    track = track_of(a)
    begin = max(track.times[0], b.span.start_ms / 1000)
    end = min(track.times[-1], b.span.end_ms / 1000)
    if begin > end:
        return True
    step_s = 10.0
    t_s = np.linspace(begin, end, int((end - begin) / step_s) + 2)
    corners = track.times[(track.times > begin) & (track.times < end)]
    height = track.altitude(np.concatenate((t_s, corners)))
    lower, upper = _band(b)
    if height.max() < lower - VERTICAL_TMM - 1 or height.min() > upper + VERTICAL_TMM + 1:
        return True
    fastest = float((track.legs[3] / np.diff(track.times)).max())
    middle, radius_m = _ball(b.outline)
    nearest = distance(*track.place(t_s), middle.lat_deg, middle.lon_deg).min()
    return bool(nearest - fastest * step_s > radius_m + LATERAL_M + SLACK_M)


def _apart(a: Volume, b: Volume) -> bool:
    """True when times, bands or balls about two volumes are apart by the minimum."""
    if max(a.span.start_ms, b.span.start_ms) > min(a.span.end_ms, b.span.end_ms):
        return True
    (low_a, high_a), (low_b, high_b) = _band(a), _band(b)
    if max(low_a - high_b, low_b - high_a) > VERTICAL_TMM:
        return True
    (one, reach_a), (two, reach_b) = _ball(a.outline), _ball(b.outline)
    between = WGS84.inv(one.lon_deg, one.lat_deg, two.lon_deg, two.lat_deg)[2]
    return bool(between > reach_a + reach_b + LATERAL_M + SLACK_M)


def _band(volume: Volume) -> tuple[float, float]:
    lower, upper = volume.band.lower_tmm, volume.band.upper_tmm
    return -np.inf if lower is None else lower, np.inf if upper is None else upper


def _ball(outline: Outline) -> tuple[Position, float]:
    """Return a point and how far the outline reaches from it, metres."""
    if isinstance(outline, Circle):
        return outline.center, outline.radius_mm / 1000
    assert isinstance(outline, Corridor | Polygon)
    places = outline.path if isinstance(outline, Corridor) else outline.vertices
    beyond = outline.half_width_mm / 1000 if isinstance(outline, Corridor) else 0.0
    lats = np.array([p.lat_deg for p in places])
    lons = np.array([p.lon_deg for p in places])
    # Edges of a few kilometres lie within the ball of their ends, but for millimetres.
    far = distance(lats, lons, places[0].lat_deg, places[0].lon_deg).max()
    return places[0], float(far) + beyond + 1.0
