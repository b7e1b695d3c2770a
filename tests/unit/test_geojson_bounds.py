"""Hostile documents: refused early, in bounded time and memory."""

import json
import time

import pytest

from deconflict.errors import InvalidDocumentError
from deconflict.formats import read_declarations
from deconflict.formats.bounded_json import MAX_BYTES, parse_json


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"type":"Feature","type":"Feature"}', "said twice"),
        (b'{"type":"Feature","geometry":{"a":1,"\\u0061":2}}', "said twice"),
        (b'{"a":NaN}', "no number"),
        (b'{"a":-Infinity}', "no number"),
        (b"[" * 17 + b"]" * 17, "nested too deep"),
        (b"[" * 1_000_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"a":' + b"9" * 5_000 + b"}", "too long to be read"),
        (b"\xff\xfe{}", "no UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "no UTF-8"),
        (b"", "no JSON"),
        (b"{}{}", "no JSON"),
        (b'{"a":1,}', "no JSON"),
        (b"{'a':1}", "no JSON"),
        (b'"' + b'\\"' * 1_000_000, "no JSON"),
        (b"[]", "no object"),
        (b'{"type":"FeatureCollection","features":[]}', "declares nothing"),
        (b'{"type":"FeatureCollection"}', "no array"),
        (b'{"type":"Polygon","coordinates":[]}', "no declaration"),
    ],
)
def test_a_hostile_document_is_refused(data: bytes, reason: str) -> None:
    started = time.perf_counter()
    with pytest.raises(InvalidDocumentError, match=reason):
        read_declarations(data)
    assert time.perf_counter() - started < 2.0


def test_brackets_and_quotes_inside_strings_are_text() -> None:
    said = {"a": '[[[[\\"{{{{"', "b": ["]" * 40, "\\"]}
    assert parse_json(json.dumps(said).encode(), max_depth=2) == said


def test_sixteen_levels_are_read_and_a_byte_order_mark_is_no_fault() -> None:
    assert parse_json(b"\xef\xbb\xbf" + b"[" * 16 + b"]" * 16)


def test_too_many_bytes_are_refused_before_anything_else() -> None:
    with pytest.raises(InvalidDocumentError, match="too large"):
        parse_json(b"\xff" * (MAX_BYTES + 1))


def test_too_many_values_are_refused_before_they_are_made() -> None:
    with pytest.raises(InvalidDocumentError, match="too many values"):
        parse_json(b"[" + b"0," * 50 + b"0]", max_values=50)


def test_too_many_features_are_refused() -> None:
    data = b'{"type":"FeatureCollection","features":[' + b"0," * 100_000 + b"0]}"
    with pytest.raises(InvalidDocumentError, match="features holds too many"):
        read_declarations(data)


def test_depth_is_counted_across_the_scan_s_chunks() -> None:
    wide = b"[" + b"[]," * 1_500_000 + b"[[[]]]]"
    with pytest.raises(InvalidDocumentError, match="given: 4"):
        parse_json(wide, max_depth=3)
