"""The alerts of a node: one condition is one alert, however long it lasts (R27).

An alert is known by its rule, line, subject and object. While the condition lasts it is updated,
never raised again; when it ends it is closed and kept in the event log. Decisions only: the
caller persists what :meth:`AlertBook.drain` returns in the same transaction as its cause.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from deconflict.airspace.instant import format_utc
from deconflict.messages.said import Said
from deconflict.node.views import AlertView

__all__ = ["URGENT", "AlertBook", "AlertKey"]


@dataclass(frozen=True, slots=True)
class AlertKey:
    """What makes two alerts the same one."""

    rule: str
    line_id: str | None = None
    subject: str | None = None
    object: str | None = None

    @property
    def name(self) -> str:
        """Return the key as a short stable name, used for the alert's stored state."""
        joined = "\n".join(
            (self.rule, self.line_id or "", self.subject or "", self.object or "")
        ).encode()
        return hashlib.sha256(joined).hexdigest()[:16]


class AlertBook:
    """All open alerts of one node.

    Args:
        desk: the desk that is on watch first.
        restored: the alerts that were open when the node last stopped.
    """

    def __init__(self, desk: str, restored: Iterable[AlertView] = ()) -> None:
        self._desk = desk
        self._open: dict[AlertKey, AlertView] = {}
        self._by_rule: dict[str, dict[AlertKey, None]] = {}
        for alert in restored:
            self._keep(_key_of(alert), alert)
        self._changed: list[AlertView] = []

    def __len__(self) -> int:
        return len(self._open)

    def open_alerts(self) -> tuple[AlertView, ...]:
        """Return the open alerts in the order in which a person should look at them.

        What is real before every exercise; then the most urgent first; among those, what has
        climbed highest; then what endangers people before what is owed or missing; then what is due
        soonest, and what has stood longest.
        """
        return tuple(sorted(self._open.values(), key=_order))

    def get(self, key: AlertKey) -> AlertView | None:
        """Return the open alert of this key, or None."""
        return self._open.get(key)

    def keys(self, rule: str) -> tuple[AlertKey, ...]:
        """Return the keys of the open alerts of one rule."""
        return tuple(self._by_rule.get(rule, ()))

    def put(
        self,
        key: AlertKey,
        *,
        now_ms: int,
        urgency: str,
        text: str,
        said: tuple[Said, ...] = (),
        facts: dict[str, Any] | None = None,
        deadline_ms: int | None = None,
        level: int = 0,
        desk: str | None = None,
        drill: bool = False,
    ) -> bool:
        """Raise the alert, or update the one already open.

        Returns:
            True exactly when it was not open before.
        """
        at = format_utc(now_ms)
        deadline = None if deadline_ms is None else format_utc(deadline_ms)
        held = self._open.get(key)
        if held is None:
            alert = AlertView(
                alert_id=f"{key.name}-{now_ms}",
                rule=key.rule,
                urgency=urgency,
                line_id=key.line_id,
                subject=key.subject,
                object=key.object,
                desk=desk or self._desk,
                raised_utc=at,
                updated_utc=at,
                deadline_utc=deadline,
                level=level,
                open=True,
                text=text,
                facts=facts or {},
                drill=drill,
                said=said,
            )
        else:
            alert = replace(
                held,
                urgency=urgency,
                desk=desk or held.desk,
                deadline_utc=deadline,
                level=max(level, held.level),
                text=text,
                facts=facts or {},
                drill=drill,
                said=said,
            )
            if alert == held:
                return False
            alert = replace(alert, updated_utc=at)
        self._keep(key, alert)
        self._changed.append(alert)
        return held is None

    def close(self, key: AlertKey, *, now_ms: int) -> bool:
        """Close the alert of this key.

        Returns:
            True exactly when it was open.
        """
        held = self._open.pop(key, None)
        if held is None:
            return False
        del self._by_rule[key.rule][key]
        self._changed.append(replace(held, open=False, updated_utc=format_utc(now_ms)))
        return True

    def drain(self) -> tuple[AlertView, ...]:
        """Return every change since the last call, oldest first, and forget them."""
        changed, self._changed = tuple(self._changed), []
        return changed

    def _keep(self, key: AlertKey, alert: AlertView) -> None:
        self._open[key] = alert
        self._by_rule.setdefault(key.rule, {})[key] = None


URGENT: Final = frozenset(("FLASH", "IMMEDIATE"))  # never folded, and heard
_URGENCIES: Final = {"FLASH": 0, "IMMEDIATE": 1, "PRIORITY": 2, "ROUTINE": 3}
_DANGERS: Final = frozenset(
    (
        "CONFLICT",
        "COVER_LEAVING",
        "NOT_CHECKED",
        "PRESENCE_OVERLAP",
        "PRIVATE_HIT",
        "PRIVATE_MEDIATED_HIT",
        "PRIVATE_NOT_CHECKED",
        "PRIVATE_SITE_HIT",
        "PRIVATE_SITES_NOT_CHECKED",
        "PROTECTED_SITE_NEAR",
        "CEASE_RECEIVED",
        "SAFETY_RECEIVED",
    )
)
_NEVER: Final = "~"  # sorts behind every instant


def _order(alert: AlertView) -> tuple[bool, int, int, bool, str, str]:
    return (
        alert.drill,
        _URGENCIES[alert.urgency],
        -alert.level,  # at the top of its ladder nothing is due any more: it must not sink for that
        alert.rule not in _DANGERS,
        alert.deadline_utc or _NEVER,
        alert.raised_utc,
    )


def _key_of(alert: AlertView) -> AlertKey:
    return AlertKey(alert.rule, alert.line_id, alert.subject, alert.object)
