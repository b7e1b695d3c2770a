"""What waits for a second person is listed so that they can judge it: what presses stands first."""

from typing import Any

import pytest
from click.testing import CliRunner

from deconflict.cli.client import NodeClient
from deconflict.cli.release import release
from deconflict.cli.sending import say_held

ASKED = "31ae6875" * 8


def held(name: str, kind: str, text: str, ref: str | None = None) -> dict[str, Any]:
    message = {
        "line_id": "0" * 32,
        "peer": "red",
        "kind": kind,
        "ref": ref,
        "drill": False,
        "text": text,
        "body": {},
        "warnings": ["LEAD TIME SHORT."] if kind == "NOTIFY" else [],
    }
    return {
        "held_id": name,
        "written_by": "olga",
        "written_utc": "2015-09-30T06:00:00.000Z",
        "messages": [message],
        "what": "MESSAGES",
        "text": "",
    }


class Node:
    def __enter__(self) -> "Node":
        return self

    def __exit__(self, *_: object) -> None: ...

    def get(self, *_: object) -> list[dict[str, Any]]:
        export = held("3f9a01cc", "NOTIFY", "") | {
            "messages": [],
            "what": "RECORD",
            "text": "Waits for a second person: the record.",
        }
        return [
            export,
            held("d555dbff", "NOTIFY", "blue declares: activity.", "ab" * 32),
            held("d33c23bc", "CEASED", "blue, desk watch: ceased.", ASKED),
        ]

    def message(self, wanted: str) -> dict[str, Any]:
        assert wanted == ASKED  # what a declaration cites is its own matter
        text = "red requests that activity within 2 km of there cease. Civilians are there."
        return {"hash": ASKED, "kind": "CEASE", "text": text}


def test_what_ends_a_cease_request_stands_first_and_says_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(NodeClient, "of", lambda *_: Node())
    result = CliRunner().invoke(release, [])
    assert result.exit_code == 0, result.output
    text = result.output
    assert text.index("d33c23bc") < text.index("d555dbff") < text.index("3f9a01cc")
    assert text.count("    warning: LEAD TIME SHORT.") == 1
    assert "    In answer to CEASE 31ae687531:\n      red requests that activity" in text


class NodeWithSite(Node):
    def get(self, *path: object) -> Any:
        if "terms" in path:
            return {"agreed": None}
        site = held("3f9a01cc", "NOTIFY", "blue declares: protected site.")
        body = {"declaration": {"purpose": "PROTECTED_SITE"}}
        return [site | {"messages": [site["messages"][0] | {"body": body}]}]


def test_who_is_to_release_a_site_is_told_that_its_place_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(NodeClient, "of", lambda *_: NodeWithSite())
    result = CliRunner().invoke(release, [])
    assert result.exit_code == 0, result.output
    assert "deconflict line release 3f9a01cc --place PLACE" in result.output


def test_who_wrote_what_waits_is_told_what_the_second_person_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    waits = {"held_id": "3f9a01cc", "kind": "NOTIFY"}
    assert say_held([waits], has_site=True)
    assert "deconflict line release 3f9a01cc --place PLACE" in capsys.readouterr().out
    assert say_held([waits | {"kind": "CEASED"}], ref=ASKED)
    told = capsys.readouterr().out
    assert "--place" not in told
    assert "deconflict line ack 31ae687531" in told
