"""Whatever is said of a private check is read as it was written, and one change is refused."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deconflict.errors import InvalidInputError
from deconflict.line.canonical import canonical_bytes
from deconflict.messages.bodies import body_to_wire, parse_body
from deconflict.messages.kinds import Kind
from deconflict.messages.private_bodies import (
    MAX_INLINE_BYTES,
    MAX_PART_BYTES,
    PrivateEnd,
    PrivateEndReason,
    PrivateStep,
    Refines,
    StepWord,
)
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.messages.wire_form import read_form, write_form
from deconflict.sealed.coin import picked
from effort import examples
from private_samples import MINUTE_MS, document, proposal

words = st.sampled_from(StepWord)
runs = st.integers(0, 365)
# Around each length at which a step travels in another way.
sizes = st.one_of(
    st.integers(1, 100),
    st.integers(-2, 2).map(lambda off: MAX_INLINE_BYTES + off),
    st.integers(-1, 1).map(lambda off: MAX_PART_BYTES + off),
)


@examples(40)
@given(words, runs, st.data(), sizes)
def test_a_step_is_read_as_it_was_written(
    word: StepWord, run: int, data: st.DataObject, size: int
) -> None:
    number = data.draw(st.integers(0, 63)) if word is StepWord.CHUNK else 0
    seed = data.draw(st.binary(min_size=1, max_size=16))
    bytes_of = (seed * (size // len(seed) + 1))[:size]
    body = PrivateStep.of(run, word, number, bytes_of)
    wire = body_to_wire(body)
    assert parse_body(Kind.PRIVATE_STEP, wire) == body
    assert len(canonical_bytes(wire)) < 65_536 // 2  # with room for all else of an envelope
    inline = size <= MAX_INLINE_BYTES
    assert body.inline == (bytes_of if inline else None)
    assert len(body.parts) == (0 if inline else -(-size // MAX_PART_BYTES))


@examples(60)
@given(st.binary(min_size=1, max_size=200), st.data())
def test_no_other_bytes_have_the_hash_of_a_step(data: bytes, draw: st.DataObject) -> None:
    wire = body_to_wire(PrivateStep.of(0, StepWord.ROOT, 0, data))
    other = bytearray(data)
    other[draw.draw(st.integers(0, len(data) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    with pytest.raises(InvalidInputError):
        parse_body(
            Kind.PRIVATE_STEP, wire | {"data": base64.b64encode(bytes(other)).decode("ascii")}
        )
    with pytest.raises(InvalidInputError):
        parse_body(Kind.PRIVATE_STEP, wire | {"size": len(data) + 1})


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50))
def test_slots_are_taken_in_order_alone(slots: list[int]) -> None:
    value: dict[str, Any] = {"of": "ab" * 32, "run": 0, "parts": 2, "slots": slots}
    if slots == sorted(set(slots)):
        refines = read_form(Refines, value, what="it")
        body = proposal(runs=1, refines=refines)
        assert parse_body(Kind.PRIVATE_PROPOSE, body_to_wire(body)) == body
    else:
        with pytest.raises(InvalidInputError):
            read_form(Refines, value, what="it")


@given(st.none() | runs, st.sampled_from(PrivateEndReason))
def test_an_end_is_read_as_it_was_written(run: int | None, reason: PrivateEndReason) -> None:
    body = PrivateEnd(run=run, reason=reason)
    wire = body_to_wire(body)
    assert wire["run"] == run  # null is said, never left out
    assert parse_body(Kind.PRIVATE_END, wire) == body


@examples(60)
@given(
    st.integers(1, 60).map(lambda seconds: seconds * 1_000),
    st.integers(1, 500),
    st.integers(1, 4),
    st.integers(2, 21),
    st.integers(1, 40),
)
def test_a_document_is_one_in_bytes_and_its_lengths_follow_from_it(
    slot_ms: int, slots: int, each: int, points: int, bucket: int
) -> None:
    check = document(
        slot_ms=slot_ms * 4,
        slots=slots,
        cadence_ms=slot_ms * 4 * slots * each,
        points=points,
        bucket=bucket * 64,
    )
    assert read_form(PrivateCheckTerms, write_form(check), what="it") == check
    start_ms = check.cadence_ms * 7
    shape = check.shape(start_ms)
    shape.require_sound()
    assert check.grid(start_ms).slots == slots
    assert check.end_ms(start_ms) <= check.start_of(start_ms, 1)
    longer = msgspec.structs.replace(check, run_limit_ms=check.run_limit_ms + MINUTE_MS)
    assert longer.document_hash != check.document_hash
    assert longer.shape(start_ms).grid != shape.grid


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.data())
def test_both_sides_pick_alike_and_a_higher_rate_picks_all_that_a_lower_one_does(
    one: bytes, other: bytes, data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.binary(min_size=32, max_size=32), min_size=2, unique=True))[:2]
    halves = dict(zip(names, (one, other), strict=True))
    swapped = dict(reversed(halves.items()))
    low, high = sorted((data.draw(st.integers(0, 1_000)), data.draw(st.integers(0, 1_000))))
    assert picked(halves, low) is picked(swapped, low)
    assert picked(halves, high) or not picked(halves, low)
    assert picked(halves, 1_000)
    assert not picked(halves, 0)
