"""Values into the kernel's columns. What the columns mean: ``docs/reference/separation.md``."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.outline import Circle, Corridor, Outline
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Trajectory
from deconflict.airspace.volume import Volume
from deconflict.separation.extent import Extent
from deconflict.separation.minima import AltitudeConversions, Minima
from deconflict.units import E7_PER_DEGREE

__all__ = [
    "CIRCLE",
    "CORRIDOR",
    "POLYGON",
    "SURFACE",
    "UNLIMITED",
    "Columns",
    "Packed",
    "pack",
    "pack_minima",
    "pack_references",
]

Columns = dict[str, NDArray[Any]]
_K = TypeVar("_K")

MS_PER_SECOND: Final = 1_000
MM_PER_METRE: Final = 1_000
SURFACE: Final = np.iinfo(np.int64).min
UNLIMITED: Final = np.iinfo(np.int64).max
CIRCLE, CORRIDOR, POLYGON = 0, 1, 2
REFERENCES: Final = tuple(AltitudeReference)


@dataclass(frozen=True, slots=True)
class Packed:
    """Columns, and which extent each kernel index (trajectories first) belongs to."""

    trajectories: Columns
    volumes: Columns
    owner: tuple[int, ...]
    trajectory_count: int
    epoch_ms: int

    def reference_of(self, index: int) -> AltitudeReference:
        """Return what the altitudes of one kernel index are measured from."""
        if index < self.trajectory_count:
            return REFERENCES[int(self.trajectories["reference"][index])]
        return REFERENCES[int(self.volumes["reference"][index - self.trajectory_count])]


def pack(
    extents: Sequence[Extent],
    *,
    purposes: Mapping[str, int],
    groups: Sequence[int],
    sides: Sequence[int],
    epoch_ms: int | None = None,
) -> Packed:
    """Return the extents as columns.

    Args:
        extents: in the order that findings will refer to.
        purposes: index of each purpose in the table of minima.
        groups: one number an extent; equal numbers never meet (a party, or a key).
        sides: one number an extent; 0 meets everybody, others meet only other sides.
        epoch_ms: a whole second from which instants count; None takes one before them all.
    """
    flights: list[tuple[int, Trajectory]] = []
    volumes: list[tuple[int, Volume]] = []
    for index, extent in enumerate(extents):
        if isinstance(extent.geometry, Trajectory):
            flights.append((index, extent.geometry))
        else:
            volumes.extend((index, volume) for volume in extent.geometry)
    if epoch_ms is None:
        first_ms = min(
            chain(
                (flight.waypoints[0].at_ms for _, flight in flights),
                (volume.span.start_ms for _, volume in volumes),
            ),
            default=0,
        )
        # A whole second, so that shifting everything by whole seconds changes nothing.
        epoch_ms = first_ms - first_ms % MS_PER_SECOND
    owner = [index for index, _ in flights] + [index for index, _ in volumes]
    common = _Common(
        party=np.array([groups[k] for k in owner], dtype=np.uint32),
        purpose=np.array([purposes[extents[k].purpose] for k in owner], dtype=np.uint16),
        side=np.array([sides[k] for k in owner], dtype=np.uint8),
    )
    count = len(flights)
    return Packed(
        trajectories=_trajectories([f for _, f in flights], epoch_ms) | common.part(0, count),
        volumes=_volumes([v for _, v in volumes], epoch_ms)
        | common.part(count, len(owner))
        | {"item": np.array([k for k, _ in volumes], dtype=np.uint32)},
        owner=tuple(owner),
        trajectory_count=count,
        epoch_ms=epoch_ms,
    )


@dataclass(frozen=True, slots=True)
class _Common:
    party: NDArray[np.uint32]
    purpose: NDArray[np.uint16]
    side: NDArray[np.uint8]

    def part(self, start: int, end: int) -> Columns:
        return {
            "party": self.party[start:end],
            "purpose": self.purpose[start:end],
            "side": self.side[start:end],
        }


def _trajectories(flights: Sequence[Trajectory], epoch_ms: int) -> Columns:
    waypoints = [waypoint for flight in flights for waypoint in flight.waypoints]
    return {
        "offsets": _offsets([len(flight.waypoints) for flight in flights]),
        "lat_deg": _degrees([w.position.lat_e7 for w in waypoints]),
        "lon_deg": _degrees([w.position.lon_e7 for w in waypoints]),
        "time_s": _seconds([w.at_ms for w in waypoints], epoch_ms),
        "altitude_tmm": np.array([w.altitude_tmm for w in waypoints], dtype=np.int64),
        "lateral_m": _metres([f.containment.lateral_mm for f in flights]),
        "vertical_tmm": np.array([f.containment.vertical_tmm for f in flights], dtype=np.int64),
        "window_s": _seconds([f.containment.time_ms for f in flights], 0),
        "reference": _references([f.reference for f in flights]),
    }


def _volumes(volumes: Sequence[Volume], epoch_ms: int) -> Columns:
    outlines = [_outline(volume.outline) for volume in volumes]
    places = [place for _, vertices, _ in outlines for place in vertices]
    bands = [volume.band for volume in volumes]
    return {
        "offsets": _offsets([len(vertices) for _, vertices, _ in outlines]),
        "lat_deg": _degrees([p.lat_e7 for p in places]),
        "lon_deg": _degrees([p.lon_e7 for p in places]),
        "shape": np.array([shape for shape, _, _ in outlines], dtype=np.uint8),
        "reach_m": _metres([reach_mm for _, _, reach_mm in outlines]),
        "lower_tmm": np.array(
            [SURFACE if b.lower_tmm is None else b.lower_tmm for b in bands], dtype=np.int64
        ),
        "upper_tmm": np.array(
            [UNLIMITED if b.upper_tmm is None else b.upper_tmm for b in bands], dtype=np.int64
        ),
        "start_s": _seconds([v.span.start_ms for v in volumes], epoch_ms),
        "end_s": _seconds([v.span.end_ms for v in volumes], epoch_ms),
        "reference": _references([b.reference for b in bands]),
    }


def _outline(outline: Outline) -> tuple[int, tuple[Position, ...], int]:
    if isinstance(outline, Circle):
        return CIRCLE, (outline.center,), outline.radius_mm
    if isinstance(outline, Corridor):
        return CORRIDOR, outline.path, outline.half_width_mm
    return POLYGON, outline.vertices, 0


def _offsets(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(np.array(lengths, dtype=np.int64)))).astype(np.int64)


def _degrees(e7: Sequence[int]) -> NDArray[np.float64]:
    return np.array(e7, dtype=np.float64) / E7_PER_DEGREE


def _seconds(at_ms: Sequence[int], epoch_ms: int) -> NDArray[np.float64]:
    return (np.array(at_ms, dtype=np.int64) - epoch_ms) / MS_PER_SECOND


def _metres(mm: Sequence[int]) -> NDArray[np.float64]:
    return np.array(mm, dtype=np.float64) / MM_PER_METRE


def _references(references: Sequence[AltitudeReference]) -> NDArray[np.uint8]:
    return np.array([REFERENCES.index(reference) for reference in references], dtype=np.uint8)


def pack_minima(between: Callable[[_K, _K], Minima], classes: Collection[_K]) -> Columns:
    """Return the minima between any two classes, such as purposes, as a square, flat."""
    square = [between(a, b) for a in classes for b in classes]
    return {
        "lateral_m": np.array([minima.lateral_m for minima in square], dtype=np.float64),
        "vertical_tmm": np.array([minima.vertical_tmm for minima in square], dtype=np.int64),
    }


def pack_references(conversions: AltitudeConversions) -> Columns:
    """Return what compares with what as a square over ``REFERENCES``, flat."""
    known = [conversions.between(a, b) for a in REFERENCES for b in REFERENCES]
    return {
        "comparable": np.array([offset is not None for offset in known], dtype=np.uint8),
        "offset_lo_tmm": np.array([(o or (0, 0))[0] for o in known], dtype=np.int64),
        "offset_hi_tmm": np.array([(o or (0, 0))[1] for o in known], dtype=np.int64),
    }
