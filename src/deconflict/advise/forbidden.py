"""Values that are forbidden, and the smallest that is not."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

__all__ = ["Forbidden"]


class Forbidden:
    """A set of whole numbers, kept as spans with both ends included.

    >>> forbidden = Forbidden([(-5, 12), (13, 20), (30, 40)])
    >>> forbidden.smallest(step=5, limit=60, sign=1), forbidden.smallest(step=5, limit=60, sign=-1)
    (25, -10)
    """

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        joined: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if joined and start <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        self.spans: Sequence[tuple[int, int]] = joined
        self._starts = [start for start, _ in joined]

    def holding(self, value: int) -> tuple[int, int] | None:
        """Return the span that holds the value, or None when it is free."""
        at = bisect_right(self._starts, value) - 1
        if at >= 0 and self.spans[at][1] >= value:
            return self.spans[at]
        return None

    def smallest(self, *, step: int, limit: int, sign: int) -> int | None:
        """Return the free multiple of the step nearest to 0, not 0, or None within the limit.

        Args:
            step: above 0.
            limit: the farthest from 0 to look, at least 0.
            sign: 1 for values above 0, -1 for below.
        """
        value = step
        while value <= limit:
            held = self.holding(sign * value)
            if held is None:
                return sign * value
            beyond = held[1] + 1 if sign > 0 else 1 - held[0]
            value = -(-beyond // step) * step
        return None
