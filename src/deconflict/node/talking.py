"""What may be said of a call now: refused here, before a slot of the chain is taken."""

from typing import Final

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import InvalidDocumentError, LineStateError
from deconflict.messages.bodies import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.talks import (
    CallRecord,
    ReadoutText,
    ReadoutWithheld,
    TalkAccept,
    TalkFault,
    TalkOffer,
)
from deconflict.node.line import Line

__all__ = ["READOUT_KINDS", "TALK_KINDS", "expiry_of_answer", "require_talk"]

TALK_KINDS: Final = frozenset(
    (
        Kind.TALK_REQUEST,
        Kind.TALK_PROPOSE,
        Kind.TALK_ACCEPT,
        Kind.TALK_DECLINE,
        Kind.TALK_CANCEL,
        Kind.CALL_RECORD,
    )
)
READOUT_KINDS: Final = frozenset(
    (Kind.READOUT_PROPOSE, Kind.READOUT_AGREE, Kind.READOUT_OWN, Kind.READOUT_WITHHELD)
)
_LIST: Final = "look at what stands: deconflict line call list"
_WHY: Final = {
    TalkFault.NEVER_OFFERED: ("this time or medium was not offered", "one of the offer cited"),
    TalkFault.OWN_OFFER: ("this offer is your own side's", "an offer of the other side"),
    TalkFault.NOT_STANDING: ("what this answers does not stand any more", "the newest offer"),
    TalkFault.TOO_LATE: ("this time has begun: late is not now", "a time that is still ahead"),
    TalkFault.OVER: ("this call was declined or called off", "a call that is not over"),
    TalkFault.OTHER_TEXT: ("this is another text than was proposed", "exactly the same text"),
    TalkFault.OTHER_CALL: ("the readout names another call", "the call of the message cited"),
    TalkFault.UNKNOWN_CALL: ("the message cited belongs to no call", "an acceptance or a record"),
    TalkFault.NOT_A_PARTY: ("a participant's party is not on this line", "its two parties"),
}


def require_talk(line: Line, kind: Kind, body: Body, ref: str | None, now_ms: int) -> None:
    """Return when a message can be said of a call now, or is about none.

    Raises:
        LineStateError: it would change nothing: what it answers does not stand, or is one's own;
            or it tells of a call that has not begun.
        InvalidDocumentError: a time that has passed is offered, or one to come is recorded.
    """
    fault = line.book.call_room.fault(kind, body, ref=ref, own=True, now_ms=now_ms)
    if fault is not None:
        problem, expected = _WHY[fault]
        raise LineStateError(
            problem,
            given=f"{kind} citing {(ref or 'nothing')[:16]}",
            expected=expected,
            remedy=_LIST,
        )
    if isinstance(body, ReadoutText | ReadoutWithheld):
        _require_begun(line, ref, now_ms)
    if isinstance(body, TalkOffer):
        for slot in body.slots:
            if slot.start_ms <= now_ms:
                raise InvalidDocumentError(
                    "a time is offered that has begun",
                    given=slot.start_utc,
                    expected=f"times after {format_utc(now_ms)}",
                )
    if isinstance(body, CallRecord) and parse_utc(body.end_utc) > now_ms:
        raise InvalidDocumentError(
            "a call is recorded that is not over",
            given=f"end {body.end_utc}",
            expected=f"an end until {format_utc(now_ms)}",
            remedy="record it when it has ended",
        )


def _require_begun(line: Line, ref: str | None, now_ms: int) -> None:
    """Refuse to tell of a call whose time is ahead; one held earlier is recorded first.

    Only what we say: the clocks of two nodes differ, so a peer's is taken as it comes.
    """
    call_id = line.book.calls.call_of(ref)
    talk = line.book.talks.of(call_id)
    if call_id is None or talk is None or talk.arranged is None:
        return
    recorded = any(
        line.book.calls.is_recorded_by(party, call_id) for party in (line.book.own, line.peer)
    )
    if not recorded and now_ms < talk.arranged.slot.start_ms:
        raise LineStateError(
            "a readout tells of a call, and this one has not begun",
            given=f"the call of {talk.arranged.slot.start_utc}",
            expected="a call that has begun, or that a side has recorded",
            remedy="keep a draft until then; if it was held earlier, record it first",
        )


def expiry_of_answer(body: Body, now_ms: int) -> int | None:
    """Return the age past which an acceptance is late wherever it is: when its slot begins.

    So a line that was down until then delivers it as DELAYED, and who accepted is told that it
    expired without a receipt.
    """
    if isinstance(body, TalkAccept):
        return max(1, body.slot.start_ms - now_ms)
    return None
