"""The server that carries the operators' API: loopback unless TLS is given, and quick to stop."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Generator
from typing import Final

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deconflict.api.errors import NodeStoppedError, response_of
from deconflict.api.services import Services
from deconflict.errors import ConfigurationError

__all__ = ["OperatorServer", "build_operator_server"]

GRACE_S: Final = 3


class OperatorServer(uvicorn.Server):
    """A server whose open event streams end when it stops.

    Signals belong to whoever runs the node, which holds several servers; stop this one by setting
    ``should_exit``.

    Args:
        config: of uvicorn.
        services: of the app that is served.
    """

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the node."""
        yield

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port; once started with port 0, the port that was given."""
        for server in getattr(self, "servers", ()):
            for bound in server.sockets:
                host, port = bound.getsockname()[:2]
                return host, port
        return self.config.host, self.config.port

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then all else; takes about 3 s at most."""
        self._services.end_streams()
        await super().shutdown(sockets)
        self._services.close()


def build_operator_server(
    app: FastAPI, host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None
) -> OperatorServer:
    """Return the server for an app of ``build_operator_app``; run it with ``await .serve()``.

    Args:
        app: the operators' app.
        host: the address to listen on. Beyond loopback, passwords and tokens would cross a
            network, so TLS is needed there; the app then has to know the name it is called by.
        port: the port to listen on; 0 takes a free one, see ``address``.
        tls: a server context, TLS 1.3.

    Raises:
        ConfigurationError: the address is not loopback and no TLS context is given, or the
            context takes less than TLS 1.3.
    """
    if tls is None and not _is_loopback(host):
        raise ConfigurationError(
            "the operators' API would listen beyond this machine without TLS",
            given=host,
            expected="127.0.0.1, ::1 or localhost",
            remedy="listen on loopback, or give the operators' API a certificate",
        )
    if tls is not None and tls.minimum_version < ssl.TLSVersion.TLSv1_3:
        raise ConfigurationError(
            "the operators' API would take old TLS",
            given=tls.minimum_version.name,
            expected="TLSv1_3",
        )
    config = uvicorn.Config(
        _told_when_stopped(app),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
        ssl_context_factory=None if tls is None else (lambda _config, _default: tls),
    )
    return OperatorServer(config, app.state.services)


def _told_when_stopped(app: ASGIApp) -> ASGIApp:
    """Answer, as every refusal is answered, what was not done when the server had to end."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, noted)
        except asyncio.CancelledError:
            if begun or scope["type"] != "http":
                raise
            stopped = NodeStoppedError(
                "the node was told to stop before it had answered this",
                remedy="whether it was done is not known: look once the node runs again",
            )
            await response_of(stopped)(scope, receive, send)

    return answer


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
