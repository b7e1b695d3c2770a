"""Terms: one document in one byte form that both sign, and nonsense in it refused."""

from typing import Any

import msgspec
import pytest

from deconflict.airspace import AltitudeReference
from deconflict.airspace.landmark import Landmark
from deconflict.errors import (
    BadSignatureError,
    InvalidDocumentError,
    InvalidInputError,
    NotCanonicalError,
    UnknownKeyError,
)
from deconflict.line.canonical import parse_canonical
from deconflict.line.precedence import DEFAULT_TIMERS, Precedence
from deconflict.messages.agreement import (
    read_terms,
    sign_terms,
    terms_bytes,
    terms_hash,
    verify_terms_signature,
)
from deconflict.messages.declaration import Purpose
from deconflict.messages.in_force import (
    answer_within_ms,
    conversions_of,
    landmarks_of,
    minima_of,
    timers_of,
)
from deconflict.messages.kinds import KINDS, Kind
from deconflict.messages.terms import terms_from_wire, terms_to_wire
from messages_samples import AIRFIELD, LATAKIA, SECRETS, THIRD, place, terms

KEYS = {party: {key.key_id: key.verify_key} for party, key in SECRETS.items()}


def test_terms_have_one_byte_form() -> None:
    agreed = terms(third_parties=[THIRD])
    data = terms_bytes(agreed)
    assert read_terms(data) == agreed
    assert terms_bytes(read_terms(data)) == data
    with pytest.raises(NotCanonicalError):
        read_terms(data.replace(b'"format":', b'"format" :'))


def test_the_order_of_naming_the_parties_does_not_matter() -> None:
    assert terms_hash(terms()) == terms_hash(terms(parties=list(terms().parties)[::-1]))


@pytest.mark.parametrize("party", ["blue", "red"])
def test_each_party_signs_the_same_terms(party: str) -> None:
    agreed = terms()
    signature = sign_terms(agreed, SECRETS[party])
    assert verify_terms_signature(agreed, signature, KEYS[party]) == agreed


def test_one_party_cannot_sign_for_the_other() -> None:
    with pytest.raises(UnknownKeyError):
        verify_terms_signature(terms(), sign_terms(terms(), SECRETS["blue"]), KEYS["red"])


def test_a_signature_of_other_terms_does_not_hold() -> None:
    other = sign_terms(terms(theatre="Elsewhere"), SECRETS["red"])
    with pytest.raises(BadSignatureError):
        verify_terms_signature(terms(), other, KEYS["red"])


@pytest.mark.parametrize("party", ["blue", "red"])
def test_an_altered_byte_breaks_the_signature(party: str) -> None:
    signature = sign_terms(terms(), SECRETS[party])
    altered = read_terms(terms_bytes(terms()).replace(b"9260000", b"1260000"))
    with pytest.raises(BadSignatureError):
        verify_terms_signature(altered, signature, KEYS[party])


def _changed(path: str, value: Any) -> dict[str, Any]:
    wire: Any = parse_canonical(terms_bytes(terms(third_parties=[THIRD])))
    *way, last = path.split(".")
    inner = wire
    for step in way:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    if last.isdigit():
        inner[int(last)] = value
    elif value is ...:
        del inner[last]
    else:
        inner[last] = value
    return dict(wire)


