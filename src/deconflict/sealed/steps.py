"""The steps of a private check: what they are called, how long they are, their place and hash.

Both sides say each step, except that a chunk of tags is said by one after the other. What a step
carries is as long as the shape says, whatever the plans hold.
"""

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from deconflict.errors import CheckRefusedError
from deconflict.sealed.hello import Shape

__all__ = ["CHUNKS", "Step", "StepKind", "length_of", "require_length"]

CHUNKS: Final = 64
_POINT: Final = 32
_PROOF: Final = 64
_TAG: Final = 12
_HASH: Final = 32
_PATH: Final = 6 * _HASH  # of 64 leaves


class StepKind(IntEnum):
    """The steps in their order."""

    HELLO = 1
    POINTS = 2
    EVALUATED = 3
    ROOT = 4
    CHUNK = 5
    DONE = 6


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it travels.

    Attributes:
        kind: which.
        number: of a chunk, 0 to 63; 0 else.
        data: HELLO: its exact bytes. POINTS: the points. EVALUATED: points, then proofs. ROOT: the
            root over the chunks. CHUNK: its tags, then its path. DONE: hash of the transcript.
    """

    kind: StepKind
    number: int
    data: bytes

    @property
    def hash(self) -> bytes:
        """What the transcript holds of it."""
        head = bytes([self.kind, self.number])
        return hashlib.sha256(head + hashlib.sha256(self.data).digest()).digest()


def length_of(kind: StepKind, shape: Shape, slots: int) -> int | None:
    """Return how many bytes a step carries; None for a HELLO."""
    match kind:
        case StepKind.HELLO:
            return None
        case StepKind.POINTS:
            return _POINT * shape.points * slots
        case StepKind.EVALUATED:
            return (_POINT * shape.points + _PROOF) * slots
        case StepKind.ROOT | StepKind.DONE:
            return _HASH
        case StepKind.CHUNK:
            return _TAG * (shape.bucket // CHUNKS) + _PATH


def require_length(step: Step, shape: Shape, slots: int) -> None:
    """Return when a step is as long as agreed.

    Raises:
        CheckRefusedError: it is not.
    """
    due = length_of(step.kind, shape, slots)
    if due is not None and len(step.data) != due:
        raise CheckRefusedError(
            f"{step.kind.name} has another length than was agreed",
            reason="WRONG_LENGTH",
            given=f"{len(step.data):,} bytes",
            expected=f"{due:,} bytes",
        )
