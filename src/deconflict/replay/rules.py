"""What each rule of the scenario set means at a node, as one table.

An expectation is met by alerts of a node, by silence, by a refusal at entry, or by a state that
must hold throughout. Rules that begin with a live track are the watch's, and are listed as such.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["RULES", "Means", "RuleForm", "is_inbox"]


class Means(StrEnum):
    """By what an expectation is decided."""

    ALERT = "ALERT"  # a node raises one of these alerts
    ENTRY = "ENTRY"  # a node refuses the item as it is entered
    SILENCE = "SILENCE"  # nothing is raised for a subject, or at all
    SEPARATED = "SEPARATED"  # two declarations, held by both sides, never conflict
    OPEN = "OPEN"  # what was asked stays open
    WATCH = "WATCH"  # it begins with a live track
    ABSENT = "ABSENT"  # no node raises it yet


@dataclass(frozen=True, slots=True)
class RuleForm:
    """One row of the table.

    Attributes:
        means: by what it is decided.
        alerts: the alerts of a node that say it.
        step: the rung of the ladder that the alert must have reached.
        kind: the kind of message that the alert must be about.
        fact: the fact of the alert that must hold the expectation's fields.
        both_ends: every party named in ``between`` must raise it.
    """

    means: Means
    alerts: tuple[str, ...] = ()
    step: str | None = None
    kind: str | None = None
    fact: str | None = None
    both_ends: bool = False


def _alert(
    name: str, *, step: str | None = None, kind: str | None = None, fact: str | None = None
) -> RuleForm:
    return RuleForm(Means.ALERT, (name,), step, kind, fact)


_WATCH: Final = RuleForm(Means.WATCH)
_ABSENT: Final = RuleForm(Means.ABSENT)

RULES: Final[Mapping[str, RuleForm]] = MappingProxyType(
    {
        "READBACK_MISSING": _alert("READBACK_MISSING"),
        "AREA_MISMATCH": _alert("ACT_DIFFERS_FROM_NOTICE"),
        "AREA_VAGUE": _alert("PLACE_WITHOUT_GEOMETRY"),
        "PURPOSE_MISSING": RuleForm(Means.ENTRY),
        "LEAD_TIME_SHORT": _alert("LEAD_TIME_SHORT"),
        "UNDECLARED_TRACK": _WATCH,
        "UNKNOWN_TRACK_QUERY": _WATCH,
        "QUERY_TIMEOUT": _alert("NO_ANSWER", kind="QUERY"),
        "NO_ANSWER_IS_NOT_CONSENT": RuleForm(Means.OPEN),
        "DECLARED_FLIGHT_CANDIDATE": _WATCH,
        "SENSOR_BIAS_SUSPECTED": _WATCH,
        "LOSS_OF_SEPARATION_PREDICTED": _WATCH,
        "LOSS_OF_SEPARATION": _WATCH,
        "ALT_BLOCK_DEVIATION": _WATCH,
        "ZONE_INCURSION_PREDICTED": _WATCH,
        "ZONE_INCURSION": _WATCH,
        "ZONE_UNACKNOWLEDGED": _ABSENT,
        "LINE_CROSSING_PREDICTED": _WATCH,
        "LINE_CROSSING": _WATCH,
        "CROSSING_PERSISTS": _WATCH,
        "TRACK_INTO_ACTIVE_AREA": _WATCH,
        "THIRD_PARTY_NOT_REACHED": _alert("THIRD_PARTY_NOT_REACHED"),
        "CEASE_DELIVERED_TO_ANY_WATCH": _alert("CEASE_RECEIVED"),
        "CEASE_UNACKED_ESCALATE": _alert("CEASE_NOT_ACKNOWLEDGED", step="NEXT_TIER"),
        "CEASE_OPEN_AND_COVER_LEAVING": _alert("COVER_LEAVING"),
        "REPEAT_AFTER_CEASE": _WATCH,
        "MESSAGE_UNDELIVERED": _alert("NO_RECEIPT"),
        "LINE_DOWN": RuleForm(Means.ALERT, ("LINE_DOWN",), both_ends=True),
        "LINE_SUSPENDED": _alert("LINE_SUSPENDED"),
        "CONFLICTING_ADVICE": _ABSENT,
        "SUBSCRIBER_BEHIND": _WATCH,
        "SITE_NOT_LOADED": _alert("SITE_NOT_LOADED"),
        "PROTECTED_SITE_PROXIMITY": _alert("PROTECTED_SITE_NEAR"),
        "PRESENCE_OVERLAP": _alert("PRESENCE_OVERLAP"),
        "ACCOUNT_DISPUTED": _alert("ACCOUNTS_DIFFER", fact="differing"),
        "TIME_INCONSISTENT": _alert("ACCOUNTS_DIFFER", fact="times_apart_ms"),
        "VALUE_IMPLAUSIBLE": _alert("ACCOUNTS_DIFFER", fact="implausible"),
        "DECLARATIONS_SEPARATED": RuleForm(Means.SEPARATED),
        "TALLY": _ABSENT,
        "NO_ALERT": RuleForm(Means.SILENCE),
    }
)


def is_inbox(rule: str) -> bool:
    """True exactly when the alert is a received message that waits on a desk.

    A message that lies there is what was sent, no warning about it; it becomes one when it is
    overdue, and then it stands higher on the ladder.
    """
    return rule.endswith("_RECEIVED")
