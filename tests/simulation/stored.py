"""A disk that is the real store on real files, under power cuts that tear sectors."""

import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.faulty_disk import ForgetfulDisk
from tests.simulation.disk import (
    DelayedRecord,
    OwnRecord,
    PeerRecord,
    ReceiptRecord,
    SimulatedDisk,
)
from tests.simulation.setting import EPOCH_UTC_MS, LineViolationError
from tests.simulation.witness import OwnTreeRecord, PeerTreeRecord

from deconflict.line.envelope import read_envelope, seal_envelope
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.line.statement import hash_of
from deconflict.line.witness import CosignedState
from deconflict.store.base import (
    Batch,
    CheckpointRow,
    DelayedRow,
    EntryRow,
    LineRow,
    ReceiptRow,
    SignatureRow,
)
from deconflict.store.sqlite import SqliteStore
from deconflict.store.verify import verify_store

if TYPE_CHECKING:
    from tests.simulation.run import Simulation


class StoredDisk(SimulatedDisk):
    """Every sync is a commit of the store; every start proves the whole record and reads it.

    What the store hands out is compared with what :class:`SimulatedDisk` remembers.
    """

    def __init__(self, simulation: "Simulation", name: str, peer: str) -> None:
        super().__init__()
        self._simulation = simulation
        self._name, self._peer = name, peer
        self._folder = tempfile.TemporaryDirectory(prefix="deconflict-simulation-")
        self._generation = 0
        self._unsigned: list[tuple[str, bytes]] = []
        # SQLite knows file systems by name: each party's disk has one of its own.
        kind = type("PartysDisk", (ForgetfulDisk,), {"name": f"forgetful-{name}-{id(self)}"})
        self._vfs: ForgetfulDisk = kind()
        self.commits = 0
        self.proofs = 0
        path = self._path()
        with SqliteStore.open(path, create=True) as store:
            store.commit(Batch(lines=[LineRow(simulation.line, name, peer, EPOCH_UTC_MS)]))
        self._store = SqliteStore.open(path, vfs=self._vfs.name)

    def sync(self) -> list[PeerRecord]:
        if self._unsynced:
            self._store.commit(self._batch())
            self.commits += 1
        return super().sync()

    def crash(self, rng: random.Random) -> list[PeerRecord]:
        kept = super().crash(rng)
        self._cut_power(rng)
        return kept

    def reopen(self) -> None:
        """Prove the record and read back exactly what was called durable."""
        simulation = self._simulation
        keys = {
            name: {key.key_id: key.verify_key for key in (simulation.keys[name],)}
            for name in (self._name, self._peer)
        }
        verify_store(self._store, keys, threads=1)
        self.proofs += 1
        own = [row.data for row in self._store.entries(simulation.line, self._name)]
        peer = [
            (row.data, row.signature, row.logged_utc_ms, row.delayed)
            for row in self._store.entries(simulation.line, self._peer)
        ]
        expected = [
            (one.sealed.data, one.sealed.signature.value, one.received_utc_ms, one.delayed)
            for one in self.peer
        ]
        if own != self.own or peer != expected:
            raise LineViolationError(
                f"I1 seed {simulation.seed}: the store of {self._name} holds {len(own)} and "
                f"{len(peer)} entries, {len(self.own)} and {len(self.peer)} were durable"
            )

    def close(self) -> None:
        self._store.close()
        self._vfs.unregister()
        self._folder.cleanup()

    def _cut_power(self, rng: random.Random) -> None:
        self._generation += 1
        path = self._path()
        path.parent.mkdir()
        self._vfs.after_power_cut(path.parent, rng)
        self._store.close()
        self._vfs.durable.clear()
        self._vfs.pending.clear()
        self._store = SqliteStore.open(path, vfs=self._vfs.name)

    def _path(self) -> Path:
        root = Path(self._folder.name)
        folder = root if self._generation == 0 else root / str(self._generation)
        return folder / "record.sqlite"

    def _batch(self) -> Batch:
        key = self._simulation.keys[self._name]
        entries, receipts, checkpoints, delayed = [], [], [], []
        signatures = [
            SignatureRow(name, seal_envelope(data, key).signature.value)
            for name, data in self._unsigned
        ]
        self._unsigned = []
        for record in self._unsynced:
            match record:
                case OwnRecord(data):
                    self._unsigned.append((hash_of(data), data))
                    entries.append(self._entry(self._name, data, key.key_id))
                case PeerRecord(sealed, received_utc_ms, was_late):
                    entries.append(
                        self._entry(
                            self._peer,
                            sealed.data,
                            sealed.signature.key_id,
                            sealed.signature.value,
                            received_utc_ms,
                            delayed=was_late,
                        )
                    )
                case DelayedRecord(name):
                    delayed.append(DelayedRow(name))
                case ReceiptRecord(receipt):
                    receipts.append(self._receipt(receipt))
                case OwnTreeRecord(state):
                    checkpoints.append(self._checkpoint(self._name, state))
                case PeerTreeRecord(state):
                    checkpoints.append(self._checkpoint(self._peer, state))
        return Batch(
            entries=entries,
            signatures=signatures,
            receipts=receipts,
            checkpoints=checkpoints,
            delayed=delayed,
        )

    def _entry(
        self,
        party: str,
        data: bytes,
        key_id: str,
        signature: bytes | None = None,
        logged_utc_ms: int = EPOCH_UTC_MS,
        *,
        delayed: bool = False,
    ) -> EntryRow:
        envelope = read_envelope(data)
        return EntryRow(
            self._simulation.line,
            party,
            envelope.epoch,
            envelope.seq,
            hash_of(data),
            data,
            "Ed25519",
            key_id,
            signature,
            logged_utc_ms,
            delayed,
        )

    def _receipt(self, sealed: SealedReceipt) -> ReceiptRow:
        receipt, signature = read_receipt(sealed.data), sealed.signature
        return ReceiptRow(
            self._simulation.line,
            self._peer,
            receipt.epoch,
            receipt.seq,
            receipt.hash,
            sealed.data,
            signature.algorithm,
            signature.key_id,
            signature.value,
            EPOCH_UTC_MS,
        )

    def _checkpoint(self, party: str, state: CosignedState) -> CheckpointRow:
        origin, head = state.checkpoint.origin, state.head
        return CheckpointRow(
            self._simulation.line,
            party,
            origin.epoch,
            head.size,
            state.previous_size,
            head.root,
            state.note,
            state.time_s,
            EPOCH_UTC_MS,
        )
