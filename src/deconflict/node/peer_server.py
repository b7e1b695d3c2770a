"""The door to other parties' nodes: TLS, pinned keys, two paths, and silence for everybody else.

What a caller must pass, in this order; whoever fails one step gets no byte of ours beyond TLS:

1. its address holds fewer than 32 connections and began fewer than 5 handshakes this second;
2. TLS 1.3 with a certificate under a pinned root, in its dates, for the use of a client;
3. the key of that certificate is pinned for a party, now, not only when the node started;
4. ``POST /line/<32 hex digits>/packets`` or ``.../beat``, HTTP/1.1, one ``Content-Length``, only
   headers that a node sends: nothing for a proxy to read in two ways, nothing that claims to say
   who calls;
5. the body is at most 8 MiB and arrives in time;
6. the handler finds line, sender and signatures right.

The sixth is the handler's: it raises, and the connection is cut.
"""

import asyncio
import contextlib
import ipaddress
import logging
import re
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import httptools
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from deconflict.errors import ConfigurationError, DeconflictError, VerificationError
from deconflict.node.pki import spki_sha256

__all__ = [
    "DoorLimits",
    "PeerCertProtocol",
    "PeerHandler",
    "PeerServer",
    "build_peer_server",
    "peer_app",
    "probe_refuses_strangers",
]

logger = logging.getLogger("deconflict.door")

TARGET = re.compile(rb"/line/([0-9a-f]{32})/(packets|beat)")
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
PROBE_S = 5.0
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

    async def beat(self, peer_party: str, line_id: str, body: bytes) -> bytes:
        """Take a beat of the peer; return our own."""
        ...


class _Refused(Exception):  # noqa: N818  (never leaves this module: it stops the parser)
    """What arrived does not pass the door."""


