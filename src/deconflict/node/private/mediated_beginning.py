"""How one side of a mediated check begins: its plan in cells that fit the lists, or why not."""

import msgspec

from deconflict.errors import InvalidGeometryError, InvalidInputError
from deconflict.messages.private_bodies import MediatedAsked, PrivateEndReason
from deconflict.node.private.beginning import CannotRunError, Period
from deconflict.node.private.files import RunFile
from deconflict.node.private.sorties import Sortie, named
from deconflict.sealed.mediated import Mediated, MediatedSide, mediated_side
from deconflict.sealed.own import Drawn, read_plan

__all__ = ["MediatedBegun", "mediated_taken_up"]


class MediatedBegun(msgspec.Struct, frozen=True):
    """One side of a mediated check that can run: it, what is kept of it, its sorties by name."""

    own: MediatedSide
    kept: RunFile
    sorties: tuple[Sortie, ...]

    def __repr__(self) -> str:
        """Say which run it is of, and nothing of it."""
        return f"MediatedBegun({self.kept!r})"


def mediated_taken_up(period: Period, asked: MediatedAsked, kept: RunFile) -> MediatedBegun:
    """Return the side of a check from what was kept of it: the same, byte for byte.

    Raises:
        CannotRunError: what was kept does not give a side.
    """
    plan = read_plan(kept.plan.encode())
    drawn = Drawn(*(bytes.fromhex(each) for each in (kept.seed, kept.coin, kept.nonce)))
    terms = period.document.mediated_terms(period.start_ms, asked)
    try:
        own = mediated_side(
            period.party, plan, period.grid, terms, drawn, expires_utc=kept.expires_utc
        )
        Mediated(own)  # refuses what does not fit, before anything is said
    except InvalidGeometryError as error:
        raise CannotRunError(PrivateEndReason.PLAN_LEAVES_GRID, str(error)) from error
    except InvalidInputError as error:
        raise CannotRunError(PrivateEndReason.PLAN_TOO_LARGE, str(error)) from error
    return MediatedBegun(own, kept, named(kept.names, plan))
