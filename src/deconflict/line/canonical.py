"""One value, one byte string: canonical JSON (RFC 8785), read and written strictly.

Whatever is signed is written here and read here. Reading refuses every byte string that writing
would not have made: duplicate keys, spaces, other escapes, other forms of a number, NaN, lone
surrogates, whole numbers that a double cannot hold. So two programs can never read two different
things from one signed text. Rules and bytes: ``specs/canonical.md``.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn, TypeAlias

import msgspec
import rfc8785

from deconflict import _kernel
from deconflict.errors import InvalidDocumentError, NotCanonicalError

__all__ = [
    "MAX_DEPTH",
    "MAX_DOCUMENT_BYTES",
    "Json",
    "canonical_bytes",
    "is_surely_canonical",
    "parse_canonical",
]

Json: TypeAlias = Any  # null, bool, int, float, str, list, dict[str, Json]; mypy has no room for it

MAX_DOCUMENT_BYTES: Final = 65_536  # line.md: 64 KiB
MAX_DEPTH: Final = 16
MAX_WHOLE_NUMBER: Final = 2**53 - 1  # RFC 7493 (I-JSON) §2.2: what every JSON reader keeps exactly

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder()
_DEEPEST_WRITTEN: Final = 64  # levels that are written the fast way; more are no message's

# Possessive and total: at any quote it matches to the end of the string or of the data, so no
# input makes it slow.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
_NOT_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_BRACES_TO_BRACKETS = bytes.maketrans(b"{}", b"[]")
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_SIXTEEN_DIGITS = b"0" * 16  # 2**53 has sixteen
_WHOLE_NUMBER = re.compile(rb"(?<![\d.eE+-])-?\d{16,}+(?![.eE])")


def canonical_bytes(value: Json) -> bytes:
    """Return the one canonical form (RFC 8785) of a JSON value.

    A tuple is written as a list. What :func:`parse_canonical` reads back is equal to ``value``.

    Raises:
        InvalidDocumentError: not a JSON value (NaN, infinity, a key that is no string, a lone
            surrogate, an unknown type), or a whole number beyond ±(2**53 - 1).

    Source: RFC 8785, JSON Canonicalization Scheme; RFC 7493 §2.2 for the number range.

    >>> canonical_bytes({"b": [1, 2.50, "é"], "a": None})
    b'{"a":null,"b":[1,2.5,"\\xc3\\xa9"]}'
    """
    try:
        written = _written_fast(value)
        if written is not None:
            return written
        written = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, ValueError, TypeError, RecursionError) as error:
        raise InvalidDocumentError(
            "this value has no canonical JSON form",
            given=str(error)[:120],
            expected="null, booleans, finite numbers, strings, lists, and objects with text keys",
            remedy="send large or exact numbers as text",
        ) from error
    _refuse_wide_numbers(_outside_strings(written))
    return written


def is_surely_canonical(data: bytes, max_depth: int = MAX_DEPTH) -> bool:
    """True only if ``data`` is the canonical form of what it says, at most so many levels deep.

    Found in one pass over the bytes. False says nothing: :func:`parse_canonical` is the judge.

    >>> is_surely_canonical(b'{"seq":1}'), is_surely_canonical(b'{"seq": 1}')
    (True, False)
    """
    return _kernel.is_surely_canonical(data, max_depth)


def parse_canonical(
    data: bytes, *, max_bytes: int = MAX_DOCUMENT_BYTES, max_depth: int = MAX_DEPTH
) -> Json:
    """Return the value whose canonical form is exactly ``data``.

    Raises:
        InvalidDocumentError: too long, too deep, not UTF-8, not JSON, a duplicate key, or a
            number no reader keeps exactly.
        NotCanonicalError: JSON, but another spelling of it than the canonical one.

    >>> parse_canonical(b'{"seq":1}')
    {'seq': 1}
    """
    if len(data) > max_bytes:
        raise InvalidDocumentError(
            "the document is too long",
            given=f"{len(data):,} bytes",
            expected=f"at most {max_bytes:,}",
            remedy="send bulk parts beside the message",
        )
    if is_surely_canonical(data, max_depth):
        return _DECODER.decode(data)
    outside_strings = _outside_strings(data)
    _refuse_depth(outside_strings, max_depth)
    _refuse_wide_numbers(outside_strings)
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise InvalidDocumentError(
            "the document is not JSON",
            given=str(error)[:120],
            expected="one JSON value in UTF-8",
            remedy="ask the sender for the bytes again",
        ) from error
    if _canonical_or_none(value) != data:
        _refuse_spelling(data)
    return value


def _canonical_or_none(value: Json) -> bytes | None:
    try:
        return canonical_bytes(value)
    except InvalidDocumentError:
        return None  # JSON that has no canonical form (1e999, a lone surrogate) is not canonical


def _written_fast(value: Json) -> bytes | None:
    """Return what RFC 8785 would write, by an encoder in C; None when unsure.

    The two agree wherever the kernel finds what the encoder wrote canonical. Reading back catches
    what the encoder would coerce (bytes, instants, sets). The slow way stays the judge of every
    other case; tests/properties holds both against each other.
    """
    try:
        data = _ENCODER.encode(value)
    except (TypeError, ValueError):
        return None
    if not is_surely_canonical(data, _DEEPEST_WRITTEN):
        return None
    return data if _DECODER.decode(data) == value else None


def _outside_strings(data: bytes) -> bytes:
    """Return ``data`` with every string of it reduced to one quote."""
    if b"\\" in data:
        return _STRING.sub(b'"', data)
    return b'"'.join(data.split(b'"')[::2])  # without escapes, every second part is a string


def _refuse_depth(outside_strings: bytes, max_depth: int) -> None:
    brackets = outside_strings.translate(_BRACES_TO_BRACKETS, _NOT_BRACKET)
    for _ in range(max_depth):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")  # takes away the innermost level, in C
    if brackets:
        raise InvalidDocumentError(
            "the document is nested too deeply, or its brackets do not match",
            expected=f"at most {max_depth} levels",
            remedy="send a flatter document",
        )


def _refuse_wide_numbers(outside_strings: bytes) -> None:
    if _SIXTEEN_DIGITS not in outside_strings.translate(_DIGITS_TO_ZERO):
        return
    for match in _WHOLE_NUMBER.finditer(outside_strings):
        digits = match.group()
        if len(digits) > 17 or abs(int(digits)) > MAX_WHOLE_NUMBER:
            raise InvalidDocumentError(
                "a whole number is wider than JSON readers keep",
                given=digits[:40].decode("ascii"),
                expected="at most 2**53 - 1 either side of zero",
                remedy="send it as text",
            )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _refuse_spelling(data: bytes) -> NoReturn:
    """Raise the error that names why ``data``, which is JSON, is not the canonical form of it."""
    json.loads(data.decode("utf-8"), object_pairs_hook=_refuse_duplicates)
    raise NotCanonicalError(
        "the bytes are not the canonical form of what they say",
        given=repr(data[:60]),
        expected="RFC 8785: sorted keys, no spaces, shortest numbers, no needless escapes",
        remedy="the sender must sign canonical bytes; keep these as received",
    )


def _refuse_duplicates(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidDocumentError(
                "a key stands twice in one object",
                given=repr(key[:60]),
                expected="each key once",
                remedy="the sender must write each key once; keep the bytes as received",
            )
        found[key] = value
    return found
