"""A parcel: packets of a line, taken along where no network is.

It holds exactly the packets that the network would carry, below one line that says whose they are.
Like a packet it is transport: nothing of it is signed but what it carries, and whoever takes one
hears it as if it had come by the network. Bytes and limits: ``specs/bearers.md`` §2.
"""

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.line.packets import (
    MAX_BODY_BYTES,
    MAX_BODY_PACKETS,
    Packet,
    decode_packets,
    encode_packets,
)
from deconflict.line.statement import LineId, Name, UtcText

__all__ = [
    "MAX_PARCEL_BYTES",
    "PARCEL_MAGIC",
    "Parcel",
    "ParcelHead",
    "decode_parcel",
    "encode_parcel",
    "pack_parcel",
    "unpack_parcel",
]

PARCEL_MAGIC: Final = b"deconflict/1 parcel\n"
_MAX_HEAD_BYTES: Final = 1_024
_SUM_BYTES: Final = 65
MAX_PARCEL_BYTES: Final = MAX_BODY_BYTES + _MAX_HEAD_BYTES + _SUM_BYTES
_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_PARCEL_BYTES)]


class ParcelHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The line above the packets. Unsigned: it says what to expect, and proves nothing.

    Attributes:
        v: version of the form.
        line: the line.
        sender: the party whose node made it.
        to: the party it is for.
        made_utc: when, by that node's clock.
        packets: how many packets stand below.
        bytes: how long they are.
    """

    v: Literal[1]
    line: LineId
    sender: Name = msgspec.field(name="from")
    to: Name
    made_utc: UtcText
    packets: _Count
    bytes: _Count


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a parcel says and holds; nothing in it is verified yet."""

    head: ParcelHead
    packets: tuple[Packet, ...]


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(ParcelHead)


def encode_parcel(
    packets: Iterable[Packet], *, line: str, sender: str, to: str, made_utc: str
) -> bytes:
    """Return packets as a parcel.

    Raises:
        InvalidDocumentError: more than one body can hold.
    """
    held = tuple(packets)
    body = encode_packets(held)
    if len(body) > MAX_BODY_BYTES or len(held) > MAX_BODY_PACKETS:
        raise InvalidDocumentError(
            "this is more than one parcel can hold",
            given=f"{len(held):,} packets, {len(body):,} bytes",
            expected=f"{MAX_BODY_PACKETS:,} packets, {MAX_BODY_BYTES:,} bytes",
        )
    head = ParcelHead(
        v=1,
        line=line,
        sender=sender,
        to=to,
        made_utc=made_utc,
        packets=len(held),
        bytes=len(body),
    )
    return _summed(PARCEL_MAGIC + _ENCODER.encode(head) + b"\n" + body)


def decode_parcel(data: bytes) -> Parcel:
    """Return the parcel that these bytes are, to the byte.

    Raises:
        InvalidDocumentError: no parcel, of another version, cut off, damaged, or too large.

    >>> made = encode_parcel([], line="0" * 32, sender="blue", to="red",
    ...                      made_utc="2015-09-30T06:00:00.000Z")
    >>> decode_parcel(made).head.to
    'red'
    """
    if not data.startswith(PARCEL_MAGIC):
        raise _no_parcel("it begins otherwise", repr(data[:24]), PARCEL_MAGIC.decode().strip())
    if len(data) > MAX_PARCEL_BYTES:
        raise _no_parcel("too large", f"{len(data):,} bytes", f"at most {MAX_PARCEL_BYTES:,}")
    line, newline, body = data[len(PARCEL_MAGIC) :].partition(b"\n")
    head = _decoded_head(line) if newline and len(line) <= _MAX_HEAD_BYTES else None
    if head is None:
        raise _no_parcel("its head cannot be read", repr(line[:60]), "one line, in the exact form")
    held = len(body) - _SUM_BYTES
    if held != head.bytes:
        what = "it is cut off" if held < head.bytes else "something follows it"
        raise _damaged(what, f"{max(held, 0):,} bytes", f"{head.bytes:,}")
    # Not to hold a liar off, who can make a sum too; so that damage is told from a lie.
    if data != _summed(data[:-_SUM_BYTES]):
        raise _damaged("a byte of it was changed on the way", "another sum", "its last line")
    packets = decode_packets(body[:-_SUM_BYTES])
    if len(packets) != head.packets:
        raise _damaged("packets are missing", f"{len(packets):,}", f"{head.packets:,}")
    return Parcel(head, tuple(packets))


def pack_parcel(parcel: bytes) -> bytes:
    """Return a parcel as bearers of text carry it: deflated (RFC 1950)."""
    return zlib.compress(parcel, 9)


def unpack_parcel(packed: bytes) -> bytes:
    """Return the parcel in its packed bytes; never more than a parcel may have.

    Raises:
        InvalidDocumentError: these are no packed bytes, or of too much.
    """
    inflater = zlib.decompressobj()
    try:
        parcel = inflater.decompress(packed, MAX_PARCEL_BYTES)
    except zlib.error as error:
        raise _damaged("it cannot be unpacked", str(error)[:80], "RFC 1950") from error
    if not inflater.eof or inflater.unused_data:
        raise _damaged("it does not end where it should", f"{len(packed):,} bytes", "one parcel")
    return parcel


def _summed(data: bytes) -> bytes:
    """Return the bytes with their SHA-256 below, 64 hex digits and a newline."""
    return data + hashlib.sha256(data).hexdigest().encode("ascii") + b"\n"


def _decoded_head(line: bytes) -> ParcelHead | None:
    try:
        head = _DECODER.decode(line)
    except (ValueError, RecursionError):  # msgspec.DecodeError is one
        return None
    return head if _ENCODER.encode(head) == line else None


def _no_parcel(problem: str, given: str, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"this is no parcel: {problem}",
        given=given,
        expected=expected,
        remedy="take what `deconflict line carry` of the other side wrote, as it is",
    )


def _damaged(problem: str, given: str, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"the parcel is damaged: {problem}",
        given=given,
        expected=expected,
        remedy="nothing of it was taken; ask for it once more, or for another bearer",
    )
