"""What a listener types back of a script fits its check digits, and says so when it does not."""

from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from deconflict.cli.voice import _asked, _part, _typed_parts
from deconflict.errors import InvalidInputError
from deconflict.messages.bodies import SafetyOfFlight, VoicePart, parse_body
from deconflict.messages.kinds import Kind
from deconflict.messages.phrases import phrase, say_aloud
from deconflict.messages.values import ValueType, heard_value
from deconflict.messages.voice import SAYABLE, check_digits, parts_of
from messages_samples import bodies


def typed(kind: ValueType, value: Any) -> str:
    """What a listener types of a value: the metric figures of what was said."""
    match kind:
        case ValueType.POSITION:
            lat, lon = heard_value(kind, value).split(", ")
            return f"{lat}, {lon}"
        case ValueType.BEARING:
            return f"{value / 10:.1f}"
        case ValueType.ALTITUDE:
            return heard_value(kind, value)
        case ValueType.BAND:
            lower, upper = (
                heard_value(kind, value).removesuffix(f" {value['reference']}").split(" to ")
            )
            shown = [
                each if each != "open" else word for each, word in ((lower, "SFC"), (upper, "UNL"))
            ]
            return " to ".join(
                each if each in ("SFC", "UNL") else f"{each} {value['reference']}" for each in shown
            )
        case ValueType.DURATION:
            return f"{value / 1000:g} s"
        case ValueType.FIELDS | ValueType.TALKS:
            return ", ".join(value)
        case _:
            return heard_value(kind, value)


def typed_back(part: VoicePart) -> VoicePart:
    kinds = phrase(part.phrase).values
    pairs = [f"{name}={typed(kinds[name], value)}" for name, value in part.values.items()]
    return _part(part.phrase, pairs, "blue")


@pytest.mark.parametrize("kind", sorted(SAYABLE))
def test_every_kind_of_message_can_be_typed_back(kind: Kind) -> None:
    parts = parts_of(kind, parse_body(kind, bodies()[kind]), party="blue")
    back = [typed_back(part) for part in parts]
    assert check_digits(back, drill=False) == check_digits(parts, drill=False)


@given(
    lat_e7=st.integers(-850_000_000, 850_000_000),
    lon_e7=st.integers(-1_790_000_000, 1_790_000_000),
    reach=st.integers(1, 500_000_000),
)
def test_however_fine_a_message_is_what_was_said_of_it_can_be_typed_back(
    lat_e7: int, lon_e7: int, reach: int
) -> None:
    where = {"lat_e7": lat_e7, "lon_e7": lon_e7}
    body = SafetyOfFlight(
        phrase=208, values={"where": where, "reach": reach, "since": "2015-09-30T06:12:00.000Z"}
    )
    (part,) = parts_of(Kind.SAFETY, body, party="blue")
    assert say_aloud(208, part.values, "en")
    assert check_digits([typed_back(part)], drill=False) == check_digits([part], drill=False)


@given(
    tmm=st.integers(0, 200_000_000),
    speed=st.integers(0, 1_000_000),
    course=st.integers(0, 3599),
    vertical=st.integers(0, 40_000_000),
)
def test_altitudes_and_speeds_can_be_typed_back(
    tmm: int, speed: int, course: int, vertical: int
) -> None:
    where, at = {"lat_e7": 1, "lon_e7": -1}, "2015-09-30T06:12:00.250Z"
    level = {"reference": "AMSL", "tmm": tmm}
    for number, values in (
        (201, {"where": where, "level": level, "course": course, "speed": speed, "at": at}),
        (205, {"lateral": tmm, "vertical": vertical, "where": where, "at": at}),
    ):
        part = VoicePart(phrase=number, values=values)
        assert check_digits([typed_back(part)], drill=False) == check_digits([part], drill=False)


def test_values_of_several_templates_are_told_apart_by_their_place() -> None:
    parts = _typed_parts((214, 214), ("2.at=2015-09-30T06:13:00Z", "1.at=2015-09-30T06:12:00Z"), "")
    assert [part.values["at"][:16] for part in parts] == ["2015-09-30T06:12", "2015-09-30T06:13"]
    for wrong in ("at=2015-09-30T06:12:00Z", "3.at=2015-09-30T06:12:00Z"):
        with pytest.raises(InvalidInputError, match="of which template"):
            _typed_parts((214, 214), (wrong,), "")


def test_a_listener_is_asked_in_the_order_of_the_script_until_each_value_can_be_read() -> None:
    found: list[Any] = []

    @click.command()
    def ask() -> None:
        found.extend(_asked("blue", None, None, None))

    answers = (
        *("17", "4f2a9c01", "9999", "120", "watch", "noon", "2015-09-30T06:12:00Z", ""),
        "123456",
    )
    result = CliRunner().invoke(ask, input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    number, message, parts, check = found
    assert (number, message, check) == (17, "4f2a9c01", "123456")
    assert parts[0].values == {"party": "blue", "desk": "watch", "at": "2015-09-30T06:12:00.000Z"}
    assert "no phrase has this number" in result.output
