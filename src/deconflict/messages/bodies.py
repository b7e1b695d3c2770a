"""What each kind of message says: one form per kind (specs/messages.md §4).

Only numbers, values and words of closed lists travel (R33). Free text stands in fields named
``not_binding`` and nowhere else binds anybody; its language is the envelope's ``lang`` (R34).
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeAlias

import msgspec

from deconflict.airspace.position import Position
from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError
from deconflict.line.epoch import EpochReason
from deconflict.line.key_change import KeyChange
from deconflict.line.statement import ChainPoint
from deconflict.messages.account_bodies import Account, places_of, said_names
from deconflict.messages.body import Body
from deconflict.messages.concern_body import Concern, HitSaid
from deconflict.messages.declaration import (
    Declaration,
    SoundDeclaration,
    declaration_to_wire,
)
from deconflict.messages.drill_bodies import DrillBegin, DrillEnd
from deconflict.messages.incident_bodies import BreachNote, Evidence, Incident, Risk, Tally
from deconflict.messages.kinds import Kind, Release
from deconflict.messages.mediated_bodies import PrivateMediation, PrivateSubmit
from deconflict.messages.phrases import SAFETY_PHRASES, check_reason, check_values
from deconflict.messages.private_bodies import (
    PrivateAccept,
    PrivateCoin,
    PrivateDecline,
    PrivateEnd,
    PrivatePropose,
    PrivateStep,
)
from deconflict.messages.readback import ReadbackValues
from deconflict.messages.suspension_bodies import Resume, ScopeChange, Suspend
from deconflict.messages.talks import TALK_FORMS, ReadoutText
from deconflict.messages.terms import Terms, TermsSignature
from deconflict.messages.voice_bodies import Voice, VoicePart, VoiceSide
from deconflict.messages.wire_form import (
    DeclarationId,
    Language,
    Level,
    Name,
    Place,
    ReachMm,
    UtcText,
    read_form,
    write_form,
)
from deconflict.messages.words import check_text, check_words

__all__ = [
    "Account",
    "Ack",
    "Answer",
    "AnswerWord",
    "Body",
    "BreachNote",
    "Cancel",
    "Cease",
    "CeaseReport",
    "Concern",
    "Declared",
    "Epoch",
    "Evidence",
    "HitSaid",
    "Incident",
    "LineCheck",
    "Loaded",
    "Propose",
    "Query",
    "Readback",
    "ReadbackResult",
    "ReleaseConsent",
    "Resume",
    "Risk",
    "SafetyOfFlight",
    "SaidWord",
    "ScopeChange",
    "Seen",
    "Standby",
    "Suspend",
    "Tally",
    "TermsMessage",
    "Voice",
    "VoicePart",
    "VoiceSide",
    "WatchChange",
    "body_to_wire",
    "check_outgoing",
    "line_check_text",
    "parse_body",
    "places_of",
    "said_names",
]

MAX_CHECK_TEXT: Final = 120
MAX_LANGUAGES: Final = 16

Tenths: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=3599)]
MillimetresPerSecond: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=12_000_000)]  # 12 km/s
# A change later, higher or to the right of the course; below 0 the other way.
ShiftMilliseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=-604_800_000, le=604_800_000)]
LevelChange: TypeAlias = Annotated[int, msgspec.Meta(ge=-500_000_000, le=500_000_000)]  # 50 km
AsideMillimetres: TypeAlias = Annotated[int, msgspec.Meta(ge=-5_000_000_000, le=5_000_000_000)]


class AnswerWord(StrEnum):
    """What an ACK may say. Received is not agreed, and agreed is not permission (R3)."""

    ROGER = "ROGER"
    WILCO = "WILCO"
    UNABLE = "UNABLE"
    AFFIRM = "AFFIRM"
    NEGATIVE = "NEGATIVE"


class SaidWord(StrEnum):
    """What an ANSWER may say. "Checking" is no answer: it travels as STANDBY."""

    OURS = "OURS"
    NOT_OURS = "NOT_OURS"
    WILL_NOT_SAY = "WILL_NOT_SAY"


class Declared(Body, frozen=True, dict=True):
    """NOTIFY, UPDATE and CORRECTION: a whole declaration, also when only part of it is new."""

    declaration: dict[str, Any]

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        with located("declaration"):
            _ = self.sound

    @classmethod
    def of(cls, declaration: Declaration, not_binding: str | None = None) -> "Declared":
        """Return the body that says this declaration."""
        made = cls(declaration=declaration_to_wire(declaration), not_binding=not_binding)
        made.__dict__["sound"] = SoundDeclaration(declaration)  # known, so never read again
        return made

    @cached_property
    def sound(self) -> SoundDeclaration:
        """The declaration, found readable; it is looked at once."""
        return SoundDeclaration.from_wire(self.declaration)

    @property
    def value(self) -> Declaration:
        """The declaration as a value."""
        return self.sound.value


class Cancel(Body, frozen=True):
    """CANCEL: the declaration no longer holds. ``reason`` is a phrase number."""

    declaration_id: DeclarationId
    reason: int = 301

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        check_reason(self.reason)


class Ack(Body, frozen=True):
    """ACK: one of five answers."""

    answer: AnswerWord


class Readback(Body, frozen=True):
    """READBACK: what the receiver understood, read from its own map and clock."""

    values: ReadbackValues


class ReadbackResult(Body, frozen=True):
    """READBACK_RESULT: whether a readback agrees with what was declared, and where it does not."""

    declaration_id: DeclarationId
    agrees: bool
    fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        known = frozenset(ReadbackValues.__struct_fields__)
        if self.agrees == bool(self.fields) or not known.issuperset(self.fields):
            raise InvalidDocumentError(
                "the result of a readback contradicts itself",
                given=f"agrees {self.agrees}, fields {self.fields!r:.80}",
                expected="agrees without fields, or fields that differ",
            )


class Propose(Body, frozen=True):
    """PROPOSE: what change of one of two declarations would be talked about (R47).

    It changes nothing, and nor does an AFFIRM: only an UPDATE by whoever declared it does. Of the
    three changes at least one is not 0.
    """

    first: DeclarationId
    second: DeclarationId
    declaration_id: DeclarationId
    shift_ms: ShiftMilliseconds = 0
    level_tmm: LevelChange = 0
    aside_mm: AsideMillimetres = 0

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if self.declaration_id not in (self.first, self.second):
            raise InvalidDocumentError(
                "a proposal changes one of the two declarations it is about",
                given=self.declaration_id,
                expected=f"{self.first} or {self.second}",
            )
        if not (self.shift_ms or self.level_tmm or self.aside_mm):
            raise InvalidDocumentError(
                "a proposal proposes nothing",
                expected="shift_ms, level_tmm or aside_mm other than 0",
                remedy="say how much later or earlier, higher or lower, right or left",
            )


class ReleaseConsent(Body, frozen=True):
    """RELEASE_CONSENT: to whom the own message cited may be passed on from now (R42)."""

    release: Release


class Query(Body, frozen=True):
    """QUERY: is this yours?"""

    position: Place
    level: Level
    course_ddeg: Tenths
    speed_mmps: MillimetresPerSecond
    at_utc: UtcText


class Answer(Body, frozen=True):
    """ANSWER to a QUERY, with the desk that gives it and when."""

    said: SaidWord
    desk: Name
    at_utc: UtcText


class SafetyOfFlight(Body, frozen=True):
    """SAFETY: one of the phrases 200 to 249 and its values."""

    phrase: int
    values: dict[str, Any]

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if self.phrase not in SAFETY_PHRASES:
            raise InvalidDocumentError(
                "this phrase is no safety message",
                given=str(self.phrase),
                expected="200 to 249",
            )
        check_values(self.phrase, self.values)


class Cease(Body, frozen=True):
    """CEASE: a request to stop what a declaration covers, or activity around a place.

    At least one of ``declaration_id`` and ``position`` is given; ``reach_mm`` goes with the place.
    """

    effective_utc: UtcText
    declaration_id: DeclarationId | None = None
    position: Place | None = None
    reach_mm: ReachMm | None = None
    reason: int = 301

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        check_reason(self.reason)
        if self.declaration_id is None and self.position is None:
            raise InvalidDocumentError(
                "a cease request names nothing",
                expected="declaration_id, or position with reach_mm",
                remedy="say what or where is to cease",
            )
        if (self.position is None) != (self.reach_mm is None):
            raise InvalidDocumentError(
                "position and reach_mm go together", expected="both or neither"
            )

    @property
    def around(self) -> tuple[Position, int] | None:
        """The place and the reach around it; None where a declaration alone is named."""
        if self.position is None or self.reach_mm is None:
            return None
        return self.position.position, self.reach_mm


class CeaseReport(Body, frozen=True):
    """CEASED, CONTINUING, CANNOT_REACH: how things stand, by which desk, when."""

    desk: Name
    at_utc: UtcText


class LineCheck(Body, frozen=True):
    """LINE_CHECK and LINE_CHECK_REPLY: text without meaning, and the same retyped by a person."""

    text: str

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        check_text(self.text, what="text", max_chars=MAX_CHECK_TEXT)

    def same_as(self, other: "LineCheck") -> bool:
        """True exactly when both texts are equal, spaces and case aside."""
        return _typed(self.text) == _typed(other.text)


class Seen(Body, frozen=True):
    """SEEN: the message cited stood on the screen of this desk."""

    desk: Name
    at_utc: UtcText


class Loaded(Body, frozen=True):
    """LOADED: the unit that acts holds the declaration."""

    declaration_id: DeclarationId
    at_utc: UtcText


class Standby(Body, frozen=True):
    """STANDBY: somebody is on it. No answer, and no consent; it extends the time once."""

    desk: Name
    at_utc: UtcText


class WatchChange(Body, frozen=True):
    """WATCH_CHANGE: from ``at_utc``, another watch is at this desk, and reads these languages.

    A role, never a person: who it is stays at home.
    """

    desk: Name
    at_utc: UtcText
    languages: tuple[Language, ...]

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if not 1 <= len(self.languages) <= MAX_LANGUAGES or len(set(self.languages)) != len(
            self.languages
        ):
            raise InvalidDocumentError(
                "a watch has too few, too many or repeated languages",
                given=", ".join(self.languages)[:80] or "none",
                expected=f"1 to {MAX_LANGUAGES}, each once",
            )


class TermsMessage(Body, frozen=True):
    """TERMS_PROPOSE and TERMS_ACCEPT: the whole terms, and the sender's signature over them."""

    terms: Terms
    signature: TermsSignature


