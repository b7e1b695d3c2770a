"""What a person says of all drafts of a document, where the document itself leaves it open."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Final, TypeVar

from deconflict.airspace.instant import parse_utc
from deconflict.airspace.outline import Circle, Corridor, Outline, Polygon
from deconflict.airspace.purposes import PURPOSES
from deconflict.airspace.quantity import parse_altitude, parse_distance
from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError
from deconflict.formats.pasted.draft import BareShape, DraftVolume, ReadDraft

__all__ = ["SHAPES", "Given", "fill"]

T = TypeVar("T")

SHAPES: Final = ("circles", "corridor", "polygon")
_LONGEST: Final = 120


@dataclass(frozen=True, slots=True)
class Given:
    """What fills the gaps. It never replaces what a document says.

    Texts as people write them: distances and altitudes with their unit, times in UTC with ``Z``.
    ``shape`` is what bare places are: ``circles`` around each (a declaration each), a ``corridor``
    along them, or a ``polygon``. The two columns name those of a table by their heading, or by
    their number from 1.

    Raises:
        InvalidInputError: one of them cannot be read; the text names it.
    """

    purpose: str | None = None
    shape: str | None = None
    radius: str | None = None
    half_width: str | None = None
    lower: str | None = None
    upper: str | None = None
    start_utc: str | None = None
    end_utc: str | None = None
    latitude_column: str | None = None
    longitude_column: str | None = None

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if value is not None and len(value) > _LONGEST:
                raise InvalidDocumentError(
                    f"{one.name} is too long", expected=f"at most {_LONGEST} characters"
                )
        for name, value, known in (
            ("purpose", self.purpose, PURPOSES),
            ("shape", self.shape, SHAPES),
        ):
            if value is not None and value not in known:
                raise InvalidDocumentError(
                    f"{name} is none of the known ones",
                    given=f"{value!r:.40}",
                    expected=", ".join(known),
                )
        for name, text, parse in (
            ("radius", self.radius, parse_distance),
            ("half_width", self.half_width, parse_distance),
            ("lower", self.lower, parse_altitude),
            ("upper", self.upper, parse_altitude),
            ("start_utc", self.start_utc, parse_utc),
            ("end_utc", self.end_utc, parse_utc),
        ):
            with located(name):
                _read(parse, text)


def fill(draft: ReadDraft, given: Given) -> Iterator[ReadDraft]:
    """Yield the draft with its gaps filled; bare places that become circles are a draft each.

    Raises:
        InvalidGeometryError: the places are no such shape, as a polygon that crosses itself.
    """
    purposed = replace(draft, purpose=draft.purpose or given.purpose)
    loose = [volume for volume in draft.volumes if _is_loose(volume)]
    if given.shape == "circles" and loose and len(draft.volumes) == 1 and len(loose[0].places) > 1:
        for number, place in enumerate(loose[0].places, start=1):
            one = replace(loose[0], outline=BareShape("circle", (place,)))
            yield replace(
                purposed,
                where=f"{draft.where}, place {number}",
                volumes=(_filled(one, given),),
            )
        return
    with located(draft.where):
        yield replace(purposed, volumes=tuple(_filled(volume, given) for volume in draft.volumes))


def _is_loose(volume: DraftVolume) -> bool:
    return isinstance(volume.outline, BareShape) and volume.outline.kind is None


def _filled(volume: DraftVolume, given: Given) -> DraftVolume:
    if volume.lower and volume.upper and volume.band is None and given.lower and given.upper:
        # Stated, and no band: the two do not go together, so both are still to be said.
        volume = replace(volume, lower=None, upper=None)
    return replace(
        volume,
        outline=_outline(volume.outline, given),
        lower=volume.lower or _read(parse_altitude, given.lower),
        upper=volume.upper or _read(parse_altitude, given.upper),
        start_ms=volume.start_ms
        if volume.start_ms is not None
        else _read(parse_utc, given.start_utc),
        end_ms=volume.end_ms if volume.end_ms is not None else _read(parse_utc, given.end_utc),
    )


def _outline(outline: Outline | BareShape, given: Given) -> Outline | BareShape:
    if not isinstance(outline, BareShape):
        return outline
    kind = outline.kind
    if kind is None and given.shape is not None:
        kind = given.shape.removesuffix("s")
    if kind == "polygon":
        places = outline.places
        return Polygon(places[:-1] if len(places) > 3 and places[0] == places[-1] else places)
    if kind == "circle" and len(outline.places) == 1:
        radius_mm = _read(parse_distance, given.radius)
        return (
            BareShape(kind, outline.places)
            if radius_mm is None
            else Circle(outline.places[0], radius_mm)
        )
    if kind == "corridor":
        half_mm = _read(parse_distance, given.half_width)
        return (
            BareShape(kind, outline.places)
            if half_mm is None
            else Corridor(outline.places, half_mm)
        )
    return outline


def _read(parse: Callable[[str], T], text: str | None) -> T | None:
    return None if text is None else parse(text)
