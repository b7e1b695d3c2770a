"""Points that show nothing and tags that match: RFC 9497 POPRF, ristretto255-SHA512, by the kernel.

The **sender** holds a key, the **receiver** asks about its cells without showing them, and both end
with the same tag for the same cell in the same slot. A tag says nothing about another cell or slot
to who lacks the key. All work is done in the kernel, on all processors, without the interpreter's
lock; everything secret comes from one seed (``specs/private-check.md``), so the same seed gives the
same bytes again.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from deconflict import _kernel
from deconflict.errors import InvalidInputError, RefusedBatchError
from deconflict.sealed.cells import SlotCells, checked_slots

__all__ = [
    "POINT_LENGTH",
    "PROOF_LENGTH",
    "SEED_LENGTH",
    "SSID_LENGTH",
    "TAG_LENGTH",
    "Evaluation",
    "Question",
    "Receiver",
    "Sender",
    "pad_tags",
    "public_key",
    "salts",
]

SEED_LENGTH: Final = 32
SSID_LENGTH: Final = 32
POINT_LENGTH: Final = 32
PROOF_LENGTH: Final = 64
TAG_LENGTH: Final = 12

_T = TypeVar("_T")
_OWN_FAULTS: Final = frozenset(
    ("WRONG_LENGTH", "SLOT_ORDER", "POINTS_PER_SLOT", "OVER_BUCKET", "CELL_LENGTH", "DEGENERATE")
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a sender answers: a point for each point, in their order, and a proof for each slot."""

    points: bytes
    proofs: bytes


class Sender:
    """The role that holds the key, for one session and direction.

    Args:
        seed: the own committed seed of this session.
        ssid: names the session: the hash of both HELLO messages.

    Raises:
        InvalidInputError: one of them has not 32 bytes.
    """

    def __init__(self, seed: bytes, ssid: bytes) -> None:
        _check_secrets(seed, ssid)
        self._kernel = _asked(lambda: _kernel.SealedSender(seed, ssid))

    def tags(self, cells: SlotCells, *, threads: int | None = None) -> bytes:
        """Return the tags of own cells, 12 bytes each, in the order of the cells.

        They tell the order of the cells until they are sorted.

        Raises:
            InvalidInputError: the cells do not belong together.

        >>> seed, ssid = bytes(32), bytes(32)
        >>> cells = SlotCells.of({4: [b"0123456789"]})
        >>> len(Sender(seed, ssid).tags(cells))
        12
        """
        return self.outputs(cells, length=TAG_LENGTH, threads=threads)

    def outputs(self, cells: SlotCells, *, length: int, threads: int | None = None) -> bytes:
        """Return so many bytes of each own cell, in the order of the cells: its tag, then a secret.

        What is behind the tag only those have who asked about this cell: what is told about a cell
        can be closed with it.

        Args:
            cells: own ones.
            length: 12 to 64 bytes of each.
            threads: of the kernel; None for one a processor.

        Raises:
            InvalidInputError: the cells do not belong together, or the length is another.
        """
        return _asked(
            lambda: self._kernel.tags(
                cells.slots,
                cells.sizes,
                cells.cell_length,
                cells.data,
                length=length,
                threads=threads,
            )
        )

    def evaluate(
        self,
        slots: Collection[int],
        per_slot: int,
        blinded: bytes,
        *,
        threads: int | None = None,
    ) -> Evaluation:
        """Answer points of the peer, exactly ``per_slot`` of each slot.

        The answer is the same whenever the same points are asked: repeat it after a crash. How
        often, and for which slots, points may be asked is for the caller to hold.

        Args:
            slots: which slots, ascending.
            per_slot: how many points each has, 1 to 65,535.
            blinded: the points, 32 bytes each, slot by slot.

        Raises:
            RefusedBatchError: another number of points is due, or one is malformed, neutral or
                stands twice in its slot. Nothing was evaluated then.
            InvalidInputError: slots or ``per_slot`` cannot be used.
        """
        numbers = checked_slots(slots)
        _check_per_slot(per_slot)
        points, proofs = _asked(
            lambda: self._kernel.evaluate(numbers, per_slot, blinded, threads=threads)
        )
        return Evaluation(points, proofs)


