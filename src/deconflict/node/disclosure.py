"""One message shown to a stranger, with the proof that it stands in a chain both sides fixed.

Nothing of the other messages is shown but how many there were, and hashes that nobody can try
guesses at: a leaf of the tree is over a signature (``specs/checkpoint.md`` §1).
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deconflict.errors import (
    LineStateError,
    NotFoundError,
    StoreDamagedError,
    UnknownKeyError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.checkpoint import (
    Origin,
    cosignature_time_s,
    entry_leaf,
    open_checkpoint,
)
from deconflict.line.envelope import Envelope, SealedEnvelope, open_envelope
from deconflict.line.key_change import KeyChange, read_unproven, vouched_keys
from deconflict.line.keys import SigningKey, VerifyKey, line_id
from deconflict.line.moment import utc_text
from deconflict.line.root import Root
from deconflict.line.tree import GrowingTree, verify_inclusion
from deconflict.node.bundle import cosigned_note
from deconflict.node.bundle_lines import base64_text
from deconflict.node.chains import way_of
from deconflict.node.proof_lines import Disclosure, SignedNoteItem, SignedThing
from deconflict.node.witness.state import with_lines, witness_lines
from deconflict.store.base import CheckpointRow, EntryRow, Store

__all__ = ["VerifiedDisclosure", "disclose", "verify_disclosure"]


@dataclass(frozen=True, slots=True)
class VerifiedDisclosure:
    """What a disclosed message proves. Only `verify_disclosure` makes one."""

    line_id: str
    party: str  # who said it
    to: str
    hash: str
    envelope: Envelope
    size: int  # how many messages the author had said under the checkpoint
    cosigned_utc: str  # when the other party signed that it held them, by its clock


def disclose(
    store: Store,
    line: str,
    message_hash: str,
    *,
    signer: SigningKey,
    peer_key: VerifyKey,
    own_key: VerifyKey | None = None,
    changes: Sequence[KeyChange] = (),
) -> Disclosure:
    """Return one message of a line with its proof, under the first checkpoint that covers it.

    Reads the chain up to there: some 20 µs an entry.

    Args:
        store: the verified record.
        line: the line's id.
        message_hash: the message.
        signer: the own key in force.
        peer_key: with which the peer was pinned.
        own_key: with which this party is pinned; None for ``signer``'s.
        changes: of either party's key since.

    Raises:
        NotFoundError: there is no such line, or no such message on it.
        LineStateError: no cosigned checkpoint covers it yet, or none ever will.
        StoreError: the record cannot be read.
    """
    row, entry = store.line(line), store.entry(message_hash)
    if row is None or entry is None or entry.line_id != line:
        raise NotFoundError(
            "there is no such message on this line",
            given=message_hash[:64],
            remedy="see its id: deconflict log",
        )
    checkpoint = _covering(store, entry)
    tree = GrowingTree()
    chain = store.entries(line, entry.party, epoch=entry.epoch, limit=checkpoint.size)
    for each in chain:
        tree.add(entry_leaf(each.hash, each.signature or b""))
    if tree.size != checkpoint.size or tree.head_at(tree.size).root != checkpoint.root:
        raise StoreDamagedError(
            "a cosigned checkpoint is not the tree over the entries stored",
            given=f"size {checkpoint.size} of {entry.party}",
            remedy="stop the node and verify the database",
        )
    third = witness_lines(store, line, entry.party).get((checkpoint.epoch, checkpoint.size))
    note = with_lines(cosigned_note(checkpoint, row, signer), third)
    keys = {row.own_party: own_key or signer.verify_key, row.peer_party: peer_key}
    return Disclosure(
        format="deconflict-disclosure/1",
        line=line,
        keys={party: key.to_base64() for party, key in keys.items()},
        message=SignedThing(
            base64_text(entry.data),
            entry.algorithm,
            entry.key_id,
            base64_text(entry.signature or b""),
        ),
        proof=tuple(base64_text(one) for one in tree.inclusion(entry.seq - 1, tree.size)),
        checkpoint=SignedNoteItem(base64_text(note.to_bytes())),
        changes=tuple(changes),
    )


def verify_disclosure(
    proof: Disclosure,
    trusted: Mapping[str, VerifyKey],
    roots: Mapping[str, Root] | None = None,
) -> VerifiedDisclosure:
    """Return what a disclosed message proves.

    Args:
        proof: as it was read.
        trusted: each party's first key, obtained from that party.
        roots: each party's root, obtained with it; needed where a key was changed.

    Raises:
        InvalidDocumentError: something in it is not what it has to be.
        VerificationError: a leaf that says what does not hold.
    """
    keys = _vouched(proof, _trusted(proof, trusted), roots or {})
    message = SealedEnvelope(proof.message.exact, proof.message.sealed_with)
    signers = {key_id: party for party, known in keys.items() for key_id in known}
    author = signers.get(proof.message.key_id)
    if author is None:
        raise UnknownKeyError(
            "the message is signed by neither party", given=proof.message.key_id[:16]
        )
    (other,) = keys.keys() - {author}
    envelope = open_envelope(message, keys[author])
    if (envelope.sender.party, envelope.to.party) != (author, other):
        raise WrongSenderError(
            "the message names other parties than signed it",
            given=f"from {envelope.sender.party} to {envelope.to.party}",
            expected=f"from {author} to {other}",
        )
    checkpoint, note = open_checkpoint(proof.checkpoint.exact, keys[author])
    origin = Origin(proof.line, author, envelope.epoch)
    if envelope.line != proof.line or checkpoint.origin != origin:
        raise WrongLineError(
            "message and checkpoint are not of one chain of this line",
            given=f"line {envelope.line}, {checkpoint.origin.name}",
            expected=origin.name,
        )
    time_s = cosignature_time_s(note, other, keys[other])
    leaf = entry_leaf(message.hash, message.signature.value)
    path = [base64.b64decode(text) for text in proof.proof]
    verify_inclusion(leaf, envelope.seq - 1, checkpoint.head, path)
    return VerifiedDisclosure(
        line_id=proof.line,
        party=author,
        to=other,
        hash=message.hash,
        envelope=envelope,
        size=checkpoint.head.size,
        cosigned_utc=utc_text(time_s * 1_000),
    )


def _covering(store: Store, entry: EntryRow) -> CheckpointRow:
    for row in store.checkpoints(entry.line_id, entry.party):
        if row.epoch == entry.epoch and row.size >= entry.seq:
            return row
    (*_, present) = store.epochs(entry.line_id, entry.party)
    if entry.epoch != present.epoch:
        raise _of_an_epoch_that_is_over(store, entry)
    raise LineStateError(
        "both sides have not fixed this message yet, so nobody but them could check it",
        given=f"{entry.party}'s number {entry.seq}",
        expected="a cosigned checkpoint, 10 s after its receipt while the peer is connected",
        remedy="try again later",
    )


def _of_an_epoch_that_is_over(store: Store, entry: EntryRow) -> LineStateError:
    """Return why a message has no checkpoint and gets none: its author signs in another epoch."""
    way = way_of(store, entry.line_id, entry.party)
    if not any(part.epoch == entry.epoch and entry.seq <= part.last_seq for part in way):
        return LineStateError(
            f"{entry.party} left this message behind, and said it again in a fresh epoch",
            given=f"{entry.party}'s number {entry.seq} of an earlier epoch",
            expected="a message that both sides hold in the order of the chain",
            remedy="show the one that was said again: deconflict log",
        )
    return LineStateError(
        f"{entry.party} began a fresh epoch before both sides had fixed this message: it cannot be "
        "shown alone",
        given=f"{entry.party}'s number {entry.seq} of an earlier epoch",
        expected="a cosigned checkpoint of that epoch, which is over: none will follow",
        remedy="show the whole record, where receipts and the order of the chain prove it: "
        "deconflict export --out FILE",
    )


def _vouched(
    proof: Disclosure, first: Mapping[str, VerifyKey], roots: Mapping[str, Root]
) -> dict[str, dict[str, VerifyKey]]:
    """Return each party's keys by key id: the first one, and those that its root vouches for."""
    stated = [(read_unproven(change).party, change) for change in proof.changes]
    if strangers := {party for party, _ in stated} - first.keys():
        raise WrongSenderError(
            "a change of key is of somebody who is not on this line",
            given=", ".join(sorted(strangers)),
            expected=" or ".join(first),
        )
    return {
        party: vouched_keys(
            [change for of, change in stated if of == party],
            party=party,
            first=key,
            root=roots.get(party),
        )
        for party, key in first.items()
    }


def _trusted(proof: Disclosure, trusted: Mapping[str, VerifyKey]) -> dict[str, VerifyKey]:
    keys = {}
    for party, stated in sorted(proof.keys.items()):
        key = trusted.get(party)
        if key is None or key.to_base64() != stated:
            raise UnknownKeyError(
                f"the file's key of {party} is not the one you trust",
                given=stated[:60],
                expected="no key was given" if key is None else key.to_base64(),
                remedy=f"obtain {party}'s invitation from {party} itself",
            )
        keys[party] = key
    if len(keys) != 2:
        raise WrongLineError("a line is of two parties", given=", ".join(keys) or "nobody")
    (a, one), (b, other) = keys.items()
    derived = line_id(a, one.key_id, b, other.key_id)
    if proof.line != derived:
        raise WrongLineError(
            "the line named is not the line of these parties and keys",
            given=proof.line,
            expected=derived,
        )
    return keys
