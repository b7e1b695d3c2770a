"""Declarations (R10, R11, R14, R15) as values and signed JSON, and their summary."""

from typing import Any

import pytest

from deconflict.airspace import AltitudeBand, AltitudeReference
from deconflict.airspace.geodesy import inverse
from deconflict.errors import InvalidDocumentError, InvalidInputError
from deconflict.line.canonical import canonical_bytes, parse_canonical
from deconflict.messages.declaration import (
    Purpose,
    declaration_from_wire,
    declaration_to_wire,
    new_declaration_id,
)
from deconflict.messages.summary import summarise
from messages_samples import (
    END_MS,
    ID,
    START_MS,
    activity,
    band,
    circle,
    corridor,
    feet,
    flight,
    place,
    polygon,
)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_declaration_survives_its_canonical_bytes(purpose: Purpose) -> None:
    for declaration in (
        activity(purpose=purpose, label="Area 4", revision=3),
        flight(purpose=purpose),
    ):
        data = canonical_bytes(declaration_to_wire(declaration))
        assert declaration_from_wire(parse_canonical(data)) == declaration


def test_an_id_is_sixteen_random_bytes() -> None:
    assert new_declaration_id(lambda count: b"\xd1" * count) == ID


def test_the_span_is_that_of_the_geometry() -> None:
    assert (activity().span.start_ms, activity().span.end_ms) == (START_MS, END_MS)
    assert flight().span.start_ms == START_MS - 60_000


@pytest.mark.parametrize(
    "changes",
    [
        {"declaration_id": "D1"},
        {"declaration_id": "D1" * 16},
        {"purpose": "TARGET"},
        {"purpose": None},
        {"label": ""},
        {"label": "x" * 65},
        {"label": "a\nb"},
        {"revision": 0},
        {"revision": True},
        {"geometry": ()},
    ],
)
def test_a_declaration_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        activity(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"target": "x"},
        {"label": 5},
        {"revision": 1.0},
        {"revision": "1"},
        {"purpose": ["FLIGHT"]},
        {"declaration_id": None},
        {"geometry": None},
    ],
)
def test_a_wire_form_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        declaration_from_wire(declaration_to_wire(activity()) | changes)


@pytest.mark.parametrize("key", ["declaration_id", "purpose", "geometry", "label", "revision"])
def test_every_key_must_be_there(key: str) -> None:
    wire = declaration_to_wire(activity())
    del wire[key]
    with pytest.raises(InvalidDocumentError, match="exactly"):
        declaration_from_wire(wire)


def test_a_fault_in_the_geometry_is_named_by_its_path() -> None:
    wire = declaration_to_wire(activity())
    wire["geometry"]["volumes"][0]["band"]["lower_tmm"] = 10**9
    wire["geometry"]["volumes"][0]["band"]["upper_tmm"] = 0
    with pytest.raises(InvalidInputError, match=r"geometry.*volumes\[0\].*floor is above"):
        declaration_from_wire(wire)


def test_a_circle_is_summed_up_by_centre_and_radius() -> None:
    summary = summarise(activity().geometry)
    assert summary.position == place(35.17572, 40.14079)
    assert summary.reach_mm == 3_704_000
    assert summary.band == band()
    assert summary.parts == 1


def test_a_corridor_reaches_to_its_far_end_and_half_width() -> None:
    summary = summarise((corridor((35, 36), (35, 37), half_width_mm=5_000_000),))
    leg_m = inverse(place(35, 36), place(35, 37)).distance_m
    assert summary.position == place(35, 36)
    assert 0 <= summary.reach_mm - leg_m * 1000 - 5_000_000 < 1


def test_a_slip_in_any_corner_moves_the_reach_or_the_place() -> None:
    right = summarise((polygon((35, 36), (35, 37), (36, 37), (36, 36)),))
    slips = [
        polygon((35.1, 36), (35, 37), (36, 37), (36, 36)),
        polygon((35, 36), (35, 37), (36.1, 37), (36, 36)),
    ]
    for slip in slips:
        assert summarise((slip,)) != right


def test_a_flight_is_summed_up_by_its_first_waypoint_and_levels() -> None:
    summary = summarise(flight().geometry)
    assert summary.position == place(35.4, 36.0)
    assert summary.band == AltitudeBand(AltitudeReference.FL, feet(20_000), feet(32_000))
    assert summary.parts == 3


def test_an_open_floor_or_ceiling_stays_open() -> None:
    volumes = (circle(band=band(1000, 2000)), circle(band=band(None, 3000)))
    assert summarise(volumes).band == band(None, 3000)
    volumes = (circle(band=band(1000, None)), circle(band=band(500, 3000)))
    assert summarise(volumes).band == band(500, None)
