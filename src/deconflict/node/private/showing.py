"""Private checks as a running node shows them: what is agreed, how runs stand, what they found."""

from collections.abc import Iterator

from deconflict.airspace.instant import format_utc
from deconflict.errors import LineStateError, NotFoundError
from deconflict.node.line import Line
from deconflict.node.private.checks import Check
from deconflict.node.private.course import STEPS_OF_BOTH
from deconflict.node.private.findings import PrivateFinding
from deconflict.node.private.looks import Looks
from deconflict.node.private.runner import PrivateRunner
from deconflict.node.private.site_course import SITE_STEPS_OF_BOTH
from deconflict.node.private.views import (
    PrivateCheckView,
    PrivateFindingView,
    PrivateRunView,
    RefinementView,
    hit_views,
    mediator_learns,
    run_text,
    site_views,
)
from deconflict.node.releasing import Releasing
from deconflict.sealed.session import Outcome

__all__ = ["PrivateShowing", "no_run"]


class PrivateShowing(Releasing):
    """A running node whose private checks can be looked at.

    Attributes:
        private: who runs them; None in a node that has no peers to run them with.
    """

    private: PrivateRunner | None = None

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
            raise no_run(check, run)
        return self._finding_view(held, check, run, self._language(language))

    # ---- inside ------------------------------------------------------------------------------

    @property
    def _runner(self) -> PrivateRunner:
        if self.private is None:
            raise LineStateError("this node runs no private checks")
        return self.private

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
        refines, mediated = check.body.refines, check.body.mediated
        return PrivateCheckView(
            proposal=check.proposal,
            line_id=line.line_id,
            peer=line.peer,
            by=check.by,
            own=check.own,
            mode=check.body.mode.value,
            protector=None if check.body.sites is None else check.body.sites.protector,
            mediator=None if mediated is None else mediated.mediator,
            answer=None if mediated is None else mediated.answer.value,
            warning=None if mediated is None else mediator_learns(mediated.mediator, language),
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
        going = self._runner.going(check.proposal)
        shown = (
            said
            | found
            | going
            | ({following} if following is not None and not check.ends else set())
        )
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
        fallen = 0 if finding is None else self._core.private.families.counts(finding)["fallen"]
        due_utc = format_utc(period.due_ms)
        over = finding is not None and (finding.whole or finding.reason is not None)
        if over and finding is not None:
            state = "WHOLE" if finding.whole else "ENDED"
        else:
            begun = runner.is_going(check.proposal, number) or run.own.hello or run.peer.hello
            state = "RUNNING" if begun else "WAITING"
            if begun and progress is None:
                progress = (0, _steps_of(check))
        done, steps = (None, None if over else _steps_of(check))
        if not over and progress is not None:
            done, steps = progress
        return PrivateRunView(
            run=number,
            start_utc=format_utc(period.start_ms),
            end_utc=format_utc(period.end_ms),
            due_utc=due_utc,
            state=state,
            outcome=_outcome(finding, over=over),
            hits=0 if finding is None else finding.hits,
            fallen=fallen,
            stands=self._stands(finding, over=over),
            own_cells=None if finding is None else finding.own_cells,
            peers_cells=None if finding is None else finding.peers_cells,
            sorties=None if finding is None else finding.sorties,
            reason=None if finding is None else finding.reason,
            ended_by=None if finding is None else finding.ended_by,
            done=done,
            steps=steps,
            picked=None if finding is None else finding.picked,
            coin_kept=finding is not None and finding.coin_kept,
            text=run_text(
                finding=finding if finding is not None and (over or finding.hits) else None,
                fallen=fallen,
                progress=progress,
                due_utc=due_utc,
                language=language,
            ),
        )

    def _stands(self, finding: PrivateFinding | None, *, over: bool) -> str | None:
        """Return the outcome of a run and of closer looks at it together."""
        outcome = _outcome(finding, over=over)
        if finding is None or outcome is None or (outcome == Outcome.HIT and not finding.met):
            return outcome  # a hit of no cells, as at a site, is looked at by no closer look
        families = self._core.private.families
        if finding.parts == 1:
            return families.stands(finding).outcome.value
        counts = families.counts(finding)
        return outcome if counts["left"] or not counts["fallen"] else Outcome.NO_HIT.value

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
        looks = Looks(line.book.private_checks, self._core.private, *_root(check, number))
        return PrivateFindingView(
            check=self._check_view(line, check, language),
            run=run,
            hits=()
            if finding is None
            else hit_views(finding, self._core.private.families.stands(finding), language),
            at_sites=() if finding is None else site_views(finding, language),
            refinements=() if finding is None else looks.offered(document),
            looks=looks.views(),
            runs_left=max(document.runs_per_slot - asked - bool(run.outcome), 0),
        )


def _steps_of(check: Check) -> int:
    """Return how many steps both sides say in a whole run."""
    return STEPS_OF_BOTH if check.body.sites is None else SITE_STEPS_OF_BOTH


def _outcome(finding: PrivateFinding | None, *, over: bool) -> str | None:
    if finding is None or finding.outcome is None or not (over or finding.hits):
        return None
    return finding.outcome.value


def _root(check: Check, number: int) -> tuple[str, int]:
    """Return the run that a run is a closer look at: itself where it is none."""
    refines = check.body.refines
    return (check.proposal, number) if refines is None else (refines.of, refines.run)


def no_run(check: Check, number: int) -> NotFoundError:
    """Return what refuses the number of a run that a check does not have."""
    return NotFoundError(
        "this private check has no such run",
        given=str(number),
        expected=f"0 to {check.body.runs - 1}",
    )
