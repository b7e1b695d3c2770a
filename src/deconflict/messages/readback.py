"""Readback: the receiver says what it understood, and a machine compares (R12).

A notified place nine kilometres off stood unnoticed for hours in 2016. Distance and bearing from
an agreed landmark let a person see such a slip before a machine compares the figures.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from deconflict.airspace.altitude import (
    MAX_ALTITUDE_TMM,
    MIN_ALTITUDE_TMM,
    AltitudeReference,
)
from deconflict.airspace.geodesy import inverse
from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.airspace.landmark import (
    MAX_LANDMARK_NAME,
    Landmark,
    LandmarkBearing,
    bearing_from,
)
from deconflict.errors import InvalidDocumentError
from deconflict.messages.declaration import Declaration, Purpose
from deconflict.messages.said import Said, joined, said, say
from deconflict.messages.summary import summarise
from deconflict.messages.terms import ReadbackTolerances
from deconflict.messages.values import ValueType
from deconflict.messages.wire_form import DeclarationId, Place, UtcText, WireForm, write_form
from deconflict.messages.words import check_text

__all__ = [
    "Difference",
    "ReadbackRow",
    "ReadbackValues",
    "compare_readback",
    "differences_said",
    "differences_text",
    "readback_of",
    "readback_table",
]

LengthMm: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=50_000_000_000)]  # over the Earth
AltitudeTmm: TypeAlias = Annotated[int, msgspec.Meta(ge=MIN_ALTITUDE_TMM, le=MAX_ALTITUDE_TMM)]


class ReadbackValues(WireForm, frozen=True):
    """The critical figures of a declaration: lengths mm, altitudes tmm, bearing tenths of degrees.

    ``position`` is the reference point and ``reach_mm`` how far the geometry goes from it
    (``summary.py``). ``landmark``, ``distance_mm`` and ``bearing_ddeg`` are null together.
    """

    declaration_id: DeclarationId
    purpose: Purpose
    position: Place
    landmark: str | None
    distance_mm: LengthMm | None
    bearing_ddeg: Annotated[int, msgspec.Meta(ge=0, le=3599)] | None
    reach_mm: LengthMm
    reference: AltitudeReference
    lower_tmm: AltitudeTmm | None
    upper_tmm: AltitudeTmm | None
    start_utc: UtcText
    end_utc: UtcText
    parts: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]

    def __post_init__(self) -> None:
        WireForm.__post_init__(self)
        from_landmark = (self.landmark, self.distance_mm, self.bearing_ddeg)
        if None in from_landmark and from_landmark != (None, None, None):
            raise InvalidDocumentError(
                "landmark, distance_mm and bearing_ddeg go together",
                given=f"{from_landmark!r:.120}",
                expected="all three, or all null",
            )
        if self.landmark is not None:
            check_text(self.landmark, what="landmark", max_chars=MAX_LANDMARK_NAME)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that was read back otherwise than it was declared.

    Attributes:
        field: name of the field of ``ReadbackValues``.
        sent, read_back: both values in their wire form; None where nothing was said.
        by: how far apart, in the field's own unit (ms for times, mm for the position); None where
            there is no such thing.
    """

    field: str
    sent: Any
    read_back: Any
    by: int | None = None

    def said(self, *, reference: AltitudeReference) -> Said:
        """Return the difference as it is told; ``reference`` is that of the declared band."""
        values: dict[str, Said] = {
            "field": [self.field],
            "sent": _shown(self.field, self.sent, reference),
            "read_back": _shown(self.field, self.read_back, reference),
        }
        unit = _BY.get(self.field)
        if self.by is not None and self.field == "bearing_ddeg":
            values["by"] = {"angle": self.by}
        elif self.by is not None and unit is not None:
            values["by"] = {"value": [unit.value, self.by]}
        else:
            return said("DIFFERENCE", values)
        return said("DIFFERENCE_BY", values)

    def words(self, language: str, *, reference: AltitudeReference) -> str:
        """Return the difference as one sentence; ``reference`` is that of the declared band."""
        return say(self.said(reference=reference), language)


