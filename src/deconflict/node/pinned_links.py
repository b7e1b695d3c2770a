"""The ways to a peer for as long as it is pinned, and who is pinned now."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from deconflict.errors import ConfigurationError, PeerUnreachableError
from deconflict.node.peer_client import PeerClient
from deconflict.node.peers import PeerBook

__all__ = ["LivePins", "PinnedLink", "shown_until"]

logger = logging.getLogger("deconflict.node")


class LivePins:
    """Whose key is pinned now: `deconflict peer remove` counts while the node runs.

    Args:
        peers: read when the node started.
        path: the directory of their files.
    """

    def __init__(self, peers: PeerBook, path: Path) -> None:
        self._peers = peers
        self._path = path
        self._changed_ns = self._last_change_ns()

    def party_by_spki(self, spki_sha256: str) -> str | None:
        """Return for which party this TLS key is pinned, None when it is not or nobody knows."""
        changed_ns = self._last_change_ns()
        if changed_ns != self._changed_ns:
            try:
                self._peers.reload()
            except ConfigurationError as error:
                # Somebody is at the pins and they cannot be read: let nobody in meanwhile.
                logger.warning("the pins of the peers cannot be read: %s", error)
                return None
            self._changed_ns = changed_ns
        return self._peers.party_by_spki(spki_sha256)

    def _last_change_ns(self) -> int | None:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return None


class PinnedLink:
    """The way to a peer for as long as its key is pinned here."""

    def __init__(self, client: PeerClient, pins: LivePins, spki_sha256: str) -> None:
        self._client = client
        self._pins = pins
        self._spki_sha256 = spki_sha256

    async def post(self, path: str, body: bytes, timeout_s: float) -> bytes:
        """As the client's; raises PeerUnreachableError when the peer was removed."""
        if self._pins.party_by_spki(self._spki_sha256) is None:
            raise PeerUnreachableError(
                "the peer is pinned here no longer",
                remedy="restart the node, which then forgets the line; or pin the peer again",
            )
        return await self._client.post(path, body, timeout_s)

    @property
    def shown_until_ms(self) -> int | None:
        """Until when the certificate is good that the peer showed last; None before."""
        return self._client.shown_until_ms

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.close()


def shown_until(links: Mapping[str, Sequence[PinnedLink]]) -> dict[str, int]:
    """Return until when the certificate of each line's peer is good; the soonest of its paths."""
    ends = {
        line_id: [link.shown_until_ms for link in held if link.shown_until_ms is not None]
        for line_id, held in links.items()
    }
    return {line_id: min(known) for line_id, known in ends.items() if known}
