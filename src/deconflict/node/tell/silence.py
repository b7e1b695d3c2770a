"""A node that is mute or deaf on a line says so, and what it can and cannot do meanwhile."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from deconflict.line.delivery import counts_as
from deconflict.line.envelope import Envelope
from deconflict.line.moment import Now
from deconflict.line.precedence import Precedence
from deconflict.line.resync import MuteReason
from deconflict.messages.kinds import KIND_RULES
from deconflict.messages.said import Said, said, say
from deconflict.node.alerts import AlertKey
from deconflict.node.line import Line, read_body
from deconflict.node.tell.desk import Desk, at_hand

__all__ = ["BROUGHT", "WHILE_SILENT", "reason_text", "tell_heard", "tell_silence"]

_REASONS: Final[Mapping[MuteReason, str]] = MappingProxyType(
    {
        MuteReason.NO_GUARD: "GUARD_MISSING",
        MuteReason.GUARD_DAMAGED: "GUARD_MISSING",
        MuteReason.OTHER_GUARD: "GUARD_OF_ANOTHER",
        MuteReason.OTHER_RUN: "GUARD_AND_RECORD_APART",
        MuteReason.GUARD_BEHIND: "GUARD_AND_RECORD_APART",
        MuteReason.RECORD_BEHIND: "RECORD_BEHIND",
        MuteReason.EPOCH_REFUSED: "EPOCH_REFUSED",
        MuteReason.KEY_CHANGED: "KEY_IS_CHANGING",
        MuteReason.PEER_HOLDS_MORE: "PEER_HOLDS_MORE",
        MuteReason.NOT_ASKED: "NOT_ASKED",
    }
)
_MUTE: Final = "LINE_MUTE"
_DEAF: Final = "LINE_DEAF"
WHILE_SILENT: Final = "HEARD_WHILE_MUTE"  # a FLASH that could not be logged when it came
BROUGHT: Final = "BROUGHT_UNLOGGED"  # a FLASH that people carried here without what it follows
_ALL: Final = (_MUTE, _DEAF, WHILE_SILENT, "RESYNC_STUCK")


def reason_text(reason: MuteReason, language: str) -> str:
    """Return in words why a node is mute or deaf."""
    return say(_reason(reason), language)


def _reason(reason: MuteReason) -> Said:
    return said(_REASONS[reason])


def tell_silence(desk: Desk, line: Line, now: Now) -> None:
    """Raise what a person must know of a line that does not speak; close it once it does."""
    silence = line.machine.resync.silence
    if silence.reason is MuteReason.KEY_CHANGED:
        return  # for one exchange, or seconds; nothing is lost and nothing waits longer
    rule = _MUTE if silence.mute else _DEAF if silence.deaf else None
    if rule is not None:
        over: tuple[str, ...] = (_DEAF if rule == _MUTE else _MUTE,)
    elif silence.unasked or silence.unheard:
        over = (_MUTE, _DEAF)  # what it put off may still have to be said again
    else:
        over = _ALL
    for key in (key for name in over for key in desk.alerts.keys(name)):
        if key.line_id == line.line_id:
            desk.alerts.close(key, now_ms=now.utc_ms)
    if rule is None or silence.reason is None:
        return
    desk.tell(
        AlertKey(rule, line.line_id, line.peer),
        {"peer": line.peer, "reason": _reason(silence.reason)},
        drill=False,
        urgency="FLASH" if silence.mute else "IMMEDIATE",
        now_ms=now.utc_ms,
        facts={"why": silence.reason.value},
    )


def tell_heard(
    desk: Desk, line: Line, envelope: Envelope, message_hash: str, now: Now, *, rule: str
) -> None:
    """Show what is urgent though it cannot be logged yet; it comes again once it can.

    Args:
        desk: where alerts go.
        line: of which line.
        envelope: what the peer signed.
        message_hash: its name.
        now: the present.
        rule: why it cannot be logged, :data:`WHILE_SILENT` or :data:`BROUGHT`.
    """
    body = read_body(envelope)
    counts = counts_as(envelope.kind, envelope.prec, KIND_RULES)
    if counts is not Precedence.FLASH or body is None:
        return
    # Not by its hash: it is in no record yet.
    message = {"kind": envelope.kind, "body": envelope.body, "party": line.peer}
    desk.tell_said(
        AlertKey(rule, line.line_id, message_hash),
        [said(rule, {"peer": line.peer, "text": {"unlogged": message}})],
        messages=at_hand(envelope, body),
        drill=envelope.drill,
        urgency="FLASH",
        now_ms=now.utc_ms,
        facts={"message": message_hash, "kind": envelope.kind},
    )
