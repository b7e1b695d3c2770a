"""A record as long as asked for, in minutes: a shorter one said over and over, each time anew.

    python -m bench.long_record FOLDER [--messages 1000000]

What two watches said in ten days (`bench.record`) is said again ten days later, by the same keys:
other ids, other times, other hashes; all of it signed, receipted and cosigned. Only the folder of
one side is made whole. Nothing tells its record from one that grew.
"""

import argparse
import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.nodes import Party, party_of
from bench.record import KEPT, kept
from bench.report import progress
from deconflict.line.checkpoint import (
    Checkpoint,
    Origin,
    cosign_checkpoint,
    entry_leaf,
    seal_checkpoint,
)
from deconflict.line.envelope import Envelope, read_envelope
from deconflict.line.keys import ALGORITHM, CONTEXT_ENVELOPE, SigningKey
from deconflict.line.moment import utc_ms_from_text, utc_text
from deconflict.line.receipt import Receipt, seal_receipt
from deconflict.line.statement import ChainPoint, hash_of
from deconflict.line.tree import CompactRange
from deconflict.messages.kinds import Kind
from deconflict.node.folder import NodeFolder
from deconflict.store.base import Batch, CheckpointRow, EntryRow, EventRow, LineRow, ReceiptRow
from deconflict.store.sqlite import SqliteStore

__all__ = ["ONCE", "Again", "Chain", "build_long", "in_order", "kept_long"]

SEED_MESSAGES = 100_000
AT_ONCE = 1_000
FIXED_EVERY = 100  # entries, as a node does: a checkpoint, and a receipt
ONCE = frozenset((Kind.TERMS_PROPOSE, Kind.TERMS_ACCEPT))  # what is agreed is not agreed again

_HASH = re.compile(rb'"([0-9a-f]{64})"')
_ID = re.compile(rb'_id":"([0-9a-f]{32})"')
_UTC = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_HEARD = re.compile(rb'"heard":\{"epoch":"[0-9a-f]{32}","hash":"([0-9a-f]{64})","seq":\d+\}')
_PREV = re.compile(rb'"prev":"[0-9a-f]{64}"')
_SEQ = re.compile(rb'"seq":\d+,"to":')


@dataclass(slots=True)
class Chain:
    """One party's chain as it grows."""

    party: str
    epoch: str
    key: SigningKey
    prev: str = "0" * 64
    seq: int = 0
    tree: CompactRange = field(default_factory=CompactRange)
    fixed: int = 0


