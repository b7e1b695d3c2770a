"""Alerts in plain words: who, where, when, how close, which minimum, since when, what is open.

Facts and deadlines only. Nothing here proposes a manoeuvre, agrees to anything or tells the other
side what to do (R25, R32). The words are data; this module chooses which sentences are true.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deconflict.airspace.instant import TimeSpan, format_utc
from deconflict.airspace.landmark import Landmark, LandmarkBearing, bearing_from
from deconflict.airspace.notation import PositionEcho, echo
from deconflict.airspace.position import Position
from deconflict.airspace.trajectory import Trajectory
from deconflict.airspace.wire import position_to_wire
from deconflict.messages.declaration import Declaration
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import render_named
from deconflict.messages.said import Said, said
from deconflict.separation import Finding, FindingKind, Shifts, Verdict

__all__ = [
    "CardPlace",
    "ConflictCard",
    "ConflictSide",
    "NotChecked",
    "Unanswered",
    "Untold",
    "conflict_card",
]

LEAST_SHIFT_MS: Final = 50  # less is the rounding of an instant, not a shift


@dataclass(frozen=True, slots=True)
class ConflictSide:
    """One of the two declarations in conflict."""

    party: str
    declaration: Declaration


@dataclass(frozen=True, slots=True)
class CardPlace:
    """Where a side is at the closest approach, in every notation, and from the nearest landmark."""

    party: str
    position: Position
    echo: PositionEcho
    landmark: LandmarkBearing | None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A message about this conflict that still waits for its answer."""

    kind: Kind
    peer: str
    sent_ms: int


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A later revision of one of the two that could not be compared, and since when it holds."""

    party: str
    declaration_id: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Untold:
    """The one of the two that the peer does not know of: it was declared on another line."""

    peer: str
    declaration_id: str


@dataclass(frozen=True, slots=True)
class ConflictCard:
    """What a person must know of one conflict, as figures; :meth:`text` says it.

    ``closest_vertical_tmm`` is second minus first, None where the altitudes cannot be compared.
    ``shifts`` says by how much both may be early or late and how late they are at the closest
    approach; None where both are told exactly as planned.
    """

    kind: FindingKind
    verdict: Verdict
    first: ConflictSide
    second: ConflictSide
    places: tuple[CardPlace, ...]
    start_ms: int
    end_ms: int
    closest_ms: int
    closest_lateral_m: float
    closest_vertical_tmm: int | None
    minimum_lateral_m: float
    minimum_vertical_tmm: int
    margin_lateral_m: float
    margin_vertical_tmm: int
    margin_reference_tmm: int
    known_since_ms: int
    unanswered: tuple[Unanswered, ...]
    again: tuple[TimeSpan, ...] = ()
    drill: bool = False
    not_checked: tuple[NotChecked, ...] = ()
    untold: Untold | None = None
    shifts: Shifts | None = None

    def text(self, language: str) -> str:
        """Return the card as one paragraph."""
        return " ".join(render_named(name, values, language) for name, values in self._sentences())

    def said(self) -> list[Said]:
        """Return the card as it is told, sentence by sentence."""
        return [said(name, values) for name, values in self._sentences()]

    def _sentences(self) -> Iterable[tuple[str, dict[str, Any]]]:
        if self.drill:
            yield "DRILL", {}
        yield (
            self._headline(),
            {
                "first_party": self.first.party,
                "first_purpose": self.first.declaration.purpose.value,
                "first": self.first.declaration.declaration_id,
                "second_party": self.second.party,
                "second_purpose": self.second.declaration.purpose.value,
                "second": self.second.declaration.declaration_id,
            },
        )
        if self.untold is not None:
            yield (
                "CARD_UNTOLD",
                {"peer": self.untold.peer, "declaration": self.untold.declaration_id},
            )
        for changed in self.not_checked:
            yield (
                "CARD_NOT_CHECKED_SINCE",
                {
                    "party": changed.party,
                    "declaration": changed.declaration_id,
                    "since": format_utc(changed.since_ms),
                },
            )
        yield from self._windows()
        if self.start_ms == self.end_ms:
            yield "CARD_WHEN_INSTANT", {"at": format_utc(self.start_ms)}
        else:
            yield (
                "CARD_WHEN_SHIFTED" if self._has_window else "CARD_WHEN",
                {
                    "start": format_utc(self.start_ms),
                    "end": format_utc(self.end_ms),
                    "duration": self.end_ms - self.start_ms,
                },
            )
        for later in self.again:
            yield (
                "CARD_AGAIN",
                {"start": format_utc(later.start_ms), "end": format_utc(later.end_ms)},
            )
        yield self._closest()
        yield from self._shifts()
        for place in self.places:
            yield _place_sentence(place)
        yield (
            "CARD_MINIMA",
            {
                "lateral": _mm(self.minimum_lateral_m),
                "vertical": self.minimum_vertical_tmm,
            },
        )
        stated_tmm = self.margin_vertical_tmm - self.margin_reference_tmm
        if self.margin_lateral_m > 0 or stated_tmm > 0:
            yield (
                "CARD_MARGIN",
                {"lateral": _mm(self.margin_lateral_m), "vertical": stated_tmm},
            )
        if self.margin_reference_tmm > 0:
            yield "CARD_REFERENCE_MARGIN", {"vertical": self.margin_reference_tmm}
        if self.shifts is not None and self.shifts.as_planned is not None:
            yield "CARD_AS_PLANNED" if self.shifts.as_planned else "CARD_NOT_AS_PLANNED", {}
        yield "CARD_KNOWN_SINCE", {"since": format_utc(self.known_since_ms)}
        for open_message in self.unanswered:
            yield (
                "CARD_UNANSWERED",
                {
                    "kind": open_message.kind.value,
                    "peer": open_message.peer,
                    "sent": format_utc(open_message.sent_ms),
                },
            )
        if not self.unanswered:
            yield "CARD_NOTHING_UNANSWERED", {}

    def _headline(self) -> str:
        if self.verdict is Verdict.INCOMPARABLE or self.kind is FindingKind.INCOMPARABLE:
            return "CARD_INCOMPARABLE"
        if self.verdict is Verdict.WITHIN_TOLERANCE:
            return "CARD_WITHIN_TOLERANCE"
        if self.shifts is not None and not self.shifts.as_planned:
            return "CARD_WITH_CONTAINMENT"
        if self.kind is FindingKind.PREDICTED_LOSS:
            return "CARD_PREDICTED_LOSS"
        return "CARD_STRATEGIC_CONFLICT"

    @property
    def _has_window(self) -> bool:
        return self.shifts is not None and any(self.shifts.window_ms)

    def _windows(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Say first by how much each may be early or late: all times below hold only with it."""
        if self.shifts is None:
            return
        for side, window_ms in zip((self.first, self.second), self.shifts.window_ms, strict=True):
            if window_ms:
                yield "CARD_WINDOW", {"party": side.party, "window": window_ms}

    def _shifts(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Say by which shifts the closest approach is so; no plan says that instant otherwise."""
        if self.shifts is None or not self._has_window:
            return
        if self.shifts.late_ms is None:
            yield "CARD_SHIFT_UNKNOWN", {}
            return
        for side, late_ms in zip((self.first, self.second), self.shifts.late_ms, strict=True):
            if not isinstance(side.declaration.geometry, Trajectory):
                continue
            if abs(late_ms) < LEAST_SHIFT_MS:
                yield "CARD_SHIFT_NONE", {"party": side.party}
            else:
                name = "CARD_SHIFT_LATE" if late_ms > 0 else "CARD_SHIFT_EARLY"
                yield name, {"party": side.party, "by": abs(late_ms)}

    def _closest(self) -> tuple[str, dict[str, Any]]:
        values: dict[str, Any] = {
            "at": format_utc(self.closest_ms),
            "lateral": math.floor(self.closest_lateral_m * 1000),  # never said to be farther
        }
        if self.closest_vertical_tmm is None:
            return "CARD_CLOSEST_AT_LATERAL", values
        return "CARD_CLOSEST_AT", values | {"vertical": abs(self.closest_vertical_tmm)}


def conflict_card(
    finding: Finding,
    first: ConflictSide,
    second: ConflictSide,
    *,
    landmarks: Sequence[Landmark],
    known_since_ms: int,
    unanswered: Iterable[Unanswered] = (),
    again: Iterable[TimeSpan] = (),
    drill: bool = False,
    not_checked: Iterable[NotChecked] = (),
    untold: Untold | None = None,
    shifts: Shifts | None = None,
) -> ConflictCard:
    """Return the card of a finding whose ``first`` and ``second`` are these sides.

    ``shifts`` is what `shifts_of` says of the finding.
    """
    return ConflictCard(
        kind=finding.kind,
        verdict=finding.verdict,
        first=first,
        second=second,
        places=_places(finding, first.party, second.party, landmarks),
        start_ms=finding.start_ms,
        end_ms=finding.end_ms,
        closest_ms=finding.cpa_time_ms,
        closest_lateral_m=finding.cpa_distance_m,
        closest_vertical_tmm=finding.cpa_vertical_tmm,
        minimum_lateral_m=finding.minima.lateral_m,
        minimum_vertical_tmm=finding.minima.vertical_tmm,
        margin_lateral_m=finding.margin_m,
        margin_vertical_tmm=finding.margin_vertical_tmm,
        margin_reference_tmm=finding.margin_reference_tmm,
        known_since_ms=known_since_ms,
        unanswered=tuple(unanswered),
        again=tuple(again),
        drill=drill,
        not_checked=tuple(not_checked),
        untold=untold,
        shifts=shifts,
    )


def _places(
    finding: Finding, first: str, second: str, landmarks: Sequence[Landmark]
) -> tuple[CardPlace, ...]:
    at_first, at_second = finding.position_first, finding.position_second
    if at_first == at_second:
        named = [(f"{first}, {second}", at_first)]  # the sentence fits one name and two
    else:
        named = [(first, at_first), (second, at_second)]
    return tuple(
        CardPlace(party, place, echo(place), bearing_from(landmarks, place))
        for party, place in named
    )


def _place_sentence(place: CardPlace) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {
        "party": place.party,
        "where": position_to_wire(place.position),
    }
    if place.landmark is None:
        return "CARD_PLACE", values
    return "CARD_PLACE_FROM_LANDMARK", values | {
        "distance": place.landmark.distance_mm,
        "bearing": place.landmark.bearing_ddeg,
        "landmark": place.landmark.landmark.name,
    }


def _mm(metres: float) -> int:
    return round(metres * 1000)
