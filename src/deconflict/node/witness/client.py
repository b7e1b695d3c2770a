"""One request to a third witness, in a thread of its own.

A witness belongs to neither side, and may hang or lie. So nothing of the node waits for it: names
are looked up, connected and read in a thread that does nothing else, within a deadline for all of
it; an answer is read as far as one can be long, and no further. What it says is proven elsewhere.
"""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httptools

from deconflict.errors import ConfigurationError, PeerUnreachableError
from deconflict.line.tlog_witness import MAX_ANSWER_BYTES

__all__ = ["TIMEOUT_S", "WitnessAnswer", "WitnessClient", "witness_context"]

TIMEOUT_S: Final = 10.0
_HEAD_BYTES: Final = 8_192
_PIECE_BYTES: Final = 4_096
_STEP_S: Final = 5.0  # for one look-up, connection or read


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What came back, unproven."""

    status: int
    body: bytes


def witness_context(trust: Path) -> ssl.SSLContext:
    """Return the context of calls to a witness: it trusts the certificates of one file, no others.

    They may be a root or the witness's own certificate. The name of the host is checked.

    Raises:
        ConfigurationError: the file is missing, or holds no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # A pinned certificate that others signed is trusted by itself.
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cafile=trust)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigurationError(
            "the certificates trusted for a witness cannot be loaded",
            given=f"{trust} ({type(error).__name__})",
            expected="a PEM file: the one that the witness's owner gave you, or a root",
            remedy="bring the file back, or correct `trust` under [[witness]] in node.toml",
        ) from error
    return context


class WitnessClient:
    """Asks one witness; at most one request at a time, however long it hangs.

    Args:
        url: the submission prefix, ``https://host:port`` with or without a path.
        context: from :func:`witness_context`.
    """

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 443
        self._authority = parts.netloc
        self._path = f"{parts.path.rstrip('/')}/add-checkpoint"
        self._context = context
        self._busy = threading.Lock()

    async def ask(self, body: bytes, *, timeout_s: float = TIMEOUT_S) -> WitnessAnswer:
        """Return the answer to a request.

        Raises:
            PeerUnreachableError: none within the time, none that is HTTP, or an earlier request
                still hangs.
        """
        if not self._busy.acquire(blocking=False):
            raise _unanswered("an earlier request still hangs")
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[WitnessAnswer] = loop.create_future()

        def run() -> None:
            try:
                found: WitnessAnswer | PeerUnreachableError = self.ask_here(
                    body, timeout_s=timeout_s
                )
            except PeerUnreachableError as error:
                found = error
            except Exception as error:  # noqa: BLE001 (whoever waits must be told something)
                found = _unanswered(type(error).__name__)
            finally:
                self._busy.release()
            _tell(loop, lambda: _settle(answered, found))

        threading.Thread(target=run, name="ask a witness", daemon=True).start()
        try:
            async with asyncio.timeout(timeout_s):
                return await answered
        except TimeoutError as error:
            raise _unanswered(f"no answer within {timeout_s:g} s") from error

    def ask_here(self, body: bytes, *, timeout_s: float = TIMEOUT_S) -> WitnessAnswer:
        """As :meth:`ask`, in the thread of the caller."""
        deadline = time.monotonic() + timeout_s
        try:
            with socket.create_connection((self._host, self._port), _STEP_S) as plain:
                plain.settimeout(_left_s(deadline))
                with self._context.wrap_socket(plain, server_hostname=self._host) as tls:
                    tls.settimeout(_left_s(deadline))
                    tls.sendall(self._head(len(body)) + body)
                    return _read(tls, deadline)
        except TimeoutError as error:
            raise _unanswered("no answer in time") from error
        except ssl.SSLCertVerificationError as error:
            raise _unanswered(f"its certificate does not verify: {error.verify_message}") from error
        except OSError as error:
            raise _unanswered(error.strerror or type(error).__name__) from error

    def _head(self, length: int) -> bytes:
        return (
            f"POST {self._path} HTTP/1.1\r\nhost: {self._authority}\r\nconnection: close\r\n"
            f"content-type: text/plain\r\ncontent-length: {length}\r\n\r\n"
        ).encode("ascii")


class _Answering:
    """Takes an answer as the parser finds it."""

    def __init__(self) -> None:
        self.body = b""
        self.whole = False

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.whole = True


def _read(tls: ssl.SSLSocket, deadline: float) -> WitnessAnswer:
    answering = _Answering()
    parser = httptools.HttpResponseParser(answering)
    left = _HEAD_BYTES + MAX_ANSWER_BYTES
    while not answering.whole:
        tls.settimeout(_left_s(deadline))
        data = tls.recv(_PIECE_BYTES)
        left -= len(data)
        if not data or left < 0:
            raise _unanswered("its answer broke off" if not data else "its answer is too long")
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise _unanswered("its answer is not HTTP") from error
    return WitnessAnswer(parser.get_status_code(), answering.body)


def _tell(loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the node stopped meanwhile, and nobody waits
        return


def _settle(
    answered: "asyncio.Future[WitnessAnswer]", found: WitnessAnswer | PeerUnreachableError
) -> None:
    if answered.done():
        return  # too late
    if isinstance(found, WitnessAnswer):
        answered.set_result(found)
    else:
        answered.set_exception(found)


def _left_s(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, _STEP_S)


def _unanswered(reason: str) -> PeerUnreachableError:
    return PeerUnreachableError(
        f"the witness gave no answer: {reason}",
        remedy="ask its owner whether it runs; check its URL and certificate in node.toml",
    )
