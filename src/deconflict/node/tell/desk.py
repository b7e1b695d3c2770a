"""What a desk is told: an alert's rule names its phrase, the desk's language gives its words.

An alert of an exercise says so first (R9). It is one exactly when the message or declaration that
raised it is; of two that come too close, when one of them is, because then they cannot meet.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from deconflict.airspace.instant import parse_utc
from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import Cited
from deconflict.messages.phrases import phrase_named
from deconflict.messages.said import MessageWords, Said, no_message, worded
from deconflict.node.alerts import AlertBook, AlertKey
from deconflict.node.tell.worded import alert_text, words_of
from deconflict.node.threads import Thread
from deconflict.node.views import AlertView

__all__ = ["Desk", "about", "at_hand", "received_rule"]


def received_rule(kind: Kind) -> str:
    """Return the rule of the alert that a received message raises until it is settled."""
    return f"{kind.value}_RECEIVED"


def about(thread: Thread) -> dict[str, Any]:
    """Return what an alert about a thread says of it, for programs."""
    return {"message": thread.hash, "declaration_id": thread.declaration_id}


def at_hand(envelope: Envelope, body: Body | None, cited: Cited | None = None) -> MessageWords:
    """Return what puts one message in words that was read already, and is in no record yet."""
    return lambda _, language: words_of(envelope, body, cited, language)


class Desk:
    """Raises and closes the alerts of one node, and words them in the language of its desks.

    Args:
        alerts: the open alerts.
        language: of the texts.
    """

    def __init__(self, alerts: AlertBook, language: str) -> None:
        self.alerts = alerts
        self.language = language
        self._exercised: set[str] = set()  # the lines on which an exercise lasts

    def exercised(self, line_id: str, *, lasts: bool) -> None:
        """Note whether an exercise lasts on a line: then what is real and FLASH says so first."""
        (self._exercised.add if lasts else self._exercised.discard)(line_id)

    def tell(
        self,
        key: AlertKey,
        values: Mapping[str, Said],
        *,
        drill: bool,
        urgency: str,
        now_ms: int,
        deadline_ms: int | None = None,
        level: int = 0,
        desk: str | None = None,
        phrase: str | None = None,
        beside: Sequence[Said] = (),
        messages: MessageWords = no_message,
        ladder: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """Raise or update an alert said by the phrase of its rule (or by ``phrase``).

        What is said ``beside`` follows it. ``messages`` puts in words what it tells of messages.

        Returns:
            True exactly when it was not open before.
        """
        number = phrase_named(phrase or key.rule).number
        inner = worded(number, values, self.language, messages)
        return self._tell(
            key,
            [[number, values], *beside],
            [[number, inner], *beside],
            messages,
            drill=drill,
            urgency=urgency,
            now_ms=now_ms,
            deadline_ms=deadline_ms,
            level=level,
            desk=desk,
            ladder=ladder,
            facts={**inner, **(facts or {})},
        )

    def tell_said(
        self,
        key: AlertKey,
        told: Sequence[Said],
        *,
        drill: bool,
        urgency: str,
        now_ms: int,
        deadline_ms: int | None = None,
        level: int = 0,
        desk: str | None = None,
        messages: MessageWords = no_message,
        ladder: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """Raise or update an alert that says more than the phrase of its rule, as a conflict's.

        It is given without the mark of an exercise and without what ``ladder`` asks for. An
        alert that is open keeps its ladder when none is given, and loses it to an empty one.
        Without a deadline, the alert is due at the ladder's next limit.
        """
        return self._tell(
            key,
            told,
            told,
            messages,
            drill=drill,
            urgency=urgency,
            now_ms=now_ms,
            deadline_ms=deadline_ms,
            level=level,
            desk=desk,
            ladder=ladder,
            facts=facts,
        )

    def _tell(
        self,
        key: AlertKey,
        told: Sequence[Said],
        inner: Sequence[Said],
        messages: MessageWords,
        *,
        drill: bool,
        urgency: str,
        now_ms: int,
        deadline_ms: int | None,
        level: int,
        desk: str | None,
        ladder: Mapping[str, Any] | None,
        facts: Mapping[str, Any] | None,
    ) -> bool:
        """Raise or update an alert; ``inner`` is what is told, in part in words already."""
        held = self.alerts.get(key)
        if ladder is None and held is not None:
            ladder = held.facts.get("ladder")
        facts = dict(facts or {})
        if not drill and urgency == "FLASH" and self._amid_exercise(key, held):
            # It stays when the exercise has ended for it: that is what it was shown as.
            facts["amid_exercise"] = True
        if ladder:
            facts["ladder"] = dict(ladder)
            if deadline_ms is None and ladder["next_utc"] is not None:
                deadline_ms = parse_utc(ladder["next_utc"])
        return self.alerts.put(
            key,
            now_ms=now_ms,
            urgency=urgency,
            text=alert_text(
                key.rule, inner, facts, drill=drill, language=self.language, messages=messages
            ),
            said=tuple(told),
            facts=facts,
            deadline_ms=deadline_ms,
            level=level,
            desk=desk,
            drill=drill,
        )

    def _amid_exercise(self, key: AlertKey, held: AlertView | None) -> bool:
        return key.line_id in self._exercised or (
            held is not None and "amid_exercise" in held.facts
        )

    def close(self, rule: str, line_id: str | None, subject: str | None, now_ms: int) -> None:
        """Close every open alert of this rule, line and subject, whatever its object."""
        for key in self.alerts.keys(rule):
            if key.line_id == line_id and key.subject == subject:
                self.alerts.close(key, now_ms=now_ms)
