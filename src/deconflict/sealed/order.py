"""Two chains of steps in one order: as the side that is audited had them, if it was honest.

A record does not tell how the steps of one side lay between those of the other. An honest side says
each of its own as soon as that is due; what it said and was never due stands where the other has
nothing more, and is found there.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol, TypeVar

__all__ = ["Order", "merged"]

_Said = TypeVar("_Said")
_Each = TypeVar("_Each", contravariant=True)


class Order(Protocol[_Each]):
    """How far both chains are, by kinds of steps alone; what they hold, the session judges."""

    def take(self, each: _Each, *, own: bool) -> None:
        """Count one step."""
        ...

    def allows(self, each: _Each) -> bool:
        """True exactly when a side that heard so much says a step of this kind at once."""
        ...


def merged(
    own: Sequence[_Said], peers: Sequence[_Said], order: Order[_Said], *, whole: bool = True
) -> list[_Said]:
    """Return both chains as the side audited had them: each own step as soon as it was due.

    Args:
        own: the steps of the side audited, in the order of its chain.
        peers: those of the other, in the order of its own.
        order: of their kind of check, at its beginning.
        whole: whether all of the other's steps are there; else what the side audited said upon one
            that is not there is left out.
    """
    mine, theirs = deque(own), deque(peers)
    found: list[_Said] = []
    while mine or theirs:
        due = bool(mine) and order.allows(mine[0])
        if not (due or theirs or whole):
            break
        is_own = due or not theirs
        each = mine.popleft() if is_own else theirs.popleft()
        order.take(each, own=is_own)
        found.append(each)
    return found
