"""Numbered phrases (R33, R35, R36): every language says the same numbers and figures."""

import re
import string
from typing import Any

import pytest

from deconflict.errors import InvalidInputError
from deconflict.line.precedence import Step
from deconflict.messages.bodies import AnswerWord, SaidWord
from deconflict.messages.declaration import Purpose
from deconflict.messages.incident_bodies import BreachWord, IncidentWord, RiskWord
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import (
    REASONS,
    SAFETY_PHRASES,
    Phrase,
    check_values,
    phrase,
    phrase_named,
    phrases,
    render,
    render_named,
    say_aloud,
    wording,
)
from deconflict.messages.readback import ReadbackValues
from deconflict.messages.talks import (
    RECORD_FIELDS,
    CallLanguage,
    CallRole,
    Medium,
    Subject,
    TalkFault,
    TalkReason,
    Tier,
)
from deconflict.messages.values import ValueType
from deconflict.messages.words import LANGUAGES, find_banned
from deconflict.node.keeping.standing import Hindrance

TALK_WORDS = {
    *(*Tier, *Medium, *Subject, *TalkReason, *CallRole, *CallLanguage, *TalkFault, *RECORD_FIELDS)
}

SAMPLES: dict[ValueType, Any] = {
    ValueType.POSITION: {"lat_e7": 352_854_000, "lon_e7": -401_760_000},
    ValueType.TIME: "2015-09-30T06:12:00.000Z",
    ValueType.ALTITUDE: {"reference": "AMSL", "tmm": 106_680_000},
    ValueType.BAND: {"reference": "FL", "lower_tmm": None, "upper_tmm": 106_680_000},
    ValueType.DISTANCE: 9_260_000,
    ValueType.SEPARATION: 9_259_999,
    ValueType.HEIGHT: 3_048_000,
    ValueType.BEARING: 75,
    ValueType.SPEED: 250_000,
    ValueType.COUNT: 3,
    ValueType.DURATION: 905_000,
    ValueType.PHRASE: 301,
    ValueType.NAME: "red",
    ValueType.ID: "ab" * 16,
    ValueType.TEXT: "seen at dusk",
    ValueType.KIND: "CEASE",
    ValueType.KINDS: ["NOTIFY", "UPDATE"],
    ValueType.PURPOSE: "OWN_PRESENCE",
    ValueType.ANSWER: "ROGER",
    ValueType.SAID: "NOT_OURS",
    ValueType.FIELDS: ["position", "start_utc"],
    ValueType.TALK: "SENIOR_2",
    ValueType.TALKS: ["PHONE", "he"],
    ValueType.INCIDENT: "CLOSE_PASS",
    ValueType.BREACH: "LINE_CROSSED",
    ValueType.RISK: "UNDETERMINED",
    ValueType.AUDIT: "ENDED",
    ValueType.CHECK_END: "CANARY_LOST",
}
SINCE = "2015-09-30T06:12:00.000Z"
each_phrase = pytest.mark.parametrize("entry", phrases(), ids=lambda entry: entry.name)
each_language = pytest.mark.parametrize("language", LANGUAGES)


def sample_values(entry: Phrase) -> dict[str, Any]:
    return {name: SAMPLES[kind] for name, kind in entry.values.items()}


def test_a_sample_of_every_type_of_value_is_here() -> None:
    assert set(SAMPLES) == set(ValueType)


@each_language
def test_every_language_has_exactly_the_numbers_of_the_catalogue(language: str) -> None:
    assert set(wording(language)["texts"]) == {str(entry.number) for entry in phrases()}


@each_language
@each_phrase
def test_every_text_has_exactly_the_placeholders_of_its_number(
    entry: Phrase, language: str
) -> None:
    text = wording(language)["texts"][str(entry.number)]
    parsed = list(string.Formatter().parse(text))
    names = [name for _, name, _, _ in parsed if name is not None]
    assert sorted(set(names)) == sorted(entry.values)
    assert all(not spec and not conversion for _, _, spec, conversion in parsed)


@each_language
@each_phrase
def test_no_text_says_a_banned_word(entry: Phrase, language: str) -> None:
    assert find_banned(wording(language)["texts"][str(entry.number)]) == ()
    assert find_banned(render(entry.number, sample_values(entry), language)) == ()


@each_language
def test_no_form_or_word_of_a_list_is_banned(language: str) -> None:
    words = wording(language)
    said = [text for part in ("formats", "speech") for text in words[part].values()]
    said += [text for group in words["terms"].values() for text in group.values()]
    assert [find for text in said for find in find_banned(text)] == []


