"""One line of a node: the chains, the connection and what the record implies, side by side."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import accumulate
from typing import Any, Final, Protocol

from deconflict.airspace.instant import format_utc
from deconflict.errors import LineStateError, NotFoundError
from deconflict.line.alerts import Alert
from deconflict.line.checkpoint import Checkpoint, Origin, entry_leaf
from deconflict.line.delivery import Delivery, DeliveryState
from deconflict.line.envelope import Envelope, SealedEnvelope, read_envelope
from deconflict.line.epoch import opening_of
from deconflict.line.incoming import StoredLookup
from deconflict.line.key_change import KeyChange
from deconflict.line.key_ring import KeyRing, OwnKeys
from deconflict.line.keys import RandomBytes, SigningKey, VerifyKey
from deconflict.line.link import LinkStatus
from deconflict.line.machine import LineMachine
from deconflict.line.moment import Now
from deconflict.line.paths import PathMonitors
from deconflict.line.precedence import DEFAULT_TIMERS, Limits, Precedence, Rung
from deconflict.line.restored import LineIdentity, Restored, RestoredTree, TreeBuilder
from deconflict.line.resync import WHOLE, Silence
from deconflict.line.statement import ChainPoint
from deconflict.line.tree import GrowingTree, TreeHead
from deconflict.line.witness import CosignedState
from deconflict.messages.bodies import Tally
from deconflict.messages.in_force import timers_of
from deconflict.messages.kinds import KIND_RULES, KINDS, Kind
from deconflict.messages.message_text import Cited
from deconflict.node.book import LineBook, Taken
from deconflict.node.chains import receipt_on_way
from deconflict.node.fold import KeptFold, LineFold, without_reference
from deconflict.node.line_keys import LineKeys
from deconflict.node.logged import read_body
from deconflict.node.rows import sealed_again, sealed_of, sealed_receipt
from deconflict.node.threads import Thread
from deconflict.node.witness.state import WitnessState
from deconflict.store.base import EntryRow, Store

__all__ = ["ChainProof", "Line", "cited_by", "fold_of", "read_body", "without_reference"]

# Without terms there is no minimum to check against and no landmark to read back from.
_NEEDS_TERMS: Final = frozenset(
    (
        Kind.NOTIFY,
        Kind.UPDATE,
        Kind.CORRECTION,
        Kind.CANCEL,
        Kind.READBACK,
        Kind.READBACK_RESULT,
        Kind.CONCERN,
        Kind.PROPOSE,
        Kind.LOADED,
        Kind.SUSPEND,
        Kind.RESUME,
        Kind.SCOPE,
    )
)


class ChainProof(Protocol):
    """What verifies the chains of a record while they are read (`store.verify.RecordProof`)."""

    def entries(self, line_id: str, party: str) -> Iterator[EntryRow]:
        """Yield a party's chain on a line."""

    def tree(self, line_id: str, party: str) -> GrowingTree:
        """Return the tree over its signed entries, once it was read to its end."""


