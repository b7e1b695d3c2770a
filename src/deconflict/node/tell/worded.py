"""An alert in the words of whoever reads it.

It is kept as what it says, in no language, beside the text that the node's own language gave it.
Both come from here: what is told is one list, whoever puts it in words.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from deconflict.errors import NotFoundError
from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import Body, parse_body
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import Cited, message_text
from deconflict.messages.said import MessageWords, Said, joined, no_message, said, say, worded
from deconflict.node.line import cited_by, read_body
from deconflict.node.tell.ladder import ladder_said
from deconflict.node.views import AlertView

__all__ = ["AlertWording", "alert_said", "alert_text", "marked", "messages_of", "words_of"]


def words_of(envelope: Envelope, body: Body | None, cited: Cited | None, language: str) -> str:
    """Return a message in words, unmarked; nothing when nobody can read it."""
    if body is None:
        return ""
    kind, party = Kind(envelope.kind), envelope.sender.party
    return message_text(kind, body, party=party, language=language, cited=cited)


def messages_of(envelope_of: Callable[[str], Envelope | None]) -> MessageWords:
    """Return what puts the messages of a record in words.

    Args:
        envelope_of: finds an envelope of the record by its hash; None when it is not there.
    """

    def words(told: Said, language: str) -> str:
        match told:
            case {"unlogged": {"kind": kind, "body": body, "party": party}}:
                return message_text(
                    Kind(kind), parse_body(kind, body), party=party, language=language
                )
            case {"message": message_hash} if envelope := envelope_of(message_hash):
                cited = cited_by(envelope, envelope_of)
                return words_of(envelope, read_body(envelope), cited, language)
        return no_message(told, language)

    return words


def marked(told: Said, *, drill: bool) -> Said:
    """Return what is told as a desk reads it: of an exercise, it says so first."""
    return joined([said("DRILL"), told]) if drill else told


def alert_text(
    rule: str,
    told: Sequence[Said],
    facts: Mapping[str, Any],
    *,
    drill: bool,
    language: str,
    messages: MessageWords = no_message,
) -> str:
    """Return an alert in words: of an exercise or real, what it says, what its ladder asks for.

    Raises:
        NotFoundError: a message that it tells of is not in the record.
    """
    return say(_whole(rule, told, facts, drill=drill), language, messages)


def alert_said(alert: AlertView) -> Said:
    """Return an alert as it is told, whole; of an earlier edition its text, in its language."""
    if not alert.said:
        return alert.text
    return _whole(alert.rule, alert.said, alert.facts, drill=alert.drill)


class AlertWording:
    """Puts alerts in words of any language; each once, as long as it stays as it is.

    Args:
        language: of the node; in it every alert is worded already.
        messages: puts a message of the record in words.
    """

    def __init__(self, language: str, messages: MessageWords) -> None:
        self._language = language
        self._messages = messages
        self._held: dict[str, dict[str, tuple[AlertView, AlertView]]] = {}

    def open_ones(self, alerts: Sequence[AlertView], language: str) -> tuple[AlertView, ...]:
        """Return all open alerts in a language, and forget those that are no longer among them."""
        if language == self._language:
            return tuple(alerts)
        before = self._held.get(language, {})
        held = {
            alert.alert_id: kept
            if (kept := before.get(alert.alert_id)) is not None and kept[0] is alert
            else (alert, self.one(alert, language))
            for alert in alerts
        }
        self._held[language] = held
        return tuple(each for _, each in held.values())

    def worded(self, alert: AlertView, language: str) -> AlertView:
        """Return one open alert in a language, put in words now where it was not yet."""
        if not self.is_worded(alert, language):
            self.keep(alert, language)
        if language == self._language:
            return alert
        return self._held[language][alert.alert_id][1]

    def is_worded(self, alert: AlertView, language: str) -> bool:
        """True exactly when the words of this open alert are at hand."""
        kept = self._held.get(language, {}).get(alert.alert_id)
        return language == self._language or (kept is not None and kept[0] is alert)

    def keep(self, alert: AlertView, language: str) -> None:
        """Put an open alert in words ahead of its being asked for."""
        self._held.setdefault(language, {})[alert.alert_id] = (alert, self.one(alert, language))

    def one(self, alert: AlertView, language: str) -> AlertView:
        """Return one alert in a language.

        One kept by an earlier edition, or of a message that the record no longer holds, stays in
        the node's language.
        """
        if language == self._language or not alert.said:
            return alert
        try:
            text = alert_text(
                alert.rule,
                alert.said,
                alert.facts,
                drill=alert.drill,
                language=language,
                messages=self._messages,
            )
            facts = _facts_in(alert, language, self._messages)
        except NotFoundError:
            return alert
        return replace(alert, text=text, facts=facts)


def _whole(rule: str, told: Sequence[Said], facts: Mapping[str, Any], *, drill: bool) -> Said:
    parts = list(told)
    if ladder := facts.get("ladder"):
        parts += ladder_said(ladder)
    sentences = {"sentences": [{"say": each, "or": rule} for each in parts]}
    marks = [said("DRILL")] if drill else []
    if "amid_exercise" in facts:
        marks.append(said("REAL"))
    return joined([*marks, sentences]) if marks else sentences


def _facts_in(alert: AlertView, language: str, messages: MessageWords) -> dict[str, Any]:
    """Return the facts of an alert with those in words in a language."""
    facts = dict(alert.facts)
    for told in alert.said:
        if isinstance(told, (list, tuple)):
            number, values = told
            inner = worded(number, values, language, messages)
            facts |= {
                name: inner[name]
                for name, value in values.items()
                if name in facts and inner[name] is not value
            }
    return facts