class Epoch(Body, frozen=True):
    """EPOCH: the node's own word that its chain goes on in a fresh epoch, and behind what.

    ``key`` brings another key in force, and is null with any other reason.
    """

    follows: ChainPoint | None
    reason: EpochReason
    key: KeyChange | None


_FORMS: Final[Mapping[str, type[Body]]] = MappingProxyType(
    {
        Kind.NOTIFY: Declared,
        Kind.UPDATE: Declared,
        Kind.CORRECTION: Declared,
        Kind.CANCEL: Cancel,
        Kind.ACK: Ack,
        Kind.READBACK: Readback,
        Kind.READBACK_RESULT: ReadbackResult,
        Kind.CONCERN: Concern,
        Kind.PROPOSE: Propose,
        Kind.QUERY: Query,
        Kind.ANSWER: Answer,
        Kind.SAFETY: SafetyOfFlight,
        Kind.CEASE: Cease,
        Kind.CEASED: CeaseReport,
        Kind.CONTINUING: CeaseReport,
        Kind.CANNOT_REACH: CeaseReport,
        Kind.LINE_CHECK: LineCheck,
        Kind.LINE_CHECK_REPLY: LineCheck,
        Kind.SEEN: Seen,
        Kind.LOADED: Loaded,
        Kind.STANDBY: Standby,
        Kind.SUSPEND: Suspend,
        Kind.RESUME: Resume,
        Kind.ACCOUNT: Account,
        Kind.RELEASE_CONSENT: ReleaseConsent,
        Kind.TERMS_PROPOSE: TermsMessage,
        Kind.TERMS_ACCEPT: TermsMessage,
        **TALK_FORMS,
        Kind.INCIDENT: Incident,
        Kind.EVIDENCE: Evidence,
        Kind.RISK: Risk,
        Kind.BREACH_NOTE: BreachNote,
        Kind.TALLY: Tally,
        Kind.WATCH_CHANGE: WatchChange,
        Kind.VOICE: Voice,
        Kind.EPOCH: Epoch,
        Kind.SCOPE: ScopeChange,
        Kind.DRILL_BEGIN: DrillBegin,
        Kind.DRILL_END: DrillEnd,
        Kind.PRIVATE_PROPOSE: PrivatePropose,
        Kind.PRIVATE_ACCEPT: PrivateAccept,
        Kind.PRIVATE_DECLINE: PrivateDecline,
        Kind.PRIVATE_STEP: PrivateStep,
        Kind.PRIVATE_COIN: PrivateCoin,
        Kind.PRIVATE_END: PrivateEnd,
        Kind.PRIVATE_SUBMIT: PrivateSubmit,
        Kind.PRIVATE_MEDIATION: PrivateMediation,
    }
)


