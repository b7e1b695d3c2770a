"""Which alerts people get, from what was said, heard, found and missed on a line.

Facts and deadlines only (R25). Each method looks at one change; the alert book makes sure that a
condition which lasts is one alert (R27).
"""

import heapq
from collections.abc import Callable, Iterable
from typing import Any, Final

from deconflict.airspace.instant import format_utc
from deconflict.airspace.position import Position
from deconflict.line.alerts import Alarm, AlarmKind
from deconflict.line.delivery import Delivery, DeliveryState
from deconflict.line.envelope import Envelope
from deconflict.line.link import LinkState, LinkStatus
from deconflict.line.moment import Now
from deconflict.line.precedence import Step
from deconflict.messages.bodies import Account, LineCheck, Readback, TermsMessage
from deconflict.messages.bodies import Declared as DeclaredBody
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_text
from deconflict.messages.notice import (
    lead_time_shortfall,
    outside_theatre,
    third_parties_concerned,
)
from deconflict.messages.plain import ConflictCard, ConflictSide, Unanswered, conflict_card
from deconflict.messages.readback import differences_text
from deconflict.messages.summary import summarise
from deconflict.messages.terms import Terms
from deconflict.node import incidents
from deconflict.node.alerts import AlertKey
from deconflict.node.book import Taken
from deconflict.node.desk import Desk
from deconflict.node.line import Line, read_body
from deconflict.node.picture import Conflict, Declared, PictureChange
from deconflict.node.threads import Thread

__all__ = ["DECLARES", "Teller", "card_of", "received_rule"]

DECLARES: Final = frozenset((Kind.NOTIFY, Kind.UPDATE, Kind.CORRECTION))
_FIRST_LIMITS: Final = ("NO_RECEIPT", "EXPIRED", "REFUSED")
_ANSWER_LIMITS: Final = ("NO_ANSWER", "READBACK_MISSING", "CEASE_NOT_ACKNOWLEDGED")
_OVERDUE: Final = {
    AlarmKind.NO_RECEIPT: "NO_RECEIPT",
    AlarmKind.EXPIRED: "EXPIRED",
    AlarmKind.REFUSED: "REFUSED",
    AlarmKind.NOT_SEEN: "NOT_SEEN",
    AlarmKind.NO_ANSWER: "NO_ANSWER",
}
# A conflict is as urgent as the time left to it: within 2 minutes, 10 minutes, later (R19).
_URGENT_MS: Final = ((120_000, "FLASH"), (600_000, "IMMEDIATE"))
_EXPIRING_MS: Final = 600_000


def received_rule(kind: Kind) -> str:
    """Return the rule of the alert that a received message raises until it is settled."""
    return f"{kind.value}_RECEIVED"


