"""``screen --explain``: what it says of a pair is true, and says whose each margin is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import deconflict
from deconflict.airspace import AltitudeReference
from deconflict.airspace.geodesy import distance
from deconflict.cli import main
from deconflict.cli.meeting import flown_at, meeting_of
from deconflict.cli.screen_explain import headline
from deconflict.cli.screen_margins import margins_of
from deconflict.cli.screen_words import utc
from deconflict.messages.words import find_banned
from deconflict.separation import AltitudeConversions
from deconflict.separation.conflicts import Conflicts
from deconflict.units import TMM_PER_FOOT
from pair_samples import MINIMA, WEST_EAST, flight
from screen_samples import write_csv


def explained(folder: Path, a: dict[str, Any], b: dict[str, Any], *words: str) -> str:
    file = folder / "both.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [a, b]}))
    told = ("--explain", "A", "B", *(words or MINIMA))
    result = CliRunner().invoke(main, ["screen", str(file), *told])
    assert result.exit_code in (0, 1), result.output
    assert not find_banned(result.stdout)
    return result.stdout


def test_a_window_is_told_as_how_late_the_flight_is(tmp_path: Path) -> None:
    a = flight("A", WEST_EAST, "FL300", time="10 min")
    b = flight("B", [[8.5, 46], [8.5, 50]], "FL300", late_min=10)
    said = explained(tmp_path, a, b)
    assert said.startswith("A and B come too close when their containment is counted.\n")
    assert "if A is 10 min 0 s late: 0.01 NM" in said
    assert "nearest at 2015-10-01 06:40:0" in said  # B, which has no window, is there then
    assert "A may be up to 10 min 0 s early or late: that is its containment." in said
    assert "If both keep exactly to their plans, they do not come too close." in said
    assert "This is certain" not in said


def climbing(name: str, lon_deg: float, levels: tuple[str, str]) -> dict[str, Any]:
    """A flight along 48 N to 9 E, from one level to another."""
    made = flight(name, [[lon_deg, 48], [9, 48]], "FL300")
    made["properties"]["altitudes"] = list(levels)
    return made


def test_two_that_pass_through_one_altitude_are_nearest_there(tmp_path: Path) -> None:
    up = climbing("A", 8.0, ("FL300", "FL400"))
    down = climbing("B", 8.0, ("FL400", "FL300"))
    said = explained(tmp_path, up, down)
    assert "apart over the ground, and at one altitude." in said
    assert "reach the minimum" not in said


def test_nearest_just_as_the_altitudes_part_is_explained(tmp_path: Path) -> None:
    up = climbing("A", 8.0, ("FL300", "FL400"))
    down = climbing("B", 8.05, ("FL400", "FL300"))  # A catches up with it
    said = explained(tmp_path, up, down)
    assert "1,000 ft (305 m) below A" in said
    assert "nearest over the ground just as their altitudes reach the minimum" in said


def windowed(seed: int) -> Conflicts:
    """Return what is found among flights across one another, all with windows but the first."""
    rng = np.random.default_rng(seed)
    count = 40
    turn = rng.uniform(0, 2 * np.pi, count)
    lat = np.stack([48 + 0.4 * np.sin(turn), 48 - 0.4 * np.sin(turn)], axis=1)
    lon = np.stack([8 + 0.6 * np.cos(turn), 8 - 0.6 * np.cos(turn)], axis=1)
    begin = rng.uniform(0, 900, count)
    window = rng.uniform(1, 300, count)
    window[0] = 0.0
    return deconflict.screen(
        {
            "offsets": 2 * np.arange(count + 1),
            "lat_deg": lat.ravel(),
            "lon_deg": lon.ravel(),
            "time_s": np.stack([begin, begin + 600], axis=1).ravel(),
            "altitude_ft": rng.integers(300, 330, 2 * count) * 100,
            "window_s": window,
        },
        minima="5NM,1000ft",
        reference="FL",
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_flown_so_late_both_are_as_near_as_it_is_told(seed: int) -> None:
    found = windowed(seed)
    assert len(found) > 100
    for row in range(len(found)):
        meeting = meeting_of(found, row, AltitudeConversions())
        assert meeting.late_s is not None
        both = int(found.first[row]), int(found.second[row])
        for which, late_s in zip(both, meeting.late_s, strict=True):
            assert abs(late_s) <= found.flights.window_s[which] + 1e-5
        (one, low), (other, high) = (
            flown_at(found.flights, which, meeting.at_s - late_s)
            for which, late_s in zip(both, meeting.late_s, strict=True)
        )
        assert distance(one, other) == pytest.approx(found.cpa_distance_m[row], abs=0.2)
        assert high - low == pytest.approx(found.cpa_vertical_tmm[row], abs=3048)


def test_plans_that_hover_all_day_are_told_at_once() -> None:
    many = 1_500
    found = deconflict.screen(
        {
            "offsets": [0, many, 2 * many],
            "lat_deg": np.full(2 * many, 48.0),
            "lon_deg": np.full(2 * many, 8.0),
            "time_s": np.tile(60.0 * np.arange(many), 2),
            "altitude_ft": np.tile(1_000 + np.arange(many) % 7, 2),
            "window_s": [3_600.0, 3_600.0],
        },
        minima="5NM,1000ft",
        reference="FL",
    )
    meeting = meeting_of(found, 0, AltitudeConversions())
    assert meeting.late_s is None or max(map(abs, meeting.late_s)) <= 3_600.0


def test_altitudes_that_do_not_compare_are_told_from_the_first_line(tmp_path: Path) -> None:
    b = flight("B", [[8.5, 47.5], [8.5, 48.5]], "30000 ft AMSL")
    said = explained(tmp_path, flight("A", WEST_EAST, "FL300"), b)
    assert said.startswith("A and B cannot be compared: nothing says how their altitudes compare.")
    assert "A is at FL300 (pressure altitude)" in said
    assert "B is at 30,000 ft (9,144 m) above mean sea level." in said
    assert "too close" not in said


def test_two_heights_above_ground_are_not_told_as_two_references(tmp_path: Path) -> None:
    b = flight("B", [[8.5, 47.5], [8.5, 48.5]], "1000 ft AGL")
    said = explained(tmp_path, flight("A", WEST_EAST, "1000 ft AGL"), b)
    assert "both above ground, which differs from place to place" in said


def test_containment_is_told_with_whose_it_is_and_what_it_comes_to(tmp_path: Path) -> None:
    a = flight("A", WEST_EAST, "FL300", lateral="2 NM")
    b = flight("B", [[8, 48.11], [9, 48.11]], "FL305", vertical="100 ft")
    said = explained(tmp_path, a, b)
    assert said.startswith("A and B come too close when their containment is counted.\n")
    assert "The minima between them are 5.00 NM (9,260 m) and 1,000 ft (305 m).\n" in said
    assert "A may be up to 2.00 NM (3,704 m) aside of its plan: that is its containment." in said
    assert "B may be up to 100 ft (30 m) above or below its plan" in said
    assert "less than 7.0 NM (13.0 km) over the ground and 1,100 ft (335 m) at once" in said
    assert "under both at once" not in said
    assert "If both keep exactly to their plans, they do not come too close." in said


def test_a_conflict_exactly_as_planned_is_certain_whatever_was_added(tmp_path: Path) -> None:
    a = flight("A", WEST_EAST, "FL300", lateral="2 NM", time="1 min")
    said = explained(tmp_path, a, flight("B", [[8.5, 47.5], [8.5, 48.5]], "FL300"))
    assert said.startswith("A and B come too close.\n")
    assert "If both keep exactly to their plans, they come too close as well: at 2015" in said


def test_a_conversion_is_told_with_its_range_and_leaves_the_altitude_open(tmp_path: Path) -> None:
    b = flight("B", [[8.5, 47.5], [8.5, 48.5]], "30000 ft AMSL")
    known = (*MINIMA, "--altitudes", "FL:AMSL=-1500ft,2000ft")
    said = explained(tmp_path, flight("A", WEST_EAST, "FL300"), b, *known)
    assert "B anywhere from 2,000 ft (610 m) below to 1,500 ft (457 m) above A" in said
    assert "A is between 1,500 ft (457 m) below and 2,000 ft (610 m) above what it has as" in said
    assert "half of that range, 1,750 ft (533 m), is added to the vertical minimum" in said
    assert "Whether they come too close depends on the range of their altitudes." in said
    assert "This is certain" not in said
    narrow = (*MINIMA, "--altitudes", "FL:AMSL=-100ft,200ft")
    sure = explained(tmp_path, flight("A", WEST_EAST, "FL300"), b, *narrow)
    assert sure.startswith("A and B come too close.\n")
    assert "This is certain" in sure


def conversion(least_ft: int, most_ft: int) -> AltitudeConversions:
    offsets = least_ft * TMM_PER_FOOT, most_ft * TMM_PER_FOOT
    return AltitudeConversions({(AltitudeReference.FL, AltitudeReference.AMSL): offsets})


def test_margins_told_are_the_margins_that_were_added() -> None:
    known = conversion(-1501, 2000)
    found = deconflict.screen(
        {
            "offsets": [0, 2, 4],
            "lat_deg": [48.0, 48.0, 47.8, 48.2],
            "lon_deg": [8.0, 9.0, 8.5, 8.5],
            "time_s": [0.0, 600.0, 0.0, 600.0],
            "altitude_ft": [35000, 35000, 35000, 35000],
            "altitude_reference": ["FL", "AMSL"],
            "lateral_m": [100.0, 20.0],
            "vertical_ft": [30, 7],
        },
        minima="5NM,1000ft",
        conversions=known,
    )
    assert len(found) == 1
    told = margins_of(found, 0, 1, known)
    assert sum(told.vertical_tmm) + told.slack_tmm == found.margin_vertical_tmm[0]
    assert 0 <= found.margin_lateral_m[0] - sum(told.lateral_m) <= 0.25  # the bound


def test_a_pair_without_a_conflict_is_told_its_minima_and_margins(tmp_path: Path) -> None:
    a = flight("A", WEST_EAST, "FL300", lateral="1 NM")
    said = explained(tmp_path, a, flight("B", [[8, 48.2], [9, 48.2]], "FL300"))
    assert said.startswith("No conflict between A and B under these minima.\n")
    assert "A may be up to 1.00 NM (1,852 m) aside of its plan" in said
    assert "less than 6.00 NM (11,112 m)" in said or "less than 6.0 NM (11.1 km)" in said


def test_the_minima_told_without_a_conflict_are_those_of_the_two_parties(tmp_path: Path) -> None:
    a, b = flight("A", WEST_EAST, "FL300"), flight("B", [[8, 48.2], [9, 48.2]], "FL300")
    a["properties"]["party"], b["properties"]["party"] = "red", "blue"
    said = explained(tmp_path, a, b, *MINIMA, "--minima", "red:blue=3NM,500ft")
    assert "The minima between them are 3.00 NM (5,556 m) and 500 ft (152 m)." in said


def test_minima_of_other_parties_do_not_keep_a_pair_from_being_explained(tmp_path: Path) -> None:
    files = map(str, write_csv(tmp_path))
    words = ["screen", *files, *MINIMA, "--minima", "red:blue=3NM,500ft", "--explain"]
    green = CliRunner().invoke(main, [*words, "A1", "range"])
    assert green.exit_code == 1, green.output
    assert "5.00 NM (9,260 m) and 1,000 ft" in green.stdout
    blue = CliRunner().invoke(main, [*words, "A1", "B2"])
    assert "3.00 NM (5,556 m) and 500 ft" in blue.stdout
    words[-2] = "red:nobody=3NM,500ft"
    assert CliRunner().invoke(main, [*words, "A1", "B2"]).exit_code == 2


def test_times_are_rounded_outward() -> None:
    assert utc(26_310_869) == "1970-01-01 00:00:26.310Z"
    assert utc(26_310_869, upward=True) == "1970-01-01 00:00:26.311Z"
    assert utc(-1) == "1969-12-31 23:59:59.999Z"


def test_the_table_has_the_minima_with_their_margins(tmp_path: Path) -> None:
    a = flight("A", WEST_EAST, "FL300", lateral="2 NM")
    b = flight("B", [[8, 48.11], [9, 48.11]], "FL300")
    file = tmp_path / "both.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [a, b]}))
    said = CliRunner().invoke(main, ["screen", str(file), *MINIMA]).stdout
    assert "MINIMA WITH MARGINS" in said
    assert "7.00 NM, 1,000 ft" in said


def pair(seed: int) -> dict[str, Any]:
    """Return two flights of three waypoints, with some containment or none."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(-0.3, 0.3, (6, 2)) + np.array([48, 8])
    some = rng.random((3, 2)) < 0.4
    return {
        "offsets": [0, 3, 6],
        "flight": ["A", "B"],
        "lat_deg": place[:, 0],
        "lon_deg": place[:, 1],
        "time_s": np.concatenate([rng.uniform(0, 300) + np.linspace(0, 600, 3) for _ in "AB"]),
        "altitude_ft": rng.integers(300, 318, 6) * 100,
        "altitude_reference": ["FL", "AMSL"],
        "lateral_m": np.where(some[0], rng.uniform(0, 6000, 2), 0),
        "vertical_ft": np.where(some[1], rng.integers(0, 900, 2), 0),
        "window_s": np.where(some[2], rng.uniform(0, 200, 2), 0),
    }


def test_what_is_told_as_sure_holds_exactly_as_planned_at_both_ends_of_the_range() -> None:
    sure = doubtful = 0
    for seed in range(120):
        given, known = pair(seed), conversion(-300, 400)
        found = deconflict.screen(given, minima="5NM,1000ft", conversions=known)
        if not len(found):
            continue
        exact = {**given, "lateral_m": [0, 0], "vertical_ft": [0, 0], "window_s": [0, 0]}
        ends = [
            deconflict.screen(exact, minima="5NM,1000ft", conversions=conversion(feet, feet))
            for feet in (-300, 400)
        ]
        if headline(found, ("A", "B"), known).endswith("come too close"):
            sure += 1
            assert all(np.any(end.verdict == 0) for end in ends), seed
        else:
            doubtful += 1
    assert min(sure, doubtful) > 10
