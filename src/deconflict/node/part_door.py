"""Parts of private checks at the door: as many as a check that runs can need, and no other.

Bulk is what a stranger to the rules would fill a disk with. So a part is refused by default, before
a byte of it is read: only while a check that both agreed to runs on the line, only as much as that
check can need, only where the disk has room for what is least urgent. Parts have a ration of their
own: a FLASH does not wait behind them. Pushing is here too: one part at a time on a line, so that
of the connections to a peer never more than one is taken.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deconflict.errors import (
    LineStateError,
    NoRoomError,
    PeerUnreachableError,
)
from deconflict.line.canonical import canonical_bytes
from deconflict.line.precedence import Precedence
from deconflict.line.room import Shortage
from deconflict.node.ration import Ration, cost_of_body
from deconflict.node.ways import PeerLink
from deconflict.store.parts import MOST_PART_BYTES, HeldParts, Parts

__all__ = ["NOTHING", "Allowed", "PartDoor", "push"]

# The door gives a part 120 s to arrive; then it is to be written, and answered.
_TIMEOUT_S: Final = 150.0


@dataclass(frozen=True, slots=True)
class Allowed:
    """How much a line may take in parts for the checks that run now. Nothing while none does.

    Attributes:
        parts: so many parts,
        size_bytes: and bytes of them,
        since_ms: counted from then on, UTC ms: what is older is of other runs,
        besides: and but for these, which runs had that are over.
        only: none but these, by their hash; None for any.
    """

    parts: int = 0
    size_bytes: int = 0
    since_ms: int = 0
    besides: Container[str] = frozenset()
    only: Container[str] | None = None


NOTHING: Final = Allowed()


class PartDoor:
    """Who keeps the parts of every line of a node.

    Args:
        folder: for all lines; each has a folder in it.
        shortage: which classes of messages get no room on the disk now.
        monotonic_ms: the clock.

    Attributes:
        allowed: says how much a line may take now. Until somebody knows, nothing.
    """

    def __init__(
        self, folder: Path, shortage: Callable[[], Shortage], monotonic_ms: Callable[[], int]
    ) -> None:
        self._folder = folder
        self._shortage = shortage
        self._monotonic_ms = monotonic_ms
        self._parts: dict[str, Parts] = {}
        self._rations: dict[str, Ration] = {}
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.allowed: Callable[[str], Allowed] = lambda _: NOTHING

    def of(self, line_id: str) -> Parts:
        """Return the parts of a line."""
        return self._parts.setdefault(line_id, Parts(self._folder / line_id))

    def require_wanted(self, line_id: str, size: int) -> None:
        """Return when a part of this length may be looked at; asked before a byte of it is read.

        Raises:
            LineStateError: no check runs on the line that could need it.
            NoRoomError: it is too long for it, or the disk has no room.
        """
        allowed = self.allowed(line_id)
        if not allowed.parts:
            raise LineStateError("no private check runs on this line", given=line_id)
        if not 0 < size <= min(MOST_PART_BYTES, allowed.size_bytes):
            raise NoRoomError(
                "a part has a length that the check cannot need", given=f"{size:,} bytes"
            )
        if Precedence.ROUTINE in self._shortage():
            raise NoRoomError("the disk has no room for parts of private checks")

    async def take(self, peer_party: str, line_id: str, data: bytes) -> bytes:
        """Keep a part that the peer pushed; return the answer once it is durable.

        Raises:
            LineStateError, NoRoomError: as :meth:`require_wanted`, what the line may hold is used
                up, or nobody announced this part.
            ConfigurationError: it could not be kept.
        """
        await self._within_ration(peer_party, len(data))
        # One after the other: what two may take together is judged only when the first is there.
        async with self._one_at_a_time[line_id]:
            self.require_wanted(line_id, len(data))
            allowed = self.allowed(line_id)
            kept = await asyncio.to_thread(_kept, self.of(line_id), data, allowed)
        return answer_of(kept)

    async def _within_ration(self, peer_party: str, size: int) -> None:
        # By party, which the pinned key proves: the line is only what the caller says.
        ration = self._rations.get(peer_party)
        if ration is None:
            ration = self._rations[peer_party] = Ration(self._monotonic_ms())
        while wait_ms := ration.wait_ms(self._monotonic_ms()):
            await asyncio.sleep(wait_ms / 1_000)
        ration.use(cost_of_body(size))


def answer_of(sha256: str) -> bytes:
    """Return what is answered to a part once it is durable.

    >>> answer_of("ab" * 32)[:20]
    b'{"kept":"ababababab'
    """
    return canonical_bytes({"kept": sha256})


async def push(line_id: str, links: Iterable[PeerLink], data: bytes) -> None:
    """Give a part to the peer; return when the peer says that it is durable there.

    Saying one twice does no harm.

    Args:
        line_id: the line.
        links: the ways to the peer, the best first; each is tried once.
        data: the part.

    Raises:
        PeerUnreachableError: no way carried it, or the peer does not take it; it looks the same.
        WrongSenderError: who answers is not the pinned peer, and no byte was sent.
    """
    wanted = answer_of(hashlib.sha256(data).hexdigest())
    problem = PeerUnreachableError("there is no way to the peer", given=line_id)
    for link in links:
        try:
            answer = await link.post(f"/line/{line_id}/part", data, _TIMEOUT_S)
        except PeerUnreachableError as error:
            problem = error
            continue
        if answer == wanted:
            return
        problem = PeerUnreachableError("the peer says that it keeps something else than was pushed")
    raise problem


def _kept(parts: Parts, data: bytes, allowed: Allowed) -> str:
    name = hashlib.sha256(data).hexdigest()
    if allowed.only is not None and name not in allowed.only:
        raise NoRoomError("nobody announced this part", given=name)
    # What the line holds already takes no more room, whoever says it again.
    if parts.size_of(name) != len(data):
        held = parts.held(since_ms=allowed.since_ms, besides=allowed.besides)
        if not _fits(held, len(data), allowed):
            raise NoRoomError(
                "the parts of this line use up what its checks can need",
                given=f"{held.parts:,} parts, {held.size_bytes:,} bytes, and {len(data):,} more",
                expected=f"at most {allowed.parts:,} parts, {allowed.size_bytes:,} bytes",
            )
    return parts.keep(data)


def _fits(held: HeldParts, more: int, allowed: Allowed) -> bool:
    return held.parts < allowed.parts and held.size_bytes + more <= allowed.size_bytes
