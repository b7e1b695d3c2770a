"""The network paths to one peer: which of them a body takes, and when the next is tried.

What is said goes by the first path that is UP and answers. A path that lets a body wait longer than
its own round trip explains is passed over at once, long before its time-out and before its beats
show it DOWN. A FLASH, and whatever is said again, goes by every path.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from deconflict.line.link import LinkState, LinkStatus
from deconflict.line.moment import Now

__all__ = ["PeerLink", "Way", "Ways"]

# As long as the line waits before it says a thing again (line.md §4), and what the path needs.
_LAGS_AFTER_MS: Final = 500
_ROUND_TRIPS: Final = 2
# Beats may pass where bodies do not (a link that drops long packets); then it is tried so often.
_SHUNNED_MS: Final = 10_000


class PeerLink(Protocol):
    """A way to a peer's door."""

    async def post(self, path: str, body: bytes, timeout_s: float) -> bytes:
        """Return the peer's answer, or raise PeerUnreachableError or WrongSenderError."""
        ...

    async def close(self) -> None:
        """Let the connections go."""
        ...


class Way:
    """One path to the peer, and how it does.

    Attributes:
        number: of the path.
        link: what posts on it.
    """

    def __init__(self, number: int, link: PeerLink) -> None:
        self.number: Final = number
        self.link: Final = link
        self._begun: list[int] = []  # monotonic times of the bodies that wait for an answer
        self._shunned_until_ms = 0

    @contextmanager
    def posting(self, now: Now) -> Iterator[None]:
        """Count a body as under way for as long as the block lasts."""
        self._begun.append(now.monotonic_ms)
        try:
            yield
        finally:
            self._begun.remove(now.monotonic_ms)

    @property
    def under_way(self) -> int:
        """How many bodies wait for an answer."""
        return len(self._begun)

    def answered(self) -> None:
        """Trust it again: a body was answered, or the path came back."""
        self._shunned_until_ms = 0

    def failed(self, now: Now) -> None:
        """Pass it over for a while: a body got no answer."""
        self._shunned_until_ms = now.monotonic_ms + _SHUNNED_MS

    def lags_at_ms(self, state: LinkState) -> int | None:
        """Return when the body under way has waited too long; None when there is none."""
        if not self._begun:
            return None
        return min(self._begun) + _LAGS_AFTER_MS + _ROUND_TRIPS * (state.round_trip_ms or 0)

    def carries(self, state: LinkState, now: Now) -> bool:
        """True exactly when it is UP, and no body waits on it longer than it should."""
        lags_ms = self.lags_at_ms(state)
        return (
            state.status is LinkStatus.UP
            and now.monotonic_ms >= self._shunned_until_ms
            and (lags_ms is None or now.monotonic_ms < lags_ms)
        )


class Ways:
    """All paths to one peer, the preferred one first.

    Args:
        links: for path 1, path 2 and so on, what posts on it.
    """

    def __init__(self, links: Sequence[PeerLink]) -> None:
        self._ways: Final = tuple(Way(number, link) for number, link in enumerate(links, start=1))
        # With one path a body waits for the answer to the one before. With two, a FLASH must not
        # wait behind a body that hangs on a path whose end nobody knows yet.
        self._most_under_way: Final = 1 if len(links) == 1 else 2

    def __iter__(self) -> Iterator[Way]:
        return iter(self._ways)

    def for_next(
        self, states: Mapping[int, LinkState], now: Now, *, flash: bool
    ) -> tuple[Way, ...]:
        """Return the ways by which the next body may leave now; none when it has to wait.

        Args:
            states: of each path, by its number.
            now: the present.
            flash: whether a FLASH waits to be sent.
        """
        if flash:
            return self.with_room()
        for way in self._ways:
            if way.carries(states[way.number], now):
                return () if way.under_way else (way,)
        # Nobody knows which path will carry first.
        return tuple(way for way in self._ways if not way.under_way)

    def with_room(self) -> tuple[Way, ...]:
        """Return every way that takes one more body, for what must not wait."""
        return tuple(way for way in self._ways if way.under_way < self._most_under_way)

    def best_first(self, states: Mapping[int, LinkState], now: Now) -> tuple[Way, ...]:
        """Return every way, those that carry before those that do not."""
        return tuple(sorted(self._ways, key=lambda way: not way.carries(states[way.number], now)))

    def look_again_ms(self, states: Mapping[int, LinkState], now: Now) -> int | None:
        """Return when a body that has to wait may find a way; None when only an answer helps."""
        times = (way.lags_at_ms(states[way.number]) for way in self._ways)
        return min(
            (time for time in times if time is not None and time > now.monotonic_ms), default=None
        )
