"""What people and programs ask of a running node, each allowed or refused by their role."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from deconflict import __version__
from deconflict.airspace.instant import format_utc
from deconflict.errors import (
    InvalidInputError,
    InvalidTimeError,
    LineStateError,
    NotFoundError,
)
from deconflict.line.moment import Now
from deconflict.line.precedence import Precedence
from deconflict.messages.agreement import sign_terms
from deconflict.messages.bodies import (
    Body,
    Cancel,
    Seen,
    TermsMessage,
    parse_body,
)
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.declaration import Declaration, SoundDeclaration
from deconflict.messages.in_force import conversions_of, minima_of
from deconflict.messages.kinds import Kind
from deconflict.messages.terms import Terms, terms_from_wire
from deconflict.node.actor import Action, Actor, require
from deconflict.node.bundle import export_bundle
from deconflict.node.core import NodeCore, Say
from deconflict.node.line import Line
from deconflict.node.picture import Declared
from deconflict.node.runtime import Runtime
from deconflict.node.show import (
    conflict_view,
    declaration_view,
    line_view,
    message_view,
    past_declaration_view,
    terms_view,
)
from deconflict.node.views import (
    AlertView,
    ConflictView,
    DeclarationView,
    EventView,
    LineView,
    MessageView,
    NodeView,
    Posted,
    TermsView,
)
from deconflict.store.base import EntryRow, Store

__all__ = ["Node"]

# A declaration or an agreement goes its own way; everything else is sent by kind.
_OWN_WAY = frozenset(
    (
        Kind.NOTIFY,
        Kind.UPDATE,
        Kind.CORRECTION,
        Kind.CANCEL,
        Kind.TERMS_PROPOSE,
        Kind.TERMS_ACCEPT,
    )
)
_LINES_AT_ONCE = 500


class Node:
    """A running node as its operators use it.

    Every method that changes or reveals something takes who asks and refuses what that role may
    not do; the doors (API, CLI) have checked already, and are not trusted to have.
    """

    def __init__(self, core: NodeCore, runtime: Runtime, store: Store) -> None:
        self._core = core
        self._runtime = runtime
        self._store = store
        self._started = runtime.now()

    # ---- reading --------------------------------------------------------------------------

    def node(self) -> NodeView:
        """Return the node itself."""
        core = self._core
        return NodeView(
            party=core.party,
            version=__version__,
            now_utc=format_utc(self._now.utc_ms),
            started_utc=format_utc(self._started.utc_ms),
            desks=core.desks,
            language=core.language,
            signing_key_fingerprint=core.key.verify_key.fingerprint(),
            lines=len(core.lines),
            drill=core.drill,
            last_event_id=self.last_event_id(),
        )

    def lines(self) -> tuple[LineView, ...]:
        """Return every line."""
        return tuple(self._line_view(line) for line in self._core.lines.values())

    def line(self, line: str) -> LineView:
        """Return the line of this id or with this peer; raises NotFoundError."""
        return self._line_view(self._core.line_named(line))

    def terms(self, line: str) -> TermsView:
        """Return the terms of a line, in force and proposed."""
        return terms_view(self._core.line_named(line))

    async def messages(
        self, line: str, *, after_seq: int = 0, limit: int = 200, outgoing: bool | None = None
    ) -> tuple[MessageView, ...]:
        """Return messages of a line above a number, in the order they were logged here."""
        held = self._core.line_named(line)
        parties = [
            party
            for party, is_own in ((self._core.party, True), (held.peer, False))
            if outgoing is None or outgoing is is_own
        ]
        rows: list[EntryRow] = []
        for party in parties:
            rows += await asyncio.to_thread(self._rows, held.line_id, party, after_seq, limit)
        rows.sort(key=lambda row: (row.logged_utc_ms, row.party, row.seq))
        language = self._core.language
        return tuple(message_view(held, row, language) for row in islice(rows, limit))

    async def message(self, message_hash: str) -> MessageView:
        """Return one message of the record; raises NotFoundError."""
        row = self._store.entry(message_hash)
        if row is None:
            raise NotFoundError(
                "the record holds no such message",
                given=message_hash[:16],
                remedy="look it up with: deconflict log",
            )
        return message_view(self._core.line_named(row.line_id), row, self._core.language)

    def declarations(self, *, active_only: bool = True) -> tuple[DeclarationView, ...]:
        """Return the declarations of both sides, the earliest first."""
        carried: dict[str, list[tuple[Line, Declared]]] = {}
        for line in self._core.lines.values():
            for declared in line.book.picture:
                carried.setdefault(declared.key, []).append((line, declared))
        views = [declaration_view(items) for items in carried.values()]
        if not active_only:
            views.extend(self._past())
        return tuple(sorted(views, key=lambda view: (view.start_utc, view.declaration_id)))

    def conflicts(self) -> tuple[ConflictView, ...]:
        """Return the present conflicts on every line, the earliest first."""
        return tuple(
            conflict_view(line, conflict, self._now.utc_ms, self._core.language)
            for line in self._core.lines.values()
            for conflict in line.book.picture.conflicts()
        )

    def alerts(self, *, open_only: bool = True) -> tuple[AlertView, ...]:
        """Return the open alerts, the most urgent first; or all that the stored events tell of."""
        if open_only:
            return self._core.alerts
        found: dict[str, AlertView] = {}
        for event in self._store.events(0):
            if event.kind == "alert":
                alert = msgspec.json.decode(event.data, type=AlertView)
                found[alert.alert_id] = alert
        return tuple(found.values())

    def last_event_id(self) -> int:
        """Return the id of the newest event, 0 before the first."""
        return self._runtime.last_event_id

    def events(self, after_id: int) -> AsyncIterator[EventView]:
        """Yield stored events after an id, then live ones; ends when the node stops."""
        return self._runtime.events(after_id)

    async def health(self) -> Mapping[str, Any]:
        """Return facts about the machine side of the node: no content of any message."""
        return {
            "party": self._core.party,
            "now_utc": format_utc(self._now.utc_ms),
            "started_utc": format_utc(self._started.utc_ms),
            "lines": [
                {
                    "peer": line.peer,
                    "state": line.monitor.state(self._now).status.value,
                    "clock_offset_ms": line.monitor.state(self._now).clock_offset_ms,
                    "problem": line.last_problem,
                }
                for line in self._core.lines.values()
            ],
            "open_alerts": len(self._core.alerts),
            "last_event_id": self.last_event_id(),
        }

    # ---- terms ----------------------------------------------------------------------------

    async def propose_terms(self, actor: Actor, line: str, terms: dict[str, Any]) -> Posted:
        """Sign terms and propose them to the peer."""
        require(actor, Action.TERMS)
        held = self._core.line_named(line)
        proposed = terms_from_wire(terms)
        if proposed.line != held.line_id:
            raise InvalidInputError(
                "these terms are for another line",
                given=proposed.line,
                expected=held.line_id,
                remedy="make them with: deconflict terms propose",
            )
        proposed.party(self._core.party)
        proposed.party(held.peer)
        in_force = held.book.terms
        wanted = (1, None) if in_force is None else (in_force.version + 1, held.book.terms_hash)
        if (proposed.version, proposed.replaces) != wanted:
            raise InvalidInputError(
                "these terms do not follow those in force",
                given=f"version {proposed.version}, replaces {proposed.replaces}",
                expected=f"version {wanted[0]}, replaces {wanted[1]}",
                remedy="begin from the terms in force: deconflict terms show",
            )
        return await self._say_terms(actor, held, Kind.TERMS_PROPOSE, proposed, None)

    async def accept_terms(self, actor: Actor, line: str, terms_hash: str) -> Posted:
        """Sign the peer's proposed terms, named by the hash that the person was shown."""
        require(actor, Action.TERMS)
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

    # ---- declaring ------------------------------------------------------------------------

    async def declare(
        self,
        actor: Actor,
        declarations: Sequence[Declaration],
        *,
        lines: Sequence[str] | None,
        drill: bool = False,
        release: str = "OWN_FORCES",
    ) -> tuple[Posted, ...]:
        """Declare several at once, all or none on each line; None is every line with terms."""
        require(actor, Action.DECLARE)
        self._refuse_past(declarations)
        for declaration in declarations:
            if any(self._carrying(declaration.declaration_id)):
                raise LineStateError(
                    "this declaration is declared already",
                    given=declaration.declaration_id,
                    remedy="send an UPDATE or a CORRECTION of it",
                )
        says = [
            Say(
                kind=Kind.NOTIFY,
                body=DeclaredBody.of(declaration),
                desk=actor.desk,
                drill=drill,
                release=release,
                lang=self._core.language,
            )
            for declaration in declarations
        ]
        return await self._say([(line, says) for line in self._chosen(lines)])

    async def update(
        self,
        actor: Actor,
        declaration: Declaration,
        *,
        lines: Sequence[str] | None,
        drill: bool = False,
        release: str = "OWN_FORCES",
    ) -> tuple[Posted, ...]:
        """Say that the plan has changed: a new revision that cites the old message."""
        return await self._revise(
            actor, Kind.UPDATE, declaration, lines=lines, drill=drill, release=release
        )

    async def correct(
        self,
        actor: Actor,
        declaration: Declaration,
        *,
        lines: Sequence[str] | None,
        drill: bool = False,
        release: str = "OWN_FORCES",
    ) -> tuple[Posted, ...]:
        """Say that what was declared was wrong: a new revision that cites the old message."""
        return await self._revise(
            actor, Kind.CORRECTION, declaration, lines=lines, drill=drill, release=release
        )

    async def cancel(
        self, actor: Actor, declaration_id: str, *, reason_number: int | None = None
    ) -> tuple[Posted, ...]:
        """Say on every line that carries it that a declaration no longer holds."""
        require(actor, Action.DECLARE)
        carried = list(self._carrying(declaration_id))
        if not carried:
            raise _not_declared(declaration_id)
        body = Cancel(declaration_id=declaration_id, reason=reason_number or 301)
        return await self._say(
            [
                (
                    line,
                    [
                        Say(
                            kind=Kind.CANCEL,
                            body=body,
                            desk=actor.desk,
                            ref=declared.message_hash,
                            lang=self._core.language,
                        )
                    ],
                )
                for line, declared in carried
            ]
        )

    async def check(
        self, actor: Actor, drafts: Sequence[Declaration] | None, *, line: str | None = None
    ) -> tuple[ConflictView, ...]:
        """Return the conflicts of all active declarations, or of drafts against the peers'.

        Nothing is sent and nothing kept. Without terms there are no minima, so a line without
        terms is refused rather than passed over.
        """
        require(actor, Action.CHECK)
        now = self._now
        lines = self._ready_lines(None if line is None else [line])
        self._refuse_past(drafts or ())
        if drafts is None:
            return tuple(
                conflict_view(held, conflict, now.utc_ms, self._core.language)
                for held in lines
                for conflict in held.book.picture.conflicts()
            )
        found: list[ConflictView] = []
        for held in lines:
            terms = held.book.terms
            if terms is None:
                continue
            tried = [
                Declared(SoundDeclaration(d), self._core.party, True, "", 0, now.utc_ms)
                for d in drafts
            ]
            found.extend(
                conflict_view(held, conflict, now.utc_ms, self._core.language)
                for conflict in held.book.picture.try_out(
                    tried, now.utc_ms, minima_of(terms), conversions_of(terms)
                )
            )
        return tuple(found)

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
        drill: bool = False,
        release: str = "OWN_FORCES",
        lang: str | None = None,
        expires_after_ms: int | None = None,
        answer_within_ms: int | None = None,
    ) -> Posted:
        """Send a message of any kind but declarations and terms."""
        require(actor, Action.SEND)
        parsed: Body = parse_body(kind, body)
        if Kind(kind) in _OWN_WAY:
            raise InvalidInputError(
                "messages of this kind are not sent one by one",
                given=kind,
                expected="declare, update, correct, cancel; terms propose, terms accept",
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
            lang=lang or self._core.language,
            expires_after_ms=expires_after_ms,
            answer_within_ms=answer_within_ms,
        )
        return (await self._say([(self._core.line_named(line), [say])]))[0]

    async def seen(self, actor: Actor, message_hash: str) -> Posted:
        """Say that a message of the peer stood on the screen of this desk."""
        require(actor, Action.SEND)
        view = await self.message(message_hash)
        body = Seen(desk=actor.desk, at_utc=format_utc(self._now.utc_ms))
        say = Say(
            kind=Kind.SEEN,
            body=body,
            desk=actor.desk,
            ref=message_hash,
            lang=self._core.language,
        )
        return (await self._say([(self._core.line_named(view.line_id), [say])]))[0]

    async def export(self, actor: Actor, line: str) -> AsyncIterator[bytes]:
        """Yield the whole record of a line as a bundle that verifies anywhere."""
        require(actor, Action.EXPORT)
        held = self._core.line_named(line)
        lines = export_bundle(
            self._store,
            held.line_id,
            signer=self._core.key,
            peer_key=held.peer_key,
            exported_utc_ms=self._now.utc_ms,
        )
        while True:
            # Some lines at a time, off the loop: a long record must not hold up a beat.
            part = await asyncio.to_thread(lambda: b"".join(islice(lines, _LINES_AT_ONCE)))
            if not part:
                return
            yield part

    # ---- inside ---------------------------------------------------------------------------

    @property
    def _now(self) -> Now:
        return self._runtime.now()

    def _line_view(self, line: Line) -> LineView:
        open_alerts = sum(1 for alert in self._core.alerts if alert.line_id == line.line_id)
        return line_view(line, open_alerts, self._now)

    def _chosen(self, lines: Sequence[str] | None) -> tuple[Line, ...]:
        return self._ready_lines(lines)

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
        drill: bool,
        release: str,
    ) -> tuple[Posted, ...]:
        require(actor, Action.DECLARE)
        wanted = None if lines is None else {self._core.line_named(n).line_id for n in lines}
        carried = [
            (line, declared)
            for line, declared in self._carrying(declaration.declaration_id)
            if wanted is None or line.line_id in wanted
        ]
        if not carried:
            raise _not_declared(declaration.declaration_id)
        self._refuse_past([declaration])
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
                            lang=self._core.language,
                        )
                    ],
                )
                for line, declared in carried
            ]
        )

    def _refuse_past(self, declarations: Sequence[Declaration]) -> None:
        for declaration in declarations:
            if declaration.span.end_ms < self._now.utc_ms:
                raise InvalidTimeError(
                    "this declaration is over already, so nobody can act on it",
                    given=f"end {format_utc(declaration.span.end_ms)}",
                    expected=f"an end after now, {format_utc(self._now.utc_ms)}",
                    remedy="look at the date",
                )

    async def _say_terms(
        self, actor: Actor, line: Line, kind: Kind, terms: Terms, ref: str | None
    ) -> Posted:
        body = TermsMessage(terms=terms, signature=sign_terms(terms, self._core.key))
        say = Say(kind=kind, body=body, desk=actor.desk, ref=ref, lang=self._core.language)
        return (await self._say([(line, [say])]))[0]

    async def _say(self, on_lines: Sequence[tuple[Line, Sequence[Say]]]) -> tuple[Posted, ...]:
        now = self._now
        posted: list[Posted] = []
        waiting = []
        for line, says in on_lines:
            work, said = self._core.say(line.line_id, says, now)
            waiting.append(self._runtime.commit(work))
            posted.extend(said)
        await asyncio.gather(*waiting)
        self._runtime.nudge()
        return tuple(posted)

    def _rows(self, line_id: str, party: str, after_seq: int, limit: int) -> list[EntryRow]:
        return list(self._store.entries(line_id, party, after_seq=after_seq, limit=limit))

    def _past(self) -> Iterator[DeclarationView]:
        for line in self._core.lines.values():
            for key, state in line.book.past.items():
                row = self._store.entry(line.book.messages_of(key)[-1])
                view = None if row is None else past_declaration_view(line, row, state)
                if view is not None:
                    yield view


def _not_declared(declaration_id: str) -> NotFoundError:
    return NotFoundError(
        "no active declaration of ours has this id",
        given=declaration_id[:40],
        remedy="list them with: deconflict check, or deconflict log",
    )
