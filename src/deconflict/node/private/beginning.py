"""How one side of a run begins: its plan in cells, within what was agreed, or why it cannot."""

from typing import Final

import msgspec

from deconflict.airspace.instant import format_utc
from deconflict.errors import InvalidAltitudeError, InvalidGeometryError, InvalidInputError
from deconflict.line.keys import RandomBytes
from deconflict.messages.in_force import conversions_of
from deconflict.messages.private_bodies import PrivateEndReason, PrivatePropose, Refines
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.terms import Terms
from deconflict.node.private.files import PlanFile, RunFile
from deconflict.node.private.sorties import (
    Sortie,
    conversions_to,
    flown,
    named,
    plan_of,
    require_within,
)
from deconflict.sealed.grid import Grid
from deconflict.sealed.own import Drawn, OwnSide, plan_bytes, read_plan, side_of
from deconflict.sealed.refine import closer_look

__all__ = [
    "Begun",
    "CannotRunError",
    "Period",
    "drawn_anew",
    "require_look_fits",
    "run_file",
    "taken_up",
]

_SECRET_BYTES: Final = 32
_DAY_MS: Final = 86_400_000


class CannotRunError(Exception):
    """A run has to end here, or cannot begin; never leaves this package.

    Attributes:
        reason: as the line is told.
        detail: for the own people alone.
    """

    def __init__(self, reason: PrivateEndReason, detail: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.detail = detail


class Period(msgspec.Struct, frozen=True):
    """Of which run this is, and what was agreed about it."""

    line_id: str
    party: str
    proposal: str
    body: PrivatePropose
    number: int
    start_ms: int
    document: PrivateCheckTerms

    @property
    def grid(self) -> Grid:
        """The coarse grid of its period."""
        return self.document.grid(self.start_ms)

    @property
    def parts(self) -> int:
        """Into how many the sides of a cell are cut."""
        return 1 if self.body.refines is None else self.body.refines.parts

    @property
    def due_ms(self) -> int:
        """When its HELLO is due."""
        return self.document.due_ms(self.start_ms)

    @property
    def end_ms(self) -> int:
        """When its period is over."""
        return self.document.end_ms(self.start_ms)

    @property
    def erase_ms(self) -> int:
        """When the retention that was agreed is over."""
        return self.end_ms + self.document.retention_days * _DAY_MS


class Begun(msgspec.Struct, frozen=True):
    """One side that can run: it, what is kept of it, and its sorties by name."""

    own: OwnSide
    kept: RunFile
    sorties: tuple[Sortie, ...]

    def __repr__(self) -> str:
        """Say which run it is of, and nothing of it."""
        return f"Begun({self.kept!r})"


def drawn_anew(
    period: Period,
    plan: PlanFile | None,
    terms: Terms,
    *,
    now_ms: int,
    expires_ms: int,
    random_bytes: RandomBytes,
) -> Begun:
    """Return a side for a run that said nothing yet; takes seconds for a large plan.

    Nothing of it is kept: whoever runs it keeps it first.

    Raises:
        CannotRunError: there is no plan, or it cannot be checked. Nothing is left out of a check.
    """
    kept = run_file(
        period, plan, terms, now_ms=now_ms, expires_ms=expires_ms, random_bytes=random_bytes
    )
    return taken_up(period, kept)


def run_file(
    period: Period,
    plan: PlanFile | None,
    terms: Terms,
    *,
    now_ms: int,
    expires_ms: int,
    random_bytes: RandomBytes,
) -> RunFile:
    """Return what a run that said nothing yet is begun with; raises as :func:`drawn_anew`."""
    if plan is None:
        raise CannotRunError(PrivateEndReason.NO_PLAN, "no plan is set for this line")
    document, grid = period.document, period.grid
    try:
        sorties = flown(
            plan.declarations(), grid, conversions_to(grid.reference, conversions_of(terms))
        )
        require_within(
            sorties,
            grid,
            most=document.sorties,
            cells_in_slot=document.cells_per_sortie_slot if period.parts == 1 else None,
        )
    except (InvalidGeometryError, InvalidAltitudeError) as error:
        raise CannotRunError(PrivateEndReason.PLAN_LEAVES_GRID, str(error)) from error
    except InvalidInputError as error:
        raise CannotRunError(PrivateEndReason.PLAN_TOO_LARGE, str(error)) from error
    seed, coin, nonce = (random_bytes(_SECRET_BYTES) for _ in range(3))
    return RunFile(
        line_id=period.line_id,
        proposal=period.proposal,
        run=period.number,
        drawn_utc=format_utc(now_ms),
        expires_utc=format_utc(expires_ms),
        start_ms=period.start_ms,
        erase_ms=period.erase_ms,
        plan=plan_bytes(plan_of(sorties)).decode(),
        names=tuple((sortie.name, len(sortie.pieces)) for sortie in sorties),
        seed=seed.hex(),
        coin=coin.hex(),
        nonce=nonce.hex(),
    )


def require_look_fits(
    coarse: Period, plan: PlanFile, terms: Terms, refines: Refines, kept: RunFile | None
) -> None:
    """Return when a closer look could say something of the hits of a run.

    Args:
        coarse: the run.
        plan: what is flown now.
        terms: in force.
        refines: the look.
        kept: what is kept of the run; None where it is no more.

    Raises:
        InvalidInputError: it could not: the plan is another one by now, or fills more cells so
            small than are asked about. To propose it would show slots for nothing.
        InvalidGeometryError, InvalidAltitudeError: the plan leaves the grid.
    """
    grid = coarse.grid
    conversions = conversions_to(grid.reference, conversions_of(terms))
    flies = plan_of(flown(plan.declarations(), grid, conversions))
    if kept is not None and plan_bytes(flies).decode() != kept.plan:
        raise InvalidInputError(
            "the plan is another one than in the run that had the hits, so none could fall",
            given="a plan that was set since",
            expected="the plan that was checked",
            remedy="check the new plan: deconflict private propose",
        )
    closer_look(
        (),
        flies,
        grid,
        parts=1,
        closer=refines.parts,
        peers=refines.slots,
        most_points=coarse.document.points,
        most_tags=coarse.document.bucket,
    )


def taken_up(period: Period, kept: RunFile) -> Begun:
    """Return the side of a run from what was kept of it: the same, byte for byte.

    Raises:
        CannotRunError: what was kept does not give a side.
    """
    plan = read_plan(kept.plan.encode())
    drawn = Drawn(*(bytes.fromhex(each) for each in (kept.seed, kept.coin, kept.nonce)))
    try:
        own = side_of(
            period.party,
            plan,
            period.grid,
            period.document.shape(period.start_ms, period.body.refines),
            drawn,
            expires_utc=kept.expires_utc,
        )
    except InvalidGeometryError as error:
        raise CannotRunError(PrivateEndReason.PLAN_LEAVES_GRID, str(error)) from error
    except InvalidInputError as error:
        raise CannotRunError(PrivateEndReason.PLAN_TOO_LARGE, str(error)) from error
    return Begun(own, kept, named(kept.names, plan))
