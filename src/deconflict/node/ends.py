"""What is over, found without looking at everything that is not."""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

__all__ = ["Ends"]


class Ends:
    """Names by the time when what they name is over."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []

    def add(self, end_ms: int, name: str) -> None:
        """Remember an end. An earlier one of the same name stays: it may come to nothing."""
        heappush(self._heap, (end_ms, name))

    def kept(self) -> tuple[tuple[int, str], ...]:
        """Return all of it as values, the earliest end first."""
        return tuple(sorted(self._heap))

    def take_up(self, kept: Iterable[tuple[int, str]]) -> None:
        """Go on from what was kept of one."""
        self._heap = sorted(kept)  # a sorted list is a heap

    def before(self, now_ms: int) -> Iterator[str]:
        """Yield, once, each name that has an end before ``now_ms``, whether or not it still holds.

        >>> ends = Ends()
        >>> ends.add(20, "a")
        >>> ends.add(10, "b")
        >>> list(ends.before(20)), list(ends.before(21)), list(ends.before(21))
        (['b'], ['a'], [])
        """
        while self._heap and self._heap[0][0] < now_ms:
            yield heappop(self._heap)[1]
