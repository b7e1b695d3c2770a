"""Two signed things that no honest party signs both: whoever has its public key can check it.

A fork is two messages for one slot, or two checkpoints of one size with different roots. Nothing
else counts: two signatures over one message, or two cosignatures of one checkpoint at different
times, accuse nobody (promise 4: a correct party can always rebut a false accusation).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deconflict.errors import (
    BrokenProofError,
    InvalidDocumentError,
    NotFoundError,
    UnknownKeyError,
    VerificationError,
    WrongSenderError,
)
from deconflict.line.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from deconflict.line.envelope import Envelope, SealedEnvelope, open_envelope, read_envelope
from deconflict.line.incoming import EvidenceReason
from deconflict.line.key_change import vouched_keys
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import VerifyKey, key_named
from deconflict.line.note import read_note
from deconflict.line.root import Root
from deconflict.node.bundle_lines import base64_text
from deconflict.node.hearing import FORKED_CHECKPOINT
from deconflict.node.proof_lines import Equivocation, SignedNoteItem, SignedThing
from deconflict.store.base import EvidenceRow, Store

__all__ = ["VerifiedEquivocation", "equivocation_of", "verify_equivocation"]


@dataclass(frozen=True, slots=True)
class VerifiedEquivocation:
    """A proven fork. Only `verify_equivocation` makes one.

    Attributes:
        party: who signed both.
        key_id: with which key.
        line_id: on which line.
        epoch: in which epoch of its chain.
        what: ``messages`` or ``checkpoints``.
        number: the slot of both messages, or the size of both checkpoints.
        first: the hash of one message, or the root of one checkpoint.
        second: of the other.
    """

    party: str
    key_id: str
    line_id: str
    epoch: str
    what: str
    number: int
    first: str
    second: str


def verify_equivocation(
    proof: Equivocation,
    trusted: Mapping[str, VerifyKey],
    roots: Mapping[str, Root] | None = None,
) -> VerifiedEquivocation:
    """Return the fork that the file proves: both of it are signed by one key of the party.

    An epoch has one key. Two messages for a slot by two keys accuse nobody: one of the keys was
    not in force there, and somebody else may have it.

    Args:
        proof: as it was read.
        trusted: the accused party's first key, obtained from that party; others are not looked at.
        roots: its root, where it has one; needed where its key was changed.

    Raises:
        InvalidDocumentError: something in it is not what it has to be.
        VerificationError: a leaf that says what does not hold: then nobody is accused.
    """
    key = trusted.get(proof.party)
    if key is None or key.to_base64() != proof.key:
        raise UnknownKeyError(
            f"the file's key of {proof.party} is not the one you trust",
            given=proof.key[:60],
            expected="no key was given" if key is None else key.to_base64(),
            remedy=f"obtain {proof.party}'s invitation from {proof.party} itself",
        )
    keys = vouched_keys(
        proof.changes, party=proof.party, first=key, root=(roots or {}).get(proof.party)
    )
    signer = _signer_of_both(proof, keys)
    keys = {signer.key_id: signer}
    match proof.first, proof.second:
        case SignedThing() as one, SignedThing() as other:
            found = _forked_slot(*(_opened(thing, proof.party, keys) for thing in (one, other)))
        case SignedNoteItem() as one, SignedNoteItem() as other:
            found = _forked_size(*(_noted(item, proof.party, keys) for item in (one, other)))
        case _:
            raise InvalidDocumentError(
                "a message and a checkpoint contradict each other only with all messages between",
                expected="two messages, or two checkpoints",
                remedy="verify the whole record instead",
            )
    line, epoch, what, number, first, second = found
    return VerifiedEquivocation(
        proof.party, signer.key_id, line, epoch, what, number, first, second
    )


def equivocation_of(
    store: Store, line: str, peer: str, peer_key: VerifyKey, ring: KeyRing | None = None
) -> Equivocation:
    """Return the first fork of the peer that the evidence of a line proves.

    Args:
        store: the record.
        line: the line's id.
        peer: the peer.
        peer_key: with which it was pinned.
        ring: its keys on the line; None for that one alone.

    Raises:
        NotFoundError: the evidence proves none.
        StoreError: the record cannot be read.
    """
    trusted = {peer: peer_key}
    roots = {} if ring is None or ring.root is None else {peer: ring.root}
    changes = () if ring is None else ring.changes()
    for first, second in _pairs(store, line, peer):
        proof = Equivocation(
            format="deconflict-equivocation/1",
            party=peer,
            key=peer_key.to_base64(),
            first=first,
            second=second,
            changes=changes,
        )
        try:
            verify_equivocation(proof, trusted, roots)
        except (VerificationError, InvalidDocumentError):
            continue
        return proof
    raise NotFoundError(
        f"nothing kept here proves that {peer} signed two things for one place",
        given=f"line {line}",
        remedy="if the record itself is in doubt, export it whole and compare both sides' files",
    )


_Item = SignedThing | SignedNoteItem
_Fork = tuple[str, str, str, int, str, str]


def _pairs(store: Store, line: str, peer: str) -> Iterator[tuple[_Item, _Item]]:
    """Everything kept as evidence beside what claims the same place: in the record, or kept too."""
    seen: dict[tuple[str, str, int], _Item] = {}
    for row in store.evidence(line):
        if row.reason == EvidenceReason.OLD_KEY:
            continue  # whoever got hold of a key that is over may have signed it
        try:
            kind, epoch, number = place = _place_of(row)
        except (VerificationError, InvalidDocumentError):
            continue  # what cannot be read accuses nobody
        item = _item_of(row)
        recorded = _recorded(store, line, peer, kind, epoch, number)
        yield from ((other, item) for other in (recorded, seen.get(place)) if other is not None)
        seen.setdefault(place, item)


def _place_of(row: EvidenceRow) -> tuple[str, str, int]:
    if row.reason == FORKED_CHECKPOINT:
        checkpoint = read_checkpoint(read_note(row.data).text)
        return "checkpoints", checkpoint.origin.epoch, checkpoint.head.size
    envelope = read_envelope(row.data)
    return "messages", envelope.epoch, envelope.seq


def _item_of(row: EvidenceRow) -> _Item:
    if row.reason == FORKED_CHECKPOINT:
        return SignedNoteItem(base64_text(row.data))
    return SignedThing(base64_text(row.data), row.algorithm, row.key_id, base64_text(row.signature))


def _recorded(
    store: Store, line: str, peer: str, kind: str, epoch: str, number: int
) -> _Item | None:
    if kind == "checkpoints":
        for kept in store.checkpoints(line, peer):
            if (kept.epoch, kept.size) == (epoch, number):
                return SignedNoteItem(base64_text(kept.note))
        return None
    entry = store.entry_at(line, peer, epoch, number)
    if entry is None or entry.signature is None:
        return None
    return SignedThing(
        base64_text(entry.data), entry.algorithm, entry.key_id, base64_text(entry.signature)
    )


def _signer_of_both(proof: Equivocation, keys: Mapping[str, VerifyKey]) -> VerifyKey:
    """Return the key that both things name; a checkpoint names its keys in its own lines."""
    if isinstance(proof.first, SignedThing):
        signer = key_named(keys, proof.first.algorithm, proof.first.key_id)
        if isinstance(proof.second, SignedThing):
            other = key_named(keys, proof.second.algorithm, proof.second.key_id)
            if other != signer:
                raise _no_fork(f"keys {signer.key_id[:16]}… and {other.key_id[:16]}…")
        return signer
    for key in keys.values():
        try:
            open_checkpoint(proof.first.exact, {key.key_id: key})
        except UnknownKeyError:
            continue
        return key
    return next(iter(keys.values()))


def _opened(thing: SignedThing, party: str, keys: Mapping[str, VerifyKey]) -> tuple[Envelope, str]:
    sealed = SealedEnvelope(thing.exact, thing.sealed_with)
    envelope = open_envelope(sealed, keys)
    _require_author(envelope.sender.party, party)
    return envelope, sealed.hash


def _noted(item: SignedNoteItem, party: str, keys: Mapping[str, VerifyKey]) -> Checkpoint:
    checkpoint, _ = open_checkpoint(item.exact, keys)
    _require_author(checkpoint.origin.party, party)
    return checkpoint


def _forked_slot(one: tuple[Envelope, str], other: tuple[Envelope, str]) -> _Fork:
    (a, first), (b, second) = one, other
    slots = [(e.line, e.epoch, e.seq) for e in (a, b)]
    if slots[0] != slots[1] or first == second:
        raise _no_fork(f"slots {a.seq} and {b.seq}, {first[:16]}… and {second[:16]}…")
    return a.line, a.epoch, "messages", a.seq, first, second


def _forked_size(one: Checkpoint, other: Checkpoint) -> _Fork:
    first, second = one.head, other.head
    if one.origin != other.origin or first.size != second.size or first.root == second.root:
        raise _no_fork(f"sizes {first.size} and {second.size}")
    origin = one.origin
    return (
        origin.line,
        origin.epoch,
        "checkpoints",
        first.size,
        first.root.hex(),
        second.root.hex(),
    )


def _require_author(found: str, party: str) -> None:
    if found != party:
        raise WrongSenderError("it was signed in another party's name", given=found, expected=party)


def _no_fork(given: str) -> BrokenProofError:
    return BrokenProofError(
        "an honest party may sign both of these",
        given=given,
        expected="two messages of one slot, or two checkpoints of one size, that differ",
        remedy="accuse nobody on the strength of this file",
    )
