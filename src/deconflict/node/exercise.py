"""An exercise on a line: how long one may last, who announced one, and what ends it at once.

Decisions only. What a node's own desk writes meanwhile is marked by `node.drills`.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from deconflict.line.delivery import counts_as
from deconflict.line.envelope import Envelope
from deconflict.line.precedence import Precedence
from deconflict.messages.bodies import Body
from deconflict.messages.drill_bodies import DrillBegin, DrillEnd
from deconflict.messages.kinds import KIND_RULES, NEVER_EXERCISE
from deconflict.node.declared import Declared
from deconflict.node.hashes import parted

__all__ = ["LONGEST_MS", "Announced", "Announcement", "Exercise", "Marks", "ends_exercise"]

# Chosen: one day. Whoever forgets to end an exercise must not be found still in it by a real need.
LONGEST_MS: Final = 86_400_000


class Exercise(msgspec.Struct, frozen=True):
    """The last exercise of one line, as this node's own desk began it.

    Attributes:
        line_id: the line.
        desk: which desk began it.
        begun_ms: since when what this side writes is marked.
        until_ms: when it ends by itself.
        announced: whether the peer was told.
        after_event: the last event of the record before it began.
        ended_ms: when it ended; None while it lasts.
        cut_by: the real message of FLASH precedence that ended it; None when none did.
    """

    line_id: str
    desk: str
    begun_ms: int
    until_ms: int
    announced: bool = False
    after_event: int = 0
    ended_ms: int | None = None
    cut_by: str | None = None

    def is_on(self, now_ms: int) -> bool:
        """True exactly when what is written now is marked."""
        return self.ended_ms is None and now_ms < self.until_ms


class Announcement(msgspec.Struct, frozen=True):
    """An exercise as its own side announced it.

    Attributes:
        message: what announced it.
        begun_ms: when that became durable here.
        until_ms: when it ends by itself.
        ended_ms: when it was ended before; None when it was not.
        cut_by: the real message of FLASH precedence that ended it.
    """

    message: str
    begun_ms: int
    until_ms: int
    ended_ms: int | None = None
    cut_by: str | None = None

    def is_on(self, now_ms: int) -> bool:
        """True exactly when it lasts."""
        return self.ended_ms is None and now_ms < self.until_ms


class Announced:
    """What the two sides of one line announced of their exercises, as the record leaves it."""

    def __init__(self) -> None:
        self._by: dict[str, Announcement] = {}  # the last of each party

    def take(
        self,
        envelope: Envelope,
        message_hash: str,
        body: Body | None,
        *,
        party: str,
        logged_ms: int,
    ) -> None:
        """Let one entry of the record begin or end what its author announced."""
        if ends_exercise(envelope):
            for each in tuple(self._by):
                self._end(each, logged_ms, cut_by=message_hash)
        match body:
            case DrillBegin():
                until_ms = min(body.until_ms, logged_ms + LONGEST_MS)
                self._by[party] = Announcement(message_hash, logged_ms, until_ms)
            case DrillEnd():
                self._end(party, logged_ms)

    def kept(self) -> dict[str, Announcement]:
        """Return all of it as values: the last of each party."""
        return dict(self._by)

    def take_up(self, kept: Mapping[str, Announcement]) -> None:
        """Go on from what was kept."""
        self._by.update(kept)

    def last(self, party: str) -> Announcement | None:
        """Return the exercise that a side announced last, over or not; None when it never did."""
        return self._by.get(party)

    def until_ms(self, party: str, now_ms: int) -> int | None:
        """Return when the exercise that a side announced is over; None when none lasts."""
        held = self._by.get(party)
        return held.until_ms if held is not None and held.is_on(now_ms) else None

    def message(self, party: str, now_ms: int) -> str | None:
        """Return the message that announced the exercise of a side; None when none lasts."""
        held = self._by.get(party)
        return held.message if held is not None and held.is_on(now_ms) else None

    def _end(self, party: str, at_ms: int, *, cut_by: str | None = None) -> None:
        held = self._by.get(party)
        if held is not None and held.is_on(at_ms):
            self._by[party] = msgspec.structs.replace(held, ended_ms=at_ms, cut_by=cut_by)


class Marks:
    """Which messages of one line are exercise; 32 bytes for each that is."""

    def __init__(self) -> None:
        self._marked: set[bytes] = set()

    def kept(self) -> bytes:
        """Return the hashes of all that are marked, one behind the other, sorted."""
        return b"".join(sorted(self._marked))

    def take_up(self, kept: bytes) -> None:
        """Go on from what was kept."""
        self._marked.update(parted(kept))

    def crosses(self, envelope: Envelope, message_hash: str, names: Declared | None) -> bool:
        """Take an entry; True exactly when it is exercise and about what is none.

        ``names`` is what its own side has declared under the id that it declares or cancels.
        """
        if not envelope.drill:
            return False
        self._marked.add(bytes.fromhex(message_hash))
        cited = None if envelope.ref is None else bytes.fromhex(envelope.ref)
        return (
            envelope.kind in NEVER_EXERCISE
            or (cited is not None and cited not in self._marked)
            or (names is not None and not names.drill)
        )


def ends_exercise(envelope: Envelope) -> bool:
    """True exactly when it asks, in earnest and at FLASH: no exercise goes on beside that.

    What answers one is real as well, and the question came before it.
    """
    rule = KIND_RULES.get(envelope.kind)  # of a kind unknown here: whatever it is, it is FLASH
    asks = rule is None or rule.needs_answer
    counts = counts_as(envelope.kind, envelope.prec, KIND_RULES)
    return asks and not envelope.drill and counts is Precedence.FLASH
