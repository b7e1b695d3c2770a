"""Translations of what people wrote: unofficial, each by a named translator, kept at home (R34).

The text of a message is authentic in the language of who wrote it, and stays as it is. What is made
of it is no part of the record: nobody else is bound by it, and it is never sent. Two translators
may read one text differently, so each has a place of its own and writes over nobody else's.
"""

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidDocumentError, LineStateError, NotFoundError
from deconflict.messages.talks import CallLanguage
from deconflict.messages.words import check_text
from deconflict.node.notes import note_of, read_notes
from deconflict.store.base import NoteRow

__all__ = ["TRANSLATION", "Translation", "TranslationBook"]

TRANSLATION: Final = "translation/"
MOST_TRANSLATIONS: Final = 10_000
MOST_LINES: Final = 50
LONGEST_LINE: Final = 1_000


class Translation(msgspec.Struct, frozen=True):
    """One translation.

    Attributes:
        message: what it translates.
        language: into which language.
        lines: its text.
        by: the account that wrote it and answers for it; it never leaves the node.
        at_utc: when.
    """

    message: str
    language: CallLanguage
    lines: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MOST_LINES)]
    by: str
    at_utc: str

    @property
    def name(self) -> str:
        """Its place: one for each message, language and translator."""
        return f"{self.message}/{self.language.value}/{self.by}"


class TranslationBook:
    """All translations that a node keeps.

    Args:
        notes: what the store keeps under :data:`TRANSLATION`.
    """

    def __init__(self, notes: Iterable[NoteRow]) -> None:
        self._held = read_notes(notes, TRANSLATION, Translation)
        self._of: dict[str, list[str]] = {}
        for held in self._held.values():
            self._of.setdefault(held.message, []).append(held.name)

    def of(self, message: str) -> tuple[Translation, ...]:
        """Return the translations of a message, the oldest first."""
        found = [self._held[name] for name in self._of.get(message, ())]
        return tuple(sorted(found, key=lambda held: (held.at_utc, held.name)))

    def put(
        self, message: str, language: str, lines: Iterable[str], *, by: str, now_ms: int
    ) -> NoteRow:
        """Keep a translation, in the place of the same translator's earlier one; return its row.

        Raises:
            InvalidDocumentError: a language that has no code here, no text, or one that cannot be
                shown.
            LineStateError: too many are kept.
        """
        text = tuple(line for line in lines if line.strip())
        if language not in tuple(CallLanguage):
            raise InvalidDocumentError(
                "into which language?", given=language[:20], expected=", ".join(CallLanguage)
            )
        if not 0 < len(text) <= MOST_LINES:
            raise InvalidDocumentError(
                "a translation has a text",
                given=f"{len(text)} lines",
                expected=f"1 to {MOST_LINES}",
            )
        for number, line in enumerate(text, start=1):
            check_text(line, what=f"line {number}", max_chars=LONGEST_LINE)
        made = Translation(message, CallLanguage(language), text, by, format_utc(now_ms))
        if made.name not in self._held and len(self._held) >= MOST_TRANSLATIONS:
            raise LineStateError(
                "too many translations are kept",
                given=f"{len(self._held):,}",
                remedy="take some back: deconflict line translate ID --language CODE --delete",
            )
        if made.name not in self._held:
            self._of.setdefault(message, []).append(made.name)
        self._held[made.name] = made
        return note_of(TRANSLATION, made.name, made)

    def drop(self, message: str, language: str, *, by: str) -> NoteRow:
        """Forget the translation of one translator, by that translator; return what forgets it.

        Raises:
            NotFoundError: this translator has none of it.
        """
        name = f"{message}/{language}/{by}"
        if name not in self._held:
            raise NotFoundError(
                "this account has no such translation of the message",
                given=f"{message[:10]}, {language[:20]}",
                remedy="see what there is: deconflict log --message ID",
            )
        del self._held[name]
        self._of[message].remove(name)
        return note_of(TRANSLATION, name, None)