class Again:
    """A seed's entries and events, said again."""

    def __init__(self, line_id: str, own: Chain, peer: Chain) -> None:
        self._line_id = line_id
        self._own = own
        self._peer = peer
        self._points: dict[bytes, ChainPoint] = {}  # of the seed: hash -> what stands for it now
        self._ids: set[bytes] = set()
        self._event_id = 0
        self.shift_ms = 0
        self.round = 0

    def entry(self, row: EntryRow) -> Batch:
        """Return a seed's entry as it is said now, with what fixes it now and then."""
        chain = self._own if row.party == self._own.party else self._peer
        self._ids.update(_ID.findall(row.data))
        data = _PREV.sub(b'"prev":"%b"' % chain.prev.encode(), self._moved(row.data))
        heard = _HEARD.search(row.data)
        if heard is not None:
            now = self._points[heard.group(1)]
            said = f'"heard":{{"epoch":"{now.epoch}","hash":"{now.hash}","seq":{now.seq}}}'
            data = _HEARD.sub(said.encode(), data, count=1)
        chain.seq += 1
        data = _SEQ.sub(b'"seq":%d,"to":' % chain.seq, data)
        name = hash_of(data)
        chain.prev = name
        self._points[row.hash.encode()] = point = ChainPoint(chain.epoch, chain.seq, name)
        signature = chain.key.sign(CONTEXT_ENVELOPE, data)
        chain.tree.add(entry_leaf(name, signature))
        said_row = EntryRow(
            line_id=self._line_id,
            party=chain.party,
            epoch=chain.epoch,
            seq=chain.seq,
            hash=name,
            data=data,
            algorithm=ALGORITHM,
            key_id=chain.key.key_id,
            signature=signature,
            logged_utc_ms=row.logged_utc_ms + self.shift_ms,
            delayed=row.delayed,
        )
        if chain.seq % FIXED_EVERY:
            return Batch(entries=[said_row])
        return self._fixed(said_row, chain, point)

    def event(self, row: EventRow) -> EventRow:
        """Return a seed's event as it is told now."""
        self._event_id += 1
        at_ms = row.at_utc_ms + self.shift_ms
        return EventRow(self._event_id, at_ms, row.kind, self._moved(row.data))

    def _fixed(self, row: EntryRow, chain: Chain, point: ChainPoint) -> Batch:
        other = self._peer if chain is self._own else self._own
        at_ms = row.logged_utc_ms
        checkpoint = Checkpoint(Origin(self._line_id, chain.party, chain.epoch), chain.tree.head)
        note = seal_checkpoint(checkpoint, chain.key)
        if chain is self._own:
            note = cosign_checkpoint(note, other.party, other.key, time_s=at_ms // 1_000)
        fixed = CheckpointRow(
            line_id=self._line_id,
            party=chain.party,
            epoch=chain.epoch,
            size=chain.seq,
            previous_size=chain.fixed,
            root=checkpoint.head.root,
            note=note.to_bytes(),
            cosigned_utc_s=at_ms // 1_000,
            stored_utc_ms=at_ms,
        )
        chain.fixed = chain.seq
        if chain is self._peer:
            return Batch(entries=[row], checkpoints=[fixed])
        said = Receipt(
            v=1,
            line=self._line_id,
            sender=other.party,
            to=chain.party,
            epoch=point.epoch,
            seq=point.seq,
            hash=point.hash,
            received_utc=utc_text(at_ms),
        )
        sealed = seal_receipt(said, other.key)
        receipt = ReceiptRow(
            line_id=self._line_id,
            party=other.party,
            epoch=point.epoch,
            seq=point.seq,
            hash=point.hash,
            data=sealed.data,
            algorithm=sealed.signature.algorithm,
            key_id=sealed.signature.key_id,
            signature=sealed.signature.value,
            stored_utc_ms=at_ms,
        )
        return Batch(entries=[row], receipts=[receipt], checkpoints=[fixed])

    def _moved(self, data: bytes) -> bytes:
        """Return a text with the hashes, ids and times of this round, each as long as it was."""

        def hash_now(found: "re.Match[bytes]") -> bytes:
            point = self._points.get(found.group(1))
            return found.group(0) if point is None else b'"%b"' % point.hash.encode()

        def id_now(found: "re.Match[bytes]") -> bytes:
            named = found.group(1)
            if named not in self._ids:
                return found.group(0)
            new = hashlib.sha256(b"%d %b" % (self.round, named)).hexdigest()[:32]
            return b'_id":"%b"' % new.encode()

        def time_now(found: "re.Match[bytes]") -> bytes:
            at_ms = utc_ms_from_text(found.group(0).decode()) + self.shift_ms
            return utc_text(at_ms).encode()

        data = _HASH.sub(hash_now, data)
        if self.round:
            data = _ID.sub(id_now, data)
        return _UTC.sub(time_now, data) if self.shift_ms else data


def build_long(root: Path, messages: int, *, seed_messages: int = SEED_MESSAGES) -> Party:
    """Make a node folder whose record holds at least so many messages, and ends now."""
    seed = kept(seed_messages)
    (root / "west").mkdir(parents=True)
    shutil.copytree(seed / "east", root / "east", ignore=shutil.ignore_patterns("record.sqlite*"))
    west = root / "west"
    shutil.rmtree(west)
    shutil.copytree(seed / "west", west, ignore=shutil.ignore_patterns("record.sqlite*"))
    own, peer = (NodeFolder.open(root / name) for name in ("west", "east"))
    with (
        tempfile.TemporaryDirectory(dir=root) as temporary,
        SqliteStore.open(west / "record.sqlite", create=True) as store,
    ):
        for file in (seed / "west").glob("record.sqlite*"):
            shutil.copy(file, temporary)
        with SqliteStore.open(Path(temporary) / "record.sqlite") as said:
            _say_over(said, store, own, peer, messages)
    return party_of(west)


def _say_over(
    said: SqliteStore, store: SqliteStore, own: NodeFolder, peer: NodeFolder, messages: int
) -> None:
    (line,) = said.lines()
    terms = said.terms(line.line_id)
    store.commit(Batch(lines=[LineRow(line.line_id, line.own_party, line.peer_party, 0)]))
    store.commit(Batch(lines=[line][:0], terms=terms))
    heads = {head.party: head for head in said.heads(line.line_id)}
    keys = {folder.settings.party: folder.unlock(None).signing_key for folder in (own, peer)}
    chains = [
        Chain(party, heads[party].epoch, keys[party]) for party in (line.own_party, line.peer_party)
    ]
    again = Again(line.line_id, *chains)
    once = sum(head.length for head in heads.values())
    rounds = -(-messages // once)
    begun_ms = next(said.entries(line.line_id, line.own_party)).logged_utc_ms
    ended_ms = max(
        said.entry_at(line.line_id, head.party, head.epoch, head.seq).logged_utc_ms  # type: ignore[union-attr]
        for head in heads.values()
    )
    length_ms = ended_ms - begun_ms + 60_000
    now_ms = time.time_ns() // 1_000_000
    done = 0
    for again.round in range(rounds):
        again.shift_ms = now_ms - ended_ms - (rounds - 1 - again.round) * length_ms
        rows: list[Batch] = []
        for row, envelope in in_order(said, line):
            if again.round and envelope.kind in ONCE:
                continue
            rows.append(again.entry(row))
            done += 1
            if len(rows) == AT_ONCE:
                store.commit(_together(rows))
                rows = []
                progress(f"saying a record over: {done:,} of {messages:,} messages")
        store.commit(_together(rows))
        events: list[EventRow] = []
        for event in said.events(0):
            events.append(again.event(event))
            if len(events) == AT_ONCE:
                store.commit(Batch(events=events))
                events = []
        store.commit(Batch(events=events))


def in_order(store: SqliteStore, line: LineRow) -> Iterator[tuple[EntryRow, Envelope]]:
    """Yield the entries of both chains, each behind all that its author had heard."""
    chains = [store.entries(line.line_id, party) for party in (line.own_party, line.peer_party)]
    waiting = [next(chain, None) for chain in chains]
    taken = [0, 0]
    while any(waiting):
        for side, row in enumerate(waiting):
            if row is None:
                continue
            envelope = read_envelope(row.data)
            heard = envelope.heard
            if heard is None or heard.seq <= taken[1 - side]:
                yield row, envelope
                taken[side] = row.seq
                waiting[side] = next(chains[side], None)
                break


def _together(batches: list[Batch]) -> Batch:
    names = ("entries", "receipts", "checkpoints")
    return Batch(
        **{name: [row for batch in batches for row in getattr(batch, name)] for name in names}
    )


def kept_long(messages: int) -> Path:
    """Return a folder that holds such a record, made once."""
    made_by = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = KEPT / f"long-{messages}-{made_by}"
    if not folder.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as unfinished:
            build_long(Path(unfinished) / "record", messages)
            (Path(unfinished) / "record").rename(folder)
    return folder


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--messages", type=int, default=1_000_000)
    chosen = options.parse_args()
    begun = time.monotonic()
    build_long(chosen.folder, chosen.messages)
    print(f"{chosen.messages:,} messages in {time.monotonic() - begun:.0f} s: {chosen.folder}")


if __name__ == "__main__":
    main()
