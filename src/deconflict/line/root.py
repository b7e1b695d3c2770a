"""A party's root: the offline keys that alone can change or revoke the key it signs with.

One key, or up to three of which a threshold must sign: two of three custodians are two signatures
by two keys, not one key cut in pieces. Its id is the hash of its description, so a threshold can be
lowered no more unseen than a key be added. Bytes: ``specs/key-change.md`` §2.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from deconflict.errors import BadSignatureError, InvalidDocumentError, UnknownKeyError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.keys import (
    ALGORITHM,
    SigningKey,
    VerifyKey,
    matches_spoken,
    spoken_digits,
)
from deconflict.line.statement import Signature, Version

__all__ = ["MOST_ROOT_KEYS", "Root", "RootForm", "sign_for_root"]

MOST_ROOT_KEYS: Final = 3


class RootForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A root as it is written: keys in base64, in the order of their bytes."""

    v: Version
    keys: tuple[str, ...]
    threshold: int


class Root:
    """A party's root keys, fit to be trusted once a person has compared its fingerprint.

    Args:
        keys: one to three, each once, in any order.
        threshold: how many of them must sign, at least 1.

    Raises:
        InvalidDocumentError: too many or no keys, one twice, or a threshold they cannot reach.
    """

    __slots__ = ("_by_id", "keys", "root_id", "threshold")

    def __init__(self, keys: Sequence[VerifyKey], threshold: int) -> None:
        if not 1 <= threshold <= len(set(keys)) == len(keys) <= MOST_ROOT_KEYS:
            raise InvalidDocumentError(
                "this is no root",
                given=f"{len(keys)} keys, {threshold} of which must sign",
                expected=f"1 to {MOST_ROOT_KEYS} keys, each once, and as many signatures or fewer",
                remedy="make it with: deconflict node root create",
            )
        self.keys: Final = tuple(sorted(keys, key=lambda key: key.public))
        self.threshold: Final = threshold
        self._by_id: Final = {key.key_id: key for key in self.keys}
        described = canonical_bytes(self.to_plain())
        self.root_id: Final = hashlib.sha256(b"deconflict/1 root\n" + described).hexdigest()

    @classmethod
    def from_plain(cls, plain: object) -> "Root":
        """Return the root that :meth:`to_plain` wrote.

        Raises:
            InvalidDocumentError: not one, or its keys in another order.
            WeakKeyError: a key is malformed or of small order.
        """
        try:
            form = msgspec.convert(plain, RootForm, strict=True)
        except msgspec.ValidationError as error:
            raise InvalidDocumentError(
                "this is not the description of a root",
                given=str(error)[:160],
                expected="v, keys and threshold",
            ) from error
        root = cls([VerifyKey.from_base64(text) for text in form.keys], form.threshold)
        if tuple(key.to_base64() for key in root.keys) != form.keys:
            raise InvalidDocumentError(
                "the keys of the root are not in their one order and spelling",
                expected="sorted by their bytes, standard base64",
            )
        return root

    def to_plain(self) -> dict[str, Any]:
        """Return its description, to be written as JSON."""
        keys = [key.to_base64() for key in self.keys]
        return {"v": 1, "keys": keys, "threshold": self.threshold}

    def fingerprint(self) -> str:
        """Return what two people read to each other, as of a signing key."""
        return spoken_digits(self.root_id)

    def matches(self, spoken: str) -> bool:
        """True exactly when ``spoken`` is this root's fingerprint or its whole id."""
        return matches_spoken(self.root_id, spoken)

    def holds(self, key: VerifyKey) -> bool:
        """True exactly when this is one of its keys."""
        return key.key_id in self._by_id

    def require_signed(self, context: bytes, data: bytes, signatures: Sequence[Signature]) -> None:
        """Return when enough of its keys signed ``data``, and nobody else did.

        Raises:
            UnknownKeyError: a signature is by none of its keys, or of another algorithm.
            BadSignatureError: one does not hold, two are by one key, or they are too few.
        """
        signers = set()
        for signature in signatures:
            key = self._by_id.get(signature.key_id)
            if key is None or signature.algorithm != ALGORITHM:
                raise UnknownKeyError(
                    "the statement is signed by a key that is not of this root",
                    given=f"{signature.algorithm[:20]} key {signature.key_id[:16]}…",
                    expected=f"{ALGORITHM}, by keys of the root {self.root_id[:16]}…",
                    remedy="do not use it; ask the other party by voice what happened",
                )
            key.verify(context, data, signature.value)
            signers.add(key.key_id)
        if len(signers) < self.threshold or len(signers) != len(signatures):
            raise BadSignatureError(
                "too few keys of the root signed the statement",
                given=f"{len(signers)} of {len(self.keys)}",
                expected=f"at least {self.threshold}, each once",
                remedy="let another custodian sign it: deconflict node root sign",
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Root) and other.root_id == self.root_id

    def __hash__(self) -> int:
        return hash(self.root_id)

    def __repr__(self) -> str:
        return f"Root({self.root_id[:16]}…, {self.threshold} of {len(self.keys)})"


def sign_for_root(key: SigningKey, context: bytes, data: bytes) -> Signature:
    """Return the signature of one key of a root."""
    return Signature(ALGORITHM, key.key_id, key.sign(context, data))
