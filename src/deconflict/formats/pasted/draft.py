"""What was read of a text or file on its way to a declaration, and what is still missing.

A draft never says more than its document. What a declaration needs and the document leaves open is
named, one by one, and can be filled in; only a whole draft has a geometry.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from deconflict.airspace.altitude import AltitudeBand
from deconflict.airspace.geometry import Geometry
from deconflict.airspace.instant import TimeSpan, format_utc
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.position import Position
from deconflict.airspace.quantity import (
    Altitude,
    OpenLimit,
    format_altitude,
    parse_band,
)
from deconflict.airspace.trajectory import Trajectory
from deconflict.airspace.volume import Volume
from deconflict.airspace.wire import (
    band_to_wire,
    geometry_to_wire,
    outline_to_wire,
    position_to_wire,
    span_to_wire,
)
from deconflict.errors import InvalidAltitudeError

__all__ = ["BareShape", "DraftVolume", "Limit", "Loss", "LossKind", "Missing", "ReadDraft"]

Limit: TypeAlias = Altitude | OpenLimit


class LossKind(StrEnum):
    """How much a loss matters."""

    LEFT_OUT = "LEFT_OUT"
    """Something with a place was not taken over: it would not be declared."""
    CHANGED = "CHANGED"
    """A shape was taken over as another that contains it, or a reading was chosen."""
    SET_ASIDE = "SET_ASIDE"
    """Something without a place of its own: names, colours, remarks."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that was not taken over as it stood; ``where`` is its place in the document."""

    kind: LossKind
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that a declaration needs and nobody has said yet.

    ``path`` is where it belongs in the draft, ``what`` is a word for programs, ``text`` for people.
    """

    path: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class BareShape:
    """Places of which the shape is not known yet, or not how far it reaches.

    ``kind`` is ``circle`` (the radius is missing), ``corridor`` (the half width is missing), or
    None where nobody has said what the places are.
    """

    kind: str | None
    places: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class DraftVolume:
    """A volume as far as it was given. ``lower`` and ``upper`` are as stated, in any reference."""

    outline: Outline | BareShape
    lower: Limit | None = None
    upper: Limit | None = None
    start_ms: int | None = None
    end_ms: int | None = None

    @classmethod
    def of(cls, volume: Volume) -> "DraftVolume":
        """Return a volume of which nothing is missing."""
        band, span = volume.band, volume.span
        return cls(
            volume.outline,
            OpenLimit.SURFACE
            if band.lower_tmm is None
            else Altitude(band.reference, band.lower_tmm),
            OpenLimit.UNLIMITED
            if band.upper_tmm is None
            else Altitude(band.reference, band.upper_tmm),
            span.start_ms,
            span.end_ms,
        )

    @property
    def band(self) -> AltitudeBand | None:
        """The altitudes; None where a limit is missing or the two do not go together."""
        if self.lower is None or self.upper is None:
            return None
        try:
            return parse_band(format_altitude(self.lower), format_altitude(self.upper))
        except InvalidAltitudeError:
            return None

    @property
    def span(self) -> TimeSpan | None:
        """The times; None where one is missing or the end is not after the start."""
        if self.start_ms is None or self.end_ms is None or self.start_ms >= self.end_ms:
            return None
        return TimeSpan(self.start_ms, self.end_ms)

    @property
    def places(self) -> tuple[Position, ...]:
        """The places that it names."""
        match self.outline:
            case Circle(center, _):
                return (center,)
            case Corridor(path, _):
                return path
            case Polygon(vertices):
                return vertices
            case BareShape(_, places):
                return places

    def whole(self) -> Volume | None:
        """Return the volume once nothing of it is missing."""
        band, span = self.band, self.span
        if isinstance(self.outline, BareShape) or band is None or span is None:
            return None
        return Volume(self.outline, band, span)

    def missing(self, path: str) -> Iterator[Missing]:
        """Yield what is still to be said, in the order in which a person is asked."""
        if isinstance(self.outline, BareShape):
            kind = self.outline.kind
            yield Missing(f"{path}.outline{f'.{kind}' if kind else ''}", *_SHAPE_MISSING[kind])
        yield from self._missing_band(path)
        yield from self._missing_span(path)

    def _missing_band(self, path: str) -> Iterator[Missing]:
        for name, limit in (("lower", self.lower), ("upper", self.upper)):
            if limit is None:
                yield Missing(f"{path}.band", name.upper(), _LIMIT_MISSING[name])
        if self.lower is None or self.upper is None or self.band is not None:
            return
        said = f"from {format_altitude(self.lower)} to {format_altitude(self.upper)}"
        yield Missing(
            f"{path}.band",
            "BAND",
            f"one reference for both limits: {said} is stated, and floor and ceiling are measured "
            "from different things or lie the wrong way round; say both in one, rounded outward",
        )

    def _missing_span(self, path: str) -> Iterator[Missing]:
        for name, at_ms in (("start", self.start_ms), ("end", self.end_ms)):
            if at_ms is None:
                yield Missing(f"{path}.span", name.upper(), _TIME_MISSING[name])
        if self.start_ms is not None and self.end_ms is not None and self.span is None:
            yield Missing(
                f"{path}.span",
                "SPAN",
                f"an end after the start: from {format_utc(self.start_ms)} to "
                f"{format_utc(self.end_ms)} is stated",
            )

    def to_wire(self) -> dict[str, object]:
        """Return it in the signed JSON form, ``null`` for what is missing."""
        band, span = self.band, self.span
        return {
            "outline": _bare_to_wire(self.outline)
            if isinstance(self.outline, BareShape)
            else outline_to_wire(self.outline),
            "band": None if band is None else band_to_wire(band),
            "span": None if span is None else span_to_wire(span),
        }

    def stated(self) -> dict[str, str | None]:
        """Return altitudes and times as texts that are read back, None for what is missing."""
        return {
            "lower": None if self.lower is None else format_altitude(self.lower),
            "upper": None if self.upper is None else format_altitude(self.upper),
            "start_utc": None if self.start_ms is None else format_utc(self.start_ms),
            "end_utc": None if self.end_ms is None else format_utc(self.end_ms),
        }


@dataclass(frozen=True, slots=True)
class ReadDraft:
    """One declaration as far as it was given.

    ``name`` is what the document calls it: for one's own people, never sent. ``label`` is what the
    peer would read; only deconflict's own GeoJSON says one. ``trajectory`` and ``volumes`` exclude
    each other.
    """

    source_index: int
    where: str
    volumes: tuple[DraftVolume, ...] = ()
    trajectory: Trajectory | None = None
    purpose: str | None = None
    label: str | None = None
    declaration_id: str | None = None
    name: str | None = None

    @property
    def places(self) -> tuple[Position, ...]:
        """Every place that it names, in order."""
        if self.trajectory is not None:
            return tuple(waypoint.position for waypoint in self.trajectory.waypoints)
        return tuple(place for volume in self.volumes for place in volume.places)

    @property
    def geometry(self) -> Geometry | None:
        """The geometry once nothing of it is missing."""
        if self.trajectory is not None:
            return self.trajectory
        whole = [volume.whole() for volume in self.volumes]
        found = tuple(volume for volume in whole if volume is not None)
        return found if found and len(found) == len(whole) else None

    def missing(self) -> tuple[Missing, ...]:
        """Return what a declaration needs and is not there."""
        found = []
        if self.purpose is None:
            found.append(Missing("purpose", "PURPOSE", _PURPOSE_MISSING))
        for index, volume in enumerate(self.volumes):
            found += volume.missing(f"geometry.volumes[{index}]")
        return tuple(found)

    def to_wire(self) -> dict[str, object]:
        """Return the geometry in the signed JSON form, ``null`` for what is missing."""
        if self.trajectory is not None:
            return geometry_to_wire(self.trajectory)
        return {"volumes": [volume.to_wire() for volume in self.volumes]}


_PURPOSE_MISSING: Final = (
    "what it is: FLIGHT, ACTIVITY, HAZARD, OWN_PRESENCE or PROTECTED_SITE; no format but "
    "deconflict's own says it"
)
_SHAPE_MISSING: Final = {
    None: (
        "SHAPE",
        "what the places are: circles around each, a corridor along them, or a polygon",
    ),
    "circle": ("RADIUS", "how far around the place, as 10 NM or 5 km"),
    "corridor": ("HALF_WIDTH", "how far to each side of the path, as 5 NM or 2 km"),
}
_LIMIT_MISSING: Final = {
    "lower": "the floor, with what it is measured from: SFC, 2500 ft AMSL, FL190, 400 ft AGL",
    "upper": "the ceiling, with what it is measured from: UNL, 12000 ft AMSL, FL250, 400 ft AGL",
}
_TIME_MISSING: Final = {
    "start": "when it begins, in UTC: 2015-09-30T06:12:00Z",
    "end": "when it ends, in UTC: 2015-09-30T08:00:00Z",
}


def _bare_to_wire(bare: BareShape) -> dict[str, object]:
    places = [position_to_wire(place) for place in bare.places]
    if bare.kind == "circle":
        return {"circle": {"center": places[0], "radius_mm": None}}
    if bare.kind == "corridor":
        return {"corridor": {"path": places, "half_width_mm": None}}
    return {"places": places}
