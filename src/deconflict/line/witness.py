"""The witness: judges checkpoints of another's chain, and cosigns what only grew.

It promises two things to whoever reads its cosignature: the chain so far has this root, and it grew
out of every chain that this witness cosigned before. So it must never forget what it cosigned, nor
cosign two trees side by side. Hence the order, and no other::

    state = witness.judge(submission, epoch=..., time_s=...)     None: answer with `cosigned`
    ... make state durable, on the condition that state.previous_size is the one kept ...
    note  = witness.persisted(state)                  only now there is a cosignature

**What a crash leaves.** Between judge and durable: nothing was cosigned, the author repeats it.
Between durable and cosign, or cosign and send: the author repeats it, it is a duplicate, and the
cosignature made then has the same bytes, for its time is part of the state. Cosigning before the
state is durable would, after a crash, let the same witness cosign another tree of that size.

Sans-I/O; rules and clauses: ``specs/checkpoint.md`` §5.
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from deconflict.errors import (
    ForkedChainError,
    LineStateError,
    StaleCheckpointError,
    WrongLineError,
)
from deconflict.line.checkpoint import (
    Checkpoint,
    KeysById,
    Origin,
    author_signed,
    cosign_checkpoint,
    open_checkpoint,
)
from deconflict.line.keys import SigningKey
from deconflict.line.note import SignedNote, read_note
from deconflict.line.tree import EMPTY, TreeHead, verify_consistency

__all__ = ["Cosigned", "CosignedState", "KnownTree", "Submission", "Witness", "judged_growth"]

# The tree over the entries held here at a size; None where fewer are held. Raises ValueError below
# the size that was agreed on.
KnownTree = Callable[[int], TreeHead | None]


class Submission(msgspec.Struct, frozen=True):
    """A checkpoint to be cosigned, with the proof that it grew.

    Attributes:
        line: the line it is about.
        old_size: the size the proof begins at, which the witness must have cosigned last.
        proof: hashes of the consistency proof.
        note: the exact checkpoint, signed by its author.
    """

    line: str
    old_size: int
    proof: tuple[bytes, ...]
    note: bytes


class Cosigned(msgspec.Struct, frozen=True):
    """A checkpoint with the witness's signature, on its way back to the author.

    Attributes:
        line: the line it is about.
        note: the exact note, signed by both.
    """

    line: str
    note: bytes


class CosignedState(msgspec.Struct, frozen=True):
    """What a witness must never forget once it cosigned: to be made durable before.

    Attributes:
        checkpoint: what was judged.
        note: its exact text with its author's signature; as the author keeps it, with the
            cosignature too. A witness makes its own again: the same bytes.
        time_s: the time that the cosignature says, seconds since 1970.
        previous_size: the size kept until now; the state may replace no other (compare and swap).
    """

    checkpoint: Checkpoint
    note: bytes
    time_s: int
    previous_size: int

    @property
    def head(self) -> TreeHead:
        """Size and root."""
        return self.checkpoint.head


def judged_growth(kept: TreeHead, old_size: int, new: TreeHead, proof: Sequence[bytes]) -> TreeHead:
    """Return ``new`` when it may be cosigned after ``kept``; the same again is no growth.

    Raises:
        StaleCheckpointError: the proof begins at another size than the one kept (409).
        ForkedChainError: it has the size kept and another root (409).
        BrokenProofError: the proof does not lead from the root kept to the new one (422).
    """
    if new.size == kept.size and new.root != kept.root:
        raise ForkedChainError(
            "the author signed two trees of one size",
            given=f"size {new.size}: {new.root.hex()[:16]}… and {kept.root.hex()[:16]}…",
            expected="one tree for each size",
            remedy="keep both: together they are the proof, whoever holds the author's public key",
        )
    if new == kept:
        return kept
    if old_size != kept.size or new.size < old_size:
        raise StaleCheckpointError(
            "the checkpoint's proof begins elsewhere than at what was cosigned last",
            given=f"from {old_size} to {new.size} entries",
            expected=f"from {kept.size} entries",
            remedy="begin at the cosigned checkpoint that is sent back",
        )
    return verify_consistency(kept, new, proof)


class Witness:
    """One witness of one party's chains on one line.

    Args:
        name: the witnessing party.
        key: its key.
        line: the line.
        author: the party whose chain it is.
        author_keys: that party's keys by key id.
        kept: what is durable; None when nothing was cosigned yet.
    """

    def __init__(
        self,
        *,
        name: str,
        key: SigningKey,
        line: str,
        author: str,
        author_keys: KeysById,
        kept: CosignedState | None = None,
    ) -> None:
        self._name: Final = name
        self._key: Final = key
        self._line: Final = line
        self._author: Final = author
        self._author_keys: Final = author_keys
        self._kept = kept  # durable
        self._judged = kept  # what will be kept once it is durable: memory runs ahead of the disk
        self._waiting: list[CosignedState] = []  # judged and not known to be durable
        self._cosigned: SignedNote | None = None

    @property
    def kept(self) -> CosignedState | None:
        """What was cosigned last, durable here."""
        return self._kept

    @property
    def cosigned(self) -> SignedNote | None:
        """The cosigned note of what is durable; None before the first. Equal calls, equal bytes."""
        return None if self._kept is None else self._cosigned or self._cosign(self._kept)

    def judge(
        self,
        submission: Submission,
        *,
        epoch: str,
        time_s: int,
        known: KnownTree | None = None,
    ) -> CosignedState | None:
        """Return the state to make durable; None for what was judged before, which is harmless.

        Args:
            submission: as it came.
            epoch: of the author's chain held here.
            time_s: now, by the witness's own clock, seconds since 1970.
            known: the tree over the entries held here; None for a witness that holds none.

        Raises:
            InvalidDocumentError: not a checkpoint.
            UnknownKeyError, BadSignatureError: not signed by the author.
            WrongLineError: of another line, author or epoch.
            StaleCheckpointError, BrokenProofError: as :func:`judged_growth`.
            ForkedChainError: it contradicts what was cosigned, or the entries held here; the
                contradicting notes are its evidence.
            LineStateError: it covers entries that are not here yet; the author repeats it.
        """
        checkpoint, note = open_checkpoint(submission.note, self._author_keys)
        origin = checkpoint.origin
        kept = self._judged
        held = Origin(self._line, self._author, epoch)
        if submission.line != self._line or origin != held:
            raise WrongLineError(
                "the checkpoint is about another chain",
                given=origin.name,
                expected=held.name,
                remedy="refuse it and keep its bytes",
            )
        head, new = EMPTY if kept is None else kept.head, checkpoint.head
        if new == head:
            return None
        # Evidence is what the author signed, and nothing that anybody may have written below it.
        signed = author_signed(note, checkpoint, self._author_keys)
        # Whoever holds the entries sees for itself, whatever the proof may show: a proof is not
        # signed, so a wrong one alone says nothing about its author.
        whole = known is not None and submission.old_size >= head.size < new.size
        if whole and known is not None:
            _require_entries(checkpoint, signed, known)
        try:
            # A proof that begins behind what is kept here comes from an author who was given more
            # than this witness remembers: its record was put back from a copy. The entries it
            # holds, which were just compared, are a better proof than any.
            if not (whole and submission.old_size > head.size):
                judged_growth(head, submission.old_size, new, submission.proof)
        except ForkedChainError as error:
            error.evidence = (signed,) if kept is None else (read_note(kept.note), signed)
            raise
        state = CosignedState(checkpoint, signed.to_bytes(), time_s, head.size)
        self._judged = state
        self._waiting.append(state)
        return state

    def persisted(self, state: CosignedState) -> SignedNote:
        """Take the caller's word that ``state`` is durable; return the cosigned note.

        Raises:
            LineStateError: it was not judged here after the one kept. Nothing is then cosigned: a
                cosignature for what is not durable could be followed by another one beside it.
        """
        if not self._waiting or self._waiting[0] != state:
            raise LineStateError(
                "only what was judged can be cosigned, in its order",
                given=f"size {state.head.size} after {state.previous_size}",
                expected=f"size {self._waiting[0].head.size}" if self._waiting else "nothing",
                remedy="make durable what judge returned, in the order it was returned",
            )
        del self._waiting[0]
        self._kept = state
        return self._cosign(state)

    def _cosign(self, state: CosignedState) -> SignedNote:
        self._cosigned = cosign_checkpoint(
            read_note(state.note), self._name, self._key, time_s=state.time_s
        )
        return self._cosigned


def _require_entries(checkpoint: Checkpoint, note: SignedNote, known: KnownTree) -> None:
    held = known(checkpoint.head.size)
    if held is None:
        raise LineStateError(
            "the checkpoint covers entries that are not here yet",
            given=f"size {checkpoint.head.size}",
            remedy="the author repeats it",
        )
    if held.root != checkpoint.head.root:
        raise ForkedChainError(
            "the author signed a tree that is not of the entries it sent",
            given=f"size {held.size}: {checkpoint.head.root.hex()[:16]}…",
            expected=f"{held.root.hex()[:16]}…",
            remedy="keep it: with the signed entries it is the proof",
            evidence=(note,),
        )
