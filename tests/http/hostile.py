"""Callers that must not be let in, over real sockets, against any node that listens.

Every function takes where the node is and returns :class:`Heard`: the application bytes that came
back, and how the connection ended. Certificates are made from node folders with keys in the
clear, so each caller is wrong in one thing only: its dates, its root, its key, its role.

A node turns away an address that begins more than five handshakes a second. Being turned away is
not being refused for the reason a test is about, so callers wait and try again when that happens,
or call from an address of their own: all of 127.0.0.0/8 is this machine (``source``).
"""

import contextlib
import os
import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from deconflict.node.pki import (
    CertifiedKey,
    create_root,
    issue_node_certificate,
    load_certified_key,
)

PATH = "/line/" + "0" * 32 + "/packets"
DAY_MS = 86_400_000
READ_TIMEOUT_S = 10.0
TURNED_AWAY_TRIES = 40


@dataclass(frozen=True)
class Heard:
    """What a caller got: application bytes, and how it ended.

    ``ended`` is ``closed``, ``reset``, ``waiting`` (nothing came and nobody hung up), or the
    name of a TLS alert as OpenSSL spells it.
    """

    data: bytes
    ended: str


@dataclass(frozen=True)
class Credentials:
    """A certificate with its key, in files."""

    certificate: Path
    key: Path


def own_credentials(folder: Path) -> Credentials:
    """The certificate of a node, as its folder holds it."""
    return Credentials(folder / "keys" / "tls.pem", folder / "keys" / "tls.key")


def foreign_credentials(directory: Path) -> Credentials:
    """A certificate made like a node's, under a root nobody pinned."""
    root = create_root(now_utc_ms=_now_ms(), random_bytes=os.urandom)
    made = issue_node_certificate(
        root, ["127.0.0.1"], now_utc_ms=_now_ms(), random_bytes=os.urandom
    )
    return _written(made, directory, "foreign")


def impostor_credentials(folder: Path, directory: Path) -> Credentials:
    """The node's own key and its root's name, signed by somebody who is not that root."""
    impostor = create_root(now_utc_ms=_now_ms(), random_bytes=os.urandom)
    _, node = _loaded(folder)
    return _written(_signed_again(node, impostor), directory, "impostor")


def expired_credentials(folder: Path, directory: Path) -> Credentials:
    """The node's own key under its own root, in a certificate that ended long ago."""
    return _dated(folder, directory, "expired", _now_ms() - 500 * DAY_MS)


def future_credentials(folder: Path, directory: Path) -> Credentials:
    """The node's own key under its own root, in a certificate that begins in ten days."""
    return _dated(folder, directory, "future", _now_ms() + 11 * DAY_MS)


def unpinned_credentials(folder: Path, directory: Path) -> Credentials:
    """A good certificate under the pinned root, for a key that is not the pinned one."""
    root, _ = _loaded(folder)
    made = issue_node_certificate(
        root, ["127.0.0.1"], now_utc_ms=_now_ms(), random_bytes=os.urandom
    )
    return _written(made, directory, "unpinned")


def server_only_credentials(folder: Path, directory: Path) -> Credentials:
    """The node's own key under its own root, in a certificate that is for servers alone."""
    root, node = _loaded(folder)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return _written(_signed_again(node, root, usage), directory, "server-only")


# Wrong credentials, made from the pinned peer's folder into a directory.
STRANGERS: dict[str, Callable[[Path, Path], Credentials | None]] = {
    "none": lambda folder, directory: None,
    "foreign": lambda folder, directory: foreign_credentials(directory),
    "impostor": impostor_credentials,
    "expired": expired_credentials,
    "future": future_credentials,
    "unpinned": unpinned_credentials,
    "server-only": server_only_credentials,
}


