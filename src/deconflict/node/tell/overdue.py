"""Alerts about what is owed past its limit, on the rung of the ladder that it has reached."""

import heapq
from collections.abc import Callable, Mapping
from typing import Any, Final

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.line.alerts import Alarm, AlarmKind
from deconflict.line.delivery import Delivery, DeliveryState
from deconflict.line.envelope import Envelope
from deconflict.line.moment import Now
from deconflict.line.precedence import Step
from deconflict.line.receipt import RefusalReason
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import phrase_named
from deconflict.messages.said import Said, said
from deconflict.node.alerts import AlertKey
from deconflict.node.book import Taken
from deconflict.node.line import Line, cited_by, read_body
from deconflict.node.tell.desk import Desk, about, at_hand, received_rule
from deconflict.node.tell.ladder import climbed
from deconflict.node.tell.standby import moved_ladder, standby_facts, standby_said
from deconflict.node.threads import DECLARES, Thread

__all__ = ["ANSWER_RULES", "RECEIPT_RULES", "OverdueTeller", "close_thread"]

RECEIPT_RULES: Final = ("NO_RECEIPT", "EXPIRED", "REFUSED")
# These can lose their matter without an answer: called off, replaced, or their time has passed.
_MAY_LAPSE: Final = frozenset(
    (
        *(Kind.TALK_REQUEST, Kind.TALK_PROPOSE, Kind.READOUT_PROPOSE),
        *(Kind.SUSPEND, Kind.RESUME, Kind.SCOPE, Kind.TERMS_PROPOSE),
    )
)
_NOT_HELD: Final = frozenset(
    (
        DeliveryState.QUEUED,
        DeliveryState.SENT,
        DeliveryState.EXPIRED,
        DeliveryState.REFUSED,
    )
)
_NEVER_LATE_MS: Final = 1_000  # a receipt as soon as this is looked at no further
_WRONG: Final = "LINE_CHECK_WRONG"
_OPEN: Final = "CEASE_OPEN"
ANSWER_RULES: Final = ("NO_ANSWER", "READBACK_MISSING", "CEASE_NOT_ACKNOWLEDGED")


