"""The server behind which the door to other parties' nodes stands.

uvicorn serves; this file decides who may begin a handshake at all. What a connection must pass
after its handshake stands in :mod:`.peer_protocol`; whether the open door is shut to strangers,
:mod:`.door_probe` finds out from outside.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import ssl
import struct
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from deconflict.errors import ConfigurationError
from deconflict.node.door_probe import is_here
from deconflict.node.peer_protocol import (
    BoundedProtocol,
    DoorLimits,
    PeerCertProtocol,
    PeerHandler,
    peer_app,
)

__all__ = [
    "BoundedServer",
    "DoorLimits",
    "PeerHandler",
    "PeerServer",
    "build_peer_server",
    "door_config",
]

logger = logging.getLogger("deconflict.door")

_IP_FREEBIND = 15  # linux/in.h; Python does not name it. IPv6 sockets take it too


class _Threshold:
    """Who may begin a handshake: counts per address, before any TLS is spoken."""

    ADDRESSES = 4096  # remembered at most; beyond it newcomers wait until old ones are forgotten

    def __init__(self, limits: DoorLimits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._open: dict[str, int] = {}
        self._begun: dict[str, list[float]] = {}

    def enter(self, address: str, *, is_own_knock: bool) -> bool:
        """True exactly when this address may begin one more handshake; it then counts.

        The node's own knock always may, but counts like another's.
        """
        now = self._monotonic()
        begun = [at for at in self._begun.get(address, []) if now - at < 1.0]
        if not is_own_knock and (
            len(begun) >= self._limits.handshakes_per_second
            or self._open.get(address, 0) >= self._limits.connections_per_address
            or sum(self._open.values()) >= self._limits.connections
        ):
            return False
        if address not in self._begun and len(self._begun) >= self.ADDRESSES:
            self._begun = {a: t for a, t in self._begun.items() if now - t[-1] < 1.0}
            if len(self._begun) >= self.ADDRESSES and not is_own_knock:
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


class BoundedServer(uvicorn.Server):
    """A uvicorn server that keeps its own threshold and leaves signals to whoever runs it.

    uvicorn would accept every connection and give a handshake 60 s; here the limits hold before
    TLS begins, and a handshake has 5 s. It may listen at several addresses, one for each network
    path; certificates, pins and limits are the same at all. Start it with ``await server.serve()``,
    stop it with ``server.should_exit = True``; :attr:`port`, that of the first address, is known
    once :attr:`started` is true.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        more: Sequence[tuple[str, int]] = (),
        limits: DoorLimits,
        new_protocol: Callable[[ServerState, Callable[[], None]], BoundedProtocol],
    ) -> None:
        super().__init__(config)
        self.port = 0
        # Where this node's own knocks come from: a knock that is turned away proves nothing of the
        # door, and a peer on this machine or in its network counts as the same caller.
        self.own_knocks: set[tuple[str, int]] = set()
        self._addresses = ((config.host, config.port), *more)
        self._limits = limits
        self._new_protocol = new_protocol
        self._at_work: set[asyncio.Task[None]] = set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone: the node that runs this server decides when it stops."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Bind and begin to accept.

        Raises:
            ConfigurationError: an address cannot be bound.
        """
        loop = asyncio.get_running_loop()
        threshold = _Threshold(self._limits, loop.time)
        self.servers = []
        for listening in sockets or await self._bind_all():
            # A server that never serves: uvicorn asks it for its address and closes it at the end,
            # while accepting is ours.
            self.servers.append(
                await loop.create_server(asyncio.Protocol, sock=listening, start_serving=False)
            )
            self._work(self._accept(listening, threshold))
        self.port = self.servers[0].sockets[0].getsockname()[1]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let requests under way end within 3 s, cut the rest."""
        for task in list(self._at_work):
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _bind_all(self) -> list[socket.socket]:
        with contextlib.ExitStack() as unless_all:
            bound = [
                unless_all.enter_context(await self._bind(host, port))
                for host, port in self._addresses
            ]
            _require_one_here(bound)
            unless_all.pop_all()
            return bound

    async def _bind(self, host: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM
            )
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if len(self._addresses) > 1 and sys.platform == "linux":
                # A node with two paths must come up while the cable of one is out, and its address
                # with it; when the address is there again, so is the door.
                listening.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            listening.bind(found[0][4])
            listening.listen(self.config.backlog)
        except OSError as error:
            listening.close()
            raise ConfigurationError(
                "the door to other parties cannot be opened",
                given=f"{host}:{port} ({error.strerror or error})",
                expected="a free port and an address of this machine",
                remedy="stop what holds the port, or change peer_listen in node.toml",
            ) from error
        listening.setblocking(False)
        return listening

    def _work(self, coroutine: Coroutine[None, None, None]) -> None:
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
            if threshold.enter(address, is_own_knock=peer[:2] in self.own_knocks):
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
        protocols: list[BoundedProtocol] = []

        def create_protocol() -> BoundedProtocol:
            protocol = self._new_protocol(self.server_state, lambda: threshold.leave(address))
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
        except OSError as error:  # ssl.SSLError and TimeoutError are OSErrors
            logger.info("no handshake with %s: %s", address, _why(error))
        finally:
            # The protocol gives the place back in connection_lost, which asyncio calls exactly
            # when it has called connection_made; a failed handshake reaches neither.
            if not any(protocol.transport is not None for protocol in protocols):
                threshold.leave(address)


class PeerServer(BoundedServer):
    """The server of the door to other parties' nodes.

    Args:
        config: of uvicorn.
        more: further addresses and ports.
        party_of: as of :func:`build_peer_server`.
        limits: how much one caller may take.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        more: Sequence[tuple[str, int]] = (),
        party_of: Callable[[str], str | None],
        limits: DoorLimits,
    ) -> None:
        def new_protocol(state: ServerState, on_lost: Callable[[], None]) -> PeerCertProtocol:
            return PeerCertProtocol(
                config=config,
                server_state=state,
                party_of=party_of,
                limits=limits,
                on_lost=on_lost,
            )

        super().__init__(config, more=more, limits=limits, new_protocol=new_protocol)


def _require_one_here(bound: Sequence[socket.socket]) -> None:
    names = [listening.getsockname() for listening in bound]
    if not any(is_here(name[0]) for name in names):
        raise ConfigurationError(
            "the door to other parties cannot be opened",
            given=", ".join(f"{name[0]}:{name[1]}" for name in names),
            expected="at least one address that this machine has now",
            remedy="connect a network, or change the addresses in node.toml",
        )


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return type(error).__name__


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


def door_config(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    protocol: type[BoundedProtocol],
    context: ssl.SSLContext,
    limits: DoorLimits,
) -> uvicorn.Config:
    """Return the configuration of a door that strangers can reach.

    It says nothing of itself, believes nothing that a proxy says of others, logs no content.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        interface="asgi3",
        http=protocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        ssl_context_factory=lambda _config, _default: context,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        access_log=False,
        log_config=None,
        log_level=None,
        timeout_keep_alive=limits.idle_s,
        timeout_graceful_shutdown=3,
    )


def build_peer_server(
    handler: PeerHandler,
    *,
    context: ssl.SSLContext,
    party_of: Callable[[str], str | None],
    host: str,
    port: int,
    more: Sequence[tuple[str, int]] = (),
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
        more: further addresses and ports to listen on, one for each further network path.
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
    config = door_config(
        peer_app(handler), host, port, protocol=PeerCertProtocol, context=context, limits=limits
    )
    return PeerServer(config, more=more, party_of=party_of, limits=limits)
