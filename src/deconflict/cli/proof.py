"""What ``deconflict verify`` says of the two small files: a message alone, and a fork."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import click

from deconflict.cli.output import clean, fields, sentences, short, when, write_json
from deconflict.errors import InvalidDocumentError, VerificationError

if TYPE_CHECKING:
    from deconflict.line.envelope import Envelope
    from deconflict.line.keys import VerifyKey
    from deconflict.line.root import Root
    from deconflict.node.disclosure import VerifiedDisclosure
    from deconflict.node.equivocation import VerifiedEquivocation

    Verified: TypeAlias = VerifiedDisclosure | VerifiedEquivocation

__all__ = ["parties_named", "show_proof", "verified_proof"]

_FIRST_BYTES = 1 << 16


def parties_named(file: Path) -> set[str]:
    """Return the parties whose keys the file needs; none for a file that cannot be read."""
    from deconflict.node.bundle_lines import Manifest, decoded
    from deconflict.node.proof_lines import Disclosure, Equivocation, read_proof_file

    with file.open("rb") as stream:
        first = stream.readline(_FIRST_BYTES)
    for read in (decoded, lambda _: read_proof_file(_whole(file))):
        try:
            found = read(first)
        except (VerificationError, InvalidDocumentError):
            continue
        match found:
            case Manifest() | Disclosure():
                return set(found.keys)
            case Equivocation():
                return {found.party}
    return set()


def verified_proof(
    file: Path, trusted: Mapping[str, "VerifyKey"], roots: Mapping[str, "Root"]
) -> "Verified | None":
    """Return what a small file proves; None when it is none, but maybe a record.

    Raises:
        VerificationError, InvalidDocumentError: it is one, and does not prove it.
    """
    from deconflict.node.disclosure import verify_disclosure
    from deconflict.node.equivocation import verify_equivocation
    from deconflict.node.proof_lines import Disclosure, read_proof_file

    data = _whole(file)
    if not any(kind in data for kind in (b'"type":"disclosure"}', b'"type":"equivocation"}')):
        return None
    proof = read_proof_file(data)
    if isinstance(proof, Disclosure):
        return verify_disclosure(proof, trusted, roots)
    return verify_equivocation(proof, trusted, roots)


def show_proof(file: Path, proven: "Verified", *, as_json: bool) -> None:
    """Print what a small file proves."""
    from msgspec import to_builtins

    from deconflict.node.disclosure import VerifiedDisclosure

    if as_json:
        write_json(to_builtins(proven))
        return
    click.echo(click.style("VERIFIED", fg="green", bold=True) + f"  {file}\n")
    if isinstance(proven, VerifiedDisclosure):
        _show_message(proven)
    else:
        _show_fork(proven)


def _show_message(proven: "VerifiedDisclosure") -> None:
    said = proven.envelope
    party, other = clean(proven.party), clean(proven.to)
    click.echo(
        f"{party} signed this message to {other} as number {said.seq} of its log. {other} signed"
        f" that it held it, and the {proven.size} messages it then had, on"
        f" {when(proven.cosigned_utc)}.\n"
    )
    click.echo(sentences(_words(said), indent=2) + "\n")
    fields(
        (
            ("kind", f"{clean(said.kind)}{', exercise only' if said.drill else ''}"),
            ("from", f"{party}, {clean(said.sender.desk)} desk"),
            ("to", f"{other}, {clean(said.to.desk)} desk"),
            ("created", f"{when(said.created_utc)}, by {party}'s clock"),
            ("about", said.ref),
            ("release", clean(said.release).replace("_", " ")),
            ("line", proven.line_id),
            ("id", proven.hash),
        )
    )


def _show_fork(proven: "VerifiedEquivocation") -> None:
    party = clean(proven.party)
    if proven.what == "messages":
        what = f"two different messages as number {proven.number} of its log"
    else:
        what = f"two different records of its first {proven.number} messages"
    click.echo(f"{party} signed {what}. No honest party signs both.\n")
    fields(
        (
            ("one", proven.first),
            ("the other", proven.second),
            ("line", proven.line_id),
            ("epoch", proven.epoch),
            ("key", short(proven.key_id)),
        )
    )


def _words(said: "Envelope") -> str:
    """The message in words; where this edition cannot read it, its body as it stands."""
    from deconflict.line.canonical import canonical_bytes
    from deconflict.messages.kinds import Kind
    from deconflict.messages.message_text import message_text
    from deconflict.node.line import read_body

    body = read_body(said)
    if body is None:
        return clean(canonical_bytes(said.body).decode())
    return message_text(
        Kind(said.kind), body, party=said.sender.party, language="en", drill=said.drill
    )


def _whole(file: Path) -> bytes:
    from deconflict.node.proof_lines import MAX_PROOF_FILE_BYTES

    with file.open("rb") as stream:
        return stream.read(MAX_PROOF_FILE_BYTES + 1)
