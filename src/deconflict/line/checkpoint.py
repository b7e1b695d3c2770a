"""Checkpoints: what an author signs about its whole chain, and its peer signs below.

"My chain in this epoch has so many entries, and this is the root of their tree." The author signs
it, the peer cosigns it once it has seen that the chain only grew. Two checkpoints of one size and
two roots prove that their author rewrote its chain. Bytes: ``specs/checkpoint.md``.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.line.keys import SigningKey, VerifyKey
from deconflict.line.note import NoteKey, NoteKind, SignedNote, read_note, signed_by
from deconflict.line.statement import MAX_CHAIN_LENGTH
from deconflict.line.tree import HASH_BYTES, TreeHead

__all__ = [
    "MAX_CHECKPOINT_BYTES",
    "Checkpoint",
    "KeysById",
    "Origin",
    "author_signed",
    "cosign_checkpoint",
    "cosignature_time_s",
    "cosigned_alone",
    "entry_leaf",
    "open_checkpoint",
    "read_checkpoint",
    "seal_checkpoint",
    "seen_time_s",
]

MAX_CHECKPOINT_BYTES: Final = 8_192  # its text has 200 bytes, each of a few signatures 300
_ORIGIN: Final = re.compile(
    r"deconflict/1/([0-9a-f]{32})/([A-Za-z0-9][A-Za-z0-9._-]{0,62})/([0-9a-f]{32})", re.ASCII
)
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_LINES: Final = 3  # extension lines, which C2SP allows, are refused: nobody could check them

_END_OF_2199_S: Final = 7_258_118_400  # as every instant on a line: specs/envelope.md §2

KeysById = Mapping[str, VerifyKey]


class Origin(msgspec.Struct, frozen=True):
    """Whose chain a checkpoint is about: one party's, on one line, in one epoch."""

    line: str
    party: str
    epoch: str

    @property
    def name(self) -> str:
        """The first line of the checkpoint, and the name of the author's key in it."""
        return f"deconflict/1/{self.line}/{self.party}/{self.epoch}"


class Checkpoint(msgspec.Struct, frozen=True):
    """How far one chain reached, and the root of the tree over it."""

    origin: Origin
    head: TreeHead

    @property
    def text(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.head.root).decode("ascii")
        return f"{self.origin.name}\n{self.head.size}\n{root}\n"


def entry_leaf(message_hash: str, signature: bytes) -> bytes:
    """Return the leaf of an entry in its author's tree.

    Its content is the signature, then the hash that was signed over: whoever is shown one message
    with its proof sees the hashes of its neighbours, and cannot try guesses at them without the
    signatures over them. Ed25519 is deterministic, so an honest author has one leaf for an entry.
    """
    # RFC 9162 §2.1.1: behind a 0, a leaf can never pass as a node.
    return hashlib.sha256(b"\x00" + signature + bytes.fromhex(message_hash)).digest()


def read_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that a note's text is exactly, **unverified**.

    Raises:
        InvalidDocumentError: it is not one of ours.
    """
    lines = text.split("\n")
    origin = _ORIGIN.fullmatch(lines[0])
    if len(lines) == _LINES + 1 and origin and _SIZE.fullmatch(lines[1]):
        try:
            root = base64.b64decode(lines[2], validate=True)
        except ValueError:
            root = b""
        size = int(lines[1])
        if len(root) == HASH_BYTES and size <= MAX_CHAIN_LENGTH:
            found = Checkpoint(Origin(*origin.groups()), TreeHead(size, root))
            if found.text == text:
                return found
    raise InvalidDocumentError(
        "this is not a checkpoint of a line",
        given=repr(text[:120]),
        expected="three lines: deconflict/1/LINE/PARTY/EPOCH, size, root in base64",
        remedy="refuse it and keep its bytes",
    )


def seal_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> SignedNote:
    """Return a checkpoint signed by its author; equal checkpoints, equal bytes.

    Only for a chain whose entries so far are durable and signed: whatever was checkpointed once
    can never be said differently.
    """
    return SignedNote(
        checkpoint.text,
        (_author_key(checkpoint.origin, key.verify_key).sign(checkpoint.text, key),),
    )


def open_checkpoint(data: bytes, keys: KeysById) -> tuple[Checkpoint, SignedNote]:
    """Return what a checkpoint says and its note, once the author's signature holds.

    Args:
        data: the exact note.
        keys: the author's keys by key id.

    Raises:
        InvalidDocumentError: not one checkpoint of ours.
        UnknownKeyError, BadSignatureError: not signed by the author of the chain.
    """
    note = read_note(data, max_bytes=MAX_CHECKPOINT_BYTES)
    checkpoint = read_checkpoint(note.text)
    signed_by(note, [_author_key(checkpoint.origin, key) for key in keys.values()])
    return checkpoint, note


def author_signed(note: SignedNote, checkpoint: Checkpoint, keys: KeysById) -> SignedNote:
    """Return a checkpoint with its author's signature alone, whoever else signed below.

    Raises:
        UnknownKeyError, BadSignatureError: as :func:`open_checkpoint`.
    """
    key = signed_by(note, [_author_key(checkpoint.origin, key) for key in keys.values()])
    return SignedNote(note.text, (key.lines_of(note)[0],))


def cosign_checkpoint(
    note: SignedNote, witness: str, key: SigningKey, *, time_s: int
) -> SignedNote:
    """Return a checkpoint with the witness's signature below it; equal calls, equal bytes.

    **Only after the state that it was judged by is durable** (:mod:`.witness`).
    """
    return note.with_signature(
        _witness_key(witness, key.verify_key).sign(note.text, key, time_s=time_s)
    )


def cosignature_time_s(note: SignedNote, witness: str, keys: KeysById) -> int:
    """Return when this witness says it saw the checkpoint, seconds since 1970.

    Raises:
        UnknownKeyError, BadSignatureError: it did not cosign it.
        InvalidDocumentError: at a time that no screen can show.
    """
    found = signed_by(note, [_witness_key(witness, key) for key in keys.values()])
    return seen_time_s(note, found)


def seen_time_s(note: SignedNote, key: NoteKey) -> int:
    """Return the same of one witness known by its own name and key, as a third one is.

    Raises:
        UnknownKeyError, BadSignatureError, InvalidDocumentError: as :func:`cosignature_time_s`.
    """
    time_s = key.verify(note)
    if time_s >= _END_OF_2199_S:
        raise InvalidDocumentError(
            "a cosignature says a time that is out of range",
            given=str(time_s),
            expected="the years 1970 to 2199",
            remedy="refuse it; the witness's clock is wrong",
        )
    return time_s


def cosigned_alone(
    note: SignedNote, checkpoint: Checkpoint, author_keys: KeysById, witness: str, keys: KeysById
) -> SignedNote:
    """Return a checkpoint with its author's and one witness's signature, whoever else signed it.

    Raises:
        UnknownKeyError, BadSignatureError: as :func:`cosignature_time_s`.
    """
    signed = author_signed(note, checkpoint, author_keys)
    key = signed_by(note, [_witness_key(witness, key) for key in keys.values()])
    return signed.with_signature(key.lines_of(note)[0])


def _author_key(origin: Origin, key: VerifyKey) -> NoteKey:
    return NoteKey(origin.name, NoteKind.AUTHOR, key)


def _witness_key(witness: str, key: VerifyKey) -> NoteKey:
    # Named by the party alone: a witness with one key is one witness, on all its lines.
    return NoteKey(witness, NoteKind.WITNESS, key)
