"""``deconflict screen``: exit codes, words, pictures; a pipe holds the answer and no more."""

import csv
import json
import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deconflict.cli import main, output
from deconflict.line.canonical import canonical_bytes
from deconflict.messages.terms import terms_to_wire
from deconflict.messages.words import find_banned
from messages_samples import terms as sample_terms
from screen_samples import write_csv, write_geojson, write_npz

HOWTO = Path(__file__).resolve().parents[2] / "docs" / "howto" / "screen-a-file.md"
BOTH = ("--minima", "5NM,1000ft", "--minima", "FLIGHT:ACTIVITY=1NM,500ft")
SVG = "{http://www.w3.org/2000/svg}"


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["screen", *map(str, words)])


def words_of(picture: Path) -> str:
    return " ".join(text.text or "" for text in ET.parse(picture).iter(f"{SVG}text"))


def test_conflicts_are_told_nearest_first_with_exit_code_1(tmp_path: Path) -> None:
    result = run(*write_csv(tmp_path), *BOTH)
    assert result.exit_code == 1
    assert result.stdout.startswith("5 conflicts among 5 flights and 1 volume.\n")
    assert "NEAREST AT" in result.stdout
    assert result.stderr == ""  # neither a bar nor a word of progress in a pipe


def test_exit_code_0_says_that_none_was_found(tmp_path: Path) -> None:
    result = run(write_csv(tmp_path)[0], "--minima", "1m,1ft")
    assert result.exit_code == 0
    assert result.stdout.startswith("No conflict found among 5 flights.\n")
    assert "not in the files" in result.stdout


@pytest.mark.parametrize("minima", ["0NM,1000ft", "5NM,0ft"])
def test_minima_of_0_are_told_beside_an_answer_of_none(tmp_path: Path, minima: str) -> None:
    file = tmp_path / "same.csv"
    head, *rows = write_csv(tmp_path)[0].read_text().splitlines()
    same = [row for row in rows if row.startswith("A1,")]
    file.write_text("\n".join([head, *same, *(row.replace("A1,red", "Z9,blue") for row in same)]))
    result = run(file, "--minima", minima)
    assert result.exit_code == 0
    assert "two flights are found by them only where containment" in result.stderr
    told = json.loads(run(file, "--minima", minima, "--json").stdout)
    assert ["Nothing is below 0" in each for each in told["warnings"]] == [True]
    assert run(file, "--minima", "5NM,1000ft").stderr == ""


def test_minima_of_0_to_volumes_alone_are_not_told(tmp_path: Path) -> None:
    asked = ("--minima", "5NM,1000ft", "--minima", "FLIGHT:ACTIVITY=0NM,0ft")
    assert run(*write_csv(tmp_path), *asked).stderr == ""


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("0,0,0", "36000,0,179.5", "a leg is 19,900 km or longer"),
        ("0,0,0", "0,0,0", "waypoints: a flight of one waypoint, said more than once"),
    ],
)
def test_a_row_that_cannot_be_screened_refuses_the_whole_run(
    tmp_path: Path, first: str, second: str, said: str
) -> None:
    file = tmp_path / "far.csv"
    head = "flight,time_s,lat_deg,lon_deg,altitude_fl"
    file.write_text("\n".join([head, *(f"A,{at},300" for at in (first, second))]) + "\n")
    result = run(file, "--minima", "5NM,1000ft")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "nothing was screened" in result.stderr
    assert "offsets" not in result.stderr


