"""A real third witness in a thread, for the tests of this directory."""

import asyncio
import os
import threading
import time
from pathlib import Path
from types import TracebackType

from deconflict.line.keys import VerifyKey
from deconflict.node.peer_protocol import DoorLimits
from deconflict.node.settings import Endpoint
from deconflict.node.witness.client import WitnessClient, witness_context
from deconflict.node.witness.door import build_witness_server
from deconflict.node.witness.folder import WitnessFolder, WitnessSettings
from deconflict.node.witness.service import WitnessService

HOST = "127.0.0.1"
BUSY = DoorLimits(handshakes_per_second=10_000, request_s=1.0, handshake_s=0.5, body_bytes=12_000)


class WitnessDoor:
    """``with WitnessDoor(path) as door``: a witness, open on ``door.port``."""

    def __init__(self, path: Path, limits: DoorLimits = BUSY) -> None:
        self.folder = (
            WitnessFolder.open(path)
            if path.exists()
            else WitnessFolder.create(
                path,
                WitnessSettings("agency.example/w1", Endpoint(HOST, 0), f"https://{HOST}:8444"),
                now_utc_ms=time.time_ns() // 1_000_000,
                random_bytes=os.urandom,
            )
        )
        self.ledger = self.folder.ledger()
        service = WitnessService(
            self.ledger,
            name=self.folder.settings.name,
            key=self.folder.key,
            now_s=lambda: int(time.time()),
        )
        self._server = build_witness_server(self.folder, service, limits=limits)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()))

    def knows(self, line_id: str, party: str, key: VerifyKey) -> None:
        """Be willing to cosign a party's chain."""
        self.ledger.add_author(line_id, party, key, now_utc_ms=0)

    def __enter__(self) -> "WitnessDoor":
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.ledger.close()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    def client(self) -> WitnessClient:
        """A client that trusts it."""
        return WitnessClient(self.url, witness_context(self.folder.root_path))
