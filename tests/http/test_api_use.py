"""What each call does with the node behind it, and what the documentation page says of it."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from api_parts import Client
from fastapi import FastAPI
from stand_in import LINE, PEER, StandInNode, a_conflict, an_alert

from deconflict.api.schemas import EXAMPLE_DRAFT
from deconflict.messages.bodies import parse_body
from deconflict.messages.kinds import KINDS, Kind

GEO_JSON = {"Content-Type": "application/geo+json"}


def feature(**properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [40.14, 35.33]},
        "properties": {
            "purpose": "ACTIVITY",
            "radius": "9 km",
            "lower": "0 m AMSL",
            "upper": "6096 m AMSL",
            "start_utc": "2015-09-30T12:00:00Z",
            "end_utc": "2015-09-30T13:00:00Z",
            **properties,
        },
    }


def test_a_message_reaches_the_node_as_it_was_said(releasing: Client, node: StandInNode) -> None:
    said = {
        "kind": "SAFETY",
        "body": {"text": "Самолёт терпит бедствие"},
        "precedence": "FLASH",
        "to_desk": "watch",
        "drill": True,
        "ref": "ab" * 32,
    }
    posted = releasing.post(f"/api/v1/lines/{PEER}/messages", json=said)
    assert posted.status_code == 200
    assert posted.json()["state"] == "QUEUED"
    (call,) = node.calls
    assert call[0] == "send"
    assert call[1].account == "releasing_officer"
    assert call[1].desk == "watch"
    for name, value in said.items():
        assert call[2][name] == value
    shown = releasing.get(f"/api/v1/messages/{posted.json()['hash']}").json()
    assert shown["body"] == said["body"]
    seen = releasing.post(f"/api/v1/messages/{posted.json()['hash']}/seen")
    assert seen.json()["kind"] == "SEEN"


def test_what_a_releasing_officer_releases_is_no_ordinary_message(
    releasing: Client, node: StandInNode
) -> None:
    for kind, form in KINDS.items():
        answer = releasing.post(
            f"/api/v1/lines/{LINE}/messages", json={"kind": kind.value, "body": {}}
        )
        assert (answer.status_code == 400) == form.two_persons, kind
    assert {call[2]["kind"] for call in node.calls}.isdisjoint({"NOTIFY", "TERMS_ACCEPT"})


def test_the_record_is_read_in_pages(releasing: Client, node: StandInNode) -> None:
    for _ in range(5):
        node.say("LINE_CHECK", {})
    path = f"/api/v1/lines/{LINE}/messages"
    page = releasing.get(f"{path}?after_seq=1&limit=2&direction=out").json()
    assert [message["seq"] for message in page] == [2, 3]
    assert releasing.get(f"{path}?direction=in").json() == []


def test_declarations_go_out_as_json_and_as_geojson(releasing: Client, node: StandInNode) -> None:
    first = releasing.post("/api/v1/declarations", json={"declarations": [EXAMPLE_DRAFT]})
    assert first.status_code == 200, first.text
    collection = {"type": "FeatureCollection", "features": [feature(), feature(label="second")]}
    second = releasing.post(
        f"/api/v1/declarations?drill=true&lines={PEER}",
        content=json.dumps(collection),
        headers=GEO_JSON,
    )
    assert second.status_code == 200, second.text
    ids = first.json()["declaration_ids"] + second.json()["declaration_ids"]
    assert len(set(ids)) == 3
    assert list(node.declared) == ids
    assert [call[2]["drill"] for call in node.calls] == [None, True]
    assert [call[2]["lines"] for call in node.calls] == [None, [PEER]]
    one, other = (node.declared[name].geometry for name in ids[:2])
    assert one == other  # the same area, said in two ways
    listed = releasing.get("/api/v1/declarations").json()
    assert [each["label"] for each in listed] == ["area 7", None, "second"]
    assert listed[0]["geometry"] == EXAMPLE_DRAFT["geometry"]


def test_many_declarations_are_read_at_once(releasing: Client, node: StandInNode) -> None:
    body = {"declarations": [EXAMPLE_DRAFT] * 1000}
    assert len(json.dumps(body)) > 65_536
    posted = releasing.post("/api/v1/declarations", json=body)
    assert len(posted.json()["posted"]) == 1000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"purpose": "TARGET"}, "purpose"),
        ({"purpose": "flight"}, "purpose"),
        ({"geometry": {}}, "geometry"),
        ({"geometry": {"volumes": []}}, "geometry"),
        ({"geometry": {"volumes": [], "trajectory": {}}}, "geometry"),
        ({"declaration_id": "x"}, "declaration_id"),
        ({"callsign": "A1"}, "callsign"),
        ({"revision": 3}, "revision"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_with_its_place(
    releasing: Client, node: StandInNode, change: dict[str, Any], words: str
) -> None:
    drafts = [EXAMPLE_DRAFT, EXAMPLE_DRAFT | change]
    refused = releasing.post("/api/v1/declarations", json={"declarations": drafts})
    assert refused.status_code == 400
    problem = refused.json()["error"]["problem"]
    assert words in problem
    assert "1" in problem
    assert not node.declared


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/api/v1/declarations", feature(radius="9 parsecs")),
        ("/api/v1/declarations", {"type": "FeatureCollection", "features": []}),
        ("/api/v1/declarations?drill=yes", feature()),
        ("/api/v1/declarations?urgent=true", feature()),
        ("/api/v1/declarations?line=x", feature()),
        ("/api/v1/check?lines=x", feature()),
        ("/api/v1/check", "not JSON"),
    ],
)
def test_geojson_that_could_be_misread_is_refused(
    releasing: Client, node: StandInNode, path: str, document: Any
) -> None:
    content = document if isinstance(document, str) else json.dumps(document)
    assert releasing.post(path, content=content, headers=GEO_JSON).status_code == 400
    assert not node.calls


def test_a_declaration_is_updated_corrected_and_cancelled(
    releasing: Client, node: StandInNode
) -> None:
    body = {"declarations": [EXAMPLE_DRAFT]}
    (name,) = releasing.post("/api/v1/declarations", json=body).json()["declaration_ids"]
    path = f"/api/v1/declarations/{name}"
    for verb in ("update", "correct"):
        done = releasing.post(f"{path}/{verb}", json=body)
        assert done.json()["declaration_ids"] == [name]
        assert node.calls[-1][0] == verb
        assert node.calls[-1][2].declaration_id == name
    assert releasing.post(f"{path}/update", json={"declarations": []}).status_code == 400
    two = {"declarations": [EXAMPLE_DRAFT] * 2}
    assert releasing.post(f"{path}/update", json=two).status_code == 400
    other = {"declarations": [EXAMPLE_DRAFT | {"declaration_id": "ab" * 16}]}
    assert releasing.post(f"{path}/update", json=other).status_code == 400
    assert releasing.post(f"{path}/tell", json={"lines": ["green"]}).status_code == 200
    assert node.calls[-1][0::2] == ("tell", ["green"])
    assert releasing.post(f"{path}/tell", json={"lines": []}).status_code == 400
    assert releasing.post(f"{path}/cancel", json={"reason_number": 3}).status_code == 200
    assert node.calls[-1][2] == 3
    assert releasing.post(f"{path}/cancel", json={}).status_code == 404


def test_a_tally_and_the_watch_reach_the_node_as_asked(
    releasing: Client, node: StandInNode
) -> None:
    period = {"start_utc": "2015-09-01T00:00:00Z", "end_utc": "2015-10-01T00:00:00Z"}
    counted = releasing.get(f"/api/v1/lines/{LINE}/tally", params={**period, "drill": "true"})
    assert counted.json()["drill"] is True
    assert releasing.post(f"/api/v1/lines/{LINE}/tally", json=period).json()["kind"] == "TALLY"
    sheet = releasing.get("/api/v1/watch?ahead_ms=60000&gap_ms=1000").json()
    assert (sheet["desk"], sheet["next_watch_utc"]) == ("watch", "2015-09-30T06:12:01.000Z")
    taken = releasing.post("/api/v1/watch/take-over", json={"languages": ["en"], "drill": True})
    assert taken.status_code == 200
    assert [call[0] for call in node.calls] == ["tally", "take_over"]
    assert node.calls[1][2][0] == ["en"]
    assert releasing.get(f"/api/v1/incidents/{'1c' * 16}").status_code == 404
    told = {"by": "newspaper", "fields": {"closest_m": 5, "seen": True}}
    kept = releasing.post(f"/api/v1/incidents/{'1c' * 16}/outside", json=told)
    assert kept.status_code == 404
    assert node.calls[-1][2] == ("newspaper", told["fields"])
    left = releasing.post("/api/v1/watch/sign-off", json={"with_open": True, "gap_ms": 5})
    assert left.status_code == 200
    assert node.calls[-1][2]["with_open"] is True


def test_a_check_sends_nothing(releasing: Client, node: StandInNode) -> None:
    node.found = [a_conflict()]
    with_draft = releasing.post("/api/v1/check", json={"declarations": [EXAMPLE_DRAFT]})
    assert with_draft.json()["conflicts"][0]["cpa_distance_m"] == 412.0
    geo = releasing.post("/api/v1/check", content=json.dumps(feature()), headers=GEO_JSON)
    assert geo.status_code == 200
    everything = releasing.post("/api/v1/check", json={"declarations": None})
    assert everything.status_code == 200
    assert [call[2] is None for call in node.calls] == [False, False, True]
    assert not node.sent


def test_conflicts_and_alerts_are_shown_whole(releasing: Client, node: StandInNode) -> None:
    node.found, node.open = [a_conflict()], [an_alert()]
    (conflict,) = releasing.get("/api/v1/conflicts").json()
    assert conflict["place_first"]["from_landmark"].endswith("Deir ez-Zor")
    assert releasing.get("/api/v1/alerts?open=true").json()[0]["urgency"] == "FLASH"
    assert releasing.get("/api/v1/alerts?open=1").status_code == 400


def test_terms_are_proposed_and_the_hash_says_which_are_accepted(
    releasing: Client, node: StandInNode
) -> None:
    path = f"/api/v1/lines/{LINE}/terms"
    assert releasing.get(path).json()["state"] == "AGREED"
    assert releasing.post(f"{path}/proposal", json={"terms": {"v": 1}}).status_code == 200
    assert node.calls[-1][2] == {"v": 1}
    assert releasing.post(f"{path}/acceptance", json={"terms_hash": "xyz"}).status_code == 400
    late = releasing.post(f"{path}/acceptance", json={"terms_hash": "ab" * 32})
    assert late.status_code == 409
    assert late.json()["error"]["type"] == "LineStateError"


def test_the_record_is_exported_as_it_comes(releasing: Client) -> None:
    bundle = releasing.get(f"/api/v1/lines/{LINE}/bundle")
    assert bundle.content == b"manifest\nentry\nseal\n"
    assert bundle.headers["content-type"] == "application/octet-stream"
    assert releasing.get("/api/v1/lines/nobody/bundle").status_code == 404


def test_one_message_is_exported_alone_and_a_fork_only_where_there_is_one(
    releasing: Client,
) -> None:
    alone = releasing.get(f"/api/v1/lines/{LINE}/proofs/{'ab' * 32}")
    assert alone.content == b"disclosure of " + b"ab" * 32
    assert alone.headers["content-type"] == "application/octet-stream"
    assert releasing.get(f"/api/v1/lines/nobody/proofs/{'ab' * 32}").status_code == 404
    assert releasing.get(f"/api/v1/lines/{LINE}/fork").status_code == 404


class Page(HTMLParser):
    """Collects what a page would load and run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            if name == "src" or (name == "href" and tag == "link"):
                self.loads.append(value or "")
            elif name == "href" and (value or "").startswith("#"):
                self.links.add((value or "")[1:])
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")
        if tag in ("style", "script"):
            self.inline.append(tag)


