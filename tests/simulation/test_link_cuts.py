"""Beats under cuts: both ends show DOWN in time, whichever direction fails."""

import random

import pytest
from tests.simulation import cuts as cuts_module
from tests.simulation.cuts import DOWN_MS, ONE_WAY_DOWN_MS, TwoEnds, play_cuts

from deconflict.line import link
from deconflict.line.link import LinkStatus

CUTS = 10_000


def test_every_cut_of_ten_thousand_is_shown_in_time_on_both_ends() -> None:
    report = play_cuts(CUTS, seed=20_261_128)
    assert report.cuts == CUTS
    assert report.long_enough > CUTS // 2
    assert max(report.down_ms["both"]) <= DOWN_MS
    assert max(report.down_ms["one way"]) <= ONE_WAY_DOWN_MS


def test_a_monitor_that_waits_longer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # Either limit alone still shows a cut of both directions in time.
    for name in ("DOWN_AFTER_MS", "ECHO_DOWN_AFTER_MS"):
        monkeypatch.setattr(link, name, getattr(link, name) + 1_200)
    with pytest.raises(AssertionError):
        play_cuts(100, seed=1)


def test_an_echo_that_is_believed_for_ever_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "ECHO_DOWN_AFTER_MS", 10**12)
    with pytest.raises(AssertionError, match="does not show"):
        play_cuts(100, seed=1)


def test_a_clock_that_jumps_hides_no_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuts_module, "SKEWS_MS", (-1_443_571_200_000 // 8, 0, 2**39))
    assert max(play_cuts(300, seed=2).down_ms["both"]) <= DOWN_MS


def test_the_deaf_end_shows_down_within_three_seconds_of_the_last_beat() -> None:
    ends = TwoEnds(random.Random(2))
    ends.play(10_000)
    ends.open["blue"] = False
    heard_utc_ms = ends.ends["red"].state(ends.now("red")).last_heard_utc_ms
    assert heard_utc_ms is not None
    ends.play(ends.latency_ms + 2_800 - (ends.now("red").utc_ms - heard_utc_ms))
    assert ends.status("red") is LinkStatus.UP
    ends.play(200)
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
    ends.skew_ms = {"blue": 0, "red": 288_000}
    ends.play(20_000)
    state = ends.ends["blue"].state(ends.now("blue"))
    assert state.round_trip_ms is not None
    assert state.clock_offset_ms is not None
    assert abs(state.clock_offset_ms - 288_000) <= state.round_trip_ms // 2 + 50
