"""What the record holds of one run of a private check: each side's steps, coin and end, as values.

Not what was found. That is nobody's word but the finder's own, and is worked out from the steps.
"""

from typing import Final

import msgspec

from deconflict.messages.private_bodies import PrivateEndReason, PrivateStep, StepWord
from deconflict.sealed.coin import picked
from deconflict.sealed.steps import CHUNKS

__all__ = ["MOST_STEPS", "CoinSaid", "EndSaid", "Run", "RunSide", "StepSaid"]

# A whole mutual run has one of each kind but LIST, and 64 chunks. One more is enough to know that
# somebody says what is not due; what comes behind that is in the record alone.
MOST_STEPS: Final = len(StepWord) - 2 + CHUNKS + 1


class StepSaid(msgspec.Struct, frozen=True):
    """One step as it was said. Its bytes are in the message, or in the parts.

    Attributes:
        message: the message that says it.
        step: which step.
        number: of a chunk; 0 else.
        size: bytes of the step.
        sha256: of all of them.
        parts: the hash of each part where it travelled in parts.
        logged_ms: when it became durable here.
    """

    message: str
    step: StepWord
    number: int
    size: int
    sha256: str
    parts: tuple[str, ...]
    logged_ms: int

    @classmethod
    def of(cls, body: PrivateStep, message: str, logged_ms: int) -> "StepSaid":
        """Return what is kept of a body."""
        return cls(message, body.step, body.number, body.size, body.sha256, body.parts, logged_ms)


class CoinSaid(msgspec.Struct, frozen=True):
    """A side's half of the coin. Whether it is the one of its HELLO, the HELLO says."""

    message: str
    coin: str
    logged_ms: int


class EndSaid(msgspec.Struct, frozen=True):
    """That a side ended a run, or all that were to come, before the end."""

    message: str
    by: str
    reason: PrivateEndReason
    logged_ms: int


class RunSide(msgspec.Struct, frozen=True):
    """What one side said in a run.

    Attributes:
        steps: in the order of its chain; none once the run was let go.
        hello: SHA-256 of its HELLO, which is that HELLO's hash; None before.
        evaluated: whether it answered points: the other side was shown something then.
        done: whether it said DONE.
        coin: the first coin it said.
        end: the first end it said of this run.
    """

    steps: tuple[StepSaid, ...] = ()
    hello: str | None = None
    evaluated: bool = False
    done: bool = False
    coin: CoinSaid | None = None
    end: EndSaid | None = None

    def step(self, step: StepWord, number: int = 0) -> StepSaid | None:
        """Return the first step of this kind and number, None where it was not said."""
        return next(
            (each for each in self.steps if (each.step, each.number) == (step, number)), None
        )

    def with_step(self, said: StepSaid, *, keeps: bool) -> "RunSide":
        """Return what it has said then.

        Args:
            said: one step more.
            keeps: whether the run was not let go yet.
        """
        same = next((at for at, each in enumerate(self.steps) if _same(each, said)), None)
        steps = self.steps
        if same is not None:
            # The same said again, as behind a fresh epoch, is no news but for where it stands.
            steps = (*steps[:same], said, *steps[same + 1 :])
        elif keeps and len(steps) < MOST_STEPS:
            steps = (*steps, said)
        return msgspec.structs.replace(
            self,
            steps=steps,
            hello=self.hello or (said.sha256 if said.step is StepWord.HELLO else None),
            evaluated=self.evaluated or said.step is StepWord.EVALUATED,
            done=self.done or said.step is StepWord.DONE,
        )


class Run(msgspec.Struct, frozen=True):
    """One run.

    Attributes:
        proposal: the PRIVATE_PROPOSE that it belongs to.
        number: which of its runs.
        own: what we said.
        peer: what the other side said.
        let_go: whether its steps are in the record alone.
    """

    proposal: str
    number: int
    own: RunSide = RunSide()
    peer: RunSide = RunSide()
    let_go: bool = False

    def side(self, *, own: bool) -> RunSide:
        """Return what one side said."""
        return self.own if own else self.peer

    def with_side(self, side: RunSide, *, own: bool) -> "Run":
        """Return the run with what one side has said by now."""
        if own:
            return msgspec.structs.replace(self, own=side)
        return msgspec.structs.replace(self, peer=side)

    @property
    def is_whole(self) -> bool:
        """True exactly when both sides said DONE."""
        return self.own.done and self.peer.done

    @property
    def ends(self) -> tuple[EndSaid, ...]:
        """How it was ended before that, the earlier one here first."""
        ends = [end for end in (self.own.end, self.peer.end) if end is not None]
        return tuple(sorted(ends, key=lambda end: end.logged_ms))

    @property
    def hellos_ms(self) -> int | None:
        """When the later HELLO became durable here; None before both did."""
        both = (self.own.step(StepWord.HELLO), self.peer.step(StepWord.HELLO))
        times = [said.logged_ms for said in both if said is not None]
        return max(times) if len(times) == len(both) else None

    def is_picked(self, per_mille: int) -> bool | None:
        """True exactly when it is to be opened; None before both coins are known."""
        halves = {
            bytes.fromhex(side.hello): bytes.fromhex(side.coin.coin)
            for side in (self.own, self.peer)
            if side.hello is not None and side.coin is not None
        }
        return picked(halves, per_mille) if len(halves) == len(("own", "peer")) else None


def _same(one: StepSaid, other: StepSaid) -> bool:
    return (one.step, one.number, one.sha256) == (other.step, other.number, other.sha256)
