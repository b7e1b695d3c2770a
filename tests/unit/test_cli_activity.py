"""What a person types of an own activity, what goes to the node, and what is shown of it."""

from typing import Any

import pytest
from click.testing import CliRunner, Result

from deconflict.cli.activity import activity
from deconflict.cli.client import NodeClient

NAME = "7c1e09af" * 4
MET = {
    "rule": "ACT_DIFFERS_FROM_NOTICE",
    "urgency": "IMMEDIATE",
    "drill": False,
    "text": "ACT DIFFERS FROM NOTICE. It lies 9.00 km off. The nearest notice is 3b9d2c40.",
}


class Node:
    """Answers as a node would that was told of one activity."""

    def __init__(self, *alerts: dict[str, Any], lines: int = 1) -> None:
        self.alerts, self.lines = list(alerts), lines
        self.told: dict[str, Any] = {}
        self.removed: tuple[str, ...] = ()

    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None: ...

    def get(self, what: str) -> Any:
        if what == "node":
            return {"now_utc": "2016-09-17T12:50:00.000Z", "lines": self.lines}
        return [self._view()]

    def post(self, *_: str, body: dict[str, Any]) -> dict[str, Any]:
        self.told = body
        return self._view()

    def delete(self, *parts: str) -> dict[str, Any]:
        self.removed = parts
        return {"done": True}

    def _view(self) -> dict[str, Any]:
        return {
            "activity_id": NAME,
            "lat_deg": 35.2567,
            "lon_deg": 40.1408,
            "reach_m": 500.0,
            "start_utc": "2016-09-17T12:55:00.000Z",
            "end_utc": "2016-09-17T13:55:00.000Z",
            "alerts": self.alerts,
        }


def typed(monkeypatch: pytest.MonkeyPatch, node: Node, *args: str) -> Result:
    monkeypatch.setattr(NodeClient, "of", lambda *_: node)
    return CliRunner().invoke(activity, list(args))


def test_what_it_meets_is_said_and_ends_the_command_with_1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = Node(MET)
    told = ("--place", "35.2567 N 40.1408 E", "--reach", "500m")
    when = ("--start", "2016-09-17T12:55:00Z", "--for", "1h")
    result = typed(monkeypatch, node, "add", *told, *when)
    assert result.exit_code == 1, result.output
    assert node.told == {
        "place": {"lat_e7": 352_567_000, "lon_e7": 401_408_000},
        "reach_mm": 500_000,
        "start_utc": "2016-09-17T12:55:00.000Z",
        "end_utc": "2016-09-17T13:55:00.000Z",
    }
    assert "7c1e09af7c  35.2567, 40.1408, 0.27 NM (500 m) around" in result.output
    assert "    It lies 9.00 km off.\n" in result.output
    assert "Nothing of it was sent." in result.output


def test_it_begins_now_unless_another_time_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()
    result = typed(monkeypatch, node, "add", "--place", "36SYE6779321530", "--for", "30min")
    assert result.exit_code == 0, result.output
    times = node.told["start_utc"], node.told["end_utc"]
    assert times == ("2016-09-17T12:50:00.000Z", "2016-09-17T13:20:00.000Z")
    assert "On every line a notice of yours covers it" in result.output


def test_a_node_without_a_line_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    result = typed(monkeypatch, Node(lines=0), "list")
    assert result.exit_code == 0
    assert "held against nothing" in result.output
    assert "covers it" not in result.output


def test_its_end_is_said_once_in_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    place = ("add", "--place", "36SYE6779321530")
    both = ("--end", "2016-09-17T13:55:00Z", "--for", "1h")
    for more in ((), both):
        assert typed(monkeypatch, Node(), *place, *more).exit_code == 2


def test_the_list_ends_with_1_while_something_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    assert typed(monkeypatch, Node(MET), "list").exit_code == 1
    assert typed(monkeypatch, Node(), "list").exit_code == 0


def test_one_is_forgotten_by_the_beginning_of_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()
    assert typed(monkeypatch, node, "remove", "7c1e").exit_code == 0
    assert node.removed == ("activities", NAME)
    for wrong in ("7c1", "abcd"):
        assert typed(monkeypatch, Node(), "remove", wrong).exit_code == 2
