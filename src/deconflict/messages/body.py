"""What every body shares: one line of free text that binds nobody (specs/messages.md §2)."""

from deconflict.messages.wire_form import WireForm
from deconflict.messages.words import check_text

__all__ = ["Body"]


class Body(WireForm, frozen=True, omit_defaults=True, kw_only=True):
    """A body. ``not_binding`` is free text, one line, at most 500 characters."""

    not_binding: str | None = None

    def __post_init__(self) -> None:
        WireForm.__post_init__(self)
        if self.not_binding is not None:
            check_text(self.not_binding, what="not_binding")
