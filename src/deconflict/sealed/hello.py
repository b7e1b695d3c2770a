"""HELLO: what each side fixes before a byte of the check is sent, and the name of the session.

Both sides say one. It shows the key of this session and what the other side may hold the sender to
later: commitments to its plan, to the seed that all its randomness comes from, and to its half of
the coin that picks sessions to be opened; and a root over its own cells, each with a salt. The hash
of both names the session, so a HELLO serves once. Bytes: ``specs/private-check.md``.
"""

import hashlib
from typing import Annotated, Final, Literal

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.line.canonical import parse_canonical
from deconflict.line.statement import Hash, UtcText, Version
from deconflict.sealed.document import Document

__all__ = ["MAX_HELLO_BYTES", "Hello", "Shape", "commitment", "read_hello", "session_id"]

MAX_HELLO_BYTES: Final = 65_536
_SESSION: Final = b"deconflict/1 sealed session\n"
_COMMITMENT: Final = b"deconflict/1 sealed commitment "

Bucket = Annotated[int, msgspec.Meta(ge=64, le=1 << 26)]
Coarse = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long everything is that will be sent. Agreed on: it is the same on both sides.

    Attributes:
        grid: hash of the grid document in the terms.
        parts: into how many the sides of its cells are cut; 1 for the coarse check.
        slots: of the coarse grid, ascending: those to be looked at more finely; empty for all,
            which is the only choice of the coarse check.
        points: exactly so many of each slot are asked, cells, canary and pads together.
        bucket: exactly so many tags are shown; a multiple of 64.
    """

    grid: Hash
    parts: Annotated[int, msgspec.Meta(ge=1, le=64)]
    slots: Annotated[tuple[Coarse, ...], msgspec.Meta(max_length=4_096)]
    points: Annotated[int, msgspec.Meta(ge=2, le=65_535)]
    bucket: Bucket

    def require_sound(self) -> None:
        """Return when it holds together.

        Raises:
            InvalidDocumentError: slots out of order, slots in a coarse check, none in a finer one,
                or a bucket that does not divide into 64 chunks.
        """
        ascending = all(a < b for a, b in zip(self.slots, self.slots[1:], strict=False))
        if not ascending or (self.parts == 1) != (not self.slots):
            raise InvalidDocumentError(
                "the slots of this check cannot be used",
                given=f"{len(self.slots)} slots, cells cut into {self.parts}",
                expected="ascending slots in a finer check, none named in the coarse one",
            )
        if self.bucket % 64:
            raise InvalidDocumentError(
                "the bucket of tags does not divide into 64 chunks",
                given=str(self.bucket),
                expected="a multiple of 64",
            )


class Hello(Document, frozen=True, forbid_unknown_fields=True):
    """What one side fixes.

    Attributes:
        v: 1.
        party: who says it.
        shape: the lengths.
        nonce: 32 random bytes, never used before.
        key: its public key of this session.
        plan: commitment to its plan.
        seed: commitment to its seed.
        coin: commitment to its half of the coin.
        cells: root over its own cells, salted and filled up.
        expires_utc: when it gives up: what comes later is NOT CHECKED.
    """

    v: Version
    party: str
    shape: Shape
    nonce: Hash
    key: Hash
    plan: Hash
    seed: Hash
    coin: Hash
    cells: Hash
    expires_utc: UtcText


def read_hello(data: bytes) -> Hello:
    """Return what is said in exact bytes.

    Raises:
        InvalidDocumentError: it has another form, or lengths that cannot be used.
        NotCanonicalError: another spelling.
    """
    value = parse_canonical(data, max_bytes=MAX_HELLO_BYTES)
    try:
        hello = msgspec.convert(value, Hello)
    except msgspec.ValidationError as error:
        raise InvalidDocumentError(
            f"this is no HELLO of a private check: {error}",
            expected="see specs/private-check.md",
        ) from error
    hello.shape.require_sound()
    return hello


def session_id(one: Hello, other: Hello) -> bytes:
    """Return the name of the session of two HELLOs, whichever way round; 32 bytes."""
    first, second = sorted((one.hash, other.hash))
    return hashlib.sha256(_SESSION + first + second).digest()


def commitment(to: Literal["plan", "seed", "coin", "sites"], secret: bytes, salt: bytes) -> str:
    """Return the hash that fixes something and shows nothing of it.

    Args:
        to: what it is.
        secret: its bytes.
        salt: 32 bytes that nobody can guess.
    """
    return hashlib.sha256(_COMMITMENT + to.encode() + b"\n" + salt + secret).hexdigest()
