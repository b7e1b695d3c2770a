"""Alerts about checks of a line by people: due at whose turn it is, missed at both ends (R5).

And answered, but past the limit: then people were there, and not in time.
"""

from typing import Any, Final

from deconflict.airspace.instant import format_utc
from deconflict.line.moment import Now
from deconflict.messages.kinds import Kind
from deconflict.node.alerts import AlertKey
from deconflict.node.book import Taken
from deconflict.node.line import Line
from deconflict.node.tell.desk import Desk

__all__ = ["CHECK_LATE", "late_reply", "tell_line_checks"]

CHECK_LATE: Final = "LINE_CHECK_LATE"


def late_reply(line: Line, taken: Taken) -> dict[str, Any] | None:
    """Return, in values, that a check was answered past its limit; None when it was in time.

    Both sides count from when the check was sent, as its author stamped it: the author to when it
    had the reply, the other side to when it wrote it.
    """
    thread = taken.thread
    if thread is None or taken.kind is not Kind.LINE_CHECK_REPLY:
        return None
    until_ms = taken.envelope.created_utc_ms if taken.own else taken.logged_ms
    took_ms, limit_ms = until_ms - thread.sent_ms, line.answer_due_ms(thread) - thread.logged_ms
    if took_ms <= limit_ms:
        return None
    return {
        "by": line.book.party_of(own=taken.own),
        "sent": format_utc(thread.sent_ms),
        "took": took_ms // 1_000 * 1_000,
        "limit": limit_ms,
    }


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
