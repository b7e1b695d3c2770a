"""Beginning and ending an exercise, and what it proved: as a running node's desk does it (R9)."""

import asyncio

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import LineStateError
from deconflict.line.moment import Now
from deconflict.messages.drill_bodies import DrillBegin, DrillEnd
from deconflict.messages.kinds import Kind
from deconflict.node.actor import Action, Actor, require
from deconflict.node.core import Say
from deconflict.node.drill_report import DrillReport, drill_report, last_exercise
from deconflict.node.line import Line
from deconflict.node.releasing import Releasing
from deconflict.node.views import DrillView
from deconflict.node.work import Work

__all__ = ["Exercising"]


class Exercising(Releasing):
    """A running node whose desk can hold an exercise on some of its lines, or on all."""

    def exercises(self) -> tuple[DrillView, ...]:
        """Return the exercises that last, ours and those that a peer announced."""
        now = self._now
        return tuple(
            self._drill_view(line)
            for line in self._core.lines.values()
            if self._core.drills.on(line.line_id, now)
            or line.book.announced.message(line.peer, now.utc_ms)
        )

    async def begin_drill(
        self, actor: Actor, until_utc: str, *, line: str | None = None, announced: bool = True
    ) -> tuple[DrillView, ...]:
        """Begin an exercise on a line, or on every line; all of them or none.

        Raises:
            LineStateError: one lasts there already, its end cannot be, or a real message of FLASH
                precedence is open; or the peer cannot be told.
        """
        require(actor, Action.SEND)
        now, until_ms = self._now, parse_utc(until_utc)
        chosen = self._lines(line)
        if not chosen:
            raise LineStateError(
                "this node has no line", remedy="pin a peer first: deconflict peer add"
            )
        for held in chosen:
            self._core.drills.require_beginnable(held, until_ms, now)
        say = Say(
            kind=Kind.DRILL_BEGIN,
            body=DrillBegin(until_utc=format_utc(until_ms)),
            desk=actor.desk,
            drill=True,
            lang=actor.language,
            reader=actor.language,
        )
        on_lines = [(held, [say]) for held in chosen] if announced else []
        self._require_sayable(on_lines, now)
        # In one commit: what was announced and not begun would be written without the mark.
        begun = Work()
        for held in chosen:
            begun.merge(
                self._core.begin_drill(held.line_id, actor.desk, until_ms, now, announced=announced)
            )
        await self._say_together(on_lines, now, beside=begun)
        return tuple(self._drill_view(held) for held in chosen)

    async def end_drill(self, actor: Actor, *, line: str | None = None) -> tuple[DrillView, ...]:
        """End the exercise of a line, or every one that lasts; a peer that was told is told.

        Raises:
            LineStateError: none lasts.
        """
        require(actor, Action.SEND)
        now = self._now
        asked = self._lines(line)
        chosen = [held for held in asked if self._core.drills.on(held.line_id, now)]
        if not chosen:
            raise LineStateError(
                "no exercise lasts"
                + ("" if line is None else f" on the line with {asked[0].peer}"),
                remedy="see what was held: deconflict line drill report",
            )
        on_lines = [(held, [say]) for held in chosen if (say := self._end_of(actor, held, now))]
        ended = Work()
        for held in chosen:
            ended.merge(self._core.end_drill(held.line_id, now))
        await self._say_together(on_lines, now, beside=ended)
        return tuple(self._drill_view(held) for held in chosen)

    async def drill_report(self, line: str) -> DrillReport:
        """Return what the present or the last exercise of a line showed, ours or the peer's.

        Raises:
            LineStateError: there was none.
        """
        held = self._core.line_named(line)
        exercise = last_exercise(held, self._core.drills.last(held.line_id))
        if exercise is None:
            raise LineStateError(
                f"no exercise was held or announced on the line with {held.peer}",
                remedy="begin one: deconflict line drill begin",
            )
        events = await asyncio.to_thread(lambda: tuple(self._store.events(exercise.after_event)))
        return drill_report(held, exercise, events, self._now.utc_ms)

    def _end_of(self, actor: Actor, line: Line, now: Now) -> Say | None:
        """Return what tells the peer that the exercise is over; None where it cannot be said.

        A line that is mute, or a disk that is full, keeps no desk in an exercise.
        """
        announced = line.book.announced.message(line.book.own, now.utc_ms)
        if announced is None:
            return None
        say = Say(
            kind=Kind.DRILL_END,
            body=DrillEnd(at_utc=format_utc(now.utc_ms)),
            desk=actor.desk,
            ref=announced,
            lang=actor.language,
            reader=actor.language,
        )
        try:
            self._core.require_sayable(line.line_id, [say], now)
        except LineStateError:
            return None
        return say

    def _drill_view(self, line: Line) -> DrillView:
        now = self._now
        own = self._core.drills.on(line.line_id, now)
        peers_ms = line.book.announced.until_ms(line.peer, now.utc_ms)
        return DrillView(
            line_id=line.line_id,
            peer=line.peer,
            begun_utc=None if own is None else format_utc(own.begun_ms),
            until_utc=None if own is None else format_utc(own.until_ms),
            announced=own is not None and own.announced,
            peer_until_utc=None if peers_ms is None else format_utc(peers_ms),
        )
