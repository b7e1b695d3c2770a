"""The connection of one line over more than one network path: each has a state of its own.

A path is one address of a party. Path 1 leads to the first address of its invitation, path 2 to the
second, and the same numbers hold both ways, so beats of a path echo only beats of that path. One
path that fails, in one direction or in both, says nothing of another; so the line is UP while any
path is, and DOWN only when all are.
"""

from typing import Final

from deconflict.line.keys import RandomBytes
from deconflict.line.link import LinkMonitor, LinkReason, LinkState, LinkStatus
from deconflict.line.moment import Now

__all__ = ["MOST_PATHS", "PathMonitors"]

MOST_PATHS: Final = 4  # addresses of an invitation


class PathMonitors:
    """One end's view of all paths of one line. Sans-I/O, like the monitors it holds.

    Whatever :class:`LinkMonitor` promises of one connection holds of the line: DOWN at most 3 s
    after the last beat that came on any path, on both ends at most 5 s after one direction failed
    on all of them.

    Args:
        line_id: the line.
        own: own party.
        peer: the other party.
        random_bytes: for the sessions.
        now: time of the start.
        called: at how many addresses the peer is called; these paths are watched from the start.
    """

    def __init__(
        self,
        *,
        line_id: str,
        own: str,
        peer: str,
        random_bytes: RandomBytes,
        now: Now,
        called: int = 1,
    ) -> None:
        self._line: Final = line_id
        self._own: Final = own
        self._peer: Final = peer
        self._random_bytes: Final = random_bytes
        self._monitors: Final[dict[int, LinkMonitor]] = {}
        for number in range(1, called + 1):
            self.path(number, now)
        self._state = LinkState(LinkStatus.UNKNOWN, LinkReason.STARTING, now.utc_ms)

    def path(self, number: int, now: Now) -> LinkMonitor:
        """Return the monitor of a path.

        One that the peer calls and we do not, because its invitation names fewer addresses than
        ours, is watched from its first beat on: until then nobody expects anything of it.
        """
        monitor = self._monitors.get(number)
        if monitor is None:
            monitor = self._monitors[number] = LinkMonitor(
                line_id=self._line,
                own=self._own,
                peer=self._peer,
                random_bytes=self._random_bytes,
                now=now,
            )
        return monitor

    def states(self, now: Now) -> dict[int, LinkState]:
        """Return the state of each path by its number, in order."""
        return {number: self._monitors[number].state(now) for number in sorted(self._monitors)}

    def state(self, now: Now) -> LinkState:
        """Return the state of the line: UP while any path is, DOWN only when all are.

        Clocks and round trip are those of the quickest path that is UP; its reason, when none is
        UP, is that of the path that comes nearest.
        """
        states = self.states(now).values()
        best = min(states, key=_rank)
        heard = [one.last_heard_utc_ms for one in states if one.last_heard_utc_ms is not None]
        same = best.status is self._state.status
        self._state = LinkState(
            best.status,
            best.reason,
            self._state.since_utc_ms if same else now.utc_ms,
            max(heard, default=None),
            best.round_trip_ms,
            best.clock_offset_ms,
        )
        return self._state

    def next_deadline_ms(self) -> int:
        """Return the monotonic time of the next beat or change to DOWN, of any path."""
        return min(monitor.next_deadline_ms() for monitor in self._monitors.values())


def _rank(state: LinkState) -> tuple[int, int, int]:
    status = (LinkStatus.UP, LinkStatus.UNKNOWN, LinkStatus.DOWN).index(state.status)
    # Heard and not echoed is nearer to UP than not heard at all.
    heard = 0 if state.reason is LinkReason.NOT_ECHOED else 1
    return status, heard, 2**53 if state.round_trip_ms is None else state.round_trip_ms
