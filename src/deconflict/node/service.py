"""What people and programs ask of a running node, each allowed or refused by their role."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidInputError, LineStateError, NotFoundError
from deconflict.line.precedence import Precedence
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import Body, Cancel, Seen, TermsMessage, parse_body
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.kinds import SAID_BY_NODES, Kind
from deconflict.messages.terms import Terms
from deconflict.node.acting import Acting
from deconflict.node.actor import Action, Actor, allowed, require
from deconflict.node.calling import Calling
from deconflict.node.carrying import Carrying
from deconflict.node.comparing import Comparing
from deconflict.node.core import Say
from deconflict.node.desk_work import DeskWork
from deconflict.node.disclosure import disclose
from deconflict.node.drafts import check_drafts, require_named, require_sendable, unchecked_texts
from deconflict.node.equivocation import equivocation_of
from deconflict.node.exercising import Exercising
from deconflict.node.exports import Export
from deconflict.node.inquiring import Inquiring
from deconflict.node.line import Line
from deconflict.node.looking import FEW_PLACES, Looked, PartialDraft, look_at
from deconflict.node.picture import Declared
from deconflict.node.private.mediated_asking import MediatedAsking
from deconflict.node.proof_lines import encode_proof_file
from deconflict.node.show import conflict_views
from deconflict.node.site_reading import SiteReading
from deconflict.node.talking import READOUT_KINDS, TALK_KINDS
from deconflict.node.tending.tended import Tended
from deconflict.node.terms_reading import TermsReading, proposable
from deconflict.node.translating import Translating
from deconflict.node.views import Checked, LineView, Posted
from deconflict.node.ways_out.asking import Advising

__all__ = ["Node"]

# A declaration, an agreement, a count, a change of the watch and what is about a call go their own
# way; everything else is sent by kind.
_OWN_WAY = (
    TALK_KINDS
    | READOUT_KINDS
    | {
        Kind.NOTIFY,
        Kind.UPDATE,
        Kind.CORRECTION,
        Kind.CANCEL,
        Kind.TERMS_PROPOSE,
        Kind.TERMS_ACCEPT,
        Kind.TALLY,
        Kind.WATCH_CHANGE,
        Kind.EPOCH,
        Kind.DRILL_BEGIN,
        Kind.DRILL_END,
        Kind.PRIVATE_PROPOSE,
        Kind.PRIVATE_ACCEPT,
        Kind.PRIVATE_DECLINE,
        Kind.PRIVATE_END,
        *SAID_BY_NODES,
    }
)
_LINES_AT_ONCE = 500
_BYTES_AT_ONCE = 1024 * 1024  # of lines together; one alone may be longer


class Node(
    DeskWork,
    Acting,
    Translating,
    Carrying,
    Calling,
    Exercising,
    Inquiring,
    Comparing,
    Advising,
    Tended,
    SiteReading,
    MediatedAsking,
    TermsReading,
):
    """A running node as its operators use it.

    Every method that changes or reveals something takes who asks and refuses what that role may
    not do; the doors (API, CLI) have checked already, and are not trusted to have.
    """

    # ---- terms ----------------------------------------------------------------------------

    async def propose_terms(self, actor: Actor, line: str, terms: dict[str, Any]) -> Posted:
        """Sign terms and propose them to the peer."""
        require(actor, Action.TERMS)
        held = self._core.line_named(line)
        proposed = proposable(terms, held, self._core.party)
        return await self._say_terms(actor, held, Kind.TERMS_PROPOSE, proposed, None)

    async def accept_terms(self, actor: Actor, line: str, terms_hash: str) -> Posted:
        """Sign the peer's proposed terms, named by the hash that the person was shown."""
        require(actor, Action.TERMS)
        await self._runtime.settled()
        held = self._core.line_named(line)
        proposal = held.book.proposal
        if proposal is None or proposal.by == self._core.party:
            raise LineStateError(
                f"{held.peer} has proposed no terms",
                expected="a proposal of the other side",
                remedy="wait for it, or propose some: deconflict terms propose",
            )
        if proposal.terms_hash != terms_hash:
            raise LineStateError(
                "another text is proposed now",
                given=terms_hash[:16],
                expected=proposal.terms_hash[:16],
                remedy="read it again: deconflict terms show",
            )
        return await self._say_terms(
            actor, held, Kind.TERMS_ACCEPT, proposal.terms, proposal.message_hash
        )

    async def reopen(self, actor: Actor, line: str) -> LineView:
        """Open a fresh epoch on a line where this node is mute, without the peer's answer."""
        require(actor, Action.TERMS)
        held = self._core.line_named(line)
        await self._runtime.reopen(held.line_id)
        return self.line(held.line_id, language=actor.language)

    # ---- declaring ------------------------------------------------------------------------

    async def declare(
        self,
        actor: Actor,
        declarations: Sequence[Declaration],
        *,
        lines: Sequence[str] | None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]:
        """Declare several at once, all or none; ``lines`` None is every line with terms.

        A protected site goes to nobody who is not named (R37). Latitude and longitude that look
        exchanged are refused, unless ``as_written``.
        """
        require(actor, _declaring(declarations))
        chosen = self._ready_lines(lines)
        if lines is None:
            require_named(declarations, [line.peer for line in chosen])
        require_sendable(declarations, _terms_of(chosen), self._now, as_written=as_written)
        for declaration in declarations:
            if any(self._carrying(declaration.declaration_id)):
                raise LineStateError(
                    "this declaration is declared already",
                    given=declaration.declaration_id,
                    remedy="send an UPDATE or a CORRECTION of it, or tell further lines of it",
                )
        says = self._notices(actor, declarations, drill=drill, release=release)
        self._require_one_mark(says[:1], chosen)
        return await self._say(actor, [(line, says) for line in chosen])

    async def update(
        self,
        actor: Actor,
        declaration: Declaration,
        *,
        lines: Sequence[str] | None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]:
        """Say that the plan has changed: a new revision that cites the old message."""
        return await self._revise(
            actor,
            Kind.UPDATE,
            declaration,
            lines=lines,
            drill=drill,
            release=release,
            as_written=as_written,
        )

    async def correct(
        self,
        actor: Actor,
        declaration: Declaration,
        *,
        lines: Sequence[str] | None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]:
        """Say that what was declared was wrong: a new revision that cites the old message."""
        return await self._revise(
            actor,
            Kind.CORRECTION,
            declaration,
            lines=lines,
            drill=drill,
            release=release,
            as_written=as_written,
        )

    async def tell(
        self,
        actor: Actor,
        declaration_id: str,
        *,
        lines: Sequence[str],
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        as_written: bool = False,
    ) -> tuple[Posted, ...]:
        """Declare on further lines what is declared on others, as it stands there now."""
        require(actor, Action.DECLARE_SITE)
        carried = [declared for _, declared in self._carrying(declaration_id)]
        require(actor, _declaring(declared.declaration for declared in carried))
        if not carried:
            raise _not_declared(declaration_id)
        newest = max(carried, key=lambda declared: declared.sound.revision)
        chosen = self._ready_lines(lines)
        for line in chosen:
            if line.book.picture.own_of(newest.key) is not None:
                raise LineStateError(
                    "this declaration is declared on that line already",
                    given=f"{declaration_id[:12]}, {line.peer}",
                    remedy="send an UPDATE or a CORRECTION of it",
                )
        agreed = _terms_of(chosen)
        require_sendable([newest.declaration], agreed, self._now, as_written=as_written)
        says = self._notices(
            actor, [newest.declaration], drill=newest.drill or bool(drill), release=release
        )
        return await self._say(actor, [(line, says) for line in chosen])

    async def cancel(
        self, actor: Actor, declaration_id: str, *, reason_number: int | None = None
    ) -> tuple[Posted, ...]:
        """Say on every line that carries it that a declaration no longer holds."""
        require(actor, Action.DECLARE_SITE)
        carried = list(self._carrying(declaration_id))
        require(actor, _declaring(declared.declaration for _, declared in carried))
        if not carried:
            raise _not_declared(declaration_id)
        body = Cancel(declaration_id=declaration_id, reason=reason_number or 301)
        return await self._say(
            actor,
            [
                (
                    line,
                    [
                        Say(
                            kind=Kind.CANCEL,
                            body=body,
                            desk=actor.desk,
                            ref=declared.message_hash,
                            lang=actor.language,
                            reader=actor.language,
                        )
                    ],
                )
                for line, declared in carried
            ],
        )

    async def check(
        self,
        actor: Actor,
        drafts: Sequence[Declaration] | None,
        *,
        line: str | None = None,
        as_written: bool = False,
    ) -> Checked:
        """Return the conflicts of all active declarations, or of drafts against the peers'.

        Drafts are refused, and warned of, as they would be if they were declared now; only a
        suspension, which may be over by then, stands in no draft's way. Nothing is sent and nothing
        kept. Without terms there are no minima, so a line without terms is refused rather than
        passed over.
        """
        require(actor, Action.CHECK)
        now = self._now
        lines = self._ready_lines(None if line is None else [line])
        await self._look_at_changes()
        if drafts is None:
            return Checked(
                conflict_views(lines, now.utc_ms, actor.language),
                tuple(
                    text
                    for held in lines
                    for text in unchecked_texts(held.book.picture.unchecked(), actor.language)
                ),
            )
        require_sendable(drafts, _terms_of(lines), now, as_written=as_written)
        says = self._notices(actor, drafts)
        for held in lines:
            self._core.require_writable(held.line_id, says, now)
        return check_drafts(drafts, lines, now, self._core.party, actor.language)

    async def look(
        self, actor: Actor, drafts: Sequence[PartialDraft], *, line: str | None = None
    ) -> Looked:
        """Return what the sender of drafts should know, whole or not, with agreed landmarks.

        Unlike :meth:`check` it needs no line with terms, and looks for no conflicts.
        """
        require(actor, Action.CHECK)
        chosen = self._core.lines.values() if line is None else [self._core.line_named(line)]
        about = (drafts, tuple(chosen), self._now, self._core.party, self._core.language)
        if sum(len(draft.places) for draft in drafts) <= FEW_PLACES:
            return look_at(*about)
        # Agreed terms are values: another thread reads them while the beats go on here.
        return await asyncio.to_thread(look_at, *about)

    # ---- messages -------------------------------------------------------------------------

    async def send(
        self,
        actor: Actor,
        line: str,
        kind: str,
        body: dict[str, Any],
        *,
        ref: str | None = None,
        precedence: str | None = None,
        to_desk: str | None = None,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
        lang: str | None = None,
        expires_after_ms: int | None = None,
        answer_within_ms: int | None = None,
    ) -> Posted:
        """Send a message of any kind but declarations, terms and what is about calls.

        A reply that says what was said already is not signed again: the first one is returned.
        """
        require(actor, _sending(kind))
        if ref is not None:
            await self._runtime.settled()  # what was shown a moment ago may still be on its way
        parsed: Body = parse_body(kind, body)
        if Kind(kind) in _OWN_WAY:
            raise InvalidInputError(
                "messages of this kind are not sent one by one",
                given=kind,
                expected="declare, update, correct, cancel; terms propose, terms accept; "
                "incident tally; line handover; line call, line readout; line drill; private",
            )
        if precedence is not None and precedence not in set(Precedence):
            raise InvalidInputError(
                "no such precedence", given=precedence[:20], expected=", ".join(Precedence)
            )
        say = Say(
            kind=Kind(kind),
            body=parsed,
            desk=actor.desk,
            ref=ref,
            precedence=None if precedence is None else Precedence(precedence),
            to_desk=to_desk,
            drill=drill,
            release=release,
            lang=lang or actor.language,
            reader=actor.language,
            expires_after_ms=expires_after_ms,
            answer_within_ms=answer_within_ms,
            # An envelope names a desk, never who sat there: whose warning it was, a note says.
            for_sites=not allowed(actor.roles, Action.READ),
        )
        return await self._reply(actor, self._core.line_named(line), say)

    async def seen(self, actor: Actor, message_hash: str) -> Posted:
        """Say that a message of the peer stood on the screen of this desk; once."""
        require(actor, Action.SEND)
        await self._runtime.settled()
        view = await self.message(message_hash)
        body = Seen(desk=actor.desk, at_utc=format_utc(self._now.utc_ms))
        say = Say(
            kind=Kind.SEEN,
            body=body,
            desk=actor.desk,
            ref=message_hash,
            lang=actor.language,
            reader=actor.language,
        )
        return await self._reply(actor, self._core.line_named(view.line_id), say)

    async def export(self, actor: Actor, line: str) -> AsyncIterator[bytes]:
        """Yield the whole record of a line as a bundle that verifies anywhere."""
        await self._note_export(actor, self.require_exportable(actor, line, Export.RECORD))
        held = self._core.line_named(line)
        lines = self._bundle_of(held, with_parts=True)
        while True:
            # Some lines at a time, off the loop: a long record must not hold up a beat.
            part = await asyncio.to_thread(_next_lines, lines)
            if not part:
                return
            yield part

    async def disclose(self, actor: Actor, line: str, message_hash: str) -> bytes:
        """Return one message as a file that proves its place and shows no other message."""
        wanted = self.require_exportable(actor, line, Export.MESSAGE, message_hash)
        held = self._core.line_named(line)
        proof = await asyncio.to_thread(
            disclose,
            self._store,
            held.line_id,
            message_hash,
            signer=held.own_key,
            peer_key=held.peer_key,
            own_key=self._core.key.verify_key,
            changes=held.key_changes,
        )
        await self._note_export(actor, wanted)
        return encode_proof_file(proof)

    async def fork(self, actor: Actor, line: str) -> bytes:
        """Return the proof that the peer signed two things for one place."""
        wanted = self.require_exportable(actor, line, Export.FORK)
        held = self._core.line_named(line)
        proof = await asyncio.to_thread(
            equivocation_of,
            self._store,
            held.line_id,
            held.peer,
            held.peer_key,
            held.machine.identity.peer_ring,
        )
        await self._note_export(actor, wanted)
        return encode_proof_file(proof)

    # ---- inside ---------------------------------------------------------------------------

    def _ready_lines(self, names: Sequence[str] | None) -> tuple[Line, ...]:
        if names is not None:
            chosen = tuple(self._core.line_named(name) for name in names)
        else:
            chosen = tuple(
                line for line in self._core.lines.values() if line.book.terms is not None
            )
        for line in chosen:
            line.require_ready(Kind.NOTIFY)
        if not chosen:
            raise LineStateError(
                "no line has terms, so there are no minima to check against",
                expected="at least one line whose terms both parties signed",
                remedy="deconflict terms propose, and the other side: deconflict terms accept",
            )
        return chosen

    def _notices(
        self,
        actor: Actor,
        declarations: Iterable[Declaration],
        *,
        drill: bool | None = None,
        release: str = "OWN_FORCES",
    ) -> list[Say]:
        return [
            Say(
                kind=Kind.NOTIFY,
                body=DeclaredBody.of(declaration),
                desk=actor.desk,
                drill=drill,
                release=release,
                lang=actor.language,
                reader=actor.language,
            )
            for declaration in declarations
        ]

    def _require_one_mark(self, says: Sequence[Say], lines: Iterable[Line]) -> None:
        """Refuse what would be exercise on one line and real on another."""
        for say in says:
            now = self._now
            drills = [ln.peer for ln in lines if self._core.is_drill(ln.line_id, say, now)]
            real = [ln.peer for ln in lines if ln.peer not in drills]
            if drills and real:
                raise LineStateError(
                    "an exercise lasts on some of these lines, and not on others",
                    given=f"exercise: {', '.join(drills)}; none: {', '.join(real)}",
                    expected="a declaration that is exercise on each line it goes to, or on none",
                    remedy="say which: --drill or --real; or name the lines: --line PEER",
                )

    def _carrying(self, declaration_id: str) -> Iterator[tuple[Line, Declared]]:
        for line in self._core.lines.values():
            declared = line.book.picture.get(f"{self._core.party}/{declaration_id}")
            if declared is not None:
                yield line, declared

    async def _revise(
        self,
        actor: Actor,
        kind: Kind,
        declaration: Declaration,
        *,
        lines: Sequence[str] | None,
        drill: bool | None,
        release: str,
        as_written: bool,
    ) -> tuple[Posted, ...]:
        require(actor, _declaring([declaration]))
        wanted = None if lines is None else {self._core.line_named(n).line_id for n in lines}
        carried = [
            (line, declared)
            for line, declared in self._carrying(declaration.declaration_id)
            if wanted is None or line.line_id in wanted
        ]
        require(actor, _declaring(declared.declaration for _, declared in carried))
        if not carried:
            raise _not_declared(declaration.declaration_id)
        agreed = _terms_of(line for line, _ in carried)
        require_sendable([declaration], agreed, self._now, as_written=as_written)
        revision = max(declared.declaration.revision for _, declared in carried) + 1
        body = DeclaredBody.of(
            Declaration(
                declaration_id=declaration.declaration_id,
                purpose=declaration.purpose,
                geometry=declaration.geometry,
                label=declaration.label,
                revision=revision,
            )
        )
        return await self._say(
            actor,
            [
                (
                    line,
                    [
                        Say(
                            kind=kind,
                            body=body,
                            desk=actor.desk,
                            ref=declared.message_hash,
                            drill=drill,
                            release=release,
                            lang=actor.language,
                            reader=actor.language,
                        )
                    ],
                )
                for line, declared in carried
            ],
        )

    async def _say_terms(
        self, actor: Actor, line: Line, kind: Kind, terms: Terms, ref: str | None
    ) -> Posted:
        body = TermsMessage(terms=terms, signature=sign_terms(terms, line.own_key))
        say = Say(
            kind=kind,
            body=body,
            desk=actor.desk,
            ref=ref,
            lang=actor.language,
            reader=actor.language,
        )
        return await self._say_one(actor, line, say)


