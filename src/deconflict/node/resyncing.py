"""A line whose record may be old: what the peer is asked and told until it is whole again.

The line asks (``LineMachine.question``); here its answers become rows. Both ends of a
re-synchronisation are one transaction each, and with it the guard is told that the chain is whole;
then the line begins anew from the record, as after a start.
"""

from collections.abc import Callable

from deconflict.errors import ForkedChainError
from deconflict.line.envelope import read_envelope, seal_envelope
from deconflict.line.incoming import IncomingEntry
from deconflict.line.moment import Now
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.packets import Answer, Packet, Question, Role
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.line.resync import Agreed, Silence, lacking, lacks_heard, last_shared
from deconflict.line.statement import ChainPoint
from deconflict.node.book import Taken
from deconflict.node.chains import StoredChain, Stretch, receipt_on_way
from deconflict.node.drills import Drills
from deconflict.node.journal import Journal
from deconflict.node.line import Line, read_body
from deconflict.node.rows import entry_row, heard_row, receipt_row, sealed_receipt, slot_row
from deconflict.node.tell.messages import Teller
from deconflict.node.turn import done_whole
from deconflict.node.work import Work
from deconflict.store.base import DelayedRow, Store, WholeChain

__all__ = ["Resyncing"]


class Resyncing:
    """Answers a peer that lacks part of its record, and takes what it answers to us.

    Args:
        store: read; never written here.
        journal: where events and alerts go.
        teller: who turns what happens into alerts.
        drills: a real FLASH that is heard so ends an exercise, as any other.
    """

    def __init__(self, *, store: Store, journal: Journal, teller: Teller, drills: Drills) -> None:
        self._store = store
        self._journal = journal
        self._teller = teller
        self._drills = drills
        # A peer may open an epoch with each entry, and then ask: each is read for it once.
        self._ways: dict[tuple[str, str], tuple[Stretch, ...]] = {}
        self._begun: list[Line] = []
        self._ran_out: list[tuple[Line, tuple[IncomingEntry, ...]]] = []
        self._late: list[tuple[Line, IncomingEntry]] = []
        self._again: list[tuple[Line, IncomingEntry]] = []

    def answer(self, line: Line, question: Question, now: Now) -> list[Packet]:
        """Return the answer to the peer's question, from what is durable at this moment."""
        own = question.role is Role.LISTENER
        party = line.book.own if own else line.peer
        held = receipt_on_way(self._store, line.line_id, line.book.own, line.peer)
        answer = line.machine.answer(
            question,
            now,
            chain=self._chain(line, party),
            receipt=sealed_receipt(held) if own and held is not None else None,
        )
        return [] if answer is None else [answer]

    def hear(self, line: Line, answer: Answer, work: Work, now: Now) -> None:
        """Take an answer of the peer; one that was not asked for changes nothing.

        Raises:
            VerificationError, InvalidDocumentError: it does not prove what it says.
        """
        if answer.role is Role.AUTHOR:
            agreed = line.machine.hear_held(answer, holds=self._chain(line, line.book.own).holds)
            if agreed is not None:
                self._reopen(line, agreed, work, now, deaf=answer.deaf)
        else:
            self._said_again(line, answer, work, now)
        work.wake.add(line.line_id)

    def reopen(self, line: Line, work: Work, now: Now) -> None:
        """Open a fresh epoch without the peer's word, behind what it receipted last."""
        self._reopen(line, line.machine.agreed_alone(), work, now)

    def ran_out(self, line: Line, entries: tuple[IncomingEntry, ...]) -> None:
        """Take note of entries that were late by the time they were durable: the disk stalled.

        The line took them for present when they came, and others upon them. It says and hears
        nothing more until it has begun anew from a record that calls them delayed.
        """
        if entries:
            line.machine.resync.close()
            self._ran_out.append((line, entries))

    def begin_without(self, work: Work) -> None:
        """Have the record call delayed what ran out, and those lines begin anew from it."""
        ran_out, self._ran_out = self._ran_out, []
        for line, entries in ran_out:
            work.delayed += [DelayedRow(entry.hash) for entry in entries]
            self._late += [(line, entry) for entry in entries]
        for line in dict.fromkeys(line for line, _ in ran_out):
            # Once more: it may have begun anew since, for entries that were durable before these.
            line.machine.resync.close()
            work.then(self._begins_anew(line, (), line.machine.resync.silence))

    def _reopen(
        self, line: Line, agreed: Agreed, work: Work, now: Now, *, deaf: bool = False
    ) -> None:
        own, resync = line.book.own, line.machine.resync
        fits_guard = resync.unasked
        try:
            missing = lacking(agreed.held, self._hash_at(line, own))
        except ForkedChainError:
            if resync.unasked:
                resync.found_old(author=True)
            raise
        if resync.unasked:
            # What a deaf peer shows is all that it has now, not all that it ever had.
            if not missing and (deaf or agreed.from_first):
                resync.speak_alone()
            else:
                resync.compare(missing)
            if not resync.mute:
                return
        elif not resync.deaf and lacks_heard(missing, self._holds(line, line.peer)):
            # Receipts of its own that the record knows nothing of, whatever the guard says.
            resync.found_old(author=True)
        chain = self._chain(line, own)
        behind = line.machine.receipted_on_way
        if agreed.from_first:
            behind = last_shared(agreed, chain)
        said = [read_envelope(row.data) for row in chain.rows_after(behind)]
        with done_whole("it opened a fresh epoch"):
            desks = (self._journal.desk, line.peer_desk)
            opened = line.machine.reopen(
                agreed,
                said,
                now,
                desks=desks,
                changes_key=not line.machine.resync.silence.key_refused,
            )
            self._journal.save_signatures(work)
            for envelope, sealed in missing:
                point = ChainPoint(envelope.epoch, envelope.seq, sealed.hash)
                work.entries.append(entry_row(line.line_id, own, point, sealed, now.utc_ms))
            work.entries += [slot_row(line.machine.identity, entry, now) for entry in opened]
            if agreed.receipt is not None and self._is_news(line, agreed.receipt, agreed.follows):
                work.receipts.append(receipt_row(line.line_id, line.peer, agreed.receipt, now))
            head = opened[-1]
            point = ChainPoint(head.epoch, head.seq, head.hash)
            work.whole.append(WholeChain(line.line_id, own, point))
            work.then(self._begins_anew(line, opened, line.machine.resync.after_author()))
            if missing and fits_guard:
                # A guard ahead of the record would have seen them signed. This one has not: it was
                # put back as well, or they were never signed here.
                self._teller.own_unknown(line, len(missing), missing[-1][0].seq, now)

    def _said_again(self, line: Line, answer: Answer, work: Work, now: Now) -> None:
        offset_ms = line.monitor.state(now).clock_offset_ms
        part = line.machine.hear_again(
            answer, now, stored=line.stored_lookup(self._store), clock_offset_ms=offset_ms or 0
        )
        if part is None:
            return
        with done_whole("it took what the peer said again"):
            work.entries += [heard_row(line.line_id, line.peer, entry) for entry in part.entries]
            self._again += [(line, entry) for entry in part.entries]
            work.then(lambda _: line.machine.kept_again(part.entries))
            if part.whole:
                work.whole.append(WholeChain(line.line_id, line.peer, answer.head))
                work.then(self._begins_anew(line, (), line.machine.resync.after_listener()))

    def _begins_anew(
        self, line: Line, opened: tuple[OutgoingEntry, ...], silence: Silence
    ) -> Callable[[Now], None]:
        """Return what has the line begin anew from the record, once all of it is durable."""

        def begin(now: Now) -> None:
            line.read_again(self._store, now, silence)
            identity = line.machine.identity
            for entry in opened:
                # Durable, and the guard stands at it: now it may be signed.
                key = identity.own_keys.of(identity.own_ring.signer_of(entry.envelope))
                self._journal.keep_signature(seal_envelope(entry.data, key), now)
            self._begun.append(line)

        return begin

    def take_begun(self) -> tuple[Line, ...]:
        """Return, once, the lines that began anew: their alerts are what the record implies."""
        begun, self._begun = tuple(self._begun), []
        return begun

    def begun(self, line: Line, work: Work, now: Now) -> None:
        """Write what follows for people and terms once a line began anew."""
        late = [_taken(entry, late=True) for on_line, entry in self._late if on_line is line]
        self._late = [one for one in self._late if one[0] is not line]
        for taken in late:
            self._journal.message(work, now, line, taken)
            self._teller.heard(line, taken, now)
        again = [_taken(entry, late=entry.delayed) for on, entry in self._again if on is line]
        self._again = [one for one in self._again if one[0] is not line]
        for taken in again:
            self._drills.passed(line, taken, work, now)
        held = self._store.line(line.line_id)
        if held is not None and held.terms_hash != line.book.terms_hash:
            self._journal.keep_terms(line, work, now)
        self._journal.event(
            work,
            now,
            "line",
            {"line_id": line.line_id, "peer": line.peer, "state": line.shown_status.value},
        )

    def _chain(self, line: Line, party: str) -> StoredChain:
        name = line.line_id, party
        own_keys = line.machine.identity.own_keys
        chain = StoredChain(self._store, *name, own_keys, self._ways.get(name, ()))
        self._ways[name] = chain.way
        return chain

    def _hash_at(self, line: Line, party: str) -> Callable[[str, int], str | None]:
        def hash_at(epoch: str, seq: int) -> str | None:
            row = self._store.entry_at(line.line_id, party, epoch, seq)
            return None if row is None else row.hash

        return hash_at

    def _holds(self, line: Line, party: str) -> Callable[[ChainPoint], bool]:
        hash_at = self._hash_at(line, party)
        return lambda point: hash_at(point.epoch, point.seq) == point.hash

    def _is_news(self, line: Line, sealed: SealedReceipt, follows: ChainPoint | None) -> bool:
        receipt = read_receipt(sealed.data)
        held = self._store.latest_receipt(line.line_id, line.peer)
        # A receipt for anything else than what the peer says it holds is nothing to build on.
        return receipt.point == follows and (
            held is None or held.epoch != receipt.epoch or held.seq < receipt.seq
        )


def _taken(entry: IncomingEntry, *, late: bool) -> Taken:
    envelope = read_envelope(entry.sealed.data)
    body = read_body(envelope)
    return Taken(envelope, entry.hash, False, late, entry.received_utc_ms, body)
