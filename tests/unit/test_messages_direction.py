"""Right-to-left text (R36): no value in it can be taken apart or turned by the text around it."""

import re
import unicodedata
from collections.abc import Iterator

import pytest
from test_messages_phrases import each_language, each_phrase, sample_values

from deconflict.errors import InvalidInputError
from deconflict.messages.bodies import parse_body
from deconflict.messages.direction import all_closed, runs_right_to_left, without_isolates
from deconflict.messages.kinds import Kind
from deconflict.messages.message_text import message_text
from deconflict.messages.phrases import (
    Phrase,
    check_values,
    heard_values,
    phrase,
    phrases,
    render,
    render_named,
    say_aloud,
    wording,
)
from deconflict.messages.voice import voice_script
from deconflict.messages.words import LANGUAGES
from messages_samples import bodies

ISOLATES = "\u2066\u2067\u2068\u2069"
RIGHT_TO_LEFT = [one for one in LANGUAGES if wording(one)["direction"] == "rtl"]
each_right_to_left = pytest.mark.parametrize("language", RIGHT_TO_LEFT)


def outside(text: str) -> str:
    """Return what of a text stands in no isolate."""
    depth, kept = 0, ""
    for character in text:
        if character in ISOLATES:
            depth += -1 if character == "\u2069" else 1
        elif not depth:
            kept += character
    return kept


def turned(text: str) -> list[str]:
    """Return the letters and digits of a text that do not run right to left."""
    strong = ("L", "EN", "AN")
    return [c for c in outside(text) if unicodedata.bidirectional(c) in strong]


def texts_of(language: str) -> Iterator[str]:
    """Yield every text, form and word of a language, its placeholders as values stand there."""
    words = wording(language)
    for group in (words["texts"], *words["terms"].values()):
        for text in group.values():
            yield re.sub(r"\{\w+\}", "\u2068x\u2069", text)


def test_arabic_runs_right_to_left() -> None:
    assert RIGHT_TO_LEFT == ["ar"]


@each_right_to_left
def test_of_a_text_itself_everything_runs_right_to_left(language: str) -> None:
    assert [text for text in texts_of(language) if turned(text)] == []
    assert [text for text in texts_of(language) if not all_closed(text)] == []


@each_right_to_left
def test_a_text_begins_with_a_letter_of_its_own_direction(language: str) -> None:
    """Whoever sets the direction by the first letter, isolates or not, sets it right."""
    for text in wording(language)["texts"].values():
        letters = [c for c in re.sub(r"\{\w+\}", "x", text) if c.isalpha()]
        assert unicodedata.bidirectional(letters[0]) in ("R", "AL"), text


@each_right_to_left
@each_phrase
def test_whatever_is_filled_in_runs_apart_or_the_same_way(entry: Phrase, language: str) -> None:
    text = render(entry.number, sample_values(entry), language)
    assert all_closed(text)
    assert turned(text) == []
    assert runs_right_to_left(text)


@each_right_to_left
def test_a_form_of_figures_and_words_keeps_the_figures_together(language: str) -> None:
    for name, form in wording(language)["formats"].items():
        shown = re.sub(r"\{(lower|upper)\}", "\u2068x\u2069", form)
        assert all_closed(form), name
        assert not runs_right_to_left(form) or not re.search(r"[{a-zA-Z]", outside(shown)), name


@each_language
@each_phrase
def test_nothing_said_aloud_or_typed_back_holds_an_isolate(entry: Phrase, language: str) -> None:
    values = sample_values(entry)
    said = say_aloud(entry.number, values, language)
    assert not set(said) & set(ISOLATES)
    assert not set("".join(heard_values(entry.number, values).values())) & set(ISOLATES)


@each_language
@pytest.mark.parametrize("kind", [Kind.CEASE, Kind.READBACK, Kind.LINE_CHECK, Kind.SAFETY])
def test_a_script_to_be_read_out_holds_no_isolate(kind: Kind, language: str) -> None:
    body = parse_body(kind, bodies()[kind])
    lines = voice_script(
        kind,
        body,
        party="red",
        peer="blue",
        number=17,
        message_hash="b7" * 32,
        language=language,
        drill=True,
    )
    assert not set("".join(lines)) & set(ISOLATES)


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one not in RIGHT_TO_LEFT])
@each_phrase
def test_a_left_to_right_text_has_isolates_only_around_right_to_left_values(
    entry: Phrase, language: str
) -> None:
    assert not set(render(entry.number, sample_values(entry), language)) & set(ISOLATES)


def test_a_right_to_left_name_does_not_turn_the_figures_beside_it() -> None:
    values = {
        "party": "red",
        "declaration": "ab" * 16,
        "where": {"lat_e7": 0, "lon_e7": 0},
        "theatre": "الرقة",
    }
    assert "outside \u2068الرقة\u2069." in render(523, values, "en")
    assert "вне района \u2068الرقة\u2069." in render(523, values, "ru")


@each_right_to_left
@pytest.mark.parametrize("kind", list(Kind))
def test_a_whole_message_is_closed_and_runs_right_to_left(kind: Kind, language: str) -> None:
    text = message_text(kind, parse_body(kind, bodies()[kind]), party="red", language=language)
    assert all_closed(text)
    assert turned(text) == []
    assert runs_right_to_left(text)


@each_right_to_left
def test_a_text_made_of_other_phrases_is_taken_with_its_isolates(language: str) -> None:
    inner = render(101, sample_values(phrase(101)), language)
    text = render_named("FROM_PARTY", {"party": "red", "text": inner}, language)
    assert all_closed(text)
    assert without_isolates(inner) in without_isolates(text)


@pytest.mark.parametrize(
    "text", ["\u2068open", "closed\u2069", "\u2067forced\u2069", "a\u202eb\u202c"]
)
def test_a_turn_of_direction_that_reaches_out_of_its_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        render_named("NOT_BINDING", {"text": text}, "en")


def test_what_travels_holds_no_isolate() -> None:
    number = next(one.number for one in phrases() if one.name == "LINE_CHECK")
    with pytest.raises(InvalidInputError):
        check_values(number, {"text": "\u20684711\u2069"})


def test_times_and_figures_stand_in_arabic_as_in_english() -> None:
    values = {
        "where": {"lat_e7": 352_854_000, "lon_e7": 401_760_000},
        "level": {"reference": "AMSL", "tmm": 106_680_000},
        "course": 75,
        "speed": 250_000,
        "at": "2015-09-30T06:12:00.000Z",
    }
    text = render(201, values, "ar")
    assert text.startswith("طائرتنا في \u206835.2854000, 40.1760000 (35°17'07.4400\"N ")
    assert (
        "\u2068\u206635000 ft\u2069 فوق متوسط مستوى سطح البحر (\u206610668 m\u2069)\u2069" in text
    )
    assert "السرعة \u2068486 kt (900 km/h)\u2069، في \u20682015-09-30 06:12:00Z\u2069." in text


def test_arabic_is_said_aloud_with_every_digit_spelled() -> None:
    values = {
        "where": {"lat_e7": 352_854_000, "lon_e7": -401_760_000},
        "reach": 500_000,
        "since": "2015-09-30T06:12:00.000Z",
    }
    said = say_aloud(208, values, "ar")
    assert "خط العرض ثلاثة خمسة فاصلة اثنان ثمانية خمسة أربعة صفر درجة شمالا" in said
    assert "خط الطول صفر أربعة صفر فاصلة واحد سبعة ستة صفر صفر درجة غربا" in said
    assert "خمسة صفر صفر متر" in said
    assert " أكرر القول. " in said
