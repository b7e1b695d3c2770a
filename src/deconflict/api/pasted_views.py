"""The JSON that tells what was read of a pasted text or file, as OpenAPI shows it."""

from dataclasses import dataclass
from typing import Any

from deconflict.node.views import DraftRemark

__all__ = ["DraftView", "LossView", "MissingView", "PastedView", "PlaceEcho"]


@dataclass(frozen=True, slots=True)
class PlaceEcho:
    """One place in all notations, and as seen from the nearest agreed landmark.

    ``landmark``, ``distance_mm`` and ``bearing_ddeg`` (tenths of a degree true) are null together.
    """

    lat_e7: int
    lon_e7: int
    decimal: str
    dms: str
    mgrs: str
    landmark: str | None
    distance_mm: int | None
    bearing_ddeg: int | None
    text: str


@dataclass(frozen=True, slots=True)
class MissingView:
    """One thing that a declaration needs and nobody has said: for programs, and for people."""

    path: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class LossView:
    """One thing that was not taken over. ``kind`` is LEFT_OUT, CHANGED or SET_ASIDE."""

    kind: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """One declaration as far as the document says it.

    ``geometry`` has the signed form with null for what is missing; once ``whole``, purpose and
    geometry are what ``/check`` and ``/declarations`` take. ``name`` is the document's own, for
    one's own people; ``label`` is what the peer would read. ``stated`` has each altitude and time
    of a volume as texts. ``text`` says where it is, in plain words.
    """

    source_index: int
    where: str
    name: str | None
    purpose: str | None
    label: str | None
    declaration_id: str | None
    geometry: dict[str, Any]
    stated: tuple[dict[str, str | None], ...]
    whole: bool
    missing: tuple[MissingView, ...]
    text: str
    places: tuple[PlaceEcho, ...]
    more_places: int
    warnings: tuple[DraftRemark, ...]


@dataclass(frozen=True, slots=True)
class PastedView:
    """What a text or file was found to be, the drafts in it, what is missing and what was lost."""

    format: str
    format_words: str
    sha256: str
    size_bytes: int
    drafts: tuple[DraftView, ...]
    missing: tuple[MissingView, ...]
    losses: tuple[LossView, ...]
