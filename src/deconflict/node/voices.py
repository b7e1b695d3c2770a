"""What was noted of messages said by voice, and the signed messages to hold it against.

A fold like the rest of the line's book: of each message the newest note of either side, and of the
chains the last few messages, since what was just heard may not be in the record yet.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from deconflict.messages.bodies import Body, Voice, VoiceSide
from deconflict.messages.kinds import Kind

__all__ = ["KeptVoices", "Note", "Signed", "Voices"]

_NOTED_MESSAGES: Final = 1_024  # the newest; all notes are in the record
_RECENT: Final = 32


@dataclass(frozen=True, slots=True)
class Note:
    """One VOICE message: who noted it, and of whose message."""

    body: Voice
    by_us: bool
    drill: bool

    @property
    def ours(self) -> bool:
        """True exactly when the message noted is, as it says, one of ours."""
        return self.by_us is (self.body.side is VoiceSide.SAID)


@dataclass(frozen=True, slots=True)
class Signed:
    """A message of one of the chains, as far as a note of speech is held against it."""

    kind: Kind
    body: Body
    hash: str
    drill: bool


class KeptVoices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The notes of one line as values, and the last messages of its chains by their hashes."""

    notes: tuple[tuple[Note, ...], ...]
    recent: tuple[str, ...]


class Voices:
    """The notes of one line."""

    def __init__(self) -> None:
        self._notes: dict[tuple[bool, int], dict[bool, Note]] = {}
        self._recent: dict[tuple[bool, int], Signed] = {}

    def kept(self) -> KeptVoices:
        """Return all of it as values."""
        return KeptVoices(
            tuple(tuple(noted.values()) for noted in self._notes.values()),
            tuple(message.hash for message in self._recent.values()),
        )

    def take_up(self, kept: KeptVoices, recent: Iterable[tuple[Signed, int, bool]]) -> None:
        """Go on from what was kept; only of one that is new.

        Args:
            kept: it.
            recent: its messages, each with its slot and whether it is ours.
        """
        for notes in kept.notes:
            for note in notes:
                self._notes.setdefault((note.ours, note.body.number), {})[note.by_us] = note
        for message, seq, own in recent:
            self._recent[own, seq] = message

    def note(self, note: Note) -> None:
        """Take a note; it takes the place of an earlier one by the same side of the same number."""
        key = (note.ours, note.body.number)
        self._notes.setdefault(key, {})[note.by_us] = note
        if len(self._notes) > _NOTED_MESSAGES:
            del self._notes[next(iter(self._notes))]

    def signed(self, message: Signed, seq: int, *, own: bool) -> None:
        """Take a message of a chain, in its order."""
        self._recent[own, seq] = message
        self._recent.pop((own, seq - _RECENT), None)

    def recent(self, seq: int, *, own: bool) -> Signed | None:
        """Return the message in a slot, where it is one of the last; else ask the record."""
        return self._recent.get((own, seq))

    def notes_of(self, seq: int, *, own: bool) -> tuple[Note, ...]:
        """Return what was noted of the message in a slot."""
        return tuple(self._notes.get((own, seq), {}).values())
