"""One declaration as a document says it, before anybody signs it."""

import re
from dataclasses import dataclass
from typing import Final

from deconflict.airspace.geometry import Geometry
from deconflict.airspace.purposes import PURPOSES
from deconflict.errors import InvalidDocumentError
from deconflict.separation.labels import NAME_WORDS, is_name

__all__ = ["MAX_LABEL", "DeclarationInput"]

MAX_LABEL: Final = 64
_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DeclarationInput:
    """Purpose, geometry and what the sender chose to add.

    ``source_index`` is its place in the document, from 0. ``declaration_id`` is None for a
    declaration that is yet to get one. ``feature_id`` is how its document names it: for its own
    people, never for a peer. ``party`` is whose it is in a file of several; what is declared is
    one's own, so no document of declarations names one.

    Raises:
        InvalidDocumentError: the purpose is none of the five, the label is empty, too long or not
            printable, or the id is not 32 lower-case hexadecimal digits.
    """

    purpose: str
    geometry: Geometry
    label: str | None = None
    declaration_id: str | None = None
    source_index: int = 0
    feature_id: str | None = None
    party: str | None = None

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES:
            raise InvalidDocumentError(
                "the purpose is unknown",
                given=f"{self.purpose!r:.40}",
                expected=", ".join(PURPOSES),
                remedy="say what the space is used for; targets are never declared",
            )
        if self.label is not None and not (
            0 < len(self.label) <= MAX_LABEL and self.label.isprintable()
        ):
            raise InvalidDocumentError(
                "the label cannot be used",
                given=f"{self.label!r:.100}",
                expected=f"1 to {MAX_LABEL} printable characters",
            )
        if self.feature_id is not None and not is_name(self.feature_id):
            raise InvalidDocumentError(
                "the id of the feature cannot be used",
                given=f"{self.feature_id!r:.100}",
                expected=f"{NAME_WORDS}, or a number",
            )
        if self.declaration_id is not None and not _ID.fullmatch(self.declaration_id):
            raise InvalidDocumentError(
                "the declaration_id cannot be used",
                given=f"{self.declaration_id!r:.60}",
                expected="32 lower-case hexadecimal digits, or none",
            )
