"""What truly happened, and what of it every step is held against.

I1  a receipt, held or only issued, is true of its signer's durable log, for ever
I2  nothing is logged that its author did not sign
I3  both logs agree up to the receipt
I4  no two signatures for one slot
I5  nothing overdue is neither settled nor escalated
I6  a message is DELAYED exactly when it is past its expiry (within the clocks' tolerance)
I7, I8  of trees and cosignatures: ``witness.py``
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.disk import PeerRecord
from tests.simulation.party import PartySimulator
from tests.simulation.setting import EPOCH_UTC_MS, PARTIES, RULES, LineViolationError
from tests.simulation.witness import TreeGhost

from deconflict.errors import ForkedChainError
from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.precedence import DEFAULT_TIMERS
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.line.statement import ChainPoint

if TYPE_CHECKING:
    from tests.simulation.run import Simulation


@dataclass
class Ghost:
    """What truly happened. No crash takes it away, no party can see it."""

    signed: dict[tuple[str, str, int], str] = field(default_factory=dict)
    signed_hashes: dict[str, set[str]] = field(default_factory=lambda: {p: set() for p in PARTIES})
    issued: dict[str, ChainPoint] = field(default_factory=dict)  # by the receipt's signer
    held: dict[str, ChainPoint] = field(default_factory=dict)  # by the receipt's holder
    said_at_ms: dict[str, int] = field(default_factory=dict)
    limits: dict[str, dict[str, list[tuple[int, str]]]] = field(
        default_factory=lambda: {p: {} for p in PARTIES}
    )
    alarmed: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    forks_shown: set[str] = field(default_factory=set)
    forks_reported: set[str] = field(default_factory=set)
    trees: TreeGhost = field(default_factory=TreeGhost)


class Referee:
    """Sees every step of both parties, and keeps what no crash takes away."""

    def __init__(self, simulation: "Simulation") -> None:
        self.simulation = simulation
        self.ghost = Ghost()

    @property
    def _seed(self) -> int:
        return self.simulation.seed

    def note_said(self, party: PartySimulator, entry: OutgoingEntry) -> None:
        limits = DEFAULT_TIMERS.limits[entry.envelope.prec]
        owed = [(limits.lack_ms, "receipt")]
        if RULES[entry.envelope.kind].needs_answer:
            owed.append((limits.answer_ms, "answer"))
        self.ghost.limits[party.name][entry.hash] = [
            (self.simulation.at_ms + ms, what) for ms, what in owed
        ]
        self.ghost.said_at_ms[entry.hash] = self.simulation.at_ms

    def note_signed(self, party: PartySimulator, sealed: SealedEnvelope) -> None:
        if sealed.hash in self.ghost.signed_hashes[party.name]:
            return
        envelope = read_envelope(sealed.data)
        slot = (party.name, envelope.epoch, envelope.seq)
        before = self.ghost.signed.setdefault(slot, sealed.hash)
        self.ghost.signed_hashes[party.name].add(sealed.hash)
        if before != sealed.hash:
            raise LineViolationError(f"I4 seed {self._seed}: two signatures for slot {slot}")

    def note_issued(self, party: PartySimulator, receipt: SealedReceipt) -> None:
        self.ghost.issued[party.name] = read_receipt(receipt.data).point

    def note_durable(self, party: PartySimulator, records: list[PeerRecord]) -> None:
        for record in records:
            if record.sealed.hash not in self.ghost.signed_hashes[party.peer]:
                raise LineViolationError(
                    f"I2 seed {self._seed}: {party.name} logged a made-up entry"
                )
            envelope = read_envelope(record.sealed.data)
            if envelope.kind == "ANSWER" and envelope.ref and not record.delayed:
                self.ghost.answered.add(envelope.ref)
            if envelope.expires_after_ms is not None:
                self._check_expiry(party, record, envelope.expires_after_ms)

    def _check_expiry(self, party: PartySimulator, record: PeerRecord, expires_ms: int) -> None:
        received_ms = record.received_utc_ms - EPOCH_UTC_MS - party.skew_ms
        age_ms = received_ms - self.ghost.said_at_ms[record.sealed.hash]
        surely_late = age_ms > expires_ms + DEFAULT_TIMERS.clock_tolerance_ms
        if (surely_late and not record.delayed) or (age_ms <= expires_ms and record.delayed):
            raise LineViolationError(
                f"I6 seed {self._seed}: age {age_ms}, expiry {expires_ms}: {record.delayed}"
            )

    def show_fork(self, victim: PartySimulator, fork: SealedEnvelope) -> None:
        self.ghost.forks_shown.add(fork.hash)
        try:
            victim.live.hear(fork, victim.now, stored=victim.stored)
        except ForkedChainError as error:
            pair = [sealed for sealed in error.evidence if isinstance(sealed, SealedEnvelope)]
            if {fork.hash} < {sealed.hash for sealed in pair}:
                self.ghost.forks_reported.add(fork.hash)

    def check_line(self) -> None:
        """Compare what the parties hold with what truly happened."""
        for party in self.simulation.parties.values():
            peer = self.simulation.parties[party.peer]
            if party.machine is not None and party.machine.own_receipted is not None:
                self.ghost.held[party.name] = party.machine.own_receipted
            self._check_receipt("held", self.ghost.held.get(party.name), party, peer)
            self._check_receipt("issued", self.ghost.issued.get(peer.name), party, peer)
            self._check_alarms(party)
            party.trees.check()
        unreported = self.ghost.forks_shown - self.ghost.forks_reported
        if unreported:
            raise LineViolationError(f"fork seed {self._seed}: {len(unreported)} not reported")

    def _check_receipt(
        self,
        which: str,
        point: ChainPoint | None,
        author: PartySimulator,
        signer: PartySimulator,
    ) -> None:
        if point is None:
            return
        logged = signer.disk.peer_hashes
        if len(logged) < point.seq or logged[point.seq - 1] != point.hash:
            raise LineViolationError(
                f"I1 seed {self._seed}: receipt {which} for slot {point.seq} is not true of "
                f"{signer.name}'s log of {len(logged)}"
            )
        said = author.disk.own
        if len(said) < point.seq or author.disk.own_slots.get(point.hash) != point.seq:
            raise LineViolationError(f"I3 seed {self._seed}: logs differ at slot {point.seq}")

    def _check_alarms(self, party: PartySimulator) -> None:
        if party.machine is None:
            return
        held = self.ghost.held.get(party.name)
        receipted = 0 if held is None else held.seq
        own = self.ghost.limits[party.name]
        for message_hash in list(own):
            if message_hash in self.ghost.alarmed or message_hash in self.ghost.answered:
                del own[message_hash]
                continue
            for limit_ms, what in own[message_hash]:
                if limit_ms >= self.simulation.at_ms:
                    continue
                seq = party.disk.own_slots.get(message_hash)
                if seq is None:
                    del own[message_hash]  # lost before it was durable: it was never said
                    break
                if what == "answer" or seq > receipted:
                    raise LineViolationError(
                        f"I5 seed {self._seed}: {party.name} slot {seq} lacks its {what}, "
                        f"{self.simulation.at_ms - limit_ms} ms past the limit, and nobody was told"
                    )
