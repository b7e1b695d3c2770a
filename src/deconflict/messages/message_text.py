"""A message as a desk reads it: its phrase in the desk's own language (R33)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deconflict.airspace.notation import echo
from deconflict.messages.agreement import terms_hash
from deconflict.messages.bodies import (
    Account,
    Ack,
    Answer,
    Body,
    BreachNote,
    Cancel,
    Cease,
    CeaseReport,
    Concern,
    Declared,
    Epoch,
    Evidence,
    Incident,
    LineCheck,
    Loaded,
    Propose,
    Query,
    Readback,
    ReadbackResult,
    ReleaseConsent,
    Resume,
    Risk,
    SafetyOfFlight,
    ScopeChange,
    Seen,
    Standby,
    Suspend,
    Tally,
    TermsMessage,
    Voice,
    VoiceSide,
    WatchChange,
    places_of,
)
from deconflict.messages.declared_text import declared_sentences
from deconflict.messages.drill_bodies import DrillBegin, DrillEnd
from deconflict.messages.incident_text import incident_sentences, tally_words
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import phrase_named, render, render_named, word_for
from deconflict.messages.private_text import CHECKS, check_sentence
from deconflict.messages.readback import ReadbackValues
from deconflict.messages.talk_text import TALKS, readout_sentences, talk_sentences
from deconflict.messages.values import ValueType, spoken_id
from deconflict.messages.wire_form import write_form

__all__ = ["Cited", "message_phrases", "message_text"]


@dataclass(frozen=True, slots=True)
class Cited:
    """The message that another cites, as far as its words go."""

    kind: Kind
    party: str
    sent_utc: str
    hash: str


def message_text(
    kind: Kind,
    body: Body,
    *,
    party: str,
    language: str,
    drill: bool = False,
    cited: Cited | None = None,
) -> str:
    """Return the whole message in words.

    Args:
        kind: the kind of the message.
        body: what it says.
        party: who sent it.
        language: that of the desk that reads, not of the sender.
        drill: whether the message is exercise only; then it says so first (R9).
        cited: the message it cites, where its words are about that one.

    Free text stands last, in the sender's language, marked as not binding (R34). It is the peer's:
    whoever shows it must escape it.
    """
    # The figures of a declaration are those of its geometry, checked as that was read. They are
    # most of what a desk is told; to look at each again is a quarter of putting it in words.
    sound = isinstance(body, Declared)
    parts = [
        render(number, values, language, sound=sound)
        for number, values in message_phrases(kind, body, party=party, language=language)
    ]
    if isinstance(body, SafetyOfFlight):  # these say "ours" and "yours"
        whose = {"party": party, "text": parts[0]}
        parts = [render_named("FROM_PARTY", whose, language)]
    if drill:
        parts.insert(0, render_named("DRILL", {}, language))
    if isinstance(body, Declared) and body.value.label is not None:
        parts.append(render_named("LABEL", {"label": body.value.label}, language))
    parts += [render_named(name, values, language) for name, values in readout_sentences(body)]
    if cited is not None:
        named = {
            "kind": cited.kind.value,
            "party": cited.party,
            "sent": cited.sent_utc,
            "message": cited.hash,
        }
        parts.append(render_named("CITED", named, language))
    if body.not_binding is not None:
        parts.append(render_named("NOT_BINDING", {"text": body.not_binding}, language))
    return " ".join(parts)


def message_phrases(
    kind: Kind, body: Body, *, party: str, language: str
) -> tuple[tuple[int, dict[str, Any]], ...]:
    """Return the numbers of the message's phrases, each with its values; most say it in one."""
    if isinstance(body, SafetyOfFlight):
        return ((body.phrase, body.values),)
    said: tuple[tuple[str, dict[str, Any]], ...]
    if isinstance(body, Voice):
        return (_noted(body, party), *((part.phrase, part.values) for part in body.said))
    match body:
        case Declared():
            said = tuple(declared_sentences(kind, body.value))
        case Incident() | BreachNote():
            said = tuple(incident_sentences(body))
        case Propose():
            said = tuple(_proposed(body))
        case Concern():
            said = tuple(_concerned(body))
        case _ if isinstance(body, TALKS):
            said = tuple(talk_sentences(kind, body))
        case _ if isinstance(body, CHECKS):
            said = (check_sentence(body),)
        case _:
            said = (_named(kind, body, language),)
    found = []
    for name, values in said:
        phrase = phrase_named(name)
        if "party" in phrase.values:
            values["party"] = party
        found.append((phrase.number, values))
    return tuple(found)


def _noted(body: Voice, party: str) -> tuple[int, dict[str, Any]]:
    name = "VOICE_SAID" if body.side is VoiceSide.SAID else "VOICE_NOTED"
    return phrase_named(name).number, {
        "party": party,
        "desk": body.desk,
        "at": body.at_utc,
        "number": body.number,
        "message": spoken_id(body.message),
    }