class Line:
    """What a node holds of one line while it runs.

    Attributes:
        machine: the two chains, sans-I/O.
        monitor: is the peer there, and on which path?
        book: what the record implies.
        keys: what its keys follow from, together with the record.
    """

    def __init__(
        self,
        machine: LineMachine,
        monitor: PathMonitors,
        book: LineBook,
        keys: LineKeys,
        peer_desk: str,
        random_bytes: RandomBytes,
        before: dict[str, int] | None = None,
    ) -> None:
        self.machine = machine
        self.monitor = monitor
        self.book = book
        self.keys = keys
        self.peer_desk = peer_desk
        self.last_reached_ms: int | None = None
        self.last_problem: str | None = None
        self.shown_status = LinkStatus.UNKNOWN
        self.shown_paths: dict[int, LinkStatus] = {}
        self.checked_once = False
        self.witnesses: dict[str, WitnessState] = {}  # third ones, by name
        self._random_bytes = random_bytes
        self._before = before or {}  # by epoch: entries on the way in the epochs before it
        self._timers = DEFAULT_TIMERS
        self.use_terms()

    @classmethod
    def restore(
        cls,
        store: Store,
        *,
        proof: ChainProof | None = None,
        line_id: str,
        own: str,
        peer: str,
        keys: LineKeys,
        peer_desk: str,
        random_bytes: RandomBytes,
        now: Now,
        paths: int = 1,
        silence: Silence = WHOLE,
        kept: KeptFold | None = None,
    ) -> "Line":
        """Return the line as its record leaves it.

        The record was verified before, or ``proof`` verifies it while it is read; where something
        was kept of it, both from there on.

        Raises:
            StoreDamagedError: the record contradicts itself.
            InvalidDocumentError: what was kept does not fit the record.
        """
        identity = keys.identity(store, line_id, own, peer)
        machine, book, before = _read(store, identity, proof, random_bytes, now, silence, kept)
        monitor = PathMonitors(
            line_id=line_id,
            own=own,
            peer=peer,
            random_bytes=random_bytes,
            now=now,
            called=paths,
        )
        return cls(machine, monitor, book, keys, peer_desk, random_bytes, before)

    def read_again(self, store: Store, now: Now, silence: Silence) -> None:
        """Begin anew from the record, as a start does: it has what it lacked.

        Only while the line is mute, deaf or closing: nothing is then said or heard that memory
        alone has.
        """
        identity = self.keys.identity(store, self.line_id, self.book.own, self.peer)
        self.machine, self.book, self._before = _read(
            store, identity, None, self._random_bytes, now, silence
        )
        self.checked_once = False
        self.use_terms()

    @property
    def line_id(self) -> str:
        """The line's id."""
        return self.book.line_id

    @property
    def peer(self) -> str:
        """The other party."""
        return self.book.peer

    @property
    def peer_key(self) -> VerifyKey:
        """The key with which the peer was pinned: the first one."""
        return self.keys.peer

    @property
    def key_changes(self) -> tuple[KeyChange, ...]:
        """The changes of either party's key that are in force here."""
        identity = self.machine.identity
        return (*identity.own_ring.changes(), *identity.peer_ring.changes())

    @property
    def own_key(self) -> SigningKey:
        """The key with which this node signs here now."""
        return self.machine.identity.own_key

    @property
    def second_desk(self) -> str | None:
        """Our own second desk by the terms; None without terms."""
        terms = self.book.terms
        return None if terms is None else terms.party(self.book.own).second_desk

    def second_desk_of(self, party: str) -> str:
        """Return a party's second desk by the terms; without terms, the desk that is known."""
        terms = self.book.terms
        return self.peer_desk if terms is None else terms.party(party).second_desk

    def use_terms(self) -> None:
        """Let the terms in force set timers and the desk that is addressed."""
        terms = self.book.terms
        if terms is not None:
            self._timers = timers_of(terms)
            self.machine.use_timers(self._timers)
            self.peer_desk = terms.party(self.peer).main_desk

    def ladder(self, precedence: Precedence) -> tuple[Rung, ...]:
        """Return the ladder of a precedence."""
        return self._timers.ladders[precedence]

    def limits(self, precedence: Precedence) -> Limits:
        """Return the limits of a precedence."""
        return self._timers.limits[precedence]

    def terms_state(self) -> str:
        """Return NONE, PROPOSED_BY_US, PROPOSED_BY_PEER or AGREED."""
        proposal = self.book.proposal
        if proposal is not None:
            return "PROPOSED_BY_US" if proposal.by == self.book.own else "PROPOSED_BY_PEER"
        return "NONE" if self.book.terms is None else "AGREED"

    def position(self, point: ChainPoint | None) -> int:
        """Return how many entries its chain has on the way up to and including a point."""
        return 0 if point is None else self._before.get(point.epoch, 0) + point.seq

    def opened(self, envelope: Envelope) -> None:
        """Note an epoch that the peer opened."""
        opening = opening_of(envelope)
        if opening is not None:
            self._before[envelope.epoch] = self.position(opening.follows)

    def stored_lookup(self, store: Store) -> StoredLookup:
        """Return how the machine finds what is logged in a slot of the peer."""

        def lookup(epoch: str, seq: int) -> SealedEnvelope | None:
            row = store.entry_at(self.line_id, self.peer, epoch, seq)
            return None if row is None else sealed_of(row)

        return lookup

    def require_ready(self, kind: Kind) -> None:
        """Return when a message of this kind can be said now.

        Raises:
            LineStateError: it needs terms and there are none.
        """
        if kind in _NEEDS_TERMS and self.book.terms is None:
            raise LineStateError(
                f"the line with {self.peer} has no terms yet",
                given=str(kind),
                expected="terms signed by both parties",
                remedy="deconflict terms propose, and the other side: deconflict terms accept",
            )

    def answer_within_ms(self, kind: Kind) -> int | None:
        """Return the kind's own limit for an answer, where it has one."""
        terms = self.book.terms
        if terms is not None and kind in terms.timers.answer_within_ms:
            return terms.timers.answer_within_ms[kind]
        return KINDS[kind].answer_within_ms

    def answer_due_ms(self, thread: Thread) -> int:
        """Return by when a message wants its answer, counted anew from a STANDBY.

        A limit of its own can only shorten ours.
        """
        limit_ms = self.limits(Precedence(thread.precedence)).answer_ms
        since_ms = thread.logged_ms if thread.standby_ms is None else thread.standby_ms
        return since_ms + min(thread.answer_within_ms or limit_ms, limit_ms)

    def count(self, start_ms: int, end_ms: int, *, drill: bool) -> Tally:
        """Return our tally of a period, as our next message can say it.

        Raises:
            InvalidDocumentError: an empty period, or more than one message can hold.
        """
        said, heard = (
            None if point is None else (point.epoch, point.seq)
            for point in (self.machine.own_head, self.machine.peer_logged)
        )
        return self.book.incidents.count(
            start_ms=start_ms, end_ms=end_ms, drill=drill, said=said, heard=heard
        )

    def expires_after_ms(self, precedence: Precedence) -> int | None:
        """Return the age past which a message of this precedence is not acted on."""
        terms = self.book.terms
        return None if terms is None else terms.timers.expires_after_ms[precedence]

    def delivery(self, message_hash: str, slot: tuple[str, int] | None = None) -> Delivery:
        """Return how far an own message has come, also long after it was settled.

        Args:
            message_hash: the message.
            slot: its epoch and number, where it may be one that a fresh epoch left behind.
        """
        progress = self.book.progress(message_hash)
        try:
            return self.machine.state_of(message_hash)
        except NotFoundError:  # settled long ago: the record tells
            pass
        if slot is not None and self.machine.left_behind(*slot):
            return Delivery(DeliveryState.SAID_AGAIN)
        return Delivery(progress or DeliveryState.LACKED)

    def message_event(self, taken: Taken) -> dict[str, Any]:
        """Return what the live stream says of a new message."""
        envelope = taken.envelope
        return {
            "hash": taken.hash,
            "line_id": self.line_id,
            "outgoing": taken.own,
            "kind": envelope.kind,
            "precedence": envelope.prec.value,
            "from_party": envelope.sender.party,
            "ref": envelope.ref,
            "drill": envelope.drill,
            "seq": envelope.seq,
            "created_utc": envelope.created_utc,
            "logged_utc": format_utc(taken.logged_ms),
            "delayed": taken.delayed,
        }


