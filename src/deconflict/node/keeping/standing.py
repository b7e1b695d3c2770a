"""How a node stands with the audit of its record: what is proven, what is not, and why not.

Three things are kept apart. The audit found the record wrong: the node ends. It found it right. Or
it could not be made, which says nothing of the record: the node goes on, says so, and what was not
proven stays unproven.
"""

from enum import StrEnum
from typing import Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.line.moment import Now
from deconflict.node.views import AuditView

__all__ = [
    "DEFAULT_TIMES",
    "AuditPhase",
    "AuditStanding",
    "AuditTimes",
    "Hindrance",
    "NotMade",
    "WentOnFrom",
]


class AuditPhase(StrEnum):
    """What the audit does."""

    WAITING = "WAITING"  # for its first turn
    RUNNING = "RUNNING"
    DONE = "DONE"  # the whole record was proven, and says what was kept of it
    NOT_DONE = "NOT_DONE"  # it could not look; why is said beside


class Hindrance(StrEnum):
    """Why an audit could not be made; each has its words in every language."""

    NO_ROOM = "NO_ROOM"  # on the disk, for a copy
    NOT_BEGUN = "NOT_BEGUN"  # the system gave no process
    ENDED = "ENDED"  # the process ended, or was killed, before it said what it found
    STOOD_STILL = "STOOD_STILL"  # it made no headway and was killed
    UNREADABLE = "UNREADABLE"  # what it said is none of its words
    LOG_GREW = "LOG_GREW"  # the copy took so long that the write-ahead log grew too far
    FILES = "FILES"  # a file could not be read or written
    NOT_COMPARABLE = "NOT_COMPARABLE"  # the record was proven; what the start went on from was not
    LASTS = "LASTS"  # none: it has begun, and is not done
    OTHER = "OTHER"


class NotMade(Exception):  # noqa: N818  (never leaves `keeping`: it ends one attempt)
    """An audit could not be made, which says nothing of the record.

    Attributes:
        hindrance: why, as a desk is told.
        problem: the same for who looks after the machine.
    """

    def __init__(self, hindrance: Hindrance, problem: str) -> None:
        super().__init__(problem)
        self.hindrance = hindrance
        self.problem = problem


class AuditTimes(msgspec.Struct, frozen=True):
    """How long the audits of a node wait for what; a person sets none of it.

    Attributes:
        settle_s: between a start that has verified everything and the first audit, which only
            keeps what that came to.
        every_s: between one that was made and the next.
        again_s: between one that could not be made and the next attempt; doubled each time.
        again_longest_s: to no more than this.
        silent_s: a process that says nothing for so long is killed. Its longest piece of work
            between two words is to write what it found, seconds for a million messages; where
            others never rest it gets three thousandths of a processor.
        copying_silent_s: the same while it copies: it says a word for every 16 MiB, and until it
            is done the write-ahead log cannot be moved into the record.
        hold_longest_s: the record is left as the start has read it for so long at most, where
            attempts fail before it was copied.
        overdue_s: a start may rest on what nobody has proven for so long; then its desk is told at
            IMMEDIATE. An audit of a million messages takes some twenty minutes beside load: an
            hour is room for that, and for six attempts that fail at once.
        unlooked_s: the same for a record that the start has read and proven whole, of which a day
            is between two audits; at ROUTINE.
    """

    settle_s: float = 60.0
    every_s: float = 86_400.0
    again_s: float = 60.0
    again_longest_s: float = 3_600.0
    silent_s: float = 1_800.0
    copying_silent_s: float = 60.0
    hold_longest_s: float = 300.0
    overdue_s: float = 3_600.0
    unlooked_s: float = 172_800.0


DEFAULT_TIMES: Final = AuditTimes()


class WentOnFrom(msgspec.Struct, frozen=True):
    """What a start did not read.

    Attributes:
        entries: how many, the first ones of each chain.
        audited_ms: when they were proven last, as part of the whole record.
    """

    entries: int
    audited_ms: int


class AuditStanding(msgspec.Struct, frozen=True):
    """How the audit stands.

    Attributes:
        started: when the node was; all that it read then was proven.
        behind: what it did not read, for as long as no audit has proven it since.
        times: how long what may last.
        phase: what is going on.
        entries: how many were read in this audit, or in the last one.
        done_ms: when the whole record was proven last by an audit of this run.
        tried_ms: when the last attempt failed; None since one was made.
        hindrance, problem: why.
        again_ms: when the next one begins.
    """

    started: Now
    behind: WentOnFrom | None = None
    times: AuditTimes = DEFAULT_TIMES
    phase: AuditPhase = AuditPhase.WAITING
    entries: int = 0
    done_ms: int | None = None
    tried_ms: int | None = None
    hindrance: Hindrance | None = None
    problem: str = ""
    again_ms: int | None = None

    def is_overdue(self, now: Now) -> bool:
        """True exactly when the node rests on what nobody has proven, for too long."""
        lasted_ms = now.monotonic_ms - self.started.monotonic_ms
        return self.behind is not None and lasted_ms >= self.times.overdue_s * 1_000

    def is_unlooked(self, now: Now) -> bool:
        """True exactly when all was proven once, too long ago, and an attempt failed since."""
        return (
            self.behind is None
            and self.hindrance is not None
            and now.utc_ms - self.proven_ms >= self.times.unlooked_s * 1_000
        )

    @property
    def proven_ms(self) -> int:
        """When the whole record was proven last."""
        if self.done_ms is not None:
            return self.done_ms
        return self.started.utc_ms if self.behind is None else self.behind.audited_ms

    def view(self, now: Now) -> AuditView:
        """Return it as it is shown."""
        behind = self.behind
        return AuditView(
            phase=self.phase.value,
            entries=self.entries,
            behind=behind is not None,
            done_utc=_shown(self.done_ms),
            problem=self.problem,
            unproven_entries=0 if behind is None else behind.entries,
            unproven_since_utc=None if behind is None else _shown(behind.audited_ms),
            overdue=self.is_overdue(now),
            hindrance=None if self.hindrance is None else self.hindrance.value,
            tried_utc=_shown(self.tried_ms),
            again_utc=_shown(self.again_ms),
        )


def _shown(ms: int | None) -> str | None:
    return None if ms is None else format_utc(ms // 1_000 * 1_000)
