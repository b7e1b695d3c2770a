"""A message that cannot be sent is told in the words of the command, never in those of the wire."""

from collections.abc import Callable
from typing import Any, Self

import pytest
from click.testing import CliRunner, Result

from deconflict.airspace import geometry_to_wire
from deconflict.cli import client, main
from deconflict.cli.wire_words import in_options
from deconflict.errors import InvalidDocumentError, InvalidInputError, NotFoundError
from deconflict.messages.bodies import parse_body
from node_pair import circle

AT = "2015-09-30T06:12:00.000Z"
PLACE = {"lat_e7": 354000000, "lon_e7": 359000000}
CEASE = {"effective_utc": AT, "position": PLACE, "reach_mm": 1_000}
QUERY = {
    "position": PLACE,
    "level": {"reference": "FL", "tmm": 64_008_000},
    "course_ddeg": 900,
    "speed_mmps": 200_000,
    "at_utc": AT,
}
PROPOSE = {
    "first": "a" * 32,
    "second": "b" * 32,
    "declaration_id": "a" * 32,
}
DECLARED = "fc61b56c" * 4
QUESTION = "d1de7fdd" * 8


class Desk(client.NodeClient):
    """A node that holds one declaration, and a query and a check of the peer."""

    posted: list[dict[str, Any]]

    def __init__(self) -> None:
        self.posted = []

    @classmethod
    def of(cls, node_dir: Any, account: Any) -> Self:
        return cls()

    def __exit__(self, *_: object) -> None:
        pass

    def declaration(self, wanted: str) -> dict[str, Any]:
        if not DECLARED.startswith(wanted):
            raise NotFoundError("no declaration has this id", given=wanted)
        return {"declaration_id": DECLARED}

    def line(self, wanted: str | None) -> dict[str, Any]:
        return {"line_id": "0" * 32}

    def message(self, wanted: str) -> dict[str, Any]:
        kind = "QUERY" if QUESTION.startswith(wanted) else "LINE_CHECK"
        return {"hash": QUESTION, "kind": kind, "outgoing": False, "line_id": "0" * 32}

    def post(self, *parts: str, body: Any = None) -> Any:
        self.posted.append(body)
        raise InvalidInputError("posted", given=str(body["body"]))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr(client, "NodeClient", Desk)
    return lambda *words: CliRunner().invoke(main, ["line", *words], prog_name="deconflict")


@pytest.mark.parametrize(
    ("words", "problem", "given"),
    [
        (("--place", "36SYE6779321530"), "a place and how far around it", "--place alone"),
        (("--reach", "2km"), "a place and how far around it", "--reach alone"),
        ((), "what is to cease?", ""),
    ],
)
def test_half_a_cease_request_is_told_by_its_options(
    run: Callable[..., Result], words: tuple[str, ...], problem: str, given: str
) -> None:
    refused = run("cease", *words)
    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"error: {problem}")
    assert given in refused.stderr
    assert "--reach DISTANCE" in refused.stderr
    assert "reach_mm" not in refused.stderr


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("CEASE", {**CEASE, "reach_mm": 6 * 10**9}, "--reach is too much; expected: at most 2,699"),
        ("CEASE", {**CEASE, "reach_mm": None}, "--place and --reach go together"),
        ("CEASE", {"effective_utc": AT}, "expected: --declaration, or --place with --reach"),
        ("QUERY", {**QUERY, "speed_mmps": 10**9}, "--speed is too much; expected: at most "),
        ("QUERY", {**QUERY, "course_ddeg": 3600}, "--course is too much; expected: at most 359.9°"),
        ("PROPOSE", PROPOSE, "expected: --later or --earlier, --higher or --lower or --right or "),
    ],
)
def test_what_is_wrong_with_a_body_is_told_by_the_options_it_came_from(
    kind: str, body: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidDocumentError) as raised:
        parse_body(kind, body)
    told = str(in_options(kind, raised.value))
    assert said in told
    assert not any(f"_{unit}" in told for unit in ("mm", "tmm", "mmps", "ddeg", "ms", "id"))