def test_a_flight_of_one_waypoint_is_told_as_that(tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("flight,time_s,lat_deg,lon_deg,altitude_fl\nA,0,0,0,300\n")
    assert "given:    1 waypoint\n" in run(file, "--minima", "5NM,1000ft").stderr


def test_a_conversion_the_wrong_way_round_is_shown_as_typed(tmp_path: Path) -> None:
    typed = "FL:AMSL=2000ft,-4000ft"
    result = run(write_csv(tmp_path)[0], "--minima", "5NM,1000ft", "--altitudes", typed)
    assert result.exit_code == 2
    assert typed in result.stderr


def test_nothing_read_is_not_no_conflict(tmp_path: Path) -> None:
    file = tmp_path / "hdr.csv"
    file.write_text("flight,time_s,lat_deg,lon_deg,altitude_fl\n")
    for files in ([file], [*write_csv(tmp_path), file]):
        result = run(*files, "--minima", "5NM,1000ft")
        assert result.exit_code == 2
        assert "hdr.csv: this file holds no flight and no volume" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "How near is too near"),
        (("--minima", "5NM"), "the minima cannot be read"),
        (("--minima", "PLANE=5NM,1000ft"), "a purpose or a party that is not there"),
        (("--minima", "FLIGHT=5NM,1000ft"), "no minima are given between"),
        ((*BOTH, "--out", "x.xlsx"), "the ending says no format"),
        ((*BOTH, "--picture", "x.jpg"), "the ending says no format"),
        ((*BOTH, "--altitudes", "FL=1ft,2ft"), "how altitudes compare cannot be read"),
        ((*BOTH, "--altitudes", "FL:AMSL=2ft,1ft"), "an altitude conversion cannot be used"),
        ((*BOTH, "--explain", "A1", "Z9"), "no flight or volume of this name"),
        ((*BOTH, "--explain", "A1", "A1"), "one and the same"),
        ((*BOTH, "--threads", "0"), "--threads cannot be this"),
    ],
)
def test_wrong_use_ends_with_2_and_says_why(
    tmp_path: Path, words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*write_csv(tmp_path), *words)
    assert result.exit_code == 2
    assert said.lower() in result.stderr.lower()
    assert result.stdout == ""


def test_a_bad_row_ends_with_2_and_is_told_to_programs_too(tmp_path: Path) -> None:
    file = write_csv(tmp_path)[0]
    file.write_text(file.read_text().replace("47.7", "NaN", 1))
    result = run(file, *BOTH, "--json")
    assert result.exit_code == 2
    error = json.loads(result.stderr)["error"]
    assert error["type"] == "BadRowsError"
    assert error["problem"].startswith("flights.csv: line 4 (flight B2), waypoint 1, lat_deg")
    assert error["given"] == "nan"


def test_a_bar_shows_on_a_terminal_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    files = write_csv(tmp_path)

    class Told(output.Bar):
        def advance(self, steps: int) -> None:
            told.append(steps)

    monkeypatch.setattr(output, "Bar", Told)
    assert run(*files, *BOTH).exit_code == 1
    assert sum(told) == sum(file.stat().st_size for file in files)


def test_json_holds_every_row_unless_a_file_does(tmp_path: Path) -> None:
    files = write_npz(tmp_path)
    whole = json.loads(run(*files, *BOTH, "--json").stdout)
    assert (whole["flights"], whole["volumes"], whole["conflicts"]) == (5, 1, 5)
    assert whole["conflict"] + whole["within_tolerance"] + whole["incomparable"] == 5
    assert whole["rows"][0]["first"] == "A1"
    out = tmp_path / "found.csv"
    short = json.loads(run(*files, *BOTH, "--json", "--out", out).stdout)
    assert short["rows"] is None
    assert short["out"] == str(out)
    assert len(out.read_text().splitlines()) == 6


def test_one_conflict_is_told_in_plain_words(tmp_path: Path) -> None:
    result = run(*write_geojson(tmp_path), *BOTH, "--explain", "B2", "A1")
    assert result.exit_code == 1
    said = result.stdout
    assert said.startswith("B2 and A1 come too close.\n")
    assert "500 ft (152 m) above A1" in said or "500 ft (152 m) below" in said
    assert "The minima between them are 5.00 NM (9,260 m) and 1,000 ft (305 m)" in said
    assert re.search(r"A1 is then at 48\.0\d+° N 8\.\d+° E", said)
    assert not find_banned(said)


def test_a_pair_without_a_conflict_is_told_how_near_it_comes(tmp_path: Path) -> None:
    result = run(*write_csv(tmp_path), *BOTH, "--explain", "A1", "C3")
    assert result.exit_code == 0
    assert "No conflict between A1 and C3" in result.stdout
    assert "Over the ground they are nearest at 2015-09-30 06:0" in result.stdout
    own = run(*write_csv(tmp_path), *BOTH, "--explain", "B2", "C3")
    assert own.exit_code == 0
    assert "Both are of party blue" in own.stdout
    assert run(*write_csv(tmp_path), *BOTH, "--explain", "B2", "C3", "--within-parties").exit_code


