"""How commands print: aligned tables, short ids, UTC times; nothing a peer wrote moves the cursor.

Text that came over a line is data. Control characters, terminal escapes and characters that turn
the direction of writing are shown as a replacement mark, so that a message can neither hide nor
forge what stands around it. Text with right-to-left letters is one piece of its own direction, in
Unicode isolates: its letters do not turn the order of what stands around it either.
"""

import json
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import IO, Any

import click

from deconflict.messages.direction import closed_lines, runs_right_to_left
from deconflict.messages.shown import UNSAFE_ALL, apart, clean, safe
from deconflict.units import METRES_PER_FOOT, METRES_PER_NAUTICAL_MILE

__all__ = [
    "Bar",
    "clean",
    "count",
    "escalated",
    "feet",
    "fields",
    "folded",
    "metres",
    "padded",
    "page_width",
    "progress",
    "say_warnings",
    "sentences",
    "short",
    "span",
    "state_word",
    "table",
    "when",
    "write_json",
]

# A full stop, then a space and a word, perhaps a value in its isolate: figures such as 1.08 stay
# together.
_SENTENCE_END = re.compile(r"(?<=[^\W\d_)]\.|[)\d°»\u2069]\.) (?=[\u2066\u2068]*[^\W\d_])")
PAGE = 100  # columns: what a person reads without losing the line

_STEPS = {
    "SECOND_DESK": "second desk",
    "PEER_ALTERNATE": "their second desk",
    "VOICE": "voice",
    "NEXT_TIER": "next tier",
    "HOLD": "hold",
}

_COLOURS = {
    "UP": "green",
    "AGREED": "green",
    "AGREES": "green",
    "ok": "green",
    "CLOSED": "green",
    "DOWN": "red",
    "CONFLICT": "red",
    "wrong": "red",
    "DIFFERS": "red",
    "FLASH": "red",
    "EXPIRED": "red",
    "REFUSED": "red",
    "warning": "yellow",
    "UNKNOWN": "yellow",
    "INCOMPARABLE": "yellow",
    "IMMEDIATE": "yellow",
}


def _whole_lines(text: str, lines: Sequence[str]) -> list[str]:
    """Return the lines into which a safe text was cut, each in the direction of the whole."""
    if text.isascii():
        return list(lines)
    turned = runs_right_to_left(click.unstyle(text))
    return [line if turned else apart(line) for line in closed_lines(lines, right_to_left=turned)]


def say_warnings(warnings: Iterable[str]) -> None:
    """Print what a person should know before going on, each once."""
    for warning in dict.fromkeys(warnings):
        click.echo(click.style("warning: ", fg="yellow") + clean(warning))


def short(identifier: str | None, length: int = 10) -> str:
    """Return the beginning of a long id: enough to tell it from others and to type it again.

    >>> short("9f86d081884c7d659a2feaa0c55ad015")
    '9f86d08188'
    """
    return clean(identifier or "-")[:length]


def when(utc: str | None) -> str:
    """Return a UTC instant to the second, as a person reads it.

    >>> when("2015-09-30T06:12:00.250Z")
    '2015-09-30 06:12:00Z'
    """
    if not utc:
        return "never"
    day, _, clock = clean(utc).partition("T")
    return f"{day} {clock.rstrip('Z').split('.')[0]}Z" if clock else day


def sentences(text: str, *, indent: int, width: int | None = None) -> str:
    """Return a dense text for reading: a sentence a line, wrapped, indented.

    Wrapped at ``width`` columns; without it at those of the terminal, and in a pipe not at all.

    >>> print(sentences("It is so. red knows it.", indent=2))
      It is so.
      red knows it.
    """
    room = width or (shutil.get_terminal_size().columns if sys.stdout.isatty() else 0)
    lines: list[str] = []
    for part in map(safe, text.splitlines()):
        cut: list[str] = []
        for sentence in _SENTENCE_END.split(part):
            wide = max(room - indent, 40)
            cut += textwrap.wrap(sentence, wide, subsequent_indent="  ") if room else [sentence]
        lines += _whole_lines(part, cut)
    return "\n".join(" " * indent + line for line in lines)


