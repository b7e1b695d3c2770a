"""What is said in a check as one document in canonical JSON: its exact bytes, and their hash."""

import hashlib

import msgspec

from deconflict.line.canonical import canonical_bytes

__all__ = ["Document"]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something said in exact bytes, and named by their hash."""

    @property
    def data(self) -> bytes:
        """Its exact bytes."""
        return canonical_bytes(msgspec.to_builtins(self))

    @property
    def hash(self) -> bytes:
        """Its name, 32 bytes."""
        return hashlib.sha256(self.data).digest()
