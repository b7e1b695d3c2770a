"""The exercises that this node's own desk holds: what is written meanwhile is marked (R9).

An exercise is kept apart from the chains and across a restart; it ends at its time, when the desk
ends it, and at the first real message of FLASH precedence on its line, whoever says it. From then
on what is written is real: an exercise must never delay a true CEASE.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import LineStateError
from deconflict.line.moment import Now
from deconflict.line.precedence import Precedence
from deconflict.messages.kinds import IN_EARNEST, Kind
from deconflict.messages.said import Said, said
from deconflict.node.alerts import AlertKey
from deconflict.node.book import Taken
from deconflict.node.exercise import LONGEST_MS, Exercise, ends_exercise
from deconflict.node.journal import Journal
from deconflict.node.line import Line
from deconflict.node.notes import note_of, read_notes
from deconflict.node.tell.desk import Desk
from deconflict.node.work import Work
from deconflict.store.base import Store

__all__ = ["Drills"]

_DRILL: Final = "drill/"
# Chosen: as long stands on the desk that a real message ended the exercise.
_CUT_SHOWN_MS: Final = 900_000


class Drills:
    """Keeps the exercise of each line, and tells the desk of it.

    Args:
        store: read for what was kept before; never written here.
        journal: where events and alerts go.
        desk: who tells.
    """

    def __init__(self, *, store: Store, journal: Journal, desk: Desk) -> None:
        self._journal = journal
        self._desk = desk
        self._held = read_notes(store.notes(_DRILL), _DRILL, Exercise)

    def last(self, line_id: str) -> Exercise | None:
        """Return the exercise of a line, the present one or the last; None: there was none."""
        return self._held.get(line_id)

    def on(self, line_id: str, now: Now) -> Exercise | None:
        """Return the exercise that lasts on a line, or None."""
        held = self._held.get(line_id)
        return held if held is not None and held.is_on(now.utc_ms) else None

    def marks(self, line_id: str, kind: Kind, now: Now) -> bool:
        """True exactly when a message that cites none, and of which nobody said, is marked."""
        return kind not in IN_EARNEST and self.on(line_id, now) is not None

    def require_beginnable(self, line: Line, until_ms: int, now: Now) -> None:
        """Return when an exercise can begin on a line now.

        Raises:
            LineStateError: its end is past or too far off, one lasts, or a real matter is open.
        """
        held = self.on(line.line_id, now)
        if held is not None:
            raise LineStateError(
                f"an exercise lasts on the line with {line.peer} already",
                given=f"until {format_utc(held.until_ms)}",
                remedy="end it first: deconflict line drill end",
            )
        if not now.utc_ms < until_ms <= now.utc_ms + LONGEST_MS:
            raise LineStateError(
                "an exercise cannot end then",
                given=format_utc(until_ms),
                expected=f"after {format_utc(now.utc_ms)}, and a day later at most",
            )
        real = next((t for t in line.book.threads if not t.drill and t.precedence == "FLASH"), None)
        if real is not None:
            raise LineStateError(
                f"a real {real.kind} is open on the line with {line.peer}: no exercise beside it",
                given=f"{real.hash[:16]}, sent {format_utc(real.sent_ms)}",
                remedy="answer it, or have it answered; then begin",
            )

    def begin(
        self, line: Line, desk: str, until_ms: int, work: Work, now: Now, *, announced: bool
    ) -> Exercise:
        """Begin what :meth:`require_beginnable` let pass."""
        exercise = Exercise(
            line.line_id, desk, now.utc_ms, until_ms, announced, self._journal.last_event_id
        )
        self._desk.close("DRILL_CUT", line.line_id, line.peer, now.utc_ms)
        self._keep(line, exercise, work, now)
        return exercise

    def end(self, line: Line, work: Work, now: Now, *, cut_by: str | None = None) -> Exercise:
        """End the exercise of a line.

        Raises:
            LineStateError: none lasts.
        """
        held = self.on(line.line_id, now)
        if held is None:
            raise LineStateError(
                f"no exercise lasts on the line with {line.peer}",
                remedy="see what was held: deconflict line drill report",
            )
        return self._end(line, held, now.utc_ms, work, now, cut_by=cut_by)

    def passed(self, line: Line, taken: Taken, work: Work, now: Now) -> tuple[Said, ...]:
        """End the exercise when a real FLASH was said or heard; return what its sender should know.

        It comes after the desk was told of the message itself: that is shown first.
        """
        held = self.on(line.line_id, now)
        if held is None or taken.delayed or not ends_exercise(taken.envelope):
            return ()
        ended = self._end(line, held, now.utc_ms, work, now, cut_by=taken.hash)
        return (said("DRILL_CUT", _cut(line, ended)),)

    def look(self, lines: Iterable[Line], work: Work, now: Now) -> None:
        """End what is over, and tell which lines are in exercise."""
        for line in lines:
            held = self._held.get(line.line_id)
            if held is not None and held.ended_ms is None and not held.is_on(now.utc_ms):
                held = self._end(line, held, held.until_ms, work, now)
            peers_ms = line.book.announced.until_ms(line.peer, now.utc_ms)
            own = held is not None and held.is_on(now.utc_ms)
            self._desk.exercised(line.line_id, lasts=own or peers_ms is not None)
            if held is not None:
                self._tell(line, held, now)
            self._tell_peers(line, peers_ms, now)

    def _end(
        self,
        line: Line,
        held: Exercise,
        ended_ms: int,
        work: Work,
        now: Now,
        *,
        cut_by: str | None = None,
    ) -> Exercise:
        ended = msgspec.structs.replace(held, ended_ms=ended_ms, cut_by=cut_by)
        self._keep(line, ended, work, now)
        return ended

    def _keep(self, line: Line, exercise: Exercise, work: Work, now: Now) -> None:
        self._held[line.line_id] = exercise
        work.notes.append(note_of(_DRILL, line.line_id, exercise))
        event: dict[str, Any] = {
            "line_id": line.line_id,
            "peer": line.peer,
            "state": "ON" if exercise.ended_ms is None else "ENDED",
            "until_utc": format_utc(exercise.until_ms),
            "cut_by": exercise.cut_by,
        }
        self._journal.event(work, now, "drill", event)
        self._tell(line, exercise, now)

    def _tell(self, line: Line, exercise: Exercise, now: Now) -> None:
        on = AlertKey("DRILL_ON", line.line_id, line.peer)
        cut = AlertKey("DRILL_CUT", line.line_id, line.peer)
        if exercise.is_on(now.utc_ms):
            until = format_utc(exercise.until_ms)
            self._desk.tell(
                on,
                {"peer": line.peer, "until": until},
                drill=True,
                urgency=Precedence.ROUTINE.value,
                now_ms=now.utc_ms,
                deadline_ms=exercise.until_ms,
            )
            return
        self._desk.alerts.close(on, now_ms=now.utc_ms)
        if exercise.cut_by is None or exercise.ended_ms is None:
            return
        if now.utc_ms >= exercise.ended_ms + _CUT_SHOWN_MS:
            self._desk.alerts.close(cut, now_ms=now.utc_ms)
        else:
            self._desk.tell(
                cut,
                _cut(line, exercise),
                drill=False,
                urgency=Precedence.IMMEDIATE.value,
                now_ms=now.utc_ms,
                facts={"message": exercise.cut_by},
            )

    def _tell_peers(self, line: Line, until_ms: int | None, now: Now) -> None:
        key = AlertKey("PEER_DRILL", line.line_id, line.peer)
        if until_ms is None:
            self._desk.alerts.close(key, now_ms=now.utc_ms)
            return
        self._desk.tell(
            key,
            {"peer": line.peer, "until": format_utc(until_ms)},
            drill=True,
            urgency=Precedence.ROUTINE.value,
            now_ms=now.utc_ms,
            deadline_ms=until_ms,
        )


def _cut(line: Line, exercise: Exercise) -> dict[str, Any]:
    return {"peer": line.peer, "at": format_utc(exercise.ended_ms or exercise.until_ms)}
