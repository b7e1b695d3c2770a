"""Protected sites between two running nodes: west plans, east protects."""

import time
from collections.abc import Iterator

import pytest
from bench.nodes import Party, agree, make_pair, running, wait_for
from tests.private_nodes import check_terms, fly, outcome, sortie
from tests.site_nodes import ask, consent, consented, hold

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Party, Party]]:
    west, east = make_pair(tmp_path_factory.mktemp("sites"))
    with running(west, east):
        agree(west, east, private_check=check_terms())
        fly(west, sortie("viper", 5, 5))
        yield west, east


def test_a_planner_is_warned_and_the_protector_sees_that_something_was_asked(
    pair: tuple[Party, Party],
) -> None:
    west, east = pair
    hold(east, 5, 5)
    consent(east)
    before = consented(east)["asked_ever"]
    name = ask(west)
    found = outcome(west, name)
    assert (found["run"]["outcome"], found["run"]["state"]) == ("HIT", "WHOLE")
    assert [(hit["sorties"], hit["label"]) for hit in found["at_sites"]] == [
        (["viper"], "hospital")
    ]
    alerts = west.get("/alerts", open="true")
    assert any(each["rule"] == "PRIVATE_SITE_HIT" and "viper" in each["text"] for each in alerts)
    answered = outcome(east, name)
    assert (answered["run"]["outcome"], answered["run"]["state"]) == (None, "WHOLE")
    assert (answered["at_sites"], answered["run"]["sorties"]) == ([], None)
    assert consented(east)["asked_ever"] == before + 64
    assert b"hospital" not in (east.folder / "serve.log").read_bytes()


def test_an_activity_away_from_every_site_is_no_hit(pair: tuple[Party, Party]) -> None:
    west, east = pair
    hold(east, 15, 15)
    consent(east)
    found = outcome(west, ask(west))
    assert (found["run"]["outcome"], found["run"]["state"]) == ("NO_HIT", "WHOLE")
    assert found["at_sites"] == []


def test_over_the_cap_nothing_is_answered(pair: tuple[Party, Party]) -> None:
    west, east = pair
    hold(east, 5, 5, points_a_query=63)
    consent(east)
    found = outcome(west, ask(west))["run"]
    assert (found["outcome"], found["reason"], found["ended_by"]) == (
        "NOT_CHECKED",
        "OVER_CAP",
        "east",
    )
    rules = {alert["rule"] for alert in west.get("/alerts", open="true")}
    assert "PRIVATE_SITES_NOT_CHECKED" in rules


@pytest.mark.parametrize("how", ["withdrawn", "ended"])
def test_without_consent_a_proposal_waits_for_a_person(pair: tuple[Party, Party], how: str) -> None:
    west, east = pair
    hold(east, 5, 5)
    if how == "withdrawn":
        consent(east)
        east.delete(f"/private/sites/consent/{east.line['line_id']}")
        assert consented(east)["state"] == "WITHDRAWN"
    else:
        consent(east, for_ms=500)
        time.sleep(1.0)
        assert consented(east)["state"] == "ENDED"
    name = ask(west)
    wait_for(
        lambda: name in {each["proposal"] for each in east.get("/private")},
        "the proposal did not arrive",
    )
    time.sleep(3.0)  # the node looks every second
    assert west.get(f"/private/{name}")["state"] == "PROPOSED"
    # A person who takes part all the same has not consented: nothing is shown or answered.
    east.post(f"/private/{name}/accept", {})
    found = outcome(west, name)["run"]
    assert (found["outcome"], found["reason"]) == ("NOT_CHECKED", "NO_CONSENT")
