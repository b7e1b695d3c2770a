"""What protector and planner bring to a check of sites, and how long each step of it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from deconflict.errors import InvalidInputError
from deconflict.sealed.cells import SlotCells
from deconflict.sealed.grid import Grid
from deconflict.sealed.hello import commitment
from deconflict.sealed.labels import close_length
from deconflict.sealed.oprf import POINT_LENGTH, PROOF_LENGTH, TAG_LENGTH, public_key
from deconflict.sealed.own import Drawn, plan_bytes, plan_salt
from deconflict.sealed.site_hello import SiteHello, SiteRole, SiteShape
from deconflict.sealed.sites import (
    Site,
    activity_squares,
    ids,
    named,
    site_canaries,
    site_squares,
    sites_bytes,
)
from deconflict.sealed.tubes import Area, Tube

__all__ = [
    "SITE_SLOT",
    "PlannerSide",
    "ProtectorSide",
    "SiteStep",
    "SiteStepKind",
    "entry_length",
    "planner_side",
    "protector_side",
    "step_length",
]

SITE_SLOT: Final = 0  # the only one: sites stand all the time


class SiteStepKind(IntEnum):
    """The steps in their order."""

    HELLO = 1
    LIST = 2
    POINTS = 3
    EVALUATED = 4
    DONE = 5


@dataclass(frozen=True, slots=True)
class SiteStep:
    """One step as it travels.

    Attributes:
        kind: which.
        data: HELLO: its exact bytes. LIST: tags in ascending order, each with its closed label.
            POINTS: the points. EVALUATED: points, then a proof. DONE: hash of the transcript.
    """

    kind: SiteStepKind
    data: bytes


def step_length(kind: SiteStepKind, shape: SiteShape) -> int | None:
    """Return how many bytes a step carries; None for a HELLO."""
    match kind:
        case SiteStepKind.HELLO:
            return None
        case SiteStepKind.LIST:
            return entry_length(shape) * shape.bucket
        case SiteStepKind.POINTS:
            return POINT_LENGTH * shape.points
        case SiteStepKind.EVALUATED:
            return POINT_LENGTH * shape.points + PROOF_LENGTH
        case SiteStepKind.DONE:
            return 32


# ---- what each side brings -------------------------------------------------------------------


def entry_length(shape: SiteShape) -> int:
    """Return the bytes of one entry of a list: a tag, and a closed label where any are told."""
    return TAG_LENGTH + close_length(shape.label)


@dataclass(frozen=True, slots=True, repr=False)
class ProtectorSide:
    """Who holds sites: the HELLO, the seed, the squares with their labels, canaries included."""

    hello: SiteHello
    seed: bytes
    cells: SlotCells
    labels: Mapping[bytes, str]

    def __repr__(self) -> str:
        """Say whose it is, and nothing of the sites."""
        return f"ProtectorSide({self.hello.party!r}, ...)"


@dataclass(frozen=True, slots=True, repr=False)
class PlannerSide:
    """Who asks: the HELLO, the seed, the squares, canaries included."""

    hello: SiteHello
    seed: bytes
    cells: SlotCells

    def __repr__(self) -> str:
        """Say whose it is, and nothing of the activity."""
        return f"PlannerSide({self.hello.party!r}, ...)"


def protector_side(
    party: str,
    sites: Sequence[Site],
    grid: Grid,
    shape: SiteShape,
    drawn: Drawn,
    *,
    expires_utc: str,
) -> ProtectorSide:
    """Return the side of who protects sites, decoys among them.

    Raises:
        InvalidGeometryError: a site leaves the grid.
        InvalidInputError: more squares than the bucket holds, or a label longer than agreed.
            Nothing is left out.
    """
    labels = named(site_squares(sites, grid))
    longest = max((len(label.encode()) for label in labels.values()), default=0)
    if shape.label and longest > shape.label:
        raise InvalidInputError(
            "a label is longer than agreed",
            given=f"{longest} bytes",
            expected=f"at most {shape.label}",
        )
    canaries = site_canaries()
    cells = SlotCells.of({SITE_SLOT: [*labels, *canaries]})
    _require_room("squares of sites", len(cells), shape.bucket)
    hello = _hello(SiteRole.PROTECTOR, party, shape, drawn, expires_utc, sites_bytes(sites))
    return ProtectorSide(hello, drawn.seed, cells, {**labels, **dict.fromkeys(canaries, "")})


def planner_side(
    party: str,
    plan: Sequence[Tube | Area],
    grid: Grid,
    shape: SiteShape,
    drawn: Drawn,
    *,
    expires_utc: str,
) -> PlannerSide:
    """Return the side of who plans an activity.

    Raises:
        InvalidGeometryError: it leaves the grid.
        InvalidInputError: more squares than points are agreed. Nothing is left out.
    """
    cells = SlotCells.of({SITE_SLOT: [*ids(activity_squares(plan, grid)), *site_canaries()]})
    _require_room("squares of the activity", len(cells), shape.points)
    hello = _hello(SiteRole.PLANNER, party, shape, drawn, expires_utc, plan_bytes(plan))
    return PlannerSide(hello, drawn.seed, cells)


def _hello(
    role: SiteRole, party: str, shape: SiteShape, drawn: Drawn, expires_utc: str, held: bytes
) -> SiteHello:
    return SiteHello(
        v=1,
        role=role,
        party=party,
        shape=shape,
        nonce=drawn.nonce.hex(),
        key=public_key(drawn.seed).hex(),
        held=commitment(
            "sites" if role is SiteRole.PROTECTOR else "plan", held, plan_salt(drawn.seed)
        ),
        seed=commitment("seed", drawn.seed, b""),
        expires_utc=expires_utc,
    )


def _require_room(what: str, given: int, most: int) -> None:
    if given > most:
        raise InvalidInputError(
            f"there are more {what} than agreed",
            given=f"{given:,}, canaries included",
            expected=f"at most {most:,}",
            remedy="agree on more, or on a coarser grid: it is NOT CHECKED",
        )
