"""Translating what was written on a line, as a running node's interpreter or watch does it."""

from collections.abc import Sequence

from deconflict.node.actor import Action, Actor, require
from deconflict.node.releasing import Releasing
from deconflict.node.views import MessageView
from deconflict.store.base import NoteRow

__all__ = ["Translating"]


class Translating(Releasing):
    """A running node where a message is shown with what its translators wrote."""

    async def translate(
        self, actor: Actor, message_hash: str, language: str, lines: Sequence[str]
    ) -> MessageView:
        """Keep the actor's translation of a message; return the message with all it has now.

        Nothing of it is sent, and the text of the message stays what its author signed.

        Raises:
            NotFoundError: there is no such message.
            InvalidDocumentError, LineStateError: as :meth:`TranslationBook.put`.
        """
        require(actor, Action.WRITE_PAPERS)
        await self.message(message_hash)
        kept = self._translations.put(
            message_hash, language, lines, by=actor.account, now_ms=self._now.utc_ms
        )
        await self._keep_translation(kept)
        return await self.message(message_hash, language=actor.language)

    async def untranslate(self, actor: Actor, message_hash: str, language: str) -> MessageView:
        """Forget the actor's own translation of a message; raises NotFoundError."""
        require(actor, Action.WRITE_PAPERS)
        gone = self._translations.drop(message_hash, language, by=actor.account)
        await self._keep_translation(gone)
        return await self.message(message_hash, language=actor.language)

    async def _keep_translation(self, note: NoteRow) -> None:
        # No event: whoever looks at the message again sees it.
        await self._runtime.commit(self._core.note_paper(note, self._now))
