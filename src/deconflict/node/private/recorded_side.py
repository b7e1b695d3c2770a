"""What one side said in a run, as far as a record shows it, up to the first thing that is false."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from deconflict.messages.private_bodies import PrivateStep, StepWord
from deconflict.node.private.recorded_modes import Checked, HelloSaid, Mode

__all__ = ["RecordedSide", "step_name"]


@dataclass(slots=True)
class RecordedSide:
    """One party in one run.

    Attributes:
        party: whose.
        mode: of the check.
        steps: with their bytes, in the order of its chain.
        missing: parts of the first step whose bytes nobody has; nothing behind it is looked at.
        false: the first of its steps whose bytes are not those that it names, or too many of them;
            nothing behind it is looked at either.
        later: a step that it said after it had ended the run.
        coin: the first that it said.
        ends: why it ended the run, each time it said so.
    """

    party: str
    mode: Mode
    steps: list[Checked] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    false: str | None = None
    later: str | None = None
    coin: bytes | None = None
    ends: list[str] = field(default_factory=list)

    @property
    def hello(self) -> HelloSaid | None:
        """Its HELLO; None where it said none, or none that can be read."""
        return self.mode.hello(self.steps[0]) if self.steps else None

    def take(self, body: PrivateStep, parts: Mapping[str, bytes]) -> bool:
        """Take its next step; False when its bytes are not there, or are not what it names."""
        if self.mode.is_false_length(body):
            self.false = f"{step_name(body)} has another length than was agreed"
            return False
        self.missing = tuple(name for name in body.parts if name not in parts)
        if self.missing:
            return False
        inline = body.inline
        data = b"".join(parts[name] for name in body.parts) if inline is None else inline
        if hashlib.sha256(data).hexdigest() != body.sha256 or len(data) != body.size:
            self.false = f"{step_name(body)} names parts that are not it"
            return False
        self.steps.append(self.mode.said(self.party, body, data))
        return True

    @property
    def coin_is_false(self) -> bool:
        """True exactly when it said a coin that its HELLO does not commit to."""
        if self.coin is None:
            return False
        return not self.steps or not self.mode.coin_opens(self.steps[0], self.coin)

    @property
    def false_coin(self) -> str | None:
        """The same in words; None where it is not so."""
        if not self.coin_is_false:
            return None
        return "its coin is not the one that its HELLO commits to"


def step_name(body: PrivateStep) -> str:
    """Return a step as a person is told of it."""
    return f"{body.step} {body.number}" if body.step is StepWord.CHUNK else body.step.value
