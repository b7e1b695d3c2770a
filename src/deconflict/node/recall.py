"""Messages of a line by their hashes, read again from its record."""

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import Body
from deconflict.node.logged import logged_envelope, read_body
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
    """

    def __init__(self, store: Store, line_id: str, own: str) -> None:
        self._store, self._line_id, self._own = store, line_id, own

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


def unfit(message_hash: str) -> InvalidDocumentError:
    """Return the error that what was kept names a message which the record has not, or not so."""
    return InvalidDocumentError(
        "what was kept of the record is not of this record",
        given=f"message {message_hash:.16}",
        remedy="nothing: the whole record is read instead",
    )
