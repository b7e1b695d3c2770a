"""What one entry of a record changes on its line, for whoever tells people about it."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from deconflict.line.envelope import Envelope
from deconflict.messages.bodies import Body, SaidWord
from deconflict.messages.kinds import Kind
from deconflict.messages.talks import TalkFault
from deconflict.messages.terms import Terms, TermsSignature
from deconflict.node.incident_book import Misfiled
from deconflict.node.threads import Thread

__all__ = ["NotTaken", "Proposal", "Taken"]


class NotTaken(StrEnum):
    """Why what an entry says of something held changes nothing; also the alert that tells it."""

    OLDER_REVISION = "OLDER_REVISION"  # one as new or newer is held, and stays in force
    NOTHING_TO_CANCEL = "NOTHING_TO_CANCEL"  # none of that id was ever held
    NOTHING_TO_RESUME = "NOTHING_TO_RESUME"  # its author does not hold that scope suspended
    NOTHING_TO_CHANGE = "NOTHING_TO_CHANGE"  # nor this one
    EXERCISE_OF_REAL = "EXERCISE_OF_REAL"  # an exercise changes nothing that is none (R9)


class Taken(msgspec.Struct, frozen=True):
    """What one entry changed, for whoever tells people about it.

    Attributes:
        envelope: what was said.
        hash: its name.
        own: True exactly when we said it.
        delayed: it came past its expiry: known, never acted on.
        logged_ms: when it became durable here.
        body: its body; None when its author signed what this edition cannot read.
        acts: False exactly when it does nothing to the message that it cites, because it cannot be
            read, its kind cannot answer one of that kind, or it retypes a line check wrongly.
        opened: the thread it began.
        thread: the thread it acted on.
        ended: True exactly when that thread ended with it.
        not_taken: why it changed nothing of what it names.
        said_before: what the same side answered before to the same query, when it differs.
        ceased_before: True exactly when it reports on a cease request of which its side reported
            last that it was met.
        fault: why it changes nothing of the call that it is about.
        lapsed: threads of that call that no longer wait for an answer.
        misfiled: why it belongs to no incident, when it names one in vain.
    """

    envelope: Envelope
    hash: str
    own: bool
    delayed: bool
    logged_ms: int
    body: Body | None
    acts: bool = True
    opened: Thread | None = None
    thread: Thread | None = None
    ended: bool = False
    not_taken: NotTaken | None = None
    said_before: SaidWord | None = None
    ceased_before: bool = False
    fault: TalkFault | None = None
    lapsed: tuple[Thread, ...] = ()
    misfiled: Misfiled | None = None

    @property
    def kind(self) -> Kind:
        """Its kind."""
        return Kind(self.envelope.kind)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Terms that one side signed and the other has not."""

    terms: Terms
    terms_hash: str
    by: str
    signature: TermsSignature
    message_hash: str
