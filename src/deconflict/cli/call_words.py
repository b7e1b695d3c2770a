"""What people type and read of calls: words of closed lists, times, roles."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from deconflict.cli.options import typed_word
from deconflict.cli.output import clean, short, table, when
from deconflict.errors import InvalidInputError

__all__ = [
    "LANGUAGES",
    "MEDIA",
    "REASONS",
    "ROLES",
    "SUBJECTS",
    "TIERS",
    "show_talks",
    "slot_wire",
    "spelled",
    "typed_roles",
    "typed_words",
]

# As deconflict.messages.talks has them, written again so that --help need not import it.
TIERS: Final = ("watch", "working", "senior-1", "senior-2", "senior-3")
MEDIA: Final = ("phone", "video", "in-person")
SUBJECTS: Final = (
    *("line", "declarations", "conflict", "incident", "safety"),
    *("terms", "protected-sites", "maps", "other"),
)
REASONS: Final = ("no-reason", "time", "tier", "languages", "media", "subject", "settled")
LANGUAGES: Final = ("en", "ru", "ar", "tr", "he", "uk", "zh", "fr", "fa")
ROLES: Final = (
    *("watch-officer", "releasing-officer", "senior-1", "senior-2", "senior-3", "interpreter"),
    *("legal-adviser", "planner", "air-traffic-liaison", "humanitarian-notifier"),
)
_DURATION: Final = re.compile(r"(.+)\+([0-9]{1,3}) ?min", re.ASCII)
_MINUTE_MS: Final = 60_000


def typed_words(words: Iterable[str]) -> list[str]:
    """Return the words that travel, each once, in the order typed."""
    return list(dict.fromkeys(typed_word(word) for word in words))


def spelled(word: object) -> str:
    """Return a word as people type and read it: ``SENIOR_1`` is ``senior-1``."""
    return clean(word).lower().replace("_", "-")


def slot_wire(text: str) -> dict[str, str]:
    """Return a time for a call from ``START/END`` or ``START+30min``, as it travels.

    Raises:
        InvalidInputError: it cannot be read.

    >>> slot_wire("2015-09-30T12:00:00Z+30min")["end_utc"]
    '2015-09-30T12:30:00.000Z'
    """
    from deconflict.airspace import format_utc, parse_utc

    lasting = _DURATION.fullmatch(text)
    if lasting:
        start_ms = parse_utc(lasting[1].strip())
        end_ms = start_ms + int(lasting[2]) * _MINUTE_MS
    else:
        start, slash, end = text.partition("/")
        if not slash:
            raise InvalidInputError(
                "a time for a call cannot be read",
                given=text,
                expected="2015-09-30T12:00:00Z+30min, or START/END in UTC",
            )
        start_ms, end_ms = parse_utc(start.strip()), parse_utc(end.strip())
    return {"start_utc": format_utc(start_ms), "end_utc": format_utc(end_ms)}


def typed_roles(text: str) -> list[str]:
    """Return roles from a list with commas, as they travel.

    Raises:
        InvalidInputError: one is none of the agreed words; a name above all.
    """
    found = [part.strip().lower() for part in text.split(",")]
    for role in found:
        if role not in ROLES:
            raise InvalidInputError(
                "this is no role; a record names roles, never persons",
                given=role,
                expected=", ".join(ROLES),
            )
    return typed_words(found)


def show_talks(talks: Sequence[Mapping[str, Any]], *, own: str) -> None:
    """Print calls that are asked for or arranged, a line each."""
    table(
        ("WITH", "STATE", "WHEN", "LEVEL", "BY", "ID"),
        [
            (
                talk["peer"],
                _state(talk, own),
                _when(talk),
                spelled(talk["tier"]),
                spelled(talk["medium"] or ", ".join(talk["media"])),
                short(talk["call_id"] or talk["message"]),
            )
            for talk in talks
        ],
    )


def _state(talk: Mapping[str, Any], own: str) -> str:
    drill = "DRILL " if talk["drill"] else ""
    if talk["state"] == "OFFERED":
        ours = talk["waits_for"] == own
        return drill + ("waits for our answer" if ours else f"no answer from {talk['peer']} yet")
    if talk["state"] == "ARRANGED" and talk["acceptance"] in ("QUEUED", "SENT"):
        return f"{drill}accepted, not signed for by {talk['peer']} yet"
    if talk["state"] == "ARRANGED" and talk["recorded"]:
        return drill + "held, recorded by us"
    return drill + spelled(talk["state"]).replace("-", " ")


def _when(talk: Mapping[str, Any]) -> str:
    if talk["start_utc"]:
        return when(talk["start_utc"])
    first = min(slot["start_utc"] for slot in talk["slots"])
    more = len(talk["slots"]) - 1
    return when(first) + (f" or {more} more" if more else "")
