"""What the search for ways out is given, and what it finds, as plain values between processes."""

from typing import Any

import msgspec

from deconflict.airspace.wire import geometry_from_wire, geometry_to_wire
from deconflict.node.declared import Declared
from deconflict.separation import Extent

__all__ = ["Found", "NearestThen", "Option", "Plain", "Task"]


class Plain(msgspec.Struct, frozen=True):
    """A declaration."""

    key: str
    party: str
    purpose: str
    geometry: Any

    @classmethod
    def of(cls, declared: Declared, purpose: str) -> "Plain":
        """Return a declaration, under the name by which minima know its purpose."""
        value = declared.declaration
        return cls(declared.key, declared.party, purpose, geometry_to_wire(value.geometry))

    @property
    def extent(self) -> Extent:
        """As the search takes it."""
        return Extent(self.key, self.party, self.purpose, geometry_from_wire(self.geometry))


class Task(msgspec.Struct, frozen=True):
    """What is looked for.

    Attributes:
        own: what may be changed.
        others: what stays.
        terms: of each line that has some, by its id.
        now_ms: nothing begins earlier.
    """

    own: Plain
    others: list[Plain]
    terms: dict[str, Any]
    now_ms: int


class NearestThen(msgspec.Struct, frozen=True):
    """To what a changed plan comes nearest, and how near."""

    key: str
    party: str
    lateral_m: float
    vertical_m: float | None
    minimum_lateral_m: float
    minimum_vertical_m: float


class Option(msgspec.Struct, frozen=True):
    """One change that ends every conflict of the plan; None nearest: nothing within 3 minima."""

    shift_ms: int
    level_m: float
    offset_m: float
    start_ms: int
    end_ms: int
    geometry: Any
    nearest: NearestThen | None


class Found(msgspec.Struct, frozen=True):
    """What was found; ``refused`` names what cannot be compared with anything."""

    conflicts: int = 0
    under_way: bool = False
    options: list[Option] = []
    refused: list[str] = []
    failed: str = ""
