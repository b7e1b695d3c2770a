"""iCalendar (RFC 5545): times of calls as a file that a calendar reads. Written, never read.

Each event keeps its UID while its status changes, and SEQUENCE grows with each change, so that a
calendar which took an earlier file shows the newest state. There is no ORGANIZER and no ATTENDEE:
they are persons, with addresses, and a line knows desks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from deconflict.airspace.instant import format_utc

__all__ = ["CalendarEvent", "EventStatus", "calendar"]

_PRODID: Final = "-//deconflict//deconflict//EN"
_MOST_OCTETS: Final = 75  # of a line, its end not counted (RFC 5545 §3.1)
_ESCAPES: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


class EventStatus(StrEnum):
    """RFC 5545 §3.8.1.11, of an event."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One time that is, or was, kept for a call.

    Attributes:
        uid: the same in every file about it.
        start_ms: when it begins, ms since 1970.
        end_ms: when it ends.
        status: as it stands now.
        sequence: how often it was changed.
        summary: one line, shown by every calendar it is copied to.
    """

    uid: str
    start_ms: int
    end_ms: int
    status: EventStatus
    sequence: int
    summary: str


def calendar(events: Iterable[CalendarEvent], *, stamp_ms: int) -> bytes:
    r"""Return the events as one iCalendar file; seconds are the finest it says.

    Args:
        events: in the order of the file.
        stamp_ms: when the file is made (DTSTAMP), ms since 1970.

    >>> call = CalendarEvent("1@x", 1443593520000, 1443595320000, EventStatus.TENTATIVE, 0, "Call")
    >>> calendar([call], stamp_ms=0).decode().split("\r\n")[3:7]
    ['BEGIN:VEVENT', 'UID:1@x', 'DTSTAMP:19700101T000000Z', 'DTSTART:20150930T061200Z']
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_PRODID}"]
    for event in events:
        lines += _event(event, stamp_ms)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event(event: CalendarEvent, stamp_ms: int) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(event.uid)}"
    yield f"DTSTAMP:{_utc(stamp_ms)}"
    yield f"DTSTART:{_utc(event.start_ms)}"
    yield f"DTEND:{_utc(event.end_ms)}"
    yield f"SEQUENCE:{event.sequence}"
    yield f"STATUS:{event.status}"
    yield f"SUMMARY:{_text(event.summary)}"
    yield "END:VEVENT"


def _text(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_ESCAPES)


def _utc(utc_ms: int) -> str:
    return format_utc(utc_ms)[:19].replace("-", "").replace(":", "") + "Z"


def _folded(line: str) -> bytes:
    """Return a content line with its end, in pieces of 75 octets that split no character."""
    pieces: list[bytes] = []
    piece = b""
    for character in line:
        octets = character.encode()
        # Every piece but the first begins with the space that says so.
        if len(piece) + len(octets) > _MOST_OCTETS - (1 if pieces else 0):
            pieces.append(piece)
            piece = b""
        piece += octets
    pieces.append(piece)
    return b"\r\n ".join(pieces) + b"\r\n"
