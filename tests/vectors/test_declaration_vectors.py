"""The published vectors of specs/declaration.md, read by this implementation."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from deconflict import errors
from deconflict.airspace import format_utc, geometry_from_wire, geometry_to_wire, span_of

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "vectors" / "declaration-geometry.json").read_text())


def _named(cases: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


@_named(VECTORS["valid"])
def test_a_valid_geometry_is_read_and_gives_back_its_bytes(case: dict[str, Any]) -> None:
    geometry = geometry_from_wire(case["geometry"])
    span = span_of(geometry)
    assert (format_utc(span.start_ms), format_utc(span.end_ms)) == (
        case["start_utc"],
        case["end_utc"],
    )
    stood = rfc8785.dumps(case["geometry"])
    assert hashlib.sha256(stood).hexdigest() == case["canonical_sha256"]
    with_ms = re.sub(rb"(:[0-9]{2})Z", rb"\1.000Z", stood)
    assert rfc8785.dumps(geometry_to_wire(geometry)) == with_ms


@_named(VECTORS["invalid"])
def test_an_invalid_geometry_is_refused_with_its_error(case: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidInputError) as caught:
        geometry_from_wire(case["geometry"])
    assert type(caught.value).__name__ == case["error"]


def test_every_case_names_its_source_once() -> None:
    cases = VECTORS["valid"] + VECTORS["invalid"]
    assert all(case["source"] for case in cases)
    assert len({case["name"] for case in cases}) == len(cases)


def test_the_bytes_in_the_specification_have_the_hash_it_gives() -> None:
    text = (ROOT / "specs" / "declaration.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith('{"volumes"')).encode()
    assert hashlib.sha256(line).hexdigest() in text
    assert f"{len(line)} bytes" in text
    assert rfc8785.dumps(geometry_to_wire(geometry_from_wire(json.loads(line)))) == line
