"""The terms of a line: everything the two parties agreed, in one document that both sign.

Whole numbers and strings only, every field always there, so the document has one byte form
whatever languages the parties speak (specs/terms.md). Constructing refuses nonsense with the
field's path. Lengths are millimetres, altitudes tenths of a millimetre, times milliseconds.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.landmark import MAX_LANDMARK_NAME
from deconflict.airspace.outline import Polygon
from deconflict.errors import InvalidDocumentError
from deconflict.line.precedence import Precedence, Step
from deconflict.messages.declaration import Purpose
from deconflict.messages.kinds import KINDS, Kind
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.theatre import contains
from deconflict.messages.wire_form import (
    Hash,
    Language,
    Name,
    Place,
    WireForm,
    read_form,
    write_form,
)
from deconflict.messages.words import LANGUAGES, check_text

__all__ = [
    "TERMS_FORMAT",
    "AltitudeConversion",
    "LandmarkTerms",
    "LeadTime",
    "LimitTerms",
    "MinimaTerms",
    "Minimum",
    "PairMinimum",
    "PartyTerms",
    "ReadbackTolerances",
    "RungTerms",
    "Scope",
    "ScopeName",
    "Terms",
    "TermsSignature",
    "TheatreTerms",
    "ThirdParty",
    "TimerTerms",
    "terms_from_wire",
    "terms_to_wire",
]

TERMS_FORMAT: Final = "deconflict-terms/1"

_DAY_MS: Final = 86_400_000
LineId: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
ScopeName: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z][A-Z0-9_]{0,31}\Z")]
# A lateral minimum of nothing would let two flights share a place; 1 m is the least.
LateralMm: TypeAlias = Annotated[int, msgspec.Meta(ge=1_000, le=500_000_000)]
VerticalTmm: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=200_000_000)]  # to 20 km
ToleranceMm: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]  # to 10 km
OffsetTmm: TypeAlias = Annotated[int, msgspec.Meta(ge=-100_000_000, le=100_000_000)]
LimitMs: TypeAlias = Annotated[int, msgspec.Meta(ge=1_000, le=30 * _DAY_MS)]
NoticeMs: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=365 * _DAY_MS)]


class PartyTerms(WireForm, frozen=True):
    """One party: its desks, the languages it reads, and how many persons give an ANSWER (R43)."""

    party: Name
    main_desk: Name
    second_desk: Name
    languages: tuple[Language, ...]
    answer_persons: Literal[1, 2]

    def __post_init__(self) -> None:
        if not self.languages or len(set(self.languages)) != len(self.languages):
            raise _refused("languages", self.languages, "at least one, each once")
        if self.languages[0] not in LANGUAGES:
            raise _refused("languages", self.languages, "first one of " + ", ".join(LANGUAGES))


class LandmarkTerms(WireForm, frozen=True):
    """A place both parties find on their maps. Its name is text, the same in all languages."""

    name: str
    position: Place

    def __post_init__(self) -> None:
        check_text(self.name, what="landmark name", max_chars=MAX_LANDMARK_NAME)


class TheatreTerms(WireForm, frozen=True):
    """Where the line applies: a name, the outline if there is one, and the landmarks."""

    name: str
    outline: tuple[Place, ...] | None
    landmarks: tuple[LandmarkTerms, ...]

    def __post_init__(self) -> None:
        check_text(self.name, what="theatre name", max_chars=80)
        names = [landmark.name for landmark in self.landmarks]
        _refuse_repeated("landmarks", names)
        if self.outline is None:
            return
        outline = tuple(place.position for place in self.outline)
        Polygon(outline)
        for landmark in self.landmarks:
            if not contains(outline, landmark.position.position):
                raise _refused(
                    f"landmark {landmark.name}",
                    landmark.position.position,
                    "a place inside the theatre's outline",
                    "check the position, or draw the theatre wider",
                )


class Minimum(WireForm, frozen=True):
    """Nearer than both of these is too near."""

    lateral_mm: LateralMm
    vertical_tmm: VerticalTmm


class PairMinimum(WireForm, frozen=True):
    """The minimum between declarations of two purposes, which are named in order of alphabet."""

    between: tuple[Purpose, Purpose]
    lateral_mm: LateralMm
    vertical_tmm: VerticalTmm

    def __post_init__(self) -> None:
        if list(self.between) != sorted(self.between):
            raise _refused("between", self.between, "two purposes in order of alphabet")


class MinimaTerms(WireForm, frozen=True):
    """Separation minima: by pair of purposes, and for every pair not named."""

    default: Minimum
    pairs: tuple[PairMinimum, ...]

    def __post_init__(self) -> None:
        _refuse_repeated("minima.pairs", [pair.between for pair in self.pairs])

    @property
    def largest(self) -> Minimum:
        """The largest of each, between whomever."""
        every: tuple[Minimum | PairMinimum, ...] = (self.default, *self.pairs)
        return Minimum(
            max(minimum.lateral_mm for minimum in every),
            max(minimum.vertical_tmm for minimum in every),
        )


class LeadTime(WireForm, frozen=True):
    """How long before its start a declaration is sent: at least, and as aimed at (R13)."""

    least_ms: NoticeMs
    aim_ms: NoticeMs

    def __post_init__(self) -> None:
        if self.least_ms > self.aim_ms:
            raise _refused("least_ms", self.least_ms, f"at most aim_ms, which is {self.aim_ms}")


class LimitTerms(WireForm, frozen=True):
    """How long until a receipt, a person's eyes, an answer are overdue."""

    lack_ms: LimitMs
    seen_ms: LimitMs
    answer_ms: LimitMs

    def __post_init__(self) -> None:
        if not self.lack_ms <= self.seen_ms <= self.answer_ms:
            raise _refused(
                "limits", write_form(self), "lack_ms at most seen_ms, seen_ms at most answer_ms"
            )


