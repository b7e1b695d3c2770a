"""Requests answered past the framework's layers are answered as the framework answers them."""

import json
from typing import Any

import pytest
from api_parts import Client
from fastapi import Request
from pydantic import BaseModel
from stand_in import LINE, StandInNode
from starlette.responses import Response

from deconflict.api.direct import DirectApp, DirectWay
from deconflict.api.permit import PublicRoute
from deconflict.api.routes import ROUTES

API = "/api/v1"
MESSAGES = f"{API}/lines/{LINE}/messages"
MESSAGE = {"kind": "LINE_CHECK", "body": {"text": "4711 0815 2342"}}
JSON = {"Content-Type": "application/json"}


def both_ways(
    client: Client, node: StandInNode, method: str, path: str, **content: Any
) -> list[Any]:
    """Return what a request comes to, directly and by FastAPI: answer, and what the node took."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        for directly in (True, False):
            if not directly:
                patch.setattr(DirectApp, "_way", lambda *_: None)
            node.sent.clear()
            node.calls.clear()
            answer = client.request(method, path, **content)
            said = (answer.status_code, dict(answer.headers), answer.content)
            found.append((said, list(node.calls)))
    return found


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", MESSAGES, {"json": MESSAGE}),
        ("POST", MESSAGES, {"json": {**MESSAGE, "urgent": True}}),
        ("POST", MESSAGES, {"json": {"kind": 7, "body": []}}),
        ("POST", MESSAGES, {"json": {**MESSAGE, "kind": "NOTIFY"}}),
        ("POST", MESSAGES, {"json": None}),
        ("POST", MESSAGES, {}),
        ("POST", MESSAGES, {"content": b"", "headers": JSON}),
        ("POST", MESSAGES, {"content": b'{"kind": "A", "kind": "B"}', "headers": JSON}),
        ("POST", MESSAGES, {"content": b"[" * 60_000, "headers": JSON}),
        ("POST", MESSAGES, {"content": b" " * 100_000, "headers": JSON}),
        ("POST", MESSAGES, {"content": json.dumps(MESSAGE), "headers": {"Content-Type": "a/b"}}),
        ("POST", f"{MESSAGES}?a=1&a=2", {"json": MESSAGE}),
        ("POST", f"{MESSAGES}/", {"json": MESSAGE}),
        ("POST", f"{API}/lines/nobody%2F%2E%2E/messages", {"json": MESSAGE}),
        ("POST", f"{API}/lines//messages", {"json": MESSAGE}),
        ("POST", MESSAGES, {"json": MESSAGE, "headers": {"Host": "elsewhere.example"}}),
        ("POST", MESSAGES, {"json": MESSAGE, "headers": {"Origin": "http://elsewhere.example"}}),
        ("POST", MESSAGES, {"json": MESSAGE, "headers": {"Authorization": "Bearer nobody"}}),
        ("POST", f"{API}/declarations", {"json": {"declarations": []}}),
        ("POST", f"{API}/accounts", {"json": {"name": "x"}}),
        ("DELETE", MESSAGES, {}),
        ("PUT", MESSAGES, {"json": MESSAGE}),
        ("GET", f"{API}/lines", {}),
        ("GET", f"{API}/lines/nobody", {}),
        ("GET", f"{API}/accounts/trail", {}),
        ("GET", f"{API}/alerts", {}),
        ("HEAD", f"{API}/lines", {}),
        ("OPTIONS", f"{API}/lines", {}),
        ("GET", f"{API}/nothing", {}),
    ],
)
def test_a_request_is_answered_as_the_framework_answers_it(
    releasing: Client, node: StandInNode, method: str, path: str, content: dict[str, Any]
) -> None:
    directly, by_the_framework = both_ways(releasing, node, method, path, **content)
    assert directly == by_the_framework


def test_a_defect_is_answered_as_the_framework_answers_it(
    releasing: Client, node: StandInNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(node, "lines", broken)
    directly, by_the_framework = both_ways(releasing, node, "GET", f"{API}/lines")
    assert directly == by_the_framework
    assert directly[0][0] == 500


def test_what_a_watch_sends_most_goes_past_the_layers() -> None:
    ways = [way for route in ROUTES if (way := DirectWay.of(route)) is not None]
    direct = {way.route.path for way in ways if way.route.methods == {"POST"}}
    for path in (
        "/lines/{line}/messages",
        "/messages/{message_hash}/seen",
        "/declarations",
        "/declarations/{declaration_id}/update",
        "/declarations/{declaration_id}/cancel",
    ):
        assert API + path in direct


class _Body(BaseModel):
    text: str


async def _with_query(request: Request, limit: int = 5) -> Response:
    raise NotImplementedError


async def _with_two_bodies(one: _Body, other: _Body) -> Response:
    raise NotImplementedError


async def _with_a_number(number: int) -> Response:
    raise NotImplementedError


async def _with_a_view(request: Request) -> dict[str, str]:
    raise NotImplementedError


def _in_a_thread(request: Request) -> Response:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/", _with_query),
        ("/", _with_two_bodies),
        ("/{number}", _with_a_number),
        ("/", _with_a_view),
        ("/", _in_a_thread),
    ],
)
def test_an_endpoint_that_asks_for_more_is_left_to_the_framework(path: str, endpoint: Any) -> None:
    assert DirectWay.of(PublicRoute(path, endpoint, methods=["POST"])) is None
