"""The line under faults of disk, network, clock, process and peer: ten thousand hours a run."""

import pytest
from tests.simulation.byzantine import LIES, ForkingParty, LyingParty, RewritingParty
from tests.simulation.network import Weather
from tests.simulation.plan import QUIET, play_seed
from tests.simulation.run import Simulation, play
from tests.simulation.tally import Tally

BLOCKS = 8
HOURS = 10_000
FIRST_SEED = 1_000


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_invariant_breaks_and_everything_drains(block: int) -> None:
    tally, seed = Tally(), FIRST_SEED * block + 22  # the real run of the plan is near
    while tally.link_hours < HOURS / BLOCKS:
        tally.add(play_seed(seed))
        seed += 1
    # A run in which nothing happens proves nothing.
    assert tally.messages > 300
    assert tally.cuts > 30
    assert tally.crashes > 30
    assert tally.clock_faults > 50
    assert tally.real_runs == 1
    assert tally.proofs > 0


@pytest.mark.parametrize("block", range(4))
def test_busy_minutes_break_nothing(block: int) -> None:
    tally = Tally()
    for seed in range(40 * block, 40 * (block + 1)):
        tally.add(play(seed, minutes=1.0).tally)
    assert tally.messages > 400
    assert tally.io_errors > 1
    assert tally.full_disks > 1


def test_one_seed_plays_one_run() -> None:
    first, second = play(7), play(7)
    assert first.ghost == second.ghost
    assert first.tally == second.tally


def test_real_signatures_and_a_real_database_hold_under_power_cuts() -> None:
    tally = Tally()
    for seed in range(4):
        tally.add(play(seed, minutes=1.0, real=True).tally)
    assert tally.commits > 100
    assert tally.proofs > 8  # each start proves the whole record


def test_disks_that_stall_make_messages_late_and_break_nothing() -> None:
    tally = Tally()
    for seed in range(12):
        weather = Weather(stall_every_ms=15_000)
        tally.add(play(seed, minutes=1.0, weather=weather, real=seed == 0).tally)
    assert tally.late_on_disk > 1


def test_no_alarm_is_late_whatever_the_utc_clocks_do() -> None:
    """The referee raises I5 for an alarm one millisecond late, by the true clock."""
    simulation = play(11, minutes=20 * 24 * 60, weather=QUIET)
    assert simulation.tally.clock_faults > 20
    assert simulation.tally.alarms > 100


def test_a_peer_that_forks_is_reported_with_both_envelopes() -> None:
    shown = 0
    for seed in range(25):
        simulation = Simulation(seed, blue=ForkingParty)
        simulation.run(60_000)
        shown += len(simulation.ghost.forks_reported)
    assert shown > 50


def test_an_author_that_rewrites_its_tree_is_reported() -> None:
    reported = 0
    for seed in range(25):
        simulation = Simulation(seed, blue=RewritingParty)
        simulation.run(60_000)
        reported += simulation.ghost.trees.forks_reported
    assert reported > 25


def test_every_kind_of_lie_is_refused_by_name_and_changes_nothing() -> None:
    tally = Tally()
    for seed in range(40):
        tally.add(play(seed, minutes=1.0, blue=LyingParty, drain=False).tally)
    assert set(tally.lies) == {lie.name for lie in LIES} | {"false heard"}
    assert min(tally.lies.values()) > 10
    assert tally.evidence["FALSE_RECEIPT"] > 10
