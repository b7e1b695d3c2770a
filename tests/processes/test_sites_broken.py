"""Checks of sites whose nodes are killed: the same bytes, or NOT CHECKED; counts stay."""

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from bench.nodes import Party, agree, make_pair, running, wait_for
from tests.private_nodes import check_terms, fly, outcome, sortie
from tests.site_nodes import ASKED, ask, consent, consented, hold

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

# The list leaves at the first multiple of this behind both HELLOs: there is time to kill before it.
_TAGS_MS = 3_000
_SQUARES = 20 * 20
_QUERIES = 3  # that may ever be answered


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Party, Party]]:
    west, east = make_pair(tmp_path_factory.mktemp("killed"))
    with running(west, east):
        slow = check_terms(tags_after_ms=_TAGS_MS, run_limit_ms=90_000)
        agree(west, east, private_check=slow)
        fly(west, sortie("viper", 5, 5))
        share = -(-_QUERIES * ASKED["points"] * 1_000 // _SQUARES)
        hold(east, 5, 5, share_per_mille=share, share_all_per_mille=share)
        consent(east)
        yield west, east


def started(party: Party, name: str) -> Any:
    """Whether this side has said its HELLO and heard the other's."""

    def both() -> bool:
        found = party.get("/private")
        runs = [run for each in found if each["proposal"] == name for run in each["shown"]]
        return bool(runs and (runs[0]["done"] or 0) >= 2)

    return both


def answered(east: Party) -> int:
    ever = consented(east)["asked_ever"]
    assert ever % ASKED["points"] == 0
    return int(ever) // ASKED["points"]


def kill_and_start(party: Party) -> None:
    party.kill()
    party.start()


@pytest.mark.parametrize("who", ["protector", "planner"])
def test_a_side_killed_before_the_list_is_shown_goes_on(
    pair: tuple[Party, Party], who: str
) -> None:
    west, east = pair
    before = answered(east)
    name = ask(west)
    killed = east if who == "protector" else west
    wait_for(started(killed, name), "the check did not begin", 60)
    kill_and_start(killed)
    found = outcome(west, name, timeout_s=150.0)
    assert (found["run"]["outcome"], found["run"]["state"]) == ("HIT", "WHOLE"), found["run"]
    assert [hit["label"] for hit in found["at_sites"]] == ["hospital"]
    assert outcome(east, name)["run"]["state"] == "WHOLE"
    assert answered(east) == before + 1


def test_killed_anywhere_it_is_a_hit_or_unknown_and_no_more_is_answered_than_ever_allowed(
    pair: tuple[Party, Party],
) -> None:
    """Whoever probes has nodes killed when it likes: the counts are on the disk all the same."""
    west, east = pair
    drawn = random.Random(7)
    for killed in ((east,), (west,), (east, west), ()):
        before = answered(east)
        name = ask(west)
        if killed:
            time.sleep(drawn.uniform(0.5, _TAGS_MS / 1_000 + 2.0))
        for party in killed:
            kill_and_start(party)
        run = outcome(west, name, timeout_s=150.0)["run"]
        assert (run["outcome"], run["state"]) in (("HIT", "WHOLE"), ("NOT_CHECKED", "ENDED")), run
        outcome(east, name, timeout_s=150.0)
        now = answered(east)
        assert now - before in (0, 1)
        assert now <= _QUERIES
        if before == _QUERIES:
            assert (run["outcome"], run["reason"]) == ("NOT_CHECKED", "OVER_CAP")
        elif run["state"] == "WHOLE":
            assert now == before + 1
    while answered(east) < _QUERIES:
        outcome(west, ask(west))
    kill_and_start(east)
    run = outcome(west, ask(west))["run"]
    assert (run["outcome"], run["reason"]) == ("NOT_CHECKED", "OVER_CAP")
    assert answered(east) == _QUERIES


def test_a_protector_whose_seed_is_lost_says_so_and_nothing_else(
    pair: tuple[Party, Party],
) -> None:
    west, east = pair
    before = answered(east)
    hold(east, 5, 5)  # a larger share, of the same list: what was asked stays
    assert answered(east) == before
    name = ask(west)
    wait_for(started(east, name), "the check did not begin", 60)
    east.kill()
    (east.folder / "private" / f"{name[:16]}-0.json").unlink()
    east.start()
    for party, found in ((west, "NOT_CHECKED"), (east, None)):
        run = outcome(party, name, timeout_s=150.0)["run"]
        assert (run["outcome"], run["reason"], run["ended_by"]) == (found, "SEED_LOST", "east")
