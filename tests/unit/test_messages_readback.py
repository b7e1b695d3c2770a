"""Readback (R12): what was understood is compared by machine with what was declared."""

from typing import Any

import msgspec
import pytest

from deconflict.airspace import AltitudeReference, Position, format_utc
from deconflict.airspace.geodesy import direct
from deconflict.messages.declaration import Declaration
from deconflict.messages.in_force import landmarks_of
from deconflict.messages.readback import (
    Difference,
    ReadbackValues,
    compare_readback,
    differences_text,
    readback_of,
)
from deconflict.messages.wire_form import Place
from messages_samples import (
    AIRFIELD,
    LATAKIA,
    OTHER_ID,
    START_MS,
    activity,
    circle,
    feet,
    flight,
    terms,
)

TERMS = terms()
LANDMARKS = landmarks_of(TERMS)


def compare(declared: Declaration, said: ReadbackValues) -> tuple[Difference, ...]:
    return compare_readback(declared, said, landmarks=LANDMARKS, tolerances=TERMS.readback)


def right(declared: Declaration) -> ReadbackValues:
    return readback_of(declared, LANDMARKS)


@pytest.mark.parametrize("declared", [activity(), flight()])
def test_the_right_readback_agrees(declared: Declaration) -> None:
    assert compare(declared, right(declared)) == ()


def test_deir_ez_zor_a_place_nine_kilometres_off_is_found() -> None:
    declared = activity(circle(35.17572, 40.14079))
    meant = right(activity(circle(35.25666, 40.14079)))
    found = {difference.field: difference for difference in compare(declared, meant)}
    assert set(found) == {"position", "distance_mm", "bearing_ddeg"}
    assert found["position"].by is not None
    assert 8_900_000 < found["position"].by < 9_100_000


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"declaration_id": OTHER_ID}, "declaration_id"),
        ({"purpose": "OWN_PRESENCE"}, "purpose"),
        ({"reference": AltitudeReference.W84}, "reference"),
        ({"parts": 2}, "parts"),
        ({"reach_mm": 5_000_000}, "reach_mm"),
        ({"lower_tmm": feet(500)}, "lower_tmm"),
        ({"lower_tmm": None}, "lower_tmm"),
        ({"upper_tmm": feet(2_500)}, "upper_tmm"),
        ({"upper_tmm": None}, "upper_tmm"),
        ({"start_utc": format_utc(START_MS + 3_600_000)}, "start_utc"),
        ({"end_utc": format_utc(START_MS + 60_000)}, "end_utc"),
        ({"landmark": "another place"}, "landmark"),
        ({"landmark": None, "distance_mm": None, "bearing_ddeg": None}, "landmark"),
        ({"distance_mm": 1_000_000}, "distance_mm"),
        ({"bearing_ddeg": 45}, "bearing_ddeg"),
        ({"position": Place(401_407_900, 351_757_200)}, "position"),  # swapped
    ],
)
def test_one_wrong_field_is_the_one_difference(changes: dict[str, Any], field: str) -> None:
    said = msgspec.structs.replace(right(activity()), **changes)
    assert [difference.field for difference in compare(activity(), said)] == [field]


@pytest.mark.parametrize(
    "changes",
    [
        {"reach_mm": 3_704_000 + 200_000},
        {"upper_tmm": feet(25_000) - 50_000},
        {"start_utc": format_utc(START_MS + 1_000)},
    ],
)
def test_what_lies_at_the_tolerance_still_agrees(changes: dict[str, Any]) -> None:
    said = msgspec.structs.replace(right(activity()), **changes)
    assert compare(activity(), said) == ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reach_mm": 3_704_000 + 200_001}, "reach_mm"),
        ({"upper_tmm": feet(25_000) - 50_001}, "upper_tmm"),
        ({"start_utc": format_utc(START_MS + 1_001)}, "start_utc"),
    ],
)
def test_what_lies_past_the_tolerance_differs(changes: dict[str, Any], field: str) -> None:
    said = msgspec.structs.replace(right(activity()), **changes)
    assert [difference.field for difference in compare(activity(), said)] == [field]


