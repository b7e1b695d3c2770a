"""Saying what one person may say alone, holding what needs two, releasing it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias
from weakref import WeakValueDictionary

from deconflict.airspace.position import Position
from deconflict.errors import InvalidInputError, LineStateError, NotReleasedError
from deconflict.line.envelope import Envelope, read_envelope
from deconflict.line.keys import SigningKey
from deconflict.line.moment import Now
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.kinds import Kind, ends_flash
from deconflict.messages.message_text import message_text
from deconflict.messages.phrases import render_named
from deconflict.node.actor import Actor, require
from deconflict.node.core import NodeCore, Say
from deconflict.node.exports import Export, Wanted, export_text
from deconflict.node.held import (
    NOTE,
    Held,
    HeldBook,
    needs_second_person,
    require_as_written,
    require_not_overtaken,
    require_sites_found,
)
from deconflict.node.line import Line
from deconflict.node.reading import Reading
from deconflict.node.runtime import Runtime
from deconflict.node.said_before import is_first, is_reply, said_before
from deconflict.node.saying import IN_NEED
from deconflict.node.tell.remarks import remarks_on
from deconflict.node.views import ExportView, HeldMessage, HeldView, Posted
from deconflict.node.work import Work
from deconflict.store.base import Store

__all__ = ["Releasing"]

_Change: TypeAlias = tuple[Held, str, Actor]
_REPORTS: Final = frozenset((Kind.CEASED, Kind.CONTINUING, Kind.CANNOT_REACH))
_LOOKED_BACK: Final = 1_000  # own messages among which a report is looked for


class Releasing(Reading):
    """A running node through which things are said, by one person or two.

    Args:
        core: what it knows.
        runtime: what drives it.
        store: its record.
        release_persons: how many this party wants for declarations, terms and readouts, for what
            ends a CEASE, and for what is taken away: 1 or 2. How many an ANSWER needs, the terms
            say. SAFETY, CEASE, ACK and QUERY never wait.
    """

    def __init__(
        self, core: NodeCore, runtime: Runtime, store: Store, *, release_persons: int = 1
    ) -> None:
        super().__init__(core, runtime, store)
        self._release_persons = release_persons
        self._held = HeldBook(store.notes(NOTE), core.random_bytes)
        self._also: Callable[[str], tuple[HeldView, ...]] = lambda _: ()
        # One reply at a time to a message: of two hands at once, the second finds the first's.
        self._hands: WeakValueDictionary[tuple[str, str | None], asyncio.Lock] = (
            WeakValueDictionary()
        )

    def look_also(self, waiting: Callable[[str], tuple[HeldView, ...]]) -> None:
        """Show beside one's own, in a language, who waits elsewhere in the node to be let in."""
        self._also = waiting

    def held(self, *, language: str | None = None) -> tuple[HeldView, ...]:
        """Return what waits for a second person, the oldest first."""
        wanted = self._language(language)
        own = (self._shown(held, wanted) for held in self._held.list(self._now.utc_ms))
        return tuple(sorted((*own, *self._also(wanted)), key=lambda view: view.written_utc))

    async def release(
        self, actor: Actor, held_id: str, *, places: Sequence[Position] = ()
    ) -> tuple[Posted, ...]:
        """Say what another person wrote: all of it, or nothing, and then it is still held.

        Args:
            actor: the second person.
            held_id: what it is named.
            places: where this person finds the protected sites that it declares.

        Raises:
            NotReleasedError: a site is declared, and was not found by this person.
            NotPermittedError: they wrote it themselves, or may not say such things.
            NotFoundError: nothing is held under this name.
            LineStateError: what it was written against has changed.
        """
        await self._runtime.voiced({say.line_id for say in self._held_named(held_id).says})
        # Until it is dropped nothing is awaited, so that nobody else can release it meanwhile.
        held = self._held_named(held_id)
        held.require_releasable(actor)
        if held.export is not None:
            granted = self._held.grant(held, actor, self._now.utc_ms)
            await self._commit((granted, "RELEASED", actor))
            return ()
        on_lines = self._on_lines(held, reader=actor.language)
        for line, says in on_lines:
            require_sites_found(held, says, places)
            for say in says:
                # Whoever reported that it goes on, and then wrote this, has something left to say.
                if self._last_report(line, say) is None:
                    require_as_written(line, say, self._now.utc_ms)
                if ends_flash(say.kind):
                    require_not_overtaken(held, self._reported(line, say))
        self._require_sayable(on_lines, self._now)
        self._held.drop(held)
        # In one commit: were it said and still held, it could be said again.
        gone = self._noted((held, "RELEASED", actor))
        return await self._say_together(on_lines, self._now, beside=gone)

    async def withdraw(self, actor: Actor, held_id: str) -> HeldView:
        """Forget what is held; anybody can who may say such things.

        Raises:
            NotPermittedError: they may not.
            NotFoundError: nothing is held under this name.
        """
        held = self._held_named(held_id)
        held.require_allowed(actor)
        self._held.drop(held)
        await self._commit((held, "WITHDRAWN", actor))
        return self._shown(held, actor.language)

    # ---- what is taken away ----------------------------------------------------------------

    async def ask_export(
        self, actor: Actor, line: str, what: str, message: str | None = None
    ) -> ExportView:
        """Ask to take something away; where two persons are wanted it waits for the second.

        Asked again, it is the same that waits; once released, who asked may take it for an hour.
        """
        wanted = self._wanted(line, what, message)
        require(actor, wanted.what.action)
        if self._release_persons < 2:
            return ExportView("FREE")
        now_ms = self._now.utc_ms
        held = self._held.asked(actor, wanted, now_ms)
        if held is None:
            held = self._held.ask(actor, wanted, now_ms)
            await self._commit((held, "HELD", actor))
        return ExportView("HELD" if held.waits else "RELEASED", held.held_id, held.expires_utc)

    def require_exportable(
        self, actor: Actor, line: str, what: str, message: str | None = None
    ) -> Wanted:
        """Return what this person may take away now.

        Raises:
            NotPermittedError: their role may not.
            NotReleasedError: two persons are wanted, and no second one has released it to them.
        """
        wanted = self._wanted(line, what, message)
        require(actor, wanted.what.action)
        if self._release_persons > 1:
            held = self._held.asked(actor, wanted, self._now.utc_ms)
            if held is None or held.waits:
                raise NotReleasedError(
                    "this party wants two persons for what is taken away",
                    given="nobody asked yet" if held is None else f"{held.held_id} waits",
                    expected="a second person to have released it, within the last hour",
                    remedy="ask: POST /lines/{line}/exports; then deconflict line release"
                    if held is None
                    else f"under another account: deconflict line release {held.held_id}",
                )
        return wanted

    # ---- inside ---------------------------------------------------------------------------

    async def _note_export(self, actor: Actor, wanted: Wanted) -> None:
        """Write down that something is taken away, before a byte of it leaves."""
        event = {
            "what": wanted.what.value,
            "line_id": wanted.line_id,
            "message": wanted.message,
            "desk": actor.desk,
            "account": actor.account,
        }
        await self._runtime.commit(self._core.note_export(event, self._now))

    def _wanted(self, line: str, what: str, message: str | None) -> Wanted:
        if what not in tuple(Export) or (what == Export.MESSAGE) != (message is not None):
            raise InvalidInputError(
                "this cannot be taken away",
                given=what[:20],
                expected="RECORD, FORK or PARCEL; or MESSAGE, and which",
            )
        return Wanted(Export(what), self._core.line_named(line).line_id, message)

    def _held_named(self, held_id: str) -> Held:
        if any(view.held_id == held_id for view in self._also(self._core.language)):
            raise LineStateError(
                "who is let in is released at another place",
                given=held_id[:20],
                expected="what is said or taken away",
                remedy=f"deconflict enrol release {held_id[:20]}",
            )
        return self._held.get(held_id, self._now.utc_ms)

    async def _commit(self, change: _Change) -> None:
        await self._runtime.commit(self._noted(change))

    def _noted(self, change: _Change) -> Work:
        """Write down who did what to something held, and what has lapsed meanwhile."""
        now = self._now
        lapsed = [
            (HeldBook.gone(held), _event(held, "EXPIRED", None))
            for held in self._held.take_lapsed(now.utc_ms)
        ]
        held, state, actor = change
        keeps = state == "HELD" or held.released_by is not None
        note = HeldBook.kept(held) if keeps else HeldBook.gone(held)
        return self._core.note_held([*lapsed, (note, _event(held, state, actor))], now)

    async def _say(
        self, actor: Actor, on_lines: Sequence[tuple[Line, Sequence[Say]]]
    ) -> tuple[Posted, ...]:
        """Say it, or hold all of it when any of it needs a second person."""
        await self._runtime.voiced(
            [line.line_id for line, _ in on_lines],
            in_need=any(say.kind in IN_NEED for _, says in on_lines for say in says),
        )
        if any(say.ref is not None for _, says in on_lines for say in says):
            # What is shown, as a call or a declaration, may still be on its way to the disk, where
            # what is cited is looked up.
            await self._runtime.settled()
        now = self._now
        if any(
            needs_second_person(line, say.kind, self._release_persons)
            for line, says in on_lines
            for say in says
        ):
            return await self._hold(actor, on_lines, now)
        if len(on_lines) > 1:
            # All or none: what one line refuses must not have been said on another before.
            self._require_sayable(on_lines, now)
        return await self._say_together(on_lines, now)

    async def _say_one(self, actor: Actor, line: Line, say: Say) -> Posted:
        return (await self._say(actor, [(line, [say])]))[0]

    async def _reply(self, actor: Actor, line: Line, say: Say) -> Posted:
        """Say a reply, or return the one that says the same already and is not signed again."""
        if not is_reply(say):
            return await self._say_one(actor, line, say)
        async with self._hands.setdefault((line.line_id, say.ref), asyncio.Lock()):
            held = self._held.waiting(line.line_id, say, self._now.utc_ms)
            if held is not None:
                return self._joined(line, say, held)
            if is_first(line, say):
                return await self._say_one(actor, line, say)
            await self._runtime.settled()  # what another hand said may be on its way to the disk
            before = await asyncio.to_thread(said_before, self._store, line, say)
            if before is None:
                return await self._say_one(actor, line, say)
            envelope = before.envelope
            return Posted(
                hash=before.row.hash,
                line_id=line.line_id,
                epoch=before.row.epoch,
                seq=before.row.seq,
                kind=envelope.kind,
                state=line.delivery(before.row.hash, (before.row.epoch, before.row.seq)).state,
                warnings=self._already(
                    "SAID_ALREADY", say, at=envelope.created_utc, desk=envelope.sender.desk
                ),
                said_already=True,
            )

    def _joined(self, line: Line, say: Say, held: Held) -> Posted:
        """Return what waits for a second person already, as if it had just been written."""
        return Posted(
            hash="",
            line_id=line.line_id,
            epoch="",
            seq=0,
            kind=say.kind.value,
            state="HELD",
            warnings=self._already("WAITS_ALREADY", say, at=held.at_utc),
            held_id=held.held_id,
            said_already=True,
        )

    def _already(self, name: str, say: Say, **values: str) -> tuple[str, ...]:
        language = self._language(say.reader)
        return (render_named(name, {"kind": say.kind.value, **values}, language),)

    async def _say_together(
        self,
        on_lines: Sequence[tuple[Line, Sequence[Say]]],
        now: Now,
        *,
        beside: Work | None = None,
    ) -> tuple[Posted, ...]:
        """Say it in one commit, with what else is to be kept in it; nobody is asked any more."""
        by_id = [(line.line_id, says) for line, says in on_lines]
        durable, posted = self._runtime.say(by_id, now, beside=beside)
        await durable
        self._runtime.nudge()
        return posted

    async def _hold(
        self, actor: Actor, on_lines: Sequence[tuple[Line, Sequence[Say]]], now: Now
    ) -> tuple[Posted, ...]:
        # What cannot be said is refused to who writes it, not to who releases it.
        self._require_sayable(on_lines, now)
        for line, some in on_lines:
            for say in some:
                self._last_report(line, say)
        # Marked as of now: whoever wrote it in an exercise meant it so, whenever it is released.
        says = [
            (line.line_id, replace(say, drill=self._core.is_drill(line.line_id, say, now)))
            for line, some in on_lines
            for say in some
        ]
        held = self._held.hold(actor, says, now.utc_ms)
        await self._commit((held, "HELD", actor))
        return tuple(
            Posted(
                hash="",
                line_id=line_id,
                epoch="",
                seq=0,
                kind=say.kind.value,
                state="HELD",
                # The time that a second person takes is taken from the notice too.
                warnings=self._foreseen(line_id, say, now, self._language(say.reader)),
                held_id=held.held_id,
            )
            for line_id, say in says
        )

    def _foreseen(self, line_id: str, say: Say, now: Now, language: str) -> tuple[str, ...]:
        """Return what there is to warn of in a declaration, were it said now."""
        line = self._core.lines.get(line_id)
        terms = None if line is None else line.book.terms
        if terms is None or not isinstance(say.body, DeclaredBody):
            return ()
        found = remarks_on(
            say.body.value,
            party=self._core.party,
            sent_ms=now.utc_ms,
            terms=terms,
            now_ms=now.utc_ms,
        )
        return tuple(remark.text(language) for remark in found)

    def _require_sayable(self, on_lines: Sequence[tuple[Line, Sequence[Say]]], now: Now) -> None:
        for line, says in on_lines:
            self._core.require_sayable(line.line_id, says, now)

    def _last_report(self, line: Line, say: Say) -> Envelope | None:
        """Return what we reported last on a cease request that waits for no report any more.

        Raises:
            LineStateError: that it has ceased; to report that again says nothing.
        """
        if say.ref is None or not ends_flash(say.kind) or line.book.threads.get(say.ref):
            return None
        last = self._reported(line, say)
        if last is not None and last.kind == say.kind:
            raise LineStateError(
                f"already reported ceased, at {last.created_utc}",
                given=f"another report on cease request {say.ref[:10]}",
                expected="a cease request that is open",
                remedy="nothing is left to say; what waits goes with "
                "`deconflict line release ID --withdraw`",
            )
        return last

    def _reported(self, line: Line, say: Say) -> Envelope | None:
        """Return what we reported last on what a message answers; None where we did not."""
        head = line.machine.own_head
        if head is None:
            return None
        after_seq = max(0, head.seq - _LOOKED_BACK)
        rows = self._store.entries(
            line.line_id, line.book.own, epoch=head.epoch, after_seq=after_seq
        )
        said = [envelope for row in rows if (envelope := read_envelope(row.data)).ref == say.ref]
        return next((one for one in reversed(said) if one.kind in _REPORTS), None)

    def _on_lines(self, held: Held, *, reader: str) -> list[tuple[Line, list[Say]]]:
        by_line: dict[str, list[Say]] = {}
        for each in held.says:
            say = replace(each.say(self._key_on(each.line_id)), reader=reader)
            by_line.setdefault(each.line_id, []).append(say)
        return [(self._core.line_named(line_id), says) for line_id, says in by_line.items()]

    def _key_on(self, line_id: str) -> SigningKey:
        line = self._core.lines.get(line_id)
        return self._core.key if line is None else line.own_key

    def _shown(self, held: Held, language: str) -> HeldView:
        messages = []
        for each in held.says:
            say = each.say(self._key_on(each.line_id))
            line = self._core.lines.get(each.line_id)
            messages.append(
                HeldMessage(
                    line_id=each.line_id,
                    peer="" if line is None else line.peer,
                    kind=each.kind.value,
                    ref=each.ref,
                    drill=each.drill,
                    text=message_text(
                        each.kind,
                        say.body,
                        party=self._core.party,
                        language=language,
                        drill=each.drill,
                    ),
                    body=each.body,
                    warnings=self._foreseen(each.line_id, say, self._now, language),
                )
            )
        what, text = "MESSAGES", ""
        if held.export is not None:
            what = held.export.what.value
            line = self._core.lines.get(held.export.line_id)
            text = export_text(
                held.export,
                held.export.line_id if line is None else line.peer,
                held.at_utc,
                held.expires_utc or held.at_utc,
                language,
            )
        return HeldView(
            held.held_id,
            held.by,
            held.at_utc,
            tuple(messages),
            what=what,
            text=text,
            expires_utc=held.expires_utc,
        )


def _event(held: Held, state: str, actor: Actor | None) -> dict[str, Any]:
    """Return what the journal says of something held: who asked, and who did this to it."""
    return {
        "held_id": held.held_id,
        "state": state,
        "what": "MESSAGES" if held.export is None else held.export.what.value,
        "asked_by": held.by,
        "asked_desk": held.desk,
        "by": None if actor is None else actor.account,
        "desk": None if actor is None else actor.desk,
    }
