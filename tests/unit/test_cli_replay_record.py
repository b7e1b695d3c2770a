"""``deconflict replay`` of exported records: words, JSON, picture, errors and exit codes."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pytest
from click.testing import CliRunner, Result

from deconflict.airspace.instant import format_utc
from deconflict.cli import main, replay_picture, replay_words
from deconflict.cli.replay_record import typed_instant
from deconflict.errors import InvalidTimeError
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import wording
from deconflict.messages.words import LANGUAGES
from node_pair import MINUTE_MS, cease, declaration, node_pair, query
from told_records import Files

_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Known:
    """Records of a line with known truth: blue did not hold red's cease request for a while."""

    files: Files
    first: bytes  # what red exported before blue asked anything
    early: bytes  # and before red asked to cease
    cut: bytes  # and while blue did not hold the request
    cease: str
    asked: str
    said_utc: str
    then: str


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Known]:
    folder = tmp_path_factory.mktemp("known")
    with node_pair() as pair:
        pair.declare("blue", declaration(1))
        pair.run_for(60)
        first = Files.of(pair.world, folder, "blue", "red").path("red").read_bytes()
        asked = pair.say("blue", Kind.QUERY, query())
        pair.run_for(120)
        early = Files.of(pair.world, folder, "blue", "red").path("red").read_bytes()
        now_ms = pair.world.now.utc_ms
        pair.world.cut("blue", "red", now_ms, now_ms + 27 * MINUTE_MS)
        said_utc = pair.now_utc
        ceased = pair.say("red", Kind.CEASE, cease("1" * 32))
        pair.run_for(60)
        then = pair.now_utc
        cut = Files.of(pair.world, folder, "blue", "red").path("red").read_bytes()
        pair.run_for(40 * 60)
        files = Files.of(pair.world, folder, "blue", "red")
        yield Known(files, first, early, cut, ceased, asked, said_utc, then)


def run(known: Known, *more: str, parties: tuple[str, ...] = ("blue", "red")) -> Result:
    return CliRunner().invoke(main, ["replay", *known.files.arguments(*parties), *more])


def test_an_instant_is_told_side_by_side(known: Known) -> None:
    told = run(known, "--at", known.then)
    assert told.exit_code == 0, told.output
    blue, red = told.output.split("\nred\n")
    assert f"What each side knew at {known.then.replace('T', ' ')}" in blue
    assert "1 that red had said: sent, and no proof by then that blue held it" in blue
    assert "Cease requests open: none" in blue
    assert re.search(r"no proof by then; provably by \S+Z: receipt", blue)
    assert "red: number 2, CEASE, FLASH" in red
    assert "NO ANSWER, was due" in red
    assert "none that blue had said" in red


def test_it_is_told_in_russian_as_well(known: Known) -> None:
    told = run(known, "--at", known.then, "--language", "ru")
    assert told.exit_code == 0
    assert "Что было известно каждой стороне на" in told.output
    assert "ОТВЕТА НЕТ, срок был" in told.output
    assert "хранение не доказано" in told.output
    every = run(known, "--timeline", "--language", "ru")
    assert "просьба прекратить" in every.output


def test_it_is_told_in_arabic_as_well_each_line_whole(known: Known) -> None:
    told = run(known, "--at", known.then, "--language", "ar")
    assert told.exit_code == 0
    assert "ما كان يعرفه كل طرف في" in told.output
    assert "لا جواب، كان موعده" in told.output
    assert "بلا دليل على حفظه" in told.output
    every = run(known, "--timeline", "--language", "ar")
    assert "طلب توقف" in every.output
    for line in (told.output + every.output).splitlines():
        opened = sum(line.count(mark) for mark in "\u2066\u2067\u2068")
        assert opened == line.count("\u2069"), line


