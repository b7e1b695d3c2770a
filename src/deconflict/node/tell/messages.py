"""Alerts about what is said and heard, and about the line itself.

Facts and deadlines only (R25). Each method looks at one change; the alert book makes sure that a
condition which lasts is one alert (R27).
"""

from collections.abc import Callable
from typing import Any, Final

from deconflict.airspace.instant import format_utc, nearest_utc_ms, parse_utc
from deconflict.line.delivery import DeliveryState, counts_as
from deconflict.line.envelope import Envelope
from deconflict.line.epoch import EPOCH_KIND
from deconflict.line.key_ring import KeyInForce
from deconflict.line.link import LinkStatus
from deconflict.line.moment import Now
from deconflict.messages.bodies import (
    Account,
    Answer,
    Body,
    CeaseReport,
    LineCheck,
    Loaded,
    Readback,
    Resume,
    ScopeChange,
    Suspend,
    TermsMessage,
    Voice,
)
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import KIND_RULES, KINDS, SAID_BY_NODES, Kind
from deconflict.messages.readback import differences_said
from deconflict.messages.said import Said, said
from deconflict.messages.summary import summarise
from deconflict.node import incidents
from deconflict.node.alerts import AlertKey
from deconflict.node.book import ReadbackFound, Taken
from deconflict.node.declared import Declared
from deconflict.node.line import Line, cited_by, read_body
from deconflict.node.tell.activity import ActivityTeller
from deconflict.node.tell.conflicts import ConflictTeller
from deconflict.node.tell.cover import CoverTeller
from deconflict.node.tell.declarations import DeclarationTeller
from deconflict.node.tell.desk import Desk, about, at_hand, received_rule
from deconflict.node.tell.incidents import IncidentTeller, tell_accounts
from deconflict.node.tell.line_checks import CHECK_LATE, late_reply
from deconflict.node.tell.overdue import (
    ANSWER_RULES,
    RECEIPT_RULES,
    OverdueTeller,
    close_thread,
)
from deconflict.node.tell.silence import BROUGHT, WHILE_SILENT, tell_heard
from deconflict.node.tell.standby import standby_facts, standby_said
from deconflict.node.tell.suspensions import tell_came_after
from deconflict.node.tell.talks import recorded_apart, tell_not_taken
from deconflict.node.tell.voice import VoiceTeller
from deconflict.node.tell.worded import alert_said
from deconflict.node.threads import DECLARES, Thread

__all__ = ["Teller"]

_LONG_AGO_MS: Final = 365 * 86_400_000
_OWN_UNKNOWN: Final = "OWN_UNKNOWN"
_OWN_UNKNOWN_MS: Final = 86_400_000  # chosen: each watch of a day has had it before a start ends it
_NOT_CEASED: Final = "NOT_CEASED"  # of which CEASED had been reported