@each_language
@each_phrase
def test_texts_hold_no_digits_of_their_own(entry: Phrase, language: str) -> None:
    assert not re.search(r"\d", wording(language)["texts"][str(entry.number)])


@each_phrase
def test_all_languages_show_the_same_figures(entry: Phrase) -> None:
    values = sample_values(entry)
    figures = {
        language: sorted(re.findall(r"\d+(?:\.\d+)?", render(entry.number, values, language)))
        for language in LANGUAGES
    }
    assert figures == dict.fromkeys(LANGUAGES, figures["en"])


@each_language
def test_digits_are_european_in_every_language(language: str) -> None:
    said = repr(wording(language))
    assert [c for c in said if c.isdigit() and c not in "0123456789"] == []


@each_language
@each_phrase
def test_a_script_spells_every_digit_and_says_it_twice(entry: Phrase, language: str) -> None:
    script = say_aloud(entry.number, sample_values(entry), language)
    assert not re.search(r"\d", script)
    again = wording(language)["texts"][str(phrase_named("SAY_AGAIN").number)]
    once, _, twice = script.partition(f" {again} ")
    assert once == twice or entry.name == "SAY_AGAIN"


def test_numbers_lie_in_the_range_of_what_they_are_for() -> None:
    assert all(not phrase(number).values for number in REASONS if number in _numbers())
    safety = [phrase(number) for number in SAFETY_PHRASES if number in _numbers()]
    open_types = {ValueType.TEXT, ValueType.NAME}
    assert safety
    assert all(open_types.isdisjoint(entry.values.values()) for entry in safety)


def _numbers() -> set[int]:
    return {entry.number for entry in phrases()}


def test_names_are_each_used_once() -> None:
    names = [entry.name for entry in phrases()]
    assert len(names) == len(set(names))


@each_language
def test_the_fixed_sentence_stands_in_every_acknowledgement(language: str) -> None:
    sentence = render_named("ACKNOWLEDGED_IS_NOT_PERMISSION", {}, language)
    assert sentence in render(105, {"party": "red", "answer": "ROGER"}, language)


@each_language
@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("kind", set(Kind)),
        ("purpose", set(Purpose)),
        ("answer", set(AnswerWord)),
        ("said", set(SaidWord)),
        ("step", set(Step)),
        ("incident", set(IncidentWord)),
        ("breach", set(BreachWord)),
        ("risk", set(RiskWord)),
        ("fields", {*ReadbackValues.__struct_fields__, "none"}),
        ("talk", TALK_WORDS),
        ("audit", set(Hindrance)),
    ],
)
def test_closed_lists_are_complete_in_every_language(
    language: str, group: str, words: set[str]
) -> None:
    assert set(wording(language)["terms"][group]) == {str(word) for word in words}


@each_language
def test_forms_are_the_same_in_every_language(language: str) -> None:
    for part in ("formats", "speech", "digits", "letters"):
        other = wording(LANGUAGES[0])[part]
        assert set(wording(language)[part]) == set(other)
        for name, text in wording(language)[part].items():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", other[name]))


def test_values_are_written_with_unit_datum_and_utc() -> None:
    values = {
        "where": {"lat_e7": 352_854_000, "lon_e7": 401_760_000},
        "level": {"reference": "AMSL", "tmm": 106_680_000},
        "course": 75,
        "speed": 250_000,
        "at": "2015-09-30T06:12:00.000Z",
    }
    english = render(201, values, "en")
    assert "35.2854000, 40.1760000 (35°17'07.4400\"N 040°10'33.6000\"E; MGRS 37S" in english
    assert "35000 ft above mean sea level (10668 m)" in english
    assert "course 007.5° true, speed 486 kt (900 km/h)" in english
    assert "at 2015-09-30 06:12:00Z." in english
    russian = render(201, values, "ru")
    assert "10668 м над средним уровнем моря (35000 ft)" in russian
    assert "скорость 900 км/ч (486 kt), на 2015-09-30 06:12:00Z." in russian


@pytest.mark.parametrize(
    ("tmm", "reference", "written"),
    [
        (106_680_000, "FL", "FL350 (35000 ft pressure altitude, 10668 m)"),
        (106_690_000, "FL", "35003.3 ft pressure altitude (10669 m)"),
        (0, "AGL", "0 ft above ground (0 m)"),
        (-1_000_000, "W84", "-328.1 ft above the WGS84 ellipsoid (-100 m)"),
    ],
)
def test_an_altitude_always_says_what_it_is_measured_from(
    tmm: int, reference: str, written: str
) -> None:
    level = {"reference": reference, "tmm": tmm}
    values = {
        "where": SAMPLES[ValueType.POSITION],
        "level": level,
        "at": SAMPLES[ValueType.TIME],
    }
    assert written in render(204, values, "en")


