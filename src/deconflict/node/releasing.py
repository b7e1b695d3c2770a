"""Saying what one person may say alone, holding what needs two, releasing it."""

from collections.abc import Sequence

from deconflict.line.moment import Now
from deconflict.messages.message_text import message_text
from deconflict.node.actor import Actor
from deconflict.node.core import NodeCore, Say
from deconflict.node.held import (
    NOTE,
    Held,
    HeldBook,
    needs_second_person,
    require_as_written,
)
from deconflict.node.line import Line
from deconflict.node.reading import Reading
from deconflict.node.runtime import Runtime
from deconflict.node.views import HeldMessage, HeldView, Posted
from deconflict.node.work import Work
from deconflict.store.base import Store

__all__ = ["Releasing"]


class Releasing(Reading):
    """A running node through which things are said, by one person or two.

    Args:
        core: what it knows.
        runtime: what drives it.
        store: its record.
        release_persons: how many this party wants for declarations, terms and readouts: 1 or 2.
            How many an ANSWER needs, the terms say.
    """

    def __init__(
        self, core: NodeCore, runtime: Runtime, store: Store, *, release_persons: int = 1
    ) -> None:
        super().__init__(core, runtime, store)
        self._release_persons = release_persons
        self._held = HeldBook(store.notes(NOTE), core.random_bytes)

    def held(self) -> tuple[HeldView, ...]:
        """Return what waits for a second person, the oldest first."""
        return tuple(self._shown(held) for held in self._held.list())

    async def release(self, actor: Actor, held_id: str) -> tuple[Posted, ...]:
        """Say what another person wrote: all of it, or nothing, and then it is still held.

        Raises:
            NotPermittedError: they wrote it themselves, or may not say such things.
            NotFoundError: nothing is held under this name.
            LineStateError: what it was written against has changed.
        """
        await self._runtime.voiced({say.line_id for say in self._held.get(held_id).says})
        # Until it is dropped nothing is awaited, so that nobody else can release it meanwhile.
        held = self._held.get(held_id)
        held.require_releasable(actor)
        on_lines = self._on_lines(held)
        for line, says in on_lines:
            for say in says:
                require_as_written(line, say, self._now.utc_ms)
        self._require_sayable(on_lines, self._now)
        self._held.drop(held)
        # In one commit: were it said and still held, it could be said again.
        gone = self._core.note_held(
            HeldBook.gone(held), {"held_id": held_id, "state": "RELEASED"}, self._now
        )
        return await self._say_together(on_lines, self._now, beside=gone)

    async def withdraw(self, actor: Actor, held_id: str) -> HeldView:
        """Forget what is held; anybody can who may say such things.

        Raises:
            NotPermittedError: they may not.
            NotFoundError: nothing is held under this name.
        """
        held = self._held.get(held_id)
        held.require_allowed(actor)
        self._held.drop(held)
        gone = self._core.note_held(
            HeldBook.gone(held), {"held_id": held_id, "state": "WITHDRAWN"}, self._now
        )
        await self._runtime.commit(gone)
        return self._shown(held)

    # ---- inside ---------------------------------------------------------------------------

    async def _say(
        self, actor: Actor, on_lines: Sequence[tuple[Line, Sequence[Say]]]
    ) -> tuple[Posted, ...]:
        """Say it, or hold all of it when any of it needs a second person."""
        await self._runtime.voiced([line.line_id for line, _ in on_lines])
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
        says = [(line.line_id, say) for line, some in on_lines for say in some]
        held = self._held.hold(actor, says, now.utc_ms)
        kept = self._core.note_held(
            HeldBook.kept(held), {"held_id": held.held_id, "state": "HELD"}, now
        )
        await self._runtime.commit(kept)
        return tuple(
            Posted(
                hash="",
                line_id=line_id,
                epoch="",
                seq=0,
                kind=say.kind.value,
                state="HELD",
                held_id=held.held_id,
            )
            for line_id, say in says
        )

    def _require_sayable(self, on_lines: Sequence[tuple[Line, Sequence[Say]]], now: Now) -> None:
        for line, says in on_lines:
            self._core.require_sayable(line.line_id, says, now)

    def _on_lines(self, held: Held) -> list[tuple[Line, list[Say]]]:
        by_line: dict[str, list[Say]] = {}
        for each in held.says:
            by_line.setdefault(each.line_id, []).append(each.say(self._core.key))
        return [(self._core.line_named(line_id), says) for line_id, says in by_line.items()]

    def _shown(self, held: Held) -> HeldView:
        messages = []
        for each in held.says:
            say = each.say(self._core.key)
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
                        language=self._core.language,
                        drill=each.drill,
                    ),
                    body=each.body,
                )
            )
        return HeldView(held.held_id, held.by, held.at_utc, tuple(messages))
