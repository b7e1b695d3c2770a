"""Hashes of many messages one behind the other: 32 bytes each, as they are kept."""

from collections.abc import Iterator
from typing import Final

from deconflict.errors import InvalidDocumentError

__all__ = ["HASH_BYTES", "parted"]

HASH_BYTES: Final = 32


def parted(joined: bytes) -> Iterator[bytes]:
    """Yield the hashes that stand one behind the other.

    Raises:
        InvalidDocumentError: the last one is cut off.

    >>> [part[:1] for part in parted(bytes(32) + b"\\x01" * 32)]
    [b'\\x00', b'\\x01']
    """
    if len(joined) % HASH_BYTES:
        raise InvalidDocumentError(
            "hashes are cut off",
            given=f"{len(joined)} bytes",
            expected=f"a multiple of {HASH_BYTES}",
        )
    for start in range(0, len(joined), HASH_BYTES):
        yield joined[start : start + HASH_BYTES]
