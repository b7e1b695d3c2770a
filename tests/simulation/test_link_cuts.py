"""Beats under cuts: both ends show DOWN in time, whichever direction fails."""

import random

import pytest

from deconflict.line.link import LinkMonitor, LinkStatus, decode_beat, encode_beat
from deconflict.line.moment import Now

LINE = "0" * 32
TICK_MS = 50
SKEW_MS = 288_000


class TwoEnds:
    """Two monitors and two directions, each open or cut, on one true clock."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.at_ms = 0
        self.open = {"blue": True, "red": True}  # by sender
        self.latency_ms = rng.choice((0, 50, 300))
        self.way: list[tuple[int, str, bytes]] = []
        self.ends = {
            name: LinkMonitor(
                line_id=LINE, own=name, peer=peer, random_bytes=rng.randbytes, now=self.now(name)
            )
            for name, peer in (("blue", "red"), ("red", "blue"))
        }

    def now(self, name: str) -> Now:
        skew_ms = SKEW_MS if name == "red" else 0
        return Now(1_443_571_200_000 + self.at_ms + skew_ms, self.at_ms + 7 * skew_ms)

    def status(self, name: str) -> LinkStatus:
        return self.ends[name].state(self.now(name)).status

    def play(self, duration_ms: int) -> None:
        for _ in range(duration_ms // TICK_MS):
            self.at_ms += TICK_MS
            for name, end in self.ends.items():
                if end.beat_due(self.now(name)):
                    beat = encode_beat(end.beat(self.now(name)))
                    if self.open[name]:
                        self.way.append((self.at_ms + self.latency_ms, name, beat))
            while self.way and self.way[0][0] <= self.at_ms:
                _, sender, beat = self.way.pop(0)
                receiver = "red" if sender == "blue" else "blue"
                self.ends[receiver].heard_beat(decode_beat(beat), self.now(receiver))


@pytest.mark.parametrize("cut", [("blue",), ("red",), ("blue", "red")])
def test_both_ends_show_down_within_five_seconds_of_any_cut(cut: tuple[str, ...]) -> None:
    rng = random.Random(1)
    for _ in range(100):
        ends = TwoEnds(rng)
        ends.play(5_000 + rng.randrange(2_000))
        assert ends.status("blue") is ends.status("red") is LinkStatus.UP
        for sender in cut:
            ends.open[sender] = False
        ends.play(5_000)
        assert ends.status("blue") is ends.status("red") is LinkStatus.DOWN


def test_the_deaf_end_shows_down_within_three_seconds_of_the_last_beat() -> None:
    ends = TwoEnds(random.Random(2))
    ends.play(10_000)
    ends.open["blue"] = False
    heard_utc_ms = ends.ends["red"].state(ends.now("red")).last_heard_utc_ms
    assert heard_utc_ms is not None
    ends.play(ends.latency_ms + 2_800 - (ends.now("red").utc_ms - heard_utc_ms))
    assert ends.status("red") is LinkStatus.UP
    ends.play(100)
    assert ends.status("red") is LinkStatus.DOWN


def test_a_healed_link_comes_up_again_on_both_ends() -> None:
    ends = TwoEnds(random.Random(3))
    ends.play(5_000)
    ends.open = {"blue": False, "red": True}
    ends.play(20_000)
    ends.open = {"blue": True, "red": True}
    ends.play(3_000)
    assert ends.status("blue") is ends.status("red") is LinkStatus.UP


def test_never_up_when_only_one_direction_ever_worked() -> None:
    ends = TwoEnds(random.Random(4))
    ends.open = {"blue": False, "red": True}
    for _ in range(200):
        ends.play(100)
        assert LinkStatus.UP not in (ends.status("blue"), ends.status("red"))
    assert ends.status("blue") is ends.status("red") is LinkStatus.DOWN


def test_the_clock_offset_is_measured_through_the_skew() -> None:
    ends = TwoEnds(random.Random(5))
    ends.play(10_000)
    state = ends.ends["blue"].state(ends.now("blue"))
    assert state.round_trip_ms is not None
    assert state.clock_offset_ms is not None
    assert abs(state.clock_offset_ms - SKEW_MS) <= state.round_trip_ms // 2 + TICK_MS
