"""Alerts about calls: one is due, one was called off, records of one differ, words change nothing.

What is offered and waits for an answer is told as every message that asks for one.
"""

from typing import Final

from deconflict.airspace.instant import parse_utc
from deconflict.line.moment import Now
from deconflict.messages.talks import TalkFault
from deconflict.node.alerts import AlertKey
from deconflict.node.book import Taken
from deconflict.node.calls import Call
from deconflict.node.line import Line
from deconflict.node.talks import Talk, TalkState
from deconflict.node.tell.desk import Desk
from deconflict.node.tell.overdue import close_thread

__all__ = ["recorded_apart", "tell_not_taken", "tell_talks"]

# Chosen: time enough to find an interpreter who is in the house.
_DUE_BEFORE_MS: Final = 15 * 60_000


def tell_talks(desk: Desk, line: Line, now: Now) -> None:
    """Raise and close what the time brings for the calls of one line."""
    for talk in line.book.talks:
        _due(desk, line, talk, now)
        _called_off(desk, line, talk, now)
        if talk.state(now.utc_ms) is TalkState.LAPSED:
            _lapse(desk, line, talk, now)
    for call in line.book.calls:
        _records(desk, line, call, now)
        _time_recorded(desk, line, call, now)


def tell_not_taken(desk: Desk, line: Line, taken: Taken, fault: TalkFault, now: Now) -> None:
    """Tell that the peer said of a call what changes nothing; of one call it is one alert."""
    ref = taken.envelope.ref
    talk = line.book.talks.of(ref)
    subject = ref if talk is None else talk.talk_id
    desk.tell(
        AlertKey("TALK_NOT_TAKEN", line.line_id, line.book.calls.call_of(ref) or subject),
        {
            "peer": line.peer,
            "kind": taken.envelope.kind,
            "sent": taken.envelope.created_utc,
            "fault": fault.value,
        },
        drill=taken.envelope.drill,
        urgency=taken.envelope.prec.value,
        now_ms=now.utc_ms,
        facts={"message": taken.hash},
    )


def recorded_apart(line: Line, call: Call, party: str) -> dict[str, str] | None:
    """Return, in values, that a party recorded a call at no time that was arranged; None: not.

    A call that begins late or lasts longer is the one that was arranged; one that does not touch
    the arranged time may be another, or its day or hour is a slip.
    """
    talk = line.book.talks.of(call.call_id)
    if talk is None or talk.arranged is None or party not in call.records:
        return None
    slot, said = talk.arranged.slot, call.records[party].body
    if parse_utc(said.start_utc) <= slot.end_ms and slot.start_ms <= parse_utc(said.end_utc):
        return None
    return {
        "party": party,
        "start": slot.start_utc,
        "end": slot.end_utc,
        "began": said.start_utc,
        "over": said.end_utc,
    }


def _time_recorded(desk: Desk, line: Line, call: Call, now: Now) -> None:
    """Tell that the peer recorded another time, until our own record stands beside it."""
    key = AlertKey("NOT_THE_ARRANGED_TIME", line.line_id, call.call_id)
    apart = recorded_apart(line, call, line.peer)
    if apart is None or line.book.own in call.records:
        desk.alerts.close(key, now_ms=now.utc_ms)
        return
    desk.tell(key, apart, drill=call.drill, urgency="ROUTINE", now_ms=now.utc_ms)


def _due(desk: Desk, line: Line, talk: Talk, now: Now) -> None:
    held = talk.arranged
    if held is None:
        return
    key = AlertKey("CALL_DUE", line.line_id, held.hash)
    recorded = line.book.calls.is_recorded_by(line.book.own, held.hash)
    begins_ms = held.slot.start_ms - _DUE_BEFORE_MS
    if talk.ended is not None or recorded or not begins_ms <= now.utc_ms < held.slot.end_ms:
        desk.alerts.close(key, now_ms=now.utc_ms)
        return
    desk.tell(
        key,
        {
            "peer": line.peer,
            "start": held.slot.start_utc,
            "end": held.slot.end_utc,
            "tier": held.offer.body.tier.value,
            "medium": held.medium.value,
        },
        drill=talk.drill,
        urgency="PRIORITY",
        now_ms=now.utc_ms,
        deadline_ms=held.slot.start_ms,
    )


def _called_off(desk: Desk, line: Line, talk: Talk, now: Now) -> None:
    held, ended = talk.arranged, talk.ended
    if held is None or ended is None:
        return
    key = AlertKey("CALL_CALLED_OFF", line.line_id, held.hash)
    if ended.by == line.book.own or now.utc_ms >= held.slot.end_ms:
        desk.alerts.close(key, now_ms=now.utc_ms)
        return
    desk.tell(
        key,
        {"party": ended.by, "start": held.slot.start_utc, "reason": ended.body.reason.value},
        drill=talk.drill,
        urgency="IMMEDIATE",
        now_ms=now.utc_ms,
    )


def _lapse(desk: Desk, line: Line, talk: Talk, now: Now) -> None:
    """What was offered has begun: an answer would be late, so none is waited for any more."""
    thread = line.book.threads.get(talk.standing.hash)
    if thread is not None:
        line.book.threads.drop(thread.hash)
        close_thread(desk, line, thread, now)


def _records(desk: Desk, line: Line, call: Call, now: Now) -> None:
    terms = line.book.terms
    fields = call.differing(0 if terms is None else terms.time_tolerance_ms)
    key = AlertKey("CALL_RECORDS_DIFFER", line.line_id, call.call_id)
    if not fields:
        desk.alerts.close(key, now_ms=now.utc_ms)
        return
    own = call.records[line.book.own].body
    desk.tell(
        key,
        {"peer": line.peer, "start": own.start_utc, "fields": list(fields)},
        drill=call.drill,
        urgency="ROUTINE",
        now_ms=now.utc_ms,
    )
