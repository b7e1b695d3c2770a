"""Landmarks both parties agreed on, so that a place can be said as distance and bearing."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from deconflict.airspace.geodesy import inverse
from deconflict.airspace.position import Position
from deconflict.errors import InvalidInputError

__all__ = ["MAX_LANDMARK_NAME", "Landmark", "LandmarkBearing", "bearing_from"]

MAX_LANDMARK_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Landmark:
    """A named place that people of both parties find on their maps.

    Raises:
        InvalidInputError: the name is empty, longer than 80 characters, or holds control
            characters.
    """

    name: str
    position: Position

    def __post_init__(self) -> None:
        if not (0 < len(self.name) <= MAX_LANDMARK_NAME and self.name.isprintable()):
            raise InvalidInputError(
                "a landmark's name cannot be used",
                given=f"{self.name!r:.100}",
                expected=f"1 to {MAX_LANDMARK_NAME} printable characters",
            )


@dataclass(frozen=True, slots=True)
class LandmarkBearing:
    """A place as seen from a landmark: geodesic distance, and true bearing in [0, 360)."""

    landmark: Landmark
    distance_m: float
    bearing_deg: float

    @property
    def distance_mm(self) -> int:
        """The distance in whole millimetres, as it is written and read back."""
        return round(self.distance_m * 1000)

    @property
    def bearing_ddeg(self) -> int:
        """The bearing in tenths of a degree, 0 to 3599, as it is written and read back."""
        return round(self.bearing_deg * 10) % 3600


def bearing_from(landmarks: Iterable[Landmark], position: Position) -> LandmarkBearing | None:
    """Return distance and bearing of ``position`` from the nearest landmark.

    Landmarks equally near are taken in order of name; without any the answer is None. Where the
    place is the landmark, the bearing is 0 and means nothing.

    >>> airfield = Landmark("Deir ez-Zor airfield", Position(352_854_000, 401_760_000))
    >>> seen = bearing_from([airfield], Position(352_054_000, 401_760_000))
    >>> f"{seen.distance_m:.0f} m, {seen.bearing_deg:.0f}°"
    '8876 m, 180°'
    """
    nearest: LandmarkBearing | None = None
    for landmark in sorted(landmarks, key=lambda known: (known.name, known.position)):
        seen = inverse(landmark.position, position)
        if nearest is None or seen.distance_m < nearest.distance_m:
            bearing_deg = seen.azimuth_ab_deg if seen.distance_m > 0.0 else 0.0
            nearest = LandmarkBearing(landmark, seen.distance_m, bearing_deg)
    return nearest
