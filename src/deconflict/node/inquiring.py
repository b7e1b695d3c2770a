"""Looking into the record: messages found in it, what each side knew, whether a file verifies."""

from collections.abc import AsyncIterator, Mapping
from functools import partial

from deconflict.errors import NotFoundError
from deconflict.node.actor import Action, Actor, require
from deconflict.node.inquiries.book import Inquiries
from deconflict.node.inquiries.views import InquiryView
from deconflict.node.line import Line
from deconflict.node.reading import Reading
from deconflict.node.record_search import Found, RecordQuery, find_in_record
from deconflict.node.views import MessageView
from deconflict.store.base import EntryRow

__all__ = ["Inquiring"]


class Inquiring(Reading):
    """A running node whose record can be looked into.

    Attributes:
        inquiries: what takes long; None where nobody runs it.
    """

    inquiries: Inquiries | None = None

    async def find_messages(
        self,
        actor: Actor,
        *,
        line: str | None = None,
        kind: str | None = None,
        party: str | None = None,
        desk: str | None = None,
        from_ms: int | None = None,
        until_ms: int | None = None,
        text: str = "",
        after: Mapping[str, int] | None = None,
        limit: int = 50,
    ) -> Found:
        """Return a page of the messages that fit, on one line or on all, the newest first."""
        require(actor, Action.READ)
        wanted = RecordQuery(self._lines(line), kind, party, desk, from_ms, until_ms, text.strip())
        view = partial(self._view_in, actor.language)
        return await find_in_record(self._store, wanted, view, after=after, limit=limit)

    def known_at(self, actor: Actor, line: str, at_ms: int) -> InquiryView:
        """Begin to find out what each side of a line provably knew at an instant.

        What leaves nobody's desk is no export: the file that is read lies beside the record until
        the answer is there.
        """
        require(actor, Action.READ)
        held = self._core.line_named(line)
        lines = self._bundle_of(held, with_parts=False)
        return self._asked().known_at(
            actor.account, held.line_id, at_ms, lines, self._language(actor.language)
        )

    def verify_file(self, actor: Actor, size: int) -> InquiryView:
        """Begin to verify a file of so many bytes, which comes next."""
        require(actor, Action.READ)
        return self._asked().awaiting_file(actor.account, size)

    async def take_file(
        self, actor: Actor, inquiry_id: str, chunks: AsyncIterator[bytes]
    ) -> InquiryView:
        """Take the file of an inquiry."""
        require(actor, Action.READ)
        language = self._language(actor.language)
        return await self._asked().receive(actor.account, inquiry_id, chunks, language)

    def inquiry(self, actor: Actor, inquiry_id: str) -> InquiryView:
        """Return how far an inquiry of this account is, or what it found."""
        require(actor, Action.READ)
        return self._asked().view(actor.account, inquiry_id)

    async def end_inquiry(self, actor: Actor, inquiry_id: str) -> InquiryView:
        """End an inquiry of this account, and forget it."""
        require(actor, Action.READ)
        return await self._asked().end(actor.account, inquiry_id)

    def _view_in(self, language: str | None, line: Line, row: EntryRow) -> MessageView:
        return self._message_view(line, row, language)

    def _asked(self) -> Inquiries:
        if self.inquiries is None:
            raise NotFoundError("this node looks into no records")
        return self.inquiries
