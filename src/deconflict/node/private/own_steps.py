"""The own steps of a run: which are made, and which of them the record has.

What a course makes follows from what was kept of the run and from what was heard. So after a crash
the same bytes follow again, and an own step of the record that is another one ends the run.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from deconflict.errors import CheckRefusedError
from deconflict.sealed.site_sides import SiteStep, SiteStepKind
from deconflict.sealed.steps import Step, StepKind

__all__ = ["LoggedStep", "OwnSteps", "logged_as"]

_Made = TypeVar("_Made", Step, SiteStep)


@dataclass(frozen=True, slots=True)
class LoggedStep:
    """An own step as the record has it: which, how long, and the hash of its bytes."""

    kind: StepKind | SiteStepKind
    number: int
    size: int
    sha256: str


class OwnSteps(ABC, Generic[_Made]):
    """What one side of a run says, in the order in which it is said.

    Args:
        made: the first steps.
    """

    def __init__(self, made: Iterable[_Made]) -> None:
        self._made: list[_Made | None] = list(made)
        self._said = 0

    @property
    @abstractmethod
    def _ended(self) -> bool:
        """True exactly when no more step will be made."""

    @abstractmethod
    def _end(self, reason: str) -> None:
        """Break off what makes the steps: what was not found is NOT CHECKED."""

    @property
    def over(self) -> bool:
        """True exactly when nothing is to be said or heard any more."""
        return self._ended and self.to_say is None

    @property
    def to_say(self) -> _Made | None:
        """The next own step that the record does not have; None when something is awaited."""
        return self._made[self._said] if self._said < len(self._made) else None

    def said(self, logged: LoggedStep) -> None:
        """Take that an own step is in the record.

        Raises:
            CheckRefusedError: it is not the one that follows from what was kept; the run has ended.
        """
        due = self.to_say
        expected = None if due is None else logged_as(due)
        if logged != expected:
            self.abort("MALFORMED")
            raise CheckRefusedError(
                "an own step of the record does not follow from what is kept here",
                reason="MALFORMED",
                given=f"{logged.kind.name} {logged.number}",
                expected="nothing"
                if expected is None
                else f"{expected.kind.name} {expected.number}, as computed",
            )
        self._made[self._said] = None  # up to megabytes: they are on the disk now
        self._said += 1

    def abort(self, reason: str) -> None:
        """End it: what was not found is NOT CHECKED."""
        self._end(reason)
        del self._made[self._said :]


def logged_as(step: Step | SiteStep) -> LoggedStep:
    """Return how the record has a step."""
    number = step.number if isinstance(step, Step) else 0
    return LoggedStep(step.kind, number, len(step.data), hashlib.sha256(step.data).hexdigest())
