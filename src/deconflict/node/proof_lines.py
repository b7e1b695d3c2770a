"""The two small files that prove one thing each: a message shown alone, and a fork.

One canonical JSON object, ended by a newline, read strictly. Bytes: ``specs/disclosure.md``.
"""

import base64
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from deconflict.errors import InvalidDocumentError, NotCanonicalError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.envelope import MAX_ENVELOPE_BYTES
from deconflict.line.statement import Hash, LineId, Name, Signature
from deconflict.line.tree import MAX_PROOF_HASHES

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

MAX_PROOF_FILE_BYTES: Final = 3 * MAX_ENVELOPE_BYTES + 65_536  # two envelopes in base64

Base64: TypeAlias = str


class SignedThing(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="envelope"
):
    """An envelope and its signature."""

    data: Base64
    algorithm: str
    key_id: Hash
    signature: Base64

    @property
    def exact(self) -> bytes:
        """The exact bytes that were signed."""
        return base64.b64decode(self.data)

    @property
    def sealed_with(self) -> Signature:
        """The signature over them."""
        return Signature(self.algorithm, self.key_id, base64.b64decode(self.signature))


class SignedNoteItem(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="checkpoint"
):
    """A checkpoint with its signatures."""

    note: Base64

    @property
    def exact(self) -> bytes:
        """The exact note."""
        return base64.b64decode(self.note)


class Disclosure(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="disclosure"
):
    """One message, its place in a chain that both sides fixed, and nothing of any other."""

    format: Literal["deconflict-disclosure/1"]
    line: LineId
    keys: dict[Name, Base64]  # of both parties, by party
    message: SignedThing
    proof: Annotated[tuple[Base64, ...], msgspec.Meta(max_length=MAX_PROOF_HASHES)]
    checkpoint: SignedNoteItem


class Equivocation(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="equivocation"
):
    """Two signed things of one party that no honest party signs both."""

    format: Literal["deconflict-equivocation/1"]
    party: Name
    key: Base64
    first: SignedThing | SignedNoteItem
    second: SignedThing | SignedNoteItem


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
        _require_strict_base64(proof)
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


def _require_strict_base64(proof: ProofFile) -> None:
    """Raise ValueError where two spellings of one value could hide a changed byte."""
    for text in _base64_of(proof):
        if base64.b64encode(base64.b64decode(text, validate=True)).decode("ascii") != text:
            raise ValueError("base64 in another spelling than the standard one")


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
