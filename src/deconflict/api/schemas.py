"""The JSON that comes in and goes out, as OpenAPI shows it.

Requests are strict: no unknown field, no number that is a string. What a body, a geometry or
terms may hold is decided by the rooms that know them; here they are objects.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from deconflict.node.handover import AHEAD_MS, GAP_MS
from deconflict.node.views import ConflictView, Posted

Name = Annotated[str, StringConstraints(max_length=200)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Milliseconds = Annotated[int, Field(ge=0, le=366 * 86_400_000)]
Whole = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Request(BaseModel):
    """Base of all requests: strict, and closed."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _decimal(text: Any) -> Any:
    # A query is text. Digits alone are a number; " 5", "5.0" and "1_0" are somebody's mistake.
    if isinstance(text, str) and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError("expected digits")
    return text


Digits = Annotated[int, BeforeValidator(_decimal)]


class Proposal(Request):
    """Terms to be proposed to the peer, as the specification of terms writes them."""

    terms: dict[str, Any]


class Acceptance(Request):
    """The hash of the terms that are accepted: what was read is what is signed."""

    terms_hash: Hash


class ParcelWanted(Request):
    """What of the own messages is to be carried: all without a receipt, or as one of these says."""

    since_seq: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = Field(
        None, description="from this own message on, receipted or not"
    )
    message: Hash | None = Field(None, description="this own message alone")
    max_bytes: Annotated[int, Field(ge=1, le=8 * 1024 * 1024)] | None = Field(
        None, description="of packets; what does not fit is counted in the answer"
    )


class PlaceFound(Request):
    """A place in whole 1e-7 degrees."""

    lat_e7: Annotated[int, Field(ge=-900_000_000, le=900_000_000)]
    lon_e7: Annotated[int, Field(ge=-1_800_000_000, le=1_800_000_000)]


class Release(Request):
    """Where the second person finds each protected site, on a map of their own."""

    places: Annotated[list[PlaceFound], Field(max_length=100)] = []


class ExportWanted(Request):
    """What is to be taken away in a file; ``message`` is for a MESSAGE, and for nothing else."""

    what: Literal["RECORD", "MESSAGE", "FORK", "PARCEL"]
    message: Hash | None = None


AS_THE_LINE: Final = Field(
    None,
    description="null: as the message cited, or as the line is; false: real, though an exercise "
    "lasts; true: exercise",
)


class Outgoing(Request):
    """A message to the peer; what ``body`` holds depends on ``kind``."""

    kind: Name
    body: dict[str, Any]
    ref: Hash | None = Field(None, description="hash of the message this one answers")
    precedence: Name | None = Field(None, description="FLASH, IMMEDIATE, PRIORITY or ROUTINE")
    to_desk: Name | None = None
    drill: bool | None = AS_THE_LINE
    release: Name = "OWN_FORCES"
    lang: Name | None = None
    expires_after_ms: Milliseconds | None = None
    answer_within_ms: Milliseconds | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "LINE_CHECK", "body": {"text": "4711 0815 2342"}, "drill": True}]
        }
    )


class AboutCall(Request):
    """A message to arrange, record or tell of a call; what ``body`` holds depends on ``kind``."""

    kind: Name
    body: dict[str, Any]
    ref: Hash | None = Field(None, description="hash of the message it answers or belongs to")
    to_desk: Name | None = None
    drill: bool | None = AS_THE_LINE
    release: Name = "OWN_FORCES"

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "TALK_DECLINE", "body": {"reason": "TIME"}, "ref": "ab" * 32},
            ]
        }
    )


class TranslationWanted(Request):
    """A translation of one message, in lines; ``language`` by ISO 639-1, as ``en``."""

    language: Name
    lines: Annotated[list[Annotated[str, StringConstraints(max_length=1000)]], Field(max_length=50)]

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"language": "en", "lines": ["Two of ours are hurt."]}]}
    )


