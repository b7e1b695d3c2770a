"""One honest party whose disk may be put back, by the machines of service; see ``restores.py``."""

import copy
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from tests.simulation.copied_disk import Commit, Durable, Guard, point_of, tree_of
from tests.simulation.party import PartySimulator
from tests.simulation.setting import RULES, LineViolationError
from tests.simulation.witness import WitnessSteps
from tests.whole_alerts import folded_alerts

from deconflict.line.delivery import KindRule
from deconflict.line.envelope import Draft, Envelope, SealedEnvelope, read_envelope, seal_envelope
from deconflict.line.epoch import EPOCH_KIND, opening_of
from deconflict.line.incoming import IncomingEntry, Outcome
from deconflict.line.keys import SigningKey
from deconflict.line.machine import LineMachine, Restored
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.packets import Answer, Packet, Question, Role
from deconflict.line.precedence import DEFAULT_TIMERS, Precedence
from deconflict.line.receipt import (
    RefusalReason,
    SealedReceipt,
    SealedRefusal,
    open_receipt,
    read_receipt,
)
from deconflict.line.resync import (
    Agreed,
    MuteReason,
    Silence,
    lacking,
    lacks_heard,
    last_shared,
    silence_at_start,
)

EPOCH_RULES: Final = {**RULES, EPOCH_KIND: KindRule(Precedence.IMMEDIATE)}


if TYPE_CHECKING:
    from tests.simulation.restores import RestoreSimulation


class NoTrees(WitnessSteps):
    """Trees are kept, since a start needs them; nobody asks for a cosignature."""

    def steps(self) -> Iterator[Callable[[], None]]:
        return iter(())

    def send_steps(self) -> Iterator[Callable[[], None]]:
        return iter(())

    def check(self) -> None:
        return