def peer_app(handler: PeerHandler) -> ASGIApp:
    """Return the ASGI application behind the door.

    It is no Starlette router, because a router answers what it does not know, with 404, 405 or
    500: here silence is the answer. :class:`PeerCertProtocol` has checked method and path.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        connection: PeerCertProtocol = scope["extensions"]["deconflict"]["connection"]
        party: str = scope["extensions"]["deconflict"]["peer_party"]
        line_id, purpose = scope["path"].removeprefix("/line/").split("/")
        answer_to = handler.packets if purpose == "packets" else handler.beat
        try:
            body = await _read(receive)
            if body is None:  # the caller went away in the middle of its request
                return
            answer = await answer_to(party, line_id, body)
            async with asyncio.timeout(connection.limits.request_s):
                await _write(send, answer)
        except asyncio.CancelledError:
            connection.cut("the node stops")
            raise
        except (DeconflictError, TimeoutError) as error:
            connection.cut(type(error).__name__)
        except Exception:
            logger.exception("the answer to %s failed; its connection is cut", party)
            connection.cut("own failure")
        else:
            return
        # Stay until the cut has taken effect: the server would answer 500 in our place if we
        # returned without an answer on a connection that it still thinks open.
        while (await receive())["type"] != "http.disconnect":
            pass

    return app


async def _read(receive: Receive) -> bytes | None:
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


class PeerCertProtocol(HttpToolsProtocol):
    """One connection: uvicorn's HTTP/1.1, with the caller's certificate, and cut at any doubt.

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
        super().__init__(config=config, server_state=server_state, app_state={})
        self.limits = limits
        self.peer_party: str | None = None
        self._party_of = party_of
        self._on_lost = on_lost
        self._spki = ""
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
        return self._start_deadline()

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
            raise _Refused("pipelined request")
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head of a request is whole: judge it before anything acts on it."""
        # Asked again for each request: a peer removed while connected is out at once.
        if self.peer_party is None or self._party_of(self._spki) != self.peer_party:
            raise _Refused("its key is pinned no longer")
        if self.parser.get_method() != b"POST" or self.parser.get_http_version() != "1.1":
            raise _Refused("not POST of HTTP/1.1")
        if TARGET.fullmatch(self.url) is None:
            raise _Refused("no such path")
        self._judge_headers()
        self._reading_head = False
        self.scope["extensions"] = {
            "deconflict": {"connection": self, "peer_party": self.peer_party}
        }
        super().on_headers_complete()

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

    def _judge_headers(self) -> None:
        names = [name for name, _ in self.headers]
        if len(set(names)) != len(names) or not KNOWN_HEADERS.issuperset(names):
            raise _Refused("a header that no node sends")
        length = dict(self.headers).get(b"content-length", b"")
        if re.fullmatch(rb"[0-9]{1,8}", length) is None or int(length) > self.limits.body_bytes:
            raise _Refused("no length, or too long")

    def _connections_of(self, party: str) -> int:
        return sum(1 for other in self.connections if getattr(other, "peer_party", None) == party)

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(
            self.limits.request_s, self.cut, "its request did not arrive in time"
        )

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class _Threshold:
    """Who may begin a handshake: counts per address, before any TLS is spoken."""

    ADDRESSES = 4096  # remembered at most; beyond it newcomers wait until old ones are forgotten

    def __init__(self, limits: DoorLimits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._open: dict[str, int] = {}
        self._begun: dict[str, list[float]] = {}

    def enter(self, address: str) -> bool:
        """True exactly when this address may begin one more handshake; it then counts."""
        now = self._monotonic()
        begun = [at for at in self._begun.get(address, []) if now - at < 1.0]
        if (
            len(begun) >= self._limits.handshakes_per_second
            or self._open.get(address, 0) >= self._limits.connections_per_address
            or sum(self._open.values()) >= self._limits.connections
        ):
            return False
        if address not in self._begun and len(self._begun) >= self.ADDRESSES:
            self._begun = {a: t for a, t in self._begun.items() if now - t[-1] < 1.0}
            if len(self._begun) >= self.ADDRESSES:
                return False
        self._begun[address] = [*begun, now]
        self._open[address] = self._open.get(address, 0) + 1
        return True

    def leave(self, address: str) -> None:
        """One connection of this address has ended."""
        left = self._open[address] - 1
        if left:
            self._open[address] = left
        else:
            del self._open[address]


class PeerServer(uvicorn.Server):
    """A uvicorn server that keeps its own threshold and leaves signals to the node.

    uvicorn would accept every connection and give a handshake 60 s; here the limits hold before
    TLS begins, and a handshake has 5 s. Start it with ``await server.serve()``, stop it with
    ``server.should_exit = True``; :attr:`port` is known once :attr:`started` is true.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        party_of: Callable[[str], str | None],
        limits: DoorLimits,
    ) -> None:
        super().__init__(config)
        self.port = 0
        self._party_of = party_of
        self._limits = limits
        self._listening: list[socket.socket] = []
        self._at_work: set[asyncio.Task[None]] = set()
        self._threshold: _Threshold | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone: the node that runs this server decides when it stops."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Bind and begin to accept.

        Raises:
            ConfigurationError: the address cannot be bound.
        """
        loop = asyncio.get_running_loop()
        self.servers = []  # nothing for uvicorn's own shutdown to close: the sockets are ours
        self._threshold = _Threshold(self._limits, loop.time)
        self._listening = sockets or [await self._bind()]
        self.port = self._listening[0].getsockname()[1]
        for listening in self._listening:
            self._work(self._accept(listening, self._threshold))
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let requests under way end within 3 s, cut the rest."""
        for task in list(self._at_work):
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        for listening in self._listening:
            listening.close()
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _bind(self) -> socket.socket:
        config = self.config
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                config.host, config.port, family=family, type=socket.SOCK_STREAM
            )
            listening = socket.create_server(found[0][4][:2], family=family, backlog=config.backlog)
        except OSError as error:
            raise ConfigurationError(
                "the door to other parties cannot be opened",
                given=f"{config.host}:{config.port} ({error.strerror or error})",
                expected="a free port and an address of this machine",
                remedy="stop what holds the port, or change peer_listen in node.toml",
            ) from error
        listening.setblocking(False)
        return listening

    def _work(self, coroutine: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(coroutine)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _accept(self, listening: socket.socket, threshold: _Threshold) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(listening)
            except OSError as error:
                # Out of descriptors, mostly. Those who wait stay in the backlog.
                logger.warning("cannot accept: %s", error.strerror)
                await asyncio.sleep(0.2)
                continue
            address = _who(str(peer[0]))
            if threshold.enter(address):
                # asyncio sets it only on sockets that name their protocol; without it Nagle and
                # delayed acknowledgements make each answer wait 40 ms.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._work(self._greet(connection, address, threshold))
            else:
                # Reset rather than close: it leaves no TIME_WAIT for a flood to pile up.
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.close()
                logger.info("turned away %s: too many connections or handshakes", address)

    async def _greet(self, connection: socket.socket, address: str, threshold: _Threshold) -> None:
        loop = asyncio.get_running_loop()
        protocols: list[PeerCertProtocol] = []

        def create_protocol() -> PeerCertProtocol:
            protocol = PeerCertProtocol(
                config=self.config,
                server_state=self.server_state,
                party_of=self._party_of,
                limits=self._limits,
                on_lost=lambda: threshold.leave(address),
            )
            protocols.append(protocol)
            return protocol

        try:
            await loop.connect_accepted_socket(
                create_protocol,
                sock=connection,
                ssl=self.config.ssl,
                ssl_handshake_timeout=self._limits.handshake_s,
                ssl_shutdown_timeout=1.0,
            )
        except (OSError, TimeoutError) as error:  # ssl.SSLError is an OSError
            reason = getattr(error, "reason", None) or type(error).__name__
            logger.info("no handshake with %s: %s", address, reason)
        finally:
            # The protocol gives the place back in connection_lost, which asyncio calls exactly
            # when it has called connection_made; a failed handshake reaches neither.
            if not any(protocol.transport is not None for protocol in protocols):
                threshold.leave(address)


def _who(address: str) -> str:
    # One IPv6 customer holds a whole /64: counting single addresses would count nothing.
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))


