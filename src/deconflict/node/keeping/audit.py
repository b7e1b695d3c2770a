"""The whole record proven and read anew, and held against what was kept of it before.

Like the rest of a node's decisions it has no clock and no thread of its own: whoever calls it has
a record that nobody writes, as a copy is.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from deconflict.errors import InvalidDocumentError, StoreDamagedError
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import VerifyKey
from deconflict.line.root import Root
from deconflict.line.statement import ChainPoint
from deconflict.node.fold import KeptFold, LineFold
from deconflict.node.keeping.kept_record import KeptRecord, edition
from deconflict.store.base import Store
from deconflict.store.rings import ring_of
from deconflict.store.verify import ProvenChain, RecordProof

__all__ = ["Pins", "audited"]

_TELL_EVERY: Final = 1_000  # entries


class Pins(msgspec.Struct, frozen=True):
    """Whose record it is, and which keys count.

    Attributes:
        party: ours.
        lines: ids of the lines that are spoken, each with its peer.
        keys: the first key of each party.
        roots: each party's root, where it has one.
    """

    party: str
    lines: Sequence[tuple[str, str]]
    keys: Mapping[str, VerifyKey]
    roots: Mapping[str, Root]


def audited(
    store: Store,
    pins: Pins,
    before: KeptRecord | None,
    *,
    threads: int | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> KeptRecord | None:
    """Prove a whole record, read it from its first entry on, and return what is to be kept of it.

    Args:
        store: the record, or a copy.
        pins: whose it is.
        before: what a start went on from; None for one that read everything.
        threads: how many verify signatures; None for one a processor.
        told: hears now and then how many entries were read.

    Returns:
        What a later start can go on from; None where it must not: an entry cites what the record
        lacks.

    Raises:
        StoreDamagedError: the record does not verify, or it does not say what was kept of it.
        StoreError: it cannot be read.
    """
    keys = {party: {key.key_id: key} for party, key in pins.keys.items()}
    folds: list[KeptFold | None] = []
    number = 0
    with RecordProof(store, keys, roots=pins.roots, threads=threads) as proof:
        for one in () if before is None else before.chains:
            proof.mark(one.line_id, one.head, one.party)
        for line_id, peer in pins.lines:
            earlier = None if before is None else before.fold(line_id)
            rings = (
                ring_of(store, line_id, party, pins.keys[party], pins.roots.get(party))
                for party in (pins.party, peer)
            )
            # A key that came since was not known when what was kept was read.
            ever = {ring.party: _known(ring, earlier) for ring in rings}
            row = store.latest_receipt(line_id, peer)
            newest = None if row is None else ChainPoint(row.epoch, row.seq, row.hash)
            known = newest if earlier is None else earlier.receipted
            fold = LineFold(store, line_id, pins.party, peer, ever, known)
            passed = earlier is None or _passes(fold, earlier, newest)
            for _ in fold.read(partial(proof.entries, line_id)):
                passed = passed or (earlier is not None and _passes(fold, earlier, newest))
                number += 1
                if number % _TELL_EVERY == 0:
                    told(number)
            if not passed:
                raise _differs(f"line {line_id}")
            folds.append(fold.kept())
        told(proof.finish().entries)
        for one in () if before is None else before.chains:
            _require_same_tree(proof, one)
        chains = proof.proven()
    lasting = tuple(fold for fold in folds if fold is not None)
    return KeptRecord(edition(), chains, lasting) if len(lasting) == len(folds) else None


def _known(ring: KeyRing, earlier: KeptFold | None) -> Mapping[str, VerifyKey]:
    known = ring.ever if earlier is None else earlier.keys.get(ring.party, ())
    return {key_id: key for key_id, key in ring.ever.items() if key_id in known}


def _passes(fold: LineFold, earlier: KeptFold, newest: ChainPoint | None) -> bool:
    """True exactly when the fold stands where an earlier one was kept; then both are the same.

    Raises:
        StoreDamagedError: they are not.
    """
    if fold.heads != earlier.heads:
        return False
    found = fold.kept()
    if found is None or _written(_as_of(found, earlier)) != _written(earlier):
        raise _differs(f"line {earlier.line_id}")
    try:
        fold.renew(newest)
    except InvalidDocumentError as error:
        raise _differs(f"line {earlier.line_id}") from error
    return True


def _as_of(found: KeptFold, earlier: KeptFold) -> KeptFold:
    """Return it with what depends on when it was kept: what followed was looked at at the start."""
    return msgspec.structs.replace(found, delayed=earlier.delayed, trailing=earlier.trailing)


def _require_same_tree(proof: RecordProof, one: ProvenChain) -> None:
    if proof.marked(one.line_id, one.party) != one.tree.head:
        raise _differs(f"{one.party}'s chain on line {one.line_id}")


def _written(kept: KeptFold) -> bytes:
    return msgspec.msgpack.encode(kept)


def _differs(where: str) -> StoreDamagedError:
    return StoreDamagedError(
        "the record does not say what was kept of it, and the node went on from that",
        given=where,
        expected="the same state from both",
        remedy="keep the folder as it is and report it; start again: the whole record is read then",
    )
