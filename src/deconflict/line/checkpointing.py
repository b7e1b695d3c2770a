"""Checkpoints of one line as they come and go: of the own chain to the peer, of the peer's here.

The caller does the effects, in this order::

    own    submission = checkpoints.due(now)              None: nothing is due
           ... send it; checkpoints.sent(now) ...
           state = checkpoints.hear_cosigned(cosigned)    None: heard before
           ... make state durable ...
           checkpoints.persisted_own(state)

    peer's state = checkpoints.hear(submission, now)      None: nothing new to keep
           ... make state durable ...
           checkpoints.persisted(state)
           ... answer with checkpoints.answer(), also when there was nothing to keep ...

Memory is bounded by what is not cosigned yet: 32 bytes for each such entry.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from deconflict.errors import (
    BrokenChainError,
    ForkedChainError,
    LineStateError,
    StaleCheckpointError,
    WrongLineError,
)
from deconflict.line.checkpoint import (
    Checkpoint,
    Origin,
    cosignature_time_s,
    cosigned_alone,
    entry_leaf,
    open_checkpoint,
    seal_checkpoint,
)
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.incoming import IncomingEntry
from deconflict.line.moment import Now
from deconflict.line.restored import LineIdentity, RestoredTree
from deconflict.line.statement import ChainPoint
from deconflict.line.tree import GrowingTree, TreeHead
from deconflict.line.witness import Cosigned, CosignedState, Submission, Witness

__all__ = ["CHECKPOINT_AFTER_ENTRIES", "CHECKPOINT_AFTER_MS", "Checkpoints"]

CHECKPOINT_AFTER_ENTRIES: Final = 100
CHECKPOINT_AFTER_MS: Final = 10_000
_REPEAT_MS: Final = (1_000, 2_000, 5_000, 10_000)


class _UnderWay(msgspec.Struct):
    """The one checkpoint of ours that the peer was asked to cosign."""

    submission: Submission
    due_ms: int
    attempts: int = 0


class Checkpoints:
    """Both parties' checkpoints on one line, seen from one end.

    Args:
        identity: parties and keys.
        now: the time of the start.
        own: the tree of the own chain, and what the peer cosigned last.
        peer: the tree of the peer's chain as logged here, and what was cosigned last here.
        own_head: the last own slot, durable.
        receipted: the last own slot that the peer receipted.
        peer_logged: the last slot of the peer that is durable here.

    Raises:
        BrokenChainError: a tree is not over the whole of its chain.
    """

    def __init__(
        self,
        *,
        identity: LineIdentity,
        now: Now,
        own: RestoredTree | None = None,
        peer: RestoredTree | None = None,
        own_head: ChainPoint | None = None,
        receipted: ChainPoint | None = None,
        peer_logged: ChainPoint | None = None,
    ) -> None:
        own, peer = own or RestoredTree(GrowingTree()), peer or RestoredTree(GrowingTree())
        _require_over(own, own_head)
        _require_over(peer, peer_logged)
        self._identity: Final = identity
        self._own_tree: Final = own.tree
        self._taken_size = self._own_tree.agreed.size  # cosigned, durable here or about to be
        self._own_epoch = None if own_head is None else own_head.epoch
        self._receipted_size = 0
        self._waits_since_ms: int | None = None  # since when a receipted entry is not cosigned
        self._under_way: _UnderWay | None = None
        self._peer_tree = peer.tree
        self._peer_epoch = None if peer_logged is None else peer_logged.epoch
        self._witness = self._new_witness(peer.kept)
        self._own_keys: Final = {**identity.own_keys.public, **identity.own_ring.ever}
        self.receipted(receipted, now)

    # ---- the own chain ------------------------------------------------------------------------

    @property
    def own_cosigned(self) -> TreeHead:
        """The tree of the own chain that the peer cosigned last, durable here; maybe empty."""
        return self._own_tree.agreed

    def said(self, sealed: SealedEnvelope, epoch: str, seq: int) -> None:
        """Take an own entry that is durable and now signed; saying it again changes nothing."""
        if seq == self._own_tree.size + 1:
            self._own_epoch = epoch
            self._own_tree.add(entry_leaf(sealed.hash, sealed.signature.value))

    def receipted(self, point: ChainPoint | None, now: Now) -> None:
        """Take how far the peer receipted the own chain: so far it can be asked to cosign."""
        self._receipted_size = 0 if point is None else point.seq
        if self._uncovered() > 0 and self._waits_since_ms is None:
            self._waits_since_ms = now.monotonic_ms

    def due(self, now: Now) -> Submission | None:
        """Return the checkpoint to be sent now, new or again; None when none is due.

        One is under way at a time: its proof begins at the last one cosigned.
        """
        due_ms = self.next_ms()
        if due_ms is None or due_ms > now.monotonic_ms:
            return None
        if self._under_way is None:
            self._under_way = self._made(now)
        return None if self._under_way is None else self._under_way.submission

    def at_hand(self, now: Now) -> Submission | None:
        """Return the checkpoint to be cosigned next, due or not; None when all is cosigned.

        For who takes it along by another way: when it is sent again by this one stays as it is.
        """
        if self._under_way is None:
            self._under_way = self._made(now)
        return None if self._under_way is None else self._under_way.submission

    def sent(self, now: Now) -> None:
        """Note that the checkpoint under way left; whether it arrived is not known."""
        under_way = self._under_way
        if under_way is not None:
            pause_ms = _REPEAT_MS[min(under_way.attempts, len(_REPEAT_MS) - 1)]
            under_way.attempts += 1
            under_way.due_ms = now.monotonic_ms + pause_ms

    def next_ms(self) -> int | None:
        """Return the monotonic time at which :meth:`due` has something; None: nothing waits."""
        if self._under_way is not None:
            return self._under_way.due_ms
        if self._waits_since_ms is None or self._taken_size != self._own_tree.agreed_size:
            return None
        many = self._uncovered() >= CHECKPOINT_AFTER_ENTRIES
        return self._waits_since_ms + (0 if many else CHECKPOINT_AFTER_MS)

    def hear_cosigned(self, cosigned: Cosigned, now: Now) -> CosignedState | None:
        """Take a cosigned checkpoint of the own chain; None for what was heard before.

        It need not be the one asked for: a witness that had cosigned another one last answers with
        that, and the next proof begins there.

        Raises:
            InvalidDocumentError, UnknownKeyError, BadSignatureError: not signed by both.
            WrongLineError: not of the own chain.
            ForkedChainError: this node never signed it, though it has its signature: its database
                is an old copy, or somebody else has its key.
        """
        checkpoint, note = open_checkpoint(cosigned.note, self._own_keys)
        identity = self._identity
        # One cosignature is kept, and its time: the peer may have signed below its own.
        alone = cosigned_alone(note, checkpoint, self._own_keys, identity.peer, identity.peer_keys)
        time_s = cosignature_time_s(alone, identity.peer, identity.peer_keys)
        of_own_chain = (checkpoint.origin.line, checkpoint.origin.party) == (
            identity.line_id,
            identity.own,
        )
        if of_own_chain and self._own_epoch not in (None, checkpoint.origin.epoch):
            return None  # of an epoch that is over, or of one that this record has lost
        if cosigned.line != identity.line_id or checkpoint.origin != self._own_origin():
            raise WrongLineError(
                "the checkpoint is not of this node's chain",
                given=checkpoint.origin.name,
                remedy="refuse it and keep its bytes",
            )
        size = checkpoint.head.size
        if size <= self._taken_size:
            return None
        if size > self._own_tree.size or self._own_tree.head_at(size) != checkpoint.head:
            raise ForkedChainError(
                "the peer cosigned a chain of this node that is not the one held here",
                given=f"size {size}, {checkpoint.head.root.hex()[:16]}…",
                expected=f"at most size {self._own_tree.size}",
                remedy="keep it; if this node was restored from a backup, stop it now",
                evidence=(alone,),
            )
        state = CosignedState(
            checkpoint,
            alone.to_bytes(),
            time_s,
            self._taken_size,
        )
        self._taken_size = size
        self._under_way = None
        self._waits_since_ms = now.monotonic_ms if self._uncovered() > 0 else None
        return state

    def persisted_own(self, state: CosignedState) -> None:
        """Take the caller's word that a cosigned checkpoint of the own chain is durable."""
        self._own_tree.agree(state.head.size)

    # ---- the peer's chain -----------------------------------------------------------------------

    def logged(self, entries: Sequence[IncomingEntry]) -> None:
        """Take entries of the peer that are durable here now."""
        for entry in entries:
            if self._peer_epoch not in (None, entry.envelope.epoch):
                # Each epoch is a chain, and has a tree, of its own. What was cosigned of the one
                # that is over stands in the record.
                self._peer_tree, self._witness = GrowingTree(), self._new_witness(None)
            self._peer_epoch = entry.envelope.epoch
            self._peer_tree.add(entry_leaf(entry.hash, entry.sealed.signature.value))

    def hear(self, submission: Submission, now: Now) -> CosignedState | None:
        """Judge a checkpoint of the peer; return what to make durable, None for nothing new.

        One that begins elsewhere than at what was cosigned last is nothing new: the answer is what
        was, and the peer begins there. One that covers what is not logged here yet comes again.

        Raises:
            As :meth:`~deconflict.line.witness.Witness.judge`, of all but these two.
        """
        if self._peer_epoch is None or self._is_over(submission):
            return None
        try:
            return self._witness.judge(
                submission,
                epoch=self._peer_epoch,
                time_s=now.utc_ms // 1_000,
                known=self._known,
            )
        except (StaleCheckpointError, LineStateError):
            return None

    def persisted(self, state: CosignedState) -> None:
        """Take the caller's word that a judged state is durable: now it is cosigned.

        Raises:
            LineStateError: as :meth:`~deconflict.line.witness.Witness.persisted`.
        """
        if state.checkpoint.origin.epoch != self._peer_epoch:
            return  # the peer opened another epoch before this was durable
        self._witness.persisted(state)
        self._peer_tree.agree(state.head.size)

    def answer(self) -> Cosigned | None:
        """Return the cosigned note of what is durable here; None before the first."""
        note = self._witness.cosigned
        return None if note is None else Cosigned(self._identity.line_id, note.to_bytes())

    # ---- inside ---------------------------------------------------------------------------------

    def _is_over(self, submission: Submission) -> bool:
        """True exactly when it is of the peer's chain on this line, in another epoch."""
        origin = open_checkpoint(submission.note, self._identity.peer_keys)[0].origin
        here = (self._identity.line_id, self._identity.peer)
        return (origin.line, origin.party) == here and origin.epoch != self._peer_epoch

    def _new_witness(self, kept: CosignedState | None) -> Witness:
        identity = self._identity
        return Witness(
            name=identity.own,
            key=identity.own_key,
            line=identity.line_id,
            author=identity.peer,
            author_keys=identity.peer_keys,
            kept=kept,
        )

    def _known(self, size: int) -> TreeHead | None:
        return self._peer_tree.head_at(size) if size <= self._peer_tree.size else None

    def _uncovered(self) -> int:
        return self._receipted_size - self._taken_size

    def _own_origin(self) -> Origin | None:
        if self._own_epoch is None:
            return None
        return Origin(self._identity.line_id, self._identity.own, self._own_epoch)

    def _made(self, now: Now) -> _UnderWay | None:
        origin, size = self._own_origin(), self._receipted_size
        if origin is None or self._uncovered() <= 0:
            return None
        # What the peer receipted is durable and signed here; so it can never be said differently.
        checkpoint = Checkpoint(origin, self._own_tree.head_at(size))
        submission = Submission(
            line=self._identity.line_id,
            old_size=self._own_tree.agreed.size,
            proof=self._own_tree.consistency(size),
            note=seal_checkpoint(checkpoint, self._identity.own_key).to_bytes(),
        )
        return _UnderWay(submission, now.monotonic_ms)


def _require_over(restored: RestoredTree, head: ChainPoint | None) -> None:
    length = 0 if head is None else head.seq
    if restored.tree.size != length:
        raise BrokenChainError(
            "the tree restored is not over the whole chain",
            given=f"{restored.tree.size} leaves",
            expected=f"{length} entries",
            remedy="verify the database before speaking",
        )
