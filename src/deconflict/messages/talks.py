"""What is said to hold a call, and of one that was held (specs/messages.md §7).

A call is proposed by tier, times, languages and media, accepted by naming one of the times, and
recorded by each side for itself. Participants are roles, never persons. A readout is a text about
the call: both sign the same bytes, or each says its own, or says that details are withheld.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, TypeAlias

import msgspec

from deconflict.airspace.instant import parse_utc
from deconflict.errors import InvalidDocumentError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.statement import hash_of
from deconflict.messages.body import Body
from deconflict.messages.kinds import Kind
from deconflict.messages.wire_form import Hash, Name, Place, UtcText, WireForm, write_form
from deconflict.messages.words import check_text

__all__ = [
    "RECORD_FIELDS",
    "TALK_FORMS",
    "CallLanguage",
    "CallRecord",
    "CallRole",
    "Medium",
    "Readout",
    "ReadoutText",
    "ReadoutWithheld",
    "Slot",
    "Subject",
    "TalkAccept",
    "TalkEnd",
    "TalkFault",
    "TalkOffer",
    "TalkReason",
    "Tier",
    "differing_record_fields",
    "readout_hash",
]

MAX_SLOTS: Final = 8
MAX_CALL_MS: Final = 24 * 3_600_000
MAX_PARAGRAPHS: Final = 20
MAX_PARAGRAPH: Final = 1_000


class Tier(StrEnum):
    """Between whom: the desks on watch, those who work on a matter, or seniors of three tiers."""

    WATCH = "WATCH"
    WORKING = "WORKING"
    SENIOR_1 = "SENIOR_1"
    SENIOR_2 = "SENIOR_2"
    SENIOR_3 = "SENIOR_3"


class Medium(StrEnum):
    """How people meet. No number is said on the line: the voice plan has them."""

    PHONE = "PHONE"
    VIDEO = "VIDEO"
    IN_PERSON = "IN_PERSON"


class Subject(StrEnum):
    """What a call is about, in words of a closed list; free text beside it binds nobody."""

    LINE = "LINE"
    DECLARATIONS = "DECLARATIONS"
    CONFLICT = "CONFLICT"
    INCIDENT = "INCIDENT"
    SAFETY = "SAFETY"
    TERMS = "TERMS"
    PROTECTED_SITES = "PROTECTED_SITES"
    MAPS = "MAPS"
    OTHER = "OTHER"


class TalkReason(StrEnum):
    """Why a call is declined or called off."""

    NO_REASON = "NO_REASON"
    TIME = "TIME"
    TIER = "TIER"
    LANGUAGES = "LANGUAGES"
    MEDIA = "MEDIA"
    SUBJECT = "SUBJECT"
    SETTLED = "SETTLED"


class TalkFault(StrEnum):
    """Why something said of a call changes nothing, though it stands in the record."""

    NEVER_OFFERED = "NEVER_OFFERED"  # the slot or the medium is not of the offer that is cited
    OWN_OFFER = "OWN_OFFER"  # its author wrote what it answers
    NOT_STANDING = "NOT_STANDING"  # the offer was replaced before, or is not known
    TOO_LATE = "TOO_LATE"  # the slot had begun
    OVER = "OVER"  # declined or called off before
    OTHER_TEXT = "OTHER_TEXT"
    OTHER_CALL = "OTHER_CALL"
    UNKNOWN_CALL = "UNKNOWN_CALL"
    NOT_A_PARTY = "NOT_A_PARTY"


class CallRole(StrEnum):
    """Who took part, as a role."""

    WATCH_OFFICER = "WATCH_OFFICER"
    RELEASING_OFFICER = "RELEASING_OFFICER"
    SENIOR_1 = "SENIOR_1"
    SENIOR_2 = "SENIOR_2"
    SENIOR_3 = "SENIOR_3"
    INTERPRETER = "INTERPRETER"
    LEGAL_ADVISER = "LEGAL_ADVISER"
    PLANNER = "PLANNER"
    AIR_TRAFFIC_LIAISON = "AIR_TRAFFIC_LIAISON"
    HUMANITARIAN_NOTIFIER = "HUMANITARIAN_NOTIFIER"


class CallLanguage(StrEnum):
    """What is spoken, by ISO 639-1: the languages of R36 and two more of the region."""

    ENGLISH = "en"
    RUSSIAN = "ru"
    ARABIC = "ar"
    TURKISH = "tr"
    HEBREW = "he"
    UKRAINIAN = "uk"
    CHINESE = "zh"
    FRENCH = "fr"
    PERSIAN = "fa"


Languages: TypeAlias = Annotated[tuple[CallLanguage, ...], msgspec.Meta(min_length=1, max_length=4)]
Media: TypeAlias = Annotated[tuple[Medium, ...], msgspec.Meta(min_length=1, max_length=3)]
Roles: TypeAlias = Annotated[tuple[CallRole, ...], msgspec.Meta(min_length=1, max_length=12)]
Paragraph: TypeAlias = str
Paragraphs: TypeAlias = Annotated[
    tuple[Paragraph, ...], msgspec.Meta(min_length=1, max_length=MAX_PARAGRAPHS)
]


class Slot(WireForm, frozen=True):
    """A time for a call, UTC; it ends after it begins and within a day."""

    start_utc: UtcText
    end_utc: UtcText

    def __post_init__(self) -> None:
        WireForm.__post_init__(self)
        if not 0 < self.end_ms - self.start_ms <= MAX_CALL_MS:
            raise InvalidDocumentError(
                "this is no time for a call",
                given=f"{self.start_utc} to {self.end_utc}",
                expected="an end after its start, at most 24 h later",
            )

    @property
    def start_ms(self) -> int:
        """When it begins."""
        return parse_utc(self.start_utc)

    @property
    def end_ms(self) -> int:
        """When it ends."""
        return parse_utc(self.end_utc)


class TalkOffer(Body, frozen=True):
    """TALK_REQUEST and TALK_PROPOSE: a call as one side would hold it; one slot is to be chosen.

    A counter-proposal is whole as well: what it leaves as it was is said again. ``place`` is given
    exactly when the media hold IN_PERSON.
    """

    tier: Tier
    subject: Subject
    slots: Annotated[tuple[Slot, ...], msgspec.Meta(min_length=1, max_length=MAX_SLOTS)]
    languages: Languages
    media: Media
    place: Place | None = None

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        for name, values in (
            ("slots", self.slots),
            ("languages", self.languages),
            ("media", self.media),
        ):
            _refuse_repeated(name, values)
        if (Medium.IN_PERSON in self.media) != (self.place is not None):
            raise InvalidDocumentError(
                "a meeting in person and its place go together",
                given="a place" if self.place else "no place",
                expected="place exactly when media hold IN_PERSON",
            )

    @property
    def last_start_ms(self) -> int:
        """When the last of its slots begins: from then on it can no longer be accepted."""
        return max(slot.start_ms for slot in self.slots)


class TalkAccept(Body, frozen=True):
    """TALK_ACCEPT: one slot and one medium of exactly the offer that is cited."""

    slot: Slot
    medium: Medium


class TalkEnd(Body, frozen=True):
    """TALK_DECLINE: not as offered. TALK_CANCEL: what was asked or arranged is called off."""

    reason: TalkReason


class CallRecord(Body, frozen=True):
    """CALL_RECORD: that a call took place, as this side has it. Two that differ are both kept.

    ``participants`` names the roles of each party; ``medium`` is what the call went over.
    """

    start_utc: UtcText
    end_utc: UtcText
    tier: Tier
    medium: Medium
    languages: Languages
    participants: Annotated[dict[Name, Roles], msgspec.Meta(min_length=1, max_length=2)]

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        _refuse_repeated("languages", self.languages)
        if not 0 <= parse_utc(self.end_utc) - parse_utc(self.start_utc) <= MAX_CALL_MS:
            raise InvalidDocumentError(
                "this is no time of a call",
                given=f"{self.start_utc} to {self.end_utc}",
                expected="an end at its start or after it, at most 24 h later",
            )


class Readout(WireForm, frozen=True):
    """What is to be said of a call. ``call`` names it; by language, one text in paragraphs.

    Which of several languages is authentic, a line cannot say: what both signed are all of them.
    """

    call: Hash
    texts: Annotated[dict[CallLanguage, Paragraphs], msgspec.Meta(min_length=1, max_length=4)]

    def __post_init__(self) -> None:
        WireForm.__post_init__(self)
        for name, text in self.free_texts():
            check_text(text, what=name, max_chars=MAX_PARAGRAPH)

    def free_texts(self) -> Iterator[tuple[str, str]]:
        """Yield each paragraph with its name."""
        for language, paragraphs in self.texts.items():
            for number, paragraph in enumerate(paragraphs, start=1):
                yield f"readout, {language} paragraph {number}", paragraph


class ReadoutText(Body, frozen=True):
    """READOUT_PROPOSE, READOUT_AGREE, READOUT_OWN: the whole readout, also where it is agreed to.

    Both sides have signed the same text exactly when the hashes of both readouts are equal.
    """

    readout: Readout


class ReadoutWithheld(Body, frozen=True):
    """READOUT_WITHHELD: the call took place, and this side says no more of it."""

    call: Hash


TALK_FORMS: Final[Mapping[str, type[Body]]] = MappingProxyType(
    {
        Kind.TALK_REQUEST: TalkOffer,
        Kind.TALK_PROPOSE: TalkOffer,
        Kind.TALK_ACCEPT: TalkAccept,
        Kind.TALK_DECLINE: TalkEnd,
        Kind.TALK_CANCEL: TalkEnd,
        Kind.CALL_RECORD: CallRecord,
        Kind.READOUT_PROPOSE: ReadoutText,
        Kind.READOUT_AGREE: ReadoutText,
        Kind.READOUT_OWN: ReadoutText,
        Kind.READOUT_WITHHELD: ReadoutWithheld,
    }
)

# What two records of one call are compared in; participants party by party.
RECORD_FIELDS: Final = ("start_utc", "end_utc", "tier", "medium", "languages", "participants")


def readout_hash(readout: Readout) -> str:
    """Return the readout's name: SHA-256 of its canonical bytes, 64 hex digits."""
    return hash_of(canonical_bytes(write_form(readout)))


def differing_record_fields(
    one: CallRecord, other: CallRecord, *, time_tolerance_ms: int = 0
) -> tuple[str, ...]:
    """Return the fields in which two records of one call differ; neither is chosen (R29).

    Times differ when they are farther apart than the tolerance. The order of languages and roles
    says nothing.
    """
    return tuple(field for field in RECORD_FIELDS if _differs(one, other, field, time_tolerance_ms))


def _differs(one: CallRecord, other: CallRecord, field: str, tolerance_ms: int) -> bool:
    mine, theirs = getattr(one, field), getattr(other, field)
    match field:
        case "start_utc" | "end_utc":
            return abs(parse_utc(mine) - parse_utc(theirs)) > tolerance_ms
        case "languages":
            return set(mine) != set(theirs)
        case "participants":
            return {party: set(roles) for party, roles in mine.items()} != {
                party: set(roles) for party, roles in theirs.items()
            }
    return bool(mine != theirs)


def _refuse_repeated(name: str, values: Sequence[object]) -> None:
    if len(set(values)) != len(values):
        raise InvalidDocumentError(
            f"{name} says something twice", given=f"{len(values)} items", expected="each once"
        )
