"""Text of others as it may be shown: it steers no terminal and turns nothing beside it."""

import re
from typing import Final

from deconflict.messages.direction import all_closed, has_right_to_left, isolated

__all__ = ["UNSAFE_ALL", "apart", "clean", "safe"]

# C0 and C1 controls, DEL, soft hyphen, zero-width and bidirectional controls, line separators,
# and lone surrogates (which no terminal can be sent).
_UNSAFE_BUT_ISOLATES = (
    "\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2065\u2067"
    "\u206a-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
)
# Those isolates stand around values where the text runs the other way. Closed within one text, they
# reach nothing beside it.
_UNSAFE: Final = re.compile(f"[{_UNSAFE_BUT_ISOLATES}]")
UNSAFE_ALL: Final = re.compile(f"[{_UNSAFE_BUT_ISOLATES}\u2066\u2068\u2069]")


def clean(value: object) -> str:
    r"""Return the text with everything replaced that could steer a terminal.

    >>> clean("all well\x1b[2Jnothing happened")
    'all well\ufffd[2Jnothing happened'
    """
    return apart(safe(str(value)))


def safe(text: str) -> str:
    """Return the same without setting it apart: within a line that is set apart as a whole."""
    return (_UNSAFE if all_closed(text) else UNSAFE_ALL).sub("\ufffd", text)


def apart(text: str) -> str:
    """Return a safe text as one piece, so that its letters turn nothing around it."""
    return isolated(text) if has_right_to_left(text) else text