class RestoringParty(PartySimulator):
    """One honest party whose disk may be put back."""

    witness_steps = NoTrees
    copies_guard = True  # now and then a backup has the guard in it
    copies = 1  # how many backups are kept; any of them may be put back, so not in their order

    def __init__(
        self, simulation: "RestoreSimulation", name: str, peer: str, key: SigningKey
    ) -> None:
        super().__init__(simulation, name, peer, key)
        self.runs = simulation
        self.durable = Durable()
        self.backups = [(Durable(), Guard())]
        self.guard: Guard | None = Guard()
        self.waiting: list[Commit] = []  # written, not flushed
        self.flushed: list[Commit] = []  # durable, the guard not yet moved
        self.done: list[Callable[[], None]] = []  # may happen now, one at a time
        self.answers: list[Answer] = []  # that ever came: the network may bring them again
        self.restores = 0
        self.one_copy = 0
        self.alone = 0  # how often it opened an epoch without the peer's word
        self.alone_epochs: set[str] = set()  # those it opened because somebody told it to

    # -- steps ---------------------------------------------------------------------------------

    def steps(self) -> Iterator[Callable[[], None]]:
        if self.machine is None:
            return
        if self.waiting:
            yield self.flush
        if self.flushed:
            yield self.move_guard
        if self.done:
            yield self.finish
        if self.to_send:
            yield self.send_small
        due_ms = self.machine.next_deadline_ms()
        if due_ms is not None and due_ms <= self.now.monotonic_ms:
            yield self.send_due
        if self.to_answer and self.to_answer[0][0] <= self.simulation.at_ms:
            yield self.answer

    def commit(self, commit: Commit) -> None:
        self.waiting.append(commit)

    def say(self, kind: str, ref: str | None = None, expires_after_ms: int | None = None) -> None:
        resync = self.live.resync
        if resync.mute or resync.unasked or resync.closing:
            return
        entry = self.drafted(kind, ref)
        self.commit(Commit(own=[self.sealed(entry)], then=[lambda: self.seal_entry(entry)]))

    def drafted(self, kind: str, ref: str | None) -> OutgoingEntry:
        draft = Draft(
            kind=kind,
            body={"text": self.simulation.rng.randrange(10**9)},
            sender_desk="watch",
            to_desk="watch",
            ref=ref,
        )
        return self.live.prepare(self.live.fitted(draft, self.now), self.now)

    def sealed(self, entry: OutgoingEntry) -> SealedEnvelope:
        # The signature is not looked at before ``seal_entry``: a row without one, and its bytes.
        return seal_envelope(entry.data, self.key)

    @property
    def was_told(self) -> bool:
        """True exactly when somebody had it speak behind what its record says, with no receipt yet.

        What it lacks, as an author or of what it receipted, it finds out by the refusal.
        """
        present, held = self.durable.own.head, self.last_receipt()
        if present is None or present.epoch not in self.alone_epochs:
            return False
        return held is None or read_receipt(held.data).epoch != present.epoch

    def seal_entry(self, entry: OutgoingEntry) -> None:
        self.simulation.referee.note_signed(self, self.live.seal(entry))

    def flush(self) -> None:
        commit = self.waiting.pop(0)
        self.apply(commit)
        self.flushed.append(commit)

    def apply(self, commit: Commit) -> None:
        for sealed in commit.own:
            self.durable.own.add(sealed)
        for entry in commit.peer:
            self.runs.require_signed(self, entry.sealed)
            self.durable.peer.add(entry.sealed, entry.received_utc_ms, entry.delayed)
        self.durable.receipts += commit.receipts

    def move_guard(self) -> None:
        commit = self.flushed.pop(0)
        self.write_guard(commit)
        self.done += commit.then

    def write_guard(self, commit: Commit) -> None:
        guard = self.guard
        if guard is None:
            raise LineViolationError("a running node has a guard")
        for name, entries in (("own", commit.own), ("peer", [e.sealed for e in commit.peer])):
            if entries and name not in guard.mute:
                guard.points[name] = point_of(entries[-1])
        for name, head in commit.whole.items():
            guard.points[name] = head
            guard.mute.discard(name)

    def finish(self) -> None:
        self.done.pop(0)()

    def answer(self) -> None:
        _, kind, ref = self.to_answer.pop(0)
        self.say(kind, ref)

    def send_due(self) -> None:
        question = self.live.question(self.now)
        if question is not None:
            self.simulation.network.send(self, [question])
            return
        super().send_due()

    # -- hearing -------------------------------------------------------------------------------

    def deliver(self, packet: Packet) -> None:
        if isinstance(packet, Answer):
            self.answers.append(packet)
        match packet:
            case SealedReceipt():
                if self.live.hear_receipt(packet, self.now):
                    self.commit(Commit(receipts=[packet]))
            case SealedRefusal():
                self.live.hear_refusal(packet, self.now)
            case Question():
                own = packet.role is Role.LISTENER
                held = self.last_receipt() if own else None
                chain = self.durable.own if own else self.durable.peer
                answer = self.live.answer(packet, self.now, chain=chain, receipt=held)
                if answer is not None:
                    self.to_send.append(answer)
            case Answer(role=Role.AUTHOR):
                self.hear_held(packet)
            case Answer():
                self.hear_again(packet)
            case _:
                super().deliver(packet)

    def hear(self, sealed: SealedEnvelope) -> None:
        heard = self.live.hear(sealed, self.now, stored=self.stored)
        if heard.entries:
            entries = list(heard.entries)
            self.commit(Commit(peer=entries, then=[lambda: self.receipt_for(entries)]))
        if heard.receipt is not None:
            self.to_send.append(heard.receipt)
        if heard.want is not None:
            self.to_send.append(heard.want)
        if heard.outcome is Outcome.EPOCH_REFUSED:
            refusal = self.live.refuse(sealed.hash, RefusalReason.BROKEN_CHAIN)
            self.to_send.append(refusal)
        if any(evidence.reason != "ORPHAN_EPOCH" for evidence in heard.evidence):
            raise LineViolationError(
                f"I9 seed {self.simulation.seed}: {self.name} suspects an honest peer"
            )

    def receipt_for(self, entries: list[IncomingEntry]) -> None:
        receipt = self.live.logged(entries, self.now)
        if receipt is None:
            return  # found deaf meanwhile: what is logged is receipted when it begins anew
        self.simulation.referee.note_issued(self, receipt)
        self.to_send.append(self.live.receipt_now() or self.nothing())

    def nothing(self) -> SealedReceipt:
        raise LineViolationError("a receipt was asked for, and there is none")

    def stored(self, epoch: str, seq: int) -> SealedEnvelope | None:
        return self.durable.peer.at(epoch, seq)

    def hear_held(self, answer: Answer) -> None:
        agreed = self.live.hear_held(answer, holds=self.durable.own.holds)
        if agreed is not None:
            self.open_epoch(agreed, deaf=answer.deaf)

    def open_alone(self) -> None:
        """As `deconflict line reopen` does: without the peer's word."""
        resync = self.live.resync
        if (resync.mute or resync.unasked) and not resync.closing:
            self.alone += 1
            self.open_epoch(self.live.agreed_alone(), told=True)

    def open_epoch(self, agreed: Agreed, *, deaf: bool = False, told: bool = False) -> None:
        own = self.durable.own

        def hash_at(epoch: str, seq: int) -> str | None:
            sealed = own.at(epoch, seq)
            return None if sealed is None else sealed.hash

        missing = lacking(agreed.held, hash_at)
        resync = self.live.resync
        if resync.unasked:
            if not missing and (deaf or agreed.from_first):
                self.alone += 1  # the word of a deaf peer promises nothing
                resync.speak_alone()
            else:
                resync.compare(missing)
            if not resync.mute:
                return
        elif not resync.deaf and lacks_heard(missing, self.durable.peer.has):
            resync.found_old(author=True)
        behind = self.live.receipted_on_way
        if agreed.from_first:
            behind = last_shared(agreed, own)
        said = [read_envelope(s.data) for s in own.after(behind)]
        opened = self.live.reopen(agreed, said, self.now, desks=("watch", "watch"))
        if told:
            self.alone_epochs.add(opened[0].epoch)
        rows = [*(sealed for _, sealed in missing), *(self.sealed(entry) for entry in opened)]
        receipts = []
        if agreed.receipt is not None and read_receipt(agreed.receipt.data).point == agreed.follows:
            receipts.append(agreed.receipt)
        self.reopened(rows, receipts)

    def reopened(self, rows: list[SealedEnvelope], receipts: list[SealedReceipt]) -> None:
        silence = self.live.resync.after_author()
        whole = {"own": point_of(rows[-1])}
        fresh = [row for row in rows if point_of(row).epoch == point_of(rows[-1]).epoch]
        then = [lambda: self.begin_signed(silence, fresh)]
        self.commit(Commit(own=rows, receipts=receipts, whole=dict(whole), then=then))

    def begin_signed(self, silence: Silence, fresh: list[SealedEnvelope]) -> None:
        """Begin anew, the guard at the head: from here on the fresh epoch may be shown."""
        self.begin(silence)
        for sealed in fresh:
            self.simulation.referee.note_signed(self, sealed)

    def hear_again(self, answer: Answer) -> None:
        part = self.live.hear_again(answer, self.now, stored=self.stored)
        if part is None:
            return
        commit = Commit(peer=list(part.entries))
        commit.then.append(lambda: self.live.kept_again(part.entries))
        if part.whole:
            silence = self.live.resync.after_listener()
            commit.whole["peer"] = answer.head
            commit.then.append(lambda: self.begin(silence))
        self.commit(commit)

    # -- crash, backup and start ---------------------------------------------------------------

    def crash(self) -> None:
        for commit in self.waiting[: self.simulation.rng.randint(0, len(self.waiting))]:
            self.apply(commit)
        self.die()
        self.waiting, self.flushed, self.done = [], [], []
        self.to_send, self.to_answer = [], []

    def back_up(self) -> None:
        self.backups.append((copy.deepcopy(self.durable), copy.deepcopy(self.guard or Guard())))
        del self.backups[: -self.copies]

    def restore(self) -> None:
        self.crash()
        kept = len(self.backups)
        at = self.simulation.rng.randrange(kept) if kept > 1 else 0
        backup, guard = self.backups[at]
        self.durable = copy.deepcopy(backup)
        self.restores += 1
        what = self.simulation.rng.random()
        if what < 0.2:
            self.guard = None
        elif what < 0.4 and self.copies_guard and backup.own.head is not None:
            self.guard = copy.deepcopy(guard)
            self.one_copy += 1
            self.runs.forget_unheld(self)
        peer = next(one for one in self.runs.both if one is not self)
        if peer.one_copy and (peer.machine is None or peer.machine.resync.unasked):
            self.runs.forget_unheld(peer)  # both were put back: what neither has is gone

    def boot(self) -> None:
        self.begin(self.compared())
        self.tick()
        if self.runs.faults:
            for answer in self.answers[-3:]:
                self.runs.bring_again(self, answer)

    def compared(self) -> Silence:
        """What guard and record find; as ``store.guard`` and ``node.opening.silence_of``."""
        lost = self.guard is None
        guard = self.guard = self.guard or Guard(mute={"own", "peer"})
        for name, chain in (("own", self.durable.own), ("peer", self.durable.peer)):
            point = guard.points.get(name)
            if name not in guard.mute and point is not None and not chain.has(point):
                guard.mute.add(name)
            if name not in guard.mute:
                guard.points[name] = chain.head
        reason = MuteReason.NO_GUARD if lost else MuteReason.RECORD_BEHIND
        deaf = reason if "peer" in guard.mute else None
        heard = self.durable.own.heard_last()
        if deaf is None and heard is not None and not self.durable.peer.has(heard):
            deaf = MuteReason.PEER_HOLDS_MORE
        return silence_at_start(
            self.durable.own.head,
            mute=reason if "own" in guard.mute else None,
            deaf=deaf,
        )

    def begin(self, silence: Silence) -> None:
        self.machine = LineMachine(
            identity=self.simulation.identity_of(self.name),
            rules=EPOCH_RULES,
            random_bytes=self.simulation.rng.randbytes,
            now=self.now,
            restored=self.read_durable(silence),
        )

    def last_receipt(self) -> SealedReceipt | None:
        """The one that says most: on the way, of the latest epoch, the highest number."""
        own = self.durable.own
        order = list(own.epochs)
        return max(
            (one for one in self.durable.receipts if own.holds(read_receipt(one.data).point)),
            key=lambda sealed: (
                order.index(read_receipt(sealed.data).epoch),
                read_receipt(sealed.data).seq,
            ),
            default=None,
        )

    def read_durable(self, silence: Silence) -> Restored:
        own, peer = self.durable.own, self.durable.peer
        keys = self.simulation.identity_of(self.name).peer_ring.ever
        sealed_receipt = self.last_receipt()
        receipted = None if sealed_receipt is None else open_receipt(sealed_receipt, keys).point
        way, present = own.way(), own.head
        in_present = (
            receipted is not None and present is not None and (receipted.epoch == present.epoch)
        )
        covered = receipted is not None
        earlier, unreceipted, entries = [], set(), []
        for sealed in own.after(None):
            envelope = read_envelope(sealed.data)
            if not covered:
                unreceipted.add(sealed.hash)
                if present is not None and envelope.epoch != present.epoch:
                    earlier.append(sealed.hash)
            if present is not None and envelope.epoch == present.epoch:
                entries.append(sealed.data)
            covered = covered and point_of(sealed) != receipted
        both: list[tuple[str, Envelope, bool]] = [
            (sealed.hash, read_envelope(sealed.data), chain.received[sealed.hash][1])
            for chain in (own, peer)
            for sealed in chain.after(None)
        ]
        head = peer.head
        last = None if head is None else peer.at(head.epoch, head.seq)
        return Restored(
            own_head=present,
            own_entries=tuple(entries),
            last_receipt=sealed_receipt if in_present else None,
            peer_head=None if last is None else last.data,
            peer_head_received_utc_ms=0 if last is None else peer.received[last.hash][0],
            alerts=folded_alerts(
                both,
                own_party=self.name,
                rules=EPOCH_RULES,
                timers=DEFAULT_TIMERS,
                is_receipted=lambda message_hash, _: message_hash not in unreceipted,
            ),
            own_tree=tree_of(own),
            peer_tree=tree_of(peer),
            own_way=way,
            own_reopened=present is not None
            and opening_of(read_envelope(own.epochs[present.epoch][0].data)) is not None,
            own_earlier=tuple(earlier),
            own_agreed=None if in_present else receipted,
            silence=silence,
        )


class AnyCopyParty(RestoringParty):
    """One of whom several backups lie about, put back in any order: ways part and cross.

    None has the guard in it: of two such copies the earlier, put back after the later with its
    guard, would sign anew what the later holds, and no node could know.
    """

    copies = 4
    copies_guard = False