def page_width() -> int | None:
    """Return how wide a page of text is on this terminal, 100 columns at most; None in a pipe."""
    return min(PAGE, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def folded(text: str, *, indent: int = 0, width: int | None) -> str:
    """Return a line wrapped at ``width`` columns and indented, what continues it by two more.

    With None nothing is wrapped: a pipe gets each line whole.

    >>> folded("said by both, held by both", indent=2, width=20)
    '  said by both, held\\n    by both'
    """
    begin = " " * indent
    if width is None:
        return begin + "".join(_whole_lines(text, [text]))
    lines = textwrap.wrap(
        text,
        width - indent,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(begin + line for line in _whole_lines(text, lines or [""]))


def span(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> span(2), span(90), span(600), span(7200), span(172800)
    ('2 s', '90 s', '10 min', '2 h', '2 days')
    >>> span(3661), span(90000)
    ('1 h 1 min 1 s', '25 h')
    """
    parts: list[str] = []
    left = seconds
    for unit, length, least in (("days", 86_400, 2), ("h", 3_600, 1), ("min", 60, 2)):
        if left >= (1 if parts else least) * length or (left >= length and left % length == 0):
            parts.append(f"{left // length:g} {unit}")
            left %= length
    if left or not parts:
        parts.append(f"{left:g} s")
    return " ".join(parts)


def metres(value: float | None) -> str:
    """Return a horizontal distance in nautical miles, with metres or kilometres.

    Nautical miles and feet come first, as in all that a node says in English.

    >>> metres(740.8), metres(27780.0), metres(None)
    ('0.40 NM (741 m)', '15.0 NM (27.8 km)', 'not known')
    """
    if value is None:
        return "not known"
    miles = value / METRES_PER_NAUTICAL_MILE
    if abs(value) < 10_000:
        return f"{miles:.2f} NM ({value:,.0f} m)"
    return f"{miles:,.1f} NM ({value / 1000:,.1f} km)"


def feet(value: float | None) -> str:
    """Return a vertical distance in feet, with metres, without a sign.

    >>> feet(-304.8)
    '1,000 ft (305 m)'
    """
    if value is None:
        return "not known"
    return f"{abs(value) / METRES_PER_FOOT:,.0f} ft ({abs(value):,.0f} m)"


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "conflict"), count(2, "conflict"), count(0, "party", "parties")
    ('1 conflict', '2 conflicts', 'no parties')
    """
    noun = one if number == 1 else (many or one + "s")
    return f"{number:,} {noun}" if number else f"no {noun}"


def escalated(alert: Mapping[str, Any]) -> str:
    """Return who is asked to act on an overdue alert; nothing when it has not come so far.

    >>> escalated({"level": 2, "facts": {"ladder": {"asked": [{"step": "VOICE"}]}}})
    'escalated: voice'
    """
    if not alert["level"]:
        return ""
    asked = [each["step"] for each in alert["facts"].get("ladder", {}).get("asked", ())]
    words = [_STEPS.get(step, clean(step)) for step in asked]
    said = " and ".join(", ".join(words).rsplit(", ", 1))
    return f"escalated: {said}" if said else "escalated"


def state_word(word: str) -> str:
    """Return a state in its colour; the word itself carries the meaning."""
    colour = _COLOURS.get(word)
    return click.style(word, fg=colour, bold=colour == "red") if colour else clean(word)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[int] = ()
) -> None:
    """Print aligned columns under headings.

    On a terminal the last column is shortened to fit; in a pipe everything is whole. Words that
    `state_word` knows get their colour.

    Args:
        headings: one for each column.
        rows: the cells; None is shown as a dash.
        right: numbers of the columns to be set flush right.
    """
    cells = [["-" if cell is None else clean(cell) for cell in row] for row in rows]
    headings = [apart(heading) for heading in headings]
    columns = len(headings)
    widths = [
        max([_width(headings[c]), *(_width(row[c]) for row in cells)]) for c in range(columns)
    ]
    if sys.stdout.isatty():
        room = shutil.get_terminal_size().columns - sum(widths[:-1]) - 2 * (columns - 1)
        widths[-1] = min(widths[-1], max(room, _width(headings[-1]), 20))
    click.echo(click.style(_line(list(headings), widths, right), dim=True))
    for row in cells:
        row[-1] = _cut(row[-1], widths[-1])
        click.echo(_line(row, widths, right))


def fields(
    pairs: Iterable[tuple[str, object]], *, indent: int = 0, page: int | None = None
) -> None:
    """Print ``name  value`` lines, the values under one another; an empty value is left out.

    A value that goes beyond ``page`` columns goes on below itself.
    """
    shown = [(apart(name), clean(value)) for name, value in pairs if value not in (None, "")]
    width = max((_width(name) for name, _ in shown), default=0)
    for name, value in shown:
        words = state_word(value) if value in _COLOURS else value
        head = f"{'':{indent}}{padded(name, width)}  "
        taken = _width(head)
        if page is not None and taken + _width(value) > page:
            below = " " * taken
            lines = closed_lines(textwrap.wrap(value, max(page - taken, 30)))
            words = f"\n{below}".join(lines)
        click.echo(f"{head}{words}")


def write_json(value: object, *, to: IO[str] | None = None) -> None:
    """Print a value as JSON, indented, keys as they come, safe to look at on a terminal."""
    text = json.dumps(_plain(value), indent=2, ensure_ascii=False)
    body = UNSAFE_ALL.sub(lambda found: _escape(found[0]), text)
    click.echo(body, file=to)


@contextmanager
def progress(label: str, total: int | None) -> Iterator["Bar"]:
    """Show a bar on a terminal while long work of known length goes on; nothing in a pipe."""
    if total is None or not sys.stderr.isatty():
        yield Bar(None)
        return
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield Bar(bar)


class Bar:
    """What long work tells of its progress."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def advance(self, steps: int) -> None:
        """Say that so many more steps are done."""
        if self._bar is not None:
            self._bar.update(steps)

    def finish(self) -> None:
        """Say that all is done, whatever the steps come to."""
        if self._bar is not None:
            self._bar.update(self._bar.length - self._bar.pos)


def _escape(character: str) -> str:
    return character if character == "\n" else f"\\u{ord(character):04x}"


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    shown = []
    for column, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        wide = padded(cell, width, flush_right=column in right)
        shown.append(wide.replace(cell, state_word(cell), 1) if cell in _COLOURS else wide)
    return "  ".join(shown).rstrip()


def padded(text: str, width: int, *, flush_right: bool = False) -> str:
    """Return the text with spaces behind it, or before it, to so many columns of a terminal.

    >>> padded("red", 5) + "|", padded("red", 5, flush_right=True)
    ('red  |', '  red')
    """
    gap = " " * max(0, width - _width(text))
    return gap + text if flush_right else text + gap


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) > width - 1:
        text = text[:-1]
    return closed_lines([text + "…"])[0]


def _width(text: str) -> int:
    """Return the columns a terminal takes for the text: wide letters two, what is unseen none."""
    return sum(
        0
        if unicodedata.combining(character) or unicodedata.category(character) == "Cf"
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )
