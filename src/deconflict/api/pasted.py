"""What was read of a pasted text or file, as the API shows it: echoed, described, warned of."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from deconflict.airspace.landmark import Landmark, bearing_from
from deconflict.airspace.notation import echo
from deconflict.airspace.outline import Outline
from deconflict.airspace.position import Position
from deconflict.api.pasted_views import DraftView, LossView, MissingView, PastedView, PlaceEcho
from deconflict.errors import InvalidDocumentError
from deconflict.formats.pasted import ReadDraft, Reading
from deconflict.formats.pasted.draft import BareShape, DraftVolume
from deconflict.messages.declaration import Purpose
from deconflict.messages.described import (
    describe_band,
    describe_place,
    describe_shape,
    describe_span,
    describe_track,
)
from deconflict.node.looking import Looked, PartialDraft

__all__ = ["MOST_DRAFTS", "MOST_PLACES", "parts_of", "place_echo", "require_few", "view_of"]

MOST_DRAFTS: Final = 5_000
MOST_PLACES: Final = 20_000
_MOST_ECHOED: Final = 2_000  # of all drafts together
_MOST_DESCRIBED: Final = 3  # volumes of one draft


def require_few(reading: Reading) -> None:
    """Return when one request may look at all that was read.

    Raises:
        InvalidDocumentError: it is too much for a person to look at.
    """
    places = sum(len(draft.places) for draft in reading.drafts)
    if len(reading.drafts) > MOST_DRAFTS or places > MOST_PLACES:
        raise InvalidDocumentError(
            "this is too much to be looked at at once",
            given=f"{len(reading.drafts):,} drafts with {places:,} places",
            expected=f"at most {MOST_DRAFTS:,} and {MOST_PLACES:,}",
            remedy="split it; declarations in deconflict's own GeoJSON go to /declarations",
        )


def parts_of(reading: Reading, label: str | None) -> tuple[PartialDraft, ...]:
    """Return the drafts as the node looks at them; ``label`` is for those that have none."""
    return tuple(
        PartialDraft(
            draft.places,
            None if draft.purpose is None else Purpose(draft.purpose),
            draft.geometry,
            _start_ms(draft),
            draft.label or label,
        )
        for draft in reading.drafts
    )


def view_of(reading: Reading, looked: Looked, label: str | None) -> PastedView:
    """Return all of it as the API shows it."""
    room = _MOST_ECHOED
    views = []
    for draft, warnings in zip(reading.drafts, looked.remarks, strict=True):
        missing = _missing(draft)
        shown = draft.places[:room]
        room -= len(shown)
        views.append(
            DraftView(
                draft.source_index,
                draft.where,
                draft.name,
                draft.purpose,
                draft.label or label,
                draft.declaration_id,
                draft.to_wire(),
                tuple(volume.stated() for volume in draft.volumes),
                not missing,
                missing,
                "; ".join(_described(draft, looked.landmarks, looked.language)),
                tuple(place_echo(place, looked.landmarks, looked.language) for place in shown),
                len(draft.places) - len(shown),
                warnings,
            )
        )
    every = {(one.what, one.text): one for view in views for one in view.missing}
    return PastedView(
        reading.format.value,
        reading.format.words,
        reading.sha256,
        len(reading.original),
        tuple(views),
        tuple(replace(one, path="") for one in every.values()),
        tuple(LossView(loss.kind.value, loss.where, loss.text) for loss in reading.losses),
    )


def place_echo(place: Position, landmarks: Sequence[Landmark], language: str) -> PlaceEcho:
    """Return one place in all notations, and as seen from the nearest landmark."""
    written = echo(place)
    seen = bearing_from(landmarks, place)
    return PlaceEcho(
        place.lat_e7,
        place.lon_e7,
        written.decimal,
        written.dms,
        written.mgrs,
        None if seen is None else seen.landmark.name,
        None if seen is None else seen.distance_mm,
        None if seen is None else seen.bearing_ddeg,
        describe_place(place, landmarks, language),
    )


def _start_ms(draft: ReadDraft) -> int | None:
    if draft.trajectory is not None:
        return draft.trajectory.span.start_ms
    starts = [volume.start_ms for volume in draft.volumes if volume.start_ms is not None]
    return min(starts, default=None)


def _missing(draft: ReadDraft) -> tuple[MissingView, ...]:
    return tuple(MissingView(one.path, one.what, one.text) for one in draft.missing())


def _described(draft: ReadDraft, landmarks: Sequence[Landmark], language: str) -> Iterator[str]:
    if draft.trajectory is not None:
        yield describe_track(draft.places, landmarks, language)
        yield describe_span(draft.trajectory.span, language)
        return
    for volume in draft.volumes[:_MOST_DESCRIBED]:
        yield describe_shape(_shape(volume), volume.places, landmarks, language)
        if volume.band is not None:
            yield describe_band(volume.band, language)
        if volume.span is not None:
            yield describe_span(volume.span, language)
    if len(draft.volumes) > _MOST_DESCRIBED:
        yield f"+ {len(draft.volumes) - _MOST_DESCRIBED}"


def _shape(volume: DraftVolume) -> Outline | str | None:
    return volume.outline.kind if isinstance(volume.outline, BareShape) else volume.outline
