"""The closer looks at a run: which were proposed, and which can be proposed next, at what.

A side knows its own hits, and of the peer's only the slots that the peer named by proposing to look
at them. A look at both is complete for both.
"""

from collections.abc import Iterator

from deconflict.messages.private_bodies import Refines
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.node.private.checks import Check, CheckState, PrivateChecks
from deconflict.node.private.findings import PrivateFindings
from deconflict.node.private.views import CloserLookView, RefinementView
from deconflict.sealed.grid import cell_of
from deconflict.sealed.refine import MOST_SLOTS, joined

__all__ = ["Looks"]


class Looks:
    """The closer looks at one run, as far as one side may know of them.

    Args:
        checks: of the line.
        findings: of the node.
        of: the coarse check.
        run: which of its runs.
    """

    def __init__(self, checks: PrivateChecks, findings: PrivateFindings, of: str, run: int) -> None:
        self._checks, self._findings = checks, findings
        self._of, self._run = of, run

    def views(self) -> tuple[CloserLookView, ...]:
        """Return those that were proposed, the oldest first."""
        return tuple(
            CloserLookView(
                proposal=check.proposal,
                own=check.own,
                parts=refines.parts,
                slots=len(refines.slots),
                state=check.state.value,
                outcome=self._outcome(check),
            )
            for check, refines in self._proposed()
        )

    def named_by_peer(self, parts: int) -> tuple[int, ...]:
        """Return the slots that the peer wants looked at, and that no look came to its end for.

        Args:
            parts: into how many cells are to be cut now; what was looked at so finely is left out.
        """
        named: set[int] = set()
        seen: set[int] = set()
        for check, refines in self._proposed():
            found = self._findings.get(check.proposal, 0)
            if found is not None and found.whole:
                seen.update(refines.slots)
            elif not check.own and not parts % refines.parts:
                named.update(refines.slots)
        return tuple(sorted(named - seen))

    def own_hits(self, parts: int) -> tuple[tuple[int, bytes], ...]:
        """Return the own hits that stand and can be looked at in cells cut into so many parts.

        Each with into how many the sides of its own cell are cut.
        """
        found = self._findings.get(self._of, self._run)
        if found is None:
            return ()
        standing = self._findings.families.stands(found).cells
        return tuple(sorted(each for each in standing if each[0] < parts and not parts % each[0]))

    def offered(self, document: PrivateCheckTerms) -> tuple[RefinementView, ...]:
        """Return those that can be proposed, the coarsest first; not what is on its way already."""
        found = (self._offer(parts) for parts in document.refinements)
        return tuple(each for each in found if each is not None)

    def _offer(self, parts: int) -> RefinementView | None:
        own = {cell_of(cell)[0] // cut for cut, cell in self.own_hits(parts)}
        if not own or any(own.issubset(slots) for slots in self._on_their_way(parts)):
            return None
        slots = joined(own, self.named_by_peer(parts))
        return RefinementView(self._of, self._run, parts, slots[:MOST_SLOTS])

    def _on_their_way(self, parts: int) -> Iterator[tuple[int, ...]]:
        """Yield the slots of looks so close that wait for an answer, or for their end."""
        for check, refines in self._proposed():
            found = self._findings.get(check.proposal, 0)
            waits = check.state in (CheckState.PROPOSED, CheckState.ACCEPTED)
            if refines.parts == parts and waits and (found is None or not found.is_over):
                yield refines.slots

    def _outcome(self, check: Check) -> str | None:
        found = self._findings.get(check.proposal, 0)
        if found is None or not found.is_over or found.outcome is None:
            return None
        return found.outcome.value

    def _proposed(self) -> Iterator[tuple[Check, Refines]]:
        for check in self._checks:
            refines = check.body.refines
            if refines is None or check.fault is not None:
                continue
            if (refines.of, refines.run) == (self._of, self._run):
                yield check, refines
