"""JSON from outside, read within bounds: size, depth and count are checked before parsing."""

import json
import math
import re
from typing import Final, NoReturn

import numpy as np

from deconflict.errors import InvalidDocumentError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_VALUES", "parse_json"]

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 16
MAX_VALUES: Final = 8_000_000  # bounds the memory that the parsed document takes

# An unterminated string runs to the end, so the scan stays linear whatever the input.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_CHUNK: Final = 4 * 1024 * 1024
_SMALL: Final = 64 * 1024
_NOT_BRACKET: Final = bytes(set(range(256)) - set(b"[]{}"))
_BRACES_TO_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")


def parse_json(
    data: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_values: int = MAX_VALUES,
) -> object:
    """Return the value that ``data`` says, UTF-8 with or without a byte order mark.

    Unlike ``json.loads`` it refuses a key said twice in one object, NaN, Infinity and numbers
    beyond a double, half a surrogate pair, more than ``max_bytes``, nesting beyond ``max_depth``,
    and more than ``max_values`` values.

    Raises:
        InvalidDocumentError: for each of these, and for what is no JSON.
    """
    if len(data) > max_bytes:
        raise InvalidDocumentError(
            "the document is too large",
            given=f"{len(data)} bytes",
            expected=f"at most {max_bytes}",
            remedy="split it",
        )
    _check_structure(data, max_depth, max_values)
    try:
        value = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
        if _SURROGATE.search(data):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidDocumentError(
            "the document is no UTF-8",
            given=f"byte {error.start} of {len(data)}",
            expected="JSON in UTF-8",
            remedy="save it as UTF-8",
        ) from error
    except UnicodeEncodeError as error:
        raise InvalidDocumentError(
            "half a surrogate pair stands in a text", expected="whole characters"
        ) from error
    except json.JSONDecodeError as error:
        raise InvalidDocumentError(
            f"the document is no JSON: {error.msg}",
            given=f"line {error.lineno}, column {error.colno}",
            expected="one JSON value",
        ) from error
    except ValueError as error:  # a whole number of more than 4,300 digits
        raise InvalidDocumentError(
            "the document holds a number too long to be read", expected="usual numbers"
        ) from error
    return value


def _check_structure(data: bytes, max_depth: int, max_values: int) -> None:
    # Most requests are short and have few brackets: neither limit can be passed then.
    if len(data) <= max_values and data.count(b"[") + data.count(b"{") <= max_depth:
        return
    outside_strings = _STRING.sub(b"", data)
    if len(data) <= _SMALL and _is_shallow(outside_strings, max_depth, max_values):
        return
    marks = np.frombuffer(outside_strings, dtype=np.uint8)
    depth = deepest = values = 0
    for start in range(0, len(marks), _CHUNK):
        chunk = marks[start : start + _CHUNK]
        opens = (chunk == ord("[")) | (chunk == ord("{"))
        closes = (chunk == ord("]")) | (chunk == ord("}"))
        course = depth + np.cumsum(opens.astype(np.int8) - closes.astype(np.int8), dtype=np.int64)
        deepest = max(deepest, int(course.max()))
        depth = int(course[-1])
        values += int(opens.sum() + (chunk == ord(",")).sum())
    if deepest > max_depth:
        raise InvalidDocumentError(
            "the document is nested too deep", given=f"{deepest}", expected=f"at most {max_depth}"
        )
    if values > max_values:
        raise InvalidDocumentError(
            "the document holds too many values",
            given=f"about {values}",
            expected=f"at most {max_values}",
            remedy="split it",
        )


def _is_shallow(outside_strings: bytes, max_depth: int, max_values: int) -> bool:
    """True when a small document is surely within the limits, found without arrays."""
    brackets = outside_strings.translate(_BRACES_TO_BRACKETS, _NOT_BRACKET)
    if brackets.count(b"[") + outside_strings.count(b",") > max_values:
        return False
    for _ in range(max_depth):
        brackets = brackets.replace(b"[]", b"")  # takes away the innermost level
    return not brackets


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InvalidDocumentError(
                    "a key is said twice in one object",
                    given=f"{key!r:.60}",
                    expected="each key once",
                    remedy="remove one: nothing says which of them is meant",
                )
            seen.add(key)
    return members


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise InvalidDocumentError(
            "a number is beyond a double", given=digits[:40], expected="finite numbers"
        )
    return number


def _no_constant(word: str) -> NoReturn:
    raise InvalidDocumentError(
        "the document holds a value that is no number",
        given=word,
        expected="finite numbers",
    )