def test_the_documentation_needs_no_network_and_no_script(client: Client) -> None:
    page = Page(client.get("/docs").text)
    assert page.loads == ["/docs/docs.css"]
    assert page.inline == []
    assert client.get("/docs/docs.css").headers["content-type"].startswith("text/css")
    assert page.links <= page.ids


def test_every_route_is_documented(client: Client, app: FastAPI) -> None:
    document = client.get("/api/v1/openapi.json").json()
    page = client.get("/docs").text
    for path, methods in document["paths"].items():
        assert path in page
        for operation in methods.values():
            assert len(operation["description"]) > 30
            assert operation["operationId"] in page
            assert operation["tags"]
    pointers = set(_references(document))
    assert pointers
    for pointer in pointers:
        assert pointer.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for each in value.values() for found in _references(each)]
    if isinstance(value, list):
        return [found for each in value for found in _references(each)]
    return []


def test_openapi_lists_the_refusals_that_are_given_and_no_other(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for methods in document["paths"].values():
        for operation in methods.values():
            refusals = operation["responses"]
            assert "422" not in refusals
            if "requestBody" in operation and "400" in refusals:
                assert {"413", "415"} <= set(refusals)
    assert {"400", "413", "415"} <= set(document["paths"]["/api/v1/check"]["post"]["responses"])


def test_the_reference_page_names_every_call(app: FastAPI) -> None:
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "api.md").read_text()
    for path, methods in app.openapi()["paths"].items():
        for method in methods:
            call = f"`{method.upper()} {path.removeprefix('/api/v1')}`"
            assert call in reference, call


