"""What is offered is told with how near it then comes to anything else."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deconflict.cli import main

HEAD = "flight,party,time_s,lat_deg,lon_deg,altitude_fl"
WEST_EAST = "{name},{party},1443592800,{lat},8,{level}\n{name},{party},1443594600,{lat},9,{level}"
CROSSING = "B,blue,1443592800,47.7,8.5,300\nB,blue,1443594600,48.3,8.5,300"


def west_east(name: str, level: int, *, party: str = "red", lat: float = 48) -> str:
    return WEST_EAST.format(name=name, party=party, lat=lat, level=level)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def advise(*flights: str, words: tuple[str, ...] = ()) -> Result:
    Path("plans.csv").write_text("\n".join([HEAD, *flights]) + "\n")
    asked = ("plans.csv", "--minima", "5NM,1000ft", *words)
    return CliRunner().invoke(main, ["advise", *asked])


def levels(result: Result, name: str) -> dict[int, dict | None]:
    (one,) = (each for each in json.loads(result.stdout)["advice"] if each["name"] == name)
    return {option["level_tmm"]: option["nearest"] for option in one["options"]}


def test_each_option_is_told_with_the_nearest_other_and_the_distances(folder: Path) -> None:
    third = west_east("C", 315, party="green")
    told = advise(west_east("A", 300), CROSSING, third, words=("--by", "level", "--json"))
    higher, lower = (levels(told, "A")[tmm] for tmm in (3_048_000 * 3, -3_048_000))
    # FL330 is 1,500 ft above C and 3,000 ft above B; FL290 1,000 ft below B.
    assert (higher["to"]["name"], higher["vertical_m"]) == ("C", pytest.approx(457.2))
    assert (lower["to"]["name"], lower["vertical_m"]) == ("B", pytest.approx(304.8))
    assert lower["lateral_m"] < 200
    assert (lower["minimum_lateral_m"], lower["minimum_vertical_m"]) == (9260.0, 304.8)
    table = advise(west_east("A", 300), CROSSING, third, words=("--by", "level"))
    assert "NEAREST THEN" in table.output
    assert "1,000 of 1,000 ft: B" in table.output


def test_nothing_near_is_told_as_nothing(folder: Path) -> None:
    words = ("--by", "level", "--level-step", "4000ft")
    told = advise(west_east("A", 300), CROSSING, words=(*words, "--json"))
    assert set(levels(told, "A").values()) == {None}
    table = advise(west_east("A", 300), CROSSING, words=words)
    assert "nothing within 3 times the minima" in table.output


def test_a_formation_of_one_party_is_not_what_is_told(folder: Path) -> None:
    told = advise(
        west_east("A", 300), west_east("A2", 300), CROSSING, words=("--by", "level", "--json")
    )
    for name in ("A", "A2"):
        assert {near["to"]["name"] for near in levels(told, name).values()} == {"B"}


def test_a_plan_tells_it_of_what_stands_then(folder: Path) -> None:
    told = advise(west_east("A", 300), CROSSING, words=("--together", "--json"))
    (change,) = json.loads(told.stdout)["plan"]["changes"]
    assert change["nearest"]["to"]["name"] == "A"
    assert change["nearest"]["lateral_m"] >= 9260.0
