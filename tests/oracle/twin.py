"""The slow obvious twin of the separation kernel: sample densely, refine, believe pyproj.

It knows nothing of chords, bounds or cells. ``shortfall(a, b, t)`` says how far a pair is inside
its minima at an instant: negative means both distances are under them, in metres for the lateral
part and scaled to metres for the vertical one; its least value over time decides.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from deconflict.airspace import Circle, Corridor, Polygon, Position, Trajectory, Volume
from deconflict.separation import Minima

GEOD = Geod(ellps="WGS84")
FloatArray = NDArray[np.float64]
TMM_PER_METRE_OF_SHORTFALL = 10_000.0
NEVER = 1e12


@dataclass(frozen=True)
class Track:
    """A trajectory to be asked for its place."""

    trajectory: Trajectory

    @cached_property
    def times(self) -> FloatArray:
        return np.array([w.at_ms / 1000 for w in self.trajectory.waypoints])

    @cached_property
    def legs(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Start latitude and longitude, azimuth and length of each leg."""
        lat = np.array([w.position.lat_deg for w in self.trajectory.waypoints])
        lon = np.array([w.position.lon_deg for w in self.trajectory.waypoints])
        azimuth, _, length = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
        return lat, lon, np.asarray(azimuth), np.asarray(length)

    def place(self, t: FloatArray) -> tuple[FloatArray, FloatArray]:
        times = self.times
        lat, lon, azimuth, length = self.legs
        leg = np.clip(np.searchsorted(times, t, side="right") - 1, 0, len(length) - 1)
        share = (t - times[leg]) / (times[leg + 1] - times[leg])
        lon_t, lat_t, _ = GEOD.fwd(lon[leg], lat[leg], azimuth[leg], share * length[leg])
        return np.asarray(lat_t), np.asarray(lon_t)

    def altitude(self, t: FloatArray) -> FloatArray:
        return np.interp(t, self.times, [w.altitude_tmm for w in self.trajectory.waypoints])


@lru_cache(maxsize=256)
def track_of(trajectory: Trajectory) -> Track:
    return Track(trajectory)


def distance(lat1: FloatArray, lon1: FloatArray, lat2: FloatArray, lon2: FloatArray) -> FloatArray:
    shape = np.broadcast(lat1, lon1, lat2, lon2).shape
    full = [np.broadcast_to(x, shape).ravel() for x in (lon1, lat1, lon2, lat2)]
    return np.asarray(GEOD.inv(*full)[2]).reshape(shape)


def losses(a: Trajectory, b: Trajectory, minima: Minima, step_s: float = 10.0) -> "Approach":
    """Return the deepest shortfall of two trajectories in their common time, and when."""
    one, two = track_of(a), track_of(b)
    lateral = minima.lateral_m + (a.containment.lateral_mm + b.containment.lateral_mm) / 1000
    vertical = minima.vertical_tmm + a.containment.vertical_tmm + b.containment.vertical_tmm

    def shortfall(t: FloatArray) -> FloatArray:
        gap = distance(*one.place(t), *two.place(t)) - lateral
        rise = np.abs(one.altitude(t) - two.altitude(t)) - vertical
        return np.maximum(gap, rise / TMM_PER_METRE_OF_SHORTFALL)

    start = max(one.times[0], two.times[0])
    end = min(one.times[-1], two.times[-1])
    return _search(shortfall, start, end, np.concatenate((one.times, two.times)), step_s)


def intrusion(a: Trajectory, b: Volume, minima: Minima, step_s: float = 5.0) -> "Approach":
    """Return the deepest shortfall of a trajectory and a volume in their common time."""
    track = track_of(a)
    lateral = minima.lateral_m + a.containment.lateral_mm / 1000
    vertical = minima.vertical_tmm + a.containment.vertical_tmm

    def shortfall(t: FloatArray) -> FloatArray:
        gap = outline_distance(b.outline, *track.place(t)) - lateral
        height = track.altitude(t)
        below = -NEVER if b.band.lower_tmm is None else b.band.lower_tmm - height
        above = -NEVER if b.band.upper_tmm is None else height - b.band.upper_tmm
        rise = np.maximum(below, above) - vertical
        return np.maximum(gap, rise / TMM_PER_METRE_OF_SHORTFALL)

    start = max(track.times[0], b.span.start_ms / 1000)
    end = min(track.times[-1], b.span.end_ms / 1000)
    return _search(shortfall, start, end, track.times, step_s)