def test_every_example_in_the_documentation_is_accepted(
    releasing: Client, client: Client, node: StandInNode
) -> None:
    document = client.get("/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    for path, example_of in (("declarations", "Declare"), ("check", "Check")):
        described = document["paths"][f"/api/v1/{path}"]["post"]["requestBody"]["content"]
        for example in described["application/json"]["schema"]["examples"]:
            answer = releasing.post(f"/api/v1/{path}", json=example)
            assert answer.status_code == 200, (example_of, answer.text)
    for example in schemas["Outgoing"]["examples"]:
        parse_body(Kind(example["kind"]), example["body"])
        assert releasing.post(f"/api/v1/lines/{LINE}/messages", json=example).status_code == 200


def test_every_answer_says_that_an_exercise_lasts(releasing: Client, node: StandInNode) -> None:
    assert "Deconflict-Drill" not in releasing.get("/api/v1/lines").headers
    until = "2015-09-30T08:00:00.000Z"
    begun = releasing.post("/api/v1/drills", json={"until_utc": until, "line": PEER})
    assert begun.json()[0]["until_utc"] == until
    assert node.calls[-1][2] == (until, PEER, True)
    for answered in (begun, releasing.get("/api/v1/lines"), releasing.get("/api/v1/node")):
        assert answered.headers["Deconflict-Drill"] == f"{PEER} until {until}"
    assert releasing.get("/api/v1/drills").json()[0]["announced"] is True
    assert releasing.get(f"/api/v1/lines/{LINE}/drill").json()["drill"] is True
    ended = releasing.post("/api/v1/drills/end", json={})
    assert ended.json()[0]["until_utc"] is None
    assert "Deconflict-Drill" not in ended.headers


def test_an_own_activity_is_entered_listed_and_forgotten(
    releasing: Client, node: StandInNode
) -> None:
    document = releasing.get("/api/v1/openapi.json").json()
    (example,) = document["components"]["schemas"]["ActivityWanted"]["examples"]
    entered = releasing.post("/api/v1/activities", json=example)
    assert entered.status_code == 200
    place, start, end, reach_mm = node.calls[-1][2]
    assert (place.lat_e7, place.lon_e7) == tuple(example["place"].values())
    assert (start, end, reach_mm) == tuple(example[n] for n in ("start_utc", "end_utc", "reach_mm"))
    assert releasing.get("/api/v1/activities").json() == [entered.json()]
    name = entered.json()["activity_id"]
    assert releasing.delete(f"/api/v1/activities/{name}").json() == {"done": True}
    assert releasing.delete(f"/api/v1/activities/{name}").status_code == 404


def test_a_stranger_does_not_learn_of_an_exercise(client: Client, node: StandInNode) -> None:
    node.drilling = "2015-09-30T08:00:00.000Z"
    refused = client.get("/api/v1/lines")
    assert refused.status_code == 401
    assert "Deconflict-Drill" not in refused.headers


@pytest.mark.parametrize("said", [None, True, False])
def test_the_mark_of_a_message_goes_as_it_was_said(
    releasing: Client, node: StandInNode, said: bool | None
) -> None:
    body = {"kind": "LINE_CHECK", "body": {"text": "4711"}, "drill": said}
    releasing.post(f"/api/v1/lines/{PEER}/messages", json=body)
    assert node.calls[-1][2]["drill"] is said
