"""Signing and verifying with Ed25519, and what people compare by voice.

Verification is PyNaCl's (libsodium): it refuses small-order keys and points, and a scalar S that
is not reduced. A key is refused already when it is pinned, unless it lies in the prime-order
subgroup in its one canonical encoding, so no signature can be valid for two messages. Only a whole
record at start is first looked at by the kernel, which needs no interpreter in between; what the
kernel does not accept, libsodium judges (docs/decisions/0009-two-verifiers.md).

Every signature covers a *context* (what kind of thing is signed) before the bytes, so a signed
receipt can never be passed off as a signed envelope.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import nacl.bindings
import nacl.exceptions
import nacl.signing

from deconflict._kernel import Prover
from deconflict.errors import BadSignatureError, UnknownKeyError, WeakKeyError

__all__ = [
    "ALGORITHM",
    "CONTEXT_COSIGNATURE",
    "CONTEXT_ENVELOPE",
    "CONTEXT_RECEIPT",
    "CONTEXT_REFUSAL",
    "RandomBytes",
    "SigningKey",
    "VerifyKey",
    "key_named",
    "line_id",
    "matches_spoken",
    "spoken_digits",
]

ALGORITHM: Final = "Ed25519"  # RFC 8032 §5.1
CONTEXT_ENVELOPE: Final = b"deconflict/1 envelope\n"
CONTEXT_RECEIPT: Final = b"deconflict/1 receipt\n"
CONTEXT_REFUSAL: Final = b"deconflict/1 refusal\n"
CONTEXT_COSIGNATURE: Final = b"cosignature/v1\n"  # C2SP tlog-cosignature
# The first line of everything a key signs is one of these, and no two of them share a line: a space
# in ours, none in the others, and only a checkpoint's begins with "deconflict/1/". So no signature
# can be passed off as one of another kind (docs/decisions/0012-checkpoints.md).
_CONTEXT = re.compile(
    rb"\A(?:deconflict/\d{1,3} [a-z][a-z -]{0,40}"
    rb"|cosignature/v1"
    rb"|deconflict/1/[0-9a-f]{32}/[A-Za-z0-9][A-Za-z0-9._-]{0,62}/[0-9a-f]{32})\n\Z"
)
_GROUPS_OF_DIGITS = 8
_SPOKEN = re.compile(r"[0-9]{40}|[0-9a-f]{64}")

RandomBytes = Callable[[int], bytes]


def _told(spoken: str) -> str:
    return re.sub(r"[\s\-]", "", spoken).lower()


def spoken_digits(name: str) -> str:
    """Return what two people read to each other of a key's or a root's id, 64 hex digits."""
    head = bytes.fromhex(name)[: 2 * _GROUPS_OF_DIGITS]
    return " ".join(f"{int.from_bytes(head[i : i + 2], 'big'):05d}" for i in range(0, len(head), 2))


def matches_spoken(name: str, spoken: str) -> bool:
    """True exactly when ``spoken`` is the fingerprint of this id, or the whole id."""
    return _told(spoken) in (spoken_digits(name).replace(" ", ""), name)


class VerifyKey:
    """A party's public key, fit to be trusted once a person has compared its fingerprint.

    Args:
        public: 32 bytes, RFC 8032 encoding.

    Raises:
        WeakKeyError: not 32 bytes, not a point, not canonically encoded, or not in the
            prime-order subgroup (that includes every small-order key).
    """

    __slots__ = ("_key", "_prover", "key_id", "public")

    def __init__(self, public: bytes) -> None:
        valid = len(public) == nacl.bindings.crypto_sign_PUBLICKEYBYTES and (
            nacl.bindings.crypto_core_ed25519_is_valid_point(public)
        )
        if not valid:
            raise WeakKeyError(
                "this public key is malformed or of small order",
                given=f"{len(public)} bytes",
                expected="32 bytes that encode a point of the prime-order subgroup of Ed25519",
                remedy="do not pin it; ask the peer for its key again, over another path",
            )
        self.public: Final = public
        self.key_id: Final = hashlib.sha256(b"deconflict/1 key\n" + public).hexdigest()
        self._key = nacl.signing.VerifyKey(public)
        self._prover: Prover | None = None

    @classmethod
    def from_base64(cls, text: str) -> "VerifyKey":
        """Return the key written by :meth:`to_base64`; raises WeakKeyError as the constructor."""
        try:
            public = base64.b64decode(text, validate=True)
        except ValueError:
            public = b""
        return cls(public)

    def to_base64(self) -> str:
        """Return the 32 bytes in standard base64."""
        return base64.b64encode(self.public).decode("ascii")

    def fingerprint(self) -> str:
        """Return what two people read to each other: eight groups of five digits.

        Each group is 16 bits of the key id, 00000 to 65535, so the eight carry 128 bits. Digits,
        because every language says them and telephone lines carry them.

        >>> VerifyKey.from_base64("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").fingerprint()
        '33248 46631 04609 33749 08410 12160 45186 21908'
        """
        return spoken_digits(self.key_id)

    def matches(self, spoken: str) -> bool:
        """True exactly when ``spoken`` is this key's fingerprint or its whole key id.

        Spaces, hyphens and line breaks do not count; nothing shorter is taken.
        """
        return matches_spoken(self.key_id, spoken)

    @staticmethod
    def is_spoken(spoken: str) -> bool:
        """True exactly when ``spoken`` has the form of some key's fingerprint or whole key id."""
        return _SPOKEN.fullmatch(_told(spoken)) is not None

    def verify(self, context: bytes, data: bytes, signature: bytes) -> None:
        """Return when ``signature`` is this key's over ``context + data``.

        Raises:
            BadSignatureError: it is not, whatever the reason.
        """
        _require_context(context)
        try:
            self._key.verify(context + data, signature)
        except (nacl.exceptions.BadSignatureError, nacl.exceptions.ValueError) as error:
            raise BadSignatureError(
                "the signature was not made over these bytes by this key",
                given=f"key {self.key_id[:16]}…, {len(data):,} bytes",
                remedy="keep the bytes as received; ask the sender to send them again",
            ) from error

    def first_bad(self, context: bytes, statements: Sequence[tuple[bytes, bytes]]) -> int | None:
        """Return the place of the first (data, signature) that :meth:`verify` refuses, or None.

        For what was verified one by one when it came: many at once, other threads run meanwhile.
        """
        _require_context(context)
        if self._prover is None:  # two threads may both make one: either serves
            self._prover = Prover(self.public)
        begin = 0
        while True:
            found = self._prover.first_bad(context, statements[begin:])
            if found is None:
                return None
            place = begin + found
            try:
                self.verify(context, *statements[place])
            except BadSignatureError:
                return place
            begin = place + 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and other.public == self.public

    def __hash__(self) -> int:
        return hash(self.public)

    def __repr__(self) -> str:
        return f"VerifyKey({self.key_id[:16]}…)"


