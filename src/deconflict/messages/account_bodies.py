"""What a side says of an incident or an event: fields it names itself, and places among them."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Annotated, Final, TypeAlias

import msgspec

from deconflict.airspace.position import Position
from deconflict.errors import InvalidDocumentError, InvalidPositionError
from deconflict.messages.body import Body
from deconflict.messages.wire_form import DeclarationId
from deconflict.messages.words import check_text

__all__ = ["Account", "places_of", "said_names"]

MAX_ACCOUNT_FIELDS: Final = 32
MAX_ACCOUNT_TEXT: Final = 200

FieldName: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]{0,47}\Z")]


class Account(Body, frozen=True):
    """ACCOUNT: what this side says of an incident, or of an event without one (R29).

    Accounts that differ are all kept. Values are text, whole numbers or true/false, with the unit
    in the field's name. One that cites an earlier account of its own side corrects that (R15).
    """

    fields: dict[FieldName, str | int | bool]
    event: str | None = None
    incident_id: DeclarationId | None = None
    object_kind: FieldName | None = None
    as_published: str | None = None

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if (self.event is None) == (self.incident_id is None):
            raise InvalidDocumentError(
                "an account is of one thing",
                given="neither event nor incident_id" if self.event is None else "both",
                expected="event, in words, or incident_id of an incident that was opened",
            )
        if self.event is not None:
            check_text(self.event, what="event", max_chars=MAX_ACCOUNT_TEXT)
        if not 1 <= len(self.fields) <= MAX_ACCOUNT_FIELDS:
            raise InvalidDocumentError(
                "an account has too few or too many fields",
                given=f"{len(self.fields)} fields",
                expected=f"1 to {MAX_ACCOUNT_FIELDS}",
            )
        for name, value in self.fields.items():
            if isinstance(value, str):
                check_text(value, what=f"fields.{name}", max_chars=MAX_ACCOUNT_TEXT)
        if self.as_published is not None:
            check_text(self.as_published, what="as_published", max_chars=MAX_ACCOUNT_TEXT)


def places_of(fields: Mapping[str, str | int | bool]) -> dict[str, Position]:
    """Return the places of an account by name: pairs ``<name>_lat_e7`` and ``<name>_lon_e7``.

    A pair that is no place on the Earth, or whose name is a field already, stays two numbers.

    >>> places_of({"there_lat_e7": 352000000, "there_lon_e7": 400000000, "closest_m": 805})
    {'there': Position(lat_e7=352000000, lon_e7=400000000)}
    """
    found = {}
    for name, lat_e7 in fields.items():
        stem = name.removesuffix("_lat_e7")
        lon_e7 = fields.get(f"{stem}_lon_e7")
        if stem in fields or type(lat_e7) is not int or type(lon_e7) is not int:
            continue
        with suppress(InvalidPositionError):
            found[stem] = Position(lat_e7, lon_e7)
    return found


def said_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of fields as a person gave them: of the two of a place, the one name.

    >>> said_names(["closest_m", "there_lat_e7", "there_lon_e7"])
    ('closest_m', 'there')
    """
    stems = (name.removesuffix("_lat_e7").removesuffix("_lon_e7") for name in names)
    return tuple(dict.fromkeys(stems))
