"""What must hold for any text, any value, any declaration."""

import math
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deconflict.airspace import (
    AltitudeBand,
    AltitudeReference,
    Circle,
    Geometry,
    Position,
    TimeSpan,
    Trajectory,
    Volume,
    format_utc,
    parse_utc,
)
from deconflict.airspace.geodesy import distance, inverse
from deconflict.airspace.wire import position_from_wire
from deconflict.errors import InvalidInputError
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.messages import values
from deconflict.messages.bodies import Body, Readback, body_to_wire, parse_body
from deconflict.messages.declaration import (
    Declaration,
    Purpose,
    declaration_from_wire,
    declaration_to_wire,
)
from deconflict.messages.direction import (
    all_closed,
    closed_lines,
    isolated,
    without_isolates,
)
from deconflict.messages.incident_bodies import BreachWord, IncidentWord, RiskWord
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_phrases, message_text
from deconflict.messages.notice import implausible_leg, is_surely_plausible
from deconflict.messages.phrases import phrases, render, say_aloud
from deconflict.messages.private_bodies import PrivateEndReason
from deconflict.messages.readback import compare_readback, differences_text, readback_of
from deconflict.messages.summary import stated_points, summarise
from deconflict.messages.values import ValueType
from deconflict.messages.wire_form import write_form
from deconflict.messages.words import LANGUAGES, check_text, find_banned
from deconflict.node.keeping.standing import Hindrance
from effort import examples
from geometry_strategies import geometries, trajectories
from messages_samples import AIRFIELD, LATAKIA, bodies, terms

BODIES = bodies()
TERMS = terms()
BANNED = [
    "cleared", "clearance", "approved", "permission", "authorised", "coordinate", "cooperation",
    "разрешено", "одобрено", "согласовано", "координаты", "утверждено", "санкционировано",
    "موافقة", "بالموافقة", "تصريح", "مسموح", "ترخيص", "والتنسيق", "هدفكم",
]  # fmt: skip
TWINS = {"a": "а", "c": "с", "e": "е", "o": "о", "p": "р", "x": "х", "y": "у", "i": "і", "s": "ѕ"}
TWINS |= {cyrillic: latin for latin, cyrillic in TWINS.items() if latin not in "is"}
TWINS |= {"ي": "ی", "ك": "ک", "ة": "ۃ", "ا": "أ", "ف": "ڤ"}
INVISIBLE = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u0301", "\u200e", "\u0651"]
positions = st.builds(
    Position,
    st.integers(-900_000_000, 900_000_000),
    st.integers(-1_800_000_000, 1_799_999_999),
)
instants = st.integers(0, 4_000_000_000_000)
altitudes = st.integers(-1_000_000, 200_000_000)
references = st.sampled_from(AltitudeReference)


@st.composite
def volumes(draw: st.DrawFn) -> Volume:
    lower, upper = sorted((draw(altitudes), draw(altitudes)))
    start, end = sorted(draw(st.tuples(instants, instants).filter(lambda pair: pair[0] != pair[1])))
    return Volume(
        Circle(draw(positions), draw(st.integers(1, 500_000_000))),
        AltitudeBand(
            draw(references),
            draw(st.sampled_from((lower, None))),
            draw(st.sampled_from((upper, None))),
        ),
        TimeSpan(start, end),
    )


declarations = st.builds(
    Declaration,
    declaration_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    purpose=st.sampled_from(Purpose),
    geometry=st.lists(volumes(), min_size=1, max_size=4).map(tuple),
    label=st.none() | st.text("abc дом 12", min_size=1, max_size=20).filter(str.strip),
    revision=st.integers(1, 1_000_000),
)


@given(st.data(), st.sampled_from(BANNED))
def test_a_banned_word_is_found_through_any_mix_of_twins_marks_and_case(
    data: st.DataObject, word: str
) -> None:
    written = ""
    for letter in word:
        letter = data.draw(st.sampled_from((letter, TWINS.get(letter, letter))))
        letter = data.draw(st.sampled_from((letter, letter.upper())))
        written += letter + data.draw(st.sampled_from(["", "", "", *INVISIBLE]))
    assert find_banned(f"we are {written} now")


