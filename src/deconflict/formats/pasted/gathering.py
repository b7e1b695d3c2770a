"""Taking over the parts of a document one by one: what cannot be is told, not silently dropped."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from deconflict.airspace.where import located
from deconflict.errors import InvalidDocumentError, InvalidInputError
from deconflict.formats.pasted.draft import ReadDraft
from deconflict.formats.pasted.losses import LossReport

__all__ = ["MAX_DRAFTS", "MAX_PLACES", "Gathering"]

MAX_DRAFTS: Final = 5_000
MAX_PLACES: Final = 200_000  # in all drafts of a document together


@dataclass(slots=True)
class Gathering:
    """The drafts of a document, and what of it was refused, while it is read."""

    losses: LossReport
    drafts: list[ReadDraft] = field(default_factory=list)
    _places: int = 0
    _fault: InvalidInputError | None = None

    def take(self, where: str, make: Callable[[], ReadDraft | None]) -> None:
        """Add what ``make`` returns; what it refuses is left out, with its reason.

        Raises:
            InvalidDocumentError: the document holds too many drafts or places.
        """
        if len(self.drafts) >= MAX_DRAFTS:
            raise _too_much("shapes", MAX_DRAFTS)
        try:
            with located(where):
                made = make()
        except InvalidInputError as error:
            self._fault = self._fault or error
            self.losses.left_out(where, str(error).removeprefix(f"{where}: "))
            return
        if made is None:
            return
        self._places += len(made.places)
        if self._places > MAX_PLACES:
            raise _too_much("places", MAX_PLACES)
        self.drafts.append(made)

    def all(self, kind: str) -> tuple[ReadDraft, ...]:
        """Return the drafts.

        Raises:
            InvalidInputError: there are none; the first refusal, if something was refused.
        """
        if self.drafts:
            return tuple(self.drafts)
        if self._fault is not None:
            raise self._fault
        raise InvalidDocumentError(
            f"this {kind} holds nothing that can be declared",
            expected="at least one shape with a place",
        )


def _too_much(what: str, limit: int) -> InvalidDocumentError:
    return InvalidDocumentError(
        f"the document holds too many {what}", expected=f"at most {limit:,}", remedy="split it"
    )
