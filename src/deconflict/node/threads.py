"""What is open between two desks: each message that still waits for eyes, an answer or an end.

A thread is one message that asks for something. An answer is not always its end: a CEASE that was
acknowledged stays open until CEASED. Asking the same again, or for more, is no second matter: it
continues the open thread, and what answers it answers all that was asked before (R27). Kept in
memory while open; the record alone has the rest.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from deconflict.airspace.geodesy import inverse
from deconflict.airspace.position import Position
from deconflict.line.delivery import counts_as
from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import LineCheck
from deconflict.messages.kinds import KIND_RULES, KINDS, Kind, settles

__all__ = ["DECLARES", "KeptThreads", "Place", "Thread", "ThreadBook"]

Place: TypeAlias = tuple[Position, int]

_LEAST_MM_PER_E7: Final = 11  # a degree of latitude is 110,574 m at least (WGS84, equator)
# Chosen: two readings of one place from a map of 1:50,000, 2 mm on it each, are the same place.
_READ_TWICE_MM: Final = 200_000
DECLARES: Final = frozenset((Kind.NOTIFY, Kind.UPDATE, Kind.CORRECTION))


class Thread(msgspec.Struct, frozen=True):
    """One message that asks for something, and how far it is answered.

    Attributes:
        hash: the message.
        own: True exactly when we wrote it.
        kind: its kind.
        precedence: its precedence.
        sent_ms: when its author wrote it.
        logged_ms: when it became durable here.
        answer_within_ms: its own limit, if it shortens the line's.
        declaration_id: the declaration it is about, if any.
        root: the first open message of which this one asks for all again; itself, when of none.
        epoch: its epoch of its author's chain.
        seq: its number in that.
        drill: exercise only.
        place: where a CEASE without a declaration wants activity to end: position, reach in mm.
        check: what a line check asks to retype.
        seen: stood on a screen of the other side.
        answered_by: kind of the last answer.
        standby_ms: when the first STANDBY about it became durable here; the answer has its limit
            again from then, once.
    """

    hash: str
    own: bool
    kind: Kind
    precedence: str
    sent_ms: int
    logged_ms: int
    answer_within_ms: int | None
    declaration_id: str | None
    root: str
    epoch: str
    seq: int
    drill: bool = False
    place: Place | None = None
    check: LineCheck | None = None
    seen: bool = False
    answered_by: Kind | None = None
    standby_ms: int | None = None

    def asks_for_all_of(self, other: "Thread") -> bool:
        """True exactly when whoever meets this request has met the other one too.

        Both ask the same side to cease, and what the other names, a declaration or a place, this
        one names as well: to have ceased around one place says nothing of a place beside it. What
        an exercise asks is never what is asked in earnest.
        """
        if other.kind is not Kind.CEASE or self.kind is not Kind.CEASE or self.own != other.own:
            return False
        if self.drill is not other.drill:
            return False
        if other.declaration_id not in (None, self.declaration_id):
            return False
        return other.place is None or (self.place is not None and _lies_in(other.place, self.place))


class KeptThreads(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The threads of one line as values.

    Attributes:
        open: the open ones, the oldest first.
        resting: those set aside, whose declaration may be put back by a clock that is set back.
        ranks: of epochs, as :meth:`ThreadBook.place` counts them.
    """

    open: tuple[Thread, ...]
    resting: tuple[Thread, ...]
    ranks: Mapping[str, int]


