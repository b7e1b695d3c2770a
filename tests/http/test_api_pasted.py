"""What people paste, read by the API: all notations, what is missing, what was lost, warnings."""

import hashlib
import json
from typing import Any

import pytest
from api_parts import Client
from stand_in import StandInNode

KML = (
    b'<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Style/><Placemark><name>J7</name>'
    b"<Polygon><extrude>1</extrude><altitudeMode>absolute</altitudeMode><outerBoundaryIs><LinearRing>"
    b"<coordinates>40,35,3000 41,35,3000 41,36,3000 40,35,3000</coordinates></LinearRing>"
    b"</outerBoundaryIs></Polygon></Placemark></Document></kml>"
)
OCTETS = {"Content-Type": "application/octet-stream"}
GAPS = {
    "purpose": "ACTIVITY",
    "radius": "9 km",
    "lower": "SFC",
    "upper": "FL100",
    "start_utc": "2015-09-30T12:00:00Z",
    "end_utc": "2015-09-30T13:00:00Z",
}


def read(client: Client, **body: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/drafts/read", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_pasted_place_comes_back_in_all_notations_and_in_words(releasing: Client) -> None:
    text = "35 18 00 N 40 14 00 E"
    found = read(releasing, text=text)
    assert found["format"] == "POSITIONS"
    assert found["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    (draft,) = found["drafts"]
    assert draft["geometry"]["volumes"][0]["outline"]["circle"]["radius_mm"] is None
    assert not draft["whole"]
    (place,) = draft["places"]
    assert place["decimal"] == "35.3000000, 40.2333333"
    assert place["dms"] == "35°18'00.0000\"N 040°13'59.9999\"E"
    assert place["mgrs"].startswith("37S")
    assert place["landmark"] == "the airfield"
    assert place["distance_mm"] == pytest.approx(39_500_000, abs=500_000)
    assert "north-east of the airfield" in draft["text"]
    assert [one["what"] for one in found["missing"]] == [
        *("PURPOSE", "RADIUS", "LOWER", "UPPER", "START", "END")
    ]


def test_a_draft_once_whole_is_what_check_and_declare_take(
    releasing: Client, node: StandInNode
) -> None:
    (draft,) = read(releasing, text="35.3, 40.2", **GAPS)["drafts"]
    assert draft["whole"]
    assert draft["missing"] == []
    body = {"declarations": [{"purpose": draft["purpose"], "geometry": draft["geometry"]}]}
    assert releasing.post("/api/v1/check", json=body).status_code == 200
    assert releasing.post("/api/v1/declarations", json=body).status_code == 200
    assert len(node.declared) == 1


def test_a_file_is_sent_as_bytes_with_the_rest_in_the_query(releasing: Client) -> None:
    answer = releasing.post(
        "/api/v1/drafts/read?purpose=HAZARD&start_utc=2015-09-30T12:00:00Z",
        content=KML,
        headers=OCTETS,
    )
    found = answer.json()
    assert (found["format"], found["size_bytes"]) == ("KML", len(KML))
    assert found["sha256"] == hashlib.sha256(KML).hexdigest()
    (draft,) = found["drafts"]
    assert (draft["name"], draft["label"], draft["purpose"]) == ("J7", None, "HAZARD")
    assert draft["stated"][0]["upper"] == "3000 m AMSL"
    assert [one["what"] for one in draft["missing"]] == ["END"]
    assert ("SET_ASIDE", "Style: not taken over") in [
        (loss["kind"], loss["text"]) for loss in found["losses"]
    ]


def test_one_typed_place_is_echoed(releasing: Client) -> None:
    answer = releasing.post("/api/v1/places/read", json={"text": "36SYE6779321530"})
    assert answer.json()["mgrs"] == "36SYE6779321530"
    assert answer.json()["text"].endswith("of the airfield")
    refused = releasing.post("/api/v1/places/read", json={"text": "north of the river"})
    assert refused.status_code == 400
    assert "compass words" in refused.json()["error"]["problem"]


@pytest.mark.parametrize(
    "body",
    [
        {"text": ""},
        {"text": "<!DOCTYPE k [<!ENTITY a 'b'>]><kml>&a;</kml>"},
        {"text": "35.3, 40.2", "radius": "9 parsecs"},
        {"text": "35.3, 40.2", "purpose": "TARGET"},
        {"text": "35.3, 40.2", "callsign": "A1"},
        {"text": "35.3, 40.2", "line": "nobody.example"},
        {"text": 5},
        {},
    ],
)
def test_what_cannot_be_read_is_refused_in_words(releasing: Client, body: dict[str, Any]) -> None:
    refused = releasing.post("/api/v1/drafts/read", json=body)
    assert refused.status_code in (400, 404)
    assert refused.json()["error"]["problem"]


def test_nobody_reads_drafts_who_may_not_check_them(client: Client) -> None:
    assert client.post("/api/v1/drafts/read", json={"text": "35, 40"}).status_code == 401


def test_a_body_beyond_the_bound_is_refused(releasing: Client) -> None:
    large = b"x" * (12 * 1024 * 1024 + 1)
    refused = releasing.post("/api/v1/drafts/read", content=large, headers=OCTETS)
    assert refused.status_code == 413


def test_more_than_a_person_looks_at_is_refused(releasing: Client) -> None:
    points = {"type": "MultiPoint", "coordinates": [[40.0, 35.0]] * 64}
    features = [{"type": "Feature", "properties": {}, "geometry": points}] * 400
    text = json.dumps({"type": "FeatureCollection", "features": features})
    refused = releasing.post("/api/v1/drafts/read", json={"text": text})
    assert refused.status_code == 400
    assert "at once" in refused.json()["error"]["problem"]
