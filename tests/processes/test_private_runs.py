"""Private checks between two running nodes: found, not found, broken off, taken up again."""

import time
from collections.abc import Iterator

import pytest
from bench.nodes import Party, agree, make_pair, running
from tests.private_nodes import agree_check, check_terms, fly, outcome, sortie

from deconflict.airspace.instant import format_utc

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Party, Party]]:
    west, east = make_pair(tmp_path_factory.mktemp("private"))
    with running(west, east):
        agree(west, east, private_check=check_terms())
        yield west, east


def test_each_side_learns_where_its_own_sortie_comes_too_close(pair: tuple[Party, Party]) -> None:
    west, east = pair
    fly(west, sortie("viper", 5, 5), sortie("cobra", 15, 15))
    fly(east, sortie("falcon", 6, 5))
    name = agree_check(west, east)
    for party, own in ((west, "viper"), (east, "falcon")):
        found = outcome(party, name)
        assert (found["run"]["outcome"], found["run"]["state"]) == ("HIT", "WHOLE")
        assert {hit["sortie"] for hit in found["hits"]} == {own}
        alerts = [
            each for each in party.get("/alerts", open="true") if each["rule"] == "PRIVATE_HIT"
        ]
        assert own in alerts[0]["text"]
        assert not {"cobra", "viper", "falcon"} - {own} & set(alerts[0]["text"].split())


def test_who_does_not_come_close_is_told_no_hit_and_nothing_else(pair: tuple[Party, Party]) -> None:
    west, east = pair
    fly(west, sortie("viper", 5, 5))
    fly(east)
    name = agree_check(west, east)
    for party in pair:
        found = outcome(party, name)
        assert (found["run"]["outcome"], found["run"]["state"]) == ("NO_HIT", "WHOLE")
        assert found["hits"] == []


def test_a_run_without_a_plan_is_not_checked_on_both_sides(pair: tuple[Party, Party]) -> None:
    west, east = pair
    fly(west, sortie("viper", 5, 5))
    east.delete(f"/private/plan/{east.line['line_id']}")
    name = agree_check(west, east)
    for party in pair:
        found = outcome(party, name)["run"]
        assert (found["outcome"], found["state"]) == ("NOT_CHECKED", "ENDED")
        assert (found["reason"], found["ended_by"]) == ("NO_PLAN", "east")
        rules = {alert["rule"] for alert in party.get("/alerts", open="true")}
        assert "PRIVATE_NOT_CHECKED" in rules


def test_a_second_run_comes_by_itself_though_nothing_has_changed(pair: tuple[Party, Party]) -> None:
    west, east = pair
    fly(west, sortie("viper", 5, 5))
    fly(east)
    # A cadence further on, so that the slots of the tests before are not asked about too often.
    later = format_utc(-(-(time.time_ns() // 1_000_000) // 240_000) * 240_000 + 4 * 240_000)
    name = agree_check(west, east, runs=2, start_utc=later)
    for party in pair:
        for run in (0, 1):
            found = outcome(party, name, run)["run"]
            assert (found["outcome"], found["state"]) == ("NO_HIT", "WHOLE")
        periods = [run["start_utc"] for run in party.get(f"/private/{name}")["shown"]]
        assert len(set(periods)) == 2


def test_a_closer_look_finds_it_in_finer_cells(pair: tuple[Party, Party]) -> None:
    west, east = pair
    fly(west, sortie("viper", 5, 5))
    fly(east, sortie("falcon", 6, 5))
    later = format_utc(-(-(time.time_ns() // 1_000_000) // 240_000) * 240_000 + 8 * 240_000)
    coarse = agree_check(west, east, start_utc=later)
    found = outcome(west, coarse)
    assert found["run"]["outcome"] == "HIT"
    (look,) = found["refinements"]
    assert (look["of"], look["run"], look["parts"], look["slots"]) == (coarse, 0, 2, [0, 1, 2, 3])
    finer = agree_check(west, east, refines=look)
    for party, own in ((west, "viper"), (east, "falcon")):
        closer = outcome(party, finer)
        assert closer["run"]["outcome"] == "HIT"
        assert {hit["sortie"] for hit in closer["hits"]} == {own}
        assert {hit["side_mm"] for hit in closer["hits"]} == {5_000_000}
        assert closer["refinements"] == []


def test_what_is_flown_is_for_its_owner_alone(pair: tuple[Party, Party]) -> None:
    west, _ = pair
    fly(west, sortie("viper", 5, 5))
    folder = west.folder / "private"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert b"viper" not in (west.folder / "serve.log").read_bytes()
