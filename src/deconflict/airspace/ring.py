"""Is a closed ring of geodesics simple? The whole test, in bounded time, anywhere on the Earth.

Edges are split at geodesic points into pieces of at most 50 km. A piece is judged by the plane that
holds its chord and its mean surface normal, which leaves the geodesic by less than 0.1 mm. The
pieces live in Earth-centred coordinates, so neither the antimeridian nor a pole is special. Pairs
of pieces that can meet are found by descending a tree of bounding boxes over the ring's own order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from deconflict.airspace.geodesy import split
from deconflict.airspace.position import Position
from deconflict.errors import InvalidGeometryError

__all__ = [
    "MAX_LEG_M",
    "MAX_PERIMETER_M",
    "MAX_VERTICES",
    "TOUCH_M",
    "check_ring",
]

MAX_VERTICES: Final = 10_000
MAX_LEG_M: Final = 19_900_000.0  # beyond, near the antipode, the shortest way is not unique
MAX_PERIMETER_M: Final = 200_000_000.0  # five times round the Earth; bounds the work
TOUCH_M: Final = 0.001  # parts of a ring nearer than this touch; positions are 11 mm apart

_PIECE_M: Final = 50_000.0
_MAX_PAIRS: Final = 1_000_000  # of pieces whose boxes meet; a usual ring has some per piece
_TREE_TOP: Final = 32
_NEARBY: Final = 0.1  # radians, 640 km: a ring within this of its middle is a small one
_HALF_EARTH_TOLERANCE: Final = 0.01  # area and solid angle differ by 0.3 % of it at most

_A_M: Final = 6_378_137.0  # WGS84 (NIMA TR8350.2)
_E2: Final = (2.0 - 1.0 / 298.257223563) / 298.257223563
_MEAN_RADIUS_M: Final = 6_371_008.8

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The ring cut into short pieces, one row each, Earth-centred metres."""

    start_m: Floats
    end_m: Floats
    normal: Floats
    edge: Ints


def check_ring(vertices: Sequence[Position]) -> None:
    """Pass exactly when the closed ring through ``vertices`` bounds one area on each side.

    The ring is not closed by a repeated vertex. Edges may not cross, touch or run back on
    themselves (nearer than 1 mm counts); the ring may not enclose nothing, nor half the Earth,
    which has no smaller side.

    Raises:
        InvalidGeometryError: naming the edges at fault, edge 0 running from vertex 0 to vertex 1.
    """
    if not 3 <= len(vertices) <= MAX_VERTICES:
        raise InvalidGeometryError(
            "a polygon has too few or too many vertices",
            given=f"{len(vertices)} vertices",
            expected=f"3 to {MAX_VERTICES}, the first not repeated at the end",
            remedy="simplify the outline" if len(vertices) > MAX_VERTICES else "",
        )
    pieces = _cut(vertices)
    area_sr = _smaller_solid_angle(pieces)
    fault = _first_fault(pieces)
    if fault is not None:
        kind, one, other = fault
        length_m = np.linalg.norm(pieces.end_m - pieces.start_m, axis=1)
        if kind == "touch" and area_sr * _MEAN_RADIUS_M**2 < TOUCH_M * float(length_m.sum()):
            raise InvalidGeometryError(
                "the polygon encloses no area",
                given=f"edges {one} and {other} lie on one another",
                expected="an outline with an inside",
                remedy="use a corridor to say a line with a width",
            )
        raise InvalidGeometryError(
            "the polygon crosses itself" if kind == "cross" else "the polygon touches itself",
            given=f"edge {one} {'crosses' if kind == 'cross' else 'touches'} edge {other}",
            expected="edges that meet only at their common vertex",
            remedy="put the vertices in order along the outline, or declare several volumes",
        )
    if abs(area_sr / (2.0 * np.pi) - 1.0) < _HALF_EARTH_TOLERANCE:
        raise InvalidGeometryError(
            "the polygon holds half the Earth, so neither side is the smaller one",
            given=f"{area_sr / (4.0 * np.pi):.2%} of the Earth",
            expected="less than 49.5 %",
            remedy="declare several smaller volumes",
        )


