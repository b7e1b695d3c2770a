"""What a watch does beside the line's traffic: incidents, tallies, and handing over to the next."""

from collections.abc import Mapping, Sequence

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import InvalidInputError, LineStateError, NotFoundError
from deconflict.messages.bodies import Account, WatchChange, check_outgoing
from deconflict.messages.kinds import Kind
from deconflict.messages.said import joined, say
from deconflict.node.actor import Action, Actor, require
from deconflict.node.core import Say
from deconflict.node.handover import (
    AHEAD_MS,
    GAP_MS,
    ArrangedView,
    CheckView,
    OpenView,
    Sheet,
    hand_over_sheet,
)
from deconflict.node.incident_book import IncidentFile
from deconflict.node.incident_views import (
    IncidentRow,
    IncidentView,
    TallyView,
    incident_row,
    incident_view,
    own_count_view,
    said_tally_view,
    shelf_of,
)
from deconflict.node.incidents import Account as Told
from deconflict.node.line import Line
from deconflict.node.releasing import Releasing
from deconflict.node.tell.standby import standby_said
from deconflict.node.threads import Thread
from deconflict.node.views import Posted
from deconflict.node.watchkeeping import Shift

__all__ = ["DeskWork"]


class DeskWork(Releasing):
    """A running node as a watch writes up what happened, counts it, and hands over."""

    # ---- incidents -------------------------------------------------------------------------

    def incidents(self, *, language: str | None = None) -> tuple[IncidentRow, ...]:
        """Return every incident of every line, the latest first."""
        wanted = self._language(language)
        rows = [
            incident_row(shelf_of(line), held, self._outside(held), wanted)
            for line in self._core.lines.values()
            for held in line.book.incidents
        ]
        return tuple(sorted(rows, key=lambda row: (row.at_utc, row.incident_id), reverse=True))

    def incident(
        self, incident_id: str, *, line: str | None = None, language: str | None = None
    ) -> IncidentView:
        """Return one incident whole.

        Raises:
            NotFoundError: none of this id is open.
            InvalidInputError: it is open on several lines, and none was named.
        """
        held_on, held = self._incident(incident_id, line)
        wanted = self._language(language)
        return incident_view(shelf_of(held_on), held, self._outside(held), wanted)

    async def outside_account(
        self,
        actor: Actor,
        incident_id: str,
        by: str,
        fields: Mapping[str, str | int | bool],
        *,
        as_published: str | None = None,
        line: str | None = None,
    ) -> IncidentView:
        """Keep what a source without a line says of an incident, beside what the parties say.

        It is known to this node alone and never sent.
        """
        require(actor, Action.SEND)
        held_on, held = self._incident(incident_id, line)
        if by in (held_on.book.own, held_on.peer):
            raise InvalidInputError(
                "a party of the line gives its own account",
                given=by[:40],
                expected="the name of a source that has no line",
                remedy="deconflict incident account, without --by",
            )
        body = Account(event=by, fields=dict(fields), as_published=as_published)
        check_outgoing(body)
        told = Told(
            event=incident_id,
            by=by,
            fields=body.fields,
            as_published=as_published,
            drill=held.drill,
        )
        await self._runtime.commit(self._core.note_account(told, self._now))
        return incident_view(shelf_of(held_on), held, self._outside(held), actor.language)

    # ---- tallies ---------------------------------------------------------------------------

    def own_count(
        self,
        line: str,
        start_utc: str,
        end_utc: str,
        *,
        drill: bool = False,
        language: str | None = None,
    ) -> TallyView:
        """Return what the record of a line gives for a period; nothing is said."""
        held = self._core.line_named(line)
        start_ms, end_ms = parse_utc(start_utc), parse_utc(end_utc)
        tally = held.count(start_ms, end_ms, drill=drill)
        return own_count_view(held, tally, drill=drill, language=self._language(language))

    def tallies(self, line: str, *, language: str | None = None) -> tuple[TallyView, ...]:
        """Return the tallies said on a line, each held against the record, the latest first."""
        held = self._core.line_named(line)
        wanted = self._language(language)
        views = [said_tally_view(held, said, wanted) for said in held.book.incidents.tallies()]
        return tuple(sorted(views, key=lambda view: view.said_utc or "", reverse=True))

    async def tally(
        self, actor: Actor, line: str, start_utc: str, end_utc: str, *, drill: bool = False
    ) -> Posted:
        """Count a period from the record and say it to the peer, entry by entry."""
        require(actor, Action.SEND)
        held = self._core.line_named(line)
        start_ms, end_ms = parse_utc(start_utc), parse_utc(end_utc)
        # Nothing is awaited between counting and saying: it counts what its envelope cites.
        say = Say(
            kind=Kind.TALLY,
            body=held.count(start_ms, end_ms, drill=drill),
            desk=actor.desk,
            drill=drill,
            lang=actor.language,
            reader=actor.language,
        )
        return await self._say_one(actor, held, say)

    # ---- the watch -------------------------------------------------------------------------

    def shift(self, desk: str) -> Shift | None:
        """Return the last change of the watch at a desk: who took it, or signed it off."""
        return self._core.watch.shift(desk)

    def handover(
        self,
        desk: str,
        *,
        ahead_ms: int = AHEAD_MS,
        gap_ms: int = GAP_MS,
        language: str | None = None,
    ) -> Sheet:
        """Return the sheet of a desk as things stand now."""
        wanted = self._language(language)
        shift = self._core.watch.shift(desk)
        off = shift is not None and not shift.on
        now = self._now
        return hand_over_sheet(
            party=self._core.party,
            desk=desk,
            language=wanted,
            now_ms=now.utc_ms,
            ahead_ms=ahead_ms,
            gap_ms=gap_ms,
            lines=self.lines(language=wanted),
            opened=self.open_messages(language=wanted),
            alerts=self.alerts(language=wanted),
            declarations=self.declarations(),
            held=self.held(language=wanted),
            checks=self._checks(),
            calls=self._arranged(),
            signed_off_utc=format_utc(shift.since_ms) if shift is not None and off else None,
            known=frozenset(shift.keys) if shift is not None and off else None,
        )

    def _arranged(self) -> tuple[ArrangedView, ...]:
        return tuple(
            ArrangedView(
                call_id=held.hash,
                peer=line.peer,
                start_utc=held.slot.start_utc,
                end_utc=held.slot.end_utc,
                tier=held.offer.body.tier.value,
                medium=held.medium.value,
                drill=talk.drill,
            )
            for line in self._core.lines.values()
            for talk in line.book.talks
            if (held := talk.arranged) is not None
            and talk.is_ahead(self._now.utc_ms)
            and not line.book.calls.is_recorded_by(line.book.own, held.hash)
        )

    def open_messages(self, *, language: str | None = None) -> tuple[OpenView, ...]:
        """Return every message that waits for an answer or its end, the most urgent first."""
        found = [
            _open_view(line, thread, self._language(language))
            for line in self._core.lines.values()
            for thread in line.book.threads
        ]
        return tuple(sorted(found, key=lambda each: (each.due_utc, each.message)))

    async def sign_off(
        self,
        actor: Actor,
        *,
        ahead_ms: int = AHEAD_MS,
        gap_ms: int = GAP_MS,
        with_open: bool = False,
    ) -> Sheet:
        """Sign the watch off at the actor's desk; return the sheet that the next one gets.

        Raises:
            LineStateError: a CEASE is open or own cover ends before the next watch, and
                ``with_open`` is False; or it is signed off already.
        """
        require(actor, Action.SEND)
        sheet = self.handover(actor.desk, ahead_ms=ahead_ms, gap_ms=gap_ms, language=actor.language)
        if sheet.warnings and not with_open:
            raise LineStateError(
                "something is left open that does not wait",
                given=" ".join(item.text for item in sheet.warnings[:3]),
                expected="no cease request open, and no own cover that ends before the next watch",
                remedy="stay until it is settled, or sign off with it: --with-open",
            )
        keys = [item.key for item in sheet.items]
        now = self._now
        await self._runtime.commit(self._core.watch.sign_off(actor, keys, now.utc_ms + gap_ms, now))
        self._runtime.nudge()
        return sheet

    async def take_over(
        self,
        actor: Actor,
        languages: Sequence[str] = (),
        *,
        ahead_ms: int = AHEAD_MS,
        gap_ms: int = GAP_MS,
        drill: bool = False,
    ) -> Sheet:
        """Take the watch at the actor's desk; tell every peer the role, the time, the languages.

        Returns:
            The sheet as of now; what is on it and was not when it was signed off is marked new.

        Raises:
            LineStateError: the same account signed it off, or has it.
        """
        require(actor, Action.SEND)
        await self._runtime.voiced(self._core.lines)
        now = self._now
        self._core.watch.require_takeable(actor)
        sheet = self.handover(actor.desk, ahead_ms=ahead_ms, gap_ms=gap_ms, language=actor.language)
        body = WatchChange(
            desk=actor.desk,
            at_utc=format_utc(now.utc_ms),
            languages=tuple(languages) or (actor.language,),
        )
        says = [
            Say(
                kind=Kind.WATCH_CHANGE,
                body=body,
                desk=actor.desk,
                drill=drill,
                lang=actor.language,
                reader=actor.language,
            )
        ]
        on_lines = [(line, says) for line in self._core.lines.values()]
        self._require_sayable(on_lines, now)
        # In one commit: a watch that was taken and not said would be said by nobody.
        taken = self._core.watch.take_over(actor, now)
        await self._say_together(on_lines, now, beside=taken)
        return sheet

    # ---- inside ----------------------------------------------------------------------------

    def _incident(self, incident_id: str, line: str | None) -> tuple[Line, IncidentFile]:
        found = [
            (each, held)
            for each in self._lines(line)
            if (held := each.book.incidents.get(incident_id)) is not None
        ]
        if not found:
            raise NotFoundError(
                "no incident of this id is open",
                given=incident_id[:32],
                remedy="list them: deconflict incident list",
            )
        if len(found) > 1:
            raise InvalidInputError(
                "this incident is open on several lines",
                given=incident_id[:32],
                expected="one of " + ", ".join(each.peer for each, _ in found),
            )
        return found[0]

    def _outside(self, held: IncidentFile) -> Sequence[Told]:
        return self._core.outside_accounts(held.incident_id)

    def _checks(self) -> tuple[CheckView, ...]:
        found = []
        for line in self._core.lines.values():
            terms = line.book.terms
            due = None if terms is None else line.book.checks.following(terms.line_check_every_ms)
            if due is not None:
                found.append(
                    CheckView(
                        line.line_id,
                        line.peer,
                        due.by,
                        format_utc(due.since_ms),
                        format_utc(due.last_ms),
                    )
                )
        return tuple(found)


def _open_view(line: Line, thread: Thread, language: str) -> OpenView:
    return OpenView(
        message=thread.hash,
        line_id=line.line_id,
        peer=line.peer,
        own=thread.own,
        kind=thread.kind.value,
        precedence=thread.precedence,
        sent_utc=format_utc(thread.sent_ms),
        due_utc=format_utc(line.answer_due_ms(thread)),
        seen=thread.seen,
        answered_by=None if thread.answered_by is None else thread.answered_by.value,
        declaration_id=thread.declaration_id,
        drill=thread.drill,
        standby_text=say(joined(standby_said(line, thread)), language),
    )
