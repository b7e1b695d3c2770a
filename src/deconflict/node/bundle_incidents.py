"""The incidents, breach notes and tallies of a record that is verified offline, by no node.

They are counted by the same functions as on a node, so a stranger with the file and two public
keys gets the numbers that both sides had.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import Body
from deconflict.messages.incident_bodies import Evidence, Incident
from deconflict.messages.kinds import Kind
from deconflict.node.incident_book import INCIDENT_KINDS, Filed, IncidentBook
from deconflict.node.incident_views import IncidentView, Shelf, incident_view
from deconflict.node.line import read_body

__all__ = ["NamedFile", "RecordedIncidents", "RecordedSummary"]


@dataclass(frozen=True, slots=True)
class NamedFile:
    """Who named a file as evidence, in which message, of which incident."""

    by: str
    message: str
    incident_id: str
    sha256: str
    length_bytes: int
    media_type: str
    created_utc: str


@dataclass(frozen=True, slots=True)
class RecordedSummary:
    """What a record holds of incidents, in numbers.

    ``tallies_differing`` are those of the last tallies of each party, at most 16, that name another
    entry than the record gives.
    """

    incidents: int
    accounts: int
    files: int
    breach_notes: int
    tallies: int
    tallies_compared: int
    tallies_differing: tuple[str, ...]


class RecordedIncidents:
    """Looks at the entries of a record while it is verified."""

    def __init__(self) -> None:
        self._later: list[tuple[Envelope, str, Body, bool]] = []
        self._first: list[tuple[Envelope, str, Body, bool]] = []
        self._told: Counter[str] = Counter()
        self._evidence: list[NamedFile] = []
        self._book: IncidentBook | None = None
        self._read = False

    def look(self, envelope: Envelope, message_hash: str, late: bool) -> None:
        """Take one entry, in the order of its chain; that of the two chains does not matter."""
        if self._book is None:
            self._book = IncidentBook(envelope.sender.party, envelope.to.party)
        self._book.pass_by(envelope, own=envelope.sender.party == self._book.own)
        if envelope.kind not in INCIDENT_KINDS:
            return
        body = read_body(envelope)
        if body is None:
            return
        self._told[envelope.kind] += 1
        if isinstance(body, Evidence):
            self._evidence.append(
                NamedFile(
                    envelope.sender.party,
                    message_hash,
                    body.incident_id,
                    body.sha256,
                    body.length_bytes,
                    body.media_type,
                    envelope.created_utc,
                )
            )
        # One chain stands behind the other in the file: what opens an incident comes first.
        kept = self._first if isinstance(body, Incident) else self._later
        kept.append((envelope, message_hash, body, late))

    @property
    def book(self) -> IncidentBook:
        """The incidents as a node has them that read the whole record."""
        book = IncidentBook("", "") if self._book is None else self._book
        if not self._read:
            self._read = True
            for envelope, message_hash, body, late in (*self._first, *self._later):
                own = envelope.sender.party == book.own
                book.take(envelope, message_hash, body, own=own, late=late)
        return book

    def named(self, sha256: str, length_bytes: int) -> tuple[NamedFile, ...]:
        """Return who named a file of this hash and length as evidence."""
        return tuple(
            each
            for each in self._evidence
            if (each.sha256, each.length_bytes) == (sha256, length_bytes)
        )

    def pages(self, line_id: str, by: str, language: str) -> tuple[IncidentView, ...]:
        """Return each incident whole, the latest first; ``by`` exported the record.

        What sources without a line said was never in the record.
        """
        book = self.book
        shelf = Shelf(line_id, book.own if by == book.peer else book.peer, book)
        views = [incident_view(shelf, held, (), language) for held in book]
        return tuple(sorted(views, key=lambda view: (view.at_utc, view.incident_id), reverse=True))

    def summary(self) -> RecordedSummary:
        """Return the numbers, and which tallies differ from what the record gives."""
        compared: Sequence[Filed] = self.book.tallies()
        return RecordedSummary(
            incidents=len(self.book),
            accounts=self._told[Kind.ACCOUNT],
            files=len(self._evidence),
            breach_notes=self._told[Kind.BREACH_NOTE],
            tallies=self._told[Kind.TALLY],
            tallies_compared=len(compared),
            tallies_differing=tuple(
                filed.hash for filed in compared if self.book.differences(filed)
            ),
        )
