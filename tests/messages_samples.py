"""Declarations, terms and bodies of two parties over Syria, for the tests of what is said."""

import base64
import hashlib
from typing import Any

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Containment,
    Corridor,
    Polygon,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    Waypoint,
    parse_utc,
)
from deconflict.airspace.landmark import Landmark
from deconflict.line.keys import SigningKey
from deconflict.messages.agreement import sign_terms
from deconflict.messages.declaration import Declaration, Purpose, declaration_to_wire
from deconflict.messages.readback import readback_of
from deconflict.messages.terms import PartyTerms, Terms, ThirdParty, terms_to_wire
from deconflict.messages.terms_defaults import default_terms
from deconflict.messages.wire_form import Place, write_form

START = "2016-09-17T12:45:00.000Z"
END = "2016-09-17T14:30:00.000Z"
START_MS, END_MS = parse_utc(START), parse_utc(END)
AIRFIELD = Landmark("Deir ez-Zor airfield", Position.from_degrees(35.2854, 40.1760))
LATAKIA = Landmark("Латакия, порт", Position.from_degrees(35.5200, 35.7700))
ID = "d1" * 16
OTHER_ID = "d2" * 16
HASH = "ab" * 32
SECRETS = {
    "blue": SigningKey.from_seed(b"b" * 32),
    "red": SigningKey.from_seed(b"r" * 32),
}


def place(lat: float, lon: float) -> Position:
    return Position.from_degrees(lat, lon)


def feet(number: int) -> int:
    return number * 3_048


def band(lower_ft: int | None = 0, upper_ft: int | None = 25_000) -> AltitudeBand:
    return AltitudeBand(
        AltitudeReference.AMSL,
        None if lower_ft is None else feet(lower_ft),
        None if upper_ft is None else feet(upper_ft),
    )


def circle(
    lat: float = 35.17572, lon: float = 40.14079, radius_mm: int = 3_704_000, **changes: Any
) -> Volume:
    fields = {"band": band(), "span": TimeSpan(START_MS, END_MS)} | changes
    return Volume(outline=Circle(place(lat, lon), radius_mm), **fields)


def activity(*volumes: Volume, **changes: Any) -> Declaration:
    fields: dict[str, Any] = {
        "declaration_id": ID,
        "purpose": Purpose.ACTIVITY,
        "geometry": volumes or (circle(),),
    }
    return Declaration(**fields | changes)


def flight(**changes: Any) -> Declaration:
    trajectory = Trajectory(
        AltitudeReference.FL,
        (
            Waypoint(START_MS, place(35.4, 36.0), feet(30_000)),
            Waypoint(START_MS + 1_200_000, place(35.9, 38.0), feet(32_000)),
            Waypoint(START_MS + 2_400_000, place(35.3, 40.1), feet(20_000)),
        ),
        Containment(lateral_mm=1_852_000, vertical_tmm=feet(300), time_ms=60_000),
    )
    fields: dict[str, Any] = {
        "declaration_id": OTHER_ID,
        "purpose": Purpose.FLIGHT,
        "geometry": trajectory,
    }
    return Declaration(**fields | changes)


def polygon(*corners: tuple[float, float], **changes: Any) -> Volume:
    fields = {"band": band(), "span": TimeSpan(START_MS, END_MS)} | changes
    return Volume(outline=Polygon(tuple(place(*corner) for corner in corners)), **fields)


def corridor(*path: tuple[float, float], half_width_mm: int, **changes: Any) -> Volume:
    fields = {"band": band(), "span": TimeSpan(START_MS, END_MS)} | changes
    outline = Corridor(tuple(place(*point) for point in path), half_width_mm)
    return Volume(outline=outline, **fields)


OUTLINE = (place(32, 35), place(38, 35), place(38, 43), place(32, 43))
THIRD = ThirdParty(
    "Third", tuple(Place.of(p) for p in (place(35, 36), place(36, 36), place(36, 37)))
)


def terms(**changes: Any) -> Terms:
    arguments: dict[str, Any] = {
        "line": "0f" * 16,
        "parties": [
            PartyTerms("red", "watch", "duty", ("ru",), 1),
            PartyTerms("blue", "watch", "duty", ("en",), 2),
        ],
        "theatre": "Syria",
        "outline": OUTLINE,
        "landmarks": [AIRFIELD, LATAKIA],
    }
    return default_terms(**arguments | changes)


