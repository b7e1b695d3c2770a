"""Private checks of one line, as its record leaves them: what is proposed, agreed, said and ended.

A fold of the record: decisions only. Each side's own chain says what that side answered first and
how it ended what, and of two ends that cross both stand; so the two sides, and one side before and
after a restart, come to the same. What is said of a run that is not agreed, or is over, changes
nothing. The record has all of it.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

import msgspec

from deconflict.airspace.instant import MAX_UTC_MS
from deconflict.errors import InvalidInputError, VerificationError
from deconflict.messages.bodies import Body
from deconflict.messages.mediated_bodies import PrivateMediation, PrivateSubmit
from deconflict.messages.private_bodies import (
    PrivateAccept,
    PrivateCoin,
    PrivateDecline,
    PrivateEnd,
    PrivateMode,
    PrivatePropose,
    PrivateStep,
    StepWord,
)
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.terms import Terms
from deconflict.node.private.check import (
    AnswerSaid,
    Check,
    CheckFault,
    CheckState,
    KeptPrivate,
    Served,
)
from deconflict.node.private.run import CoinSaid, EndSaid, Run, StepSaid
from deconflict.node.private.submissions import Submissions
from deconflict.sealed.hello import read_hello
from deconflict.sealed.mediation import read_mediated_hello
from deconflict.sealed.site_hello import read_site_hello

__all__ = [
    "AnswerSaid",
    "Check",
    "CheckFault",
    "CheckState",
    "KeptPrivate",
    "PrivateChecks",
    "Served",
]

_CHECKS_KEPT: Final = 256  # of each side; the record has all of them
_STEPS_KEPT: Final = 16  # runs that are over and whose steps are named here still


class PrivateChecks:
    """The private checks of one line.

    Args:
        own: our party.
        peer: the other.

    Attributes:
        submissions: what one of the two submitted to the other as a mediator.
    """

    def __init__(self, own: str, peer: str) -> None:
        self._own, self._peer = own, peer
        self.submissions = Submissions(own, peer)
        self._documents: dict[str, PrivateCheckTerms] = {}  # by hash
        self._agreed_by: dict[str, str] = {}  # by hash, the acceptance that first brought it
        self._checks: dict[str, Check] = {}
        self._runs: dict[str, dict[int, Run]] = {}  # by proposal and number, those begun or ended
        self._served: dict[str, Served] = {}

    def __iter__(self) -> Iterator[Check]:
        return iter(tuple(self._checks.values()))

    # ---- what is known -------------------------------------------------------------------------

    def get(self, proposal: str | None) -> Check | None:
        """Return the check that a message proposed; None where it is known none."""
        return None if proposal is None else self._checks.get(proposal)

    def document(self, document_hash: str) -> PrivateCheckTerms | None:
        """Return a document that terms in force on this line have, or had; None where none did."""
        return self._documents.get(document_hash)

    def document_of(self, check: Check) -> PrivateCheckTerms | None:
        """Return the document under which a check was proposed; None where it is unknown."""
        return self._documents.get(check.body.grid)

    def run(self, proposal: str, number: int) -> Run:
        """Return what was said of a run; an empty one where nothing was."""
        return self._runs.get(proposal, {}).get(number) or Run(proposal, number)

    def runs(self, proposal: str) -> tuple[Run, ...]:
        """Return the runs of a check of which something was said, in their order."""
        return tuple(run for _, run in sorted(self._runs.get(proposal, {}).items()))

    def start_ms(self, check: Check, number: int) -> int | None:
        """Return when the period of a run begins; None where the check cannot be run."""
        document = self.document_of(check)
        if document is None or check.fault is not None:
            return None
        return document.start_of(check.body.start_ms, number)

    def is_over(self, check: Check, number: int) -> bool:
        """True exactly when nothing more is said of a run: it is whole, or was ended."""
        run = self.run(check.proposal, number)
        # Asked with a check as it stood some time ago, the answer is that of now.
        now = self._checks.get(check.proposal, check)
        return run.is_whole or bool(run.ends or now.ends)

    def underway(self) -> Iterator[tuple[Check, Run]]:
        """Yield the runs of accepted checks in which a HELLO was said, and that are not over."""
        for check in self:
            if not check.was_accepted:
                continue
            for run in self.runs(check.proposal):
                begun = run.own.hello or run.peer.hello
                if begun and not self.is_over(check, run.number):
                    yield check, run

    def is_step(self, message_hash: str) -> bool:
        """True exactly when a message of ours is one that nodes say, as far as it is named here.

        A few hundred at most are named at a time.
        """
        return self.submissions.is_named(message_hash) or any(
            (run.own.coin is not None and run.own.coin.message == message_hash)
            or any(step.message == message_hash for step in run.own.steps)
            for runs in self._runs.values()
            for run in runs.values()
        )

    def seen_besides(self, proposal: str, number: int) -> frozenset[bytes]:
        """Return the hashes of the peer's HELLOs that served before, in another run than this."""
        return frozenset(
            bytes.fromhex(served.hello)
            for served in self._served.values()
            if (served.proposal, served.number) != (proposal, number)
        )

    def keys_besides(self, proposal: str, number: int) -> frozenset[str]:
        """Return the keys that the peer's HELLOs showed in other runs than this.

        Not those of HELLOs that travelled in parts, of a closer look at thousands of slots.
        """
        return frozenset(
            served.key
            for served in self._served.values()
            if served.key is not None and (served.proposal, served.number) != (proposal, number)
        )

    def times_asked(self, check: Check, number: int) -> int:
        """Return how often the slot asked about most of a run was asked about in other runs.

        A run counts once we have said HELLO in it, unless it ended before we answered points: what
        the peer was not shown, it did not ask. Exercises count, their plans are real. A mediated
        run counts once both have said HELLO: what was submitted is not said on this line.
        """
        edges: list[tuple[int, int]] = []  # an instant, and how many begin or end to ask there
        for other in self:
            for run in self.runs(other.proposal):
                mine = (other.proposal, run.number) == (check.proposal, number)
                if not mine and self._counts(other, run):
                    for begin_ms, end_ms in self._asked(other, run.number):
                        edges += ((begin_ms, 1), (end_ms, -1))
        edges.sort()
        asked = iter(self._asked(check, number))
        begin_ms, end_ms = next(asked, (0, 0))
        most = at_once = 0
        for (instant, change), (until, _) in pairwise(edges):
            at_once += change
            while end_ms <= instant and (following := next(asked, None)) is not None:
                begin_ms, end_ms = following
            if instant < until and begin_ms < until and instant < end_ms:
                most = max(most, at_once)
        return most

    def fault_of(self, body: PrivatePropose) -> CheckFault | None:
        """Return why nothing of a proposal can be run; None when it can."""
        document = self._documents.get(body.grid)
        if document is None:
            return CheckFault.OTHER_DOCUMENT
        if not _has_periods(document, body):
            return CheckFault.NO_PERIOD
        if body.sites is not None and body.sites.protector not in (self._own, self._peer):
            return CheckFault.NO_PROTECTOR
        if body.mediated is not None and body.mediated.mediator in (self._own, self._peer):
            return CheckFault.NO_THIRD
        if body.refines is None:
            return None
        refined = self._checks.get(body.refines.of)
        if (
            refined is None
            or refined.fault is not None
            or refined.body.refines is not None
            or refined.body.mode is not PrivateMode.MUTUAL
            or not refined.was_accepted
            or refined.body.grid != body.grid
            or body.refines.run >= refined.body.runs
            or self.start_ms(refined, body.refines.run) != body.start_ms
        ):
            return CheckFault.NOTHING_TO_REFINE
        try:
            document.require_refinement(body.refines)
        except InvalidInputError:
            return CheckFault.NOT_REFINABLE
        return None

    # ---- what changes it -----------------------------------------------------------------------

    def agreed(self, terms: Terms, message: str) -> None:
        """Take terms that came in force with this acceptance."""
        document = terms.private_check
        if document is not None and document.document_hash not in self._documents:
            self._documents[document.document_hash] = document
            self._agreed_by[document.document_hash] = message

    def take(
        self,
        body: Body,
        message: str,
        *,
        ref: str | None,
        own: bool,
        drill: bool,
        logged_ms: int,
    ) -> tuple[str, ...]:
        """Let a message change its check; return the proposals that wait for no answer any more."""
        if isinstance(body, PrivatePropose):
            self._checks[message] = Check(
                message,
                self._own if own else self._peer,
                own,
                body,
                drill,
                logged_ms,
                self.fault_of(body),
            )
            return self._let_go(own=own)
        match body:
            case PrivateSubmit():
                self.submissions.submit(body, message, own=own, drill=drill, logged_ms=logged_ms)
                return ()
            case PrivateMediation():
                self.submissions.answer(body, message, ref=ref, own=own, logged_ms=logged_ms)
                return ()
            case PrivateEnd() if ref is not None and self.submissions.get(ref) is not None:
                self.submissions.end(body, message, ref=ref, own=own, logged_ms=logged_ms)
                return ()
        check = self.get(ref)
        if check is None or check.drill is not drill:
            return ()
        match body:
            case PrivateAccept() | PrivateDecline():
                self._answer(check, body, message, own=own, logged_ms=logged_ms)
            case PrivateStep():
                self._step(check, body, message, own=own, logged_ms=logged_ms)
            case PrivateCoin():
                self._coin(check, body, message, own=own, logged_ms=logged_ms)
            case PrivateEnd():
                return self._end(check, body, message, own=own, logged_ms=logged_ms)
        return ()

    def _answer(
        self,
        check: Check,
        body: PrivateAccept | PrivateDecline,
        message: str,
        *,
        own: bool,
        logged_ms: int,
    ) -> None:
        if own is check.own or check.answer is not None:
            return
        answer = AnswerSaid(message, isinstance(body, PrivateAccept), logged_ms)
        self._checks[check.proposal] = msgspec.structs.replace(check, answer=answer)

    def _step(
        self, check: Check, body: PrivateStep, message: str, *, own: bool, logged_ms: int
    ) -> None:
        if not self._is_open(check, body.run):
            return
        run = self.run(check.proposal, body.run)
        said = StepSaid.of(body, message, logged_ms)
        side = run.side(own=own).with_step(said, keeps=not run.let_go)
        self._put(run.with_side(side, own=own))
        if body.step is StepWord.HELLO and not own:
            served = Served(body.sha256, check.proposal, body.run, _key_of(body))
            self._served.setdefault(body.sha256, served)
        if body.step is StepWord.DONE:
            self._let_go_of_steps()

    def _coin(
        self, check: Check, body: PrivateCoin, message: str, *, own: bool, logged_ms: int
    ) -> None:
        run = self.run(check.proposal, body.run)
        side = run.side(own=own)
        # Before both are done it would be known to who has still to say its own.
        if run.is_whole and side.coin is None:
            said = CoinSaid(message, body.coin, logged_ms)
            self._put(run.with_side(msgspec.structs.replace(side, coin=said), own=own))

    def _end(
        self, check: Check, body: PrivateEnd, message: str, *, own: bool, logged_ms: int
    ) -> tuple[str, ...]:
        end = EndSaid(message, self._own if own else self._peer, body.reason, logged_ms)
        if body.run is not None:
            # Two ends may cross, so the other side's does not keep one from standing.
            run = self.run(check.proposal, body.run)
            side = run.side(own=own)
            if check.was_accepted and body.run < check.body.runs and side.end is None:
                self._put(run.with_side(msgspec.structs.replace(side, end=end), own=own))
                self._let_go_of_steps()
            return ()
        if own and check.own_end is None:
            self._checks[check.proposal] = msgspec.structs.replace(check, own_end=end)
        elif not own and check.peer_end is None:
            self._checks[check.proposal] = msgspec.structs.replace(check, peer_end=end)
        self._let_go_of_steps()
        return (check.proposal,)

    # ---- kept ----------------------------------------------------------------------------------

    def kept(self) -> KeptPrivate:
        """Return all of it as values."""
        return KeptPrivate(
            documents=tuple(self._agreed_by.values()),
            checks=tuple(self._checks.values()),
            runs=tuple(run for runs in self._runs.values() for run in runs.values()),
            served=tuple(self._served.values()),
            submissions=self.submissions.kept(),
        )

    def take_up(self, kept: KeptPrivate, terms_of: Callable[[str], Terms]) -> None:
        """Go on from what was kept; only of one that is new.

        Args:
            kept: it.
            terms_of: returns the terms that an acceptance brought in force.
        """
        for message in kept.documents:
            self.agreed(terms_of(message), message)
        self._checks.update({check.proposal: check for check in kept.checks})
        for run in kept.runs:
            self._put(run)
        self._served.update({served.hello: served for served in kept.served})
        self.submissions.take_up(kept.submissions)

    # ---- inside --------------------------------------------------------------------------------

    def _put(self, run: Run) -> None:
        self._runs.setdefault(run.proposal, {})[run.number] = run

    def _is_open(self, check: Check, number: int) -> bool:
        """True exactly when a step of a run may be said."""
        return (
            check.state is CheckState.ACCEPTED
            and check.fault is None
            and number < check.body.runs
            and not self.is_over(check, number)
        )

    def _counts(self, check: Check, run: Run) -> bool:
        """True exactly when a run may have shown the peer something, or still may."""
        if check.body.mediated is not None and run.own.hello and run.peer.hello:
            return True
        return run.own.evaluated or (
            run.own.hello is not None and not self.is_over(check, run.number)
        )

    def _asked(self, check: Check, number: int) -> tuple[tuple[int, int], ...]:
        """Return the stretches of time that a run asks about: apart, ascending."""
        start_ms, document = self.start_ms(check, number), self.document_of(check)
        if start_ms is None or document is None or check.body.sites is not None:
            return ()  # a check of sites asks about no slot, and is counted by the protector
        if check.body.refines is None:
            return ((start_ms, document.end_ms(start_ms)),)
        found: list[tuple[int, int]] = []
        for slot in check.body.refines.slots:
            begin_ms = start_ms + slot * document.slot_ms
            if found and found[-1][1] == begin_ms:
                begin_ms = found.pop()[0]
            found.append((begin_ms, start_ms + (slot + 1) * document.slot_ms))
        return tuple(found)

    def _let_go_of_steps(self) -> None:
        """Of many runs that are over, name the steps of the latest periods alone.

        Which those are depends on the runs that are over, not on the order in which they ended.
        """
        over = [
            (self.start_ms(check, run.number) or 0, run.proposal, run.number)
            for check in self._checks.values()
            for run in self._runs.get(check.proposal, {}).values()
            if (run.own.steps or run.peer.steps) and self.is_over(check, run.number)
        ]
        for _, proposal, number in sorted(over)[:-_STEPS_KEPT]:
            run = self.run(proposal, number)
            own = msgspec.structs.replace(run.own, steps=())
            peer = msgspec.structs.replace(run.peer, steps=())
            self._put(msgspec.structs.replace(run, own=own, peer=peer, let_go=True))

    def _let_go(self, *, own: bool) -> tuple[str, ...]:
        """Forget the oldest of one side's checks when it proposed too many.

        One that was accepted goes last: how often slots were asked about is counted by it.
        """
        mine = [check for check in self._checks.values() if check.own is own]
        if len(mine) <= _CHECKS_KEPT:
            return ()
        oldest = next((check for check in mine if not check.was_accepted), mine[0])
        del self._checks[oldest.proposal]
        self._runs.pop(oldest.proposal, None)
        return (oldest.proposal,)


def _key_of(body: PrivateStep) -> str | None:
    """Return the key that a HELLO shows; None where it is not at hand, or is no HELLO."""
    data = body.inline
    if data is None:
        return None
    for read in (read_hello, read_site_hello, read_mediated_hello):
        try:
            return read(data).key
        except (VerificationError, InvalidInputError):
            continue  # one of none is refused by whoever runs it
    return None


def _has_periods(document: PrivateCheckTerms, body: PrivatePropose) -> bool:
    last_ms = document.start_of(body.start_ms, body.runs - 1)
    try:
        document.require_begin(body.start_ms)
    except InvalidInputError:
        return False
    return document.end_ms(last_ms) <= MAX_UTC_MS
