"""Calls and readouts as people and programs see them; values only, as all of ``views``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deconflict.airspace.instant import parse_utc
from deconflict.formats.icalendar import CalendarEvent, EventStatus, calendar
from deconflict.line.moment import Now
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_text
from deconflict.messages.phrases import render_named
from deconflict.messages.talks import CallLanguage, CallRecord, Slot, readout_hash
from deconflict.node.calls import Call
from deconflict.node.line import Line
from deconflict.node.papers import Paper
from deconflict.node.talks import Talk, TalkState

__all__ = [
    "CallView",
    "DifferenceView",
    "PaperView",
    "ReadoutView",
    "RecordView",
    "SlotView",
    "TalkView",
    "by_language",
    "call_view",
    "paper_view",
    "record_view",
    "talk_calendar",
    "talk_view",
]


@dataclass(frozen=True, slots=True)
class SlotView:
    """A time for a call."""

    start_utc: str
    end_utc: str


@dataclass(frozen=True, slots=True)
class TalkView:
    """A call from its request to its end.

    ``message`` is the offer that stands, which an answer cites; ``waits_for`` the party whose
    answer is awaited. ``call_id`` names the call once it is arranged; ``acceptance`` is how far the
    acceptance came when it is ours.
    """

    talk_id: str
    line_id: str
    peer: str
    state: str  # OFFERED | ARRANGED | DECLINED | CALLED_OFF | LAPSED
    waits_for: str | None
    message: str
    offered_by: str
    offers: int
    tier: str
    subject: str
    slots: tuple[SlotView, ...]
    languages: tuple[str, ...]
    media: tuple[str, ...]
    text: str  # the standing offer in this desk's language
    sequence: int
    drill: bool
    recorded: bool  # our side has recorded that it was held
    ahead: bool  # it waits for an answer, or is to be held
    call_id: str | None = None
    start_utc: str | None = None
    end_utc: str | None = None
    medium: str | None = None
    accepted_by: str | None = None
    acceptance: str | None = None  # QUEUED SENT LACKED …
    ended_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordView:
    """What one side records of a call."""

    party: str
    message: str
    start_utc: str
    end_utc: str
    tier: str
    medium: str
    languages: tuple[str, ...]
    participants: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """One field in which two records differ, by party; ``apart_ms`` of times."""

    field: str
    said: dict[str, str]
    apart_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ReadoutView:
    """One readout: proposed and waiting, signed by both, one side's own, or details withheld."""

    state: str  # PROPOSED | AGREED | OWN | WITHHELD
    by: str | None  # None where both signed it
    message: str | None
    readout_hash: str | None
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallView:
    """A call that was held, or is to be: its records, where they differ, its readouts."""

    call_id: str
    line_id: str
    peer: str
    records: tuple[RecordView, ...]
    differing: tuple[DifferenceView, ...]
    readouts: tuple[ReadoutView, ...]
    drill: bool


@dataclass(frozen=True, slots=True)
class PaperView:
    """A note of a call or a draft of a readout. It is kept here alone and never sent."""

    paper_id: str
    kind: str  # note | draft
    line_id: str
    call: str | None
    written_by: str  # the account
    written_utc: str
    texts: dict[str, tuple[str, ...]]


def talk_view(line: Line, talk: Talk, now: Now, language: str) -> TalkView:
    """Return a call as it stands now."""
    own = line.book.own
    state = talk.state(now.utc_ms)
    standing, arranged, ended = talk.standing, talk.arranged, talk.ended
    waits_for = None
    if state is TalkState.OFFERED:
        waits_for = line.peer if standing.by == own else own
    recorded = arranged is not None and line.book.calls.is_recorded_by(own, arranged.hash)
    kind = Kind.TALK_REQUEST if len(talk.offers) == 1 else Kind.TALK_PROPOSE
    body = standing.body
    return TalkView(
        talk_id=talk.talk_id,
        line_id=line.line_id,
        peer=line.peer,
        state=state.value,
        waits_for=waits_for,
        message=standing.hash,
        offered_by=standing.by,
        offers=len(talk.offers),
        tier=body.tier.value,
        subject=body.subject.value,
        slots=tuple(SlotView(slot.start_utc, slot.end_utc) for slot in body.slots),
        languages=tuple(body.languages),
        media=tuple(body.media),
        text=message_text(kind, body, party=standing.by, language=language, drill=talk.drill),
        sequence=talk.sequence,
        drill=talk.drill,
        recorded=recorded,
        ahead=talk.is_ahead(now.utc_ms) and not recorded,
        call_id=None if arranged is None else arranged.hash,
        start_utc=None if arranged is None else arranged.slot.start_utc,
        end_utc=None if arranged is None else arranged.slot.end_utc,
        medium=None if arranged is None else arranged.medium.value,
        accepted_by=None if arranged is None else arranged.by,
        ended_by=None if ended is None else ended.by,
        reason=None if ended is None else ended.body.reason.value,
    )


