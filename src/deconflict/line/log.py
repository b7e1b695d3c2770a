"""Does one party's whole chain verify? For the start of a node, and for a bundle offline.

Streaming: memory does not grow with the log. The work is split so that several threads can share
it: :func:`verify_signatures` looks at each entry alone, other threads run meanwhile;
:class:`ChainCheck` walks the order, which is cheap.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from deconflict.errors import (
    BadSignatureError,
    BrokenChainError,
    ForkedChainError,
    InvalidDocumentError,
    UnknownKeyError,
    WrongLineError,
    WrongSenderError,
)
from deconflict.line.envelope import GENESIS, Address, SealedEnvelope
from deconflict.line.keys import CONTEXT_ENVELOPE, VerifyKey, key_named
from deconflict.line.statement import ChainPoint

__all__ = ["ChainCheck", "verify_signatures"]


class _Place(msgspec.Struct, frozen=True):
    """What the walk needs of an envelope; the other fields are skipped."""

    line: str
    sender: Address = msgspec.field(name="from")
    epoch: str
    seq: int
    prev: str


_PLACE: Final = msgspec.json.Decoder(_Place)


class ChainCheck:
    """The walk along one party's chain on one line, entry by entry.

    Args:
        line: every entry's line.
        party: every entry's author.
    """

    def __init__(self, *, line: str, party: str) -> None:
        self._line: Final = line
        self._party: Final = party
        self._head: ChainPoint | None = None
        self._last: SealedEnvelope | None = None

    @property
    def head(self) -> ChainPoint | None:
        """The last slot walked; None before slot 1."""
        return self._head

    def add(self, sealed: SealedEnvelope, *, name: str | None = None) -> ChainPoint:
        """Walk one entry further; its signature is not looked at.

        Args:
            sealed: the entry.
            name: its hash, where somebody has worked it out of these bytes already.

        Raises:
            InvalidDocumentError: not an envelope.
            WrongLineError, WrongSenderError: of another line or author.
            ForkedChainError: the same slot again, with other bytes.
            BrokenChainError: its number, epoch or ``prev`` does not follow.
        """
        try:
            place = _PLACE.decode(sealed.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidDocumentError(
                "an entry of the log is not an envelope",
                given=f"after slot {0 if self._head is None else self._head.seq}: {error}"[:160],
                remedy="restore the log from a copy that verifies",
            ) from error
        if place.line != self._line:
            raise WrongLineError(
                "an entry of the log belongs to another line",
                given=f"slot {place.seq}: {place.line[:40]}",
                expected=self._line,
            )
        if place.sender.party != self._party:
            raise WrongSenderError(
                "an entry of the log has another author",
                given=f"slot {place.seq}: {place.sender.party[:70]}",
                expected=self._party,
            )
        return self._follow(sealed, place, name or sealed.hash)

    def pass_to(self, point: ChainPoint, last: SealedEnvelope) -> None:
        """Go on at a later slot: somebody walked there, and ``last`` is what stands in it."""
        self._head, self._last = point, last

    def _follow(self, sealed: SealedEnvelope, place: _Place, name: str) -> ChainPoint:
        head = self._head
        point = ChainPoint(place.epoch, place.seq, name)
        if head is None:
            follows = place.seq == 1 and place.prev == GENESIS
        else:
            follows = (
                place.epoch == head.epoch and place.seq == head.seq + 1 and place.prev == head.hash
            )
        if follows:
            self._head, self._last = point, sealed
            return point
        if head is not None and (place.epoch, place.seq) == (head.epoch, head.seq):
            raise ForkedChainError(
                "the log holds two entries for one slot",
                given=f"slot {place.seq} of {self._party}",
                expected="one entry for each slot",
                remedy="keep both: signed, they are the proof",
                evidence=(sealed,) if self._last is None else (self._last, sealed),
            )
        raise BrokenChainError(
            "the entries of the log do not follow one another",
            given=f"slot {place.seq} of {self._party}, after {place.prev[:16]}…",
            expected="slot 1" if head is None else f"slot {head.seq + 1}, after {head.hash[:16]}…",
            remedy="restore the log from a copy that verifies",
            evidence=(sealed,),
        )


def verify_signatures(entries: Iterable[SealedEnvelope], keys: Mapping[str, VerifyKey]) -> int:
    """Return how many entries there are, all signed by a key of ``keys``. Any thread may.

    Args:
        entries: in any order.
        keys: by key id.

    Raises:
        UnknownKeyError, BadSignatureError: the entry is the error's evidence.
    """
    chosen = tuple(entries)
    by_key: dict[tuple[str, str], list[SealedEnvelope]] = {}
    for sealed in chosen:
        signature = sealed.signature
        by_key.setdefault((signature.algorithm, signature.key_id), []).append(sealed)
    for (algorithm, key_id), signed in by_key.items():
        try:
            key = key_named(keys, algorithm, key_id)
        except UnknownKeyError as error:
            error.evidence = (signed[0],)
            raise
        bad = key.first_bad(CONTEXT_ENVELOPE, [(one.data, one.signature.value) for one in signed])
        if bad is not None:
            raise BadSignatureError(
                "the signature was not made over these bytes by this key",
                given=f"key {key_id[:16]}…, {len(signed[bad].data):,} bytes",
                remedy="keep the bytes as received; ask the sender to send them again",
                evidence=(signed[bad],),
            )
    return len(chosen)
