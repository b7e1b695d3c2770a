"""What stands before every route: who may address this server, and what browsers may do with it.

A page of the internet that an operator's browser shows can send requests to loopback, or point
its own name at it (DNS rebinding). So the Host header must be a name of ours, a foreign Origin is
refused, no CORS header is ever sent, and pages may load nothing from elsewhere.
"""

from collections.abc import Iterable, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deconflict.api.errors import error_response

__all__ = ["LOOPBACK_NAMES", "Guard"]

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_RAW_HEADERS: Final = tuple((k.lower().encode(), v.encode()) for k, v in _HEADERS.items())


class Guard:
    """ASGI middleware: refuse foreign names and origins, put the headers on every answer.

    Args:
        app: what stands behind.
        names: the host names, without port, by which this server may be addressed.
    """

    def __init__(self, app: ASGIApp, *, names: Iterable[str] = LOOPBACK_NAMES) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _guard_headers(message)
            await send(message)

        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin")
        if _name_of(f"//{host}") not in self._names:
            refused = error_response(
                421,
                "WrongHost",
                "this server does not go by that name",
                given=ascii(host[:80]),
                expected=", ".join(sorted(self._names)),
            )
        elif origin is not None and _authority_of(origin) != host.lower():
            refused = error_response(
                403,
                "WrongOrigin",
                "a page from elsewhere may not call this",
                given=ascii(origin[:80]),
            )
        else:
            await self._app(scope, receive, send_guarded)
            return
        await refused(scope, receive, send_guarded)


def _guard_headers(message: MutableMapping[str, Any]) -> None:
    headers = list(message.get("headers", ()))
    given = {name for name, _ in headers}
    message["headers"] = headers + [pair for pair in _RAW_HEADERS if pair[0] not in given]


def _name_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _authority_of(url: str) -> str | None:
    """Return host and port of an origin in lower case, or None if it has none."""
    try:
        return urlsplit(url).netloc.lower() or None
    except ValueError:
        return None
