"""A node knocks at its own open door as strangers would, before it says that it runs."""

import asyncio
import socket
import ssl

from deconflict.errors import ConfigurationError

__all__ = ["is_here", "probe_refuses_strangers"]

PROBE_S = 20.0  # a node that starts on a machine with much else to do is slow, not open


def is_here(host: str) -> bool:
    """True exactly when this machine has the address now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


async def probe_refuses_strangers(host: str, port: int, own_knocks: set[tuple[str, int]]) -> None:
    """Knock at our own open door as strangers would, and return when none was let in.

    Three strangers: TLS 1.3 without a certificate, TLS 1.2, and plain text. A door fails open by a
    forgotten setting, not by an attack, so a node looks at its own before it says it runs.

    Args:
        host: where the node listens; a wildcard address is tried on loopback.
        port: the same.
        own_knocks: where these knocks come from, for a door that counts callers
            (:attr:`deconflict.node.peer_server.BoundedServer.own_knocks`); empty again at the end.

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
            heard = await asyncio.to_thread(_knock, address, port, tls_version, own_knocks)
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


def _knock(
    host: str,
    port: int,
    tls_version: ssl.TLSVersion | None,
    own_knocks: set[tuple[str, int]],
) -> bytes:
    """Return what a stranger hears beyond TLS; raise OSError if the door is not there or hangs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as plain:
        plain.settimeout(PROBE_S)
        plain.bind((host, 0))
        here = plain.getsockname()[:2]
        own_knocks.add(here)
        try:
            plain.connect((host, port))
            heard = _hear(plain, tls_version)
        finally:
            own_knocks.discard(here)
    # Only to the one who spoke plain text an alert comes as bytes: record type 21 (RFC 8446 §5.1).
    return b"" if tls_version is None and heard.startswith(b"\x15\x03") else heard


def _hear(plain: socket.socket, tls_version: ssl.TLSVersion | None) -> bytes:
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
            return stream.recv(4096)
    except TimeoutError:
        raise
    except OSError:  # an alert, a reset or an end: shut
        return b""
