"""Two paths of one line: each has its own state, and the line is down only when both are."""

import random

import pytest

from deconflict.line.link import LinkReason, LinkStatus, decode_beat, encode_beat
from deconflict.line.moment import Now
from deconflict.line.paths import PathMonitors

LINE = "0" * 32
TICK_MS = 50
BLUE_TO_RED, RED_TO_BLUE = ("blue", "red"), ("red", "blue")


class Ends:
    """Blue and red, joined by numbered paths, each open or cut in each direction."""

    def __init__(self, *, blue_calls: int = 2, red_calls: int = 2) -> None:
        self.at_ms = 0
        self.cut: set[tuple[int, str]] = set()  # path, sender
        rng = random.Random(7)
        calls = {"blue": blue_calls, "red": red_calls}
        self.ends = {
            own: PathMonitors(
                line_id=LINE,
                own=own,
                peer=peer,
                random_bytes=rng.randbytes,
                now=self.now,
                called=calls[own],
            )
            for own, peer in (BLUE_TO_RED, RED_TO_BLUE)
        }
        self.calls = calls

    @property
    def now(self) -> Now:
        return Now(1_443_571_200_000 + self.at_ms, self.at_ms)

    def play(self, seconds: float) -> None:
        for _ in range(round(seconds * 1_000 / TICK_MS)):
            self.at_ms += TICK_MS
            for own, peer in (BLUE_TO_RED, RED_TO_BLUE):
                for number in range(1, self.calls[own] + 1):
                    monitor = self.ends[own].path(number, self.now)
                    if monitor.next_beat_ms <= self.now.monotonic_ms:
                        self._call(own, peer, number, encode_beat(monitor.beat(self.now)))

    def _call(self, own: str, peer: str, number: int, beat: bytes) -> None:
        if (number, own) in self.cut:
            return
        other = self.ends[peer].path(number, self.now)
        other.heard_beat(decode_beat(beat), self.now)
        answer = encode_beat(other.beat(self.now))
        if (number, peer) not in self.cut:
            self.ends[own].path(number, self.now).heard_beat(decode_beat(answer), self.now)

    def line(self, own: str) -> LinkStatus:
        return self.ends[own].state(self.now).status

    def paths(self, own: str) -> list[str]:
        return [state.status.value for state in self.ends[own].states(self.now).values()]


def test_the_line_is_up_while_one_path_is() -> None:
    ends = Ends()
    ends.play(3)
    assert ends.paths("blue") == ends.paths("red") == ["UP", "UP"]
    ends.cut = {(1, "blue"), (1, "red")}
    ends.play(3)
    for own in ("blue", "red"):
        assert ends.paths(own) == ["DOWN", "UP"]
        assert ends.line(own) is LinkStatus.UP
    ends.cut |= {(2, "blue"), (2, "red")}
    ends.play(3)
    assert ends.line("blue") is ends.line("red") is LinkStatus.DOWN
    ends.cut = {(1, "blue"), (1, "red")}
    ends.play(3)
    assert ends.line("blue") is ends.line("red") is LinkStatus.UP


@pytest.mark.parametrize("sender", ["blue", "red"])
def test_one_way_loss_on_a_path_is_seen_by_both_ends_on_that_path_alone(sender: str) -> None:
    ends = Ends()
    ends.play(3)
    ends.cut = {(1, sender)}
    ends.play(5)
    listener = "red" if sender == "blue" else "blue"
    assert ends.paths("blue") == ends.paths("red") == ["DOWN", "UP"]
    reasons = {own: ends.ends[own].states(ends.now)[1].reason for own in ("blue", "red")}
    assert reasons[listener] is LinkReason.NOT_HEARD
    assert reasons[sender] is LinkReason.NOT_ECHOED


def test_since_when_the_line_is_up_does_not_change_with_the_path_that_carries_it() -> None:
    ends = Ends()
    ends.play(3)
    since = ends.ends["blue"].state(ends.now).since_utc_ms
    ends.cut = {(1, "blue"), (1, "red")}
    ends.play(5)
    assert ends.ends["blue"].state(ends.now).since_utc_ms == since


def test_a_path_that_only_the_peer_calls_is_watched_from_its_first_beat() -> None:
    ends = Ends(blue_calls=2, red_calls=1)
    assert ends.paths("red") == ["UNKNOWN"]
    ends.play(5)
    assert ends.paths("blue") == ["UP", "UP"]
    assert ends.paths("red") == ["UP", "UP"]


def test_a_peer_of_one_address_has_one_path() -> None:
    ends = Ends(blue_calls=1, red_calls=1)
    ends.play(5)
    assert ends.paths("blue") == ["UP"]