class RungTerms(WireForm, frozen=True):
    """One rung of the escalation ladder, counted from the limit that was missed."""

    after_ms: NoticeMs
    steps: tuple[Step, ...]


class TimerTerms(WireForm, frozen=True):
    """All limits: by precedence, and for kinds with an answer time or expiry of their own.

    ``answer_within_ms`` may only shorten what the precedence of its kind says.
    """

    limits: dict[Precedence, LimitTerms]
    ladders: dict[Precedence, tuple[RungTerms, ...]]
    expires_after_ms: dict[Precedence, LimitMs]
    answer_within_ms: dict[Kind, LimitMs]

    def __post_init__(self) -> None:
        for name in ("limits", "ladders", "expires_after_ms"):
            _require_all(name, getattr(self, name), Precedence)
        for precedence, ladder in self.ladders.items():
            rungs = [rung.after_ms for rung in ladder]
            if not rungs or rungs != sorted(set(rungs)) or not all(rung.steps for rung in ladder):
                raise _refused(
                    f"ladders.{precedence}", rungs, "at least one rung, rising, each with steps"
                )
        for kind, limit_ms in self.answer_within_ms.items():
            rule = KINDS[kind].rule
            longest_ms = self.limits[rule.precedence].answer_ms
            if not rule.needs_answer or limit_ms > longest_ms:
                raise _refused(
                    f"answer_within_ms.{kind}",
                    limit_ms,
                    f"a kind that needs an answer, at most {longest_ms}",
                )


class AltitudeConversion(WireForm, frozen=True):
    """By how much an altitude in ``to`` exceeds the same altitude in ``source``: from lo to hi.

    The way back is derived. References without a conversion cannot be compared, and say so.
    """

    source: AltitudeReference
    to: AltitudeReference
    lo_tmm: OffsetTmm
    hi_tmm: OffsetTmm

    def __post_init__(self) -> None:
        if self.lo_tmm > self.hi_tmm:
            raise _refused("lo_tmm", self.lo_tmm, f"at most hi_tmm, which is {self.hi_tmm}")
        if self.source is self.to and self.source is not AltitudeReference.AGL:
            raise _refused("to", self.to.value, "another reference than source")


class ReadbackTolerances(WireForm, frozen=True):
    """How far a readback may be off and still agree."""

    position_mm: ToleranceMm
    distance_mm: ToleranceMm
    bearing_ddeg: Annotated[int, msgspec.Meta(ge=0, le=450)]
    altitude_tmm: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
    time_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]


class ThirdParty(WireForm, frozen=True):
    """A party without a line, named to the user when a declaration concerns it (R26)."""

    name: str
    where: tuple[Place, ...] | None

    def __post_init__(self) -> None:
        check_text(self.name, what="third party name", max_chars=80)
        if self.where is not None:
            Polygon(tuple(place.position for place in self.where))


class Scope(WireForm, frozen=True):
    """What a suspension of this name stops. Safety, cease and what belongs to them never stop."""

    name: ScopeName
    stops: tuple[Kind, ...]

    def __post_init__(self) -> None:
        held = [kind for kind in self.stops if KINDS[kind].always_passes]
        if held:
            raise _refused(f"scope {self.name}", ", ".join(held), "kinds that may be stopped")
        _refuse_repeated(f"scope {self.name}", self.stops)


class TermsSignature(WireForm, frozen=True):
    """A party's signature over the terms' canonical bytes, as it stands in a message."""

    algorithm: Literal["Ed25519"]
    key_id: Hash
    value: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9+/]{86}==\Z")]


