"""What lists say of one line, and of who was told."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from at_terminal import AtTerminal
from fastapi import FastAPI
from stand_in import LINE, PEER, StandInNode

from deconflict.api.accounts import Accounts
from deconflict.cli.declare import _say_not_reached
from node_pair import declaration


@pytest.fixture
def officer(
    app: FastAPI, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> Iterator[AtTerminal]:
    made = AtTerminal(app, accounts, "watch_officer", monkeypatch)
    yield made
    made.leave()


def stands(node: StandInNode, monkeypatch: pytest.MonkeyPatch, **changes: object) -> str:
    """Let the node list one declaration that is so."""
    declared = declaration(0xABCDEF123456789012345678)
    view = replace(node._view(declared), **changes)  # type: ignore[arg-type]
    monkeypatch.setattr(node, "declarations", lambda **_: (view,))
    return view.declaration_id[:10]


def test_a_third_party_with_a_line_is_told_by_the_command_that_is_named(
    officer: AtTerminal, node: StandInNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = stands(node, monkeypatch, line_ids=("ee" * 16,), not_reached=("cedar", PEER))
    said = officer.types("declare", "--list")
    assert f"{name} does not reach cedar: no line carries it." in said
    assert f"deconflict declare --tell {name} --line {PEER}" in said


def test_declarations_that_do_not_reach_the_same_party_share_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Node:
        def lines(self) -> list[dict[str, str]]:
            return []

    found = [
        {"declaration_id": f"{number:032x}"[::-1], "own": True, "not_reached": ["cedar"]}
        for number in range(12)
    ]
    _say_not_reached(Node(), found)  # type: ignore[arg-type]
    (said,) = capsys.readouterr().out.splitlines()
    assert said.endswith(" and 2 more do not reach cedar: no line carries them.")


def test_a_list_of_one_line_has_what_stands_on_that_line_alone(
    officer: AtTerminal, node: StandInNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = stands(node, monkeypatch, line_ids=(LINE,))
    assert name in officer.types("declare", "--list", "--line", PEER)
    stands(node, monkeypatch, line_ids=("ee" * 16,), peers=("green.example",))
    assert name not in officer.types("declare", "--list", "--line", PEER)


def test_calls_are_listed_of_one_line(
    officer: AtTerminal, node: StandInNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def talks(line: str | None = None, **_: object) -> tuple[()]:
        asked.append(line)
        return ()

    monkeypatch.setattr(node, "talks", talks)
    officer.types("line", "call", "list", "--line", PEER)
    officer.types("line", "call", "list")
    assert asked == [LINE, None]
