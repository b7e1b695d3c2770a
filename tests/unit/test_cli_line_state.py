"""The sheet of the watch and the status say the same of a line, and hide nothing of it."""

from typing import Any

import pytest

from deconflict.cli.handover import _text
from deconflict.cli.line_state import line_state, state_since


def line(**known: Any) -> dict[str, Any]:
    return {
        "peer": "red",
        "state": "UP",
        "suspended": False,
        "suspensions": [],
        "mute": False,
        "deaf": False,
        "since_utc": "2015-09-30T06:00:00.000Z",
        "drill_until_utc": None,
        "peer_drill_until_utc": None,
    } | known


UNTIL = "2015-09-30T08:00:00.000Z"


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, "UP"),
        ({"drill_until_utc": UNTIL}, "UP, DRILL"),
        ({"peer_drill_until_utc": UNTIL}, "UP, DRILL"),
        ({"suspended": True}, "SUSPENDED"),
        ({"suspended": True, "state": "DOWN"}, "SUSPENDED, DOWN"),
        ({"mute": True, "deaf": True, "state": "DOWN"}, "MUTE, DOWN"),
        ({"deaf": True, "drill_until_utc": UNTIL}, "DEAF, UP, DRILL"),
        ({"mute": True, "suspended": True}, "MUTE, UP"),
    ],
)
def test_a_line_is_said_with_all_that_a_desk_must_not_overlook(
    known: dict[str, Any], said: str
) -> None:
    assert line_state(line(**known)) == said


def suspension(effective_utc: str, *, in_effect: bool = True, drill: bool = False) -> Any:
    return {"effective_utc": effective_utc, "in_effect": in_effect, "drill": drill}


def test_a_suspended_line_is_said_to_be_so_since_its_first_real_suspension_began() -> None:
    held = [
        suspension("2015-09-30T06:10:00.000Z", drill=True),
        suspension("2015-09-30T06:30:00.000Z"),
        suspension("2015-09-30T06:20:00.000Z"),
        suspension("2015-09-30T06:15:00.000Z", in_effect=False),
    ]
    assert state_since(line(suspended=True, suspensions=held)) == "2015-09-30T06:20:00.000Z"
    assert state_since(line(suspensions=held[:1])) == "2015-09-30T06:00:00.000Z"
    mute = line(suspended=True, suspensions=held, mute=True)
    assert state_since(mute) == "2015-09-30T06:00:00.000Z"


def test_the_sheet_of_the_watch_marks_a_mute_line_and_an_exercise() -> None:
    sheet = {
        "language": "en",
        "party": "blue",
        "desk": "watch",
        "made_utc": "2015-09-30T06:00:00.000Z",
        "lines": [line(mute=True), line(peer="green", peer_drill_until_utc=UNTIL)],
        "items": [],
    }
    text = "\n".join(_text(sheet))
    assert "  red  MUTE, UP  2015-09-30 06:00:00Z" in text
    assert "  green  UP, DRILL  2015-09-30 06:00:00Z" in text
