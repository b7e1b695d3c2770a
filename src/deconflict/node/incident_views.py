"""Incidents and tallies as they are shown: accounts side by side, none chosen; entries one by one.

Plain values, everything decided here, as in ``views``. Words are in the desk's language; codes
stand beside them for programs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deconflict.airspace.instant import format_utc
from deconflict.airspace.landmark import Landmark
from deconflict.messages.bodies import Account
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.incident_bodies import BreachWord, Evidence, IncidentWord, Risk, Tally
from deconflict.messages.incident_text import code_words
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_text
from deconflict.messages.phrases import word_for
from deconflict.messages.values import ValueType
from deconflict.messages.wire_form import write_form
from deconflict.node import incidents
from deconflict.node.incident_book import Filed, IncidentBook, IncidentFile
from deconflict.node.line import Line
from deconflict.node.show import place_view
from deconflict.node.tally import Counted, Difference
from deconflict.node.views import PlaceView

__all__ = [
    "BreachView",
    "DifferenceView",
    "EvidenceView",
    "IncidentRow",
    "IncidentView",
    "OddView",
    "RiskView",
    "Shelf",
    "TallyEntry",
    "TallyView",
    "ToldView",
    "incident_row",
    "incident_view",
    "own_count_view",
    "said_tally_view",
    "shelf_of",
]


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One incident in a list."""

    incident_id: str
    line_id: str
    peer: str
    opened_by: str
    at_utc: str
    what: str
    words: str
    drill: bool
    accounts: dict[str, int]  # how many each side gave
    evidence: int
    risk: dict[str, str | None]  # as each side gives it now; None: it gave none
    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToldView:
    """One account in force."""

    by: str
    message: str | None  # None: a source without a line
    said_utc: str | None
    fields: dict[str, str | int | bool]
    object_kind: str | None
    as_published: str | None
    corrects: str | None
    late: bool


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """One file, by its hash. The file is with the party that names it."""

    by: str
    message: str
    sha256: str
    length_bytes: int
    media_type: str
    said_utc: str


@dataclass(frozen=True, slots=True)
class RiskView:
    """One class of risk that a side gave; the last of a side is in force."""

    by: str
    message: str
    risk: str
    words: str
    said_utc: str


@dataclass(frozen=True, slots=True)
class BreachView:
    """One note of a breach that names the incident."""

    by: str
    message: str
    breach: str
    words: str
    at_utc: str
    taken_back: bool


@dataclass(frozen=True, slots=True)
class OddView:
    """Two figures of one account that cannot both be; kept as given."""

    by: str
    fields: tuple[str, str]
    speed_mps: float
    plausible_mps: tuple[float, float]


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident with all that is said of it and kept at hand."""

    incident_id: str
    line_id: str
    peer: str
    opened_by: str
    opened_message: str
    stated_message: str  # the newest correction by its opener, or the same
    opened_utc: str
    at_utc: str
    what: str
    words: str
    place: PlaceView
    level: dict[str, Any] | None
    drill: bool
    text: str
    accounts: tuple[ToldView, ...]
    accounts_said: dict[str, int]  # those corrected and those no longer compared included
    differing: tuple[str, ...]
    times_apart_ms: dict[str, int]
    places_apart_m: dict[str, float]
    implausible: tuple[OddView, ...]
    evidence: tuple[EvidenceView, ...]
    risk: dict[str, str | None]
    risks: tuple[RiskView, ...]
    breaches: tuple[BreachView, ...]


@dataclass(frozen=True, slots=True)
class TallyEntry:
    """One entry of a tally: the message that it counts."""

    message: str
    word: str
    words: str
    by: str | None  # None: the record here has no such message
    at_utc: str | None


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """One entry in which a tally and the record differ."""

    message: str
    word: str
    words: str
    in_tally: bool  # False: the record gives it, and the tally does not name it
    why: str


@dataclass(frozen=True, slots=True)
class TallyView:
    """A tally that was said, or our count as it would be said now.

    ``by`` None is our count now, of which nothing was said. ``differences`` is against what the
    record gives here, counted as far as the tally's author had said and heard.
    """

    line_id: str
    peer: str
    by: str | None
    message: str | None
    said_utc: str | None
    start_utc: str
    end_utc: str
    drill: bool
    numbers: dict[str, int]  # of each code, breaches after incidents
    entries: tuple[TallyEntry, ...]
    differences: tuple[DifferenceView, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the incidents of one line stand: on a node, or in a record that no node holds."""

    line_id: str
    peer: str
    book: IncidentBook
    landmarks: tuple[Landmark, ...] = ()


def shelf_of(line: Line) -> Shelf:
    """Return the incidents of a node's line."""
    terms = line.book.terms
    landmarks = () if terms is None else tuple(landmarks_of(terms))
    return Shelf(line.line_id, line.peer, line.book.incidents, landmarks)


def incident_row(
    shelf: Shelf, held: IncidentFile, outside: Sequence[incidents.Account], language: str
) -> IncidentRow:
    """Return an incident as a line of a list."""
    stated = held.what
    return IncidentRow(
        incident_id=held.incident_id,
        line_id=shelf.line_id,
        peer=shelf.peer,
        opened_by=held.opened.party,
        at_utc=stated.at_utc,
        what=stated.what.value,
        words=code_words(stated.what, language),
        drill=held.drill,
        accounts=dict(held.accounts_said),
        evidence=len(held.evidence),
        risk=_risks(shelf.book, held),
        differing=incidents.differing_fields([*held.told(), *outside]),
    )


