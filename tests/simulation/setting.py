"""Who plays, when, with which rules; and what a simulation says when the line broke a promise."""

from deconflict.line.delivery import KindRule
from deconflict.line.precedence import Precedence

RULES = {
    "NOTIFY": KindRule(Precedence.PRIORITY),
    "QUERY": KindRule(Precedence.IMMEDIATE, needs_answer=True),
    "CEASE": KindRule(Precedence.FLASH, needs_seen=True, needs_answer=True),
    "SEEN": KindRule(Precedence.ROUTINE, marks_seen=True),
    "ANSWER": KindRule(Precedence.IMMEDIATE, closes=True),
}
EPOCH_UTC_MS = 1_443_571_200_000  # 30 September 2015
PARTIES = ("blue", "red")


class LineViolationError(AssertionError):
    """An invariant of the line does not hold."""
