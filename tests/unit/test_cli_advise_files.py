"""``advise`` on files of every format, and the certificate of a plan."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from deconflict.cli import main
from deconflict.formats.screen_files import read_screen_files
from deconflict.line.canonical import canonical_bytes
from deconflict.messages.in_force import conversions_of
from deconflict.messages.terms import terms_to_wire
from deconflict.messages.words import find_banned
from deconflict.separation import Flights, Volumes, screen
from messages_samples import terms as sample_terms
from screen_samples import MINIMA, WRITERS

TOGETHER = ("--together", "--out", "freed.geojson", "--certificate", "freed.json")


def run(*words: object) -> Result:
    return CliRunner().invoke(main, ["advise", *(str(word) for word in words)])


def minima() -> list[str]:
    return [word for each in MINIMA for word in ("--minima", each)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("form", WRITERS)
def test_every_format_that_is_screened_is_advised_alike(folder: Path, form: str) -> None:
    told = run(*WRITERS[form](folder), *minima(), "--json")
    plain = run(*WRITERS["csv"](folder), *minima(), "--json")
    assert told.exit_code == plain.exit_code == 0
    found, wanted = (
        [
            (one["name"], one["party"], sorted(option["change"] for option in one["options"]))
            for one in json.loads(each.output)["advice"]
        ]
        for each in (told, plain)
    )
    assert [name for name, _, _ in wanted] == ["A1", "B2", "C3", "D4", "range"]
    assert found == wanted


@pytest.mark.parametrize("form", WRITERS)
def test_what_a_plan_leaves_is_what_a_screen_of_the_written_file_finds(
    folder: Path, form: str
) -> None:
    files = WRITERS[form](folder)
    assert run(*files, *minima(), *TOGETHER).exit_code == 0
    written = json.loads(Path("freed.json").read_text())
    changed = {one["name"] for one in written["changes"]}
    planned, freed = read_screen_files(files), read_screen_files([Path("freed.geojson")])

    def kept(part: Flights | Volumes) -> np.ndarray:
        return np.flatnonzero([name not in changed for name in part.ids])

    assert {*freed.flights.ids, *(freed.volumes.ids if len(freed.volumes) else ())} == changed
    areas = [planned.volumes.taken(kept(planned.volumes)), freed.volumes]
    found = screen(
        Flights.joined([planned.flights.taken(kept(planned.flights)), freed.flights]),
        Volumes.joined([part for part in areas if len(part)]),
        minima=MINIMA,
    )
    assert (len(found), written["findings_left"]) == (0, 0)
    assert (written["flights"], written["volumes"]) == (len(found.flights), len(found.volumes))


def test_a_certificate_is_checked_again_and_a_changed_file_is_told(folder: Path) -> None:
    files = WRITERS["csv"](folder)
    told = run(files[0], "--against", files[1], *minima(), *TOGETHER)
    assert "5 flights and 1 volume, finds no conflicts" in told.output
    again = run("--check-certificate", "freed.json")
    assert again.exit_code == 0
    assert "The certificate holds" in again.output
    assert json.loads(run("--check-certificate", "freed.json", "--json").output) == {
        "holds": True,
        "flights": 5,
        "volumes": 1,
        "findings_left": 0,
        "minima": json.loads(Path("freed.json").read_text())["minima"],
        "altitudes": [],
        "altitude_reference": None,
        "within_parties": False,
    }
    assert find_banned(told.output + again.output) == ()
    for file in (files[0], Path("freed.geojson")):
        before = file.read_bytes()
        file.write_bytes(before.replace(b"48", b"49", 1))
        wrong = run("--check-certificate", "freed.json")
        assert wrong.exit_code == 1
        assert "a file is not the one that was screened" in wrong.stderr
        file.write_bytes(before)


def test_a_certificate_that_says_less_than_is_found_does_not_hold(folder: Path) -> None:
    files = WRITERS["csv"](folder)
    limits = ("--max-shift", "10s", "--by", "shift")
    left = run(*files, *minima(), *TOGETHER, *limits)
    assert left.exit_code == 1
    made = json.loads(Path("freed.json").read_text())
    assert made["findings_left"] == len(made["findings"]) > 0
    again = run("--check-certificate", "freed.json")
    assert (again.exit_code, "The certificate holds" in again.output) == (1, True)
    made["findings"] = []
    Path("freed.json").write_text(json.dumps(made))
    wrong = run("--check-certificate", "freed.json")
    assert wrong.exit_code == 1
    assert "the certificate does not hold" in wrong.stderr


def test_a_certificate_that_counts_other_conflicts_does_not_hold(folder: Path) -> None:
    assert run(*WRITERS["csv"](folder), *minima(), *TOGETHER).exit_code == 0
    made = json.loads(Path("freed.json").read_text())
    assert made["findings_left"] == 0
    made["findings_left"] = 1
    Path("freed.json").write_text(json.dumps(made))
    wrong = run("--check-certificate", "freed.json")
    assert wrong.exit_code == 1
    assert "counts other conflicts than a screen finds" in wrong.stderr
    assert "holds: " not in wrong.output


def test_a_certificate_is_told_with_the_minima_it_is_free_by(folder: Path) -> None:
    asked = ("--minima", "5NM,1000ft", "--minima", "red:blue=3NM,500ft")
    known = ("--altitudes", "FL:AMSL=-2000ft,1000ft")
    files = WRITERS["csv"](folder)
    assert run(files[0], "--against", files[1], *asked, *known, *TOGETHER).exit_code == 0
    told = run("--check-certificate", "freed.json").output
    assert "Minima: 5.00 NM (9,260 m) and 1,000 ft (305 m)." in told
    assert "Minima between blue and red: 3.00 NM (5,556 m) and 500 ft (152 m)." in told
    assert "Altitudes, FL to AMSL: −2,000 ft (610 m) to +1,000 ft (305 m) are added." in told
    assert "Flights of one party: not held against each other." in told
    made = json.loads(Path("freed.json").read_text())
    made["minima"][0]["lateral_m"] = 926.0
    Path("freed.json").write_text(json.dumps(made))
    told = run("--check-certificate", "freed.json").output
    assert "0.50 NM" in told


def test_the_files_of_a_certificate_are_found_beside_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = WRITERS["parquet"](folder)
    assert run(*files, *minima(), *TOGETHER).exit_code == 0
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert run("--check-certificate", "../freed.json").exit_code == 0
    (folder / "freed.geojson").unlink()
    gone = run("--check-certificate", "../freed.json")
    assert gone.exit_code == 2
    assert "freed.geojson" in gone.stderr


def test_a_plan_without_a_change_has_a_certificate_too(folder: Path) -> None:
    files = WRITERS["csv"](folder)
    assert run(files[0], "--minima", "1m,1ft", *TOGETHER).exit_code == 0
    made = json.loads(Path("freed.json").read_text())
    assert (made["changes"], made["changed"], made["findings_left"]) == ([], None, 0)
    assert run("--check-certificate", "freed.json").exit_code == 0


def test_minima_of_parties_and_conversions_hold_as_in_a_screen(folder: Path) -> None:
    flights = WRITERS["csv"](folder)[0]
    asked = ("--minima", "5NM,1000ft")
    near = json.loads(run(flights, *asked, "--minima", "red:blue=1m,1ft", "--json").output)
    assert near["advice"] == []
    every = json.loads(run(flights, *asked, "--within-parties", "--json").output)
    assert {one["name"] for one in every["advice"]} == {"A1", "B2", "C3", "D4"}
    low = folder / "low.csv"
    low.write_text(
        flights.read_text().replace(",FL,", ",AMSL,").replace("35", "1").replace("36", "1")
    )
    asked = (flights, "--against", low, *asked)
    told = json.loads(run(*asked, "--by", "level", "--json").output)
    assert any(not one["options"] for one in told["advice"])
    known = run(*asked, "--altitudes", "FL:AMSL=-1000ft,1000ft", "--json")
    assert all(one["options"] for one in json.loads(known.output)["advice"])


def test_minima_and_conversions_come_from_agreed_terms(folder: Path) -> None:
    wire = terms_to_wire(sample_terms())
    Path("terms.json").write_bytes(canonical_bytes(wire))
    files = WRITERS["npz"](folder)
    assert run(*files, "--terms", "terms.json", *TOGETHER).exit_code == 0
    made = json.loads(Path("freed.json").read_text())
    assert made["findings_left"] == 0
    assert made["minima"]
    wanted = conversions_of(sample_terms()).offsets
    assert [(one["source"], one["to"]) for one in made["altitudes"]] == list(wanted)
    # What was agreed stands in the certificate: the terms are not needed again.
    Path("terms.json").unlink()
    assert run("--check-certificate", "freed.json").exit_code == 0
    twice = run(*files, "--terms", "freed.json", "--minima", "5NM,1000ft")
    assert twice.exit_code == 2
    assert "minima are said twice" in twice.stderr


def test_what_no_declaration_can_say_is_named_by_file_and_row(folder: Path) -> None:
    file = folder / "early.csv"
    file.write_text(
        "flight,time_s,lat_deg,lon_deg,altitude_ft,altitude_reference\n"
        "A,-100,48,8,30000,AMSL\nA,100,48,9,30000,AMSL\n"
    )
    told = run(file, "--minima", "5NM,1000ft")
    assert told.exit_code == 2
    assert "early.csv: line 2 (A)" in told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "freed.csv", "--minima", "5NM,1000ft"), "written as GeoJSON"),
        (("--certificate", "x.json", "--minima", "5NM,1000ft"), "without --together without --out"),
        (("--altitudes", "FL:AMSL=-1ft,1ft"), "--altitudes without --minima or --terms"),
        (("--check-certificate", "flights.csv"), "with files or minima"),
    ],
)
def test_options_that_say_nothing_together_are_refused(
    folder: Path, words: tuple[str, ...], said: str
) -> None:
    files = WRITERS["csv"](folder)
    told = run(files[0], *words)
    assert told.exit_code == 2
    assert said in told.stderr
    assert not Path("freed.csv").exists()


def test_what_is_no_certificate_is_refused(folder: Path) -> None:
    for text, said in (
        ("{}", "no certificate of a plan"),
        ('{"edition": 1}', "missing required field"),
        ("[]", "no certificate of a plan"),
        ("{", "no JSON"),
    ):
        Path("x.json").write_text(text)
        told = run("--check-certificate", "x.json")
        assert told.exit_code == 2
        assert said in told.stderr
