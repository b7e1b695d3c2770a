"""Deir ez-Zor, 17 September 2016: who knew what while a call went unanswered for 27 minutes.

The case is played through real cores; their records are exported, proven and told. Covers R48, R3.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deconflict.replay.case import read_case, read_common
from deconflict.replay.play import play
from told_records import Files, Replayed

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
CASE = "DEZ-2016-09-17.json"
CALL = "2016-09-17T13:25:00.000Z"  # published: the first call
CEASED = "2016-09-17T13:56:00.000Z"  # published: the strike stops


@pytest.fixture(scope="module", params=[("coal",), ("rus",), ("coal", "rus")], ids="+".join)
def read(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replayed]:
    folder = tmp_path_factory.mktemp("dez")
    for name in ("common.json", CASE):  # parties are named in small letters on a node
        text = (SCENARIOS / name).read_text("utf-8")
        text = text.replace('"COAL"', '"coal"').replace('"RUS"', '"rus"')
        (folder / name).write_text(text, "utf-8")
    (case,) = read_case(folder / CASE, read_common(folder / CASE))
    played = play(case, read_common(folder / CASE))
    yield Files.of(played.world, folder, "coal", "rus").read(*request.param)
    played.world.close()


def test_before_the_call_no_cease_was_known_and_the_activity_was_not_read_back(
    read: Replayed,
) -> None:
    coal, rus = read.at("2016-09-17T13:24:59Z").sides
    for side in (coal, rus):
        assert {each.kind for each in side.questions} == {"NOTIFY"}
        (declared,) = side.declarations
        assert (declared.party, declared.begun, declared.read_back) == ("coal", True, None)
    (unread,) = rus.questions
    state = "OVERDUE" if rus.own_record else "NOT_KNOWN"
    assert (unread.state, unread.due_utc) == (state, "2016-09-17T09:10:00.000Z")


def test_the_call_is_provably_held_within_seconds_not_after_27_minutes(read: Replayed) -> None:
    first = next(each for each in read.told() if each.kind == "CEASE")
    assert first.said_utc == CALL
    assert first.held is not None
    assert first.held.by_utc < "2016-09-17T13:25:15"
    coal = read.side("coal", "2016-09-17T13:35:00Z")
    assert [each.kind for each in coal.messages[-2:]] == ["CEASE", "CEASE"]
    assert coal.not_proven == 0


def test_in_the_27_minutes_the_call_is_without_answer_for_both(read: Replayed) -> None:
    for side in read.at("2016-09-17T13:52:00Z").sides:
        ceases = [each for each in side.questions if each.kind == "CEASE"]
        assert [each.said_utc for each in ceases[:1]] == [CALL]
        # Of the side whose record is not given, nobody knows what else it held or said.
        assert ceases[0].state == ("OVERDUE" if side.own_record else "NOT_KNOWN")
        assert ceases[0].answered_by is None


def test_what_ends_it_is_known_to_each_side_when_that_is_proven(read: Replayed) -> None:
    ended = next(each for each in read.told() if each.kind == "CEASED")
    assert ended.said_utc == CEASED
    assert ended.held is not None
    coal, rus = read.at(ended.said_by_utc).sides
    assert [each for each in coal.questions if each.kind == "CEASE"] == []
    assert len([each for each in rus.questions if each.kind == "CEASE"]) == 3
    _, rus = read.at(ended.held.by_utc).sides
    assert [each for each in rus.questions if each.kind == "CEASE"] == []
