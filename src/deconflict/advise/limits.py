"""How much a planner is willing to change, and in which steps."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from deconflict.errors import InvalidInputError
from deconflict.units import MILLIMETRES_PER_NAUTICAL_MILE, TMM_PER_FOOT

__all__ = ["ChangeKind", "SearchLimits"]

_MINUTE_MS: Final = 60_000
_MAX_SHIFT_MS: Final = 86_400_000  # a day either way: beyond it the flight is another flight
_MAX_LEVEL_TMM: Final = 100_000 * TMM_PER_FOOT
_MAX_OFFSET_MM: Final = 200 * MILLIMETRES_PER_NAUTICAL_MILE
_MAX_STEPS: Final = 200  # each way; each step of an offset is looked at by itself


class ChangeKind(StrEnum):
    """One way to change a plan."""

    SHIFT = "SHIFT"
    """The same flight earlier or later."""
    LEVEL = "LEVEL"
    """The same flight higher or lower."""
    OFFSET = "OFFSET"
    """The same flight to the right or left of its path."""


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """The greatest changes to look at, and the steps they come in; 0 leaves a kind out.

    ``not_before_ms`` is the earliest departure that is still possible, None when none is too early.

    Raises:
        InvalidInputError: a limit is negative or beyond a day, 100,000 ft or 200 NM; a step is not
            above 0; an offset would have more than 200 steps to a side.
    """

    earlier_ms: int = 30 * _MINUTE_MS
    later_ms: int = 30 * _MINUTE_MS
    shift_step_ms: int = 1_000
    down_tmm: int = 4_000 * TMM_PER_FOOT
    up_tmm: int = 4_000 * TMM_PER_FOOT
    level_step_tmm: int = 1_000 * TMM_PER_FOOT
    left_mm: int = 20 * MILLIMETRES_PER_NAUTICAL_MILE
    right_mm: int = 20 * MILLIMETRES_PER_NAUTICAL_MILE
    offset_step_mm: int = MILLIMETRES_PER_NAUTICAL_MILE
    not_before_ms: int | None = None

    def __post_init__(self) -> None:
        for value, most, what in (
            (self.earlier_ms, _MAX_SHIFT_MS, "the greatest shift"),
            (self.later_ms, _MAX_SHIFT_MS, "the greatest shift"),
            (self.down_tmm, _MAX_LEVEL_TMM, "the greatest change of level"),
            (self.up_tmm, _MAX_LEVEL_TMM, "the greatest change of level"),
            (self.left_mm, _MAX_OFFSET_MM, "the greatest offset"),
            (self.right_mm, _MAX_OFFSET_MM, "the greatest offset"),
        ):
            if not 0 <= value <= most:
                raise InvalidInputError(
                    f"{what} cannot be used",
                    given=f"{value}",
                    expected="0 to a day, 100,000 ft or 200 NM",
                )
        for step, what in (
            (self.shift_step_ms, "a shift"),
            (self.level_step_tmm, "a change of level"),
            (self.offset_step_mm, "an offset"),
        ):
            if step <= 0:
                raise InvalidInputError(
                    f"the step of {what} cannot be used", given=f"{step}", expected="above 0"
                )
        steps = max(self.left_mm, self.right_mm) // self.offset_step_mm
        if steps > _MAX_STEPS:
            raise InvalidInputError(
                "there are too many offsets to look at",
                given=f"{steps} steps to a side",
                expected=f"at most {_MAX_STEPS}",
                remedy="make the step greater, or the greatest offset smaller",
            )

    def offsets_mm(self) -> tuple[int, ...]:
        """Return the offsets to look at, left (negative) to right, without 0."""
        step = self.offset_step_mm
        left, right = self.left_mm // step, self.right_mm // step
        return tuple(k * step for k in range(-left, right + 1) if k)
