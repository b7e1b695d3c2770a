"""Which kind of side a run has: of a mutual check, of one of protected sites, or mediated."""

from deconflict.errors import ConfigurationError, InvalidDocumentError
from deconflict.messages.private_bodies import PrivateEndReason
from deconflict.messages.terms import Terms
from deconflict.node.private.beginning import (
    Begun,
    CannotRunError,
    Period,
    drawn_anew,
    run_file,
    taken_up,
)
from deconflict.node.private.files import RunFile
from deconflict.node.private.mediated_beginning import MediatedBegun, mediated_taken_up
from deconflict.node.private.site_beginning import SiteBegun, sites_drawn_anew, sites_taken_up
from deconflict.node.private.tools import Tools

__all__ = ["side_drawn", "side_taken_up"]


def side_drawn(
    tools: Tools, period: Period, peer: str, terms: Terms, *, now_ms: int, expires_ms: int
) -> Begun | SiteBegun | MediatedBegun:
    """Return the own side of a run that said nothing yet; takes seconds.

    Raises:
        CannotRunError: there is nothing to check, or it cannot be checked.
    """
    sites, random_bytes = period.body.sites, tools.random_bytes
    protects = sites is not None and sites.protector == period.party
    try:
        plan = None if protects else tools.files.plan(period.line_id)
    except (ConfigurationError, InvalidDocumentError) as error:
        raise CannotRunError(PrivateEndReason.NO_PLAN, str(error)) from error
    if period.body.mediated is not None:
        kept = run_file(
            period, plan, terms, now_ms=now_ms, expires_ms=expires_ms, random_bytes=random_bytes
        )
        return mediated_taken_up(period, period.body.mediated, kept)
    if sites is None:
        return drawn_anew(
            period, plan, terms, now_ms=now_ms, expires_ms=expires_ms, random_bytes=random_bytes
        )
    return sites_drawn_anew(
        period,
        sites,
        plan,
        tools.sites,
        peer,
        now_ms=now_ms,
        expires_ms=expires_ms,
        random_bytes=random_bytes,
    )


def side_taken_up(period: Period, kept: RunFile) -> Begun | SiteBegun | MediatedBegun:
    """Return the own side of a run from what was kept of it: the same, byte for byte.

    Raises:
        CannotRunError: what was kept does not give a side.
    """
    sites, mediated = period.body.sites, period.body.mediated
    if mediated is not None:
        return mediated_taken_up(period, mediated, kept)
    return taken_up(period, kept) if sites is None else sites_taken_up(period, sites, kept)
