"""The command line against an API that misbehaves, is another's, or speaks for a hostile peer."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import click
import pytest

from deconflict.cli.client import NodeClient
from deconflict.errors import (
    ConfigurationError,
    DeconflictError,
    NodeUnreachableError,
    NotAuthenticatedError,
    NotPermittedError,
    StoreFullError,
)


class Answers(BaseHTTPRequestHandler):
    """Answers everything with what the test has set."""

    status: ClassVar[int] = 200
    body: ClassVar[bytes] = b"{}"
    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []
    drill: ClassVar[str | None] = None

    def do_GET(self) -> None:
        self.asked.append((self.path, dict(self.headers)))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        if self.drill is not None:
            self.send_header("Deconflict-Drill", self.drill)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def client() -> Iterator[NodeClient]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Answers.status, Answers.body, Answers.drill = 200, b"{}", None
    Answers.asked.clear()
    with NodeClient(f"http://127.0.0.1:{server.server_address[1]}", "secret-token") as made:
        yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("NotPermittedError", NotPermittedError),
        ("StoreFullError", StoreFullError),
        ("TooManyAttemptsError", NotAuthenticatedError),
        ("NotAuthenticatedError", NotAuthenticatedError),
    ],
)
def test_an_error_of_the_node_is_that_error_here(
    client: NodeClient, name: str, kind: type[Exception]
) -> None:
    Answers.status = 403
    Answers.body = b'{"error": {"type": "%s", "problem": "so it is", "given": "this"}}' % (
        name.encode()
    )
    with pytest.raises(kind, match="so it is; given: this"):
        client.get("lines")


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "no"}', b'{"error": {}}'])
def test_an_answer_of_something_else_is_told_apart(client: NodeClient, body: bytes) -> None:
    Answers.status, Answers.body = 500, body
    with pytest.raises(ConfigurationError, match="no deconflict node"):
        client.get("lines")


@pytest.mark.parametrize("name", ["Exception", "annotations", "DeconflictError.__init__", "os"])
def test_an_unknown_error_is_no_way_to_run_anything(client: NodeClient, name: str) -> None:
    Answers.status = 400
    Answers.body = b'{"error": {"type": "%s", "problem": "so it is"}}' % name.encode()
    with pytest.raises(DeconflictError, match="so it is") as refused:
        client.get("lines")
    assert type(refused.value) is DeconflictError


def test_who_has_to_wait_is_not_told_to_log_in_again(client: NodeClient) -> None:
    Answers.status = 429
    Answers.body = (
        b'{"error": {"type": "TooManyAttemptsError", "problem": "too many wrong passwords",'
        b' "remedy": "wait 4 s, then try again"}}'
    )
    with pytest.raises(NotAuthenticatedError) as refused:
        client.get("lines")
    assert refused.value.remedy == "wait 4 s, then try again"


def test_the_token_goes_in_a_header_alone(client: NodeClient) -> None:
    client.get("lines", "a/../b", after_seq=3, left_out=None)
    ((path, headers),) = Answers.asked
    assert path == "/api/v1/lines/a%2F..%2Fb?after_seq=3"
    assert headers["Authorization"] == "Bearer secret-token"


def test_a_proxy_of_the_environment_never_sees_the_token(
    client: NodeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with NodeClient(client.url, "secret-token") as made:
        made.get("lines")
    assert len(Answers.asked) == 1


def test_a_node_that_is_gone_is_said_so() -> None:
    with NodeClient("http://127.0.0.1:9", None) as gone, pytest.raises(NodeUnreachableError):
        gone.get("lines")


def test_events_are_read_with_ids_and_comments_are_skipped(client: NodeClient) -> None:
    Answers.body = (
        b': deconflict\nretry: 1000\n\nid: 7\nevent: line\ndata: {"a":\ndata: 1}\n\n: beat\n\n'
        b'id: 8\nevent: alert\ndata: {}\n\nid: 9\nevent: cut\ndata: {"off"'
    )
    found = [(event.event_id, event.kind, event.data) for event in client.events(6)]
    assert found == [(7, "line", {"a": 1}), (8, "alert", {})]


def test_an_exercise_is_said_once_and_before_anything_else(
    client: NodeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    Answers.drill = "red until 2015-09-30T08:00:00.000Z"
    with click.Context(click.Command("any")) as context:
        context.params = {"as_json": False}
        client.get("node")
        client.get("lines")
    said = capsys.readouterr().err
    assert said.count("DRILL with red until 2015-09-30 08:00:00Z") == 1
    assert "in earnest: --real" in said


def test_an_exercise_is_said_in_the_language_of_the_desk(
    client: NodeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    Answers.drill = "red until 2015-09-30T08:00:00.000Z, green until 2015-09-30T09:00:00.000Z"
    with (
        NodeClient(client.url, "secret-token", "ru") as desk,
        click.Context(click.Command("any")) as context,
    ):
        context.params = {"as_json": False}
        desk.get("node")
    said = capsys.readouterr().err
    assert "УЧЕНИЕ с red до 2015-09-30 08:00:00Z" in said
    assert "УЧЕНИЕ с green до 2015-09-30 09:00:00Z" in said
    assert "DRILL" not in said


def test_the_command_line_asks_for_the_language_of_its_own_words(client: NodeClient) -> None:
    with NodeClient(client.url, "secret-token", "ru") as desk:
        desk.get("alerts")
    assert Answers.asked[-1][1]["Deconflict-Language"] == "ru"


def test_a_program_that_reads_json_is_not_told_in_words(
    client: NodeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    Answers.drill = "red until 2015-09-30T08:00:00.000Z"
    with click.Context(click.Command("any")) as context:
        context.params = {"as_json": True}
        client.get("node")
    assert capsys.readouterr().err == ""
