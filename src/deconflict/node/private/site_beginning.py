"""How one side of a check of sites begins: its squares in what was agreed, or why not."""

import struct
from collections.abc import Iterable, Mapping

import msgspec

from deconflict.airspace.altitude import AltitudeReference
from deconflict.airspace.instant import format_utc
from deconflict.errors import (
    CheckRefusedError,
    ConfigurationError,
    InvalidAltitudeError,
    InvalidDocumentError,
    InvalidGeometryError,
    InvalidInputError,
)
from deconflict.line.keys import RandomBytes
from deconflict.messages.private_bodies import PrivateEndReason, SitesAsked
from deconflict.node.private.beginning import CannotRunError, Period
from deconflict.node.private.files import PlanFile, RunFile
from deconflict.node.private.site_files import SiteFiles
from deconflict.node.private.sorties import Sortie, named, plan_of
from deconflict.sealed.grid import Grid
from deconflict.sealed.own import Drawn, plan_bytes, read_plan
from deconflict.sealed.plane import Plane
from deconflict.sealed.site_audit import read_sites
from deconflict.sealed.site_sides import (
    PlannerSide,
    ProtectorSide,
    planner_side,
    protector_side,
)
from deconflict.sealed.sites import activity_squares, ids, sites_bytes
from deconflict.sealed.tubes import Conversions, filled

__all__ = ["SiteBegun", "SiteMet", "site_met", "sites_drawn_anew", "sites_taken_up"]

_SECRET_BYTES = 32
_E7 = 10_000_000


class SiteBegun(msgspec.Struct, frozen=True):
    """One side of a check of sites that can run: it, what is kept of it, its sorties by name."""

    own: PlannerSide | ProtectorSide
    kept: RunFile
    sorties: tuple[Sortie, ...]

    def __repr__(self) -> str:
        """Say which run it is of, and nothing of it."""
        return f"SiteBegun({self.kept!r})"


class SiteMet(msgspec.Struct, frozen=True):
    """A square of the own activity within the radius of a protected site.

    Attributes:
        sorties: names of the own sorties that touch it.
        lat_e7, lon_e7: its middle, ten-millionths of a degree.
        side_mm: how wide it is.
        label: what the protector says of the site; None where that cannot be opened.
    """

    sorties: tuple[str, ...]
    lat_e7: int
    lon_e7: int
    side_mm: int
    label: str | None


def sites_drawn_anew(
    period: Period,
    sites: SitesAsked,
    plan: PlanFile | None,
    files: SiteFiles,
    peer: str,
    *,
    now_ms: int,
    expires_ms: int,
    random_bytes: RandomBytes,
) -> SiteBegun:
    """Return a side for a check that said nothing yet; nothing of it is kept by then.

    The protector looks at once whether it would answer: a list that is shown to somebody who gets
    no answer is shown for nothing. It counts when it answers.

    Raises:
        CannotRunError: there is no plan or list, or it cannot be checked, or is not answered.
    """
    grid = period.document.site_grid(period.start_ms)
    names: tuple[tuple[str, int], ...] = ()
    if sites.protector == period.party:
        held = _list(period, sites, files, peer, grid, now_ms)
    else:
        sorties = _activity(period, plan)
        held = plan_bytes(plan_of(sorties))
        names = tuple((sortie.name, len(sortie.pieces)) for sortie in sorties)
    seed, coin, nonce = (random_bytes(_SECRET_BYTES) for _ in range(3))
    kept = RunFile(
        line_id=period.line_id,
        proposal=period.proposal,
        run=period.number,
        drawn_utc=format_utc(now_ms),
        expires_utc=format_utc(expires_ms),
        start_ms=period.start_ms,
        erase_ms=period.erase_ms,
        plan=held.decode(),
        names=names,
        seed=seed.hex(),
        coin=coin.hex(),
        nonce=nonce.hex(),
    )
    return sites_taken_up(period, sites, kept)


