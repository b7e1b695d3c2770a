"""The whole record proven and read anew, and held against what was kept of it before.

Like the rest of a node's decisions it has no clock and no thread of its own: whoever calls it has
a record that nobody writes, as a copy is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Final

import msgspec

from deconflict.errors import DeconflictError, InvalidDocumentError, StoreDamagedError, StoreError
from deconflict.line.key_ring import KeyRing
from deconflict.line.keys import VerifyKey
from deconflict.line.root import Root
from deconflict.line.statement import ChainPoint
from deconflict.node.chains import receipt_on_way
from deconflict.node.fold import KeptFold, LineFold
from deconflict.node.keeping.kept_record import KeptRecord, edition
from deconflict.store.base import EntryRow, Store
from deconflict.store.rings import ring_of
from deconflict.store.verify import ProvenChain, RecordProof

__all__ = ["Pins", "audited", "require_comparable"]

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
            newest = _newest_receipt(store, pins.party, line_id, peer)
            known = newest if earlier is None else earlier.receipted
            fold = _fold(store, pins, line_id, peer, earlier, known)
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


def require_comparable(store: Store, pins: Pins, before: KeptRecord) -> None:
    """Return when a start from this record would go on from what was kept.

    Then it says the same as the record read whole, and :func:`audited` may hold one against the
    other. In a copy of what the start itself has read it is always so. In a later one it need not
    be: a fresh epoch may have left entries behind, or one was called late since. That is no damage.

    Raises:
        InvalidDocumentError: it would not.
        StoreError: the record cannot be read, or is damaged.
    """
    for line_id, peer in pins.lines:
        earlier = before.fold(line_id)
        if earlier is None:
            continue
        newest = _newest_receipt(store, pins.party, line_id, peer)
        fold = _fold(store, pins, line_id, peer, earlier, newest)
        try:
            fold.take_up(earlier)
            # The entry after it: whether that belongs before its end is asked when it is read.
            next(fold.read(partial(_rows_behind, store, earlier)), None)
        except StoreError:
            raise
        except (DeconflictError, LookupError, TypeError, ValueError) as error:
            why = error.problem if isinstance(error, DeconflictError) else repr(error)
            raise InvalidDocumentError(
                f"what the start went on from cannot be compared with the record any more: {why}",
                remedy="start again when nothing is open: the whole record is read then",
            ) from error


def _rows_behind(store: Store, earlier: KeptFold, party: str) -> Iterator[EntryRow]:
    head, line_id = earlier.heads.get(party), earlier.line_id
    if head is None:
        return store.entries(line_id, party)
    epochs = [row.epoch for row in store.epochs(line_id, party)]
    return chain.from_iterable(
        store.entries(line_id, party, epoch=epoch, after_seq=head.seq if epoch == head.epoch else 0)
        for epoch in epochs[epochs.index(head.epoch) :]
    )


def _fold(
    store: Store,
    pins: Pins,
    line_id: str,
    peer: str,
    earlier: KeptFold | None,
    receipted: ChainPoint | None,
) -> LineFold:
    rings = (
        ring_of(store, line_id, party, pins.keys[party], pins.roots.get(party))
        for party in (pins.party, peer)
    )
    # A key that came since was not known when what was kept was read.
    ever = {ring.party: _known(ring, earlier) for ring in rings}
    return LineFold(store, line_id, pins.party, peer, ever, receipted)


def _newest_receipt(store: Store, own: str, line_id: str, peer: str) -> ChainPoint | None:
    row = receipt_on_way(store, line_id, own, peer)
    return None if row is None else ChainPoint(row.epoch, row.seq, row.hash)


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
