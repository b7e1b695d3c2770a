"""Say where in a document a refusal arose."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from deconflict.errors import InvalidInputError

__all__ = ["located", "parse_each"]

_Item = TypeVar("_Item")
_Parsed = TypeVar("_Parsed")


@contextmanager
def located(where: str) -> Iterator[None]:
    """Put ``where`` before the problem of any ``InvalidInputError`` raised inside.

    Nested uses join into one path: ``volumes[2].band: the floor is above the ceiling``. The kind
    of error stays.

    >>> from deconflict.errors import InvalidAltitudeError
    >>> with located("volumes[2]"), located(".band"):
    ...     raise InvalidAltitudeError("the floor is above the ceiling")
    Traceback (most recent call last):
    deconflict.errors.InvalidAltitudeError: volumes[2].band: the floor is above the ceiling
    """
    try:
        yield
    except InvalidInputError as error:
        inner, separator, rest = error.problem.partition(": ")
        joined = separator and inner.startswith((".", "["))
        raise type(error)(
            f"{where}{inner}: {rest}" if joined else f"{where}: {error.problem}",
            given=error.given,
            expected=error.expected,
            remedy=error.remedy,
        ) from error


def parse_each(
    items: Sequence[_Item], parse: Callable[[_Item], _Parsed], where: str = ""
) -> list[_Parsed]:
    """Return every item parsed; a refusal says ``where`` and the item's index.

    As ``located`` around each item, without its cost a thousand times over.
    """
    parsed: list[_Parsed] = []
    try:
        for item in items:
            parsed.append(parse(item))  # noqa: PERF401 its length says where parsing stopped
    except InvalidInputError:
        with located(f"{where}[{len(parsed)}]"):
            raise
    return parsed
