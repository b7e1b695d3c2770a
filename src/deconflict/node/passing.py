"""The passing of time: what came due, what changed, and what follows from it."""

from collections.abc import Mapping
from typing import Any, Final

from deconflict.airspace.instant import format_utc
from deconflict.line.link import LinkState, LinkStatus
from deconflict.line.moment import Now
from deconflict.line.room import Shortage
from deconflict.messages.in_force import conversions_of, minima_of
from deconflict.node.at_home import AtHome
from deconflict.node.declared import Cancelled, Declared
from deconflict.node.elsewhere import hold_untold
from deconflict.node.journal import Journal
from deconflict.node.line import Line
from deconflict.node.picture import Conflict
from deconflict.node.tell.connection import tell_clocks, tell_link, tell_path, tell_room
from deconflict.node.tell.line_checks import tell_line_checks
from deconflict.node.tell.messages import Teller
from deconflict.node.tell.silence import tell_silence
from deconflict.node.tell.suspensions import tell_suspensions
from deconflict.node.tell.talks import tell_talks
from deconflict.node.work import Work

__all__ = ["LOOKED_AT_ONCE", "Passing"]

_SWEEP_MS: Final = 1_000
LOOKED_AT_ONCE: Final = 500  # declarations of a line: a tenth of a second, and then others' turn


