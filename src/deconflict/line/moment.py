"""The clock as an argument, and the one spelling of UTC inside signed statements."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from deconflict.errors import InvalidDocumentError

__all__ = ["UTC_TEXT_PATTERN", "Now", "utc_ms_from_text", "utc_text"]

UTC_TEXT_PATTERN: Final = r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z"
_UTC_TEXT = re.compile(UTC_TEXT_PATTERN, re.ASCII)
_REMEMBERED: Final = 1_024  # an instant is written into several statements, then read from each
_YEARS: Final = range(1970, 2200)  # specs/envelope.md: what every screen can show


class Now(NamedTuple):
    """One reading of both clocks.

    ``utc_ms`` is evidence: it is written into statements and shown to people. ``monotonic_ms``
    decides: every deadline, retry and alarm runs on it, so a UTC clock that jumps makes no alarm
    late.
    """

    utc_ms: int
    monotonic_ms: int


def utc_text(utc_ms: int) -> str:
    """Return UTC milliseconds since 1970 as they stand in signed statements.

    >>> utc_text(1_443_571_200_000)
    '2015-09-30T00:00:00.000Z'
    """
    return _text_of(utc_ms)


@lru_cache(_REMEMBERED)
def _text_of(utc_ms: int) -> str:
    seconds, milliseconds = divmod(utc_ms, 1_000)
    return f"{_text_of_second(seconds)}.{milliseconds:03d}Z"


# Most of what a busy line writes happened in the same second.
@lru_cache(_REMEMBERED)
def _text_of_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def utc_ms_from_text(text: str) -> int:
    """Return the milliseconds since 1970 that :func:`utc_text` wrote.

    Raises:
        InvalidDocumentError: another spelling, no such instant (31 February, second 60), or not in
            the years 1970 to 2199.

    >>> utc_ms_from_text("2015-09-30T00:00:00.000Z")
    1443571200000
    """
    return _ms_of(text)


@lru_cache(_REMEMBERED)
def _ms_of(text: str) -> int:
    if _UTC_TEXT.match(text):
        try:
            moment = datetime.fromisoformat(text[:19] + "+00:00")
        except ValueError:
            pass
        else:
            if moment.year not in _YEARS:
                raise InvalidDocumentError(
                    "this instant is out of range", given=text, expected="the years 1970 to 2199"
                )
            return int(moment.timestamp()) * 1_000 + int(text[20:23])
    raise InvalidDocumentError(
        "this is not an instant in UTC",
        given=repr(text[:40]),
        expected="YYYY-MM-DDTHH:MM:SS.mmmZ",
        remedy="write the instant in UTC, to the millisecond",
    )
