"""Say where in a document a refusal arose."""

from collections.abc import Iterator
from contextlib import contextmanager

from deconflict.errors import InvalidInputError

__all__ = ["located"]


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
