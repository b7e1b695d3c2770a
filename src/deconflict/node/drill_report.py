"""What an exercise showed: each message of it, by when it was held, seen and answered.

It is read from the events of the record, as this node wrote them: what the other side's desks were
told there, this side does not know. Times count from when a message was written, of the peer's
messages from when it was durable here: two clocks are never compared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.line.delivery import DeliveryState
from deconflict.line.precedence import Precedence
from deconflict.messages.kinds import KIND_RULES, Kind
from deconflict.node.exercise import Exercise
from deconflict.node.line import Line
from deconflict.store.base import EventRow

__all__ = ["DrillReport", "DrilledMessage", "Rung", "drill_report", "last_exercise"]

_HELD: Final = frozenset(
    (
        DeliveryState.LACKED,
        DeliveryState.SEEN,
        DeliveryState.LOADED,
        DeliveryState.CLOSED,
    )
)
_SEEN: Final = frozenset((DeliveryState.SEEN, DeliveryState.LOADED, DeliveryState.CLOSED))


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder that an alert of this node came to."""

    step: str  # SECOND_DESK | PEER_ALTERNATE | VOICE | NEXT_TIER | HOLD
    after_ms: int


@dataclass(frozen=True, slots=True)
class DrilledMessage:
    """One message of an exercise that somebody had to see or to answer."""

    hash: str
    own: bool
    kind: str
    precedence: str
    sent_utc: str
    held_ms: int | None  # None: not yet, or never
    seen_ms: int | None
    answered_ms: int | None
    answered_by: str | None
    ladder: tuple[Rung, ...]
    missed: tuple[str, ...]  # RECEIPT, SEEN, ANSWER: later than the limit, or not at all


@dataclass(frozen=True, slots=True)
class DrillReport:
    """An exercise on one line, as the record of this node has it."""

    line_id: str
    peer: str
    by: str  # whose: this party, or the peer that announced it
    begun_utc: str
    until_utc: str
    ended_utc: str | None
    announced: bool
    cut_by: str | None  # the real message that ended it
    messages: tuple[DrilledMessage, ...]
    drill: bool = True  # all of it is exercise


def last_exercise(line: Line, own: Exercise | None) -> Exercise | None:
    """Return the exercise of a line that began last: our own, or the one that the peer announced.

    Of the peer's, ``desk`` is empty: who began it there, nobody here knows.
    """
    theirs = line.book.announced.last(line.peer)
    if theirs is None or (own is not None and own.begun_ms >= theirs.begun_ms):
        return own
    return Exercise(
        line.line_id,
        "",
        theirs.begun_ms,
        theirs.until_ms,
        announced=True,
        ended_ms=theirs.ended_ms,
        cut_by=theirs.cut_by,
    )


def drill_report(
    line: Line, exercise: Exercise, events: Iterable[EventRow], now_ms: int
) -> DrillReport:
    """Return what an exercise showed, from the events since it began."""
    over_ms = min(exercise.ended_ms or now_ms, exercise.until_ms)
    found: dict[str, _Followed] = {}
    for row in events:
        if row.kind not in ("message", "delivery", "alert") or row.at_utc_ms < exercise.begun_ms:
            continue
        data = msgspec.json.decode(row.data)
        if data.get("line_id") != line.line_id:
            continue
        if row.kind == "message" and data["drill"]:
            _said(found, data, row.at_utc_ms, over_ms)
        elif row.kind == "delivery" and data["hash"] in found:
            found[data["hash"]].reached(data["state"], row.at_utc_ms)
        elif row.kind == "alert" and data["drill"]:
            _told(found, data)
    return DrillReport(
        line_id=line.line_id,
        peer=line.peer,
        by=line.book.own if exercise.desk else line.peer,
        begun_utc=format_utc(exercise.begun_ms),
        until_utc=format_utc(exercise.until_ms),
        ended_utc=None if exercise.is_on(now_ms) else format_utc(over_ms),
        announced=exercise.announced,
        cut_by=exercise.cut_by,
        messages=tuple(each.shown(line, now_ms) for each in found.values()),
    )


class _Followed:
    """One message while its events are read."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        own = bool(data["outgoing"])
        self.since_ms = parse_utc(data["created_utc"] if own else data["logged_utc"])
        self.held_ms: int | None = None if own else self.since_ms
        self.seen_ms: int | None = None
        self.answered_ms: int | None = None
        self.answered_by: str | None = None
        self.ladder: dict[str, int] = {}

    def reached(self, state: str, at_ms: int) -> None:
        if state in _HELD and self.held_ms is None:
            self.held_ms = at_ms
        if state in _SEEN and self.seen_ms is None:
            self.seen_ms = at_ms

    def shown(self, line: Line, now_ms: int) -> DrilledMessage:
        kind, rule = Kind(self.data["kind"]), KIND_RULES[self.data["kind"]]
        limits = line.limits(Precedence(self.data["precedence"]))
        answer_ms = min(line.answer_within_ms(kind) or limits.answer_ms, limits.answer_ms)
        asked = (
            ("RECEIPT", True, self.held_ms, limits.lack_ms),
            ("SEEN", rule.needs_seen, self.seen_ms, limits.seen_ms),
            ("ANSWER", rule.needs_answer, self.answered_ms, answer_ms),
        )
        return DrilledMessage(
            hash=self.data["hash"],
            own=self.data["outgoing"],
            kind=kind.value,
            precedence=self.data["precedence"],
            sent_utc=self.data["created_utc"],
            held_ms=self._after(self.held_ms),
            seen_ms=self._after(self.seen_ms),
            answered_ms=self._after(self.answered_ms),
            answered_by=self.answered_by,
            ladder=tuple(Rung(step, ms - self.since_ms) for step, ms in self.ladder.items()),
            missed=tuple(
                name
                for name, wanted, at_ms, limit_ms in asked
                if wanted and (now_ms if at_ms is None else at_ms) - self.since_ms > limit_ms
            ),
        )

    def _after(self, at_ms: int | None) -> int | None:
        return None if at_ms is None else max(0, at_ms - self.since_ms)


def _said(found: dict[str, _Followed], data: Mapping[str, Any], at_ms: int, over_ms: int) -> None:
    """Take a message: what it does to one of the exercise, and whether it is to be followed."""
    cited = found.get(data["ref"] or "")
    rule = KIND_RULES.get(data["kind"])
    if rule is None:
        return
    if cited is not None and data["outgoing"] is not cited.data["outgoing"]:
        if (rule.marks_seen or rule.extends or rule.closes) and cited.seen_ms is None:
            cited.seen_ms = at_ms
        if rule.closes and cited.answered_ms is None:
            cited.answered_ms, cited.answered_by = at_ms, data["kind"]
    if (rule.needs_seen or rule.needs_answer) and at_ms <= over_ms:
        found[data["hash"]] = _Followed(data)


def _told(found: dict[str, _Followed], alert: Mapping[str, Any]) -> None:
    """Take what an alert about a message of the exercise asked for."""
    ladder = alert["facts"].get("ladder") or {}
    followed = found.get(alert["facts"].get("message") or alert["subject"] or "")
    if followed is None:
        return
    for asked in ladder.get("asked", ()):
        followed.ladder.setdefault(asked["step"], parse_utc(asked["since"]))
