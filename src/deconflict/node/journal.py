"""What every turn of a node writes beside the chains: events, alerts, signatures, terms agreed.

Saying, hearing and the passing of time share one journal, so events have one order and an alert's
stored state goes into the same transaction as its cause.
"""

import base64
from collections.abc import Callable
from typing import Any, Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.line.envelope import Envelope, SealedEnvelope, read_envelope
from deconflict.line.moment import Now
from deconflict.line.outgoing import OutgoingEntry
from deconflict.messages.agreement import terms_bytes
from deconflict.messages.bodies import TermsMessage
from deconflict.messages.kinds import SAID_BY_NODES
from deconflict.node.alerts import AlertBook, AlertKey
from deconflict.node.book import Taken
from deconflict.node.line import Line
from deconflict.node.notes import note_of, read_notes
from deconflict.node.views import AlertView, EventView
from deconflict.node.work import Work
from deconflict.store.base import SignatureRow, Store, TermsRow

__all__ = ["Journal"]

_ALERT_NOTE: Final = "alert/"
_SIGNATURES_WAIT_MS: Final = 500
_SIGNATURES_AT_ONCE: Final = 64


class Journal:
    """Everything that is written down besides entries and receipts.

    Args:
        desk: the desk that is on watch first.
        store: read for old entries; never written here.

    Attributes:
        desk: as given.
        alerts: the open alerts, as the store left them and as they change.
    """

    def __init__(self, desk: str, store: Store) -> None:
        self.desk = desk
        kept = read_notes(store.notes(_ALERT_NOTE), _ALERT_NOTE, AlertView)
        self.alerts = AlertBook(desk, kept.values())
        self._store = store
        self._next_event_id = store.last_event_id() + 1
        self._unsaved: list[SignatureRow] = []
        self._unsaved_since_ms = 0

    @property
    def last_event_id(self) -> int:
        """The id of the newest event, written or about to be."""
        return self._next_event_id - 1

    def new_work(self, now: Now) -> Work:
        """Begin a turn; it takes along the signatures that have waited long enough."""
        work = Work()
        if self._unsaved and (
            len(self._unsaved) >= _SIGNATURES_AT_ONCE
            or now.monotonic_ms - self._unsaved_since_ms >= _SIGNATURES_WAIT_MS
        ):
            self.save_signatures(work)
        return work

    def save_signatures(self, work: Work) -> None:
        """Write every signature that waits: what follows in this work rests on them."""
        work.signatures.extend(self._unsaved)
        self._unsaved.clear()

    def next_deadline_ms(self) -> int | None:
        """Return the monotonic time at which signatures have waited long enough."""
        return self._unsaved_since_ms + _SIGNATURES_WAIT_MS if self._unsaved else None

    def sealing(self, line: Line, entry: OutgoingEntry, *, acts: bool) -> Callable[[Now], None]:
        """Return what signs an entry once it is durable, and remembers to keep the signature."""

        def seal(now: Now) -> None:
            self.keep_signature(line.machine.seal(entry, acts=acts), now)

        return seal

    def keep_signature(self, sealed: SealedEnvelope, now: Now) -> None:
        """Remember to keep the signature of an own entry that is durable."""
        if not self._unsaved:
            self._unsaved_since_ms = now.monotonic_ms
        self._unsaved.append(SignatureRow(sealed.hash, sealed.signature.value))

    def envelope_of(self, message_hash: str) -> Envelope | None:
        """Return a message of the record, None when it is not there."""
        row = self._store.entry(message_hash)
        return None if row is None else read_envelope(row.data)

    def message_at(self, line: Line, own: bool, seq: int) -> tuple[str, Envelope] | None:
        """Return hash and envelope in a slot of our chain or the peer's; None when it is empty."""
        point = line.machine.own_head if own else line.machine.peer_logged
        party = line.book.party_of(own=own)
        row = None if point is None else self._store.entry_at(line.line_id, party, point.epoch, seq)
        return None if row is None else (row.hash, read_envelope(row.data))

    def event(self, work: Work, now: Now, kind: str, data: dict[str, Any]) -> None:
        """Write one event of the live stream."""
        work.events.append(EventView(self._next_event_id, format_utc(now.utc_ms), kind, data))
        self._next_event_id += 1

    def message(self, work: Work, now: Now, line: Line, taken: Taken) -> None:
        """Write that a message came or was said; not of what nodes say to each other by themselves.

        A private check is a hundred and thirty steps on either side, of which nobody is to be told
        one by one: what comes of it is told as a whole.
        """
        if taken.envelope.kind not in SAID_BY_NODES:
            self.event(work, now, "message", line.message_event(taken))

    def tell(self, work: Work, now: Now) -> None:
        """Write every change of an alert since the last call."""
        for alert in self.alerts.drain():
            self.event(work, now, "alert", msgspec.to_builtins(alert))
            key = AlertKey(alert.rule, alert.line_id, alert.subject, alert.object)
            work.notes.append(note_of(_ALERT_NOTE, key.name, alert if alert.open else None))

    def agreed(self, line: Line, taken: Taken, work: Work, now: Now) -> None:
        """Write how an entry changed the terms; once agreed, them with both signatures."""
        book = line.book
        if not isinstance(taken.body, TermsMessage) or taken.delayed:
            return
        self.event(work, now, "terms", {"line_id": line.line_id, "state": line.terms_state()})
        # Only the acceptance that put them in force: a peer that accepts twice must not make us
        # write twice what the record holds once.
        if book.terms_by == taken.hash:
            self.keep_terms(line, work, now)

    def keep_terms(self, line: Line, work: Work, now: Now) -> None:
        """Write the terms in force with both signatures."""
        book = line.book
        if book.terms is None or book.terms_hash is None:
            return
        data = terms_bytes(book.terms)
        for party, signature in book.terms_signatures.items():
            work.terms.append(
                TermsRow(
                    line_id=line.line_id,
                    terms_hash=book.terms_hash,
                    party=party,
                    data=data,
                    algorithm=signature.algorithm,
                    key_id=signature.key_id,
                    signature=base64.b64decode(signature.value),
                    stored_utc_ms=now.utc_ms,
                )
            )
        held = self._store.line(line.line_id)
        if held is not None:
            work.lines.append(msgspec.structs.replace(held, terms_hash=book.terms_hash))