def _earth_centred(lat_deg: Floats, lon_deg: Floats) -> tuple[Floats, Floats]:
    """Return positions on the ellipsoid in metres and the unit normals there, shape (n, 3)."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    normal = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    across_m = _A_M / np.sqrt(1.0 - _E2 * normal[:, 2] ** 2)
    return normal * across_m[:, None] * np.array([1.0, 1.0, 1.0 - _E2]), normal


def _cut(vertices: Sequence[Position]) -> _Pieces:
    lat_deg = np.array([v.lat_deg for v in vertices])
    lon_deg = np.array([v.lon_deg for v in vertices])
    place_m, _ = _earth_centred(lat_deg, lon_deg)
    chord_m = np.linalg.norm(np.roll(place_m, -1, axis=0) - place_m, axis=1)
    repeated = np.flatnonzero(chord_m <= TOUCH_M)
    if repeated.size:
        index = int(repeated[0])
        raise InvalidGeometryError(
            "a polygon repeats a vertex",
            given=f"vertices {index} and {(index + 1) % len(vertices)} are one place",
            expected="each vertex once, the first not repeated at the end",
            remedy="remove one of them: places are told apart from 10⁻⁷ degrees (11 mm) on; a pad "
            "or a mast is said well as a circle",
        )
    edge = np.arange(len(vertices), dtype=np.int64)
    if float(chord_m.max()) >= _PIECE_M:
        lat_deg, lon_deg, edge = _split(vertices, chord_m)
    start_m, normal = _earth_centred(lat_deg, lon_deg)
    return _Pieces(
        start_m, np.roll(start_m, -1, axis=0), normal + np.roll(normal, -1, axis=0), edge
    )


def _split(vertices: Sequence[Position], chord_m: Floats) -> tuple[Floats, Floats, Ints]:
    places: list[tuple[float, float]] = []
    edges: list[int] = []
    perimeter_m = 0.0
    for index, vertex in enumerate(vertices):
        length_m = float(chord_m[index])
        points = [(vertex.lat_deg, vertex.lon_deg)]
        if length_m >= _PIECE_M:
            following = vertices[(index + 1) % len(vertices)]
            length_m, points = split(vertex, following, longest_m=_PIECE_M)
            if length_m >= MAX_LEG_M:
                raise InvalidGeometryError(
                    "an edge is too long: near the antipode the shortest way is not unique",
                    given=f"edge {index} of {length_m / 1000:.0f} km",
                    expected="less than 19,900 km",
                    remedy="add a vertex between",
                )
        places += points
        edges += [index] * len(points)
        perimeter_m += length_m
        if perimeter_m > MAX_PERIMETER_M:
            raise InvalidGeometryError(
                "the polygon's outline is too long",
                given=f"more than {MAX_PERIMETER_M / 1000:.0f} km round",
                expected="at most 200,000 km round",
                remedy="declare several smaller volumes",
            )
    lat_deg, lon_deg = np.array(places).T
    return lat_deg, lon_deg, np.array(edges, dtype=np.int64)


def _smaller_solid_angle(pieces: _Pieces) -> float:
    """Return the solid angle of the ring's smaller side, seen from the Earth's centre.

    Source: A. Van Oosterom, J. Strackee, The solid angle of a plane triangle (1983), summed over
    the triangles from one apex to each piece; right modulo the whole sphere.
    """
    start = pieces.start_m / np.linalg.norm(pieces.start_m, axis=1, keepdims=True)
    end = np.roll(start, -1, axis=0)
    apex = _apex(start, end)
    volume = np.cross(start - apex, end - apex) @ apex
    scale = 1.0 + start @ apex + np.einsum("ij,ij->i", start, end) + end @ apex
    whole = 4.0 * np.pi
    angle = float(np.sum(2.0 * np.arctan2(volume, scale))) % whole
    return min(angle, whole - angle)


def _apex(start: Floats, end: Floats) -> Floats:
    """Return a direction that the ring, given by its pieces' unit vectors, does not run around."""
    middle: Floats = start.mean(axis=0)
    middle /= max(float(np.linalg.norm(middle)), _NEARBY)
    if float(np.abs(start - middle).max()) < _NEARBY:
        # Of a ring of centimetres nothing but rounding is left of the sum below, and it points
        # anywhere: seen from there such a ring held half the Earth.
        return middle
    # The ring's mean normal is an apex that the ring does not run through, wherever there is one.
    normal: Floats = np.cross(start, end).sum(axis=0)
    size = float(np.linalg.norm(normal))
    return normal / size if size > 0.0 else start[0]


