"""One end of a line: its two chains, and what it asks and answers while a record may be old."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from deconflict.errors import (
    BrokenChainError,
    LineStateError,
    UnknownKeyError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.envelope import Envelope, SealedEnvelope, open_envelope
from deconflict.line.incoming import Arrival, IncomingEntry, PeerChain, StoredLookup
from deconflict.line.keys import RandomBytes
from deconflict.line.moment import Now, utc_text
from deconflict.line.outgoing import OutgoingEntry, OwnChain
from deconflict.line.packets import Answer, Question, Role
from deconflict.line.receipt import Receipt, SealedReceipt, open_receipt, seal_receipt
from deconflict.line.reopening import opened_epoch
from deconflict.line.restored import LineIdentity, Restored
from deconflict.line.resync import Agreed, ChainReader, Resync, read_answer
from deconflict.line.statement import ChainPoint

__all__ = ["LineEnd", "SaidAgain"]


@dataclass(frozen=True, slots=True)
class SaidAgain:
    """What a deaf listener was told of the peer's chain.

    Attributes:
        entries: what may be logged now, in order.
        whole: True exactly when the peer said that this is all of it.
    """

    entries: tuple[IncomingEntry, ...]
    whole: bool


class LineEnd:
    """Both chains of one line at one end; see :mod:`.machine` for the order of calls.

    Args:
        identity: parties and keys.
        own: the own chain.
        peer: the peer's.
        random_bytes: for fresh epochs and nonces.
        found: what the disk holds.
    """

    def __init__(
        self,
        identity: LineIdentity,
        own: OwnChain,
        peer: PeerChain,
        random_bytes: RandomBytes,
        found: Restored,
    ) -> None:
        self.identity: Final = identity
        self._out: Final = own
        self._in: Final = peer
        self._random_bytes: Final = random_bytes
        self._own_way: Final = found.own_way
        self._own_agreed: Final = found.own_agreed
        self._receipt: SealedReceipt | None = None
        self.resync: Final = Resync(
            line=identity.line_id,
            own=identity.own,
            peer=identity.peer,
            own_ring=identity.own_ring,
            own_public=identity.own_keys.public,
            random_bytes=random_bytes,
            silence=found.silence,
        )

    def receipt_now(self) -> SealedReceipt | None:
        """Return the receipt for all that is durable here; None when nothing is.

        Made from durable state alone, so it has the same bytes after a restart.
        """
        point = self._in.logged
        if self.resync.deaf:
            return None
        if point is not None and self._receipt is None:
            receipt = Receipt(
                v=1,
                line=self.identity.line_id,
                sender=self.identity.own,
                to=self.identity.peer,
                epoch=point.epoch,
                seq=point.seq,
                hash=point.hash,
                received_utc=utc_text(self._in.logged_received_utc_ms),
            )
            self._receipt = seal_receipt(receipt, self.identity.own_key)
        return self._receipt

    def require_voice(self) -> None:
        """Return when this node may sign on this line.

        Raises:
            LineStateError: its record may lack what it signed, or the line begins anew from the
                record this moment, and would not know of what is said meanwhile; or its key is
                being changed, which takes one exchange with the peer.
        """
        if self.resync.changing_key or (self.resync.closing and not self.resync.mute):
            raise LineStateError(
                f"this node takes up the line with {self.identity.peer} again this moment",
                remedy="say it again",
            )
        if self.resync.unasked:
            raise LineStateError(
                f"this node has just started, and asks {self.identity.peer}'s first what it holds "
                "in its name",
                remedy="say it again in a few seconds",
            )
        if self.resync.mute:
            raise LineStateError(
                f"this node is mute on the line with {self.identity.peer}: its record may lack "
                "what it has signed",
                given=str(self.resync.silence.reason),
                expected=f"an answer of {self.identity.peer}'s node, which this one asks for",
                remedy=f"warn {self.identity.peer} by voice; this node speaks by itself once it "
                "has its answer",
            )

    def left_behind(self, epoch: str, seq: int) -> bool:
        """True exactly when a fresh epoch was opened before this own entry, and said it again."""
        return (
            bool(self._own_way)
            and seq > self._own_way.get(epoch, 0)
            and (self._out.head is None or epoch != self._out.head.epoch)
        )

    def question(self, now: Now) -> Question | None:
        """Return what is to be asked of the peer now; None when nothing is due."""
        return self.resync.due(self.receipted_on_way, self._in.logged, now)

    @property
    def receipted_on_way(self) -> ChainPoint | None:
        """The last own entry that the peer receipted, whichever epoch it is of."""
        return self._out.receipted or self._own_agreed

    def agreed_alone(self) -> Agreed:
        """Return what this node knows by itself that both hold, for a peer that does not answer.

        Safe, for nothing is signed in an epoch that was used before. If the peer holds more, it
        refuses the fresh epoch, and this node asks it.

        Raises:
            LineStateError: this node is not mute, or a slot is on its way to the disk.
        """
        if self.resync.unasked:
            self.resync.speak_alone()
        if not self.resync.mute:
            raise LineStateError(
                f"this node is not mute on the line with {self.identity.peer}",
                remedy="see deconflict line status",
            )
        if not self.all_durable:
            raise LineStateError(
                f"a message to {self.identity.peer} is on its way to the disk this moment",
                remedy="ask again in a second",
            )
        self.resync.close()
        return Agreed(self.receipted_on_way, (), None)

    def answer(
        self,
        question: Question,
        now: Now,
        *,
        chain: ChainReader,
        receipt: SealedReceipt | None,
    ) -> Answer | None:
        """Return the answer to the peer's question; None where this node cannot give it now.

        Args:
            question: as it came.
            now: the present.
            chain: what is durable here of the chain that it asks about: the peer's where it asks
                as the author, else the own one.
            receipt: the last one for that chain in the record.

        Raises:
            WrongLineError: of another line.
        """
        self._require_line(question.line)
        resync = self.resync
        if question.role is Role.AUTHOR:
            # Whoever asks may be restored, and never say again what is held out of order. What is
            # on its way to the disk here belongs to the answer: it is asked again in a second.
            self._in.forget_held()
            if self._in.has_unlogged:
                return None
            if resync.deaf:
                resync.void()
            else:
                receipt = self.receipt_now()
            head = self._in.logged
            return read_answer(question, chain, head=head, deaf=resync.deaf, receipt=receipt)
        if (resync.mute and not resync.changing_key) or resync.unasked:
            return None
        if question.after is not None and not chain.holds(question.after):
            # The peer has an entry of this node that stands not on its way: an epoch was opened
            # without asking it. A whole listener would refuse that; a deaf one can only ask.
            resync.refused(now)
            return None
        head = self._out.sealed_head
        return read_answer(question, chain, head=head, deaf=False, receipt=receipt)

    def hear_held(self, answer: Answer, *, holds: Callable[[ChainPoint], bool]) -> Agreed | None:
        """Take what the peer holds of the own chain; None for what does not count, or is not all.

        Args:
            answer: as it came.
            holds: whether an own entry stands on the way here.

        Raises:
            VerificationError: as :meth:`~deconflict.line.resync.Resync.hear_held`.
        """
        if answer.role is not Role.AUTHOR or not self.resync.counts(answer):
            return None
        if not self.all_durable:
            # A fresh epoch says again what the record holds: what is on its way there, it would
            # leave behind for ever. A mute node takes no slot, so the next answer finds it there.
            return None
        if answer.deaf and self.resync.changing_key and not self.resync.unasked:
            # The peer lost what it may have receipted, this node lost nothing: the peer is told all
            # of it again first, or an epoch would leave behind what it once promised to hold. One
            # that has just started cannot tell it: it opens its epoch, as without another key.
            return None
        agreed = self.resync.hear_held(answer, self.receipted_on_way, holds)
        if agreed is not None and agreed.receipt is not None:
            try:
                receipt = open_receipt(agreed.receipt, self.identity.peer_keys)
            except UnknownKeyError:
                # The peer changed its key and could not yet tell this node: no promise for now.
                return replace(agreed, receipt=None)
            self._require_line(receipt.line)
            self._require_parties(receipt.sender, receipt.to)
        return agreed

    def reopen(
        self,
        agreed: Agreed,
        said: Iterable[Envelope],
        now: Now,
        *,
        desks: tuple[str, str],
        changes_key: bool = True,
    ) -> tuple[OutgoingEntry, ...]:
        """Return the entries of a fresh epoch: the one that opens it, and what is said again.

        To be made durable with what the peer holds and the record lacks, all or nothing; then a
        new machine begins from the record. Nothing is signed here.

        Args:
            agreed: what the peer holds.
            said: own entries behind the last receipted one, or behind the last that both have where
                they go different ways, as the record has them.
            now: the present.
            desks: of this side and of the peer, for the entry that opens the epoch.
            changes_key: whether it brings the newest own key in force, where it is not yet.

        Raises:
            LineStateError: the epoch drawn was used before: the random source is broken.
            VerificationError: the own change of key does not hold.
        """
        epoch = self._random_bytes(16).hex()
        if epoch in self._own_way or epoch in {envelope.epoch for envelope, _ in agreed.held}:
            raise LineStateError(
                "the epoch that was drawn has been used before, so nothing is signed in it",
                given=epoch,
                expected="128 random bits that no other draw has given",
                remedy="stop the node and see to the machine's source of random numbers",
            )
        keys, ring = self.identity.own_keys, self.identity.own_ring
        in_force = ring.after(agreed.follows)
        opened = opened_epoch(
            self.identity,
            agreed,
            said,
            epoch=epoch,
            heard=self._heard(),
            now=now,
            desks=desks,
            change=keys.change if changes_key and keys.number > in_force.number else None,
        )
        ring.open_own(opened[0].envelope)
        return opened

    def hear_again(
        self,
        answer: Answer,
        now: Now,
        *,
        stored: StoredLookup,
        clock_offset_ms: int = 0,
    ) -> SaidAgain | None:
        """Take the peer's chain, said again; None for an answer that does not count.

        What this node receipted once, it had heard in time: a record that forgot it must not call
        it late. So what the own receipt in the answer covers is not DELAYED.

        Raises:
            VerificationError, InvalidDocumentError: as :meth:`hear`.
            BrokenChainError: the peer's chain does not contain what is logged here of it.
        """
        resync = self.resync
        if answer.role is not Role.LISTENER or resync.mute or not resync.counts(answer):
            return None
        resync.void()
        if not answer.begins:
            raise BrokenChainError(
                "the peer's chain does not contain what this node has logged of it",
                given=_slot(self._in.logged),
                expected=f"a chain that leads to {_slot(answer.head)}",
                remedy="keep both records, and settle by voice which holds; export them first",
            )
        covered = self._receipted_before(answer.receipt, stored)
        if not resync.deaf:
            if covered is None:
                resync.heard_all()
                return None
            # Of an empty chain nobody was asked yet, and the author asks first.
            author = self._out.head is None
            resync.found_old(author=author)
            self._in.forget_held()
            if author:
                return None
        entries: list[IncomingEntry] = []
        for sealed in answer.entries:
            arrival = self._arrival(sealed, now, clock_offset_ms)
            for entry in self._in.accept(arrival, stored).entries:
                taken = replace(entry, delayed=False) if covered is not None else entry
                entries.append(taken)
                if covered == entry.point:
                    covered = None
        head = entries[-1].point if entries else self._in.logged
        if head == answer.head:
            resync.close()
        return SaidAgain(tuple(entries), head == answer.head)

    def kept_again(self, entries: Sequence[IncomingEntry]) -> None:
        """Take the caller's word that entries said again are durable; no receipt follows yet.

        Raises:
            LineStateError: as :meth:`logged`.
        """
        self._in.mark_logged(entries)

    def is_late(self, sealed: SealedEnvelope, now: Now, *, clock_offset_ms: int = 0) -> bool:
        """True exactly when what was heard and could not be logged would be delayed, taken now.

        Raises:
            As the hearing of it, of what that refuses.
        """
        return self._in.is_late(self._arrival(sealed, now, clock_offset_ms))

    @property
    def all_durable(self) -> bool:
        """True exactly when no own slot is on its way to the disk."""
        return self._out.head == self._out.sealed_head

    # ---- inside -------------------------------------------------------------------------------

    def _arrival(self, sealed: SealedEnvelope, now: Now, clock_offset_ms: int) -> Arrival:
        envelope = open_envelope(sealed, self.identity.peer_ring.candidates(sealed))
        self._require_line(envelope.line)
        self._require_parties(envelope.sender.party, envelope.to.party)
        cites_said_ms = self._out.said_ms(envelope.heard)
        return Arrival(envelope, sealed, sealed.hash, now, clock_offset_ms, cites_said_ms)

    def _heard(self) -> ChainPoint | None:
        # It is a receipt, and a deaf node gives none.
        return None if self.resync.deaf else self._in.logged

    def _receipted_before(
        self, sealed: SealedReceipt | None, stored: StoredLookup
    ) -> ChainPoint | None:
        """Return the slot that an own receipt names, when it is not logged here yet."""
        if sealed is None:
            return None
        # Under any of our keys: of those between, a record of a copy may know nothing.
        own = {**self.identity.own_keys.public, **self.identity.own_ring.ever}
        receipt = open_receipt(sealed, own)
        self._require_line(receipt.line)
        if stored(receipt.epoch, receipt.seq) is not None:
            return None
        return receipt.point

    def _require_line(self, line: str) -> None:
        if line != self.identity.line_id:
            raise WrongLineError(
                "the message belongs to another line",
                given=line,
                expected=self.identity.line_id,
                remedy="refuse it and keep its bytes",
            )

    def _require_parties(self, sender: str, to: str) -> None:
        if sender != self.identity.peer:
            raise WrongSenderError(
                "the message names another sender than this line's peer",
                given=sender,
                expected=self.identity.peer,
                remedy="refuse it and keep its bytes",
            )
        if to != self.identity.own:
            raise WrongLineError(
                "the message is addressed to another party",
                given=to,
                expected=self.identity.own,
                remedy="refuse it and keep its bytes",
            )


def _slot(point: ChainPoint | None) -> str:
    return "nothing" if point is None else f"slot {point.seq} of epoch {point.epoch[:8]}…"
