"""Signed notes: a text that several keys sign, each on a line of its own below it (C2SP).

The form of public transparency logs, so that their tools can read our checkpoints and their
witnesses sign them. Two kinds of signature: of the author over the text alone (``0x01``), and of
a witness over a time and the text (``0x04``, cosignature/v1).

Sources: C2SP signed-note v1.0.0, tlog-cosignature v1.0.0. Bytes: ``specs/checkpoint.md``.
"""

import base64
import hashlib
from collections.abc import Iterable
from enum import Enum
from typing import Final

import msgspec

from deconflict.errors import BadSignatureError, InvalidDocumentError, UnknownKeyError
from deconflict.line.keys import CONTEXT_COSIGNATURE, SigningKey, VerifyKey

__all__ = [
    "MAX_NOTE_BYTES",
    "MAX_NOTE_SIGNATURES",
    "NoteKey",
    "NoteKind",
    "NoteSignature",
    "SignedNote",
    "cosigned_message",
    "read_note",
    "signed_by",
]

MAX_NOTE_BYTES: Final = 65_536
MAX_NOTE_SIGNATURES: Final = 32  # C2SP: at least 16
MAX_TIME_S: Final = 2**63 - 1  # tlog-cosignature
_KEY_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_SIGNATURE_BYTES: Final = 64
_DASH: Final = "\N{EM DASH} "


class NoteKind(Enum):
    """Signature types of signed-note that this line uses."""

    AUTHOR = 0x01  # Ed25519 over the text
    WITNESS = 0x04  # Ed25519 over cosignature/v1, a time, and the text


class NoteSignature(msgspec.Struct, frozen=True):
    """One signature line: whose, by which of its keys, and what the key made.

    ``key_id`` is a hint of 32 bits; who a signature is by is decided by the key that verifies it.
    """

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """Return the line as it stands below the text."""
        blob = base64.b64encode(self.key_id + self.value).decode("ascii")
        return f"{_DASH}{self.name} {blob}\n"


class SignedNote(msgspec.Struct, frozen=True):
    """A text, its newline at the end included, and who signed it. Nothing in it is verified."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def to_bytes(self) -> bytes:
        """Return the note as it travels and is stored."""
        return (self.text + "\n" + "".join(one.line() for one in self.signatures)).encode()

    def with_signature(self, signature: NoteSignature) -> "SignedNote":
        """Return the note with one signature more; the same one again changes nothing."""
        if signature in self.signatures:
            return self
        return SignedNote(self.text, (*self.signatures, signature))


class NoteKey:
    """A public key under a name, for one kind of signature: what a note is verified with.

    Args:
        name: as on the signature line, without spaces and ``+``.
        kind: what it signs.
        key: the party's pinned key.
    """

    def __init__(self, name: str, kind: NoteKind, key: VerifyKey) -> None:
        self.name: Final = name
        self.kind: Final = kind
        self.key: Final = key
        self.key_id: Final = _key_id(name, bytes([kind.value]) + key.public)

    @classmethod
    def from_text(cls, text: str) -> "NoteKey":
        """Return the key written by :meth:`to_text`, of a kind that this line uses.

        Raises:
            InvalidDocumentError: it is none, or another spelling of one.
            WeakKeyError: as :class:`~.keys.VerifyKey`.
        """
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            kind, *public = key = base64.b64decode(encoded, validate=True)
            # Before it is taken for a key at all: a letter amiss is no weak key.
            whole = is_key_name(name) and _key_id(name, key).hex() == key_id
            found = cls(name, NoteKind(kind), VerifyKey(bytes(public))) if whole else None
        except ValueError:
            found = None
        if found is None or found.to_text() != text:
            raise InvalidDocumentError(
                "this is not a verifier key of a signed note",
                given=repr(text[:200]),
                expected="NAME+KEYID+BASE64, as in agency.example/w1+1a2b3c4d+BFr...",
                remedy="copy the whole line that its owner gave you",
            )
        return found

    def to_text(self) -> str:
        """Return the key as tools of transparency logs take it (a *vkey*)."""
        encoded = base64.b64encode(bytes([self.kind.value]) + self.key.public).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def sign(self, text: str, signing_key: SigningKey, *, time_s: int = 0) -> NoteSignature:
        """Return this key's signature; ``time_s`` counts for a witness alone.

        Raises:
            ValueError: the secret key is another one, or the first line is none that our keys sign
                under a note (:mod:`.keys`).
        """
        if signing_key.verify_key != self.key:
            raise ValueError("the secret key is not the one of this name")
        context, data, stamp = self._signed(text, time_s)
        return NoteSignature(self.name, self.key_id, stamp + signing_key.sign(context, data))

    def lines_of(self, note: SignedNote) -> tuple[NoteSignature, ...]:
        """Return the signatures that stand under this key's name and id, **unverified**."""
        named = (self.name, self.key_id)
        return tuple(one for one in note.signatures if (one.name, one.key_id) == named)

    def verify(self, note: SignedNote) -> int:
        """Return the time at which this key signed the note, 0 for a kind that says none.

        Signatures of other names and keys are not looked at. Of this one, every line must hold.

        Raises:
            UnknownKeyError: this key did not sign it.
            BadSignatureError: a line under its name and key id does not hold.
            ValueError: as :meth:`sign`; whoever reads a note of others reads its text first.
        """
        found = self.lines_of(note)
        if not found:
            raise UnknownKeyError(
                f"the note is not signed by {self.name[:160]}",
                given=", ".join(one.name[:40] for one in note.signatures[:4]),
                expected=self.to_text(),
                remedy="keep it; ask for the signed one",
            )
        times = [self._verified(note.text, one.value) for one in found]
        return max(times)

    def _verified(self, text: str, value: bytes) -> int:
        time_s = 0
        if self.kind is NoteKind.WITNESS:
            time_s = int.from_bytes(value[:_TIME_BYTES], "big")
            value = value[_TIME_BYTES:]
        if len(value) != _SIGNATURE_BYTES or time_s > MAX_TIME_S:
            raise BadSignatureError(
                "a signature of the note has another form than its kind",
                given=f"{len(value)} bytes, time {time_s}",
                expected=f"{_SIGNATURE_BYTES} bytes",
            )
        context, data, _ = self._signed(text, time_s)
        self.key.verify(context, data, value)
        return time_s

    def _signed(self, text: str, time_s: int) -> tuple[bytes, bytes, bytes]:
        """Context, data and time stamp; context and data together are what C2SP signs."""
        if self.kind is NoteKind.WITNESS:
            message = cosigned_message(text, time_s)
            return CONTEXT_COSIGNATURE, message[len(CONTEXT_COSIGNATURE) :], _stamp(time_s)
        first, _, rest = text.partition("\n")
        if " " in first:  # the contexts of envelopes, receipts and terms have a space
            raise ValueError(f"{first[:60]!r} is no first line of a note that our keys sign")
        return first.encode() + b"\n", rest.encode(), b""


