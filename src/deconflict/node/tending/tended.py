"""A running node that shows what of its machine needs looking after."""

import asyncio
from collections.abc import Callable

from deconflict.errors import NotFoundError
from deconflict.node.actor import Action, Actor, require
from deconflict.node.reading import Reading
from deconflict.node.tending.backups import Backups, BackupsView
from deconflict.node.tending.certificates import CertificateView

__all__ = ["Tended"]


class Tended(Reading):
    """A running node and its machine.

    Attributes:
        look_at_certificates: reads them; None where nobody does.
        backups: makes copies of the record; None where nobody does.
    """

    look_at_certificates: Callable[[int], tuple[CertificateView, ...]] | None = None
    backups: Backups | None = None

    async def certificates(self) -> tuple[CertificateView, ...]:
        """Return keys and certificates, and for how long each is good."""
        if self.look_at_certificates is None:
            return ()
        return await asyncio.to_thread(self.look_at_certificates, self._now.utc_ms)

    async def copies(self, actor: Actor) -> BackupsView:
        """Return which copies of the record were made."""
        require(actor, Action.HEALTH)
        return await asyncio.to_thread(self._copies().view)

    def make_copy(self, actor: Actor) -> BackupsView:
        """Begin to copy the record."""
        require(actor, Action.ADMINISTER)
        return self._copies().begin(self._now.utc_ms)

    def _copies(self) -> Backups:
        if self.backups is None:
            raise NotFoundError("this node makes no copies of its record")
        return self.backups
