"""One honest party: its steps, between any two of which it may crash, and its start."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tests.simulation.clock import SimulatedClock
from tests.simulation.disk import DelayedRecord, OwnRecord, PeerRecord, ReceiptRecord
from tests.simulation.setting import RULES, LineViolationError
from tests.simulation.standin import StandInKey
from tests.simulation.witness import WitnessSteps
from tests.whole_alerts import folded_alerts

from deconflict.line.alerts import Alarm
from deconflict.line.envelope import Draft, SealedEnvelope
from deconflict.line.incoming import IncomingEntry, Outcome
from deconflict.line.keys import SigningKey
from deconflict.line.machine import LineMachine, Restored
from deconflict.line.moment import Now
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.packets import Packet, Want
from deconflict.line.precedence import DEFAULT_TIMERS
from deconflict.line.receipt import SealedReceipt, read_receipt
from deconflict.line.statement import ChainPoint
from deconflict.line.witness import Cosigned, Submission

if TYPE_CHECKING:
    from tests.simulation.run import Simulation


LAST_REPEATS_MS = 15_000
MANY = 8  # repetitions come 5 s apart long before


class PartySimulator:
    """One honest party: a machine, a disk, and the small steps between them.

    Each step is atomic, and a crash may fall between any two. Planted faults are subclasses that
    take a step too early or leave one out.
    """

    witness_steps: type[WitnessSteps] = WitnessSteps
    lies = False

    def __init__(
        self, simulation: "Simulation", name: str, peer: str, key: SigningKey | StandInKey
    ) -> None:
        self.simulation = simulation
        self.name = name
        self.peer = peer
        self.key = key
        self.disk = simulation.disk_of(name, peer)
        self.clock = SimulatedClock(simulation.rng)
        self.peer_offset_ms = 0  # the peer's UTC clock minus ours, as the beats last measured it
        self.measured_at_ms = -1
        self.measured_when_heard_ms: dict[str, int] = {}
        self.started_at_ms = 0
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
        return self.clock.now(self.simulation.at_ms)

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
        if self.disk.dirty and not self.stalls:
            yield self.sync
        if self.to_seal:
            yield self.seal
        if self.to_log:
            yield self.log
        if self.to_send:
            yield self.send_small
        if not self.only_repeats:
            due_ms = self.machine._out.next_send_ms()
            if due_ms is not None and due_ms <= self.now.monotonic_ms:
                yield self.send_due
            yield from self.trees.send_steps()
        yield from self.trees.steps()
        if self.to_answer and self.to_answer[0][0] <= self.simulation.at_ms:
            yield self.answer

    def next_ms(self) -> int | None:
        """Return when time alone makes something to do, on the true clock; None: never.

        What is due already waits for a step; behind it no alarm of the future may hide.
        """
        machine = self.machine
        if machine is None:
            return None
        alarm_ms = machine._alerts.next_deadline_ms()
        if alarm_ms is not None and alarm_ms <= self.now.monotonic_ms:
            self.tick()  # as the runtime does at once
            alarm_ms = machine._alerts.next_deadline_ms()
        times = [alarm_ms]
        if not self.only_repeats:
            times += [machine.next_deadline_ms(), machine.checkpoints.next_ms()]
        here = [ms - self.clock.monotonic_offset_ms for ms in times if ms is not None]
        here += [at_ms for at_ms, _, _ in self.to_answer[:1]]
        here += [self.disk.stalled_until_ms]
        return min((ms for ms in here if ms > self.simulation.at_ms), default=None)

    @property
    def stalls(self) -> bool:
        """True exactly when the disk takes its time now."""
        return self.simulation.at_ms < self.disk.stalled_until_ms

    @property
    def only_repeats(self) -> bool:
        """True exactly when all that would be sent was sent many times into a cut that goes on.

        Hours of such a cut are not played repetition by repetition: each would vanish, or be heard
        as one more duplicate. The last quarter of a minute is.
        """
        machine = self.machine
        if machine is None or not self.simulation.network.is_cut_for(LAST_REPEATS_MS):
            return False
        under_way = machine.checkpoints._under_way
        return all(slot.attempts >= MANY for slot in machine._out._slots.values()) and (
            machine.checkpoints.next_ms() is None
            or (under_way is not None and under_way.attempts >= MANY)
        )

    def say(self, kind: str, ref: str | None = None, expires_after_ms: int | None = None) -> None:
        draft = Draft(
            kind=kind,
            body={"text": self.simulation.rng.randrange(1_000)},
            sender_desk="watch",
            to_desk="watch",
            ref=ref,
            expires_after_ms=expires_after_ms,
        )
        entry = self.prepared(draft)
        self.disk.write(OwnRecord(entry.data))
        self.unsynced_own.append(entry)
        self.simulation.referee.note_said(self, entry)

    def prepared(self, draft: Draft) -> OutgoingEntry:
        return self.live.prepare(self.live.fitted(draft, self.now), self.now)

    def sync(self) -> None:
        """Flush; a disk that fails or is full ends the process, as in service."""
        if self.disk.full_until_ms > self.simulation.at_ms:
            self.simulation.tally.full_disks += 1
            self.disk.refuse()
            self.die()
            return
        if self.simulation.rng.random() < self.simulation.weather.io_error:
            self.simulation.tally.io_errors += 1
            self.crash()
            return
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
        late = {entry.hash for entry in self.live.take_ran_out()}
        for name in late:
            self.disk.write(DelayedRecord(name))
        for entry in entries:
            delayed = entry.delayed or entry.hash in late
            self.simulation.referee.note_logged(self, entry, acts=not delayed)
            rule = RULES[entry.envelope.kind]
            if rule.needs_answer and not delayed and self.simulation.rng.random() < 0.95:
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

    def measure(self) -> None:
        """Learn how far the peer's clock is off, as a beat both ways would tell."""
        at_ms = self.simulation.at_ms
        theirs = self.simulation.parties[self.peer].clock
        self.peer_offset_ms = theirs.utc_ms(at_ms) - self.clock.utc_ms(at_ms)
        self.measured_at_ms = at_ms

    def raise_alarms(self, alarms: tuple[Alarm, ...]) -> None:
        self.simulation.tally.alarms += len(alarms)
        for alarm in alarms:
            if alarm.alert.own:  # the peer, told of the same message, is not its author
                at_ms = self.simulation.at_ms
                self.simulation.ghost.alarmed_at_ms.setdefault(alarm.alert.hash, at_ms)

    def deliver(self, packet: Packet) -> None:
        match packet:
            case SealedEnvelope():
                self.hear(packet)
            case SealedReceipt():
                if self.live.hear_receipt(packet, self.now):
                    self.disk.write(ReceiptRecord(packet))
            case Want():
                self.live.hear_want(packet, self.now)
            case Submission():
                self.trees.hear(packet)
            case Cosigned():
                self.trees.hear_cosigned(packet)

    def hear(self, sealed: SealedEnvelope) -> None:
        # One that is held out of order is judged by the clocks as they compared when it came.
        self.measured_when_heard_ms.setdefault(sealed.hash, self.measured_at_ms)
        heard = self.live.hear(
            sealed, self.now, stored=self.stored, clock_offset_ms=self.peer_offset_ms
        )
        for entry in heard.entries:
            self.simulation.referee.note_heard(self, entry)
            self.disk.write(PeerRecord(entry.sealed, entry.received_utc_ms, entry.delayed))
            self.unsynced_peer.append(entry)
        if heard.receipt is not None:
            self.to_send.append(heard.receipt)
        if heard.want is not None:
            self.to_send.append(heard.want)
        if heard.evidence or heard.outcome is Outcome.ORPHAN:
            self.simulation.referee.note_evidence(self, heard)

    def stored(self, epoch: str, seq: int) -> SealedEnvelope | None:
        return self.disk.peer[seq - 1].sealed if seq <= len(self.disk.peer) else None

    # -- crash and start -----------------------------------------------------------------------

    def crash(self) -> None:
        self.simulation.referee.note_durable(self, self.disk.crash(self.simulation.rng))
        self.simulation.tally.crashes += 1
        self.die()

    def die(self) -> None:
        self.simulation.died()
        self.machine = None
        self.measured_when_heard_ms.clear()
        self.unsynced_own, self.unsynced_peer, self.to_seal = [], [], []
        self.to_log, self.to_send, self.to_answer = [], [], []
        self.trees.crashed()

    def boot(self) -> None:
        self.disk.reopen()
        self.started_at_ms = self.simulation.at_ms
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
        own, peer = self.disk.own_read, self.disk.peer_read
        head = ChainPoint(own[-1][1].epoch, own[-1][1].seq, own[-1][0]) if own else None
        last = self.disk.peer[-1] if self.disk.peer else None
        kept = self.disk.receipt
        restored = Restored(
            own_head=head,
            own_entries=tuple(self.disk.own[0 if kept is None else read_receipt(kept.data).seq :]),
            last_receipt=self.disk.receipt,
            peer_head=last.sealed.data if last else None,
            peer_head_received_utc_ms=last.received_utc_ms if last else 0,
        )
        receipted = restored.own_receipted(self.simulation.identity_of(self.name).peer_keys)
        alerts = folded_alerts(
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