def sites_taken_up(period: Period, sites: SitesAsked, kept: RunFile) -> SiteBegun:
    """Return the side of a check from what was kept of it: the same, byte for byte.

    Raises:
        CannotRunError: what was kept does not give a side.
    """
    grid = period.document.site_grid(period.start_ms)
    shape = period.document.site_shape(period.start_ms, sites)
    drawn = Drawn(*(bytes.fromhex(each) for each in (kept.seed, kept.coin, kept.nonce)))
    held, until = kept.plan.encode(), kept.expires_utc
    own: PlannerSide | ProtectorSide
    sorties: tuple[Sortie, ...] = ()
    try:
        if sites.protector == period.party:
            own = protector_side(
                period.party, read_sites(held), grid, shape, drawn, expires_utc=until
            )
        else:
            plan = read_plan(held)
            sorties = named(kept.names, plan)
            own = planner_side(period.party, plan, grid, shape, drawn, expires_utc=until)
    except InvalidGeometryError as error:
        raise CannotRunError(PrivateEndReason.PLAN_LEAVES_GRID, str(error)) from error
    except InvalidInputError as error:
        raise CannotRunError(PrivateEndReason.PLAN_TOO_LARGE, str(error)) from error
    return SiteBegun(own, kept, sorties)


def site_met(
    hits: Mapping[bytes, str | None], sorties: Iterable[Sortie], grid: Grid
) -> tuple[SiteMet, ...]:
    """Return own squares that were found, with the sorties that touch them."""
    if not hits:
        return ()
    fills = [(sortie.name, ids(activity_squares(sortie.pieces, grid))) for sortie in sorties]
    plane = Plane(grid.origin)
    found = []
    for square, label in sorted(hits.items()):
        _, x, y, _ = struct.unpack(">IHHH", square)
        lat_deg, lon_deg = plane.position_of(
            grid.west_mm + (x + 0.5) * grid.cell_mm, grid.south_mm + (y + 0.5) * grid.cell_mm
        )
        names = tuple(dict.fromkeys(name for name, filled_by in fills if square in filled_by))
        lat_e7, lon_e7 = round(lat_deg * _E7), round(lon_deg * _E7)
        found.append(SiteMet(names, lat_e7, lon_e7, grid.cell_mm, label))
    return tuple(found)


def _list(
    period: Period, sites: SitesAsked, files: SiteFiles, peer: str, grid: Grid, now_ms: int
) -> bytes:
    try:
        held = files.sites()
        if held is None:
            raise CannotRunError(PrivateEndReason.NO_SITES, "no list of sites is set")
        files.require_consent(period.line_id, peer, now_ms)
        files.require_admitted(held.caps, period.line_id, grid, sites.points, now_ms)
        return sites_bytes(held.on(grid))
    except CheckRefusedError as error:
        raise CannotRunError(PrivateEndReason(error.reason), str(error)) from error
    except (ConfigurationError, InvalidDocumentError) as error:
        raise CannotRunError(PrivateEndReason.NO_SITES, str(error)) from error
    except InvalidGeometryError as error:
        raise CannotRunError(PrivateEndReason.PLAN_LEAVES_GRID, str(error)) from error


def _activity(period: Period, plan: PlanFile | None) -> tuple[Sortie, ...]:
    """Return all that the plan holds: sites stand all the time, so no time is left out.

    Altitudes count for nothing, so one that the terms cannot convert keeps nothing from being
    checked.
    """
    if plan is None:
        raise CannotRunError(PrivateEndReason.NO_PLAN, "no plan is set for this line")
    grid = period.grid
    conversions: Conversions = dict.fromkeys(AltitudeReference, (0, 0))
    try:
        return tuple(
            Sortie(each.label or each.declaration_id[:12], filled(each.geometry, grid, conversions))
            for each in plan.declarations()
        )
    except (InvalidGeometryError, InvalidAltitudeError) as error:
        raise CannotRunError(PrivateEndReason.PLAN_LEAVES_GRID, str(error)) from error
