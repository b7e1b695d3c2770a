"""What a declaration says about space and time: one trajectory, or some volumes."""

from typing import Final

from deconflict.airspace.instant import TimeSpan
from deconflict.airspace.trajectory import Trajectory
from deconflict.airspace.volume import Volume
from deconflict.errors import InvalidGeometryError

__all__ = ["MAX_VOLUMES", "Geometry", "check_volumes", "span_of"]

MAX_VOLUMES: Final = 64

Geometry = Trajectory | tuple[Volume, ...]
"""One trajectory, or 1 to 64 volumes that together are one declaration."""


def check_volumes(volumes: tuple[Volume, ...]) -> tuple[Volume, ...]:
    """Return the volumes if there are 1 to 64 of them.

    Raises:
        InvalidGeometryError: there are not.
    """
    if not 1 <= len(volumes) <= MAX_VOLUMES:
        raise InvalidGeometryError(
            "a declaration has too few or too many volumes",
            given=f"{len(volumes)} volumes",
            expected=f"1 to {MAX_VOLUMES}",
            remedy="declare several" if volumes else "give it a geometry",
        )
    return volumes


def span_of(geometry: Geometry) -> TimeSpan:
    """Return from the first to the last instant that the geometry may be there.

    A trajectory's time containment is included.

    Raises:
        InvalidGeometryError: an empty tuple of volumes.
    """
    if isinstance(geometry, Trajectory):
        return geometry.span
    check_volumes(geometry)
    return TimeSpan(
        min(volume.span.start_ms for volume in geometry),
        max(volume.span.end_ms for volume in geometry),
    )
