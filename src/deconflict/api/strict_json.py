"""JSON from operators and integrators, read without guessing."""

import math
from typing import Any, NoReturn

from deconflict.errors import InvalidDocumentError
from deconflict.formats import bounded_json

__all__ = ["parse_json"]


def parse_json(data: bytes) -> Any:
    """Return the value of a JSON text that can be said again as JSON.

    Raises:
        InvalidDocumentError: as :func:`deconflict.formats.bounded_json.parse_json`, and for a
            number beyond a double (it would read as infinite) and half a surrogate pair.

    >>> parse_json(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> parse_json(b'{"a": 1e999}')
    Traceback (most recent call last):
    ...
    deconflict.errors.InvalidDocumentError: a number is beyond a double; expected: finite numbers
    """
    value: Any = bounded_json.parse_json(data)
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, float):
            if not math.isfinite(item):
                _refuse("a number is beyond a double", expected="finite numbers")
        elif isinstance(item, str) and not item.isascii():
            try:
                item.encode("utf-8")
            except UnicodeEncodeError:
                _refuse("half a surrogate pair stands in a text", expected="whole characters")
    return value


def _refuse(problem: str, *, expected: str) -> NoReturn:
    raise InvalidDocumentError(problem, expected=expected)
