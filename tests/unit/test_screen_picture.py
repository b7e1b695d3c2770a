"""``screen --picture`` and the notebook's: what is drawn is what was found."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import deconflict
from deconflict.cli import main
from deconflict.cli.approach import _from_outline
from deconflict.paper.picture import NORTH, OWN, PEERS, SCALE
from deconflict.paper.svg import Box, width_of
from deconflict.separation.screening import ScreenProgress
from pair_samples import MINIMA, WEST_EAST, flight
from screen_samples import FLIGHTS, flight_columns, write_csv

SVG = "{http://www.w3.org/2000/svg}"
LINE = "#1f5fa8"
COLOURS = {OWN, *PEERS}


def drawn(
    folder: Path, *features: dict[str, Any], explain: tuple[str, str] = ("A", "B")
) -> ET.Element:
    file, picture = folder / "both.geojson", folder / "both.svg"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    words = ["screen", str(file), *MINIMA, "--explain", *explain, "--picture", str(picture)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code in (0, 1), result.output
    return ET.parse(picture).getroot()


def texts(picture: ET.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def curves(picture: ET.Element) -> list[list[float]]:
    """Return the heights (pixels) of the curves in the charts under the map."""
    ways = [
        [float(step.split()[1]) for step in way.get("d", "")[1:].split("L")]
        for way in picture.iter(f"{SVG}path")
        if way.get("stroke") == LINE and way.get("fill") == "none"
    ]
    return [way for way in ways if len(way) > 60]


def dashed(picture: ET.Element) -> list[float]:
    return [
        float(way.get("d", "M0 0L0 0").split("L")[1].split()[1])
        for way in picture.iter(f"{SVG}path")
        if way.get("stroke-dasharray") == "6 4"
    ]


def test_with_a_window_the_shifted_curve_goes_under_the_minimum(tmp_path: Path) -> None:
    a = flight("A", WEST_EAST, "FL300", time="10 min")
    b = flight("B", [[8.5, 46], [8.5, 50]], "FL300", late_min=10)
    picture = drawn(tmp_path, a, b)
    said = " ".join(texts(picture))
    assert "as they come near, if A is 10 min 0 s late" in said
    assert "grey: as planned" in said
    assert max(curves(picture)[0]) > dashed(picture)[0]  # down is more


def ends(words: ET.Element) -> float:
    """Return where words end at the latest, pixels."""
    size, bold = float(words.get("font-size", 0)), words.get("font-weight") is not None
    return float(words.get("x", 0)) + width_of(words.text or "", size, bold=bold)


# Of the font size, in DejaVu Sans 2.37, which is what most machines without Arial draw with.
DEJAVU = {
    "A": 0.684, "B": 0.686, "D": 0.770, "Q": 0.787, "W": 0.989, "M": 0.863, "Z": 0.685,
    "a": 0.613, "m": 0.974, "w": 0.818, "i": 0.278, "t": 0.392, "r": 0.411, "0": 0.636,
    "9": 0.636, " ": 0.318, ":": 0.337, "-": 0.361, ".": 0.318, "/": 0.337, "(": 0.390,
}  # fmt: skip


@pytest.mark.parametrize("sign", DEJAVU)
def test_no_character_is_wider_than_it_is_taken_for(sign: str) -> None:
    """Test each against what the font itself says."""
    assert DEJAVU[sign] <= width_of(sign, 1.0) <= DEJAVU[sign] + 0.2


@pytest.mark.parametrize("length", [1, 30, 60, 120])
@pytest.mark.parametrize("south", [46.0, 45.8])
def test_no_name_lies_over_the_scale_or_the_arrow(
    tmp_path: Path, length: int, south: float
) -> None:
    one, two = (each * length for each in "AB")
    ways = ([[8, 50], [8, south]], [[7, south], [14, 50]])
    flights = [
        flight(name, way, "FL300", time="10 min")
        for name, way in zip((one, two), ways, strict=True)
    ]
    picture = drawn(tmp_path, *flights, explain=(one, two))
    named = [each for each in picture.iter(f"{SVG}text") if each.get("paint-order")]
    scale = [each for each in named if " NM (" in (each.text or "")]
    assert len(scale) == 1
    assert sum(each.get("fill") in COLOURS for each in named) >= 4  # both, at either end
    for each in named:
        left, bottom = float(each.get("x", 0)), float(each.get("y", 0))
        over = Box(left, bottom - float(each.get("font-size", 0)), ends(each), bottom + 2)
        assert not over.meets(NORTH)
        assert each in scale or not over.meets(SCALE)


def test_headings_with_long_names_end_within_the_picture(tmp_path: Path) -> None:
    one, two = ("A-VERY-LONG-NAME-OF-A-FLIGHT" * 3 + each for each in "AB")
    a = flight(one, WEST_EAST, "FL300", time="10 min")
    b = flight(two, [[8.5, 46], [8.5, 50]], "FL300", late_min=10, time="4 min")
    picture = drawn(tmp_path, a, b, explain=(one, two))
    width = float(picture.get("viewBox", "").split()[2])
    told = [
        words
        for words in picture.iter(f"{SVG}text")
        if "as they come near" in (words.text or "") or "grey: as planned" in (words.text or "")
    ]
    assert len(told) == 3
    assert [ends(words) <= width for words in told] == [True] * 3
    assert ends(told[1]) < float(told[2].get("x", 0))
    assert "FLIGHTA and" in (told[0].text or "")


def test_altitudes_that_do_not_compare_have_an_axis_each(tmp_path: Path) -> None:
    b = flight("B", [[8.5, 47.5], [8.5, 48.5]], "30000 ft AMSL")
    said = texts(drawn(tmp_path, flight("A", WEST_EAST, "FL300"), b))
    assert "A and B cannot be compared: nothing says how their altitudes compare" in said
    assert "Altitude and time (UTC), above mean sea level" in said
    assert "Altitude, pressure altitude" in said
    assert "A is at FL300 (pressure altitude)" in said
    assert any(line.endswith("A and B, as they come near") for line in said)


def area(**outline: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": "C",
        "geometry": outline["geometry"],
        "properties": {
            "purpose": "ACTIVITY",
            **outline.get("properties", {}),
            "lower": "SFC",
            "upper": "FL310",
            "start_utc": "2015-10-01T06:00:00Z",
            "end_utc": "2015-10-01T07:00:00Z",
        },
    }


def test_a_flight_and_a_volume_have_their_approach_drawn(tmp_path: Path) -> None:
    circle = area(
        geometry={"type": "Point", "coordinates": [8.5, 48.2]}, properties={"radius": "10 NM"}
    )
    picture = drawn(tmp_path, flight("A", WEST_EAST, "FL300"), circle, explain=("A", "C"))
    said = " ".join(texts(picture))
    assert "A and C, as they come near" in said
    assert "From the outline over the ground, NM" in said
    assert "From the band, ft" in said
    assert max(curves(picture)[0]) > dashed(picture)[0]


def test_the_distance_drawn_from_an_outline_is_that_which_is_found() -> None:
    columns, offsets = flight_columns()
    square = {"lat_deg": [47.9, 47.9, 48.1, 48.1], "lon_deg": [8.4, 8.6, 8.6, 8.4]}
    found = deconflict.screen(
        {**columns, "offsets": offsets},
        {**square, "offsets": [0, 4], "start_s": [0.0], "end_s": [2e9]},
        minima="100NM,100000ft",
    )
    met = np.flatnonzero(found.second == len(FLIGHTS))
    assert len(met)
    places = [
        deconflict.airspace.Position.from_degrees(found.first_lat_deg[k], found.first_lon_deg[k])
        for k in met
    ]
    assert np.allclose(_from_outline(found, 0, places), found.cpa_distance_m[met], atol=0.02)


def test_at_a_pole_meridians_are_few_and_no_arrow_says_north(tmp_path: Path) -> None:
    a = flight("A", [[0, 89], [180, 89]], "FL300")
    picture = drawn(tmp_path, a, flight("B", [[90, 89], [-90, 89]], "FL300"))
    said = texts(picture)
    assert "N" not in said
    assert "north pole" in said
    meridians = [line for line in said if re.fullmatch(r"\d+°[EW]", line)]
    assert 4 <= len(meridians) <= 12
    boxes = []
    for text in picture.iter(f"{SVG}text"):
        if re.fullmatch(r"\d+°(\d\d′)?[EWNS]", text.text or ""):
            x, y = float(text.get("x", 0)), float(text.get("y", 0))
            boxes.append(Box(x, y - 10, x + width_of(text.text or "", 10), y))
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))


def test_elsewhere_the_arrow_says_north(tmp_path: Path) -> None:
    picture = drawn(tmp_path, flight("A", WEST_EAST, "FL300"), flight("B", WEST_EAST, "FL350"))
    assert "N" in texts(picture)


def test_flights_that_are_high_have_an_axis_that_begins_near_them(tmp_path: Path) -> None:
    picture = drawn(tmp_path, flight("A", WEST_EAST, "FL300"), flight("B", WEST_EAST, "FL305"))
    assert "0 ft" not in texts(picture)


def test_the_strip_of_a_climbing_flight_with_a_window_holds_its_line(tmp_path: Path) -> None:
    a = flight("A", WEST_EAST, "FL300", time="10 min")
    a["properties"]["altitudes"] = ["FL100", "FL300"]
    picture = drawn(tmp_path, a, flight("B", WEST_EAST, "FL350"))
    strip = next(
        way.get("d", "")
        for way in picture.iter(f"{SVG}path")
        if way.get("fill-opacity") == "0.13" and way.get("fill") == LINE
    )
    corners = [tuple(map(float, step.split())) for step in strip.strip("MZ").split("L")]
    begin, end = min(corners), max(corners)
    middle = (begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2
    sides = [
        (x1 - x0) * (middle[1] - y0) - (y1 - y0) * (middle[0] - x0)
        for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]])
    ]
    assert all(side > 100 for side in sides) or all(side < -100 for side in sides)


def test_the_legend_says_whose_a_colour_is(tmp_path: Path) -> None:
    picture = tmp_path / "both.svg"
    words = ["screen", str(write_csv(tmp_path)[0]), *MINIMA]
    CliRunner().invoke(main, [*words, "--explain", "A1", "B2", "--picture", str(picture)])
    assert {"A1, red", "B2, blue"} <= set(texts(ET.parse(picture).getroot()))


def crossing(count: int) -> dict[str, Any]:
    """Return pairs that cross, and as many flights again that meet nobody."""
    lat = np.repeat(np.arange(count) * 0.2, 4)
    lon = np.tile([0.0, 0.5, 0.5, 0.0], count)
    calm_lat = np.repeat(np.arange(2 * count) * 0.2, 2)
    return {
        "offsets": 2 * np.arange(4 * count + 1),
        "lat_deg": np.concatenate([lat, calm_lat]),
        "lon_deg": np.concatenate([lon, np.tile([10.0, 10.1], 2 * count)]),
        "time_s": np.tile([0.0, 600.0], 4 * count),
        "altitude_ft": np.full(8 * count, 35_000),
    }


def test_a_notebook_is_told_how_many_of_all_are_drawn() -> None:
    found = deconflict.screen(crossing(150), minima="5NM,1000ft", reference="FL")
    assert len(found) == 150
    picture = found._repr_svg_()
    assert "150 conflicts (red)" in picture
    assert "200 of 300 flights in conflict drawn (blue)" in picture
    assert "300 flights in none (grey)" in picture
    assert "Altitude and time (UTC), pressure altitude" in picture
    assert re.search(r">\d+°N<", picture)  # the map has a grid


def test_a_notebook_of_thousands_keeps_its_words_apart_and_cruise_traffic_large() -> None:
    count = 3_000
    found = deconflict.screen(
        {
            "offsets": np.arange(0, 2 * count + 1, 2),
            "lat_deg": np.repeat(np.linspace(40.0, 60.0, count), 2),
            "lon_deg": np.tile([8.0, 9.0], count),
            "time_s": np.tile([0.0, 600.0], count),
            "altitude_fl": np.repeat(np.tile([300.0, 400.0], count // 2), 2),
        },
        minima="5NM,1000ft",
    )
    picture = ET.fromstring(found._repr_svg_())
    words = list(picture.iter(f"{SVG}text"))
    (subtitle,) = (each for each in words if "not for navigation" in (each.text or ""))
    (heading,) = (each for each in words if "Altitude and time" in (each.text or ""))
    assert ends(subtitle) <= float(picture.get("viewBox", "").split()[2])
    assert float(heading.get("y", 0)) - float(heading.get("font-size", 0)) > float(
        subtitle.get("y", 0)
    )
    feet = [each.text for each in words if (each.text or "").endswith(" ft")]
    assert "0 ft" not in feet
    assert "30,000 ft" in feet


def test_a_notebook_draws_one_reference_and_says_so() -> None:
    columns, offsets = flight_columns()
    columns["altitude_reference"] = np.array(["FL", "FL", "FL", "AMSL", "FL"])
    found = deconflict.screen({**columns, "offsets": offsets}, minima="5NM,1000ft")
    picture = found._repr_svg_()
    assert "pressure altitude; 1 measured otherwise not drawn here" in picture


def test_a_screening_counts_what_is_done() -> None:
    counter = ScreenProgress()
    assert counter.parts() == (0, 0)
    deconflict.screen(crossing(50), minima="5NM,1000ft", reference="FL", progress=counter)
    done, of = counter.parts()
    assert done == of > 0


def test_on_a_terminal_the_screening_has_a_bar(tmp_path: Path) -> None:
    reader, terminal = os.openpty()
    words = [sys.executable, "-m", "deconflict", "screen", str(write_csv(tmp_path)[0]), *MINIMA]
    done = subprocess.run(words, stderr=terminal, stdout=subprocess.PIPE, check=False)
    os.close(terminal)
    assert done.returncode == 1
    shown = os.read(reader, 100_000).decode()
    os.close(reader)
    assert "screening 5 flights and 0 volumes" in shown
    assert re.search(r"screening [^\r]*100%[^%]*$", shown)