def test_a_program_gets_the_same_as_json(known: Known) -> None:
    found = json.loads(run(known, "--at", known.then, "--json").output)
    blue, red = found["sides"]
    assert [each["hash"] for each in blue["unproven"]] == [known.cease]
    assert blue["unproven"][0]["held"]["by_utc"] > known.then
    assert [(each["kind"], each["state"]) for each in red["questions"]] == [
        ("QUERY", "OVERDUE"),
        ("CEASE", "OVERDUE"),
        ("NOTIFY", "OPEN"),
    ]
    assert "red requests that what declaration" in found["texts"][known.cease]
    assert (found["clocks"], found["missing"], found["unfound"]) == ([], [], [])
    assert [each["by"] for each in found["bundles"]] == ["blue", "red"]


def test_as_many_messages_are_told_as_asked_for(known: Known) -> None:
    found = json.loads(run(known, "--at", known.then, "--last", "2", "--json").output)
    assert [len(side["messages"]) for side in found["sides"]] == [2, 2]
    assert found["sides"][0]["said"] == 3


def test_the_timeline_lists_every_message_with_its_proof(known: Known) -> None:
    told = run(known, "--timeline")
    assert told.exit_code == 0
    lines = [line for line in told.output.splitlines() if " ± " in line]
    kinds = ["TERMS_PROPOSE", "TERMS_ACCEPT", "NOTIFY", "QUERY", "CEASE"]
    assert [next(kind for kind in kinds if kind in line) for line in lines] == kinds
    assert all(re.search(r"by \S+Z: ", line) for line in lines)


def test_a_part_of_the_timeline_is_told_by_the_authors_stamps(known: Known) -> None:
    late = json.loads(run(known, "--timeline", "--from", known.said_utc, "--json").output)
    assert [each["hash"] for each in late["messages"]] == [known.cease]
    before = json.loads(run(known, "--timeline", "--to", known.said_utc, "--json").output)
    assert before["messages"][-1]["hash"] == known.cease
    none = json.loads(run(known, "--timeline", "--to", "2000-01-01T00:00Z", "--json").output)
    assert none["messages"] == []


def test_the_picture_shows_what_had_not_arrived(known: Known, tmp_path: Path) -> None:
    file = tmp_path / "knew.svg"
    told = run(known, "--at", known.then, "--picture", str(file))
    assert told.exit_code == 0
    drawing = ET.fromstring(file.read_text("utf-8"))
    words = [element.text or "" for element in drawing.iter(f"{_SVG}text")]
    assert any("2 CEASE" in each for each in words)
    instant = next(
        line for line in drawing.iter(f"{_SVG}line") if line.get("stroke-dasharray") == "2 3"
    )
    (crossing,) = (
        line
        for line in drawing.iter(f"{_SVG}line")
        if line.get("stroke") == "#c4122f"
        and float(line.get("y1", 0)) < float(instant.get("y1", 0)) < float(line.get("y2", 0))
    )
    assert crossing.get("stroke-dasharray") is None  # it arrived in the end


def test_what_never_provably_arrives_is_drawn_dashed(known: Known, tmp_path: Path) -> None:
    alone = tmp_path / "red.deconflict"
    file = tmp_path / "knew.svg"
    timeline = ["replay", str(alone), *known.files.arguments(), "--timeline"]
    for record, unheld in ((known.early, 0), (known.cut, 1)):
        alone.write_bytes(record)
        told = json.loads(CliRunner().invoke(main, [*timeline, "--json"]).output)
        assert sum(each["held"] is None for each in told["messages"]) == unheld
        drawn = CliRunner().invoke(main, [*timeline, "--picture", str(file), "--force"])
        assert drawn.exit_code == 0
        assert file.read_text("utf-8").count("stroke-dasharray") == unheld