def _sending(kind: str) -> Action:
    """Return what somebody must be allowed to send a message of this kind."""
    if kind in (Kind.SAFETY, Kind.CEASE):
        return Action.WARN
    # Who may pass on what was declared is for whoever may declare.
    return Action.DECLARE if kind == Kind.RELEASE_CONSENT else Action.SEND


def _declaring(declarations: Iterable[Declaration]) -> Action:
    """Return what somebody must be allowed to declare these, or to change or end them."""
    sites = all(each.purpose is Purpose.PROTECTED_SITE for each in declarations)
    return Action.DECLARE_SITE if sites else Action.DECLARE


def _terms_of(lines: Iterable[Line]) -> list[Terms]:
    return [line.book.terms for line in lines if line.book.terms is not None]


def _not_declared(declaration_id: str) -> NotFoundError:
    return NotFoundError(
        "no active declaration of ours has this id",
        given=declaration_id[:40],
        remedy="list them with: deconflict check, or deconflict log",
    )


def _next_lines(lines: Iterator[bytes]) -> bytes:
    """Return the next lines of a bundle, nothing where there are none left."""
    taken = bytearray()
    for line in islice(lines, _LINES_AT_ONCE):
        taken += line
        if len(taken) >= _BYTES_AT_ONCE:
            break
    return bytes(taken)
