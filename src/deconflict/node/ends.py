"""What is over, found without looking at everything that is not."""

from collections.abc import Iterator
from heapq import heappop, heappush

__all__ = ["Ends"]


class Ends:
    """Names by the time when what they name is over."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []

    def add(self, end_ms: int, name: str) -> None:
        """Remember an end. An earlier one of the same name stays: it may come to nothing."""
        heappush(self._heap, (end_ms, name))

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
