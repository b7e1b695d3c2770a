"""Hearing: packets of a peer become entries of its chain, receipts, evidence; or end the talk."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from deconflict.errors import (
    BrokenChainError,
    DeconflictError,
    ForkedChainError,
    InvalidDocumentError,
    VerificationError,
)
from deconflict.line.envelope import SealedEnvelope
from deconflict.line.incoming import IncomingEntry, Outcome
from deconflict.line.moment import Now
from deconflict.line.packets import Packet, Want
from deconflict.line.receipt import SealedReceipt, SealedRefusal, read_receipt
from deconflict.messages.bodies import Readback
from deconflict.node.journal import Journal
from deconflict.node.line import Line, read_body, without_reference
from deconflict.node.saying import Say, readback_result
from deconflict.node.tell.messages import Teller
from deconflict.node.turn import done_whole
from deconflict.node.work import Work
from deconflict.store.base import EntryRow, EvidenceRow, ReceiptRow, Store

__all__ = ["Heard", "Hearing"]


@dataclass(slots=True)
class Heard:
    """What packets of the peer led to.

    Attributes:
        work: to be made durable and finished before anything is answered.
        error: why the rest of the packets was not looked at; the connection is to be cut.
    """

    work: Work
    error: DeconflictError | None = None
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
    """

    def __init__(self, *, store: Store, journal: Journal, teller: Teller) -> None:
        self._store = store
        self._journal = journal
        self._teller = teller
        self._owed: list[tuple[Line, Say]] = []

    def hear(self, line: Line, packets: Iterable[Packet], heard: Heard, now: Now) -> None:
        """Take packets of this line's peer, in their order, up to the first that is refused."""
        owes_receipt = False
        for packet in packets:
            try:
                match packet:
                    case SealedEnvelope():
                        owes_receipt |= self._envelope(line, packet, heard, now)
                    case SealedReceipt():
                        self._receipt(line, packet, heard.work, now)
                    case SealedRefusal():
                        line.machine.hear_refusal(packet, now)
                    case Want():
                        line.machine.hear_want(packet, now)
                        heard.work.wake.add(line.line_id)
            except (VerificationError, InvalidDocumentError) as error:
                self._keep_evidence(line, error, heard.work, now)
                heard.error = error
            if heard.error is not None:
                break
        if owes_receipt:
            heard.then_answer(lambda: _listed(line.machine.receipt_now()))
        self._journal.tell(heard.work, now)

    def restored(self, line: Line) -> None:
        """Owe again what the record of a line says is owed.

        A readback may have been durable, and the machine's answer to it not yet, when the node
        ended.
        """
        for found in line.book.results_owed():
            envelope = self._journal.envelope_of(found.message_hash)
            body = None if envelope is None else read_body(envelope)
            if envelope is not None and isinstance(body, Readback):
                say = readback_result(line, envelope, found.message_hash, body)
                self._owed.append((line, say))

    def take_owed(self) -> tuple[tuple[Line, Say], ...]:
        """Return, once, what the machine itself owes as an answer."""
        owed, self._owed = tuple(self._owed), []
        return owed

    def _envelope(self, line: Line, sealed: SealedEnvelope, heard: Heard, now: Now) -> bool:
        offset_ms = line.monitor.state(now).clock_offset_ms
        found = line.machine.hear(
            sealed, now, stored=line.stored_lookup(self._store), clock_offset_ms=offset_ms or 0
        )
        work = heard.work
        for evidence in found.evidence:
            work.evidence.append(_evidence(line, evidence.reason.value, evidence.sealed, now))
        if found.outcome is Outcome.ORPHAN:
            # Kept above as evidence. It gets no answer: whoever replays an old epoch, or restored
            # an old record, is to learn nothing from us and to hold no receipt.
            heard.error = BrokenChainError(
                "the message belongs to another epoch than the chain held here",
                remedy="keep it; ask the peer by voice whether it restored an old record",
            )
        if found.want is not None:
            want = found.want
            heard.then_answer(lambda: [want])
        # The machine holds them now. What goes wrong from here on is no fault of the packet.
        with done_whole("it took what the peer said"):
            entries = [self._take(line, entry, work, now) for entry in found.entries]
        if entries:

            def log(at: Now) -> None:
                line.machine.logged(entries, at)

            work.then(log)
        return bool(found.entries) or found.outcome is Outcome.DUPLICATE

    def _take(self, line: Line, entry: IncomingEntry, work: Work, now: Now) -> IncomingEntry:
        """Take an entry; return it as the machine may act on it once it is durable."""
        work.entries.append(_entry_row(line, entry))
        taken = line.book.take(
            entry.envelope,
            entry.hash,
            read_body(entry.envelope),
            own=False,
            delayed=entry.delayed,
            logged_ms=entry.received_utc_ms,
        )
        self._journal.event(work, now, "message", line.message_event(taken))
        self._teller.heard(line, taken, now)
        if isinstance(taken.body, Readback) and not taken.delayed:
            owed = (line, readback_result(line, taken.envelope, taken.hash, taken.body))
            # Only what is durable can be cited, and others may ask us to advance before it is.
            work.then(lambda _: self._owed.append(owed))
        self._journal.agreed(line, taken, work, now)
        return entry if taken.acts else replace(entry, envelope=without_reference(entry.envelope))

    def _receipt(self, line: Line, sealed: SealedReceipt, work: Work, now: Now) -> None:
        if not line.machine.hear_receipt(sealed, now):
            return  # stale or repeated: it says nothing that is not stored
        receipt = read_receipt(sealed.data)
        work.receipts.append(
            ReceiptRow(
                line_id=line.line_id,
                party=line.peer,
                epoch=receipt.epoch,
                seq=receipt.seq,
                hash=receipt.hash,
                data=sealed.data,
                algorithm=sealed.signature.algorithm,
                key_id=sealed.signature.key_id,
                signature=sealed.signature.value,
                stored_utc_ms=now.utc_ms,
            )
        )
        work.wake.add(line.line_id)

    def _keep_evidence(self, line: Line, error: DeconflictError, work: Work, now: Now) -> None:
        # Only what the peer itself signed is evidence against it; noise is not worth a byte.
        for sealed in getattr(error, "evidence", ()):
            if isinstance(sealed, SealedEnvelope):
                work.evidence.append(_evidence(line, type(error).__name__, sealed, now))
        if isinstance(error, ForkedChainError):
            self._teller.forked(line, now)


def _listed(receipt: SealedReceipt | None) -> list[Packet]:
    return [] if receipt is None else [receipt]


def _entry_row(line: Line, entry: IncomingEntry) -> EntryRow:
    return EntryRow(
        line_id=line.line_id,
        party=line.peer,
        epoch=entry.envelope.epoch,
        seq=entry.envelope.seq,
        hash=entry.hash,
        data=entry.sealed.data,
        algorithm=entry.sealed.signature.algorithm,
        key_id=entry.sealed.signature.key_id,
        signature=entry.sealed.signature.value,
        logged_utc_ms=entry.received_utc_ms,
        delayed=entry.delayed,
    )


def _evidence(line: Line, reason: str, sealed: SealedEnvelope, now: Now) -> EvidenceRow:
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