@given(st.text(max_size=200))
def test_any_text_is_judged_and_judged_alike_twice(text: str) -> None:
    assert find_banned(text) == find_banned(text)
    assert all(find.written and find.reads_as for find in find_banned(text))


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_accepted_text_is_one_visible_line(text: str) -> None:
    try:
        check_text(text)
    except InvalidInputError:
        return
    assert text.strip()
    assert not any(unicodedata.category(character) == "Cc" for character in text)
    assert len(text.splitlines()) == 1


@given(declarations)
def test_any_declaration_survives_its_bytes_and_agrees_with_its_own_readback(
    declaration: Declaration,
) -> None:
    wire = parse_canonical(canonical_bytes(declaration_to_wire(declaration)))
    assert declaration_from_wire(wire) == declaration
    said = readback_of(declaration, [AIRFIELD, LATAKIA])
    assert (
        compare_readback(
            declaration, said, landmarks=[AIRFIELD, LATAKIA], tolerances=TERMS.readback
        )
        == ()
    )
    body = {"values": parse_canonical(canonical_bytes(write_form(said)))}
    assert body_to_wire(parse_body("READBACK", body)) == body


VALUES: dict[ValueType, st.SearchStrategy[Any]] = {
    ValueType.POSITION: positions.map(lambda p: {"lat_e7": p.lat_e7, "lon_e7": p.lon_e7}),
    ValueType.TIME: instants.map(format_utc),
    ValueType.ALTITUDE: st.fixed_dictionaries({"reference": references.map(str), "tmm": altitudes}),
    ValueType.BAND: st.fixed_dictionaries(
        {
            "reference": references.map(str),
            "lower_tmm": st.none() | altitudes,
            "upper_tmm": st.none() | altitudes,
        }
    ),
    ValueType.BEARING: st.integers(0, 3599),
    ValueType.PHRASE: st.sampled_from((301, 312, 325)),
    ValueType.NAME: st.sampled_from(("red", "Латакия, порт", "uss-2", "مطار الرقة 2", "-5")),
    ValueType.ID: st.binary(min_size=32, max_size=32).map(bytes.hex),
    ValueType.TEXT: st.sampled_from(("seen at dusk, 2 of them", "شوهد عند الغروب، 2", "4711 0815")),
    ValueType.KIND: st.sampled_from(Kind).map(str),
    ValueType.PURPOSE: st.sampled_from(Purpose).map(str),
    ValueType.ANSWER: st.just("WILCO"),
    ValueType.SAID: st.just("OURS"),
    ValueType.TALK: st.just("WORKING"),
    ValueType.TALKS: st.just(["PHONE", "ru"]),
    ValueType.FIELDS: st.just(["position"]),
    ValueType.INCIDENT: st.sampled_from(IncidentWord).map(str),
    ValueType.BREACH: st.sampled_from(BreachWord).map(str),
    ValueType.RISK: st.sampled_from(RiskWord).map(str),
    ValueType.AUDIT: st.sampled_from(Hindrance).map(str),
    ValueType.CHECK_END: st.sampled_from(PrivateEndReason).map(str),
}


@given(st.data(), st.sampled_from(phrases()))
def test_any_values_that_fit_are_written_and_said_in_every_language(
    data: st.DataObject, entry: Any
) -> None:
    values = {
        name: data.draw(VALUES.get(kind, st.integers(0, 10**12)))
        for name, kind in entry.values.items()
    }
    for language in LANGUAGES:
        text = render(entry.number, values, language)
        assert "{" not in text
        assert "E+" not in text
        assert all_closed(text)
        said = say_aloud(entry.number, values, language)
        assert not any(character.isdigit() for character in said)
        assert not set(said) & set("\u2066\u2067\u2068\u2069")


PIECES = st.lists(
    st.sampled_from(("red", "الرقة", " ", "5.00 NM", ".", "\u2066", "\u2068", "\u2069")),
    max_size=12,
).map("".join)


@given(PIECES, st.integers(1, 9), st.booleans())
def test_whatever_way_a_closed_text_is_cut_each_line_is_closed(
    text: str, width: int, right_to_left: bool
) -> None:
    whole = isolated(without_isolates(text)) + "." if not all_closed(text) else text
    if not all_closed(whole):
        return
    cut = [whole[at : at + width] for at in range(0, len(whole), width)]
    lines = closed_lines(cut, right_to_left=right_to_left)
    for line in lines:
        inner = line[1:-1] if right_to_left else line
        assert all_closed(inner)
    plain = "".join(lines).translate({0x2066: None, 0x2067: None, 0x2068: None, 0x2069: None})
    assert plain == without_isolates(whole)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.data(), st.sampled_from(Kind), JSON)