def test_a_record_that_does_not_verify_is_not_told(known: Known, tmp_path: Path) -> None:
    data = known.files.path("blue").read_bytes()
    at = data.index(b'"data":"') + 40
    changed = tmp_path / "blue.deconflict"
    changed.write_bytes(data[:at] + (b"A" if data[at : at + 1] != b"A" else b"B") + data[at + 1 :])
    arguments = ["replay", str(changed), *known.files.arguments(), "--at", known.then]
    told = CliRunner().invoke(main, arguments)
    assert told.exit_code == 1
    assert told.output.startswith("NOT VERIFIED")
    assert "messages said" not in told.output
    facts = CliRunner().invoke(main, [*arguments, "--json"])
    assert facts.exit_code == 1
    assert "error" in json.loads(facts.stderr)


def test_an_older_record_is_told_to_lack_the_rest_and_is_no_finding(
    known: Known, tmp_path: Path
) -> None:
    older = tmp_path / "red.deconflict"
    older.write_bytes(known.early)
    blue, _, *keys = known.files.arguments("blue", "red")
    told = CliRunner().invoke(main, ["replay", blue, str(older), *keys, "--timeline"])
    said = "Messages of red (1), from number 2 on, are not in the record of red"
    assert said in told.output
    assert told.exit_code == 0


def test_a_side_that_signed_to_hold_what_its_record_lacks_is_a_finding(
    known: Known, tmp_path: Path
) -> None:
    older = tmp_path / "red.deconflict"
    older.write_bytes(known.first)
    blue, _, *keys = known.files.arguments("blue", "red")
    told = CliRunner().invoke(main, ["replay", blue, str(older), *keys, "--timeline"])
    assert "Messages of blue (1), from number 3 on, are not in the record of red" in told.output
    assert "Of these red itself signed to hold 1." in told.output
    assert told.exit_code == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "what is asked of this record?"),
        (("--at", "2015-09-30T06:04Z", "--timeline"), "what is asked of this record?"),
        (("--at", "06:04"), "the time cannot be read"),
        (("--at", "2015-09-30T06:04Z", "--to", "2015-09-30T06:04Z"), "--at names one instant"),
        (("--timeline", "--runs", "3"), "a record is told, not played"),
        (("--timeline", "--picture", "knew.png"), "pictures of a replay are .svg"),
    ],
)
def test_wrong_use_is_told(known: Known, more: tuple[str, ...], words: str) -> None:
    told = run(known, *more)
    assert told.exit_code == 2
    assert words in told.output


def test_wrong_files_are_told(known: Known, tmp_path: Path) -> None:
    blue, *keys = known.files.arguments("blue")
    case = tmp_path / "case.json"
    case.write_text("{}")
    for arguments, words in (
        ([blue, "--timeline"], "cannot vouch for its own keys"),
        ([blue, keys[0], "--timeline"], "the key of red is needed as well"),
        ([blue, blue, *keys, "--timeline"], "two records of the same exporter"),
        ([blue, blue, blue, *keys, "--timeline"], "a line has two sides"),
        ([blue, str(case), *keys, "--timeline"], "are not replayed together"),
        ([str(case), "--timeline"], "these options are for the record of a line"),
    ):
        told = CliRunner().invoke(main, ["replay", *arguments])
        assert (told.exit_code, words in told.output) == (2, True), told.output


def test_an_instant_is_typed_to_the_minute_or_finer() -> None:
    for text in ("2015-10-03T00:04Z", "2015-10-03T00:04:00Z", "2015-10-03T00:04:00.000Z"):
        assert format_utc(typed_instant(text)) == "2015-10-03T00:04:00.000Z"
    with pytest.raises(InvalidTimeError, match="offset"):
        typed_instant("2015-10-03T00:04+01:00")


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_have_the_same_texts_with_the_same_values(language: str) -> None:
    english, other = (wording(each)["terms"]["replay"] for each in ("en", language))
    assert list(english) == list(other)
    for name, text in english.items():
        fields = [
            sorted(field for _, field, _, _ in Formatter().parse(each) if field)
            for each in (text, other[name])
        ]
        assert fields[0] == fields[1], name