def _read(
    store: Store,
    identity: LineIdentity,
    proof: ChainProof | None,
    random_bytes: RandomBytes,
    now: Now,
    silence: Silence,
    kept: KeptFold | None = None,
) -> tuple[LineMachine, LineBook, dict[str, int]]:
    """Return both chains, and what they imply, as the record leaves them."""
    line_id, own, peer = identity.line_id, identity.own, identity.peer
    receipt = receipt_on_way(store, line_id, own, peer)
    receipted = None if receipt is None else ChainPoint(receipt.epoch, receipt.seq, receipt.hash)
    fold = fold_of(store, line_id, identity.own_ring, identity.peer_ring, receipted)
    if kept is not None:
        fold.take_up(kept)
    trees = _Trees(store, identity.own_keys, proof)
    for row in fold.read(partial((proof or store).entries, line_id)):
        trees.add(row)
    book, ways = fold.book, fold.ways
    present = next(reversed(ways[own]), None)
    last = fold.heads.get(peer)
    last_peer = None if last is None else store.entry_at(line_id, peer, last.epoch, last.seq)
    in_present = receipt is not None and receipt.epoch == present
    receipted_seq = receipt.seq if receipt is not None and in_present else 0
    alerts = fold.alerts.open_alerts()
    machine = LineMachine(
        identity=identity,
        rules=KIND_RULES,
        random_bytes=random_bytes,
        now=now,
        timers=DEFAULT_TIMERS if book.terms is None else timers_of(book.terms),
        restored=Restored(
            own_head=fold.heads.get(own),
            own_entries=tuple(_said_since(store, line_id, own, present, receipted_seq)),
            last_receipt=sealed_receipt(receipt) if receipt is not None and in_present else None,
            peer_head=None if last_peer is None else last_peer.data,
            peer_head_received_utc_ms=0 if last_peer is None else last_peer.logged_utc_ms,
            alerts=alerts,
            alerts_since_utc_ms=dict(_open_since(store, book, alerts)),
            own_tree=trees.over(line_id, own, fold.heads.get(own)),
            peer_tree=trees.over(line_id, peer, last),
            own_way=ways[own],
            own_reopened=_is_reopened(store, line_id, own, present),
            own_earlier=tuple(name for name, epoch in fold.open_own.items() if epoch != present),
            own_agreed=None if in_present else receipted,
            silence=silence,
        ),
    )
    before: dict[str, int] = {}
    for way in ways.values():
        # A peer can open an epoch with each entry: each is looked at once.
        before.update(zip(way, accumulate(way.values(), initial=0), strict=False))
    return machine, book, before


