"""The signed form: exact, complete, and refused by path."""

import copy
from typing import Any

import pytest

from deconflict.airspace import geometry_from_wire
from deconflict.errors import InvalidDocumentError, InvalidInputError

CIRCLE: dict[str, Any] = {
    "volumes": [
        {
            "outline": {"circle": {"center": {"lat_e7": 0, "lon_e7": 0}, "radius_mm": 1}},
            "band": {"reference": "FL", "lower_tmm": None, "upper_tmm": 1},
            "span": {"start_utc": "2015-09-30T06:00:00Z", "end_utc": "2015-09-30T07:00:00Z"},
        }
    ]
}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("outline", "circle", "radius_mm"), 1.0, "volumes[0].outline.circle: radius_mm"),
        (("outline", "circle", "center", "lat_e7"), 10**9, "volumes[0].outline.circle.center: lat"),
        (("span", "end_utc"), "later", "volumes[0].span.end_utc: a relative time"),
        (("band", "upper_tmm"), -(10**9), "volumes[0].band: the ceiling is out of range"),
        (("band", "note"), 1, "volumes[0].band: unknown note"),
        (("outline", "circle"), [], "volumes[0].outline.circle: an object is needed"),
    ],
)
def test_a_refusal_names_the_path(path: tuple[str, ...], value: object, said: str) -> None:
    document = copy.deepcopy(CIRCLE)
    inner = document["volumes"][0]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(InvalidInputError) as caught:
        geometry_from_wire(document)
    assert str(caught.value).startswith(said)


def test_every_member_is_needed() -> None:
    def members(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if isinstance(value, dict):
            return [(*path, key) for key in value] + [
                found for key in value for found in members(value[key], (*path, key))
            ]
        if isinstance(value, list):
            return [found for k, item in enumerate(value) for found in members(item, (*path, k))]
        return []

    paths = members(CIRCLE)
    assert len(paths) == 14
    for path in paths:
        document = copy.deepcopy(CIRCLE)
        inner: Any = document
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        with pytest.raises(InvalidDocumentError):
            geometry_from_wire(document)


def test_a_huge_number_is_refused_without_being_shown() -> None:
    document = copy.deepcopy(CIRCLE)
    document["volumes"][0]["outline"]["circle"]["radius_mm"] = 10**5000
    with pytest.raises(InvalidDocumentError, match="beyond") as caught:
        geometry_from_wire(document)
    assert len(str(caught.value)) < 300
