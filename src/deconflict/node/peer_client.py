"""Calls to the door of a peer's node.

Written on asyncio streams, because one promise must be easy to see: **no byte of a request leaves
before the peer's key is compared with its pin.** The usual HTTP clients verify chains and names,
keep the certificate to themselves, and hide when they reconnect; what is spoken here is one
method, two paths and three headers of HTTP/1.1.
"""

import asyncio
import hmac
import os
import re
import ssl
from collections import deque
from types import TracebackType
from urllib.parse import urlsplit

from deconflict.errors import ConfigurationError, PeerUnreachableError, WrongSenderError
from deconflict.node.pki import spki_sha256, validity_of_der

__all__ = ["PeerClient"]

ANSWER_BYTES = 8 * 1024 * 1024
READ_AHEAD_BYTES = 128 * 1024
CONNECTIONS = 4  # so that a beat need not wait behind a large body
STATUS_OK = b"HTTP/1.1 200 OK"


class _Stale(Exception):  # noqa: N818  (never leaves this module: it asks for one more try)
    """A kept connection had already been closed by the peer."""


class _Connection:
    """One TLS connection to the peer whose key has been compared; one request at a time."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, certificate_der: bytes
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.certificate_der = certificate_der
        self.used = False

    @classmethod
    async def open(cls, context: ssl.SSLContext, host: str, port: int, pin: str) -> "_Connection":
        reader, writer = await asyncio.open_connection(
            host,
            port,
            ssl=context,
            # No name goes out in clear text, and none is checked: the key is the identity.
            server_hostname="",
            limit=READ_AHEAD_BYTES,
        )
        tls = writer.get_extra_info("ssl_object")
        connection = cls(reader, writer, tls.getpeercert(binary_form=True) or b"")
        shown = spki_sha256(connection.certificate_der)
        if not hmac.compare_digest(shown, pin):
            connection.abort()
            raise WrongSenderError(
                "the node at the peer's address shows another key than the pinned one",
                given=f"SPKI SHA-256 {shown}",
                expected=pin,
                remedy="call the peer by voice; pin anew only from an invitation whose "
                "fingerprint was read to you",
            )
        return connection

    @property
    def closed(self) -> bool:
        return self._writer.is_closing() or self._reader.at_eof()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def exchange(self, head: bytes, body: bytes) -> bytes:
        """Send one request and return the body of its answer.

        Raises:
            _Stale: the connection was used before and ended without one byte of answer.
            PeerUnreachableError: it ended, or what came is no answer of a node.
        """
        try:
            self._writer.writelines([head, body])
            await self._writer.drain()
            answer = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            if self.used and not error.partial:
                raise _Stale from error
            raise _unanswered("it closed the connection without an answer") from error
        except asyncio.LimitOverrunError as error:
            raise _unanswered("its answer is not that of a node") from error
        except OSError as error:  # ssl.SSLError is one, alerts come as it
            if self.used and isinstance(error, ConnectionError):
                raise _Stale from error
            raise _unanswered(_reason(error)) from error
        self.used = True
        size = _body_size(answer)
        try:
            return await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise _unanswered("its answer broke off") from error


class PeerClient:
    """Posts to one peer's door, over connections that are kept.

    Several requests may run at once; each has a connection of its own, four at most. A kept
    connection that turns out to be closed before the first byte of an answer is replaced once:
    requests on a line are idempotent, so saying one twice does no harm. Nothing else is retried
    here; when to try again is the line's decision.

    Args:
        context: from :func:`deconflict.node.tls.client_context`.
        url: the peer's advertised URL, ``https://host:port``.
        pin: SHA-256 of the peer's TLS key (SPKI), 64 hex digits.

    Attributes:
        shown_until_ms: until when the certificate is good that the peer showed last; None before.

    Raises:
        ConfigurationError: the URL is not of that form.
    """

    def __init__(self, context: ssl.SSLContext, url: str, pin: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path.strip("/"):
            raise ConfigurationError(
                "the URL of a peer cannot be used", given=url[:120], expected="https://host:port"
            )
        self._context = context
        self._host = parts.hostname
        self._port = parts.port or 443
        self._authority = parts.netloc
        self._pin = pin
        self._idle: deque[_Connection] = deque()
        self._closed = False
        self.shown_until_ms: int | None = None
        self._room = asyncio.Semaphore(CONNECTIONS)

    async def post(self, path: str, body: bytes, timeout_s: float) -> bytes:
        """Return the peer's answer to ``body`` at ``path``.

        Raises:
            PeerUnreachableError: no connection, no answer in time, or none at all. A peer that
                refuses what it is told says nothing, so this is also how a refusal looks.
            WrongSenderError: who answers at the peer's address is not the pinned peer. Not a byte
                of the request was sent.
        """
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self._authority}\r\n"
            f"content-type: application/octet-stream\r\ncontent-length: {len(body)}\r\n\r\n"
        ).encode("ascii")
        try:
            async with asyncio.timeout(timeout_s), self._room:
                try:
                    return await self._exchange(await self._kept_or_new(), head, body)
                except _Stale:
                    self._drop_idle()
                    return await self._exchange(await self._new(), head, body)
        except TimeoutError as error:
            raise _unanswered(f"no answer within {timeout_s:g} s") from error

    async def close(self) -> None:
        """Close the kept connections; one still in use is closed after its answer."""
        self._closed = True
        self._drop_idle()
        # Two turns of the loop: the transports report their end in the first.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def __aenter__(self) -> "PeerClient":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _exchange(self, connection: _Connection, head: bytes, body: bytes) -> bytes:
        try:
            answer = await connection.exchange(head, body)
        except BaseException:
            # Also when cancelled or timed out: a half-read connection would give the next
            # request this one's answer.
            connection.abort()
            raise
        if self._closed:
            connection.abort()
        else:
            self._idle.append(connection)
        return answer

    async def _kept_or_new(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
            connection.abort()
        return await self._new()

    async def _new(self) -> _Connection:
        try:
            made = await _Connection.open(self._context, self._host, self._port, self._pin)
        except ssl.SSLCertVerificationError as error:
            raise WrongSenderError(
                "the node at the peer's address shows a certificate that does not verify",
                given=error.verify_message,
                expected="a certificate in its dates, under the peer's pinned root",
                remedy="call the peer by voice: its certificate may have expired, or somebody "
                "else answers in its place",
            ) from error
        except OSError as error:
            raise _unanswered(_reason(error)) from error
        self.shown_until_ms = validity_of_der(made.certificate_der).end_ms
        return made

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.pop().abort()


def _body_size(head: bytes) -> int:
    status, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    headers: dict[bytes, bytes] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    length = headers.get(b"content-length", b"")
    if (
        status != STATUS_OK
        or len(headers) != len(lines)
        or b"transfer-encoding" in headers
        or re.fullmatch(rb"[0-9]{1,8}", length) is None
        or int(length) > ANSWER_BYTES
    ):
        raise _unanswered("its answer is not that of a node")
    return int(length)


def _unanswered(reason: str) -> PeerUnreachableError:
    return PeerUnreachableError(
        f"the peer's node gave no answer: {reason}",
        remedy="check the network and the peer's URL with `deconflict doctor`; if it answers "
        "others, ask by voice whether it refuses us",
    )


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return f"TLS {error.reason.lower().replace('_', ' ')}"
    # asyncio writes addresses into its own texts; the number says what happened.
    return os.strerror(error.errno).lower() if error.errno else type(error).__name__