class PaperText(Request):
    """Another text of a note or draft, by language, in lines or paragraphs."""

    texts: dict[Name, Annotated[list[str], Field(max_length=50)]]


class NewPaper(PaperText):
    """A note of a call, or a draft of a readout, that stays here."""

    kind: Name = Field(description="note or draft")
    call: Hash | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "note", "texts": {"en": ["They asked for a map of area 7."]}}]
        }
    )


class DeclarationDraft(Request):
    """One declaration as it is entered; without an id the node gives it one."""

    declaration_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None
    purpose: Name = Field(
        description="FLIGHT, ACTIVITY, HAZARD, OWN_PRESENCE or PROTECTED_SITE",
    )
    geometry: dict[str, Any] = Field(description='{"volumes": […]} or {"trajectory": {…}}')
    label: Annotated[str, StringConstraints(max_length=200)] | None = None


EXAMPLE_DRAFT: dict[str, Any] = {
    "purpose": "ACTIVITY",
    "label": "area 7",
    "geometry": {
        "volumes": [
            {
                "outline": {
                    "circle": {
                        "center": {"lat_e7": 353300000, "lon_e7": 401400000},
                        "radius_mm": 9000000,
                    }
                },
                "band": {"reference": "AMSL", "lower_tmm": 0, "upper_tmm": 60960000},
                "span": {
                    "start_utc": "2015-09-30T12:00:00.000Z",
                    "end_utc": "2015-09-30T13:00:00.000Z",
                },
            }
        ]
    },
}


AsWritten = Annotated[
    bool, Field(description="true: the places are meant, though they look exchanged")
]


class DeclareOptions(Request):
    """How declarations go out."""

    lines: list[Name] | None = Field(
        None,
        description="default: every line with agreed terms; a protected site needs them named",
    )
    drill: bool | None = AS_THE_LINE
    release: Name = "OWN_FORCES"
    as_written: AsWritten = False


class Declare(DeclareOptions):
    """Declarations that are sent together: all of them, or none."""

    declarations: Annotated[list[DeclarationDraft], Field(min_length=1, max_length=100_000)]

    model_config = ConfigDict(json_schema_extra={"examples": [{"declarations": [EXAMPLE_DRAFT]}]})


class Tell(Request):
    """Which further lines learn of what is declared on others."""

    lines: Annotated[list[Name], Field(min_length=1, max_length=1000)]
    drill: bool | None = AS_THE_LINE
    release: Name = "OWN_FORCES"
    as_written: AsWritten = False


class Cancel(Request):
    """Why a declaration ends early, as the number of an agreed phrase."""

    reason_number: int | None = None


class CheckOptions(Request):
    """On which line to look."""

    line: Name | None = None
    as_written: AsWritten = False


class Check(CheckOptions):
    """Drafts to be checked against what is declared; null checks what is declared itself."""

    declarations: Annotated[list[DeclarationDraft], Field(max_length=100_000)] | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"declarations": [EXAMPLE_DRAFT]}]})


class PastedGaps(Request):
    """What fills the gaps of a document; it replaces nothing that the document says."""

    purpose: Name | None = Field(None, description="as in a declaration")
    shape: Name | None = Field(
        None, description="what bare places are: circles (a draft each), corridor or polygon"
    )
    radius: Name | None = None
    half_width: Name | None = None
    lower: Name | None = None
    upper: Name | None = None
    start_utc: Name | None = None
    end_utc: Name | None = None
    latitude_column: Name | None = Field(
        None, description="of a table: its heading, or its number from 1"
    )
    longitude_column: Name | None = None
    label: Name | None = Field(None, description="what the peer would read; looked at, not kept")
    line: Name | None = Field(None, description="default: every line with agreed terms")


class Pasted(PastedGaps):
    """A text as somebody pasted it; a file is sent as bytes, and these fields in the query."""

    text: str

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "35.4012, 35.9487", "radius": "9 km", "lower": "SFC", "upper": "FL100"}
            ]
        }
    )


