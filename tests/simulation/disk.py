"""A disk that forgets: a crash keeps what was synced and any prefix of the rest."""

import random
from dataclasses import dataclass

from tests.simulation.witness import OwnTreeRecord, PeerTreeRecord

from deconflict.line.envelope import SealedEnvelope
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
class ReceiptRecord:
    """A receipt of the peer on disk."""

    receipt: SealedReceipt


Record = OwnRecord | PeerRecord | ReceiptRecord | OwnTreeRecord | PeerTreeRecord


class SimulatedDisk:
    """Records in order; a crash keeps all that was synced and any prefix of the rest."""

    def __init__(self) -> None:
        self.own: list[bytes] = []
        self.own_slots: dict[str, int] = {}
        self.peer: list[PeerRecord] = []
        self.peer_hashes: list[str] = []
        self.receipt: SealedReceipt | None = None
        self.own_tree: OwnTreeRecord | None = None
        self.peer_tree: PeerTreeRecord | None = None
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
                    self.own.append(data)
                    self.own_slots[hash_of(data)] = len(self.own)
                case PeerRecord():
                    self.peer.append(record)
                    self.peer_hashes.append(record.sealed.hash)
                case ReceiptRecord(receipt):
                    self.receipt = receipt
                case OwnTreeRecord():
                    self.own_tree = record
                case PeerTreeRecord():
                    self.peer_tree = record
        self._unsynced.clear()
        return entries

    def crash(self, rng: random.Random) -> list[PeerRecord]:
        self._unsynced = self._unsynced[: rng.randint(0, len(self._unsynced))]
        return self.sync()
