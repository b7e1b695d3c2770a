"""The course of one run: what is to be said next, from what the record says was said already.

A session makes the same bytes again from the same seed, plan and steps heard. So after a crash the
steps of the peer are heard once more, the own steps of the record are compared with what the
session makes, and what was not said yet is said. An own step that is another one was made with
another seed or plan: then nothing more may be said.
"""

from typing import Final

from deconflict.errors import CheckRefusedError
from deconflict.messages.private_bodies import StepWord
from deconflict.node.private.own_steps import OwnSteps
from deconflict.sealed.own import OwnSide
from deconflict.sealed.session import Finding, Session
from deconflict.sealed.steps import CHUNKS, Step, StepKind

__all__ = ["STEPS_OF_BOTH", "Course", "leaves_ms"]

STEPS_OF_BOTH: Final = 2 * (len(StepKind) - 1 + CHUNKS)  # in a whole run


class Course(OwnSteps[Step]):
    """One side of one run, fed from the record in the order in which this side logged it.

    Args:
        own: this side, made from what was kept of the run.
        seen: hashes of the peer's HELLOs that served before.
        keys: that the peer showed before; none of them is taken again.
        threads: of the kernel; None for one a processor.
    """

    def __init__(
        self,
        own: OwnSide,
        *,
        seen: frozenset[bytes] = frozenset(),
        keys: frozenset[str] = frozenset(),
        threads: int | None = None,
    ) -> None:
        self._session = Session(own, seen=seen, keys=keys, threads=threads)
        super().__init__(self._session.begin())

    @property
    def finding(self) -> Finding:
        """What is found so far."""
        return self._session.finding

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps were made and heard, and how many a whole run has."""
        return self._session.progress

    def kind_of(self, word: StepWord) -> StepKind:
        """Return a step as this check calls it.

        Raises:
            CheckRefusedError: it has no such step.
        """
        kind = word.step_kind
        if kind is None:
            self.abort("OUT_OF_TURN")
            raise CheckRefusedError(f"{word} is not due", reason="OUT_OF_TURN")
        return kind

    def hear(self, word: StepWord, number: int, data: bytes) -> None:
        """Take the peer's next step; may take seconds.

        Raises:
            CheckRefusedError, RefusedBatchError, InvalidDocumentError, NotCanonicalError: it is not
                what was agreed or due; the run has ended.
        """
        self._made += self._session.hear(Step(self.kind_of(word), number, data))

    def prepare(self) -> None:
        """Work out the own tags ahead of time; may take seconds."""
        self._session.prepare()

    @property
    def _ended(self) -> bool:
        return self._session.ended

    def _end(self, reason: str) -> None:
        self._session.abort(reason)


def leaves_ms(ready_ms: int, since_ms: int, every_ms: int) -> int:
    """Return when something leaves that is ready: a whole multiple of a time after an instant.

    How long the work took depends on the plan; the multiple says little of it. All UTC ms.

    >>> leaves_ms(12_300, 10_000, 2_000), leaves_ms(10_100, 10_000, 2_000)
    (14000, 12000)
    """
    passed = -(-(ready_ms - since_ms) // every_ms)
    return since_ms + max(passed, 1) * every_ms
