"""What a check sees of a declaration: whose it is, what for, and where and when."""

from dataclasses import dataclass

from deconflict.airspace.geometry import Geometry

__all__ = ["Extent"]


@dataclass(frozen=True, slots=True)
class Extent:
    """One declaration's extent in space and time.

    ``key`` names it among all extents of a check; an extent never conflicts with its own key.
    ``purpose`` chooses the minima.
    """

    key: str
    party: str
    purpose: str
    geometry: Geometry