def incident_view(
    shelf: Shelf, held: IncidentFile, outside: Sequence[incidents.Account], language: str
) -> IncidentView:
    """Return an incident whole."""
    stated = held.what
    told = [*held.told(), *outside]
    filed = {one.hash: one for one in held.accounts}
    return IncidentView(
        incident_id=held.incident_id,
        line_id=shelf.line_id,
        peer=shelf.peer,
        opened_by=held.opened.party,
        opened_message=held.opened.hash,
        stated_message=held.stated.hash,
        opened_utc=held.opened.created_utc,
        at_utc=stated.at_utc,
        what=stated.what.value,
        words=code_words(stated.what, language),
        place=place_view(stated.position.position, shelf.landmarks),
        level=None if stated.level is None else write_form(stated.level),
        drill=held.drill,
        text=message_text(
            Kind.INCIDENT, stated, party=held.stated.party, language=language, drill=held.drill
        ),
        accounts=tuple(_told(account, filed.get(account.message or "")) for account in told),
        accounts_said=dict(held.accounts_said),
        differing=incidents.differing_fields(told),
        times_apart_ms=dict(incidents.times_apart_ms(told)),
        places_apart_m=dict(incidents.places_apart_m(told)),
        implausible=tuple(
            OddView(
                odd.by,
                (odd.length_field, odd.time_field),
                round(odd.speed_mps, 1),
                odd.plausible_mps,
            )
            for account in told
            for odd in incidents.implausible_figures(account)
        ),
        evidence=tuple(
            EvidenceView(
                one.party,
                one.hash,
                one.body.sha256,
                one.body.length_bytes,
                one.body.media_type,
                one.created_utc,
            )
            for one in held.evidence
            if isinstance(one.body, Evidence)
        ),
        risk=_risks(shelf.book, held),
        risks=tuple(
            RiskView(
                one.party,
                one.hash,
                one.body.risk.value,
                word_for(ValueType.RISK, one.body.risk.value, language),
                one.created_utc,
            )
            for given in held.risks.values()
            for one in given
            if isinstance(one.body, Risk)
        ),
        breaches=tuple(
            _breach(shelf.book, noted, language)
            for message in held.breaches
            if (noted := shelf.book.counted(message)) is not None
        ),
    )


def said_tally_view(line: Line, said: Filed, language: str) -> TallyView:
    """Return a tally that was said, with every entry in which the record differs."""
    book = line.book.incidents
    tally = said.body
    if not isinstance(tally, Tally):
        raise TypeError(f"{said.hash} is no tally")
    return TallyView(
        line_id=line.line_id,
        peer=line.peer,
        by=said.party,
        message=said.hash,
        said_utc=said.created_utc,
        start_utc=tally.start_utc,
        end_utc=tally.end_utc,
        drill=said.drill,
        numbers=_numbers(tally),
        entries=_entries(book, tally, language),
        differences=tuple(_difference(one, language) for one in book.differences(said)),
    )


def own_count_view(line: Line, tally: Tally, *, drill: bool, language: str) -> TallyView:
    """Return our own count of a period, of which nothing was said yet."""
    return TallyView(
        line_id=line.line_id,
        peer=line.peer,
        by=None,
        message=None,
        said_utc=None,
        start_utc=tally.start_utc,
        end_utc=tally.end_utc,
        drill=drill,
        numbers=_numbers(tally),
        entries=_entries(line.book.incidents, tally, language),
        differences=(),
    )


def _risks(book: IncidentBook, held: IncidentFile) -> dict[str, str | None]:
    given = {party: held.risk_of(party) for party in (book.own, book.peer)}
    return {party: None if risk is None else risk.value for party, risk in given.items()}


def _told(account: incidents.Account, filed: Filed | None) -> ToldView:
    body = None if filed is None else filed.body
    return ToldView(
        by=account.by,
        message=account.message,
        said_utc=None if filed is None else filed.created_utc,
        fields=dict(account.fields),
        object_kind=account.object_kind,
        as_published=account.as_published,
        corrects=filed.ref if filed is not None and isinstance(body, Account) else None,
        late=filed is not None and filed.late,
    )


def _breach(book: IncidentBook, noted: Counted, language: str) -> BreachView:
    return BreachView(
        by=noted.party,
        message=noted.hash,
        breach=noted.word.value,
        words=code_words(noted.word, language),
        at_utc=format_utc(noted.at_ms),
        taken_back=book.is_taken_back(noted),
    )


def _numbers(tally: Tally) -> dict[str, int]:
    numbers = {word.value: len(named) for word, named in tally.incidents.items()}
    # A code of both lists, as AREA_ENTERED, is two things: an incident and a breach.
    return numbers | {f"BREACH_{word.value}": len(named) for word, named in tally.breaches.items()}


def _entries(book: IncidentBook, tally: Tally, language: str) -> tuple[TallyEntry, ...]:
    named: list[tuple[IncidentWord | BreachWord, tuple[str, ...]]] = [*tally.incidents.items()]
    named += tally.breaches.items()
    entries = []
    for word, messages in named:
        for message in messages:
            held = book.counted(message)
            entries.append(
                TallyEntry(
                    message=message,
                    word=word.value,
                    words=code_words(word, language),
                    by=None if held is None else held.party,
                    at_utc=None if held is None else format_utc(held.at_ms),
                )
            )
    return tuple(entries)


def _difference(one: Difference, language: str) -> DifferenceView:
    return DifferenceView(
        message=one.message,
        word=one.word.value,
        words=code_words(one.word, language),
        in_tally=one.in_tally,
        why=one.why.value,
    )
