"""The small steps of checkpoints in the simulation, and what must be true of every cosignature.

I7  a cosignature, once given, is true of its witness's durable log for ever: that log holds
    these entries, and that disk remembers that it cosigned them
I8  nobody signs two trees of one size
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.setting import LineViolationError

from deconflict.errors import ForkedChainError
from deconflict.line.checkpoint import (
    Checkpoint,
    entry_leaf,
    open_checkpoint,
    read_checkpoint,
    seal_checkpoint,
)
from deconflict.line.envelope import seal_envelope
from deconflict.line.note import read_note
from deconflict.line.restored import RestoredTree, TreeBuilder
from deconflict.line.tree import CompactRange, TreeHead
from deconflict.line.witness import Cosigned, CosignedState, Submission

if TYPE_CHECKING:
    from tests.simulation.party import PartySimulator


@dataclass(frozen=True, slots=True)
class OwnTreeRecord:
    """A cosigned checkpoint of the own chain on disk."""

    state: CosignedState


@dataclass(frozen=True, slots=True)
class PeerTreeRecord:
    """What was cosigned of the peer's chain, on disk."""

    state: CosignedState


@dataclass
class TreeGhost:
    """What truly was signed about trees."""

    authored: dict[tuple[str, int], bytes] = field(default_factory=dict)
    cosigned: dict[str, TreeHead] = field(default_factory=dict)  # by the witness: the largest
    forks_reported: int = 0


class WitnessSteps:
    """What one party does about checkpoints, a step at a time; part of ``PartySimulator``."""

    def __init__(self, party: "PartySimulator") -> None:
        self.party = party
        self.unsynced: list[OwnTreeRecord | PeerTreeRecord] = []
        self.to_finish: list[OwnTreeRecord | PeerTreeRecord] = []

    def steps(self) -> Iterator[Callable[[], None]]:
        if self.to_finish:
            yield self.finish

    def send_steps(self) -> Iterator[Callable[[], None]]:
        due_ms = self.party.live.checkpoints.next_ms()
        if due_ms is not None and due_ms <= self.party.now.monotonic_ms:
            yield self.send

    def send(self) -> None:
        party = self.party
        submission = party.live.checkpoints.due(party.now)
        if submission is not None:
            self.note_authored(submission)
            party.simulation.network.send(party, [submission])
            party.live.checkpoints.sent(party.now)

    def hear(self, submission: Submission) -> CosignedState | None:
        state = self.party.live.checkpoints.hear(submission, self.party.now)
        if state is None:
            self.answer()
        else:
            self.write(PeerTreeRecord(state))
        return state

    def hear_cosigned(self, cosigned: Cosigned) -> None:
        state = self.party.live.checkpoints.hear_cosigned(cosigned, self.party.now)
        if state is not None:
            self.write(OwnTreeRecord(state))

    def write(self, record: OwnTreeRecord | PeerTreeRecord) -> None:
        self.party.disk.write(record)
        self.unsynced.append(record)

    def synced(self) -> None:
        self.to_finish += self.unsynced
        self.unsynced = []

    def finish(self) -> None:
        record = self.to_finish.pop(0)
        if isinstance(record, OwnTreeRecord):
            self.party.live.checkpoints.persisted_own(record.state)
        else:
            self.party.live.checkpoints.persisted(record.state)
            self.answer()

    def answer(self) -> None:
        cosigned = self.party.live.checkpoints.answer()
        if cosigned is not None:
            self.note_cosigned(cosigned)
            self.party.to_send.append(cosigned)

    def crashed(self) -> None:
        self.unsynced, self.to_finish = [], []

    def own_tree(self) -> RestoredTree:
        disk, key = self.party.disk, self.party.key
        builder = TreeBuilder(None if disk.own_tree is None else disk.own_tree.state)
        for data in disk.own:
            sealed = seal_envelope(data, key)
            builder.add(entry_leaf(sealed.hash, sealed.signature.value))
        return builder.finish()

    def peer_tree(self) -> RestoredTree:
        disk = self.party.disk
        builder = TreeBuilder(None if disk.peer_tree is None else disk.peer_tree.state)
        for record in disk.peer:
            builder.add(entry_leaf(record.sealed.hash, record.sealed.signature.value))
        return builder.finish()

    # -- what truly happened --------------------------------------------------------------------

    def note_authored(self, submission: Submission) -> None:
        head = read_checkpoint(read_note(submission.note).text).head
        ghost, name = self.party.simulation.ghost.trees, self.party.name
        if ghost.authored.setdefault((name, head.size), head.root) != head.root:
            raise self.violation(f"I8: {name} signed two trees of size {head.size}")

    def note_cosigned(self, cosigned: Cosigned) -> None:
        head = read_checkpoint(read_note(cosigned.note).text).head
        logged = CompactRange()
        for record in self.party.disk.peer[: head.size]:
            logged.add(entry_leaf(record.sealed.hash, record.sealed.signature.value))
        ghost, name = self.party.simulation.ghost.trees, self.party.name
        if logged.head != head:
            raise self.violation(f"I7: {name} cosigned a tree of {head.size} that it does not hold")
        before = ghost.cosigned.get(name)
        if before is None or before.size < head.size:
            ghost.cosigned[name] = head

    def check(self) -> None:
        """The largest tree cosigned is on the witness's disk, or a larger one is."""
        cosigned = self.party.simulation.ghost.trees.cosigned.get(self.party.name)
        kept = self.party.disk.peer_tree
        if cosigned is not None and (kept is None or kept.state.head.size < cosigned.size):
            raise self.violation(
                f"I7: {self.party.name} cosigned {cosigned.size} entries, and forgot it"
            )

    def violation(self, what: str) -> AssertionError:
        which, _, rest = what.partition(": ")
        return LineViolationError(f"{which} seed {self.party.simulation.seed}: {rest}")


class RewritingSteps(WitnessSteps):
    """An author that now and then signs a tree that is not of its entries, and shows it."""

    def send(self) -> None:
        super().send()
        party = self.party
        victim = party.simulation.parties[party.peer]
        if victim.machine is None or party.simulation.rng.random() > 0.5:
            return
        kept = victim.machine.checkpoints._witness.kept
        submission = party.live.checkpoints.due(party.now._replace(monotonic_ms=2**60))
        if submission is None:
            return
        honest, _ = open_checkpoint(submission.note, {party.key.key_id: party.key.verify_key})
        root = bytes([honest.head.root[0] ^ 1]) + honest.head.root[1:]
        altered = Checkpoint(honest.origin, TreeHead(honest.head.size, root))
        forged = Submission(
            submission.line,
            0 if kept is None else kept.head.size,
            submission.proof,
            seal_checkpoint(altered, party.key).to_bytes(),
        )
        try:
            victim.trees.hear(forged)
        except ForkedChainError as error:
            if error.evidence:
                party.simulation.ghost.trees.forks_reported += 1
