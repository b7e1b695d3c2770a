"""Bodies: one form per kind (R1, R11, R34), strict on both sides; banned words out only (R32)."""

import copy
from typing import Any

import pytest

from deconflict.errors import BannedWordError, InvalidDocumentError, InvalidInputError
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.messages.bodies import (
    Answer,
    Cease,
    Declared,
    LineCheck,
    SaidWord,
    body_to_wire,
    check_outgoing,
    line_check_text,
    parse_body,
)
from deconflict.messages.kinds import Kind
from messages_samples import END, ID, START, activity, bodies

each_kind = pytest.mark.parametrize("kind", list(Kind))


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(bodies()) == {kind.value for kind in Kind}


@each_kind
def test_a_body_survives_its_canonical_bytes(kind: Kind) -> None:
    body = parse_body(kind, bodies()[kind])
    wire = body_to_wire(body)
    assert parse_body(kind, parse_canonical(canonical_bytes(wire))) == body


@each_kind
def test_a_body_holds_no_floats(kind: Kind) -> None:
    def walk(value: Any) -> None:
        assert not isinstance(value, float)
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, dict | list | tuple | float):
                walk(inner)

    walk(body_to_wire(parse_body(kind, bodies()[kind])))


@each_kind
def test_an_unknown_field_is_refused(kind: Kind) -> None:
    with pytest.raises(InvalidDocumentError, match="unknown field"):
        parse_body(kind, bodies()[kind] | {"target": "x"})


@each_kind
def test_a_missing_field_is_refused(kind: Kind) -> None:
    optional = {
        "not_binding",
        "reason",
        "fields",
        "object_kind",
        "as_published",
        "shift_ms",
        "level_tmm",
    }
    optional |= {"level", "risk"} if kind is Kind.INCIDENT else set()
    optional |= set(bodies()[kind]) - {"breach", "at_utc"} if kind is Kind.BREACH_NOTE else set()
    for name in set(bodies()[kind]) - optional:
        body = dict(bodies()[kind])
        del body[name]
        with pytest.raises(InvalidInputError):
            parse_body(kind, body)


@each_kind
@pytest.mark.parametrize("value", [None, [], "text", 5, {}])
def test_other_json_values_are_no_body(kind: Kind, value: object) -> None:
    if value == {} and kind in (Kind.PRIVATE_ACCEPT, Kind.PRIVATE_DECLINE):
        assert parse_body(kind, value)  # what it cites says it all
        return
    with pytest.raises(InvalidInputError):
        parse_body(kind, value)


@each_kind
def test_every_kind_may_carry_one_line_that_binds_nobody(kind: Kind) -> None:
    body = parse_body(kind, bodies()[kind] | {"not_binding": "слабый ветер"})
    assert body.not_binding == "слабый ветер"
    for text in ("x" * 501, "two\nlines", "over\u202eride", ""):
        with pytest.raises(InvalidDocumentError):
            parse_body(kind, bodies()[kind] | {"not_binding": text})


@each_kind
def test_a_banned_word_is_refused_on_the_way_out_and_read_on_the_way_in(kind: Kind) -> None:
    body = parse_body(kind, bodies()[kind] | {"not_binding": "полёт разрешён"})
    with pytest.raises(BannedWordError, match="not_binding"):
        check_outgoing(body)


