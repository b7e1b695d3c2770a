"""Old backups put back at any time: no slot is signed twice, and both sides speak again."""

import pytest
from tests.simulation.restores import PLANTED, RestoringParty, play_restores
from tests.simulation.setting import LineViolationError

from deconflict.errors import DeconflictError

SEEDS = 24


def test_two_hundred_restores_and_more_break_no_promise() -> None:
    runs = [play_restores(seed) for seed in range(1, SEEDS + 1)]
    restores = sum(run.restores for run in runs)
    signed = sum(len(run.ghost.signed) for run in runs)
    epochs = sum(len(party.durable.own.epochs) for run in runs for party in run.both)
    assert restores > 200
    assert signed > 1_000
    assert epochs > 100  # they re-synchronised, and were not only put back


def test_one_seed_plays_one_run() -> None:
    one, other = play_restores(5), play_restores(5)
    assert one.ghost.signed == other.ghost.signed
    assert one.tally == other.tally


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.__name__)
def test_a_planted_fault_is_found(fault: type[RestoringParty]) -> None:
    assert any(is_found(fault, seed) for seed in range(1, 5 * SEEDS))


def is_found(fault: type[RestoringParty], seed: int) -> bool:
    try:
        play_restores(seed, blue=fault)
    except (LineViolationError, DeconflictError):
        return True
    return False