@dataclass(frozen=True, slots=True)
class ReadbackRow:
    """One field of a declaration beside what was read back, in words.

    ``difference`` says how they differ by more than the terms allow; None where they agree. Not
    ``compared`` are distance and bearing where no agreed landmark was read back from.
    """

    field: str
    name: str
    sent: str
    read_back: str
    difference: str | None
    compared: bool = True


_SHOWN: Final = {
    "declaration_id": ValueType.ID,
    "purpose": ValueType.PURPOSE,
    "position": ValueType.POSITION,
    "landmark": ValueType.NAME,
    "distance_mm": ValueType.DISTANCE,
    "bearing_ddeg": ValueType.BEARING,
    "reach_mm": ValueType.DISTANCE,
    "reference": ValueType.NAME,
    "start_utc": ValueType.TIME,
    "end_utc": ValueType.TIME,
    "parts": ValueType.COUNT,
}
_BY: Final = {
    "position": ValueType.DISTANCE,
    "distance_mm": ValueType.DISTANCE,
    "reach_mm": ValueType.DISTANCE,
    "lower_tmm": ValueType.HEIGHT,
    "upper_tmm": ValueType.HEIGHT,
    "start_utc": ValueType.DURATION,
    "end_utc": ValueType.DURATION,
}
_FROM_LANDMARK: Final = frozenset(("distance_mm", "bearing_ddeg"))


def readback_of(declaration: Declaration, landmarks: Iterable[Landmark]) -> ReadbackValues:
    """Return what a right readback of this declaration says, with the nearest landmark."""
    summary = summarise(declaration.geometry)
    near = bearing_from(landmarks, summary.position)
    return ReadbackValues(
        declaration_id=declaration.declaration_id,
        purpose=declaration.purpose,
        position=Place.of(summary.position),
        landmark=None if near is None else near.landmark.name,
        distance_mm=None if near is None else near.distance_mm,
        bearing_ddeg=None if near is None else near.bearing_ddeg,
        reach_mm=summary.reach_mm,
        reference=summary.band.reference,
        lower_tmm=summary.band.lower_tmm,
        upper_tmm=summary.band.upper_tmm,
        start_utc=format_utc(declaration.span.start_ms),
        end_utc=format_utc(declaration.span.end_ms),
        parts=summary.parts,
    )


def compare_readback(
    declared: Declaration,
    read_back: ReadbackValues,
    *,
    landmarks: Sequence[Landmark],
    tolerances: ReadbackTolerances,
) -> tuple[Difference, ...]:
    """Return where a readback differs from the declaration by more than the terms allow.

    Any agreed landmark may be read back from, not only the nearest. An empty answer means that it
    agrees. A surface or an open ceiling agrees only with itself.
    """
    expected = readback_of(declared, landmarks)
    found: list[Difference] = []
    for field in ("declaration_id", "purpose", "reference", "parts"):
        sent, said = getattr(expected, field), getattr(read_back, field)
        if sent != said:
            found.append(Difference(field, sent, said))
    apart_mm = round(
        inverse(expected.position.position, read_back.position.position).distance_m * 1000
    )
    if apart_mm > tolerances.position_mm:
        sent_place, said_place = write_form(expected.position), write_form(read_back.position)
        found.append(Difference("position", sent_place, said_place, apart_mm))
    found.extend(_from_landmark(expected, read_back, landmarks, tolerances))
    found.extend(_numbers(expected, read_back, tolerances))
    for field in ("start_utc", "end_utc"):
        sent, said = getattr(expected, field), getattr(read_back, field)
        by_ms = abs(parse_utc(sent) - parse_utc(said))
        if by_ms > tolerances.time_ms:
            found.append(Difference(field, sent, said, by_ms))
    return tuple(found)