def post(
    path: str = PATH,
    body: bytes = b"hello",
    *,
    method: str = "POST",
    version: str = "1.1",
    length: int | str | None = None,
    headers: Iterable[str] = (),
    keep: bool = False,
) -> bytes:
    """The bytes of one request, right unless told otherwise; ``keep`` keeps the connection."""
    lines = [
        f"{method} {path} HTTP/{version}",
        "host: node",
        f"content-length: {len(body) if length is None else length}",
        *([] if keep else ["connection: close"]),
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def bad_requests(path: str, body: bytes) -> dict[str, bytes]:
    """Requests that only the pinned peer gets far enough to say; none may be answered."""
    return {
        "get": post(path, body, method="GET"),
        "put": post(path, body, method="PUT"),
        "connect": post(path, body, method="CONNECT"),
        "http 1.0": post(path, body, version="1.0"),
        "no http": b"nonsense\r\n\r\n",
        "tls in tls": b"\x16\x03\x01\x00\x05",
        "root": post("/", body),
        "docs page": post("/docs", body),
        "operators' api": post("/api/v1/node", body),
        "path and slash": post(path + "/", body),
        "query": post(path + "?x=1", body),
        "no line id": post("/line/" + "g" * 32 + "/packets", body),
        "escaped line id": post("/line/%30" + "0" * 31 + "/packets", body),
        "dots": post("/line/.." + path, body),
        "absolute url": post("https://node" + path, body),
        "forwarded for": post(path, body, headers=["x-forwarded-for: 10.0.0.1"]),
        "certificate in a header": post(path, body, headers=["x-ssl-client-cert: blue"]),
        "forwarded": post(path, body, headers=["forwarded: for=10.0.0.1"]),
        "expect": post(path, body, headers=["expect: 100-continue"]),
        "websocket": post(path, body, headers=["upgrade: websocket"]),
        "http 2 upgrade": post(path, body, headers=["upgrade: h2c", "http2-settings: AA"]),
        "host twice": post(path, body, headers=["host: other"]),
        "chunked and length": post(path, body, headers=["transfer-encoding: chunked"]),
        "two lengths": post(path, body, headers=[f"content-length: {len(body) + 1}"]),
        "bare newline": post(path, body, headers=["user-agent: a\nx-peer: blue"]),
        "signed length": post(path, body, length=f"+{len(body)}"),
        "listed length": post(path, body, length=f"{len(body)}, {len(body)}"),
        "too long": post(path, body, length=8 * 1024 * 1024 + 1),
        "no length": b"POST " + path.encode() + b" HTTP/1.1\r\nhost: node\r\n\r\n",
        "endless head": b"POST " + path.encode() + b" HTTP/1.1\r\nuser-agent: " + b"a" * 9000,
    }


BAD_REQUESTS = bad_requests(PATH, b"hello")


def call(
    host: str,
    port: int,
    request: bytes,
    credentials: Credentials | None = None,
    *,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    source: str = "",
) -> Heard:
    """Say ``request`` over TLS, whoever answers."""
    with connection(host, port, credentials, version=version, source=source) as opened:
        if isinstance(opened, Heard):
            return opened
        return _said(opened, request)


def call_plain(host: str, port: int, request: bytes) -> Heard:
    """Say ``request`` in plain text; an alert record that comes back is TLS, not application."""
    time.sleep(
        0.25
    )  # a turned-away caller and a refused one look alike here: stay below 5 a second
    with socket.create_connection((host, port), timeout=READ_TIMEOUT_S) as plain:
        heard = _said(plain, request)
    if heard.data.startswith(b"\x15\x03"):
        return Heard(b"", "alert")
    return heard


def ask(opened: ssl.SSLSocket, request: bytes) -> bytes:
    """Say ``request`` on an open connection and return one whole answer, or nothing."""
    heard = b""
    try:
        opened.sendall(request)
        while True:
            head, blank, body = heard.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: ([0-9]+)", head)
            if blank and length is not None and len(body) >= int(length[1]):
                return heard
            if not (data := opened.recv(65_536)):
                return heard
            heard += data
    except OSError:
        return heard


def drip(
    host: str,
    port: int,
    credentials: Credentials,
    request: bytes,
    *,
    pause_s: float,
    for_s: float,
    source: str = "",
) -> tuple[Heard, float]:
    """Say ``request`` one byte at a time; also returns after how many seconds it ended."""
    with connection(host, port, credentials, source=source) as opened:
        assert isinstance(opened, ssl.SSLSocket)
        started = time.monotonic()
        opened.settimeout(pause_s)
        for byte in request:
            if time.monotonic() - started > for_s:
                break
            try:
                opened.sendall(bytes([byte]))
                data = opened.recv(4096)
                return Heard(data, "closed"), time.monotonic() - started
            except TimeoutError:
                continue
            except OSError as error:
                return Heard(b"", _ending(error)), time.monotonic() - started
        return Heard(b"", "waiting"), time.monotonic() - started


def hold_handshake(host: str, port: int, *, for_s: float, source: str = "") -> float:
    """Connect and say nothing; returns after how many seconds the node hung up."""
    with socket.create_connection((host, port), timeout=for_s, source_address=(source, 0)) as plain:
        started = time.monotonic()
        with contextlib.suppress(OSError):
            plain.recv(1)
        return time.monotonic() - started


def resumes(host: str, port: int, credentials: Credentials) -> bool:
    """True exactly when the node let a second connection resume the session of the first."""
    context = _context(credentials, ssl.TLSVersion.TLSv1_3)
    with _connected(host, port, context, None) as first:
        _said(first, post())
        session = first.session
    if session is None or not session.has_ticket:
        return False
    with _connected(host, port, context, session) as second:
        _said(second, post())
        return bool(second.session_reused)


def issuers_asked_for(host: str, port: int) -> bytes:
    """All bytes a node sends before it knows who calls, as they stand on the wire."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = _context(None, ssl.TLSVersion.TLSv1_3).wrap_bio(incoming, outgoing)
    wire = b""
    with socket.create_connection((host, port), timeout=READ_TIMEOUT_S) as plain:
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                data = plain.recv(65_536)
                wire += data
                incoming.write(data)
    certificate = session.getpeercert(binary_form=True)
    assert certificate is not None
    return wire + certificate


@contextlib.contextmanager
def connection(
    host: str,
    port: int,
    credentials: Credentials | None,
    *,
    version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    source: str = "",
) -> Iterator[ssl.SSLSocket | Heard]:
    """An open TLS connection, or how the attempt ended."""
    context = _context(credentials, version)
    try:
        opened = _connected(host, port, context, None, source)
    except OSError as error:
        yield Heard(b"", _ending(error))
        return
    with opened:
        yield opened


def _connected(
    host: str,
    port: int,
    context: ssl.SSLContext,
    session: ssl.SSLSession | None,
    source: str = "",
) -> ssl.SSLSocket:
    ended_before = False
    for _ in range(TURNED_AWAY_TRIES):
        plain = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            plain.settimeout(READ_TIMEOUT_S)
            if source:
                plain.bind((source, 0))
            plain.connect((host, port))
            # A node speaks second: whatever comes now is a reset. Seen here, because a reset while
            # wrap_socket begins makes CPython 3.11 leave a socket unclosed.
            if select.select([plain], [], [], 0.03)[0]:
                plain.recv(1)
            opened = context.wrap_socket(plain, session=session)
        except ssl.SSLEOFError:
            # A refusal, or a reset that was read as an end: over a second later nobody is turned
            # away for what happened now, so a second time it is a refusal.
            plain.close()
            if ended_before:
                raise
            ended_before = True
            time.sleep(1.1)
        except (ssl.SSLError, TimeoutError, ConnectionRefusedError):
            plain.close()
            raise
        except OSError:
            # The node said nothing at all: its threshold turned us away, it judged nothing. How a
            # reset reads depends on when it comes: ECONNRESET, EPIPE, ENOTCONN, or no number.
            plain.close()
            time.sleep(0.25)
        else:
            if opened.version() is not None:
                return opened
            opened.close()  # reset so early that Python thinks it never was connected
            time.sleep(0.25)
    raise AssertionError("turned away for ten seconds")


def _context(credentials: Credentials | None, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # these callers do not care whom they talk to
    context.minimum_version = context.maximum_version = version
    if credentials is not None:
        context.load_cert_chain(credentials.certificate, credentials.key)
    return context


def _said(stream: socket.socket, request: bytes) -> Heard:
    heard = b""
    stream.settimeout(READ_TIMEOUT_S)
    try:
        stream.sendall(request)
        while data := stream.recv(65_536):
            heard += data
    except OSError as error:
        return Heard(heard, _ending(error))
    return Heard(heard, "closed")


def _ending(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "waiting"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "closed"
    if isinstance(error, ssl.SSLError):
        return error.reason or "TLS"
    return "reset"


def _signed_again(
    node: CertifiedKey, signer: CertifiedKey, usage: x509.ExtendedKeyUsage | None = None
) -> CertifiedKey:
    known = node.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(known.subject)
        .issuer_name(known.issuer)
        .public_key(node.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(known.not_valid_before_utc)
        .not_valid_after(known.not_valid_after_utc)
    )
    for extension in known.extensions:
        value = extension.value
        if usage is not None and isinstance(value, x509.ExtendedKeyUsage):
            value = usage
        builder = builder.add_extension(value, extension.critical)
    return CertifiedKey(node.key, builder.sign(signer.key, hashes.SHA256()))


def _dated(folder: Path, directory: Path, name: str, now_utc_ms: int) -> Credentials:
    root, node = _loaded(folder)
    made = issue_node_certificate(
        root, ["127.0.0.1"], now_utc_ms=now_utc_ms, random_bytes=os.urandom, key=node.key
    )
    return _written(made, directory, name)


def _loaded(folder: Path) -> tuple[CertifiedKey, CertifiedKey]:
    keys = folder / "keys"
    root, node = (
        load_certified_key(
            (keys / f"{name}.key").read_bytes(), (keys / f"{name}.pem").read_bytes(), None
        )
        for name in ("tls-root", "tls")
    )
    return root, node


def _written(made: CertifiedKey, directory: Path, name: str) -> Credentials:
    credentials = Credentials(directory / f"{name}.pem", directory / f"{name}.key")
    credentials.certificate.write_bytes(made.certificate_pem)
    credentials.key.write_bytes(made.key_pem(None))
    return credentials


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
