"""What a run of a private check came to, as it is kept: put together from how far it went."""

from typing import TypeAlias

from deconflict.airspace.instant import format_utc
from deconflict.errors import ConfigurationError, InvalidDocumentError
from deconflict.messages.private_bodies import Refines
from deconflict.node.private.beginning import Begun, Period
from deconflict.node.private.closer import Refined
from deconflict.node.private.course import Course
from deconflict.node.private.files import PrivateFiles
from deconflict.node.private.findings import PrivateFinding
from deconflict.node.private.mediated_beginning import MediatedBegun
from deconflict.node.private.mediated_course import MediatedCourse
from deconflict.node.private.site_beginning import SiteBegun, SiteMet, site_met
from deconflict.node.private.site_course import SiteCourse
from deconflict.node.private.sorties import Met, met
from deconflict.sealed.session import Outcome

__all__ = ["AnyBegun", "AnyCourse", "finding_of", "is_same_plan", "protects"]

AnyBegun: TypeAlias = Begun | SiteBegun | MediatedBegun
AnyCourse: TypeAlias = Course | SiteCourse | MediatedCourse


def protects(period: Period) -> bool:
    """Return whether this side holds the sites that a run asks about."""
    sites = period.body.sites
    return sites is not None and sites.protector == period.party


def finding_of(
    period: Period,
    peer: str,
    begun: AnyBegun | None,
    course: AnyCourse | None,
    *,
    hits: frozenset[bytes],
    at_ms: int,
    drill: bool,
    refines: Refined | None,
    reason: str | None,
    ended_by: str | None,
) -> PrivateFinding:
    """Return what is known of a run; to work out own places may take a second.

    Args:
        period: the run.
        peer: with whom.
        begun: the own side; None where it was not begun.
        course: how far it came; None likewise.
        hits: the own cells hit so far, where there is no course.
        at_ms: when this became known.
        drill: exercise only.
        refines: of a closer look, of which run.
        reason: why it ended before its end; None where it did not.
        ended_by: who ended it; None likewise.
    """
    sites, grid = period.body.sites, period.grid.refined(period.parts)
    found = None if course is None else course.finding
    whole = found is not None and found.whole and reason is None
    hits = hits if found is None else found.hits
    sorties = () if begun is None else begun.sorties
    where: tuple[Met, ...] = ()
    at_sites: tuple[SiteMet, ...] = ()
    if sites is None:
        where = met(hits, sorties, grid)
    elif isinstance(course, SiteCourse):
        at_sites = site_met(course.labels, sorties, period.document.site_grid(period.start_ms))
    outcome = Outcome.HIT if hits else Outcome.NO_HIT if whole else Outcome.NOT_CHECKED
    told = course.told if isinstance(course, MediatedCourse) and whole else None
    if told is not None:
        outcome = told.outcome
    mediated = period.body.mediated
    return PrivateFinding(
        line_id=period.line_id,
        peer=peer,
        proposal=period.proposal,
        run=period.number,
        start_utc=format_utc(period.start_ms),
        end_utc=format_utc(period.end_ms),
        slot_ms=grid.slot_ms,
        parts=period.parts,
        # The protector finds nothing, and least of all that nothing was near.
        outcome=None if protects(period) else outcome,
        whole=whole,
        at_utc=format_utc(at_ms),
        met=where,
        protector=None if sites is None else sites.protector,
        points=None if sites is None else sites.points,
        at_sites=at_sites,
        mediator=None if mediated is None else mediated.mediator,
        own_cells=None if told is None else told.own_cells,
        peers_cells=None if told is None else told.peers_cells,
        sorties=None if begun is None or protects(period) else len(begun.sorties),
        reason=reason,
        ended_by=ended_by,
        drill=drill,
        forget_ms=period.erase_ms,
        refines=refines,
    )


def is_same_plan(files: PrivateFiles, refines: Refines, begun: AnyBegun | None) -> bool:
    """Return whether the plan that is looked at is the one that the coarse run was of.

    A hit of one plan does not fall by a look at another one, as long as nobody knows where the
    other one goes: what is kept no longer, or cannot be read, is another plan.
    """
    if begun is None:
        return False
    try:
        coarse = files.run(refines.of, refines.run)
    except (ConfigurationError, InvalidDocumentError):
        return False
    return coarse is not None and coarse.plan == begun.kept.plan
