"""Private checks between two running nodes: found, not found, broken off, taken up again."""

from collections.abc import Iterator

import pytest
from bench.nodes import Party, agree, make_pair, running
from tests.private_nodes import agree_check, check_terms, fly, outcome, sortie

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
    east._ask("DELETE", f"/private/plan/{east.line['line_id']}")
    name = agree_check(west, east)
    for party in pair:
        found = outcome(party, name)["run"]
        assert (found["outcome"], found["state"]) == ("NOT_CHECKED", "ENDED")
        assert (found["reason"], found["ended_by"]) == ("NO_PLAN", "east")
        rules = {alert["rule"] for alert in party.get("/alerts", open="true")}
        assert "PRIVATE_NOT_CHECKED" in rules
