"""Values inside text that runs the other way: Unicode isolates, and how they stay whole.

In a right-to-left sentence the bidirectional algorithm would join a value with its neighbours and
turn their order: after an Arabic letter ``2015-09-30`` shows as ``30-09-2015``. An isolate around
each value (UAX #9 §2.4.2) keeps it one piece, read in its own direction. They stand in text for
people only: nothing that is signed, said aloud or typed back holds one
(docs/decisions/0041-right-to-left.md).
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

__all__ = [
    "all_closed",
    "closed_lines",
    "has_right_to_left",
    "isolated",
    "runs_right_to_left",
    "without_isolates",
]

_LTR_ISOLATE: Final = "\u2066"
_RTL_ISOLATE: Final = "\u2067"
_FIRST_STRONG_ISOLATE: Final = "\u2068"
_POP: Final = "\u2069"
# What text for people may hold. The one that turns everything in it, digits too, is written only
# around whole lines, where `closed_lines` knows their direction, and is never taken from anywhere.
_OPENING: Final = frozenset((_LTR_ISOLATE, _FIRST_STRONG_ISOLATE))
_ISOLATES: Final = re.compile(f"[{_LTR_ISOLATE}{_FIRST_STRONG_ISOLATE}{_POP}]")
# The blocks of right-to-left scripts, their presentation forms and Arabic-Indic digits included.
_RIGHT_TO_LEFT: Final = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def isolated(text: str) -> str:
    r"""Return the text as one piece of its own direction, that of its first letter.

    What is one piece already stays as it is.

    >>> isolated("red")
    '\u2068red\u2069'
    """
    return text if _is_one_piece(text) else f"{_FIRST_STRONG_ISOLATE}{text}{_POP}"


def _is_one_piece(text: str) -> bool:
    """Return True exactly when the text is one isolate from its first character to its last."""
    if not text.startswith(_FIRST_STRONG_ISOLATE):
        return False
    depth = 0
    for mark in _ISOLATES.finditer(text):
        depth += -1 if mark.group() == _POP else 1
        if depth == 0:
            return mark.end() == len(text)
    return False


def has_right_to_left(text: str) -> bool:
    """Return True exactly when a letter or digit of a right-to-left script is in the text.

    >>> has_right_to_left("red"), has_right_to_left("red الرقة")
    (False, True)
    """
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def runs_right_to_left(text: str) -> bool:
    """Return True exactly when the first letter that stands in no isolate runs right to left.

    That is how a paragraph finds its direction (UAX #9, rules P2 and P3).

    >>> runs_right_to_left("يعلن red"), runs_right_to_left(isolated("الرقة") + " declares")
    (True, False)
    """
    if not has_right_to_left(text):
        return False
    depth = 0
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("LRI", "RLI", "FSI"):
            depth += 1
        elif kind == "PDI":
            depth = max(depth - 1, 0)
        elif not depth and kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def all_closed(text: str) -> bool:
    r"""Return True exactly when each isolate in the text ends in it, and nothing else ends there.

    >>> all_closed(isolated("red") + "!"), all_closed("\u2068red"), all_closed("red\u2069")
    (True, False, False)
    """
    depth = 0
    for mark in _ISOLATES.findall(text):
        depth += -1 if mark == _POP else 1
        if depth < 0:
            return False
    return depth == 0


def without_isolates(text: str) -> str:
    """Return the text without the isolates that stand around values in it.

    One that is not closed stays, for whoever judges the text to find.

    >>> without_isolates(isolated("red") + ": 5")
    'red: 5'
    """
    if text.isascii() or not all_closed(text):
        return text
    return _ISOLATES.sub("", text)


def closed_lines(lines: Iterable[str], *, right_to_left: bool = False) -> list[str]:
    r"""Return the lines of one text, each whole in itself: what a break cut in two is closed.

    To a terminal each line is a paragraph of its own, so an isolate ends with it. One that is still
    open is closed at the end of its line and opened again on the next, behind its indentation.

    Args:
        lines: of the text, in order.
        right_to_left: whether the text as a whole runs so; then each line says it of itself, since
            a line that begins with a value does not show it.

    >>> closed_lines(["\u2068red", "rose\u2069."])
    ['\u2068red\u2069', '\u2068rose\u2069.']
    """
    open_marks = ""
    whole = []
    for line in lines:
        words = line.lstrip(" ")
        begin = line[: len(line) - len(words)] + open_marks
        for mark in _ISOLATES.findall(line):
            open_marks = open_marks[:-1] if mark == _POP else open_marks + mark
        closed = begin + words + _POP * len(open_marks)
        whole.append(f"{_RTL_ISOLATE}{closed}{_POP}" if right_to_left else closed)
    return whole
