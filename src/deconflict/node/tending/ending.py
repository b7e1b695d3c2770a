"""Looks from time to time for how long the certificates of a node and its peers are good."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from deconflict.node.core import NodeCore
from deconflict.node.work import Driver

__all__ = ["Ending"]

_LOOK_S: Final = 60.0


class Ending:
    """Has the desk told of certificates that end.

    Args:
        core: whose desk is told.
        driver: its clock and its commits.
        own_end_ms: of the certificate that this node runs with; a renewed one counts at its start.
        peers_end_ms: of what each line's peer showed last, by line; without those never met.
        look_s: seconds between two looks.
    """

    def __init__(
        self,
        core: NodeCore,
        driver: Driver,
        own_end_ms: int,
        peers_end_ms: Callable[[], Mapping[str, int]],
        *,
        look_s: float = _LOOK_S,
    ) -> None:
        self._core = core
        self._driver = driver
        self._own_end_ms = own_end_ms
        self._peers_end_ms = peers_end_ms
        self._look_s = look_s

    async def run(self) -> None:
        """Look for ever."""
        while True:
            now = self._driver.now()
            work = self._core.certificates_end(self._own_end_ms, self._peers_end_ms(), now)
            if not work.is_empty():
                await self._driver.commit(work)
            await asyncio.sleep(self._look_s)