@pytest.mark.parametrize("typed", ["fc61b56c", "fc61", DECLARED])
def test_a_phrase_takes_a_declaration_by_the_beginning_of_its_id(
    run: Callable[..., Result], typed: str
) -> None:
    values = [f"declaration={typed}", "where=36SYE6779321530", "level=FL200", f"at={AT}"]
    sent = run("send", "--template", "213", *(w for v in values for w in ("--value", v)))
    assert f"'declaration': '{DECLARED}'" in sent.stderr


def test_a_phrase_about_a_declaration_that_is_not_there_is_refused(
    run: Callable[..., Result],
) -> None:
    values = ["declaration=0123abcd", "where=36SYE6779321530", "level=FL200", f"at={AT}"]
    refused = run("send", "--template", "213", *(w for v in values for w in ("--value", v)))
    assert "no declaration has this id" in refused.stderr
    assert "0123abcd" in refused.stderr


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (QUESTION[:10], "error: a query is answered, not acknowledged"),
        ("0" * 10, "error: a check of the line is answered, not acknowledged"),
    ],
)
def test_what_is_answered_is_not_acknowledged_and_how_is_said(
    run: Callable[..., Result], message: str, said: str
) -> None:
    refused = run("ack", message)
    assert refused.exit_code == 2
    assert refused.stderr.startswith(said)
    how = "answer d1de7fddd1 WORD" if "query" in said else "check --reply d1de7fddd1 TEXT"
    assert f"to do:    deconflict line {how}" in refused.stderr


@pytest.mark.parametrize(
    ("word", "way"), [("standby", "checking"), ("checking", "checking"), ("ceased", "ceased")]
)
def test_what_is_no_acknowledgement_is_told_where_it_is_said(
    run: Callable[..., Result], word: str, way: str
) -> None:
    refused = run("ack", QUESTION, word)
    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"error: {word} is no acknowledgement")
    assert f"deconflict line answer {QUESTION[:8]}" in refused.stderr
    assert refused.stderr.rstrip().endswith(way)


def test_help_of_an_answer_says_that_more_time_is_asked_of_any_message(
    run: Callable[..., Result],
) -> None:
    told = " ".join(run("answer", "--help").output.split())
    assert "Answer a query or a cease request, or ask once for more time to answer." in told
    assert "of a safety message and of whatever else waits for an answer: checking." in told


READ = {
    "declaration_id": DECLARED,
    "purpose": "FLIGHT",
    "own": False,
    "label": None,
    "revision": 1,
    "message_hashes": [QUESTION],
    "geometry": geometry_to_wire((circle(),)),
}


@pytest.mark.parametrize(
    ("typed", "said"),
    [("own presence", "OWN_PRESENCE"), ("HAZARD", "HAZARD"), ("protected-site", "PROTECTED_SITE")],
)
def test_a_purpose_understood_otherwise_is_read_back(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, typed: str, said: str
) -> None:
    monkeypatch.setattr(Desk, "declaration", lambda *_: READ)
    monkeypatch.setattr(Desk, "get", lambda *_: {"agreed": None}, raising=False)
    sent = run("readback", DECLARED, "--purpose", typed, "--yes")
    assert f"'purpose': '{said}'" in sent.stderr
    assert f"purpose    {said.replace('_', ' ').lower()}" in sent.stdout


def test_a_purpose_that_there_is_not_is_refused(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Desk, "declaration", lambda *_: READ)
    monkeypatch.setattr(Desk, "get", lambda *_: {"agreed": None}, raising=False)
    refused = run("readback", DECLARED, "--purpose", "target", "--yes")
    assert refused.exit_code == 2
    assert "there is no such purpose given: target" in " ".join(refused.stderr.split())
    assert "flight, activity, hazard, own presence, protected site" in refused.stderr