@dataclass(frozen=True)
class Approach:
    """Least shortfall (metres; NEVER when there is no common time) and samples of it."""

    least: float
    at_s: float
    t: FloatArray
    shortfall: FloatArray


def _search(shortfall, start: float, end: float, corners: FloatArray, step_s: float) -> Approach:
    if start > end:
        return Approach(NEVER, start, np.array([]), np.array([]))
    count = max(int((end - start) / step_s), 8) + 1
    inner = corners[(corners > start) & (corners < end)]
    t = np.unique(np.concatenate((np.linspace(start, end, count), inner)))
    value = shortfall(t)
    best, when = float(value.min()), float(t[value.argmin()])
    # Refine about every sample that is lower than its neighbours and could still go under zero.
    low = np.flatnonzero(
        (value <= np.append(value[1:], np.inf)) & (value <= np.insert(value[:-1], 0, np.inf))
    )
    steps = np.abs(np.diff(value, prepend=value[0], append=value[-1]))
    for k in low:
        if value[k] - 3.0 * steps[max(k - 2, 0) : k + 4].max() > max(best, 0.0):
            continue
        found, moment = _golden(shortfall, t[max(k - 1, 0)], t[min(k + 1, len(t) - 1)])
        if found < best:
            best, when = found, moment
    return Approach(best, when, t, value)


def _golden(shortfall, left: float, right: float) -> tuple[float, float]:
    """Shrink a bracket by sampling it anew; robust for functions with corners."""
    best, when = np.inf, left
    for _ in range(14):
        t = np.linspace(left, right, 17)
        value = shortfall(t)
        k = int(value.argmin())
        if value[k] < best:
            best, when = float(value[k]), float(t[k])
        left, right = t[max(k - 1, 0)], t[min(k + 1, 16)]
        if right - left < 1e-7:
            break
    return best, when


def outline_distance(outline, lat: FloatArray, lon: FloatArray) -> FloatArray:
    """Return distances of points from an outline, 0 or below inside."""
    if isinstance(outline, Circle):
        centre = outline.center
        return distance(lat, lon, centre.lat_deg, centre.lon_deg) - outline.radius_mm / 1000
    if isinstance(outline, Corridor):
        return _to_line(outline.path, lat, lon) - outline.half_width_mm / 1000
    assert isinstance(outline, Polygon)
    ring = (*outline.vertices, outline.vertices[0])
    edge = _to_line(ring, lat, lon)
    return np.where(inside(outline, lat, lon), -edge, edge)


def _to_line(path: tuple[Position, ...], lat: FloatArray, lon: FloatArray) -> FloatArray:
    best = np.full(len(lat), np.inf)
    for start, end in pairwise(path):
        best = np.minimum(best, _to_leg(start, end, lat, lon))
    return best


def _to_leg(start: Position, end: Position, lat: FloatArray, lon: FloatArray) -> FloatArray:
    azimuth, _, length = GEOD.inv(start.lon_deg, start.lat_deg, end.lon_deg, end.lat_deg)
    left, right = np.zeros(len(lat)), np.full(len(lat), length)
    best = np.full(len(lat), np.inf)
    for _ in range(12):
        s = left + (right - left) * np.linspace(0, 1, 17)[:, None]
        flat = s.ravel()
        lon_s, lat_s, _ = GEOD.fwd(
            np.full(flat.shape, start.lon_deg),
            np.full(flat.shape, start.lat_deg),
            np.full(flat.shape, azimuth),
            flat,
        )
        d = distance(np.reshape(lat_s, s.shape), np.reshape(lon_s, s.shape), lat, lon)
        best = np.minimum(best, d.min(axis=0))
        k = d.argmin(axis=0)
        column = np.arange(len(lat))
        left, right = s[np.maximum(k - 1, 0), column], s[np.minimum(k + 1, 16), column]
    return best


