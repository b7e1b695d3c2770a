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
    """When the last check was, and whose; as values."""

    last_ms: int | None
    last_by: str | None


class LineChecks:
    """The checks of one line, as its record tells them."""

    def __init__(self, own: str, peer: str) -> None:
        self._parties = sorted((own, peer))
        self._last_ms: int | None = None
        self._last_by: str | None = None

    def kept(self) -> KeptChecks:
        """Return all of it as values."""
        return KeptChecks(self._last_ms, self._last_by)

    def take_up(self, kept: KeptChecks) -> None:
        """Go on from what was kept."""
        self._last_ms, self._last_by = kept.last_ms, kept.last_by

    def begin(self, at_ms: int) -> None:
        """Reckon from here, where no check came before: the terms are in force."""
        if self._last_ms is None:
            self._last_ms = at_ms

    def done(self, by: str, at_ms: int) -> None:
        """Note a check that ``by`` sent and the other side retyped rightly at this time."""
        self._last_ms, self._last_by = at_ms, by

    def following(self, every_ms: int) -> CheckDue | None:
        """Return the next check, due already or not yet; None when nothing is agreed yet."""
        return None if self._last_ms is None else self.due(every_ms, self._last_ms + every_ms)

    def due(self, every_ms: int, now_ms: int) -> CheckDue | None:
        """Return the check that is due now; None when none is, or nothing is agreed yet."""
        if self._last_ms is None or now_ms < self._last_ms + every_ms:
            return None
        since_ms = self._last_ms + every_ms
        # In turn: each side then knows that it can both call and be called.
        turn = next(party for party in self._parties if party != self._last_by)
        return CheckDue(turn, since_ms, since_ms + every_ms // _GRACE_SHARE, self._last_ms)
