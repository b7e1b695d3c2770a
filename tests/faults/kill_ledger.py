"""What a killed node's record must still say, held against everything that was ever seen of it.

The ledger never forgets: each slot, each receipt, each answer of an operators' API is entered once
and compared with whatever comes later, from either side's record, from the wire or from an API.
"""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.epoch import EPOCH_KIND, opening_of, words_of
from deconflict.line.packets import decode_packets
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.store.base import EntryRow
from deconflict.store.sqlite import SqliteStore

ANSWERED_KIND = "SAFETY"
ANSWER_KIND = "ACK"


class Violation(AssertionError):  # noqa: N818  (a promise of the line is broken)
    """A promise of the line was broken."""


def require(true: bool, what: str) -> None:
    """Raise :class:`Violation` unless it is true."""
    if not true:
        raise Violation(what)


@dataclass
class Record:
    """What was read so far of one side's record; grows with each look at it."""

    party: str
    # Author -> epoch -> its entries, in order both. After a start whose peer did not answer, what
    # is said opens a fresh epoch, and what the peer had not held is said again in it.
    epochs: dict[str, dict[str, list[EntryRow]]] = field(default_factory=dict)
    receipts: int = 0
    last_event_id: int = 0
    told: set[str] = field(default_factory=set)  # messages that an event told of
    open_alerts: set[tuple[str, str]] = field(default_factory=set)  # rule, message
    raised: set[tuple[str, str]] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)  # SAFETY messages that an ACK cites

    @property
    def entries(self) -> int:
        return sum(len(rows) for epochs in self.epochs.values() for rows in epochs.values())

    def rows(self, author: str) -> list[EntryRow]:
        """All that is in the record of what a party said, left behind or not."""
        return list(chain.from_iterable(self.epochs.get(author, {}).values()))

    def way(self, author: str) -> list[EntryRow]:
        """The chain from its first entry to its head, without what a fresh epoch left behind."""
        epochs = dict(self.epochs.get(author, {}))
        way: list[EntryRow] = []
        while epochs:
            _, rows = epochs.popitem()
            way[:0] = rows
            opening = opening_of(read_envelope(rows[0].data))
            if opening is None or opening.follows is None:
                break
            while next(reversed(epochs)) != opening.follows.epoch:
                epochs.popitem()
            epochs[opening.follows.epoch] = epochs[opening.follows.epoch][: opening.follows.seq]
        return way


