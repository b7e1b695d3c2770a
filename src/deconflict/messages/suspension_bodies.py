"""What a side says of what it suspends: from when, from when no more, or for another scope."""

from deconflict.errors import InvalidDocumentError
from deconflict.messages.body import Body
from deconflict.messages.phrases import check_reason
from deconflict.messages.terms import ScopeName
from deconflict.messages.wire_form import UtcText

__all__ = ["Resume", "ScopeChange", "Suspend"]


class Suspend(Body, frozen=True):
    """SUSPEND: from ``effective_utc``, the kinds that the scope of the terms names stop."""

    scope: ScopeName
    effective_utc: UtcText
    reason: int = 331

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        check_reason(self.reason)


class Resume(Body, frozen=True):
    """RESUME: from ``effective_utc``, the suspension of this scope is over."""

    scope: ScopeName
    effective_utc: UtcText


class ScopeChange(Body, frozen=True):
    """SCOPE: from ``effective_utc``, the suspension of ``scope`` holds for ``to`` instead."""

    scope: ScopeName
    to: ScopeName
    effective_utc: UtcText
    reason: int = 331

    def __post_init__(self) -> None:
        Body.__post_init__(self)
        check_reason(self.reason)
        if self.to == self.scope:
            raise InvalidDocumentError(
                "the scope is to change to itself",
                given=self.scope,
                expected="another scope that the terms name",
            )