class SigningKey:
    """A party's secret key. Its seed appears in no text form of it."""

    __slots__ = ("_key", "verify_key")

    def __init__(self, seed: bytes) -> None:
        self._key = nacl.signing.SigningKey(seed)
        self.verify_key: Final = VerifyKey(bytes(self._key.verify_key))

    @classmethod
    def generate(cls, random_bytes: RandomBytes) -> "SigningKey":
        """Return a new key from 32 bytes of ``random_bytes`` (``os.urandom`` in service)."""
        return cls(random_bytes(nacl.bindings.crypto_sign_SEEDBYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> "SigningKey":
        """Return the key of a 32-byte seed (RFC 8032 private key).

        Raises:
            WeakKeyError: not 32 bytes.
        """
        if len(seed) != nacl.bindings.crypto_sign_SEEDBYTES:
            raise WeakKeyError(
                "a signing key's seed has the wrong length",
                given=f"{len(seed)} bytes",
                expected="32 bytes",
                remedy="restore the key file from its backup",
            )
        return cls(seed)

    @property
    def key_id(self) -> str:
        """The id of the public half, 64 hex digits."""
        return self.verify_key.key_id

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes, for the key file alone."""
        return bytes(self._key)

    def sign(self, context: bytes, data: bytes) -> bytes:
        """Return the 64-byte signature over ``context + data``; equal input, equal signature."""
        _require_context(context)
        return self._key.sign(context + data).signature

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id[:16]}…)"


def key_named(keys: Mapping[str, VerifyKey], algorithm: str, key_id: str) -> VerifyKey:
    """Return the pinned key of this id.

    Raises:
        UnknownKeyError: no such key is pinned, or the algorithm is not Ed25519.
    """
    key = keys.get(key_id)
    if key is None or algorithm != ALGORITHM:
        raise UnknownKeyError(
            "no pinned key has this id",
            given=f"{algorithm[:20]} key {key_id[:16]}…",
            expected=f"{ALGORITHM} key " + ", ".join(f"{known[:16]}…" for known in keys),
            remedy="pin the peer's new key after comparing its fingerprint, or refuse the message",
        )
    return key


def line_id(party_a: str, key_id_a: str, party_b: str, key_id_b: str) -> str:
    """Return the id of the line of two parties under these keys: 32 hex digits.

    Both sides derive the same, whichever they name first.

    >>> line_id("blue", "0" * 64, "red", "1" * 64) == line_id("red", "1" * 64, "blue", "0" * 64)
    True
    """
    first, second = sorted([(party_a, key_id_a), (party_b, key_id_b)])
    named = "\n".join([*first, *second])
    return hashlib.sha256(b"deconflict/1 line\n" + named.encode()).hexdigest()[:32]


def _require_context(context: bytes) -> None:
    # Contexts end at their only newline, so none is the beginning of another.
    if not _CONTEXT.match(context):
        raise ValueError(f"{context!r} is no first line that our keys sign")