class Teller:
    """Turns what happens on lines into alerts.

    Args:
        desk: where alerts go.
        party: our own party.
        envelope_of: finds an envelope of the record by its hash; None when it is not there.
        message_at: finds what stands in a slot of either chain; None when nothing does.

    Attributes:
        outside_accounts: by event, what sources without a line say of it.
    """

    def __init__(
        self,
        desk: Desk,
        party: str,
        envelope_of: Callable[[str], Envelope | None],
        message_at: Callable[[Line, bool, int], tuple[str, Envelope] | None],
    ) -> None:
        self.desk = desk
        self.voice = VoiceTeller(desk, message_at)
        self.declarations = DeclarationTeller(desk, party)
        self.overdue = OverdueTeller(desk, envelope_of)
        self.conflicts = ConflictTeller(desk)
        self.activities = ActivityTeller(desk, party)
        self.cover = CoverTeller(desk)
        self.incidents = IncidentTeller(desk)
        self.outside_accounts: dict[str, list[incidents.Account]] = {}
        self._party = party
        self._envelope_of = envelope_of

    def said(self, line: Line, taken: Taken, now: Now) -> tuple[Said, ...]:
        """Look at an own message; return what its sender should know at once."""
        warnings = self.declarations.declared(line, taken, now)
        self.declarations.answered(taken, now)
        self._thread_changed(line, taken, now)
        self.incidents.look(line, taken, self.outside_accounts, now)
        if taken.opened is not None:
            self._watch_own(line, taken.opened, now.monotonic_ms, now)
        self._content(line, taken, now)
        self.voice.passed(line, taken, now)
        warnings = (*warnings, *self.voice.noted(line, taken, now))
        warnings = (
            *warnings,
            *self._retyped_amiss(line, taken),
            *self._another_time(line, taken),
        )
        changed = self._answer_changed(line, taken)
        if changed is not None:
            warnings = (*warnings, said("ANSWER_CHANGED", changed))
        reported = self._ceased_before(line, taken)
        if reported is not None:
            warnings = (*warnings, said(*reported))
        return warnings

    def heard(self, line: Line, taken: Taken, now: Now, *, suspect_clock: bool = False) -> None:
        """Look at a message of the peer that is about to be durable here."""
        for rule in (WHILE_SILENT, BROUGHT):
            self.desk.close(rule, line.line_id, taken.hash, now.utc_ms)
        if taken.envelope.kind == EPOCH_KIND:
            # What the peer said in the epoch that ends, and nobody held, it says again in this one.
            for key in self.desk.alerts.keys(BROUGHT):
                if key.line_id == line.line_id:
                    self.desk.alerts.close(key, now_ms=now.utc_ms)
        self.voice.passed(line, taken, now)
        if taken.delayed and suspect_clock and taken.body is not None:
            self._suspect(line, taken, now)
            return
        if taken.delayed and taken.envelope.kind in SAID_BY_NODES:
            return  # the run that it belonged to is over, and that is told
        if taken.delayed and taken.envelope.kind in KINDS:
            self._delayed(line, taken, now)
            return
        if taken.body is None:  # also what came late, of a kind that has no name here
            self.desk.tell(
                AlertKey("UNREADABLE", line.line_id, taken.hash),
                {"peer": line.peer, "sent": taken.envelope.created_utc},
                drill=taken.envelope.drill,
                urgency=counts_as(taken.envelope.kind, taken.envelope.prec, KIND_RULES).value,
                now_ms=now.utc_ms,
            )
            return
        if taken.fault is not None:
            tell_not_taken(self.desk, line, taken, taken.fault, now)
            return
        if taken.not_taken is None:
            self.declarations.declared(line, taken, now)
        else:
            self.declarations.not_taken(line, taken, taken.not_taken, now)
        self._thread_changed(line, taken, now)
        self.incidents.look(line, taken, self.outside_accounts, now)
        if taken.opened is not None:
            self._watch_peer(line, taken.opened, taken.envelope, taken.body, now)
        self._content(line, taken, now)

    def _watch_own(self, line: Line, thread: Thread, since_ms: int, now: Now) -> None:
        if thread.kind in DECLARES:
            self.overdue.watch_readback(line, thread, since_ms)
        elif thread.kind is Kind.CEASE:
            self.desk.tell(
                AlertKey("CEASE_OPEN", line.line_id, thread.root),
                {"peer": line.peer, "sent": format_utc(thread.sent_ms)},
                drill=thread.drill,
                urgency="FLASH",
                now_ms=now.utc_ms,
                beside=standby_said(line, thread),
                facts={**about(thread), **standby_facts(thread)},
            )

    def _watch_peer(
        self, line: Line, thread: Thread, envelope: Envelope, body: Body | None, now: Now
    ) -> None:
        self.desk.tell_said(
            AlertKey(received_rule(thread.kind), line.line_id, thread.root),
            [{"message": thread.hash}, *standby_said(line, thread)],
            messages=at_hand(envelope, body, cited_by(envelope, self._envelope_of)),
            drill=envelope.drill,
            urgency=thread.precedence,
            now_ms=now.utc_ms,
            deadline_ms=line.answer_due_ms(thread),
            facts={
                "from": line.peer,
                "kind": thread.kind.value,
                **about(thread),
                **standby_facts(thread),
            },
        )

    def _thread_changed(self, line: Line, taken: Taken, now: Now) -> None:
        for lapsed in taken.lapsed:
            close_thread(self.desk, line, lapsed, now)
        thread = taken.thread
        if thread is None:
            return
        if taken.kind is Kind.STANDBY:
            self.overdue.stood_by(line, thread, now)
        late = self.overdue.late(line, thread.root, taken.envelope.ref)
        # Where the same was asked again, and the answer did not know of it, it stays open.
        if taken.ended and not line.book.threads.is_open(thread.root):
            close_thread(self.desk, line, thread, now)
        if late is not None and not taken.own and KINDS[taken.kind].rule.closes:
            self.overdue.answered_late(line, thread, taken, late, now)

    def _delayed(self, line: Line, taken: Taken, now: Now) -> None:
        envelope = taken.envelope
        expired_ms = envelope.created_utc_ms + (envelope.expires_after_ms or 0)
        self.desk.tell(
            AlertKey("DELAYED", line.line_id, taken.hash),
            {
                "peer": line.peer,
                "kind": envelope.kind,
                "sent": envelope.created_utc,
                "expired": format_utc(nearest_utc_ms(expired_ms)),
            },
            drill=envelope.drill,
            urgency=counts_as(envelope.kind, envelope.prec, KIND_RULES).value,
            now_ms=now.utc_ms,
            facts={"message": taken.hash},
        )

    def _suspect(self, line: Line, taken: Taken, now: Now) -> None:
        """Show at once what a message says whose age nobody can know."""
        envelope = taken.envelope
        self.desk.tell(
            AlertKey("SUSPECT_CLOCK", line.line_id, taken.hash),
            {
                "peer": line.peer,
                "kind": envelope.kind,
                "sent": envelope.created_utc,
                "came": format_utc(now.utc_ms),
                "text": {"message": taken.hash},
            },
            messages=at_hand(envelope, taken.body, cited_by(envelope, self._envelope_of)),
            drill=envelope.drill,
            urgency=counts_as(envelope.kind, envelope.prec, KIND_RULES).value,
            now_ms=now.utc_ms,
            facts={"message": taken.hash},
        )

    def _content(self, line: Line, taken: Taken, now: Now) -> None:
        match taken.body:
            case Readback() as body:
                self._read_back(line, f"{body.values.declaration_id}", taken, now)
            case Answer() if not taken.own and (changed := self._answer_changed(line, taken)):
                self.desk.tell(
                    AlertKey("ANSWER_CHANGED", line.line_id, taken.envelope.ref),
                    changed,
                    drill=taken.envelope.drill,
                    urgency="IMMEDIATE",
                    now_ms=now.utc_ms,
                    facts={"message": taken.hash},
                )
            case CeaseReport() if not taken.own:
                self._ceased(line, taken, now)
            case LineCheck() as body if taken.kind is Kind.LINE_CHECK_REPLY:
                self._line_check(line, body, taken, now)
            case Account(event=str(event)):
                self.accounts(line, event, now)
            case Voice() if not taken.own:
                self.voice.noted(line, taken, now)
            case Loaded() as body if taken.own:
                self.declarations.loaded(line, body.declaration_id, now)
            case TermsMessage():
                line.use_terms()
            case Suspend() | Resume() | ScopeChange() as body if not taken.own:
                tell_came_after(self.desk, line, body, taken, now)

    def _read_back(self, line: Line, declaration_id: str, taken: Taken, now: Now) -> None:
        author = line.peer if taken.own else self._party
        found = line.book.readbacks.get(f"{author}/{declaration_id}")
        if found is not None and found.message_hash == taken.hash:
            self._tell_readback(line, declaration_id, found, now, by_us=taken.own)

    def _tell_readback(
        self, line: Line, declaration_id: str, found: ReadbackFound, now: Now, *, by_us: bool
    ) -> None:
        key = AlertKey("READBACK_WRONG", line.line_id, declaration_id)
        declared = line.book.picture.get(found.declaration_key)
        if not found.differences or declared is None:
            self.desk.alerts.close(key, now_ms=now.utc_ms)
            return
        reference = summarise(declared.declaration.geometry).band.reference
        self.desk.tell(
            key,
            {
                "party": self._party if by_us else line.peer,
                "declaration": declaration_id,
                "differences": differences_said(found.differences, reference=reference),
            },
            drill=declared.drill,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            facts={"fields": [difference.field for difference in found.differences]},
        )

    def _answer_changed(self, line: Line, taken: Taken) -> dict[str, Any] | None:
        """Return in values how an answer changes what its side answered before; None: not."""
        ref = taken.envelope.ref
        if not isinstance(taken.body, Answer) or taken.said_before is None or ref is None:
            return None
        query = self._envelope_of(ref)
        if query is None or query.kind != Kind.QUERY:
            return None  # it answers nothing that was asked
        return {
            "party": line.book.party_of(own=taken.own),
            "sent": query.created_utc,
            "at": taken.envelope.created_utc,
            "said": taken.body.said.value,
            "before": taken.said_before.value,
        }

    def _ceased(self, line: Line, taken: Taken, now: Now) -> None:
        key = AlertKey(_NOT_CEASED, line.line_id, taken.envelope.ref)
        reported = self._ceased_before(line, taken)
        if taken.kind is Kind.CEASED:
            self.desk.alerts.close(key, now_ms=now.utc_ms)
        elif reported is not None:
            self.desk.tell(
                key,
                reported[1],
                drill=taken.envelope.drill,
                urgency="FLASH",
                now_ms=now.utc_ms,
                facts={"message": taken.hash},
            )

    def _ceased_before(self, line: Line, taken: Taken) -> tuple[str, dict[str, Any]] | None:
        """Return what a report says beside the one before, that it ceased: phrase and values."""
        ref = taken.envelope.ref
        if not taken.ceased_before or ref is None or (request := self._envelope_of(ref)) is None:
            return None
        values: dict[str, Any] = {
            "party": line.book.party_of(own=taken.own),
            "sent": request.created_utc,
            "kind": taken.kind.value,
        }
        if taken.kind is Kind.CEASED:
            return "CEASED_ALREADY", values
        values |= {"at": taken.envelope.created_utc, "before": Kind.CEASED.value}
        return _NOT_CEASED, values

    def _line_check(self, line: Line, reply: LineCheck, taken: Taken, now: Now) -> None:
        asked = None if taken.envelope.ref is None else self._envelope_of(taken.envelope.ref)
        check = None if asked is None else read_body(asked)
        # A party retypes the other's check, never its own.
        if asked is None or not isinstance(check, LineCheck) or self._wrote(asked) is taken.own:
            return
        key = AlertKey("LINE_CHECK_WRONG", line.line_id, taken.envelope.ref)
        if check.same_as(reply):
            self.desk.alerts.close(key, now_ms=now.utc_ms)
            late = late_reply(line, taken)
            if late is not None and not taken.own:
                self.desk.tell(
                    AlertKey(CHECK_LATE, line.line_id, taken.envelope.ref),
                    late,
                    drill=asked.drill,
                    urgency="PRIORITY",
                    now_ms=now.utc_ms,
                    facts={"message": taken.hash},
                )
            return
        if line.book.threads.get(taken.envelope.ref or "") is None:
            return  # it was retyped rightly before
        # One matter is one alert (R27): what was told as unanswered climbs on as answered wrongly.
        unanswered = AlertKey("NO_ANSWER", line.line_id, taken.envelope.ref)
        before = self.desk.alerts.get(unanswered)
        self.desk.alerts.close(unanswered, now_ms=now.utc_ms)
        self.desk.tell(
            key,
            {
                "by": line.book.party_of(own=taken.own),
                "sent": check.text,
                "retyped": reply.text,
            },
            drill=asked.drill,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
            level=0 if before is None else before.level,
            desk=None if before is None else before.desk,
            ladder=None if before is None else before.facts.get("ladder"),
            facts={"message": taken.envelope.ref},
        )

    def _retyped_amiss(self, line: Line, taken: Taken) -> tuple[Said, ...]:
        """Return that a check was just answered with another text, or past its limit."""
        if taken.kind is not Kind.LINE_CHECK_REPLY:
            return ()
        key = AlertKey("LINE_CHECK_WRONG", line.line_id, taken.envelope.ref)
        alert = self.desk.alerts.get(key)
        if alert is not None:
            return (alert_said(alert),)
        late = late_reply(line, taken)
        return () if late is None else (said(CHECK_LATE, late),)

    def _another_time(self, line: Line, taken: Taken) -> tuple[Said, ...]:
        """Return that a call was just recorded at no time that was arranged for it."""
        if taken.kind is not Kind.CALL_RECORD:
            return ()
        call_id = line.book.calls.call_of(taken.hash)
        found = (
            recorded_apart(line, call, self._party)
            for call in line.book.calls
            if call.call_id == call_id
        )
        return tuple(said("NOT_THE_ARRANGED_TIME", apart) for apart in found if apart is not None)

    def _wrote(self, envelope: Envelope) -> bool:
        return envelope.sender.party == self._party

    def accounts(self, line: Line, event: str, now: Now) -> None:
        """Lay the accounts of one event side by side; none is chosen (R29)."""
        told = line.book.accounts.get(event, [])
        outside = self.outside_accounts.get(event, [])
        if line.book.incidents.get(event) is not None:
            self.incidents.accounts(line, event, outside, now)
        for drill in (False, True):
            # What was said in an exercise is not held against what was said in earnest.
            same = [account for account in told if account.drill is drill]
            beside = [account for account in outside if account.drill is drill]
            if same:
                key = AlertKey("ACCOUNTS_DIFFER", line.line_id, event, "drill" if drill else None)
                tell_accounts(self.desk, line, key, {"event": event}, [*same, *beside], now)

    def forked(self, line: Line, now: Now, *, rule: str = "FORKED_CHAIN") -> None:
        """Tell that the peer signed two different messages for one slot.

        With ``FORKED_CHECKPOINT``: or a checkpoint that contradicts what it sent. With
        ``OWN_RECORD_IN_DOUBT``: that it holds one of ours which contradicts our own record. With
        ``RECEIPT_CONTRADICTS``: that it receipted what we do not hold as said. With
        ``RESYNC_STUCK``: that what it holds does not lead to what is held here. With
        ``CHAIN_BROKEN``: that what it signed does not follow what is held here. With
        ``KEY_NOT_VOUCHED``: that it signed a change of key which its root did not; with
        ``PEER_ROOT_NOT_PINNED``: a change, and no root of it is known here. With
        ``KEY_NOT_TAKEN``: that it refused ours, for it has pinned no root of ours.
        ``EPOCH_UNKNOWN``: that it signed in an epoch of which nothing is known here.
        """
        self.desk.tell(
            AlertKey(rule, line.line_id, line.peer),
            {"party": line.peer},
            drill=False,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
        )

    def own_unknown(self, line: Line, messages: int, number: int, now: Now) -> None:
        """Tell that the peer held messages signed by our key of which nothing here knew."""
        self.desk.tell(
            AlertKey(_OWN_UNKNOWN, line.line_id, line.peer),
            {"peer": line.peer, "messages": messages, "number": number},
            drill=False,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
        )

    def key_changed(self, line: Line, held: KeyInForce, now: Now) -> None:
        """Tell that the peer signs with another key from here on, and whether it revoked one."""
        rule = "PEER_KEY_REVOKED" if held.revokes else "PEER_KEY_CHANGED"
        key = held.key.fingerprint()
        # Which key is in force is told of one. That another was revoked stays told.
        for earlier in self.desk.alerts.keys("PEER_KEY_CHANGED"):
            if earlier.line_id == line.line_id and earlier.object != held.key.key_id:
                self.desk.alerts.close(earlier, now_ms=now.utc_ms)
        self.desk.tell(
            AlertKey(rule, line.line_id, line.peer, held.key.key_id),
            {"peer": line.peer, "number": held.number, "key": key},
            drill=False,
            urgency="IMMEDIATE",
            now_ms=now.utc_ms,
        )

    def heard_while_silent(
        self, line: Line, envelope: Envelope, message_hash: str, now: Now
    ) -> None:
        """Show a FLASH that this node, mute or deaf, cannot log; others wait."""
        if self._envelope_of(message_hash) is None:
            tell_heard(self.desk, line, envelope, message_hash, now, rule=WHILE_SILENT)

    def brought_unlogged(self, line: Line, envelope: Envelope, message_hash: str, now: Now) -> None:
        """Show a FLASH that people carried here and that cannot be logged yet."""
        if self._envelope_of(message_hash) is None:
            tell_heard(self.desk, line, envelope, message_hash, now, rule=BROUGHT)

    def restored(self, line: Line, now: Now) -> None:
        """Raise again what the record of a line implies, and close what it does not."""
        for thread in line.book.threads:
            # The clock that measured it is gone: its limit counts as passed.
            self._watch_again(line, thread, -_LONG_AGO_MS, now)
        for declared in line.book.picture:
            if declared.declaration.purpose is not Purpose.PROTECTED_SITE or declared.own:
                continue
            if declared.key not in line.book.loaded:
                self.declarations.site(line, declared.declaration, now, drill=declared.drill)
            else:
                self.declarations.loaded(line, declared.declaration.declaration_id, now)
        for alert in self.desk.alerts.open_alerts():
            if alert.line_id == line.line_id and (
                self._is_past(line, alert.rule, alert.subject)
                or (
                    alert.rule == _OWN_UNKNOWN
                    and now.utc_ms - parse_utc(alert.raised_utc) >= _OWN_UNKNOWN_MS
                )
            ):
                if alert.rule == "EXPIRED":
                    message_hash = alert.facts["message"]
                    state = line.delivery(message_hash).state
                    self.overdue.came_late(line, message_hash, state, now)
                key = AlertKey(alert.rule, alert.line_id, alert.subject, alert.object)
                self.desk.alerts.close(key, now_ms=now.utc_ms)

    def put_back(self, line: Line, declared: Declared, now: Now) -> None:
        """Tell again what is open about a declaration that a clock ahead of its time had over.

        When it was over, all that was told of it was closed: a readback that is missing, a site
        that is not loaded, what waits for a readback of ours.
        """
        envelope = self._envelope_of(declared.message_hash)
        if envelope is not None:
            self.declarations.put_back(line, declared, envelope.created_utc_ms, now)
        found = line.book.readbacks.get(declared.key)
        if found is not None:
            self._tell_readback(line, declared.declaration_id, found, now, by_us=not declared.own)
        for message_hash in line.book.messages_of(declared.key):
            thread = line.book.threads.get(message_hash)
            if thread is not None:
                passed_ms = max(0, now.utc_ms - thread.logged_ms)
                self._watch_again(line, thread, now.monotonic_ms - passed_ms, now)
                self.overdue.climbed_before(line, thread, now)

    def _watch_again(self, line: Line, thread: Thread, since_ms: int, now: Now) -> None:
        envelope = self._envelope_of(thread.hash)
        if envelope is None:
            return
        if thread.own:
            self._watch_own(line, thread, since_ms, now)
        else:
            self._watch_peer(line, thread, envelope, read_body(envelope), now)

    def _is_past(self, line: Line, rule: str, subject: str | None) -> bool:
        about_threads = rule.endswith("_RECEIVED") or rule in (*ANSWER_RULES, "CEASE_OPEN")
        if about_threads:
            return subject is None or line.book.threads.get(subject) is None
        if rule in (*RECEIPT_RULES, "NOT_SEEN"):
            envelope = None if subject is None else self._envelope_of(subject)
            if envelope is None or subject is None:
                return True
            state = line.delivery(subject, (envelope.epoch, envelope.seq)).state
            reached = state not in (DeliveryState.QUEUED, DeliveryState.SENT)
            return reached and (rule != "NOT_SEEN" or state is not DeliveryState.LACKED)
        if rule == "LINE_DOWN":
            # The first look at the connection raises it again, if it holds; that look comes once.
            return line.shown_status is LinkStatus.UNKNOWN
        return rule == "PATH_DOWN"  # every look raises it again, if it holds
