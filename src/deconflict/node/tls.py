"""TLS contexts of the door between two nodes, which fail closed.

TLS 1.3 and nothing else, certificates asked of both sides, trust in pinned roots only (never the
system's), no resumption: each connection proves anew that its certificate is still good.
"""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deconflict.errors import ConfigurationError

__all__ = ["OwnChain", "client_context", "reload_chain", "server_context", "trust"]


@dataclass(frozen=True, slots=True)
class OwnChain:
    """Where the node's own certificate and key lie, and what unlocks the key."""

    certificate_path: Path
    key_path: Path
    key_password: bytes | None = None

    def __repr__(self) -> str:
        return f"OwnChain(certificate_path={str(self.certificate_path)!r})"


def server_context(own: OwnChain, pinned_roots: Iterable[bytes]) -> ssl.SSLContext:
    """Return the context of our own door: it asks each caller for a certificate.

    With no pinned root it lets nobody in.

    Args:
        own: the node's certificate and key.
        pinned_roots: TLS roots of the pinned parties, DER.

    Raises:
        ConfigurationError: own certificate, key or a root cannot be loaded.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    # No tickets, so no resumption: a session must not outlive the certificate that opened it.
    context.num_tickets = 0
    return _common(context, own, pinned_roots)


def client_context(own: OwnChain, peer_root: bytes) -> ssl.SSLContext:
    """Return the context of calls to one peer: it trusts that peer's root and no other.

    The name of the host is not checked: a peer may move, or be reached through another address.
    Who it is, its pinned key says; :class:`~deconflict.node.peer_client.PeerClient` compares that
    before it sends a byte.

    Raises:
        ConfigurationError: own certificate, key or the root cannot be loaded.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    return _common(context, own, [peer_root])


def trust(context: ssl.SSLContext, root: bytes) -> None:
    """Add a pinned party's root (DER) to a context in use; it holds from the next handshake on.

    Raises:
        ConfigurationError: the bytes are no certificate.
    """
    try:
        context.load_verify_locations(cadata=root)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            "the TLS root of a peer cannot be loaded",
            remedy="remove that peer and pin it again from its invitation",
        ) from error


def reload_chain(context: ssl.SSLContext, own: OwnChain) -> None:
    """Load the node's certificate anew, after a renewal; it holds from the next handshake on.

    Raises:
        ConfigurationError: certificate or key cannot be loaded.
    """
    # A callable, because OpenSSL would otherwise ask on the terminal when the key is encrypted
    # and no password is known; an empty answer makes it fail instead.
    password = own.key_password or b""
    try:
        context.load_cert_chain(own.certificate_path, own.key_path, password=lambda: password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigurationError(
            "the node's own TLS certificate or key cannot be loaded",
            given=f"{own.certificate_path} ({type(error).__name__})",
            remedy="run `deconflict doctor`, or restore keys/ from its backup",
        ) from error


def _common(context: ssl.SSLContext, own: OwnChain, roots: Iterable[bytes]) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_TICKET
    # Python 3.13 sets it by itself; 3.11 and 3.12 must judge certificates alike.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    reload_chain(context, own)
    for root in roots:
        trust(context, root)
    return context
