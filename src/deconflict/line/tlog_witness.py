"""What goes to a third witness and comes back: the protocol of public transparency logs (C2SP).

A request says at which size its proof begins, the proof, and the checkpoint; the answer is lines of
signatures, or the size that the witness knows. Here are the bytes of both, and the order in which a
witness that holds no entries looks at a request; what may be cosigned :mod:`.witness` decides, the
code that decides it between the two parties.

Sources: C2SP tlog-witness, tlog-cosignature v1.0.0. Bytes: ``specs/checkpoint.md`` §7.
"""

import base64
import re
from typing import Final

import msgspec

from deconflict.errors import (
    BrokenProofError,
    InvalidDocumentError,
    StaleCheckpointError,
    UnknownKeyError,
)
from deconflict.line.checkpoint import (
    MAX_CHECKPOINT_BYTES,
    KeysById,
    Origin,
    open_checkpoint,
    read_checkpoint,
    seen_time_s,
)
from deconflict.line.note import NoteKey, SignedNote, read_note
from deconflict.line.statement import MAX_CHAIN_LENGTH
from deconflict.line.tree import HASH_BYTES, MAX_PROOF_HASHES
from deconflict.line.witness import CosignedState, Submission, Witness

__all__ = [
    "MAX_ANSWER_BYTES",
    "MAX_REQUEST_BYTES",
    "AddCheckpoint",
    "add_checkpoint_bytes",
    "cosignature_lines",
    "judged_request",
    "origin_of",
    "read_add_checkpoint",
    "read_size",
    "size_bytes",
    "with_cosignature",
]

_HASH_LINE_BYTES: Final = 45  # 32 bytes in base64, and the newline
_OLD: Final = re.compile(rb"old (0|[1-9][0-9]{0,15})", re.ASCII)
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,15})\n", re.ASCII)
MAX_REQUEST_BYTES: Final = 32 + MAX_PROOF_HASHES * _HASH_LINE_BYTES + MAX_CHECKPOINT_BYTES
MAX_ANSWER_BYTES: Final = 8_192  # lines of a few signatures; of ML-DSA, which is passed over, 4 kB


class AddCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint to be cosigned, as it travels to a witness. Nothing in it is verified.

    Attributes:
        old_size: the size the proof begins at; 0 asks without a proof.
        proof: hashes of the consistency proof, at most 63.
        note: the exact checkpoint.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes


def add_checkpoint_bytes(request: AddCheckpoint) -> bytes:
    """Return the body of the request."""
    lines = [f"old {request.old_size}\n"]
    lines += [base64.b64encode(one).decode("ascii") + "\n" for one in request.proof]
    return "".join(lines).encode("ascii") + b"\n" + request.note