def parse_body(kind: str, value: object) -> Body:
    """Return the body that a JSON value says, for a message of this kind.

    The shape is checked, on either side; what words it uses is checked by the sender alone
    (:func:`check_outgoing`), because what the peer signed is evidence as it came.

    Raises:
        InvalidDocumentError: an unknown kind; a field missing, unknown or of the wrong type.
        InvalidInputError: a position, altitude, time or geometry that cannot be.

    >>> parse_body("ACK", {"answer": "ROGER"}).answer
    <AnswerWord.ROGER: 'ROGER'>
    """
    form = _FORMS.get(kind)  # a kind is its name
    if form is None:
        raise InvalidDocumentError(
            "no message has this kind", given=f"{kind:.40}", expected=", ".join(Kind)
        )
    if kind == Kind.ANSWER and isinstance(value, dict) and value.get("said") == "CHECKING":
        raise InvalidDocumentError(
            "checking is no answer",
            given="said CHECKING",
            expected=", ".join(SaidWord),
            remedy="send STANDBY, which extends the time once and leaves the query open",
        )
    return read_form(form, value, what=f"the body of {kind}")


def body_to_wire(body: Body) -> dict[str, Any]:
    """Return the JSON value of a body, whole numbers and strings only; checked once more.

    Raises:
        InvalidInputError: the body was made with values its form refuses.
    """
    wire = write_form(body)
    read_form(type(body), wire, what=f"the body {type(body).__name__}")
    return wire