class Question:
    """What a receiver asked: ``points`` to be sent, and what opens their answer, which stays here.

    Lost in a crash, it is made again from the same seed and cells, with the same points.
    """

    def __init__(self, asked: _kernel.SealedQuestion) -> None:
        self._kernel = asked

    @property
    def points(self) -> bytes:
        """The blinded points, 32 bytes each, slot by slot."""
        return self._kernel.points

    def finalize(self, answer: Evaluation, *, threads: int | None = None) -> bytes:
        """Return the tags of own cells, 12 bytes each, in the order of the cells.

        Raises:
            RefusedBatchError: another number of points or proofs is due, a point is malformed,
                neutral or stands twice in its slot, or a proof does not hold: the peer did not use
                the key that it showed. No tag is told then.
        """
        return self.open(answer, length=TAG_LENGTH, threads=threads)

    def open(self, answer: Evaluation, *, length: int, threads: int | None = None) -> bytes:
        """Return so many bytes of each own cell, as :meth:`Sender.outputs` has them.

        Raises:
            RefusedBatchError: as of :meth:`finalize`.
            InvalidInputError: not 12 to 64 bytes were asked for.
        """
        return _asked(
            lambda: self._kernel.finalize(
                answer.points, answer.proofs, length=length, threads=threads
            )
        )


class Receiver:
    """The role that asks, for one session and direction.

    Args:
        seed: the own committed seed of this session.
        ssid: names the session: the hash of both HELLO messages.
        sender_key: the peer's public key of this session.

    Raises:
        RefusedBatchError: the peer's key is malformed or neutral.
        InvalidInputError: one of the three has not 32 bytes.
    """

    def __init__(self, seed: bytes, ssid: bytes, sender_key: bytes) -> None:
        _check_secrets(seed, ssid)
        _check_length("the peer's key", sender_key, POINT_LENGTH)
        self._kernel = _asked(lambda: _kernel.SealedReceiver(seed, ssid, sender_key))

    def ask(self, cells: SlotCells, per_slot: int, *, threads: int | None = None) -> Question:
        """Blind own cells, filled up so that every slot has exactly ``per_slot`` points.

        Neither the points nor the work tell how many cells a slot has.

        Raises:
            InvalidInputError: a slot has more cells than points (nothing is left out), or the cells
                do not belong together.

        >>> mine, peers, ssid = bytes(32), bytes([1]) * 32, bytes(32)
        >>> cells = SlotCells.of({4: [b"0123456789"]})
        >>> question = Receiver(mine, ssid, public_key(peers)).ask(cells, per_slot=2)
        >>> answer = Sender(peers, ssid).evaluate([4], 2, question.points)
        >>> question.finalize(answer) == Sender(peers, ssid).tags(cells)
        True
        """
        _check_per_slot(per_slot)
        asked = _asked(
            lambda: self._kernel.ask(
                cells.slots, cells.sizes, cells.cell_length, cells.data, per_slot, threads=threads
            )
        )
        return Question(asked)


def public_key(seed: bytes) -> bytes:
    """Return the public key that the HELLO of a seed shows: 32 bytes.

    Raises:
        InvalidInputError: the seed has not 32 bytes.
    """
    _check_length("the seed", seed, SEED_LENGTH)
    return _asked(lambda: _kernel.sealed_public_key(seed))


def salts(seed: bytes, places: Iterable[tuple[int, int]]) -> list[bytes]:
    """Return salts of 32 bytes for the leaves at these places (slot, index) of the plan's tree.

    Raises:
        InvalidInputError: the seed has not 32 bytes, or a number has not 32 bits.
    """
    _check_length("the seed", seed, SEED_LENGTH)
    asked = [(slot, index) for slot, index in places]
    checked_slots([number for place in asked for number in place])
    made = _asked(lambda: _kernel.sealed_salts(seed, asked))
    return [made[begin : begin + 32] for begin in range(0, len(made), 32)]


def pad_tags(seed: bytes, ssid: bytes, count: int) -> bytes:
    """Return so many tags that fill a sender's up to its bucket, 12 bytes each.

    Raises:
        InvalidInputError: seed or ssid has not 32 bytes, or the count has not 32 bits.
    """
    _check_secrets(seed, ssid)
    checked_slots([count])
    return _asked(lambda: _kernel.sealed_pad_tags(seed, ssid, count))


def _asked(ask: Callable[[], _T]) -> _T:
    """Ask the kernel; what it refuses becomes an error that says whose fault it is."""
    try:
        return ask()
    except _kernel.RefusedBatch as refusal:
        code, slot, index, problem = refusal.args
        if code in _OWN_FAULTS:
            raise InvalidInputError(problem) from None
        raise RefusedBatchError(problem, reason=code, slot=slot, index=index) from None


def _check_secrets(seed: bytes, ssid: bytes) -> None:
    _check_length("the seed", seed, SEED_LENGTH)
    _check_length("the ssid", ssid, SSID_LENGTH)


def _check_length(what: str, value: bytes, length: int) -> None:
    """Refuse another length, and say nothing of the value: it may be secret."""
    if len(value) != length:
        raise InvalidInputError(
            f"{what} has another length", given=f"{len(value)} bytes", expected=f"{length} bytes"
        )


def _check_per_slot(per_slot: int) -> None:
    if not 1 <= per_slot <= 65_535:
        raise InvalidInputError(
            "a slot cannot have so many points", given=str(per_slot), expected="1 to 65535"
        )
