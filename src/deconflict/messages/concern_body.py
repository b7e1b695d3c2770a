"""What a side says of what comes too close: two declarations, or a hit of a private check."""

from typing import Final

from deconflict.airspace.position import Position
from deconflict.errors import InvalidDocumentError
from deconflict.messages.body import Body
from deconflict.messages.phrases import check_reason
from deconflict.messages.private_bodies import RunNumber
from deconflict.messages.wire_form import (
    DeclarationId,
    Hash,
    Place,
    ReachMm,
    UtcText,
    WireForm,
)

__all__ = ["CLOSER_THAN_MINIMA", "Concern", "HitSaid"]

CLOSER_THAN_MINIMA: Final = 311


class HitSaid(WireForm, frozen=True, omit_defaults=True):
    """A hit of a private check, as far as its owner says something of it.

    Nothing but the check and the run tells the peer only that there is one. When and where of its
    own plan, and how exactly, is its author's choice.

    Attributes:
        check: the PRIVATE_PROPOSE.
        run: which of its runs.
        start_utc, end_utc: a time within which it is; both or neither.
        position, reach_mm: a place within which it is; both or neither.
    """

    check: Hash
    run: RunNumber
    start_utc: UtcText | None = None
    end_utc: UtcText | None = None
    position: Place | None = None
    reach_mm: ReachMm | None = None

    def __post_init__(self) -> None:
        WireForm.__post_init__(self)
        for one, other in (("start_utc", "end_utc"), ("position", "reach_mm")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                raise InvalidDocumentError(
                    f"{one} and {other} go together", expected="both or neither"
                )
        begin, end = self.start_utc or "", self.end_utc or ""
        if end < begin:
            raise InvalidDocumentError(
                "what is said of a hit ends before it starts",
                given=f"from {begin} to {end}",
                expected="an end at its start or after it",
            )

    @property
    def around(self) -> tuple[Position, int] | None:
        """The place and the reach around it; None where none is said."""
        if self.position is None or self.reach_mm is None:
            return None
        return self.position.position, self.reach_mm


class Concern(Body, frozen=True):
    """CONCERN: what comes too close, one thread per conflict (R47). It is no veto.

    It names two declarations and the messages that made them, or a hit of a private check. Of a
    hit no reason is given: it is the reason.
    """

    first: DeclarationId | None = None
    second: DeclarationId | None = None
    first_message: Hash | None = None
    second_message: Hash | None = None
    reason: int = CLOSER_THAN_MINIMA
    hit: HitSaid | None = None

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        check_reason(self.reason)
        named = (self.first, self.second, self.first_message, self.second_message)
        missing = sum(each is None for each in named)
        if missing != (0 if self.hit is None else len(named)):
            raise InvalidDocumentError(
                "a concern is about two declarations, or about a hit of a private check",
                given=f"{len(named) - missing} of the four members of two declarations, "
                f"{'no' if self.hit is None else 'a'} hit",
                expected="first, second, first_message and second_message, or hit alone",
            )
        if self.hit is not None and self.reason != CLOSER_THAN_MINIMA:
            raise InvalidDocumentError(
                "a concern about a hit gives no reason: the hit is the reason",
                given=str(self.reason),
                expected="no reason",
            )
