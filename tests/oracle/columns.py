"""The kernel's columns, made up: flights and volumes of every kind, all over the Earth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns", "awkward", "kept"]

Columns = dict[str, NDArray[Any]]
SURFACE, UNLIMITED = np.iinfo(np.int64).min, np.iinfo(np.int64).max
CENTRES = ((48.0, 9.0), (0.0, 179.99), (89.99, 20.0), (-89.99, -70.0), (71.0, -180.0))


def awkward(seed: int, count: int = 300) -> tuple[Columns, Columns, Columns, Columns]:
    """Return trajectories, volumes, minima and references that meet often and in every way.

    Around cities, the antimeridian and both poles; legs of a second and of hours, cut and uncut;
    hovering, doubled waypoints, windows, margins, sides, two purposes and three references.
    """
    r = np.random.default_rng(seed)
    flights = [_flight(r) for _ in range(count)]
    points = np.concatenate(flights)
    trajectories = {
        "offsets": np.cumsum([0, *(len(points) for points in flights)]).astype(np.int64),
        "lat_deg": points[:, 1].copy(),
        "lon_deg": points[:, 2].copy(),
        "time_s": points[:, 0].copy(),
        "altitude_tmm": points[:, 3].astype(np.int64),
        "lateral_m": r.choice([0.0, 0.0, 25.0, 2_000.0], count),
        "vertical_tmm": r.choice([0, 0, 300_000], count).astype(np.int64),
        "window_s": r.choice([0.0, 0.0, 0.0, 0.5, 120.0], count),
        "party": np.arange(count, dtype=np.uint32) % 40,
        "purpose": r.integers(0, 2, count).astype(np.uint16),
        "reference": r.choice([0, 0, 0, 1, 2], count).astype(np.uint8),
        "side": r.choice([0, 0, 0, 1, 2], count).astype(np.uint8),
    }
    minima = {
        "lateral_m": np.array([9_260.0, 500.0, 500.0, 50.0]),
        "vertical_tmm": np.array([3_048_000, 1_000_000, 1_000_000, 152_400], np.int64),
    }
    references = {
        "comparable": np.array([1, 1, 0, 1, 1, 0, 0, 0, 0], np.uint8),
        "offset_lo_tmm": np.array([0, -500_000, 0, 0, 0, 0, 0, 0, 0], np.int64),
        "offset_hi_tmm": np.array([0, 900_000, 0, 0, 0, 0, 0, 0, 0], np.int64),
    }
    return trajectories, _volumes(r, count // 4), minima, references


def kept(table: Columns, rows: NDArray[np.int64]) -> Columns:
    """Return these rows of a table of trajectories or volumes, in this order."""
    offsets = table["offsets"]
    lengths = np.diff(offsets)[rows]
    points = np.concatenate(
        [np.arange(offsets[k], offsets[k + 1]) for k in rows] or [np.zeros(0, np.int64)]
    ).astype(np.int64)
    chosen = {
        name: column[points if name in POINTS else rows].copy()
        for name, column in table.items()
        if name != "offsets"
    }
    return {"offsets": np.cumsum([0, *lengths]).astype(np.int64), **chosen}


POINTS = ("lat_deg", "lon_deg", "time_s", "altitude_tmm")


def _near(r: np.random.Generator, size_deg: float, many: int) -> NDArray[np.float64]:
    lat, lon = CENTRES[r.integers(len(CENTRES))]
    lats = np.clip(lat + size_deg * r.uniform(-1, 1, many), -90, 90)
    wide = size_deg / max(np.cos(np.radians(lat)), 0.02)
    lons = lon + wide * r.uniform(-1, 1, many)
    return np.stack([lats, np.where(r.random(many) < 0.9, (lons + 180) % 360 - 180, lons)], axis=1)


def _flight(r: np.random.Generator) -> NDArray[np.float64]:
    many = int(r.integers(2, 14))
    size_deg = r.choice([0.001, 0.1, 0.5, 6.0])
    places = _near(r, size_deg, many)
    if r.random() < 0.2:
        places[1:] = places[0]
    times = np.cumsum(r.choice([1.0, 0.25, 30.0, 600.0, 14_400.0], many))
    altitude = np.round(
        r.choice([9_000, 9_300]) * 10_000 + r.choice([0, 1]) * r.normal(0, 5e6, many)
    )
    points = np.column_stack([r.integers(0, 3_600) + times, places, altitude])
    return points.repeat(1 + (r.random(many) < 0.05), axis=0)


def _volumes(r: np.random.Generator, count: int) -> Columns:
    shape = r.integers(0, 3, count).astype(np.uint8)
    vertices = []
    for kind in shape:
        size_deg = r.choice([0.01, 0.3])
        middle = _near(r, 0.3, 1)[0]
        many = {0: 1, 1: int(r.integers(2, 5)), 2: int(r.integers(3, 8))}[int(kind)]
        turn = (np.arange(many) + r.uniform(0, 0.8, many)) * 2 * np.pi / many
        lats = np.clip(middle[0] + size_deg * np.sin(turn), -90, 90)
        lons = middle[1] + size_deg * np.cos(turn) / max(np.cos(np.radians(middle[0])), 0.02)
        vertices.append(np.stack([lats, (lons + 180) % 360 - 180], axis=1))
    points = np.concatenate(vertices)
    lower = (r.integers(8_000, 9_400, count) * 10_000).astype(np.int64)
    upper = lower + r.integers(0, 8_000_000, count)
    start = r.integers(0, 7_200, count).astype(np.float64)
    return {
        "offsets": np.cumsum([0, *(len(v) for v in vertices)]).astype(np.int64),
        "lat_deg": points[:, 0].copy(),
        "lon_deg": points[:, 1].copy(),
        "shape": shape,
        "reach_m": np.where(shape == 2, 0.0, r.choice([0.0, 50.0, 3_000.0], count)),
        "lower_tmm": np.where(r.random(count) < 0.2, SURFACE, lower),
        "upper_tmm": np.where(r.random(count) < 0.2, UNLIMITED, upper),
        "start_s": start,
        "end_s": start + r.choice([0.0, 60.0, 1e5], count),
        "party": (np.arange(count) % 40).astype(np.uint32),
        "purpose": r.integers(0, 2, count).astype(np.uint16),
        "reference": r.choice([0, 0, 0, 1, 2], count).astype(np.uint8),
        "item": np.arange(count, dtype=np.uint32) // 2,
        "side": np.zeros(count, np.uint8),
    }