def test_an_instant_behind_the_record_says_when_it_ends(known: Known) -> None:
    told = run(known, "--at", "2027-01-01T00:00Z").output
    end = json.loads(run(known, "--timeline", "--json").output)["bundles"][0]["exported_utc"]
    assert told.splitlines()[1].startswith(f"! The record ends at {end.replace('T', ' ')}, when ")
    assert "nothing is known after it" in told
    assert "NO ANSWER" not in told  # it may have come after the end
    assert "whether it was answered is not known here" in told
    assert "The record ends" not in run(known, "--at", known.then).output


def test_one_record_that_ends_earlier_is_named(known: Known, tmp_path: Path) -> None:
    early = tmp_path / "red.deconflict"
    early.write_bytes(known.early)
    blue, *keys = known.files.arguments("blue")
    told = CliRunner().invoke(main, ["replay", blue, str(early), *keys, "--at", known.then])
    assert "! The record of red ends at" in told.output
    found = json.loads(
        CliRunner()
        .invoke(main, ["replay", blue, str(early), *keys, "--at", known.then, "--json"])
        .output
    )
    assert [by for by, _ in found["ended"]] == ["red"]
    assert [side["own_record"] for side in found["sides"]] == [True, False]


def test_no_answer_is_not_claimed_of_a_side_whose_record_is_not_given(known: Known) -> None:
    told = run(known, "--at", known.then, parties=("red",)).output
    blue, red = told.split("\nred\n")
    assert "The record of blue is not given." in blue
    assert "NO ANSWER" not in blue
    assert "As far as blue knew, from what is in these records." in blue
    assert "NO ANSWER, was due" in red
    sides = json.loads(run(known, "--at", known.then, "--json", parties=("red",)).output)["sides"]
    states = [{each["kind"]: each["state"] for each in side["questions"]} for side in sides]
    assert states[0]["QUERY"] == "NOT_KNOWN"
    assert states[1]["CEASE"] == "OVERDUE"


def test_a_terminal_gets_no_line_over_a_hundred_columns(
    known: Known, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_words, "page_width", lambda: 100)
    for asked in (("--at", known.then), ("--timeline",), ("--at", "2027-01-01T00:00Z")):
        told = run(known, *asked)
        assert told.exit_code == 0
        assert max(map(len, told.output.splitlines())) <= 100
        assert "2 CEASE" in " ".join(told.output.split())


def test_labels_of_one_instant_stand_below_one_another(tmp_path: Path) -> None:
    with node_pair() as pair:
        pair.declare("blue", *(declaration(number) for number in range(1, 6)))
        pair.run_for(60)
        files = Files.of(pair.world, tmp_path, "blue", "red")
    file = tmp_path / "knew.svg"
    told = CliRunner().invoke(
        main, ["replay", *files.arguments("blue"), "--timeline", "--picture", str(file)]
    )
    assert told.exit_code == 0, told.output
    drawing = ET.fromstring(file.read_text("utf-8"))
    places = [
        (element.get("x"), element.get("text-anchor"), float(element.get("y", 0)))
        for element in drawing.iter(f"{_SVG}text")
        if element.get("text-anchor") in ("start", "end") and element.text
    ]
    notices = [t for t in drawing.iter(f"{_SVG}text") if (t.text or "").endswith("NOTIFY")]
    assert len({t.get("y") for t in notices}) == 5
    for x, anchor, y in places:
        near = [other for other in places if other[:2] == (x, anchor) and abs(other[2] - y) < 11]
        assert len(near) == 1


def test_the_picture_tells_what_each_colour_stands_for(known: Known, tmp_path: Path) -> None:
    file = tmp_path / "knew.svg"
    assert run(known, "--timeline", "--picture", str(file)).exit_code == 0
    drawing = ET.fromstring(file.read_text("utf-8"))
    words = [element.text for element in drawing.iter(f"{_SVG}text")]
    assert {"CEASE, SAFETY", "QUERY", "every other kind"} <= set(words)
    strokes = {line.get("stroke") for line in drawing.iter(f"{_SVG}line")}
    assert set(replay_picture._KINDS) <= strokes
