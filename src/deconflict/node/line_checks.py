"""When the next check of a line by people is due, and whose turn it is (R5).

Both sides reckon it from what both hold: the last check whose text a person of the other side
retyped rightly. So a check that nobody made shows at both ends.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

__all__ = ["CheckDue", "KeptChecks", "LineChecks"]

_GRACE_SHARE: Final = 6  # of an hour, ten minutes


@dataclass(frozen=True, slots=True)
class CheckDue:
    """A check that is due.

    Attributes:
        by: the party whose turn it is.
        since_ms: when it fell due.
        missed_ms: from when on it counts as missed.
        last_ms: when the line was last checked, or its terms agreed.
    """

    by: str
    since_ms: int
    missed_ms: int
    last_ms: int


class KeptChecks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the last check was, whose, and before when the next is not due; as values."""

    last_ms: int | None
    last_by: str | None
    not_before_ms: int


class LineChecks:
    """The checks of one line, as its record tells them."""

    def __init__(self, own: str, peer: str) -> None:
        self._parties = sorted((own, peer))
        self._last_ms: int | None = None
        self._last_by: str | None = None
        self._not_before_ms = 0  # terms with a shorter interval came into force meanwhile

    def kept(self) -> KeptChecks:
        """Return all of it as values."""
        return KeptChecks(self._last_ms, self._last_by, self._not_before_ms)

    def take_up(self, kept: KeptChecks) -> None:
        """Go on from what was kept."""
        self._last_ms, self._last_by = kept.last_ms, kept.last_by
        self._not_before_ms = kept.not_before_ms

    def begin(self, at_ms: int, every_ms: int, before_ms: int | None) -> None:
        """Reckon by terms that come into force here.

        Where no check came before it is reckoned from here. Otherwise a shorter interval makes no
        check due that the terms before did not: it counts from here at the earliest.

        Args:
            at_ms: when the terms came into force.
            every_ms: how often they want a check.
            before_ms: how often those before did; None where there were none.
        """
        if self._last_ms is None:
            self._last_ms = at_ms
        elif before_ms is not None and every_ms < before_ms:
            was_due_ms = max(self._last_ms + before_ms, self._not_before_ms)
            self._not_before_ms = min(was_due_ms, at_ms + every_ms)

    def done(self, by: str, at_ms: int) -> None:
        """Note a check that ``by`` sent and the other side retyped rightly at this time."""
        self._last_ms, self._last_by, self._not_before_ms = at_ms, by, 0

    def following(self, every_ms: int) -> CheckDue | None:
        """Return the next check, due already or not yet; None when nothing is agreed yet."""
        if self._last_ms is None:
            return None
        return self.due(every_ms, max(self._last_ms + every_ms, self._not_before_ms))

    def due(self, every_ms: int, now_ms: int) -> CheckDue | None:
        """Return the check that is due now; None when none is, or nothing is agreed yet."""
        if self._last_ms is None:
            return None
        # Logged by a clock that ran ahead and was set back: it was now at the latest. Else no check
        # would be due before that time has come, and a check that nobody made would not show.
        self._last_ms = min(self._last_ms, now_ms)
        since_ms = max(self._last_ms + every_ms, self._not_before_ms)
        if now_ms < since_ms:
            return None
        # In turn: each side then knows that it can both call and be called.
        turn = next(party for party in self._parties if party != self._last_by)
        return CheckDue(turn, since_ms, since_ms + every_ms // _GRACE_SHARE, self._last_ms)