class TypedPlace(Request):
    """One position in any notation."""

    text: Name
    line: Name | None = Field(None, description="default: every line with agreed terms")

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "36SYE6779321530"}]})


class OutsideAccount(Request):
    """What a source without a line says of an incident; it is kept here and never sent."""

    by: Name
    fields: dict[Name, Annotated[str, StringConstraints(max_length=200)] | int | bool]
    as_published: Name | None = None
    line: Name | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"by": "newspaper", "fields": {"time": "2015-09-30T07:12:00Z"}}]
        }
    )


class Period(Request):
    """The period of a tally: its first instant belongs to it, its last does not."""

    start_utc: Name
    end_utc: Name
    drill: bool = False

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"start_utc": "2015-09-01T00:00:00Z", "end_utc": "2015-10-01T00:00:00Z"}]
        }
    )


class SignOff(Request):
    """The end of a watch: how far its sheet looks ahead, and when the next one is expected."""

    ahead_ms: Milliseconds = AHEAD_MS
    gap_ms: Milliseconds = GAP_MS
    with_open: bool = Field(
        False, description="true: a cease request is open, or own cover ends, and that is known"
    )


class DrillWanted(Request):
    """An exercise that is to begin."""

    until_utc: Name
    line: Name | None = Field(None, description="default: every line")
    announced: bool = Field(True, description="whether the peers are told")


class DrillEnded(Request):
    """An exercise that is to end."""

    line: Name | None = Field(None, description="default: every line in exercise")


class ActivityWanted(Request):
    """What this side does at a place, or is about to do; it is kept here and never sent."""

    place: PlaceFound
    reach_mm: Annotated[int, Field(ge=1, le=500_000_000)] | None = Field(
        None, description="how far it reaches around the place; default: the place alone"
    )
    start_utc: Name
    end_utc: Name

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "place": {"lat_e7": 353300000, "lon_e7": 401400000},
                    "reach_mm": 500000,
                    "start_utc": "2015-09-30T12:00:00Z",
                    "end_utc": "2015-09-30T12:30:00Z",
                }
            ]
        }
    )


class ReadbackTried(Request):
    """The values of a readback that is not sent yet."""

    values: dict[str, Any]


class RecordSearch(Request):
    """What is looked for in the record; what is left out is whatever there is."""

    line: Name | None = Field(None, description="default: every line")
    kind: Name | None = None
    party: Name | None = Field(None, description="whose word it is")
    desk: Name | None = Field(None, description="of which desk of theirs")
    from_utc: Name | None = Field(None, description="logged here from then on")
    until_utc: Name | None = Field(None, description="logged here until then")
    text: Annotated[str, Field(max_length=200)] = Field(
        "", description="in the words, as the reader or the author's desk reads them, or the hash"
    )
    after: Annotated[dict[str, Whole], Field(max_length=128)] | None = Field(
        None, description="as the page before said it; filters have to be the same"
    )
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Instant(Request):
    """An instant at which it is asked what each side knew."""

    line: Name
    at_utc: Name


class FileAnnounced(Request):
    """A file that comes next."""

    size_bytes: Whole


class TakeOver(Request):
    """The beginning of a watch: which languages it reads. No name, here or on the line."""

    languages: Annotated[list[Name], Field(max_length=16)] = []
    ahead_ms: Milliseconds = AHEAD_MS
    gap_ms: Milliseconds = GAP_MS
    drill: bool = False


@dataclass(frozen=True, slots=True)
class PhraseView:
    """One numbered phrase: its text in this desk's language, and what each placeholder takes."""

    number: int
    name: str
    text: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Declared:
    """What was posted, on each line, and the ids of the declarations in the order given."""

    posted: tuple[Posted, ...]
    declaration_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Conflicts; an empty list says that none is found, never that the sky is empty."""

    conflicts: tuple[ConflictView, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The call did what it says."""

    done: bool = True


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What was wrong, what was given, what was expected, what to do."""

    type: str
    problem: str
    given: str
    expected: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """Every refusal has this shape."""

    error: ErrorFacts
