"""Alerts about conflicts: who, where, when, how close, which minimum, what is unanswered."""

from dataclasses import replace
from typing import Final

from deconflict.airspace.instant import TimeSpan
from deconflict.line.moment import Now
from deconflict.messages.in_force import conversions_of, landmarks_of
from deconflict.messages.plain import (
    ConflictCard,
    ConflictSide,
    NotChecked,
    Unanswered,
    Untold,
    conflict_card,
)
from deconflict.node.alerts import AlertKey
from deconflict.node.line import Line
from deconflict.node.picture import Conflict, PictureChange
from deconflict.node.tell.desk import Desk
from deconflict.node.threads import Thread
from deconflict.separation import shifts_of

__all__ = ["IN_FULL", "ConflictTeller", "card_of"]

# Of so many conflicts told at once it is looked for by which shifts they come about. A peer writes
# the plans, and one that meets hundreds of ours must not keep another's FLASH waiting for that.
IN_FULL: Final = 16

# A conflict is as urgent as the time left to it: within 2 minutes, 10 minutes, later (R19).
_URGENT_MS: Final = ((120_000, "FLASH"), (600_000, "IMMEDIATE"))


class ConflictTeller:
    """Tells of conflicts as long as they last."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def changed(self, line: Line, change: PictureChange, now: Now) -> None:
        """Tell of conflicts found or changed, and close those that are no more."""
        for number, conflict in enumerate(change.found):
            self.tell(line, conflict, now, in_full=number < IN_FULL)
        for conflict in change.ended:
            self.desk.alerts.close(
                AlertKey("CONFLICT", line.line_id, conflict.conflict_id), now_ms=now.utc_ms
            )

    def drop_old(self, line: Line, now: Now) -> None:
        """Close alerts of conflicts from before a restart that the first check did not find."""
        present = {conflict.conflict_id for conflict in line.book.picture.conflicts()}
        for key in self.desk.alerts.keys("CONFLICT"):
            if key.line_id == line.line_id and key.subject not in present:
                self.desk.alerts.close(key, now_ms=now.utc_ms)

    def refresh(self, line: Line, now: Now) -> None:
        """Tell again of conflicts that have become more urgent, or about which more was said."""
        told = 0
        for conflict in line.book.picture.conflicts():
            alert = self.desk.alerts.get(AlertKey("CONFLICT", line.line_id, conflict.conflict_id))
            if alert is None or (
                alert.urgency != _urgency(conflict, now)
                or alert.facts.get("start_ms") != conflict.current(now.utc_ms).start_ms
                or alert.facts.get("unanswered") != len(_waiting(line, conflict))
            ):
                self.tell(line, conflict, now, in_full=told < IN_FULL)
                told += 1

    def tell(self, line: Line, conflict: Conflict, now: Now, *, in_full: bool = True) -> None:
        """Tell of one conflict as it stands now: its time left and what is unanswered."""
        card = card_of(line, conflict, now.utc_ms, in_full=in_full)
        self.desk.tell_said(
            AlertKey("CONFLICT", line.line_id, conflict.conflict_id),
            replace(card, drill=False).said(),  # without the mark: that is the desk's
            drill=card.drill,
            urgency=_urgency(conflict, now),
            now_ms=now.utc_ms,
            deadline_ms=card.start_ms,
            facts={
                "conflict_id": conflict.conflict_id,
                "own": conflict.own.declaration.declaration_id,
                "peer": conflict.peer.declaration.declaration_id,
                "unanswered": len(card.unanswered),
                "start_ms": card.start_ms,
                "again": len(card.again),
                "drill": conflict.drill,
                "told": conflict.told,
                "unchecked": [d.declaration.declaration_id for d in conflict.unchecked],
            },
        )


def card_of(line: Line, conflict: Conflict, now_ms: int, *, in_full: bool = True) -> ConflictCard:
    """Return the card of a conflict: its earliest finding not yet over, and what is unanswered.

    ``in_full`` is that of :func:`deconflict.separation.shifts_of`.
    """
    finding = conflict.current(now_ms)
    both = {declared.key: declared for declared in (conflict.own, conflict.peer)}
    sides = {
        key: ConflictSide(declared.party, declared.declaration) for key, declared in both.items()
    }
    unanswered = [
        Unanswered(thread.kind, line.peer if thread.own else line.book.own, thread.sent_ms)
        for thread in _waiting(line, conflict)
    ]
    terms = line.book.terms
    return conflict_card(
        finding,
        sides[finding.first],
        sides[finding.second],
        landmarks=() if terms is None else landmarks_of(terms),
        known_since_ms=conflict.known_since_ms,
        unanswered=unanswered,
        again=[TimeSpan(later.start_ms, later.end_ms) for later in conflict.after(finding)],
        drill=conflict.drill,
        not_checked=[
            NotChecked(later.party, later.declaration.declaration_id, later.declared_ms)
            for later in conflict.unchecked
        ],
        untold=(
            None if conflict.told else Untold(line.peer, conflict.own.declaration.declaration_id)
        ),
        shifts=None
        if terms is None
        else shifts_of(
            finding,
            both[finding.first].extent,
            both[finding.second].extent,
            conversions_of(terms),
            in_full=in_full,
        ),
    )


def _waiting(line: Line, conflict: Conflict) -> list[Thread]:
    """Return the open threads about the two declarations of a conflict."""
    return [
        thread
        for declared in (conflict.own, conflict.peer)
        for thread in line.book.threads.about(declared.declaration.declaration_id)
    ]


def _urgency(conflict: Conflict, now: Now) -> str:
    left_ms = conflict.current(now.utc_ms).start_ms - now.utc_ms
    return next((name for limit, name in _URGENT_MS if left_ms <= limit), "PRIORITY")
