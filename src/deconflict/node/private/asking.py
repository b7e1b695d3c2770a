"""Private checks as a running node's people ask for them: proposed, run, read, opened."""

from collections.abc import Iterator, Sequence

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
from deconflict.node.private.findings import PrivateFinding
from deconflict.node.private.runner import PrivateRunner
from deconflict.node.private.views import (
    OpenedView,
    PlanView,
    PrivateCheckView,
    PrivateFindingView,
    PrivateRunView,
    RefinementView,
    SortieView,
    hit_views,
    run_text,
    site_views,
)
from deconflict.node.releasing import Releasing
from deconflict.node.views import Posted

__all__ = ["PrivateAsking", "document_of_line"]

_DAY_MS = 86_400_000


class PrivateAsking(Releasing):
    """A running node through which private checks are held.

    Attributes:
        private: who runs them; None in a node that has no peers to run them with.
    """

    private: PrivateRunner | None = None

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
            InvalidInputError: no period begins then.
        """
        require(actor, Action.TERMS)
        held = self._core.line_named(line)
        document = document_of_line(held)
        if refines is not None:
            start_ms = self._refined_start_ms(held, refines)
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
        fault = held.book.private_checks.fault_of(body)
        if fault is not None:
            raise LineStateError(
                "nothing of this private check could be run",
                given=fault.value,
                expected="a period and slots that the document in the terms has",
                remedy="see them: deconflict terms show",
            )
        if document.end_ms(document.start_of(start_ms, runs - 1)) <= self._now.utc_ms:
            raise InvalidInputError(
                "the last of these periods is over already",
                given=format_utc(start_ms),
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
            raise _no_run(check, number)
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
            raise _no_run(check, run)
        body = PrivateEnd(run=run, reason=PrivateEndReason.CANCELLED)
        await self._say_of(actor, held, Kind.PRIVATE_END, body, check.proposal)
        return self._check_view(held, self._private(proposal)[1], actor.language)

    # ---- what is known -----------------------------------------------------------------------

    def private_checks(self, *, language: str | None = None) -> tuple[PrivateCheckView, ...]:
        """Return every private check of every line, the newest first."""
        found = [
            (check.logged_ms, self._check_view(line, check, self._language(language)))
            for line in self._core.lines.values()
            for check in line.book.private_checks
        ]
        return tuple(view for _, view in sorted(found, key=lambda each: -each[0]))

    def private_check(self, proposal: str, *, language: str | None = None) -> PrivateCheckView:
        """Return one private check; its name may be shortened to what is left of one alone.

        Raises:
            NotFoundError: none has this name.
        """
        held, check = self._private(proposal)
        return self._check_view(held, check, self._language(language))

    def private_finding(
        self, proposal: str, run: int, *, language: str | None = None
    ) -> PrivateFindingView:
        """Return what a run found, as far as it came.

        Raises:
            NotFoundError: there is no such run.
        """
        held, check = self._private(proposal)
        if not 0 <= run < check.body.runs:
            raise _no_run(check, run)
        return self._finding_view(held, check, run, self._language(language))

    async def open_private(self, actor: Actor, proposal: str, run: int) -> OpenedView:
        """Return plan and seed of a run for the arbiter; whoever has them knows what was flown.

        Raises:
            LineStateError: the terms let nobody open it yet, or it is kept no longer.
        """
        require(actor, Action.TERMS)
        held, check = self._private(proposal)
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

    @property
    def _runner(self) -> PrivateRunner:
        if self.private is None:
            raise LineStateError("this node runs no private checks")
        return self.private

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

    def _private(self, proposal: str) -> tuple[Line, Check]:
        found = [
            (line, check)
            for line in self._core.lines.values()
            for check in line.book.private_checks
            if check.proposal.startswith(proposal)
        ]
        if len(found) != 1 or not proposal:
            raise NotFoundError(
                "no private check has this name" if not found else "several have this name",
                given=proposal[:16],
                expected="the hash of a proposal, or as much of it as one alone has",
                remedy="list them: deconflict private status",
            )
        return found[0]

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

    def _begun(self, line: Line, check: Check, number: int) -> bool:
        run = line.book.private_checks.run(check.proposal, number)
        return bool(
            run.own.hello
            or run.ends
            or self._runner.is_going(check.proposal, number)
            or self._core.private.get(check.proposal, number)
        )

    def _next(self, line: Line, check: Check) -> int | None:
        return next((n for n in range(check.body.runs) if not self._begun(line, check, n)), None)

    def _check_view(self, line: Line, check: Check, language: str) -> PrivateCheckView:
        document = line.book.private_checks.document_of(check)
        refines = check.body.refines
        return PrivateCheckView(
            proposal=check.proposal,
            line_id=line.line_id,
            peer=line.peer,
            by=check.by,
            own=check.own,
            mode=check.body.mode.value,
            protector=None if check.body.sites is None else check.body.sites.protector,
            state=check.state.value,
            fault=None if check.fault is None else check.fault.value,
            proposed_utc=format_utc(check.logged_ms),
            start_utc=check.body.start_utc,
            cadence_ms=None if document is None else document.cadence_ms,
            runs=check.body.runs,
            refines=None
            if refines is None
            else RefinementView(refines.of, refines.run, refines.parts, refines.slots),
            drill=check.drill,
            plan_set=self._plan_set(line),
            shown=tuple(self._run_views(line, check, language)),
        )

    def _plan_set(self, line: Line) -> bool:
        return self.private is not None and self.private.files.has_plan(line.line_id)

    def _run_views(self, line: Line, check: Check, language: str) -> Iterator[PrivateRunView]:
        if not check.was_accepted:
            return
        said = {run.number for run in line.book.private_checks.runs(check.proposal)}
        found = {finding.run for finding in self._core.private.of(check.proposal)}
        following = self._next(line, check)
        shown = said | found | ({following} if following is not None and not check.ends else set())
        for number in sorted(shown):
            view = self._run_view(line, check, number, language)
            if view is not None:
                yield view

    def _run_view(
        self, line: Line, check: Check, number: int, language: str
    ) -> PrivateRunView | None:
        runner = self._runner
        period = runner.period(line, check, number)
        if period is None:
            return None
        run = line.book.private_checks.run(check.proposal, number)
        finding = self._core.private.get(check.proposal, number)
        progress = runner.progress(check.proposal, number)
        due_utc = format_utc(period.due_ms)
        over = finding is not None and (finding.whole or finding.reason is not None)
        if over and finding is not None:
            state = "WHOLE" if finding.whole else "ENDED"
        else:
            begun = runner.is_going(check.proposal, number) or run.own.hello or run.peer.hello
            state = "RUNNING" if begun else "WAITING"
        done, steps = (None, None) if over or progress is None else progress
        return PrivateRunView(
            run=number,
            start_utc=format_utc(period.start_ms),
            end_utc=format_utc(period.end_ms),
            due_utc=due_utc,
            state=state,
            outcome=_outcome(finding, over=over),
            hits=0 if finding is None else finding.hits,
            sorties=None if finding is None else finding.sorties,
            reason=None if finding is None else finding.reason,
            ended_by=None if finding is None else finding.ended_by,
            done=done,
            steps=steps,
            picked=None if finding is None else finding.picked,
            coin_kept=finding is not None and finding.coin_kept,
            text=run_text(
                finding=finding if finding is not None and (over or finding.hits) else None,
                progress=progress,
                due_utc=due_utc,
                language=language,
            ),
        )

    def _finding_view(
        self, line: Line, check: Check, number: int, language: str
    ) -> PrivateFindingView:
        run = self._run_view(line, check, number, language)
        document = line.book.private_checks.document_of(check)
        if run is None or document is None:
            raise LineStateError(
                "nothing of this private check can be run",
                given="" if check.fault is None else check.fault.value,
            )
        finding = self._core.private.get(check.proposal, number)
        asked = line.book.private_checks.times_asked(check, number)
        return PrivateFindingView(
            check=self._check_view(line, check, language),
            run=run,
            hits=() if finding is None else hit_views(finding, language),
            at_sites=() if finding is None else site_views(finding, language),
            refinements=() if finding is None else _closer(check, finding, document),
            runs_left=max(document.runs_per_slot - asked - bool(run.outcome), 0),
        )


def _outcome(finding: PrivateFinding | None, *, over: bool) -> str | None:
    if finding is None or finding.outcome is None or not (over or finding.hits):
        return None
    return finding.outcome.value


def _closer(
    check: Check, finding: PrivateFinding, document: PrivateCheckTerms
) -> tuple[RefinementView, ...]:
    """Return the closer looks at the coarse slots of what was hit, the coarsest first."""
    slots = tuple(sorted({each.slot // finding.parts for each in finding.met}))
    if not slots:
        return ()
    refines = check.body.refines
    of, run = (check.proposal, finding.run) if refines is None else (refines.of, refines.run)
    return tuple(
        RefinementView(of, run, parts, slots)
        for parts in document.refinements
        if parts > finding.parts
    )


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


def _no_run(check: Check, number: int) -> NotFoundError:
    return NotFoundError(
        "this private check has no such run",
        given=str(number),
        expected=f"0 to {check.body.runs - 1}",
    )
