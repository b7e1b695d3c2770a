"""Does the whole record verify? Asked at every start, before the node says a word.

Five things are proven: the container is whole; each chain follows from its first entry to the head
kept apart from it, and each epoch from an entry of one before; every signature holds; every receipt
names an entry of the log; every cosigned checkpoint has the root of the tree over its entries. One
thread walks, the signatures are shared out: they are proven without the interpreter's lock
(``bench/bench_store.py`` measures it).
"""

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import TracebackType
from typing import Final, Self

import msgspec

from deconflict.errors import (
    InvalidDocumentError,
    StoreDamagedError,
    StoreError,
    VerificationError,
)
from deconflict.line.checkpoint import entry_leaf
from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.key_ring import KeyRing
from deconflict.line.log import ChainCheck
from deconflict.line.root import Root
from deconflict.line.statement import ChainPoint, Signature
from deconflict.line.tree import HASH_BYTES, CompactRange, GrowingTree, TreeHead
from deconflict.store.base import (
    CheckpointRow,
    EntryRow,
    LineRow,
    ReceiptRow,
    Store,
)
from deconflict.store.provers import REMEDY, KeysByParty, Provers, damaged
from deconflict.store.rings import ring_of

__all__ = ["KeysByParty", "ProvenChain", "RecordProof", "VerifiedRecord", "verify_store"]

CHUNK: Final = 256  # statements a thread takes at once


@dataclass(frozen=True, slots=True)
class VerifiedRecord:
    """How much was proven."""

    lines: int
    entries: int
    unsigned: int  # own entries at the tail whose signature is still to be made
    receipts: int
    checkpoints: int = 0
    before: int = 0  # of the entries: proven before, and not again


class ProvenChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far one party's chain on a line was proven, all of it signed; another proof goes on.

    Attributes:
        line_id: the line.
        party: the author.
        head: the last entry proven.
        entries, receipts, checkpoints: how many, over all epochs.
        receipted: the last entry for which a receipt was proven, as epoch and number.
        size, peaks: the tree over the entries of the last epoch.
        agreed_size, agreed_peaks: the same, as far as it is cosigned.
        later: and each leaf after that.
    """

    line_id: str
    party: str
    head: ChainPoint
    entries: int
    receipts: int
    checkpoints: int
    receipted: tuple[str, int] | None
    size: int
    peaks: tuple[bytes, ...]
    agreed_size: int
    agreed_peaks: tuple[bytes, ...]
    later: bytes

    @property
    def tree(self) -> CompactRange:
        """The tree over the entries of the last epoch."""
        return CompactRange(self.size, self.peaks)

    @property
    def grown(self) -> GrowingTree:
        """The same, as it can prove that it grew since it was cosigned last."""
        return GrowingTree(CompactRange(self.agreed_size, self.agreed_peaks), self.later)


def verify_store(
    store: Store,
    keys_by_party: KeysByParty,
    *,
    roots: Mapping[str, Root] | None = None,
    threads: int | None = None,
) -> VerifiedRecord:
    """Prove the whole record, or raise at the first thing that does not hold.

    An own entry may lack its signature only at the tail of the own chain: its slot was made
    durable and we stopped before signing. Whole lines and chains whose every trace is gone cannot
    be missed here; the peer's receipts and the guard outside the file show them.

    Args:
        store: the record.
        keys_by_party: each party's first key, by key id; the others follow from its chain.
        roots: each party's root, where it has one: nobody else brings another key in force.
        threads: how many verify signatures; None for one a processor.

    Raises:
        StoreDamagedError: naming line, party and number.
        StoreError: the record cannot be read.
    """
    with RecordProof(store, keys_by_party, roots=roots, threads=threads) as proof:
        return proof.finish()


class RecordProof:
    """The same proof for somebody who wants to read the chains meanwhile, each entry once.

    What is read counts only when :meth:`finish` has returned: an entry is handed out when its
    place in the chain is proven, its signature comes later. Use as a context manager.

    Args:
        store, keys_by_party, roots, threads: as of :func:`verify_store`.
        behind: chains that were proven before, up to some entry. Of them only what came since is
            proven, and the container is not looked at: whoever asks for that has the whole record
            proven soon.

    Raises:
        as :func:`verify_store`; everything but signatures and chains is proven at once.
    """

    def __init__(
        self,
        store: Store,
        keys_by_party: KeysByParty,
        *,
        roots: Mapping[str, Root] | None = None,
        threads: int | None = None,
        behind: Sequence[ProvenChain] = (),
    ) -> None:
        if not behind:
            store.check_storage()
        self._store = store
        self._lines = store.lines()
        self._provers = Provers(threads or os.cpu_count() or 1)
        rings = {
            line.line_id: _rings(store, line, keys_by_party, roots or {}) for line in self._lines
        }
        proven = {(one.line_id, one.party): one for one in behind}
        self._walks = {
            (line.line_id, author): _Walk(
                store,
                line,
                author,
                rings[line.line_id],
                self._provers,
                proven.get((line.line_id, author)),
            )
            for line in self._lines
            for author in (line.own_party, line.peer_party)
        }

    def entries(self, line_id: str, party: str) -> Iterator[EntryRow]:
        """Yield a party's chain on a line, each entry once, however often this is called."""
        walk = self._walks.get((line_id, party))
        return iter(()) if walk is None else walk.rows

    def tree(self, line_id: str, party: str) -> GrowingTree:
        """Return the tree over the signed entries of a chain, once it was read to its end.

        Of several epochs, over the last. It was worked out to prove the checkpoints.
        """
        walk = self._walks.get((line_id, party))
        return GrowingTree() if walk is None else walk.grown()

    def proven(self) -> tuple[ProvenChain, ...]:
        """Return how far each chain was proven, once :meth:`finish` has returned.

        A chain whose last entries wait for their signatures is not among them.
        """
        found = (walk.proven() for walk in self._walks.values())
        return tuple(one for one in found if one is not None)

    def mark(self, line_id: str, point: ChainPoint, party: str) -> None:
        """Have :meth:`marked` tell the tree up to an entry, which is still to be read."""
        walk = self._walks.get((line_id, party))
        if walk is not None:
            walk.mark = (point.epoch, point.seq)

    def marked(self, line_id: str, party: str) -> TreeHead | None:
        """Return the tree over a chain's epoch up to the entry marked; None: it was not read."""
        walk = self._walks.get((line_id, party))
        return None if walk is None else walk.marked

    def finish(self) -> VerifiedRecord:
        """Walk what nobody has read, wait for the last signature, and return what was proven."""
        for walk in self._walks.values():
            deque(walk.rows, maxlen=0)
        self._provers.wait()
        for line in self._lines:
            if strangers := {head.party for head in self._store.heads(line.line_id)} - {
                line.own_party,
                line.peer_party,
            }:
                raise StoreDamagedError(
                    f"line {line.line_id} has a chain of {', '.join(sorted(strangers))}",
                    expected=f"only {line.own_party} and {line.peer_party} speak on it",
                    remedy=REMEDY,
                )
        walks = self._walks.values()
        return VerifiedRecord(
            len(self._lines),
            sum(walk.entries for walk in walks),
            sum(walk.unsigned for walk in walks),
            sum(walk.receipts for walk in walks),
            sum(walk.checkpoints for walk in walks),
            sum(walk.before for walk in walks),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        try:
            # Damage may stop whoever reads before it is proven; the proof says what is damaged.
            if kind is not None and not issubclass(kind, StoreError):
                self._provers.wait()
        finally:
            self._provers.close()


def _rings(
    store: Store, line: LineRow, keys_by_party: KeysByParty, roots: Mapping[str, Root]
) -> dict[str, KeyRing]:
    return {
        party: ring_of(store, line.line_id, party, first, roots.get(party))
        for party in (line.own_party, line.peer_party)
        if (first := next(iter(keys_by_party.get(party, {}).values()), None)) is not None
    }


class _Walk:
    """One party's chain on one line, with the receipts the other party signed for it."""

    def __init__(
        self,
        store: Store,
        line: LineRow,
        author: str,
        rings: Mapping[str, KeyRing],
        provers: Provers,
        behind: ProvenChain | None,
    ) -> None:
        self._store = store
        self._behind = behind
        self._line = line
        self._author = author
        self._signer = line.peer_party if author == line.own_party else line.own_party
        self._ring = rings.get(author)
        self._keys_by_party = {party: ring.ever for party, ring in rings.items()}
        self._author_keys = self._keys_by_party.get(author, {})
        self._signer_keys = self._keys_by_party.get(self._signer, {})
        self._provers = provers
        self._tree = CompactRange()  # over the present epoch
        self._agreed = CompactRange()  # the same, as far as it is cosigned
        self._later = bytearray()  # and each leaf after that
        self.entries = 0
        self.unsigned = 0
        self.receipts = 0
        self.checkpoints = 0
        self.mark: tuple[str, int] | None = None
        self.marked: TreeHead | None = None
        self._last: EntryRow | None = None
        self._receipted: tuple[str, int] | None = None
        self.before = 0 if behind is None else behind.entries
        self.rows = self._walk()

    def grown(self) -> GrowingTree:
        """The tree over the signed entries walked, agreed as far as it is cosigned."""
        return GrowingTree(self._agreed, self._later)

    def proven(self) -> ProvenChain | None:
        """How far it was proven, at its end; None without an entry, or with one not signed."""
        last = self._last
        if last is None or self.unsigned:
            return None
        return ProvenChain(
            line_id=self._line.line_id,
            party=self._author,
            head=ChainPoint(last.epoch, last.seq, last.hash),
            entries=self.entries,
            receipts=self.receipts,
            checkpoints=self.checkpoints,
            receipted=self._receipted,
            size=self._tree.size,
            peaks=self._tree.peaks,
            agreed_size=self._agreed.size,
            agreed_peaks=self._agreed.peaks,
            later=bytes(self._later),
        )

    def _walk(self) -> Iterator[EntryRow]:
        """Yield every entry whose place is proven; what the provers find comes later."""
        last: EntryRow | None = None
        waiting: list[tuple[EntryRow, SealedEnvelope]] = []
        receipted: list[ReceiptRow] = []
        cosigned: list[CheckpointRow] = []
        if self._behind is None:
            receipts = self._store.receipts(self._line.line_id, self._signer)
            checkpoints = self._store.checkpoints(self._line.line_id, self._author)
        else:
            last = self._go_on(self._behind)
            receipts = self._since(self._behind, receipted)
            checkpoints = self._grown_since(self._behind, cosigned)
        receipt = next(receipts, None)
        checkpoint = next(checkpoints, None)
        for row, sealed in self._in_order(last):
            if row.signature is not None:
                waiting.append((row, sealed))
            if receipt is not None and (receipt.epoch, receipt.seq) == (row.epoch, row.seq):
                if receipt.hash != row.hash:
                    raise damaged(row, f"{self._signer}'s receipt names another entry")
                receipted.append(receipt)
                receipt = next(receipts, None)
            if checkpoint is not None and (checkpoint.epoch, checkpoint.size) == (
                row.epoch,
                row.seq,
            ):
                if self.unsigned or self._tree.head != TreeHead(checkpoint.size, checkpoint.root):
                    raise damaged(checkpoint, "it is not the tree over these entries")
                cosigned.append(checkpoint)
                self._agreed, self._later = self._tree.copy(), bytearray()
                checkpoint = next(checkpoints, None)
            if len(waiting) >= CHUNK:
                self._hand_over(waiting, receipted, cosigned)
                waiting, receipted, cosigned = [], [], []
            last = row
            if (row.epoch, row.seq) == self.mark:
                self.marked = self._tree.head
            yield row
        self._hand_over(waiting, receipted, cosigned)
        self._last = last
        if receipt is not None:
            raise damaged(receipt, f"{self._author}'s entry that it receipts is missing")
        if checkpoint is not None:
            raise damaged(checkpoint, "the last entry that it covers is missing")
        self._require_head(last)

    def _go_on(self, behind: ProvenChain) -> EntryRow:
        """Return the last entry that was proven before; trees and counts are as they were."""
        head = behind.head
        row = self._store.entry_at(self._line.line_id, self._author, head.epoch, head.seq)
        if row is None or row.hash != head.hash or row.signature is None:
            raise self._unproven(f"the record has another entry {head.seq}")
        self._tree, grown = behind.tree, behind.grown
        if (
            self._tree.size != head.seq
            or grown.size != self._tree.size
            or grown.head_at(grown.size) != self._tree.head
        ):
            raise self._unproven("its trees are not of one chain")
        self._agreed, self._later = grown.range_at(grown.agreed_size), bytearray(behind.later)
        self.entries, self.receipts = behind.entries, behind.receipts
        self.checkpoints, self._receipted = behind.checkpoints, behind.receipted
        return row

    def _since(self, behind: ProvenChain, receipted: list[ReceiptRow]) -> Iterator[ReceiptRow]:
        """Return the receipts for later entries; first take those that came for proven ones."""
        epochs = self._epochs()
        end = _place(epochs, behind.head.epoch, behind.head.seq)
        known, last_seq = behind.receipted or ("", 0)
        receipts = chain.from_iterable(
            self._store.receipts(
                self._line.line_id,
                self._signer,
                epoch=epoch,
                after_seq=last_seq if epoch == known else 0,
            )
            for epoch in epochs[epochs.index(known) if known in epochs else 0 :]
        )
        for receipt in receipts:
            if _place(epochs, receipt.epoch, receipt.seq) > end:
                return chain((receipt,), receipts)
            held = self._store.entry_at(receipt.line_id, self._author, receipt.epoch, receipt.seq)
            if held is None or held.hash != receipt.hash:
                raise damaged(receipt, f"{self._author}'s entry that it receipts is missing")
            receipted.append(receipt)
        return iter(())

    def _grown_since(
        self, behind: ProvenChain, cosigned: list[CheckpointRow]
    ) -> Iterator[CheckpointRow]:
        """Return the checkpoints over later entries; first take those that came over proven ones.

        Among those known then the last has the tree that was agreed.
        """
        epochs = self._epochs()
        here, known = behind.head.epoch, behind.agreed_size
        checkpoints = chain.from_iterable(
            self._store.checkpoints(
                self._line.line_id,
                self._author,
                epoch=epoch,
                after_size=max(known - 1, 0) if epoch == here else 0,
            )
            for epoch in epochs[epochs.index(here) :]
        )
        grown = behind.grown
        if known:
            first = next(checkpoints, None)
            if first is None or (first.epoch, first.size, first.root) != (here, *_pair(grown)):
                raise self._unproven("no checkpoint has its tree")
        for row in checkpoints:
            if row.epoch != here or row.size > behind.head.seq:
                return chain((row,), checkpoints)
            if grown.head_at(row.size) != TreeHead(row.size, row.root):
                raise damaged(row, "it is not the tree over these entries")
            cosigned.append(row)
            self._agreed = grown.range_at(row.size)
            self._later = bytearray(behind.later[(row.size - known) * HASH_BYTES :])
        return iter(())

    def _epochs(self) -> list[str]:
        return [head.epoch for head in self._store.epochs(self._line.line_id, self._author)]

    def _unproven(self, why: str) -> InvalidDocumentError:
        return InvalidDocumentError(
            f"what was kept of {self._author}'s chain does not fit the record: {why}",
            given=f"line {self._line.line_id}",
            remedy="nothing: the whole record is proven instead",
        )

    def _in_order(self, last: EntryRow | None) -> Iterator[tuple[EntryRow, SealedEnvelope]]:
        """The chain's entries behind one, or all; each linked to the one before it."""
        check: ChainCheck | None = None
        epoch = ""
        signer: str | None = None
        if last is not None:
            epoch = last.epoch
            check = ChainCheck(line=self._line.line_id, party=self._author)
            check.pass_to(ChainPoint(last.epoch, last.seq, last.hash), _sealed(last))
            signer = None if self._ring is None else self._ring.of(epoch).key.key_id
        for row in self._rows_behind(last):
            if check is None or row.epoch != epoch:
                if last is not None:
                    self._require_follows(row, last)
                check = ChainCheck(line=self._line.line_id, party=self._author)
                epoch = row.epoch
                signer = None if self._ring is None else self._ring.of(epoch).key.key_id
                self._tree, self._agreed, self._later = CompactRange(), CompactRange(), bytearray()
            sealed = _sealed(row)
            try:
                point = check.add(sealed, name=row.hash)  # the store compared them
            except (VerificationError, InvalidDocumentError) as error:
                raise damaged(row, str(error)) from error
            if (point.epoch, point.seq) != (row.epoch, row.seq):
                raise damaged(row, f"it says of itself that it is number {point.seq}")
            if row.key_id != signer and row.seq > 1 and signer is not None:
                # Who signs the first entry of an epoch was decided when the keys were read.
                raise damaged(row, f"its key, {row.key_id[:16]}…, is not the one in force there")
            if row.signature is None:
                if self._author != self._line.own_party:
                    raise damaged(row, "it is not signed, and only own entries may wait for that")
                self.unsigned += 1
            elif self.unsigned:
                raise damaged(row, "it is signed, though an entry before it is not")
            else:
                leaf = entry_leaf(row.hash, row.signature)
                self._tree.add(leaf)
                self._later += leaf
            self.entries += 1
            last = row
            yield row, sealed

    def _rows_behind(self, last: EntryRow | None) -> Iterator[EntryRow]:
        if last is None:
            return self._store.entries(self._line.line_id, self._author)
        epochs = self._epochs()
        return chain.from_iterable(
            self._store.entries(
                self._line.line_id,
                self._author,
                epoch=epoch,
                after_seq=last.seq if epoch == last.epoch else 0,
            )
            for epoch in epochs[epochs.index(last.epoch) :]
        )

    def _require_follows(self, row: EntryRow, last: EntryRow) -> None:
        """Return when the first entry of a later epoch names an entry that it may follow.

        The peer's, the one logged last: what it says cannot leave behind what was receipted. The
        own, any of an earlier epoch: what the peer never held was left behind and said again.
        """
        opening = opening_of(read_envelope(row.data)) if row.seq == 1 else None
        if opening is None:
            raise damaged(row, "it begins another epoch and is no entry that opens one")
        follows = opening.follows
        if self._author == self._line.own_party:
            held = None
            if follows is not None:
                held = self._store.entry_at(row.line_id, self._author, follows.epoch, follows.seq)
            known = follows is None or (held is not None and held.hash == follows.hash)
        else:
            known = follows == ChainPoint(last.epoch, last.seq, last.hash)
        if not known:
            raise damaged(row, "the epoch that it opens follows an entry that is not in the record")

    def _hand_over(
        self,
        entries: list[tuple[EntryRow, SealedEnvelope]],
        receipts: list[ReceiptRow],
        checkpoints: list[CheckpointRow],
    ) -> None:
        self.receipts += len(receipts)
        self.checkpoints += len(checkpoints)
        if receipts:
            self._receipted = (receipts[-1].epoch, receipts[-1].seq)
        if entries:
            self._provers.prove_entries(entries, self._author_keys)
        if receipts:
            self._provers.prove_receipts(receipts, self._author, self._signer_keys)
        if checkpoints:
            # Of the peer's chain the record holds what we judged before we cosigned it.
            own = self._author == self._line.own_party
            self._provers.prove_checkpoints(
                checkpoints, self._signer if own else None, self._keys_by_party
            )

    def _require_head(self, last: EntryRow | None) -> None:
        heads = self._store.heads(self._line.line_id)
        kept = [(h.seq, h.hash, h.length) for h in heads if h.party == self._author]
        found = [] if last is None else [(last.seq, last.hash, self.entries)]
        if kept != found:
            raise StoreDamagedError(
                f"{self._author}'s chain on line {self._line.line_id} does not end where it ended",
                given=f"{self.entries} entries" + (f", last {last.seq}" if last else ""),
                expected=f"{kept[0][2]} entries, last {kept[0][0]}" if kept else "none",
                remedy=REMEDY,
            )


def _sealed(row: EntryRow) -> SealedEnvelope:
    return SealedEnvelope(row.data, Signature(row.algorithm, row.key_id, row.signature or b""))


def _place(epochs: Sequence[str], epoch: str, seq: int) -> tuple[int, int]:
    return epochs.index(epoch), seq


def _pair(tree: GrowingTree) -> tuple[int, bytes]:
    return tree.agreed.size, tree.agreed.root