class OverdueTeller:
    """Tells what is owed too long, by the peer or by us.

    Args:
        desk: where alerts go.
        envelope_of: finds an envelope of the record by its hash; None when it is not there.
    """

    def __init__(self, desk: Desk, envelope_of: Callable[[str], Envelope | None]) -> None:
        self.desk = desk
        self._envelope_of = envelope_of
        self._readback_due: list[tuple[int, str, str]] = []
        self._restored: set[str] = set()  # messages whose limits were measured before a start
        self._unreceipted: set[str] = set()  # own messages that wait for a receipt in this run

    def watch_readback(self, line: Line, thread: Thread, since_ms: int) -> None:
        """Watch for the readback of an own declaration, from a monotonic instant on.

        One before the clock began stands for a limit that was measured before this start.
        """
        if since_ms < 0:
            self._restored.add(thread.hash)
        limit_ms = thread.answer_within_ms or line.answer_within_ms(thread.kind) or 0
        heapq.heappush(self._readback_due, (since_ms + limit_ms, line.line_id, thread.hash))

    def alarm(self, line: Line, alarm: Alarm, now: Now) -> None:
        """Tell that something is owed past its limit, on the rung of the ladder it has reached."""
        alert = alarm.alert
        envelope = self._envelope_of(alert.hash)
        if envelope is None or self._is_settled(line, alarm):
            return
        second = line.second_desk if Step.SECOND_DESK in alarm.steps else None
        if alarm.after_restart:
            self._restored.add(alert.hash)
        if not alert.own:
            self._owed_by_us(line, alarm, second, now)
            return
        waited_ms = now.utc_ms - envelope.created_utc_ms
        overdue = alert.needs_answer and waited_ms >= alert.answer_ms
        if overdue or alarm.kind is AlarmKind.NO_ANSWER:
            # No answer is shown as NO ANSWER (R3), also where nobody is known to have seen it.
            self._unanswered(line, alarm, envelope, second, now)
            if alarm.kind in (AlarmKind.NOT_SEEN, AlarmKind.NO_ANSWER):
                self._hand_over(line, AlertKey("NOT_SEEN", line.line_id, _root(line, alarm)), now)
                return
        rule, phrase = alarm.kind.value, None
        values: dict[str, Any] = {
            "peer": line.peer,
            "sent": envelope.created_utc,
            "kind": alert.kind,
        }
        if rule == "EXPIRED":
            values["expired"] = format_utc(envelope.created_utc_ms + (alert.expires_ms or 0))
        elif rule == "REFUSED":
            if (
                line.delivery(alert.hash, (envelope.epoch, envelope.seq)).reason
                == RefusalReason.NO_ROOM
            ):
                phrase = "REFUSED_NO_ROOM"
        else:
            limits = line.limits(alert.precedence)
            values["limit"] = {
                "NO_RECEIPT": limits.lack_ms,
                "NOT_SEEN": limits.seen_ms,
                "NO_ANSWER": alert.answer_ms,
            }[rule]
        if rule in RECEIPT_RULES:
            root = line.book.threads.root_of(alert.hash)
            for other in RECEIPT_RULES:
                if other != rule:
                    self.desk.alerts.close(AlertKey(other, line.line_id, root), now_ms=now.utc_ms)
        self._tell(rule, values, line, alarm, envelope, second, now, phrase=phrase)

    def climbed_before(self, line: Line, thread: Thread, now: Now) -> None:
        """Tell once more the rung that a matter has reached, where what told it was closed."""
        alerts = line.machine.open_alerts()
        alert = next((each for each in alerts if each.hash == thread.hash), None)
        if alert is not None and alert.level:
            kind = AlarmKind.NO_ANSWER if alert.own else AlarmKind.ANSWER_OWED
            steps = line.ladder(alert.precedence)[alert.level - 1].steps
            self.alarm(line, Alarm(alert, kind, alert.level, steps), now)

    def _hand_over(self, line: Line, key: AlertKey, now: Now) -> None:
        """Take the ladder out of an alert once another one about the message climbs it."""
        held = self.desk.alerts.get(key)
        if held is None or "ladder" not in held.facts:
            return
        facts = {name: value for name, value in held.facts.items() if name != "ladder"}
        self.desk.tell(
            key,
            {name: facts[name] for name in phrase_named(key.rule).values},
            drill=held.drill,
            urgency=held.urgency,
            now_ms=now.utc_ms,
            level=held.level,
            beside=self._beside(
                line, facts["message"], parse_utc(facts["sent"]), facts.get("limit"), now
            ),
            ladder={},
            facts=facts,
        )

    def _unanswered(
        self, line: Line, alarm: Alarm, envelope: Envelope, second: str | None, now: Now
    ) -> None:
        alert = alarm.alert
        kind = Kind(alert.kind)
        if kind in DECLARES:
            self._readback_missing(line, alert.hash, now, alarm=alarm, second=second)
            return
        values: dict[str, Any] = {
            "peer": line.peer,
            "sent": envelope.created_utc,
            "limit": alert.answer_ms,
        }
        rule = "CEASE_NOT_ACKNOWLEDGED"
        wrong = self.desk.alerts.get(AlertKey(_WRONG, line.line_id, _root(line, alarm)))
        if wrong is not None:  # answered, and not rightly: that is told already, and climbs
            rule = _WRONG
            values = {name: wrong.facts[name] for name in phrase_named(rule).values}
        elif kind is not Kind.CEASE:
            rule, values["kind"] = "NO_ANSWER", alert.kind
        self._tell(rule, values, line, alarm, envelope, second, now)

    def _tell(
        self,
        rule: str,
        values: dict[str, Any],
        line: Line,
        alarm: Alarm,
        envelope: Envelope,
        second: str | None,
        now: Now,
        *,
        phrase: str | None = None,
    ) -> None:
        alert = alarm.alert
        key = AlertKey(rule, line.line_id, line.book.threads.root_of(alert.hash))
        held = self.desk.alerts.get(key)
        if held is not None and held.level > alarm.level:
            return  # what asks for the same again does not come down the ladder
        self.desk.tell(
            key,
            values,
            drill=alert.drill,
            urgency=alert.precedence.value,
            now_ms=now.utc_ms,
            level=alarm.level,
            desk=second,
            phrase=phrase,
            beside=self._beside(
                line, alert.hash, envelope.created_utc_ms, values.get("limit"), now
            ),
            ladder=climbed(line, alarm, held, now),
            facts={
                "kind": alert.kind,
                "steps": [step.value for step in alarm.steps],
                "after_restart": alarm.after_restart,
                "declaration_id": _subject(line, alert.hash),
                "ref": envelope.ref,
                "message": alert.hash,
                **standby_facts(line.book.threads.get(alert.hash)),
            },
        )

    def stood_by(self, line: Line, thread: Thread, now: Now) -> None:
        """Show that STANDBY was said of a message, and the time that is in force since.

        Of what we owe, on its card; of what the peer owes, on each alert about its answer.
        """
        rules = (_OPEN, *ANSWER_RULES, _WRONG) if thread.own else (received_rule(thread.kind),)
        for rule in rules:
            key = AlertKey(rule, line.line_id, thread.root)
            held = self.desk.alerts.get(key)
            # Where the same was asked again, each message has a time of its own.
            if held is None or held.facts.get("message") != thread.hash:
                continue
            due_ms = None if rule == _OPEN else line.answer_due_ms(thread)
            ladder = moved_ladder(line, thread, held.facts.get("ladder"), held.level)
            if not thread.own:
                self._show_card(line, thread, key, now, deadline_ms=due_ms, ladder=ladder)
                continue
            self.desk.tell(
                key,
                {name: held.facts[name] for name in phrase_named(rule).values},
                drill=held.drill,
                urgency=held.urgency,
                now_ms=now.utc_ms,
                deadline_ms=due_ms,
                level=held.level,
                beside=standby_said(line, thread),
                ladder=ladder,
                facts={**held.facts, **standby_facts(thread)},
            )

    def _show_card(
        self,
        line: Line,
        thread: Thread,
        key: AlertKey,
        now: Now,
        *,
        deadline_ms: int | None = None,
        level: int = 0,
        desk: str | None = None,
        ladder: Mapping[str, Any] | None = None,
        overdue: AlarmKind | None = None,
    ) -> None:
        """Show again what a message of the peer says, with what has changed about it."""
        held, envelope = self.desk.alerts.get(key), self._envelope_of(thread.hash)
        if held is None or envelope is None:
            return
        facts = {name: value for name, value in held.facts.items() if name != "overdue"}
        if held.facts.get("message") == thread.hash:
            facts |= standby_facts(thread)
        self.desk.tell_said(
            key,
            [{"message": thread.hash}, *standby_said(line, thread)],
            messages=at_hand(envelope, read_body(envelope), cited_by(envelope, self._envelope_of)),
            drill=held.drill,
            urgency=held.urgency,
            now_ms=now.utc_ms,
            deadline_ms=deadline_ms,
            level=level,
            desk=desk,
            ladder=ladder,
            facts=facts if overdue is None else {**facts, "overdue": overdue.value},
        )

    def _beside(
        self, line: Line, message_hash: str, sent_ms: int, limit_ms: int | None, now: Now
    ) -> list[Said]:
        """Return what else is to be known of a limit that is told as passed."""
        thread = line.book.threads.get(message_hash)
        return standby_said(line, thread) or self._told_early(message_hash, sent_ms, limit_ms, now)

    def _told_early(
        self, message_hash: str, sent_ms: int, limit_ms: int | None, now: Now
    ) -> list[Said]:
        """Return that a limit is told as passed before it is: the node was started.

        The clock that measured it is gone, so no part of it is waited for again.
        """
        passed_ms = max(0, now.utc_ms - sent_ms)
        if limit_ms is None or message_hash not in self._restored or passed_ms >= limit_ms:
            return []
        return [said("TOLD_AT_START", {"passed": passed_ms // 1_000 * 1_000})]

    def _is_settled(self, line: Line, alarm: Alarm) -> bool:
        """True exactly when a later message that asked the same was answered for this one too.

        Or when what it asked has lost its matter.
        """
        if Kind(alarm.alert.kind) in _MAY_LAPSE:
            return line.book.threads.get(alarm.alert.hash) is None
        if alarm.kind not in (AlarmKind.NOT_SEEN, AlarmKind.NO_ANSWER):
            return False
        if Kind(alarm.alert.kind) is not Kind.CEASE:
            return False
        thread = line.book.threads.get(alarm.alert.hash)
        return thread is None or thread.answered_by is not None

    def _owed_by_us(self, line: Line, alarm: Alarm, second: str | None, now: Now) -> None:
        thread = line.book.threads.get(alarm.alert.hash)
        if thread is None:
            return
        key = AlertKey(received_rule(thread.kind), line.line_id, thread.root)
        held = self.desk.alerts.get(key)
        self._show_card(
            line,
            thread,
            key,
            now,
            level=alarm.level,
            desk=second,
            ladder=climbed(line, alarm, held, now),
            overdue=alarm.kind,
        )

    def readbacks_due(self, lines: Callable[[str], Line | None], now: Now) -> None:
        """Tell of own declarations whose readback limit has passed; an ACK is no readback."""
        while self._readback_due and self._readback_due[0][0] <= now.monotonic_ms:
            _, line_id, message_hash = heapq.heappop(self._readback_due)
            line = lines(line_id)
            if line is not None:
                self._readback_missing(line, message_hash, now)

    def next_readback_ms(self) -> int | None:
        """Return the monotonic time of the next readback limit."""
        return self._readback_due[0][0] if self._readback_due else None

    def _readback_missing(
        self,
        line: Line,
        message_hash: str,
        now: Now,
        *,
        alarm: Alarm | None = None,
        second: str | None = None,
    ) -> None:
        thread = line.book.threads.get(message_hash)
        if thread is None or thread.declaration_id is None:
            return
        limit_ms = thread.answer_within_ms or line.answer_within_ms(thread.kind) or 0
        key = AlertKey("READBACK_MISSING", line.line_id, message_hash)
        held = self.desk.alerts.get(key)
        self.desk.tell(
            key,
            {
                "party": line.peer,
                "declaration": thread.declaration_id,
                "sent": format_utc(thread.sent_ms),
                "limit": limit_ms,
            },
            drill=thread.drill,
            urgency=thread.precedence,
            now_ms=now.utc_ms,
            level=0 if alarm is None else alarm.level,
            desk=second,
            beside=self._beside(line, message_hash, thread.sent_ms, limit_ms, now),
            ladder=None if alarm is None else climbed(line, alarm, held, now),
            facts={**about(thread), **standby_facts(thread)},
        )

    def delivered(self, line: Line, message_hash: str, delivery: Delivery, now: Now) -> None:
        """Close what was overdue about an own message and is no longer."""
        state = delivery.state
        self.came_late(line, message_hash, state, now)
        past: list[str] = []
        if state not in _NOT_HELD:
            past += RECEIPT_RULES
        if state in (DeliveryState.SEEN, DeliveryState.LOADED, DeliveryState.CLOSED):
            past.append("NOT_SEEN")
        if state is DeliveryState.CLOSED:
            past += ["NO_ANSWER", "CEASE_NOT_ACKNOWLEDGED"]
        root = line.book.threads.root_of(message_hash)
        for rule in past:
            self.desk.alerts.close(AlertKey(rule, line.line_id, root), now_ms=now.utc_ms)

    def came_late(self, line: Line, message_hash: str, state: DeliveryState, now: Now) -> None:
        """Tell that what asks for an answer was receipted only once it had expired.

        What ends the alarm that it expired does not say that it came in time.
        """
        if state in _NOT_HELD:
            self._unreceipted.add(message_hash)
            return
        # What is receipted already may be told of again, as when it climbs the ladder.
        now_held = message_hash in self._unreceipted
        self._unreceipted.discard(message_hash)
        thread = line.book.threads.get(message_hash)
        if thread is None:
            return
        expired = self.desk.alerts.get(AlertKey("EXPIRED", line.line_id, thread.root))
        told = expired is not None and expired.facts.get("message") == message_hash
        aged = now_held and now.utc_ms - thread.sent_ms >= _NEVER_LATE_MS
        envelope = self._envelope_of(message_hash) if told or aged else None
        if envelope is None or envelope.expires_after_ms is None:
            return
        expired_ms = envelope.created_utc_ms + envelope.expires_after_ms
        if told or now.utc_ms > expired_ms:
            values = {"peer": line.peer, "kind": thread.kind.value, "sent": envelope.created_utc}
            self.desk.tell(
                AlertKey("CAME_LATE", line.line_id, thread.root),
                {**values, "expired": format_utc(expired_ms)},
                drill=thread.drill,
                urgency=thread.precedence,
                now_ms=now.utc_ms,
                facts=about(thread),
            )

    def late(self, line: Line, root: str, message_hash: str | None) -> dict[str, Any] | None:
        """Return, in values, that an own message was receipted only once it had expired, or not."""
        for rule in ("CAME_LATE", "EXPIRED"):
            held = self.desk.alerts.get(AlertKey(rule, line.line_id, root))
            if held is not None and held.facts.get("message") == message_hash:
                return {name: held.facts[name] for name in phrase_named("CAME_LATE").values}
        return None

    def answered_late(
        self, line: Line, thread: Thread, answer: Taken, late: dict[str, Any], now: Now
    ) -> None:
        """Tell that an answer is one to what came late; it stands until a desk here has read it."""
        self.desk.tell(
            AlertKey("CAME_LATE", line.line_id, thread.root),
            {**late, "answer": answer.envelope.kind},
            drill=thread.drill,
            urgency=thread.precedence,
            now_ms=now.utc_ms,
            phrase="ANSWERED_LATE",
            facts={**about(thread), "message": answer.hash},
        )


def close_thread(desk: Desk, line: Line, thread: Thread, now: Now) -> None:
    """Close what was told of a message that waits for nothing any more."""
    rules = (
        (_OPEN, "CAME_LATE", *RECEIPT_RULES, "NOT_SEEN", *ANSWER_RULES)
        if thread.own
        else (received_rule(thread.kind),)
    )
    for rule in rules:
        desk.alerts.close(AlertKey(rule, line.line_id, thread.root), now_ms=now.utc_ms)


def _root(line: Line, alarm: Alarm) -> str:
    return line.book.threads.root_of(alarm.alert.hash)


def _subject(line: Line, message_hash: str) -> str | None:
    thread = line.book.threads.get(message_hash)
    return None if thread is None else thread.declaration_id
