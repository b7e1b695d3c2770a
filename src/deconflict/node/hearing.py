"""Hearing: packets of a peer become entries of its chain, receipts, evidence; or end the talk."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from deconflict.errors import (
    BrokenChainError,
    DeconflictError,
    ForkedChainError,
    InvalidDocumentError,
    NotFoundError,
    UnknownKeyError,
    VerificationError,
)
from deconflict.line.delivery import DeliveryState
from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.incoming import EvidenceReason, IncomingEntry, Outcome
from deconflict.line.link import LinkState, LinkStatus
from deconflict.line.moment import Now
from deconflict.line.note import SignedNote
from deconflict.line.packets import Answer, Packet, Question, Role, Want
from deconflict.line.receipt import RefusalReason, SealedReceipt, SealedRefusal
from deconflict.line.room import Shortage
from deconflict.line.statement import ChainPoint, hash_of
from deconflict.line.witness import Cosigned, CosignedState, Submission
from deconflict.messages.bodies import Readback
from deconflict.node.drills import Drills
from deconflict.node.journal import Journal
from deconflict.node.line import Line, read_body, without_reference
from deconflict.node.resyncing import Resyncing
from deconflict.node.rows import heard_row, receipt_row
from deconflict.node.saying import Say, readback_result
from deconflict.node.tell.messages import Teller
from deconflict.node.turn import done_whole
from deconflict.node.work import Work
from deconflict.store.base import CheckpointRow, EvidenceRow, Store

__all__ = ["FORKED_CHECKPOINT", "Heard", "Hearing"]

FORKED_CHECKPOINT: Final = "ForkedCheckpoint"  # reason of evidence that is a signed note
REFUSED: Final = "Refused"  # reason of evidence that is a refusal of ours by the peer
NO_ROOM_REPEAT_MS: Final = 30_000  # disks fill and are emptied by people


@dataclass(slots=True)
class Heard:
    """What packets of the peer led to.

    Attributes:
        work: to be made durable and finished before anything is answered.
        error: why the rest of the packets was not looked at; the connection is to be cut.
        judged: what became of each envelope, in order.
        entries: what entered the peer's chain, held ones that came earlier included.
        taken: the same as the line may act on it, once it is durable.
        receipted: how many own messages a receipt newly covers.
        looked_at: how many packets were looked at, the one refused included.
        unlogged: what the peer signed with its key in force and the record here cannot take yet,
            because what it follows is not held; and whether it is late.
    """

    work: Work
    error: DeconflictError | None = None
    judged: list[tuple[SealedEnvelope, Outcome]] = field(default_factory=list)
    entries: list[IncomingEntry] = field(default_factory=list)
    taken: list[IncomingEntry] = field(default_factory=list)
    receipted: int = 0
    looked_at: int = 0
    unlogged: list[tuple[SealedEnvelope, bool]] = field(default_factory=list)
    _answers: list[Callable[[], list[Packet]]] = field(default_factory=list)

    def answer(self) -> list[Packet]:
        """Return what goes back to the peer. Only after ``work`` is finished."""
        return [packet for make in self._answers for packet in make()]

    def then_answer(self, make: Callable[[], list[Packet]]) -> None:
        """Have ``make`` called for the answer, once the work is finished."""
        self._answers.append(make)


class Hearing:
    """Takes what peers say.

    Args:
        store: read for old entries; never written here.
        journal: where events and alerts go.
        teller: who turns what happens into alerts.
        resyncing: who answers and asks where a record may be old.
        drills: the exercises that last, which a real FLASH ends.
    """

    def __init__(
        self,
        *,
        store: Store,
        journal: Journal,
        teller: Teller,
        resyncing: Resyncing,
        drills: Drills,
    ) -> None:
        self._store = store
        self._journal = journal
        self._teller = teller
        self._resyncing = resyncing
        self._drills = drills
        self._owed: list[tuple[Line, Say]] = []
        self._refused: dict[str, str] = {}  # by line, the epoch of the peer refused last

    def hear(
        self, line: Line, packets: Iterable[Packet], heard: Heard, now: Now, shortage: Shortage
    ) -> None:
        """Take packets of this line's peer, in their order, up to the first that is refused."""
        owes_receipt = False
        refused: list[ChainPoint] = []
        link = line.monitor.state(now)
        for packet in packets:
            heard.looked_at += 1
            try:
                match packet:
                    case SealedEnvelope():
                        owes_receipt |= self._envelope(
                            line, packet, heard, now, shortage, refused, link
                        )
                    case SealedReceipt():
                        self._receipt(line, packet, heard, now)
                    case SealedRefusal():
                        self._refusal(line, packet, heard.work, now)
                    case Want():
                        line.machine.hear_want(packet, now)
                        heard.work.wake.add(line.line_id)
                    case Submission():
                        self._checkpoint(line, packet, heard, now)
                    case Cosigned():
                        self._cosigned(line, packet, heard.work, now)
                    case Question():
                        heard.then_answer(partial(self._resyncing.answer, line, packet, now))
                    case Answer():
                        self._resyncing.hear(line, packet, heard.work, now)
            except (VerificationError, InvalidDocumentError) as error:
                if isinstance(error, UnknownKeyError) and _may_be_newer(line, packet):
                    continue
                self._keep_evidence(line, packet, error, heard.work, now)
                heard.error = error
            if heard.error is not None:
                break
        if refused:
            heard.then_answer(lambda: _refusals(line, refused))
        if owes_receipt:
            heard.then_answer(lambda: _listed(line.machine.receipt_now()))
        self._journal.tell(heard.work, now)

    def restored(self, line: Line) -> None:
        """Owe again what the record of a line says is owed.

        A readback may have been durable, and the machine's answer to it not yet, when the node
        ended.
        """
        self._owed = [(owed_on, say) for owed_on, say in self._owed if owed_on is not line]
        for found in line.book.results_owed():
            envelope = self._journal.envelope_of(found.message_hash)
            body = None if envelope is None else read_body(envelope)
            if envelope is not None and isinstance(body, Readback):
                say = readback_result(line, envelope, found.message_hash, body)
                self.owe(line, say)

    def owe(self, line: Line, say: Say) -> None:
        """Have something said as an answer, as soon as it can be."""
        self._owed.append((line, say))

    def take_owed(self) -> tuple[tuple[Line, Say], ...]:
        """Return, once, what the machine itself owes as an answer."""
        owed, self._owed = tuple(self._owed), []
        return owed

    def _envelope(
        self,
        line: Line,
        sealed: SealedEnvelope,
        heard: Heard,
        now: Now,
        shortage: Shortage,
        refused: list[ChainPoint],
        link: LinkState,
    ) -> bool:
        offset_ms = link.clock_offset_ms
        try:
            found = line.machine.hear(
                sealed,
                now,
                stored=line.stored_lookup(self._store),
                clock_offset_ms=offset_ms or 0,
                clocks_compared=offset_ms is not None or link.status is not LinkStatus.UNKNOWN,
                shortage=shortage,
            )
        except UnknownKeyError:
            if line.line_id not in self._refused:
                raise
            # Signed by the key that the epoch refused before would have brought: its author is to
            # hear the refusal.
            return False
        work = heard.work
        heard.judged.append((sealed, found.outcome))
        heard.entries.extend(found.entries)
        if found.refused is not None:
            refused.append(found.refused)
        for evidence in found.evidence:
            work.evidence.append(_evidence(line, evidence.reason.value, evidence.sealed, now))
            if evidence.reason is EvidenceReason.FALSE_RECEIPT:
                self._teller.forked(line, now, rule="RECEIPT_CONTRADICTS")
            elif evidence.reason is EvidenceReason.BROKEN_CHAIN:
                self._teller.forked(line, now, rule="CHAIN_BROKEN")
            elif found.outcome is Outcome.ORPHAN and self._is_of_no_epoch(line, sealed):
                self._teller.forked(line, now, rule="EPOCH_UNKNOWN")
        if found.outcome is Outcome.NOT_NOW:
            self._teller.heard_while_silent(line, read_envelope(sealed.data), sealed.hash, now)
        if found.outcome is Outcome.KEY_REFUSED:
            rooted = line.keys.peer_root is not None
            rule = "KEY_NOT_VOUCHED" if rooted else "PEER_ROOT_NOT_PINNED"
            self._teller.forked(line, now, rule=rule)
            key_refusal = line.machine.refuse(sealed.hash, RefusalReason.KEY_REFUSED)
            heard.then_answer(lambda: [key_refusal])
            self._refused[line.line_id] = read_envelope(sealed.data).epoch
        if found.outcome is Outcome.EPOCH_REFUSED:
            # Its author asks what is held here, and opens another one behind that.
            refusal = line.machine.refuse(sealed.hash, RefusalReason.BROKEN_CHAIN)
            heard.then_answer(lambda: [refusal])
            self._refused[line.line_id] = read_envelope(sealed.data).epoch
        if self._waits(line, sealed, found.outcome):
            late = line.machine.is_late(sealed, now, clock_offset_ms=offset_ms or 0)
            heard.unlogged.append((sealed, late))
        if found.outcome is Outcome.ORPHAN and not self._follows_refused(line, sealed):
            # Kept above as evidence. It gets no answer: whoever replays an old epoch, or restored
            # an old record, is to learn nothing from us and to hold no receipt.
            heard.error = BrokenChainError(
                "the message belongs to another epoch than the chain held here",
                remedy="keep it; a peer that restored an old record opens a fresh epoch by itself",
            )
        if found.want is not None:
            want = found.want
            heard.then_answer(lambda: [want])
        # The machine holds them now. What goes wrong from here on is no fault of the packet.
        with done_whole("it took what the peer said"):
            entries = [self._take(line, entry, work, now) for entry in found.entries]
        if entries:
            self._refused.pop(line.line_id, None)
        if entries and not heard.taken:

            def log(at: Now) -> None:
                line.machine.logged(heard.taken, at)  # all of the turn: one receipt is signed
                self._resyncing.ran_out(line, line.machine.take_ran_out())

            work.then(log)
        heard.taken.extend(entries)
        return bool(found.entries) or found.outcome is Outcome.DUPLICATE

    def _is_of_no_epoch(self, line: Line, sealed: SealedEnvelope) -> bool:
        """True exactly when nothing is known here of its epoch.

        What its author left behind when it was restored may still be on its way, and what follows
        an epoch that was refused: its author knows of that. Neither is news for people.
        """
        epoch = read_envelope(sealed.data).epoch
        begun = self._store.entry_at(line.line_id, line.peer, epoch, 1) is not None
        return not begun and not self._follows_refused(line, sealed)

    def _follows_refused(self, line: Line, sealed: SealedEnvelope) -> bool:
        """True exactly when it is of the epoch refused last: its author is to hear the refusal."""
        return read_envelope(sealed.data).epoch == self._refused.get(line.line_id)

    def _waits(self, line: Line, sealed: SealedEnvelope, outcome: Outcome) -> bool:
        """True exactly when it is the peer's word now, and only what it follows is missing here.

        What a key signed that is not in force, and what belongs to an epoch that is over, may be
        anybody's or old.
        """
        if sealed.signature.key_id not in line.machine.identity.peer_ring:
            return False
        if outcome is Outcome.ORPHAN:
            return self._follows_refused(line, sealed)
        return outcome in (Outcome.HELD, Outcome.BEYOND_WINDOW, Outcome.EPOCH_REFUSED)

    def _take(self, line: Line, entry: IncomingEntry, work: Work, now: Now) -> IncomingEntry:
        """Take an entry; return it as the machine may act on it once it is durable."""
        work.entries.append(heard_row(line.line_id, line.peer, entry))
        line.opened(entry.envelope)
        self._look_at_key(line, entry, now)
        taken = line.book.take(
            entry.envelope,
            entry.hash,
            read_body(entry.envelope),
            own=False,
            delayed=entry.delayed,
            logged_ms=entry.received_utc_ms,
        )
        self._journal.message(work, now, line, taken)
        self._teller.heard(line, taken, now, suspect_clock=entry.suspect_clock)
        self._drills.passed(line, taken, work, now)
        if isinstance(taken.body, Readback) and not taken.delayed:
            owed = readback_result(line, taken.envelope, taken.hash, taken.body)
            # Only what is durable can be cited, and others may ask us to advance before it is.
            work.then(lambda _: self.owe(line, owed))
        self._journal.agreed(line, taken, work, now)
        return entry if taken.acts else replace(entry, envelope=without_reference(entry.envelope))

    def _look_at_key(self, line: Line, entry: IncomingEntry, now: Now) -> None:
        opening = opening_of(entry.envelope)
        if opening is not None and opening.key is not None:
            held = line.machine.identity.peer_ring.of(entry.envelope.epoch)
            self._teller.key_changed(line, held, now)

    def _receipt(self, line: Line, sealed: SealedReceipt, heard: Heard, now: Now) -> None:
        newly = line.machine.hear_receipt(sealed, now)
        if not newly:
            return  # stale or repeated: it says nothing that is not stored
        heard.receipted += len(newly)
        work = heard.work
        work.receipts.append(receipt_row(line.line_id, line.peer, sealed, now))
        work.wake.add(line.line_id)

    def _refusal(self, line: Line, sealed: SealedRefusal, work: Work, now: Now) -> None:
        refusal = line.machine.hear_refusal(sealed, now)
        if refusal.reason is RefusalReason.KEY_REFUSED and line.machine.resync.silence.key_refused:
            self._teller.forked(line, now, rule="KEY_NOT_TAKEN")
        try:
            state = line.machine.state_of(refusal.hash).state
        except NotFoundError:  # settled long ago, or never said
            return
        if state is DeliveryState.REFUSED:
            # Nothing else shows why a message of ours has no receipt.
            work.evidence.append(_evidence(line, REFUSED, sealed, now))

    def _checkpoint(self, line: Line, submission: Submission, heard: Heard, now: Now) -> None:
        """Judge a checkpoint of the peer's chain; it is cosigned once the judgement is durable."""
        if not line.machine.resync.whole:
            return  # what may lack an entry vouches for no tree; the author repeats it
        checkpoints = line.machine.checkpoints
        state = checkpoints.hear(submission, now)
        if state is not None:
            heard.work.checkpoints.append(_checkpoint_row(line, line.peer, state, now))
            heard.work.then(lambda _: checkpoints.persisted(state))
        heard.then_answer(lambda: _listed(checkpoints.answer()))

    def _cosigned(self, line: Line, cosigned: Cosigned, work: Work, now: Now) -> None:
        """Keep what the peer cosigned of our chain."""
        if not line.machine.resync.whole:
            return
        checkpoints = line.machine.checkpoints
        state = checkpoints.hear_cosigned(cosigned, now)
        if state is not None:
            # The tree is over signatures, so the record must have them before what covers them.
            self._journal.save_signatures(work)
            work.checkpoints.append(_checkpoint_row(line, line.book.own, state, now))
            work.then(lambda _: checkpoints.persisted_own(state))

    def _keep_evidence(
        self, line: Line, packet: Packet, error: DeconflictError, work: Work, now: Now
    ) -> None:
        # Only what the peer itself signed is evidence against it; noise is not worth a byte.
        for sealed in getattr(error, "evidence", ()):
            if isinstance(sealed, SealedEnvelope | SealedReceipt):
                work.evidence.append(_evidence(line, type(error).__name__, sealed, now))
            elif isinstance(sealed, SignedNote):
                work.evidence.append(_note_evidence(line, sealed, now))
        if isinstance(error, ForkedChainError):
            rule = "FORKED_CHAIN"
            if isinstance(packet, Answer):
                rule = "OWN_RECORD_IN_DOUBT" if packet.role is Role.AUTHOR else rule
            elif isinstance(packet, Submission):
                rule = "FORKED_CHECKPOINT"
            elif isinstance(packet, SealedReceipt):
                rule = "RECEIPT_CONTRADICTS"
            elif isinstance(packet, Cosigned):
                # It has our own signature: nothing is said against the peer.
                rule = "OWN_RECORD_IN_DOUBT"
            self._teller.forked(line, now, rule=rule)
        elif isinstance(packet, Answer):
            self._teller.forked(line, now, rule="RESYNC_STUCK")
        elif isinstance(error, BrokenChainError) and error.evidence:
            self._teller.forked(line, now, rule="CHAIN_BROKEN")


