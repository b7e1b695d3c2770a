"""The reference pages that are made from data: docs/reference/phrases.md and messages.md.

``python -m deconflict.messages.reference DIRECTORY`` writes them; a test holds the pages to the
data, so neither can change alone.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from deconflict.line.precedence import DEFAULT_TIMERS, Precedence
from deconflict.messages.direction import without_isolates
from deconflict.messages.kinds import KINDS, Kind, KindForm
from deconflict.messages.phrases import phrases, wording
from deconflict.messages.words import LANGUAGES

__all__ = ["messages_page", "pages", "phrases_page"]

_MADE_BY: Final = (
    "Made from the data; to renew: `python -m deconflict.messages.reference docs/reference`."
)
_GROUPS: Final = (
    (100, "What each kind of message says"),
    (200, "Safety of flight"),
    (300, "Reasons"),
    (500, "Alerts"),
    (560, "Other bearers than the network"),
    (580, "Talks, calls and readouts, with their alerts"),
    (600, "Conflict card"),
    (620, "A record that may be old"),
    (630, "The paths of a line, and room on a disk"),
    (700, "What may hang on any of them"),
    (800, "Incidents, tallies and the watch"),
    (840, "Exercises, and the change of a suspension's scope"),
    (940, "Private checks"),
)


def pages() -> dict[str, str]:
    """Return the pages by file name."""
    return {"messages.md": messages_page(), "phrases.md": phrases_page()}


def phrases_page() -> str:
    """Return the table of all phrases, in every language."""
    lines = [
        "# Phrases",
        "",
        "The number and the values travel; each desk reads its own language. A number never",
        "changes its meaning. How values are written is in `specs/messages.md`.",
        "",
        _MADE_BY,
    ]
    for first, title in _GROUPS:
        lines += ["", f"## {first}: {title}", "", "| number | name | values |", "|---|---|---|"]
        group = [entry for entry in phrases() if _group_of(entry.number) == first]
        for entry in group:
            values = ", ".join(f"`{name}` {kind}" for name, kind in entry.values.items())
            lines.append(f"| {entry.number} | {entry.name} | {values or '–'} |")
        for language in LANGUAGES:
            lines += ["", f"### {first} in {language}", ""]
            texts = wording(language)["texts"]
            lines += [
                f"- **{entry.number}** {without_isolates(texts[str(entry.number)])}"
                for entry in group
            ]
    return "\n".join(lines) + "\n"


def messages_page() -> str:
    """Return the table of all kinds: precedence, what each demands, what answers and ends it."""
    lines = [
        "# Messages",
        "",
        "What a desk can say, how urgent it is, what it asks of the other side. The exact forms",
        "are in `specs/messages.md`.",
        "",
        _MADE_BY,
        "",
        "Acknowledged is not permission. No answer is not consent. STANDBY extends the time for an",
        "answer once and is none; so does a desk that is still checking a query.",
        "",
        "| kind | precedence | must be seen | answered by | its own limit | open until | cites | "
        "two persons | passes a suspension |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in Kind:
        form = KINDS[kind]
        lines.append(
            "| "
            + " | ".join(
                (
                    kind.value,
                    form.rule.precedence.value,
                    _yes(form.rule.needs_seen),
                    _answers(kind, form),
                    "–" if form.answer_within_ms is None else _duration(form.answer_within_ms),
                    _list(form.settled_by),
                    _cites(form),
                    _yes(form.two_persons),
                    _yes(form.always_passes),
                )
            )
            + " |"
        )
    lines += [
        "",
        "A kind's own limit may only shorten that of its precedence. Where *open until* names a",
        "kind, the desk shows the matter as open until that comes, whatever answers came before: a",
        "CEASE is answered by ACK, CONTINUING or CANNOT_REACH, and open until CEASED.",
        "",
        "*Two persons*: where the party wants that, one writes it and another releases it",
        "(`docs/howto/declare-a-flight.md`).",
        "",
        "## Precedence",
        "",
        "Proposed limits; the terms of a line may set others. Then the alarm sounds, and goes up",
        "the ladder, counted from the limit that was missed.",
        "",
        "| precedence | receipt | seen | answer | ladder |",
        "|---|---|---|---|---|",
    ]
    for precedence in Precedence:
        limits = DEFAULT_TIMERS.limits[precedence]
        ladder = "; ".join(
            f"+{_duration(rung.after_ms)} {', '.join(rung.steps)}"
            for rung in DEFAULT_TIMERS.ladders[precedence]
        )
        lines.append(
            f"| {precedence} | {_duration(limits.lack_ms)} | {_duration(limits.seen_ms)} "
            f"| {_duration(limits.answer_ms)} | {ladder} |"
        )
    return "\n".join(lines) + "\n"


def _group_of(number: int) -> int:
    return max(first for first, _ in _GROUPS if first <= number)


def _answers(kind: Kind, form: KindForm) -> str:
    if not form.rule.needs_answer:
        return "–"
    return _list(
        other for other in Kind if KINDS[other].rule.closes and kind in KINDS[other].refers_to
    )


def _cites(form: KindForm) -> str:
    if not form.refers_to:
        return "–"
    whose = {True: "own ", False: "the peer's ", None: ""}[form.refers_to_own]
    many = len(form.refers_to) > len(Kind) // 2
    named = "almost anything" if many else _list(form.refers_to)
    return f"{whose}{named}" if form.needs_reference else f"{whose}{named}, or nothing"


def _list(kinds: Iterable[Kind]) -> str:
    return ", ".join(sorted(kind.value for kind in kinds)) or "–"


def _yes(value: bool) -> str:
    return "yes" if value else "–"


def _duration(ms: int) -> str:
    for length, unit in ((3_600_000, "h"), (60_000, "min")):
        if ms and ms % length == 0:
            return f"{ms // length} {unit}"
    return f"{ms // 1000} s"


if __name__ == "__main__":
    for name, page in pages().items():
        (Path(sys.argv[1]) / name).write_text(page, encoding="utf-8")
