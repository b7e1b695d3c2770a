"""What the bodies of messages share: field types, strict reading, writing."""

from functools import cache
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec

from deconflict.airspace.altitude import AltitudeReference, check_altitude_tmm
from deconflict.airspace.instant import parse_utc
from deconflict.airspace.position import Position
from deconflict.errors import InvalidDocumentError, InvalidTimeError

__all__ = [
    "DeclarationId",
    "Hash",
    "Language",
    "Level",
    "Name",
    "Place",
    "ReachMm",
    "UtcText",
    "WireForm",
    "check_utc",
    "read_form",
    "write_form",
]

UtcText: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
]
Hash: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
DeclarationId: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
Name: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")]
Language: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[a-z]{2,3}\Z")]  # ISO 639
ReachMm: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=5_000_000_000)]  # to 5,000 km

_SIGNED_SPELLING: Final = len("2015-09-30T06:12:00.000Z")

FormT = TypeVar("FormT", bound=msgspec.Struct)


class WireForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object with exactly these fields. Fields named ``*_utc`` hold real instants."""

    def __post_init__(self) -> None:
        for name in _instants(type(self)):
            value = getattr(self, name)
            if value is not None:
                check_utc(value, name)


@cache
def _instants(form: type[WireForm]) -> tuple[str, ...]:
    return tuple(name for name in form.__struct_fields__ if name.endswith("_utc"))


class Place(WireForm, frozen=True):
    """A position."""

    lat_e7: int
    lon_e7: int

    def __post_init__(self) -> None:
        Position(self.lat_e7, self.lon_e7)

    @classmethod
    def of(cls, position: Position) -> "Place":
        """Return the wire form of a position."""
        return cls(position.lat_e7, position.lon_e7)

    @property
    def position(self) -> Position:
        """The position as a value."""
        return Position(self.lat_e7, self.lon_e7)


class Level(WireForm, frozen=True):
    """One altitude with what it is measured from."""

    reference: AltitudeReference
    tmm: int

    def __post_init__(self) -> None:
        check_altitude_tmm(self.tmm, "tmm")


def check_utc(text: str, name: str) -> int:
    """Return the milliseconds of an instant in its one signed spelling.

    Raises:
        InvalidTimeError: no such instant, or another spelling of it.
    """
    utc_ms = parse_utc(text)
    if len(text) != _SIGNED_SPELLING:  # the one other that is read leaves out the milliseconds
        raise InvalidTimeError(
            f"{name} is not in its signed spelling",
            given=f"{text!r:.40}",
            expected="YYYY-MM-DDTHH:MM:SS.mmmZ",
        )
    return utc_ms


def read_form(
    form: type[FormT], value: object, *, what: str, spec: str = "specs/messages.md"
) -> FormT:
    """Return the form that a JSON value says. Nothing is converted and nothing filled in.

    A ``msgspec.Raw`` is the text of one in canonical JSON, and is read as its value would be.

    Raises:
        InvalidDocumentError: a field is missing, unknown or of the wrong type; the text has its
            path. Fields that hold positions, times and altitudes raise their own InvalidInputError.
    """
    try:
        if isinstance(value, msgspec.Raw):
            return _read_raw(form, value)
        return msgspec.convert(value, form, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidDocumentError(
            f"{what} cannot be read",
            given=str(error)[:200],
            expected=f"exactly the fields of {spec}",
        ) from error


def _read_raw(form: type[FormT], raw: msgspec.Raw) -> FormT:
    try:
        read: FormT = _decoder(form).decode(raw)
    except msgspec.ValidationError:
        # One place says what is refused, and why.
        return msgspec.convert(msgspec.json.decode(raw), form, strict=True)
    return read


@cache
def _decoder(form: type[FormT]) -> msgspec.json.Decoder[FormT]:
    return msgspec.json.Decoder(form)


def write_form(form: msgspec.Struct) -> dict[str, Any]:
    """Return the JSON value of a form."""
    written: dict[str, Any] = msgspec.to_builtins(form)
    return written
