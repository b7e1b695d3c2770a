"""What was submitted to a mediator on one line, and what came of it, as its record leaves it.

A fold of the record, beside the private checks of the same line: pure, and from either side the
same. At one of the two who are checked the submissions are its own, at the mediator they are the
peer's. What is submitted twice for one session is answered once.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from deconflict.airspace.instant import parse_utc
from deconflict.messages.mediated_bodies import PrivateMediation, PrivateSubmit
from deconflict.messages.private_bodies import PrivateEnd
from deconflict.node.private.run import EndSaid

__all__ = ["KeptSubmissions", "MediationSaid", "SubmissionSaid", "Submissions"]

_KEPT: Final = 64  # of each side; the record has all of them


class MediationSaid(msgspec.Struct, frozen=True):
    """What the mediator answered."""

    message: str
    body: PrivateMediation
    logged_ms: int


class SubmissionSaid(msgspec.Struct, frozen=True):
    """One submission and what became of it.

    Attributes:
        message: the PRIVATE_SUBMIT.
        own: True exactly when we submitted it; else we are to answer.
        body: what it announces.
        drill: exercise only.
        logged_ms: when it became durable here.
        answer: the first answer of the other side.
        own_end: how we ended it.
        peer_end: how the other side did.
    """

    message: str
    own: bool
    body: PrivateSubmit
    drill: bool
    logged_ms: int
    answer: MediationSaid | None = None
    own_end: EndSaid | None = None
    peer_end: EndSaid | None = None

    @property
    def ends(self) -> tuple[EndSaid, ...]:
        """How it was ended, the earlier one here first."""
        ends = [end for end in (self.own_end, self.peer_end) if end is not None]
        return tuple(sorted(ends, key=lambda end: end.logged_ms))

    @property
    def is_over(self) -> bool:
        """True exactly when nothing more is to be said of it."""
        return self.answer is not None or bool(self.ends)

    @property
    def expires_ms(self) -> int:
        """When the answer is not wanted any more."""
        return parse_utc(self.body.expires_utc)


class KeptSubmissions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The submissions of one line as values.

    Attributes:
        said: the oldest first.
        answered: the sessions of the peer's that we answered, ever.
    """

    said: tuple[SubmissionSaid, ...] = ()
    answered: tuple[str, ...] = ()


class Submissions:
    """The submissions of one line.

    Args:
        own: our party.
        peer: the other.
    """

    def __init__(self, own: str, peer: str) -> None:
        self._own, self._peer = own, peer
        self._said: dict[str, SubmissionSaid] = {}  # by message
        self._answered: dict[str, None] = {}  # sessions, in the order in which we answered them

    def __iter__(self) -> Iterator[SubmissionSaid]:
        return iter(tuple(self._said.values()))

    # ---- what is known -------------------------------------------------------------------------

    def get(self, message: str | None) -> SubmissionSaid | None:
        """Return what was submitted by a message; None where it is known none."""
        return None if message is None else self._said.get(message)

    def own_of(self, session: str) -> SubmissionSaid | None:
        """Return the first that we submitted for a session; None where we did not."""
        return next(
            (said for said in self._said.values() if said.own and said.body.session == session),
            None,
        )

    def waiting(self) -> Iterator[SubmissionSaid]:
        """Yield those of the peer that wait for our answer, the oldest first."""
        return (said for said in self if not said.own and not said.is_over)

    def was_answered(self, session: str) -> bool:
        """True exactly when we have answered the peer about a session."""
        return session in self._answered

    def is_named(self, message: str) -> bool:
        """True exactly when a message submits, or answers, one of those kept here."""
        return message in self._said or any(
            said.answer is not None and said.answer.message == message
            for said in self._said.values()
        )

    # ---- what changes it -----------------------------------------------------------------------

    def submit(
        self, body: PrivateSubmit, message: str, *, own: bool, drill: bool, logged_ms: int
    ) -> None:
        """Take what one side submits to the other."""
        self._said[message] = SubmissionSaid(message, own, body, drill, logged_ms)
        mine = [said for said in self._said.values() if said.own is own]
        if len(mine) > _KEPT:
            # The oldest whatever became of it: which that is, both sides see alike.
            del self._said[mine[0].message]

    def answer(
        self, body: PrivateMediation, message: str, *, ref: str | None, own: bool, logged_ms: int
    ) -> None:
        """Take what the side that was asked answers; the first answer stands."""
        said = self.get(ref)
        if said is None or said.own is own or said.answer is not None:
            return
        answer = MediationSaid(message, body, logged_ms)
        self._said[said.message] = msgspec.structs.replace(said, answer=answer)
        if own:
            self._answered[said.body.session] = None

    def end(self, body: PrivateEnd, message: str, *, ref: str, own: bool, logged_ms: int) -> None:
        """Take that a side ends what was submitted; of two ends that cross both stand."""
        said = self._said[ref]
        end = EndSaid(message, self._own if own else self._peer, body.reason, logged_ms)
        if own and said.own_end is None:
            self._said[ref] = msgspec.structs.replace(said, own_end=end)
        elif not own and said.peer_end is None:
            self._said[ref] = msgspec.structs.replace(said, peer_end=end)

    # ---- kept ----------------------------------------------------------------------------------

    def kept(self) -> KeptSubmissions:
        """Return all of it as values."""
        return KeptSubmissions(tuple(self._said.values()), tuple(self._answered))

    def take_up(self, kept: KeptSubmissions) -> None:
        """Go on from what was kept; only of one that is new."""
        self._said.update({said.message: said for said in kept.said})
        self._answered.update(dict.fromkeys(kept.answered))
