"""What each side knew at one instant: no more than is proven.

A side knew what it had said itself, by its own stamps, and what it provably held of the other's
messages. From these two follows what was in force as far as it knew, by the same fold over the
record that a node lives by (:mod:`deconflict.node.book`). What it may have known besides, nothing
in the record proves.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from deconflict.line.envelope import Envelope
from deconflict.line.moment import utc_text
from deconflict.line.precedence import DEFAULT_TIMERS, Precedence
from deconflict.messages.in_force import timers_of
from deconflict.messages.kinds import SAID_BY_NODES
from deconflict.node.book import LineBook
from deconflict.node.knowledge.bounds import Bounds
from deconflict.node.knowledge.chain import NONE
from deconflict.node.knowledge.reading import Record
from deconflict.node.knowledge.told import Replies, Told, replies_in, told
from deconflict.node.line import read_body
from deconflict.node.picture import Declared
from deconflict.node.show import suspension_views
from deconflict.node.threads import Thread
from deconflict.node.views import SuspensionView

__all__ = [
    "DeclarationThen",
    "ExerciseThen",
    "Instant",
    "KeyThen",
    "Question",
    "QuestionState",
    "Side",
    "TermsThen",
    "at_instant",
]

ReadEnvelope: TypeAlias = Callable[[str, int], Envelope]  # party and index
Advance: TypeAlias = Callable[[int], None]
_FORGET_EVERY: Final = 1_024
_LONG_OVER_MS: Final = 3_600_000


class QuestionState(StrEnum):
    """How a message that asks for something stood, as far as a side knew."""

    OPEN = "OPEN"
    ANSWERED = "ANSWERED"  # and not ended: a CEASE that was acknowledged, a readback that differs
    PERHAPS_OVERDUE = "PERHAPS_OVERDUE"  # within the error of the asker's clock
    OVERDUE = "OVERDUE"
    # Due before the instant, and that side's own record is not at hand, or ends before it: an
    # answer may have been said or held that is in no record here.
    NOT_KNOWN = "NOT_KNOWN"


@dataclass(frozen=True, slots=True)
class Question:
    """A message that still waited for an answer or for its end, as far as a side knew.

    ``due_utc`` counts from the asker's stamp, from a STANDBY that came back anew; ``answered_by``
    is the kind of an answer that did not end it, as an ACK does not end a CEASE.
    """

    asked_by: str
    message: str
    seq: int
    kind: str
    precedence: str
    drill: bool
    said_utc: str
    due_utc: str
    state: str
    stood_by: bool
    answered_by: str | None
    declaration_id: str | None


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A cease request of which CEASED was reported, and then something else."""

    asked_by: str
    message: str
    reported_by: str
    then: str


@dataclass(frozen=True, slots=True)
class DeclarationThen:
    """A declaration in force or still to come, as far as a side knew.

    ``read_back`` is None where no readback was known, else whether it agreed.
    """

    party: str
    declaration_id: str
    purpose: str
    revision: int
    label: str | None
    start_utc: str
    end_utc: str
    begun: bool
    drill: bool
    message: str
    seq: int
    read_back: bool | None
    loaded: bool


@dataclass(frozen=True, slots=True)
class ExerciseThen:
    """An exercise that a party had announced and that lasted."""

    party: str
    until_utc: str
    message: str


@dataclass(frozen=True, slots=True)
class TermsThen:
    """The terms in force."""

    version: int
    theatre: str
    terms_hash: str
    accepted_by_message: str | None


@dataclass(frozen=True, slots=True)
class KeyThen:
    """With which key a party signed, as far as a side knew: number 0 is the first."""

    party: str
    epoch: str | None
    key_id: str
    key_number: int


@dataclass(frozen=True, slots=True)
class Side:
    """What one side knew.

    Attributes:
        party: whose knowledge.
        own_record: whether its own record is at hand and reaches to the instant. Where not, it may
            have said and held more than is told here.
        said: how many messages it had surely said, by its own stamps.
        perhaps_said: how many more it may have said, within the error of its clock.
        held: how many messages of the other side it provably held.
        held_last: the last of these.
        not_proven: how many the other side had surely said that it did not provably hold.
        knew_held: how many of its own messages it provably knew to be held by the other side.
        messages: the latest of those it had said or held, but for steps of private checks.
        steps: how many of those there were; they hold no words, and a run has hundreds.
        unproven: the latest of those it did not provably hold.
        delayed: of those it held, how many its own record says came past their expiry.
        terms: in force as far as it knew; None before any were.
        declarations: not over, as far as it knew.
        suspensions: as far as it knew.
        exercises: announced, as far as it knew.
        questions: open as far as it knew, the first due first.
        taken_back: cease requests that it knew to be reported CEASED, and then not.
        keys: in force as far as it knew.
    """

    party: str
    own_record: bool
    said: int
    perhaps_said: int
    held: int
    held_last: Told | None
    not_proven: int
    knew_held: int
    messages: tuple[Told, ...]
    steps: int
    unproven: tuple[Told, ...]
    delayed: int
    terms: TermsThen | None
    declarations: tuple[DeclarationThen, ...]
    suspensions: tuple[SuspensionView, ...]
    exercises: tuple[ExerciseThen, ...]
    questions: tuple[Question, ...]
    taken_back: tuple[TakenBack, ...]
    keys: tuple[KeyThen, KeyThen]