class ThreadBook:
    """The open threads of one line."""

    def __init__(self) -> None:
        self._open: dict[str, Thread] = {}
        self._ranks: dict[str, int] = {}  # of epochs, in their order; 0 for a chain's first
        self._by_root: dict[str, dict[str, None]] = {}
        self._by_subject: dict[str, dict[str, None]] = {}
        # Answered threads of which nobody has asked yet whether the answer settles them.
        self._unsettled: dict[str, Callable[[], bool]] = {}
        # Set aside, each with what of it was not asked yet.
        self._resting: dict[str, tuple[Thread, Callable[[], bool] | None]] = {}

    def __iter__(self) -> Iterator[Thread]:
        for message_hash in tuple(self._unsettled):
            self._settle(message_hash)
        return iter(tuple(self._open.values()))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get(self, message_hash: str) -> Thread | None:
        """Return the open thread of a message, or None."""
        self._settle(message_hash)
        return self._open.get(message_hash)

    def is_first(self, kind: Kind, message_hash: str | None) -> bool:
        """True exactly when a reply of this kind is surely the first to an open message.

        False where a thread does not know: of a message that asks for nothing or has ended, and of
        kinds that leave no mark in it. The record knows then.
        """
        thread = None if message_hash is None else self.get(message_hash)
        rule = KINDS[kind].rule
        if thread is None or not (rule.closes or rule.marks_seen):
            return False
        return thread.answered_by is None and not thread.seen

    def fits(self, envelope: Envelope) -> bool:
        """True exactly when it cites no open thread, or one that its kind can answer."""
        thread = None if envelope.ref is None else self._open.get(envelope.ref)
        if thread is None or thread.kind in KINDS[Kind(envelope.kind)].refers_to:
            return True
        return self.get(thread.hash) is None

    def begin(
        self,
        envelope: Envelope,
        message_hash: str,
        *,
        own: bool,
        logged_ms: int,
        declaration_id: str | None,
        place: Place | None = None,
        check: LineCheck | None = None,
    ) -> Thread | None:
        """Open a thread if a message of this kind asks for an answer; return it."""
        if not KIND_RULES[envelope.kind].needs_answer:
            return None
        kind = Kind(envelope.kind)
        thread = Thread(
            hash=message_hash,
            own=own,
            kind=kind,
            precedence=counts_as(envelope.kind, envelope.prec, KIND_RULES).value,
            sent_ms=envelope.created_utc_ms,
            logged_ms=logged_ms,
            answer_within_ms=envelope.answer_within_ms,
            declaration_id=declaration_id,
            root=message_hash,
            epoch=envelope.epoch,
            seq=envelope.seq,
            drill=envelope.drill,
            place=place,
            check=check,
        )
        if kind is Kind.CEASE:
            thread = msgspec.structs.replace(thread, root=self._root_for(thread))
        self._hold(thread)
        return thread

    def kept(self) -> KeptThreads:
        """Return all of it as values. What waits to be compared is compared for that."""
        for message_hash, (thread, agrees) in tuple(self._resting.items()):
            if agrees is not None and agrees():
                del self._resting[message_hash]
            else:
                self._resting[message_hash] = thread, None
        resting = tuple(thread for thread, _ in self._resting.values())
        return KeptThreads(tuple(self), resting, dict(self._ranks))

    def take_up(self, kept: KeptThreads) -> None:
        """Go on from what was kept of a book; only of one that is new."""
        self._ranks.update(kept.ranks)
        for thread in kept.open:
            self._hold(thread)
        self._resting.update((thread.hash, (thread, None)) for thread in kept.resting)

    def open_epoch(self, epoch: str) -> None:
        """Note that a chain goes on in a fresh epoch: what is in it comes after all before."""
        self._ranks[epoch] = len(self._ranks) + 1

    def place(self, epoch: str, seq: int) -> tuple[int, int]:
        """Return where a slot stands in its chain: whatever comes later compares as greater."""
        return self._ranks.get(epoch, 0), seq

    def reply(
        self,
        envelope: Envelope,
        *,
        own: bool,
        logged_ms: int,
        agrees: Callable[[], bool] | None = None,
    ) -> tuple[Thread | None, bool, tuple[str, ...]]:
        """Let a message act on the thread that it cites.

        A party answers the other's messages only: a reference to an own one changes nothing.

        Args:
            envelope: the message.
            own: True exactly when we wrote it.
            logged_ms: when it became durable here.
            agrees: asked of a readback: one that differs is an answer, and settles nothing.

        Returns:
            The thread as it is now, None when no open thread is cited; whether it ended; and all
            messages that it ended, which asked for the same.
        """
        if envelope.ref is None:
            return None, False, ()
        thread = self._open.get(envelope.ref)
        if thread is None or thread.own is own or self.get(thread.hash) is None:
            return None, False, ()
        thread = self._answered(thread, envelope, logged_ms)
        kind, rule = Kind(envelope.kind), KINDS[Kind(envelope.kind)].rule
        settled = settles(kind, thread.kind) and (agrees is None or agrees())
        ends = rule.closes and (not KINDS[thread.kind].settled_by or settled)
        # Who answered had heard that much: what was asked again behind it stays open.
        heard = envelope.heard
        heard_to = (0, 0) if heard is None else self.place(heard.epoch, heard.seq)
        ended = []
        for held in [self._open[name] for name in self._by_root[thread.root]]:
            known = self.place(held.epoch, held.seq) <= heard_to
            if ends and (held.hash == thread.hash or (known and thread.asks_for_all_of(held))):
                self.drop(held.hash)
                ended.append(held.hash)
            elif not ends and rule.closes and held.logged_ms <= thread.logged_ms:
                self._open[held.hash] = msgspec.structs.replace(held, answered_by=kind)
        return thread, ends, tuple(ended)

    def reply_later(
        self, envelope: Envelope, *, own: bool, logged_ms: int, agrees: Callable[[], bool]
    ) -> None:
        """Let a readback act as :meth:`reply` does; compare it when the thread is looked at.

        Reading a long record, most threads lose their subject before anybody looks.
        """
        thread = None if envelope.ref is None else self._open.get(envelope.ref)
        if thread is None or thread.own is own or self.get(thread.hash) is None:
            return
        # Only a CEASE shares its root with others, and no readback settles one.
        if settles(Kind(envelope.kind), thread.kind):
            self._answered(thread, envelope, logged_ms)
            self._unsettled[thread.hash] = agrees
        else:
            self.reply(envelope, own=own, logged_ms=logged_ms, agrees=agrees)

    def is_open(self, root: str) -> bool:
        """True exactly when the matter of this root is still asked for by some message."""
        return root in self._by_root

    def root_of(self, message_hash: str) -> str:
        """Return the message under whose name its matter is open: itself, but for a repeated one.

        Of a message that is not open it is the message itself.
        """
        thread = self.get(message_hash)
        return message_hash if thread is None else thread.root

    def drop(self, message_hash: str) -> None:
        """Close a thread that has lost its subject, as when its declaration was cancelled."""
        self._unsettled.pop(message_hash, None)
        self._resting.pop(message_hash, None)
        thread = self._open.pop(message_hash, None)
        if thread is not None:
            _leave(self._by_root, thread.root, message_hash)
            if thread.declaration_id is not None:
                _leave(self._by_subject, thread.declaration_id, message_hash)

    def rest(self, message_hash: str) -> None:
        """Set a thread aside whose declaration is over: so far as the clock is right."""
        thread, agrees = self._open.get(message_hash), self._unsettled.get(message_hash)
        if thread is not None:
            self.drop(message_hash)
            self._resting[message_hash] = thread, agrees

    def wake(self, message_hash: str) -> None:
        """Have a thread that was set aside open again: its declaration was never over."""
        resting = self._resting.pop(message_hash, None)
        if resting is not None:
            thread, agrees = resting
            self._hold(thread)
            if agrees is not None:
                self._unsettled[message_hash] = agrees

    def drop_all(self, messages: Iterable[str]) -> tuple[Thread, ...]:
        """Close those of these messages that are open, and return them."""
        found = tuple(thread for name in messages if (thread := self.get(name)) is not None)
        for thread in found:
            self.drop(thread.hash)
        return found

    def about(self, declaration_id: str) -> tuple[Thread, ...]:
        """Return the open threads about one declaration, the oldest first."""
        named = tuple(self._by_subject.get(declaration_id, ()))
        return tuple(thread for name in named if (thread := self.get(name)) is not None)

    def _root_for(self, thread: Thread) -> str:
        """Return under whose name a request is open: its alert stands for all that bear the name.

        It shows the newest. So none of them may ask for what that one does not.
        """
        for root, held in self._by_root.items():
            if all(thread.asks_for_all_of(self._open[name]) for name in held):
                return root
        return thread.root

    def _hold(self, thread: Thread) -> None:
        self._open[thread.hash] = thread
        self._by_root.setdefault(thread.root, {})[thread.hash] = None
        if thread.declaration_id is not None:
            self._by_subject.setdefault(thread.declaration_id, {})[thread.hash] = None

    def _answered(self, thread: Thread, envelope: Envelope, logged_ms: int) -> Thread:
        kind = Kind(envelope.kind)
        rule = KINDS[kind].rule
        standby_ms = thread.standby_ms
        if rule.extends and standby_ms is None:  # a second one extends nothing
            standby_ms = logged_ms
        thread = msgspec.structs.replace(
            thread,
            # Whoever says STANDBY has read what it is about.
            seen=thread.seen or rule.marks_seen or rule.extends or rule.closes,
            answered_by=kind if rule.closes else thread.answered_by,
            standby_ms=standby_ms,
        )
        self._open[thread.hash] = thread
        return thread

    def _settle(self, message_hash: str) -> None:
        agrees = self._unsettled.pop(message_hash, None)
        if agrees is not None and agrees():
            self.drop(message_hash)


def _lies_in(place: Place, around: Place) -> bool:
    """True exactly when one place lies in another, as well as people read places."""
    (here, reach_mm), (there, around_mm) = place, around
    apart_mm = around_mm - reach_mm + _READ_TWICE_MM
    # No way is shorter than along the meridian; most places are told apart by that.
    if abs(here.lat_e7 - there.lat_e7) * _LEAST_MM_PER_E7 > apart_mm:
        return False
    return inverse(here, there).distance_m * 1000 <= apart_mm


def _leave(groups: dict[str, dict[str, None]], group: str, member: str) -> None:
    del groups[group][member]
    if not groups[group]:
        del groups[group]