def build_peer_server(
    handler: PeerHandler,
    *,
    context: ssl.SSLContext,
    party_of: Callable[[str], str | None],
    host: str,
    port: int,
    limits: DoorLimits | None = None,
) -> PeerServer:
    """Return the server of the door, not yet started.

    Args:
        handler: who answers.
        context: from :func:`deconflict.node.tls.server_context`.
        party_of: the party for which a key (SPKI SHA-256, hex) is pinned, or None. Asked at each
            connection and each request, so that a peer added or removed counts at once; the root
            of an added peer must be given to the context with :func:`deconflict.node.tls.trust`.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        limits: how much one caller may take.

    Raises:
        ConfigurationError: the context would let in somebody without a certificate.
    """
    if context.verify_mode is not ssl.CERT_REQUIRED:
        raise ConfigurationError(
            "the door would open without a certificate",
            expected="a context made by deconflict.node.tls.server_context",
        )
    limits = limits or DoorLimits()
    config = uvicorn.Config(
        peer_app(handler),
        host=host,
        port=port,
        interface="asgi3",
        http=PeerCertProtocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        ssl_context_factory=lambda _config, _default: context,
        # Say nothing of ourselves, believe nothing a proxy says of others, log no content.
        server_header=False,
        date_header=False,
        proxy_headers=False,
        access_log=False,
        log_config=None,
        log_level=None,
        timeout_keep_alive=limits.idle_s,
        timeout_graceful_shutdown=3,
    )
    return PeerServer(config, party_of=party_of, limits=limits)


async def probe_refuses_strangers(host: str, port: int) -> None:
    """Knock at our own open door as strangers would, and return when none was let in.

    Three strangers: TLS 1.3 without a certificate, TLS 1.2, and plain text. A door fails open by a
    forgotten setting, not by an attack, so a node looks at its own before it says it runs.

    Args:
        host: where the node listens; a wildcard address is tried on loopback.
        port: the same.

    Raises:
        ConfigurationError: a stranger got an answer, was left waiting, or nobody listens there.
    """
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    for stranger, tls_version in (
        ("with no certificate", ssl.TLSVersion.TLSv1_3),
        ("with TLS 1.2", ssl.TLSVersion.TLSv1_2),
        ("with plain text", None),
    ):
        try:
            heard = await asyncio.to_thread(_knock, address, port, tls_version)
        except OSError as error:
            raise ConfigurationError(
                "the node cannot make sure that its door is shut to strangers",
                given=f"{address}:{port}: {error.strerror or type(error).__name__}",
                expected="an open port that ends the connection of a stranger at once",
                remedy="look what else listens there, and at the firewall of this machine",
            ) from error
        if heard:
            raise ConfigurationError(
                f"the door stands open: a stranger {stranger} got {len(heard)} bytes of answer",
                given=f"{address}:{port}",
                expected="nothing but a TLS alert",
                remedy="do not run this node; see who else serves this port",
            )


def _knock(host: str, port: int, tls_version: ssl.TLSVersion | None) -> bytes:
    """Return what a stranger hears beyond TLS; raise OSError if the door is not there or hangs."""
    with socket.create_connection((host, port), timeout=PROBE_S) as plain:
        try:
            stream = plain
            if tls_version is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE  # whose door it is does not matter here
                context.minimum_version = context.maximum_version = tls_version
                stream = context.wrap_socket(plain)
            with stream:
                stream.sendall(b"GET / HTTP/1.1\r\nhost: stranger\r\n\r\n")
                heard = stream.recv(4096)
        except TimeoutError:
            raise
        except OSError:  # an alert, a reset or an end: shut
            return b""
    # Only to the one who spoke plain text an alert comes as bytes: record type 21 (RFC 8446 §5.1).
    return b"" if tls_version is None and heard.startswith(b"\x15\x03") else heard
