"""What each side answered last: to a query, and of a cease request that it was met."""

from collections.abc import Iterable

import msgspec

from deconflict.messages.bodies import Answer, CeaseReport, SaidWord
from deconflict.messages.kinds import Kind
from deconflict.node.taken import Taken

__all__ = ["AnsweredBefore", "KeptAnswers"]


class KeptAnswers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it as values: the message answered, and whether it was we who answered."""

    answers: tuple[tuple[bytes, bool, SaidWord], ...]
    ceased: tuple[tuple[bytes, bool], ...]
    taken_back: tuple[tuple[bytes, bool, Kind], ...]


class AnsweredBefore:
    """The last answer of each side, by the message that it answers."""

    def __init__(self) -> None:
        self._answers: dict[tuple[bytes, bool], SaidWord] = {}
        self._ceased: set[tuple[bytes, bool]] = set()
        self._taken_back: dict[tuple[bytes, bool], Kind] = {}

    def kept(self) -> KeptAnswers:
        """Return all of it as values."""
        answers = tuple((*name, said) for name, said in self._answers.items())
        taken_back = tuple((*name, kind) for name, kind in self._taken_back.items())
        return KeptAnswers(answers, tuple(sorted(self._ceased)), taken_back)

    def take_up(self, kept: KeptAnswers) -> None:
        """Go on from what was kept."""
        self._answers.update({(name, own): said for name, own, said in kept.answers})
        self._ceased.update(kept.ceased)
        self._taken_back.update({(name, own): kind for name, own, kind in kept.taken_back})

    def answer(self, taken: Taken) -> SaidWord | None:
        """Take an answer; return the one that it changes, None when it is the first or the same."""
        ref = taken.envelope.ref
        if not isinstance(taken.body, Answer) or not taken.acts or ref is None:
            return None
        key = (bytes.fromhex(ref), taken.own)
        before, self._answers[key] = self._answers.get(key), taken.body.said
        return None if before is taken.body.said else before

    def report(self, taken: Taken) -> bool:
        """Take a report on a cease request; True exactly when the one before said that it was met.

        That of its own side, and of the same request.
        """
        ref = taken.envelope.ref
        if not isinstance(taken.body, CeaseReport) or not taken.acts or ref is None:
            return False
        key = (bytes.fromhex(ref), taken.own)
        before = key in self._ceased
        if taken.kind is Kind.CEASED:
            self._ceased.add(key)
            self._taken_back.pop(key, None)
            return before
        self._ceased.discard(key)
        if before or key in self._taken_back:
            self._taken_back[key] = taken.kind
        return before

    def met(self, requests: Iterable[str], *, own: bool) -> None:
        """Note all requests that one CEASED ended: they asked for the same."""
        self._ceased |= {(bytes.fromhex(name), own) for name in requests}

    def taken_back(self) -> tuple[tuple[str, bool, Kind], ...]:
        """Return the requests said to be met and then not: which, whether by us, the last report.

        They are no open threads: nothing waits for an answer until it is requested again.
        """
        return tuple((name.hex(), own, kind) for (name, own), kind in self._taken_back.items())
