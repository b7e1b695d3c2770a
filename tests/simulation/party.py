"""One honest party: its steps between which it may crash, and its start."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tests.simulation.disk import OwnRecord, PeerRecord, ReceiptRecord, SimulatedDisk
from tests.simulation.setting import EPOCH_UTC_MS, RULES, LineViolationError
from tests.simulation.witness import WitnessSteps

from deconflict.line.alerts import Alarm, fold_alerts
from deconflict.line.envelope import Draft, SealedEnvelope, read_envelope
from deconflict.line.incoming import IncomingEntry, Outcome
from deconflict.line.keys import SigningKey
from deconflict.line.machine import LineMachine, Restored
from deconflict.line.moment import Now
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.packets import Packet, Want
from deconflict.line.precedence import DEFAULT_TIMERS
from deconflict.line.receipt import SealedReceipt
from deconflict.line.statement import ChainPoint, hash_of
from deconflict.line.witness import Cosigned, Submission

if TYPE_CHECKING:
    from tests.simulation.run import Simulation


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
        self.simulation.referee.note_said(self, entry)

    def sync(self) -> None:
        self.simulation.referee.note_durable(self, self.disk.sync())
        self.to_seal += self.unsynced_own
        self.to_log += self.unsynced_peer
        self.unsynced_own, self.unsynced_peer = [], []
        self.trees.synced()

    def seal(self) -> None:
        entry = self.to_seal.pop(0)
        self.simulation.referee.note_signed(self, self.live.seal(entry))

    def log(self) -> None:
        count = self.simulation.rng.randint(1, len(self.to_log))
        entries, self.to_log = self.to_log[:count], self.to_log[count:]
        self.receipt_for(entries)

    def receipt_for(self, entries: list[IncomingEntry]) -> None:
        receipt = self.live.logged(entries, self.now)
        self.simulation.referee.note_issued(self, receipt)
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
            self.simulation.referee.note_signed(self, sealed)
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
        self.simulation.referee.note_durable(self, self.disk.crash(self.simulation.rng))
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
            receipted_seq=receipted.seq if receipted else 0,
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