@dataclass(frozen=True, slots=True)
class Instant:
    """What both sides knew at one instant, from the records of these exporters.

    ``ended`` names the records that were exported before it, each with when, as its exporter says.
    """

    line_id: str
    at_utc: str
    exporters: tuple[str, ...]
    ended: tuple[tuple[str, str], ...]
    sides: tuple[Side, Side]


def at_instant(
    record: Record,
    at_ms: int,
    read: ReadEnvelope,
    *,
    last: int,
    advance: Advance = lambda _: None,
) -> Instant:
    """Return what each side knew at an instant.

    Args:
        record: proven.
        at_ms: UTC, milliseconds since 1970.
        read: returns the envelope of a party's message.
        last: how many messages are told one by one, of those known and of those not.
        advance: is told how many messages more were gone through, of twice all that there are.
    """
    replies = {
        party: replies_in(record.chain(party), record.chain(record.other(party)))
        for party in record.parties
    }
    one, other = (
        _Looking(record, party, at_ms, read, replies).side(last, advance)
        for party in record.parties
    )
    ended = tuple(
        (party, utc_text(exported_ms))
        for party, exported_ms in record.exported_ms.items()
        if exported_ms < at_ms
    )
    return Instant(record.line_id, utc_text(at_ms), record.exporters, ended, (one, other))


