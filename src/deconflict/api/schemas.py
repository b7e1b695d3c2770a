"""The JSON that comes in and goes out, as OpenAPI shows it.

Requests are strict: no unknown field, no number that is a string. What a body, a geometry or
terms may hold is decided by the rooms that know them; here they are objects.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from deconflict.airspace.instant import format_utc
from deconflict.api.accounts import Account, Session, TrailEntry
from deconflict.api.passkey_book import Passkey
from deconflict.messages.words import LANGUAGES
from deconflict.node.actor import Actor
from deconflict.node.handover import AHEAD_MS, GAP_MS
from deconflict.node.views import ConflictView, Posted

Name = Annotated[str, StringConstraints(max_length=200)]
Password = Annotated[str, Field(json_schema_extra={"format": "password"})]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Milliseconds = Annotated[int, Field(ge=0, le=366 * 86_400_000)]


class Request(BaseModel):
    """Base of all requests: strict, and closed."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _decimal(text: Any) -> Any:
    # A query is text. Digits alone are a number; " 5", "5.0" and "1_0" are somebody's mistake.
    if isinstance(text, str) and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError("expected digits")
    return text


Digits = Annotated[int, BeforeValidator(_decimal)]


class Login(Request):
    """Account and password of somebody who comes on watch."""

    account: Name
    password: Password
    browser: bool = Field(
        False, description="true: the session is a cookie and a CSRF token, for a page in a browser"
    )

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"account": "watch1", "password": "a long evening at sea"}]}
    )


class LanguageWanted(Request):
    """In which language the own account is told things."""

    language: Name | None = Field(description=f"{', '.join(LANGUAGES)}; null: the node's")


class OwnPassword(Request):
    """The old password and the new one."""

    old_password: Password
    new_password: Password


class PasskeyWanted(Request):
    """The password of who wants another way in."""

    password: Password


CREDENTIAL: Final = Field(description="toJSON() of what the browser's navigator.credentials gave")


class NewPasskey(Request):
    """A passkey that the browser has just made, and how its holder calls it."""

    name: Name
    credential: dict[str, Any] = CREDENTIAL


class PasskeyLogin(Request):
    """What a passkey has signed."""

    credential: dict[str, Any] = CREDENTIAL


class NewPassword(Request):
    """Another password for an account."""

    password: Password


class NewAccount(Request):
    """An account to be made."""

    name: Name
    password: Password
    roles: list[Name]
    desk: Name

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "watch2",
                    "password": "a long evening at sea",
                    "roles": ["watch_officer"],
                    "desk": "watch",
                }
            ]
        }
    )


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


class TakeOver(Request):
    """The beginning of a watch: which languages it reads. No name, here or on the line."""

    languages: Annotated[list[Name], Field(max_length=16)] = []
    ahead_ms: Milliseconds = AHEAD_MS
    gap_ms: Milliseconds = GAP_MS
    drill: bool = False


@dataclass(frozen=True, slots=True)
class SessionView:
    """A login that was granted. The token is shown this once."""

    token: str
    expires_utc: str
    account: str
    roles: tuple[str, ...]
    desk: str
    language: str

    @staticmethod
    def of(session: Session) -> "SessionView":
        """Return what the caller gets to see of a session."""
        return SessionView(session.token, *_granted(session))


@dataclass(frozen=True, slots=True)
class BrowserSessionView:
    """A login that was granted to a browser, whose cookie has the other half of it.

    The page sends ``csrf_token`` as ``Deconflict-CSRF`` with each call; it is shown this once.
    """

    csrf_token: str
    expires_utc: str
    account: str
    roles: tuple[str, ...]
    desk: str
    language: str

    @staticmethod
    def of(session: Session) -> "BrowserSessionView":
        """Return what the page gets to see of a session: not what is in the cookie."""
        return BrowserSessionView(session.csrf_token, *_granted(session))


def _granted(session: Session) -> tuple[str, str, tuple[str, ...], str, str]:
    actor = session.actor
    roles = tuple(sorted(actor.roles))
    return (format_utc(session.expires_utc_ms), actor.account, roles, actor.desk, actor.language)


@dataclass(frozen=True, slots=True)
class MeView:
    """Whose session this is, and what it may do.

    ``signed_off_utc`` says since when its watch is signed off: it then reads, and nothing else.
    """

    account: str
    roles: tuple[str, ...]
    desk: str
    actions: tuple[str, ...]
    language: str
    signed_off_utc: str | None = None

    @staticmethod
    def of(actor: Actor) -> "MeView":
        """Return what an account is told of itself."""
        since = actor.signed_off_utc_ms
        return MeView(
            actor.account,
            tuple(sorted(actor.roles)),
            actor.desk,
            tuple(actor.actions),
            actor.language,
            None if since is None else format_utc(since),
        )


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account, without its secrets."""

    name: str
    roles: tuple[str, ...]
    desk: str
    disabled: bool
    created_utc: str
    language: str

    @staticmethod
    def of(account: Account) -> "AccountView":
        """Return what others may see of an account."""
        return AccountView(
            account.name,
            tuple(sorted(account.roles)),
            account.desk,
            account.disabled,
            format_utc(account.created_utc_ms),
            account.language,
        )


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """A passkey: the host name it belongs to, and whether its maker copies it between devices."""

    passkey_id: str
    name: str
    rp_id: str
    synced: bool
    created_utc: str
    used_utc: str | None

    @staticmethod
    def of(passkey: Passkey) -> "PasskeyView":
        """Return the passkey with its times written out."""
        used = passkey.used_utc_ms
        return PasskeyView(
            passkey.passkey_id,
            passkey.name,
            passkey.rp_id,
            passkey.synced,
            format_utc(passkey.created_utc_ms),
            None if used is None else format_utc(used),
        )


@dataclass(frozen=True, slots=True)
class TrailView:
    """One login, refusal or change of an account."""

    entry_id: int
    at_utc: str
    account: str
    event: str
    by: str

    @staticmethod
    def of(entry: TrailEntry) -> "TrailView":
        """Return the entry with its time written out."""
        return TrailView(
            entry.entry_id, format_utc(entry.at_utc_ms), entry.account, entry.event, entry.by
        )


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
