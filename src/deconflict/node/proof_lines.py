"""The two small files that prove one thing each: a message shown alone, and a fork.

One canonical JSON object, ended by a newline, read strictly. Bytes: ``specs/disclosure.md``.
"""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from deconflict.errors import InvalidDocumentError, NotCanonicalError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.envelope import MAX_ENVELOPE_BYTES
from deconflict.line.key_change import KeyChange
from deconflict.line.statement import Hash, LineId, Name
from deconflict.line.tree import MAX_PROOF_HASHES
from deconflict.node.bundle_lines import Base64, NoteItem, SignedItem, require_standard_base64

__all__ = [
    "MAX_PROOF_FILE_BYTES",
    "Disclosure",
    "Equivocation",
    "ProofFile",
    "SignedNoteItem",
    "SignedThing",
    "encode_proof_file",
    "read_proof_file",
]

MOST_CHANGES: Final = 64  # fifteen years of both parties, by the quarter
MAX_PROOF_FILE_BYTES: Final = (
    3 * MAX_ENVELOPE_BYTES + 262_144
)  # two envelopes in base64, and changes of key


class SignedThing(SignedItem, frozen=True, tag="envelope"):
    """An envelope and its signature."""

    key_id: Hash  # evidence of a bundle may come unsigned, a proof never


class SignedNoteItem(NoteItem, frozen=True, tag="checkpoint"):
    """A checkpoint with its signatures."""


Changes: TypeAlias = Annotated[tuple[KeyChange, ...], msgspec.Meta(max_length=MOST_CHANGES)]


class Disclosure(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="disclosure",
):
    """One message, its place in a chain that both sides fixed, and nothing of any other."""

    format: Literal["deconflict-disclosure/1"]
    line: LineId
    keys: dict[Name, Base64]  # of both parties, by party
    message: SignedThing
    proof: Annotated[tuple[Base64, ...], msgspec.Meta(max_length=MAX_PROOF_HASHES)]
    checkpoint: SignedNoteItem
    changes: Changes = ()  # of the keys of either, where they were changed


class Equivocation(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
    tag="equivocation",
):
    """Two signed things of one party that no honest party signs both."""

    format: Literal["deconflict-equivocation/1"]
    party: Name
    key: Base64
    first: SignedThing | SignedNoteItem
    second: SignedThing | SignedNoteItem
    changes: Changes = ()  # of the party's key, where it was changed


ProofFile: TypeAlias = Disclosure | Equivocation
_DECODER: Final = msgspec.json.Decoder(ProofFile)


def encode_proof_file(proof: ProofFile) -> bytes:
    """Return the file of a proof."""
    return canonical_bytes(msgspec.to_builtins(proof)) + b"\n"


def read_proof_file(data: bytes) -> ProofFile:
    """Return the proof that ``data`` is exactly, **unverified**.

    Raises:
        InvalidDocumentError: not one of the two, or too long.
        NotCanonicalError: another spelling of one.
    """
    if len(data) > MAX_PROOF_FILE_BYTES:
        raise _no_proof(f"{len(data):,} bytes", f"at most {MAX_PROOF_FILE_BYTES:,} bytes")
    try:
        proof: ProofFile = _DECODER.decode(data)
        for text in _base64_of(proof):
            require_standard_base64(text)
        exact = encode_proof_file(proof)
    except (ValueError, RecursionError) as error:  # msgspec's and binascii's are too
        raise _no_proof(str(error)[:160], "a disclosure or an equivocation") from error
    if exact != data:
        raise NotCanonicalError(
            "it is not in its one byte form",
            given=repr(data[:60]),
            expected=repr(exact[:60]),
            remedy="ask for the file again",
        )
    return proof


def _base64_of(proof: ProofFile) -> list[str]:
    if isinstance(proof, Disclosure):
        things: tuple[SignedThing | SignedNoteItem, ...] = (proof.message, proof.checkpoint)
        found = list(proof.proof)
    else:
        things, found = (proof.first, proof.second), [proof.key]
    for thing in things:
        found += (
            [thing.note] if isinstance(thing, SignedNoteItem) else [thing.data, thing.signature]
        )
    return found


def _no_proof(given: str, expected: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        "this file is no proof", given=given, expected=expected, remedy="ask for the file again"
    )
