"""A change of a plan, and the plan as it would be declared then."""

from dataclasses import dataclass, replace

from deconflict.advise.aside import kept_ends, moved_aside
from deconflict.advise.limits import ChangeKind
from deconflict.airspace.altitude import AltitudeBand
from deconflict.airspace.geometry import Geometry
from deconflict.airspace.instant import TimeSpan
from deconflict.airspace.trajectory import Trajectory, Waypoint
from deconflict.airspace.volume import Volume
from deconflict.errors import InvalidGeometryError

__all__ = ["Change", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """So much later (negative: earlier), higher (lower) and to the right (left)."""

    shift_ms: int = 0
    level_tmm: int = 0
    offset_mm: int = 0

    @property
    def kinds(self) -> tuple[ChangeKind, ...]:
        """The ways in which it changes a plan; none when it changes nothing.

        >>> [kind.value for kind in Change(shift_ms=-1_000, offset_mm=5).kinds]
        ['SHIFT', 'OFFSET']
        """
        values = (self.shift_ms, self.level_tmm, self.offset_mm)
        return tuple(kind for kind, value in zip(ChangeKind, values, strict=True) if value)


def changed(geometry: Geometry, change: Change) -> Geometry:
    """Return the geometry with the change made, as it would be declared.

    A trajectory's first waypoint keeps place and altitude where it climbs from there, its last
    where it descends to it; only a shift moves those. Containment stays. A volume's open limits
    stay open.

    Raises:
        InvalidGeometryError: an offset of volumes; or what comes out cannot be declared.
        InvalidInputError: it leaves the altitudes or times that there are.
    """
    if isinstance(geometry, Trajectory):
        return _trajectory(geometry, change)
    if change.offset_mm:
        raise InvalidGeometryError(
            "only a trajectory can be moved to the side",
            given=f"{len(geometry)} volumes",
            expected="a trajectory",
        )
    return tuple(_volume(volume, change) for volume in geometry)


def _trajectory(flight: Trajectory, change: Change) -> Trajectory:
    first, last = kept_ends([waypoint.altitude_tmm for waypoint in flight.waypoints])
    end = len(flight.waypoints) - 1
    waypoints = tuple(
        Waypoint(
            waypoint.at_ms + change.shift_ms,
            waypoint.position,
            waypoint.altitude_tmm
            + (0 if (k == 0 and first) or (k == end and last) else change.level_tmm),
        )
        for k, waypoint in enumerate(flight.waypoints)
    )
    if change.offset_mm:
        waypoints = moved_aside(waypoints, change.offset_mm)
    return replace(flight, waypoints=waypoints)


def _volume(volume: Volume, change: Change) -> Volume:
    band, span = volume.band, volume.span
    return Volume(
        volume.outline,
        AltitudeBand(
            band.reference,
            None if band.lower_tmm is None else band.lower_tmm + change.level_tmm,
            None if band.upper_tmm is None else band.upper_tmm + change.level_tmm,
        ),
        TimeSpan(span.start_ms + change.shift_ms, span.end_ms + change.shift_ms),
    )