def _may_be_newer(line: Line, packet: Packet) -> bool:
    """True exactly when a packet of a key not known here may be by a key that is on its way.

    Nothing of it is believed, and it comes again. To cut the connection for it would hold up the
    very entry that brings the key, where both sides change theirs at once.
    """
    proofs = SealedReceipt | SealedRefusal | Submission | Cosigned
    return line.keys.peer_root is not None and isinstance(packet, proofs)


def _refusals(line: Line, refused: Sequence[ChainPoint]) -> list[Packet]:
    """Return the refusals of what was not taken along, after all, for something behind it."""
    return [
        line.machine.refuse(
            point.hash,
            RefusalReason.NO_ROOM,
            epoch=point.epoch,
            seq=point.seq,
            repeat_after_ms=NO_ROOM_REPEAT_MS,
        )
        for point in refused
        if line.machine.is_refused(point.seq)
    ]


def _listed(packet: Packet | None) -> list[Packet]:
    return [] if packet is None else [packet]


def _checkpoint_row(line: Line, author: str, state: CosignedState, now: Now) -> CheckpointRow:
    return CheckpointRow(
        line_id=line.line_id,
        party=author,
        epoch=state.checkpoint.origin.epoch,
        size=state.head.size,
        previous_size=state.previous_size,
        root=state.head.root,
        note=state.note,
        cosigned_utc_s=state.time_s,
        stored_utc_ms=now.utc_ms,
    )


def _evidence(
    line: Line, reason: str, sealed: SealedEnvelope | SealedReceipt | SealedRefusal, now: Now
) -> EvidenceRow:
    return EvidenceRow(
        line_id=line.line_id,
        reason=reason,
        hash=sealed.hash,
        data=sealed.data,
        algorithm=sealed.signature.algorithm,
        key_id=sealed.signature.key_id,
        signature=sealed.signature.value,
        stored_utc_ms=now.utc_ms,
    )


def _note_evidence(line: Line, note: SignedNote, now: Now) -> EvidenceRow:
    data = note.to_bytes()
    return EvidenceRow(
        line_id=line.line_id,
        reason=FORKED_CHECKPOINT,
        hash=hash_of(data),
        data=data,
        algorithm="C2SP signed note",
        key_id=note.signatures[0].key_id.hex(),
        signature=b"",  # it stands in the note itself
        stored_utc_ms=now.utc_ms,
    )
