"""The alerts that the two chains of a line leave open, entry by entry, and at any entry as values.

For a start from the log alone: of whole chains, or of what comes behind an entry up to which the
alerts were kept.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from deconflict.line.alerts import Alert, alert_for
from deconflict.line.delivery import KindRule, KindRules
from deconflict.line.envelope import Envelope
from deconflict.line.precedence import Timers

__all__ = ["AlertFold", "KeptAlerts"]

_LOOK_AT: Final = 4_096  # words about messages not met, before it is asked whether they were


class KeptAlerts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open alerts as values, the oldest first; and what was said of messages not met yet.

    ``early`` has the message, whether it must be ours, and what is changed by what was said.
    """

    left: tuple[Alert, ...]
    early: tuple[tuple[str, bool, Mapping[str, bool]], ...]


class AlertFold:
    """What is still owed about the messages of a line.

    Either chain is taken in its order, the two mixed in any way.

    Args:
        rules: of the line's kinds.
        timers: of the line.
        was_met: True exactly when the message of a hash was taken here before.
    """

    def __init__(self, *, rules: KindRules, timers: Timers, was_met: Callable[[str], bool]) -> None:
        self._rules = rules
        self._timers = timers
        self._left: dict[str, Alert] = {}
        # Said of a message before it came: only where a party cites what it had not heard.
        self._early: dict[tuple[str, bool], dict[str, bool]] = {}
        self._was_met = was_met

    def take(
        self, envelope: Envelope, message_hash: str, *, own: bool, delayed: bool, receipted: bool
    ) -> None:
        """Take the next entry of either chain.

        Args:
            envelope: what it says.
            message_hash: its name.
            own: True exactly when we wrote it.
            delayed: it is not acted on.
            receipted: True exactly when no receipt of the peer is owed for it.
        """
        if delayed:
            return
        rule = self._rules.get(envelope.kind)
        if not receipted or (rule is not None and (rule.needs_seen or rule.needs_answer)):
            alert = alert_for(
                envelope, message_hash, own=own, rules=self._rules, timers=self._timers
            )
            if alert is not None:
                early = self._early.pop((message_hash, own), {})
                self._leave(alert, needs_receipt=not receipted, **early)
        changes = {} if rule is None or envelope.ref is None else _said_by(rule)
        if envelope.ref is None or not changes:
            return
        cited = self._left.get(envelope.ref)
        if cited is None:
            self._early.setdefault((envelope.ref, not own), {}).update(changes)
            if len(self._early) > _LOOK_AT:
                self._forget_met()
        elif cited.own is not own:  # a party answers the other's messages, not its own
            self._leave(cited, **changes)

    def receipted(self, hashes: Iterable[str]) -> None:
        """Note that the peer's receipt covers these own messages by now."""
        for message_hash in hashes:
            alert = self._left.get(message_hash)
            if alert is not None and alert.own:
                self._leave(alert, needs_receipt=False)

    def open_alerts(self) -> tuple[Alert, ...]:
        """Return what is owed, the oldest first."""
        return tuple(self._left.values())

    def kept(self) -> KeptAlerts:
        """Return all of it as values."""
        self._forget_met()
        early = ((*name, changes) for name, changes in sorted(self._early.items()))
        return KeptAlerts(self.open_alerts(), tuple(early))

    def take_up(self, kept: KeptAlerts) -> None:
        """Go on from what was kept; only of one that is new."""
        self._left.update({alert.hash: alert for alert in kept.left})
        self._early.update({(name, own): dict(changes) for name, own, changes in kept.early})

    def _forget_met(self) -> None:
        """Forget what was said of messages that were met: it opens no alert any more."""
        for name in tuple(self._early):
            if self._was_met(name[0]):
                del self._early[name]

    def _leave(self, alert: Alert, **changes: bool) -> None:
        """Keep the alert as changed, or take it out when nothing is owed any more."""
        still = msgspec.structs.replace(alert, **changes)
        if still.is_owed:
            self._left[alert.hash] = still
        else:
            self._left.pop(alert.hash, None)


def _said_by(rule: KindRule) -> dict[str, bool]:
    """Return what a message of this kind changes in the alert about the message that it cites."""
    changes = {}
    if rule.marks_seen or rule.marks_loaded or rule.closes:
        changes["needs_seen"] = False
    if rule.closes:
        changes["needs_answer"] = False
    if rule.extends:
        changes["extended"] = True
        changes["needs_seen"] = False
    return changes
