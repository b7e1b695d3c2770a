"""What a desk is told: an alert's rule names its phrase, the desk's language gives its words.

An alert of an exercise says so first (R9). It is one exactly when the message or declaration that
raised it is; of two that come too close, when one of them is, because then they cannot meet.
"""

from collections.abc import Callable, Mapping
from typing import Any

from deconflict.airspace.instant import parse_utc
from deconflict.errors import InvalidInputError
from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import Cited, message_text
from deconflict.messages.phrases import phrase_named, render, render_named
from deconflict.node.alerts import AlertBook, AlertKey
from deconflict.node.tell.ladder import ladder_text
from deconflict.node.threads import Thread
from deconflict.node.views import AlertView

__all__ = ["Desk", "about", "followed", "received_rule", "shown"]


def received_rule(kind: Kind) -> str:
    """Return the rule of the alert that a received message raises until it is settled."""
    return f"{kind.value}_RECEIVED"


def about(thread: Thread) -> dict[str, Any]:
    """Return what an alert about a thread says of it, for programs."""
    return {"message": thread.hash, "declaration_id": thread.declaration_id}


def shown(what: str, words: Callable[[], str]) -> str:
    """Return the words, or what is told and why it cannot be put in words.

    A value that no phrase can hold must not keep an alert from a person, nor end the node.
    """
    try:
        return words()
    except InvalidInputError as error:
        return f"{what.replace('_', ' ')}. {error.problem}: {error.given}"


def followed(text: str, more: str) -> str:
    """Return a text and what is said after it.

    What ends in no sentence, as a text to be retyped exactly, keeps its own line: what follows must
    not read as part of it.
    """
    between = " " if text.endswith((".", "!", "?")) else "\n"
    return f"{text}{between}{more}".rstrip()


class Desk:
    """Raises and closes the alerts of one node in the language of its desks.

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

    def words_of(self, envelope: Envelope, body: Body | None, cited: Cited | None = None) -> str:
        """Return a message in the desk's language, unmarked; nothing when nobody can read it."""
        if body is None:
            return ""
        return shown(
            envelope.kind,
            lambda: message_text(
                Kind(envelope.kind),
                body,
                party=envelope.sender.party,
                language=self.language,
                cited=cited,
            ),
        )

    def marked(self, text: str, *, drill: bool) -> str:
        """Return the text as a desk reads it: of an exercise, it says so first."""
        return f"{render_named('DRILL', {}, self.language)} {text}" if drill else text

    def said(self, name: str) -> str:
        """Return a phrase without values in the desk's language."""
        return render_named(name, {}, self.language)

    def tell(
        self,
        key: AlertKey,
        values: Mapping[str, Any],
        *,
        drill: bool,
        urgency: str,
        now_ms: int,
        deadline_ms: int | None = None,
        level: int = 0,
        desk: str | None = None,
        phrase: str | None = None,
        beside: str = "",
        ladder: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """Raise or update an alert said by the phrase of its rule (or by ``phrase``).

        What is said ``beside`` follows it.

        Returns:
            True exactly when it was not open before.
        """
        number = phrase_named(phrase or key.rule).number
        return self.tell_text(
            key,
            f"{shown(key.rule, lambda: render(number, values, self.language))} {beside}".rstrip(),
            drill=drill,
            urgency=urgency,
            now_ms=now_ms,
            deadline_ms=deadline_ms,
            level=level,
            desk=desk,
            ladder=ladder,
            facts={**values, **(facts or {})},
        )

    def tell_text(
        self,
        key: AlertKey,
        text: str,
        *,
        drill: bool,
        urgency: str,
        now_ms: int,
        deadline_ms: int | None = None,
        level: int = 0,
        desk: str | None = None,
        ladder: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """Raise or update an alert whose words are made elsewhere, as a conflict card's are.

        They are given without the mark of an exercise and without what ``ladder`` asks for. An
        alert that is open keeps its ladder when none is given, and loses it to an empty one.
        Without a deadline, the alert is due at the ladder's next limit.
        """
        held = self.alerts.get(key)
        if ladder is None and held is not None:
            ladder = held.facts.get("ladder")
        facts = dict(facts or {})
        if not drill and urgency == "FLASH" and self._amid_exercise(key, held):
            # It stays when the exercise has ended for it: that is what it was shown as.
            facts["amid_exercise"] = True
            text = f"{render_named('REAL', {}, self.language)} {text}"
        if ladder:
            facts["ladder"] = dict(ladder)
            text = followed(text, ladder_text(ladder, self.language))
            if deadline_ms is None and ladder["next_utc"] is not None:
                deadline_ms = parse_utc(ladder["next_utc"])
        return self.alerts.put(
            key,
            now_ms=now_ms,
            urgency=urgency,
            text=self.marked(text, drill=drill),
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
