"""Saying: what a person, or the machine itself, wants said becomes entries of the own chain."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, NamedTuple

from deconflict.airspace.instant import format_utc, nearest_utc_ms, parse_utc
from deconflict.airspace.trajectory import Trajectory
from deconflict.airspace.where import located
from deconflict.errors import (
    InvalidDocumentError,
    LineStateError,
    MessageTooLongError,
    NoRoomError,
    NotFoundError,
)
from deconflict.line.delivery import counts_as
from deconflict.line.envelope import Draft, Envelope, read_envelope
from deconflict.line.moment import Now
from deconflict.line.outgoing import FittedDraft
from deconflict.line.precedence import Precedence
from deconflict.line.room import Shortage, room_class
from deconflict.messages.bodies import (
    Body,
    BreachNote,
    Concern,
    Declared,
    Loaded,
    Propose,
    Readback,
    ReadbackResult,
    Resume,
    SafetyOfFlight,
    ScopeChange,
    Suspend,
    body_to_wire,
    check_outgoing,
)
from deconflict.messages.kinds import (
    KIND_RULES,
    KINDS,
    NEVER_EXERCISE,
    Kind,
    check_reference,
    precedence_of_reply,
)
from deconflict.messages.phrases import phrase
from deconflict.messages.said import Said, said, say_or
from deconflict.messages.summary import stated_points
from deconflict.node import incidents
from deconflict.node.drills import Drills
from deconflict.node.journal import Journal
from deconflict.node.line import Line
from deconflict.node.notes import note_of
from deconflict.node.private.concerning import require_hit
from deconflict.node.private.findings import PrivateFindings
from deconflict.node.rows import slot_row
from deconflict.node.suspensions import require_not_past
from deconflict.node.talking import expiry_of_answer, require_talk
from deconflict.node.tell.messages import Teller
from deconflict.node.turn import done_whole
from deconflict.node.views import Posted
from deconflict.node.work import Work
from deconflict.store.base import Store

__all__ = ["ALWAYS_FITS", "IN_NEED", "WARNED", "Say", "Saying", "readback_result"]

# Real with one word, whatever they cite; a mute node does not stay silent about them.
IN_NEED: Final = frozenset((Kind.SAFETY, Kind.CEASE))
WARNED: Final = "warned/"  # notes: own warnings by who speaks for sites, to be shown their answers
# Written with all their digits, so many fill no envelope (MAX_ENVELOPE_BYTES).
ALWAYS_FITS: Final = {"vertices": 1_500, "waypoints": 600}


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """What a person wants said on a line."""

    kind: Kind
    body: Body
    desk: str
    ref: str | None = None
    precedence: Precedence | None = None
    to_desk: str | None = None
    drill: bool | None = None  # None: as what it cites, or as the line is
    release: str = "OWN_FORCES"
    lang: str = "en"
    expires_after_ms: int | None = None
    answer_within_ms: int | None = None
    reader: str | None = None  # of who says it: what to know is told in it; None: the node's
    for_sites: bool = False  # by who speaks for sites alone: to be found again, it is noted


class Saying:
    """Turns what is to be said into entries.

    Args:
        party: our own.
        drills: the exercises that last.
        private: what private checks found: who states a concern about a hit has one.
        store: read for the messages cited; never written here.
        journal: where events and alerts go.
        teller: who turns what happens into alerts.
    """

    def __init__(
        self,
        *,
        party: str,
        drills: Drills,
        private: PrivateFindings,
        store: Store,
        journal: Journal,
        teller: Teller,
    ) -> None:
        self._party = party
        self._drills = drills
        self._private = private
        self._store = store
        self._journal = journal
        self._teller = teller

    def require_sayable(
        self, line: Line, says: Sequence[Say], now: Now, shortage: Shortage
    ) -> None:
        """Return when each of these can be said now; nothing is taken."""
        self._drafts(line, says, now, shortage)

    def is_drill(self, line: Line, say: Say, now: Now) -> bool:
        """True exactly when this would be marked as exercise, were it said now."""
        return self._is_drill(line, say, self._cited(line, say), now)

    def require_writable(self, line: Line, says: Sequence[Say], now: Now) -> None:
        """Return when each of these can be said as far as it lies with what they say.

        Whether the line is suspended or ready is not asked: that may change before they are said.
        """
        for index, say in enumerate(says):
            cited = self._cited(line, say)
            with _whose(index, say):
                self._written(line, say, cited, now, drill=self._is_drill(line, say, cited, now))

    def say(
        self, line: Line, says: Sequence[Say], now: Now, shortage: Shortage
    ) -> tuple[Work, tuple[Posted, ...]]:
        """Take slots for messages of one line, all or none."""
        # Everything is checked before the first slot is taken: a slot taken is a slot spent.
        drafts = self._drafts(line, says, now, shortage)
        with done_whole("it said something"):
            work = self._journal.new_work(now)
            posted = [
                self._take_slot(line, say, draft, work, now)
                for say, draft in zip(says, drafts, strict=True)
            ]
            self._journal.tell(work, now)
        work.wake.add(line.line_id)
        return work, tuple(posted)

    def _take_slot(self, line: Line, say: Say, draft: FittedDraft, work: Work, now: Now) -> Posted:
        entry = line.machine.prepare(draft, now)
        work.entries.append(slot_row(line.machine.identity, entry, now))
        taken = line.book.take(
            entry.envelope, entry.hash, say.body, own=True, delayed=False, logged_ms=now.utc_ms
        )
        work.then(self._journal.sealing(line, entry, acts=taken.acts))
        if say.for_sites:
            work.notes.append(note_of(WARNED, entry.hash, line.line_id))
        self._journal.message(work, now, line, taken)
        warnings = self._teller.said(line, taken, now)
        warnings = (*warnings, *self._drills.passed(line, taken, work, now))
        if say.drill is None and say.ref is None and taken.envelope.drill:
            warnings = (*warnings, said("MARKED_DRILL"))
        warnings = (*warnings, *self._answers_late(line, say))
        self._journal.agreed(line, taken, work, now)
        reader = say.reader or self._teller.desk.language
        return Posted(
            hash=entry.hash,
            line_id=line.line_id,
            epoch=entry.epoch,
            seq=entry.seq,
            kind=say.kind.value,
            state="QUEUED",
            warnings=tuple(say_or("WARNING", each, reader) for each in warnings),
        )

    def _answers_late(self, line: Line, say: Say) -> tuple[Said, ...]:
        """Return that what is answered came too late to be acted on here."""
        row = None if say.ref is None else self._store.entry(say.ref)
        if row is None or not row.delayed or not KINDS[say.kind].rule.closes:
            return ()
        envelope = read_envelope(row.data)
        expired_ms = envelope.created_utc_ms + (envelope.expires_after_ms or 0)
        values = {
            "peer": line.peer,
            "kind": envelope.kind,
            "sent": envelope.created_utc,
            "expired": format_utc(nearest_utc_ms(expired_ms)),
        }
        return (said("ANSWERS_DELAYED", values),)

    def _drafts(
        self, line: Line, says: Sequence[Say], now: Now, shortage: Shortage
    ) -> list[FittedDraft]:
        drafts = []
        for index, say in enumerate(says):
            cited = self._cited(line, say)
            drill = self._is_drill(line, say, cited, now)
            _require_open(line, say, now, drill=drill)
            require_hit(line, say.body, say.ref, self._private)
            _require_room(line, say.kind, _precedence(say, cited), now, shortage)
            with _whose(index, say):
                drafts.append(self._written(line, say, cited, now, drill=drill))
        return drafts

    def _written(
        self, line: Line, say: Say, cited: "_Cited | None", now: Now, *, drill: bool
    ) -> FittedDraft:
        """Return what is to be said as a draft that any slot can hold, or refuse it."""
        form = KINDS[say.kind]
        check_outgoing(say.body)
        _require_order(say.body)
        if cited is None:
            check_reference(say.kind, None)
            _require_complete(say.body)
        elif cited.kind is not None:
            check_reference(say.kind, cited.kind, ref_is_own=cited.own)
        if drill and say.kind in NEVER_EXERCISE:
            raise InvalidDocumentError(
                f"{say.kind} is meant in earnest or not said",
                given="DRILL",
                remedy="leave the drill mark out",
            )
        if say.drill and cited is not None and not cited.drill:
            raise InvalidDocumentError(
                "an exercise cannot change or answer what is real",
                given=f"DRILL {say.kind} citing a message that is none",
                remedy="leave the drill mark out, or cite a message of the exercise",
            )
        precedence = _precedence(say, cited)
        limits = [
            limit
            for limit in (say.answer_within_ms, line.answer_within_ms(say.kind))
            if limit is not None and form.rule.needs_answer
        ]
        draft = Draft(
            kind=say.kind.value,
            body=body_to_wire(say.body),
            sender_desk=say.desk,
            to_desk=say.to_desk or line.peer_desk,
            prec=precedence,
            ref=say.ref,
            drill=drill,
            release=say.release,
            answer_within_ms=min(limits, default=None),
            expires_after_ms=min(
                (
                    limit_ms
                    for limit_ms in (
                        say.expires_after_ms
                        or form.expires_after_ms
                        or line.expires_after_ms(precedence),
                        expiry_of_answer(say.body, now.utc_ms),
                    )
                    if limit_ms is not None
                ),
                default=None,
            ),
            lang=say.lang,
        )
        # Whatever the chain would refuse is refused here, where no slot is begun yet.
        try:
            return line.machine.fitted(draft, now)
        except MessageTooLongError as error:
            if isinstance(say.body, Declared):
                raise _too_long(say.body, error) from error
            raise

    def _is_drill(self, line: Line, say: Say, cited: "_Cited | None", now: Now) -> bool:
        if say.drill is False and say.kind in IN_NEED:
            return False  # also where it is about what was an exercise until now
        if cited is not None:
            # What belongs to an exercise stays one, also when nobody thought of the mark; and what
            # answers a real message is real, also while an exercise lasts.
            return cited.drill
        if say.drill is None:
            return self._drills.marks(line.line_id, say.kind, now)
        return say.drill

    def _cited(self, line: Line, say: Say) -> "_Cited | None":
        ref = say.ref
        if ref is None:
            return None
        row = self._store.entry(ref)
        # What we cite we have heard, and our envelope says so: a start that reads both chains in
        # that order finds the question before the answer. On disk alone is a moment too early.
        logged = line.machine.peer_logged
        heard = row is not None and (
            row.party == self._party
            or (logged is not None and (row.epoch != logged.epoch or row.seq <= logged.seq))
        )
        if row is None or row.line_id != line.line_id or not heard:
            raise NotFoundError(
                "the message cited is not in the record of this line",
                given=ref[:16],
                remedy="look it up with: deconflict log",
            )
        envelope = read_envelope(row.data)
        # SEEN can be said of every message: else the alert about it would stand for ever.
        if envelope.kind not in tuple(Kind) and say.kind is not Kind.SEEN:
            raise InvalidDocumentError(
                "the message cited is of a kind that this edition does not know",
                given=f"{envelope.kind:.40}",
                expected="one of " + ", ".join(Kind),
                remedy="ask the other side by voice what it means",
            )
        own = row.party == self._party
        kind = Kind(envelope.kind) if envelope.kind in tuple(Kind) else None
        return _Cited(kind, own, envelope.prec, envelope.drill)


class _Cited(NamedTuple):
    """What a draft must know of the message that it cites."""

    kind: Kind | None  # None: none that this edition knows
    own: bool
    precedence: Precedence
    drill: bool


def _precedence(say: Say, cited: _Cited | None) -> Precedence:
    stated = say.precedence or (
        precedence_of_reply(say.kind, cited.precedence)
        if cited
        else KINDS[say.kind].rule.precedence
    )
    return counts_as(say.kind, stated, KIND_RULES)


def _require_room(
    line: Line, kind: Kind, precedence: Precedence, now: Now, shortage: Shortage
) -> None:
    """Refuse what a nearly full disk, ours or the peer's, has no room for.

    What the peer would refuse takes no slot either: it would stand in the chain before the next
    alert, and the peer would have to take it along.
    """
    counts_as = room_class(kind, precedence, KIND_RULES)
    if counts_as in shortage:
        raise NoRoomError(
            f"the disk of this node is nearly full: there is no room for {counts_as} messages",
            given=str(kind),
            expected="CEASE, SAFETY and answers, for which room is kept",
            remedy="free room on the disk (`deconflict doctor` tells how much), then say it again",
        )
    peers, left_ms = line.machine.peer_shortage(now)
    if counts_as in peers:
        raise NoRoomError(
            f"{line.peer} signed that it has no room for {counts_as} messages",
            given=f"{kind}, {format_utc(now.utc_ms)}",
            expected=f"said again after {format_utc(now.utc_ms + left_ms)}",
            remedy=f"say it then, or tell {line.peer} by voice; CEASE, SAFETY and answers pass",
        )


def _require_open(line: Line, say: Say, now: Now, *, drill: bool) -> None:
    """Refuse what the present state of the line does not let anybody say."""
    line.machine.require_voice()
    suspension = line.book.suspension_of(say.kind, now.utc_ms, drill=drill)
    if suspension is not None and not KINDS[say.kind].always_passes:
        raise LineStateError(
            f"the line with {line.peer} is suspended for {say.kind}",
            given=f"scope {suspension.scope}, by {suspension.by} "
            f"since {format_utc(suspension.effective_ms)}",
            expected="what this scope does not stop (deconflict terms show); SAFETY, CEASE and "
            "what belongs to them always pass",
            remedy=f"{suspension.by} can RESUME it; or talk by the way agreed for it",
        )
    line.require_ready(say.kind)
    line.book.incidents.require_fits(say.body, say.ref, drill=drill)
    incidents.require_comparable(line.book.accounts, line.book.own, say.body)
    incidents.require_happened(say.body, now.utc_ms)
    _require_scope(line, say.body, now, drill=drill)
    _require_meeting(line, say.body)
    require_talk(line, say.kind, say.body, say.ref, now.utc_ms)
    if isinstance(say.body, Loaded):
        held = line.book.picture.get(f"{line.peer}/{say.body.declaration_id}")
        if held is None or held.message_hash != say.ref:
            raise LineStateError(
                "what is loaded is not what is declared now",
                given=f"message {(say.ref or 'none')[:16]}",
                expected="none is active" if held is None else f"message {held.message_hash[:16]}",
                remedy="load the newest revision, and say so",
            )
    if say.kind is Kind.STANDBY and say.ref is not None and line.book.stood_by(say.ref):
        raise LineStateError(
            "STANDBY was said of this message already, and extends its time once",
            given=say.ref[:16],
            remedy="answer it",
        )


def _whose(index: int, say: Say) -> AbstractContextManager[None]:
    return located(f"declarations[{index}]") if isinstance(say.body, Declared) else nullcontext()


def _too_long(body: Declared, error: MessageTooLongError) -> MessageTooLongError:
    geometry = body.value.geometry
    what = "waypoints" if isinstance(geometry, Trajectory) else "vertices"
    return MessageTooLongError(
        "the declaration is longer than one message can be",
        given=f"{error.given}, {sum(1 for _ in stated_points(geometry)):,} {what}",
        expected=f"{error.expected}; {ALWAYS_FITS[what]:,} {what} always fit",
        remedy="thin it out, or split it into several declarations",
    )


def _require_complete(body: Body) -> None:
    """Return unless what is said is about a message, and none is cited."""
    if isinstance(body, SafetyOfFlight) and phrase(body.phrase).cites:
        raise InvalidDocumentError(
            f"phrase {body.phrase} must cite the message that it is about",
            given="no message",
            expected="ref: the hash of that message",
            remedy="name it: --about ID, as deconflict log shows it",
        )
    if isinstance(body, BreachNote) and not (body.position or body.declaration_id or body.named):
        raise InvalidDocumentError(
            "a breach note names nothing",
            expected="a message cited, a declaration, a place, or a zone or line by its name",
            remedy="say what it is about",
        )


def _require_order(body: Body) -> None:
    """Refuse to read back an end before the start; a peer that does so is told the difference."""
    if isinstance(body, Readback) and body.values.end_utc < body.values.start_utc:
        raise InvalidDocumentError(
            "what is read back ends before it starts",
            given=f"from {body.values.start_utc} to {body.values.end_utc}",
            expected="an end at its start or after it",
            remedy="look at both times again",
        )


def _require_scope(line: Line, body: Body, now: Now, *, drill: bool) -> None:
    """Refuse to suspend what the terms do not name, to resume or change what is not ours, or any
    of it from a time that has passed.
    """
    if isinstance(body, Suspend | Resume | ScopeChange) and line.book.terms is not None:
        line.book.terms.stops(Kind.NOTIFY, body.scope)
    if isinstance(body, ScopeChange) and line.book.terms is not None:
        line.book.terms.stops(Kind.NOTIFY, body.to)
    if isinstance(body, Suspend | Resume | ScopeChange):
        require_not_past(body.effective_utc, now.utc_ms, line.book.terms)
    if isinstance(body, Suspend):
        effective_ms = parse_utc(body.effective_utc)
        line.book.suspensions.require_new(body.scope, line.book.own, effective_ms, drill=drill)
    if isinstance(body, Resume | ScopeChange):
        line.book.suspensions.require_resumable(
            body.scope, line.book.own, parse_utc(body.effective_utc), now.utc_ms, drill=drill
        )


def _require_meeting(line: Line, body: Body) -> None:
    """Refuse a concern or a proposal about two plans of which one alone is exercise."""
    if not isinstance(body, Concern | Propose):
        return
    named = [f"{party}/{one}" for one in (body.first, body.second) for party in line.book.parties]
    held = [found for name in named if (found := line.book.picture.get(name)) is not None]
    if len({declared.drill for declared in held}) > 1:
        raise LineStateError(
            "one of the two is exercise and the other is not: they cannot meet",
            given=", ".join(f"{d.party} {'exercise' if d.drill else 'real'}" for d in held),
            remedy="nothing is to be done about it",
        )


def readback_result(line: Line, envelope: Envelope, message_hash: str, body: Readback) -> Say:
    """Return the answer of the machine to a readback of ours: it agrees, or where it does not."""
    declaration_id = body.values.declaration_id
    found = line.book.readbacks.get(f"{line.book.own}/{declaration_id}")
    fields = () if found is None else tuple(d.field for d in found.differences)
    agrees = found is not None and found.message_hash == message_hash and not fields
    return Say(
        kind=Kind.READBACK_RESULT,
        body=ReadbackResult(
            declaration_id=declaration_id,
            agrees=agrees,
            fields=() if agrees else fields or ("declaration_id",),
        ),
        desk=envelope.to.desk,
        ref=message_hash,
        drill=envelope.drill,
    )
