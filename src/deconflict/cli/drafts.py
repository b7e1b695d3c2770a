"""Declarations from files: read and refused here, before anything reaches the node."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from deconflict.airspace import geometry_to_wire
from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError
from deconflict.formats.declaration_input import DeclarationInput
from deconflict.formats.geojson import read_declarations

__all__ = ["MAX_FILE_BYTES", "read_drafts", "read_inputs"]

MAX_FILE_BYTES = 64 * 1024 * 1024


def read_inputs(file: Path) -> tuple[DeclarationInput, ...]:
    """Return the declarations of a GeoJSON file, in its order.

    Raises:
        InvalidInputError: it is no document of the profile; the text names file and place.
    """
    if file.stat().st_size > MAX_FILE_BYTES:
        raise InvalidDocumentError(
            "this file is too large",
            given=f"{file}: {file.stat().st_size:,} bytes",
            expected=f"at most {MAX_FILE_BYTES:,} bytes",
            remedy="split it",
        )
    with located(f"{file}:"):
        return tuple(read_declarations(file.read_bytes()))


def read_drafts(files: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the declarations of GeoJSON files, as the node's API takes them.

    Raises:
        InvalidInputError: as :func:`read_inputs`.
    """
    drafts: list[dict[str, Any]] = []
    for one in (one for file in files for one in read_inputs(file)):
        draft = {
            "purpose": one.purpose,
            "geometry": geometry_to_wire(one.geometry),
            "label": one.label,
        }
        if one.declaration_id is not None:
            draft["declaration_id"] = one.declaration_id
        drafts.append(draft)
    return drafts
