"""Whether a hit of a private check can be talked about: a CONCERN that names no declaration."""

from deconflict.errors import InvalidInputError, LineStateError, NotFoundError
from deconflict.messages.bodies import Concern
from deconflict.messages.body import Body
from deconflict.node.line import Line
from deconflict.node.private.findings import PrivateFindings
from deconflict.sealed.session import Outcome

__all__ = ["require_hit"]


def require_hit(line: Line, body: Body, ref: str | None, findings: PrivateFindings) -> None:
    """Return unless a concern is about a hit of a private check that this side does not have.

    Raises:
        NotFoundError: there is no such check on the line.
        InvalidInputError: another check is cited than is named.
        LineStateError: nothing was hit in that run, or nothing of it stands.
    """
    if not isinstance(body, Concern) or body.hit is None:
        return
    check = line.book.private_checks.get(body.hit.check)
    if check is None:
        raise NotFoundError(
            "there is no such private check on this line",
            given=body.hit.check[:16],
            remedy="list them: deconflict private status",
        )
    cited = line.book.private_checks.get(ref)
    if cited is not None and cited.proposal != check.proposal:
        raise InvalidInputError(
            "a concern about a hit cites another private check than it names",
            given=cited.proposal[:16],
            expected=check.proposal[:16],
        )
    found = findings.get(check.proposal, body.hit.run)
    if found is None or found.outcome is not Outcome.HIT:
        raise LineStateError(
            "nothing of yours was hit in that run",
            given=f"run {body.hit.run} of {check.proposal[:16]}",
            expected="a run with a hit of yours",
            remedy="see what it found: deconflict private show",
        )
    counts = findings.families.counts(found)
    if counts["fallen"] and not counts["left"]:
        raise LineStateError(
            "every hit of that run has fallen in closer looks",
            given=f"{counts['fallen']} cells fallen, none stands",
            expected="a run of which a hit stands",
            remedy="see what it found: deconflict private show",
        )
