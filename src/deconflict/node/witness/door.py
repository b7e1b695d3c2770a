"""The door of a third witness: one path of HTTP over TLS, for whoever can show a signed checkpoint.

Nobody is asked for a certificate: who may be answered, the signature on the checkpoint says. So the
door is bounded before anything is read, as the one between nodes is: connections and handshakes an
address, bytes and seconds a request, requests that wait.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from deconflict.errors import StoreError, StoreFullError, StoreInUseError
from deconflict.line.tlog_witness import MAX_REQUEST_BYTES
from deconflict.node.peer_protocol import BoundedProtocol, DoorLimits, Refused, read_body
from deconflict.node.peer_server import BoundedServer, door_config
from deconflict.node.witness.folder import WitnessFolder
from deconflict.node.witness.service import Answer, WitnessService

__all__ = ["WITNESS_LIMITS", "WitnessServer", "build_witness_server"]

logger = logging.getLogger("deconflict.witness")

WITNESS_LIMITS: Final = DoorLimits(
    connections=256, request_s=10.0, idle_s=30, body_bytes=MAX_REQUEST_BYTES
)
_WAITING: Final = 64  # requests; each costs a signature to verify, and one that holds an fsync
_PATH: Final = b"/add-checkpoint"
_TEXT: Final = "text/plain; charset=utf-8"


class _Protocol(BoundedProtocol):
    """A connection of anybody: bounded; one method, one path."""

    def on_headers_complete(self) -> None:
        """The head of a request is whole: judge it before anything acts on it."""
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            raise Refused("not HTTP/1")
        if any(name == b"transfer-encoding" for name, _ in self.headers):
            raise Refused("a body without a length")
        if self.parser.get_method() == b"POST" or any(
            name == b"content-length" for name, _ in self.headers
        ):
            self._require_length()
        self._reading_head = False
        super().on_headers_complete()


class WitnessServer(BoundedServer):
    """The server of a witness. :attr:`failed` says why it had to stop, if it had to."""

    def __init__(self, config: uvicorn.Config, *, limits: DoorLimits) -> None:
        def new_protocol(state: ServerState, on_lost: Callable[[], None]) -> _Protocol:
            return _Protocol(config=config, server_state=state, limits=limits, on_lost=on_lost)

        super().__init__(config, limits=limits, new_protocol=new_protocol)
        self.failed: StoreError | None = None

    def fail(self, error: StoreError) -> None:
        """Stop: after a failed write only a fresh start, which reads the ledger anew, may sign."""
        self.failed = self.failed or error
        self.should_exit = True


def build_witness_server(
    folder: WitnessFolder, service: WitnessService, *, limits: DoorLimits = WITNESS_LIMITS
) -> WitnessServer:
    """Return the server of a witness, not yet started.

    Raises:
        ConfigurationError: its certificate cannot be loaded.
    """
    context = folder.tls_context()
    server: WitnessServer
    config = door_config(
        _app(service, lambda error: server.fail(error)),
        folder.settings.listen.host,
        folder.settings.listen.port,
        protocol=_Protocol,
        context=context,
        limits=limits,
    )
    server = WitnessServer(config, limits=limits)
    return server


def _app(service: WitnessService, fail: Callable[[StoreError], None]) -> ASGIApp:
    # One thread: the ledger is written by one at a time anyway, and its fsync must not stop the
    # loop that keeps the door.
    worker = ThreadPoolExecutor(1, "witness")
    waiting = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal waiting
        body = await read_body(receive)
        if body is None:  # the caller went away in the middle of its request
            return
        if scope["raw_path"] != _PATH or scope["query_string"]:
            answer = Answer(404, _TEXT, b"POST /add-checkpoint (c2sp.org/tlog-witness)\n")
        elif scope["method"] != "POST":
            answer = Answer(405, _TEXT, b"POST /add-checkpoint (c2sp.org/tlog-witness)\n")
        elif waiting >= _WAITING:
            answer = Answer(503, _TEXT, b"too many at once: try again later\n")
        else:
            waiting += 1
            try:
                loop = asyncio.get_running_loop()
                answer = await loop.run_in_executor(worker, service.add_checkpoint, body)
            except (StoreInUseError, StoreFullError) as error:
                logger.warning("%s", error.problem)
                answer = Answer(503, _TEXT, b"nothing could be written: try again later\n")
            except StoreError as error:
                logger.exception("%s", error.problem)
                fail(error)
                answer = Answer(500, _TEXT, b"this witness cannot write, and stops\n")
            finally:
                waiting -= 1
        await _write(send, answer)

    return app


async def _write(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.content_type.encode("ascii")),
        (b"content-length", b"%d" % len(answer.body)),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
