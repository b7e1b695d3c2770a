"""Receipts and refusals: what a party signs about its peer's chain.

A receipt is cumulative: it says that everything up to one slot is durable here. It is made from
durable state alone (the time in it is the stored time of the entry), so after a crash the same
receipt has the same bytes, and repeating it does no harm. Bytes: ``specs/receipt.md``.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from deconflict.line.keys import (
    ALGORITHM,
    CONTEXT_RECEIPT,
    CONTEXT_REFUSAL,
    SigningKey,
    VerifyKey,
    key_named,
)
from deconflict.line.moment import utc_ms_from_text
from deconflict.line.statement import (
    ChainPoint,
    Epoch,
    Hash,
    LineId,
    Millis,
    Name,
    Seq,
    Signature,
    UtcText,
    Version,
    hash_of,
    read_statement,
    statement_bytes,
)

__all__ = [
    "Receipt",
    "Refusal",
    "RefusalReason",
    "SealedReceipt",
    "SealedRefusal",
    "open_receipt",
    "open_refusal",
    "read_receipt",
    "seal_receipt",
    "seal_refusal",
]

_MAX_BYTES = 1_024


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """ "Your chain up to and including this slot is durable here." ``sender`` is ``from``."""

    v: Version
    line: LineId
    sender: Name = msgspec.field(name="from")
    to: Name
    epoch: Epoch
    seq: Seq
    hash: Hash
    received_utc: UtcText

    @property
    def point(self) -> ChainPoint:
        """The slot receipted."""
        return ChainPoint(self.epoch, self.seq, self.hash)

    @property
    def received_utc_ms(self) -> int:
        """When the slot's entry was received, milliseconds since 1970."""
        return utc_ms_from_text(self.received_utc)


class RefusalReason(StrEnum):
    """Why a message that verified is not logged."""

    MALFORMED = "MALFORMED"  # signed, but not one canonical envelope
    FORKED = "FORKED"  # the slot is taken by another message
    BROKEN_CHAIN = "BROKEN_CHAIN"  # ``prev`` is not the entry held before it
    UNKNOWN_EPOCH = "UNKNOWN_EPOCH"  # kept as an orphan
    KEY_REFUSED = "KEY_REFUSED"  # it brings a key that no pinned root vouches for
    NO_ROOM = "NO_ROOM"  # the disk is nearly full; repeat it later


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """ "These bytes of yours came, and I do not log them, because". ``sender`` is ``from``.

    Attributes:
        epoch: of the slot they are for; None when they cannot be read.
        seq: of that slot; None with the epoch.
        hash: their name.
        reason: why.
        repeat_after_ms: for how long repeating them makes no sense; None when it never does or
            nobody knows.
    """

    v: Version
    line: LineId
    sender: Name = msgspec.field(name="from")
    to: Name
    epoch: Epoch | None
    seq: Seq | None
    hash: Hash
    reason: RefusalReason
    repeat_after_ms: Millis | None


class SealedReceipt(msgspec.Struct, frozen=True):
    """A receipt's exact bytes and their signature."""

    data: bytes
    signature: Signature

    @property
    def hash(self) -> str:
        """SHA-256 of the bytes, 64 hex digits."""
        return hash_of(self.data)


class SealedRefusal(msgspec.Struct, frozen=True):
    """A refusal's exact bytes and their signature."""

    data: bytes
    signature: Signature

    @property
    def hash(self) -> str:
        """SHA-256 of the bytes, 64 hex digits."""
        return hash_of(self.data)


def seal_receipt(receipt: Receipt, key: SigningKey) -> SealedReceipt:
    """Return a receipt signed. Only for what is durable: a receipt stays true for ever."""
    data = statement_bytes(receipt)
    return SealedReceipt(data, Signature(ALGORITHM, key.key_id, key.sign(CONTEXT_RECEIPT, data)))


def read_receipt(data: bytes) -> Receipt:
    """Return the receipt whose canonical bytes are exactly ``data``, **unverified**.

    Raises:
        InvalidDocumentError, NotCanonicalError: not one canonical receipt.
    """
    receipt = read_statement(data, Receipt, max_bytes=_MAX_BYTES)
    utc_ms_from_text(receipt.received_utc)
    return receipt


def open_receipt(sealed: SealedReceipt, keys: Mapping[str, VerifyKey]) -> Receipt:
    """Return what a sealed receipt says, once its signature holds.

    Raises:
        UnknownKeyError, BadSignatureError: not signed by a key of ``keys``.
        InvalidDocumentError, NotCanonicalError: signed, but not one canonical receipt.
    """
    signature = sealed.signature
    key = key_named(keys, signature.algorithm, signature.key_id)
    key.verify(CONTEXT_RECEIPT, sealed.data, signature.value)
    return read_receipt(sealed.data)


def seal_refusal(refusal: Refusal, key: SigningKey) -> SealedRefusal:
    """Return a refusal signed."""
    data = statement_bytes(refusal)
    return SealedRefusal(data, Signature(ALGORITHM, key.key_id, key.sign(CONTEXT_REFUSAL, data)))


def open_refusal(sealed: SealedRefusal, keys: Mapping[str, VerifyKey]) -> Refusal:
    """Return what a sealed refusal says, once its signature holds; raises as open_receipt."""
    signature = sealed.signature
    key = key_named(keys, signature.algorithm, signature.key_id)
    key.verify(CONTEXT_REFUSAL, sealed.data, signature.value)
    return read_statement(sealed.data, Refusal, max_bytes=_MAX_BYTES)
