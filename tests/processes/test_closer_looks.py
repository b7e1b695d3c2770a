"""After a coarse check of two running nodes: what a closer look leaves, and talking of it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from bench.nodes import Party, agree, make_pair, running, wait_for
from tests.private_nodes import agree_check, check_terms, fly, outcome, sortie

from deconflict.airspace.instant import format_utc

pytestmark = pytest.mark.processes

CADENCE_MS = 240_000
# Within the minima and a cell of 10 km, and not within them and one of 5 km: 16.5 km apart.
APART = (sortie("viper", 4.75, 5), sortie("falcon", 6.4, 5))
CLOSE = (sortie("viper", 5, 5), sortie("falcon", 6, 5))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Party, Party]]:
    west, east = make_pair(tmp_path_factory.mktemp("closer"))
    with running(west, east):
        agree(west, east, private_check=check_terms(bucket=2_048))
        yield west, east


@pytest.fixture(scope="module")
def periods() -> Iterator[str]:
    """One period after the other, so that no slot is asked about too often."""

    def ahead() -> Iterator[str]:
        first_ms = -(-(time.time_ns() // 1_000_000) // CADENCE_MS) * CADENCE_MS
        for at in range(2, 60, 2):
            yield format_utc(first_ms + at * CADENCE_MS)

    return ahead()


def coarse(pair: tuple[Party, Party], plans: Any, periods: Iterator[str]) -> str:
    """Check coarsely, with a hit on both sides; return the check."""
    for party, plan in zip(pair, plans, strict=True):
        fly(party, plan)
    name = agree_check(*pair, start_utc=next(periods))
    for party in pair:
        assert outcome(party, name)["run"]["stands"] == "HIT"
    return name


def look(west: Party, east: Party, name: str) -> str:
    """Look closer as the coarse run offers it; return the look."""
    (offered,) = west.get(f"/private/{name}/0")["refinements"]
    assert (offered["of"], offered["parts"]) == (name, 2)
    return agree_check(west, east, refines=offered)


def alerts(party: Party, name: str) -> list[dict[str, Any]]:
    return [
        each
        for each in party.get("/alerts", open="true")
        if each["rule"] == "PRIVATE_HIT" and each["facts"]["proposal"] == name
    ]


def test_hits_that_a_closer_look_does_not_see_fall_and_stay_fallen_after_a_start(
    pair: tuple[Party, Party], periods: Iterator[str]
) -> None:
    west, east = pair
    name = coarse(pair, APART, periods)
    assert len(alerts(west, name)) == len(alerts(east, name)) == 1
    finer = look(west, east, name)
    for party in pair:
        assert outcome(party, finer)["run"]["outcome"] == "NO_HIT"
    west.kill()
    west.start()
    for party in pair:
        found = party.get(f"/private/{name}/0")
        run = found["run"]
        assert (run["outcome"], run["stands"], run["fallen"]) == ("HIT", "NO_HIT", run["hits"])
        assert {hit["fate"] for hit in found["hits"]} == {"FALLEN"}
        assert all("found no meeting" in hit["text"] for hit in found["hits"])
        assert found["refinements"] == []
        assert [(each["proposal"], each["outcome"]) for each in found["looks"]] == [
            (finer, "NO_HIT")
        ]
        assert alerts(party, name) == []
        assert alerts(party, finer) == []
    (ended,) = (
        each
        for each in west.get("/alerts", open="false")
        if each["rule"] == "PRIVATE_HIT" and each["facts"]["proposal"] == name
    )
    assert not ended["open"]
    assert "Closer looks found no meeting" in ended["text"]
    # Nothing stands that could be talked about.
    with pytest.raises(RuntimeError, match="every hit of that run has fallen"):
        concern(west, name)


def test_hits_that_the_closer_look_sees_too_stand_in_one_alert(
    pair: tuple[Party, Party], periods: Iterator[str]
) -> None:
    west, east = pair
    name = coarse(pair, CLOSE, periods)
    finer = look(west, east, name)
    for party in pair:
        assert outcome(party, finer)["run"]["outcome"] == "HIT"
        found = party.get(f"/private/{name}/0")
        assert found["run"]["stands"] == "HIT"
        assert {hit["fate"] for hit in found["hits"]} == {"SEEN"}
        assert len(alerts(party, name)) == 1
        assert alerts(party, finer) == []
    # A look that is on its way, or that was made, is not offered again.
    assert west.get(f"/private/{name}/0")["refinements"] == []


def test_a_closer_look_that_is_not_checked_leaves_the_hit_as_it_was(
    pair: tuple[Party, Party], periods: Iterator[str]
) -> None:
    west, east = pair
    name = coarse(pair, APART, periods)
    before = alerts(west, name)
    east.delete(f"/private/plan/{east.line['line_id']}")
    finer = look(west, east, name)
    assert outcome(west, finer)["run"]["reason"] == "NO_PLAN"
    for party in pair:
        found = party.get(f"/private/{name}/0")
        assert found["run"]["stands"] == "HIT"
        assert {hit["fate"] for hit in found["hits"]} == {"NOT_CHECKED"}
        assert all("NOT CHECKED" in hit["text"] for hit in found["hits"])
    assert alerts(west, name) == before
    # It may be tried again, and then they fall.
    fly(east, APART[1])
    look(west, east, name)
    wait_for(lambda: not alerts(west, name), "the alert of a fallen hit stands")


def test_a_look_at_a_plan_that_was_changed_is_refused_at_home(
    pair: tuple[Party, Party], periods: Iterator[str]
) -> None:
    west, _ = pair
    name = coarse(pair, APART, periods)
    (offered,) = west.get(f"/private/{name}/0")["refinements"]
    fly(west, sortie("viper", 3, 3))
    before = west.line["own_seq"]
    with pytest.raises(RuntimeError, match="the plan is another one"):
        west.post("/private/propose", {"line": west.line["line_id"], "refines": offered})
    assert west.line["own_seq"] == before


def concern(party: Party, name: str, ref: str | None = None, **told: Any) -> dict[str, Any]:
    body = {"hit": {"check": name, "run": 0, **told}}
    message = {"kind": "CONCERN", "body": body, "ref": ref or name}
    return dict(party.post(f"/lines/{party.line['line_id']}/messages", message))


def test_a_hit_of_flights_that_nobody_declared_is_talked_about_and_answered(
    pair: tuple[Party, Party], periods: Iterator[str]
) -> None:
    west, east = pair
    name = coarse(pair, CLOSE, periods)
    said = concern(west, name)["hash"]

    def received() -> Any:
        return [
            each
            for each in east.get("/alerts", open="true")
            if each["rule"] == "CONCERN_RECEIVED" and each["facts"]["message"] == said
        ]

    (alert,) = wait_for(received, "the concern did not arrive")
    assert f"run 0 of private check {name[:8]} had a hit" in alert["text"]
    heard = east.get(f"/messages/{said}")
    assert heard["ref"] == name
    assert heard["body"] == {"hit": {"check": name, "run": 0}}  # nothing of when and where
    assert "viper" not in heard["text"]
    answer = {"kind": "ACK", "body": {"answer": "UNABLE"}, "ref": said}
    east.post(f"/lines/{east.line['line_id']}/messages", answer)
    wait_for(lambda: not received(), "an answered concern waits still")
    # More is told only where its author says so, and as widely.
    wide = concern(
        west, name, position={"lat_e7": 350_000_000, "lon_e7": 385_000_000}, reach_mm=200_000_000
    )["hash"]
    wait_for(lambda: wide in {each["hash"] for each in thread(east, name)}, "it did not arrive")
    text = next(each["text"] for each in thread(east, name) if each["hash"] == wide)
    assert "(200.00 km)" in text


def thread(party: Party, name: str) -> list[dict[str, Any]]:
    """What cites the proposal of a check."""
    found = party.get(f"/lines/{party.line['line_id']}/messages", last=100)
    return [each for each in found if each["ref"] == name]


def test_without_a_hit_there_is_no_concern_about_one(
    pair: tuple[Party, Party], periods: Iterator[str]
) -> None:
    west, east = pair
    fly(west, sortie("viper", 5, 5))
    fly(east)
    name = agree_check(west, east, start_utc=next(periods))
    outcome(west, name)
    with pytest.raises(RuntimeError, match="nothing of yours was hit"):
        concern(west, name)
    with pytest.raises(RuntimeError, match="no such private check"):
        concern(west, "ab" * 32, ref=name)
