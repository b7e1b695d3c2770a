"""Leaves of a tree for tests: RFC 9162 §2.1.1 by the letter."""

import hashlib

__all__ = ["leaf_hash"]


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf.

    >>> leaf_hash(b"").hex()[:16]
    '6e340b9cffb37a98'
    """
    return hashlib.sha256(b"\x00" + data).digest()