def test_a_place_at_the_tolerance_agrees_and_past_it_differs() -> None:
    centre = Position.from_degrees(35.17572, 40.14079)
    for metres, agrees in ((199.9, True), (200.1, False)):
        moved = Place.of(direct(centre, 77.0, metres))
        said = msgspec.structs.replace(right(activity()), position=moved)
        assert (compare(activity(), said) == ()) is agrees


def test_any_agreed_landmark_may_be_read_back_from() -> None:
    assert right(activity()).landmark == AIRFIELD.name
    from_port = readback_of(activity(), [LATAKIA])
    assert from_port.landmark == LATAKIA.name
    assert compare(activity(), from_port) == ()


def test_bearings_wrap_at_north() -> None:
    north = activity(circle(35.5, 40.1760))
    assert right(north).bearing_ddeg == 0
    near = msgspec.structs.replace(right(north), bearing_ddeg=3595)
    assert compare(north, near) == ()
    far = msgspec.structs.replace(right(north), bearing_ddeg=3580)
    assert [(d.field, d.by) for d in compare(north, far)] == [("bearing_ddeg", 20)]


def test_near_a_landmark_its_bearing_is_not_judged() -> None:
    beside = activity(circle(35.2855, 40.1760))
    said = msgspec.structs.replace(right(beside), bearing_ddeg=1800)
    assert compare(beside, said) == ()


def test_without_landmarks_none_is_read_back() -> None:
    said = readback_of(activity(), [])
    assert (said.landmark, said.distance_mm, said.bearing_ddeg) == (None, None, None)
    alone = compare_readback(activity(), said, landmarks=[], tolerances=TERMS.readback)
    assert alone == ()


def test_differences_are_said_in_words_with_both_figures() -> None:
    said = msgspec.structs.replace(
        right(activity()), upper_tmm=feet(2_500), lower_tmm=None, landmark="another place"
    )
    found = compare(activity(), said)
    english = differences_text(found, "en", reference=AltitudeReference.AMSL)
    assert (
        "ceiling: declared 25000 ft above mean sea level (7620 m), read back 2500 ft above mean "
        "sea level (762 m), a difference of 22500 ft (6858 m)." in english
    )
    assert "floor: declared 0 ft above mean sea level (0 m), read back the surface." in english
    russian = differences_text(found, "ru", reference=AltitudeReference.AMSL)
    assert "верхняя граница: объявлено 7620 м над средним уровнем моря (25000 ft)" in russian


def test_every_field_can_be_said_in_both_languages() -> None:
    wrong = right(flight(declaration_id="ee" * 16, revision=2))
    wrong = msgspec.structs.replace(
        wrong,
        purpose="HAZARD",
        position=Place(0, 0),
        reach_mm=1,
        reference=AltitudeReference.AGL,
        lower_tmm=None,
        upper_tmm=None,
        start_utc=format_utc(0),
        end_utc=format_utc(1),
        parts=9,
        distance_mm=1,
        bearing_ddeg=1,
    )
    found = compare(activity(), wrong)
    assert {d.field for d in found} >= set(ReadbackValues.__struct_fields__) - {"landmark"}
    for language in ("en", "ru"):
        text = differences_text(found, language, reference=AltitudeReference.AMSL)
        assert text.count(".") >= len(found)


@pytest.mark.parametrize("language", ["en", "ru"])
def test_difference_of_two_bearings_is_an_angle_without_a_direction(language: str) -> None:
    text = Difference("bearing_ddeg", 3_580, 125, 145).words(
        language, reference=AltitudeReference.AMSL
    )
    assert text.endswith(" 14.5°.")
    assert text.count("true" if language == "en" else "истинный") == 2
