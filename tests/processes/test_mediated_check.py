"""A private check through a mediator, between three running nodes: west and east ask white."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from bench.nodes import Party, agree, make_parties, running, wait_for
from tests.private_nodes import check_terms, outcome, sortie

pytestmark = pytest.mark.processes

Three = tuple[Party, Party, Party]
_NEAR, _NEXT, _FAR = (5, 5), (6, 5), (15, 15)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    root = tmp_path_factory.mktemp("mediated")
    west, east, white = make_parties(root, ("west", "east", "white"), ((0, 1), (0, 2), (1, 2)))
    with running(west, east, white):
        agree(west, east, private_check=check_terms(run_limit_ms=120_000, runs_per_slot=100))
        for own, peer in ((west, white), (east, white)):
            wait_for(
                lambda o=own, p=peer: o.line_with(p)["state"] == "UP", "the line is down", 90.0
            )
        yield west, east, white


@pytest.fixture
def flown(three: Three) -> Three:
    """West flies near, east beside it; white has consented to both."""
    west, east, white = three
    for party in (west, east):
        consent(white, party)
    fly(west, east, _NEAR)
    fly(east, west, _NEXT)
    return three


def consent(white: Party, party: Party) -> None:
    white.put(f"/private/mediations/{white.line_with(party)['line_id']}", {})


def fly(party: Party, peer: Party, *places: tuple[int, int]) -> None:
    sorties = [sortie(f"{party.name}{number}", *at) for number, at in enumerate(places)]
    line_id = party.line_with(peer)["line_id"]
    party.put(f"/private/plan/{line_id}", {"declarations": sorties})


def agreed(west: Party, east: Party, answer: str = "COUNT", **more: Any) -> str:
    """Have west propose and east accept; return the name of the check."""
    body = {"lists": 8, "bucket": 1_024} | more
    line_id = west.line_with(east)["line_id"]
    said = west.post(
        "/private/mediated/propose",
        {"line": line_id, "mediator": "white", "answer": answer, **body},
    )
    name = str(said["hash"])
    wait_for(
        lambda: name in {each["proposal"] for each in east.get("/private")},
        "the proposal did not arrive",
    )
    assert "white" in east.get(f"/private/{name}")["warning"]
    east.post(f"/private/{name}/accept", {})
    return name


def mediations(white: Party) -> list[dict[str, Any]]:
    return list(white.get("/private/mediations")["mediations"])


def parts_of(white: Party, line_id: str = "") -> list[str]:
    folder = white.folder / "parts" / line_id
    return [path.name for path in folder.rglob("*") if len(path.name) == 64]


def test_both_are_told_in_how_many_cells(flown: Three) -> None:
    west, east, white = flown
    name = agreed(west, east)
    found = {party.name: outcome(party, name) for party in (west, east)}
    for each in found.values():
        assert (each["run"]["outcome"], each["run"]["state"]) == ("HIT", "WHOLE"), each["run"]
        assert each["hits"] == []
    mine, theirs = found["west"]["run"], found["east"]["run"]
    assert mine["own_cells"] > 0
    assert (mine["own_cells"], mine["peers_cells"]) == (theirs["peers_cells"], theirs["own_cells"])
    for party in (west, east):
        rules = {alert["rule"] for alert in party.get("/alerts", open="true")}
        assert "PRIVATE_MEDIATED_HIT" in rules
    one, other = mediations(white)[:2]
    assert {one["peer"], other["peer"]} == {"west", "east"}
    assert one["answers"] == other["answers"]
    assert {one["state"], other["state"]} == {"ANSWERED"}
    wait_for(lambda: not parts_of(white), "the lists were not erased")


def test_yes_and_no(flown: Three) -> None:
    west, east, _ = flown
    name = agreed(west, east, "YES_NO")
    for party in (west, east):
        run = outcome(party, name)["run"]
        assert (run["outcome"], run["own_cells"], run["peers_cells"]) == ("HIT", None, None)
    fly(east, west, _FAR)
    name = agreed(west, east, "YES_NO")
    for party in (west, east):
        run = outcome(party, name)["run"]
        assert (run["outcome"], run["state"]) == ("NO_HIT", "WHOLE")


def test_a_mediator_refuses_whom_it_did_not_consent_to(flown: Three) -> None:
    west, east, white = flown
    white.delete(f"/private/mediations/{white.line_with(east)['line_id']}")
    name = agreed(west, east)
    for party in (west, east):
        run = outcome(party, name)["run"]
        assert (run["outcome"], run["state"]) == ("NOT_CHECKED", "ENDED")
        assert run["reason"] == "MEDIATOR_ENDED"
    refused = next(each for each in mediations(white) if each["peer"] == "east")
    assert (refused["state"], refused["reason"]) == ("ENDED", "NO_CONSENT")
    assert not parts_of(white, white.line_with(east)["line_id"])  # of what west sent, a moment
    wait_for(lambda: not parts_of(white), "the lists were not erased")
    line_id = east.line_with(white)["line_id"]
    (said,) = (
        each
        for each in east.get(f"/lines/{line_id}/messages", limit=50)
        if each["kind"] == "PRIVATE_END"
    )
    assert "consent" in said["text"]


def test_a_mediator_killed_while_lists_arrive_goes_on_from_its_record(flown: Three) -> None:
    west, east, white = flown
    before = len(mediations(white))
    name = agreed(west, east, lists=64, bucket=16_384)  # 16 MiB of each, in four parts
    wait_for(lambda: len(mediations(white)) > before, "nothing was submitted", 60)
    white.kill()
    white.start()
    for party in (west, east):
        run = outcome(party, name)["run"]
        assert (run["outcome"], run["state"]) == ("HIT", "WHOLE"), str(run)
    wait_for(lambda: not parts_of(white), "the lists were not erased")


def test_a_side_killed_in_the_middle_submits_the_same(flown: Three) -> None:
    west, east, white = flown
    before = len(mediations(white))
    name = agreed(west, east, lists=64, bucket=16_384)
    wait_for(lambda: len(mediations(white)) > before, "nothing was submitted", 60)
    east.kill()
    east.start()
    for party in (west, east):
        run = outcome(party, name)["run"]
        assert (run["outcome"], run["state"]) == ("HIT", "WHOLE"), str(run)
    assert len({each["session"] for each in mediations(white)[:2]}) == 1


def test_a_side_that_ends_it_leaves_both_not_checked(flown: Three) -> None:
    west, east, white = flown
    assert white.process is not None
    os.kill(white.process.pid, signal.SIGSTOP)  # so that there is a middle
    try:
        name = agreed(west, east)
        wait_for(
            lambda: (west.get(f"/private/{name}/0")["run"]["done"] or 0) >= 2,
            "the run did not begin",
            60,
        )
        west.post(f"/private/{name}/cancel", {"run": 0})
        for party in (west, east):
            run = outcome(party, name)["run"]
            assert (run["outcome"], run["reason"]) == ("NOT_CHECKED", "CANCELLED")
    finally:
        os.kill(white.process.pid, signal.SIGCONT)
    time.sleep(3)
    assert not [
        each
        for each in mediations(white)[:2]
        if each["state"] == "ANSWERED" and each["session"] == name
    ]


def test_a_mediator_that_is_gone_is_not_checked(flown: Three) -> None:
    west, east, white = flown
    white.kill()
    try:
        name = agreed(west, east)
        for party in (west, east):
            run = outcome(party, name, timeout_s=200.0)["run"]
            assert (run["outcome"], run["reason"]) == ("NOT_CHECKED", "EXPIRED")
            rules = {alert["rule"] for alert in party.get("/alerts", open="true")}
            assert "PRIVATE_NOT_CHECKED" in rules
    finally:
        white.start()
