"""How signed things travel: one packet a line of text, strict to the byte.

The same text goes over HTTP, into a file and through e-mail. A packet is transport: it is not
signed itself, what it carries is. A body with one bad line is refused whole. Bytes and limits:
``specs/packets.md``.
"""

import base64
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.line.checkpoint import MAX_CHECKPOINT_BYTES
from deconflict.line.envelope import MAX_ENVELOPE_BYTES, SealedEnvelope
from deconflict.line.receipt import SealedReceipt, SealedRefusal
from deconflict.line.statement import (
    MAX_CHAIN_LENGTH,
    ChainPoint,
    Epoch,
    LineId,
    Seq,
    Signature,
)
from deconflict.line.tree import HASH_BYTES, MAX_PROOF_HASHES
from deconflict.line.witness import Cosigned, Submission

__all__ = [
    "MAX_ANSWER_ENTRIES",
    "MAX_BODY_BYTES",
    "MAX_BODY_PACKETS",
    "Answer",
    "Packet",
    "Question",
    "Role",
    "Want",
    "decode_packets",
    "encode_packets",
]

MAX_ANSWER_ENTRIES: Final = 256
MAX_BODY_BYTES: Final = 8 * 1_024 * 1_024
MAX_BODY_PACKETS: Final = 1_024


class Want(msgspec.Struct, frozen=True):
    """ "I miss these of your slots." Unsigned: the worst a forged one does is a repetition.

    Attributes:
        line: the line it is about.
        epoch: of the chain that has the gap.
        first: first missing slot.
        last: last missing slot, at least ``first``.
    """

    line: str
    epoch: str
    first: int
    last: int


class Role(StrEnum):
    """As what a party asks that may have lost part of its record."""

    AUTHOR = "AUTHOR"  # "what do you hold in my name?"
    LISTENER = "LISTENER"  # "say your chain again"


class Question(msgspec.Struct, frozen=True):
    """What a party asks that may have lost part of its record. Unsigned, as :class:`Want`.

    Attributes:
        line: the line it is about.
        role: whose chain it is about: the asker's own, or the asked party's.
        nonce: fresh; the answer says it again.
        after: the last entry of that chain that the asker is sure of; None for none.
    """

    line: str
    role: Role
    nonce: str
    after: ChainPoint | None


class Answer(msgspec.Struct, frozen=True):
    """What a :class:`Question` is answered with; each entry in it proves itself.

    Attributes:
        line: the line it is about.
        role: of the question.
        nonce: of the question.
        deaf: the one who answers may itself have lost part of that chain: this is no receipt.
        begins: False exactly when it does not hold the entry that was to be begun behind.
        head: the last entry of the chain that it holds, or has said; None for none.
        entries: what stands behind the question's ``after``, in order, and maybe not all of it.
        receipt: the last receipt for that chain, whoever of the two signed it.
    """

    line: str
    role: Role
    nonce: str
    deaf: bool
    begins: bool
    head: ChainPoint | None
    entries: tuple[SealedEnvelope, ...]
    receipt: SealedReceipt | None


Packet: TypeAlias = (
    SealedEnvelope
    | SealedReceipt
    | SealedRefusal
    | Want
    | Submission
    | Cosigned
    | Question
    | Answer
)


_MAX_LINE_BYTES: Final = MAX_ENVELOPE_BYTES * 4 // 3 + 1_024  # base64, and the fields around it
_ANSWER_LINE: Final = b'{"type":"answer"'
_MAX_ANSWER_BYTES: Final = 4 * 1_024 * 1_024  # several entries in one line
_Text = Annotated[str, msgspec.Meta(max_length=_MAX_LINE_BYTES)]
_Algorithm = Annotated[str, msgspec.Meta(max_length=32)]
_KeyId = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_HashText = Annotated[str, msgspec.Meta(min_length=44, max_length=44)]
_NoteText = Annotated[str, msgspec.Meta(max_length=MAX_CHECKPOINT_BYTES * 4 // 3 + 4)]


class _Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    data: _Text
    algorithm: _Algorithm
    key_id: _KeyId
    signature: _Text


class _Signed(_Held, frozen=True, tag_field="type"):
    pass


class _Envelope(_Signed, frozen=True, tag="envelope"):
    second_signature: None


class _Receipt(_Signed, frozen=True, tag="receipt"):
    pass


class _Refusal(_Signed, frozen=True, tag="refusal"):
    pass


class _Want(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="want"):
    line: LineId
    epoch: Epoch
    first: Seq
    last: Seq


class _Submission(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="checkpoint"
):
    line: LineId
    old_size: Annotated[int, msgspec.Meta(ge=0, le=MAX_CHAIN_LENGTH)]
    proof: Annotated[tuple[_HashText, ...], msgspec.Meta(max_length=MAX_PROOF_HASHES)]
    note: _NoteText


class _Cosigned(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="cosignature"
):
    line: LineId
    note: _NoteText


_Nonce = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]


class _Question(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="question"
):
    line: LineId
    role: Role
    nonce: _Nonce
    after: ChainPoint | None


class _Answer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="answer"
):
    line: LineId
    role: Role
    nonce: _Nonce
    deaf: bool
    begins: bool
    head: ChainPoint | None
    entries: Annotated[tuple[_Held, ...], msgspec.Meta(max_length=MAX_ANSWER_ENTRIES)]
    receipt: _Held | None