class _Looking:
    """Looks at what one side knew."""

    def __init__(
        self,
        record: Record,
        party: str,
        at_ms: int,
        read: ReadEnvelope,
        replies: dict[str, Replies],
    ) -> None:
        self._record = record
        self._party = party
        self._peer = record.other(party)
        self._own: Bounds = record.bounds[party]
        self._theirs: Bounds = record.bounds[self._peer]
        self._at_ms = at_ms
        self._read = read
        self._replies = replies
        self._said = self._own.stamps.said(at_ms)
        self._last_held = self._theirs.last_held(at_ms)
        self._own_record = at_ms <= record.exported_ms.get(party, NONE)

    def side(self, last: int, advance: Advance) -> Side:
        """Return all of it."""
        own, theirs = self._own, self._theirs
        peer_said = theirs.stamps.said(self._at_ms)
        held = not_proven = delayed = 0
        unproven: list[int] = []
        for index in range(max(peer_said, self._last_held + 1)):
            if theirs.held_by[index] <= self._at_ms:
                held += 1
                delayed += theirs.chain.delayed[index]
            elif index < peer_said:
                not_proven += 1
                unproven.append(index)
                if len(unproven) > last:
                    del unproven[0]
        known: deque[tuple[str, int]] = deque(maxlen=last)
        book, steps = self._fold(known, advance)
        held_last = self._last_held
        return Side(
            party=self._party,
            own_record=self._own_record,
            said=self._said,
            perhaps_said=own.stamps.perhaps_said(self._at_ms) - self._said,
            held=held,
            held_last=None if held_last == NONE else self._told(self._peer, held_last),
            not_proven=not_proven,
            knew_held=self._knew_held(),
            messages=tuple(self._told(party, index) for party, index in known),
            steps=steps,
            unproven=tuple(self._told(self._peer, index) for index in unproven),
            delayed=delayed,
            terms=_terms(book),
            declarations=tuple(self._declarations(book)),
            suspensions=suspension_views(book, self._at_ms),
            exercises=tuple(self._exercises(book)),
            questions=tuple(sorted(self._questions(book), key=lambda each: each.due_utc)),
            taken_back=tuple(
                TakenBack(
                    asked_by=self._peer if own else self._party,
                    message=request,
                    reported_by=self._party if own else self._peer,
                    then=kind.value,
                )
                for request, own, kind in book.before.taken_back()
            ),
            keys=(self._key(self._party, self._said), self._key(self._peer, held_last + 1)),
        )

    def _fold(self, known: deque[tuple[str, int]], advance: Advance) -> tuple[LineBook, int]:
        """Return what the messages that it knew imply, and how many are steps of private checks.

        The latest of the others are kept in ``known``.
        """
        record = self._record
        rings = {party: ring.ever for party, ring in record.rings.items()}
        book = LineBook(record.line_id, self._party, self._peer, rings)
        left = len(self._own.chain) + len(self._theirs.chain)
        steps = 0
        for count, (own, index) in enumerate(self._known(), start=1):
            party = self._party if own else self._peer
            bounds = self._own if own else self._theirs
            envelope = self._read(party, index)
            proof = None if own else bounds.proof(index)
            book.take(
                envelope,
                bounds.chain.hash(index),
                read_body(envelope),
                own=own,
                delayed=bool(bounds.chain.delayed[index]) and not own,
                logged_ms=bounds.chain.created[index] if proof is None else proof.at_ms,
                told=False,
            )
            if envelope.kind in SAID_BY_NODES:
                steps += 1
            else:
                known.append((party, index))
            if count % _FORGET_EVERY == 0:
                advance(_FORGET_EVERY)
                left -= _FORGET_EVERY
                book.end_past(bounds.chain.created[index] - _LONG_OVER_MS)
        advance(left)
        book.end_past(self._at_ms)
        return book, steps

    def _known(self) -> Iterator[tuple[bool, int]]:
        """Yield what it knew, its own messages each behind all that it said to hold then."""
        held = self._theirs.held(self._at_ms)
        waiting = next(held, None)
        own = self._own.chain
        for index in own.walk(self._said):
            while waiting is not None and waiting <= own.heard[index]:
                yield False, waiting
                waiting = next(held, None)
            yield True, index
        while waiting is not None:
            yield False, waiting
            waiting = next(held, None)

    def _knew_held(self) -> int:
        """Return how many own messages the other's messages that it held say to be held."""
        heard = self._theirs.chain.heard
        reached = max((heard[index] for index in self._theirs.held(self._at_ms)), default=NONE)
        return sum(1 for _ in self._own.chain.walk(reached + 1))

    def _told(self, party: str, index: int) -> Told:
        return told(self._record, party, index, self._replies[party])

    def _declarations(self, book: LineBook) -> Iterator[DeclarationThen]:
        for declared in sorted(book.picture, key=lambda each: (each.start_ms, each.key)):
            yield self._declaration(book, declared)

    def _declaration(self, book: LineBook, declared: Declared) -> DeclarationThen:
        value = declared.declaration
        readback = book.readbacks.get(declared.key)
        return DeclarationThen(
            party=declared.party,
            declaration_id=value.declaration_id,
            purpose=value.purpose.value,
            revision=value.revision,
            label=value.label,
            start_utc=utc_text(declared.start_ms),
            end_utc=utc_text(declared.end_ms),
            begun=declared.start_ms <= self._at_ms,
            drill=declared.drill,
            message=declared.message_hash,
            seq=declared.seq,
            read_back=None if readback is None else not readback.differences,
            loaded=declared.key in book.loaded,
        )

    def _exercises(self, book: LineBook) -> Iterator[ExerciseThen]:
        for party in self._record.parties:
            until_ms = book.announced.until_ms(party, self._at_ms)
            message = book.announced.message(party, self._at_ms)
            if until_ms is not None and message is not None:
                yield ExerciseThen(party, utc_text(until_ms), message)

    def _questions(self, book: LineBook) -> Iterator[Question]:
        timers = DEFAULT_TIMERS if book.terms is None else timers_of(book.terms)
        for thread in book.threads:
            limit_ms = timers.limits[Precedence(thread.precedence)].answer_ms
            yield self._question(thread, min(thread.answer_within_ms or limit_ms, limit_ms))

    def _question(self, thread: Thread, limit_ms: int) -> Question:
        asker = self._own if thread.own else self._theirs
        replier = self._theirs if thread.own else self._own
        index = asker.chain.slot(thread.epoch, thread.seq)
        error_ms = 0 if index is None else asker.chain.error[index]
        due_ms, stood_by = thread.sent_ms + limit_ms, False
        standby = self._replies[asker.chain.party].extended.get(NONE if index is None else index)
        if standby is not None and self._knew(replier, standby):
            due_ms, stood_by = replier.chain.created[standby] + limit_ms, True
            error_ms = replier.chain.error[standby]
        state = QuestionState.OPEN
        if due_ms - error_ms <= self._at_ms:
            state = QuestionState.PERHAPS_OVERDUE
        if due_ms + error_ms <= self._at_ms:
            state = QuestionState.OVERDUE if self._own_record else QuestionState.NOT_KNOWN
        if thread.answered_by is not None:
            state = QuestionState.ANSWERED
        return Question(
            asked_by=asker.chain.party,
            message=thread.hash,
            seq=thread.seq,
            kind=thread.kind.value,
            precedence=thread.precedence,
            drill=thread.drill,
            said_utc=utc_text(thread.sent_ms),
            due_utc=utc_text(due_ms),
            state=state.value,
            stood_by=stood_by,
            answered_by=None if thread.answered_by is None else thread.answered_by.value,
            declaration_id=thread.declaration_id,
        )

    def _knew(self, bounds: Bounds, index: int) -> bool:
        if bounds is self._own:
            return index < self._said
        return bounds.held_by[index] <= self._at_ms

    def _key(self, party: str, count: int) -> KeyThen:
        chain = self._record.chain(party)
        if not count:
            return KeyThen(party, None, self._record.rings[party].first.key_id, 0)
        part = chain.part_of(count - 1)
        return KeyThen(party, part.epoch, part.key_id, part.key_number)


def _terms(book: LineBook) -> TermsThen | None:
    if book.terms is None:
        return None
    return TermsThen(
        book.terms.version, book.terms.theatre.name, book.terms_hash or "", book.terms_by
    )
