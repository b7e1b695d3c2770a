"""The course of one mediated check, as :mod:`.course` has that of a mutual one.

To the peer a side says HELLO, and DONE with the hash of the answer that it heard; what goes to the
mediator is at hand once the peer's HELLO was heard. All of it follows from seed, plan and what was
heard, so the same bytes follow again after a crash.
"""

from deconflict.errors import CheckRefusedError
from deconflict.messages.private_bodies import StepWord
from deconflict.node.private.own_steps import OwnSteps
from deconflict.sealed.mediated import Mediated, MediatedFinding, MediatedSide
from deconflict.sealed.mediation import Submitted, read_mediated_hello
from deconflict.sealed.session import Finding
from deconflict.sealed.steps import Step, StepKind

__all__ = ["MediatedCourse"]

_STEPS = 5  # two HELLOs, the answer, two DONEs


class MediatedCourse(OwnSteps[Step]):
    """One side of one mediated check.

    Args:
        own: this side.
        seen: hashes of the peer's HELLOs that served before.
        keys: public keys that the peer showed before.
    """

    def __init__(
        self,
        own: MediatedSide,
        *,
        seen: frozenset[bytes] = frozenset(),
        keys: frozenset[str] = frozenset(),
    ) -> None:
        self._check = Mediated(own, seen=seen)
        self._keys = keys
        super().__init__([Step(StepKind.HELLO, 0, self._check.begin())])
        self._heard = 0
        self._peers: bytes | None = None  # the hash that the peer heard, if before our own
        self._answered = False
        self.submitted: Submitted | None = None  # for the mediator, and for nobody else

    @property
    def told(self) -> MediatedFinding:
        """What is found so far."""
        return self._check.finding

    @property
    def finding(self) -> Finding:
        """The same as a run takes it: no cell is known."""
        found = self.told
        return Finding(found.outcome, found.whole, frozenset(), found.reason)

    @property
    def awaits_answer(self) -> bool:
        """True exactly when the mediator's answer is what is missing here."""
        return self.submitted is not None and not self._answered and not self._check.ended

    @property
    def progress(self) -> tuple[int, int]:
        """How many steps were said and heard, and how many a whole check has."""
        return self._said + self._heard + self._answered, _STEPS

    def kind_of(self, word: StepWord) -> StepKind:
        """Return a step as this check calls it.

        Raises:
            CheckRefusedError: it has no such step.
        """
        kind = word.step_kind
        if kind not in (StepKind.HELLO, StepKind.DONE):
            self.abort("OUT_OF_TURN")
            raise CheckRefusedError(f"{word} is not due", reason="OUT_OF_TURN")
        return kind

    def hear(self, word: StepWord, _number: int, data: bytes) -> None:
        """Take the peer's next step; to make the lists may take seconds.

        Raises:
            CheckRefusedError, InvalidDocumentError, NotCanonicalError: it is not what was agreed or
                due, or the peer heard another answer; the run has ended.
        """
        if self.kind_of(word) is StepKind.HELLO:
            self._require_new_key(data)
            self.submitted = self._check.hear_hello(data)
        else:
            if self.submitted is None or self._peers is not None:
                self.abort("OUT_OF_TURN")
                raise CheckRefusedError("DONE is not due", reason="OUT_OF_TURN")
            self._peers = data
            self._compare()
        self._heard += 1

    def hear_answer(self, data: bytes) -> None:
        """Take the mediator's answer, its signature checked before.

        Raises:
            CheckRefusedError, InvalidDocumentError, NotCanonicalError: it is about something else,
                it lies where the answer is known, or the peer heard another one.
        """
        self._made.append(Step(StepKind.DONE, 0, self._check.hear_answer(data)))
        self._answered = True
        self._compare()

    def prepare(self) -> None:
        """Nothing is to be worked out ahead."""

    @property
    def _ended(self) -> bool:
        return self._check.ended

    def _end(self, reason: str) -> None:
        self._check.abort(reason)

    # ---- inside ----------------------------------------------------------------------------

    def _require_new_key(self, data: bytes) -> None:
        if read_mediated_hello(data).key in self._keys:
            self.abort("KEY_REUSED")
            raise CheckRefusedError("the peer showed this key before", reason="KEY_REUSED")

    def _compare(self) -> None:
        """Compare what both heard, once both have."""
        if self._answered and self._peers is not None:
            self._check.hear_peers(self._peers)