def cosigned_message(text: str, time_s: int) -> bytes:
    """Return what a witness signs: that it saw this text at this time.

    >>> cosigned_message("example.com/log\\n0\\n", 1679315147)
    b'cosignature/v1\\ntime 1679315147\\nexample.com/log\\n0\\n'
    """
    return CONTEXT_COSIGNATURE + f"time {time_s}\n{text}".encode()


def read_note(data: bytes, *, max_bytes: int = MAX_NOTE_BYTES) -> SignedNote:
    """Return the note that ``data`` is exactly, **unverified**.

    One spelling of each note: what was read, written again, is the same bytes.

    Raises:
        InvalidDocumentError: not a signed note, too long, or with too many signatures.
    """
    if len(data) > max_bytes:
        raise _no_note(f"{len(data):,} bytes", f"at most {max_bytes:,} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise _no_note(str(error)[:80], "UTF-8") from error
    if any(character < " " and character != "\n" for character in whole):
        raise _no_note("a control character", "none but newlines")
    # A text may have empty lines; no signature line is one. So the last empty line divides them.
    text, divider, below = whole.rpartition("\n\n")
    if not divider or not below.endswith("\n"):
        raise _no_note(repr(whole[-40:]), "a text, an empty line, and lines of signatures")
    lines = below[:-1].split("\n")
    if len(lines) > MAX_NOTE_SIGNATURES:
        raise _no_note(f"{len(lines)} signatures", f"at most {MAX_NOTE_SIGNATURES}")
    note = SignedNote(text + "\n", tuple(_read_signature(line) for line in lines))
    if note.to_bytes() != data:
        raise _no_note(repr(below[:80]), "base64 in its one standard spelling")
    return note


def _read_signature(line: str) -> NoteSignature:
    name, space, blob = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_key_name(name):
        raise _no_note(repr(line[:60]), "an em dash, a name and base64, a space between them")
    try:
        decoded = base64.b64decode(blob, validate=True)
    except ValueError as error:
        raise _no_note(repr(blob[:40]), "base64") from error
    if len(decoded) <= _KEY_ID_BYTES:
        raise _no_note(f"{len(decoded)} bytes", "a key id and a signature")
    return NoteSignature(name, decoded[:_KEY_ID_BYTES], decoded[_KEY_ID_BYTES:])


def is_key_name(name: str) -> bool:
    """True exactly when a signature line can name its key so: no space of any kind, no ``+``."""
    return bool(name) and not any(one.isspace() or one == "+" for one in name)


def signed_by(note: SignedNote, keys: Iterable[NoteKey]) -> NoteKey:
    """Return the first of several keys of one signer that signed a note.

    Raises:
        UnknownKeyError: none of them did.
        BadSignatureError: as :meth:`NoteKey.verify`.
    """
    refused: UnknownKeyError | None = None
    for key in keys:
        try:
            key.verify(note)
        except UnknownKeyError as error:
            refused = error
        else:
            return key
    raise refused or UnknownKeyError("no key is known to verify the note with")


def _stamp(time_s: int) -> bytes:
    if not 0 <= time_s <= MAX_TIME_S:
        raise ValueError(f"{time_s} s is no time of a cosignature")
    return time_s.to_bytes(_TIME_BYTES, "big")


def _no_note(given: str, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        "this is not a signed note", given=given, expected=expected, remedy="refuse it"
    )


def _key_id(name: str, encoded: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + encoded).digest()[:_KEY_ID_BYTES]