def _named(kind: Kind, body: Body, language: str) -> tuple[str, dict[str, Any]]:
    match body:
        case Cancel(declaration_id=declaration, reason=reason):
            return "CANCEL", {"declaration": declaration, "reason": reason}
        case Ack(answer=answer):
            return "ACK", {"answer": answer.value}
        case Readback(values=values):
            return _readback(values)
        case ReadbackResult(declaration_id=declaration, agrees=agrees, fields=differ):
            if agrees:
                return "READBACK_AGREES", {"declaration": declaration}
            return "READBACK_DIFFERS", {"declaration": declaration, "fields": list(differ)}
        case Query():
            return "QUERY", {
                "where": write_form(body.position),
                "level": write_form(body.level),
                "course": body.course_ddeg,
                "speed": body.speed_mmps,
                "at": body.at_utc,
            }
        case Answer(said=said, desk=desk, at_utc=at):
            return "ANSWER", {"desk": desk, "at": at, "said": said.value}
        case Cease():
            return _cease(body)
        case CeaseReport(desk=desk, at_utc=at) | Seen(desk=desk, at_utc=at):
            return kind.value, {"desk": desk, "at": at}
        case LineCheck(text=text):
            return kind.value, {"text": text}
        case Loaded(declaration_id=declaration, at_utc=at):
            return "LOADED", {"declaration": declaration, "at": at}
        case Standby(desk=desk):
            return "STANDBY", {"desk": desk}
        case Suspend(scope=scope, effective_utc=effective, reason=reason):
            return "SUSPEND", {"scope": scope, "effective": effective, "reason": reason}
        case Resume(scope=scope, effective_utc=effective):
            return "RESUME", {"scope": scope, "effective": effective}
        case ScopeChange(scope=scope, to=to, effective_utc=effective, reason=reason):
            return "SCOPE", {"scope": scope, "to": to, "effective": effective, "reason": reason}
        case DrillBegin(until_utc=until):
            return "DRILL_BEGIN", {"until": until}
        case DrillEnd(at_utc=at):
            return "DRILL_END", {"at": at}
        case Account(event=None):
            fields = _fields(body, language)
            return "INCIDENT_ACCOUNT", {"incident": body.incident_id, "fields": fields}
        case Account():
            return "ACCOUNT", {"event": body.event, "fields": _fields(body, language)}
        case Evidence():
            return "EVIDENCE", {
                "incident": body.incident_id,
                "media": body.media_type,
                "length": body.length_bytes,
                "sha": body.sha256,
            }
        case Risk(incident_id=incident, risk=risk):
            return "RISK", {"incident": incident, "risk": risk.value}
        case Tally(start_utc=start, end_utc=end):
            counted = tally_words(body, language)
            return "TALLY", {"start": start, "end": end, "counted": counted}
        case WatchChange(desk=desk, at_utc=at, languages=languages):
            return "WATCH_CHANGE", {"desk": desk, "at": at, "languages": ", ".join(languages)}
        case ReleaseConsent(release=release):
            return f"RELEASE_{release.value}", {}
        case TermsMessage(terms=terms):
            return kind.value, {"version": terms.version, "terms": terms_hash(terms)}
        case Epoch(follows=follows, key=key):
            # Why, the wire tells no further: RESTORED is said of a start unanswered and of a guard
            # that is missing too. So the words name all that it can mean.
            named = "EPOCH" if key is None else "EPOCH_OF_ANOTHER_KEY"
            return named, {"number": 0 if follows is None else follows.seq}
        case _:
            raise TypeError(f"no phrase says {type(body).__name__}")


def _concerned(body: Concern) -> Iterator[tuple[str, dict[str, Any]]]:
    if body.hit is None:
        yield "CONCERN", {"first": body.first, "second": body.second, "reason": body.reason}
        return
    yield "PRIVATE_CONCERN", {"check": body.hit.check, "run": body.hit.run}
    if body.hit.start_utc is not None:
        yield "PRIVATE_CONCERN_WHEN", {"start": body.hit.start_utc, "end": body.hit.end_utc}
    if body.hit.position is not None:
        where = write_form(body.hit.position)
        yield "PRIVATE_CONCERN_WHERE", {"where": where, "reach": body.hit.reach_mm}


def _proposed(body: Propose) -> Iterator[tuple[str, dict[str, Any]]]:
    yield (
        "PROPOSE",
        {"first": body.first, "second": body.second, "declaration": body.declaration_id},
    )
    for change, value, more, less in (
        (body.shift_ms, "shift", "PROPOSE_LATER", "PROPOSE_EARLIER"),
        (body.level_tmm, "change", "PROPOSE_HIGHER", "PROPOSE_LOWER"),
        (body.aside_mm, "aside", "PROPOSE_RIGHT", "PROPOSE_LEFT"),
    ):
        if change:
            yield more if change > 0 else less, {value: abs(change)}
    yield "PROPOSE_CHANGES_NOTHING", {}


def _readback(said: ReadbackValues) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {
        "declaration": said.declaration_id,
        "purpose": said.purpose.value,
        "where": write_form(said.position),
        "reach": said.reach_mm,
        "levels": {
            "reference": said.reference.value,
            "lower_tmm": said.lower_tmm,
            "upper_tmm": said.upper_tmm,
        },
        "start": said.start_utc,
        "end": said.end_utc,
    }
    if said.landmark is None:
        return "READBACK_WITHOUT_LANDMARK", values
    values |= {
        "landmark": said.landmark,
        "distance": said.distance_mm,
        "bearing": said.bearing_ddeg,
    }
    return "READBACK", values


def _cease(body: Cease) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"effective": body.effective_utc, "reason": body.reason}
    if body.position is not None:
        values |= {"where": write_form(body.position), "reach": body.reach_mm}
        return "CEASE_PLACE", values
    return "CEASE_DECLARATION", values | {"declaration": body.declaration_id}


def _fields(body: Account, language: str) -> str:
    def shown(value: str | int | bool) -> str:
        if isinstance(value, bool):
            return word_for(ValueType.ANSWER, "AFFIRM" if value else "NEGATIVE", language)
        return str(value)

    fields = {name: shown(value) for name, value in body.fields.items()}
    for stem, position in places_of(body.fields).items():
        del fields[f"{stem}_lat_e7"], fields[f"{stem}_lon_e7"]
        fields[stem] = echo(position).decimal
    return "; ".join(f"{name} {value}" for name, value in sorted(fields.items()))
