"""The map's projection: azimuthal equidistant about the middle of what is shown."""

import math
from collections.abc import Sequence
from typing import Final

from deconflict.airspace import Position
from deconflict.airspace.geodesy import direct, inverse, middle
from deconflict.paper.svg import Box, Point

__all__ = ["FARTHEST_M", "MAP", "Projection"]

MAP: Final = Box(24, 84, 784, 704)
FARTHEST_M: Final = 20_000_000.0  # nearly half around: no map reaches beyond


class Projection:
    """From places to pixels.

    Args:
        places: what the map has to hold.
        box: where it is drawn.
    """

    def __init__(self, places: Sequence[Position], box: Box = MAP) -> None:
        self.box = box
        self.centre = middle(places)
        flat = [self._flat(place) for place in places] or [(0.0, 0.0)]
        west, east = min(x for x, _ in flat), max(x for x, _ in flat)
        south, north = min(y for _, y in flat), max(y for _, y in flat)
        self._shift = ((west + east) / 2, (south + north) / 2)
        room = 0.84  # of the frame; the rest is for labels
        self.pixels_per_m = room * min(
            box.width / max(east - west, 2_000.0), box.height / max(north - south, 2_000.0)
        )

    def __call__(self, place: Position) -> Point:
        x, y = self._flat(place)
        return (
            (self.box.left + self.box.right) / 2 + (x - self._shift[0]) * self.pixels_per_m,
            (self.box.top + self.box.bottom) / 2 - (y - self._shift[1]) * self.pixels_per_m,
        )

    def place_at(self, point: Point) -> Position:
        """Return which place is drawn at a point."""
        x = (point[0] - (self.box.left + self.box.right) / 2) / self.pixels_per_m + self._shift[0]
        y = ((self.box.top + self.box.bottom) / 2 - point[1]) / self.pixels_per_m + self._shift[1]
        azimuth_deg = math.degrees(math.atan2(x, y)) % 360.0
        return direct(self.centre, azimuth_deg, min(math.hypot(x, y), FARTHEST_M))

    def north_deg(self, point: Point) -> float:
        """Return how far north is from straight up at a point, degrees."""
        place = self.place_at(point)
        x, y = self(place)
        north = direct(place, 0.0, 20.0 / self.pixels_per_m)
        x1, y1 = self(north)
        return abs(math.degrees(math.atan2(x1 - x, y - y1)))

    def _flat(self, place: Position) -> Point:
        way = inverse(self.centre, place)
        azimuth = math.radians(way.azimuth_ab_deg)
        return way.distance_m * math.sin(azimuth), way.distance_m * math.cos(azimuth)
