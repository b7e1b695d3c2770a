"""What one side brings to a check: its plan in cells, and a HELLO that commits to all of it.

Everything follows from the plan, the seed and what was agreed: whoever is given these, an arbiter
or this node after a crash, makes the same side again, byte for byte.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from deconflict.errors import InvalidDocumentError, InvalidInputError
from deconflict.line.canonical import canonical_bytes
from deconflict.line.tree import GrowingTree
from deconflict.sealed.cells import SlotCells
from deconflict.sealed.cover import cover
from deconflict.sealed.grid import CANARY_LEVEL, Cell, Grid, cell_id
from deconflict.sealed.hello import Hello, Shape, commitment
from deconflict.sealed.oprf import public_key, salts
from deconflict.sealed.tubes import Area, Tube

__all__ = ["Drawn", "OwnSide", "plan_bytes", "plan_salt", "read_plan", "side_of"]

_LEAF: Final = b"\x00"
_NO_CELL: Final = bytes(10)
_LAST: Final = 0xFFFF
_SALT: Final = b"deconflict/1 sealed plan salt\n"


@dataclass(frozen=True, slots=True, repr=False)
class Drawn:
    """What is drawn at random for one session, 32 bytes each. Never shown, not even in errors.

    Attributes:
        seed: all randomness of the session comes from it.
        coin: this side's half of the coin that picks sessions to be opened.
        nonce: makes the HELLO another one than any before; this one is sent.
    """

    seed: bytes
    coin: bytes
    nonce: bytes

    def __repr__(self) -> str:
        """Say what it is, and nothing of it."""
        return "Drawn(...)"


@dataclass(frozen=True, slots=True, repr=False)
class OwnSide:
    """One side of a session.

    Attributes:
        hello: what it says first.
        seed: its seed.
        cells: its own cells and a canary in each slot: what it asks about.
        widened: the cells of its plan widened by the minima, and the canaries: what it answers
            with.
    """

    hello: Hello
    seed: bytes
    cells: SlotCells
    widened: SlotCells

    @staticmethod
    def canary(slot: int) -> bytes:
        """The cell of a slot that both sides put in and no plan holds.

        It is the last of its slot in the order of bytes: what is lost of a batch is its tail.
        """
        return cell_id((slot, _LAST, _LAST, CANARY_LEVEL))

    def __repr__(self) -> str:
        """Say whose it is, and nothing of its plan."""
        return f"OwnSide({self.hello.party!r}, ...)"


def side_of(
    party: str,
    plan: Sequence[Tube | Area],
    grid: Grid,
    shape: Shape,
    drawn: Drawn,
    *,
    expires_utc: str,
) -> OwnSide:
    """Return the side of a party in a session.

    Args:
        party: its name.
        plan: on the plane of the grid.
        grid: the agreed one, not yet refined.
        shape: the agreed lengths.
        drawn: fresh from the system's randomness, used for no other session.
        expires_utc: when it gives up.

    Raises:
        InvalidGeometryError: the plan leaves the grid, or fills too many cells.
        InvalidInputError: a slot has more cells than points, or there are more widened cells than
            the bucket holds. Nothing is left out of a check.
        InvalidDocumentError: the shape does not hold together.
    """
    shape.require_sound()
    fine = grid.refined(shape.parts)
    slots = _slots(shape, grid)
    wanted = slots if shape.slots else None
    cells = _with_canaries(cover(plan, fine, slots=wanted), slots)
    widened = _with_canaries(cover(plan, fine, grid.minima, slots=wanted), slots)
    fullest = max(cells.sizes)
    if fullest > shape.points:
        raise InvalidInputError(
            "more is flown at one time than the agreed points of a slot allow",
            given=f"{fullest} cells in a slot, its canary included",
            expected=f"at most {shape.points}",
            remedy="agree on more points, or declare some of it openly: it is NOT CHECKED",
        )
    if len(widened) > shape.bucket:
        raise InvalidInputError(
            "the plan fills more cells than the agreed bucket holds",
            given=f"{len(widened):,} widened cells, canaries included",
            expected=f"at most {shape.bucket:,}",
            remedy="agree on a larger bucket, or declare some of it openly: it is NOT CHECKED",
        )
    seed = drawn.seed
    hello = Hello(
        v=1,
        party=party,
        shape=shape,
        nonce=drawn.nonce.hex(),
        key=public_key(seed).hex(),
        plan=commitment("plan", plan_bytes(plan), plan_salt(seed)),
        seed=commitment("seed", seed, b""),
        coin=commitment("coin", drawn.coin, b""),
        cells=_root(cells, shape, seed).hex(),
        expires_utc=expires_utc,
    )
    return OwnSide(hello, seed, cells, widened)


def _slots(shape: Shape, grid: Grid) -> tuple[int, ...]:
    if shape.parts == 1:
        return tuple(range(grid.slots))
    if shape.slots[-1] >= grid.slots:
        raise InvalidDocumentError(
            "a slot to be looked at more finely is not in the period",
            given=f"slot {shape.slots[-1]}",
            expected=f"0 to {grid.slots - 1}",
        )
    return tuple(slot * shape.parts + part for slot in shape.slots for part in range(shape.parts))


def _with_canaries(found: Iterable[Cell], slots: tuple[int, ...]) -> SlotCells:
    by_slot: dict[int, list[bytes]] = defaultdict(list)
    for cell in found:
        by_slot[cell[0]].append(cell_id(cell))
    return SlotCells.of({slot: [*by_slot[slot], OwnSide.canary(slot)] for slot in slots})


def _root(cells: SlotCells, shape: Shape, seed: bytes) -> bytes:
    """Return the root over all places of all slots, those without a cell filled up."""
    places = [(slot, place) for slot in cells.slots for place in range(shape.points)]
    salted = iter(salts(seed, places))
    own = iter(cells)
    tree = GrowingTree()
    for size in cells.sizes:
        for place in range(shape.points):
            cell = next(own)[1] if place < size else _NO_CELL
            tree.add(hashlib.sha256(_LEAF + next(salted) + cell).digest())
    return tree.head_at(len(places)).root


def plan_salt(seed: bytes) -> bytes:
    """Return the salt of the commitment to a plan, 32 bytes, of the session of this seed."""
    return hashlib.sha256(_SALT + seed).digest()


# ---- the plan in bytes -----------------------------------------------------------------------


def plan_bytes(plan: Sequence[Tube | Area]) -> bytes:
    """Return the canonical bytes of a plan: what is committed to, and given to an arbiter."""
    return canonical_bytes([_wire(each) for each in plan])


def read_plan(data: bytes) -> tuple[Tube | Area, ...]:
    """Return the plan of canonical bytes; exactly what :func:`plan_bytes` wrote.

    Raises:
        InvalidDocumentError: they are none.
    """
    try:
        found = tuple(_plan_of(msgspec.json.decode(data)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _no_plan(str(error)[:80]) from error
    if plan_bytes(found) != data:
        raise _no_plan("another spelling of it")
    return found


def _wire(each: Tube | Area) -> dict[str, Any]:
    kind = "tube" if isinstance(each, Tube) else "area"
    return {"kind": kind, **msgspec.to_builtins(each)}


def _plan_of(value: Any) -> Iterator[Tube | Area]:
    if not isinstance(value, list):
        raise _no_plan(type(value).__name__)
    for each in value:
        if not isinstance(each, dict):
            raise _no_plan(type(each).__name__)
        kind = each.pop("kind", None)
        if kind not in ("tube", "area"):
            raise _no_plan(f"{kind!r:.40}")
        if kind == "tube":
            yield msgspec.convert(each, Tube)
        else:
            yield msgspec.convert(each, Area)


def _no_plan(given: str) -> InvalidDocumentError:
    return InvalidDocumentError(
        "this is no plan of a private check", given=given, expected="canonical tubes and areas"
    )
