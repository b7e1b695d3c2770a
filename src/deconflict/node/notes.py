"""What a node keeps for itself in its store's local notes: values by name, each under a prefix."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from deconflict.store.base import NoteRow

__all__ = ["note_of", "read_notes"]

KeptT = TypeVar("KeptT")


def read_notes(rows: Iterable[NoteRow], prefix: str, kind: type[KeptT]) -> dict[str, KeptT]:
    """Return by name what is kept under a prefix, in the order of the rows."""
    return {
        row.key.removeprefix(prefix): msgspec.json.decode(row.value, type=kind)
        for row in rows
        if row.value is not None
    }


def note_of(prefix: str, name: str, value: object | None) -> NoteRow:
    """Return the row that keeps a value across a restart; None forgets it."""
    return NoteRow(prefix + name, None if value is None else msgspec.json.encode(value))