def bodies() -> dict[str, dict[str, Any]]:
    """One valid body of every kind, in its wire form."""
    declared = {"declaration": declaration_to_wire(activity())}
    report = {"desk": "watch", "at_utc": START}
    agreed = terms()
    return {
        "NOTIFY": {
            "declaration": declaration_to_wire(flight()),
            "not_binding": "wind from the sea",
        },
        "UPDATE": declared,
        "CORRECTION": declared,
        "CANCEL": {"declaration_id": ID, "reason": 302},
        "ACK": {"answer": "ROGER"},
        "READBACK": {"values": write_form(readback_of(activity(), [AIRFIELD]))},
        "READBACK_RESULT": {"declaration_id": ID, "agrees": False, "fields": ["position"]},
        "CONCERN": {
            "first": ID,
            "second": OTHER_ID,
            "first_message": HASH,
            "second_message": HASH,
            "reason": 312,
        },
        "PROPOSE": {
            "first": ID,
            "second": OTHER_ID,
            "declaration_id": ID,
            "shift_ms": 600_000,
            "level_tmm": -feet(2_000),
        },
        "QUERY": {
            "position": {"lat_e7": 354_000_000, "lon_e7": 360_000_000},
            "level": {"reference": "AMSL", "tmm": feet(18_000)},
            "course_ddeg": 3090,
            "speed_mmps": 250_000,
            "at_utc": START,
        },
        "ANSWER": {"said": "NOT_OURS", "desk": "watch", "at_utc": START},
        "SAFETY": {
            "phrase": 201,
            "values": {
                "where": {"lat_e7": 354_000_000, "lon_e7": 360_000_000},
                "level": {"reference": "AMSL", "tmm": feet(18_000)},
                "course": 3090,
                "speed": 250_000,
                "at": START,
            },
        },
        "CEASE": {"effective_utc": START, "declaration_id": ID, "reason": 321},
        "CEASED": report,
        "CONTINUING": report,
        "CANNOT_REACH": report,
        "LINE_CHECK": {"text": "4821 0937 5510"},
        "LINE_CHECK_REPLY": {"text": "4821 0937 5510"},
        "SEEN": report,
        "LOADED": {"declaration_id": ID, "at_utc": START},
        "STANDBY": report,
        "SUSPEND": {"scope": "ALL", "effective_utc": START, "reason": 331},
        "RESUME": {"scope": "ALL", "effective_utc": END},
        "SCOPE": {"scope": "ALL", "to": "DECLARATIONS", "effective_utc": END, "reason": 331},
        "DRILL_BEGIN": {"until_utc": END},
        "DRILL_END": {"at_utc": END},
        "RELEASE_CONSENT": {"release": "COALITION"},
        "ACCOUNT": {
            "event": "pass",
            "fields": {"left_its_level": "RUS", "closest_below_m": 805, "by_night": True},
            "object_kind": "combat_jet",
            "as_published": "20:40 EDT 6 Apr / 03:40 local",
        },
        "INCIDENT": {
            "incident_id": ID,
            "at_utc": START,
            "position": {"lat_e7": 354_000_000, "lon_e7": 360_000_000},
            "what": "CLOSE_PASS",
            "level": {"reference": "AMSL", "tmm": feet(18_000)},
            "risk": "SAFETY_NOT_ASSURED",
        },
        "EVIDENCE": {
            "incident_id": ID,
            "sha256": HASH,
            "length_bytes": 48_213,
            "media_type": "image/png",
        },
        "RISK": {"incident_id": ID, "risk": "UNDETERMINED"},
        "BREACH_NOTE": {
            "breach": "LINE_CROSSED",
            "at_utc": START,
            "position": {"lat_e7": 354_000_000, "lon_e7": 401_000_000},
            "declaration_id": OTHER_ID,
            "incident_id": ID,
            "named": "the river line",
            "reference": "N-17",
        },
        "TALLY": {
            "start_utc": START,
            "end_utc": END,
            "incidents": {"CLOSE_PASS": [HASH]},
            "breaches": {"LINE_CROSSED": ["cd" * 32, "ef" * 32]},
        },
        "WATCH_CHANGE": {"desk": "watch", "at_utc": START, "languages": ["en", "ru"]},
        "TERMS_PROPOSE": {
            "terms": terms_to_wire(agreed),
            "signature": write_form(sign_terms(agreed, SECRETS["blue"])),
        },
        "TERMS_ACCEPT": {
            "terms": terms_to_wire(agreed),
            "signature": write_form(sign_terms(agreed, SECRETS["red"])),
        },
        "EPOCH": {
            "follows": {"epoch": ID, "seq": 41, "hash": ID * 2},
            "reason": "RESTORED",
            "key": None,
        },
        "VOICE": {
            "side": "HEARD",
            "number": 17,
            "message": "4f2a9c01",
            "check": "003521",
            "said": [{"phrase": 214, "values": {"at": "2015-09-30T06:12:00.000Z"}}],
            "desk": "watch",
            "at_utc": START,
        },
        "TALK_REQUEST": talk_offer(),
        "TALK_PROPOSE": talk_offer(media=["IN_PERSON"], place=write_form(Place.of(place(35, 36)))),
        "TALK_ACCEPT": {"slot": {"start_utc": START, "end_utc": END}, "medium": "PHONE"},
        "TALK_DECLINE": {"reason": "TIME"},
        "TALK_CANCEL": {"reason": "SETTLED"},
        "CALL_RECORD": {
            "start_utc": START,
            "end_utc": END,
            "tier": "SENIOR_1",
            "medium": "PHONE",
            "languages": ["ru", "en"],
            "participants": {
                "red": ["SENIOR_1", "INTERPRETER"],
                "blue": ["SENIOR_1", "INTERPRETER", "LEGAL_ADVISER"],
            },
        },
        "READOUT_PROPOSE": {"readout": readout()},
        "READOUT_AGREE": {"readout": readout()},
        "READOUT_OWN": {"readout": {"call": HASH, "texts": {"en": ["The call was held."]}}},
        "READOUT_WITHHELD": {"call": HASH},
        "PRIVATE_PROPOSE": {"mode": "MUTUAL", "grid": HASH, "start_utc": START, "runs": 4},
        "PRIVATE_ACCEPT": {},
        "PRIVATE_DECLINE": {"reason": 331},
        "PRIVATE_STEP": private_step(),
        "PRIVATE_COIN": {"run": 0, "coin": HASH},
        "PRIVATE_END": {"run": 2, "reason": "CANARY_LOST"},
        "PRIVATE_SUBMIT": {
            "session": HASH,
            "peer": "red",
            "answer": "COUNT",
            "lists": 8,
            "bucket": 256,
            "sha256": HASH,
            "parts": [HASH],
            "expires_utc": END,
        },
        "PRIVATE_MEDIATION": {
            "session": HASH,
            "answer": "COUNT",
            "submissions": [
                {"party": "blue", "submission": HASH},
                {"party": "red", "submission": HASH},
            ],
            "answers": [0, 3, 0, 17, 2, 0, 0, 1],
        },
    }


def private_step(data: bytes = b"a root over chunks, 32 bytes of it"[:32]) -> dict[str, Any]:
    """A step of a private check, in its wire form."""
    return {
        "run": 0,
        "step": "ROOT",
        "number": 0,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "data": base64.b64encode(data).decode(),
    }


def talk_offer(**changes: Any) -> dict[str, Any]:
    """A request for a call, in its wire form."""
    fields = {
        "tier": "SENIOR_1",
        "subject": "INCIDENT",
        "slots": [
            {"start_utc": START, "end_utc": END},
            {"start_utc": "2016-09-18T06:00:00.000Z", "end_utc": "2016-09-18T06:30:00.000Z"},
        ],
        "languages": ["en", "ru"],
        "media": ["PHONE", "VIDEO"],
    }
    return fields | changes


def readout() -> dict[str, Any]:
    """A readout in both languages, in its wire form."""
    return {
        "call": HASH,
        "texts": {
            "en": ["Both sides spoke of the event of 17 September.", "They will speak again."],
            "ru": ["Стороны говорили о событии 17 сентября.", "Они поговорят ещё раз."],
        },
    }
