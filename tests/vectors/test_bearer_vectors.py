"""The published parcels, blocks, codes and check digits, usable from any language."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from deconflict.errors import DeconflictError
from deconflict.line.bearers import parcels_of
from deconflict.line.parcel import unpack_parcel
from deconflict.messages.bodies import VoicePart
from deconflict.messages.voice import check_digits

VECTORS = json.loads(
    (Path(__file__).parents[2] / "vectors" / "bearers.json").read_text(encoding="utf-8")
)


def _files(case: dict[str, Any]) -> list[bytes]:
    texts = [case[bearer] for bearer in ("parcel", "email") if bearer in case]
    if "codes" in case:
        texts.append("\n".join(case["codes"]))
    return [text.encode() for text in texts]


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_parcel_is_read_or_refused_as_published(case: dict[str, Any]) -> None:
    for file in _files(case):
        if case["error"] == "none":
            (brought,) = parcels_of([file])
            assert brought.parcel.decode() == case["parcel"]
        else:
            with pytest.raises(DeconflictError) as caught:
                parcels_of([file])
            assert type(caught.value).__name__ == case["error"]


def test_the_published_packed_bytes_are_those_of_the_parcels() -> None:
    for case in VECTORS["cases"]:
        if "packed" in case:
            assert unpack_parcel(base64.b64decode(case["packed"])).decode() == case["parcel"]


@pytest.mark.parametrize("case", VECTORS["check_digits"], ids=lambda case: f"drill {case['drill']}")
def test_check_digits_are_as_published(case: dict[str, Any]) -> None:
    parts = [VoicePart(**part) for part in case["said"]]
    assert check_digits(parts, drill=case["drill"]) == case["check"]