_Wire: TypeAlias = (
    _Envelope | _Receipt | _Refusal | _Want | _Submission | _Cosigned | _Question | _Answer
)
_DECODER: Final = msgspec.json.Decoder(_Wire)
_ENCODER: Final = msgspec.json.Encoder()


def encode_packets(packets: Iterable[Packet]) -> bytes:
    """Return packets as text, one a line, each line ended by a newline."""
    return b"".join(_ENCODER.encode(_to_wire(packet)) + b"\n" for packet in packets)


def decode_packets(data: bytes) -> list[Packet]:
    """Return the packets of a body, nothing in them verified yet.

    Every line must be exactly what :func:`encode_packets` writes, so a duplicate key, a space or
    a second base64 spelling is refused. No line at all is an empty list.

    Raises:
        InvalidDocumentError: too large, too many, or any line that is not one packet.
    """
    if len(data) > MAX_BODY_BYTES:
        raise _bad_body("too many bytes", f"{len(data):,}", f"at most {MAX_BODY_BYTES:,}")
    if not data:
        return []
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise _bad_body("the last packet is cut off", repr(data[-20:]), "a newline at the end")
    if len(lines) > MAX_BODY_PACKETS:
        raise _bad_body("too many packets", f"{len(lines):,}", f"at most {MAX_BODY_PACKETS:,}")
    return [_decode_line(number, line) for number, line in enumerate(lines, start=1)]


def _decode_line(number: int, line: bytes) -> Packet:
    longest = _MAX_ANSWER_BYTES if line.startswith(_ANSWER_LINE) else _MAX_LINE_BYTES
    if len(line) > longest:
        raise _bad_body(f"packet {number} is too long", f"{len(line):,} bytes", "one packet")
    try:
        wire = _DECODER.decode(line)
        packet = _from_wire(wire)
    except (ValueError, RecursionError) as error:  # msgspec.DecodeError and binascii are too
        raise _bad_body(f"packet {number} cannot be read", str(error)[:120], "a packet") from error
    if _ENCODER.encode(_to_wire(packet)) != line:
        raise _bad_body(
            f"packet {number} is written in another form", repr(line[:60]), "the exact form"
        )
    return packet


def _to_wire(packet: Packet) -> _Wire:
    match packet:
        case SealedEnvelope(data, signature):
            return _Envelope(*_signed_fields(data, signature), None)
        case SealedReceipt(data, signature):
            return _Receipt(*_signed_fields(data, signature))
        case SealedRefusal(data, signature):
            return _Refusal(*_signed_fields(data, signature))
        case Want(line, epoch, first, last):
            return _Want(line, epoch, first, last)
        case Submission(line, old_size, proof, note):
            return _Submission(line, old_size, tuple(map(_base64, proof)), _base64(note))
        case Cosigned(line, note):
            return _Cosigned(line, _base64(note))
        case Question(line, role, nonce, after):
            return _Question(line, role, nonce, after)
        case Answer():
            return _Answer(
                packet.line,
                packet.role,
                packet.nonce,
                packet.deaf,
                packet.begins,
                packet.head,
                tuple(_Held(*_signed_fields(one.data, one.signature)) for one in packet.entries),
                None
                if packet.receipt is None
                else _Held(*_signed_fields(packet.receipt.data, packet.receipt.signature)),
            )


def _signed_fields(data: bytes, signature: Signature) -> tuple[str, str, str, str]:
    return _base64(data), signature.algorithm, signature.key_id, _base64(signature.value)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_wire(wire: _Wire) -> Packet:
    match wire:
        case _Want():
            if wire.last < wire.first:
                raise ValueError(f"slots {wire.first} to {wire.last} run backwards")
            return Want(wire.line, wire.epoch, wire.first, wire.last)
        case _Submission():
            proof = tuple(base64.b64decode(one, validate=True) for one in wire.proof)
            if any(len(one) != HASH_BYTES for one in proof):
                raise ValueError("a hash of a proof has 32 bytes")
            note = base64.b64decode(wire.note, validate=True)
            return Submission(wire.line, wire.old_size, proof, note)
        case _Cosigned():
            return Cosigned(wire.line, base64.b64decode(wire.note, validate=True))
        case _Question():
            return Question(wire.line, wire.role, wire.nonce, wire.after)
        case _Answer():
            return Answer(
                wire.line,
                wire.role,
                wire.nonce,
                wire.deaf,
                wire.begins,
                wire.head,
                tuple(SealedEnvelope(*_signed(one)) for one in wire.entries),
                None if wire.receipt is None else SealedReceipt(*_signed(wire.receipt)),
            )
    data, signature = _signed(wire)
    match wire:
        case _Envelope():
            return SealedEnvelope(data, signature)
        case _Receipt():
            return SealedReceipt(data, signature)
        case _Refusal():
            return SealedRefusal(data, signature)


def _signed(wire: _Held) -> tuple[bytes, Signature]:
    value = base64.b64decode(wire.signature, validate=True)
    return base64.b64decode(wire.data, validate=True), Signature(wire.algorithm, wire.key_id, value)


def _bad_body(problem: str, given: str, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"the packets cannot be read: {problem}",
        given=given,
        expected=expected,
        remedy="refuse the whole body; the sender repeats it",
    )