def test_margins_are_told_where_they_were_added(tmp_path: Path) -> None:
    said = run(*write_csv(tmp_path), *BOTH, "--explain", "B2", "D4").stdout
    assert (
        "D4 may be up to 0.10 NM (185 m) aside of its plan, 100 ft (30 m) above or below its plan "
        "and 30 s early or late: that is its containment." in said
    )
    assert "less than 5.10 NM (9,445 m) over the ground and 1,100 ft (335 m) at once" in said


def test_altitudes_that_do_not_compare_are_found(tmp_path: Path) -> None:
    flights = write_csv(tmp_path)[0]
    text = flights.read_text().replace("FL,48.0", "AMSL,48.0")
    flights.write_text(text)
    result = run(flights, "--minima", "5NM,1000ft")
    assert result.exit_code == 1
    assert "INCOMPARABLE" in result.stdout
    told = run(flights, "--minima", "5NM,1000ft", "--explain", "A1", "C3").stdout
    assert "nothing says how these compare" in told
    apart = ("--altitudes", "FL:AMSL=-100ft,100ft")
    assert "INCOMPARABLE" not in run(flights, "--minima", "5NM,1000ft", *apart).stdout


def test_minima_come_from_agreed_terms(tmp_path: Path) -> None:
    wire = terms_to_wire(sample_terms())
    terms = tmp_path / "terms.json"
    files = write_npz(tmp_path)
    terms.write_bytes(canonical_bytes(wire))
    found = run(*files, "--terms", terms, "--json")
    assert found.exit_code == 1
    terms.write_text(json.dumps({"agreed": wire, "proposed": None}))
    assert run(*files, "--terms", terms, "--json").stdout == found.stdout
    twice = run(*files, "--terms", terms, "--minima", "5NM,1000ft")
    assert twice.exit_code == 2
    assert "minima are said twice" in twice.stderr


def test_the_picture_shows_map_altitudes_and_approach(tmp_path: Path) -> None:
    picture = tmp_path / "found.svg"
    result = run(*write_csv(tmp_path), *BOTH, "--picture", picture)
    assert f"The picture is in {picture}." in result.stdout
    said = words_of(picture)
    assert "5 conflicts among 5 flights and 1 volume" in said
    assert "as they come near" in said
    assert "Altitude and time (UTC), pressure altitude" in said
    assert not find_banned(said)


def test_times_that_begin_with_1970_can_be_drawn(tmp_path: Path) -> None:
    file = write_csv(tmp_path)[0]
    file.write_text(file.read_text().replace("2015-09-30T06", "1970-01-01T00"))
    picture = tmp_path / "found.svg"
    assert run(file, "--minima", "5NM,1000ft", "--picture", picture).exit_code == 1
    assert "1970-01-01" in words_of(picture)


def test_the_picture_of_a_pair_shows_both_even_without_a_conflict(tmp_path: Path) -> None:
    picture = tmp_path / "both.svg"
    run(*write_csv(tmp_path), *BOTH, "--picture", picture, "--explain", "A1", "C3")
    said = words_of(picture)
    assert "No conflict between A1 and C3 under these minima" in said


