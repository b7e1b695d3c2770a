"""A message over a telephone: what to say, the digits that check it, and the comparison afterwards.

What is said is the numbers of the phrases and their values (R35), each value compared as finely as
a listener can type it back, and no finer. Nothing heard is authentic; the
signed message is, and every note of what was heard is held against it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from deconflict.errors import InvalidInputError
from deconflict.line.canonical import canonical_bytes
from deconflict.messages.bodies import Body, Voice, VoicePart
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_phrases
from deconflict.messages.phrases import (
    SAFETY_PHRASES,
    heard_values,
    phrase,
    phrase_named,
    render_named,
    say_aloud,
)
from deconflict.messages.said import Said, joined, say
from deconflict.messages.values import ID_SHOWN, ValueType, spoken_id

__all__ = [
    "SAYABLE",
    "Differs",
    "check_digits",
    "heard_differs",
    "is_urgent",
    "parts_of",
    "voice_said",
    "voice_script",
    "voice_text",
]

_CONTEXT: Final = b"deconflict/1 voice\n"
_CHECK_DIGITS: Final = 6
# What a desk says while a line is down. A whole document, an account or a tally is no telephone
# message; a note of speech is not said again.
SAYABLE: Final = frozenset(
    (
        *(Kind.NOTIFY, Kind.UPDATE, Kind.CORRECTION, Kind.CANCEL, Kind.LOADED),
        *(Kind.ACK, Kind.SEEN, Kind.STANDBY, Kind.READBACK, Kind.READBACK_RESULT),
        *(Kind.CONCERN, Kind.PROPOSE, Kind.QUERY, Kind.ANSWER, Kind.SAFETY),
        *(Kind.CEASE, Kind.CEASED, Kind.CONTINUING, Kind.CANNOT_REACH),
        *(Kind.LINE_CHECK, Kind.LINE_CHECK_REPLY, Kind.SUSPEND, Kind.RESUME),
        *(Kind.SCOPE, Kind.DRILL_BEGIN, Kind.DRILL_END),
        *(Kind.TALK_REQUEST, Kind.TALK_PROPOSE, Kind.TALK_ACCEPT),
        *(Kind.TALK_DECLINE, Kind.TALK_CANCEL),
        Kind.RELEASE_CONSENT,
    )
)
_CEASES: Final = ("CEASE_DECLARATION", "CEASE_PLACE", "CEASED", "CONTINUING", "CANNOT_REACH")


class Differs(NamedTuple):
    """One thing that was heard otherwise than it is signed."""

    field: str
    heard: str
    signed: str


def parts_of(kind: Kind, body: Body, *, party: str) -> tuple[VoicePart, ...]:
    """Return the sentences of a message as they are said; of an id, what is said of it."""
    parts = []
    for number, values in message_phrases(kind, body, party=party, language="en"):
        ids = {name for name, type_ in phrase(number).values.items() if type_ is ValueType.ID}
        said = {name: spoken_id(v) if name in ids else v for name, v in values.items()}
        parts.append(VoicePart(phrase=number, values=said))
    return tuple(parts)


def check_digits(parts: Iterable[VoicePart], *, drill: bool) -> str:
    """Return six digits that change when anything that was said changes.

    They catch what was misheard: one in a million slips by. They are no signature; whoever can
    speak can work them out.

    >>> part = VoicePart(phrase=214, values={"at": "2015-09-30T06:12:00.000Z"})
    >>> check_digits([part], drill=False)
    '003521'
    """
    said = [[part.phrase, heard_values(part.phrase, part.values)] for part in parts]
    digest = hashlib.sha256(_CONTEXT + canonical_bytes({"drill": drill, "said": said})).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**_CHECK_DIGITS:0{_CHECK_DIGITS}d}"


def voice_script(
    kind: Kind,
    body: Body,
    *,
    party: str,
    peer: str,
    number: int,
    message_hash: str,
    language: str,
    drill: bool = False,
) -> tuple[str, ...]:
    """Return the lines to say, each of them said twice, digits spelled (R35).

    Free text and labels are left out: they bind nobody.
    """
    parts = parts_of(kind, body, party=party)
    begin = {
        "party": party,
        "peer": peer,
        "number": number,
        "message": message_hash,
    }
    exercise = [render_named("DRILL", {}, language)] if drill else []
    lines = [*exercise, say_aloud(phrase_named("SCRIPT_BEGIN").number, begin, language)]
    for part in parts:
        template = {"number": part.phrase}
        lines.append(say_aloud(phrase_named("SCRIPT_TEMPLATE").number, template, language))
        lines.append(say_aloud(part.phrase, part.values, language))
    check = {"check": check_digits(parts, drill=drill)}
    lines.append(say_aloud(phrase_named("SCRIPT_CHECK").number, check, language))
    lines.append(render_named("SCRIPT_READ_BACK", {}, language))
    return (*lines, *exercise)


def voice_said(parts: Sequence[VoicePart]) -> Said:
    """Return what was said, as it is told."""
    return joined([[part.phrase, dict(part.values)] for part in parts])


def voice_text(parts: Sequence[VoicePart], language: str) -> str:
    """Return what was said, as a desk of this language reads it."""
    return say(voice_said(parts), language)


def heard_differs(
    note: Voice, kind: Kind, body: Body, *, party: str, message_hash: str, drills: tuple[bool, bool]
) -> tuple[Differs, ...]:
    """Return where a note of what was said differs from the signed message; empty: nowhere.

    Args:
        note: of who said or heard it.
        kind: of the message.
        body: what it says.
        party: who signed it.
        message_hash: its name.
        drills: whether the note, and the message, are of an exercise.
    """
    found = []
    if note.message != message_hash[:ID_SHOWN]:
        found.append(Differs("message", note.message, message_hash[:ID_SHOWN]))
    if drills[0] is not drills[1]:
        found.append(Differs("drill", *("yes" if drill else "no" for drill in drills)))
    signed = _signed_parts(kind, body, party)
    heard_numbers, signed_numbers = (
        ", ".join(str(part.phrase) for part in parts) for parts in (note.said, signed)
    )
    if heard_numbers != signed_numbers:
        return (*found, Differs("template", heard_numbers, signed_numbers or kind.value))
    for heard_part, signed_part in zip(note.said, signed, strict=True):
        heard, true = (heard_values(part.phrase, part.values) for part in (heard_part, signed_part))
        found += [
            Differs(name, heard[name], true[name]) for name in true if heard[name] != true[name]
        ]
    return tuple(found)


def _signed_parts(kind: Kind, body: Body, party: str) -> tuple[VoicePart, ...]:
    """Return the sentences of a message; none of one that nobody can say by voice.

    The peer chooses what it notes and which message the note names. Whatever these are, they are
    compared: what cannot be said differs from all that was.
    """
    if kind not in SAYABLE:
        return ()
    try:
        return parts_of(kind, body, party=party)
    except InvalidInputError:
        return ()


def is_urgent(parts: Sequence[VoicePart]) -> bool:
    """True exactly when what was said is a safety message or about a request to cease."""
    urgent = {phrase_named(name).number for name in _CEASES} | set(SAFETY_PHRASES)
    return any(part.phrase in urgent for part in parts)
