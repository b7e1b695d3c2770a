"""Anything that people paste or hand over as a file, read into drafts of declarations.

The format is told from the content, never from a name. The original bytes are kept beside what was
read of them, with their SHA-256, and everything that was not taken over is told in words.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Final

from deconflict.airspace.trajectory import Trajectory
from deconflict.errors import InvalidDocumentError
from deconflict.formats.bounded_json import parse_json
from deconflict.formats.declaration_input import DeclarationInput
from deconflict.formats.geojson import declarations_of
from deconflict.formats.pasted.draft import DraftVolume, Loss, LossKind, ReadDraft
from deconflict.formats.pasted.foreign_geojson import is_of_profile, read_foreign_geojson
from deconflict.formats.pasted.given import Given, fill
from deconflict.formats.pasted.kml import read_kml
from deconflict.formats.pasted.kmz import kml_of
from deconflict.formats.pasted.losses import LossReport
from deconflict.formats.pasted.openair import looks_like_openair, read_openair
from deconflict.formats.pasted.positions import read_positions

__all__ = ["MAX_PASTED_BYTES", "PastedFormat", "Reading", "read_pasted"]

MAX_PASTED_BYTES: Final = 8 * 1024 * 1024
_ZIP: Final = b"PK\x03\x04"
_BINARY: Final = (
    (b"\x1f\x8b", "a file compressed by gzip"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class PastedFormat(StrEnum):
    """What a text or file was found to be."""

    POSITIONS = "POSITIONS"
    GEOJSON_PROFILE = "GEOJSON_PROFILE"
    GEOJSON = "GEOJSON"
    KML = "KML"
    KMZ = "KMZ"
    OPENAIR = "OPENAIR"

    @property
    def words(self) -> str:
        """How people call it."""
        return _WORDS[self]


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one document.

    ``original`` is what came, byte for byte, and ``sha256`` its hash in hexadecimal digits.
    """

    format: PastedFormat
    drafts: tuple[ReadDraft, ...]
    losses: tuple[Loss, ...]
    original: bytes
    sha256: str

    @property
    def left_out(self) -> tuple[Loss, ...]:
        """The losses by which something with a place is in no draft."""
        return tuple(loss for loss in self.losses if loss.kind is LossKind.LEFT_OUT)


def read_pasted(data: bytes, given: Given = Given()) -> Reading:  # noqa: B008 (a value)
    """Return the drafts that a text or file makes, what is missing in them and what was lost.

    Args:
        data: as it came.
        given: what fills the gaps; it replaces nothing that the document says.

    Raises:
        InvalidInputError: it is of no known format, too large, or not one thing in it can be read;
            the text says where and why.
    """
    losses = LossReport()
    kind, drafts = _read(data, given, losses)
    filled = tuple(chain.from_iterable(fill(draft, given) for draft in drafts))
    return Reading(kind, filled, losses.found(), data, hashlib.sha256(data).hexdigest())


def _read(
    data: bytes, given: Given, losses: LossReport
) -> tuple[PastedFormat, tuple[ReadDraft, ...]]:
    if data.startswith(_ZIP):
        _check_size(data)
        return PastedFormat.KMZ, read_kml(kml_of(data, losses), losses)
    for begins, words in _BINARY:
        if data.startswith(begins):
            raise InvalidDocumentError(
                f"this is {words}", expected="positions, GeoJSON, KML, KMZ or OpenAir"
            )
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        document = parse_json(data)
        if is_of_profile(document):
            return PastedFormat.GEOJSON_PROFILE, tuple(map(_of_profile, declarations_of(document)))
        _check_size(data)
        return PastedFormat.GEOJSON, read_foreign_geojson(document, losses)
    _check_size(data)
    text = _text(data)
    if text.lstrip().startswith("<"):
        return PastedFormat.KML, read_kml(text.encode(), losses)
    if looks_like_openair(text):
        return PastedFormat.OPENAIR, read_openair(text, losses)
    return PastedFormat.POSITIONS, read_positions(text, given, losses)


def _check_size(data: bytes) -> None:
    if len(data) > MAX_PASTED_BYTES:
        raise InvalidDocumentError(
            "this is too large", given=f"{len(data):,} bytes",
            expected=f"at most {MAX_PASTED_BYTES:,} bytes", remedy="split it",
        )  # fmt: skip


def _text(data: bytes) -> str:
    """Return the text: UTF-8, or UTF-16 with its mark, as spreadsheets save it; lines end alike."""
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidDocumentError(
            "this is no text that can be read", given=f"byte {error.start} of {len(data)}",
            expected="UTF-8, or UTF-16 with its mark", remedy="save it as UTF-8",
        ) from error  # fmt: skip
    control = _CONTROL.search(text)
    if control is not None:
        raise InvalidDocumentError(
            "this is no text: it holds control characters",
            given=f"U+{ord(control[0]):04X} at character {control.start() + 1}",
            expected="positions, GeoJSON, KML, KMZ or OpenAir",
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _of_profile(one: DeclarationInput) -> ReadDraft:
    where = f"features[{one.source_index}]"
    volumes: tuple[DraftVolume, ...] = ()
    flight = one.geometry if isinstance(one.geometry, Trajectory) else None
    if not isinstance(one.geometry, Trajectory):
        volumes = tuple(DraftVolume.of(volume) for volume in one.geometry)
    return ReadDraft(
        one.source_index,
        where,
        volumes,
        flight,
        purpose=one.purpose,
        label=one.label,
        declaration_id=one.declaration_id,
        name=one.feature_id,
    )


_WORDS: Final = {
    PastedFormat.POSITIONS: "positions",
    PastedFormat.GEOJSON_PROFILE: "GeoJSON in deconflict's profile",
    PastedFormat.GEOJSON: "GeoJSON of another program",
    PastedFormat.KML: "KML",
    PastedFormat.KMZ: "KMZ",
    PastedFormat.OPENAIR: "OpenAir",
}
