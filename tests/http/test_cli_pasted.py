"""What a person sees who declares a file of another program: what was read, what was lost."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from at_terminal import AtTerminal
from click.testing import CliRunner
from fastapi import FastAPI
from stand_in import StandInNode

from deconflict.airspace.purposes import PURPOSES
from deconflict.api.accounts import Accounts
from deconflict.cli import main
from deconflict.cli.drafts import read_drafts
from deconflict.cli.gaps import PURPOSE_WORDS, SHAPE_WORDS, Gaps
from deconflict.errors import InvalidDocumentError
from deconflict.formats.pasted import SHAPES

SAMPLES = Path(__file__).parents[1] / "unit" / "pasted_samples"
REST = ("--purpose", "hazard", "--start", "2015-10-01T06:00:00Z", "--end", "2015-10-01T08:00:00Z")
CIRCLE = "AC R\nAN R-100\nAL GND\nAH 3500ft AMSL\nV X=35:20:00 N 040:10:00 E\nDC 5\n"
TWO = CIRCLE + "AC Q\nAN STRANGE\nDQ 12\n"


@pytest.fixture
def officer(
    app: FastAPI, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AtTerminal]:
    made = AtTerminal(app, accounts, "releasing_officer", monkeypatch)
    yield made
    made.leave()


def refused(*words: str, stdin: str | None = None) -> str:
    result = CliRunner().invoke(main, list(words), input=stdin)
    assert result.exit_code == 2, result.output
    return result.output


def test_an_airspace_is_declared_with_its_report_on_the_screen(
    officer: AtTerminal, node: StandInNode, tmp_path: Path
) -> None:
    file = tmp_path / "zones.txt"
    file.write_text(CIRCLE)
    said = officer.types("declare", str(file), *REST)
    assert "OpenAir, 1 declaration, SHA-256 " in said
    assert "set aside  line 1: class of airspace (AC): not taken over" in said
    assert "Called in it, and not sent: 1. R-100" in said
    (declared,) = node.declared.values()
    assert (declared.purpose.value, declared.label) == ("HAZARD", None)
    assert "R-100" not in said.partition("declaration on")[2]


def test_what_would_be_left_out_stops_it_until_that_is_known(
    officer: AtTerminal, node: StandInNode, tmp_path: Path
) -> None:
    file = tmp_path / "zones.txt"
    file.write_text(TWO)
    said = refused("declare", str(file), *REST)
    assert "LEFT OUT   airspace of line 7" in said
    assert "--with-losses" in said
    assert not node.declared
    assert "LEFT OUT" in officer.types("declare", str(file), *REST, "--with-losses")
    assert len(node.declared) == 1


def test_what_is_missing_is_named_with_the_options_that_say_it(
    officer: AtTerminal, node: StandInNode, tmp_path: Path
) -> None:
    file = tmp_path / "places.csv"
    file.write_text("lat;lon\n35,4;35,9\n35,5;36,0\n")
    said = refused("declare", str(file), *REST)
    for option in ("--shape circles|corridor|polygon", "--lower SFC", "--upper FL100"):
        assert option in said
    whole = ("--shape", "circles", "--radius", "2km", "--lower", "SFC", "--upper", "FL100")
    report = json.loads(officer.types("declare", str(file), *REST, *whole, "--json"))
    assert len(node.declared) == 2
    (read,) = report["read"]
    assert (read["format"], read["declarations"]) == ("POSITIONS", 2)
    assert len(read["sha256"]) == 64


def test_standard_input_is_read_like_a_file(officer: AtTerminal, node: StandInNode) -> None:
    words = ["declare", "-", *REST, "--radius", "2km", "--lower", "SFC", "--upper", "UNL"]
    result = CliRunner().invoke(main, words, input="36SYE6779321530\n", catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert len(node.declared) == 1
    checked = CliRunner().invoke(main, ["check", *words[1:]], input="36SYE6779321530\n")
    assert checked.exit_code == 0, checked.output


def test_the_words_of_the_options_are_those_of_the_reader() -> None:
    assert [word.upper().replace("-", "_") for word in PURPOSE_WORDS] == list(PURPOSES)
    assert SHAPE_WORDS == SHAPES


def test_a_file_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "large.kml"
    file.write_bytes(b"<" + b" " * (8 * 1024 * 1024))
    with pytest.raises(InvalidDocumentError, match="too large"):
        read_drafts([file], Gaps())
