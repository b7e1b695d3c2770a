"""Calls over the API: what reaches the node, what comes back, what is no request at all."""

import pytest
from api_parts import Client
from stand_in import LINE, PEER, StandInNode

BASE = "/api/v1"


def test_a_talk_and_a_readout_reach_the_node_as_they_were_said(
    releasing: Client, node: StandInNode
) -> None:
    said = {
        "kind": "TALK_DECLINE",
        "body": {"reason": "TIME"},
        "ref": "ab" * 32,
        "to_desk": "planning",
        "drill": True,
        "release": "NONE",
    }
    for where in ("talks", "readouts"):
        posted = releasing.post(f"{BASE}/lines/{PEER}/{where}", json=said)
        assert posted.status_code == 200
        verb, actor, heard = node.calls[-1]
        assert verb == where.removesuffix("s")
        assert actor.account == "releasing_officer"
        assert {name: heard[name] for name in said} == said


def test_a_calendar_is_a_calendar(releasing: Client) -> None:
    answer = releasing.get(f"{BASE}/lines/{LINE}/talks/{'ab' * 32}/calendar")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.content.startswith(b"BEGIN:VCALENDAR\r\n")


def test_calls_are_listed_of_one_line_or_of_all(releasing: Client) -> None:
    for what in ("talks", "calls"):
        assert releasing.get(f"{BASE}/{what}").json() == []
        assert releasing.get(f"{BASE}/{what}?line={PEER}").json() == []
        assert releasing.get(f"{BASE}/{what}?line=nobody").status_code == 404
    assert releasing.get(f"{BASE}/talks?ahead=true").json() == []


def test_a_paper_is_kept_changed_and_thrown_away(releasing: Client, node: StandInNode) -> None:
    kept = releasing.post(
        f"{BASE}/lines/{PEER}/papers",
        json={"kind": "note", "call": "ab" * 32, "texts": {"en": ["one", "two"]}},
    )
    assert kept.json()["texts"] == {"en": ["one", "two"]}
    assert kept.json()["written_by"] == "releasing_officer"
    changed = releasing.post(f"{BASE}/lines/{PEER}/papers/3f9a01cc", json={"texts": {"ru": ["а"]}})
    assert changed.json()["paper_id"] == "3f9a01cc"
    assert node.calls[-1][2] == {"ru": ["а"]}
    assert releasing.get(f"{BASE}/lines/{PEER}/papers").json() == []
    assert releasing.delete(f"{BASE}/papers/3f9a01cc").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "note"},
        {"kind": "note", "texts": "words"},
        {"kind": "note", "texts": {"en": "words"}},
        {"kind": "note", "texts": {"en": ["x"] * 51}},
        {"kind": "note", "texts": {"en": ["x"]}, "call": "not a hash"},
        {"kind": "note", "texts": {"en": ["x"]}, "send_to_peer": True},
    ],
)
def test_what_is_no_paper_does_not_reach_the_node(
    releasing: Client, node: StandInNode, body: dict[str, object]
) -> None:
    assert releasing.post(f"{BASE}/lines/{PEER}/papers", json=body).status_code == 400
    assert not node.calls