def _first_fault(pieces: _Pieces) -> tuple[str, int, int] | None:
    """Return ("cross" | "touch", edge, edge) for the first pair of pieces that may not be."""
    step_m = pieces.end_m - pieces.start_m
    length_m = np.linalg.norm(step_m, axis=1)
    along = step_m / length_m[:, None]
    lateral = np.cross(along, pieces.normal)
    lateral /= np.linalg.norm(lateral, axis=1, keepdims=True)
    one, other = _pairs_that_can_meet(pieces, length_m)
    count = len(length_m)
    following = other == one + 1
    closing = (one == 0) & (other == count - 1) & (count > 2)
    adjacent = following | closing

    def seen_from(piece: Ints, point_m: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Return each point's signed distance from its piece's line, and if it lies on it."""
        offset_m = point_m - pieces.start_m[piece]
        side_m = np.einsum("ij,ij->i", offset_m, lateral[piece])
        ahead_m = np.einsum("ij,ij->i", offset_m, along[piece])
        on_it = (
            (np.abs(side_m) <= TOUCH_M)
            & (ahead_m >= -TOUCH_M)
            & (ahead_m <= length_m[piece] + TOUCH_M)
        )
        return side_m, on_it

    other_start, other_start_on = seen_from(one, pieces.start_m[other])
    other_end, other_end_on = seen_from(one, pieces.end_m[other])
    one_start, one_start_on = seen_from(other, pieces.start_m[one])
    one_end, one_end_on = seen_from(other, pieces.end_m[one])
    # Nearer than the touching distance the sign is noise, and the parts touch: see below.
    sides_m = np.abs(np.stack([other_start, other_end, one_start, one_end]))
    crosses = (
        ~adjacent
        & (other_start * other_end < 0.0)
        & (one_start * one_end < 0.0)
        & np.all(sides_m > TOUCH_M, axis=0)
    )
    # Adjacent pieces share one end; only their far ends can lie where they should not.
    touches = (
        (other_start_on & ~following)
        | (other_end_on & ~closing)
        | (one_start_on & ~closing)
        | (one_end_on & ~following)
    )
    for kind, found in (("cross", crosses), ("touch", touches)):
        hits = np.flatnonzero(found)
        if hits.size:
            edges = pieces.edge[one[hits]], pieces.edge[other[hits]]
            first = np.lexsort((edges[1], edges[0]))[0]
            return kind, int(edges[0][first]), int(edges[1][first])
    return None


def _pairs_that_can_meet(pieces: _Pieces, length_m: Floats) -> tuple[Ints, Ints]:
    """Return index pairs (i < j) of all pieces whose padded bounding boxes meet."""
    # The surface rises above a chord by L²/(8R); so much further out can two pieces meet.
    pad_m = (1.1 / 8.0 / 6.3e6) * length_m[:, None] ** 2 + 2.0 * TOUCH_M
    low = [np.minimum(pieces.start_m, pieces.end_m) - pad_m]
    high = [np.maximum(pieces.start_m, pieces.end_m) + pad_m]
    while len(low[-1]) > _TREE_TOP:
        pairs = np.arange(0, len(low[-1]), 2)
        low.append(np.minimum.reduceat(low[-1], pairs))
        high.append(np.maximum.reduceat(high[-1], pairs))
    one, other = np.triu_indices(len(low[-1]))
    for level in range(len(low) - 1, -1, -1):
        lo, hi = low[level], high[level]
        if level < len(low) - 1:
            one, other = _children(one, other, len(lo))
        meet = np.all((lo[one] <= hi[other]) & (lo[other] <= hi[one]), axis=1)
        one, other = one[meet], other[meet]
        if len(one) > _MAX_PAIRS:
            raise InvalidGeometryError(
                "the polygon is too intricate to be checked",
                given=f"{len(length_m)} pieces, over {_MAX_PAIRS} pairs close to one another",
                expected="an outline",
                remedy="simplify it, or declare several volumes",
            )
    different = one < other
    return one[different].astype(np.int64), other[different].astype(np.int64)


def _children(one: Ints, other: Ints, count: int) -> tuple[Ints, Ints]:
    left = np.concatenate([2 * one, 2 * one, 2 * one + 1, 2 * one + 1])
    right = np.concatenate([2 * other, 2 * other + 1, 2 * other, 2 * other + 1])
    kept = (left <= right) & (left < count) & (right < count)
    return left[kept], right[kept]
