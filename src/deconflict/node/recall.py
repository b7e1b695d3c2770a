"""Messages of a line by their hashes, read again from its record."""

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.line.envelope import Envelope
from deconflict.messages.agreement import terms_hash
from deconflict.messages.bodies import Body, TermsMessage
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.kinds import Kind
from deconflict.node.declared import Declared
from deconflict.node.incident_book import Filed, filed_of
from deconflict.node.logged import logged_envelope, read_body
from deconflict.node.taken import Proposal
from deconflict.node.voices import Signed
from deconflict.store.base import EntryRow, Store

__all__ = ["Recall", "Recalled", "unfit"]


class Recalled(msgspec.Struct, frozen=True):
    """A message of the record.

    Attributes:
        row: as it is stored.
        envelope: what it says.
        body: its body; None where this edition cannot read it.
        own: True exactly when we wrote it.
    """

    row: EntryRow
    envelope: Envelope
    body: Body | None
    own: bool


class Recall:
    """Reads the messages that something kept beside the record names.

    Args:
        store: the record.
        line_id: the line on which they were said.
        own: our party.
        peer: the other.
    """

    def __init__(self, store: Store, line_id: str, own: str, peer: str) -> None:
        self._store, self._line_id = store, line_id
        self._own, self._peer = own, peer

    def __call__(self, message_hash: str) -> Recalled:
        """Return a message.

        Raises:
            InvalidDocumentError: the line has none of this hash.
        """
        row = self._store.entry(message_hash)
        if row is None or row.line_id != self._line_id:
            raise unfit(message_hash)
        envelope = logged_envelope(row)
        return Recalled(row, envelope, read_body(envelope), row.party == self._own)

    def declared(self, message_hash: str) -> Declared:
        """Return what a message declares; raises as a call, also where it declares nothing."""
        found = self(message_hash)
        if not isinstance(found.body, DeclaredBody):
            raise unfit(message_hash)
        return Declared(
            found.body.sound,
            self._party(found),
            found.own,
            message_hash,
            found.row.seq,
            found.row.logged_utc_ms,
            found.envelope.drill,
        )

    def filed(self, message_hash: str) -> Filed:
        """Return a message as an incident's file holds it; raises as a call."""
        found = self(message_hash)
        if found.body is None:
            raise unfit(message_hash)
        party, late = self._party(found), found.row.delayed
        return filed_of(found.envelope, message_hash, found.body, party=party, late=late)

    def signed(self, message_hash: str) -> tuple[Signed, int, bool]:
        """Return what a note of speech is held against, its slot, and whether it is ours."""
        found = self(message_hash)
        if found.body is None:
            raise unfit(message_hash)
        kind, drill = Kind(found.envelope.kind), found.envelope.drill
        return Signed(kind, found.body, message_hash, drill), found.row.seq, found.own

    def proposal(self, message_hash: str) -> Proposal:
        """Return the terms that a message proposes or accepts; raises as a call."""
        found = self(message_hash)
        if not isinstance(found.body, TermsMessage):
            raise unfit(message_hash)
        terms, signature = found.body.terms, found.body.signature
        return Proposal(terms, terms_hash(terms), self._party(found), signature, message_hash)

    def _party(self, found: Recalled) -> str:
        return self._own if found.own else self._peer


def unfit(message_hash: str) -> InvalidDocumentError:
    """Return the error that what was kept names a message which the record has not, or not so."""
    return InvalidDocumentError(
        "what was kept of the record is not of this record",
        given=f"message {message_hash:.16}",
        remedy="nothing: the whole record is read instead",
    )
