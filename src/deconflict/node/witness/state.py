"""What a node knows of a third witness on one of its lines, and how that is kept.

Kept in the record's local notes, beside the checkpoints: each cosignature for ever, and where the
witness stands now, from which the next proof begins. A cosignature proves itself; what is lost of
the second is worked out again from the chain.
"""

from typing import Final

import msgspec

from deconflict.errors import BrokenProofError
from deconflict.line.note import NoteKey, SignedNote, read_note
from deconflict.line.tree import CompactRange
from deconflict.node.notes import note_of, read_notes
from deconflict.store.base import CheckpointRow, NoteRow, Store

__all__ = [
    "Standing",
    "WitnessState",
    "cosignature_row",
    "kept_standing",
    "standing_row",
    "with_lines",
    "witness_lines",
]

_COSIGNATURE: Final = "witnessed/"
_STANDING: Final = "witness/"


class WitnessState(msgspec.Struct, frozen=True):
    """How one third witness and one line stand to each other.

    Attributes:
        name: of the witness.
        epoch: of the chain that it signed for last; empty before the first.
        size: how many entries of it.
        seen_ms: when, by its clock.
        since_ms: since when it has signed for nothing though something waits; None: nothing waits.
        asked_ms: when it was asked last.
        problem: why it did not sign then.
        contradicts: how many entries it says it knows, of another chain than is held here.
        patience_ms: how long nothing may come before a person is told.
    """

    name: str
    epoch: str = ""
    size: int = 0
    seen_ms: int | None = None
    since_ms: int | None = None
    asked_ms: int | None = None
    problem: str | None = None
    contradicts: int | None = None
    patience_ms: int = 3_600_000


class Standing(msgspec.Struct, frozen=True):
    """Where a witness stands in a chain: the tree that it signed for last.

    Attributes:
        epoch: which chain.
        size: how many entries.
        peaks: roots of the whole subtrees of their tree.
        seen_ms: when, by the witness's clock.
    """

    epoch: str
    size: int
    peaks: tuple[bytes, ...]
    seen_ms: int

    def tree(self) -> CompactRange:
        """Return the tree.

        Raises:
            BrokenProofError: it is none: the note that kept it has changed.
        """
        if len(self.peaks) != self.size.bit_count():
            raise BrokenProofError("the subtrees kept are not those of a tree of this size")
        return CompactRange(self.size, self.peaks)


class _Cosigned(msgspec.Struct, frozen=True):
    vkey: str
    line: str  # of the note, as the witness gave it


def cosignature_row(row: CheckpointRow, key: NoteKey, signed: SignedNote) -> NoteRow:
    """Return what keeps a witness's verified signature of a checkpoint."""
    lines = [one.line() for one in signed.signatures if one.key_id == key.key_id]
    name = f"{_of(row)}/{key.key.key_id[:16]}"
    return note_of(_COSIGNATURE, name, _Cosigned(key.to_text(), lines[-1]))


def witness_lines(store: Store, line_id: str, party: str) -> dict[tuple[str, int], str]:
    """Return the lines of all third witnesses below a party's checkpoints, by epoch and size."""
    found: dict[tuple[str, int], str] = {}
    prefix = f"{_COSIGNATURE}{line_id}/{party}/"
    for name, one in read_notes(store.notes(prefix), prefix, _Cosigned).items():
        epoch, size, _ = name.split("/")
        found[epoch, int(size)] = found.get((epoch, int(size)), "") + one.line
    return found


def with_lines(note: SignedNote, lines: str | None) -> SignedNote:
    """Return a note with further lines of signatures below it."""
    return read_note(note.to_bytes() + lines.encode()) if lines else note


def standing_row(line_id: str, key: NoteKey, standing: Standing) -> NoteRow:
    """Return what keeps where a witness stands."""
    return note_of(_STANDING, f"{line_id}/{key.key.key_id[:16]}", standing)


def kept_standing(store: Store, line_id: str, key: NoteKey) -> Standing | None:
    """Return where a witness stood when it was asked last; None for never."""
    name = f"{line_id}/{key.key.key_id[:16]}"
    return read_notes(store.notes(_STANDING + name), _STANDING, Standing).get(name)


def _of(row: CheckpointRow) -> str:
    return f"{row.line_id}/{row.party}/{row.epoch}/{row.size:016d}"
