"""What truly happened, and what of it every step is held against.

I1  a receipt, held or only issued, is true of its signer's durable log, for ever
I2  nothing is logged that its author did not sign
I3  both logs agree up to the receipt
I4  no two signatures for one slot
I5  nothing overdue is neither settled nor escalated
I6  a message is DELAYED exactly when it is past its expiry (within the clocks' tolerance), as it
    comes and as it is durable
I7, I8  of trees and cosignatures: ``witness.py``
"""

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.disk import PeerRecord
from tests.simulation.party import PartySimulator
from tests.simulation.setting import PARTIES, RULES, LineViolationError
from tests.simulation.witness import TreeGhost

from deconflict.errors import ForkedChainError
from deconflict.line.envelope import SealedEnvelope, read_envelope
from deconflict.line.incoming import IncomingEntry
from deconflict.line.machine import Heard
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.precedence import DEFAULT_TIMERS
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.line.statement import ChainPoint

if TYPE_CHECKING:
    from tests.simulation.run import Simulation

A_FLUSH_MS = 1_000  # specs/envelope.md: what was durable so soon is judged as it came


@dataclass
class Ghost:
    """What truly happened. No crash takes it away, no party can see it."""

    signed: dict[tuple[str, str, int], str] = field(default_factory=dict)
    signed_hashes: dict[str, set[str]] = field(default_factory=lambda: {p: set() for p in PARTIES})
    issued: dict[str, ChainPoint] = field(default_factory=dict)  # by the receipt's signer
    held: dict[str, ChainPoint] = field(default_factory=dict)  # by the receipt's holder
    said_at_ms: dict[str, int] = field(default_factory=dict)
    limits: dict[str, list[tuple[int, str, str]]] = field(
        default_factory=lambda: {p: [] for p in PARTIES}
    )
    alarmed_at_ms: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    forks_shown: set[str] = field(default_factory=set)
    forks_reported: set[str] = field(default_factory=set)
    false_heards: set[str] = field(default_factory=set)
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
        for ms, what in owed:
            limit = (self.simulation.at_ms + ms, entry.hash, what)
            heapq.heappush(self.ghost.limits[party.name], limit)
        self.ghost.said_at_ms[entry.hash] = self.simulation.at_ms
        self.simulation.tally.messages += 1

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
            if record.sealed.hash in self.ghost.false_heards:
                raise LineViolationError(f"lie seed {self._seed}: a false heard left no evidence")
            envelope = read_envelope(record.sealed.data)
            if envelope.kind == "ANSWER" and envelope.ref and not record.delayed:
                self.ghost.answered.add(envelope.ref)

    def note_heard(self, party: PartySimulator, entry: IncomingEntry) -> None:
        """Hold the verdict DELAYED against the true age, where anybody could know it.

        Nobody could when a UTC clock jumped since the message was written, or since the two clocks
        were last compared, or when they never were; then only the deadlines are held to be right,
        which ask no UTC clock.
        """
        heard, receipted = entry.envelope.heard, party.live.own_receipted
        if heard is not None and receipted is not None and heard.seq < receipted.seq:
            # Older than the memory of the machine reaches: it can do no harm, the bundle shows it.
            self.ghost.false_heards.discard(entry.hash)
        expires_ms = entry.envelope.expires_after_ms
        age_ms = self._age_ms(party, entry)
        if expires_ms is None or age_ms is None:
            known = entry.hash in self.ghost.said_at_ms
            self.simulation.tally.ages_unknowable += known and expires_ms is not None
            return
        surely_late = age_ms > expires_ms + DEFAULT_TIMERS.clock_tolerance_ms
        self.simulation.tally.late += surely_late
        if (surely_late and not entry.delayed) or (age_ms <= expires_ms and entry.delayed):
            raise LineViolationError(
                f"I6 seed {self._seed}: age {age_ms}, expiry {expires_ms}: {entry.delayed}"
            )

    def note_logged(self, party: PartySimulator, entry: IncomingEntry, *, acts: bool) -> None:
        """Hold it against the true age once more, as the entry is durable."""
        expires_ms = entry.envelope.expires_after_ms
        age_ms = self._age_ms(party, entry)
        if expires_ms is None or age_ms is None:
            return
        most_ms = expires_ms + DEFAULT_TIMERS.clock_tolerance_ms + A_FLUSH_MS
        self.simulation.tally.late_on_disk += not acts and not entry.delayed
        if (acts and age_ms > most_ms) or (not acts and age_ms <= expires_ms):
            raise LineViolationError(
                f"I6 seed {self._seed}: durable at age {age_ms}, expiry {expires_ms}: {acts}"
            )

    def _age_ms(self, party: PartySimulator, entry: IncomingEntry) -> int | None:
        """Return the true age of a message that expires; None where nobody could know it."""
        said_at_ms = self.ghost.said_at_ms.get(entry.hash)
        if entry.envelope.expires_after_ms is None or said_at_ms is None:
            return None
        measured_ms = party.measured_when_heard_ms.get(entry.hash, -1)
        since_ms = min(said_at_ms, measured_ms)
        author = self.simulation.parties[party.peer]
        steady = all(one.clock.is_steady_since(since_ms) for one in (party, author))
        if not steady or measured_ms < 0:
            return None
        return self.simulation.at_ms - said_at_ms

    def note_evidence(self, party: PartySimulator, heard: Heard) -> None:
        if not self.simulation.parties[party.peer].lies:
            raise LineViolationError(
                f"seed {self._seed}: {party.name} suspects an honest peer: {heard}"
            )
        for evidence in heard.evidence:
            self.ghost.false_heards.discard(evidence.sealed.hash)
            self.simulation.tally.evidence[evidence.reason.value] += 1

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

    def check_limits(self) -> None:
        """Compare who was told with the limits that have passed."""
        for party in self.simulation.parties.values():
            self._check_alarms(party)

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
        limits = self.ghost.limits[party.name]
        if party.machine is None or not limits or limits[0][0] >= self.simulation.at_ms:
            return
        held = self.ghost.held.get(party.name)
        receipted = 0 if held is None else held.seq
        while limits and limits[0][0] < self.simulation.at_ms:
            limit_ms, message_hash, what = heapq.heappop(limits)
            told_ms = self.ghost.alarmed_at_ms.get(message_hash)
            if told_ms is not None and told_ms > limit_ms >= party.started_at_ms:
                raise LineViolationError(
                    f"I5 seed {self._seed}: {party.name} was told {told_ms - limit_ms} ms late"
                )
            if told_ms is not None or message_hash in self.ghost.answered:
                continue
            seq = party.disk.own_slots.get(message_hash)
            # Without a slot it was lost before it was durable: it was never said.
            if seq is not None and (what == "answer" or seq > receipted):
                raise LineViolationError(
                    f"I5 seed {self._seed}: {party.name} slot {seq} lacks its {what}, "
                    f"{self.simulation.at_ms - limit_ms} ms past the limit, and nobody was told"
                )