def _open_since(store: Store, book: LineBook, alerts: Iterable[Alert]) -> Iterator[tuple[str, int]]:
    """Yield of each message about which something is owed since when its limits run."""
    for alert in alerts:
        thread = book.threads.get(alert.hash)
        if thread is not None:
            yield alert.hash, thread.standby_ms or thread.logged_ms
        elif (row := store.entry(alert.hash)) is not None:
            yield alert.hash, row.logged_utc_ms


def fold_of(
    store: Store, line_id: str, own: KeyRing, peer: KeyRing, receipted: ChainPoint | None
) -> LineFold:
    """Return the fold over a line whose parties have these keys, with nothing read yet."""
    keys = {ring.party: ring.ever for ring in (own, peer)}
    return LineFold(store, line_id, own.party, peer.party, keys, receipted)


def _said_since(
    store: Store, line_id: str, own: str, epoch: str | None, seq: int
) -> Iterator[bytes]:
    """Yield the own entries of the present epoch from a slot on, that of its last receipt."""
    if epoch is not None:
        for row in store.entries(line_id, own, epoch=epoch, after_seq=max(seq - 1, 0)):
            yield row.data


def _is_reopened(store: Store, line_id: str, party: str, epoch: str | None) -> bool:
    first = None if epoch is None else store.entry_at(line_id, party, epoch, 1)
    return first is not None and opening_of(read_envelope(first.data)) is not None


def cited_by(envelope: Envelope, envelope_of: Callable[[str], Envelope | None]) -> Cited | None:
    """Return the message that one is about whose words need it; None for others and none held."""
    if envelope.kind not in (Kind.SAFETY, Kind.RELEASE_CONSENT) or envelope.ref is None:
        return None
    cited = envelope_of(envelope.ref)
    if cited is None or cited.kind not in tuple(Kind):
        return None
    return Cited(Kind(cited.kind), cited.sender.party, cited.created_utc, envelope.ref)


class _Trees:
    """The trees over both chains while they are read; from the proof, where that makes them."""

    def __init__(self, store: Store, own_keys: OwnKeys, proof: ChainProof | None) -> None:
        self._store = store
        self._own_keys = own_keys
        self._proof = proof
        self._builders: dict[str, TreeBuilder] = {}
        self._unsigned: dict[str, list[bytes]] = {}

    def add(self, row: EntryRow) -> None:
        """Take the next entry of a chain."""
        if row.seq == 1:  # each epoch is a chain, and has a tree, of its own
            self._unsigned[row.party] = []
            if self._proof is None:
                kept = _kept(self._store, row.line_id, row.party, row.epoch)
                self._builders[row.party] = TreeBuilder(kept)
        if row.signature is None:
            # An own slot that was durable, and its signature not kept yet: the same one again.
            signature = sealed_again(row, self._own_keys).signature.value
            leaves = self._unsigned.setdefault(row.party, [])
            leaves.append(entry_leaf(row.hash, signature))
        elif self._proof is None:
            self._builders[row.party].add(entry_leaf(row.hash, row.signature))

    def over(self, line_id: str, party: str, head: ChainPoint | None) -> RestoredTree:
        """Return the tree over a chain that was read to its end, its last entry."""
        if head is None:
            return RestoredTree(GrowingTree())
        if self._proof is None:
            restored = self._builders[party].finish()
        else:
            kept = _kept(self._store, line_id, party, head.epoch)
            restored = RestoredTree(self._proof.tree(line_id, party), kept)
        for leaf in self._unsigned.get(party, ()):
            restored.tree.add(leaf)
        return restored


def _kept(store: Store, line_id: str, party: str, epoch: str) -> CosignedState | None:
    row = store.latest_checkpoint(line_id, party)
    if row is None or row.epoch != epoch:
        return None
    origin = Origin(row.line_id, row.party, row.epoch)
    checkpoint = Checkpoint(origin, TreeHead(row.size, row.root))
    return CosignedState(checkpoint, row.note, row.cosigned_utc_s, row.previous_size)
