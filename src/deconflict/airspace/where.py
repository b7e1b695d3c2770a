"""Say where in a document a refusal arose."""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TypeVar

from deconflict.errors import InvalidInputError

__all__ = ["located", "parse_each"]

_Item = TypeVar("_Item")
_Parsed = TypeVar("_Parsed")


class located:  # noqa: N801  (reads as the word it is: with located("volumes[2]"))
    """Put ``where`` before the problem of any ``InvalidInputError`` raised inside.

    Nested uses join into one path: ``volumes[2].band: the floor is above the ceiling``. The kind
    of error stays. A ``where`` that ends with a colon is a file, before the path inside it.

    >>> from deconflict.errors import InvalidAltitudeError
    >>> with located("volumes[2]"), located(".band"):
    ...     raise InvalidAltitudeError("the floor is above the ceiling")
    Traceback (most recent call last):
    deconflict.errors.InvalidAltitudeError: volumes[2].band: the floor is above the ceiling
    """

    __slots__ = ("_where",)

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        """Nothing is to be done until something is refused."""

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        """Raise the refusal again, located."""
        if not isinstance(error, InvalidInputError):
            return
        inner, separator, rest = error.problem.partition(": ")
        joined = separator and inner.startswith((".", "["))
        if self._where.endswith(":"):  # a file, not a step of the path inside it
            located_problem = f"{self._where} {error.problem.removeprefix('.')}"
        elif joined:
            located_problem = f"{self._where}{inner}: {rest}"
        else:
            located_problem = f"{self._where}: {error.problem}"
        raise type(error)(
            located_problem,
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