def ring_points(vertices: tuple[Position, ...], parts: int) -> tuple[FloatArray, FloatArray]:
    """Return points along the geodesic edges of a ring, each edge in equal parts."""
    lats, lons = [], []
    for start, end in zip(vertices, (*vertices[1:], vertices[0]), strict=True):
        azimuth, _, length = GEOD.inv(start.lon_deg, start.lat_deg, end.lon_deg, end.lat_deg)
        s = np.arange(parts) / parts * length
        lon, lat, _ = GEOD.fwd(
            np.full(parts, start.lon_deg), np.full(parts, start.lat_deg), np.full(parts, azimuth), s
        )
        lats.append(lat)
        lons.append(lon)
    return np.concatenate(lats), np.concatenate(lons)


def inside(outline: Polygon, lat: FloatArray, lon: FloatArray) -> NDArray[np.bool_]:
    """Say which points see the ring go round them once (rings well within a hemisphere)."""
    ring_lat, ring_lon = ring_points(outline.vertices, 2)
    result = np.zeros(len(lat), dtype=bool)
    for k in range(len(lat)):
        azimuth, _, far = GEOD.inv(
            np.full(ring_lat.shape, lon[k]), np.full(ring_lat.shape, lat[k]), ring_lon, ring_lat
        )
        if np.min(far) > 9_000_000.0:
            continue
        turn = np.diff(np.append(azimuth, azimuth[0]))
        turn = (turn + 180.0) % 360.0 - 180.0
        result[k] = abs(turn.sum()) > 180.0
    return result


def overlap(a: Volume, b: Volume, minima: Minima) -> float:
    """Return the shortfall of two volumes, metres; NEVER when they share no instant."""
    if max(a.span.start_ms, b.span.start_ms) > min(a.span.end_ms, b.span.end_ms):
        return NEVER
    rise = -NEVER
    for upper, lower in (
        (a.band.upper_tmm, b.band.lower_tmm),
        (b.band.upper_tmm, a.band.lower_tmm),
    ):
        if upper is not None and lower is not None:
            rise = max(rise, lower - upper)
    gap = min(_sampled(a.outline, b.outline), _sampled(b.outline, a.outline))
    lateral = gap - minima.lateral_m
    return max(lateral, (rise - minima.vertical_tmm) / TMM_PER_METRE_OF_SHORTFALL)


def _sampled(of, to) -> float:
    """Least distance from points of one outline to the other outline, 0 or below when inside."""
    if isinstance(of, Circle):
        centre = of.center
        d = outline_distance(to, np.array([centre.lat_deg]), np.array([centre.lon_deg]))
        return float(d[0]) - of.radius_mm / 1000
    closed = isinstance(of, Polygon)
    path = of.vertices if closed else of.path
    reach = 0.0 if closed else of.half_width_mm / 1000
    ends = (*path[1:], path[0]) if closed else path[1:]
    best = np.inf
    for start, end in zip(path, ends, strict=False):
        azimuth, _, length = GEOD.inv(start.lon_deg, start.lat_deg, end.lon_deg, end.lat_deg)
        left, right = 0.0, length
        for _ in range(6):
            s = np.linspace(left, right, 17)
            full = np.full(17, 1.0)
            lon, lat, _ = GEOD.fwd(start.lon_deg * full, start.lat_deg * full, azimuth * full, s)
            d = outline_distance(to, np.asarray(lat), np.asarray(lon))
            k = int(d.argmin())
            best = min(best, float(d[k]))
            left, right = s[max(k - 1, 0)], s[min(k + 1, 16)]
    return best - reach
