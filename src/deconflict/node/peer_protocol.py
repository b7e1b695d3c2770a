"""One connection at the door to other parties' nodes: pinned keys, three paths, else silence.

What a caller must pass, in this order; whoever fails one step gets no byte of ours beyond TLS:

1. its address holds fewer than 32 connections and began fewer than 5 handshakes this second;
2. TLS 1.3 with a certificate under a pinned root, in its dates, for the use of a client;
3. the key of that certificate is pinned for a party, now, not only when the node started;
4. ``POST /line/<32 hex digits>/packets``, ``.../part`` or ``.../beat`` (on path 2
   ``.../beat/2``, to 4), HTTP/1.1, one ``Content-Length``, only headers that a node sends: nothing
   for a proxy to read in two ways, nothing that claims to say who calls;
5. the body is at most 8 MiB, one of a part 4 MiB and wanted before it is read, and arrives in
   time;
6. the handler finds line, sender and signatures right.

The first is :mod:`.peer_server`'s, the second TLS's, the others stand here. The last is the
handler's: it raises, and the connection is cut.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httptools
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from deconflict.errors import DeconflictError, VerificationError
from deconflict.node.pki import spki_sha256

__all__ = [
    "BoundedProtocol",
    "DoorLimits",
    "PeerCertProtocol",
    "PeerHandler",
    "Refused",
    "peer_app",
    "read_body",
]

logger = logging.getLogger("deconflict.door")

TARGET = re.compile(rb"/line/([0-9a-f]{32})/(packets|part|beat(?:/[2-4])?)")
# What a node sends, and what common HTTP clients add unasked. Everything else is refused, first of
# all the headers in which proxies carry somebody's identity.
KNOWN_HEADERS = frozenset(
    [
        b"host",
        b"content-length",
        b"content-type",
        b"connection",
        b"accept",
        b"accept-encoding",
        b"user-agent",
    ]
)
CONTENT_TYPE = b"application/octet-stream"


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """How much one caller may take of the door. Defaults: line.md §10."""

    connections_per_address: int = 32
    handshakes_per_second: int = 5
    connections_per_party: int = 16
    connections: int = 512
    handshake_s: float = 5.0
    request_s: float = 20.0
    part_s: float = 120.0  # a whole part in it is 280 kbit/s, with messages beside it
    idle_s: int = 60
    head_bytes: int = 8 * 1024
    body_bytes: int = 8 * 1024 * 1024


class PeerHandler(Protocol):
    """Who answers what comes in by the door.

    ``peer_party`` is the party whose pinned key opened the connection. A handler that raises gets
    the connection cut without a byte of answer: so it raises ``VerificationError`` or
    ``InvalidDocumentError`` when line, sender, signature or form is not right.
    """

    async def packets(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        """Take packets of the peer; return packets for it."""
        ...

    def expect_part(self, peer_party: str, line_id: str, size: int) -> None:
        """Return when a part of so many bytes may be read; raises to have it refused unread."""
        ...

    async def part(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        """Keep a part of a private check; return what says so once it is durable."""
        ...

    async def beat(self, peer_party: str, line_id: str, body: bytes, path: int = 1) -> bytes:
        """Take a beat that the peer sent on one of its paths; return our own of that path."""
        ...


class Refused(Exception):  # noqa: N818  (never leaves this module: it stops the parser)
    """What arrived does not pass the door."""


def peer_app(handler: PeerHandler) -> ASGIApp:
    """Return the ASGI application behind the door.

    It is no Starlette router, because a router answers what it does not know, with 404, 405 or
    500: here silence is the answer. :class:`PeerCertProtocol` has checked method and path.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        connection: PeerCertProtocol = scope["extensions"]["deconflict"]["connection"]
        party: str = scope["extensions"]["deconflict"]["peer_party"]
        line_id, purpose, *path = scope["path"].removeprefix("/line/").split("/")
        try:
            if purpose == "part":  # bulk: judged before memory is given to it
                handler.expect_part(party, line_id, connection.body_bytes)
            body = await read_body(receive)
            if body is None:  # the caller went away in the middle of its request
                return
            if purpose == "packets":
                answer = await handler.packets(party, line_id, body)
            elif purpose == "part":
                answer = await handler.part(party, line_id, body)
            else:
                answer = await handler.beat(party, line_id, body, *map(int, path))
            async with asyncio.timeout(connection.limits.request_s):
                await _write(send, answer)
        except asyncio.CancelledError:
            connection.cut("the node stops")
            raise
        except (DeconflictError, TimeoutError) as error:
            connection.cut(type(error).__name__)
        except Exception:
            # A turn of the core that broke off has ended the node already (decision 0010). What is
            # left is a defect outside it: the caller hears nothing, and we must not answer 500.
            logger.exception("the answer to %s failed; its connection is cut", party)
            connection.cut("own failure")
        else:
            return
        # Stay until the cut has taken effect: the server would answer 500 in our place if we
        # returned without an answer on a connection that it still thinks open.
        while (await receive())["type"] != "http.disconnect":
            pass

    return app


