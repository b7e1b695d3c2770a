"""Our calendar files read back by an independent reader of RFC 5545 say what we meant."""

from datetime import UTC, datetime

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from deconflict.formats.icalendar import CalendarEvent, EventStatus, calendar

# Whole seconds of the years a line knows, and any text that a summary may come to hold.
SECONDS = st.integers(0, 7_258_118_399).map(lambda s: s * 1_000)
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200)


@st.composite
def events(draw: st.DrawFn) -> CalendarEvent:
    start_ms = draw(SECONDS)
    return CalendarEvent(
        uid=f"{draw(st.text('0123456789abcdef', min_size=1, max_size=90))}-1@{'ab' * 16}",
        start_ms=start_ms,
        end_ms=min(start_ms + draw(st.integers(1, 86_400)) * 1_000, 7_258_118_399_000),
        status=draw(st.sampled_from(EventStatus)),
        sequence=draw(st.integers(0, 10**6)),
        summary=draw(TEXT),
    )


@given(st.lists(events(), max_size=5), SECONDS)
def test_what_is_written_is_read_as_it_was_meant(
    written: list[CalendarEvent], stamp_ms: int
) -> None:
    content = calendar(written, stamp_ms=stamp_ms)
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no character is split
    read = icalendar.Calendar.from_ical(content)
    assert read["VERSION"] == "2.0"
    found = read.walk("VEVENT")
    assert len(found) == len(written)
    for event, meant in zip(found, written, strict=True):
        assert event["UID"] == meant.uid
        assert event["SEQUENCE"] == meant.sequence
        assert event["STATUS"] == meant.status.value
        assert event["SUMMARY"] == meant.summary
        assert event["DTSTART"].dt == datetime.fromtimestamp(meant.start_ms / 1000, UTC)
        assert event["DTEND"].dt == datetime.fromtimestamp(meant.end_ms / 1000, UTC)
        assert event["DTSTAMP"].dt == datetime.fromtimestamp(stamp_ms / 1000, UTC)
        assert not event.errors
        assert "ORGANIZER" not in event
        assert "ATTENDEE" not in event