def test_hostile_bodies_are_refused_by_an_error_of_ours_or_can_be_shown(
    data: st.DataObject, kind: Kind, value: Any
) -> None:
    body = BODIES[kind]
    name = data.draw(st.sampled_from(sorted(body) or ["not_binding"]))  # an acceptance says nothing
    spoiled = [body | {name: value}, value]
    for candidate in spoiled:
        _shown_or_refused(kind, candidate)


@pytest.mark.parametrize("path", ["declaration_id", "purpose", "geometry", "label", "revision"])
@given(value=JSON)
def test_hostile_declarations_are_refused_by_an_error_of_ours(path: str, value: Any) -> None:
    wire = BODIES["NOTIFY"]["declaration"]
    try:
        declaration_from_wire(wire | {path: value})
    except InvalidInputError:
        return
    assert path in {"label", "revision", "purpose"}


NUMBERS = st.integers(-(2**53), 2**53) | st.sampled_from((None, "", "\u202e", -1, 0, 3600))


@given(st.sampled_from(sorted(BODIES["READBACK"]["values"])), NUMBERS)
def test_hostile_readbacks_are_refused_or_can_be_shown_and_compared(field: str, value: Any) -> None:
    values = BODIES["READBACK"]["values"] | {field: value}
    body = _shown_or_refused(Kind.READBACK, {"values": values})
    if isinstance(body, Readback):
        declared = declaration_from_wire(BODIES["UPDATE"]["declaration"])
        found = compare_readback(
            declared, body.values, landmarks=[AIRFIELD], tolerances=TERMS.readback
        )
        for language in LANGUAGES:
            differences_text(found, language, reference=AltitudeReference.AMSL)


def _shown_or_refused(kind: Kind, value: Any) -> Body | None:
    try:
        body = parse_body(kind, value)
    except InvalidInputError:
        return None
    for language in LANGUAGES:
        assert message_text(kind, body, party="red", language=language)
        for number, said in message_phrases(kind, body, party="red", language=language):
            assert say_aloud(number, said, language)
    return body


@given(geometries)
@examples(200)
def test_a_reach_is_that_of_the_farthest_place(geometry: Geometry) -> None:
    points = list(stated_points(geometry))
    assert summarise(geometry).reach_mm == max(
        math.ceil(distance(points[0][0], place) * 1000) + around_mm for place, around_mm in points
    )


@given(trajectories())
@examples(200)
def test_what_is_surely_plausible_is_plausible(flight: Trajectory) -> None:
    legs = [
        (
            inverse(start.position, end.position).distance_m,
            abs(end.altitude_tmm - start.altitude_tmm),
            end.at_ms - start.at_ms,
        )
        for start, end in pairwise(flight.waypoints)
    ]
    plausible = all(
        length_m <= span_ms and height_tmm <= 4_000 * span_ms
        for length_m, height_tmm, span_ms in legs
    )
    declared = Declaration("d" * 32, Purpose.FLIGHT, flight)
    assert (implausible_leg(declared) is None) is plausible
    assert plausible or not is_surely_plausible(flight)


@given(st.from_regex(values._SURE_TIME, fullmatch=True))
@examples(300)
def test_a_time_that_is_surely_sound_is_read_and_written_alike(text: str) -> None:
    assert format_utc(parse_utc(text)) == text


@given(
    st.fixed_dictionaries(
        {"lat_e7": st.integers(-(10**9), 10**9), "lon_e7": st.integers(-2 * 10**9, 2 * 10**9)}
    )
)
@example({"lat_e7": 900_000_000, "lon_e7": -1_800_000_000})
@example({"lat_e7": -900_000_001, "lon_e7": 0})
@example({"lat_e7": 0, "lon_e7": 1_800_000_000})
@examples(300)
def test_a_place_is_taken_exactly_when_it_can_be_one(value: dict[str, int]) -> None:
    def refused(read: Callable[[], object]) -> bool:
        try:
            read()
        except InvalidInputError:
            return True
        return False

    assert refused(lambda: values.check_value(ValueType.POSITION, value, "where")) is refused(
        lambda: position_from_wire(value)
    )
