"""How commands print, and that nothing a peer wrote can steer a terminal."""

import json
import unicodedata

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from deconflict.cli import output


def printed(call: object, *args: object, **kwargs: object) -> str:
    @click.command()
    def show() -> None:
        call(*args, **kwargs)  # type: ignore[operator]

    return CliRunner().invoke(show, []).output


@given(st.text())
def test_cleaned_text_holds_no_control_and_no_turn_of_direction(words: str) -> None:
    cleaned = output.clean(words)
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [c for c in cleaned if unicodedata.bidirectional(c) in BIDI]


BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_ordinary_text_is_left_as_it_is(words: str) -> None:
    assert output.clean(words) == words


@given(st.dictionaries(st.text(), st.text() | st.integers()))
def test_printed_json_reads_back_and_steers_nothing(value: dict[str, object]) -> None:
    text = printed(output.write_json, value)
    assert json.loads(text) == value
    assert output.clean(text.replace("\n", "")) == text.replace("\n", "")


def test_columns_stand_under_their_headings() -> None:
    rows = [("red", 7, "up"), ("Восток", 12345, None), ("東", 1, "down")]
    lines = printed(output.table, ("PEER", "SENT", "STATE"), rows, right=(1,)).splitlines()
    assert lines == [
        "PEER     SENT  STATE",
        "red         7  up",
        "Восток  12345  -",
        "東          1  down",
    ]


def test_a_table_cell_cannot_forge_another_row() -> None:
    text = printed(output.table, ("A", "B"), [("one\nFLASH  forged", "two\x1b[2J")])
    assert len(text.splitlines()) == 2
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "not known"), (0.0, "0.00 NM (0 m)"), (9260.0, "5.00 NM (9,260 m)")],
)
def test_distances_are_said_in_both_units(value: float | None, words: str) -> None:
    assert output.metres(value) == words


def test_progress_is_silent_in_a_pipe() -> None:
    def work() -> None:
        with output.progress("Working", 3) as bar:
            bar.advance(3)

    assert printed(work) == ""
