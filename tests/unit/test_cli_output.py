"""How commands print, and that nothing a peer wrote can steer a terminal."""

import json
import unicodedata

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from deconflict.cli import output
from deconflict.messages.direction import all_closed, has_right_to_left, without_isolates


def printed(call: object, *args: object, **kwargs: object) -> str:
    @click.command()
    def show() -> None:
        call(*args, **kwargs)  # type: ignore[operator]

    return CliRunner().invoke(show, []).output


TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "RLI"}
MARKS = "\u2066\u2067\u2068\u2069\u202a\u202b\u202d\u202e\u202c\u200f"
directed = st.text(st.sampled_from(f"{MARKS}ab 12.-اب\u05d0") | st.characters())


@given(directed)
def test_cleaned_text_holds_no_control_and_turns_nothing_beside_it(words: str) -> None:
    cleaned = output.clean(words)
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [c for c in cleaned if unicodedata.bidirectional(c) in TURNS]
    assert all_closed(cleaned)
    depth = 0
    for character in cleaned:
        direction = unicodedata.bidirectional(character)
        depth += {"LRI": 1, "FSI": 1, "PDI": -1}.get(direction, 0)
        assert depth or direction not in ("R", "AL", "AN"), "a letter that turns what is beside it"


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_ordinary_text_is_left_as_it_is(words: str) -> None:
    assert without_isolates(output.clean(words)) == words
    assert output.clean(words) == words or has_right_to_left(words)
    assert output.clean(output.clean(words)) == output.clean(words)


@pytest.mark.parametrize(
    "words", ["\u2066open", "closed\u2069", "a\u2067b\u2069", "a\u202eb\u202c"]
)
def test_a_turn_of_direction_that_is_not_closed_or_forces_it_is_shown(words: str) -> None:
    assert "\ufffd" in output.clean(words)


def test_values_in_isolates_are_left_as_they_are() -> None:
    assert output.clean("a \u2068red\u2069") == "a \u2068red\u2069"


ARABIC = "يعلن \u2068red\u2069: نشاط. المكان \u206835.1, 40.2 (MGRS 37S ED 123 456)\u2069، من هنا."


def test_each_line_of_a_wrapped_right_to_left_text_is_whole_and_runs_so() -> None:
    lines = output.sentences(ARABIC, indent=2, width=42).splitlines()
    assert len(lines) > 2
    for line in lines:
        said = line.strip()
        assert said.startswith("\u2067")
        assert said.endswith("\u2069")
        assert all_closed(said[1:-1])
    joined = "".join(lines)
    assert all(piece in joined for piece in ("35.1,", "456)", "من هنا."))


def test_a_folded_right_to_left_text_keeps_its_indentation_outside() -> None:
    lines = output.folded(ARABIC, indent=4, width=36).splitlines()
    assert len(lines) > 2
    assert all(line.startswith("    \u2067") for line in lines)
    assert lines[1].startswith("    \u2067  ")
    assert all(all_closed(line.strip()[1:-1]) for line in lines)


def test_a_right_to_left_text_is_told_a_sentence_a_line() -> None:
    lines = output.sentences(f"{ARABIC} تم. \u2068red\u2069 يعلن.", indent=0).splitlines()
    assert [line[-3:-1] for line in lines] == ["ط.", "ا.", "م.", "ن."]


def test_a_cell_that_is_cut_closes_what_it_opened() -> None:
    cell = output._cut(output.clean(ARABIC), 20)
    assert cell.endswith("\u2069")
    assert all_closed(cell)


def test_columns_stand_under_their_headings_beside_right_to_left_cells() -> None:
    lines = printed(output.table, ("الطرف", "SENT"), [("الرقة", 7), ("red", 12)]).splitlines()
    assert [without_isolates(line) for line in lines] == ["الطرف  SENT", "الرقة  7", "red    12"]


@given(st.dictionaries(st.text(), st.text() | st.integers()))
def test_printed_json_reads_back_and_steers_nothing(value: dict[str, object]) -> None:
    text = printed(output.write_json, value)
    assert json.loads(text) == value
    assert without_isolates(output.clean(text.replace("\n", ""))) == text.replace("\n", "")


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
