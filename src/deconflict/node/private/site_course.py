"""The course of one check of sites, as :mod:`.course` has that of a mutual one.

The protector's list and the planner's points follow from seed, squares and steps heard, so the same
bytes follow again after a crash, and what the record has otherwise ends the run.
"""

from collections.abc import Mapping
from typing import Final

from deconflict.errors import CheckRefusedError
from deconflict.messages.private_bodies import StepWord
from deconflict.node.private.own_steps import OwnSteps
from deconflict.sealed.session import Finding, Outcome
from deconflict.sealed.site_check import Planner, Protector
from deconflict.sealed.site_sides import PlannerSide, ProtectorSide, SiteStep, SiteStepKind

__all__ = ["SITE_STEPS_OF_BOTH", "SiteCourse"]

# In a whole check: HELLO and DONE are said by both, list, points and answer by one.
SITE_STEPS_OF_BOTH: Final = 7


class SiteCourse(OwnSteps[SiteStep]):
    """One side of one check of sites.

    Args:
        own: this side.
        seen: hashes of the peer's HELLOs that served before.
        keys: public keys that the peer showed before.
        threads: of the kernel; None for one a processor.
    """

    def __init__(
        self,
        own: PlannerSide | ProtectorSide,
        *,
        seen: frozenset[bytes] = frozenset(),
        keys: frozenset[str] = frozenset(),
        threads: int | None = None,
    ) -> None:
        self._side: Planner | Protector
        if isinstance(own, ProtectorSide):
            self._side = Protector(own, seen=seen, keys=keys, threads=threads)
        else:
            self._side = Planner(own, seen=seen, keys=keys, threads=threads)
        super().__init__([self._side.begin()])
        self._heard = 0

    @property
    def finding(self) -> Finding:
        """What is found so far; of the protector, who finds nothing, how far it came."""
        side = self._side
        if isinstance(side, Planner):
            found = side.finding
            return Finding(found.outcome, found.whole, frozenset(found.hits), found.reason)
        return Finding(Outcome.NOT_CHECKED, side.whole, frozenset(), side.reason)

    @property
    def labels(self) -> Mapping[bytes, str | None]:
        """What the protector says of the site at each square that was hit."""
        return self._side.finding.hits if isinstance(self._side, Planner) else {}

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps were said and heard, and how many a whole check has."""
        return self._said + self._heard, SITE_STEPS_OF_BOTH

    def kind_of(self, word: StepWord) -> SiteStepKind:
        """Return a step as this check calls it.

        Raises:
            CheckRefusedError: it has no such step.
        """
        if word.value not in SiteStepKind.__members__:
            self.abort("OUT_OF_TURN")
            raise CheckRefusedError(f"{word} is not due", reason="OUT_OF_TURN")
        return SiteStepKind[word.value]

    def hear(self, word: StepWord, _number: int, data: bytes) -> None:
        """Take the peer's next step; may take seconds.

        Raises:
            CheckRefusedError, RefusedBatchError, InvalidDocumentError, NotCanonicalError: it is not
                what was agreed or due; the run has ended.
        """
        step = SiteStep(self.kind_of(word), data)
        self._made += self._side.hear(step)
        self._heard += 1
        if step.kind is SiteStepKind.HELLO and isinstance(self._side, Protector):
            self._made.append(self._side.show())

    def prepare(self) -> None:
        """Nothing is to be worked out ahead."""

    @property
    def _ended(self) -> bool:
        return self._side.ended

    def _end(self, reason: str) -> None:
        self._side.abort(reason)
