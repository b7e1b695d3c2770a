"""An incident, a breach and a tally in numbered phrases."""

from collections.abc import Iterator
from typing import Any

from deconflict.messages.incident_bodies import (
    BreachNote,
    BreachWord,
    Incident,
    IncidentWord,
    Tally,
)
from deconflict.messages.phrases import word_for
from deconflict.messages.said import Said, say
from deconflict.messages.values import ValueType
from deconflict.messages.wire_form import write_form

__all__ = ["code_said", "code_words", "incident_sentences", "tally_words"]


def incident_sentences(body: Incident | BreachNote) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the values of each phrase that together say the message."""
    if isinstance(body, Incident):
        yield (
            "INCIDENT",
            {
                "incident": body.incident_id,
                "what": body.what.value,
                "at": body.at_utc,
                "where": write_form(body.position),
                "risk": body.risk.value,
            },
        )
        if body.level is not None:
            yield "INCIDENT_LEVEL", {"level": write_form(body.level)}
        return
    yield "BREACH_NOTE", {"at": body.at_utc, "breach": body.breach.value}
    if body.position is not None:
        yield "BREACH_PLACE", {"where": write_form(body.position)}
    for name, key, value in (
        ("BREACH_DECLARATION", "declaration", body.declaration_id),
        ("BREACH_NAMED", "named", body.named),
        ("BREACH_INCIDENT", "incident", body.incident_id),
        ("BREACH_REFERENCE", "reference", body.reference),
    ):
        if value is not None:
            yield name, {key: value}


def code_said(code: IncidentWord | BreachWord) -> Said:
    """Return what kind of incident or breach a code names, as it is told."""
    kind = ValueType.INCIDENT if isinstance(code, IncidentWord) else ValueType.BREACH
    return {"word": [kind.value, code.value]}


def code_words(code: IncidentWord | BreachWord, language: str) -> str:
    """Return in words what kind of incident or breach a code names."""
    return say(code_said(code), language)


def tally_words(body: Tally, language: str) -> str:
    """Return how many of each code a tally counts, in the order of the codes' list."""
    counted: list[tuple[IncidentWord | BreachWord, int]] = [
        (word, len(body.incidents[word])) for word in IncidentWord if word in body.incidents
    ]
    counted += [(word, len(body.breaches[word])) for word in BreachWord if word in body.breaches]
    said = "; ".join(f"{code_words(word, language)}: {number}" for word, number in counted)
    return said or word_for(ValueType.FIELDS, "none", language)
