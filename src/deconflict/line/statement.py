"""What all signed statements share: field types, strict reading, the signature beside the bytes."""

import hashlib
from functools import cache
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.line.canonical import (
    MAX_DOCUMENT_BYTES,
    canonical_bytes,
    is_surely_canonical,
    parse_canonical,
)
from deconflict.line.moment import UTC_TEXT_PATTERN

__all__ = [
    "MAX_CHAIN_LENGTH",
    "ChainPoint",
    "Epoch",
    "Hash",
    "LineId",
    "Millis",
    "Name",
    "Seq",
    "Signature",
    "UtcText",
    "Version",
    "bytes_as_read",
    "hash_of",
    "quickly_settled",
    "read_statement",
    "statement_bytes",
]

MAX_CHAIN_LENGTH = 2**53 - 1
NAME_PATTERN = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z"

Version: TypeAlias = Literal[1]
Hash: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
LineId: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
Epoch: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
Seq: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MAX_CHAIN_LENGTH)]
Name: TypeAlias = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN)]
UtcText: TypeAlias = Annotated[str, msgspec.Meta(pattern=UTC_TEXT_PATTERN)]
Millis: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_CHAIN_LENGTH)]


class ChainPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One slot of one party's chain, and the hash of what stands in it."""

    epoch: Epoch
    seq: Seq
    hash: Hash


class Signature(msgspec.Struct, frozen=True):
    """A signature with what is needed to check it. ``value`` is 64 bytes for Ed25519."""

    algorithm: str
    key_id: str
    value: bytes


def hash_of(data: bytes) -> str:
    """Return the name of signed bytes: their SHA-256, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


StatementT = TypeVar("StatementT", bound=msgspec.Struct)

_ENCODER: Final = msgspec.json.Encoder(order="sorted")


@cache
def _decoder(kind: type[StatementT]) -> msgspec.json.Decoder[StatementT]:
    return msgspec.json.Decoder(kind)


def statement_bytes(statement: msgspec.Struct) -> bytes:
    """Return the canonical bytes of a statement; these are signed, sent, stored and hashed."""
    quick = quickly_settled(statement)
    return canonical_bytes(msgspec.to_builtins(statement)) if quick is None else quick[0]


def quickly_settled(statement: StatementT) -> tuple[bytes, StatementT] | None:
    """Return its canonical bytes and what ``read_statement`` makes of them, which is the same.

    None says nothing: the slow way judges.
    """
    try:
        data = _ENCODER.encode(statement)
        if is_surely_canonical(data):
            read = _decoder(type(statement)).decode(data)
            # What reads back as the same lost nothing on the way.
            return (data, read) if read == statement else None
    except (TypeError, ValueError):  # msgspec.DecodeError is one
        pass
    return None


def bytes_as_read(statement: msgspec.Struct) -> bytes:
    """Return what ``statement_bytes`` does, for a statement that was read from canonical bytes.

    Other values may stand in those of its fields that hold hex, times or whole numbers: of none of
    these can anything be lost in writing.
    """
    data = _ENCODER.encode(statement)
    return data if is_surely_canonical(data) else statement_bytes(statement)


def read_statement(
    data: bytes, kind: type[StatementT], *, max_bytes: int = MAX_DOCUMENT_BYTES
) -> StatementT:
    """Return the statement whose canonical bytes are exactly ``data``.

    Raises:
        InvalidDocumentError: not JSON, or a field is missing, unknown or out of its range.
        NotCanonicalError: another spelling than the canonical one.
    """
    if len(data) <= max_bytes and is_surely_canonical(data):
        try:
            read: StatementT = _decoder(kind).decode(data)
        except msgspec.DecodeError:
            pass  # one place says what is refused, and why
        else:
            return read
    value = parse_canonical(data, max_bytes=max_bytes)
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidDocumentError(
            f"this is not a valid {kind.__name__.lower()}",
            given=str(error)[:160],
            expected="exactly the fields of its specification",
            remedy="refuse it and keep its bytes; the sender's program is at fault",
        ) from error