PAIR = {"between": ["FLIGHT", "FLIGHT"], "lateral_mm": 9_260_000, "vertical_tmm": 3_048_000}
BOWTIE = [
    {"lat_e7": 0, "lon_e7": 0},
    {"lat_e7": 10**7, "lon_e7": 10**7},
    {"lat_e7": 0, "lon_e7": 10**7},
    {"lat_e7": 10**7, "lon_e7": 0},
]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "deconflict-terms/2"),
        ("line", "LINE"),
        ("version", 0),
        ("version", 2),  # a later version names what it replaces
        ("replaces", "ab" * 32),  # the first replaces nothing
        ("parties", []),
        ("parties.0.party", "zulu"),  # out of order
        ("parties.0.party", "red"),  # twice the same
        ("parties.0.languages", []),
        ("parties.0.languages", ["xx"]),
        ("parties.0.languages", ["en", "en"]),
        ("parties.0.answer_persons", 3),
        ("parties.0.main_desk", "Lt. Ivanov"),
        ("theatre.name", ""),
        ("theatre.outline", BOWTIE),
        ("theatre.landmarks.0.position", {"lat_e7": 0, "lon_e7": 0}),  # outside
        ("theatre.landmarks.0.name", LATAKIA.name),  # twice the same
        ("theatre.landmarks.0.name", "a\nb"),
        ("minima.default.lateral_mm", -1),
        ("minima.default.lateral_mm", 0),
        ("minima.default.lateral_mm", 9260.5),
        ("minima.default.vertical_tmm", -1),
        ("minima.pairs.0.between", ["FLIGHT", "ACTIVITY"]),  # out of order
        ("minima.pairs.0.between", ["FLIGHT", "TARGET"]),
        ("minima.pairs.0", PAIR),  # named twice
        ("lead_times.FLIGHT", ...),
        ("lead_times.TARGET", {"least_ms": 0, "aim_ms": 0}),
        ("lead_times.FLIGHT.least_ms", -1),
        ("lead_times.FLIGHT.least_ms", 7_200_000),  # more than the aim
        ("timers.limits.FLASH", ...),
        ("timers.limits.FLASH.lack_ms", 0),
        ("timers.limits.FLASH.lack_ms", 60_000),  # later than SEEN
        ("timers.ladders.ROUTINE", ...),
        ("timers.ladders.ROUTINE", []),
        ("timers.ladders.FLASH.1.after_ms", 0),  # does not rise
        ("timers.ladders.FLASH.0.steps", []),
        ("timers.ladders.FLASH.0.steps", ["PRESIDENT"]),
        ("timers.expires_after_ms.FLASH", ...),
        ("timers.answer_within_ms.QUERY", 200_000),  # may only shorten
        ("timers.answer_within_ms.ACK", 60_000),  # asks for nothing
        ("timers.answer_within_ms.ORDER", 60_000),
        ("altitude_conversions.0.lo_tmm", 10**6),  # above hi
        ("altitude_conversions.0.to", "AMSL"),  # to itself
        ("altitude_conversions.0.to", "MSL"),
        ("readback.position_mm", -1),
        ("readback.bearing_ddeg", 900),
        ("third_parties.0.name", "x" * 81),
        ("third_parties.0.where", BOWTIE),
        ("suspension_scopes.0.stops", ["SAFETY"]),
        ("suspension_scopes.0.stops", ["CEASE"]),
        ("suspension_scopes.0.stops", ["NOTIFY", "NOTIFY"]),
        ("suspension_scopes.0.name", "DECLARATIONS"),  # named twice
        ("retention_days", 0),
        ("line_check_every_ms", 0),
        ("clock_error_ms", -1),
        ("theatre", ...),
        ("third_parties", ...),
        ("weapons", "any"),
    ],
)
def test_nonsense_is_refused(path: str, value: Any) -> None:
    with pytest.raises(InvalidInputError):
        terms_from_wire(_changed(path, value))


def test_the_unchanged_document_of_those_tests_is_accepted() -> None:
    terms_from_wire(_changed("version", 1))


def test_a_conversion_named_both_ways_is_refused() -> None:
    wire = terms_to_wire(terms())
    there = wire["altitude_conversions"][0]
    back = there | {"source": there["to"], "to": there["source"]}
    with pytest.raises(InvalidDocumentError, match="altitude_conversions"):
        terms_from_wire(wire | {"altitude_conversions": [there, back]})


def test_the_fault_and_its_remedy_are_named() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        terms(landmarks=[Landmark("Far away", place(0, 0))])
    assert "landmark Far away" in str(caught.value)
    assert "check the position" in caught.value.remedy


