"""Ten thousand cuts on the monitors of both ends, from one event to the next.

    python -m tests.simulation.cuts --cuts 10000 --seed 1

Each end is driven as the runtime drives it: it is looked at when its own deadline says so, and when
a beat comes. What counts is when DOWN is shown, on the true clock, after the first beat vanished or
would have.
"""

import argparse
import heapq
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from deconflict.line.link import LinkMonitor, LinkStatus, decode_beat, encode_beat
from deconflict.line.moment import Now

LINE = "0" * 32
PEER = {"blue": "red", "red": "blue"}
WAYS = (("blue", "red"), ("blue",), ("red",))
EPOCH_UTC_MS = 1_443_571_200_000
SHORTEST_MS, LONGEST_MS = 500, 24 * 3_600_000
DOWN_MS, ONE_WAY_DOWN_MS = 3_500, 5_000  # line.md §8
LATENCIES_MS = (0, 5, 50, 300)
SKEWS_MS = (0, -288_000, 700, 288_000)


class TwoEnds:
    """Two monitors and two directions, each open or cut, on one true clock."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.at_ms = 0
        self.open = {"blue": True, "red": True}  # by sender
        self.latency_ms = rng.choice(LATENCIES_MS)
        self.skew_ms = {"blue": rng.choice(SKEWS_MS), "red": rng.choice(SKEWS_MS)}
        self.shown: dict[str, list[tuple[int, LinkStatus]]] = {"blue": [], "red": []}
        self._way: list[tuple[int, int, str, bytes]] = []
        self._sent = 0
        self.ends = {
            name: LinkMonitor(
                line_id=LINE, own=name, peer=peer, random_bytes=rng.randbytes, now=self.now(name)
            )
            for name, peer in PEER.items()
        }

    def now(self, name: str) -> Now:
        skew_ms = self.skew_ms[name]
        return Now(EPOCH_UTC_MS + self.at_ms + skew_ms, self.at_ms + 7 * skew_ms)

    def status(self, name: str) -> LinkStatus:
        return self.ends[name].state(self.now(name)).status

    def play(self, duration_ms: int) -> None:
        """Go from event to event for so long."""
        end_ms = self.at_ms + duration_ms
        while True:
            due = {
                name: end.next_deadline_ms() - 7 * self.skew_ms[name]
                for name, end in self.ends.items()
            }
            arrival_ms = self._way[0][0] if self._way else end_ms
            next_ms = max(self.at_ms, min(arrival_ms, *due.values()))
            if next_ms >= end_ms:
                self.at_ms = end_ms
                return
            self.at_ms = next_ms
            for name in PEER:
                if due[name] <= next_ms:
                    self._look(name)
            while self._way and self._way[0][0] <= next_ms:
                _, _, sender, beat = heapq.heappop(self._way)
                receiver = PEER[sender]
                self.ends[receiver].heard_beat(decode_beat(beat), self.now(receiver))
                self._show(receiver)

    def skip(self, duration_ms: int) -> None:
        """Let time pass in which nothing is heard and both ends know it."""
        self.at_ms += duration_ms
        self._way.clear()

    def _look(self, name: str) -> None:
        end, now = self.ends[name], self.now(name)
        if end.next_beat_ms <= now.monotonic_ms:
            beat = encode_beat(end.beat(now))
            if self.open[name]:
                self._sent += 1
                heapq.heappush(self._way, (self.at_ms + self.latency_ms, self._sent, name, beat))
        self._show(name)

    def _show(self, name: str) -> None:
        status = self.status(name)
        if not self.shown[name] or self.shown[name][-1][1] is not status:
            self.shown[name].append((self.at_ms, status))


@dataclass
class CutReport:
    """What was seen of many cuts; times in milliseconds since the cut."""

    cuts: int = 0
    long_enough: int = 0  # those that last as long as both ends may take to show DOWN
    down_ms: dict[str, list[int]] = field(default_factory=lambda: {"both": [], "one way": []})
    up_ms: list[int] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [
            f"cuts            {self.cuts:,} of 0.5 s to 24 h, of which {self.long_enough:,} longer "
            "than DOWN may take",
            *(f"DOWN, {which:<9} {_spread(times)}" for which, times in self.down_ms.items()),
            f"UP again        {_spread(self.up_ms)}",
        ]


def play_cuts(count: int, seed: int) -> CutReport:
    """Cut, watch, mend, watch, so often; raises AssertionError at the first that was not seen."""
    rng, report = random.Random(seed), CutReport()
    ends = TwoEnds(rng)
    for number in range(count):
        if number % 20 == 0:
            ends = TwoEnds(rng)
        _cut(ends, WAYS[number % len(WAYS)], report)
    return report


def _cut(ends: TwoEnds, way: Sequence[str], report: CutReport) -> None:
    rng = ends.rng
    ends.play(6_000 + rng.randrange(1_000))
    assert ends.status("blue") is ends.status("red") is LinkStatus.UP
    length_ms = int(SHORTEST_MS * (LONGEST_MS / SHORTEST_MS) ** rng.random())
    limit_ms = DOWN_MS if len(way) == 2 else ONE_WAY_DOWN_MS
    began_ms = ends.at_ms
    for sender in way:
        ends.open[sender] = False
    for shown in ends.shown.values():
        del shown[:-1]
    ends.play(min(length_ms, limit_ms))
    report.cuts += 1
    if length_ms > limit_ms:
        report.long_enough += 1
        for name, shown in ends.shown.items():
            assert shown[-1][1] is LinkStatus.DOWN, f"{name} does not show a cut of {length_ms} ms"
            deaf = len(way) == 2 or name not in way
            took_ms = shown[-1][0] - began_ms
            report.down_ms["both" if len(way) == 2 else "one way"].append(took_ms)
            assert took_ms <= (DOWN_MS if deaf else ONE_WAY_DOWN_MS)
        if length_ms > 3 * limit_ms:
            ends.skip(length_ms - 2 * limit_ms)
            assert ends.status("blue") is ends.status("red") is LinkStatus.DOWN
        ends.play(limit_ms)
        assert ends.status("blue") is ends.status("red") is LinkStatus.DOWN
    mended_ms = ends.at_ms
    for sender in way:
        ends.open[sender] = True
    ends.play(3_500)
    for shown in ends.shown.values():
        assert shown[-1][1] is LinkStatus.UP, "a mended line is not shown UP"
        if shown[-1][0] > mended_ms:
            report.up_ms.append(shown[-1][0] - mended_ms)


def _spread(times_ms: list[int]) -> str:
    ordered = sorted(times_ms) or [0]
    median, p99 = (ordered[int(len(ordered) * part)] for part in (0.5, 0.99))
    return (
        f"median {median / 1000:.2f} s, p99 {p99 / 1000:.2f} s, at most {ordered[-1] / 1000:.2f} s"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Cut lines and watch both ends show it.")
    parser.add_argument("--cuts", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("\n".join(play_cuts(options.cuts, options.seed).lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
