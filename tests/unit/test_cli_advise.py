"""The command ``advise`` on files alone, as a planner without a node uses it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deconflict.airspace import geometry_from_wire
from deconflict.cli import main
from deconflict.formats import DeclarationInput, read_declarations, write_declarations
from deconflict.messages.words import find_banned
from deconflict.separation import AltitudeConversions, Extent, check
from oracle.builders import area, circle, flight, minima, volume

EAST = flight("east", [(0, 0.0, 39.0, 30_000), (1000, 0.0, 41.0, 30_000)])
NORTH = flight("north", [(0, -0.8, 40.0, 30_000), (1000, 0.8, 40.0, 30_000)])
WALL = area(
    "wall", volume(circle(0.0, 40.0, 900_000), feet=(None, None), seconds=(-40_000, 40_000))
)


def written(file: Path, *extents: Extent) -> Path:
    file.write_bytes(
        write_declarations(
            DeclarationInput(extent.purpose, extent.geometry, extent.key) for extent in extents
        )
    )
    return file


def named(file: Path, *extents: Extent) -> Path:
    """Write declarations as another program names them: by the id of the feature."""
    file.write_bytes(
        write_declarations(
            DeclarationInput(extent.purpose, extent.geometry, feature_id=f"M{number}")
            for number, extent in enumerate(extents, 1)
        )
    )
    return file


def test_features_are_called_and_written_back_as_their_file_names_them(tmp_path: Path) -> None:
    own, out = named(tmp_path / "own.geojson", EAST, NORTH), tmp_path / "freed.geojson"
    told = run(own, "--minima", "5NM,1000ft", "--together", "--out", out)
    assert told.exit_code == 0
    (changed,) = read_declarations(out.read_bytes())
    assert changed.feature_id in ("M1", "M2")
    assert changed.feature_id in told.output
    assert "flight " not in told.output


def test_minima_of_a_pair_of_purposes_hold_for_these(tmp_path: Path) -> None:
    own = named(tmp_path / "own.geojson", EAST, NORTH)
    assert run(own, "--minima", "5NM,1000ft", "--minima", "FLIGHT=1m,1ft").exit_code == 0
    wrong = run(own, "--minima", "5NM,1000ft", "--minima", "red:blue=1m,1ft")
    assert wrong.exit_code == 2
    assert "minima for a purpose or a party that is not there" in wrong.stderr


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return written(tmp_path / "own.geojson", EAST), written(tmp_path / "their.geojson", NORTH)


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["advise", *(str(word) for word in words)])


def alone(files: tuple[Path, Path], *words: object) -> Result:
    own, their = files
    return run(own, "--against", their, "--minima", "5NM,1000ft", *words)


def test_each_change_that_ends_it_is_listed_the_smaller_first(files) -> None:
    told = alone(files)
    assert told.exit_code == 0
    assert "east conflicts with 1 declaration as planned" in told.output
    assert "0.00 of 5.00 NM" in told.output
    lines = [line.split("  ")[1].strip() for line in told.output.splitlines() if line[:1].isdigit()]
    assert sorted(line for line in lines if "min" in line) == [
        "1 min 7 s earlier",
        "1 min 7 s later",
    ]
    assert "1,000 ft (305 m) higher" in lines
    assert any(line.startswith("7.0 NM") and line.endswith("left") for line in lines)
    assert "Nothing was sent." in told.output
    assert find_banned(told.output) == ()


def test_what_programs_read_is_what_was_screened(files) -> None:
    view = json.loads(alone(files, "--json").output)
    (one,) = view["advice"]
    assert one["conflicts_with"][0]["name"] == "north"
    assert len(one["options"]) == 6
    for option in one["options"]:
        changed = Extent("east", "east", "FLIGHT", geometry_from_wire(option["geometry"]))
        found = check([changed], others=[NORTH], minima=minima(), conversions=AltitudeConversions())
        assert found == (), option["change"]


def test_nothing_in_conflict_is_told_with_what_that_does_not_say(tmp_path: Path) -> None:
    told = run(written(tmp_path / "own.geojson", EAST), "--minima", "5NM,1000ft")
    assert told.exit_code == 0
    assert "No conflict found in 1 declaration: nothing to change." in told.output
    assert "nothing of what nobody declared" in told.output
    assert find_banned(told.output) == ()


def test_none_within_the_limits_is_a_finding(tmp_path: Path) -> None:
    files = written(tmp_path / "own.geojson", EAST), written(tmp_path / "their.geojson", WALL)
    told = alone(files)
    assert told.exit_code == 1
    assert "None within the limits: shift ±30 min, level ±4,000 ft" in told.output
    together = alone(files, "--together")
    assert together.exit_code == 1
    assert "Not freed" in together.output
    assert find_banned(told.output + together.output) == ()
    assert json.loads(alone(files, "--json", "--together").output)["plan"]["not_freed"]


def test_a_plan_is_written_as_it_would_be_declared_and_drawn(tmp_path: Path) -> None:
    own = written(tmp_path / "own.geojson", EAST, NORTH)
    out, svg = tmp_path / "out.geojson", tmp_path / "out.svg"
    told = run(own, "--minima", "5NM,1000ft", "--together", "--out", out, "--picture", svg)
    assert told.exit_code == 0
    assert "2 declarations of 2 in conflict as planned, 0 after 1 change." in told.output
    assert "All together were screened" in told.output
    (moved,) = read_declarations(out.read_bytes())
    assert moved.label == "north"  # the first in the file is changed last
    changed = Extent("north", "north", "FLIGHT", moved.geometry)
    found = check([changed], others=[EAST], minima=minima(), conversions=AltitudeConversions())
    assert found == ()
    words = [each.text for each in ET.parse(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {"east", "north", "north changed"} <= set(words)
    assert find_banned(" ".join(word or "" for word in words)) == ()
    assert find_banned(told.output) == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--against", "FILE"), "which minima?"),
        (("--conflict", "5c1e09af"), "what may change?"),
        (("--minima", "5NM"), "the minima cannot be read"),
        (("--minima", "5NM,1000ft", "--by", "speed"), "the kinds of change cannot be read"),
        (("--minima", "5NM,1000ft", "--max-shift", "30"), "the duration cannot be read"),
        (("--minima", "5NM,1000ft", "--offset-step", "0 m"), "step of an offset"),
        (("--minima", "5NM,1000ft", "--max-offset", "20NM", "--offset-step", "1m"), "too many"),
        (("--minima", "5NM,1000ft", "--max-shift", "25h"), "the greatest shift"),
    ],
)
def test_what_cannot_be_meant_is_refused(files, words: tuple[str, ...], said: str) -> None:
    own, their = files
    refused = run(own, *(str(their) if word == "FILE" else word for word in words))
    assert refused.exit_code == 2
    assert said in refused.output
    assert "expected:" in refused.output


def test_files_are_named_where_there_is_no_node() -> None:
    refused = run("--minima", "5NM,1000ft")
    assert refused.exit_code == 2
    assert "which files?" in refused.output