@pytest.mark.parametrize(
    ("mm", "written"),
    [
        (9_260_000, "5.00 NM (9.26 km) lateral"),
        (9_259_999, "4.99 NM (9.25 km) lateral"),  # never rounded up to the minimum
        (999_999, "999.9 m lateral"),
        (805_000, "805 m lateral"),
        (0, "0 m lateral"),
    ],
)
def test_how_close_something_came_is_rounded_down(mm: int, written: str) -> None:
    values = {"at": SAMPLES[ValueType.TIME], "lateral": mm, "vertical": 3_047_999}
    text = render(607, values, "en")
    assert written in text
    assert "999.9 ft (304.7 m) vertical" in text


@pytest.mark.parametrize(
    ("ms", "written"),
    [
        (0, "0 s"),
        (500, "0.5 s"),
        (90_000, "1 min 30 s"),
        (3_600_000, "1 h"),
        (90_061_000, "1 d 1 h 1 min 1 s"),
        (100_000, "1 min 40 s"),
    ],
)
def test_durations_are_written_in_their_units(ms: int, written: str) -> None:
    values = {
        "party": "red",
        "declaration": "ab" * 16,
        "sent": SAMPLES[ValueType.TIME],
        "limit": ms,
    }
    assert f"limit was {written}." in render(505, values, "en")


def test_milliseconds_are_shown_when_there_are_any() -> None:
    assert "06:12:00.250Z" in render(214, {"at": "2015-09-30T06:12:00.250Z"}, "en")


def test_a_script_says_a_position_by_its_sides() -> None:
    values = {
        "where": SAMPLES[ValueType.POSITION],
        "reach": 500_000,
        "since": "2015-09-30T06:12:00.000Z",
    }
    english = say_aloud(208, values, "en")
    assert "latitude three five decimal two eight five four zero degrees north" in english
    assert "longitude zero four zero decimal one seven six zero zero degrees west" in english
    assert "five zero zero metres" in english
    assert "ноль четыре ноль запятая один семь шесть ноль ноль градусов западная" in say_aloud(
        208, values, "ru"
    )


def test_an_id_is_said_with_letters_of_the_spelling_alphabet() -> None:
    values = {"party": "red", "declaration": "3f" * 16, "at": "2015-09-30T06:12:00.000Z"}
    assert "declaration three foxtrot three foxtrot" in say_aloud(121, values, "en")


def test_a_digit_in_a_name_is_no_minus() -> None:
    assert "uss-two, desk" in say_aloud(122, {"party": "uss-2", "desk": "watch"}, "en")


@pytest.mark.parametrize(
    ("number", "values"),
    [
        (999, {}),
        (214, {}),
        (214, {"at": SINCE, "more": 1}),
        (214, {"at": "2015-09-30T06:12:00Z"}),  # another spelling than the signed one
        (214, {"at": "2015-02-31T06:12:00.000Z"}),
        (214, {"at": 5}),
        (214, "at"),
        (208, {"where": {"lat_e7": 10**9, "lon_e7": 0}, "reach": 1, "since": SINCE}),
        (208, {"where": {"lat_e7": 0}, "reach": 1, "since": SINCE}),
        (208, {"where": {"lat_e7": 0, "lon_e7": 0}, "reach": -1, "since": SINCE}),
        (208, {"where": {"lat_e7": 0, "lon_e7": 0}, "reach": 1.5, "since": SINCE}),
        (208, {"where": {"lat_e7": 0, "lon_e7": 0}, "reach": True, "since": SINCE}),
        (104, {"party": "red", "declaration": "AB" * 16, "reason": 301}),
        (104, {"party": "red", "declaration": "ab" * 16, "reason": 201}),
        (104, {"party": "r\u202eed", "declaration": "ab" * 16, "reason": 301}),
        (105, {"party": "red", "answer": "APPROVED"}),
        (109, {"party": "red", "declaration": "ab" * 16, "fields": []}),
        (109, {"party": "red", "declaration": "ab" * 16, "fields": ["colour"]}),
    ],
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(number: int, values: object) -> None:
    with pytest.raises(InvalidInputError):
        check_values(number, values)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="en, ru"):
        render(214, {"at": SINCE}, "xx")
