"""From what a person types to the values that travel."""

from typing import Any

import pytest
from click.testing import CliRunner

from deconflict.cli import main
from deconflict.cli.typed import reason_names, reason_number, typed_value, typed_values
from deconflict.errors import InvalidInputError
from deconflict.messages.phrases import check_values, phrases, render
from deconflict.messages.values import ValueType, check_value

TYPED: dict[ValueType, tuple[str, Any]] = {
    ValueType.POSITION: ("35.4012, 35.9487", {"lat_e7": 354_012_000, "lon_e7": 359_487_000}),
    ValueType.TIME: ("2015-09-30T06:12:00Z", "2015-09-30T06:12:00.000Z"),
    ValueType.ALTITUDE: ("FL210", {"reference": "FL", "tmm": 64_008_000}),
    ValueType.BAND: (
        "SFC to 5000 ft AMSL",
        {"reference": "AMSL", "lower_tmm": None, "upper_tmm": 15_240_000},
    ),
    ValueType.DISTANCE: ("5NM", 9_260_000),
    ValueType.SEPARATION: ("800 m", 800_000),
    ValueType.HEIGHT: ("1000ft", 3_048_000),
    ValueType.BEARING: ("090.5", 905),
    ValueType.SPEED: ("450 kt", 231_500),
    ValueType.COUNT: ("2", 2),
    ValueType.DURATION: ("5 min", 300_000),
    ValueType.PHRASE: ("personnel-there", 321),
    ValueType.NAME: ("watch", "watch"),
    ValueType.ID: ("ab" * 16, "ab" * 16),
    ValueType.TEXT: ("all is quiet", "all is quiet"),
    ValueType.KIND: ("cease", "CEASE"),
    ValueType.PURPOSE: ("own-presence", "OWN_PRESENCE"),
    ValueType.ANSWER: ("roger", "ROGER"),
    ValueType.SAID: ("not-ours", "NOT_OURS"),
    ValueType.FIELDS: ("position,start_utc", ["position", "start_utc"]),
    ValueType.INCIDENT: ("close-pass", "CLOSE_PASS"),
    ValueType.BREACH: ("short-notice", "SHORT_NOTICE"),
    ValueType.RISK: ("safety-not-assured", "SAFETY_NOT_ASSURED"),
    ValueType.AUDIT: ("no-room", "NO_ROOM"),
    ValueType.CHECK_END: ("canary-lost", "CANARY_LOST"),
    ValueType.TALK: ("by-phone", "BY_PHONE"),
    ValueType.TALKS: ("PHONE, en", ["PHONE", "en"]),
    ValueType.KINDS: ("QUERY, NOTIFY", ["QUERY", "NOTIFY"]),
}


def test_every_type_of_value_can_be_typed() -> None:
    assert set(TYPED) == set(ValueType)


@pytest.mark.parametrize("kind", TYPED, ids=str)
def test_what_is_typed_becomes_the_value_that_travels(kind: ValueType) -> None:
    text, value = TYPED[kind]
    assert typed_value(kind, text, "it") == value
    check_value(kind, value, "it")


@pytest.mark.parametrize("number", [entry.number for entry in phrases() if entry.number < 500])
def test_every_phrase_can_be_filled_by_hand(number: int) -> None:
    wanted = next(entry.values for entry in phrases() if entry.number == number)
    values = typed_values(number, [f"{name}={TYPED[kind][0]}" for name, kind in wanted.items()])
    check_values(number, values)
    assert render(number, values, "en")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ValueType.POSITION, "north of Aleppo"),
        (ValueType.TIME, "in 20 minutes"),
        (ValueType.TIME, "2015-09-30T06:12:00+03:00"),
        (ValueType.ALTITUDE, "3000"),
        (ValueType.ALTITUDE, "UNL"),
        (ValueType.BAND, "5000 ft AMSL"),
        (ValueType.DISTANCE, "5"),
        (ValueType.BEARING, "360"),
        (ValueType.BEARING, "north"),
        (ValueType.SPEED, "450"),
        (ValueType.COUNT, "two"),
        (ValueType.PHRASE, "because"),
    ],
)
def test_what_could_be_misread_is_refused(kind: ValueType, text: str) -> None:
    with pytest.raises(InvalidInputError):
        typed_value(kind, text, "it")


@pytest.mark.parametrize(
    "given",
    [[], ["at=2015-09-30T06:12:00Z", "at=2015-09-30T06:12:01Z"], ["when=now"], ["at"]],
)
def test_missing_repeated_and_unknown_values_are_refused(given: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="at="):
        typed_values(214, given)


def test_reasons_have_names_of_their_own() -> None:
    names = reason_names()
    assert len(set(names)) == len(names)
    assert {reason_number(name) for name in names} <= set(range(300, 350))


@pytest.mark.parametrize("kind", list(TYPED))
def test_a_value_copied_from_a_right_to_left_text_is_read_without_its_isolates(
    kind: ValueType,
) -> None:
    typed, travels = TYPED[kind]
    assert typed_value(kind, f"\u2068{typed}\u2069", "value") == travels


def test_an_argument_copied_from_a_right_to_left_text_is_taken_without_its_isolates() -> None:
    plain, pasted = (
        CliRunner().invoke(main, ["line", "ack", word, "--node", "nowhere"])
        for word in ("4f2a9c01", "\u20684f2a9c01\u2069")
    )
    assert plain.output == pasted.output
    choice = CliRunner().invoke(main, ["doctor", "--node", "\u2068no-such-folder\u2069"])
    assert "\u2068" not in choice.output
