"""A disk that forgets, fails and fills up.

A crash keeps what was synced and any prefix of the rest. A record that was half written when the
power went is, behind the checksums of every store, one that is not there: the prefix ends before
it. What that costs a real database, ``stored.py`` and ``tests/faults/test_store_disk_faults.py``
play with torn sectors.
"""

import random
from dataclasses import dataclass, replace

from tests.simulation.witness import OwnTreeRecord, PeerTreeRecord

from deconflict.line.envelope import Envelope, SealedEnvelope, read_envelope
from deconflict.line.receipt import SealedReceipt
from deconflict.line.statement import hash_of


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """A slot of the own chain on disk."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PeerRecord:
    """An entry of the peer's chain on disk."""

    sealed: SealedEnvelope
    received_utc_ms: int
    delayed: bool


@dataclass(frozen=True, slots=True)
class DelayedRecord:
    """That an entry of the peer was late by the time it was on disk."""

    hash: str


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """A receipt of the peer on disk."""

    receipt: SealedReceipt


Record = OwnRecord | PeerRecord | DelayedRecord | ReceiptRecord | OwnTreeRecord | PeerTreeRecord


class SimulatedDisk:
    """Records in order; a crash keeps all that was synced and any prefix of the rest."""

    def __init__(self) -> None:
        self.own: list[bytes] = []
        self.own_read: list[tuple[str, Envelope, bool]] = []  # so that a start need not parse
        self.peer_read: list[tuple[str, Envelope, bool]] = []
        self.own_slots: dict[str, int] = {}
        self.peer: list[PeerRecord] = []
        self.peer_hashes: list[str] = []
        self.receipt: SealedReceipt | None = None
        self.own_tree: OwnTreeRecord | None = None
        self.peer_tree: PeerTreeRecord | None = None
        self.full_until_ms = 0
        self.stalled_until_ms = 0
        self._unsynced: list[Record] = []

    @property
    def dirty(self) -> bool:
        return bool(self._unsynced)

    def write(self, record: Record) -> None:
        self._unsynced.append(record)

    def sync(self) -> list[PeerRecord]:
        """Make all durable; return the peer's entries among it."""
        entries = [record for record in self._unsynced if isinstance(record, PeerRecord)]
        for record in self._unsynced:
            match record:
                case OwnRecord(data):
                    name = hash_of(data)
                    self.own.append(data)
                    self.own_slots[name] = len(self.own)
                    self.own_read.append((name, read_envelope(data), False))
                case PeerRecord():
                    self.peer.append(record)
                    name = record.sealed.hash
                    self.peer_hashes.append(name)
                    self.peer_read.append((name, read_envelope(record.sealed.data), record.delayed))
                case DelayedRecord(name):
                    at = self.peer_hashes.index(name)
                    self.peer[at] = replace(self.peer[at], delayed=True)
                    self.peer_read[at] = (*self.peer_read[at][:2], True)
                case ReceiptRecord(receipt):
                    self.receipt = receipt
                case OwnTreeRecord():
                    self.own_tree = record
                case PeerTreeRecord():
                    self.peer_tree = record
        self._unsynced.clear()
        return entries

    def crash(self, rng: random.Random) -> list[PeerRecord]:
        """Lose power, or fail at a write or flush: some of what was written stayed, in order."""
        self._unsynced = self._unsynced[: rng.randint(0, len(self._unsynced))]
        return self.sync()

    def refuse(self) -> None:
        """Find no room: nothing of what was written stayed."""
        self._unsynced.clear()

    def reopen(self) -> None:
        """Read it again at a start."""

    def close(self) -> None:
        """Give up what it holds outside this process."""