class Teller:
    """Turns what happens on lines into alerts.

    Args:
        desk: where alerts go.
        party: our own party.
        envelope_of: finds an envelope of the record by its hash; None when it is not there.
    """

    def __init__(
        self, desk: Desk, party: str, envelope_of: Callable[[str], Envelope | None]
    ) -> None:
        self.desk = desk
        self._party = party
        self._envelope_of = envelope_of
        self._readback_due: list[tuple[int, str, str]] = []

    # ---- what was said and heard ------------------------------------------------------------

    def said(self, line: Line, taken: Taken, now: Now) -> tuple[str, ...]:
        """Look at an own message; return what its sender should know at once, in words."""
        warnings = self._declared(line, taken, now)
        self._thread_changed(line, taken, now)
        if taken.opened is not None:
            self._watch_own(line, taken.opened, now.monotonic_ms, now)
        self._content(line, taken, now)
        return warnings

    def heard(self, line: Line, taken: Taken, now: Now) -> None:
        """Look at a message of the peer that is about to be durable here."""
        if taken.delayed:
            self._delayed(line, taken, now)
            return
        if taken.body is None:
            self.desk.tell(
                AlertKey("UNREADABLE", line.line_id, taken.hash),
                {"peer": line.peer, "sent": taken.envelope.created_utc},
                urgency=taken.envelope.prec.value,
                now_ms=now.utc_ms,
            )
            return
        self._declared(line, taken, now)
        self._thread_changed(line, taken, now)
        if taken.opened is not None:
            self._watch_peer(line, taken.opened, taken.envelope, now)
        self._content(line, taken, now)

    def _watch_own(self, line: Line, thread: Thread, since_ms: int, now: Now) -> None:
        if thread.kind in DECLARES:
            limit_ms = thread.answer_within_ms or line.answer_within_ms(thread.kind) or 0
            heapq.heappush(self._readback_due, (since_ms + limit_ms, line.line_id, thread.hash))
        elif thread.kind is Kind.CEASE:
            self.desk.tell(
                AlertKey("CEASE_OPEN", line.line_id, thread.hash),
                {"peer": line.peer, "sent": format_utc(thread.sent_ms)},
                urgency="FLASH",
                now_ms=now.utc_ms,
                facts=_about(thread),
            )

    def _watch_peer(self, line: Line, thread: Thread, envelope: Envelope, now: Now) -> None:
        text = self.text_of(envelope, line.peer)
        limits = line.limits(envelope.prec)
        within_ms = min(thread.answer_within_ms or limits.answer_ms, limits.answer_ms)
        self.desk.tell_text(
            AlertKey(received_rule(thread.kind), line.line_id, thread.hash),
            text,
            urgency=thread.precedence,
            now_ms=now.utc_ms,
            deadline_ms=thread.logged_ms + within_ms,
            facts={"from": line.peer, "kind": thread.kind.value, **_about(thread)},
        )

    def text_of(self, envelope: Envelope, party: str) -> str:
        """Return a message in the desk's words; empty when it cannot be read."""
        body = read_body(envelope)
        if body is None:
            return ""
        return message_text(
            Kind(envelope.kind),
            body,
            party=party,
            language=self.desk.language,
            drill=envelope.drill,
        )

    def _thread_changed(self, line: Line, taken: Taken, now: Now) -> None:
        thread = taken.thread
        if thread is None or not taken.ended:
            return
        rules = (
            ("CEASE_OPEN", *_FIRST_LIMITS, "NOT_SEEN", *_ANSWER_LIMITS)
            if thread.own
            else (received_rule(thread.kind),)
        )
        for rule in rules:
            self.desk.alerts.close(AlertKey(rule, line.line_id, thread.hash), now_ms=now.utc_ms)

    def _delayed(self, line: Line, taken: Taken, now: Now) -> None:
        envelope = taken.envelope
        expired_ms = envelope.created_utc_ms + (envelope.expires_after_ms or 0)
        self.desk.tell(
            AlertKey("DELAYED", line.line_id, taken.hash),
            {
                "peer": line.peer,
                "kind": envelope.kind,
                "sent": envelope.created_utc,
                "expired": format_utc(expired_ms),
            },
            urgency=envelope.prec.value,
            now_ms=now.utc_ms,
        )

    def _content(self, line: Line, taken: Taken, now: Now) -> None:
        match taken.body:
            case Readback() as body:
                self._read_back(line, f"{body.values.declaration_id}", taken, now)
            case LineCheck() as body if taken.kind is Kind.LINE_CHECK_REPLY:
                self._line_check(line, body, taken, now)
            case Account() as body:
                self.accounts(line, body.event, now)
            case TermsMessage():
                line.use_terms()

    def _read_back(self, line: Line, declaration_id: str, taken: Taken, now: Now) -> None:
        author = line.peer if taken.own else self._party
        found = line.book.readbacks.get(f"{author}/{declaration_id}")
        if found is None or found.message_hash != taken.hash:
            return
        key = AlertKey("READBACK_WRONG", line.line_id, declaration_id)
        declared = line.book.picture.get(found.declaration_key)
        if not found.differences or declared is None:
            self.desk.alerts.close(key, now_ms=now.utc_ms)
            return
        reference = summarise(declared.declaration.geometry).band.reference
        self.desk.tell(
            key,
            {
                "party": self._party if taken.own else line.peer,
                "declaration": declaration_id,
                "differences": differences_text(
                    found.differences, self.desk.language, reference=reference
                ),
            },
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            facts={"fields": [difference.field for difference in found.differences]},
        )

    def _line_check(self, line: Line, reply: LineCheck, taken: Taken, now: Now) -> None:
        asked = None if taken.envelope.ref is None else self._envelope_of(taken.envelope.ref)
        sent = "" if asked is None else str(asked.body.get("text", ""))
        key = AlertKey("LINE_CHECK_WRONG", line.line_id, line.peer)
        if LineCheck(text=sent or "?").same_as(reply):
            self.desk.alerts.close(key, now_ms=now.utc_ms)
            return
        self.desk.tell(
            key,
            {"peer": line.peer, "sent": sent, "retyped": reply.text},
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
        )

    def accounts(self, line: Line, event: str, now: Now) -> None:
        """Lay the accounts of one event side by side; none is chosen (R29)."""
        accounts = line.book.accounts.get(event, [])
        fields = incidents.differing_fields(accounts)
        terms = line.book.terms
        tolerance_ms = 0 if terms is None else terms.time_tolerance_ms
        apart = {
            name: apart_ms
            for name, apart_ms in incidents.times_apart_ms(accounts).items()
            if apart_ms > tolerance_ms
        }
        odd = [found for account in accounts for found in incidents.implausible_figures(account)]
        if not (fields or odd):
            return
        self.desk.tell(
            AlertKey("ACCOUNTS_DIFFER", line.line_id, event),
            {"event": event, "fields": ", ".join(fields) or "-"},
            urgency="ROUTINE",
            now_ms=now.utc_ms,
            facts={
                "differing": list(fields),
                "times_apart_ms": apart,
                "implausible": [
                    {
                        "by": found.by,
                        "fields": [found.length_field, found.time_field],
                        "speed_mps": round(found.speed_mps, 1),
                    }
                    for found in odd
                ],
            },
        )

    # ---- declarations ------------------------------------------------------------------------

    def _declared(self, line: Line, taken: Taken, now: Now) -> tuple[str, ...]:
        if not isinstance(taken.body, DeclaredBody) or line.book.terms is None:
            return ()
        declaration = taken.body.value
        terms = line.book.terms
        party = self._party if taken.own else line.peer
        told = [
            self._lead_time(line, declaration, party, taken.envelope.created_utc_ms, terms, now),
            self._place(line, declaration, party, terms, now),
        ]
        for third in third_parties_concerned(declaration, terms):
            key = AlertKey(
                "THIRD_PARTY_NOT_REACHED", line.line_id, declaration.declaration_id, third
            )
            values = {"third": third, "party": party, "declaration": declaration.declaration_id}
            self.desk.tell(key, values, urgency="PRIORITY", now_ms=now.utc_ms)
            told.append(key)
        if declaration.purpose is Purpose.PROTECTED_SITE and not taken.own:
            self._site(line, declaration, now)
        open_alerts = [self.desk.alerts.get(key) for key in told if key is not None]
        return tuple(alert.text for alert in open_alerts if alert is not None)

    def _lead_time(
        self,
        line: Line,
        declaration: Declaration,
        party: str,
        sent_ms: int,
        terms: Terms,
        now: Now,
    ) -> AlertKey | None:
        short = lead_time_shortfall(declaration, sent_ms, terms)
        if short is None or now.utc_ms > declaration.span.end_ms:
            return None
        key = AlertKey("LEAD_TIME_SHORT", line.line_id, declaration.declaration_id)
        values: dict[str, Any] = {
            "party": party,
            "declaration": declaration.declaration_id,
            "start": format_utc(short.start_ms),
            "least": short.least_ms,
        }
        started = short.notice_ms < 0
        values["late" if started else "notice"] = abs(short.notice_ms)
        self.desk.tell(
            key,
            values,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            phrase="STARTED_BEFORE_NOTICE" if started else None,
            facts={"notice_ms": short.notice_ms},
        )
        return key

    def _place(
        self, line: Line, declaration: Declaration, party: str, terms: Terms, now: Now
    ) -> AlertKey | None:
        outside = outside_theatre(declaration, terms)
        if outside is None:
            return None
        key = AlertKey("OUTSIDE_THEATRE", line.line_id, declaration.declaration_id)
        values: dict[str, Any] = {
            "party": party,
            "declaration": declaration.declaration_id,
            "where": _place_values(outside.position),
            "theatre": terms.theatre.name,
        }
        if outside.swapped is not None:
            values["swapped"] = _place_values(outside.swapped)
        self.desk.tell(
            key,
            values,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            phrase=None if outside.swapped is None else "OUTSIDE_THEATRE_SWAPPED",
        )
        return key

    def _site(self, line: Line, declaration: Declaration, now: Now) -> None:
        # Receipted by a headquarters is not held by the unit that acts (Kunduz, 2015): the desk is
        # told from the first moment, and until LOADED is said.
        self.desk.tell(
            AlertKey("SITE_NOT_LOADED", line.line_id, declaration.declaration_id),
            {"party": self._party, "declaration": declaration.declaration_id},
            urgency="PRIORITY",
            now_ms=now.utc_ms,
        )

    def over(self, line: Line, declared: Declared, now: Now) -> None:
        """Close what was told about a declaration that is cancelled or over."""
        declaration_id = declared.declaration.declaration_id
        for rule in (
            "LEAD_TIME_SHORT",
            "OUTSIDE_THEATRE",
            "THIRD_PARTY_NOT_REACHED",
            "SITE_NOT_LOADED",
            "READBACK_WRONG",
            "DECLARATION_EXPIRING",
            "NOT_CHECKED",
        ):
            self.desk.close(rule, line.line_id, declaration_id, now.utc_ms)
        for message_hash in line.book.messages_of.get(declared.key, ()):
            line.book.threads.drop(message_hash)
            for rule in ("READBACK_MISSING", *(received_rule(kind) for kind in DECLARES)):
                self.desk.alerts.close(
                    AlertKey(rule, line.line_id, message_hash), now_ms=now.utc_ms
                )

    # ---- what is overdue -----------------------------------------------------------------------

    def alarm(self, line: Line, alarm: Alarm, now: Now) -> None:
        """Tell that something is owed past its limit, on the rung of the ladder it has reached."""
        alert = alarm.alert
        envelope = self._envelope_of(alert.hash)
        if envelope is None:
            return
        second = line.second_desk if Step.SECOND_DESK in alarm.steps else None
        if not alert.own:
            self._owed_by_us(line, alarm, second, now)
            return
        rule = _OVERDUE[alarm.kind]
        kind = Kind(alert.kind)
        values: dict[str, Any] = {"peer": line.peer, "sent": envelope.created_utc}
        limits = line.limits(envelope.prec)
        if rule == "NO_ANSWER" and kind in DECLARES:
            self._readback_missing(line, alert.hash, now, level=alarm.level, second=second)
            return
        if rule == "NO_ANSWER" and kind is Kind.CEASE:
            rule, values["limit"] = "CEASE_NOT_ACKNOWLEDGED", alert.answer_ms
        else:
            values["kind"] = alert.kind
            if rule == "EXPIRED":
                values["expired"] = format_utc(envelope.created_utc_ms + (alert.expires_ms or 0))
            elif rule != "REFUSED":
                values["limit"] = {
                    "NO_RECEIPT": limits.lack_ms,
                    "NOT_SEEN": limits.seen_ms,
                    "NO_ANSWER": alert.answer_ms,
                }[rule]
        if rule in ("NO_RECEIPT", "EXPIRED", "REFUSED"):
            for other in _FIRST_LIMITS:
                if other != rule:
                    self.desk.alerts.close(
                        AlertKey(other, line.line_id, alert.hash), now_ms=now.utc_ms
                    )
        self.desk.tell(
            AlertKey(rule, line.line_id, alert.hash),
            values,
            urgency=alert.precedence.value,
            now_ms=now.utc_ms,
            level=alarm.level,
            desk=second,
            facts={
                "kind": alert.kind,
                "steps": [step.value for step in alarm.steps],
                "after_restart": alarm.after_restart,
                "declaration_id": _subject(line, alert.hash),
                "ref": envelope.ref,
            },
        )

    def _owed_by_us(self, line: Line, alarm: Alarm, second: str | None, now: Now) -> None:
        key = AlertKey(received_rule(Kind(alarm.alert.kind)), line.line_id, alarm.alert.hash)
        held = self.desk.alerts.get(key)
        if held is None:
            return
        self.desk.tell_text(
            key,
            held.text,
            urgency=held.urgency,
            now_ms=now.utc_ms,
            deadline_ms=None,
            level=alarm.level,
            desk=second,
            facts={**held.facts, "overdue": alarm.kind.value},
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
        level: int = 0,
        second: str | None = None,
    ) -> None:
        thread = line.book.threads.get(message_hash)
        if thread is None or thread.declaration_id is None:
            return
        limit_ms = thread.answer_within_ms or line.answer_within_ms(thread.kind) or 0
        self.desk.tell(
            AlertKey("READBACK_MISSING", line.line_id, message_hash),
            {
                "party": line.peer,
                "declaration": thread.declaration_id,
                "sent": format_utc(thread.sent_ms),
                "limit": limit_ms,
            },
            urgency=thread.precedence,
            now_ms=now.utc_ms,
            level=level,
            desk=second,
            facts=_about(thread),
        )

    def delivered(self, line: Line, message_hash: str, delivery: Delivery, now: Now) -> None:
        """Close what was overdue about an own message and is no longer."""
        state = delivery.state
        past: list[str] = []
        if state not in (
            DeliveryState.QUEUED,
            DeliveryState.SENT,
            DeliveryState.EXPIRED,
            DeliveryState.REFUSED,
        ):
            past += _FIRST_LIMITS
        if state in (DeliveryState.SEEN, DeliveryState.LOADED, DeliveryState.CLOSED):
            past.append("NOT_SEEN")
        if state is DeliveryState.CLOSED:
            past += ["NO_ANSWER", "CEASE_NOT_ACKNOWLEDGED"]
        for rule in past:
            self.desk.alerts.close(AlertKey(rule, line.line_id, message_hash), now_ms=now.utc_ms)

    # ---- what holds now ------------------------------------------------------------------------

    def link(self, line: Line, state: LinkState, now: Now) -> None:
        """Tell that a line went down, or that it is up again."""
        key = AlertKey("LINE_DOWN", line.line_id, line.peer)
        if state.status is LinkStatus.DOWN:
            self.desk.tell(
                key,
                {"peer": line.peer, "since": format_utc(state.since_utc_ms)},
                urgency="FLASH",
                now_ms=now.utc_ms,
                facts={"reason": state.reason.value},
            )
        elif state.status is LinkStatus.UP:
            self.desk.alerts.close(key, now_ms=now.utc_ms)

    def suspensions(self, line: Line, now: Now) -> None:
        """Tell which scopes are suspended now."""
        for suspension in line.book.suspensions.values():
            key = AlertKey("LINE_SUSPENDED", line.line_id, suspension.scope)
            if suspension.holds(now.utc_ms):
                self.desk.tell(
                    key,
                    {
                        "party": suspension.by,
                        "scope": suspension.scope,
                        "effective": format_utc(suspension.effective_ms),
                    },
                    urgency="IMMEDIATE",
                    now_ms=now.utc_ms,
                )
            else:
                self.desk.alerts.close(key, now_ms=now.utc_ms)

    def expiring(self, line: Line, declared: Iterable[Declared], now: Now) -> None:
        """Remind of own declarations that end soon and cover somebody still out there (R18)."""
        for item in declared:
            left_ms = item.end_ms - now.utc_ms
            if item.own and 0 <= left_ms <= _EXPIRING_MS:
                self.desk.tell(
                    AlertKey(
                        "DECLARATION_EXPIRING",
                        line.line_id,
                        item.declaration.declaration_id,
                    ),
                    {
                        "party": item.party,
                        "declaration": item.declaration.declaration_id,
                        "end": format_utc(item.end_ms),
                        # Whole minutes: the text would otherwise be another one each second.
                        "left": max(60_000, left_ms // 60_000 * 60_000),
                    },
                    urgency="ROUTINE",
                    now_ms=now.utc_ms,
                    deadline_ms=item.end_ms,
                )

    def conflicts(self, line: Line, change: PictureChange, now: Now) -> None:
        """Tell of conflicts found or changed, and close those that are no more."""
        for conflict in change.found:
            self.conflict(line, conflict, now)
        for conflict in change.ended:
            self.desk.alerts.close(
                AlertKey("CONFLICT", line.line_id, conflict.conflict_id), now_ms=now.utc_ms
            )

    def drop_old_conflicts(self, line: Line, now: Now) -> None:
        """Close alerts of conflicts from before a restart that the first check did not find."""
        present = {conflict.conflict_id for conflict in line.book.picture.conflicts()}
        for key in self.desk.alerts.keys("CONFLICT"):
            if key.line_id == line.line_id and key.subject not in present:
                self.desk.alerts.close(key, now_ms=now.utc_ms)

    def conflict(self, line: Line, conflict: Conflict, now: Now) -> None:
        """Tell of one conflict as it stands now: its time left and what is unanswered."""
        card = card_of(line, conflict, now.utc_ms)
        left_ms = card.start_ms - now.utc_ms
        urgency = next((name for limit, name in _URGENT_MS if left_ms <= limit), "PRIORITY")
        self.desk.tell_text(
            AlertKey("CONFLICT", line.line_id, conflict.conflict_id),
            card.text(self.desk.language),
            urgency=urgency,
            now_ms=now.utc_ms,
            deadline_ms=card.start_ms,
            facts={
                "conflict_id": conflict.conflict_id,
                "own": conflict.own.declaration.declaration_id,
                "peer": conflict.peer.declaration.declaration_id,
                "unanswered": len(card.unanswered),
            },
        )

    def forked(self, line: Line, now: Now) -> None:
        """Tell that the peer signed two different messages for one slot."""
        self.desk.tell(
            AlertKey("FORKED_CHAIN", line.line_id, line.peer),
            {"party": line.peer},
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
        )

    def unchecked(self, line: Line, declared: Declared, now: Now) -> None:
        """Tell that a declaration could not be checked: unknown is never clear."""
        declaration_id = declared.declaration.declaration_id
        self.desk.tell(
            AlertKey("NOT_CHECKED", line.line_id, declaration_id),
            {"party": declared.party, "declaration": declaration_id},
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
        )

    # ---- after a start -------------------------------------------------------------------------

    def restored(self, line: Line, now: Now) -> None:
        """Raise again what the record of a line implies, and close what it does not."""
        for thread in line.book.threads:
            envelope = self._envelope_of(thread.hash)
            if envelope is None:
                continue
            if thread.own:
                # The clock that measured it is gone: its limit counts as passed.
                self._watch_own(line, thread, -_LONG_AGO_MS, now)
            else:
                self._watch_peer(line, thread, envelope, now)
        for declared in line.book.picture:
            site = declared.declaration.purpose is Purpose.PROTECTED_SITE
            if site and not declared.own and declared.key not in line.book.loaded:
                self._site(line, declared.declaration, now)
        for alert in self.desk.alerts.open_alerts():
            if alert.line_id == line.line_id and self._is_past(line, alert.rule, alert.subject):
                key = AlertKey(alert.rule, alert.line_id, alert.subject, alert.object)
                self.desk.alerts.close(key, now_ms=now.utc_ms)

    def _is_past(self, line: Line, rule: str, subject: str | None) -> bool:
        about_threads = rule.endswith("_RECEIVED") or rule in (*_ANSWER_LIMITS, "CEASE_OPEN")
        if about_threads:
            return subject is None or line.book.threads.get(subject) is None
        if rule in (*_FIRST_LIMITS, "NOT_SEEN"):
            envelope = None if subject is None else self._envelope_of(subject)
            if envelope is None or subject is None:
                return True
            state = line.delivery(subject, envelope.seq).state
            reached = state not in (DeliveryState.QUEUED, DeliveryState.SENT)
            return reached and (rule != "NOT_SEEN" or state is not DeliveryState.LACKED)
        # The first look at the picture and the connection raises these again, if they still hold.
        return rule in ("LINE_DOWN", "LINE_SUSPENDED")


_LONG_AGO_MS: Final = 86_400_000 * 365


def card_of(line: Line, conflict: Conflict, now_ms: int) -> ConflictCard:
    """Return the card of a conflict: its earliest finding not yet over, and what is unanswered."""
    finding = conflict.current(now_ms)
    sides = {
        declared.key: ConflictSide(declared.party, declared.declaration)
        for declared in (conflict.own, conflict.peer)
    }
    unanswered = [
        Unanswered(thread.kind, line.peer if thread.own else line.book.own, thread.sent_ms)
        for declared in (conflict.own, conflict.peer)
        for thread in line.book.threads.about(declared.declaration.declaration_id)
    ]
    terms = line.book.terms
    return conflict_card(
        finding,
        sides[finding.first],
        sides[finding.second],
        landmarks=() if terms is None else landmarks_of(terms),
        known_since_ms=conflict.known_since_ms,
        unanswered=unanswered,
    )


def _about(thread: Thread) -> dict[str, Any]:
    return {"message": thread.hash, "declaration_id": thread.declaration_id}


def _subject(line: Line, message_hash: str) -> str | None:
    thread = line.book.threads.get(message_hash)
    return None if thread is None else thread.declaration_id


def _place_values(position: Position) -> dict[str, int]:
    return {"lat_e7": position.lat_e7, "lon_e7": position.lon_e7}