class Terms(WireForm, frozen=True, kw_only=True):
    """The terms. Every change is a new version that names the one it ``replaces`` by hash."""

    format: Literal["deconflict-terms/1"]
    line: LineId
    version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    replaces: Hash | None
    parties: tuple[PartyTerms, PartyTerms]
    theatre: TheatreTerms
    minima: MinimaTerms
    lead_times: dict[Purpose, LeadTime]
    timers: TimerTerms
    altitude_conversions: tuple[AltitudeConversion, ...]
    readback: ReadbackTolerances
    time_tolerance_ms: Annotated[int, msgspec.Meta(ge=0, le=_DAY_MS)]
    clock_error_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000)]
    third_parties: tuple[ThirdParty, ...]
    suspension_scopes: tuple[Scope, ...]
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)]
    line_check_every_ms: LimitMs
    private_check: PrivateCheckTerms | None

    def __post_init__(self) -> None:
        first, second = (party.party for party in self.parties)
        if first >= second:
            raise _refused("parties", [first, second], "two parties in order of alphabet")
        if (self.version == 1) != (self.replaces is None):
            raise _refused(
                "replaces",
                f"{self.replaces} in version {self.version}",
                "null in version 1, the replaced terms' hash in every later one",
            )
        _require_all("lead_times", self.lead_times, Purpose)
        pairs = [frozenset((c.source, c.to)) for c in self.altitude_conversions]
        _refuse_repeated("altitude_conversions", pairs)
        _refuse_repeated("third_parties", [third.name for third in self.third_parties])
        _refuse_repeated("suspension_scopes", [scope.name for scope in self.suspension_scopes])
        if self.private_check is not None:
            self._require_check(self.private_check)

    def _require_check(self, check: PrivateCheckTerms) -> None:
        """Return when a private check finds what an open one does, and is kept no longer."""
        largest = self.minima.largest
        check.require_finds(
            lateral_mm=largest.lateral_mm,
            vertical_tmm=largest.vertical_tmm,
            clocks_ms=self.clock_error_ms,
        )
        if check.retention_days > self.retention_days:
            raise _refused(
                "private_check.retention_days",
                check.retention_days,
                f"at most retention_days, which is {self.retention_days}",
            )

    def party(self, name: str) -> PartyTerms:
        """Return what the terms say of one of the two parties.

        Raises:
            InvalidDocumentError: it is neither.
        """
        for party in self.parties:
            if party.party == name:
                return party
        raise _refused("party", name, " or ".join(party.party for party in self.parties))

    def stops(self, kind: Kind, scope: str) -> bool:
        """True exactly when a suspension of this scope stops messages of this kind.

        Raises:
            InvalidDocumentError: the terms name no such scope.
        """
        for known in self.suspension_scopes:
            if known.name == scope:
                return kind in known.stops
        names = ", ".join(known.name for known in self.suspension_scopes)
        raise InvalidDocumentError(
            "the terms name no such scope",
            given=scope,
            expected=names or "none is agreed",
            remedy="name one of those agreed: deconflict terms show",
        )

    def names_scope(self, scope: str) -> bool:
        """True exactly when a suspension of this scope is agreed to mean something."""
        return any(known.name == scope for known in self.suspension_scopes)

    def free_texts(self) -> Iterator[tuple[str, str]]:
        """Yield every text in which a person chose the words, with the name of its field."""
        yield "theatre.name", self.theatre.name
        for landmark in self.theatre.landmarks:
            yield "theatre.landmarks.name", landmark.name
        for third in self.third_parties:
            yield "third_parties.name", third.name


def terms_from_wire(value: object) -> Terms:
    """Return the terms that a JSON value says. Nothing is filled in.

    Raises:
        InvalidInputError: a field missing, unknown or nonsensical; the text names it.
    """
    return read_form(Terms, value, what="the terms", spec="specs/terms.md")


def terms_to_wire(terms: Terms) -> dict[str, Any]:
    """Return the JSON value of terms, which ``terms_from_wire`` reads back."""
    return write_form(terms)


def _refused(name: str, given: object, expected: str, remedy: str = "") -> InvalidDocumentError:
    return InvalidDocumentError(
        f"terms: {name} cannot stand",
        given=f"{given!s:.120}",
        expected=expected,
        remedy=remedy or "change it and propose again",
    )


def _require_all(name: str, given: Mapping[Any, object], wanted: Any) -> None:
    missing = [member.value for member in wanted if member not in given]
    if missing:
        raise _refused(name, sorted(given), "also " + ", ".join(missing))


def _refuse_repeated(name: str, given: Any) -> None:
    if len(set(given)) != len(given):
        raise _refused(name, [str(item) for item in given], "each once")
