"""One finding of the doctor."""

from dataclasses import dataclass
from typing import Final

from deconflict.errors import DeconflictError

__all__ = ["OK", "WARNING", "WRONG", "Check", "told"]

OK: Final = "ok"
WARNING: Final = "warning"
WRONG: Final = "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Args:
        subject: what, in a word or two.
        state: ``ok``, ``warning`` (no fault yet, or not known) or ``wrong``.
        words: what was found.
        remedy: what to do; empty when all is well.
    """

    subject: str
    state: str
    words: str
    remedy: str = ""


def told(error: DeconflictError) -> str:
    """Return an error as the words of a check."""
    return f"{error.problem}: {error.given}" if error.given else error.problem