class Ledger:
    """Everything ever seen of one line between two parties.

    Args:
        line_id: the line.
        parties: both of them.
    """

    def __init__(self, line_id: str, parties: tuple[str, str]) -> None:
        self._line_id = line_id
        self._peer_of = dict(zip(parties, reversed(parties), strict=True))
        self._lock = threading.Lock()
        self._slots: dict[tuple[str, str, int], str] = {}
        self._receipts: dict[tuple[str, str, int], bytes] = {}
        self._promised = dict.fromkeys(parties, 0)  # author -> receipted up to here
        self._posted: dict[str, list[tuple[str, int, str]]] = {party: [] for party in parties}
        self._seen_packets: set[bytes] = set()
        self.records = {party: Record(party) for party in parties}
        self.posted = 0
        self.repeated_receipts = 0
        self.unreceipted_rows = 0

    # ---- what is seen from outside ----------------------------------------------------------

    def answered_post(self, party: str, posted: dict[str, Any]) -> None:
        """The API of ``party`` said that this message is durable."""
        with self._lock:
            self.posted += 1
            self._claim(party, posted["epoch"], posted["seq"], posted["hash"], "an API's answer")
            self._posted[party].append((posted["epoch"], posted["seq"], posted["hash"]))

    def shown_delivered(self, party: str, message: dict[str, Any]) -> None:
        """The API of ``party`` shows an own message as held by the peer."""
        with self._lock:
            self._claim(party, message["epoch"], message["seq"], message["hash"], "an API's view")
            self._promised[party] = max(self._promised[party], message["seq"])

    def shown_receipted(self, party: str, receipted_seq: int) -> None:
        """The API of ``party`` shows how far the peer has receipted."""
        with self._lock:
            self._promised[party] = max(self._promised[party], receipted_seq)

    def left_process(self, body: bytes) -> None:
        """A node was about to send these packets; a body may be cut off by its end."""
        for line in body.splitlines(keepends=True):
            if not line.endswith(b"\n"):
                continue
            if line in self._seen_packets:
                self.repeated_receipts += b'"type":"receipt"' in line
                continue
            self._seen_packets.add(line)
            (packet,) = decode_packets(line)
            with self._lock:
                if isinstance(packet, SealedEnvelope):
                    said = read_envelope(packet.data)
                    self._claim(said.sender.party, said.epoch, said.seq, packet.hash, "the wire")
                elif isinstance(packet, SealedReceipt):
                    self._receipt(packet.data, packet.signature.value)

    # ---- what a record says -----------------------------------------------------------------

    def look_at(self, party: str, record: Path, scratch: Path) -> Record:
        """Read what is new in a record that no process holds, and compare all of it.

        A copy is read: the node must find its files as it was killed.
        """
        copy = scratch / "copy.sqlite"
        for suffix in ("", "-wal", "-shm"):
            source = record.with_name(record.name + suffix)
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
            if source.exists():
                shutil.copy(source, f"{copy}{suffix}")
        copy.chmod(0o600)
        with SqliteStore.open(copy) as store, self._lock:
            self._read(self.records[party], store)
            self._compare(self.records[party])
        return self.records[party]

    def compare_whole(self) -> None:
        """Both records, at rest: the same bytes, the same signatures, to the last entry."""
        one, other = self.records.values()
        for author in self._peer_of:
            here = [(row.data, row.signature) for row in one.way(author)]
            there = [(row.data, row.signature) for row in other.way(author)]
            require(here == there, f"the two records differ in what {author} said")

    def _read(self, record: Record, store: SqliteStore) -> None:
        for author in self._peer_of:
            epochs = record.epochs.setdefault(author, {})
            for head in store.epochs(self._line_id, author):
                self._read_epoch(
                    record, store, author, epochs.setdefault(head.epoch, []), head.epoch
                )
        peer = self._peer_of[record.party]
        for number, receipt in enumerate(store.receipts(self._line_id, peer)):
            if number >= record.receipts:
                self._receipt(receipt.data, receipt.signature)
                self._promised[record.party] = max(self._promised[record.party], receipt.seq)
                record.receipts += 1
        for event in store.events(record.last_event_id):
            self._event(record, event.event_id, event.kind, msgspec.json.decode(event.data))
        record.open_alerts = {
            (alert["rule"], alert["subject"])
            for note in store.notes("alert/")
            if note.value is not None
            for alert in [msgspec.json.decode(note.value)]
        }

    def _read_epoch(
        self, record: Record, store: SqliteStore, author: str, known: list[EntryRow], epoch: str
    ) -> None:
        # The last row known may have got its signature since; all before it had theirs.
        while known and known[-1].signature is None:
            known.pop()
        for row in store.entries(self._line_id, author, epoch=epoch, after_seq=len(known)):
            require(row.seq == len(known) + 1, f"{author}'s chain has a gap at {row.seq}")
            known.append(row)
            self._claim(author, row.epoch, row.seq, row.hash, f"{record.party}'s record")
            if author == record.party:
                said = read_envelope(row.data)
                if said.kind == ANSWER_KIND and said.ref is not None:
                    record.answered.add(said.ref)

    def _event(self, record: Record, event_id: int, kind: str, data: dict[str, Any]) -> None:
        require(event_id == record.last_event_id + 1, f"an event is missing before {event_id}")
        record.last_event_id = event_id
        if kind == "message":
            require(data["hash"] not in record.told, f"told twice of {data['hash'][:16]}")
            record.told.add(data["hash"])
        elif kind == "alert" and data["open"] and data["subject"]:
            record.raised.add((data["rule"], data["subject"]))

    def _compare(self, record: Record) -> None:
        party, peer = record.party, self._peer_of[record.party]
        own, heard = record.epochs[party], record.rows(peer)
        # What the API called durable is there.
        for epoch, seq, name in self._posted[party]:
            rows = own.get(epoch, [])
            require(
                seq <= len(rows) and rows[seq - 1].hash == name,
                f"{party} told its operator that message {seq} is durable, and lost it",
            )
        self._posted[party].clear()
        # What the peer was promised, by a receipt that it holds or one that only left us, is there.
        promised = self._promised[peer]
        require(
            promised <= len(heard),
            f"{peer} holds a receipt up to {promised}, {party}'s record ends at {len(heard)}",
        )
        for signer, epoch, seq in self._receipts:
            if signer == party:
                require(
                    seq <= len(record.epochs[peer].get(epoch, [])),
                    f"{party} receipted {seq} and its record does not hold it",
                )
        self.unreceipted_rows += len(heard) > promised
        # Each entry was told of once, each open question is an alert: in the same transaction.
        logged = {row.hash for row in (*_said(record.rows(party)), *heard)}
        require(logged == record.told, f"{party}'s events tell of other messages than its record")
        asked = {row.hash for row in heard if _asks(row)}
        expected = {(f"{ANSWERED_KIND}_RECEIVED", name) for name in asked - record.answered}
        rule = f"{ANSWERED_KIND}_RECEIVED"
        shown = {alert for alert in record.open_alerts if alert[0] == rule}
        require(shown == expected, f"{party} shows {len(shown)} alerts, {len(expected)} are open")
        require({(rule, name) for name in asked} <= record.raised, f"{party} never raised an alert")

    # ---- once entered, for ever -------------------------------------------------------------

    def _claim(self, party: str, epoch: str, seq: int, name: str, where: str) -> None:
        known = self._slots.setdefault((party, epoch, seq), name)
        require(known == name, f"slot {seq} of {party} holds two messages (second in {where})")

    def _receipt(self, data: bytes, signature: bytes) -> None:
        receipt = read_receipt(data)
        key = (receipt.sender, receipt.epoch, receipt.seq)
        known = self._receipts.setdefault(key, data + signature)
        require(known == data + signature, f"{key[0]} signed two receipts for slot {key[2]}")
        author = self._peer_of[receipt.sender]
        self._claim(author, receipt.epoch, receipt.seq, receipt.hash, "a receipt")

    @property
    def receipts(self) -> int:
        """How many different receipts were seen."""
        return len(self._receipts)

    def unanswered(self, party: str) -> Iterator[str]:
        """Own questions of ``party`` that the peer has not answered, by its record."""
        answers = self.records[self._peer_of[party]].answered
        for row in self.records[party].way(party):
            if _asks(row) and row.hash not in answers:
                yield row.hash


def _said(own: list[EntryRow]) -> Iterator[EntryRow]:
    """What people said: no EPOCH entry, and what is said again in a fresh epoch once."""
    words = set()
    for row in own:
        envelope = read_envelope(row.data)
        known = words_of(envelope)
        if envelope.kind != EPOCH_KIND and known not in words:
            yield row
        words.add(known)


_kinds: dict[str, bool] = {}


def _asks(row: EntryRow) -> bool:
    if row.hash not in _kinds:
        _kinds[row.hash] = read_envelope(row.data).kind == ANSWERED_KIND
    return _kinds[row.hash]
