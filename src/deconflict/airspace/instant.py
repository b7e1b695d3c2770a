"""Instants and time spans: UTC, whole milliseconds since 1970, said as RFC 3339 with Z."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from deconflict.errors import InvalidTimeError

__all__ = ["MAX_UTC_MS", "TimeSpan", "check_utc_ms", "format_utc", "nearest_utc_ms", "parse_utc"]

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (all here is UTC, said by the Z)
MAX_UTC_MS: Final = 7_258_118_400_000 - 1  # the last millisecond of 2199
_MAX_TEXT: Final = 64
# One turn of a node says the same few instants a dozen times, and reads again those of a trajectory
# that it has just written. What is refused is not remembered.
_REMEMBERED: Final = 4_096

_UTC: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.([0-9]{3}))?Z",
    re.ASCII,
)
_EXPECTED: Final = "UTC as 2015-09-30T06:12:00Z (or with .mmm milliseconds)"
_LOCAL: Final = re.compile(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[T ][0-9:.]+", re.ASCII)
_OFFSET: Final = re.compile(r"[T ][0-9:.]+ ?[+\-\u2212][0-9]{2}:?[0-9]{0,2}$", re.ASCII)
_ZONE_NAME: Final = re.compile(
    r"[0-9] ?\(?([A-Za-z]{1,5}|[A-Z][A-Za-z_]+/[A-Za-z_/]+)\)?$", re.ASCII
)
_RELATIVE: Final = re.compile(
    r"\b(now|today|tonight|tomorrow|yesterday|soon|later|next|last|in|ago|after|before|from|hence"
    r"|minutes?|mins?|hours?|days?|weeks?|morning|noon|evening|midnight"
    r"|сейчас|сегодня|завтра|вчера|через|назад|после|скоро|минут\w{0,2}|час\w{0,2}|утром|вечером)\b",
    re.IGNORECASE,
)


def parse_utc(text: str) -> int:
    """Return the instant that ``text`` names, in milliseconds since 1970-01-01T00:00:00Z.

    Only ``YYYY-MM-DDTHH:MM:SSZ`` and ``YYYY-MM-DDTHH:MM:SS.mmmZ`` are read, years 1970 to 2199.
    What else people write is refused with its own reason: relative times, a missing zone, zone
    names, offsets (even +00:00), leap seconds.

    Raises:
        InvalidTimeError: always saying what was missing.

    Source: RFC 3339 section 5.6, narrowed.

    >>> parse_utc("2015-09-30T06:12:00Z")
    1443593520000
    """
    return _instant_of(text)


@lru_cache(_REMEMBERED)
def _instant_of(text: str) -> int:
    if len(text) > _MAX_TEXT:
        raise InvalidTimeError(
            "the time is too long to be one", given=f"{text[:24]!r}...", expected=_EXPECTED
        )
    match = _UTC.fullmatch(text)
    if match is None:
        raise _refusal(text)
    if text[17:19] == "60":
        raise InvalidTimeError(
            "a leap second has no place in this time scale",
            given=repr(text),
            expected=_EXPECTED,
            remedy="give the second before or after it",
        )
    try:
        since = datetime.fromisoformat(text[:19]) - _EPOCH
    except ValueError as error:
        raise InvalidTimeError(
            f"there is no such time: {error}", given=repr(text), expected=_EXPECTED
        ) from error
    whole_ms = since.days * 86_400_000 + since.seconds * 1_000
    return check_utc_ms(whole_ms + int(match[1] or 0), "time")


def format_utc(utc_ms: int) -> str:
    """Return the instant as ``YYYY-MM-DDTHH:MM:SS.mmmZ``, which ``parse_utc`` reads back.

    >>> format_utc(1443593520000)
    '2015-09-30T06:12:00.000Z'
    """
    return _text_of(check_utc_ms(utc_ms, "utc_ms"))


@lru_cache(_REMEMBERED)
def _text_of(utc_ms: int) -> str:
    seconds, ms = divmod(utc_ms, 1000)
    return f"{_text_of_second(seconds)}.{ms:03d}Z"


# Most of what a busy node writes happened in the same second.
@lru_cache(_REMEMBERED)
def _text_of_second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()


def check_utc_ms(value: object, name: str) -> int:
    """Return ``value`` if it is a whole number of milliseconds in the years 1970 to 2199.

    Raises:
        InvalidTimeError: it is not.
    """
    if type(value) is not int:
        raise InvalidTimeError(
            f"{name} is no whole number",
            given=f"{value!r:.40}",
            expected="milliseconds since 1970-01-01T00:00:00Z",
        )
    if not 0 <= value <= MAX_UTC_MS:
        raise InvalidTimeError(
            f"{name} is out of range", given=f"{value} ms", expected="the years 1970 to 2199"
        )
    return value


def nearest_utc_ms(value: int) -> int:
    """Return the instant of the years 1970 to 2199 that is nearest to ``value``.

    For showing what somebody else's clock said: it may have said anything.

    >>> nearest_utc_ms(-1), nearest_utc_ms(2**60) == MAX_UTC_MS
    (0, True)
    """
    return min(max(value, 0), MAX_UTC_MS)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """From start to end, both included, UTC milliseconds; the end is after the start.

    Raises:
        InvalidTimeError: the end is not after the start, or a value is out of range.

    >>> TimeSpan(0, 60_000).duration_ms
    60000
    """

    start_ms: int
    end_ms: int

    def __post_init__(self) -> None:
        check_utc_ms(self.start_ms, "start_ms")
        check_utc_ms(self.end_ms, "end_ms")
        if self.start_ms >= self.end_ms:
            raise InvalidTimeError(
                "the end is not after the start",
                given=f"start {format_utc(self.start_ms)}, end {format_utc(self.end_ms)}",
                expected="start before end",
                remedy="exchange them, or correct the date",
            )

    @property
    def duration_ms(self) -> int:
        """Length in milliseconds, at least 1."""
        return self.end_ms - self.start_ms


def _refusal(text: str) -> InvalidTimeError:
    given = repr(text)
    if _RELATIVE.search(text):
        return InvalidTimeError(
            "a relative time means something else to whoever reads it later",
            given=given,
            expected=_EXPECTED,
            remedy="write the date and time out",
        )
    if _OFFSET.search(text):
        return InvalidTimeError(
            "only UTC is accepted, marked Z, not an offset",
            given=given,
            expected=_EXPECTED,
            remedy="convert to UTC and write Z",
        )
    if _LOCAL.fullmatch(text):
        return InvalidTimeError(
            "the time zone is missing",
            given=given,
            expected=_EXPECTED,
            remedy="convert to UTC and write Z at the end",
        )
    zone = _ZONE_NAME.search(text)
    if zone and zone[1] not in {"Z", "z"}:
        return InvalidTimeError(
            "zone names and abbreviations are ambiguous",
            given=given,
            expected=_EXPECTED,
            remedy="convert to UTC and write Z",
        )
    return InvalidTimeError("the time cannot be read", given=given, expected=_EXPECTED)
