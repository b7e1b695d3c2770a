"""What protector and planner fix before a check of sites: lengths, key, commitments.

Bytes: ``specs/private-check.md`` §10.
"""

import hashlib
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.line.canonical import parse_canonical
from deconflict.line.statement import Hash, UtcText, Version
from deconflict.sealed.document import Document
from deconflict.sealed.hello import MAX_HELLO_BYTES

__all__ = ["SiteHello", "SiteRole", "SiteShape", "read_site_hello", "site_session_id"]

_SESSION: Final = b"deconflict/1 sealed sites\n"


class SiteRole(StrEnum):
    """Who holds the sites, and who asks about an activity."""

    PROTECTOR = "protector"
    PLANNER = "planner"


class SiteShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long everything is that will be sent; the same on both sides.

    Attributes:
        grid: hash of the grid of the sites in the terms.
        points: exactly so many squares are asked, canaries and pads included.
        bucket: exactly so many tags are shown, canaries and pads included.
        label: bytes that a label may have; 0 where only yes or no is told.
    """

    grid: Hash
    points: Annotated[int, msgspec.Meta(ge=17, le=65_535)]
    bucket: Annotated[int, msgspec.Meta(ge=64, le=1 << 20)]
    label: Annotated[int, msgspec.Meta(ge=0, le=1_024)]


class SiteHello(Document, frozen=True, forbid_unknown_fields=True):
    """What one side fixes.

    Attributes:
        v: 1.
        role: which of the two it is.
        party: who says it.
        shape: the lengths.
        nonce: 32 random bytes, never used before.
        key: the protector's public key of this session; a planner shows one too and never uses it.
        held: commitment to the list of sites, or to the activity.
        seed: commitment to its seed.
        expires_utc: when it gives up: what comes later is NOT CHECKED.
    """

    v: Version
    role: SiteRole
    party: str
    shape: SiteShape
    nonce: Hash
    key: Hash
    held: Hash
    seed: Hash
    expires_utc: UtcText


def read_site_hello(data: bytes) -> SiteHello:
    """Return what is said in exact bytes.

    Raises:
        InvalidDocumentError: it has another form, or lengths that cannot be used.
        NotCanonicalError: another spelling.
    """
    value = parse_canonical(data, max_bytes=MAX_HELLO_BYTES)
    try:
        return msgspec.convert(value, SiteHello)
    except msgspec.ValidationError as error:
        raise InvalidDocumentError(
            f"this is no HELLO of a check of sites: {error}",
            expected="see specs/private-check.md",
        ) from error


def site_session_id(protector: SiteHello, planner: SiteHello) -> bytes:
    """Return the name of the session of two HELLOs; 32 bytes."""
    return hashlib.sha256(_SESSION + protector.hash + planner.hash).digest()
