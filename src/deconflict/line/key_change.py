"""A change of key: the root's signed word that a party signs with another key from now on.

The statement names the party, its first key (which names its lines), the root, a number that only
grows, and the new key. The root signs it on a machine that no network reaches; the new key signs
it too, which proves that somebody holds its other half. Put in force it is by an entry of the
chain (:mod:`.epoch`): one that the old key signed, unless the change revokes that. Bytes and
rules: ``specs/key-change.md``.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec

from deconflict.errors import (
    BadSignatureError,
    InvalidDocumentError,
    UnknownKeyError,
    WrongSenderError,
)
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.line.keys import ALGORITHM, SigningKey, VerifyKey
from deconflict.line.moment import utc_ms_from_text
from deconflict.line.root import MOST_ROOT_KEYS, Root, sign_for_root
from deconflict.line.statement import (
    Hash,
    Name,
    Seq,
    Signature,
    UtcText,
    Version,
    hash_of,
    read_statement,
    statement_bytes,
)

__all__ = [
    "CONTEXT_KEY_CHANGE",
    "CONTEXT_POSSESSION",
    "MAX_KEY_CHANGE_BYTES",
    "ChangeReason",
    "KeyChange",
    "KeyStatement",
    "OpenedChange",
    "asked_change",
    "open_change",
    "read_change",
    "read_unproven",
    "signed_by_root",
    "vouched_keys",
]

CONTEXT_KEY_CHANGE: Final = b"deconflict/1 key change\n"
CONTEXT_POSSESSION: Final = b"deconflict/1 key possession\n"
MAX_KEY_CHANGE_BYTES: Final = 8_192
_MAX_STATEMENT_BYTES: Final = 1_024

Base64 = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9+/]+={0,2}\Z", max_length=2_048)]


class ChangeReason(StrEnum):
    """Why a party signs with another key."""

    ROTATED = "ROTATED"  # its time came; the old key signs that the new one follows it
    REVOKED = "REVOKED"  # the old key is lost or in other hands: what it signs counts for nothing


class KeyStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the root signs.

    Attributes:
        party: whose key it is.
        first: id of the key with which that party was pinned; it names its lines for ever.
        root: id of the root that speaks.
        number: of the key: 1 for the first change, and only growing.
        algorithm: of the new key.
        public: the new key, base64.
        reason: why.
        created_utc: when it was asked for; evidence only.
    """

    v: Version
    party: Name
    first: Hash
    root: Hash
    number: Seq
    algorithm: str
    public: Base64
    reason: ChangeReason
    created_utc: UtcText


class RootSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One custodian's signature. They stand in the order of their key ids."""

    algorithm: str
    key_id: Hash
    signature: Base64


class KeyChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement with its signatures, as a file and as the ``key`` of an EPOCH entry.

    Attributes:
        statement: its exact bytes, base64.
        possession: the new key's signature over them.
        root: the root's; none yet in a request.
    """

    format: Literal["deconflict-key-change"]
    v: Version
    statement: Base64
    possession: Base64
    root: Annotated[tuple[RootSignature, ...], msgspec.Meta(max_length=MOST_ROOT_KEYS)]

    @property
    def exact(self) -> bytes:
        """The bytes that were signed."""
        return _bytes_of(self.statement)

    @property
    def hash(self) -> str:
        """The name of the statement."""
        return hash_of(self.exact)

    def export(self) -> bytes:
        """Return the bytes of its file: canonical JSON and a newline."""
        return canonical_bytes(msgspec.to_builtins(self)) + b"\n"


@dataclass(frozen=True, slots=True)
class OpenedChange:
    """A change whose signatures hold. Only :func:`open_change` makes one."""

    statement: KeyStatement
    key: VerifyKey

    @property
    def revokes(self) -> bool:
        """True exactly when what the key before it signs counts for nothing."""
        return self.statement.reason is ChangeReason.REVOKED


def asked_change(
    *,
    party: str,
    first: str,
    root: Root,
    number: int,
    key: SigningKey,
    reason: ChangeReason,
    created_utc: str,
) -> KeyChange:
    """Return a change that the root is to sign: a request."""
    statement = KeyStatement(
        v=1,
        party=party,
        first=first,
        root=root.root_id,
        number=number,
        algorithm=ALGORITHM,
        public=key.verify_key.to_base64(),
        reason=reason,
        created_utc=created_utc,
    )
    data = statement_bytes(statement)
    return KeyChange(
        format="deconflict-key-change",
        v=1,
        statement=_text(data),
        possession=_text(key.sign(CONTEXT_POSSESSION, data)),
        root=(),
    )


def signed_by_root(change: KeyChange, root: Root, key: SigningKey) -> KeyChange:
    """Return the change with the signature of one more key of the root.

    Raises:
        VerificationError, InvalidDocumentError: it is no request to this root, or the key is none
            of its keys.
    """
    statement = read_unproven(change)
    _require_root(statement, root)
    _require_possession(change, _new_key(statement))
    if not root.holds(key.verify_key):
        raise UnknownKeyError(
            "this key is none of the root that the request names",
            given=f"key {key.key_id[:16]}…",
            expected=", ".join(f"{known.key_id[:16]}…" for known in root.keys),
            remedy="give the file of a key of that root",
        )
    signature = sign_for_root(key, CONTEXT_KEY_CHANGE, change.exact)
    mine = RootSignature(signature.algorithm, signature.key_id, _text(signature.value))
    others = [one for one in change.root if one.key_id != mine.key_id]
    return msgspec.structs.replace(
        change, root=tuple(sorted([*others, mine], key=lambda one: one.key_id))
    )


def open_change(change: KeyChange, *, party: str, first: str, root: Root | None) -> OpenedChange:
    """Return what a change says, once every signature of it holds. Bytes are verified first.

    Args:
        change: as it came.
        party: whose key it is to be.
        first: id of the key with which that party was pinned.
        root: the root that was pinned with it; None where there was none.

    Raises:
        UnknownKeyError: no root is pinned, another root signed, or the new key is of an algorithm
            that this edition does not know.
        BadSignatureError: a signature does not hold, or they are fewer than the threshold.
        WrongSenderError: it is of another party, or of a party pinned with another key.
        WeakKeyError: the new key is malformed or of small order.
        InvalidDocumentError, NotCanonicalError: signed, but no statement.
    """
    if root is None:
        raise UnknownKeyError(
            f"no root of {party} is pinned, so nobody can vouch for another key of it",
            remedy=f"pin {party} again from an invitation that brings its root, and hear the "
            "root's fingerprint by voice",
        )
    ids = [one.key_id for one in change.root]
    if ids != sorted(set(ids)):
        raise BadSignatureError(
            "the root's signatures are not each once and in their order",
            remedy="ask for the statement again",
        )
    signatures = [
        Signature(one.algorithm, one.key_id, _bytes_of(one.signature)) for one in change.root
    ]
    root.require_signed(CONTEXT_KEY_CHANGE, change.exact, signatures)
    statement = read_unproven(change)
    _require_root(statement, root)
    if (statement.party, statement.first) != (party, first):
        raise WrongSenderError(
            "the change of key is another party's",
            given=f"{statement.party}, first key {statement.first[:16]}…",
            expected=f"{party}, first key {first[:16]}…",
            remedy="do not use it here",
        )
    key = _new_key(statement)
    _require_possession(change, key)
    return OpenedChange(statement, key)


def vouched_keys(
    changes: Iterable[KeyChange], *, party: str, first: VerifyKey, root: Root | None
) -> dict[str, VerifyKey]:
    """Return by key id the first key of a party and each later one that a change vouches for.

    Without the chain: which of them was in force where, only the record proves.

    Raises:
        VerificationError, InvalidDocumentError: as :func:`open_change`, of any of them.
    """
    opened = [
        open_change(change, party=party, first=first.key_id, root=root).key for change in changes
    ]
    return {key.key_id: key for key in (first, *opened)}


def read_change(data: bytes) -> KeyChange:
    """Return the change in a file, **unproven**.

    Raises:
        InvalidDocumentError, NotCanonicalError: not one, or in another spelling.
    """
    plain = parse_canonical(data.removesuffix(b"\n"), max_bytes=MAX_KEY_CHANGE_BYTES)
    try:
        change = msgspec.convert(plain, KeyChange, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidDocumentError(
            "this is no change of key",
            given=str(error)[:160],
            expected="a file written by deconflict node key renew or node root sign",
        ) from error
    read_unproven(change)
    return change


def read_unproven(change: KeyChange) -> KeyStatement:
    """Return what a change says; nobody's signature was looked at.

    Raises:
        InvalidDocumentError, NotCanonicalError: no statement.
    """
    statement = read_statement(change.exact, KeyStatement, max_bytes=_MAX_STATEMENT_BYTES)
    utc_ms_from_text(statement.created_utc)
    return statement


def _require_root(statement: KeyStatement, root: Root) -> None:
    if statement.root != root.root_id:
        raise UnknownKeyError(
            "the statement names another root",
            given=f"{statement.root[:16]}…",
            expected=f"{root.root_id[:16]}…",
            remedy="use the root that the party was pinned with",
        )


def _require_possession(change: KeyChange, key: VerifyKey) -> None:
    key.verify(CONTEXT_POSSESSION, change.exact, _bytes_of(change.possession))


def _new_key(statement: KeyStatement) -> VerifyKey:
    if statement.algorithm != ALGORITHM:
        raise UnknownKeyError(
            "the new key is of an algorithm that this edition of deconflict does not know",
            given=statement.algorithm[:40],
            expected=ALGORITHM,
            remedy=f"use a key of {ALGORITHM}, or a newer deconflict on this side",
        )
    return VerifyKey.from_base64(statement.public)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes_of(text: str) -> bytes:
    """Return what base64 says; nothing for what is not in its one spelling, so nothing holds."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return data if _text(data) == text else b""
