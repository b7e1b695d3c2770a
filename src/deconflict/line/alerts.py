"""What is owed on a line, until when, and who must be told when it is overdue.

An alert is open while anything about one message is owed: for an own message the peer's receipt,
then eyes, then an answer; for a peer's message our eyes and our answer. All limits run on the
monotonic clock. A restart loses that clock, so every alert that was open escalates at once: a
limit that may have passed is treated as passed. So is each rung of the ladder that has been reached
by the times in the record; they can bring a rung forward, never put one off.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import msgspec

from deconflict.line.delivery import Delivery, DeliveryState, KindRules, counts_as
from deconflict.line.envelope import Envelope
from deconflict.line.moment import Now
from deconflict.line.precedence import Precedence, Step, Timers

__all__ = ["Alarm", "AlarmKind", "Alert", "AlertBook", "alert_for", "reached_by"]


class AlarmKind(StrEnum):
    """What is overdue."""

    NO_RECEIPT = "NO_RECEIPT"  # the peer has not signed that it holds the message
    EXPIRED = "EXPIRED"  # so long that the peer may not act on it any more
    REFUSED = "REFUSED"  # the peer signed that it does not log it
    NOT_SEEN = "NOT_SEEN"  # no desk of the peer says it stood on a screen
    NO_ANSWER = "NO_ANSWER"  # no answer; that is never consent (R3)
    SEEN_OWED = "SEEN_OWED"  # a peer's message has not stood on a screen here
    ANSWER_OWED = "ANSWER_OWED"  # a peer's message is not answered by us


class Alert(msgspec.Struct, frozen=True):
    """One open alert: what is still owed about one message. Fit to be stored and restored.

    Attributes:
        hash: the message.
        own: True exactly when we wrote it.
        seq: its slot in its author's chain.
        kind: its kind.
        precedence: decides limits and ladder.
        drill: exercise only.
        answer_ms: its limit for the answer, already shortened by ``answer_within_ms``.
        expires_ms: its age of expiry, None for never.
        needs_receipt: still owed.
        needs_seen: still owed.
        needs_answer: still owed.
        extended: STANDBY was used.
        level: highest rung of the ladder raised, 0 for none.
    """

    hash: str
    own: bool
    seq: int
    kind: str
    precedence: Precedence
    drill: bool
    answer_ms: int
    expires_ms: int | None
    needs_receipt: bool
    needs_seen: bool
    needs_answer: bool
    extended: bool = False
    level: int = 0

    @property
    def is_owed(self) -> bool:
        """True exactly when anything is still owed; else the alert is over."""
        return self.needs_receipt or self.needs_seen or self.needs_answer


@dataclass(frozen=True, slots=True)
class Alarm:
    """A person must be told now.

    Attributes:
        alert: what is owed, with the level after this alarm.
        kind: what is overdue; the most basic thing, when several are.
        level: rung of the ladder this alarm stands for; 0 tells the own desk only.
        steps: whom to turn to.
        after_restart: raised because the node started, not because a limit was seen to pass.
        next_ms: when the next rung is reached, monotonic; None at the last one.
        next_steps: whom that rung turns to.
    """

    alert: Alert
    kind: AlarmKind
    level: int
    steps: tuple[Step, ...]
    after_restart: bool = False
    next_ms: int | None = None
    next_steps: tuple[Step, ...] = ()


def alert_for(
    envelope: Envelope, message_hash: str, *, own: bool, rules: KindRules, timers: Timers
) -> Alert | None:
    """Return the alert a new message opens; None when nothing is owed about it."""
    rule = rules.get(envelope.kind)
    needs_seen = rule is not None and rule.needs_seen
    needs_answer = rule is not None and rule.needs_answer
    if not (own or needs_seen or needs_answer):
        return None
    precedence = counts_as(envelope.kind, envelope.prec, rules)
    limit = timers.limits[precedence].answer_ms
    if envelope.answer_within_ms is not None:
        limit = min(limit, envelope.answer_within_ms)
    return Alert(
        hash=message_hash,
        own=own,
        seq=envelope.seq,
        kind=envelope.kind,
        precedence=precedence,
        drill=envelope.drill,
        answer_ms=limit,
        expires_ms=envelope.expires_after_ms,
        needs_receipt=own,
        needs_seen=needs_seen,
        needs_answer=needs_answer,
    )


def reached_by(alert: Alert, rules: KindRules) -> Delivery:
    """Return how far an own message has come, as what is still owed about it tells."""
    rule = rules.get(alert.kind)
    was_seen = rule is not None and rule.needs_seen and not alert.needs_seen
    state = DeliveryState.SEEN if was_seen else DeliveryState.LACKED
    return Delivery(DeliveryState.QUEUED if alert.needs_receipt else state, alert.level)


class _Watch:
    """One open alert with its clocks, all monotonic milliseconds."""

    __slots__ = ("alert", "answer_due", "expiry", "lack_due", "raised", "refused", "seen_due")

    def __init__(self, alert: Alert, timers: Timers, start: int) -> None:
        limits = timers.limits[alert.precedence]
        self.alert = alert
        self.lack_due = start + limits.lack_ms
        self.seen_due = start + limits.seen_ms
        self.answer_due = start + alert.answer_ms
        self.expiry = None if alert.expires_ms is None else start + alert.expires_ms
        self.refused = False
        self.raised: set[AlarmKind] = set()

    def owed(self, at_ms: int) -> Iterator[tuple[AlarmKind, int]]:
        """Yield what is owed with its limit, most basic first."""
        alert = self.alert
        if alert.needs_receipt:
            if self.refused:
                yield AlarmKind.REFUSED, at_ms
            elif self.expiry is not None and self.expiry <= at_ms:
                yield AlarmKind.EXPIRED, self.expiry
            else:
                yield AlarmKind.NO_RECEIPT, self.lack_due
        if alert.needs_seen:
            yield AlarmKind.NOT_SEEN if alert.own else AlarmKind.SEEN_OWED, self.seen_due
        if alert.needs_answer:
            yield AlarmKind.NO_ANSWER if alert.own else AlarmKind.ANSWER_OWED, self.answer_due

    def last_limit(self, at_ms: int) -> int:
        """Return when the ladder begins: the last limit, or expiry without a receipt."""
        last = max(due for _, due in self.owed(at_ms))
        if self.alert.needs_receipt and self.expiry is not None:
            return min(last, self.expiry)
        return last


class AlertBook:
    """All open alerts of one line. Raises each alarm once a level; forgets what is settled.

    Not thread-safe: one owner, as everything of a line.
    """

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._watches: dict[str, _Watch] = {}
        self._heap: list[tuple[int, str]] = []  # may hold stale times; a watch decides
        self._restored: dict[str, None] = {}

    def use_timers(self, timers: Timers) -> None:
        """Take other limits and ladders; what is open keeps its limits."""
        self._timers = timers

    def open(self, alert: Alert, now: Now) -> None:
        """Begin to watch; the limits run from ``now``."""
        self._watch(alert, now.monotonic_ms, now)

    def restore(self, alert: Alert, now: Now, *, since_utc_ms: int | None = None) -> None:
        """Watch an alert that was open before a restart: the next :meth:`alarms` raises it.

        ``since_utc_ms`` is since when its limits run, by the record; None where nothing says it.
        """
        # A clock that was set back since gives no time that it takes away: nothing is put off.
        passed_ms = 0 if since_utc_ms is None else max(0, now.utc_ms - since_utc_ms)
        watch = self._watch(alert, now.monotonic_ms - passed_ms, now)
        if alert.expires_ms is not None:
            # Not brought forward: it raises no rung, and until a receipt comes nobody knows
            # whether the message came in time.
            watch.expiry = now.monotonic_ms + alert.expires_ms
        self._restored[alert.hash] = None
        heapq.heappush(self._heap, (now.monotonic_ms, alert.hash))

    def receipted(self, message_hash: str, now: Now) -> None:
        """The peer's receipt for an own message is held."""
        self._settle(message_hash, now, own=True, needs_receipt=False)

    def seen(self, message_hash: str, now: Now, *, own: bool) -> None:
        """A message stood on a screen; ``own`` says whose message it must be."""
        self._settle(message_hash, now, own=own, needs_seen=False)

    def answered(self, message_hash: str, now: Now, *, own: bool) -> None:
        """A message was answered by the other side of its author."""
        self._settle(
            message_hash, now, own=own, needs_receipt=False, needs_seen=False, needs_answer=False
        )

    def extended(self, message_hash: str, now: Now, *, own: bool) -> None:
        """STANDBY: the answer has its whole limit again, counted from now; once."""
        watch = self._watches.get(message_hash)
        if watch is None or watch.alert.own is not own or watch.alert.extended:
            return
        watch.alert = msgspec.structs.replace(
            watch.alert, extended=True, needs_receipt=False, needs_seen=False
        )
        if not watch.alert.needs_answer:
            del self._watches[message_hash]
            return
        watch.answer_due = now.monotonic_ms + watch.alert.answer_ms
        watch.raised -= {AlarmKind.NO_ANSWER, AlarmKind.ANSWER_OWED}
        self._push(watch, now.monotonic_ms)

    def refused(self, message_hash: str, now: Now) -> None:
        """The peer signed that it does not log an own message: that is told at once."""
        watch = self._watches.get(message_hash)
        if watch is not None and watch.alert.needs_receipt and not watch.refused:
            watch.refused = True
            heapq.heappush(self._heap, (now.monotonic_ms, message_hash))

    def alarms(self, now: Now) -> tuple[Alarm, ...]:
        """Return what became due, each alarm once, the most urgent message first."""
        at_ms = now.monotonic_ms
        raised: list[Alarm] = []
        due: set[str] = set()
        while self._heap and self._heap[0][0] <= at_ms:
            due.add(heapq.heappop(self._heap)[1])
        watches = [self._watches[name] for name in due if name in self._watches]
        for watch in sorted(watches, key=_urgency):
            message_hash = watch.alert.hash
            if message_hash in self._restored:
                del self._restored[message_hash]
                raised.append(self._raise_after_restart(watch, at_ms))
            raised.extend(self._raise_due(watch, at_ms))
            self._push(watch, at_ms)
        return tuple(raised)

    def next_deadline_ms(self) -> int | None:
        """Return when :meth:`alarms` may next have something; never too late, maybe too early."""
        while self._heap and self._heap[0][1] not in self._watches:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def find(self, message_hash: str) -> Alert | None:
        """Return the open alert about a message; None when nothing is owed about it."""
        watch = self._watches.get(message_hash)
        return None if watch is None else watch.alert

    def open_alerts(self) -> tuple[Alert, ...]:
        """Return all open alerts, oldest first."""
        return tuple(watch.alert for watch in self._watches.values())

    def _watch(self, alert: Alert, start_ms: int, now: Now) -> _Watch:
        watch = _Watch(alert, self._timers, start_ms)
        self._watches[alert.hash] = watch
        self._push(watch, now.monotonic_ms)
        return watch

    def _raise_due(self, watch: _Watch, at_ms: int) -> Iterator[Alarm]:
        overdue = [kind for kind, limit in watch.owed(at_ms) if limit <= at_ms]
        ladder = self._timers.ladders[watch.alert.precedence]
        begins = watch.last_limit(at_ms)
        told = False
        while watch.alert.level < len(ladder):
            rung = ladder[watch.alert.level]
            if begins + rung.after_ms > at_ms:
                break
            yield self._alarm(watch, overdue[0], watch.alert.level + 1, rung.steps, at_ms)
            told = True
        if overdue and overdue[0] not in watch.raised and not told:
            yield self._alarm(watch, overdue[0], watch.alert.level, (Step.OWN_DESK,), at_ms)

    def _raise_after_restart(self, watch: _Watch, at_ms: int) -> Alarm:
        # The clock that measured this alert is gone. Escalate one rung, and let the ladder run on
        # from here: the limits count as passed, so no part of them is waited for again. Where the
        # record says that they passed earlier, it runs from then: a start gains nobody time.
        ladder = self._timers.ladders[watch.alert.precedence]
        level = min(watch.alert.level + 1, len(ladder))
        passed = min(at_ms - ladder[level - 1].after_ms, watch.last_limit(at_ms))
        watch.lack_due = watch.seen_due = watch.answer_due = passed
        kind, _ = next(watch.owed(at_ms))
        alarm = self._alarm(watch, kind, level, ladder[level - 1].steps, at_ms)
        return replace(alarm, after_restart=True)

    def _alarm(
        self, watch: _Watch, kind: AlarmKind, level: int, steps: tuple[Step, ...], at_ms: int
    ) -> Alarm:
        watch.raised.add(kind)
        watch.alert = msgspec.structs.replace(watch.alert, level=level)
        alarm = Alarm(watch.alert, kind, level, steps)
        ladder = self._timers.ladders[watch.alert.precedence]
        if level >= len(ladder):
            return alarm
        rung = ladder[level]
        next_ms = watch.last_limit(at_ms) + rung.after_ms
        return replace(alarm, next_ms=next_ms, next_steps=rung.steps)

    def _settle(self, message_hash: str, now: Now, *, own: bool, **no_more: bool) -> None:
        watch = self._watches.get(message_hash)
        if watch is None or watch.alert.own is not own:
            return
        watch.alert = msgspec.structs.replace(watch.alert, **no_more)
        if not watch.alert.is_owed:
            del self._watches[message_hash]
            return
        # What was hidden behind the settled thing may be overdue already: look again now.
        heapq.heappush(self._heap, (now.monotonic_ms, message_hash))

    def _push(self, watch: _Watch, at_ms: int) -> None:
        times = [due for _, due in watch.owed(at_ms) if due > at_ms]
        if watch.alert.needs_receipt and watch.expiry is not None:
            times.append(watch.expiry)
        ladder = self._timers.ladders[watch.alert.precedence]
        if watch.alert.level < len(ladder):
            times.append(watch.last_limit(at_ms) + ladder[watch.alert.level].after_ms)
        ahead = [time for time in times if time > at_ms]
        if ahead:
            heapq.heappush(self._heap, (min(ahead), watch.alert.hash))


_RANKS: Final = {precedence: rank for rank, precedence in enumerate(Precedence)}


def _urgency(watch: _Watch) -> tuple[int, int, bool]:
    return _RANKS[watch.alert.precedence], watch.alert.seq, watch.alert.own
