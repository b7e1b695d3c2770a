"""The envelope: one message in one slot of one party's chain.

The exact bytes are signed, sent, stored and hashed. Fields, bytes and rules:
``specs/envelope.md``. A body is any JSON value; what it means is not the line's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from deconflict.errors import MessageTooLongError
from deconflict.line.canonical import Json
from deconflict.line.keys import ALGORITHM, CONTEXT_ENVELOPE, SigningKey, VerifyKey, key_named
from deconflict.line.moment import utc_ms_from_text
from deconflict.line.precedence import Precedence
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
    bytes_as_read,
    hash_of,
    quickly_settled,
    read_statement,
    statement_bytes,
)

__all__ = [
    "GENESIS",
    "MAX_ENVELOPE_BYTES",
    "Address",
    "Draft",
    "Envelope",
    "SealedEnvelope",
    "as_its_reader_has_it",
    "bytes_in_slot",
    "envelope_bytes",
    "open_envelope",
    "read_envelope",
    "seal_envelope",
]

GENESIS: Final = "0" * 64  # ``prev`` of the first entry of a chain
MAX_ENVELOPE_BYTES: Final = 65_536 + 4_096  # a body of 64 KiB, and the fields around it

Kind = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z][A-Z0-9_]{0,31}\Z")]
Release = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z][A-Z0-9_]{0,31}\Z")]
Language = Annotated[str, msgspec.Meta(pattern=r"\A[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}\Z")]


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A desk of a party: a role on watch, never a person (R1)."""

    party: Name
    desk: Name


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an envelope says, field by field. ``sender`` is spelled ``from`` in its bytes.

    ``created_utc`` and ``clock_err_ms`` are evidence and control nothing by themselves;
    ``answer_within_ms`` may only shorten the limit of its precedence.
    """

    v: Version
    line: LineId
    sender: Address = msgspec.field(name="from")
    to: Address
    epoch: Epoch
    seq: Seq
    prev: Hash
    heard: ChainPoint | None
    kind: Kind
    prec: Precedence
    ref: Hash | None
    drill: bool
    release: Release
    created_utc: UtcText
    clock_err_ms: Millis
    answer_within_ms: Millis | None
    expires_after_ms: Millis | None
    lang: Language
    body: Json

    @property
    def created_utc_ms(self) -> int:
        """``created_utc`` in milliseconds since 1970."""
        return utc_ms_from_text(self.created_utc)


class SealedEnvelope(msgspec.Struct, frozen=True):
    """Exact bytes and their signature: what travels, is stored, and proves.

    ``second_signature`` is the place of a post-quantum signature; version 1 leaves it empty.
    """

    data: bytes
    signature: Signature
    second_signature: None = None

    @property
    def hash(self) -> str:
        """The message's name: SHA-256 of its bytes, 64 hex digits."""
        return hash_of(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a caller wants said; the line adds slot, chain, receipt and time.

    Attributes:
        kind: one of the kinds the line was given rules for.
        body: any JSON value, at most 64 KiB in canonical form.
        sender_desk: own desk.
        to_desk: the peer's desk.
        prec: None for the kind's own precedence.
        ref: hash of the message meant.
        drill: exercise only.
        release: onward-release label.
        answer_within_ms: shorter limit for the answer; a longer one than the precedence's has no
            effect.
        expires_after_ms: age past which the peer must not act on it.
        lang: language of the free text in the body.
        clock_err_ms: how wrong the own UTC clock may be.
    """

    kind: str
    body: Json
    sender_desk: str
    to_desk: str
    prec: Precedence | None = None
    ref: str | None = None
    drill: bool = False
    release: str = "NONE"
    answer_within_ms: int | None = None
    expires_after_ms: int | None = None
    lang: str = "en"
    clock_err_ms: int = 1_000


def envelope_bytes(envelope: Envelope) -> bytes:
    """Return the canonical bytes of an envelope.

    Raises:
        InvalidDocumentError: the body is no JSON value.
        MessageTooLongError: the whole is too long.
    """
    return _short_enough(statement_bytes(envelope))


def as_its_reader_has_it(envelope: Envelope) -> Envelope:
    """Return the envelope that is read from the canonical bytes of this one.

    Raises:
        InvalidDocumentError: the reader would refuse it, or the body is no JSON value.
        MessageTooLongError: the whole is too long.
    """
    quick = quickly_settled(envelope)
    if quick is None:
        return read_envelope(envelope_bytes(envelope))
    data, read = quick
    _short_enough(data)
    utc_ms_from_text(read.created_utc)
    return read


def bytes_in_slot(envelope: Envelope) -> bytes:
    """Return what ``envelope_bytes`` does, for an envelope that was read and put in another slot.

    Raises:
        MessageTooLongError: the whole is too long.
    """
    return _short_enough(bytes_as_read(envelope))


def _short_enough(data: bytes) -> bytes:
    if len(data) > MAX_ENVELOPE_BYTES:
        raise MessageTooLongError(
            "the message is too long",
            given=f"{len(data):,} bytes",
            expected=f"at most {MAX_ENVELOPE_BYTES:,} bytes",
            remedy="say it shorter, or in several messages",
        )
    return data


def read_envelope(data: bytes) -> Envelope:
    """Return the envelope whose canonical bytes are exactly ``data``, **unverified**.

    For bytes whose signature was checked before, or that this node made.

    Raises:
        InvalidDocumentError: not an envelope.
        NotCanonicalError: another spelling than the canonical one.
    """
    envelope = read_statement(data, Envelope, max_bytes=MAX_ENVELOPE_BYTES)
    utc_ms_from_text(envelope.created_utc)  # 31 February passes the pattern, not this
    return envelope


def seal_envelope(data: bytes, key: SigningKey) -> SealedEnvelope:
    """Return ``data`` signed. Call it only when the slot is durable (``specs/envelope.md`` §5)."""
    value = key.sign(CONTEXT_ENVELOPE, data)
    return SealedEnvelope(data, Signature(ALGORITHM, key.key_id, value))


def open_envelope(sealed: SealedEnvelope, keys: Mapping[str, VerifyKey]) -> Envelope:
    """Return what a sealed envelope says, once its signature holds. Bytes are verified first.

    Raises:
        UnknownKeyError: the signature names no key of ``keys``.
        BadSignatureError: the signature is not of these bytes by that key.
        NotCanonicalError, InvalidDocumentError: signed, but not one canonical envelope.
    """
    signature = sealed.signature
    key = key_named(keys, signature.algorithm, signature.key_id)
    key.verify(CONTEXT_ENVELOPE, sealed.data, signature.value)
    return read_envelope(sealed.data)
