"""Calls and readouts in sentences: what is offered, slot by slot; what was recorded, by party."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from deconflict.messages.body import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.talks import (
    CallRecord,
    ReadoutText,
    ReadoutWithheld,
    TalkAccept,
    TalkEnd,
    TalkOffer,
    readout_hash,
)
from deconflict.messages.wire_form import write_form

__all__ = ["TALKS", "readout_sentences", "talk_sentences"]

Sentence: TypeAlias = tuple[str, dict[str, Any]]

TALKS = (TalkOffer, TalkAccept, TalkEnd, CallRecord, ReadoutText, ReadoutWithheld)


def talk_sentences(kind: Kind, body: Body) -> Iterator[Sentence]:
    """Yield the names of the phrases that say a message about a call, each with its values.

    The party is left out: the caller knows it. The text of a readout is no phrase and is not here.
    """
    match body:
        case TalkOffer():
            yield from _offer(kind, body)
        case TalkAccept(slot=slot, medium=medium):
            times = {"start": slot.start_utc, "end": slot.end_utc}
            yield "TALK_ACCEPT", times | {"medium": medium.value}
        case TalkEnd(reason=reason):
            yield kind.value, {"reason": reason.value}
        case CallRecord():
            yield from _record(body)
        case ReadoutText(readout=readout):
            yield kind.value, {"readout": readout_hash(readout), "call": readout.call}
        case ReadoutWithheld(call=call):
            yield "READOUT_WITHHELD", {"call": call}


def readout_sentences(body: Body) -> Iterator[Sentence]:
    """Yield the texts of a readout, one language after the other; of anything else nothing."""
    if isinstance(body, ReadoutText):
        for language, paragraphs in sorted(body.readout.texts.items()):
            yield "READOUT_TEXT", {"language": language.value, "text": " ".join(paragraphs)}


def _offer(kind: Kind, body: TalkOffer) -> Iterator[Sentence]:
    yield kind.value, {"tier": body.tier.value, "subject": body.subject.value}
    for number, slot in enumerate(body.slots, start=1):
        yield "TALK_SLOT", {"number": number, "start": slot.start_utc, "end": slot.end_utc}
    yield (
        "TALK_MEANS",
        {
            "languages": [language.value for language in body.languages],
            "media": [medium.value for medium in body.media],
        },
    )
    if body.place is not None:
        yield "TALK_PLACE", {"where": write_form(body.place)}


def _record(body: CallRecord) -> Iterator[Sentence]:
    yield (
        "CALL_RECORD",
        {
            "start": body.start_utc,
            "end": body.end_utc,
            "tier": body.tier.value,
            "medium": body.medium.value,
            "languages": [language.value for language in body.languages],
        },
    )
    for party, roles in sorted(body.participants.items()):
        yield "CALL_PARTICIPANTS", {"of": party, "roles": [role.value for role in roles]}
