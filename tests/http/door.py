"""Two node folders, and a real door of one of them in a thread, for the tests of this directory."""

import asyncio
import os
import threading
import time
from pathlib import Path
from types import TracebackType

from deconflict.errors import InvalidDocumentError, LineStateError, WrongSenderError
from deconflict.node.folder import NodeFolder
from deconflict.node.invitation import Invitation
from deconflict.node.peer_client import PeerClient
from deconflict.node.peer_server import DoorLimits, PeerHandler, build_peer_server
from deconflict.node.settings import Settings
from deconflict.node.tls import client_context, server_context

HOST = "127.0.0.1"
# Tests call from one address more often than any peer would.
BUSY = DoorLimits(handshakes_per_second=10_000, request_s=1.0, part_s=2.0, handshake_s=0.5)


def make_folder(path: Path, party: str) -> NodeFolder:
    """A node folder with keys in the clear."""
    return NodeFolder.create(
        path,
        Settings(party),
        passphrase=None,
        now_utc_ms=time.time_ns() // 1_000_000,
        random_bytes=os.urandom,
    )


def pin(own: NodeFolder, peer: NodeFolder) -> None:
    """Pin ``peer`` in ``own``, as people who compared fingerprints would."""
    invitation = Invitation.parse(peer.invitation_path.read_bytes())
    own.peers().pin(invitation, peer.verify_key.fingerprint())


class Handler:
    """Answers with who called and what was said; some bodies make it fail."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, bytes]] = []

    async def packets(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        self.calls.append(("packets", peer_party, line_id, body))
        if body == b"wrong sender":
            raise WrongSenderError("the envelope is from another party")
        if body == b"no document":
            raise InvalidDocumentError("a key twice")
        if body == b"own failure":
            raise RuntimeError("a defect")
        if body == b"hang":
            await asyncio.sleep(60)
        return peer_party.encode() + b" said " + body

    def expect_part(self, peer_party: str, line_id: str, size: int) -> None:
        raise LineStateError("no private check runs on this line")

    async def part(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        raise LineStateError("no private check runs on this line")

    async def beat(self, peer_party: str, line_id: str, body: bytes, path: int = 1) -> bytes:
        self.calls.append(("beat", peer_party, line_id, body))
        return b"beat"


class Door:
    """``with Door(folder) as door``: the door of a node, open on ``door.port``."""

    def __init__(
        self,
        folder: NodeFolder,
        limits: DoorLimits = BUSY,
        port: int = 0,
        answers: PeerHandler | None = None,
    ) -> None:
        self.folder = folder
        self.handler = Handler()
        self.book = folder.peers()
        self.context = server_context(
            folder.unlock().chain, [peer.invitation.tls_root_der for peer in self.book.list()]
        )
        self._server = build_peer_server(
            answers or self.handler,
            context=self.context,
            party_of=self.book.party_by_spki,
            host=HOST,
            port=port,
            limits=limits,
        )
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()))

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def own_knocks(self) -> set[tuple[str, int]]:
        return self._server.own_knocks

    def client(self, caller: NodeFolder, *, pin: str | None = None) -> PeerClient:
        """A client of this door that calls as ``caller``."""
        root = Invitation.parse(self.folder.invitation_path.read_bytes()).tls_root_der
        return PeerClient(
            client_context(caller.unlock().chain, root),
            f"https://{HOST}:{self.port}",
            pin or self.folder.tls_spki_sha256,
        )

    def stop(self) -> float:
        """Stop, and return how many seconds that took."""
        started = time.monotonic()
        self._server.should_exit = True
        self._thread.join(timeout=20)
        assert not self._thread.is_alive()
        return time.monotonic() - started

    def __enter__(self) -> "Door":
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline, "the door did not open"
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
