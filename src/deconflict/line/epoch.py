"""The entry that opens a new epoch of a chain: what it follows, and why there is a new one.

A party that may have lost part of what it said draws a fresh epoch, so that no slot of an old one
is ever signed again; so does one that changes its key. Slot 1 of the new epoch says behind which
entry of an earlier one it stands, so the order of a chain is proven across its epochs. Bytes and
rules: ``specs/envelope.md`` §9.
"""

from enum import StrEnum
from typing import Final

import msgspec

from deconflict.line.envelope import Envelope
from deconflict.line.key_change import KeyChange
from deconflict.line.statement import ChainPoint

__all__ = ["EPOCH_KIND", "EpochOpening", "EpochReason", "opening_of", "words_of"]

EPOCH_KIND: Final = "EPOCH"


class EpochReason(StrEnum):
    """Why an epoch was opened."""

    RESTORED = "RESTORED"  # the author's record was older than what it had said, or may have been
    KEY_CHANGED = "KEY_CHANGED"  # it signs with another key from here on


class EpochOpening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an EPOCH entry.

    Attributes:
        follows: the last entry of the author's chain that both sides hold; None when the other
            side holds none.
        reason: why.
        key: the change that brings another key in force; null with any other reason.
    """

    follows: ChainPoint | None
    reason: EpochReason
    key: KeyChange | None


def opening_of(envelope: Envelope) -> EpochOpening | None:
    """Return what an envelope opens; None for every one that opens no epoch."""
    if envelope.kind != EPOCH_KIND or envelope.seq != 1:
        return None
    body: object = envelope.body
    try:
        if isinstance(body, msgspec.Raw):  # of the record, where a body is read when it is needed
            opening = msgspec.json.decode(body, type=EpochOpening, strict=True)
        else:
            opening = msgspec.convert(body, EpochOpening, strict=True)
    except msgspec.ValidationError:
        return None
    changes = opening.reason is EpochReason.KEY_CHANGED
    return opening if changes == (opening.key is not None) else None


def words_of(envelope: Envelope) -> bytes:
    """Return what a message says wherever it stands: the same bytes when it is said again.

    Without its slot, and without what it cites: an own message that it cites may have been said
    again too, under another hash.
    """
    said = (
        envelope.kind,
        envelope.created_utc,
        envelope.sender,
        envelope.to,
        envelope.prec,
        envelope.drill,
        envelope.lang,
        envelope.body,
    )
    return msgspec.json.encode(said, order="sorted")
