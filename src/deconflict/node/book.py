"""All that one line is at this moment, as a fold over the two chains of its record.

Every entry, own or the peer's, goes through :meth:`LineBook.take` once: when it is said or heard,
and again when the node starts and reads its record. So what a node knows after a restart is what it
knew before, and a replay knows it too. Decisions only: no clock, no disk, no network.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec

from deconflict.errors import VerificationError
from deconflict.line.delivery import DeliveryState
from deconflict.line.envelope import Envelope
from deconflict.line.epoch import opening_of
from deconflict.line.keys import VerifyKey
from deconflict.messages.agreement import terms_hash as terms_hash_of
from deconflict.messages.agreement import verify_terms_signature
from deconflict.messages.bodies import (
    Account,
    Body,
    Cancel,
    Cease,
    Concern,
    LineCheck,
    Loaded,
    Readback,
    ReadbackResult,
    ReleaseConsent,
    Resume,
    ScopeChange,
    Standby,
    Suspend,
    TermsMessage,
    Voice,
)
from deconflict.messages.bodies import (
    Declared as DeclaredBody,
)
from deconflict.messages.declaration import SoundDeclaration
from deconflict.messages.kinds import KIND_RULES, Kind, Release
from deconflict.messages.terms import Terms, TermsSignature
from deconflict.node import incidents
from deconflict.node.answered_before import AnsweredBefore
from deconflict.node.call_room import CallRoom
from deconflict.node.declared import Cancelled
from deconflict.node.exercise import Announced, Marks
from deconflict.node.hashes import parted
from deconflict.node.incident_book import IncidentBook
from deconflict.node.kept_book import KeptBook
from deconflict.node.line_checks import LineChecks
from deconflict.node.picture import Declared, Picture
from deconflict.node.private.checks import PrivateChecks
from deconflict.node.reached import advance, by_state
from deconflict.node.readback_found import ReadbackFound, compared
from deconflict.node.recall import Recall
from deconflict.node.suspensions import Suspension, Suspensions
from deconflict.node.taken import NotTaken, Proposal, Taken
from deconflict.node.threads import ThreadBook
from deconflict.node.voices import Note, Signed, Voices

__all__ = ["KeptBook", "LineBook", "NotTaken", "Proposal", "ReadbackFound", "Taken"]

_PROPOSALS_KEPT: Final = 16  # of each party; an older one can no longer be accepted
_HASH_DIGITS: Final = 64


class LineBook:
    """The state of one line that its record implies.

    Args:
        line_id: the line.
        own: our party.
        peer: the other.
        keys: of both parties, by key id: whose signature over terms counts.
    """

    def __init__(
        self, line_id: str, own: str, peer: str, keys: Mapping[str, Mapping[str, VerifyKey]]
    ) -> None:
        self.line_id = line_id
        self.own = own
        self.peer = peer
        self._keys = keys
        self.picture = Picture(line_id)
        self.threads = ThreadBook()
        self.terms: Terms | None = None
        self.terms_hash: str | None = None
        self.terms_signatures: dict[str, TermsSignature] = {}
        self.terms_by: str | None = None  # the acceptance that put them in force
        self._proposals: dict[str, Proposal] = {}  # by message, those that may still be accepted
        self.suspensions = Suspensions()
        self.announced = Announced()
        self._marks = Marks()
        self.checks = LineChecks(own, peer)
        self.call_room = CallRoom(own, peer, self.threads.place)
        self.talks, self.calls = self.call_room.talks, self.call_room.calls
        self.private_checks = PrivateChecks(own, peer)
        self.voices = Voices()
        self.accounts: dict[str, list[incidents.Account]] = {}
        self.incidents = IncidentBook(own, peer)
        self._consents: dict[tuple[bytes, str], Release] = {}  # by message and who consented
        # These two only of what is in the picture, or may be put back into it.
        self.readbacks: dict[str, ReadbackFound] = {}
        self.loaded: set[str] = set()
        self.past: dict[str, str] = {}  # key -> ENDED or CANCELLED
        self._messages_of: dict[str, bytes] = {}  # key -> hashes one after another, oldest first
        self._cancelled: list[Cancelled] = []
        self._put_back: dict[str, Declared] = {}
        # How far own messages came beyond the receipt; the line itself forgets settled ones.
        self._progress: dict[bytes, DeliveryState] = {}
        # And the peer's messages here, by what we said of them.
        self._handled: dict[bytes, DeliveryState] = {}
        self.before = AnsweredBefore()
        self._stood_by: set[str] = set()

    def take(
        self,
        envelope: Envelope,
        message_hash: str,
        body: Body | None,
        *,
        own: bool,
        delayed: bool,
        logged_ms: int,
        told: bool = True,
    ) -> Taken:
        """Let one entry change the state; it comes after everything its author had heard.

        With ``told`` False nobody is told of it, as when a record is read: then what it changed in
        threads is not returned, and a readback waits to be compared until somebody asks.
        """
        # Saying refuses a reference that does not fit. A peer that cites a CEASE in its reply to a
        # line check has not answered the CEASE.
        if opening_of(envelope) is not None:
            self.threads.open_epoch(envelope.epoch)
        acts = body is not None and self.threads.fits(envelope) and self._retypes(envelope, body)
        misfiled = self.incidents.take(envelope, message_hash, body, own=own, late=delayed)
        fault = None
        if body is not None and not delayed:
            fault = self.call_room.fault_of(envelope, body, own=own, logged_ms=logged_ms)
        acts = acts and fault is None
        taken = Taken(
            envelope,
            message_hash,
            own,
            delayed,
            logged_ms,
            body,
            acts,
            misfiled=misfiled,
            fault=fault,
        )
        if body is not None:
            signed = Signed(taken.kind, body, message_hash, envelope.drill)
            self.voices.signed(signed, envelope.seq, own=own)  # late or not, it was signed
        crosses = self._marks.crosses(envelope, message_hash, self._names(body, own=own))
        if not delayed:
            self.announced.take(
                envelope, message_hash, body, party=self.party_of(own=own), logged_ms=logged_ms
            )
        if delayed or body is None or fault is not None:
            return taken
        if crosses:
            return msgspec.structs.replace(taken, acts=False, not_taken=NotTaken.EXERCISE_OF_REAL)
        lapsed = self.call_room.take(envelope, message_hash, body, own=own)
        lapsed += self.private_checks.take(
            body,
            message_hash,
            ref=envelope.ref,
            own=own,
            drill=envelope.drill,
            logged_ms=logged_ms,
        )
        not_taken = self._change(taken)
        lapsed = (*lapsed, *self.suspensions.take_replaced())
        said_before = self.before.answer(taken)
        ceased_before = self.before.report(taken)
        opened = None
        # What is not in force is not read back.
        if not_taken is None and KIND_RULES[envelope.kind].needs_answer:
            opened = self.threads.begin(
                envelope,
                message_hash,
                own=own,
                logged_ms=logged_ms,
                declaration_id=self._subject(body),
                place=body.around if isinstance(body, Cease) else None,
                check=body if isinstance(body, LineCheck) else None,
            )
        thread, ended = None, False
        if acts:
            self._line_checked(envelope, own=own, at_ms=logged_ms)
            agrees = self._agreement(body, message_hash) if isinstance(body, Readback) else None
            if told or agrees is None:
                thread, ended, met = self.threads.reply(
                    envelope, own=own, logged_ms=logged_ms, agrees=agrees
                )
                if taken.kind is Kind.CEASED:
                    self.before.met(met, own=own)
            else:
                self.threads.reply_later(envelope, own=own, logged_ms=logged_ms, agrees=agrees)
            # Two books: what the peer says moves our messages only, whatever it cites.
            advance(self._handled if own else self._progress, envelope)
        if isinstance(body, TermsMessage):
            lapsed = (*lapsed, *self._replaced_proposals(message_hash))
        left = self.threads.drop_all(lapsed)
        if opened in left:
            opened = None
        if not told or not (opened or thread or not_taken or said_before or ceased_before or left):
            return taken
        return msgspec.structs.replace(
            taken,
            opened=opened,
            thread=thread,
            ended=ended,
            not_taken=not_taken,
            said_before=said_before,
            ceased_before=ceased_before,
            lapsed=left,
        )

    def kept(self) -> KeptBook:
        """Return all of it as values; while a record is read, before anybody looked at it."""
        return KeptBook(
            picture=self.picture.kept(),
            threads=self.threads.kept(),
            terms_by=self.terms_by,
            proposals=tuple(self._proposals),
            suspensions=tuple(self.suspensions),
            announced=self.announced.kept(),
            marks=self._marks.kept(),
            checks=self.checks.kept(),
            talks=self.talks.kept(),
            calls=self.calls.kept(),
            private_checks=self.private_checks.kept(),
            voices=self.voices.kept(),
            accounts={event: tuple(told) for event, told in self.accounts.items()},
            incidents=self.incidents.kept(),
            consents=tuple((*name, release) for name, release in self._consents.items()),
            readbacks=tuple(found.kept() for found in self.readbacks.values()),
            loaded=tuple(sorted(self.loaded)),
            past=dict(self.past),
            messages_of=dict(self._messages_of),
            cancelled=tuple(self._cancelled),
            progress=by_state(self._progress),
            handled=by_state(self._handled),
            before=self.before.kept(),
            stood_by=tuple(sorted(self._stood_by)),
        )

    def take_up(self, kept: KeptBook, recall: Recall) -> None:
        """Go on from what was kept; only of a new book.

        Args:
            kept: it.
            recall: reads the messages that it names.

        Raises:
            InvalidDocumentError: it is not of this record.
        """
        self.picture.take_up(kept.picture, recall.declared)
        self.threads.take_up(kept.threads)
        self._proposals.update({one: recall.proposal(one) for one in kept.proposals})
        if kept.terms_by is not None:
            self._take_up_terms(kept.terms_by, recall)
        self.suspensions.take_up(kept.suspensions)
        self.announced.take_up(kept.announced)
        self._marks.take_up(kept.marks)
        self.checks.take_up(kept.checks)
        self.talks.take_up(kept.talks)
        self.calls.take_up(kept.calls)
        self.private_checks.take_up(
            kept.private_checks, lambda message: recall.proposal(message).terms
        )
        self.voices.take_up(kept.voices, map(recall.signed, kept.voices.recent))
        self.accounts.update({event: list(told) for event, told in kept.accounts.items()})
        self.incidents.take_up(kept.incidents, recall.filed)
        self._consents.update({(name, by): release for name, by, release in kept.consents})
        self.readbacks.update(
            {found.declaration_key: ReadbackFound.of(found) for found in kept.readbacks}
        )
        self.loaded.update(kept.loaded)
        self.past.update(kept.past)
        self._messages_of.update(kept.messages_of)
        self._cancelled.extend(kept.cancelled)
        for states, of in ((self._progress, kept.progress), (self._handled, kept.handled)):
            for state, hashes in of.items():
                states.update(dict.fromkeys(parted(hashes), state))
        self.before.take_up(kept.before)
        self._stood_by.update(kept.stood_by)

    def _take_up_terms(self, message_hash: str, recall: Recall) -> None:
        accepted = recall.proposal(message_hash)  # its text, and its author's signature
        proposed = recall.proposal(recall(message_hash).envelope.ref or "")
        self.terms, self.terms_hash = accepted.terms, accepted.terms_hash
        self.terms_signatures = {
            proposed.by: proposed.signature,
            accepted.by: accepted.signature,
        }
        self.terms_by = message_hash

    @property
    def proposal(self) -> Proposal | None:
        """The newest proposal that would replace the terms in force; None when there is none."""
        in_force = 0 if self.terms is None else self.terms.version
        waiting = [held for held in self._proposals.values() if held.terms.version > in_force]
        return waiting[-1] if waiting else None

    def _replaced_proposals(self, latest: str) -> tuple[str, ...]:
        """Return the messages about terms that nobody can answer any more: all but the newest.

        An acceptance that is on its way still counts; no desk is asked for another one.
        """
        standing = self.proposal
        named = None if standing is None else standing.message_hash
        return tuple(name for name in (*self._proposals, latest) if name != named)

    def progress(self, message_hash: str) -> DeliveryState | None:
        """Return how far an own message came beyond its receipt; None when no further."""
        return self._progress.get(bytes.fromhex(message_hash))

    def handled(self, message_hash: str) -> DeliveryState | None:
        """Return what we said of a message of the peer: seen, loaded, closed; None for nothing."""
        return self._handled.get(bytes.fromhex(message_hash))

    def consent(self, message_hash: str, author: str) -> Release | None:
        """Return to whom its author said later that a message may be passed on; None: nothing."""
        return self._consents.get((bytes.fromhex(message_hash), author))

    def stood_by(self, message_hash: str) -> bool:
        """True exactly when we said STANDBY of this message."""
        return message_hash in self._stood_by

    @property
    def parties(self) -> tuple[str, str]:
        """Our party and the peer."""
        return self.own, self.peer

    def party_of(self, *, own: bool) -> str:
        """Return our party or the peer."""
        return self.own if own else self.peer

    def results_owed(self) -> tuple[ReadbackFound, ...]:
        """Return the newest readback of each own active declaration whose result is lacking."""
        return tuple(
            found
            for declared in self.picture
            if declared.own
            and (found := self.readbacks.get(declared.key)) is not None
            and not found.told
        )

    def end_past(self, now_ms: int) -> tuple[Declared, ...]:
        """Take out the declarations that are over and return them."""
        for declared in self.picture.take_back(now_ms):
            self.past.pop(declared.key, None)
            for message_hash in self.messages_of(declared.key):
                self.threads.wake(message_hash)
            self._put_back[declared.key] = declared
        ended = self.picture.drop_ended(now_ms)
        for declared in ended:
            self.past[declared.key] = "ENDED"
            self._put_back.pop(declared.key, None)
            for message_hash in self.messages_of(declared.key):
                self.threads.rest(message_hash)
        for key in self.picture.let_go():
            self._drop_threads(key)
            self._forget(key)
        return ended

    def take_put_back(self) -> tuple[Declared, ...]:
        """Return, once, what was over by a clock that has been set back, and stands again."""
        put_back, self._put_back = tuple(self._put_back.values()), {}
        return put_back

    def messages_of(self, key: str) -> tuple[str, ...]:
        """Return the messages that declared what this key names, past or present, oldest first."""
        hashes = self._messages_of.get(key, b"").hex()
        return tuple(hashes[at : at + _HASH_DIGITS] for at in range(0, len(hashes), _HASH_DIGITS))

    def take_cancelled(self) -> tuple[Cancelled, ...]:
        """Return, once, the declarations cancelled since the last call."""
        cancelled, self._cancelled = tuple(self._cancelled), []
        return cancelled

    def suspension_of(self, kind: Kind, now_ms: int, *, drill: bool = False) -> Suspension | None:
        """Return the suspension that stops messages of this kind now, or None.

        One that is an exercise stops nothing but what is an exercise too.
        """
        if self.terms is None:
            return None
        for suspension in self.suspensions:
            if (
                suspension.holds(now_ms)
                and (drill or not suspension.drill)
                and self.terms.stops(kind, suspension.scope)
            ):
                return suspension
        return None

    def _names(self, body: Body | None, *, own: bool) -> Declared | None:
        """Return what the author of a body has declared under the id that it names as its own."""
        match body:
            case DeclaredBody():
                name = body.sound.declaration_id
            case Cancel():
                name = body.declaration_id
            case _:
                return None
        return self.picture.get(f"{self.party_of(own=own)}/{name}")

    def _retypes(self, envelope: Envelope, body: Body) -> bool:
        """True unless it answers an open line check with another text than was asked for."""
        if envelope.ref is None or not isinstance(body, LineCheck):
            return True
        thread = self.threads.get(envelope.ref)
        return thread is None or thread.check is None or thread.check.same_as(body)

    def _line_checked(self, envelope: Envelope, *, own: bool, at_ms: int) -> None:
        thread = None if envelope.ref is None else self.threads.get(envelope.ref)
        if (
            envelope.kind == Kind.LINE_CHECK_REPLY
            and thread is not None
            and thread.check is not None
            and thread.own is not own
        ):
            self.checks.done(self.party_of(own=thread.own), at_ms)

    def _subject(self, body: Body) -> str | None:
        match body:
            case DeclaredBody():
                return body.sound.declaration_id
            case Cancel() | Cease() | Loaded():
                return body.declaration_id
            case Concern():
                return body.first
        return None

    def _change(self, taken: Taken) -> NotTaken | None:
        party = self.party_of(own=taken.own)
        match taken.body:
            case DeclaredBody() as body:
                return self._declare(body.sound, party, taken)
            case Cancel() as body:
                return self._cancel(f"{party}/{body.declaration_id}", taken.logged_ms)
            case Readback() as body:
                self._read_back(body, party, taken)
            case ReadbackResult() as body:
                self._result(f"{party}/{body.declaration_id}", taken.envelope.ref)
            case Loaded() as body:
                key = f"{self.party_of(own=not taken.own)}/{body.declaration_id}"
                held = self.picture.get(key)
                # A unit that loaded an earlier revision does not hold this one.
                if held is not None and held.message_hash == taken.envelope.ref:
                    self.loaded.add(key)
            case TermsMessage() as body:
                self._agree(body, party, taken)
            case Standby() if taken.own and taken.envelope.ref is not None:
                self._stood_by.add(taken.envelope.ref)
            case Suspend() | Resume() | ScopeChange() as body:
                if not self.suspensions.take(body, party, self.terms, taken):
                    if isinstance(body, ScopeChange):
                        return NotTaken.NOTHING_TO_CHANGE
                    return NotTaken.NOTHING_TO_RESUME
            case Account(event=str(event)) as body:
                told = self.accounts.setdefault(event, [])
                incidents.tell(told, body, party, taken.envelope, taken.hash)
                incidents.forget_oldest(self.accounts, party)
            case ReleaseConsent() as body if taken.envelope.ref is not None:
                self._consents[bytes.fromhex(taken.envelope.ref), party] = body.release
            case Voice() as body:
                self.voices.note(Note(body, taken.own, taken.envelope.drill))
        return None

    def _declare(self, sound: SoundDeclaration, party: str, taken: Taken) -> NotTaken | None:
        declared = Declared(
            sound,
            party,
            taken.own,
            taken.hash,
            taken.envelope.seq,
            taken.logged_ms,
            taken.envelope.drill,
        )
        held = self._standing(declared.key, taken.logged_ms)
        # What is declared in earnest stands in the place of an exercise, whatever its revision.
        real_now = held is not None and held.drill and not declared.drill
        if held is not None and held.sound.revision >= sound.revision and not real_now:
            return NotTaken.OLDER_REVISION
        self._drop_threads(declared.key)
        earlier = self._messages_of.get(declared.key, b"")
        self._messages_of[declared.key] = earlier + bytes.fromhex(taken.hash)
        self.readbacks.pop(declared.key, None)
        self.loaded.discard(declared.key)
        self.past.pop(declared.key, None)
        self.picture.put(declared)
        return None

    def _cancel(self, key: str, logged_ms: int) -> NotTaken | None:
        self._drop_threads(key)
        if self._standing(key, logged_ms) is None:
            # To cancel what is cancelled or over says what is so already.
            known = key in self.past or self.picture.get(key) is not None
            return None if known else NotTaken.NOTHING_TO_CANCEL
        removed = self.picture.remove(key)
        self._forget(key)
        if removed is not None:
            self.past[key] = "CANCELLED"
            self._cancelled.append(Cancelled(removed.party, removed.declaration_id, removed.own))
        return None

    def _standing(self, key: str, logged_ms: int) -> Declared | None:
        """Return what is declared under this key unless it was over when the entry was logged.

        A running node takes out what is over about once a second, a start that reads the record
        does so seldom: what an entry changes must not depend on when somebody last looked.
        """
        held = self.picture.get(key)
        return None if held is None or held.end_ms < logged_ms else held

    def _drop_threads(self, key: str) -> None:
        for message_hash in self.messages_of(key):
            self.threads.drop(message_hash)

    def _forget(self, key: str) -> None:
        """Let go of what was said of a declaration that comes back as a new one or never."""
        self.readbacks.pop(key, None)
        self.loaded.discard(key)

    def _read_back(self, body: Readback, reader: str, taken: Taken) -> None:
        author = self.own if reader == self.peer else self.peer
        key = f"{author}/{body.values.declaration_id}"
        declared = self.picture.get(key)
        if declared is None or self.terms is None or declared.message_hash != taken.envelope.ref:
            return
        compare = partial(compared, declared.sound, body.values, self.terms)
        self.readbacks[key] = ReadbackFound(key, taken.hash, compare)

    def _result(self, key: str, readback: str | None) -> None:
        found = self.readbacks.get(key)
        if found is not None and found.message_hash == readback:
            found.told = True

    def _agreement(self, body: Readback, message_hash: str) -> Callable[[], bool]:
        """Return what tells whether a readback was compared and agrees."""
        found = next(
            (
                found
                for party in (self.own, self.peer)
                if (found := self.readbacks.get(f"{party}/{body.values.declaration_id}"))
                and found.message_hash == message_hash
            ),
            None,
        )
        return lambda: found is not None and not found.differences

    def _agree(self, body: TermsMessage, party: str, taken: Taken) -> None:
        try:
            verify_terms_signature(body.terms, body.signature, self._keys[party])
        except VerificationError:
            return  # a text that its sender did not sign is nobody's word
        if body.terms.line != self.line_id:
            return
        terms_hash = terms_hash_of(body.terms)
        if taken.kind is Kind.TERMS_PROPOSE:
            self._proposals[taken.hash] = Proposal(
                body.terms, terms_hash, party, body.signature, taken.hash
            )
            mine = [held for held in self._proposals.values() if held.by == party]
            if len(mine) > _PROPOSALS_KEPT:
                del self._proposals[mine[0].message_hash]
            return
        proposal = self._proposals.get(taken.envelope.ref or "")
        if proposal is None or proposal.terms_hash != terms_hash or proposal.by == party:
            return  # nothing of that text is proposed by the other side, so nothing is agreed
        # Proposals and acceptances may cross on the way, and a restart reads them in another
        # order. The higher version holds, whichever came first, so that both sides, and one side
        # before and after a restart, check against the same minima.
        held = (0, "") if self.terms is None else (self.terms.version, self.terms_hash or "")
        if (body.terms.version, terms_hash) <= held:
            return
        before_ms = None if self.terms is None else self.terms.line_check_every_ms
        self.terms, self.terms_hash = body.terms, terms_hash
        self.terms_signatures = {proposal.by: proposal.signature, party: body.signature}
        self.terms_by = taken.hash
        self.suspensions.use_terms(body.terms)
        self.private_checks.agreed(body.terms, taken.hash)
        self.checks.begin(taken.logged_ms, body.terms.line_check_every_ms, before_ms)
        self.picture.mark_all_changed()