def readback_table(
    declared: Declaration,
    read_back: ReadbackValues,
    *,
    landmarks: Sequence[Landmark],
    tolerances: ReadbackTolerances,
    language: str,
) -> tuple[ReadbackRow, ...]:
    """Return every field side by side, with where they differ as :func:`compare_readback` does."""
    expected = readback_of(declared, landmarks)
    differing = {
        found.field: found
        for found in compare_readback(
            declared, read_back, landmarks=landmarks, tolerances=tolerances
        )
    }
    sent = {field: getattr(expected, field) for field in ReadbackValues.__struct_fields__}
    # From another agreed landmark, distance and bearing are others, and just as right.
    named = [known for known in landmarks if known.name == read_back.landmark]
    seen = bearing_from(named, expected.position.position)
    if seen is not None:
        sent["landmark"] = seen.landmark.name
        sent["distance_mm"] = seen.distance_mm
        sent["bearing_ddeg"] = seen.bearing_ddeg
    rows = []
    for field, value in sent.items():
        said_back = getattr(read_back, field)
        if isinstance(value, Place):
            value, said_back = write_form(value), write_form(said_back)
        found = differing.get(field)
        rows.append(
            ReadbackRow(
                field=field,
                name=say({"word": [ValueType.FIELDS.value, field]}, language),
                sent=say(_shown(field, value, expected.reference), language),
                read_back=say(_shown(field, said_back, read_back.reference), language),
                difference=None
                if found is None
                else found.words(language, reference=expected.reference),
                compared="landmark" not in differing or field not in _FROM_LANDMARK,
            )
        )
    return tuple(rows)


def differences_said(differences: Iterable[Difference], *, reference: AltitudeReference) -> Said:
    """Return all differences as they are told, one sentence each."""
    return joined([found.said(reference=reference) for found in differences])


def differences_text(
    differences: Iterable[Difference], language: str, *, reference: AltitudeReference
) -> str:
    """Return all differences in words, one sentence each."""
    return say(differences_said(differences, reference=reference), language)


def _from_landmark(
    expected: ReadbackValues,
    read_back: ReadbackValues,
    landmarks: Sequence[Landmark],
    tolerances: ReadbackTolerances,
) -> list[Difference]:
    if expected.landmark is None and read_back.landmark is None:
        return []
    named = [known for known in landmarks if known.name == read_back.landmark]
    seen: LandmarkBearing | None = bearing_from(named, expected.position.position)
    if seen is None or read_back.distance_mm is None or read_back.bearing_ddeg is None:
        return [Difference("landmark", expected.landmark, read_back.landmark)]
    found: list[Difference] = []
    off_mm = abs(seen.distance_mm - read_back.distance_mm)
    if off_mm > tolerances.distance_mm:
        found.append(Difference("distance_mm", seen.distance_mm, read_back.distance_mm, off_mm))
    turn_ddeg = abs((seen.bearing_ddeg - read_back.bearing_ddeg + 1800) % 3600 - 1800)
    # Near the landmark a bearing means little: what counts is how far aside it puts the place.
    aside_mm = seen.distance_mm * math.radians(turn_ddeg / 10)
    if turn_ddeg > tolerances.bearing_ddeg and aside_mm > tolerances.position_mm:
        found.append(
            Difference("bearing_ddeg", seen.bearing_ddeg, read_back.bearing_ddeg, turn_ddeg)
        )
    return found


def _numbers(
    expected: ReadbackValues, read_back: ReadbackValues, tolerances: ReadbackTolerances
) -> list[Difference]:
    found: list[Difference] = []
    for field, tolerance in (
        ("reach_mm", tolerances.distance_mm),
        ("lower_tmm", tolerances.altitude_tmm),
        ("upper_tmm", tolerances.altitude_tmm),
    ):
        sent, said = getattr(expected, field), getattr(read_back, field)
        if sent is None or said is None:
            if sent is not said:
                found.append(Difference(field, sent, said))
        elif abs(sent - said) > tolerance:
            found.append(Difference(field, sent, said, abs(sent - said)))
    return found


def _shown(field: str, value: Any, reference: AltitudeReference) -> Said:
    if field in ("lower_tmm", "upper_tmm"):
        if value is None:
            return {"format": "surface" if field == "lower_tmm" else "unlimited"}
        altitude = {"reference": reference.value, "tmm": value}
        return {"value": [ValueType.ALTITUDE.value, altitude]}
    if value is None:
        return {"word": [ValueType.FIELDS.value, "none"]}
    return {"value": [_SHOWN[field].value, value]}
