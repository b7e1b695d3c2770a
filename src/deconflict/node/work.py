"""One turn of a node: what must be durable together, and what may happen only afterwards.

The core never writes and never sends. It fills a :class:`Work`; whoever drives it makes the batch
durable in one transaction and then calls :meth:`Work.finish`. Signing an own entry, receipting the
peer's and showing an event are all things that happen in ``finish``: if we crash before it, the
rows are there and the same statements are made again after the restart, to the same bytes.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from deconflict.airspace.instant import parse_utc
from deconflict.line.moment import Now
from deconflict.node.views import EventView
from deconflict.store.base import (
    Batch,
    CheckpointRow,
    DelayedRow,
    EntryRow,
    EventRow,
    EvidenceRow,
    LineRow,
    NoteRow,
    ReceiptRow,
    SignatureRow,
    TermsRow,
    WholeChain,
)

__all__ = ["Driver", "Work"]


class Work:
    """What one turn wants kept and done."""

    def __init__(self) -> None:
        self.lines: list[LineRow] = []
        self.terms: list[TermsRow] = []
        self.entries: list[EntryRow] = []
        self.signatures: list[SignatureRow] = []
        self.receipts: list[ReceiptRow] = []
        self.checkpoints: list[CheckpointRow] = []
        self.evidence: list[EvidenceRow] = []
        self.notes: list[NoteRow] = []
        self.whole: list[WholeChain] = []
        self.delayed: list[DelayedRow] = []
        self.events: list[EventView] = []
        self.wake: set[str] = set()
        self._then: list[Callable[[Now], None]] = []

    def then(self, action: Callable[[Now], None]) -> None:
        """Have ``action`` called once everything of this turn is durable."""
        self._then.append(action)

    def is_empty(self) -> bool:
        """True exactly when there is nothing to keep and nothing to do."""
        return not (
            self._then
            or self.lines
            or self.terms
            or self.entries
            or self.signatures
            or self.receipts
            or self.checkpoints
            or self.evidence
            or self.notes
            or self.whole
            or self.delayed
            or self.events
        )

    def merge(self, later: "Work") -> None:
        """Add what a later turn wants, to be kept in the same transaction."""
        for mine, theirs in (
            (self.lines, later.lines),
            (self.terms, later.terms),
            (self.entries, later.entries),
            (self.signatures, later.signatures),
            (self.receipts, later.receipts),
            (self.checkpoints, later.checkpoints),
            (self.evidence, later.evidence),
            (self.notes, later.notes),
            (self.whole, later.whole),
            (self.delayed, later.delayed),
            (self.events, later.events),
        ):
            mine.extend(theirs)  # type: ignore[arg-type]
        self.wake |= later.wake
        self._then.extend(later._then)

    def batch(self) -> Batch:
        """Return what must become durable, all or nothing."""
        return Batch(
            lines=self.lines,
            terms=self.terms,
            entries=self.entries,
            signatures=self.signatures,
            receipts=self.receipts,
            checkpoints=self.checkpoints,
            evidence=self.evidence,
            events=[_event_row(event) for event in self.events],
            notes=self.notes,
            whole=self.whole,
            delayed=self.delayed,
        )

    def finish(self, now: Now) -> None:
        """Do what had to wait until the batch was durable. Call once, after it is."""
        for action in self._then:
            action(now)


class Driver(Protocol):
    """What drives the core: it has the time, and makes the core's work durable."""

    def now(self) -> Now:
        """Return the present."""
        ...

    def commit(self, work: Work) -> Awaitable[None]:
        """Make a work durable, then finish it."""
        ...


def _event_row(event: EventView) -> EventRow:
    return EventRow(
        event_id=event.event_id,
        at_utc_ms=parse_utc(event.at_utc),
        kind=event.kind,
        data=event.data_json,
    )