def test_a_png_is_drawn_or_refused_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_csv(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    refused = run(*files, *BOTH, "--picture", tmp_path / "found.png")
    assert refused.exit_code == 2
    assert "deconflict[png]" in refused.stderr
    monkeypatch.undo()
    pytest.importorskip("resvg_py")
    assert run(*files, *BOTH, "--picture", tmp_path / "found.png").exit_code == 1
    assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


def test_a_png_holds_the_words_or_is_refused_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resvg_py = pytest.importorskip("resvg_py")
    files = write_csv(tmp_path)
    assert run(*files, *BOTH, "--picture", tmp_path / "found.svg").exit_code == 1
    wordless = re.sub(r"<text.*?</text>", "", (tmp_path / "found.svg").read_text())
    assert run(*files, *BOTH, "--picture", tmp_path / "found.png").exit_code == 1
    blank = bytes(resvg_py.svg_to_bytes(svg_string=wordless, zoom=2))
    assert len((tmp_path / "found.png").read_bytes()) > 1.2 * len(blank)
    monkeypatch.setattr("deconflict.cli.screen_picture.FONTS", ("No Such Font",))
    refused = run(*files, *BOTH, "--picture", tmp_path / "none.png")
    assert refused.exit_code == 2
    assert "fonts-dejavu-core" in refused.stderr
    assert not (tmp_path / "none.png").exists()


def test_a_conflict_of_long_names_is_told_shorter_and_not_cut_off(tmp_path: Path) -> None:
    file = write_csv(tmp_path)[0]
    file.write_text(file.read_text().replace("A1", "A1" * 40))
    assert run(file, *BOTH, "--picture", tmp_path / "found.svg").exit_code == 1
    texts = ET.parse(tmp_path / "found.svg").iter("{http://www.w3.org/2000/svg}text")
    told = {"".join(each.itertext()): float(each.attrib["font-size"]) for each in texts}
    sizes = [size for words, size in told.items() if "apart, minimum" in words]
    assert sizes
    assert min(sizes) >= 8
    # A name of 80 letters keeps its ends, or what tells of it is written smaller.
    assert all(size < 13 for words, size in told.items() if "A1" * 40 in words)
    assert all(size < 13 for words, size in told.items() if len(words) > 150)


def test_rows_of_a_flight_that_stand_apart_are_refused_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "by_time.csv"
    file.write_text(
        "flight,time_s,lat_deg,lon_deg,altitude_fl\n"
        "A,0,48,8,350\nB,0,48,9,350\nA,600,48,9,350\nB,600,48,8,350\n"
    )
    refused = run(file, "--minima", "5NM,1000ft")
    assert refused.exit_code == 2
    assert "sort by flight and time" in refused.stderr


def test_names_cannot_steer_a_terminal_or_a_picture(tmp_path: Path) -> None:
    file = write_csv(tmp_path)[0]
    good = file.read_text()
    file.write_text(good.replace("A1", "A\x1b[2J"))
    refused = run(file, *BOTH)
    assert refused.exit_code == 2
    assert "this cannot be a name" in refused.stderr
    assert "\x1b" not in refused.stderr
    file.write_text(good.replace("A1", "A<b>"))
    picture = tmp_path / "found.svg"
    assert run(file, *BOTH, "--picture", picture).exit_code == 1
    assert "<b>" in words_of(picture)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d", "'"])
def test_no_name_is_a_formula_in_a_csv_and_none_is_changed_elsewhere(
    tmp_path: Path, sign: str
) -> None:
    file = write_csv(tmp_path)[0]
    file.write_text(file.read_text().replace("A1", f"{sign}A1"))
    table, chart = tmp_path / "found.csv", tmp_path / "found.geojson"
    told = run(file, *BOTH, "--out", table)
    assert "an apostrophe stands before 1 name" in told.stdout
    with table.open(newline="", encoding="utf-8") as rows:
        assert {row["first"] for row in csv.DictReader(rows)} == {f"'{sign}A1", "B2"}
    run(file, *BOTH, "--out", chart)
    features = json.loads(chart.read_text("utf-8"))["features"]
    assert {each["properties"]["first"] for each in features} == {f"{sign}A1", "B2"}
    as_json = json.loads(run(file, *BOTH, "--json", "--force", "--out", table).stdout)
    assert as_json["csv_apostrophes"] == 1


def test_any_number_of_threads_finds_the_same(tmp_path: Path) -> None:
    files = write_npz(tmp_path)
    one = run(*files, *BOTH, "--json", "--threads", 1).stdout
    assert run(*files, *BOTH, "--json", "--threads", 3).stdout == one


def test_the_how_to_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = HOWTO.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    blocks = dict(re.findall(r"```(\w+)\n(.*?)```", page, re.DOTALL))
    Path("flights.csv").write_text(blocks["csv"])
    Path("areas.geojson").write_text(blocks["geojson"])
    shown = re.findall(r"^ {4}(deconflict screen [^\n]+)$", page, re.MULTILINE)
    assert len(shown) == 9
    for line in shown:
        result = CliRunner().invoke(main, shlex.split(line)[1:])
        assert result.exit_code == 1, f"{line}\n{result.output}"
    assert Path("both.svg").is_file()
    assert len(Path("conflicts.csv").read_text().splitlines()) == 2
    assert len(json.loads(Path("conflicts.geojson").read_text())["features"]) == 1
    names: dict[str, Any] = {}
    exec(compile(blocks["python"], "how-to", "exec"), names)
    assert len(names["found"]) == 1
