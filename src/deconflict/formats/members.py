"""What a JSON value has to be where it stands: an object, an array, text; else refused in words.

Every function here raises InvalidDocumentError for a value of another kind.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from deconflict.airspace.instant import parse_utc
from deconflict.airspace.quantity import parse_distance
from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError

__all__ = [
    "Members",
    "array_of",
    "distance_at",
    "instant_at",
    "object_of",
    "only",
    "optional_text_at",
    "shown",
    "text_at",
    "text_of",
]

Members: TypeAlias = Mapping[str, object]


def only(members: Members, known: frozenset[str] | set[str]) -> None:
    """Return when there is no member but those known: nothing is ignored."""
    unknown = sorted(key for key in members if key not in known)
    if unknown:
        raise InvalidDocumentError(
            f"unknown: {', '.join(f'{key:.40}' for key in unknown[:5])}",
            expected=f"only {', '.join(sorted(known))}",
            remedy="correct the name, or remove it: nothing is ignored",
        )


def object_of(value: object, name: str = "") -> Members:
    """Return a JSON object as it is."""
    if not isinstance(value, dict):
        raise InvalidDocumentError(
            f"{name or 'this'} is no object", given=shown(value), expected="a JSON object"
        )
    return value


def array_of(value: object, name: str, limit: int | None) -> Sequence[object]:
    """Return a JSON array of at most ``limit`` items as it is."""
    if not isinstance(value, list):
        raise InvalidDocumentError(
            f"{name} is no array", given=shown(value), expected="a JSON array"
        )
    if limit is not None and len(value) > limit:
        raise InvalidDocumentError(
            f"{name} holds too many", given=f"{len(value)}", expected=f"at most {limit}"
        )
    return value


def text_of(value: object, name: str) -> str:
    """Return a text as it is."""
    if not isinstance(value, str):
        raise InvalidDocumentError(
            f"{name} is no text", given=shown(value), expected="text with its unit or zone"
        )
    return value


def text_at(members: Members, key: str) -> str:
    """Return the text of a member that must be there."""
    if key not in members:
        raise InvalidDocumentError(f"{key} is missing", expected=f"the property {key}")
    return text_of(members[key], key)


def optional_text_at(members: Members, key: str) -> str | None:
    """Return the text of a member, None when it is not there."""
    return text_at(members, key) if key in members else None


def instant_at(members: Members, key: str) -> int:
    """Return the instant that a member says, ms; raises InvalidTimeError too, located."""
    text = text_at(members, key)
    with located(f".{key}"):
        return parse_utc(text)


def distance_at(members: Members, key: str) -> int:
    """Return the distance that a member says, mm; raises InvalidGeometryError too, located."""
    text = text_at(members, key)
    with located(f".{key}"):
        return parse_distance(text)


def shown(value: object) -> str:
    """Return a value as a refusal shows it: short, whatever it is."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'an array'} of {len(value)}"
    return "nothing" if value is None else f"{value!r:.60}"
