"""How urgent a message is, and how long each step of its way may take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

__all__ = ["DEFAULT_TIMERS", "Limits", "Precedence", "Rung", "Step", "Timers"]


class Precedence(StrEnum):
    """The four precedences, most urgent first."""

    FLASH = "FLASH"
    IMMEDIATE = "IMMEDIATE"
    PRIORITY = "PRIORITY"
    ROUTINE = "ROUTINE"


class Step(StrEnum):
    """Whom an alarm turns to. The line says it; the node and its people do it."""

    OWN_DESK = "OWN_DESK"
    SECOND_DESK = "SECOND_DESK"
    PEER_ALTERNATE = "PEER_ALTERNATE"
    VOICE = "VOICE"
    NEXT_TIER = "NEXT_TIER"
    HOLD = "HOLD"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, in milliseconds, until a receipt, a person's eyes, an answer are overdue."""

    lack_ms: int
    seen_ms: int
    answer_ms: int


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the escalation ladder: ``after_ms`` past the message's last limit."""

    after_ms: int
    steps: tuple[Step, ...]


# line.md §4. FLASH answers are due after 30 s, so its rungs fall at 30, 60 and 120 s.
_LIMITS: Final = {
    Precedence.FLASH: Limits(2_000, 10_000, 30_000),
    Precedence.IMMEDIATE: Limits(5_000, 60_000, 120_000),
    Precedence.PRIORITY: Limits(30_000, 600_000, 1_800_000),
    Precedence.ROUTINE: Limits(120_000, 3_600_000, 14_400_000),
}
_ONCE: Final = (Rung(0, (Step.OWN_DESK, Step.SECOND_DESK)),)
_LADDERS: Final = {
    Precedence.FLASH: (
        Rung(0, (Step.OWN_DESK, Step.SECOND_DESK, Step.PEER_ALTERNATE)),
        Rung(30_000, (Step.VOICE,)),
        Rung(90_000, (Step.NEXT_TIER, Step.HOLD)),
    ),
    Precedence.IMMEDIATE: _ONCE,
    Precedence.PRIORITY: _ONCE,
    Precedence.ROUTINE: _ONCE,
}


@dataclass(frozen=True, slots=True)
class Timers:
    """All durations of a line. The defaults hold unless the terms set others.

    Attributes:
        limits: for every precedence.
        ladders: for every precedence, at least one rung, rising.
        retry_ms: pause before each repetition; the last one repeats.
        clock_tolerance_ms: how far both clocks may be apart beyond what was measured, before a
            message past its expiry counts as late.
    """

    limits: Mapping[Precedence, Limits] = field(default_factory=lambda: dict(_LIMITS))
    ladders: Mapping[Precedence, tuple[Rung, ...]] = field(default_factory=lambda: dict(_LADDERS))
    retry_ms: tuple[int, ...] = (500, 1_000, 2_000, 5_000)
    clock_tolerance_ms: int = 2_000


DEFAULT_TIMERS: Final = Timers()