def check_outgoing(body: Body) -> Body:
    """Return the body unchanged if none of its free text says a banned word (R32).

    Raises:
        BannedWordError: naming the word and the field.
    """
    for name, text in _free_texts(body):
        check_words(text, what=name)
    return body


def line_check_text(random_bytes: Callable[[int], bytes]) -> str:
    """Return a fresh text without meaning for a line check: three groups of four digits.

    Digits, because every keyboard types them and every language says them.
    """
    groups = (int.from_bytes(random_bytes(4), "big") % 10_000 for _ in range(3))
    return " ".join(f"{group:04d}" for group in groups)


def _free_texts(body: Body) -> Iterator[tuple[str, str]]:
    if body.not_binding is not None:
        yield "not_binding", body.not_binding
    match body:
        case Declared():
            label = body.declaration["label"]
            if label is not None:
                yield "label", label
        case LineCheck():
            yield "text", body.text
        case Account():
            if body.event is not None:
                yield "event", body.event
            for name, value in body.fields.items():
                yield f"fields.{name}", name.replace("_", " ")
                if isinstance(value, str):
                    yield f"fields.{name}", value
            if body.as_published is not None:
                yield "as_published", body.as_published
        case BreachNote():
            for name, text in (("named", body.named), ("reference", body.reference)):
                if text is not None:
                    yield name, text
        case TermsMessage():
            yield from body.terms.free_texts()
        case ReadoutText():
            yield from body.readout.free_texts()


def _typed(text: str) -> str:
    return "".join(text.split()).casefold()
