"""A look at drafts that may not be whole yet: what their sender should know before sending them.

No check: whether they come too close to anything is another question, and needs them whole. Nothing
is kept, and the peer learns nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from deconflict.airspace.geometry import Geometry
from deconflict.airspace.landmark import Landmark
from deconflict.airspace.position import Position
from deconflict.errors import InvalidPositionError, InvalidTimeError
from deconflict.line.moment import Now
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.in_force import landmarks_of
from deconflict.node.drafts import names_known_to, require_sendable
from deconflict.node.line import Line
from deconflict.node.tell.remarks import (
    UNNAMED,
    Remark,
    remarks_on,
    remarks_on_label,
    remarks_on_part,
)
from deconflict.node.views import DraftRemark

__all__ = ["FEW_PLACES", "Looked", "PartialDraft", "look_at", "settled_landmarks"]

FEW_PLACES: Final = 64  # so many are looked at in a millisecond or two


@dataclass(frozen=True, slots=True)
class PartialDraft:
    """A declaration as far as it is given; ``geometry`` and ``purpose`` are None until they are."""

    places: tuple[Position, ...]
    purpose: Purpose | None = None
    geometry: Geometry | None = None
    start_ms: int | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found of each draft, in their order, and the landmarks that places are seen from."""

    remarks: tuple[tuple[DraftRemark, ...], ...]
    landmarks: tuple[Landmark, ...]
    language: str


def settled_landmarks(lines: Sequence[Line]) -> tuple[Landmark, ...]:
    """Return the landmarks of all agreed terms of these lines, each once."""
    found = {
        landmark: None
        for line in lines
        if line.book.terms is not None
        for landmark in landmarks_of(line.book.terms)
    }
    return tuple(found)


def look_at(
    drafts: Sequence[PartialDraft], lines: Sequence[Line], now: Now, party: str, language: str
) -> Looked:
    """Return what the sender of these drafts should know, under the terms of these lines."""
    known = names_known_to(lines)
    return Looked(
        tuple(tuple(_on(draft, lines, now, party, language, known)) for draft in drafts),
        settled_landmarks(lines),
        language,
    )


def _on(
    draft: PartialDraft,
    lines: Sequence[Line],
    now: Now,
    party: str,
    language: str,
    known: Sequence[str],
) -> Iterator[DraftRemark]:
    for remark in remarks_on_label(draft.label, known):
        yield _view(remark, None, language)
    whole = _whole(draft)
    for line in lines:
        terms = line.book.terms
        if terms is None:
            continue
        if whole is not None:
            found = remarks_on(
                whole, party=party, sent_ms=now.utc_ms, terms=terms, now_ms=now.utc_ms
            )
            # What declaring it would refuse is told here, beside the rest: nothing is sent yet.
            try:
                require_sendable([whole], [terms], now, as_written=False)
            except InvalidTimeError as error:
                yield DraftRemark("OVER", str(error).partition(": ")[2], line.peer)
            except InvalidPositionError as error:
                yield DraftRemark("LOOKS_EXCHANGED", str(error).partition(": ")[2], line.peer)
        else:
            found = remarks_on_part(
                draft.places,
                purpose=draft.purpose,
                start_ms=draft.start_ms,
                party=party,
                terms=terms,
                now_ms=now.utc_ms,
            )
        for remark in found:
            yield _view(remark, line.peer, language)


def _whole(draft: PartialDraft) -> Declaration | None:
    if draft.purpose is None or draft.geometry is None:
        return None
    return Declaration(UNNAMED, draft.purpose, draft.geometry, draft.label)


def _view(remark: Remark, peer: str | None, language: str) -> DraftRemark:
    return DraftRemark(remark.rule, remark.text(language), peer, dict(remark.facts))