class Passing:
    """Looks at everything that changes without anybody saying anything.

    Args:
        lines: the node's lines by id, as they come and go.
        journal: where events and alerts go.
        teller: who turns what happens into alerts.
        at_home: what only this node knows.
    """

    def __init__(
        self, lines: Mapping[str, Line], *, journal: Journal, teller: Teller, at_home: AtHome
    ) -> None:
        self._lines = lines
        self._journal = journal
        self._teller = teller
        self._at_home = at_home
        self._swept_ms: int | None = None
        self._looked_at_all = True

    def advance(self, work: Work, now: Now, shortage: Shortage) -> None:
        """Look at everything that changed or came due; add what follows from it to ``work``."""
        sweep = self._swept_ms is None or now.monotonic_ms - self._swept_ms >= _SWEEP_MS
        if sweep:
            self._swept_ms = now.monotonic_ms
        for line in self._lines.values():
            self._connection(line, work, now)
            tell_silence(self._teller.desk, line, now)
            if sweep:
                tell_clocks(self._teller.desk, line, now)
                tell_line_checks(self._teller.desk, line, now)
                tell_talks(self._teller.desk, line, now)
            self._messages(line, work, now)
            self._declarations(line, work, now, sweep=sweep)
        self._looked_at_all = True
        changed = hold_untold([line.book.picture for line in self._lines.values()])
        self._teller.declarations.reached(self._lines.values(), changed, now)
        if sweep:
            self._teller.cover.look(self._lines, now)
        for line in self._lines.values():
            self._conflicts(line, work, now, sweep=sweep)
        tell_room(self._teller.desk, shortage, now)
        self._at_home.look(self._lines.values(), work, now, sweep=sweep)
        self._teller.overdue.readbacks_due(self._lines.get, now)
        self._journal.tell(work, now)

    def next_deadline_ms(self) -> int | None:
        """Return the monotonic time at which a limit or a beat is due, maybe too early."""
        times = [self.next_limit_ms()]
        times += [line.monitor.next_deadline_ms() for line in self._lines.values()]
        return min((time for time in times if time is not None), default=None)

    def next_limit_ms(self) -> int | None:
        """Return the same without the beats, for a driver whose beats do not need the clock."""
        times = [self._teller.overdue.next_readback_ms(), self._journal.next_deadline_ms()]
        times += [line.machine.next_deadline_ms() for line in self._lines.values()]
        if not self._looked_at_all:
            times.append(self._swept_ms)  # passed already: go on at once
        return min((time for time in times if time is not None), default=None)

    def _connection(self, line: Line, work: Work, now: Now) -> None:
        state = line.monitor.state(now)
        self._paths(line, state, work, now)
        if state.status is line.shown_status:
            return
        line.shown_status = state.status
        self._journal.event(
            work,
            now,
            "line",
            {
                "line_id": line.line_id,
                "peer": line.peer,
                "state": state.status.value,
                "since_utc": format_utc(state.since_utc_ms),
            },
        )
        tell_link(self._teller.desk, line, state, now)

    def _paths(self, line: Line, whole: LinkState, work: Work, now: Now) -> None:
        states = line.monitor.states(now)
        if len(states) == 1:
            return  # the line says it all
        for number, state in states.items():
            if state.status is not line.shown_paths.get(number, LinkStatus.UNKNOWN):
                line.shown_paths[number] = state.status
                self._journal.event(
                    work,
                    now,
                    "path",
                    {
                        "line_id": line.line_id,
                        "peer": line.peer,
                        "path": number,
                        "state": state.status.value,
                        "since_utc": format_utc(state.since_utc_ms),
                    },
                )
            tell_path(self._teller.desk, line, number, state, whole, now)

    def _messages(self, line: Line, work: Work, now: Now) -> None:
        for alarm in line.machine.alarms(now):
            self._teller.overdue.alarm(line, alarm, now)
        for message_hash, delivery in line.machine.changes().items():
            self._teller.overdue.delivered(line, message_hash, delivery, now)
            if line.book.private_checks.is_step(message_hash):
                continue  # nor was it told that it was said
            self._journal.event(
                work,
                now,
                "delivery",
                {
                    "hash": message_hash,
                    "line_id": line.line_id,
                    "state": delivery.state.value,
                    "escalation": delivery.escalated,
                },
            )

    def _declarations(self, line: Line, work: Work, now: Now, *, sweep: bool) -> None:
        over: list[Declared | Cancelled] = [*line.book.take_cancelled()]
        if sweep:
            over += line.book.end_past(now.utc_ms)
            for declared in line.book.take_put_back():
                self._teller.put_back(line, declared, now)
                self._journal.event(work, now, "declaration", _event(declared, "ACTIVE"))
            tell_suspensions(self._teller.desk, line, now)
            self._teller.declarations.expiring(line, line.book.picture.own, now)
        for gone in over:
            self._teller.declarations.over(line, gone, now)
            self._journal.event(work, now, "declaration", _event(gone, "ENDED"))

    def _conflicts(self, line: Line, work: Work, now: Now, *, sweep: bool) -> None:
        picture = line.book.picture
        if line.book.terms is None or not (picture.changed or sweep):
            return
        change = picture.recheck(
            now.utc_ms,
            minima_of(line.book.terms),
            conversions_of(line.book.terms),
            at_most=LOOKED_AT_ONCE,
        )
        self._looked_at_all = self._looked_at_all and not picture.changed
        self._teller.conflicts.changed(line, change, now)
        if not line.checked_once and not picture.changed:
            line.checked_once = True
            self._teller.conflicts.drop_old(line, now)
        if sweep:
            self._teller.conflicts.refresh(line, now)
        for conflict in change.found:
            facts = {**_conflict(line, conflict), "ended": False}
            self._journal.event(work, now, "conflict", facts)
        for conflict in change.ended:
            self._journal.event(work, now, "conflict_ended", _conflict(line, conflict))
        self._teller.declarations.unchecked(line, now)


def _event(declared: Declared | Cancelled, state: str) -> dict[str, Any]:
    return {
        "declaration_id": declared.declaration_id,
        "party": declared.party,
        "state": state,
    }


def _conflict(line: Line, conflict: Conflict) -> dict[str, Any]:
    return {
        "conflict_id": conflict.conflict_id,
        "line_id": line.line_id,
        "own": conflict.own.declaration.declaration_id,
        "peer": conflict.peer.declaration.declaration_id,
        "known_since_utc": format_utc(conflict.known_since_ms),
        "told": conflict.told,
    }
