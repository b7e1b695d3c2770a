"""The alerts that two logs leave open: as a start folds them, and read from both logs whole."""

from collections.abc import Callable, Iterable

import msgspec

from deconflict.line.alert_fold import AlertFold
from deconflict.line.alerts import Alert, alert_for
from deconflict.line.delivery import KindRule, KindRules
from deconflict.line.envelope import Envelope
from deconflict.line.precedence import Timers

Entries = Iterable[tuple[str, Envelope, bool]]


def folded_alerts(
    entries: Entries,
    *,
    own_party: str,
    rules: KindRules,
    timers: Timers,
    is_receipted: Callable[[str, Envelope], bool],
) -> tuple[Alert, ...]:
    """Return the alerts that two logs leave open, by what a node's start folds them with.

    Args:
        entries: (hash, envelope, delayed) of both chains; either chain in its order, the two
            mixed in any way.
        own_party: whose node this is.
        rules: of the line's kinds.
        timers: of the line.
        is_receipted: True exactly when an own entry, by hash and content, is covered by a receipt
            of the peer.
    """
    met: set[bytes] = set()
    fold = AlertFold(rules=rules, timers=timers, was_met=lambda name: bytes.fromhex(name) in met)
    for message_hash, envelope, delayed in entries:
        own = envelope.sender.party == own_party
        fold.take(
            envelope,
            message_hash,
            own=own,
            delayed=delayed,
            receipted=not own or is_receipted(message_hash, envelope),
        )
        met.add(bytes.fromhex(message_hash))
    return fold.open_alerts()


def alerts_of_whole(
    entries: Iterable[tuple[str, Envelope, bool]],
    *,
    own_party: str,
    rules: KindRules,
    timers: Timers,
    is_receipted: Callable[[str, Envelope], bool],
) -> tuple[Alert, ...]:
    """Return the same from both logs whole: the twin that `AlertFold` is held against."""
    left: dict[str, Alert] = {}
    opened: set[bytes] = set()
    early: dict[tuple[str, bool], dict[str, bool]] = {}  # said of a message later in this mix
    for message_hash, envelope, delayed in entries:
        own = envelope.sender.party == own_party
        if delayed:
            continue
        rule = rules.get(envelope.kind)
        receipted = not own or is_receipted(message_hash, envelope)
        owed = not receipted or (rule is not None and (rule.needs_seen or rule.needs_answer))
        alert = (
            alert_for(envelope, message_hash, own=own, rules=rules, timers=timers) if owed else None
        )
        if alert is not None:
            opened.add(bytes.fromhex(message_hash))
            _leave(
                left,
                alert,
                needs_receipt=not receipted,
                **early.pop((message_hash, own), {}),
            )
        changes = {} if rule is None or envelope.ref is None else _said_by(rule)
        if envelope.ref is None or not changes:
            continue
        cited = left.get(envelope.ref)
        if cited is not None:
            if cited.own is not own:  # a party answers the other's messages, not its own
                _leave(left, cited, **changes)
        elif bytes.fromhex(envelope.ref) not in opened:
            early.setdefault((envelope.ref, not own), {}).update(changes)
    return tuple(left.values())


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


def _leave(left: dict[str, Alert], alert: Alert, **changes: bool) -> None:
    """Keep the alert as changed, or take it out when nothing is owed any more."""
    still = msgspec.structs.replace(alert, **changes)
    if still.needs_receipt or still.needs_seen or still.needs_answer:
        left[alert.hash] = still
    else:
        left.pop(alert.hash, None)
