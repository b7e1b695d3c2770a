"""That the record could not be proven again: what the node rests on, since when, and why not."""

from typing import Final

from deconflict.airspace.instant import format_utc
from deconflict.line.moment import Now
from deconflict.node.alerts import AlertKey
from deconflict.node.keeping.standing import AuditStanding, Hindrance
from deconflict.node.tell.desk import Desk

__all__ = ["tell_audit"]

_UNPROVEN: Final = "RECORD_UNPROVEN"
_UNLOOKED: Final = "RECORD_NOT_AUDITED"


def tell_audit(desk: Desk, standing: AuditStanding, now: Now) -> None:
    """Raise what a person must know of the audit; close it once one was made.

    While a node rests on what it has not proven, the first failure is told, at PRIORITY. When it
    lasts, failure or not, at IMMEDIATE: nobody must take for proven what is not.
    """
    behind = standing.behind
    overdue = standing.is_overdue(now)
    if behind is not None and (overdue or standing.hindrance is not None):
        desk.tell(
            AlertKey(_UNPROVEN),
            {
                "messages": behind.entries,
                "since": _second(behind.audited_ms),
                "started": _second(standing.started.utc_ms),
                "why": (standing.hindrance or Hindrance.LASTS).value,
            },
            drill=False,
            urgency="IMMEDIATE" if overdue else "PRIORITY",
            now_ms=now.utc_ms,
            phrase="RECORD_UNPROVEN_LONG" if overdue else None,
            facts={"problem": standing.problem},
        )
    elif behind is None:
        desk.close(_UNPROVEN, None, None, now.utc_ms)
    if standing.is_unlooked(now) and standing.hindrance is not None:
        desk.tell(
            AlertKey(_UNLOOKED),
            {"since": _second(standing.proven_ms), "why": standing.hindrance.value},
            drill=False,
            urgency="ROUTINE",
            now_ms=now.utc_ms,
            facts={"problem": standing.problem},
        )
    else:
        desk.close(_UNLOOKED, None, None, now.utc_ms)


def _second(ms: int) -> str:
    return format_utc(ms // 1_000 * 1_000)
