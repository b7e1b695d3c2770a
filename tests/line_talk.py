"""Two ends of one line for tests: real keys, real machines, a clock that the test moves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from deconflict.line.checkpoint import entry_leaf
from deconflict.line.delivery import KindRule
from deconflict.line.envelope import Draft, SealedEnvelope, seal_envelope
from deconflict.line.incoming import IncomingEntry
from deconflict.line.key_ring import KeyRing, OwnKeys
from deconflict.line.keys import SigningKey, VerifyKey, line_id
from deconflict.line.machine import Heard, LineIdentity, LineMachine, Restored
from deconflict.line.moment import Now
from deconflict.line.outgoing import OutgoingEntry
from deconflict.line.precedence import Precedence
from deconflict.line.receipt import SealedReceipt
from deconflict.line.restored import RestoredTree, TreeBuilder
from deconflict.line.tree import CompactRange, GrowingTree

UTC_MS = 1_443_571_200_000
BLUE = SigningKey.from_seed(b"\x01" * 32)
RED = SigningKey.from_seed(b"\x02" * 32)
STRANGER = SigningKey.from_seed(b"\x03" * 32)
LINE = line_id("blue", BLUE.key_id, "red", RED.key_id)
RULES = {
    "NOTIFY": KindRule(Precedence.PRIORITY, needs_seen=True),
    "READOUT": KindRule(Precedence.ROUTINE),
    "QUERY": KindRule(Precedence.IMMEDIATE, needs_seen=True, needs_answer=True),
    "CEASE": KindRule(Precedence.FLASH, needs_seen=True, needs_answer=True),
    "SEEN": KindRule(Precedence.ROUTINE, marks_seen=True),
    "LOADED": KindRule(Precedence.ROUTINE, marks_loaded=True),
    "STANDBY": KindRule(Precedence.IMMEDIATE, extends=True),
    "ANSWER": KindRule(Precedence.IMMEDIATE, closes=True),
}


def at(ms: int) -> Now:
    return Now(UTC_MS + ms, ms)


def draft(kind: str = "NOTIFY", **fields: object) -> Draft:
    said: dict[str, object] = {
        "body": {"text": "hello"},
        "sender_desk": "watch",
        "to_desk": "watch",
    }
    return Draft(kind=kind, **(said | fields))  # type: ignore[arg-type]


@dataclass
class End:
    """One party: its machine, and what its disk would hold."""

    own: str
    machine: LineMachine
    said: list[OutgoingEntry] = field(default_factory=list)
    logged: list[IncomingEntry] = field(default_factory=list)

    def stored(self, epoch: str, seq: int) -> SealedEnvelope | None:
        return self.logged[seq - 1].sealed if seq <= len(self.logged) else None

    def prepare(self, kind: str = "NOTIFY", ms: int = 0, **fields: object) -> OutgoingEntry:
        return self.machine.prepare(self.machine.fitted(draft(kind, **fields), at(ms)), at(ms))

    def say(self, kind: str = "NOTIFY", ms: int = 0, **fields: object) -> SealedEnvelope:
        entry = self.prepare(kind, ms, **fields)
        self.said.append(entry)
        return self.machine.seal(entry)

    def hear(self, sealed: SealedEnvelope, ms: int = 0, clock_offset_ms: int = 0) -> Heard:
        return self.machine.hear(
            sealed, at(ms), stored=self.stored, clock_offset_ms=clock_offset_ms
        )

    def own_tree(self) -> RestoredTree:
        return tree_over(
            seal_envelope(entry.data, self.machine.identity.own_key) for entry in self.said
        )

    def peer_tree(self) -> RestoredTree:
        return tree_over(entry.sealed for entry in self.logged)

    def take(self, sealed: SealedEnvelope, ms: int = 0) -> SealedReceipt:
        heard = self.hear(sealed, ms)
        self.logged += heard.entries
        return self.machine.logged(heard.entries, at(ms))


def tree_over(entries: Iterable[SealedEnvelope]) -> RestoredTree:
    """Return the tree over a chain of which nothing was cosigned."""
    builder = TreeBuilder()
    for sealed in entries:
        builder.add(entry_leaf(sealed.hash, sealed.signature.value))
    return builder.finish()


def identity(own: str) -> LineIdentity:
    key, peer, peer_key = (BLUE, "red", RED) if own == "blue" else (RED, "blue", BLUE)
    return first_keys(LINE, own, peer, key, peer_key.verify_key)


def first_keys(
    line: str, own: str, peer: str, key: SigningKey, peer_key: VerifyKey
) -> LineIdentity:
    """Return who speaks on a line whose parties have each one key, and no root."""
    ring = KeyRing(own, key.verify_key)
    return LineIdentity(line, own, peer, key, KeyRing(peer, peer_key), ring, OwnKeys(key))


def end(own: str, restored: Restored | None = None, ms: int = 0) -> End:
    machine = LineMachine(
        identity=identity(own),
        rules=RULES,
        random_bytes=lambda count: own[:1].encode() * count,
        now=at(ms),
        restored=restored,
    )
    return End(own, machine)


def talk() -> tuple[End, End]:
    return end("blue"), end("red")


def restored(party: End, receipt: SealedReceipt | None = None) -> Restored:
    """Return what the disk of ``party`` holds."""
    last = party.logged[-1] if party.logged else None
    return Restored(
        own_head=party.machine.own_head,
        own_entries=tuple(entry.data for entry in party.said),
        last_receipt=receipt,
        peer_head=last.sealed.data if last else None,
        peer_head_received_utc_ms=last.received_utc_ms if last else 0,
        own_tree=party.own_tree(),
        peer_tree=party.peer_tree(),
    )


def grown(leaves: Sequence[bytes], agreed: int) -> GrowingTree:
    """Return a tree over leaves of which the first so many are agreed."""
    first = CompactRange()
    for leaf in leaves[:agreed]:
        first.add(leaf)
    tree = GrowingTree(first)
    for leaf in leaves[agreed:]:
        tree.add(leaf)
    return tree