def read_add_checkpoint(data: bytes) -> AddCheckpoint:
    """Return what a body says, its note unread.

    Raises:
        InvalidDocumentError: too long, another form, or another spelling of this one.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise _malformed(f"{len(data):,} bytes", f"at most {MAX_REQUEST_BYTES:,}")
    head, divider, note = data.partition(b"\n\n")
    old, *hashes = head.split(b"\n")
    size = _OLD.fullmatch(old)
    if not divider or size is None or int(size[1]) > MAX_CHAIN_LENGTH:
        raise _malformed(
            repr(old[:40]), "`old SIZE`, lines of a proof, an empty line, a checkpoint"
        )
    if len(hashes) > MAX_PROOF_HASHES:
        raise _malformed(f"{len(hashes)} lines of a proof", f"at most {MAX_PROOF_HASHES}")
    proof = tuple(_read_hash(line) for line in hashes)
    return AddCheckpoint(int(size[1]), proof, note)


def size_bytes(size: int) -> bytes:
    """Return the answer of a witness that knows another size than the one said (409)."""
    return b"%d\n" % size


def read_size(data: bytes) -> int:
    """Return the size that a witness says it knows. Nobody signed it.

    Raises:
        InvalidDocumentError: it is no size.
    """
    found = _SIZE.fullmatch(data)
    if found is None or int(found[1]) > MAX_CHAIN_LENGTH:
        raise _malformed(repr(data[:40]), "a size in decimal and a newline")
    return int(found[1])


def cosignature_lines(note: SignedNote, witness: NoteKey) -> bytes:
    """Return the answer of a witness that cosigned (200): its line of the note alone."""
    return "".join(one.line() for one in witness.lines_of(note)).encode()


def with_cosignature(note: SignedNote, answer: bytes, witness: NoteKey) -> tuple[SignedNote, int]:
    """Return a checkpoint with the witness's line from its answer, and the time it says.

    Lines of other keys in the answer are not looked at, and not taken.

    Args:
        note: what was sent.
        answer: the body of its answer.
        witness: the pinned key.

    Raises:
        InvalidDocumentError: no lines of signatures, or a time that no screen can show.
        UnknownKeyError: the pinned key did not sign.
        BadSignatureError: a line under its name and key id does not hold.
    """
    if len(answer) > MAX_ANSWER_BYTES:
        raise _malformed(f"{len(answer):,} bytes", f"at most {MAX_ANSWER_BYTES:,}")
    answered = read_note((note.text + "\n").encode() + answer)
    if answered.text != note.text:
        raise _malformed(repr(answer[:40]), "lines of signatures alone")
    time_s = seen_time_s(answered, witness)
    return note.with_signature(witness.lines_of(answered)[0]), time_s


def origin_of(request: AddCheckpoint) -> Origin:
    """Return whose chain a request says it is about; nothing is verified.

    Raises:
        InvalidDocumentError: no signed note.
        UnknownKeyError: a checkpoint of another kind of log.
    """
    note = read_note(request.note, max_bytes=MAX_CHECKPOINT_BYTES)
    try:
        return read_checkpoint(note.text).origin
    except InvalidDocumentError as error:
        raise UnknownKeyError(
            "this witness cosigns checkpoints of lines alone",
            given=error.given,
            expected=error.expected,
        ) from error


def judged_request(
    witness: Witness, request: AddCheckpoint, author_keys: KeysById, *, time_s: int
) -> CosignedState | None:
    """Return the state to make durable before cosigning; None when it was cosigned before.

    In the order of tlog-witness: the signature first, so that the size kept is told to nobody who
    cannot show a checkpoint of this author.

    Raises:
        UnknownKeyError, BadSignatureError: not signed by the author (403).
        InvalidDocumentError: it begins behind its own end, or is of an empty chain (400).
        StaleCheckpointError: it begins elsewhere than at what is kept (409).
        ForkedChainError: the size kept, and another root (409).
        BrokenProofError: the proof does not hold (422).
    """
    checkpoint, _ = open_checkpoint(request.note, author_keys)
    kept = 0 if witness.kept is None else witness.kept.head.size
    if request.old_size > checkpoint.head.size or checkpoint.head.size == 0:
        raise _malformed(
            f"from {request.old_size} to {checkpoint.head.size}",
            "an old size at most the new one, and a chain that has entries",
        )
    if request.old_size != kept:
        raise StaleCheckpointError(
            "the checkpoint's proof begins elsewhere than at what was cosigned last",
            given=f"from {request.old_size} entries",
            expected=f"from {kept} entries",
            remedy="begin at the size in the answer",
        )
    if request.proof and request.old_size in (0, checkpoint.head.size):
        raise BrokenProofError(
            "a proof where there is nothing to prove",
            given=f"{len(request.proof)} hashes from {request.old_size} entries",
            expected="none",
        )
    origin = checkpoint.origin
    submission = Submission(origin.line, request.old_size, request.proof, request.note)
    return witness.judge(submission, epoch=origin.epoch, time_s=time_s)


def _read_hash(line: bytes) -> bytes:
    try:
        found = base64.b64decode(line, validate=True)
    except ValueError:
        found = b""
    if len(found) != HASH_BYTES or base64.b64encode(found) != line:
        raise _malformed(repr(line[:60]), "32 bytes in base64 on each line of the proof")
    return found


def _malformed(given: str, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        "this is not what is said to or by a witness",
        given=given,
        expected=expected,
        remedy="see C2SP tlog-witness",
    )
