"""Two parties on one line, with disks that forget, a network that lies, and crashes anywhere.

Everything comes from one seed: the same seed plays the same run to the last byte, so a violation
found at night is replayed in the morning::

    python -m tests.simulator --hours 100 --seed 1

The machines are the ones of service. Around them everything fails: the disk keeps only a prefix
of what was not synced; the network drops, doubles, delays, reorders and alters packets, and cuts
one direction or both; a party crashes between any two of prepare, write, sync, seal, send, log
and receipt, and starts again. After every step :meth:`Simulation.check_line` compares what the
parties hold with what truly happened:

    I1  a receipt, held or only issued, is true of its signer's durable log, for ever
    I2  nothing is logged that its author did not sign
    I3  both logs agree up to the receipt
    I4  no two signatures for one slot
    I5  nothing overdue is neither settled nor escalated
    I6  a message is DELAYED exactly when it is past its expiry (within the clocks' tolerance)
    I7, I8  of trees and cosignatures: ``simulated_witness.py``

and once the faults stop, everything said is receipted and cosigned (:meth:`Simulation.drain`).
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from deconflict.errors import (
    DeconflictError,
    ForkedChainError,
    InvalidInputError,
    VerificationError,
)
from deconflict.line.alerts import Alarm, fold_alerts
from deconflict.line.delivery import KindRule
from deconflict.line.envelope import Draft, SealedEnvelope, read_envelope
from deconflict.line.incoming import IncomingEntry, Outcome
from deconflict.line.keys import SigningKey, line_id
from deconflict.line.machine import LineIdentity, LineMachine, Restored
from deconflict.line.moment import Now
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.packets import Packet, Want, decode_packets, encode_packets
from deconflict.line.precedence import DEFAULT_TIMERS, Precedence
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.line.statement import ChainPoint, Signature, hash_of
from deconflict.line.witness import Cosigned, Submission
from simulated_witness import (
    OwnTreeRecord,
    PeerTreeRecord,
    RewritingSteps,
    TreeGhost,
    WitnessSteps,
)

RULES = {
    "NOTIFY": KindRule(Precedence.PRIORITY),
    "QUERY": KindRule(Precedence.IMMEDIATE, needs_answer=True),
    "CEASE": KindRule(Precedence.FLASH, needs_seen=True, needs_answer=True),
    "SEEN": KindRule(Precedence.ROUTINE, marks_seen=True),
    "ANSWER": KindRule(Precedence.IMMEDIATE, closes=True),
}
EPOCH_UTC_MS = 1_443_571_200_000  # 30 September 2015
PARTIES = ("blue", "red")


class LineViolationError(AssertionError):
    """An invariant of the line does not hold."""


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


class PartySimulator:
    """One honest party: a machine, a disk, and the small steps between them.

    Each step is atomic, and a crash may fall between any two. Planted faults are subclasses that
    take a step too early or leave one out.
    """

    witness_steps: type[WitnessSteps] = WitnessSteps

    def __init__(self, simulation: "Simulation", name: str, peer: str, key: SigningKey) -> None:
        self.simulation = simulation
        self.name = name
        self.peer = peer
        self.key = key
        self.disk = SimulatedDisk()
        self.skew_ms = simulation.rng.choice((0, 0, -288_000, 700, 288_000))
        self.machine: LineMachine | None = None
        self.unsynced_own: list[OutgoingEntry] = []
        self.unsynced_peer: list[IncomingEntry] = []
        self.to_seal: list[OutgoingEntry] = []
        self.to_log: list[IncomingEntry] = []
        self.to_send: list[Packet] = []
        self.to_answer: list[tuple[int, str, str]] = []
        self.trees = self.witness_steps(self)

    @property
    def now(self) -> Now:
        at_ms = self.simulation.at_ms
        return Now(EPOCH_UTC_MS + at_ms + self.skew_ms, at_ms + self.skew_ms)

    @property
    def live(self) -> LineMachine:
        if self.machine is None:
            raise LineViolationError(f"{self.name} is down")
        return self.machine

    # -- steps ---------------------------------------------------------------------------------

    def steps(self) -> Iterator[Callable[[], None]]:
        """Yield the steps that can be taken now."""
        if self.machine is None:
            return
        if self.disk.dirty:
            yield self.sync
        if self.to_seal:
            yield self.seal
        if self.to_log:
            yield self.log
        if self.to_send:
            yield self.send_small
        due_ms = self.machine.next_deadline_ms()
        if due_ms is not None and due_ms <= self.now.monotonic_ms:
            yield self.send_due
        yield from self.trees.steps()
        if self.to_answer and self.to_answer[0][0] <= self.simulation.at_ms:
            yield self.answer

    def say(self, kind: str, ref: str | None = None, expires_after_ms: int | None = None) -> None:
        draft = Draft(
            kind=kind,
            body={"text": self.simulation.rng.randrange(1_000)},
            sender_desk="watch",
            to_desk="watch",
            ref=ref,
            expires_after_ms=expires_after_ms,
        )
        entry = self.live.prepare(self.live.fitted(draft, self.now), self.now)
        self.disk.write(OwnRecord(entry.data))
        self.unsynced_own.append(entry)
        self.simulation.note_said(self, entry)

    def sync(self) -> None:
        self.simulation.note_durable(self, self.disk.sync())
        self.to_seal += self.unsynced_own
        self.to_log += self.unsynced_peer
        self.unsynced_own, self.unsynced_peer = [], []
        self.trees.synced()

    def seal(self) -> None:
        entry = self.to_seal.pop(0)
        self.simulation.note_signed(self, self.live.seal(entry))

    def log(self) -> None:
        count = self.simulation.rng.randint(1, len(self.to_log))
        entries, self.to_log = self.to_log[:count], self.to_log[count:]
        self.receipt_for(entries)

    def receipt_for(self, entries: list[IncomingEntry]) -> None:
        receipt = self.live.logged(entries, self.now)
        self.simulation.note_issued(self, receipt)
        self.to_send.append(receipt)
        for entry in entries:
            rule = RULES[entry.envelope.kind]
            if rule.needs_answer and not entry.delayed and self.simulation.rng.random() < 0.8:
                at_ms = self.simulation.at_ms + self.simulation.rng.randint(0, 90_000)
                self.to_answer.append((at_ms, "ANSWER", entry.hash))
                if rule.needs_seen:
                    self.to_answer.append((self.simulation.at_ms, "SEEN", entry.hash))
                self.to_answer.sort()

    def answer(self) -> None:
        _, kind, ref = self.to_answer.pop(0)
        self.say(kind, ref)

    def send_small(self) -> None:
        self.simulation.network.send(self, [self.to_send.pop(0)])

    def send_due(self) -> None:
        batch = self.live.transmittable(self.now)
        for sealed in batch:
            self.simulation.note_signed(self, sealed)
        if batch:
            self.simulation.network.send(self, list(batch))
            self.live.mark_sent([sealed.hash for sealed in batch], self.now)

    def tick(self) -> None:
        if self.machine is not None:
            self.raise_alarms(self.machine.alarms(self.now))

    def raise_alarms(self, alarms: tuple[Alarm, ...]) -> None:
        self.simulation.ghost.alarmed.update(alarm.alert.hash for alarm in alarms)

    def deliver(self, packet: Packet) -> None:
        match packet:
            case SealedEnvelope():
                self.hear(packet)
            case SealedReceipt():
                self.live.hear_receipt(packet, self.now)
                self.disk.write(ReceiptRecord(packet))
            case Want():
                self.live.hear_want(packet, self.now)
            case Submission():
                self.trees.hear(packet)
            case Cosigned():
                self.trees.hear_cosigned(packet)

    def hear(self, sealed: SealedEnvelope) -> None:
        offset_ms = self.simulation.parties[self.peer].skew_ms - self.skew_ms
        heard = self.live.hear(sealed, self.now, stored=self.stored, clock_offset_ms=offset_ms)
        for entry in heard.entries:
            self.disk.write(PeerRecord(entry.sealed, entry.received_utc_ms, entry.delayed))
            self.unsynced_peer.append(entry)
        if heard.receipt is not None:
            self.to_send.append(heard.receipt)
        if heard.want is not None:
            self.to_send.append(heard.want)
        if heard.evidence or heard.outcome is Outcome.ORPHAN:
            raise LineViolationError(f"{self.name} suspects an honest peer: {heard}")

    def stored(self, epoch: str, seq: int) -> SealedEnvelope | None:
        return self.disk.peer[seq - 1].sealed if seq <= len(self.disk.peer) else None

    # -- crash and start -----------------------------------------------------------------------

    def crash(self) -> None:
        self.simulation.note_durable(self, self.disk.crash(self.simulation.rng))
        self.machine = None
        self.unsynced_own, self.unsynced_peer, self.to_seal = [], [], []
        self.to_log, self.to_send, self.to_answer = [], [], []
        self.trees.crashed()

    def boot(self) -> None:
        restored = self.read_disk()
        self.machine = LineMachine(
            identity=self.simulation.identity_of(self.name),
            rules=RULES,
            random_bytes=self.simulation.rng.randbytes,
            now=self.now,
            restored=restored,
        )
        self.tick()

    def read_disk(self) -> Restored:
        own = [(hash_of(data), read_envelope(data), False) for data in self.disk.own]
        peer = [(r.sealed.hash, read_envelope(r.sealed.data), r.delayed) for r in self.disk.peer]
        head = ChainPoint(own[-1][1].epoch, own[-1][1].seq, own[-1][0]) if own else None
        last = self.disk.peer[-1] if self.disk.peer else None
        restored = Restored(
            own_head=head,
            own_entries=tuple(self.disk.own),
            last_receipt=self.disk.receipt,
            peer_head=last.sealed.data if last else None,
            peer_head_received_utc_ms=last.received_utc_ms if last else 0,
        )
        receipted = restored.own_receipted(self.simulation.identity_of(self.name).peer_keys)
        alerts = fold_alerts(
            [*own, *peer],
            own_party=self.name,
            rules=RULES,
            timers=DEFAULT_TIMERS,
            is_receipted=lambda _, said: receipted is not None and said.seq <= receipted.seq,
        )
        return Restored(
            restored.own_head,
            restored.own_entries,
            restored.last_receipt,
            restored.peer_head,
            restored.peer_head_received_utc_ms,
            alerts,
            self.trees.own_tree(),
            self.trees.peer_tree(),
        )


class ForkingParty(PartySimulator):
    """Signs, now and then, a second message for a slot it has already sent."""

    def send_due(self) -> None:
        super().send_due()
        rng = self.simulation.rng
        if self.disk.own and rng.random() < 0.2:
            original = rng.choice(self.disk.own[-20:])
            envelope = read_envelope(original)
            altered = original.replace(b'"kind":"', b'"kind":"X', 1)
            signature = Signature(
                "Ed25519", self.key.key_id, self.key.sign(b"deconflict/1 envelope\n", altered)
            )
            fork = SealedEnvelope(altered, signature)
            held = self.simulation.parties[self.peer].disk.peer_hashes
            if envelope.seq <= len(held) and self.simulation.parties[self.peer].machine:
                # Shown directly to a peer that holds the other one, so it must be reported.
                self.simulation.show_fork(self.simulation.parties[self.peer], fork)


class RewritingParty(PartySimulator):
    """Signs, now and then, a tree that is not of its entries."""

    witness_steps = RewritingSteps


@dataclass
class Weather:
    """How bad it is."""

    drop: float = 0.05
    double: float = 0.1
    alter: float = 0.02
    most_delay_ms: int = 400
    crash: float = 0.004  # at every step, so between any two of a party's small steps
    cut_every_ms: int = 40_000
    say_every_ms: int = 4_000


CALM = Weather(0.0, 0.0, 0.0, 20, 0.0, 10**12, 10**12)


class SimulatedNetwork:
    """Bytes on their way; nothing about them is promised."""

    def __init__(self, simulation: "Simulation") -> None:
        self.simulation = simulation
        self.on_the_way: list[tuple[int, int, str, bytes, bool]] = []
        self.cut: set[str] = set()  # senders whose packets vanish
        self._count = 0

    def send(self, sender: PartySimulator, packets: list[Packet]) -> None:
        rng, weather = self.simulation.rng, self.simulation.weather
        if sender.name in self.cut or rng.random() < weather.drop:
            return
        for _ in range(2 if rng.random() < weather.double else 1):
            data, altered = encode_packets(packets), False
            if rng.random() < weather.alter:
                place = rng.randrange(len(data))
                flipped = data[place] ^ (1 << rng.randrange(8))
                data, altered = data[:place] + bytes([flipped]) + data[place + 1 :], True
            delay_ms = rng.randint(0, weather.most_delay_ms)
            if rng.random() < 0.02:
                delay_ms += rng.randint(0, 100 * weather.most_delay_ms)
            self._count += 1
            arrival = self.simulation.at_ms + delay_ms
            self.on_the_way.append((arrival, self._count, sender.peer, data, altered))
        self.on_the_way.sort()

    def due(self) -> bool:
        return bool(self.on_the_way) and self.on_the_way[0][0] <= self.simulation.at_ms

    def deliver(self) -> None:
        _, _, to, data, altered = self.on_the_way.pop(0)
        party = self.simulation.parties[to]
        if party.machine is None:
            return
        try:
            packets = decode_packets(data)
        except InvalidInputError:
            if not altered:
                raise
            return
        for packet in packets:
            try:
                party.deliver(packet)
            except (VerificationError, InvalidInputError) as error:
                if not altered:
                    raise LineViolationError(f"{to} refused an honest packet: {error}") from error


class Simulation:
    """One run: two parties, one line, one seed."""

    def __init__(
        self,
        seed: int,
        *,
        blue: type[PartySimulator] = PartySimulator,
        red: type[PartySimulator] = PartySimulator,
        weather: Weather | None = None,
    ) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.weather = weather or Weather()
        self.at_ms = 0
        self.steps_taken = 0
        self.ghost = Ghost()
        self.keys = {name: SigningKey.generate(self.rng.randbytes) for name in PARTIES}
        self.line = line_id(*(x for name in PARTIES for x in (name, self.keys[name].key_id)))
        self.network = SimulatedNetwork(self)
        self.parties = {
            "blue": blue(self, "blue", "red", self.keys["blue"]),
            "red": red(self, "red", "blue", self.keys["red"]),
        }
        self._timers: dict[str, int] = {}
        for party in self.parties.values():
            party.boot()
        self.happenings()  # draws the first time of each

    def identity_of(self, name: str) -> LineIdentity:
        peer = "red" if name == "blue" else "blue"
        verify = self.keys[peer].verify_key
        return LineIdentity(self.line, name, peer, self.keys[name], {verify.key_id: verify})

    # -- the run -------------------------------------------------------------------------------

    def run(self, duration_ms: int) -> None:
        """Play until ``duration_ms`` more have passed; raises LineViolationError at the first."""
        end_ms = self.at_ms + duration_ms
        while self.at_ms < end_ms:
            self.step(end_ms)

    def drain(self) -> None:
        """Stop all faults; everything said must be receipted on both sides, and cosigned, in time.

        Answers are still said for a while, each of which is to be cosigned too.
        """
        self.weather, self.network.cut = CALM, set()
        self._timers.clear()
        for party in self.parties.values():
            if party.machine is None:
                party.boot()
        self._run_until(self.drained, 30_000)
        self._run_until(self.cosigned, 150_000)

    def _run_until(self, true: Callable[[], bool], most_ms: int) -> None:
        end_ms = self.at_ms + most_ms
        while not true():
            if self.at_ms >= end_ms:
                raise LineViolationError(f"seed {self.seed}: not {true.__name__} in {most_ms} ms")
            self.step(end_ms)

    def drained(self) -> bool:
        return all(
            party.live.own_head == party.live.own_receipted and not any(party.steps())
            for party in self.parties.values()
        )

    def cosigned(self) -> bool:
        return self.drained() and all(
            party.live.checkpoints.own_cosigned.size == len(party.disk.own)
            for party in self.parties.values()
        )

    def step(self, end_ms: int) -> None:
        """Take one step: somebody's, the network's, a fault, or time itself."""
        self.steps_taken += 1
        choices = [step for party in self.parties.values() for step in party.steps()]
        if self.network.due():
            choices += [self.network.deliver] * 2
        if choices and self.rng.random() < 0.97:
            self.rng.choice(choices)()
        else:
            self.pass_time(end_ms)
        self.happenings()
        self.check_line()

    def pass_time(self, end_ms: int) -> None:
        times = [end_ms, *self._timers.values()]
        if self.network.on_the_way:
            times.append(self.network.on_the_way[0][0])
        for party in self.parties.values():
            if party.machine is not None:
                for due_ms in (
                    party.machine.next_deadline_ms(),
                    party.machine.checkpoints.next_ms(),
                ):
                    times += [] if due_ms is None else [due_ms - party.skew_ms]
                times += [at_ms for at_ms, _, _ in party.to_answer[:1]]
        ahead = [at_ms for at_ms in times if at_ms > self.at_ms]
        self.at_ms = min(*ahead, self.at_ms + 60_000) if ahead else self.at_ms + 1
        for party in self.parties.values():
            party.tick()

    def happenings(self) -> None:
        for party in self.parties.values():
            if self._happens(f"{party.name} says", self.weather.say_every_ms) and party.machine:
                kind = self.rng.choice(("NOTIFY", "NOTIFY", "NOTIFY", "QUERY", "CEASE"))
                party.say(kind, expires_after_ms=self.rng.choice((None, None, 5_000, 60_000)))
            if party.machine is None:
                if self._happens(f"{party.name} boots", 5_000):
                    party.boot()
            elif self.rng.random() < self.weather.crash:
                party.crash()
        if self.network.cut:
            if self._happens("heal", 8_000):
                self.network.cut = set()
        elif self._happens("cut", self.weather.cut_every_ms):
            self.network.cut = set(self.rng.choice((PARTIES, PARTIES[:1], PARTIES[1:])))

    def _happens(self, what: str, every_ms: int) -> bool:
        """True exactly when the random time of ``what`` has come; then a new one is drawn."""
        at_ms = self._timers.get(what)
        if at_ms is None or at_ms <= self.at_ms:
            self._timers[what] = self.at_ms + 1 + int(self.rng.expovariate(1 / every_ms))
        return at_ms is not None and at_ms <= self.at_ms

    # -- what truly happened -------------------------------------------------------------------

    def note_said(self, party: PartySimulator, entry: OutgoingEntry) -> None:
        limits = DEFAULT_TIMERS.limits[entry.envelope.prec]
        owed = [(limits.lack_ms, "receipt")]
        if RULES[entry.envelope.kind].needs_answer:
            owed.append((limits.answer_ms, "answer"))
        self.ghost.limits[party.name][entry.hash] = [(self.at_ms + ms, what) for ms, what in owed]
        self.ghost.said_at_ms[entry.hash] = self.at_ms

    def note_signed(self, party: PartySimulator, sealed: SealedEnvelope) -> None:
        if sealed.hash in self.ghost.signed_hashes[party.name]:
            return
        envelope = read_envelope(sealed.data)
        slot = (party.name, envelope.epoch, envelope.seq)
        before = self.ghost.signed.setdefault(slot, sealed.hash)
        self.ghost.signed_hashes[party.name].add(sealed.hash)
        if before != sealed.hash:
            raise LineViolationError(f"I4 seed {self.seed}: two signatures for slot {slot}")

    def note_issued(self, party: PartySimulator, receipt: SealedReceipt) -> None:
        self.ghost.issued[party.name] = read_receipt(receipt.data).point

    def note_durable(self, party: PartySimulator, records: list[PeerRecord]) -> None:
        for record in records:
            if record.sealed.hash not in self.ghost.signed_hashes[party.peer]:
                raise LineViolationError(
                    f"I2 seed {self.seed}: {party.name} logged a made-up entry"
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
                f"I6 seed {self.seed}: age {age_ms}, expiry {expires_ms}: {record.delayed}"
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
        for party in self.parties.values():
            peer = self.parties[party.peer]
            if party.machine is not None and party.machine.own_receipted is not None:
                self.ghost.held[party.name] = party.machine.own_receipted
            self._check_receipt("held", self.ghost.held.get(party.name), party, peer)
            self._check_receipt("issued", self.ghost.issued.get(peer.name), party, peer)
            self._check_alarms(party)
            party.trees.check()
        unreported = self.ghost.forks_shown - self.ghost.forks_reported
        if unreported:
            raise LineViolationError(f"fork seed {self.seed}: {len(unreported)} not reported")

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
                f"I1 seed {self.seed}: receipt {which} for slot {point.seq} is not true of "
                f"{signer.name}'s log of {len(logged)}"
            )
        said = author.disk.own
        if len(said) < point.seq or author.disk.own_slots.get(point.hash) != point.seq:
            raise LineViolationError(f"I3 seed {self.seed}: logs differ at slot {point.seq}")

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
                if limit_ms >= self.at_ms:
                    continue
                seq = party.disk.own_slots.get(message_hash)
                if seq is None:
                    del own[message_hash]  # lost before it was durable: it was never said
                    break
                if what == "answer" or seq > receipted:
                    raise LineViolationError(
                        f"I5 seed {self.seed}: {party.name} slot {seq} lacks its {what}, "
                        f"{self.at_ms - limit_ms} ms past the limit, and nobody was told"
                    )


def play(
    seed: int,
    *,
    minutes: float = 2.0,
    blue: type[PartySimulator] = PartySimulator,
    red: type[PartySimulator] = PartySimulator,
) -> Simulation:
    """Play one run and drain it; raises LineViolationError at the first violation."""
    simulation = Simulation(seed, blue=blue, red=red)
    simulation.run(int(minutes * 60_000))
    simulation.drain()
    return simulation


def main() -> int:
    """Play runs of ten minutes until so many line-hours are done; 1 when any was violated."""
    parser = argparse.ArgumentParser(description="Simulate lines under faults.")
    parser.add_argument("--hours", type=float, default=1.0, help="line-hours to play")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run")
    options = parser.parse_args()
    started, seed, violations = time.monotonic(), options.seed, 0
    runs = max(1, round(options.hours * 6))
    for seed in range(options.seed, options.seed + runs):
        try:
            play(seed, minutes=10.0)
        except (LineViolationError, DeconflictError) as error:
            violations += 1
            print(f"seed {seed}: {error}", flush=True)
        if sys.stdout.isatty():
            print(f"\r{seed - options.seed + 1} of {runs} runs", end="", flush=True)
    spent = time.monotonic() - started
    print(f"{runs / 6:.1f} line-hours, {runs} runs, {violations} violations, {spent:.0f} s")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
