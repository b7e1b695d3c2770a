"""Alerts about what is suspended: which scopes, by whom, and what was said too late of them."""

from collections.abc import Iterator
from typing import Final

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.line.moment import Now
from deconflict.messages.bodies import Resume, ScopeChange, Suspend
from deconflict.messages.kinds import KINDS
from deconflict.messages.said import Said, said
from deconflict.node.alerts import AlertKey
from deconflict.node.book import Taken
from deconflict.node.line import Line
from deconflict.node.suspensions import Suspension, counts_from
from deconflict.node.tell.desk import Desk
from deconflict.node.tell.ladder import whole_second

__all__ = ["tell_came_after", "tell_suspensions"]


_RULE: Final = "LINE_SUSPENDED"


def tell_suspensions(desk: Desk, line: Line, now: Now) -> None:
    """Tell which scopes are suspended now, by whom, and what that stops until when."""
    present: set[AlertKey] = set()
    for suspension in line.book.suspensions:
        if not suspension.holds(now.utc_ms):
            continue
        whose = f"{suspension.by}/drill" if suspension.drill else suspension.by
        key = AlertKey(_RULE, line.line_id, suspension.scope, whose)
        present.add(key)
        desk.tell(
            key,
            {
                "party": suspension.by,
                "scope": suspension.scope,
                "effective": format_utc(suspension.effective_ms),
            },
            drill=suspension.drill,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            beside=tuple(_meaning(line, suspension)),
        )
    # Resumed, or of a scope that newer terms do not name.
    for key in desk.alerts.keys(_RULE):
        if key.line_id == line.line_id and key not in present:
            desk.alerts.close(key, now_ms=now.utc_ms)


def _meaning(line: Line, suspension: Suspension) -> Iterator[Said]:
    """Yield what a scope stops by the terms, and when that ends, where it is known."""
    terms = line.book.terms
    stopped = (
        [] if terms is None else [kind for kind in KINDS if terms.stops(kind, suspension.scope)]
    )
    if stopped:
        yield said("SUSPENSION_STOPS", {"kinds": [kind.value for kind in stopped]})
    if suspension.resumed_ms is not None:
        yield said("SUSPENSION_ENDS", {"end": format_utc(suspension.resumed_ms)})


def tell_came_after(
    desk: Desk, line: Line, body: Suspend | Resume | ScopeChange, taken: Taken, now: Now
) -> None:
    """Tell that what the peer said of a suspension came after the time that it names."""
    effective_ms = parse_utc(body.effective_utc)
    counts_ms = counts_from(effective_ms, taken.logged_ms, line.book.terms)
    if taken.not_taken is not None or counts_ms == effective_ms:
        return
    desk.tell(
        AlertKey("CAME_AFTER_ITS_TIME", line.line_id, taken.hash),
        {
            "peer": line.peer,
            "kind": taken.kind.value,
            "scope": body.scope,
            "effective": body.effective_utc,
            "came": format_utc(whole_second(counts_ms)),
        },
        drill=taken.envelope.drill,
        urgency="IMMEDIATE",
        now_ms=now.utc_ms,
        facts={"message": taken.hash},
    )