def call_view(line: Line, call: Call) -> CallView:
    """Return a call with everything that was said of it; own things first."""
    order = (line.book.own, line.peer)
    records = tuple(
        record_view(party, call.records[party].hash, call.records[party].body)
        for party in order
        if party in call.records
    )
    return CallView(
        call_id=call.call_id,
        line_id=line.line_id,
        peer=line.peer,
        records=records,
        differing=tuple(_differences(call)),
        readouts=tuple(_readouts(call, order)),
        drill=call.drill,
    )


def paper_view(paper: Paper) -> PaperView:
    """Return a note or a draft."""
    return PaperView(
        paper_id=paper.paper_id,
        kind=paper.kind,
        line_id=paper.line_id,
        call=paper.call,
        written_by=paper.by,
        written_utc=paper.at_utc,
        texts=by_language(paper.texts),
    )


def talk_calendar(line_id: str, talk: Talk, now: Now, language: str) -> bytes:
    """Return every time that was ever offered for a call as an iCalendar file.

    One that stands is tentative, the accepted one is confirmed, every other is cancelled.
    """
    state = talk.state(now.utc_ms)
    summary = render_named("CALL_SUMMARY", {"call": talk.talk_id}, language)
    if talk.drill:
        summary = f"{render_named('DRILL', {}, language)} {summary}"
    times = dict.fromkeys(slot for offer in talk.offers for slot in offer.body.slots)
    return calendar(
        (
            CalendarEvent(
                uid=f"{talk.talk_id[:32]}-{number}@{line_id}",
                start_ms=slot.start_ms,
                end_ms=slot.end_ms,
                status=_status(talk, state, slot),
                sequence=talk.sequence,
                summary=summary,
            )
            for number, slot in enumerate(times, start=1)
        ),
        stamp_ms=now.utc_ms,
    )


def _status(talk: Talk, state: TalkState, slot: Slot) -> EventStatus:
    if state is TalkState.OFFERED and slot in talk.standing.body.slots:
        return EventStatus.TENTATIVE
    if state is TalkState.ARRANGED and talk.arranged is not None and slot == talk.arranged.slot:
        return EventStatus.CONFIRMED
    return EventStatus.CANCELLED


def record_view(party: str, message: str, body: CallRecord) -> RecordView:
    """Return what one side records of a call, in the message of this hash."""
    return RecordView(
        party=party,
        message=message,
        start_utc=body.start_utc,
        end_utc=body.end_utc,
        tier=body.tier.value,
        medium=body.medium.value,
        languages=tuple(body.languages),
        participants={who: tuple(roles) for who, roles in body.participants.items()},
    )


def _differences(call: Call) -> Iterator[DifferenceView]:
    """Yield every difference, however small; an alert is raised beyond the terms' tolerance."""
    for name in call.differing():
        values = {party: getattr(held.body, name) for party, held in call.records.items()}
        apart_ms = None
        if name.endswith("_utc"):
            one, other = (parse_utc(value) for value in values.values())
            apart_ms = abs(one - other)
        said = {party: _written(value) for party, value in values.items()}
        yield DifferenceView(name, said, apart_ms)


def _written(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{party}: {_written(roles)}" for party, roles in sorted(value.items()))
    return ", ".join(sorted(value)) if isinstance(value, tuple) else str(value)


def _readouts(call: Call, order: tuple[str, str]) -> Iterator[ReadoutView]:
    for name, readout in call.agreed.items():
        yield ReadoutView("AGREED", None, None, name, by_language(readout.texts))
    for party in order:
        if (waiting := call.waiting.get(party)) is not None:
            texts = by_language(waiting.readout.texts)
            yield ReadoutView("PROPOSED", party, waiting.hash, waiting.readout_hash, texts)
    for party in order:
        stated = call.stated.get(party)
        if stated is not None and stated.readout is None:
            yield ReadoutView("WITHHELD", party, stated.hash, None)
        elif stated is not None and stated.readout is not None:
            name, texts = readout_hash(stated.readout), by_language(stated.readout.texts)
            yield ReadoutView("OWN", party, stated.hash, name, texts)


def by_language(texts: Mapping[CallLanguage, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the paragraphs of a text, or its lines, by the code of their language."""
    return {language.value: lines for language, lines in texts.items()}
