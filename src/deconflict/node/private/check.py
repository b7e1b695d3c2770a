"""What is kept of a private check: the proposal, what became of it, which HELLOs served."""

from enum import StrEnum

import msgspec

from deconflict.messages.private_bodies import PrivatePropose
from deconflict.node.private.run import EndSaid, Run
from deconflict.node.private.submissions import KeptSubmissions

__all__ = ["AnswerSaid", "Check", "CheckFault", "CheckState", "KeptPrivate", "Served"]


class CheckState(StrEnum):
    """How far a check has come."""

    PROPOSED = "PROPOSED"  # one side proposes, the other has not answered
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    ENDED = "ENDED"  # by one side, for all runs that were to come


class CheckFault(StrEnum):
    """Why nothing can be run that a proposal says."""

    OTHER_DOCUMENT = "OTHER_DOCUMENT"  # no terms of this line have that document
    NO_PERIOD = "NO_PERIOD"  # no period begins then, or the last one ends too late
    NOTHING_TO_REFINE = "NOTHING_TO_REFINE"  # it names no run of an accepted coarse check
    NO_PROTECTOR = "NO_PROTECTOR"  # the sites are those of neither party
    NO_THIRD = "NO_THIRD"  # the mediator is one of the two
    NOT_REFINABLE = "NOT_REFINABLE"  # so close a look, or at those slots, is not agreed


class AnswerSaid(msgspec.Struct, frozen=True):
    """What the other side answered to a proposal."""

    message: str
    accepts: bool
    logged_ms: int


class Check(msgspec.Struct, frozen=True):
    """One proposal and what became of it.

    Attributes:
        proposal: the message, whose hash names the check.
        by: who proposed.
        own: True exactly when we did.
        body: what it says.
        drill: exercise only.
        logged_ms: when it became durable here.
        fault: why nothing of it can be run; None when it can.
        answer: the other side's first answer.
        own_end: how we ended all that was to come.
        peer_end: how the other side did.
    """

    proposal: str
    by: str
    own: bool
    body: PrivatePropose
    drill: bool
    logged_ms: int
    fault: CheckFault | None = None
    answer: AnswerSaid | None = None
    own_end: EndSaid | None = None
    peer_end: EndSaid | None = None

    @property
    def state(self) -> CheckState:
        """How far it has come. A proposal whose periods are over is nothing to be answered."""
        if self.ends:
            return CheckState.ENDED
        if self.answer is None:
            return CheckState.PROPOSED
        return CheckState.ACCEPTED if self.answer.accepts else CheckState.DECLINED

    @property
    def ends(self) -> tuple[EndSaid, ...]:
        """How all that was to come was ended, the earlier one here first."""
        ends = [end for end in (self.own_end, self.peer_end) if end is not None]
        return tuple(sorted(ends, key=lambda end: end.logged_ms))

    @property
    def was_accepted(self) -> bool:
        """True exactly when it was, ended since or not."""
        return self.answer is not None and self.answer.accepts


class Served(msgspec.Struct, frozen=True):
    """That a HELLO of the peer was said, and in which run first.

    Attributes:
        hello: its hash.
        proposal: the check of that run.
        number: which run.
        key: the key that it shows; None where it travelled in parts, or cannot be read.
    """

    hello: str
    proposal: str
    number: int
    key: str | None = None


class KeptPrivate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The private checks of one line as values.

    Attributes:
        documents: of each document that was in force, the acceptance that first brought it.
        checks: the oldest first.
        runs: of them, in the order in which they began.
        served: the peer's HELLOs.
        submissions: what was submitted to a mediator, on the line with it.
    """

    documents: tuple[str, ...]
    checks: tuple[Check, ...]
    runs: tuple[Run, ...]
    served: tuple[Served, ...]
    submissions: KeptSubmissions = KeptSubmissions()
