"""A path moved to the side, by the compiled kernel; which of its ends stay where they are."""

from collections.abc import Sequence

import numpy as np

from deconflict import _kernel
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Waypoint

__all__ = ["kept_ends", "moved_aside"]


def kept_ends(altitudes_tmm: Sequence[int]) -> tuple[bool, bool]:
    """Say which ends keep place and altitude: one from which it climbs, one to which it descends.

    >>> kept_ends([0, 3_048_000, 3_048_000])
    (True, False)
    """
    return altitudes_tmm[0] < altitudes_tmm[1], altitudes_tmm[-1] < altitudes_tmm[-2]


def moved_aside(waypoints: Sequence[Waypoint], offset_mm: int) -> tuple[Waypoint, ...]:
    """Return the waypoints of the same flight ``offset_mm`` to the right, negative to the left.

    Same times and altitudes. At a waypoint the moved legs are joined on the line that halves the
    turn, beyond a right angle short of where they meet; an end that keeps its place is left or
    reached along its leg. Legs of more than 100 km get places in between. Hovering stays hovering;
    a flight that only hovers moves to the east or west.
    """
    moved = _kernel.moved_aside(
        {
            "offsets": np.array([0, len(waypoints)], dtype=np.int64),
            "lat_deg": np.array([w.position.lat_deg for w in waypoints]),
            "lon_deg": np.array([w.position.lon_deg for w in waypoints]),
            "at_ms": np.array([w.at_ms for w in waypoints], dtype=np.int64),
            "altitude_tmm": np.array([w.altitude_tmm for w in waypoints], dtype=np.int64),
        },
        np.array([offset_mm / 1000]),
    )
    names = ("at_ms", "lat_deg", "lon_deg", "altitude_tmm")
    return tuple(
        Waypoint(at_ms, Position.from_degrees(lat_deg, lon_deg), altitude_tmm)
        for at_ms, lat_deg, lon_deg, altitude_tmm in zip(
            *(moved[name].tolist() for name in names), strict=True
        )
    )
