"""Who answers: at the node's own address for operators, and at the peers' doors."""

import errno
import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

from deconflict.errors import VerificationError
from deconflict.node.doctor.check import OK, WARNING, WRONG, Check
from deconflict.node.peers import PinnedPeer
from deconflict.node.pki import spki_sha256
from deconflict.node.settings import Endpoint

__all__ = ["node_check", "peer_check"]

KNOCK_TIMEOUT_S: Final = 3.0


def node_check(listen: Endpoint, folder: str) -> Check:
    """Look whether the node of this folder answers its operators."""
    try:
        socket.create_connection((listen.host, listen.port), KNOCK_TIMEOUT_S).close()
    except OSError:
        return Check(
            "node",
            WARNING,
            f"not running: nothing answers at {listen}",
            f"deconflict serve --node {folder}",
        )
    return Check("node", OK, f"something answers at {listen}")


def peer_check(peer: PinnedPeer) -> Check:
    """Look at the key that answers at a peer's address; nothing is said and no key is shown."""
    subject = f"peer {peer.party}"
    parts = urlsplit(peer.url)
    address = (parts.hostname or "", parts.port or 443)
    # Not verified by a chain: the key itself is compared with its pin, which is more.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection(address, KNOCK_TIMEOUT_S) as plain,
            context.wrap_socket(plain) as tls,
        ):
            shown = spki_sha256(tls.getpeercert(binary_form=True) or b"")
    except (OSError, VerificationError) as error:
        return Check(
            subject,
            WARNING,
            f"does not answer at {peer.url} ({_reason(error)})",
            "ask them by voice whether their node runs; check the address and the firewall",
        )
    if shown != peer.spki_sha256:
        return Check(
            subject,
            WRONG,
            f"another key answers at {peer.url} than the pinned one: nothing is sent there",
            "call them by voice; pin anew only from an invitation whose fingerprint you heard",
        )
    return Check(subject, OK, f"answers at {peer.url} with the pinned key")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
        return "nobody listens there"
    return getattr(error, "strerror", None) or type(error).__name__