@each_kind
def test_a_body_without_banned_words_goes_out(kind: Kind) -> None:
    body = parse_body(kind, bodies()[kind])
    assert check_outgoing(body) is body


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("ACCOUNT", {"event": "the clearance"}, "event"),
        ("ACCOUNT", {"fields": {"said": "you were cleared"}}, "fields.said"),
        ("ACCOUNT", {"fields": {"clearance_given": True}}, "fields.clearance_given"),
        ("ACCOUNT", {"as_published": "permission given"}, "as_published"),
        ("LINE_CHECK", {"text": "approved"}, "text"),
        ("BREACH_NOTE", {"named": "the cleared corridor"}, "named"),
        ("BREACH_NOTE", {"reference": "target 4"}, "reference"),
    ],
)
def test_banned_words_are_found_in_every_text_a_person_writes(
    kind: str, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(BannedWordError) as caught:
        check_outgoing(parse_body(kind, bodies()[kind] | changes))
    assert caught.value.problem.startswith(field)


def test_a_label_with_a_banned_word_is_refused_on_the_way_out() -> None:
    with pytest.raises(BannedWordError, match="label"):
        check_outgoing(Declared.of(activity(label="cleared route")))


def test_names_of_terms_are_checked_on_the_way_out() -> None:
    wire = copy.deepcopy(bodies()["TERMS_PROPOSE"])
    wire["terms"]["theatre"]["name"] = "coordination area"
    with pytest.raises(BannedWordError, match=r"theatre\.name"):
        check_outgoing(parse_body("TERMS_PROPOSE", wire))


def test_checking_is_no_answer() -> None:
    with pytest.raises(InvalidDocumentError, match="send STANDBY"):
        parse_body("ANSWER", bodies()["ANSWER"] | {"said": "CHECKING"})


def test_there_is_no_target() -> None:
    wire = copy.deepcopy(bodies()["NOTIFY"])
    wire["declaration"]["purpose"] = "TARGET"
    with pytest.raises(InvalidDocumentError, match="needs a purpose"):
        parse_body("NOTIFY", wire)


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("SAFETY", {"phrase": 301}),
        ("SAFETY", {"phrase": 249}),
        ("SAFETY", {"values": {}}),
        ("SAFETY", {"phrase": 201.0}),
        ("CANCEL", {"reason": 201}),
        ("CANCEL", {"declaration_id": "D1"}),
        ("CEASE", {"declaration_id": None}),
        ("CEASE", {"reach_mm": 5000}),
        ("CEASE", {"position": {"lat_e7": 1, "lon_e7": 1}}),
        ("CEASE", {"effective_utc": "2016-09-17T12:45:00Z"}),
        ("CEASE", {"effective_utc": "now"}),
        ("QUERY", {"course_ddeg": 3600}),
        ("QUERY", {"speed_mmps": -1}),
        ("QUERY", {"position": {"lat_e7": 900_000_001, "lon_e7": 0}}),
        ("QUERY", {"level": {"reference": "MSL", "tmm": 0}}),
        ("QUERY", {"level": {"reference": "AMSL", "tmm": 10**10}}),
        ("ANSWER", {"at_utc": "2016-02-31T12:45:00.000Z"}),
        ("ANSWER", {"desk": "Lt. Ivanov, personally"}),
        ("READBACK_RESULT", {"agrees": True}),
        ("READBACK_RESULT", {"fields": []}),
        ("READBACK_RESULT", {"fields": ["colour"]}),
        ("ACCOUNT", {"fields": {}}),
        ("ACCOUNT", {"fields": {"a" + str(n): n for n in range(33)}}),
        ("ACCOUNT", {"fields": {"speed_mps": 250.5}}),
        ("ACCOUNT", {"fields": {"Bad Name": 1}}),
        ("ACCOUNT", {"incident_id": ID}),  # of an event and of an incident
        ("ACCOUNT", {"event": None}),
        ("INCIDENT", {"what": "VIOLATION"}),
        ("INCIDENT", {"risk": "A"}),
        ("INCIDENT", {"incident_id": "pass"}),
        ("EVIDENCE", {"sha256": "AB" * 32}),
        ("EVIDENCE", {"sha256": "ab" * 31}),
        ("EVIDENCE", {"sha256": "sha256:" + "ab" * 32}),
        ("EVIDENCE", {"length_bytes": -1}),
        ("EVIDENCE", {"length_bytes": 1.5}),
        ("EVIDENCE", {"media_type": "picture"}),
        ("EVIDENCE", {"media_type": "image/png; name=x"}),
        ("RISK", {"risk": "LOW"}),
        ("BREACH_NOTE", {"breach": "VIOLATION"}),
        ("BREACH_NOTE", {"named": "x" * 81}),
        ("TALLY", {"end_utc": START}),
        ("TALLY", {"incidents": {"CLOSE_PASS": []}}),
        ("TALLY", {"incidents": {"CLOSE_PASS": ["cd" * 32]}}),  # it is counted as a breach
        ("TALLY", {"breaches": {"LINE_CROSSED": ["ef" * 32, "cd" * 32]}}),
        ("TALLY", {"breaches": {"WITHDRAWN": ["cd" * 32]}}),
        ("TALLY", {"breaches": {"NO_NOTICE": [f"{n:064x}" for n in range(800)]}}),
        ("WATCH_CHANGE", {"desk": "Lt. Ivanov"}),
        ("WATCH_CHANGE", {"languages": []}),
        ("WATCH_CHANGE", {"languages": ["ru", "ru"]}),
        ("WATCH_CHANGE", {"languages": ["Russian"]}),
        ("SUSPEND", {"scope": "everything at all"}),
        ("LINE_CHECK", {"text": "x" * 121}),
        ("TERMS_ACCEPT", {"signature": {"algorithm": "none", "key_id": "ab" * 32, "value": ""}}),
    ],
)
def test_values_out_of_their_form_are_refused(kind: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        parse_body(kind, bodies()[kind] | changes)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InvalidDocumentError, match="no message has this kind"):
        parse_body("ORDER", {})


def test_a_body_made_with_wrong_values_does_not_become_wire() -> None:
    with pytest.raises(InvalidDocumentError):
        body_to_wire(Answer(said="MAYBE", desk="watch", at_utc=START))  # type: ignore[arg-type]
    assert body_to_wire(Answer(said=SaidWord.OURS, desk="watch", at_utc=START))["said"] == "OURS"


def test_a_cease_may_name_a_place_a_declaration_or_both() -> None:
    where = {"position": {"lat_e7": 1, "lon_e7": 1}, "reach_mm": 500_000}
    assert isinstance(parse_body("CEASE", {"effective_utc": END} | where), Cease)
    assert isinstance(
        parse_body("CEASE", {"effective_utc": END, "declaration_id": ID} | where), Cease
    )


def test_a_line_check_is_digits_and_survives_retyping() -> None:
    text = line_check_text(lambda count: bytes([0, 0, 0x12, 0x34][:count]))
    assert text == "4660 4660 4660"
    assert LineCheck(text=text).same_as(LineCheck(text=" 4660  46604660"))
    assert not LineCheck(text=text).same_as(LineCheck(text="4660 4660 4661"))
