"""Alerts about checks of a line by people: due at whose turn it is, missed at both ends (R5)."""

from deconflict.airspace.instant import format_utc
from deconflict.line.moment import Now
from deconflict.node.alerts import AlertKey
from deconflict.node.line import Line
from deconflict.node.tell.desk import Desk

__all__ = ["tell_line_checks"]


def tell_line_checks(desk: Desk, line: Line, now: Now) -> None:
    """Raise and close the alerts of one line, as the terms in force want its checks."""
    due_key = AlertKey("LINE_CHECK_DUE", line.line_id, line.peer)
    missed_key = AlertKey("LINE_CHECK_MISSED", line.line_id, line.peer)
    terms = line.book.terms
    due = None if terms is None else line.book.checks.due(terms.line_check_every_ms, now.utc_ms)
    if due is None:
        desk.alerts.close(due_key, now_ms=now.utc_ms)
        desk.alerts.close(missed_key, now_ms=now.utc_ms)
        return
    values = {"peer": line.peer, "due": format_utc(due.since_ms)}
    last = {"last": format_utc(due.last_ms)}
    if due.by == line.book.own:
        desk.tell(
            due_key,
            {**values, **last},
            drill=False,
            urgency="PRIORITY",
            now_ms=now.utc_ms,
            deadline_ms=due.missed_ms,
        )
    if now.utc_ms >= due.missed_ms:
        desk.tell(
            missed_key,
            values,
            drill=False,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            facts={**last, "by": due.by},
        )
