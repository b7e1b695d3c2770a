"""A certificate that ends soon, ours or a peer's: without it the line is down, and nobody's fault.

Both sides are told, for either can call the other in time (line.md §8: 30, 14, 7 and 1 days).
"""

from typing import Final

from deconflict.airspace.instant import format_utc
from deconflict.line.moment import Now
from deconflict.node.alerts import AlertKey
from deconflict.node.line import Line
from deconflict.node.tell.desk import Desk
from deconflict.node.tell.ladder import whole_second

__all__ = ["tell_own_certificate", "tell_peer_certificate"]

_DAY_MS: Final = 86_400_000
# Days that are left at most, and how urgent it is then; told anew at each of them.
_URGENCIES: Final = ((1, "IMMEDIATE"), (7, "PRIORITY"), (14, "PRIORITY"), (30, "ROUTINE"))


def tell_own_certificate(desk: Desk, party: str, end_ms: int, now: Now) -> None:
    """Tell that the certificate with which this node runs ends soon, or has ended."""
    key = AlertKey("CERTIFICATE_ENDS", subject=party)
    _tell(desk, key, {}, end_ms, now, over="CERTIFICATE_OVER")


def tell_peer_certificate(desk: Desk, line: Line, end_ms: int, now: Now) -> None:
    """Tell that the certificate which a peer's node showed ends soon, or has ended."""
    key = AlertKey("PEER_CERTIFICATE_ENDS", line.line_id, line.peer)
    _tell(desk, key, {"peer": line.peer}, end_ms, now, over="PEER_CERTIFICATE_OVER")


def _tell(
    desk: Desk, key: AlertKey, values: dict[str, str], end_ms: int, now: Now, *, over: str
) -> None:
    left_ms = end_ms - now.utc_ms
    reached = [each for each in _URGENCIES if left_ms <= each[0] * _DAY_MS]
    if not reached:
        desk.close(key.rule, key.line_id, key.subject, now.utc_ms)
        return
    days, urgency = reached[0]
    desk.tell(
        key,
        {**values, "end": format_utc(whole_second(end_ms))},
        drill=False,
        urgency=urgency,
        now_ms=now.utc_ms,
        deadline_ms=end_ms if left_ms > 0 else None,
        phrase=over if left_ms <= 0 else None,
        facts={"days": days if left_ms > 0 else 0},
    )
