"""What is said of an incident afterwards, and what is counted (specs/messages.md §8).

Codes only, so that both sides count alike. Nothing here says who is right: a class of risk, a note
of a breach and a tally are each the word of the party that signed it.
"""

from enum import StrEnum
from typing import Annotated, Final, TypeAlias

import msgspec

from deconflict.errors import InvalidDocumentError
from deconflict.messages.body import Body
from deconflict.messages.wire_form import DeclarationId, Hash, Level, Place, UtcText, check_utc
from deconflict.messages.words import check_text

__all__ = [
    "MAX_TALLIED",
    "BreachNote",
    "BreachWord",
    "Evidence",
    "Incident",
    "IncidentWord",
    "Risk",
    "RiskWord",
    "Tally",
]

MAX_TALLIED: Final = 800  # hashes of 64 digits; more would not fit one envelope
MAX_NAMED: Final = 80

# RFC 6838 §4.2, in small letters, of which both sides make the same one.
MediaType: TypeAlias = Annotated[
    str,
    msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\Z"),
]
Length: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]  # RFC 7493 §2.2


class IncidentWord(StrEnum):
    """What kind of incident it is: what happened, never whose fault it was."""

    CLOSE_PASS = "CLOSE_PASS"  # noqa: S105 (two aircraft, no password)
    AREA_ENTERED = "AREA_ENTERED"
    LINE_CROSSED = "LINE_CROSSED"
    LEVEL_LEFT = "LEVEL_LEFT"
    UNDECLARED_FLIGHT = "UNDECLARED_FLIGHT"
    NOTICE_FAILED = "NOTICE_FAILED"
    CALL_UNANSWERED = "CALL_UNANSWERED"
    FIRE_NEAR = "FIRE_NEAR"
    FORCES_HIT = "FORCES_HIT"
    SITE_HIT = "SITE_HIT"
    AIRCRAFT_LOST = "AIRCRAFT_LOST"
    OTHER = "OTHER"


class RiskWord(StrEnum):
    """How great the risk was, by what took place and not by what might have.

    The first four are classes A, B, C and D of an aircraft proximity (ICAO Doc 4444); the last is
    E of the United Kingdom Airprox Board. Either side may say one, and may change it.
    """

    RISK_OF_COLLISION = "RISK_OF_COLLISION"  # A
    SAFETY_NOT_ASSURED = "SAFETY_NOT_ASSURED"  # B
    NO_RISK_OF_COLLISION = "NO_RISK_OF_COLLISION"  # C
    UNDETERMINED = "UNDETERMINED"  # D
    USUAL_MARGINS_HELD = "USUAL_MARGINS_HELD"  # E


class BreachWord(StrEnum):
    """What a side says was not kept. WITHDRAWN takes back an earlier note of the same side."""

    NO_NOTICE = "NO_NOTICE"
    SHORT_NOTICE = "SHORT_NOTICE"
    WRONG_NOTICE = "WRONG_NOTICE"
    NO_ANSWER = "NO_ANSWER"
    WENT_ON_AFTER_CEASE = "WENT_ON_AFTER_CEASE"
    AREA_ENTERED = "AREA_ENTERED"
    LINE_CROSSED = "LINE_CROSSED"
    LEVEL_LEFT = "LEVEL_LEFT"
    UNDER_MINIMA = "UNDER_MINIMA"
    SITE_HIT = "SITE_HIT"
    SIGNALS_DISTURBED = "SIGNALS_DISTURBED"
    OTHER = "OTHER"
    WITHDRAWN = "WITHDRAWN"


class Incident(Body, frozen=True):
    """INCIDENT: opens an incident, or corrects what its own side opened.

    ``incident_id`` is 128 random bits; accounts, evidence and classes of risk name it.
    """

    incident_id: DeclarationId
    at_utc: UtcText
    position: Place
    what: IncidentWord
    level: Level | None = None
    risk: RiskWord = RiskWord.UNDETERMINED


class Evidence(Body, frozen=True):
    """EVIDENCE: a file by its SHA-256, length and media type. The file itself stays at home."""

    incident_id: DeclarationId
    sha256: Hash
    length_bytes: Length
    media_type: MediaType


class Risk(Body, frozen=True):
    """RISK: the class of risk that this side gives the incident now. A later one replaces it."""

    incident_id: DeclarationId
    risk: RiskWord


class BreachNote(Body, frozen=True):
    """BREACH_NOTE: this side says that something agreed was not kept.

    What it is about is the message cited, a declaration, a place, or a zone or line by the name
    both use; one of them at least. ``reference`` is the number this side keeps it under.
    """

    breach: BreachWord
    at_utc: UtcText
    position: Place | None = None
    declaration_id: DeclarationId | None = None
    incident_id: DeclarationId | None = None
    named: str | None = None
    reference: str | None = None

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        for name in ("named", "reference"):
            text = getattr(self, name)
            if text is not None:
                check_text(text, what=name, max_chars=MAX_NAMED)


class Tally(Body, frozen=True):
    """TALLY: the incidents and breach notes of a period, each by the hash of its message.

    The numbers are the lengths of the lists, so that a total can never contradict its entries. The
    period holds its first instant and not its last. Counted from the record (node/tally.py).
    """

    start_utc: UtcText
    end_utc: UtcText
    incidents: dict[IncidentWord, tuple[Hash, ...]]
    breaches: dict[BreachWord, tuple[Hash, ...]]

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        if check_utc(self.start_utc, "start_utc") >= check_utc(self.end_utc, "end_utc"):
            raise InvalidDocumentError(
                "the period of a tally is empty",
                given=f"{self.start_utc} to {self.end_utc}",
                expected="an end after the start",
            )
        lists = [*self.incidents.values(), *self.breaches.values()]
        named = [message for each in lists for message in each]
        if len(named) > MAX_TALLIED:
            raise InvalidDocumentError(
                "a tally has too many entries for one message",
                given=f"{len(named):,} entries",
                expected=f"at most {MAX_TALLIED}",
                remedy="count a shorter period, and then the next",
            )
        if (
            len(set(named)) != len(named)
            or any(not each or list(each) != sorted(each) for each in lists)
            or BreachWord.WITHDRAWN in self.breaches
        ):
            raise InvalidDocumentError(
                "a tally is not in its one form",
                expected="each message once, in ascending order, under a code that is counted",
            )