async def read_body(receive: Receive) -> bytes | None:
    """Return the body of a request; None when its caller went away before it was whole."""
    # Bounded: the protocol has refused any Content-Length above the limit, and the parser takes
    # no byte beyond it.
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _write(send: Send, body: bytes) -> None:
    headers = [(b"content-type", CONTENT_TYPE), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class BoundedProtocol(HttpToolsProtocol):
    """One connection: uvicorn's HTTP/1.1, bounded in bytes and time, and cut at any doubt.

    Args:
        config: of the server.
        server_state: of the server.
        limits: how much one caller may take.
        on_lost: called once, when the connection has ended.
    """

    def __init__(
        self,
        *,
        config: uvicorn.Config,
        server_state: ServerState,
        limits: DoorLimits,
        on_lost: Callable[[], None],
    ) -> None:
        super().__init__(config=config, server_state=server_state, app_state={})
        self.limits = limits
        self.peer_party: str | None = None
        self.body_bytes = 0  # of the request under way, as its head says; the parser holds it to it
        self._on_lost = on_lost
        self._head_bytes = 0
        self._reading_head = True
        self._deadline: asyncio.TimerHandle | None = None

    def cut(self, reason: str) -> None:
        """End the connection at once: nothing more is sent, not even what was buffered."""
        if not self.transport.is_closing():
            address = self.client[0] if self.client else "?"
            logger.info("cut %s (%s): %s", address, self.peer_party or "unknown", reason)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called when the handshake is done: the first request has to arrive in time."""
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called once, however the connection ended."""
        self._stop_deadline()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        self._on_lost()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; whatever it does not take ends the connection."""
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if self._deadline is None and self._reading_head:
            self._start_deadline()
        self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # A callback's own exception comes wrapped; what it says is the reason.
            self.cut(str(error.__context__ or type(error).__name__))
            return
        if self._reading_head and self._head_bytes > self.limits.head_bytes:
            self.cut("head too large")

    def on_message_begin(self) -> None:
        """A request begins: there must be none under way, nodes do not pipeline."""
        if self.cycle is not None and not self.cycle.response_complete:
            raise Refused("pipelined request")
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The request is whole: from here on time is the handler's."""
        self._stop_deadline()
        self._reading_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def shutdown(self) -> None:
        """Called when the server stops: end an idle connection at once, a busy one after it."""
        # Not close(): that waits for the peer's goodbye, and a peer may withhold it.
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
        else:
            self.cycle.keep_alive = False

    def _require_length(self) -> None:
        """Raise unless the head says once, in figures, how long a body within the limit is."""
        lengths = [value for name, value in self.headers if name == b"content-length"]
        said = lengths[0] if len(lengths) == 1 else b""
        if re.fullmatch(rb"[0-9]{1,8}", said) is None or int(said) > self.limits.body_bytes:
            raise Refused("no length, or too long")
        self.body_bytes = int(said)

    def _start_deadline(self, after_s: float | None = None) -> None:
        after_s = self.limits.request_s if after_s is None else after_s
        self._deadline = self.loop.call_later(
            after_s, self.cut, "its request did not arrive in time"
        )

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class PeerCertProtocol(BoundedProtocol):
    """A connection of a peer: with the caller's certificate, whose key must be pinned.

    uvicorn hands no certificate to applications (its issues 1119 and 3132) and answers bad
    requests in clear text; this class does the one and prevents the other.
    """

    def __init__(
        self,
        *,
        config: uvicorn.Config,
        server_state: ServerState,
        party_of: Callable[[str], str | None],
        limits: DoorLimits,
        on_lost: Callable[[], None],
    ) -> None:
        super().__init__(config=config, server_state=server_state, limits=limits, on_lost=on_lost)
        self._party_of = party_of
        self._spki = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called when the handshake is done: look whose key opened the door."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert(binary_form=True) if tls is not None else None
        try:
            self._spki = spki_sha256(certificate or b"")
        except VerificationError:
            return self.cut("no readable certificate")
        self.peer_party = self._party_of(self._spki)
        if self.peer_party is None:
            return self.cut("its key is not pinned")
        if self._connections_of(self.peer_party) > self.limits.connections_per_party:
            return self.cut("too many connections of this party")
        return None

    def on_headers_complete(self) -> None:
        """The head of a request is whole: judge it before anything acts on it."""
        # Asked again for each request: a peer removed while connected is out at once.
        if self.peer_party is None or self._party_of(self._spki) != self.peer_party:
            raise Refused("its key is pinned no longer")
        if self.parser.get_method() != b"POST" or self.parser.get_http_version() != "1.1":
            raise Refused("not POST of HTTP/1.1")
        if TARGET.fullmatch(self.url) is None:
            raise Refused("no such path")
        self._judge_headers()
        self._reading_head = False
        if self.url.endswith(b"/part"):  # wanted or cut in a moment; bulk may take its time
            self._stop_deadline()
            self._start_deadline(self.limits.part_s)
        self.scope["extensions"] = {
            "deconflict": {"connection": self, "peer_party": self.peer_party}
        }
        super().on_headers_complete()

    def _judge_headers(self) -> None:
        names = [name for name, _ in self.headers]
        if len(set(names)) != len(names) or not KNOWN_HEADERS.issuperset(names):
            raise Refused("a header that no node sends")
        self._require_length()

    def _connections_of(self, party: str) -> int:
        return sum(1 for other in self.connections if getattr(other, "peer_party", None) == party)
