"""What a start reads quickly, it reads as a message is read when it comes."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.airspace import Trajectory, wire
from deconflict.airspace.wire import geometry_from_wire, geometry_to_wire
from deconflict.errors import InvalidInputError
from deconflict.line.canonical import canonical_bytes
from deconflict.messages.bodies import parse_body
from deconflict.messages.declaration import (
    Declaration,
    Purpose,
    SoundDeclaration,
    declaration_from_wire,
    declaration_to_wire,
)
from deconflict.messages.wire_form import write_form
from geometry_strategies import geometries, trajectories
from messages_samples import bodies

BODIES = sorted(bodies().items())
declarations = st.builds(
    Declaration,
    declaration_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    purpose=st.sampled_from(Purpose),
    geometry=geometries | trajectories(),
    label=st.none() | st.text(min_size=1, max_size=64).filter(str.isprintable).filter(str.strip),
    revision=st.integers(1, 1_000_000),
)
OTHERS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from((0, -1, 2**40, -(2**40), 2**53 - 1, 900_000_001, -900_000_001, 1_800_000_000)),
    st.floats(-1e6, 1e6),
    st.sampled_from(
        ("", " ", "W84", "MSL", "FLIGHT", "ab" * 16, "2016-02-30T00:00:00.000Z", "a\u202eb")
    ),
    st.sampled_from(
        ("2016-09-17T12:45:00Z", "1969-12-31T23:59:59.999Z", "2199-12-31T23:59:60.000Z")
    ),
    st.just([]),
    st.just({}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, as the keys that lead there."""
    if isinstance(value, dict):
        return [path] + [p for key, inner in value.items() for p in places(inner, (*path, key))]
    if isinstance(value, list):
        return [path] + [p for at, inner in enumerate(value) for p in places(inner, (*path, at))]
    return [path]


def altered(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    """The value with another one at this place."""
    if not path:
        return change
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = altered(value[path[0]], path[1:], change)
    return copy


def outcome(read: Any, *arguments: Any) -> Any:
    try:
        return read(*arguments)
    except InvalidInputError as error:
        return type(error), str(error)


@given(declarations, st.data())
def test_a_declaration_is_found_sound_exactly_when_it_can_be_read(
    declaration: Declaration, data: st.DataObject
) -> None:
    value = msgspec.json.decode(canonical_bytes(declaration_to_wire(declaration)))
    if data.draw(st.booleans()):
        path = data.draw(st.sampled_from(places(value)))
        value = altered(value, path, data.draw(OTHERS))
    read = outcome(declaration_from_wire, value)
    sound = outcome(SoundDeclaration.from_wire, value)
    if not isinstance(sound, SoundDeclaration):
        assert sound == read
        return
    assert sound.end_ms == read.span.end_ms
    assert (sound.declaration_id, sound.revision) == (read.declaration_id, read.revision)
    assert sound.value == read


@given(trajectories(), st.data())
def test_a_plan_found_sound_is_the_plan_that_is_checked(
    trajectory: Trajectory, data: st.DataObject
) -> None:
    value: Any = geometry_to_wire(trajectory)
    if data.draw(st.booleans()):
        path = data.draw(st.sampled_from(places(value)))
        value = altered(value, path, data.draw(OTHERS))
    quickly = outcome(geometry_from_wire, value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "_kernel", SimpleNamespace(sound_plan=lambda _: None))
        assert outcome(geometry_from_wire, value) == quickly


@given(trajectories())
def test_most_plans_are_not_built_to_be_found_sound(trajectory: Trajectory) -> None:
    declaration = Declaration("ab" * 16, Purpose.FLIGHT, trajectory)
    sound = SoundDeclaration.from_wire(declaration_to_wire(declaration))
    near = all(
        abs(a.position.lat_e7 - b.position.lat_e7) + abs(a.position.lon_e7 - b.position.lon_e7)
        < 1_700_000_000
        for a, b in zip(trajectory.waypoints, trajectory.waypoints[1:], strict=False)
    )
    assert (sound._value is None) == near


@given(st.sampled_from(BODIES), st.data())
def test_a_body_is_read_alike_as_text_and_as_value(
    body: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    kind, value = body
    if data.draw(st.booleans()):
        path = data.draw(st.sampled_from(places(msgspec.json.decode(canonical_bytes(value)))))
        value = altered(msgspec.json.decode(canonical_bytes(value)), path, data.draw(OTHERS))
    text = canonical_bytes(value)
    as_value = outcome(parse_body, kind, msgspec.json.decode(text))
    as_text = outcome(parse_body, kind, msgspec.Raw(text))
    if isinstance(as_value, tuple):
        assert as_text == as_value
    else:
        assert write_form(as_text) == write_form(as_value)


@pytest.mark.parametrize("text", [b"null", b"[]", b'"x"', b"1", b"{}", b"1e30"])
def test_a_text_that_is_no_body_is_refused_as_its_value_is(text: bytes) -> None:
    as_value = outcome(parse_body, "QUERY", msgspec.json.decode(text))
    assert isinstance(as_value, tuple)
    assert outcome(parse_body, "QUERY", msgspec.Raw(text)) == as_value
