"""A declaration: what a party says of its own presence in space and time.

There is no target, and nothing obliges a party to say more than a purpose and a geometry as
coarse as it likes (R11, R14). A later revision is a new message that cites the old one; nothing is
overwritten (R15).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from deconflict.airspace.geometry import Geometry, check_volumes, span_of
from deconflict.airspace.instant import TimeSpan
from deconflict.airspace.trajectory import Trajectory
from deconflict.airspace.where import located
from deconflict.airspace.wire import geometry_from_wire, geometry_to_wire, sound_span
from deconflict.errors import InvalidDocumentError
from deconflict.messages.words import check_text

__all__ = [
    "MAX_LABEL",
    "Declaration",
    "Purpose",
    "SoundDeclaration",
    "declaration_from_wire",
    "declaration_to_wire",
    "new_declaration_id",
]

MAX_LABEL: Final = 64
MAX_REVISION: Final = 1_000_000
_ID: Final = re.compile(r"[0-9a-f]{32}")
_KEYS: Final = frozenset(("declaration_id", "purpose", "geometry", "label", "revision"))


class Purpose(StrEnum):
    """Why a party tells the other of a place. A sixth, a target, does not exist (R11)."""

    FLIGHT = "FLIGHT"  # own aircraft fly there
    ACTIVITY = "ACTIVITY"  # own forces act there, or drop or fire something
    HAZARD = "HAZARD"  # something there endangers whoever enters
    OWN_PRESENCE = "OWN_PRESENCE"  # own people are there: to be kept safe
    PROTECTED_SITE = "PROTECTED_SITE"  # a hospital, a convoy, a camp: to be kept safe


_PURPOSES: Final[dict[str, Any]] = {purpose.value: purpose for purpose in Purpose}


@dataclass(frozen=True, slots=True)
class Declaration:
    """One revision of a declaration.

    Attributes:
        declaration_id: 32 random hex digits, the same through all revisions.
        purpose: why it is told.
        geometry: where, at which altitudes, when.
        label: what the sender likes to call it, at most 64 characters; never needed.
        revision: 1, then one more with each UPDATE or CORRECTION.

    Raises:
        InvalidInputError: a field that cannot be; the geometry checks itself.
    """

    declaration_id: str
    purpose: Purpose
    geometry: Geometry
    label: str | None = None
    revision: int = 1

    def __post_init__(self) -> None:
        if type(self.declaration_id) is not str or not _ID.fullmatch(self.declaration_id):
            raise InvalidDocumentError(
                "declaration_id has the wrong form",
                given=f"{self.declaration_id!r:.60}",
                expected="32 hex digits, small letters",
            )
        if not isinstance(self.purpose, Purpose):
            raise InvalidDocumentError(
                "a declaration needs a purpose",
                given=f"{self.purpose!r:.40}",
                expected=", ".join(Purpose),
                remedy="say why you tell it; a place without a purpose can be misread",
            )
        if not isinstance(self.geometry, Trajectory):
            check_volumes(self.geometry)
        if self.label is not None:
            check_text(self.label, what="label", max_chars=MAX_LABEL)
        if type(self.revision) is not int or not 1 <= self.revision <= MAX_REVISION:
            raise InvalidDocumentError(
                "revision is out of range",
                given=f"{self.revision!r:.40}",
                expected=f"a whole number from 1 to {MAX_REVISION}",
            )

    @property
    def span(self) -> TimeSpan:
        """From the first to the last instant it covers."""
        return span_of(self.geometry)


class SoundDeclaration:
    """A declaration that can be read, and is read whole when somebody asks for it.

    A record holds many thousands of declarations. A start must know of each whether it can be
    read, which it is and when it is over; where it leads matters only for the few still active.

    Attributes:
        declaration_id, revision: as the declaration's.
        start_ms, end_ms: the first and the last instant it covers.
    """

    __slots__ = ("_data", "_value", "declaration_id", "end_ms", "revision", "start_ms")

    def __init__(self, value: Declaration) -> None:
        self._data = b""
        self._value: Declaration | None = value
        self.declaration_id = value.declaration_id
        self.revision = value.revision
        self.start_ms, self.end_ms = value.span.start_ms, value.span.end_ms

    @classmethod
    def from_wire(cls, value: object) -> "SoundDeclaration":
        """Return the declaration that a JSON value says; raises as ``declaration_from_wire``."""
        span = _sound_span(value)
        if span is None or not isinstance(value, dict):
            return cls(declaration_from_wire(value))
        sound = cls.__new__(cls)
        sound._data = msgspec.json.encode(value)
        sound._value = None
        sound.declaration_id = value["declaration_id"]
        sound.revision = value["revision"]
        sound.start_ms, sound.end_ms = span.start_ms, span.end_ms
        return sound

    @property
    def value(self) -> Declaration:
        """The whole declaration."""
        if self._value is None:
            self._value = declaration_from_wire(msgspec.json.decode(self._data))
            self._data = b""
        return self._value

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, SoundDeclaration) and self.value == other.value)

    def __hash__(self) -> int:
        return hash((self.declaration_id, self.revision))


def _sound_span(value: object) -> TimeSpan | None:
    """Return its span when ``declaration_from_wire`` surely reads it; None says nothing."""
    if type(value) is not dict or value.keys() != _KEYS:
        return None
    declaration_id, label, revision = value["declaration_id"], value["label"], value["revision"]
    sound = (
        type(declaration_id) is str
        and _ID.fullmatch(declaration_id)
        and type(value["purpose"]) is str
        and value["purpose"] in _PURPOSES
        and type(revision) is int
        and 1 <= revision <= MAX_REVISION
        and (label is None or (type(label) is str and _is_plain(label)))
    )
    return sound_span(value["geometry"]) if sound else None


def _is_plain(label: str) -> bool:
    return (
        label.isascii()
        and label.isprintable()
        and 0 < len(label) <= MAX_LABEL
        and not label.isspace()
    )


def new_declaration_id(random_bytes: Callable[[int], bytes]) -> str:
    """Return a fresh id from 16 bytes of ``random_bytes`` (``os.urandom`` in service)."""
    return random_bytes(16).hex()


def declaration_to_wire(declaration: Declaration) -> dict[str, Any]:
    """Return the signed JSON form (specs/messages.md §3); ``declaration_from_wire`` reads it."""
    return {
        "declaration_id": declaration.declaration_id,
        "purpose": declaration.purpose.value,
        "geometry": geometry_to_wire(declaration.geometry),
        "label": declaration.label,
        "revision": declaration.revision,
    }


def declaration_from_wire(value: object) -> Declaration:
    """Return the declaration that a JSON value says. Every key must be there and no other.

    Raises:
        InvalidInputError: a key is missing or unknown, or a value cannot be; the text names it.
    """
    if not isinstance(value, dict) or set(value) != _KEYS:
        keys = sorted(map(str, value)) if isinstance(value, dict) else value
        raise InvalidDocumentError(
            "declaration has other fields than it must",
            given=f"{keys!r:.120}",
            expected="exactly " + ", ".join(sorted(_KEYS)),
        )
    label = value["label"]
    if label is not None and type(label) is not str:
        raise InvalidDocumentError(
            "label is no text", given=f"{label!r:.40}", expected="a string or null"
        )
    with located("geometry"):
        geometry = geometry_from_wire(value["geometry"])
    purpose = value["purpose"]
    return Declaration(
        declaration_id=value["declaration_id"],
        purpose=_PURPOSES.get(purpose, purpose) if isinstance(purpose, str) else purpose,
        geometry=geometry,
        label=label,
        revision=value["revision"],
    )
