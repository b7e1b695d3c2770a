"""What comes in is read without guessing, and what goes out says nothing it should not."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from api_parts import PASSWORD, Client
from hypothesis import given
from hypothesis import strategies as st
from stand_in import LINE, StandInNode

from deconflict import errors
from deconflict.api.errors import STATUS_OF_ERROR, status_of
from deconflict.formats.bounded_json import parse_json

MESSAGES = f"/api/v1/lines/{LINE}/messages"
MESSAGE: dict[str, Any] = {"kind": "LINE_CHECK", "body": {}}


def post(releasing: Client, body: bytes | str, path: str = MESSAGES) -> Any:
    return releasing.post(path, content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"kind": "LINE_CHECK", "kind": "SAFETY", "body": {}}', "twice"),
        ('{"kind": "LINE_CHECK", "body": {"a": 1, "a": 2}}', "twice"),
        ('{"kind": "LINE_CHECK", "body": {"a": NaN}}', "no number"),
        ('{"kind": "LINE_CHECK", "body": {"a": -Infinity}}', "no number"),
        ('{"kind": "LINE_CHECK", "body": {"a": 1e999}}', "beyond a double"),
        ('{"kind": "LINE_CHECK", "body": {"a": "\\ud800"}}', "surrogate"),
        ('{"kind": "LINE_CHECK", "body": {"\\udc00": 1}}', "surrogate"),
        ('{"kind": "LINE_CHECK", "body": ' + '{"a":' * 40 + "1" + "}" * 41, "nested"),
        ("[" * 60_000, "nested"),
        ('{"kind": "LINE_CHECK", "body": {"a": ' + "9" * 5000 + "}}", "number"),
        (b'{"kind": "LINE_\xff", "body": {}}', "UTF-8"),
        ('{"kind": "LINE_CHECK", "body": {}', "JSON"),
        ('{"kind": "LINE_CHECK", "body": {}} {}', "JSON"),
        ("", "required"),
        ("[]", "object"),
        ("null", "dictionary"),
        ('{"kind": "LINE_CHECK"}', "body"),
        ('{"kind": 7, "body": {}}', "kind"),
        ('{"kind": "LINE_CHECK", "body": []}', "body"),
        ('{"kind": "LINE_CHECK", "body": {}, "drill": "false"}', "drill"),
        ('{"kind": "LINE_CHECK", "body": {}, "drill": 0}', "drill"),
        ('{"kind": "LINE_CHECK", "body": {}, "expires_after_ms": "5"}', "expires_after_ms"),
        ('{"kind": "LINE_CHECK", "body": {}, "expires_after_ms": 5.0}', "expires_after_ms"),
        ('{"kind": "LINE_CHECK", "body": {}, "expires_after_ms": true}', "expires_after_ms"),
        ('{"kind": "LINE_CHECK", "body": {}, "expires_after_ms": -1}', "expires_after_ms"),
        ('{"kind": "LINE_CHECK", "body": {}, "urgent": true}', "urgent"),
        ('{"kind": "LINE_CHECK", "body": {}, "ref": "ABC"}', "ref"),
    ],
)
def test_a_body_that_could_be_misread_is_refused(
    releasing: Client, node: StandInNode, body: str | bytes, words: str
) -> None:
    refused = post(releasing, body)
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert set(error) == {"type", "problem", "given", "expected", "remedy"}
    assert words in error["problem"]
    assert not node.calls


@pytest.mark.parametrize(
    "query",
    [
        "after_seq=x",
        "after_seq=-1",
        "after_seq=1.0",
        "after_seq=%201",
        "after_seq=1_0",
        "after_seq=%D9%A1",
        "limit=0",
        "limit=1001",
        "limit=99999999999999999999",
        "direction=both",
        "after_seq=1&after_seq=2",
    ],
)
def test_a_query_that_could_be_misread_is_refused(releasing: Client, query: str) -> None:
    assert releasing.get(f"{MESSAGES}?{query}").status_code == 400


def test_a_message_has_at_most_64_kib_and_declarations_64_mib(releasing: Client) -> None:
    large = json.dumps({**MESSAGE, "body": {"text": "x" * 70_000}})
    assert post(releasing, large).status_code == 413
    assert post(releasing, large, "/api/v1/declarations").status_code == 400


def test_a_body_that_lies_about_its_size_is_cut_off(releasing: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    refused = releasing.post(
        MESSAGES, content=endless(), headers={"Content-Type": "application/json"}
    )
    assert refused.status_code == 413
    claimed = releasing.post(
        MESSAGES,
        content=b"{}",
        headers={"Content-Type": "application/json", "Content-Length": str(2**40)},
    )
    assert claimed.status_code == 413


@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/geo+json", "application/xml"],
)  # fmt: skip
def test_a_form_of_another_page_is_not_read(releasing: Client, media_type: str) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    refused = releasing.post(MESSAGES, content=json.dumps(MESSAGE), headers=headers)
    assert refused.status_code == 415


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "169.254.169.254", "[::2]"]
)
def test_a_name_that_is_not_ours_gets_no_answer(releasing: Client, host: str) -> None:
    refused = releasing.get("/api/v1/node", headers={"Host": host})
    assert refused.status_code == 421
    assert "blue.example" not in refused.text


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8443", "localhost:1", "[::1]:8443"])
def test_loopback_names_are_ours(releasing: Client, host: str) -> None:
    assert releasing.get("/api/v1/node", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1", 200),
        ("https://evil.example", 403),
        ("http://127.0.0.1:9999", 403),
        ("null", 403),
    ],
)
def test_a_page_from_elsewhere_may_not_call(releasing: Client, origin: str, status: int) -> None:
    answer = releasing.get("/api/v1/node", headers={"Origin": origin})
    assert answer.status_code == status
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_a_preflight_is_told_nothing(releasing: Client) -> None:
    answer = releasing.request(
        "OPTIONS",
        MESSAGES,
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/api/v1/node", "/docs", "/nowhere", "/api/v1/openapi.json"])
def test_every_answer_carries_the_headers(releasing: Client, path: str) -> None:
    headers = releasing.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def leaves(kind: type[errors.DeconflictError]) -> Iterator[type[errors.DeconflictError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from leaves(below)


def test_every_error_has_a_status_of_its_own_branch() -> None:
    for kind in leaves(errors.DeconflictError):
        made = kind.__new__(kind)
        nearest = next(base for base in kind.__mro__ if base in STATUS_OF_ERROR)
        assert status_of(made) == STATUS_OF_ERROR[nearest]
        if kind is not errors.DeconflictError and kind.__module__ == errors.__name__:
            assert nearest is not errors.DeconflictError, kind


def test_a_defect_shows_no_trace_and_no_secret(
    releasing: Client, node: StandInNode, caplog: pytest.LogCaptureFixture
) -> None:
    node.defect = RuntimeError("secret value 4711")
    with caplog.at_level(logging.ERROR, "deconflict.api"):
        answer = releasing.get("/api/v1/node")
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "InternalError"
    for hidden in ("4711", "Traceback", "RuntimeError", ".py"):
        assert hidden not in answer.text
    assert "4711" not in caplog.text


@pytest.mark.parametrize(
    "body",
    [
        {"account": "auditor", "password": PASSWORD, "extra": 1},
        {"account": 5, "password": PASSWORD},
        {"password": PASSWORD},
        {"account": "auditor", "password": [PASSWORD]},
    ],
)
def test_a_refused_login_does_not_repeat_the_password(
    releasing: Client, body: dict[str, Any]
) -> None:
    refused = releasing.post("/api/v1/session", json=body)
    assert refused.status_code == 400
    assert PASSWORD not in refused.text


def test_refusals_of_the_framework_have_the_same_shape(releasing: Client) -> None:
    missing = releasing.get("/api/v1/nowhere")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "NotFoundError")
    wrong = releasing.request("PATCH", "/api/v1/node")
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (405, "MethodNotAllowed")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(json_values)
def test_strict_json_reads_what_json_says(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == json.loads(json.dumps(value))


@given(st.binary(max_size=60))
def test_strict_json_refuses_or_reads_and_nothing_else(data: bytes) -> None:
    try:
        value = parse_json(data)
    except errors.InvalidDocumentError:
        return
    json.dumps(value, allow_nan=False).encode()
