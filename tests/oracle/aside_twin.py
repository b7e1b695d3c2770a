"""The slow twin of the kernel's `moved_aside`: the same construction, said in Python."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from deconflict.airspace.geodesy import direct, inverse
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Waypoint

__all__ = ["kept_ends", "moved_aside"]

# A leg of 100 km, moved by 20 NM, is a metre off the line at that distance (y·L²/8R²).
_LONGEST_LEG_M: Final = 100_000.0
_FARTHEST_JOINT: Final = math.sqrt(2.0)


def kept_ends(altitudes_tmm: Sequence[int]) -> tuple[bool, bool]:
    """Say which ends keep place and altitude: one from which it climbs, one to which it descends.

    >>> kept_ends([0, 3_048_000, 3_048_000])
    (True, False)
    """
    return altitudes_tmm[0] < altitudes_tmm[1], altitudes_tmm[-1] < altitudes_tmm[-2]


@dataclass(frozen=True, slots=True)
class _Leg:
    length_m: float
    start_deg: float
    """Course at its start."""
    end_deg: float
    """Course at its end."""


@dataclass(frozen=True, slots=True)
class _Joint:
    """Where a waypoint goes for each metre: ``far`` metres at ``half_deg`` from the right."""

    into_deg: float
    half_deg: float
    far: float

    def parts(self, *, leaving: bool) -> tuple[float, float]:
        """Return metres along and across the leg after it, or before it, for each metre."""
        along = self.far * math.sin(math.radians(self.half_deg))
        across = self.far * math.cos(math.radians(self.half_deg))
        return (along if leaving else -along), across


def moved_aside(waypoints: Sequence[Waypoint], offset_mm: int) -> tuple[Waypoint, ...]:
    """Return the waypoints of the same flight ``offset_mm`` to the right, negative to the left.

    Hovering stays hovering; a flight that only hovers moves to the east or west.
    """
    offset_m = offset_mm / 1000
    legs = [_leg(a.position, b.position) for a, b in pairwise(waypoints)]
    kept = kept_ends([waypoint.altitude_tmm for waypoint in waypoints])
    joints = _joints(legs, kept)
    moved = [_at_joint(waypoints[0], joints[0], offset_m)]
    for leg, (a, b), (start, end) in zip(legs, pairwise(waypoints), pairwise(joints), strict=True):
        if leg is not None and leg.length_m > _LONGEST_LEG_M:
            moved += _between(leg, (a, b), (start, end), offset_m)
        moved.append(_at_joint(b, end, offset_m))
    return tuple(moved)


def _leg(start: Position, end: Position) -> _Leg | None:
    if start.is_same_place(end):
        return None
    way = inverse(start, end)
    return _Leg(way.distance_m, way.azimuth_ab_deg, (way.azimuth_ba_deg + 180.0) % 360.0)


def _joints(legs: Sequence[_Leg | None], kept: tuple[bool, bool]) -> list[_Joint]:
    count = len(legs)
    before: list[float | None] = [None]
    for leg in legs:
        before.append(before[-1] if leg is None else leg.end_deg)
    after: list[float | None] = [None]
    for leg in reversed(legs):
        after.append(after[-1] if leg is None else leg.start_deg)
    after.reverse()
    joints = []
    for k in range(count + 1):
        into, out = before[k], after[k]
        into_deg = into if into is not None else (out if out is not None else 0.0)
        out_deg = out if out is not None else into_deg
        turn_deg = math.remainder(out_deg - into_deg, 360.0)
        if abs(turn_deg) > 90.0 and abs(math.sin(math.radians(turn_deg))) < 1e-3:
            turn_deg = abs(turn_deg)  # right back counts as to the right
        half_deg = turn_deg / 2
        stays = (k == 0 and kept[0]) or (k == count and kept[1])
        cosine = math.cos(math.radians(half_deg))
        far = 1.0 / cosine if cosine * _FARTHEST_JOINT > 1.0 else _FARTHEST_JOINT
        joints.append(_Joint(into_deg, half_deg, 0.0 if stays else far))
    return joints


def _at_joint(waypoint: Waypoint, joint: _Joint, offset_m: float) -> Waypoint:
    if joint.far == 0.0:
        return waypoint
    place = _aside(waypoint.position, joint.into_deg + 90.0 + joint.half_deg, offset_m * joint.far)
    return Waypoint(waypoint.at_ms, place, waypoint.altitude_tmm)


def _between(
    leg: _Leg, ends: tuple[Waypoint, Waypoint], joints: tuple[_Joint, _Joint], offset_m: float
) -> list[Waypoint]:
    a, b = ends
    along0, across0 = joints[0].parts(leaving=True)
    along1, across1 = joints[1].parts(leaving=False)
    parts = math.ceil(leg.length_m / _LONGEST_LEG_M)
    made: list[Waypoint] = []
    for part in range(1, parts):
        # Whole milliseconds first, then the place at exactly that instant.
        at_ms = a.at_ms + (b.at_ms - a.at_ms) * part // parts
        if at_ms <= (made[-1].at_ms if made else a.at_ms):
            continue
        f = (at_ms - a.at_ms) / (b.at_ms - a.at_ms)
        on = direct(a.position, leg.start_deg, leg.length_m * f)
        course_deg = inverse(on, b.position).azimuth_ab_deg
        along = along0 + (along1 - along0) * f
        across = across0 + (across1 - across0) * f
        turn_deg = math.degrees(math.atan2(across, along))
        place = _aside(on, course_deg + turn_deg, offset_m * math.hypot(along, across))
        altitude = a.altitude_tmm + round((b.altitude_tmm - a.altitude_tmm) * f)
        made.append(Waypoint(at_ms, place, altitude))
    return made


def _aside(place: Position, azimuth_deg: float, distance_m: float) -> Position:
    if distance_m < 0.0:
        return direct(place, azimuth_deg + 180.0, -distance_m)
    return direct(place, azimuth_deg, distance_m)
