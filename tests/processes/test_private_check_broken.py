"""Private checks that are interrupted: taken up again byte for byte, or NOT CHECKED on both."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from bench.nodes import Party, agree, make_pair, running, wait_for
from tests.private_nodes import agree_check, check_terms, fly, outcome, sortie

pytestmark = pytest.mark.processes

# So slow that there is time to interrupt it: the tags leave at the first multiple of this.
_TAGS_MS = 6_000
_LIMIT_MS = 60_000


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Party, Party]]:
    west, east = make_pair(tmp_path_factory.mktemp("broken"))
    with running(west, east):
        slow = check_terms(
            tags_after_ms=_TAGS_MS,
            run_limit_ms=_LIMIT_MS,
            audit_per_mille=1_000,
            arbiter="panel",
            runs_per_slot=100,
        )
        agree(west, east, private_check=slow)
        yield west, east


@pytest.fixture
def flown(pair: tuple[Party, Party]) -> tuple[Party, Party]:
    west, east = pair
    fly(west, sortie("viper", 5, 5))
    fly(east, sortie("falcon", 6, 5))
    return pair


def under_way(party: Party, name: str) -> bool:
    """Whether both have answered each other's points, and no tag has left yet."""
    run = party.get(f"/private/{name}/0")["run"]
    return bool((run["done"] or 0) >= 6)


def found_before(run: dict[str, Any]) -> str:
    """What a run that broke off came to: a hit stands that tags had shown which came before."""
    return "HIT" if run["hits"] else "NOT_CHECKED"


def test_a_node_killed_in_the_middle_goes_on_with_the_same_bytes(
    flown: tuple[Party, Party],
) -> None:
    west, east = flown
    name = agree_check(west, east)
    wait_for(lambda: under_way(east, name), "the run did not begin", 60)
    east.kill()
    east.start()
    for party, own in ((west, "viper"), (east, "falcon")):
        found = outcome(party, name)
        assert (found["run"]["outcome"], found["run"]["state"]) == ("HIT", "WHOLE"), found["run"]
        assert {hit["sortie"] for hit in found["hits"]} == {own}
    # Of every run both coins are opened, and at this rate each run is picked.
    for party in flown:
        wait_for(
            lambda party=party: party.get(f"/private/{name}/0")["run"]["picked"],
            "the coins were not opened",
        )
        rules = {alert["rule"] for alert in party.get("/alerts", open="true")}
        assert "PRIVATE_PICKED" in rules
        with pytest.raises(RuntimeError, match="do not let a plan be opened yet"):
            party.post(f"/private/{name}/open", {"run": 0})


def test_a_line_that_is_down_in_the_middle_only_delays_it(flown: tuple[Party, Party]) -> None:
    west, east = flown
    name = agree_check(west, east)
    wait_for(lambda: under_way(west, name), "the run did not begin", 60)
    assert east.process is not None
    os.kill(east.process.pid, signal.SIGSTOP)
    try:
        wait_for(lambda: west.line["state"] == "DOWN", "the line did not go down")
    finally:
        os.kill(east.process.pid, signal.SIGCONT)
    for party in flown:
        found = outcome(party, name)
        assert (found["run"]["outcome"], found["run"]["state"]) == ("HIT", "WHOLE"), found["run"]


def test_a_run_cancelled_by_one_side_ends_on_both_with_what_it_found(
    flown: tuple[Party, Party],
) -> None:
    west, east = flown
    name = agree_check(west, east)
    wait_for(lambda: under_way(west, name), "the run did not begin", 60)
    west.post(f"/private/{name}/cancel", {"run": 0})
    for party in flown:
        run = outcome(party, name)["run"]
        assert (run["outcome"], run["state"]) == (found_before(run), "ENDED")
        assert (run["reason"], run["ended_by"]) == ("CANCELLED", "west")


def test_a_run_whose_peer_is_gone_expires_with_what_it_found(flown: tuple[Party, Party]) -> None:
    west, east = flown
    name = agree_check(west, east)
    wait_for(lambda: under_way(west, name), "the run did not begin", 60)
    begun_s = time.monotonic()
    east.kill()
    try:
        run = outcome(west, name, timeout_s=_LIMIT_MS / 1_000 + 30)["run"]
        assert (run["state"], run["reason"]) == ("ENDED", "EXPIRED")
        assert run["outcome"] == found_before(run)
        assert time.monotonic() - begun_s > _LIMIT_MS / 2_000
    finally:
        east.start()
    run = outcome(east, name)["run"]
    assert run["outcome"] == found_before(run)


def test_a_node_whose_seed_is_lost_says_so_and_nothing_else(flown: tuple[Party, Party]) -> None:
    west, east = flown
    name = agree_check(west, east)
    wait_for(lambda: under_way(east, name), "the run did not begin", 60)
    east.kill()
    (east.folder / "private" / f"{name[:16]}-0.json").unlink()
    east.start()
    for party in flown:
        run = outcome(party, name)["run"]
        assert (run["outcome"], run["reason"]) == (found_before(run), "SEED_LOST")
        assert run["ended_by"] == "east"