def test_a_later_version_names_what_it_replaces() -> None:
    first = terms()
    second = terms(version=2, replaces=terms_hash(first))
    assert terms_from_wire(terms_to_wire(second)).replaces == terms_hash(first)


def test_the_proposed_values_are_those_of_the_requirements() -> None:
    agreed = terms()
    minima = minima_of(agreed)
    flights = minima.of("FLIGHT", "FLIGHT")
    assert (flights.lateral_m, flights.vertical_tmm) == (9_260.0, 3_048_000)
    assert timers_of(agreed).limits == DEFAULT_TIMERS.limits
    assert timers_of(agreed).ladders == DEFAULT_TIMERS.ladders
    assert answer_within_ms(Kind.QUERY, agreed) == 60_000
    assert answer_within_ms(Kind.NOTIFY, agreed) == 600_000
    assert answer_within_ms(Kind.CEASE, agreed) is None
    assert agreed.lead_times[Purpose.FLIGHT].least_ms == 900_000
    assert agreed.lead_times[Purpose.FLIGHT].aim_ms == 3_600_000
    assert agreed.line_check_every_ms == 3_600_000


def test_every_pair_of_purposes_has_minima_both_ways_round() -> None:
    minima = minima_of(terms())
    for one in Purpose:
        for other in Purpose:
            assert minima.of(one, other) == minima.of(other, one)
            assert frozenset((one.value, other.value)) in minima.pairs


def test_an_activity_keeps_more_distance_from_people_than_a_flight_over_them() -> None:
    minima = minima_of(terms())
    over = minima.of("FLIGHT", "OWN_PRESENCE")
    at = minima.of("ACTIVITY", "OWN_PRESENCE")
    assert at.lateral_m > over.lateral_m


def test_sea_level_and_ellipsoid_compare_and_pressure_levels_do_not() -> None:
    conversions = conversions_of(terms())
    sea, ellipsoid = AltitudeReference.AMSL, AltitudeReference.W84
    assert conversions.between(sea, ellipsoid) == (-1_100_000, 900_000)
    assert conversions.between(AltitudeReference.FL, sea) is None
    assert conversions.between(AltitudeReference.AGL, AltitudeReference.AGL) is None


def test_landmarks_are_those_agreed() -> None:
    assert landmarks_of(terms()) == (AIRFIELD, LATAKIA)


def test_no_scope_stops_safety_or_cease() -> None:
    agreed = terms()
    for scope in agreed.suspension_scopes:
        assert not any(agreed.stops(kind, scope.name) for kind in Kind if KINDS[kind].always_passes)
    assert agreed.stops(Kind.NOTIFY, "ALL")
    assert not agreed.stops(Kind.SAFETY, "ALL")
    assert not agreed.stops(Kind.CANCEL, "DECLARATIONS")
    with pytest.raises(InvalidDocumentError, match="ALL, DECLARATIONS"):
        agreed.stops(Kind.NOTIFY, "EVERYTHING")


def test_a_party_is_found_by_name() -> None:
    assert terms().party("blue").answer_persons == 2
    with pytest.raises(InvalidDocumentError, match="blue or red"):
        terms().party("green")


def test_changed_limits_reach_the_line() -> None:
    wire = _changed("timers.limits.FLASH.answer_ms", 20_000)
    assert timers_of(terms_from_wire(wire)).limits[Precedence.FLASH].answer_ms == 20_000


def test_terms_do_not_hold_a_third_party_twice() -> None:
    with pytest.raises(InvalidDocumentError, match="third_parties"):
        terms(third_parties=[THIRD, THIRD])


def test_one_field_can_be_replaced_in_a_draft() -> None:
    draft = msgspec.structs.replace(terms(), retention_days=30)
    assert terms_from_wire(terms_to_wire(draft)).retention_days == 30
