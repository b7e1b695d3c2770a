"""The lines of a bundle: what each kind holds, its one byte form, and reading them strictly.

Bytes: ``specs/bundle.md``.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeAlias

import msgspec

from deconflict.errors import (
    InvalidDocumentError,
    NotCanonicalError,
)
from deconflict.line.canonical import canonical_bytes
from deconflict.line.statement import (
    Hash,
    LineId,
    Name,
    Signature,
    UtcText,
)

__all__ = [
    "BUNDLE_FORMAT",
    "CONTEXT_BUNDLE",
    "MAX_BUNDLE_LINE_BYTES",
    "Base64",
    "BundleLine",
    "CheckpointItem",
    "EntryItem",
    "EvidenceItem",
    "Item",
    "Manifest",
    "NoteItem",
    "PartItem",
    "ReceiptItem",
    "Seal",
    "SignedItem",
    "TermsItem",
    "base64_text",
    "decoded",
    "encoded",
    "lines_of",
    "malformed",
    "proven_entry",
    "proven_item",
    "require_standard_base64",
    "whole_pieces",
]

BUNDLE_FORMAT: Final = "deconflict-bundle/1"
CONTEXT_BUNDLE: Final = b"deconflict/1 bundle\n"
MAX_BUNDLE_LINE_BYTES: Final = 16 * 1_024 * 1_024  # evidence may be a whole body of 8 MiB, base64
PIECE_BYTES: Final = 1 << 20  # some 650 entries: 40 ms of work

Base64: TypeAlias = str
KeyId: TypeAlias = Hash


class BundleLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """One line of a bundle: a canonical JSON object that says its type."""


class Manifest(BundleLine, frozen=True, tag="manifest"):
    format: Literal["deconflict-bundle/1"]
    line: LineId
    keys: dict[Name, Base64]  # of both parties, by party
    by: Name
    exported_utc: UtcText


class SignedItem(BundleLine, frozen=True):
    data: Base64
    algorithm: str
    key_id: str
    signature: Base64

    @property
    def exact(self) -> bytes:
        return base64.b64decode(self.data)

    @property
    def sealed_with(self) -> Signature:
        return Signature(self.algorithm, self.key_id, base64.b64decode(self.signature))


class TermsItem(SignedItem, frozen=True, tag="terms"):
    party: Name  # who signed
    stored_utc: UtcText


class EntryItem(SignedItem, frozen=True, tag="entry"):
    party: Name  # the author
    logged_utc: UtcText
    delayed: bool


class ReceiptItem(SignedItem, frozen=True, tag="receipt"):
    stored_utc: UtcText


class NoteItem(BundleLine, frozen=True):
    note: Base64  # signed by the chain's author and by the other party

    @property
    def exact(self) -> bytes:
        return base64.b64decode(self.note)


class CheckpointItem(NoteItem, frozen=True, tag="checkpoint"):
    stored_utc: UtcText


class EvidenceItem(SignedItem, frozen=True, tag="evidence"):
    reason: str
    stored_utc: UtcText


class PartItem(BundleLine, frozen=True, tag="part"):
    sha256: Hash  # as a step of a private check names it
    data: Base64

    @property
    def exact(self) -> bytes:
        return base64.b64decode(self.data)


class Seal(BundleLine, frozen=True, tag="seal"):
    sha256: Hash  # of every byte before this line
    algorithm: str
    key_id: KeyId
    signature: Base64


Item: TypeAlias = (
    Manifest | TermsItem | EntryItem | ReceiptItem | CheckpointItem | EvidenceItem | PartItem | Seal
)
_DECODER: Final = msgspec.json.Decoder(Item)
_ENTRY_DECODER: Final = msgspec.json.Decoder(EntryItem)


def encoded(item: Item) -> bytes:
    return canonical_bytes(msgspec.to_builtins(item)) + b"\n"


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def whole_pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield whole lines with their newlines, many at once; hold no more than two pieces.

    Raises:
        InvalidDocumentError: the last line has no end, or is too long; all before it was yielded.
    """
    piece, rest = bytearray(), b""  # whole lines; the beginning of one
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            piece += rest
            piece += chunk[:end]
            rest = b""
        rest += chunk[end:]
        if len(piece) >= PIECE_BYTES:
            yield bytes(piece)
            piece = bytearray()
        if len(rest) > MAX_BUNDLE_LINE_BYTES:
            break
    if piece:
        yield bytes(piece)
    if rest:
        raise InvalidDocumentError(
            "the bundle's last line is cut off or too long",
            given=f"{len(rest):,} bytes without an end of line",
            expected=f"at most {MAX_BUNDLE_LINE_BYTES:,} and an end of line",
            remedy="export it again",
        )


def lines_of(text: bytes) -> Iterator[bytes]:
    """Yield the lines of a text that ends with one, each with its newline."""
    return (line + b"\n" for line in text.split(b"\n")[:-1])


def decoded(line: bytes) -> Item:
    try:
        item: Item = _DECODER.decode(line)
        _require_strict_base64(item)
        exact = encoded(item)
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError and binascii's are too
        raise malformed(str(error)[:160], "an item of a bundle") from error
    if exact != line:
        raise NotCanonicalError(
            "it is not in its one byte form",
            given=repr(line[:60]),
            expected=repr(exact[:60]),
            remedy="ask for the bundle again",
        )
    return item


def proven_entry(line: bytes) -> EntryItem:
    """Return the entry of a line that was proven to be one, in its one byte form."""
    return _ENTRY_DECODER.decode(line)


def proven_item(line: bytes) -> Item:
    """Return the item of a line of a bundle that was proven."""
    item: Item = _DECODER.decode(line)
    return item


def _require_strict_base64(item: Item) -> None:
    texts = [item.signature] if isinstance(item, Seal) else []
    if isinstance(item, SignedItem):
        texts = [item.data, item.signature]
    if isinstance(item, CheckpointItem):
        texts = [item.note]
    if isinstance(item, PartItem):
        texts = [item.data]
    for text in texts:
        require_standard_base64(text)


def require_standard_base64(text: str) -> None:
    """Raise ValueError where two spellings of one value could hide a changed byte."""
    if base64_text(base64.b64decode(text, validate=True)) != text:
        raise ValueError("base64 in another spelling than the standard one")


def malformed(why: str, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(why, expected=expected, remedy="ask for the bundle again")
