"""Alerts about the line itself: whether it is up, by which path, whose clock, how much room."""

from typing import Final

from deconflict.airspace.instant import format_utc
from deconflict.line.link import LinkState, LinkStatus
from deconflict.line.moment import Now
from deconflict.line.precedence import Precedence
from deconflict.line.room import FIRST_REFUSED, Shortage
from deconflict.node.alerts import AlertKey
from deconflict.node.line import Line
from deconflict.node.tell.desk import Desk

__all__ = ["tell_clocks", "tell_link", "tell_path", "tell_room"]

# An offset is shown from half a second on, whatever the terms expect of the clocks (line.md §8).
_CLOCK_SHOWN_MS: Final = 500
# Chosen: wide enough that the measuring, right to half a round trip, does not flap the alert.
_CLOCK_WITHIN: Final = 0.75
_CLOCK_AGAIN: Final = 0.25


def tell_link(desk: Desk, line: Line, state: LinkState, now: Now) -> None:
    """Tell that a line went down, or that it is up again."""
    key = AlertKey("LINE_DOWN", line.line_id, line.peer)
    if state.status is LinkStatus.DOWN:
        desk.tell(
            key,
            {"peer": line.peer, "since": format_utc(state.since_utc_ms)},
            drill=False,
            urgency="FLASH",
            now_ms=now.utc_ms,
            facts={"reason": state.reason.value},
        )
    elif state.status is LinkStatus.UP:
        desk.alerts.close(key, now_ms=now.utc_ms)


def tell_path(
    desk: Desk, line: Line, number: int, state: LinkState, whole: LinkState, now: Now
) -> None:
    """Tell that one path of a line is down while another carries it; once, until it returns.

    A line that is down as a whole is told as that, and more urgently.
    """
    key = AlertKey("PATH_DOWN", line.line_id, line.peer, str(number))
    if whole.status is LinkStatus.UP and state.status is LinkStatus.DOWN:
        if desk.alerts.get(key) is None:
            desk.tell(
                key,
                {
                    "peer": line.peer,
                    "path": number,
                    "since": format_utc(state.since_utc_ms),
                },
                drill=False,
                urgency="PRIORITY",
                now_ms=now.utc_ms,
                facts={"reason": state.reason.value},
            )
    elif state.status is LinkStatus.UP or whole.status is LinkStatus.DOWN:
        desk.alerts.close(key, now_ms=now.utc_ms)


def tell_room(desk: Desk, shortage: Shortage, now: Now) -> None:
    """Tell that our own disk is nearly full, and which messages get no room."""
    for refused in FIRST_REFUSED:
        key = AlertKey("NO_ROOM_HERE", subject=refused.value)
        if refused not in shortage:
            desk.alerts.close(key, now_ms=now.utc_ms)
        elif desk.alerts.get(key) is None:
            desk.tell(
                key,
                {"refused": refused.value},
                drill=False,
                urgency="PRIORITY" if refused is Precedence.ROUTINE else "IMMEDIATE",
                now_ms=now.utc_ms,
            )


def tell_clocks(desk: Desk, line: Line, now: Now) -> None:
    """Tell that the peer's clock is farther from ours than the terms expect.

    It is told once the peer's beats prove it, and no longer once the clocks are well within:
    a measurement about the limit neither raises nor closes anything.
    """
    state, terms = line.monitor.state(now), line.book.terms
    if terms is None or state.clock_offset_ms is None or state.status is not LinkStatus.UP:
        return  # nothing new is measured; what was told stands
    key = AlertKey("CLOCKS_DIFFER", line.line_id, line.peer)
    held = desk.alerts.get(key)
    apart_ms = abs(state.clock_offset_ms)
    allowed_ms = max(terms.clock_error_ms, _CLOCK_SHOWN_MS)
    if held is None and apart_ms - (state.round_trip_ms or 0) / 2 <= allowed_ms:
        return
    if apart_ms <= allowed_ms * _CLOCK_WITHIN:
        desk.alerts.close(key, now_ms=now.utc_ms)
    elif held is None or abs(held.facts["offset"] - apart_ms) > allowed_ms * _CLOCK_AGAIN:
        offset_ms = round(apart_ms, -2)
        desk.tell(
            key,
            {"peer": line.peer, "offset": offset_ms, "allowed": terms.clock_error_ms},
            drill=False,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            facts={"clock_offset_ms": state.clock_offset_ms},
        )
