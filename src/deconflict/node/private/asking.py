"""Private checks as a running node's people ask for them: proposed, run, read, opened."""

from collections.abc import Sequence

from deconflict.airspace.instant import format_utc, parse_utc
from deconflict.errors import InvalidInputError, LineStateError, NotFoundError
from deconflict.messages.body import Body
from deconflict.messages.declaration import Declaration, declaration_to_wire
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import (
    PrivateAccept,
    PrivateDecline,
    PrivateEnd,
    PrivateEndReason,
    PrivateMode,
    PrivatePropose,
    Refines,
)
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.node.actor import Action, Actor, require
from deconflict.node.core import Say
from deconflict.node.line import Line
from deconflict.node.private.checks import Check, CheckState
from deconflict.node.private.files import PlanFile
from deconflict.node.private.showing import PrivateShowing, no_run
from deconflict.node.private.submitting import mediator_line
from deconflict.node.private.views import (
    OpenedView,
    PlanView,
    PrivateCheckView,
    PrivateFindingView,
    SortieView,
)
from deconflict.node.views import Posted

__all__ = ["PrivateAsking", "document_of_line"]

_DAY_MS = 86_400_000


class PrivateAsking(PrivateShowing):
    """A running node through which private checks are held."""

    # ---- what is flown -----------------------------------------------------------------------

    def private_plan(self, actor: Actor, line: str) -> PlanView:
        """Return what this party flies in private checks on a line.

        Raises:
            NotPermittedError: the role may not; not everybody who reads declarations reads this.
        """
        require(actor, Action.DECLARE)
        held = self._core.line_named(line)
        return _plan_view(held, self._runner.files.plan(held.line_id))

    def set_private_plan(
        self, actor: Actor, line: str, declarations: Sequence[Declaration]
    ) -> PlanView:
        """Set what this party flies in the private checks of a line from now on; sends nothing.

        A run that has begun keeps the plan that it committed to.
        """
        require(actor, Action.DECLARE)
        held = self._core.line_named(line)
        plan = PlanFile.of(tuple(declarations), format_utc(self._now.utc_ms))
        self._runner.files.set_plan(held.line_id, plan)
        return _plan_view(held, plan)

    def clear_private_plan(self, actor: Actor, line: str) -> PlanView:
        """Forget it: runs of the line are NOT CHECKED until a plan is set again."""
        require(actor, Action.DECLARE)
        held = self._core.line_named(line)
        self._runner.files.clear_plan(held.line_id)
        return _plan_view(held, None)

    # ---- what is agreed ----------------------------------------------------------------------

    async def propose_private(
        self,
        actor: Actor,
        line: str,
        *,
        start_utc: str | None = None,
        runs: int = 1,
        refines: Refines | None = None,
        drill: bool | None = None,
    ) -> Posted:
        """Propose a private check of a period, of several in a row, or a closer look at one.

        Args:
            actor: who.
            line: with whom.
            start_utc: when the first period begins; None for the next one, and of a closer look
                for the period that it refines.
            runs: how many periods.
            refines: at what a closer look is to be.
            drill: exercise only.

        Raises:
            LineStateError: the terms have no private check, or nothing of it could be run.
            InvalidInputError: no period begins then, or a closer look could say nothing of our
                plan.
        """
        require(actor, Action.TERMS)
        held = self._core.line_named(line)
        document = document_of_line(held)
        if refines is not None:
            start_ms = self._refined_start_ms(held, refines)
            await self._runner.require_fits(held, refines)
        elif start_utc is not None:
            start_ms = parse_utc(start_utc)
        else:
            start_ms = -(-self._now.utc_ms // document.cadence_ms) * document.cadence_ms
        document.require_begin(start_ms)
        body = PrivatePropose(
            mode=PrivateMode.MUTUAL,
            grid=document.document_hash,
            start_utc=format_utc(start_ms),
            runs=runs,
            refines=refines,
        )
        return await self._propose(actor, held, document, body, drill=drill)

    async def _propose(
        self,
        actor: Actor,
        held: Line,
        document: PrivateCheckTerms,
        body: PrivatePropose,
        *,
        drill: bool | None,
    ) -> Posted:
        fault = held.book.private_checks.fault_of(body)
        if fault is not None:
            raise LineStateError(
                "nothing of this private check could be run",
                given=fault.value,
                expected="a period and slots that the document in the terms has",
                remedy="see them: deconflict terms show",
            )
        if document.end_ms(document.start_of(body.start_ms, body.runs - 1)) <= self._now.utc_ms:
            raise InvalidInputError(
                "the last of these periods is over already",
                given=body.start_utc,
                expected=f"a period that ends after {format_utc(self._now.utc_ms)}",
            )
        return await self._say_of(actor, held, Kind.PRIVATE_PROPOSE, body, None, drill=drill)

    async def accept_private(self, actor: Actor, proposal: str) -> Posted:
        """Take part in what the peer proposed: each run begins by itself when it is due."""
        held, check = await self._proposed(actor, proposal)
        if check.fault is not None:
            raise LineStateError(
                "nothing of this private check can be run",
                given=check.fault.value,
                remedy="decline it: deconflict private decline",
            )
        asked = check.body.mediated
        if asked is not None and mediator_line(self._runtime, asked.mediator) is None:
            raise LineStateError(
                "this node has no line with the mediator that was named",
                given=asked.mediator,
                remedy="decline it, or pin the mediator first: deconflict peer add",
            )
        return await self._say_of(actor, held, Kind.PRIVATE_ACCEPT, PrivateAccept(), check.proposal)

    async def decline_private(
        self, actor: Actor, proposal: str, *, reason: int | None = None
    ) -> Posted:
        """Do not take part in what the peer proposed."""
        held, check = await self._proposed(actor, proposal)
        body = PrivateDecline() if reason is None else PrivateDecline(reason=reason)
        return await self._say_of(actor, held, Kind.PRIVATE_DECLINE, body, check.proposal)

    # ---- runs --------------------------------------------------------------------------------

    def run_private(
        self, actor: Actor, proposal: str, run: int | None = None
    ) -> PrivateFindingView:
        """Have a run begin now and not when it is due; it goes on by itself.

        Args:
            actor: who.
            proposal: of which check.
            run: which; None for the next that has not begun.

        Raises:
            LineStateError: it is not accepted, or that run has begun already or is over.
        """
        require(actor, Action.DECLARE)
        held, check = self._private(proposal)
        if check.state is not CheckState.ACCEPTED:
            raise LineStateError(
                "this private check is not one that both sides take part in",
                given=check.state.value,
                expected=CheckState.ACCEPTED.value,
            )
        number = self._next(held, check) if run is None else run
        if number is None or self._begun(held, check, number):
            raise LineStateError(
                "this run has begun, or is over",
                given="all of them" if number is None else f"run {number}",
                remedy="see them: deconflict private status",
            )
        if not 0 <= number < check.body.runs:
            raise no_run(check, number)
        self._runner.begin(check.proposal, number, self._now.utc_ms)
        return self._finding_view(held, check, number, actor.language)

    async def cancel_private(
        self, actor: Actor, proposal: str, run: int | None = None
    ) -> PrivateCheckView:
        """End a run, or without its number all that is to come; what was not found is NOT CHECKED.

        Raises:
            LineStateError: nothing of it is left to be ended.
        """
        require(actor, Action.DECLARE)
        await self._runtime.settled()
        held, check = self._private(proposal)
        checks = held.book.private_checks
        over = check.state in (CheckState.ENDED, CheckState.DECLINED) or (
            run is not None
            and (check.state is not CheckState.ACCEPTED or checks.is_over(check, run))
        )
        if over:
            raise LineStateError(
                "nothing of this private check is left to be ended", given=check.state.value
            )
        if run is not None and not 0 <= run < check.body.runs:
            raise no_run(check, run)
        body = PrivateEnd(run=run, reason=PrivateEndReason.CANCELLED)
        await self._say_of(actor, held, Kind.PRIVATE_END, body, check.proposal)
        return self._check_view(held, self._private(proposal)[1], actor.language)

    async def open_private(self, actor: Actor, proposal: str, run: int) -> OpenedView:
        """Return plan and seed of a run for the arbiter; whoever has them knows what was flown.

        Of a check of our own sites it is the list: that takes the right to declare them too.

        Raises:
            LineStateError: the terms let nobody open it yet, or it is kept no longer.
        """
        require(actor, Action.TERMS)
        held, check = self._private(proposal)
        if check.body.sites is not None and check.body.sites.protector == self._core.party:
            require(actor, Action.DECLARE_SITE)
        document = held.book.private_checks.document_of(check)
        start_ms = held.book.private_checks.start_ms(check, run)
        kept = self._runner.files.run(check.proposal, run)
        if document is None or start_ms is None or kept is None:
            raise LineStateError(
                "nothing is kept of this run",
                given=f"run {run}",
                expected="one that has begun here and whose retention is not over",
            )
        from_ms = document.end_ms(start_ms) + document.opened_after_days * _DAY_MS
        if self._now.utc_ms < from_ms:
            raise LineStateError(
                "the terms do not let a plan be opened yet",
                given=format_utc(self._now.utc_ms),
                expected=f"{format_utc(from_ms)} or later",
            )
        event = {
            "what": "PRIVATE_OPENED",
            "line_id": held.line_id,
            "message": check.proposal,
            "run": run,
            "desk": actor.desk,
            "account": actor.account,
        }
        await self._runtime.commit(self._core.note_export(event, self._now))
        return OpenedView(self._core.party, check.proposal, run, kept.plan, kept.seed, kept.coin)

    # ---- inside ------------------------------------------------------------------------------

    async def _say_of(
        self,
        actor: Actor,
        line: Line,
        kind: Kind,
        body: Body,
        ref: str | None,
        *,
        drill: bool | None = None,
    ) -> Posted:
        say = Say(
            kind=kind,
            body=body,
            desk=actor.desk,
            ref=ref,
            drill=drill,
            lang=actor.language,
            reader=actor.language,
        )
        return await self._say_one(actor, line, say)

    async def _proposed(self, actor: Actor, proposal: str) -> tuple[Line, Check]:
        """Return what the peer proposed and nobody has answered."""
        require(actor, Action.TERMS)
        await self._runtime.settled()
        held, check = self._private(proposal)
        if check.own or check.state is not CheckState.PROPOSED:
            raise LineStateError(
                "this is no proposal of the other side that waits for an answer",
                given=f"by {check.by}, {check.state.value}",
                expected=f"by {held.peer}, {CheckState.PROPOSED.value}",
            )
        return held, check

    def _refined_start_ms(self, line: Line, refines: Refines) -> int:
        checks = line.book.private_checks
        refined = checks.get(refines.of)
        start_ms = None if refined is None else checks.start_ms(refined, refines.run)
        if start_ms is None:
            raise NotFoundError(
                "there is no such run to be looked at more closely",
                given=f"{refines.of[:16]}, run {refines.run}",
            )
        return start_ms


def document_of_line(line: Line) -> PrivateCheckTerms:
    """Return what is agreed about private checks on a line.

    Raises:
        LineStateError: nothing is.
    """
    terms = line.book.terms
    if terms is None or terms.private_check is None:
        raise LineStateError(
            f"the terms with {line.peer} have no private check",
            expected="terms that both signed, with a document on private checks",
            remedy="propose them: deconflict terms propose --private-check default",
        )
    return terms.private_check


def _plan_view(line: Line, plan: PlanFile | None) -> PlanView:
    sorties = () if plan is None else plan.declarations()
    return PlanView(
        line_id=line.line_id,
        peer=line.peer,
        set_utc=None if plan is None else plan.set_utc,
        sorties=tuple(
            SortieView(
                declaration_id=each.declaration_id,
                label=each.label,
                purpose=each.purpose.value,
                start_utc=format_utc(each.span.start_ms),
                end_utc=format_utc(each.span.end_ms),
                geometry=declaration_to_wire(each)["geometry"],
            )
            for each in sorties
        ),
    )
