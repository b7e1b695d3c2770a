"""What an envelope that arrived leads to, as the line decides it."""

from dataclasses import dataclass

from deconflict.line.incoming import Evidence, IncomingEntry, Outcome
from deconflict.line.packets import Want
from deconflict.line.receipt import SealedReceipt
from deconflict.line.statement import ChainPoint

__all__ = ["Heard"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What an envelope led to.

    Attributes:
        outcome: what became of it.
        entries: what may be logged now, in order: this one, and held ones that follow it.
        receipt: for a duplicate, the current receipt, to be sent again; None when nothing is
            durable yet.
        want: a question for missing slots, to be sent at once.
        evidence: signed things to be kept beside the log.
        refused: its slot, when it is next in order and there is no room for it.
    """

    outcome: Outcome
    entries: tuple[IncomingEntry, ...] = ()
    receipt: SealedReceipt | None = None
    want: Want | None = None
    evidence: tuple[Evidence, ...] = ()
    refused: ChainPoint | None = None
